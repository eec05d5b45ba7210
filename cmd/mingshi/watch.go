package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/scan"
)

const (
	watchPause = 5 * time.Second // between rounds; a round that takes longer is followed by a pause of its own length
	watchGone  = 2               // rounds without a word until a device is gone
	watchAgain = 5 * time.Minute // a device that said who it is is not asked again sooner
)

// watch looks again and again until the context ends, and tells what changed. It ends with the whole result.
func (a *app) watch(ctx context.Context, l look, asJSON bool, pause time.Duration) error {
	r := &roll{site: l.file, places: map[string]*sighting{}}
	t := a.newTeller(asJSON)
	var last scan.Gathered // the last round that ended by itself
	var ended error
	began := l.clock()
	for n := 1; ; n++ {
		from := l.clock()
		progress := report.NewProgress(a.err, isTerminal(a.err), a.quiet || n > 1, a.lang)
		g := l.round(ctx, r.strangers(all.Modules(), from), progress)
		progress.Done()
		whole := ctx.Err() == nil && looked(g.Coverage)
		if n == 1 || whole {
			last = g
		}
		if n == 1 && ctx.Err() == nil && !whole {
			ended = &exitError{code: exitIncomplete, text: msg.Text("cli.discover.incomplete", g.Why)}
		}
		took := l.clock().Sub(from)
		t.tell(r.take(g, l.clock(), whole), r, n, max(pause, took))
		if ended != nil || a.result.err != nil || !pausedFor(ctx, max(pause, took)) {
			break
		}
		if err := l.again(); err != nil {
			ended = a.closing(err)
			break
		}
	}
	if ended == nil {
		last.Complete, last.Why = true, audit.Text{} // a watch has no other end
	}
	last.Observations = r.observations()
	d := resultOf(l, last, audit.Window{From: instant(began), To: instant(l.clock())})
	d.Devices = r.all()
	t.end(d)
	a.tellCoverage(d)
	return ended
}

// closing is the end of a watch that the authority no longer allows.
func (a *app) closing(err error) error {
	var e *exitError
	if errors.As(err, &e) {
		return &exitError{code: exitIncomplete, text: msg.Text("cli.watch.closed", e.text)}
	}
	return err
}

// looked reports whether anything was asked or listened for: a round in which nothing could be says nothing of who is gone.
func looked(coverage []audit.Coverage) bool {
	methods := methodNames()
	return slices.ContainsFunc(coverage, func(c audit.Coverage) bool {
		return methods[c.Module] && c.Module != "inventory" && slices.Contains([]audit.CoverageStatus{audit.Tried, audit.Partial, audit.NoAnswer, audit.NotObserved}, c.Status)
	})
}

func methodNames() map[string]bool {
	out := map[string]bool{}
	for _, m := range discover.Methods() {
		out[m.Name] = true
	}
	return out
}

// pausedFor waits, and reports whether the whole time passed.
func pausedFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// roll is who is there, over many rounds.
type roll struct {
	site    *audit.SiteFile
	places  map[string]*sighting // by locus
	present []foundDevice        // after the last round
	gone    []foundDevice
}

// sighting is what is known of one locus: the latest answer to every question, so that an answer lost in one round changes
// nothing.
type sighting struct {
	first  time.Time
	asked  time.Time // when it last said who it is
	missed int       // rounds in a row without a word
	latest map[string]audit.Observation
}

// change is one thing that happened.
type change struct {
	Event  string      `json:"event"` // found, changed or gone
	At     time.Time   `json:"at"`
	Fields []string    `json:"fields,omitempty"` // what changed
	Device foundDevice `json:"device"`
}

// strangers returns the modules, which now only want devices that have not said who they are within watchAgain.
func (r *roll) strangers(modules []probe.Module, now time.Time) []probe.Module {
	known := map[string]bool{}
	for locus, p := range r.places {
		known[locus] = !p.asked.IsZero() && now.Sub(p.asked) < watchAgain
	}
	out := slices.Clone(modules)
	for i, m := range modules {
		out[i].Wants = func(t audit.Target) bool {
			addr := t.Addr.Addr().Unmap().WithZone("")
			return !known[addr.String()] && !known[netip.AddrPortFrom(addr, t.Addr.Port()).String()] && m.Wants(t)
		}
	}
	return out
}

// take adds a round and returns what changed, in the order of the devices. Who is silent in a round that was not whole is not
// thereby gone.
func (r *roll) take(g scan.Gathered, now time.Time, whole bool) []change {
	methods := methodNames()
	round, heard, said := map[string][]audit.Observation{}, map[string]bool{}, map[string]bool{}
	for _, o := range g.Observations {
		if o.Locus == "" {
			continue
		}
		round[o.Locus] = append(round[o.Locus], o)
		if heardOf(o) {
			heard[o.Locus] = true
			said[o.Locus] = said[o.Locus] || !methods[o.Module]
		}
	}
	for locus, p := range r.places {
		if whole && !heard[locus] {
			if p.missed++; p.missed >= watchGone {
				delete(r.places, locus)
			}
		}
	}
	swapped := map[string]bool{}
	for locus := range heard {
		p := r.places[locus]
		if swapped[locus] = p != nil && p.replacedBy(round[locus]); p == nil || swapped[locus] {
			p = &sighting{latest: map[string]audit.Observation{}}
			r.places[locus] = p
		}
		p.missed = 0
		if said[locus] {
			p.asked = now
		}
		p.learn(round[locus], now)
	}
	return r.compare(now, swapped)
}

// learn keeps the latest answer to every question, and forgets answers too old to count.
func (p *sighting) learn(round []audit.Observation, now time.Time) {
	seq := map[string]int{}
	for _, o := range round {
		k := o.Module + "\x00" + o.Kind + "\x00" + o.Endpoint.String()
		seq[k]++
		k = fmt.Sprintf("%s\x00%d", k, seq[k])
		if !heardOf(o) && p.latest[k].Module != "" {
			continue
		}
		p.latest[k] = o
		if heardOf(o) && (p.first.IsZero() || o.At.Before(p.first)) {
			p.first = o.At
		}
	}
	maps.DeleteFunc(p.latest, func(_ string, o audit.Observation) bool { return now.Sub(o.At) > 2*watchAgain })
}

// replacedBy reports whether a round shows another device than before at the same place: by its hardware address or endpoint
// reference.
func (p *sighting) replacedBy(round []audit.Observation) bool {
	before := keysOf(slices.Collect(maps.Values(p.latest)))
	after := keysOf(round)
	for i := range before {
		shared := slices.ContainsFunc(after[i], func(k string) bool { return slices.Contains(before[i], k) })
		if len(before[i]) > 0 && len(after[i]) > 0 && !shared {
			return true
		}
	}
	return false
}

// keysOf lists the hardware addresses and the endpoint references that observations carry.
func keysOf(observations []audit.Observation) (keys [2][]string) {
	for _, o := range observations {
		if o.Identity == nil || !heardOf(o) {
			continue
		}
		keys[0] = append(keys[0], o.Identity.MACs...)
		if o.Identity.EPR != "" {
			keys[1] = append(keys[1], o.Identity.EPR)
		}
	}
	return keys
}

// compare works out who is there now, and what changed since it last did. At the loci swapped there is another device now.
func (r *roll) compare(now time.Time, swapped map[string]bool) []change {
	before := r.present
	for i, b := range before {
		if slices.ContainsFunc(b.loci, func(l string) bool { return swapped[l] }) {
			before[i].loci = nil // it is no longer known by where it was
		}
	}
	r.present = nil
	var out []change
	matched := map[string]bool{}
	for _, d := range r.devices() {
		if !d.Found {
			continue
		}
		r.present = append(r.present, d)
		r.gone = slices.DeleteFunc(r.gone, func(g foundDevice) bool { return same(g, d) })
		event, fields := "found", []string(nil)
		for _, b := range before {
			if same(b, d) {
				event, matched[b.ID] = "changed", true
				fields = append(fields, differences(b, d)...)
			}
		}
		if event == "found" || len(fields) > 0 {
			slices.Sort(fields)
			out = append(out, change{Event: event, At: instant(now), Fields: slices.Compact(fields), Device: d})
		}
	}
	for _, b := range before {
		if !matched[b.ID] {
			b.Gone = now.UTC().Format(time.RFC3339)
			r.gone = append(r.gone, b)
			out = append(out, change{Event: "gone", At: instant(now), Device: b})
		}
	}
	return out
}

// observations are what is known now; their order says nothing.
func (r *roll) observations() []audit.Observation {
	var out []audit.Observation
	for _, p := range r.places {
		out = slices.AppendSeq(out, maps.Values(p.latest))
	}
	return out
}

// devices are the devices of everything that is known now, in order.
func (r *roll) devices() []foundDevice {
	out, _ := foundDevices(scan.Record{Site: *r.site, Observations: r.observations()})
	for i, d := range out {
		for _, l := range d.loci {
			if p := r.places[l]; p != nil {
				out[i].FirstSeen = min(d.FirstSeen, p.first.UTC().Format(time.RFC3339))
			}
		}
	}
	return out
}

// all are the devices there are, those the inventory lists and nobody heard, and those that went, in order.
func (r *roll) all() []foundDevice {
	out := slices.Concat(r.devices(), r.gone)
	// What the inventory lists is in both where it went.
	out = slices.DeleteFunc(out, func(d foundDevice) bool {
		return !d.Found && slices.ContainsFunc(r.gone, func(g foundDevice) bool { return same(g, d) })
	})
	slices.SortStableFunc(out, compareFound)
	return out
}

// same reports whether two rounds speak of one device: by its id, or by where it is, since a device may give its id away later
// than its address.
func same(a, b foundDevice) bool {
	return a.ID == b.ID || slices.ContainsFunc(a.loci, func(l string) bool { return slices.Contains(b.loci, l) })
}

// differences lists what of a device changed, by the name of its column. What is no longer said has not changed.
func differences(before, after foundDevice) []string {
	var out []string
	for name, v := range map[string][2]string{"kind": {string(before.Kind), string(after.Kind)}, "vendor": {before.Vendor, after.Vendor}, "model": {before.Model, after.Model},
		"firmware": {before.Firmware, after.Firmware}, "serial": {before.Serial, after.Serial}, "name": {before.Name, after.Name}, "inventory": {before.Inventory, after.Inventory}} {
		if v[1] != "" && v[0] != v[1] {
			out = append(out, name)
		}
	}
	for name, v := range map[string][2][]string{"address": {before.Addresses, after.Addresses}, "mac": {before.MACs, after.MACs}, "services": {before.Services, after.Services}} {
		if !slices.Equal(v[0], v[1]) {
			out = append(out, name)
		}
	}
	return out
}

// teller tells what happens: on a terminal a table that changes in its place, else a line for each change.
type teller struct {
	a      *app
	asJSON bool
	live   *os.File // nil where stdout is no terminal
	drawn  int      // lines of the table on the screen
}

func (a *app) newTeller(asJSON bool) *teller {
	t := &teller{a: a, asJSON: asJSON}
	if f, ok := a.result.w.(*os.File); ok && !asJSON && term.IsTerminal(int(f.Fd())) {
		t.live = f
	}
	return t
}

// tell shows the changes of a round, or, on a terminal, everybody.
func (t *teller) tell(changes []change, r *roll, round int, pause time.Duration) {
	if t.live != nil {
		t.draw(r, round, pause)
		return
	}
	for _, c := range changes {
		if t.asJSON {
			t.a.encode(c, "")
			continue
		}
		fmt.Fprintln(t.a.out, t.a.changeLine(c))
	}
}

func (a *app) changeLine(c change) string {
	at := c.At.Local().Format(time.TimeOnly)
	if c.Event == "changed" {
		var fields []string
		for _, f := range c.Fields {
			fields = append(fields, a.t("cli.discover.col."+f))
		}
		return a.t("cli.watch.changed", at, c.Device.label(), a.inWords(c.Device), strings.Join(fields, ", "))
	}
	return a.t("cli.watch."+c.Event, at, c.Device.label(), a.inWords(c.Device))
}

// inWords is what a device is, in a few words.
func (a *app) inWords(d foundDevice) string {
	words := []string{msg.Word(string(d.Kind)).In(a.lang)}
	for _, s := range []string{d.Vendor, d.Model, d.Inventory} {
		if s = clean.Text(s, 40); s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}

// draw writes the table over the one before. A table higher than the screen is cut: what has scrolled away cannot be
// written over.
func (t *teller) draw(r *roll, round int, pause time.Duration) {
	lines := strings.Split(t.a.deviceTable(r.all(), t.a.columns()), "\n")
	if _, height, err := term.GetSize(int(t.live.Fd())); err == nil && height > 3 && len(lines) > height-3 {
		more := len(lines) - (height - 4)
		lines = append(lines[:height-4], t.a.t("cli.watch.cut", more))
	}
	lines = append(lines, t.a.t("cli.watch.status", round, time.Now().Format(time.TimeOnly), len(r.present), seconds(pause)))
	t.erase()
	_, _ = io.WriteString(t.a.out, strings.Join(lines, "\n")+"\n")
	t.drawn = len(lines)
}

// erase takes the table off the screen.
func (t *teller) erase() {
	if t.drawn > 0 {
		fmt.Fprintf(t.a.out, "\x1b[%dA\x1b[J", t.drawn)
		t.drawn = 0
	}
}

// end shows the whole result.
func (t *teller) end(d discovered) {
	t.erase()
	if t.asJSON {
		t.a.encode(struct {
			Event  string     `json:"event"`
			At     time.Time  `json:"at"`
			Result discovered `json:"result"`
		}{"end", d.Window.To, d}, "")
		return
	}
	fmt.Fprintln(t.a.out, t.a.deviceTable(d.Devices, t.a.columns()))
}
