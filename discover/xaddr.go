package discover

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// candidate is where the device service is to be asked: always at the address that answered. Its port is that of the first
// XAddr that names this address, else of the first XAddr there is; 0 means the default ports.
func candidate(from netip.Addr, xaddrs []string) netip.AddrPort {
	first := uint16(0)
	for _, x := range xaddrs {
		a, port, ok := xaddr(x)
		if !ok {
			continue
		}
		if a.IsValid() && a == from.WithZone("") {
			return netip.AddrPortFrom(from, port)
		}
		if first == 0 {
			first = port
		}
	}
	return netip.AddrPortFrom(from, first)
}

// xaddr reads an http or https address. The address is the zero Addr where the host is a name.
func xaddr(s string) (a netip.Addr, port uint16, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return a, 0, false
	}
	switch strings.ToLower(u.Scheme) {
	case "http":
		port = 80
	case "https":
		port = 443
	default:
		return a, 0, false
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return a, 0, false
		}
		port = uint16(n)
	}
	a, err = netip.ParseAddr(u.Hostname())
	if err != nil {
		return netip.Addr{}, port, true
	}
	return a.Unmap().WithZone(""), port, true
}
