package netlab

import (
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// MaxDelay is how long a device may wait before it answers a multicast question: APP_MAX_DELAY of WS-Discovery 2005/04 as SOAP
// over UDP has it.
const MaxDelay = 500 * time.Millisecond

// Listen makes TCP ports that accept and say nothing.
func Listen(ports ...uint16) Service {
	return func(*Host) (func() []string, error) {
		var open []io.Closer
		stop := func() []string { return closeAll(open) }
		for _, p := range ports {
			ln, err := net.Listen("tcp", fmt.Sprintf(":%d", p))
			if err != nil {
				return stop, err
			}
			open = append(open, ln)
			go Accept(ln, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		}
		return stop, nil
	}
}

func closeAll(open []io.Closer) []string {
	for _, c := range open {
		c.Close()
	}
	return nil
}

// Accept serves every connection of a listener at the same time, until the listener is closed.
func Accept(ln net.Listener, serve func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

// Discoverable is what a host says to WS-Discovery.
type Discoverable struct {
	Types   string // default dn:NetworkVideoTransmitter, answered to who asks for that, for tds:Device or for anything
	Scopes  string // default the host's name
	XAddrs  string
	Instant bool // it answers at once; otherwise after a chance delay within MaxDelay
}

// WSDiscovery answers WS-Discovery probes, sent to the group or to the host itself, over both families where it has both.
func WSDiscovery(d Discoverable) Service {
	return func(h *Host) (func() []string, error) { return serveWSD(h, d, nil) }
}

// serveWSD answers; asked hears every datagram first.
func serveWSD(h *Host, d Discoverable, asked func([]byte, net.Addr)) (func() []string, error) {
	var open []io.Closer
	stop := func() []string { return closeAll(open) }
	eth, err := net.InterfaceByName("eth0")
	if err != nil {
		return stop, err
	}
	join := map[string]func(net.PacketConn) error{
		"udp4": func(c net.PacketConn) error {
			return ipv4.NewPacketConn(c).JoinGroup(eth, &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250)})
		},
		"udp6": func(c net.PacketConn) error {
			return ipv6.NewPacketConn(c).JoinGroup(eth, &net.UDPAddr{IP: net.ParseIP("ff02::c")})
		},
	}
	for network, join := range join {
		if network == "udp6" && h.NoIPv6 {
			continue
		}
		c, err := net.ListenPacket(network, ":3702")
		if err != nil {
			return stop, err
		}
		open = append(open, c)
		if err := join(c); err != nil {
			return stop, err
		}
		go func() {
			var seen recent
			b := make([]byte, 64<<10)
			for {
				n, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				if asked != nil {
					asked(b[:n], from)
				}
				answer := d.answer(h, b[:n], &seen)
				if answer == nil {
					continue
				}
				wait := rand.N(MaxDelay)
				if d.Instant {
					wait = 0
				}
				time.AfterFunc(wait, func() { _, _ = c.WriteTo(answer, from) })
			}
		}()
	}
	return stop, nil
}

// answer returns the answer to a probe, or nil: to what is none, to one for something else, to one heard before.
func (d Discoverable) answer(h *Host, b []byte, seen *recent) []byte {
	var probe struct {
		ID    string  `xml:"Header>MessageID"`
		Types *string `xml:"Body>Probe>Types"`
	}
	if xml.Unmarshal(b, &probe) != nil || seen.before(probe.ID) {
		return nil
	}
	types, scopes := d.Types, d.Scopes
	if types == "" {
		types = "dn:NetworkVideoTransmitter"
	}
	if scopes == "" {
		scopes = "onvif://www.onvif.org/name/" + h.Name
	}
	if t := probe.Types; t != nil && *t != "" && d.Types == "" && !strings.Contains(*t, "NetworkVideoTransmitter") && !strings.Contains(*t, ":Device") {
		return nil
	}
	if t := probe.Types; t != nil && *t != "" && d.Types != "" {
		return nil // no camera: it answers only to who asks for everything
	}
	return fmt.Appendf(nil, `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof" xmlns:wprt="http://schemas.microsoft.com/windows/2006/08/wdp/print">`+
		`<s:Header><a:MessageID>urn:uuid:%[1]s-%[2]d</a:MessageID><a:RelatesTo>%[3]s</a:RelatesTo><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>`+
		`<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:netlab-%[1]s</a:Address></a:EndpointReference><d:Types>%[5]s</d:Types>`+
		`<d:Scopes>%[6]s</d:Scopes><d:XAddrs>%[4]s</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`,
		h.Name, time.Now().UnixNano(), probe.ID, d.XAddrs, types, scopes)
}

// recent remembers the last messages: a question that arrives twice is answered once.
type recent struct {
	mu  sync.Mutex
	ids [32]string
	n   int
}

func (r *recent) before(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.ids {
		if x == id {
			return true
		}
	}
	r.ids[r.n%len(r.ids)] = id
	r.n++
	return false
}
