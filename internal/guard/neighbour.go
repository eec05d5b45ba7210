package guard

import (
	"maps"
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
// the system has no such table we can read (Linux, Windows and macOS have).
func (g *Guard) Neighbour(a netip.Addr) (n Neighbour, ok bool) {
	g.neighbours.mu.Lock()
	defer g.neighbours.mu.Unlock()
	key := normal(a).WithZone("")
	limit := 100 * time.Millisecond
	if n := g.neighbours.table[key]; !n.Resolved {
		limit = 5 * time.Millisecond
	}
	g.neighbours.read(g.now(), limit)
	n, ok = g.neighbours.table[key]
	return n, ok
}

// Neighbours returns the whole neighbour table, at most 5 ms old. It is empty where the system has none we can read.
func (g *Guard) Neighbours() map[netip.Addr]Neighbour {
	g.neighbours.mu.Lock()
	defer g.neighbours.mu.Unlock()
	g.neighbours.read(g.now(), 5*time.Millisecond)
	return maps.Clone(g.neighbours.table)
}

// NeighbourRoom is how many addresses of its own networks this machine can look for at the same time without its neighbour
// table running over, which loses hosts that are there: three quarters of the table's limit. It is 0 where the table cannot be
// read.
func (g *Guard) NeighbourRoom() int {
	if !g.raw {
		return 0
	}
	return neighbourLimit() * 3 / 4
}

type neighbourCache struct {
	mu    sync.Mutex
	at    time.Time
	table map[netip.Addr]Neighbour
}

func (c *neighbourCache) read(now time.Time, limit time.Duration) {
	if c.table == nil || now.Sub(c.at) > limit {
		c.table, c.at = readNeighbours(), now
	}
}
