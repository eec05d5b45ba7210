package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/term"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
)

const (
	redraw   = time.Second
	restful  = 20 // working out what was proved so far takes at most one in so many of the time
	mostSaid = 4  // receivers in one cell
)

// heardTable shows, while a run listens, which devices were heard and what was proved so far: on a terminal a table that changes in
// its place, else a line for each thing that is new. It writes to stderr; the report is the result.
type heardTable struct {
	a     *app
	p     plan
	live  *os.File // nil where stderr is no terminal
	began time.Time
	drawn int
	told  map[string]string // what was told of each device, where there is no terminal
	stop  chan struct{}
	done  chan struct{}
}

// newHeardTable returns nil where nothing is to be shown.
func (a *app) newHeardTable(p plan) *heardTable {
	if !p.ears.table || a.quiet {
		return nil
	}
	t := &heardTable{a: a, p: p, told: map[string]string{}, stop: make(chan struct{}), done: make(chan struct{})}
	if f, ok := a.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.live = f
	}
	return t
}

// watch begins to show what now returns; end waits until it no longer does.
func (t *heardTable) watch(now func() scan.Overheard) {
	t.began = time.Now()
	go func() {
		defer close(t.done)
		pause := redraw
		for {
			select {
			case <-t.stop:
				return
			case <-time.After(pause):
			}
			began := time.Now()
			t.show(now())
			pause = max(redraw, restful*time.Since(began))
		}
	}()
}

func (t *heardTable) end() {
	if t == nil {
		return
	}
	close(t.stop)
	if !t.began.IsZero() {
		<-t.done
	}
	t.erase()
}

func (t *heardTable) erase() {
	if t.drawn > 0 {
		fmt.Fprintf(t.live, "\x1b[%dA\x1b[J", t.drawn)
		t.drawn = 0
	}
}

// show works out what was proved so far, and shows it.
func (t *heardTable) show(o scan.Overheard) {
	in, err := scan.Input(scan.Record{Site: *t.p.file, Observations: o.Observations, Captures: o.Captures, Run: audit.Run{Permit: t.p.permit}, Data: t.p.data}, all.Modules())
	if err != nil {
		return // the report will say so
	}
	devices := t.a.heardDevices(in)
	if t.live == nil {
		t.tell(devices)
		return
	}
	var packets int64
	for _, c := range o.Captures {
		packets += c.Packets
	}
	width, height, err := term.GetSize(int(t.live.Fd()))
	if err != nil || width < leastWidth {
		width, height = 80, 24
	}
	lines := []string{}
	if len(devices) > 0 {
		lines = strings.Split(t.a.heardText(devices, width), "\n")
	}
	status := strings.Split(folded(t.a.t("cli.listen.status", t.p.ears.sources(), time.Since(t.began).Round(time.Second).String(), t.p.ears.span.String(), packets, len(devices)), width-1), "\n")
	if most := height - 2 - len(status); len(lines) > most { // what has scrolled away cannot be written over
		kept := max(most-1, 0)
		lines = append(lines[:kept:kept], t.a.t("cli.watch.cut", len(lines)-kept))
	}
	lines = append(lines, status...)
	t.erase()
	_, _ = io.WriteString(t.live, strings.Join(lines, "\n")+"\n")
	t.drawn = len(lines)
}

// tell writes a line for each device that is new, or of which something new was proved.
func (t *heardTable) tell(devices []heardDevice) {
	for _, d := range devices {
		said := strings.Join(d.proved, "; ")
		if before, known := t.told[d.id]; known && before == said {
			continue
		}
		t.told[d.id] = said
		fmt.Fprintln(t.a.err, t.a.t("cli.listen.heard", time.Now().Format(time.TimeOnly), d.where, d.what, cmp.Or(said, t.a.t("cli.listen.nothing"))))
	}
}

// heardDevice is one device that was heard, in the words of the table.
type heardDevice struct {
	id, where, what string
	how             []string // modules
	proved          []string // functions with their level
	to              []string // receivers
	flows           int
}

// heardDevices lists the devices that were heard, those of which most is proved first.
func (a *app) heardDevices(in rules.Input) []heardDevice {
	type account struct {
		by    map[string]bool
		flows int
	}
	at := map[string]*account{}
	for _, o := range in.Observations {
		if o.Seen == nil {
			continue
		}
		if at[o.Locus] == nil {
			at[o.Locus] = &account{by: map[string]bool{}}
		}
		at[o.Locus].by[o.Module] = true
		at[o.Locus].flows += o.Seen.Count
	}
	type ranked struct {
		heardDevice
		level audit.Level
	}
	var list []ranked
	for _, d := range in.Devices {
		h := ranked{heardDevice: heardDevice{id: d.ID, where: hostOf(cmp.Or(first(d.Addresses), d.ID)), what: a.inWords(foundDevice{Kind: d.Kind, Vendor: d.Vendor, Model: d.Model, Inventory: d.Inventory})}}
		for _, l := range d.Loci {
			if x := at[l]; x != nil {
				h.flows += x.flows
				for m := range x.by {
					h.how = append(h.how, m)
				}
			}
		}
		if h.flows == 0 {
			continue
		}
		slices.Sort(h.how)
		h.how = slices.Compact(h.how)
		for _, f := range audit.Functions() {
			if s := d.Face[f]; s.Level > audit.Absent {
				h.proved = append(h.proved, a.t("cli.listen.level", msg.Word(string(f)), msg.Word(s.Level.String())))
				h.level = max(h.level, s.Level)
			}
		}
		for _, o := range d.Outbound {
			h.to = append(h.to, clean.Text(o.Host, maxCell))
		}
		if n := len(h.to); n > mostSaid {
			h.to = append(h.to[:mostSaid], "…")
		}
		list = append(list, h)
	}
	slices.SortStableFunc(list, func(x, y ranked) int { return cmp.Or(cmp.Compare(y.level, x.level), cmp.Compare(x.where, y.where)) })
	var out []heardDevice
	for _, h := range list {
		out = append(out, h.heardDevice)
	}
	return out
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// heardText draws the table.
func (a *app) heardText(devices []heardDevice, width int) string {
	var head table.Row
	for _, c := range []string{"cli.discover.col.address", "cli.listen.col.what", "cli.listen.col.how", "cli.listen.col.proved", "cli.listen.col.to", "cli.listen.col.flows"} {
		head = append(head, a.t(c))
	}
	var rows []table.Row
	for _, d := range devices {
		rows = append(rows, table.Row{d.where, d.what, strings.Join(d.how, ", "), strings.Join(d.proved, "\n"), strings.Join(d.to, "\n"), fmt.Sprint(d.flows)})
	}
	return drawn(head, rows, width, true)
}
