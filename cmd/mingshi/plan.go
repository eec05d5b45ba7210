package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/scan"
	"github.com/mingshi-audit/mingshi/site"
)

// planSchema names the format of what "scan --plan --json" prints.
const planSchema = "mingshi.plan/v1"

// intent is what a run would do: what would be sent where, how many packets, how long, and what not, and why.
type intent struct {
	Schema     string          `json:"schema"`
	Site       audit.Site      `json:"site"`
	Authority  audit.Authority `json:"authority"`
	Permit     audit.Permit    `json:"permit"`
	Interfaces []planInterface `json:"interfaces"`
	Pace       planPace        `json:"pace"` // for each device
	Methods    []methodLine    `json:"methods"`
	Modules    []planModule    `json:"modules"`
	Watching   *planWatching   `json:"watching,omitempty"`  // nil where the permit does not include it
	Listening  []planListening `json:"listening,omitempty"` // what would be read, or listened on; nothing is sent for it
	Inventory  []planEntry     `json:"inventory"`
	NotDone    []planNot       `json:"not_done"`
	Packets    int             `json:"packets"` // at most, to find devices
	Seconds    float64         `json:"seconds"` // at most, roughly, to find devices
	Uncounted  []string        `json:"uncounted"`
}

type planInterface struct {
	Name      string         `json:"name"`
	Addresses []netip.Prefix `json:"addresses"`
}

type planPace struct {
	Packets     int `json:"packets_per_second"`
	Connections int `json:"connections"`
}

// planModule is what one protocol asks of each device that speaks it.
type planModule struct {
	Name  string       `json:"name"`
	Needs audit.Permit `json:"needs"`
	Asks  audit.Text   `json:"asks"`
	Why   audit.Text   `json:"why,omitzero"` // why it would not

	Questions []planQuestion `json:"questions"` // everything it may ask under the run's permit, of devices that speak it
}

// planQuestion is one question of a protocol.
type planQuestion struct {
	Request string       `json:"request"`
	Needs   audit.Permit `json:"needs"`
	Login   bool         `json:"login"` // devices usually want a login for it
}

type planWatching struct {
	Events   float64 `json:"events_seconds"`
	Metadata float64 `json:"metadata_seconds"`
}

// planListening is one thing that would be listened to.
type planListening struct {
	Name    string  `json:"name"` // of the file or the interface
	Live    bool    `json:"live"`
	Seconds float64 `json:"seconds,omitempty"` // at most; of an interface
}

// planEntry is a device of the inventory. Of its login only the reference is told, and whether something is behind it.
type planEntry struct {
	ID        string     `json:"id"`
	Address   string     `json:"address"`
	Reference string     `json:"login,omitempty"` // "env:VAR"
	Available bool       `json:"login_available"`
	Login     audit.Text `json:"login_state"`
	Why       audit.Text `json:"why,omitzero"` // why it would not be asked
}

type planNot struct {
	What string     `json:"what"`
	Why  audit.Text `json:"why"`
}

// showPlan prints what a run would do. It sends nothing and writes nothing; where the run would not be allowed, it fails the
// same way.
func (a *app) showPlan(p plan, asJSON bool) error {
	g, err := a.guardOf(p)
	if err != nil {
		return err
	}
	n := intentOf(p, g)
	if asJSON {
		a.encode(n, "  ")
		return nil
	}
	a.printIntent(n)
	return nil
}

// intentOf works out what a run would do. Equal arguments on an equal machine give an equal intent.
func intentOf(p plan, g *guard.Guard) intent {
	rate, conns := g.Pace()
	n := intent{Schema: planSchema, Site: p.file.Site, Authority: p.file.Authority, Permit: p.permit, Interfaces: []planInterface{}, Pace: planPace{rate, conns},
		Methods: methodLines(discover.Env{Guard: g, Site: p.file, Clock: p.clock, Window: p.window}), NotDone: []planNot{}, Uncounted: []string{}}
	if ifis, err := g.Interfaces(); err == nil {
		for _, i := range ifis {
			n.Interfaces = append(n.Interfaces, planInterface{i.Name, i.Addrs})
		}
	}
	for _, f := range p.ears.files {
		n.Listening = append(n.Listening, planListening{Name: f})
	}
	for _, i := range p.ears.ifaces {
		n.Listening = append(n.Listening, planListening{Name: i, Live: true, Seconds: p.ears.span.Seconds()})
	}
	for _, m := range all.Modules() {
		if m.Probe == nil {
			continue // it only listens
		}
		n.Modules = append(n.Modules, planModule{Name: m.Name, Needs: m.Needs, Asks: m.Doc, Why: tooFar(m.Needs, g), Questions: questionsOf(m, g.Permit())})
	}
	if p.permit >= audit.PermitSample {
		n.Watching = &planWatching{Events: cmp.Or(p.sample.Events, 30*time.Second).Seconds(), Metadata: cmp.Or(p.sample.Metadata, 20*time.Second).Seconds()}
	}
	n.Inventory = entriesOf(p, g)
	n.Packets, n.Seconds, n.Uncounted = total(n.Methods)
	n.NotDone = n.notDone(p)
	return n
}

// questionsOf lists what a module may ask under a permit.
func questionsOf(m probe.Module, permit audit.Permit) []planQuestion {
	out := []planQuestion{}
	for _, q := range m.Asks {
		if q.Needs <= permit && m.Needs <= permit {
			out = append(out, planQuestion{q.Request, q.Needs, q.Login})
		}
	}
	return out
}

// entriesOf says of every inventory entry whether it would be asked, and whether its login can be had.
func entriesOf(p plan, g *guard.Guard) []planEntry {
	out := []planEntry{}
	for _, e := range p.file.Inventory {
		x := planEntry{ID: e.ID, Address: e.Address, Reference: site.LoginRef(p.file, e.ID)}
		addr, err := scan.ParseAddress(e.Address)
		switch {
		case e.Address == "":
			x.Why = msg.Text("cli.plan.noaddress")
		case err != nil:
			x.Why = msg.Text("cli.plan.badaddress", clean.Text(e.Address, 100))
		case !g.Inside(addr.Addr()):
			x.Why = msg.Text("cli.plan.outside")
		}
		x.Available, x.Login = loginState(p, x.Reference)
		out = append(out, x)
	}
	return out
}

// loginState says whether a login would be used and can be had, and nothing of what it is.
func loginState(p plan, ref string) (bool, audit.Text) {
	shown := clean.Text(ref, 100)
	switch {
	case ref == "":
		return false, msg.Text("cli.plan.login.none")
	case p.permit < audit.PermitLogin:
		return false, msg.Text("cli.plan.login.unused", shown)
	}
	_, _, err := p.login(ref)
	var l *site.LoginError
	switch {
	case errors.As(err, &l):
		return false, msg.Text("cli.plan.login.lack", shown, l.Text)
	case err != nil:
		return false, msg.Text("cli.plan.login.lack", shown, because(err))
	}
	return true, msg.Text("cli.plan.login.have", shown)
}

// total adds up what finding devices costs. Methods run beside each other, and so do the interfaces and prefixes of one. The
// last result names methods that cannot say.
func total(methods []methodLine) (packets int, lasts float64, unsaid []string) {
	unsaid = []string{}
	for _, m := range methods {
		for _, c := range m.Costs {
			if c.Why.IsZero() {
				packets += c.Packets
				lasts = max(lasts, c.Seconds)
			}
		}
		if !m.Known && m.Why.IsZero() && m.Group != "listed" {
			unsaid = append(unsaid, m.Name)
		}
	}
	return packets, lasts, unsaid
}

// notDone lists what the run would leave out, and why.
func (n intent) notDone(p plan) []planNot {
	out := []planNot{}
	add := func(what string, why audit.Text) {
		if !why.IsZero() {
			out = append(out, planNot{what, why})
		}
	}
	for _, m := range n.Methods {
		add(m.Name, m.Why)
		for _, c := range m.Costs {
			add(strings.TrimSpace(m.Name+" "+c.Target), c.Why)
		}
	}
	for _, m := range n.Modules {
		add(m.Name, m.Why)
	}
	for _, further := range []audit.Permit{audit.PermitLogin, audit.PermitSample} {
		if p.permit < further {
			add(further.String(), msg.Text("cli.plan.permit", p.permit.String(), further.String()))
		}
	}
	for _, e := range n.Inventory {
		add(e.ID, e.Why)
	}
	return out
}

// printIntent shows a plan to a person.
func (a *app) printIntent(n intent) {
	fmt.Fprintln(a.out, a.t("cli.plan.title", clean.Text(n.Site.Name, 80), clean.Text(n.Site.ID, 40)))
	a.printFrame(n)

	fmt.Fprintf(a.out, "\n%s\n%s\n", a.t("cli.plan.h.find"), a.costTable(n.Methods))

	rows := []table.Row{}
	for _, m := range n.Modules {
		if m.Why.IsZero() {
			rows = append(rows, table.Row{m.Name, m.Needs.String(), m.Asks.In(a.lang)})
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(a.out, "\n%s\n%s\n%s\n", a.t("cli.plan.h.ask"),
			drawn(table.Row{a.t("cli.plan.col.name"), a.t("cli.methods.col.needs"), a.t("cli.plan.col.asks")}, rows, a.columns(), false), a.t("cli.plan.more"))
	}
	if w := n.Watching; w != nil {
		fmt.Fprintln(a.out, a.t("cli.plan.watching", fromSeconds(w.Events).String(), fromSeconds(w.Metadata).String()))
	}

	for _, l := range n.Listening {
		if l.Live {
			fmt.Fprintln(a.out, a.t("cli.plan.listen", clean.Text(l.Name, 40), fromSeconds(l.Seconds).String()))
		} else {
			fmt.Fprintln(a.out, a.t("cli.plan.read", clean.Text(l.Name, 200)))
		}
	}

	rows = nil
	for _, e := range n.Inventory {
		rows = append(rows, table.Row{clean.Text(e.ID, 60), clean.Text(e.Address, 60), e.Login.In(a.lang)})
	}
	if len(rows) > 0 {
		fmt.Fprintf(a.out, "\n%s\n%s\n", a.t("cli.plan.h.listed"),
			drawn(table.Row{a.t("cli.plan.col.id"), a.t("cli.discover.col.address"), a.t("cli.plan.col.login")}, rows, a.columns(), false))
	}

	fmt.Fprintf(a.out, "\n%s\n", a.t("cli.plan.h.not"))
	for _, x := range n.NotDone {
		fmt.Fprintln(a.out, "  "+a.t("cli.plan.not", clean.Text(x.What, 100), x.Why))
	}
	if len(n.NotDone) == 0 {
		fmt.Fprintln(a.out, "  "+a.t("cli.plan.nothing"))
	}

	fmt.Fprintf(a.out, "\n%s\n  %s\n", a.t("cli.plan.h.total"), a.t("cli.plan.total", n.Packets, cmp.Or(seconds(fromSeconds(n.Seconds)), "0s")))
	if len(n.Uncounted) > 0 {
		fmt.Fprintln(a.out, "  "+a.t("cli.plan.unsaid", strings.Join(n.Uncounted, ", ")))
	}
}

// printFrame shows what bounds the run.
func (a *app) printFrame(n intent) {
	line := func(id string, value string) {
		fmt.Fprintln(a.out, "  "+a.t("cli.plan.frame", a.t("cli.plan.k."+id), value))
	}
	var where, hours, ifaces []string
	for _, p := range n.Authority.Perimeter {
		where = append(where, p.String())
	}
	for _, h := range n.Authority.Hours {
		hours = append(hours, strings.TrimSpace(strings.Join(h.Days, ",")+" "+h.From+"-"+h.To))
	}
	for _, i := range n.Interfaces {
		own := []string{clean.Text(i.Name, 40)}
		for _, p := range i.Addresses {
			own = append(own, p.String())
		}
		ifaces = append(ifaces, strings.Join(own, " "))
	}
	fmt.Fprintf(a.out, "\n%s\n", a.t("cli.plan.h.frame"))
	line("basis", msg.Word(n.Authority.Basis).In(a.lang))
	line("permit", a.t("cli.plan.granted", n.Permit.String(), n.Authority.Permit.String()))
	line("valid", a.t("cli.plan.until", n.Authority.Valid.From.String(), n.Authority.Valid.To.String()))
	line("hours", cmp.Or(clean.Text(strings.Join(hours, "; "), 400), a.t("cli.plan.any-hour")))
	line("where", strings.Join(where, ", "))
	line("ifaces", cmp.Or(strings.Join(ifaces, ", "), a.t("cli.plan.no-iface")))
	line("pace", a.t("cli.plan.pace", n.Pace.Packets, n.Pace.Connections))
}

func fromSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
