package main

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// methodLine is one discovery method, what it asks and what it would send here. Nothing is sent to say so.
type methodLine struct {
	Name  string       `json:"name"`
	Needs audit.Permit `json:"needs"`
	Group string       `json:"group"` // listed, announced or swept: how it finds devices
	Does  audit.Text   `json:"does"`
	Asks  audit.Text   `json:"asks,omitzero"`
	Costs []costLine   `json:"costs"`
	Known bool         `json:"costs_known"`  // false: without a site, or where it depends on what is found
	Why   audit.Text   `json:"why,omitzero"` // why it would not run at all
}

// costLine is what a method would send to one interface or prefix.
type costLine struct {
	Target  string     `json:"target"`
	To      string     `json:"to"`
	Packets int        `json:"packets"` // at most
	Seconds float64    `json:"seconds"` // at most, roughly
	Why     audit.Text `json:"why,omitzero"`

	lasts time.Duration
}

// methodLines lists every method. Costs are there where the look has a guard, which knows the perimeter and the interfaces.
func methodLines(env discover.Env) []methodLine {
	out := []methodLine{}
	for _, m := range discover.Methods() {
		l := methodLine{Name: m.Name, Needs: m.Needs, Group: groupName(m.Group), Does: m.Doc, Asks: m.Asks, Costs: []costLine{}}
		if env.Guard != nil {
			l.Why = tooFar(m.Needs, env.Guard)
		}
		if env.Guard != nil && m.Cost != nil && l.Why.IsZero() {
			l.Known = true
			for _, c := range m.Cost(env) {
				l.Costs = append(l.Costs, costLine{Target: c.Target, To: c.To, Packets: c.Packets, Seconds: c.Lasts.Seconds(), Why: c.Why, lasts: c.Lasts})
			}
			if len(l.Costs) == 0 && m.Group != discover.Listed {
				l.Why = msg.Text("discover.nointerface")
			}
		}
		out = append(out, l)
	}
	return out
}

// tooFar says why something is not done under a run's permit, or nothing.
func tooFar(needs audit.Permit, g *guard.Guard) audit.Text {
	if needs <= g.Permit() {
		return audit.Text{}
	}
	return msg.Text("cli.plan.permit", g.Permit().String(), needs.String())
}

func groupName(g discover.Group) string {
	switch g {
	case discover.Announced:
		return "announced"
	case discover.Swept:
		return "swept"
	}
	return "listed"
}

// listMethods prints what there is to find devices with.
func (a *app) listMethods(l look, asJSON bool) error {
	lines := methodLines(l.env())
	if asJSON {
		a.encode(lines, "  ")
		return nil
	}
	head := table.Row{a.t("cli.methods.col.name"), a.t("cli.methods.col.needs"), a.t("cli.methods.col.group"), a.t("cli.methods.col.asks")}
	var rows []table.Row
	for _, m := range lines {
		rows = append(rows, table.Row{m.Name, m.Needs.String(), a.t("cli.methods.group." + m.Group), a.asks(m)})
	}
	fmt.Fprintln(a.out, drawn(head, rows, a.columns(), a.columns() > 0))
	if l.guard == nil {
		a.say("cli.methods.no-site")
		return nil
	}
	fmt.Fprintln(a.out, "\n"+a.t("cli.methods.here"))
	fmt.Fprintln(a.out, a.costTable(lines))
	return nil
}

// asks says what a method does, and whom it asks what where it asks anything.
func (a *app) asks(m methodLine) string {
	if m.Asks.IsZero() {
		return m.Does.In(a.lang)
	}
	return m.Asks.In(a.lang)
}

// costTable shows what each method would send to each interface or prefix, and why it would not.
func (a *app) costTable(lines []methodLine) string {
	head := table.Row{a.t("cli.methods.col.name"), a.t("cli.methods.col.target"), a.t("cli.methods.col.to"), a.t("cli.methods.col.packets"), a.t("cli.methods.col.lasts"), a.t("cli.methods.col.why")}
	var rows []table.Row
	for _, m := range lines {
		if len(m.Costs) == 0 {
			rows = append(rows, a.noCost(m))
		}
		for _, c := range m.Costs {
			packets, lasts := fmt.Sprint(c.Packets), seconds(c.lasts)
			if !c.Why.IsZero() {
				packets, lasts = "0", ""
			}
			rows = append(rows, table.Row{m.Name, clean.Text(c.Target, 60), clean.Text(c.To, 60), packets, lasts, c.Why.In(a.lang)})
		}
	}
	return drawn(head, rows, a.columns(), false)
}

// noCost is the line of a method that has nothing to count: it would not run, sends nothing here, or cannot say beforehand.
func (a *app) noCost(m methodLine) table.Row {
	switch {
	case !m.Why.IsZero():
		return table.Row{m.Name, "", "", "0", "", m.Why.In(a.lang)}
	case m.Known || m.Group == "listed":
		return table.Row{m.Name, "", "", "0", "", ""}
	}
	return table.Row{m.Name, "", "", "?", "", ""}
}

// seconds is a time as a person reads it: to the tenth of a second.
func seconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return d.Round(100 * time.Millisecond).String()
}
