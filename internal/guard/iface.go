package guard

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Interface is a network interface the authority covers.
type Interface struct {
	Index int
	Name  string
	Addrs []netip.Prefix // its own addresses with their prefix lengths
}

// Interfaces returns the interfaces that may be used: those the authority names, or, where it names none, those that have
// an address inside the perimeter or whose own prefix overlaps it. One that is named but not there is recorded as a denial.
func (g *Guard) Interfaces() ([]Interface, error) {
	all, err := g.interfaces()
	if err != nil {
		return nil, fmt.Errorf("guard: listing interfaces: %w", err)
	}
	var out []Interface
	if named := g.authority.Interfaces; len(named) > 0 {
		for _, n := range named {
			i := slices.IndexFunc(all, func(ifi Interface) bool { return ifi.Name == n })
			if i < 0 && g.listening(n) {
				continue // it has no address, and needs none to be listened on
			}
			if i < 0 {
				g.Deny("interface", n, msg.Text("guard.denied.nointerface"))
				continue
			}
			out = append(out, all[i])
		}
		return out, nil
	}
	for _, ifi := range all {
		if slices.ContainsFunc(ifi.Addrs, g.overlaps) {
			out = append(out, ifi)
		}
	}
	return out, nil
}

// overlaps reports whether an interface's own prefix has addresses in common with the perimeter.
func (g *Guard) overlaps(own netip.Prefix) bool {
	return own.Bits() > 0 && slices.ContainsFunc(g.perimeter, own.Masked().Overlaps)
}

// allowed returns nil if the interface is one of those that may be used.
func (g *Guard) allowed(what string, ifi Interface) error {
	ok, err := g.Interfaces()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(ok, func(o Interface) bool { return o.Index == ifi.Index && o.Name == ifi.Name }) {
		return g.refuse(what, clean.Text(ifi.Name, 40), msg.Text("guard.denied.interface"))
	}
	if !g.raw && !slices.ContainsFunc(ifi.Addrs, func(p netip.Prefix) bool { return p.Addr().IsLoopback() }) {
		return fmt.Errorf("guard: %s on %s beside a replaced dialler: %w", what, ifi.Name, ErrNoRight)
	}
	return nil
}

// source returns the interface's address to ask from: one inside the perimeter, so that devices answer from an address
// there too, else one whose prefix overlaps it, else a link-local one in IPv6, else the first.
func (g *Guard) source(ifi Interface, v6 bool) (netip.Addr, bool) {
	best, rank := netip.Addr{}, -1
	for _, p := range ifi.Addrs {
		a := normal(p.Addr())
		if a.Is6() != v6 {
			continue
		}
		r := 0
		switch {
		case g.Inside(a):
			r = 3
		case g.overlaps(p):
			r = 2
		case v6 && a.IsLinkLocalUnicast():
			r = 1
		}
		if r > rank {
			best, rank = a, r
		}
	}
	if best.IsLinkLocalUnicast() && best.Is6() {
		best = best.WithZone(ifi.Name)
	}
	return best, rank >= 0
}

// ownPrefixes are the prefixes of this machine's interfaces. Not knowing them only means knowing fewer broadcast addresses.
func (g *Guard) ownPrefixes() []netip.Prefix {
	all, err := g.interfaces()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, ifi := range all {
		out = append(out, ifi.Addrs...)
	}
	return out
}

// systemInterfaces lists the interfaces that are up and have an address.
func systemInterfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []Interface
	for _, ifi := range all {
		if ifi.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it went away while we listed
		}
		one := Interface{Index: ifi.Index, Name: ifi.Name}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, ok := netip.AddrFromSlice(n.IP)
			bits, _ := n.Mask.Size()
			if ok && bits >= 0 {
				one.Addrs = append(one.Addrs, netip.PrefixFrom(normal(ip), bits))
			}
		}
		if len(one.Addrs) > 0 {
			out = append(out, one)
		}
	}
	return out, nil
}
