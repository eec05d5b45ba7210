// Package egress hears which device inside the perimeter talks to a camera cloud or to a face service outside, and how far that
// shows: its name was asked for, a connection was begun, the connection carries data nobody here can read, or the request itself
// was read. It only listens. Hosts that are not on the list of such services are not looked at and never kept: the names other
// people's phones ask for are nobody's business here.
//
// A name is a hint, whatever the host is for. What a readable request to a face service asks for, and what that answers, is a
// proof; both are told apart in every observation.
package egress

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	name     = "egress"
	kindHost = "heard:host:" // a listed host was named or talked to; the level follows
	kindCall = "heard:call"  // a face service was asked for something readable, or answered

	p2pPort = 8800 // Dahua's P2P lookup, over UDP and in clear
)

// Levels of what is known of the traffic with a host, weakest first. They are probe.Egress's.
const (
	resolved  = probe.EgressResolved
	attempted = probe.EgressAttempted
	inUse     = probe.EgressInUse
	readable  = probe.EgressReadable
)

var errMalformed = errors.New("not what its protocol demands")

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:    name,
		Doc:     msg.Text("probe.egress.doc"),
		Needs:   audit.PermitListen,
		Facts:   facts(),
		Wants:   func(audit.Target) bool { return false },
		Hears:   []capture.Proto{capture.ProtoDNS, capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP, capture.ProtoUDP, capture.ProtoEnd},
		Dissect: Dissect,
		Derive:  Derive,
	}
}

// Host is the data of an observation of a listed host. The host stands as the list writes it, so that a thousand names below one
// are one observation.
type Host struct {
	Host  string `json:"host"`
	Level string `json:"level"`
	By    string `json:"by"` // where the name is from: dns, tls, quic, http, udp
}

// Call is the data of an observation of a readable request to a face service.
type Call struct {
	Service    string           `json:"service"`            // whose it is
	Call       string           `json:"call"`               // path or action, as the list writes it
	Host       string           `json:"host"`               // the listed host, or the address where the service is installed on premises
	Served     bool             `json:"served,omitempty"`   // the observation is about who answered, inside the perimeter
	Answered   bool             `json:"answered,omitempty"` // with a result; without: what was asked for
	Does       []audit.Function `json:"does"`
	Attributes []string         `json:"attributes,omitempty"` // asked for, or of an answer: stated
}

// Dissect says what a flow shows of the device that sent or began it.
func Dissect(h probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	d, err := newDissection(h, f)
	if err != nil {
		return nil, err
	}
	switch f.Proto {
	case capture.ProtoDNS:
		err = d.dns()
	case capture.ProtoTLS, capture.ProtoQUIC:
		d.hello()
	case capture.ProtoHTTP:
		d.http()
	case capture.ProtoUDP:
		d.p2p()
	case capture.ProtoEnd:
		d.end()
	}
	return d.out, err
}

type dissection struct {
	f    *capture.Flow
	in   func(netip.Addr) bool
	data *knowledge.Set
	out  []audit.Observation
}

func newDissection(h probe.Hearing, f *capture.Flow) (*dissection, error) {
	d := &dissection{f: f, in: h.Inside, data: h.Data}
	if d.data == nil {
		s, err := knowledge.Builtin()
		if err != nil {
			return nil, fmt.Errorf("egress: %w", err)
		}
		d.data = s
	}
	return d, nil
}

// note writes an observation of a device. Its address stands without a port where it is the client.
func (d *dissection) note(kind string, class audit.Class, at netip.AddrPort, data any) {
	if !d.in(at.Addr()) {
		return
	}
	b, err := json.Marshal(data)
	if err != nil {
		return // a struct of strings
	}
	d.out = append(d.out, audit.Observation{Module: name, Kind: kind, Class: class, Endpoint: at, Auth: "none", Status: audit.OK, Data: b})
}

// host writes that the client named a host, or talked to it, if the host is on the list.
func (d *dissection) host(named, level, by string) {
	if len(named) > 253 {
		return
	}
	if h, ok := d.data.Host(named); ok {
		d.note(kindHost+level, audit.ClassOutbound, netip.AddrPortFrom(d.f.Client.Addr.Addr(), 0), Host{Host: h.Suffix, Level: level, By: by})
	}
}

// dns reads the questions a client asked. What is answered is not looked at: that a name exists says nothing of the client.
func (d *dissection) dns() error {
	if !d.f.FromHost {
		return nil
	}
	var p dnsmessage.Parser
	head, err := p.Start(d.f.Payload)
	if err != nil {
		return fmt.Errorf("egress: %w: %w", errMalformed, err)
	}
	for n := 0; !head.Response && n < 4; n++ {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) || err != nil && n > 0 { // the questions before are whole
			break
		}
		if err != nil {
			return fmt.Errorf("egress: %w: %w", errMalformed, err)
		}
		d.host(strings.TrimSuffix(q.Name.String(), "."), resolved, "dns")
	}
	return nil
}

// hello reads what a ClientHello names. Where an encrypted one is within, the name outside is not the one that is meant.
func (d *dissection) hello() {
	if h := d.f.Hello; h != nil && !h.Encrypted {
		d.host(h.Name, attempted, string(d.f.Proto))
	}
}

// end reads the totals of a conversation. Data both ways under a name the client itself gave is use; a name that was only asked
// for before may stand for another service at the same address, so that it is an attempt.
func (d *dissection) end() {
	t := d.f.Totals
	if t == nil || t.Name == "" {
		return
	}
	switch {
	case t.NameBy == "dns" || t.OneSided || t.DataUp == 0 || t.DataDown == 0:
		if t.Up > 0 && t.NameBy != "http" { // whoever sent nothing began nothing; a request was read by itself
			d.host(t.Name, attempted, t.NameBy)
		}
	default:
		d.host(t.Name, inUse, t.NameBy)
	}
}

// p2p reads the lookups of Dahua's P2P service. Devices and the programs people view them with ask in the same words and name the
// same serial numbers, so a number names a device and never the one that asks.
func (d *dissection) p2p() {
	if d.f.Server.Addr.Port() != p2pPort || !d.f.FromHost {
		return
	}
	line, _, ok := strings.Cut(string(d.f.Payload[:min(len(d.f.Payload), 512)]), "\r\n")
	method, rest, _ := strings.Cut(line, " ")
	path, version, _ := strings.Cut(rest, " ")
	if !ok || method != "DHGET" && method != "DHPOST" || version != "HTTP/1.1" {
		return
	}
	for _, begin := range []string{"/probe/", "/online/", "/device/", "/info/", "/relay/", "/p2p/"} {
		if strings.HasPrefix(path, begin) {
			d.note(kindHost+readable, audit.ClassOutbound, netip.AddrPortFrom(d.f.Client.Addr.Addr(), 0), Host{Host: "easy4ipcloud.com", Level: readable, By: "udp"})
			return
		}
	}
}

// hostOnly drops a port.
func hostOnly(s string) string {
	if h, _, err := net.SplitHostPort(s); err == nil {
		return h
	}
	return strings.Trim(s, "[]")
}
