package scan

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

// Capture is one source of packets to listen to.
type Capture struct {
	ID     string // "c1": evidence names it
	Name   string // of the file, or of the interface
	Source capture.Source
	Live   bool          // an interface: what it hears now. Listening sends nothing
	For    time.Duration // how long to listen; 0: until the context ends
	Early  bool          // the end of the context before that is an orderly end
}

// Overheard is what was gathered so far, while a run goes on. Its captures have no totals yet.
type Overheard struct {
	Observations []audit.Observation
	Captures     []audit.Recording
}

const (
	mostFiles    = 4               // read at the same time
	mostBroken   = 16              // times reading one capture may break before it is given up
	stopping     = 2 * time.Second // for a source to notice that it is to end
	checkedEvery = time.Second     // the hours, while an interface is listened on
)

// listen begins to read every capture, and returns what waits for the end of it and keeps what was heard.
func (r *runner) listen(ctx context.Context) (wait func()) {
	if len(r.o.Captures) == 0 {
		return func() {}
	}
	slots := make(chan struct{}, min(mostFiles, runtime.GOMAXPROCS(0)))
	var readers sync.WaitGroup
	for _, c := range r.o.Captures {
		h := newHearing(r, c)
		r.hearings = append(r.hearings, h)
		readers.Go(func() {
			if !c.Live {
				slots <- struct{}{}
				defer func() { <-slots }()
			}
			h.run(ctx)
		})
	}
	if r.o.Watch != nil {
		r.o.Watch(r.overheard)
	}
	return func() {
		readers.Wait()
		r.heard()
	}
}

// overheard returns what was gathered so far. It may be called while captures are read.
func (r *runner) overheard() Overheard {
	r.mu.Lock()
	o := Overheard{Observations: slices.Clone(r.observations)}
	r.mu.Unlock()
	all := newTally("", r.o.Guard.Inside)
	for _, h := range r.hearings {
		h.flush()
		o.Captures = append(o.Captures, audit.Recording{ID: h.c.ID, Name: h.c.Name, Live: h.c.Live, Packets: h.packets.Load()})
		all.take(h.tally)
	}
	o.Observations = append(o.Observations, all.observations(r.places)...)
	return o
}

// heard keeps what the captures showed, added up over all of them in their order, and says how well they could be read.
func (r *runner) heard() {
	all := newTally("", r.o.Guard.Inside)
	for _, h := range r.hearings {
		all.take(h.tally)
	}
	observations := all.observations(r.places)
	for _, o := range observations {
		r.keep(o)
	}
	r.recordings = nil
	for _, h := range r.hearings {
		rec := h.recording()
		r.recordings = append(r.recordings, rec)
		r.cover(h.coverage(rec)...)
		r.journal("capture-read", map[string]any{"capture": rec.ID, "name": rec.Name, "packets": rec.Packets, "whole": rec.Whole})
	}
	r.cover(overlaps(r.recordings)...)
	r.cover(speakers(observations)...)
	if all.limited > 0 {
		r.cover(audit.Coverage{Target: "site", Module: captureModule, Status: audit.Partial, Detail: msg.Text("listen.distinct", all.limited)})
	}
}

// hearing is one capture that is being read.
type hearing struct {
	r       *runner
	c       Capture
	tally   *tally
	packets atomic.Int64
	engine  atomic.Pointer[capture.Engine] // nil: before, and after the reading. All but Flush is for the reader alone

	began, ended      time.Time
	received, dropped int64
	refused           error   // the guard did not allow to begin
	reader            *reader // nil until the reading has ended; where it never does, it stays so
}

// reader is what reads a capture. It belongs to one goroutine; what flow touches belongs to that in which the engine calls it, until the
// engine is closed.
type reader struct {
	*hearing
	modules  map[capture.Proto][]*listener
	hears    probe.Hearing
	all      []*listener
	seen     capture.Stats // by the engines that have ended
	broken   int
	stations stations
	streams  int64 // TCP conversations that ended

	stopped bool  // the context ended first
	closed  error // the guard no longer allows it
	err     error // of the source
	file    capture.Info
	sum     string // digest of the file
	bytes   int64
}

// filed is a source that knows which file it reads. Sum is called after Next returned an error.
type filed interface {
	Info() capture.Info
	Sum() (sha256 string, bytes int64)
}

// listener is a module that hears, and what went wrong with it.
type listener struct {
	probe.Module
	malformed, panicked int64
	panic               *panicError // the first
}

func newHearing(r *runner, c Capture) *hearing {
	return &hearing{r: r, c: c, tally: newTally(c.ID, r.o.Guard.Inside)}
}

func (h *hearing) newReader() *reader {
	d := &reader{hearing: h, modules: map[capture.Proto][]*listener{},
		hears: probe.Hearing{Inside: h.r.o.Guard.Inside, Data: h.r.o.Data, Listed: listed(h.r.o.Site.Inventory)}}
	for _, m := range h.r.o.Modules {
		if m.Dissect == nil {
			continue
		}
		l := &listener{Module: m}
		d.all = append(d.all, l)
		for _, p := range m.Hears {
			d.modules[p] = append(d.modules[p], l)
		}
	}
	d.engine.Store(d.fresh())
	return d
}

// fresh returns an engine. What it finds in a file is judged in another goroutine, on a processor of its own; of an interface the packets
// come at their own pace, and what they show is to be seen at once.
func (d *reader) fresh() *capture.Engine {
	return capture.New(capture.Options{Sink: d.flow, Apart: !d.c.Live})
}

// run reads the capture until it ends, its time is over or the context ends, and closes it.
func (h *hearing) run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h.began = h.r.o.Clock()
	shut := sync.OnceFunc(func() {
		if h.c.Live {
			h.received, h.dropped = h.c.Source.Losses()
		}
		_ = h.c.Source.Close() // nothing was written
		h.ended = h.r.o.Clock()
	})
	defer shut()
	if h.c.Live {
		if h.refused = h.r.o.Guard.Listen(h.c.Name); h.refused != nil {
			return
		}
		go h.keepHours(ctx, cancel)
	}
	if h.c.For > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeoutCause(ctx, h.c.For, errOver)
		defer end()
	}
	h.r.journal("capture-opened", map[string]any{"capture": h.c.ID, "name": h.c.Name, "live": h.c.Live})
	h.r.o.Progress.Step(h.step())

	d, done := h.newReader(), make(chan struct{})
	go func() {
		defer close(done)
		d.read(ctx)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		if h.c.Live {
			shut() // wakes one that waits for a packet
		}
	}
	for range 2 {
		select {
		case <-done:
			h.reader = d
			return
		case <-time.After(stopping):
			shut()
		}
	}
	h.flush()
	h.tally.seal() // it waits for something that does not come; what it showed stands
}

// flush adds up what the packets so far have shown.
func (h *hearing) flush() {
	e := h.engine.Load()
	if e == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Flush()
	}()
	select {
	case <-done:
	case <-time.After(stopping): // a module that does not come to an end
	}
}

// errOver ends listening when its time is over.
var errOver = errors.New("scan: the time to listen is over")

func (h *hearing) step() audit.Text {
	if h.c.Live {
		return msg.Text("listen.step.live", clean.Text(h.c.Name, 60))
	}
	return msg.Text("listen.step.file", clean.Text(h.c.Name, 60))
}

// keepHours ends the listening when the authority's hours do.
func (h *hearing) keepHours(ctx context.Context, end context.CancelCauseFunc) {
	t := time.NewTicker(checkedEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := h.r.o.Guard.Listen(h.c.Name); err != nil {
				end(err)
				return
			}
		}
	}
}

// read takes packets until there are no more. Where taking one breaks, what was half read is lost, and reading goes on behind it.
func (d *reader) read(ctx context.Context) {
	for d.broken < mostBroken {
		err := isolated(func() error { return d.pump(ctx) })
		var p *panicError
		if !errors.As(err, &p) {
			d.err = err
			break
		}
		d.broken++
		d.r.journal("capture-panic", map[string]any{"capture": d.c.ID, "packet": d.packets.Load(), "stack": clean.Text(string(p.stack), 2000)})
		broken := d.engine.Load()
		broken.Discard()
		d.seen = added(d.seen, broken.Stats())
		d.engine.Store(d.fresh())
	}
	last := d.engine.Load()
	if err := isolated(func() error { last.Close(); return nil }); err != nil {
		d.broken++
	}
	d.engine.Store(nil)
	d.seen = added(d.seen, last.Stats()) // its tables are large, and the report is yet to be made
	switch cause := context.Cause(ctx); {
	case cause == nil || errors.Is(cause, errOver):
	case guard.IsDenied(cause):
		d.closed, d.err = cause, nil
	default:
		d.stopped, d.err = true, nil
	}
	if ctx.Err() != nil {
		d.err = nil // closed by us
	}
	if !d.c.Live {
		d.received, d.dropped = d.c.Source.Losses()
	}
	if f, ok := d.c.Source.(filed); ok {
		if d.file = f.Info(); !d.stopped { // what is left of one that was to end soon is not read
			d.sum, d.bytes = f.Sum()
		}
	}
}

func (d *reader) pump(ctx context.Context) error {
	const often = 1<<8 - 1
	engine := d.engine.Load()
	for {
		if n := d.packets.Load(); (d.c.Live || n&often == 0) && ctx.Err() != nil {
			return nil
		}
		p, err := d.c.Source.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d.packets.Add(1)
		d.stations.see(&p)
		engine.Packet(&p)
	}
}

// flow gives a flow to every module that hears its protocol.
func (d *reader) flow(f *capture.Flow) {
	if f.Proto == capture.ProtoEnd && f.Transport == "tcp" {
		d.streams++
	}
	for _, l := range d.modules[f.Proto] {
		observations, err := d.dissect(l, f)
		if err != nil {
			l.malformed++
		}
		for _, o := range observations {
			o.Module = l.Name
			d.tally.add(o, f)
		}
	}
}

// dissect calls a module in a cell of its own: what breaks there costs what this flow would have shown, and nothing else.
func (d *reader) dissect(l *listener, f *capture.Flow) (observations []audit.Observation, err error) {
	defer func() {
		if v := recover(); v != nil {
			observations, err = nil, nil
			if l.panicked++; l.panic == nil {
				l.panic = &panicError{value: v, stack: debug.Stack()}
				d.r.journal("module-panic", map[string]any{"module": l.Name, "target": d.c.ID, "stack": clean.Text(string(l.panic.stack), 2000)})
			}
		}
	}()
	return l.Dissect(d.hears, f)
}

// added adds up what two engines saw of one capture.
func added(a, b capture.Stats) capture.Stats {
	if a.Packets == 0 {
		return b
	}
	if !b.First.IsZero() && (a.First.IsZero() || b.First.Before(a.First)) {
		a.First = b.First
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	for _, x := range []struct {
		sum  *int64
		more int64
	}{{&a.Packets, b.Packets}, {&a.Bytes, b.Bytes}, {&a.Snapped, b.Snapped}, {&a.Undecoded, b.Undecoded}, {&a.Fragments, b.Fragments}, {&a.Unjoined, b.Unjoined},
		{&a.Conversations, b.Conversations}, {&a.Evicted, b.Evicted}, {&a.Holes, b.Holes}, {&a.Missing, b.Missing}, {&a.TCP, b.TCP}, {&a.Encrypted, b.Encrypted}, {&a.Read, b.Read},
		{&a.OneSided, b.OneSided}, {&a.Mid, b.Mid}, {&a.Unicast, b.Unicast}, {&a.Broadcast, b.Broadcast}, {&a.Overlaps, b.Overlaps}, {&a.Limited, b.Limited}} {
		*x.sum += x.more
	}
	return a
}

// recording describes the capture as reports keep it.
func (h *hearing) recording() audit.Recording {
	rec := audit.Recording{ID: h.c.ID, Name: clean.Text(h.c.Name, 200), Live: h.c.Live, Packets: h.packets.Load(), Shows: h.tally.modules()}
	rec.Totals.Received, rec.Totals.Dropped, rec.Totals.Outside = h.received, h.dropped, h.tally.away()
	if h.c.Live {
		rec.Seconds = h.ended.Sub(h.began).Round(100 * time.Millisecond).Seconds()
	}
	if d := h.reader; d != nil {
		d.describe(&rec)
	}
	return rec
}

func (d *reader) describe(rec *audit.Recording) {
	s := d.seen
	rec.From, rec.To = moment(s.First), moment(s.Last)
	rec.SHA256, rec.Bytes, rec.Format = d.sum, d.bytes, d.file.Format
	if d.file.Compression != "" {
		rec.Format += "+" + d.file.Compression
	}
	rec.Whole = d.err == nil && d.closed == nil && d.broken == 0 && (!d.stopped || d.c.Live && d.c.Early)
	t := &rec.Totals
	t.WireBytes, t.Conversations, t.TCP, t.Encrypted, t.Read = s.Bytes, s.Conversations, s.TCP, s.Encrypted, s.Read
	t.Holes, t.Missing, t.OneSided, t.Snapped, t.Undecoded, t.Limited = s.Holes, s.Missing, s.OneSided, s.Snapped, s.Undecoded, s.Limited+s.Evicted
	for _, l := range d.all {
		t.Malformed += l.malformed
	}
}

// moment is a time as reports keep it.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// readable reports whether any packet of any capture could be read.
func readable(recordings []audit.Recording) bool {
	return slices.ContainsFunc(recordings, func(r audit.Recording) bool { return r.Packets > r.Totals.Undecoded })
}

// overheard reports whether an observation is of a capture, and nobody asked for it.
func overheard(o audit.Observation) bool { return o.Seen != nil }

const evidencePrefix = "capture:" // begins evidence that is packets of a capture

// liveIDs lists the captures that were heard on an interface in the run itself.
func liveIDs(recordings []audit.Recording) map[string]bool {
	out := map[string]bool{}
	for _, r := range recordings {
		out[r.ID] = r.Live
	}
	return out
}

// heardLive reports whether any packet behind something overheard was heard in the run itself.
func heardLive(o audit.Observation, live map[string]bool) bool {
	return slices.ContainsFunc(o.Evidence, func(e string) bool {
		id, _, _ := strings.Cut(strings.TrimPrefix(e, evidencePrefix), "#")
		return live[id]
	})
}

// listed returns whether the inventory has an address or a hardware address.
func listed(inventory []audit.InventoryEntry) func(netip.Addr, string) bool {
	addresses, macs := map[netip.Addr]bool{}, map[string]bool{}
	for _, e := range inventory {
		if a, err := ParseAddress(e.Address); err == nil {
			addresses[a.Addr()] = true
		}
		if m := normalMAC(e.MAC); m != "" {
			macs[m] = true
		}
	}
	return func(a netip.Addr, mac string) bool { return addresses[a.Unmap().WithZone("")] || macs[normalMAC(mac)] }
}
