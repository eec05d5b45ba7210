package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/rules"
)

func (a *app) rulesCommand() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: a.t("cli.rules.short")}
	c.AddCommand(a.rulesListCommand(), a.rulesShowCommand(), a.rulesTestCommand())
	return c
}

func (a *app) rulesListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: a.t("cli.rules.list.short"), Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			texts, err := ruleTexts()
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", "  ")
				return enc.Encode(texts)
			}
			text.OverrideRuneWidthEastAsianWidth(false)
			t := table.NewWriter()
			t.SetStyle(table.StyleLight)
			t.Style().Format.Header = text.FormatDefault
			t.AppendHeader(table.Row{a.t("cli.rules.col.id"), a.t("cli.rules.col.provision"), a.t("cli.rules.col.title"), a.t("cli.rules.col.severity"), a.t("cli.rules.col.from")})
			for _, r := range texts {
				t.AppendRow(table.Row{r.ID, r.Provision.In(a.lang), r.Title.In(a.lang), msg.Word(string(r.Severity)).In(a.lang), r.From})
			}
			t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMax: 30}, {Number: 3, WidthMax: 44}})
			_, err = fmt.Fprintln(a.out, t.Render())
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, a.t("cli.flag.json"))
	return c
}

func (a *app) rulesShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: a.t("cli.rules.show.short"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			texts, err := ruleTexts()
			if err != nil {
				return err
			}
			for _, r := range texts {
				if r.ID != args[0] {
					continue
				}
				line := func(id, value string) {
					if value != "" {
						fmt.Fprintf(a.out, "\n%s\n  %s\n", a.t(id), value)
					}
				}
				fmt.Fprintf(a.out, "%s  %s\n", r.ID, r.Title.In(a.lang))
				line("cli.rules.col.provision", r.Provision.In(a.lang))
				line("cli.rules.quote", r.Quote.ZH)
				line("cli.rules.translation", r.Quote.EN)
				line("cli.rules.force", r.LegalForce.In(a.lang))
				line("cli.rules.col.from", r.From)
				line("cli.rules.status", r.TextStatus+" — "+r.Source)
				line("cli.rules.col.severity", msg.Word(string(r.Severity)).In(a.lang))
				line("cli.rules.burden", msg.Word(r.Burden).In(a.lang))
				line("cli.rules.applies", r.Applies)
				line("cli.rules.suspected", r.SuspectedIf)
				line("cli.rules.conforms", r.ConformsIf)
				line("cli.rules.remedy", r.Remediation.In(a.lang))
				for _, x := range r.References {
					line("cli.rules.reference", x)
				}
				return nil
			}
			return a.usage("cli.rules.unknown", args[0])
		}}
}

func (a *app) rulesTestCommand() *cobra.Command {
	return &cobra.Command{Use: "test [DIR]", Short: a.t("cli.rules.test.short"), Long: a.t("cli.rules.test.long"), Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			packs, err := rules.Builtin()
			if len(args) == 1 {
				var p *rules.Pack
				dir := filepath.Clean(args[0])
				p, err = rules.Load(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
				packs = []*rules.Pack{p}
			}
			if err != nil {
				return a.usage("cli.bad.pack", append(args, "")[0], err.Error())
			}
			failed, count := 0, 0
			for _, p := range packs {
				results, err := p.Test()
				if err != nil {
					return a.usage("cli.bad.pack", p.ID(), err.Error())
				}
				for _, r := range results {
					count++
					if !r.OK {
						failed++
						fmt.Fprintf(a.out, "FAIL %s: %s\n     %s\n", r.Rule, r.Case, r.Problem)
					}
				}
			}
			if failed > 0 {
				return &exitError{exitSuspected, msg.Text("cli.rules.failed", failed, count)}
			}
			_, err = fmt.Fprintln(a.out, a.t("cli.rules.passed", count))
			return err
		}}
}

// ruleTexts lists the rules of the built-in packs as a report would quote them.
func ruleTexts() ([]audit.RuleText, error) {
	packs, err := rules.Builtin()
	if err != nil {
		return nil, err
	}
	var out []audit.RuleText
	for _, p := range packs {
		out = append(out, p.Rules()...)
	}
	return out, nil
}
