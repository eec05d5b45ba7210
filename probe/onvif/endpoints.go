package onvif

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/soap"
	"github.com/mingshi-audit/mingshi/probe"
)

const servicePath = "/onvif/device_service"

// candidate is a place where the device service may be. Its host is the device's own address whatever was announced.
type candidate struct {
	url       url.URL
	announced bool // the device itself named it
}

func (c candidate) String() string { return c.url.String() }

// port returns the port the URL leads to.
func (c candidate) port() uint16 { return portOf(&c.url) }

func portOf(u *url.URL) uint16 {
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(n)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// guesses are the ports where devices without an announced address were met: 80 and 443 by the specification, 8000 Reolink,
// 81 Uniview, the others commonly configured.
var guesses = []struct {
	scheme string
	port   uint16
}{{"http", 80}, {"http", 8000}, {"http", 81}, {"http", 8080}, {"http", 8899}, {"http", 2020}, {"http", 5000}, {"https", 443}}

// otherPorts are ports of cameras where something else than HTTP listens.
var otherPorts = []uint16{21, 22, 23, 53, 139, 445, 554, 1935, 3702, 5353, 5544, 6036, 7070, 8554, 8555, 10554, 34567, 37777}

// wants reports whether there is anywhere to ask.
func wants(t audit.Target) bool {
	if t.Method == "ssdp" { // what UPnP names is a description, and half of what answers it is no camera
		return false
	}
	return !t.Foreign && t.Addr.Addr().IsValid() && len(candidates(t, func(string) {})) > 0
}

// candidates lists where to ask: what the device announced, on its own address; then the target's own port if it can be
// HTTP; and only where an inventory names an address without a port, the ports where devices usually are. foreign is called
// for an announced address that names another host.
func candidates(t audit.Target, foreign func(named string)) []candidate {
	ip := t.Addr.Addr().Unmap()
	var out []candidate
	add := func(c candidate) {
		if len(out) < 8 && !slices.ContainsFunc(out, func(x candidate) bool { return x.String() == c.String() }) {
			out = append(out, c)
		}
	}
	var other []candidate
	for _, x := range t.XAddrs[:min(len(t.XAddrs), 16)] {
		u, isForeign, err := soap.Rebase(x, ip, "http", "https")
		if err != nil {
			continue
		}
		if u.Path == "" || u.Path == "/" {
			u.Path = servicePath
		}
		if !isForeign {
			add(candidate{*u, true})
			continue
		}
		if raw, err := url.Parse(x); err == nil {
			foreign(raw.Host)
		}
		other = append(other, candidate{*u, true})
	}
	if len(out) == 0 && len(other) > 0 { // a device behind address translation names an inner address: its own port still counts
		add(other[0])
	}
	switch port := t.Addr.Port(); {
	case port != 0 && !slices.Contains(otherPorts, port):
		scheme := "http"
		if probe.Secure(port) {
			scheme = "https"
		}
		add(candidate{url: at(scheme, ip, port)})
	case port == 0 && len(out) == 0:
		for _, g := range guesses {
			add(candidate{url: at(g.scheme, ip, g.port)})
		}
	}
	return out
}

func at(scheme string, ip netip.Addr, port uint16) url.URL {
	host := netip.AddrPortFrom(ip, port).String()
	if scheme == "http" && port == 80 || scheme == "https" && port == 443 {
		host = ip.String()
		if ip.Is6() {
			host = "[" + host + "]"
		}
	}
	return url.URL{Scheme: scheme, Host: host, Path: servicePath}
}
