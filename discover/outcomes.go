package discover

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/mingshi-audit/mingshi/audit"
)

// outcomes remembers what became of every address of a stretch: one byte each, so that the largest that is swept takes 64 KiB.
type outcomes struct {
	prefix netip.Prefix
	mu     sync.Mutex
	of     []byte // index into reached
}

// reached lists what can become of an address, worse news first: what is known later replaces what was known before.
func reached() []audit.Reached {
	return []audit.Reached{audit.ReachedNot, audit.ReachedOwn, audit.ReachedAbsent, audit.ReachedNothing, audit.ReachedFailed, audit.ReachedDenied,
		audit.ReachedMute, audit.ReachedClosed, audit.ReachedOpen}
}

func newOutcomes(p netip.Prefix) *outcomes {
	return &outcomes{prefix: p, of: make([]byte, hosts(p))}
}

// set says what became of an address.
func (o *outcomes) set(a netip.Addr, r audit.Reached) {
	if o == nil {
		return // of a prefix too large to remember every address
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := offset(o.prefix, a); n < len(o.of) {
		o.of[n] = byte(max(0, slices.Index(reached(), r)))
	}
}

// is reports whether that became of an address.
func (o *outcomes) is(a netip.Addr, r audit.Reached) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := offset(o.prefix, a)
	return n < len(o.of) && o.of[n] == byte(slices.Index(reached(), r))
}

// rest says what became of all addresses nothing was said of.
func (o *outcomes) rest(r audit.Reached) {
	o.mu.Lock()
	defer o.mu.Unlock()
	to := byte(slices.Index(reached(), r))
	for i, v := range o.of {
		if v == 0 {
			o.of[i] = to
		}
	}
}

// count is how many addresses share an outcome.
func (o *outcomes) count(r audit.Reached) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, want := 0, byte(slices.Index(reached(), r))
	for _, v := range o.of {
		if v == want {
			n++
		}
	}
	return n
}

// list is the outcomes for the coverage, in the order of audit's own list, each with its addresses in runs.
func (o *outcomes) list() []audit.AddressOutcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	by := map[byte]*audit.AddressOutcome{}
	for i := 0; i < len(o.of); {
		j := i
		for j < len(o.of) && o.of[j] == o.of[i] {
			j++
		}
		r := by[o.of[i]]
		if r == nil {
			r = &audit.AddressOutcome{Outcome: reached()[o.of[i]]}
			by[o.of[i]] = r
		}
		r.Count += j - i
		run := at(o.prefix, i).String()
		if j > i+1 {
			run += "-" + at(o.prefix, j-1).String()
		}
		r.Ranges = append(r.Ranges, run)
		i = j
	}
	var out []audit.AddressOutcome
	for _, k := range slices.Backward(slices.Sorted(maps.Keys(by))) {
		out = append(out, *by[k])
	}
	return out
}

// offset is an address's place in a prefix of at most 2^30 addresses.
func offset(p netip.Prefix, a netip.Addr) int {
	b, base := a.AsSlice(), p.Addr().AsSlice()
	if len(b) != len(base) {
		return 1 << 30
	}
	return int(binary.BigEndian.Uint32(b[len(b)-4:]) - binary.BigEndian.Uint32(base[len(b)-4:]))
}

// at is the address at a place of a prefix.
func at(p netip.Prefix, n int) netip.Addr {
	b := p.Addr().AsSlice()
	low := b[len(b)-4:]
	binary.BigEndian.PutUint32(low, binary.BigEndian.Uint32(low)+uint32(n))
	a, _ := netip.AddrFromSlice(b)
	return a
}
