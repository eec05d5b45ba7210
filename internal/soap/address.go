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

// Resolve returns an address a device gave for a service as one with scheme and host: some firmware writes a path only, or
// leaves the scheme out. base is where the device answered.
func Resolve(raw string, base url.URL) string {
	raw = strings.TrimSpace(raw)
	if raw == "" || strings.Contains(raw, "://") || strings.HasPrefix(strings.ToLower(raw), "urn:") {
		return raw
	}
	if host, path, _ := strings.Cut(raw, "/"); host != "" { // "192.0.2.7:8080/onvif/media", "192.0.2.7/onvif/media"
		_, addrPort := netip.ParseAddrPort(host)
		_, addr := netip.ParseAddr(host)
		if addrPort == nil || addr == nil {
			return base.Scheme + "://" + host + "/" + path
		}
	}
	u, err := base.Parse(raw)
	if err != nil {
		return raw
	}
	return u.String()
}

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
