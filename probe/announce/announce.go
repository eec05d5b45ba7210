// Package announce hears who is there: what devices say of themselves to everybody on the link, and what they answer others, in
// ARP, DHCP, mDNS, WS-Discovery, SSDP and the search protocols of makers. It only listens, and states no fact: what it hears are
// sightings, like those of the discovery methods. Questions say nothing of whoever asks them. People's phones and computers are
// passed over: ARP and DHCP, which everybody speaks, count for who is listed or shows a maker of cameras.
package announce

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/dhip"
	"github.com/mingshi-audit/mingshi/internal/dnssd"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/makers"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/sadp"
	"github.com/mingshi-audit/mingshi/internal/ssdp"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	name = "announce"
	kind = "sighting" // as scan calls what says who is there

	maxURLs = 8
	maxText = 255
)

var errMalformed = errors.New("malformed")

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:    name,
		Doc:     msg.Text("probe.announce.doc"),
		Needs:   audit.PermitListen,
		Facts:   []audit.FactSpec{},
		Wants:   func(audit.Target) bool { return false },
		Hears:   []capture.Proto{capture.ProtoARP, capture.ProtoUDP},
		Dissect: Dissect,
	}
}

// Dissect says who sent a flow, where it tells.
func Dissect(h probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	l := listener{h: h, f: f, by: f.Client, to: f.Server}
	if !f.FromHost && f.Proto == capture.ProtoUDP {
		l.by, l.to = f.Server, f.Client
	}
	var err error
	if l.db, err = fingerprints(h); err != nil {
		return nil, err
	}
	if f.Proto == capture.ProtoARP {
		err = l.arp()
	} else {
		err = l.datagram()
	}
	switch {
	case errors.Is(err, sadp.ErrQuestion), errors.Is(err, dhip.ErrQuestion), errors.Is(err, ssdp.ErrQuestion), errors.Is(err, makers.ErrQuestion), errors.Is(err, dnssd.ErrQuestion):
		return nil, nil
	case err != nil:
		return l.out, fmt.Errorf("announce: %w", err)
	}
	return l.out, nil
}

func fingerprints(h probe.Hearing) (*fingerprint.DB, error) {
	if h.Data != nil {
		return h.Data.Fingerprints, nil
	}
	db, err := fingerprint.Load()
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return db, nil
}

type listener struct {
	h      probe.Hearing
	f      *capture.Flow
	by, to capture.Party
	db     *fingerprint.DB
	out    []audit.Observation
}

// ports of the search protocols that package capture hands on.
const (
	portDHCPServer = 67
	portDHCPClient = 68
)

// datagram reads a datagram by the port its protocol has: the sender's, or the one it was sent to. A cut one is read as far as its
// parser takes it, which is whole or not at all.
func (l *listener) datagram() error {
	b := l.f.Payload
	for _, port := range []uint16{l.by.Addr.Port(), l.to.Addr.Port()} {
		switch port {
		case portDHCPServer, portDHCPClient:
			return l.dhcp(b)
		case dnssd.Port:
			return l.mdns(b)
		case wsdiscovery.Port:
			return l.wsDiscovery(b)
		case ssdp.Port:
			return l.ssdp(b)
		case sadp.Port:
			d, err := sadp.Parse(b)
			if err == nil {
				l.device("sadp", d.Identity(), d.IPv4, d.HTTPPort)
			}
			return err //nolint:wrapcheck // wrapped by Dissect
		case dhip.Port:
			d, err := dhip.Parse(b)
			if err == nil {
				l.device("dhip", d.Identity("dhip"), d.IPv4, d.HTTPPort)
			}
			return err //nolint:wrapcheck // wrapped by Dissect
		case makers.HanwhaPort, makers.HanwhaAnswer:
			return l.maker("hanwha", "Hanwha", makers.ParseHanwha)
		case makers.TDPPort, makers.TDPPortNew:
			return l.maker("tplink", "TP-Link", makers.ParseTDP)
		case makers.XiongmaiPort:
			return l.maker("xiongmai", "Xiongmai", makers.ParseXiongmai)
		}
	}
	return nil
}

func (l *listener) maker(service, vendor string, parse func([]byte) (makers.Device, error)) error {
	d, err := parse(l.f.Payload)
	if err == nil {
		l.device(service, d.Identity(vendor, service), d.IPv4, d.HTTPPort)
	}
	return err
}

// device writes what a device says of itself in a maker's protocol. Another address than the one it speaks from is a further one
// of its own, and only recorded.
func (l *listener) device(method string, id audit.Identity, claims netip.Addr, port uint16) {
	t := audit.Target{Identity: id, Addr: netip.AddrPortFrom(netip.Addr{}, port)}
	if claims.IsValid() && claims != l.by.Addr.Addr() {
		t.Extra = map[string][]string{"claimed-address": {claims.String()}}
	}
	l.sighted(method, l.by.Addr.Addr(), t)
}

// sighted writes one sighting of the device at an address inside the perimeter.
func (l *listener) sighted(method string, at netip.Addr, t audit.Target) {
	if !at.IsValid() || at.IsUnspecified() || at.IsMulticast() || !l.h.Inside(at) {
		return
	}
	t.Method, t.Sighting = "heard-"+method, true
	t.Addr = netip.AddrPortFrom(at, t.Addr.Port())
	b, err := json.Marshal(t)
	if err != nil {
		return // strings and addresses
	}
	id := t.Identity
	l.out = append(l.out, audit.Observation{Module: name, Kind: kind, Class: audit.ClassInventory, Endpoint: netip.AddrPortFrom(at, 0), Auth: "none",
		Status: audit.OK, Identity: &id, Data: b})
}

// wsDiscovery reads a Hello or an answer. Whoever answers for others names them by their addresses: of several matches only those
// are the sender's that say so.
func (l *listener) wsDiscovery(b []byte) error {
	m, err := wsdiscovery.Parse(b)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by Dissect
	}
	switch m.Kind {
	case wsdiscovery.Hello, wsdiscovery.ProbeMatches, wsdiscovery.ResolveMatches:
	default:
		return nil // a question, or a farewell
	}
	for _, x := range m.Matches {
		if x.EPR == "" && len(x.XAddrs) == 0 || len(m.Matches) > 1 && !l.mine(x.XAddrs) || !video(x) {
			continue
		}
		t := audit.Target{Identity: x.Identity(), Scopes: x.Scopes, XAddrs: x.XAddrs[:min(len(x.XAddrs), maxURLs)]}
		for _, q := range x.Types {
			t.Types = append(t.Types, q.String())
			if q.Local == "NetworkVideoTransmitter" { // recorders say so too: it suggests a camera
				t.Identity.Kind, t.Identity.Weak = audit.KindCamera, true
			}
		}
		l.sighted("ws-discovery", l.by.Addr.Addr(), t)
	}
	return nil
}

// video reports whether a match is of ONVIF: printers and Windows announce themselves over WS-Discovery too.
func video(m wsdiscovery.Match) bool {
	return slices.ContainsFunc(m.Types, func(q wsdiscovery.QName) bool {
		return q == wsdiscovery.NetworkVideoTransmitter() || q.Local == "NetworkVideoTransmitter" || q == wsdiscovery.Device()
	}) || wsdiscovery.ParseScopes(m.Scopes).Any()
}

// mine reports whether one of the URLs is at the sender's address.
func (l *listener) mine(urls []string) bool {
	return slices.ContainsFunc(urls, func(s string) bool {
		u, err := url.Parse(s)
		if err != nil {
			return false
		}
		a, err := netip.ParseAddr(u.Hostname())
		return err == nil && a.Unmap() == l.by.Addr.Addr()
	})
}

// ssdp reads an announcement or an answer. What names itself a router, a television or the like, or nothing that a camera would,
// is passed over.
func (l *listener) ssdp(b []byte) error {
	m, err := ssdp.Parse(b)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by Dissect
	}
	id := m.Identity()
	listed := l.h.Listed != nil && l.h.Listed(l.by.Addr.Addr(), "")
	if m.Gone || id.Kind == audit.KindOther || id.Kind == "" && id.Vendor == "" && !listed {
		return nil
	}
	t := audit.Target{Identity: id, Types: []string{m.Target}}
	if m.Location != "" {
		t.XAddrs = []string{m.Location}
	}
	l.sighted("ssdp", l.by.Addr.Addr(), t)
	return nil
}

// anybodys reports a service that somebody's computer announces as well as a device does. The names in it are then the computer's,
// and often a person's.
func anybodys(service string) bool {
	return slices.Contains([]string{"_rtsp._tcp", "_home-assistant._tcp", "_scrypted._tcp", "_mqtt._tcp"}, service)
}

// mdns reads the services an answer announces. Where it gives addresses and none is the sender's, somebody repeats what another
// said.
func (l *listener) mdns(b []byte) error {
	services, err := dnssd.Read(b)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by Dissect
	}
	at := l.by.Addr.Addr()
	for _, s := range services {
		same := slices.ContainsFunc(s.Addrs, func(a netip.Addr) bool { return a == at })
		other := slices.ContainsFunc(s.Addrs, func(a netip.Addr) bool { return a.Is4() == at.Is4() })
		if other && !same || s.Type == "_hap._tcp" && s.TXT["ci"] != "17" && s.TXT["ci"] != "18" {
			continue // HomeKit is spoken by lamps too
		}
		t := audit.Target{Identity: dnssd.Identity(s.Type, s.Host, s.Instance, s.TXT), Types: []string{s.Type}, Addr: netip.AddrPortFrom(netip.Addr{}, s.Port)}
		if anybodys(s.Type) && !l.ofMaker(mac.Bytes(l.by.MAC[:])) {
			t.Identity.Name, t.Identity.MDNS = "", ""
		}
		l.sighted("mdns", at, t)
	}
	return nil
}

// ofMaker reports whether a hardware address was assigned to a maker of cameras. The list has no others but those that count people;
// most make recorders too, so that it names no kind.
func (l *listener) ofMaker(mac string) bool {
	m, known := l.db.MAC(mac)
	return known && m.Kind != audit.KindOther
}

// bare writes a sighting that rests on a hardware address: of whoever is listed, and of a maker of cameras.
func (l *listener) bare(method string, at netip.Addr, mac string, id audit.Identity) {
	m, _ := l.db.MAC(mac)
	made := l.ofMaker(mac)
	listed := l.h.Listed != nil && l.h.Listed(at, mac)
	switch {
	case made:
		if id.Vendor == "" {
			id.Vendor, id.Kind, id.Weak = l.db.Canonical(m.Vendor), m.Kind, true
		}
	case id.Vendor != "":
	case listed:
		id.Name = "" // may be a person's
	default:
		return
	}
	if mac != "" {
		id.MACs = []string{mac}
	}
	id.Name = clean.Text(id.Name, maxText)
	l.sighted(method, at, audit.Target{Identity: id})
}
