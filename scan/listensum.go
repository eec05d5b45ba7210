package scan

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

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
	sealed   bool
	at       map[[sha256.Size]byte]int
	sums     []sum
	distinct map[place3]int
	outside  int64 // flows that show something of a device outside the perimeter
	limited  int64 // flows that showed something else than what is kept
	broken   int64 // observations that are none
}

// sum is one observation with the packets behind the first and the last flow that showed it.
type sum struct {
	audit.Observation
	key         [sha256.Size]byte
	first, last string // evidence
}

// place3 is where the number of different things is bounded.
type place3 struct {
	module, kind string
	endpoint     netip.AddrPort
}

func newTally(id string, inside func(netip.Addr) bool) *tally {
	return &tally{capture: id, inside: inside, at: map[[sha256.Size]byte]int{}, distinct: map[place3]int{}}
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
	frames := frameOf(t.capture, f.Frames)
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
	if s.key == ([sha256.Size]byte{}) {
		s.key = keyOf(s.Observation)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
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

// keyOf is equal for observations that show the same: all but when, how often and in which packets.
func keyOf(o audit.Observation) [sha256.Size]byte {
	o.At, o.Until, o.Seen, o.Evidence, o.ID, o.Seq, o.Locus = time.Time{}, time.Time{}, nil, nil, "", 0, ""
	data := o.Data
	o.Data = nil
	b, err := json.Marshal(o)
	if err != nil {
		b = []byte(o.Module + "\x00" + o.Kind) // cannot be: it has no data
	}
	return sha256.Sum256(slices.Concat(b, []byte{0}, data))
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
		o.Seen, o.Locus, o.Evidence = &seen, places.of(o.Endpoint), []string{s.first}
		if s.last != s.first {
			o.Evidence = append(o.Evidence, s.last)
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
