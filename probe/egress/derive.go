package egress

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

// facts declares what the module may state: of the functions everything but that a device could.
func facts() []audit.FactSpec {
	names := []string{probe.FactOutboundHosts, probe.FactOutboundFace, probe.FactAttributesActive, probe.FactLiveMessages, probe.FactLiveSeconds}
	for _, f := range audit.Functions() {
		names = append(names, audit.FactName(f, audit.Configured), audit.FactName(f, audit.Active))
	}
	return append(probe.FaceFactsNamed(names...), audit.FactSpec{Name: probe.FactOutboundSeen, Type: audit.List, Merge: audit.MergeUnion,
		Doc: msg.Text("probe.fact." + probe.FactOutboundSeen), Ask: msg.Text("probe.ask." + probe.FactOutboundSeen)})
}

// Derive states the facts of one observation. A host's name gives where traffic goes and never a function of the face, not even of
// a host that serves nothing else. A readable request shows that faces are handed over and what for; its answer with a result
// shows that it was done.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	switch {
	case strings.HasPrefix(o.Kind, kindHost):
		var h Host
		if err := json.Unmarshal(o.Data, &h); err != nil {
			return nil, fmt.Errorf("egress: data of %s: %w", o.Kind, err)
		}
		return []audit.Fact{audit.NewFact(probe.FactOutboundSeen, "", []string{h.Level + " " + h.Host})}, nil
	case o.Kind == kindCall:
		var c Call
		if err := json.Unmarshal(o.Data, &c); err != nil {
			return nil, fmt.Errorf("egress: data of %s: %w", o.Kind, err)
		}
		return c.facts(o), nil
	}
	return nil, nil
}

func (c Call) facts(o audit.Observation) []audit.Fact {
	f := probe.Facts{ByLevel: true}
	key := "call " + c.Service + " " + c.Call
	if !c.Served {
		host := "http://" + c.Host
		f.Add(probe.FactOutboundHosts, "", []string{"face-call " + host}, audit.ClassOutbound)
		f.Add(probe.FactOutboundFace, host, true, audit.ClassOutbound)
	}
	level := audit.Configured
	if c.Answered {
		level = audit.Active
	}
	f.Say(level, key, true, c.Does...)
	if !c.Answered || len(c.Does) == 0 {
		return f.Sorted()
	}
	if len(c.Attributes) > 0 {
		f.Add(probe.FactAttributesActive, "", c.Attributes, audit.ClassLive)
	}
	if o.Seen != nil {
		f.Add(probe.FactLiveMessages, "", o.Seen.Count, audit.ClassLive)
		f.Watched(o, audit.ClassLive)
	}
	return f.Sorted()
}
