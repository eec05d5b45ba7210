package scan

import (
	"net/netip"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// loci names the places a device can be at. An address is one locus, except where the inventory lists several devices at
// different ports of one address (port forwarding, a laboratory): there each port is its own.
type loci struct {
	byPort map[netip.Addr]bool
}

func newLoci(inventory []audit.InventoryEntry) loci {
	ports := map[netip.Addr]map[uint16]bool{}
	for _, e := range inventory {
		a, err := ParseAddress(e.Address)
		if err != nil || a.Port() == 0 {
			continue
		}
		if ports[a.Addr()] == nil {
			ports[a.Addr()] = map[uint16]bool{}
		}
		ports[a.Addr()][a.Port()] = true
	}
	l := loci{byPort: map[netip.Addr]bool{}}
	for a, p := range ports {
		l.byPort[a] = len(p) > 1
	}
	return l
}

// of returns the locus of an endpoint.
func (l loci) of(a netip.AddrPort) string {
	ip := a.Addr().Unmap().WithZone("")
	if l.byPort[ip] && a.Port() != 0 {
		return netip.AddrPortFrom(ip, a.Port()).String()
	}
	return ip.String()
}

// ofEntry returns the locus of an inventory entry: its address, or the entry itself where it has none.
func (l loci) ofEntry(e audit.InventoryEntry) string {
	if a, err := ParseAddress(e.Address); err == nil {
		return l.of(a)
	}
	return "inventory:" + e.ID
}

// ParseAddress reads the address of an inventory entry: an IP address with or without a port. The port is 0 where none is
// written.
func ParseAddress(s string) (netip.AddrPort, error) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port()), nil
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(a.Unmap().WithZone(""), 0), nil
}
