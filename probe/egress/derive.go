package egress

import (
	"encoding/json"
	"fmt"
	"slices"
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
	var fs []audit.Fact
	switch {
	case strings.HasPrefix(o.Kind, kindHost):
		var h Host
		if err := json.Unmarshal(o.Data, &h); err != nil {
			return nil, fmt.Errorf("egress: data of %s: %w", o.Kind, err)
		}
		fs = append(fs, audit.NewFact(probe.FactOutboundSeen, "", []string{h.Level + " " + h.Host}))
	case o.Kind == kindCall:
		var c Call
		if err := json.Unmarshal(o.Data, &c); err != nil {
			return nil, fmt.Errorf("egress: data of %s: %w", o.Kind, err)
		}
		fs = c.facts(o)
	}
	slices.SortFunc(fs, audit.CompareFacts)
	return fs, nil
}

func (c Call) facts(o audit.Observation) []audit.Fact {
	var fs []audit.Fact
	add := func(name, key string, v any, class audit.Class) {
		f := audit.NewFact(name, key, v)
		f.Class = class
		fs = append(fs, f)
	}
	key := "call " + c.Service + " " + c.Call
	if !c.Served {
		host := "http://" + c.Host
		add(probe.FactOutboundHosts, "", []string{"face-call " + host}, audit.ClassOutbound)
		add(probe.FactOutboundFace, host, true, audit.ClassOutbound)
	}
	level, class := audit.Configured, audit.ClassConfig
	if c.Answered {
		level, class = audit.Active, audit.ClassLive
	}
	for _, f := range c.Does {
		add(audit.FactName(f, level), key, true, class)
	}
	if !c.Answered || len(c.Does) == 0 {
		return fs
	}
	if len(c.Attributes) > 0 {
		add(probe.FactAttributesActive, "", c.Attributes, class)
	}
	if o.Seen != nil {
		add(probe.FactLiveMessages, "", o.Seen.Count, class)
		if s := int(o.Until.Sub(o.At).Seconds()); !o.Until.IsZero() && s >= 0 {
			add(probe.FactLiveSeconds, "", s, class)
		}
	}
	return fs
}
