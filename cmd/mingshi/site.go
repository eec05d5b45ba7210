package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/site"
)

func (a *app) siteCommand() *cobra.Command {
	c := a.group(&cobra.Command{Use: "site", Short: a.t("cli.site.short")})
	c.AddCommand(a.siteInitCommand(), a.siteCheckCommand(), a.siteSchemaCommand())
	return c
}

func (a *app) siteInitCommand() *cobra.Command {
	var venue, out string
	c := &cobra.Command{Use: "init", Short: a.t("cli.site.init.short"), Long: a.t("cli.site.init.long"), Args: a.between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			text, err := site.Init(venue, a.lang)
			if err != nil {
				return a.usage("cli.bad.venue", because(err))
			}
			if out == "" {
				_, _ = a.out.Write(text) // run tells what could not be written
				return nil
			}
			if err := outside(out); err != nil {
				return err
			}
			if err := writeNew(out, text); err != nil {
				return a.usage("cli.site.init.exists", clean.Text(out, 200), because(err))
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
	c := &cobra.Command{Use: "check " + a.t("cli.arg.file"), Short: a.t("cli.site.check.short"), Long: a.t("cli.site.check.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, _, err := readSite(args[0])
			if err != nil {
				return err
			}
			advice := site.Check(file, filepath.Dir(args[0]))
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", "  ")
				_ = enc.Encode(advice) // run tells what could not be written
				return nil
			}
			for i, x := range advice {
				about := ""
				if len(x.Rules) > 0 {
					about = a.t("cli.site.check.rules", strings.Join(x.Rules, ", "))
				}
				weight, _ := x.Weight.MarshalText()
				fmt.Fprintf(a.out, "%2d. %s %s%s\n", i+1, a.t("cli.weight."+string(weight)), x.Text.In(a.lang), about)
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
	return &cobra.Command{Use: "schema", Short: a.t("cli.site.schema.short"), Args: a.between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, _ = a.out.Write(site.Schema()) // run tells what could not be written
			return nil
		}}
}

// writeNew writes a file that must not exist yet; when it fails nothing is left of it.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
