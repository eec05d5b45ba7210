package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/site"
)

func (a *app) siteCommand() *cobra.Command {
	c := &cobra.Command{Use: "site", Short: a.t("cli.site.short")}
	c.AddCommand(a.siteInitCommand(), a.siteCheckCommand(), a.siteSchemaCommand())
	return c
}

func (a *app) siteInitCommand() *cobra.Command {
	var venue, out string
	c := &cobra.Command{Use: "init", Short: a.t("cli.site.init.short"), Long: a.t("cli.site.init.long"), Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := site.Init(venue, a.lang)
			if err != nil {
				return a.usage("cli.bad.venue", venue, err.Error())
			}
			if out == "" {
				_, err = a.out.Write(text)
				return err
			}
			f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return a.usage("cli.site.init.exists", out, err.Error())
			}
			if _, err := f.Write(text); err != nil {
				f.Close()
				return a.usage("cli.site.init.exists", out, err.Error())
			}
			if err := f.Close(); err != nil {
				return a.usage("cli.site.init.exists", out, err.Error())
			}
			a.say("cli.site.init.done", out)
			return nil
		}}
	c.Flags().StringVar(&venue, "venue", "shop", a.t("cli.flag.venue"))
	c.Flags().StringVarP(&out, "output", "o", "", a.t("cli.flag.output.site"))
	return c
}

func (a *app) siteCheckCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "check FILE", Short: a.t("cli.site.check.short"), Long: a.t("cli.site.check.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, _, err := readSite(args[0])
			if err != nil {
				return err
			}
			advice := site.Check(file, filepath.Dir(args[0]))
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", "  ")
				return enc.Encode(advice)
			}
			for i, x := range advice {
				fmt.Fprintf(a.out, "%2d. %s\n", i+1, x.Text.In(a.lang))
			}
			if len(advice) == 0 {
				a.say("cli.site.check.nothing", args[0])
			} else {
				a.say("cli.site.check.some", args[0], len(advice))
			}
			return nil
		}}
	c.Flags().BoolVar(&asJSON, "json", false, a.t("cli.flag.json"))
	return c
}

func (a *app) siteSchemaCommand() *cobra.Command {
	return &cobra.Command{Use: "schema", Short: a.t("cli.site.schema.short"), Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(site.Schema())
			return err
		}}
}

// exactly wants that many arguments, and says so in the user's language.
func (a *app) exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return a.usage("cli.bad.args", c.UseLine())
		}
		return nil
	}
}
