package scan

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
)

const (
	mostDistinct = 64      // different things kept that one module shows of one kind at one endpoint
	mostHeard    = 100_000 // and in all
	mostClaimed  = 8       // addresses one hardware address may claim and still be one device's; a router answers for many
	claims       = "announce"
)

// tally adds up observations that show the same. What came first is kept where there is too much. It is safe for concurrent use.
type tally struct {
	capture string
	inside  func(netip.Addr) bool

	mu       sync.Mutex
	seed     maphash.Seed
	scratch  []byte
	sealed   bool
	at       map[uint64]int
	sums     []sum
	distinct map[place3]int
	outside  int64 // flows that show something of a device outside the perimeter
	limited  int64 // flows that showed something else than what is kept
	broken   int64 // observations that are none
}

// sum is one observation with the packets behind the first and the last flow that showed it.
type sum struct {
	audit.Observation
	key         uint64
	first, last packets
}

// packets are those behind a flow, by their numbers in a capture.
type packets struct {
	capture string
	frames  [2]int
}

// String writes them as evidence: "capture:c1#12-14".
func (p packets) String() string {
	switch p.frames[0] {
	case 0:
		return evidencePrefix + p.capture
	case p.frames[1]:
		return fmt.Sprintf(evidencePrefix+"%s#%d", p.capture, p.frames[0])
	}
	return fmt.Sprintf(evidencePrefix+"%s#%d-%d", p.capture, p.frames[0], p.frames[1])
}

// place3 is where the number of different things is bounded.
type place3 struct {
	module, kind string
	endpoint     netip.AddrPort
}

func newTally(id string, inside func(netip.Addr) bool) *tally {
	return &tally{capture: id, seed: maphash.MakeSeed(), inside: inside, at: map[uint64]int{}, distinct: map[place3]int{}}
}

// add takes what a flow shows. The observation keeps nothing of the flow.
func (t *tally) add(o audit.Observation, f *capture.Flow) {
	if !o.Endpoint.IsValid() || !t.inside(o.Endpoint.Addr().Unmap()) {
		t.mu.Lock()
		t.outside++
		t.mu.Unlock()
		return
	}
	o.Endpoint = netip.AddrPortFrom(o.Endpoint.Addr().Unmap().WithZone(""), o.Endpoint.Port())
	o.At, o.Until = f.At, f.At
	if f.Until.After(f.At) {
		o.Until = f.Until
	}
	seen := audit.Seen{Count: 1}
	if n := f.Totals; n != nil {
		seen.Up, seen.Down = n.Up, n.Down
		if o.Endpoint.Addr() != f.Client.Addr.Addr().Unmap() {
			seen.Up, seen.Down = n.Down, n.Up
		}
	}
	o.Seen = &seen
	frames := packets{t.capture, f.Frames}
	t.put(sum{Observation: o, first: frames, last: frames})
}

// take adds what another tally has.
func (t *tally) take(from *tally) {
	from.mu.Lock()
	sums := slices.Clone(from.sums)
	for i, s := range sums {
		seen := *s.Seen
		sums[i].Seen = &seen
	}
	t.limited, t.broken, t.outside = t.limited+from.limited, t.broken+from.broken, t.outside+from.outside
	from.mu.Unlock()
	for _, s := range sums {
		t.put(s)
	}
}

// put adds one sum to the one that shows the same, or to those there are.
func (t *tally) put(s sum) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.key = t.keyOf(&s.Observation)
	if t.sealed {
		return
	}
	if i, ok := t.at[s.key]; ok {
		t.sums[i].join(s)
		return
	}
	p := place3{s.Module, s.Kind, s.Endpoint}
	switch {
	case len(s.Data) > 0 && !json.Valid(s.Data):
		t.broken++
		return
	case t.distinct[p] >= mostDistinct || len(t.sums) >= mostHeard:
		t.limited += int64(s.Seen.Count)
		return
	}
	t.distinct[p]++
	t.at[s.key] = len(t.sums)
	t.sums = append(t.sums, s)
}

// join adds what shows the same at another time.
func (s *sum) join(x sum) {
	s.Seen.Count += x.Seen.Count
	s.Seen.Up += x.Seen.Up
	s.Seen.Down += x.Seen.Down
	if x.At.Before(s.At) {
		s.At, s.first = x.At, x.first
	}
	if !x.Until.Before(s.Until) {
		s.Until, s.last = x.Until, x.last
	}
}

// seal ends the adding up.
func (t *tally) seal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
}

// away is how many flows showed something of a device outside the perimeter.
func (t *tally) away() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.outside
}

// keyOf is equal for observations that show the same: all but when, how often and in which packets. It is called for every one of
// hundreds of thousands of flows. Two that differ have the same key once in 2^64.
func (t *tally) keyOf(o *audit.Observation) uint64 {
	b := t.scratch[:0]
	text := func(list ...string) {
		for _, s := range list {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	text(o.Module, o.Kind, string(o.Class), o.Auth, o.Detail)
	a := o.Endpoint.Addr().As16()
	b = append(binary.AppendUvarint(append(b, a[:]...), uint64(o.Endpoint.Port())), byte(o.Status))
	if id := o.Identity; id != nil {
		text(id.EPR, id.MDNS, id.Serial, id.TLSKey, string(id.Kind), id.Vendor, id.Model, id.Firmware, id.Hardware, id.Name, id.Location)
		for _, list := range [][]string{id.MACs, id.Services} {
			b = binary.AppendUvarint(b, uint64(len(list)))
			text(list...)
		}
		b = append(binary.AppendUvarint(b, uint64(id.Channels)), byte(b2i(id.Weak)))
	}
	b = binary.AppendUvarint(b, uint64(len(o.Behind)))
	if len(o.Behind) > 0 {
		if list, err := json.Marshal(o.Behind); err == nil {
			b = append(b, list...)
		}
	}
	b = append(b, o.Data...)
	t.scratch = b
	return maphash.Bytes(t.seed, b)
}

// modules lists who said something.
func (t *tally) modules() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	said := map[string]bool{}
	for _, s := range t.sums {
		said[s.Module] = true
	}
	return slices.Sorted(maps.Keys(said))
}

// observations returns what was heard, in an order that depends on nothing but what it is. A hardware address that claims many
// addresses is a router's, or of a host that answers for others: it is taken off these claims, and they stand without it.
func (t *tally) observations(places loci) []audit.Observation {
	t.mu.Lock()
	defer t.mu.Unlock()
	claimed := map[string]map[netip.Addr]bool{}
	for _, s := range t.sums {
		if s.Module != claims || s.Identity == nil {
			continue
		}
		for _, m := range s.Identity.MACs {
			if m = normalMAC(m); claimed[m] == nil {
				claimed[m] = map[netip.Addr]bool{}
			}
			claimed[m][s.Endpoint.Addr()] = true
		}
	}
	out := make([]audit.Observation, 0, len(t.sums))
	for _, s := range t.sums {
		o := s.Observation
		seen := *o.Seen
		o.Seen, o.Locus, o.Evidence = &seen, places.of(o.Endpoint), []string{s.first.String()}
		if s.last != s.first {
			o.Evidence = append(o.Evidence, s.last.String())
		}
		if o.Module == claims && o.Identity != nil {
			id := *o.Identity
			id.MACs = slices.DeleteFunc(slices.Clone(id.MACs), func(m string) bool { return len(claimed[normalMAC(m)]) > mostClaimed })
			o.Identity = &id
		}
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b audit.Observation) int {
		return cmp.Or(compareObservations(a, b), cmp.Compare(a.Detail, b.Detail), slices.Compare(a.Evidence, b.Evidence))
	})
	return out
}
