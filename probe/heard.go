package probe

import (
	"bytes"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Heard begins the kind of every observation that was overheard in a capture: "heard alarm".
const Heard = "heard "

// Overheard is what a device sends to somebody of its own accord.
type Overheard struct {
	From  netip.AddrPort // the device; port 0 where it is the client, or nobody knows
	MAC   string         // hardware address of the frames it came in: the device's, or a router's
	To    netip.AddrPort // who gets it; port 0 where that is the client, or nobody knows
	Push  bool           // the device brought it; otherwise the other side keeps a connection open for it, or nobody knows
	Via   bool           // who brought it calls itself a program on a computer, which hands on what a device told it
	Texts []Overtext     // texts and text parts
}

// Overtext is one text, without space around it or a mark of its byte order, valid as long as the flow. What is cut may end anywhere, and only what is closed
// in it may be used.
type Overtext struct {
	Body []byte
	Cut  bool
}

// Reports returns what a device tells in a flow: the texts of a request that brings something, or the part of a body that does
// not end. It reports false for every other flow. Of a conversation that had begun before, who sends is certain; who asked for it
// is not.
func Reports(f *capture.Flow) (Overheard, bool) {
	switch {
	case f.Proto == capture.ProtoPart && f.Part != nil:
		h := Overheard{From: f.Server.Addr, MAC: mac.Bytes(f.Server.MAC[:]), To: Client(f)}
		if f.FromHost { // a form whose beginning was not captured, or one without an end
			h = pushed(f)
		}
		if f.Cut.Has(capture.CutStart) {
			h.From, h.To, h.Push = netip.AddrPortFrom(h.From.Addr(), 0), netip.AddrPortFrom(h.To.Addr(), 0), false
		}
		h.Texts = appendPart(nil, f.Part)
		return h, true
	case f.Proto == capture.ProtoHTTP && f.Answer == nil && f.Request != nil && (f.Request.Method == http.MethodPost || f.Request.Method == http.MethodPut):
		up := pushed(f)
		up.Texts = appendText(nil, f.Request.Body, f.Request.Cut != 0)
		for i := range f.Request.Parts {
			up.Texts = appendPart(up.Texts, &f.Request.Parts[i])
		}
		return up, true
	}
	return Overheard{}, false
}

// pushed is what a client sends to a server.
func pushed(f *capture.Flow) Overheard {
	return Overheard{From: Client(f), MAC: mac.Bytes(f.Client.MAC[:]), To: f.Server.Addr, Push: true, Via: f.Request != nil && HandsOn(f.Request.Header)}
}

// programs are how shippers of logs, automation and tools of testers name themselves. The names of libraries are not among them: terminals
// that run Android, and boxes that run Python, have the same ones as the programs of a computer.
var programs = []string{"homeassistant", "home assistant", "node-red", "filebeat", "elastic", "logstash", "fluent", "vector/", "promtail", "grafana", "postmanruntime", "insomnia/"}

// browsers are words that only browsers of today have in their names; firmware calls itself "Mozilla/4.0" too.
var browsers = []string{"applewebkit/", "gecko/20"}

// HandsOn reports a request of a program that hands on what others told it, by the name it gives itself, or of a proxy.
func HandsOn(h capture.Header) bool {
	name := strings.ToLower(strings.TrimSpace(h.Get("User-Agent")))
	begins := func(p string) bool { return strings.HasPrefix(name, p) }
	holds := func(p string) bool { return strings.Contains(name, p) }
	return slices.ContainsFunc(programs, begins) || slices.ContainsFunc(browsers, holds) || Proxied(h)
}

// Proxied reports a request that somebody makes for somebody else.
func Proxied(h capture.Header) bool {
	return h.Has("Via") || h.Has("X-Forwarded-For") || h.Has("Forwarded")
}

// Client returns the address of a flow's client as an endpoint: its port says nothing of the device.
func Client(f *capture.Flow) netip.AddrPort { return netip.AddrPortFrom(f.Client.Addr.Addr(), 0) }

func appendPart(list []Overtext, p *capture.Part) []Overtext {
	return appendText(list, p.Body, p.Cut != 0)
}

func appendText(list []Overtext, b []byte, cut bool) []Overtext {
	if b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff"))); len(b) > 0 {
		return append(list, Overtext{Body: b, Cut: cut})
	}
	return list
}

// Messages returns how many messages an observation stands for: those it counted itself, or the flows it sums up.
func Messages(o audit.Observation, counted int) int {
	if o.Seen == nil {
		return counted
	}
	return o.Seen.Count
}
