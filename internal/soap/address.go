package soap

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Rebase returns an address a device gave (an XAddr, a subscription reference, a stream URI) with the host replaced by the
// device's own address, and whether the address named another host. Scheme, port, path and query stay; user information
// and fragment go. It fails for a scheme that is not among schemes and for text that is no URL with a host.
func Rebase(raw string, to netip.Addr, schemes ...string) (u *url.URL, foreign bool, err error) {
	u, err = url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, false, fmt.Errorf("soap: no usable address in %q", short(raw, 120))
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if !slices.Contains(schemes, u.Scheme) {
		return nil, false, fmt.Errorf("soap: scheme of %q", short(raw, 120))
	}
	port := u.Port()
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, false, fmt.Errorf("soap: port of %q", short(raw, 120))
		}
	}
	named, err := netip.ParseAddr(u.Hostname())
	foreign = err != nil || named.WithZone("").Unmap() != to.WithZone("").Unmap()
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	u.Host = to.String()
	switch {
	case port != "":
		u.Host = net.JoinHostPort(to.String(), port)
	case to.Is6():
		u.Host = "[" + to.String() + "]"
	}
	return u, foreign, nil
}
