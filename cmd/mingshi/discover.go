package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/scan"
)

// maxPorts bounds --ports: to try every port of every address is not to look for cameras.
const maxPorts = 64

func (a *app) discoverCommand() *cobra.Command {
	var siteFile, permit, dataFiles string
	var ifaces, ports []string
	var window time.Duration
	var asJSON, watch, list bool
	c := &cobra.Command{Use: "discover --site " + a.t("cli.arg.file"), Short: a.t("cli.discover.short"), Long: a.t("cli.discover.long"), Args: a.between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if watch && list {
				return a.usage("cli.discover.either")
			}
			if window < 0 || window > longest {
				return a.usage("cli.bad.duration", "for", window.String(), "24h")
			}
			l := look{window: window, clock: time.Now}
			var err error
			if l.data, err = a.knowledgeOf(dataFiles); err != nil {
				return err
			}
			if l.ports, err = a.portsOf(ports); err != nil {
				return err
			}
			if list && siteFile == "" {
				return a.listMethods(l, asJSON)
			}
			if l.file, _, err = a.authorised(siteFile, c.CommandPath()); err != nil {
				return err
			}
			p := plan{file: l.file, ifaces: ifaces, clock: l.clock}
			if p.permit, err = a.discoveryPermit(l.file.Authority.Permit, permit); err != nil {
				return err
			}
			if l.guard, err = a.guardOf(p); err != nil {
				return err
			}
			l.again = func() error {
				_, err := a.guardOf(p)
				return err
			}
			switch {
			case list:
				return a.listMethods(l, asJSON)
			case watch:
				return a.watch(c.Context(), l, asJSON, watchPause)
			}
			return a.discoverOnce(c.Context(), l, asJSON)
		}}
	f := c.Flags()
	f.StringVar(&siteFile, "site", "", a.t("cli.flag.site"))
	f.StringVar(&permit, "permit", "", a.t("cli.discover.flag.permit"))
	f.StringSliceVar(&ifaces, "iface", nil, a.t("cli.flag.iface"))
	f.StringSliceVar(&ports, "ports", nil, a.t("cli.discover.flag.ports"))
	f.DurationVar(&window, "for", 0, a.t("cli.discover.flag.for"))
	f.BoolVar(&asJSON, "json", false, a.t("cli.flag.json"))
	f.BoolVar(&watch, "watch", false, a.t("cli.discover.flag.watch"))
	f.BoolVar(&list, "list", false, a.t("cli.discover.flag.list"))
	a.addDataFlag(c, &dataFiles)
	return c
}

// discoveryPermit returns the permit of a discovery: what was named, else as far as discovery ever goes within what is
// granted. Discovery never logs in, so that more than query is refused rather than cut down silently.
func (a *app) discoveryPermit(granted audit.Permit, named string) (audit.Permit, error) {
	if named == "" {
		return min(granted, audit.PermitQuery), nil
	}
	p, err := a.permitNamed(named)
	if err == nil && p > audit.PermitQuery {
		err = a.usage("cli.discover.permit", p.String())
	}
	return p, err
}

// portsOf reads a list of port numbers; empty where none is given. A port named twice counts once.
func (a *app) portsOf(list []string) ([]uint16, error) {
	var out []uint16
	for _, s := range list {
		n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
		if err != nil || n == 0 {
			return nil, a.usage("cli.discover.bad-port", clean.Text(s, 20))
		}
		if !slices.Contains(out, uint16(n)) {
			out = append(out, uint16(n))
		}
	}
	if len(out) > maxPorts {
		return nil, a.usage("cli.discover.many-ports", len(out), maxPorts)
	}
	return out, nil
}

// look is one way of looking for devices: what the command line asks for, within the authority.
type look struct {
	file   *audit.SiteFile // nil only where methods are listed without a site
	guard  *guard.Guard
	again  func() error // nil while the authority still allows to look; hours end
	ports  []uint16     // the sweep's; empty: its own list
	window time.Duration
	clock  func() time.Time
	data   *knowledge.Set // nil: what is built in
}

// round looks once. It keeps nothing: what comes back is all there is.
func (l look) round(ctx context.Context, modules []probe.Module, p scan.Progress) scan.Gathered {
	return scan.Run(ctx, scan.Options{Site: l.file, Guard: l.guard, Modules: modules, Methods: discover.Methods(), Evidence: unrecorded{},
		Data: l.data, Ports: l.ports, Window: l.window, Quick: l.window == 0, Brief: true, Clock: l.clock, Progress: p})
}

// env is what a method may look at to say what it would send.
func (l look) env() discover.Env {
	return discover.Env{Guard: l.guard, Site: l.file, Clock: l.clock, Ports: l.ports, Window: l.window, Quick: l.window == 0}
}

// unrecorded keeps no evidence: a discovery leaves no bundle behind.
type unrecorded struct{}

func (unrecorded) Record(evidence.Exchange) string { return "" }

// discovered is what "discover --json" prints.
type discovered struct {
	Schema   string           `json:"schema"`
	Site     audit.Site       `json:"site"`
	Window   audit.Window     `json:"window"`
	Devices  []foundDevice    `json:"devices"`
	Coverage []audit.Coverage `json:"coverage"`
	Recall   *audit.Recall    `json:"recall"`
	Complete bool             `json:"complete"`
	Why      audit.Text       `json:"why,omitzero"` // why it is not complete
}

// discoverySchema names the format of what discover prints.
const discoverySchema = "mingshi.discover/v1"

// resultOf is what was found. It is a function of its arguments alone: equal observations give equal bytes.
func resultOf(l look, g scan.Gathered, w audit.Window) discovered {
	d := discovered{Schema: discoverySchema, Site: l.file.Site, Window: w, Coverage: slices.Clone(g.Coverage), Complete: g.Complete, Why: g.Why}
	d.Devices, d.Recall = foundDevices(l.record(g))
	if d.Coverage == nil {
		d.Coverage = []audit.Coverage{}
	}
	slices.SortFunc(d.Coverage, func(x, y audit.Coverage) int {
		return cmp.Or(cmp.Compare(x.Target, y.Target), cmp.Compare(x.Module, y.Module), cmp.Compare(x.Status, y.Status), cmp.Compare(x.Detail.EN, y.Detail.EN))
	})
	return d
}

// record is what a round gathered, as an audit would keep it.
func (l look) record(g scan.Gathered) scan.Record {
	return scan.Record{Site: *l.file, Observations: g.Observations, Coverage: g.Coverage, Run: audit.Run{Permit: l.guard.Permit(), Complete: g.Complete}}
}

// discoverOnce looks once and prints what was found.
func (a *app) discoverOnce(ctx context.Context, l look, asJSON bool) error {
	progress := report.NewProgress(a.err, isTerminal(a.err), a.quiet, a.lang)
	from := l.clock()
	g := l.round(ctx, all.Modules(), progress)
	progress.Done()
	d := resultOf(l, g, audit.Window{From: instant(from), To: instant(l.clock())})
	if asJSON {
		a.encode(d, "  ")
	} else {
		fmt.Fprintln(a.out, a.deviceTable(d.Devices, a.columns()))
	}
	a.tellCoverage(d)
	if !d.Complete {
		return &exitError{code: exitIncomplete, text: msg.Text("cli.discover.incomplete", d.Why)}
	}
	return nil
}

// instant is a time as results carry it.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// encode prints a value as JSON, on one line where indent is empty.
func (a *app) encode(v any, indent string) {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", indent)
	_ = enc.Encode(v) // run tells what could not be written
}

// maxTold is how many lines one method gets in the summary; the JSON has them all.
const maxTold = 8

// tellCoverage says on stderr how hard was looked: what became of each method, how the devices took the questions, what the
// guard refused, and what is estimated to have been missed.
func (a *app) tellCoverage(d discovered) {
	told := map[string]bool{}
	for _, m := range discover.Methods() {
		told[m.Name] = true
		a.tellMethod(m.Name, d.Coverage)
	}
	for _, m := range all.Modules() {
		told[m.Name] = true
		a.tellModule(m.Name, d.Coverage)
	}
	for _, c := range d.Coverage {
		if !told[c.Module] {
			told[c.Module] = true
			a.tellMethod(c.Module, d.Coverage)
		}
	}
	seen := 0
	for _, x := range d.Devices {
		seen += b2i(x.Found)
	}
	a.say("cli.discover.total", seen, len(d.Devices)-seen)
	if d.Recall != nil {
		a.tellRecall(*d.Recall)
	}
}

// tellMethod says what became of one method, a line for each interface or prefix. Devices outside the perimeter are many
// entries that say the same, and count as one.
func (a *app) tellMethod(name string, coverage []audit.Coverage) {
	lines, foreign := 0, 0
	for _, c := range coverage {
		switch {
		case c.Module != name:
		case c.Status == audit.DeniedByUs && c.Detail == msg.Text("scan.foreign"):
			foreign++
		default:
			if lines++; lines <= maxTold {
				a.say("cli.discover.coverage", name, clean.Text(c.Target, 60), msg.Word("coverage."+string(c.Status)), audit.Text{ZH: clean.Text(c.Detail.ZH, 400), EN: clean.Text(c.Detail.EN, 400)})
			}
		}
	}
	if lines > maxTold {
		a.say("cli.discover.more", name, lines-maxTold)
	}
	if foreign > 0 {
		a.say("cli.discover.foreign", name, foreign)
	}
}

// tellModule counts how the devices took the questions of one protocol.
func (a *app) tellModule(name string, coverage []audit.Coverage) {
	count := map[audit.CoverageStatus]int{}
	for _, c := range coverage {
		if c.Module == name {
			count[c.Status]++
		}
	}
	var parts audit.Text
	for _, s := range report.CoverageStatuses() {
		if count[s] == 0 {
			continue
		}
		one := msg.Text("cli.discover.count", msg.Word("coverage."+string(s)), count[s])
		if parts.IsZero() {
			parts = one
		} else {
			parts = msg.Text("cli.discover.and", parts, one)
		}
	}
	if !parts.IsZero() {
		a.say("cli.discover.asked", name, parts)
	}
}

// tellRecall says how many cameras may have been missed.
func (a *app) tellRecall(r audit.Recall) {
	if r.Usable {
		a.say("cli.discover.recall", r.Found, fmt.Sprintf("%.1f", r.Estimate), fmt.Sprintf("%.1f", r.Low), fmt.Sprintf("%.1f", r.High))
	}
	if !r.Note.IsZero() {
		a.say("cli.discover.recall.note", r.Note)
	}
	if r.Missing > 0 {
		a.say("cli.discover.recall.missing", r.Missing)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
