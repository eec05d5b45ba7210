package discover

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
)

// WSDiscovery asks every interface's network for ONVIF devices, over IPv4 and IPv6. A target's Types are in James Clark's
// notation, "{http://www.onvif.org/ver10/network/wsdl}NetworkVideoTransmitter".
func WSDiscovery() Method { return wsDiscovery().method("wsdiscovery") }

func wsDiscovery() protocol {
	return protocol{
		name:     "ws-discovery",
		scheme:   "soap.udp",
		port:     wsdiscovery.Port,
		group4:   wsdiscovery.Group4().Addr(),
		group6:   wsdiscovery.Group6().Addr(),
		longest:  500 * time.Millisecond, // APP_MAX_DELAY
		firmly:   true,
		standard: true,
		service:  true,
		ask: func(*guard.UDP) []question {
			var out []question
			for _, types := range wsdiscovery.ProbeTypes() {
				id := "urn:uuid:" + uuid.NewString()
				out = append(out, question{id: id, data: wsdiscovery.NewProbe(id, types)})
			}
			return out
		},
		read: readMatches,
	}
}

// readMatches reads the answer to a Probe. Anything else is an answer to nobody's question.
func readMatches(b []byte) ([]sighted, error) {
	m, err := wsdiscovery.Parse(b)
	if err != nil && len(m.Matches) == 0 {
		return nil, err
	}
	if m.Kind != wsdiscovery.ProbeMatches || m.RelatesTo == "" {
		return []sighted{{answers: fmt.Sprint(m.Kind, " ", m.RelatesTo)}}, err
	}
	var out []sighted
	for _, x := range m.Matches {
		out = append(out, sighted{answers: m.RelatesTo, target: matched(x)})
	}
	return out, err
}

func matched(m wsdiscovery.Match) audit.Target {
	t := audit.Target{Identity: m.Identity(), Scopes: m.Scopes, XAddrs: m.XAddrs}
	for _, q := range m.Types {
		t.Types = append(t.Types, q.String())
	}
	return t
}
