package scan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/gopacket/layers"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// captureModule is the module of coverage that speaks of captures as such, and among the sources of a device: it was overheard.
const captureModule = "capture"

// coverage says how well one capture could be read: what there was, and everything that kept it from showing more.
func (h *hearing) coverage(rec audit.Recording) []audit.Coverage {
	var out []audit.Coverage
	add := func(s audit.CoverageStatus, id string, args ...any) {
		out = append(out, audit.Coverage{Target: rec.Name, Module: captureModule, Status: s, Detail: msg.Text(id, args...)})
	}
	h.extent(rec, add)
	if rec.Packets == 0 {
		return out
	}
	gaps(rec, add)
	if d := h.reader; d != nil {
		d.gaps(rec, add)
		out = append(out, d.failures(rec.Name)...)
	}
	if v := h.r.o.Site.Authority.Valid; !rec.Live && !rec.From.IsZero() && (rec.From.Before(v.From.T) || rec.To.After(v.To.End())) {
		add(audit.Partial, "listen.validity", v.From.String(), v.To.String())
	}
	return out
}

type adder func(s audit.CoverageStatus, id string, args ...any)

// extent says what there was, and how the reading ended.
func (h *hearing) extent(rec audit.Recording, add adder) {
	d := h.reader
	status := audit.Tried
	switch {
	case h.refused != nil:
		add(audit.DeniedByUs, "listen.refused", reasonOf(h.refused))
		return
	case d == nil:
		add(audit.Failed, "listen.hung", rec.Packets)
		return
	case d.err != nil && rec.Packets == 0:
		add(audit.Failed, "listen.unreadable", CaptureProblem(d.err))
		return
	case d.err != nil:
		status = audit.Partial
		add(audit.Partial, "listen.cut", rec.Packets, CaptureProblem(d.err))
	case d.broken >= mostBroken:
		status = audit.Partial
		add(audit.Failed, "listen.broken.end", d.broken)
	case d.broken > 0:
		status = audit.Partial
		add(audit.Failed, "listen.broken", d.broken)
	case d.closed != nil:
		status = audit.Stopped
		add(audit.Stopped, "listen.closed", reasonOf(d.closed))
	case d.stopped && !rec.Whole:
		status = audit.Stopped
		add(audit.Stopped, "listen.stopped."+kindOf(rec), rec.Packets)
	}
	switch {
	case rec.Live && rec.Packets == 0:
		add(audit.NotObserved, "listen.deaf", duration(time.Duration(rec.Seconds*float64(time.Second))))
	case rec.Packets == 0 && status == audit.Tried:
		add(audit.NotObserved, "listen.empty")
	case rec.Live:
		add(status, "listen.live", duration(time.Duration(rec.Seconds*float64(time.Second))), rec.Packets, size(rec.Totals.WireBytes), rec.Totals.Conversations)
	case rec.Packets > 0:
		add(status, "listen.file", rec.Packets, size(rec.Totals.WireBytes), clock(rec.From), clock(rec.To), duration(rec.To.Sub(rec.From)), rec.Totals.Conversations)
	}
}

func kindOf(rec audit.Recording) string {
	if rec.Live {
		return "live"
	}
	return "file"
}

// gaps says what is missing from a capture, or cannot be read in it.
func gaps(rec audit.Recording, add adder) {
	t := rec.Totals
	if t.Dropped > 0 {
		add(audit.Partial, "listen.dropped", t.Dropped, t.Received, share(t.Dropped, t.Received))
	} else if t.Received > 0 {
		add(audit.Tried, "listen.undropped", t.Received)
	}
	if t.Encrypted > 0 {
		add(audit.Partial, "listen.encrypted", share(t.Encrypted, t.TCP), size(t.TCP))
	}
	if rest := t.TCP - t.Encrypted - t.Read; rest > 0 {
		add(audit.Partial, "listen.unread", share(rest, t.TCP), size(t.TCP))
	}
	if t.Holes > 0 {
		add(audit.Partial, "listen.holes", t.Holes, size(t.Missing))
	}
	if t.Snapped > 0 {
		add(audit.Partial, "listen.snapped", t.Snapped, share(t.Snapped, rec.Packets))
	}
	if t.Undecoded > 0 {
		add(audit.Partial, "listen.undecoded", t.Undecoded, share(t.Undecoded, rec.Packets))
	}
	if t.Limited > 0 {
		add(audit.Partial, "listen.limited", t.Limited)
	}
	if t.Outside > 0 {
		add(audit.Tried, "listen.outside", t.Outside)
	}
}

// gaps says what only the reader knows: fragments, sides that were not seen, and stations.
func (d *reader) gaps(rec audit.Recording, add adder) {
	s := d.seen
	if rec.Totals.OneSided > 0 {
		add(audit.Partial, "listen.onesided", rec.Totals.OneSided, max(d.streams, rec.Totals.OneSided), share(rec.Totals.OneSided, d.streams))
	}
	if s.Mid > 0 {
		add(audit.Partial, "listen.mid", s.Mid)
	}
	if s.Unjoined > 0 {
		add(audit.Partial, "listen.fragments", s.Unjoined, s.Fragments)
	}
	if s.Overlaps > 0 {
		add(audit.Partial, "listen.overlapping", s.Overlaps)
	}
	switch d.stations.kind() {
	case onlyGroups:
		add(audit.Partial, "listen.groups")
	case onlyOne:
		add(audit.Partial, "listen.one")
	case several:
		add(audit.Tried, "listen.several")
	}
}

// failures says which modules broke, and which met what is not their protocol.
func (d *reader) failures(target string) []audit.Coverage {
	var out []audit.Coverage
	for _, l := range d.all {
		if l.panic != nil {
			said := scrubbed(audit.Observation{Detail: clean.Text(l.panic.Error(), 300)}, d.r.o.Scrub).Detail
			out = append(out, audit.Coverage{Target: target, Module: l.Name, Status: audit.Failed, Detail: msg.Text("listen.panic", l.panicked, said)})
		}
		if n := l.malformed; n > 0 {
			out = append(out, audit.Coverage{Target: target, Module: l.Name, Status: audit.Partial, Detail: msg.Text("listen.malformed", n)})
		}
	}
	if d.tally.broken > 0 {
		out = append(out, audit.Coverage{Target: target, Module: captureModule, Status: audit.Failed, Detail: msg.Text("listen.invalid", d.tally.broken)})
	}
	return out
}

// overlaps says which captures tell of the same time: what both saw is counted twice.
func overlaps(recs []audit.Recording) []audit.Coverage {
	var out []audit.Coverage
	for i, a := range recs {
		for _, b := range recs[:i] {
			if a.Packets > 0 && b.Packets > 0 && a.From.Before(b.To) && b.From.Before(a.To) {
				out = append(out, audit.Coverage{Target: a.Name, Module: captureModule, Status: audit.Tried, Detail: msg.Text("listen.twice", b.Name)})
				break
			}
		}
	}
	return out
}

// speakers says of every device inside the perimeter which modules had something to say of what it sent or received.
func speakers(observations []audit.Observation) []audit.Coverage {
	type who struct{ locus, module string }
	count := map[who]int{}
	for _, o := range observations {
		count[who{o.Locus, o.Module}] += o.Seen.Count
	}
	var out []audit.Coverage
	for _, w := range slices.SortedFunc(maps.Keys(count), func(a, b who) int { return cmp.Or(cmp.Compare(a.locus, b.locus), cmp.Compare(a.module, b.module)) }) {
		out = append(out, audit.Coverage{Target: w.locus, Module: w.module, Status: audit.Overheard, Detail: msg.Text("listen.device", count[w])})
	}
	return out
}

func reasonOf(err error) audit.Text {
	var d *guard.DeniedError
	if errors.As(err, &d) {
		return d.Denial.Reason
	}
	return CaptureProblem(err)
}

// CaptureProblem says for a person why a capture could not be read, or could not be read on. What the system said is quoted.
func CaptureProblem(err error) audit.Text {
	for _, x := range []struct {
		err error
		id  string
	}{{capture.ErrFormat, "listen.file.format"}, {capture.ErrTruncated, "listen.file.truncated"}, {capture.ErrCorrupt, "listen.file.corrupt"}, {capture.ErrNotHere, "listen.iface.nothere"}, {capture.ErrNoRight, "listen.iface.noright"},
		{capture.ErrNoInterface, "listen.iface.gone"}, {capture.ErrDown, "listen.iface.down"}, {capture.ErrLink, "listen.iface.link"}} {
		if errors.Is(err, x.err) {
			return msg.Text(x.id)
		}
	}
	s := clean.Text(err.Error(), 300)
	return audit.Text{ZH: s, EN: s}
}

// clock is a time of day and date as reports show it.
func clock(t time.Time) string { return t.In(audit.CST()).Format("2006-01-02 15:04:05 -07:00") }

// share is a part of a whole in percent: what is more than nothing is never 0, and what is not all never 100.
func share(part, whole int64) string {
	switch p := 100 * float64(part) / float64(max(whole, 1)); {
	case part <= 0:
		return "0 %"
	case part >= whole:
		return "100 %"
	case p < 0.1:
		return "< 0.1 %"
	case p > 99.9:
		return "> 99.9 %"
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

// size is a number of bytes as a person reads it.
func size(n int64) string {
	units, f := []string{"B", "kB", "MB", "GB", "TB"}, float64(n)
	for f >= 999.5 && len(units) > 1 {
		f, units = f/1000, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[0])
}

// duration is a time as a person reads it.
func duration(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// stations finds out whether an Ethernet capture shows frames between others than one station. Only some of many frames are
// looked at.
type stations struct {
	frames, groups, sampled int
	by                      map[[6]byte]int
}

const (
	everyStation = 4096 // frames of which every one is looked at; then one of so many
	oneOf        = 64
	mostStations = 1024
	fewFrames    = 20 // that say nothing
)

func (s *stations) see(p *capture.Packet) {
	if p.Link != layers.LinkTypeEthernet || len(p.Data) < 14 {
		return
	}
	if p.Data[0]&1 != 0 {
		s.groups++
		return
	}
	if s.frames++; s.frames > everyStation && s.frames%oneOf != 0 {
		return
	}
	if s.by == nil {
		s.by = map[[6]byte]int{}
	}
	s.sampled++
	for _, m := range [][6]byte{[6]byte(p.Data[:6]), [6]byte(p.Data[6:12])} {
		if _, known := s.by[m]; known || len(s.by) < mostStations {
			s.by[m]++
		}
	}
}

// sight is what a capture shows of a network.
type sight int

const (
	unsure     sight = iota
	onlyGroups       // frames to everybody or to a group
	onlyOne          // and frames to or from one station
	several          // frames between several
)

// kind tells what the capture shows. A switch floods a frame now and then to where it does not belong, so that one in fifty says
// nothing.
func (s *stations) kind() sight {
	most := 0
	for _, n := range s.by {
		most = max(most, n)
	}
	switch {
	case s.sampled == 0 && s.groups >= fewFrames:
		return onlyGroups
	case s.sampled < fewFrames:
		return unsure
	case s.sampled-most <= s.sampled/50:
		return onlyOne
	}
	return several
}
