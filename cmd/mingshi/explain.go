package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{Use: "explain " + a.t("cli.arg.explain"), Short: a.t("cli.explain.short"), Long: a.t("cli.explain.long"), Args: a.exactly(2),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.openWarily(args[0])
			if err != nil {
				return err
			}
			defer s.reader.Close()
			in, err := scan.Input(s.record, all.Modules())
			if err != nil {
				return &exitError{code: exitIncomplete, text: msg.Text("cli.judge.failed", because(err), args[0])}
			}
			e := explainer{app: a, stored: s, in: in}
			if ds := e.devicesNamed(args[1]); len(ds) > 0 {
				for i, d := range ds {
					if i > 0 {
						e.print("\n%s\n\n", strings.Repeat("─", 72))
					}
					if err := e.device(d); err != nil {
						return err
					}
				}
				return nil
			}
			if fs := e.findingsNamed(args[1]); len(fs) > 0 {
				for i, f := range fs {
					if i > 0 {
						e.print("\n%s\n\n", strings.Repeat("─", 72))
					}
					if err := e.finding(f); err != nil {
						return err
					}
				}
				return nil
			}
			return a.usage("cli.explain.unknown", clean.Text(args[1], 60), strings.Join(e.names(), ", "), strings.Join(e.ruleIDs(), ", "))
		}}
}

// explainer answers why, from one bundle.
type explainer struct {
	*app
	stored
	in rules.Input
}

func (e explainer) print(format string, args ...any) { fmt.Fprintf(e.out, format, args...) }

func (e explainer) heading(id string) { e.print("\n%s\n", e.t(id)) }

// device says what was established about one device, from what, how hard was looked, and what would say more.
func (e explainer) device(d audit.Device) error {
	e.print("%s  %s  %s\n", e.label(d), msg.Word(string(d.Kind)).In(e.lang), strings.Join(d.Addresses, ", "))
	for _, f := range audit.Functions() {
		s := d.Face[f]
		state := msg.Word(s.Level.String()).In(e.lang)
		if len(s.Attributes) > 0 {
			state += " (" + msg.Words(s.Attributes).In(e.lang) + ")"
		}
		e.print("\n%s\n", e.t("cli.explain.level", msg.Word(string(f)), state))
		if !s.Note.IsZero() {
			e.print("  %s\n", s.Note.In(e.lang))
		}
		e.observations(s.Because)
		if len(s.Dispute) > 0 {
			e.print("  %s\n", e.t("cli.explain.disputed", ""))
			e.observations(s.Dispute)
		}
		switch {
		case s.Level == audit.Absent:
			e.print("  %s\n", e.t("cli.explain.absent"))
		case s.Level < audit.Active:
			e.print("  %s: %s\n", e.t("cli.explain.ask"), e.ask(audit.FactName(f, next(s.Level))))
		}
	}
	e.depth(d)
	e.heading("cli.explain.coverage")
	for _, c := range e.report.Coverage {
		if slices.ContainsFunc(slices.Concat(d.Addresses, d.Loci, []string{d.ID}), func(a string) bool { return c.Target == a || strings.HasPrefix(c.Target, a+":") }) {
			e.print("  %s %s: %s — %s\n", c.Target, c.Module, msg.Word("coverage."+string(c.Status)).In(e.lang), clean.Text(c.Detail.In(e.lang), 300))
		}
	}
	e.heading("cli.explain.findings")
	for _, f := range e.report.Findings {
		if f.Subject == (audit.Subject{Kind: audit.SubjectDevice, ID: d.ID}) {
			e.print("  %s %s: %s\n  → mingshi explain %s %s\n", f.Rule, f.Title.In(e.lang), msg.Word(string(f.Outcome)).In(e.lang), e.reader.Dir(), f.Fingerprint[:12])
		}
	}
	return nil
}

// depth says how hard each function was looked for: what was answered, and what was not, with the reason.
func (e explainer) depth(d audit.Device) {
	e.heading("report.h.looked")
	for _, l := range d.Looked {
		e.print("  %s\n", msg.Word(string(l.Function)).In(e.lang))
		if l.Unknown {
			e.print("    %s\n", e.t("report.looked.unknown"))
		}
		for _, x := range []struct {
			id   string
			list []audit.Question
		}{{"answered", l.Asked}, {"refused", l.Refused}, {"failed", l.Failed}, {"skipped", l.Skipped}} {
			for _, q := range x.list {
				why := ""
				switch {
				case q.Moot:
					continue
				case !q.Why.IsZero():
					why = " — " + q.Why.In(e.lang)
				case q.Login:
					why = " (" + e.t("report.looked.login") + ")"
				}
				e.print("    %s: %s\n", e.t("report.looked."+x.id), clean.Text(q.Module+" "+q.Request+why, 300))
			}
		}
	}
}

// next is the rung whose proof would say more: whether it is switched on before whether it runs.
func next(l audit.Level) audit.Level {
	switch l {
	case audit.Unknown, audit.Absent:
		return audit.Capable
	case audit.Capable:
		return audit.Configured
	}
	return audit.Active
}

// finding says what a rule looked at, what each condition came to, and which single fact would change the outcome.
func (e explainer) finding(f audit.Finding) error {
	x, err := rules.Explain(e.packs, e.in, f.Rule, f.Subject.String())
	if err != nil {
		return &exitError{code: exitIncomplete, text: msg.Text("cli.judge.failed", because(err), e.reader.Dir())}
	}
	e.print("%s  %s\n%s  %s · %s\n", f.Rule, f.Title.In(e.lang), f.Fingerprint[:12], msg.Word(string(f.Outcome)).In(e.lang), msg.Word(string(f.Severity)).In(e.lang))
	e.print("\n%s\n", clean.Text(f.Message.In(e.lang), 4000))

	e.heading("cli.explain.conditions")
	for _, c := range x.Conditions {
		name := c.Name
		if !c.Text.IsZero() {
			name += " (" + c.Text.In(e.lang) + ")"
		}
		e.print("  %s = %s\n      %s\n", name, e.truth(c.Value), strings.Join(strings.Fields(c.Expression), " "))
	}
	e.heading("cli.explain.facts")
	for _, c := range x.Facts {
		value := e.t("cli.explain.unknown-fact")
		switch {
		case len(c.Dispute) > 0:
			value = e.t("cli.explain.disputed", strings.Join(c.Dispute, ", "))
		case c.Known:
			value = e.value(c.Value)
		}
		e.print("  %s = %s\n      %s\n", c.Spec.Name, value, c.Spec.Doc.In(e.lang))
		e.observations(c.Because)
	}
	e.heading("cli.explain.change")
	if len(x.Counterfactuals) == 0 {
		e.print("  %s\n", e.t("cli.explain.nochange"))
	}
	for _, c := range x.Counterfactuals {
		e.print("  %s\n", e.t("cli.explain.would", c.Fact, e.value(c.To), msg.Word(string(c.Outcome))))
		if !c.Known {
			e.print("      %s: %s\n", e.t("cli.explain.ask"), e.ask(c.Fact))
		}
	}
	return nil
}

// observations lists what was asked, of whom and when, at most six.
func (e explainer) observations(ids []string) {
	for i, id := range ids {
		if i == 6 {
			e.print("      …\n")
			return
		}
		at := slices.IndexFunc(e.report.Observations, func(o audit.Observation) bool { return o.ID == id })
		if at < 0 {
			continue
		}
		o := e.report.Observations[at]
		where := cmp.Or(o.Locus, "site.yaml")
		if o.Endpoint.Port() != 0 {
			where = o.Endpoint.String()
		}
		e.print("      %s\n", e.t("cli.explain.observation", o.ID, o.Module, clean.Text(o.Kind, 60), where, e.status(o)))
		if o.Seen != nil {
			e.print("          %s\n", e.t("cli.explain.heard", report.Heard(o.Seen), strings.Join(o.Evidence, ", ")))
		}
	}
}

func (e explainer) status(o audit.Observation) string {
	s := msg.Word("status." + o.Status.String()).In(e.lang)
	if !o.At.IsZero() {
		s += ", " + o.At.In(audit.CST()).Format("2006-01-02 15:04:05 -07:00")
	}
	return s
}

func (e explainer) ask(fact string) string {
	name := strings.TrimPrefix(fact, "device.")
	for _, s := range e.report.FactSpecs {
		if s.Name == fact || s.Name == name {
			return s.Ask.In(e.lang)
		}
	}
	return fact
}

func (e explainer) value(v audit.Value) string {
	if l, ok := v.V.([]string); ok {
		return "[" + msg.Words(l).In(e.lang) + "]"
	}
	return clean.Text(fmt.Sprint(v.V), 200)
}

func (e explainer) truth(v string) string {
	if v == "unknown" {
		return e.t("cli.explain.unknown-fact")
	}
	return v
}

func (e explainer) label(d audit.Device) string {
	parts := []string{d.Inventory, d.ID, d.Vendor, d.Model}
	return clean.Text(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " "), 200)
}

// devicesNamed finds a device by its id, inventory id, serial number or address; an address without a port may be several's.
func (e explainer) devicesNamed(name string) (out []audit.Device) {
	for _, d := range e.report.Devices {
		if strings.EqualFold(d.ID, name) || d.Inventory != "" && strings.EqualFold(d.Inventory, name) || d.Serial != "" && d.Serial == name {
			return []audit.Device{d}
		}
		if slices.Contains(d.Loci, name) || slices.ContainsFunc(d.Addresses, func(a string) bool { return a == name || hostOf(a) == name }) {
			out = append(out, d)
		}
	}
	return out
}

// hostOf returns the address of "ip:port", and anything else as it is.
func hostOf(s string) string {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String()
	}
	return s
}

func (e explainer) findingsNamed(name string) (out []audit.Finding) {
	for _, f := range e.report.Findings {
		if sameRule(f.Rule, name) || len(name) >= 8 && strings.HasPrefix(f.Fingerprint, name) {
			out = append(out, f)
		}
	}
	order := []audit.Outcome{audit.Suspected, audit.Undetermined, audit.Conforms, audit.NotApplicable}
	slices.SortStableFunc(out, func(a, b audit.Finding) int {
		return cmp.Compare(slices.Index(order, a.Outcome), slices.Index(order, b.Outcome))
	})
	return out
}

func (e explainer) names() (out []string) {
	for _, d := range e.report.Devices {
		if d.Inventory != "" {
			out = append(out, d.Inventory)
		} else {
			out = append(out, d.ID)
		}
	}
	return out
}

func (e explainer) ruleIDs() (out []string) {
	for _, r := range e.report.Rules {
		out = append(out, r.ID)
	}
	return out
}
