package lab

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/ipv4"
)

const wsdGroup = "239.255.255.250"

// answerDiscovery answers WS-Discovery, mDNS and the makers' protocols on the loopback interface. Where the system does not let it, the shop says so
// in its notes and goes on.
func (s *Shop) answerDiscovery() {
	lo := loopback()
	if lo == nil {
		s.note("lab.no_loopback")
		return
	}
	if err := s.answer(lo, wsdGroup, 3702, s.onWSD); err != nil {
		s.note("lab.no_discovery", "WS-Discovery", err.Error())
	}
	if err := s.answer(lo, "224.0.0.251", 5353, s.onMDNS); err != nil {
		s.note("lab.no_discovery", "mDNS", err.Error())
	}
	s.answerVendors(lo)
}

func loopback() *net.Interface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 {
			return &i
		}
	}
	return nil
}

// answer listens for one group on the loopback interface and calls on for every datagram, which may be answered over the
// connection.
func (s *Shop) answer(lo *net.Interface, group string, port int, on func(*ipv4.PacketConn, []byte, *net.UDPAddr)) error {
	g := &net.UDPAddr{IP: net.ParseIP(group), Port: port}
	c, err := net.ListenMulticastUDP("udp4", lo, g)
	if err != nil {
		return fmt.Errorf("joining %s on %s: %w", group, lo.Name, err)
	}
	s.closer = append(s.closer, c)
	p := ipv4.NewPacketConn(c)
	if err := p.SetMulticastInterface(lo); err != nil {
		return fmt.Errorf("sending multicast on %s: %w", lo.Name, err)
	}
	_ = p.SetMulticastLoopback(true) // the default everywhere; some systems do not let it be set
	s.wg.Go(func() {
		b := make([]byte, 64<<10)
		for {
			n, from, err := c.ReadFromUDP(b)
			if err != nil {
				return // closed
			}
			if from.IP.IsLoopback() {
				on(p, slices.Clone(b[:n]), from)
			}
		}
	})
	return nil
}

// onWSD answers a Probe with one ProbeMatches per device, each from the device's own address.
func (s *Shop) onWSD(_ *ipv4.PacketConn, b []byte, from *net.UDPAddr) {
	root, err := parseXML(b)
	if err != nil || root.at("Body") == nil || len(root.at("Body").kids) == 0 {
		return
	}
	request := root.at("Body").kids[0]
	kind := request.name.Local
	if slices.Contains([]string{"ProbeMatches", "ResolveMatches", "Hello", "Bye"}, kind) {
		return // another shop answers
	}
	var wanted []string
	for _, t := range strings.Fields(request.value("Types")) {
		wanted = append(wanted, t[strings.Index(t, ":")+1:])
	}
	for _, d := range s.devices {
		if len(d.spec.Types) == 0 || d.spec.Quiet {
			continue
		}
		d.saw("WS-Discovery "+kind, LoginNone)
		match := kind == "Probe" && d.matches(wanted) || kind == "Resolve" && request.value("EndpointReference", "Address") == "urn:uuid:"+d.uuid
		if match {
			d.send(d.probeMatch(kind, root.at("Header").value("MessageID")), from)
		}
	}
}

func (d *device) matches(wanted []string) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(d.spec.Types, func(t string) bool { return t[strings.Index(t, ":")+1:] == w }) {
			return false
		}
	}
	return true
}

// send sends a datagram from the device's own address.
func (d *device) send(b []byte, to *net.UDPAddr) {
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(d.http.Addr(), 0)))
	if err != nil {
		return
	}
	defer c.Close()
	c.WriteToUDP(b, to)
}

func (d *device) probeMatch(kind, relates string) []byte {
	xaddr := d.url("/")
	if d.spec.ONVIF {
		xaddr = d.url(d.path("/onvif/device_service"))
	}
	scopes := ""
	if d.spec.ONVIF {
		scopes = "<d:Scopes>" + esc(strings.Join(d.scopes(), " ")) + "</d:Scopes>"
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<s:Envelope xmlns:s="` + nsEnv12 + `" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"` +
		` xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof" xmlns:pri="http://schemas.microsoft.com/windows/2006/08/wdp/print">` +
		`<s:Header><a:MessageID>urn:uuid:` + fmt.Sprintf("%x", d.random(16)) + `</a:MessageID><a:RelatesTo>` + esc(relates) + `</a:RelatesTo>` +
		`<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/` + kind + `Matches</a:Action></s:Header>` +
		`<s:Body><d:` + kind + `Matches><d:` + kind + `Match><a:EndpointReference><a:Address>urn:uuid:` + d.uuid + `</a:Address></a:EndpointReference>` +
		`<d:Types>` + esc(strings.Join(d.spec.Types, " ")) + `</d:Types>` + scopes + `<d:XAddrs>` + esc(xaddr) + `</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>` +
		`</d:` + kind + `Match></d:` + kind + `Matches></s:Body></s:Envelope>`)
}
