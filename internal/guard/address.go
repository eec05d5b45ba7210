package guard

import (
	"net/netip"
	"sync"
)

// notPublic lists the ranges that cannot belong to somebody else's host on the Internet: loopback, private use (RFC 1918,
// RFC 4193), link-local, shared space of carriers (RFC 6598), documentation (RFC 5737, RFC 3849) and benchmarking (RFC 2544).
var notPublic = sync.OnceValue(func() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("fc00::/7"),
		netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"),
		netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("198.18.0.0/15"),
	}
})

// isPublic reports whether an address may be somebody else's on the Internet.
func isPublic(a netip.Addr) bool { return !contains(notPublic(), a) }

// normal returns an address in its one form: IPv4 where it is IPv4.
func normal(a netip.Addr) netip.Addr { return a.Unmap() }

// normalPrefix returns a prefix in its one form: masked, and IPv4 where it lies in ::ffff:0:0/96.
func normalPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func contains(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// covered reports whether every address of p is in one of the prefixes.
func covered(p netip.Prefix, by []netip.Prefix) bool {
	inner := false
	for _, q := range by {
		if !q.Overlaps(p) {
			continue
		}
		if q.Bits() <= p.Bits() {
			return true
		}
		inner = true
	}
	if !inner {
		return false
	}
	// Some of by lie inside p: only both halves together can be covered.
	low, high := Halves(p)
	return covered(low, by) && covered(high, by)
}

// Halves returns the two prefixes one bit longer that a prefix consists of.
func Halves(p netip.Prefix) (low, high netip.Prefix) {
	bits := p.Bits() + 1
	b := p.Masked().Addr().AsSlice()
	b[(bits-1)/8] |= 1 << (7 - (bits-1)%8)
	up, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(p.Masked().Addr(), bits), netip.PrefixFrom(up, bits)
}

// Last returns the highest address of a prefix: in IPv4 the broadcast address.
func Last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// isEdge reports whether an IPv4 address is the network or the broadcast address of a prefix that has such.
func isEdge(p netip.Prefix, a netip.Addr) bool {
	return a.Is4() && p.Addr().Is4() && p.Bits() <= 30 && p.Contains(a) && (a == p.Masked().Addr() || a == Last(p))
}

// Host reports whether an address can be a host's: inside the perimeter, and no network or broadcast address of it or of a
// network this machine is in.
func (g *Guard) Host(a netip.Addr) bool {
	a = normal(a).WithZone("")
	return g.Inside(a) && !g.edge(a)
}

// edge reports whether an address inside the perimeter is no host but a network or broadcast address: of every perimeter
// prefix that contains it, or of a network this machine is in.
func (g *Guard) edge(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	host := false
	for _, p := range g.perimeter {
		if p.Contains(a) && !isEdge(p, a) {
			host = true
		}
	}
	if !host {
		return true
	}
	for _, p := range g.own() {
		if isEdge(p, a) {
			return true
		}
	}
	return false
}
