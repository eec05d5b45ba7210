package guard

import (
	"net/netip"
	"sync"
	"time"
)

// Neighbour is what this machine's neighbour table (ARP, NDP) says of an address on a network it is in.
type Neighbour struct {
	MAC      string // lower case with colons; empty while unresolved. A router with proxy ARP gives its own for many hosts
	Resolved bool   // false: we asked, and nobody said the address is theirs
}

// Neighbour returns what is known of an address at the link layer, at most 100 ms old, and 5 ms where that was nothing or
// unresolved, since both pass quickly. ok is false where nothing is: the address is behind a router, was never contacted, or
// the system has no such table we can read (anything but Linux).
func (g *Guard) Neighbour(a netip.Addr) (n Neighbour, ok bool) {
	g.neighbours.mu.Lock()
	defer g.neighbours.mu.Unlock()
	key := normal(a).WithZone("")
	limit := 100 * time.Millisecond
	if n := g.neighbours.table[key]; !n.Resolved {
		limit = 5 * time.Millisecond
	}
	if now := g.now(); g.neighbours.table == nil || now.Sub(g.neighbours.at) > limit {
		g.neighbours.table, g.neighbours.at = readNeighbours(), now
	}
	n, ok = g.neighbours.table[key]
	return n, ok
}

type neighbourCache struct {
	mu    sync.Mutex
	at    time.Time
	table map[netip.Addr]Neighbour
}
