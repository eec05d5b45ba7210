// Package wsdiscovery is WS-Discovery as cameras speak it (WS-Discovery 2005/04, as required by ONVIF Core, section
// "Device discovery", and the OASIS 1.1 dialect of 2009/01): datagrams and what they say, and ONVIF's scopes. It knows
// nothing of sockets or of what an answer is worth. A "Probe" here is always the protocol's.
package wsdiscovery

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Namespaces.
const (
	nsSOAP       = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	NSDiscovery  = "http://schemas.xmlsoap.org/ws/2005/04/discovery"       // the dialect of ONVIF
	NSOASIS      = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" // WS-Discovery 1.1
	NSNetwork    = "http://www.onvif.org/ver10/network/wsdl"
	NSDevice     = "http://www.onvif.org/ver10/device/wsdl"
)

// Port is where devices listen, on the groups below and on their own address.
const Port = 3702

// Group4 and Group6 are the multicast groups. Group6 has link scope: it needs the zone of an interface.
func Group4() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), Port)
}

// Group6 is the IPv6 group of link scope, ff02::c.
func Group6() netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("ff02::c"), Port) }

// Limits of Parse. A datagram past one of them is malformed, except for lists, which are cut.
const (
	MaxDatagram = 64 << 10
	maxDepth    = 64
	maxMatches  = 64
	maxTypes    = 64
	maxScopes   = 256
	maxXAddrs   = 32
	maxToken    = 2048 // bytes of one type, scope, address or identifier
)

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("malformed WS-Discovery message")

// QName is a qualified name. Space is the prefix itself where the message does not declare it.
type QName struct{ Space, Local string }

// String returns the name in James Clark's notation, {space}local, or only the local part where there is no space.
func (q QName) String() string {
	if q.Space == "" {
		return q.Local
	}
	return "{" + q.Space + "}" + q.Local
}

// ParseQName reads what String writes.
func ParseQName(s string) QName {
	if rest, ok := strings.CutPrefix(s, "{"); ok {
		if i := strings.LastIndex(rest, "}"); i >= 0 {
			return QName{rest[:i], rest[i+1:]}
		}
	}
	return QName{"", s}
}

// NetworkVideoTransmitter and Device are the types ONVIF devices announce.
func NetworkVideoTransmitter() QName { return QName{NSNetwork, "NetworkVideoTransmitter"} }

// Device is the type newer ONVIF devices announce instead of, or beside, NetworkVideoTransmitter.
func Device() QName { return QName{NSDevice, "Device"} }

// Kind is what a message is.
type Kind string

// The kinds.
const (
	Unknown        Kind = ""
	Probe          Kind = "Probe"
	ProbeMatches   Kind = "ProbeMatches"
	Hello          Kind = "Hello"
	Bye            Kind = "Bye"
	Resolve        Kind = "Resolve"
	ResolveMatches Kind = "ResolveMatches"
)

// Message is one datagram.
type Message struct {
	Kind      Kind
	Dialect   string // the namespace of the body, NSDiscovery or NSOASIS where the sender is sane
	MessageID string
	RelatesTo string  // the MessageID that is answered
	Types     []QName // of a Probe: what is looked for
	Matches   []Match // of ProbeMatches and ResolveMatches; of Hello, Bye and Resolve exactly one
}

// Match is what a device says of itself. Everything may be missing.
type Match struct {
	EPR             string // endpoint reference address, usually urn:uuid:…
	Types           []QName
	Scopes          []string
	XAddrs          []string // as written
	MetadataVersion string
}

// ProbeTypes are the three questions worth asking: for one of the types, or for anything. Asking only for
// NetworkVideoTransmitter misses devices that announce only tds:Device, and old firmware answers only to no type at all.
func ProbeTypes() [][]QName {
	return [][]QName{{NetworkVideoTransmitter()}, {Device()}, nil}
}

// NewProbe returns the datagram that asks every device of the types, or every device, to answer.
func NewProbe(messageID string, types []QName) []byte {
	return Marshal(Message{Kind: Probe, MessageID: messageID, Types: types})
}

// Marshal returns a message as a datagram in the 2005/04 dialect, or in the one the message names. What Parse read from
// a datagram, it reads again from Marshal's.
func Marshal(m Message) []byte {
	w := &writer{prefixes: map[string]string{}}
	ns := m.Dialect
	if ns == "" {
		ns = NSDiscovery
	}
	w.open(m, ns)
	switch m.Kind {
	case Probe:
		w.types(m.Types)
	case ProbeMatches, ResolveMatches:
		for _, match := range m.Matches {
			inner := strings.TrimSuffix(string(m.Kind), "es")
			w.b.WriteString("<d:" + inner + ">")
			w.match(match)
			w.b.WriteString("</d:" + inner + ">")
		}
	default:
		if len(m.Matches) > 0 {
			w.match(m.Matches[0])
		}
	}
	fmt.Fprintf(&w.b, "</d:%s></e:Body></e:Envelope>", m.Kind)
	return w.b.Bytes()
}

type writer struct {
	b        bytes.Buffer
	prefixes map[string]string
}

func (w *writer) open(m Message, ns string) {
	w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	fmt.Fprintf(&w.b, `<e:Envelope xmlns:e="%s" xmlns:w="%s" xmlns:d="%s"`, nsSOAP, nsAddressing, escape(ns))
	all := slices.Clone(m.Types)
	for _, match := range m.Matches {
		all = append(all, match.Types...)
	}
	for _, q := range all {
		if q.Space == "" || w.prefixes[q.Space] != "" {
			continue
		}
		p := fmt.Sprintf("n%d", len(w.prefixes))
		switch q.Space {
		case NSNetwork:
			p = "dn"
		case NSDevice:
			p = "tds"
		}
		w.prefixes[q.Space] = p
		fmt.Fprintf(&w.b, ` xmlns:%s="%s"`, p, escape(q.Space))
	}
	w.b.WriteString("><e:Header>")
	w.element("w:MessageID", m.MessageID)
	w.element("w:RelatesTo", m.RelatesTo)
	to, action := "urn:schemas-xmlsoap-org:ws:2005:04:discovery", ns+"/"+string(m.Kind)
	if ns == NSOASIS {
		to = "urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01"
	}
	if m.RelatesTo != "" {
		to = nsAddressing + "/role/anonymous"
	}
	w.element("w:To", to)
	w.element("w:Action", action)
	fmt.Fprintf(&w.b, "</e:Header><e:Body><d:%s>", m.Kind)
}

func (w *writer) match(m Match) {
	w.b.WriteString("<w:EndpointReference>")
	w.element("w:Address", m.EPR)
	w.b.WriteString("</w:EndpointReference>")
	w.types(m.Types)
	w.element("d:Scopes", strings.Join(m.Scopes, " "))
	w.element("d:XAddrs", strings.Join(m.XAddrs, " "))
	w.element("d:MetadataVersion", m.MetadataVersion)
}

func (w *writer) types(qs []QName) {
	var out []string
	for _, q := range qs {
		if q.Space != "" {
			out = append(out, w.prefixes[q.Space]+":"+q.Local)
		} else {
			out = append(out, q.Local)
		}
	}
	w.element("d:Types", strings.Join(out, " "))
}

func (w *writer) element(name, text string) {
	if text != "" {
		fmt.Fprintf(&w.b, "<%s>%s</%s>", name, escape(text), name)
	}
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) //nolint:errcheck // a Builder does not fail
	return b.String()
}
