package discover

import (
	"context"
	"iter"
	"net/netip"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// way is how the addresses of a stretch are reached.
type way int

const (
	routed way = iota // behind a router, as far as this machine's own networks say
	onLink            // in a network of one of its interfaces
	local             // loopback
)

// stretch is a run of addresses of the perimeter that are all reached the same way.
type stretch struct {
	prefix netip.Prefix
	way    way
	ifi    guard.Interface // where onLink
	why    audit.Text      // why its addresses are not asked one by one; empty where they are
}

// unroutable reports whether this machine knows no way to any address of the stretch, so that nothing it sent would leave it.
func (s stretch) unroutable(ctx context.Context, g *guard.Guard) bool {
	if s.way != routed {
		return false
	}
	any := false
	for a := range addresses(ctx, g, s.prefix, nil) {
		if any = true; !g.Unroutable(a) {
			return false
		}
	}
	return any
}

const (
	sweepMost     = 65_536
	sweepLoopback = 256 // of this machine's own addresses
	ipv6SweepBits = 118 // a longer prefix has at most 1024 addresses
)

// stretches cuts the perimeter into what lies in this machine's own networks and what does not, in the order of the
// perimeter. It sends nothing.
func stretches(g *guard.Guard) []stretch {
	ifis, err := g.Interfaces()
	if err != nil {
		ifis = nil // everything counts as routed then
	}
	var out []stretch
	left := sweepMost
	for _, p := range outermost(g.Perimeter()) {
		for _, s := range cut(p, ifis) {
			if s.why = unswept(s.prefix, left); s.why.IsZero() {
				left -= hosts(s.prefix)
			}
			out = append(out, s)
		}
	}
	return out
}

// cut separates the parts of a prefix that are in an interface's own networks.
func cut(p netip.Prefix, ifis []guard.Interface) []stretch {
	if p.Addr().IsLoopback() {
		return []stretch{{prefix: p, way: local}}
	}
	rest := []netip.Prefix{p}
	var out []stretch
	for _, ifi := range ifis {
		for _, own := range ifi.Addrs {
			n := own.Masked()
			if n.Bits() == 0 || n.Addr().IsLoopback() || n.IsSingleIP() {
				continue // a network of one address is a tunnel's end, and the others are behind it
			}
			var next []netip.Prefix
			for _, r := range rest {
				switch {
				case !r.Overlaps(n):
					next = append(next, r)
				case n.Bits() <= r.Bits():
					out = append(out, stretch{prefix: r, way: onLink, ifi: ifi})
				default:
					out = append(out, stretch{prefix: n, way: onLink, ifi: ifi})
					next = append(next, without(r, n)...)
				}
			}
			rest = next
		}
	}
	for _, r := range rest {
		out = append(out, stretch{prefix: r, way: routed})
	}
	slices.SortFunc(out, func(a, b stretch) int { return a.prefix.Addr().Compare(b.prefix.Addr()) })
	return out
}

// without returns what is left of p when q, which lies inside, is taken out.
func without(p, q netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for p.Bits() < q.Bits() {
		low, high := guard.Halves(p)
		if low.Contains(q.Addr()) {
			out, p = append(out, high), low
		} else {
			out, p = append(out, low), high
		}
	}
	return out
}

// outermost drops prefixes that lie within another one.
func outermost(ps []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for i, p := range ps {
		inner := slices.ContainsFunc(ps, func(q netip.Prefix) bool { return q.Bits() < p.Bits() && q.Contains(p.Addr()) })
		if !inner && !slices.Contains(ps[:i], p) {
			out = append(out, p)
		}
	}
	return out
}

// hosts is how many addresses a prefix has, at most 2^30.
func hosts(p netip.Prefix) int {
	return 1 << min(30, p.Addr().BitLen()-p.Bits())
}

// unswept says why the addresses of a prefix are not asked one by one, or nothing.
func unswept(p netip.Prefix, left int) audit.Text {
	switch {
	case p.Addr().IsLoopback() && hosts(p) > sweepLoopback:
		return msg.Text("discover.tcp.loopback", sweepLoopback)
	case p.Addr().Is6() && p.Bits() < ipv6SweepBits:
		return msg.Text("discover.tcp.ipv6")
	case hosts(p) > left:
		return msg.Text("discover.tcp.big", sweepMost)
	}
	return audit.Text{}
}

// addresses yields every address of a prefix that can be another host's, one at a time: they are never a list in memory.
func addresses(ctx context.Context, g *guard.Guard, p netip.Prefix, own map[netip.Addr]bool) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for a := p.Addr(); p.Contains(a) && ctx.Err() == nil; a = a.Next() {
			if g.Host(a) && !own[a] && !yield(a) {
				return
			}
		}
	}
}

func ownAddresses(g *guard.Guard) map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	ifis, err := g.Interfaces()
	if err != nil {
		return out
	}
	for _, ifi := range ifis {
		for _, p := range ifi.Addrs {
			if a := p.Addr().Unmap(); !a.IsLoopback() {
				out[a] = true
			}
		}
	}
	return out
}
