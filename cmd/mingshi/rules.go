package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/rules"
)

func (a *app) rulesCommand() *cobra.Command {
	c := a.group(&cobra.Command{Use: "rules", Short: a.t("cli.rules.short")})
	c.AddCommand(a.rulesListCommand(), a.rulesShowCommand(), a.rulesTestCommand())
	return c
}

func (a *app) rulesListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: a.t("cli.rules.list.short"), Args: a.between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			texts, err := ruleTexts()
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", "  ")
				_ = enc.Encode(texts) // run tells what could not be written
				return nil
			}
			text.OverrideRuneWidthEastAsianWidth(false)
			t := table.NewWriter()
			t.SetStyle(table.StyleLight)
			t.Style().Format.Header = text.FormatDefault
			t.AppendHeader(table.Row{a.t("cli.rules.col.id"), a.t("cli.rules.col.title"), a.t("cli.rules.col.severity"), a.t("cli.rules.col.from")})
			for _, r := range texts {
				t.AppendRow(table.Row{r.ID, r.Title.In(a.lang) + "\n" + r.Provision.In(a.lang), msg.Word(string(r.Severity)).In(a.lang), r.From})
			}
			t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMax: 30, WidthMaxEnforcer: text.WrapSoft}})
			fmt.Fprintln(a.out, t.Render())
			return nil
		}}
	c.Flags().BoolVar(&asJSON, "json", false, a.t("cli.flag.json"))
	return c
}

func (a *app) rulesShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show " + a.t("cli.arg.rule"), Short: a.t("cli.rules.show.short"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			texts, err := ruleTexts()
			if err != nil {
				return err
			}
			shown := 0
			for _, r := range texts {
				if !sameRule(r.ID, args[0]) {
					continue
				}
				if shown++; shown > 1 {
					fmt.Fprintln(a.out)
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
			}
			if shown == 0 {
				return a.usage("cli.rules.unknown", clean.Text(args[0], 60))
			}
			return nil
		}}
}

func (a *app) rulesTestCommand() *cobra.Command {
	return &cobra.Command{Use: "test " + a.t("cli.arg.pack"), Short: a.t("cli.rules.test.short"), Long: a.t("cli.rules.test.long"), Args: a.between(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			packs, err := rules.Builtin()
			if len(args) == 1 {
				var p *rules.Pack
				p, err = loadPack(args[0])
				packs = []*rules.Pack{p}
			}
			if err != nil {
				return a.usage("cli.bad.pack", clean.Text(append(args, "")[0], 200), because(err))
			}
			failed, count := 0, 0
			for _, p := range packs {
				results, err := p.Test()
				if err != nil {
					return a.usage("cli.bad.pack", p.ID(), because(err))
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
				return &exitError{code: exitSuspected, text: msg.Text("cli.rules.failed", failed, count)}
			}
			fmt.Fprintln(a.out, a.t("cli.rules.passed", count))
			return nil
		}}
}

// sameRule reports whether a person who wrote name means the rule: its id, in any case, with or without the pack.
func sameRule(id, name string) bool {
	_, bare, _ := strings.Cut(id, "/")
	return strings.EqualFold(id, name) || strings.EqualFold(bare, name)
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
