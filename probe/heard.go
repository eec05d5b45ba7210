package probe

import (
	"bytes"
	"net/http"
	"net/netip"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
)

// Heard begins the kind of every observation that was overheard in a capture: "heard alarm".
const Heard = "heard "

// Overheard is what a device sends to somebody of its own accord.
type Overheard struct {
	From  netip.AddrPort // the device; port 0 where it is the client
	To    netip.AddrPort // who gets it; port 0 where that is the client
	Push  bool           // the device brought it; otherwise the other side keeps a connection open for it
	Texts [][]byte       // texts and text parts, without space around them; valid as long as the flow
}

// Reports returns what a device tells in a flow: the texts of a request that brings something, or the part of an answer that does
// not end. It reports false for every other flow.
func Reports(f *capture.Flow) (Overheard, bool) {
	switch {
	case f.Proto == capture.ProtoPart && f.Part != nil:
		return Overheard{From: f.Server.Addr, To: Client(f), Texts: appendText(nil, f.Part.Body)}, true
	case f.Proto == capture.ProtoHTTP && f.Answer == nil && f.Request != nil && (f.Request.Method == http.MethodPost || f.Request.Method == http.MethodPut):
		h := Overheard{From: Client(f), To: f.Server.Addr, Push: true, Texts: appendText(nil, f.Request.Body)}
		for i := range f.Request.Parts {
			h.Texts = appendText(h.Texts, f.Request.Parts[i].Body)
		}
		return h, true
	}
	return Overheard{}, false
}

// Client returns the address of a flow's client as an endpoint: its port says nothing of the device.
func Client(f *capture.Flow) netip.AddrPort { return netip.AddrPortFrom(f.Client.Addr.Addr(), 0) }

func appendText(list [][]byte, b []byte) [][]byte {
	if b = bytes.TrimSpace(b); len(b) > 0 {
		return append(list, b)
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
