package guard

import (
	"net"
	"net/netip"
	"slices"
)

// byRoute reports whether the system would send to the address through an interface the authority names. Where it names none,
// any will do; where no route is known, nothing can be sent anyway. The same private prefix can lie behind two interfaces, and
// only one of them is the shop's.
func (g *Guard) byRoute(to netip.Addr) bool {
	if len(g.authority.Interfaces) == 0 {
		return true
	}
	from, err := g.route(to)
	if err != nil {
		return true
	}
	all, err := g.interfaces()
	if err != nil {
		return false
	}
	for _, ifi := range all {
		if slices.ContainsFunc(ifi.Addrs, func(p netip.Prefix) bool { return normal(p.Addr()).WithZone("") == from }) {
			return slices.Contains(g.authority.Interfaces, ifi.Name)
		}
	}
	return false
}

// Unroutable reports whether the system says that it knows no way to an address. It sends nothing, and asks no system where the
// network is not this one's.
func (g *Guard) Unroutable(a netip.Addr) bool {
	if !g.raw {
		return false
	}
	_, err := g.route(normal(a))
	return err != nil && noRoute(err)
}

// systemRoute asks the system which of its own addresses it would send from. Connecting a UDP socket sends nothing.
func systemRoute(to netip.Addr) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	local, err := netip.ParseAddrPort(c.LocalAddr().String())
	return normal(local.Addr()).WithZone(""), err
}
