package reolink

import (
	"encoding/json"
	"fmt"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/reolink"
	"github.com/mingshi-audit/mingshi/probe"
)

// Derive states whether channels can detect faces, and that they did while they were watched. That they cannot is stated only
// where each channel said so within a session, and of detection alone. No answer has a switch, so nothing is ever configured.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("reolink: data of %s: %w", o.Kind, err)
	}
	if o.Auth != probe.SessionAuth {
		return nil, nil
	}
	var out probe.Facts
	say := func(l audit.Level, channel int, v bool) {
		out.Say(l, fmt.Sprintf("channel %d", channel), v, audit.Detect)
	}
	for _, f := range d.Faces {
		switch {
		case f.Supported != nil && *f.Supported:
			say(audit.Capable, f.Channel, true)
		case f.Supported != nil && d.Whole && o.Kind == string(wire.AIState):
			say(audit.Capable, f.Channel, false)
		}
		if f.Seen && o.Kind == kindWatch {
			say(audit.Capable, f.Channel, true)
			say(audit.Active, f.Channel, true)
		}
	}
	if o.Kind == kindWatch && d.Looks > 0 {
		out.Add(probe.FactLiveMessages, "", d.Seen, "")
		out.Watched(o, "")
	}
	return out.Sorted(), nil
}
