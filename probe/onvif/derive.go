package onvif

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/probe"
)

// Derive states the facts of one observation. What a device could do is capable; an instance that is switched on is
// configured; messages seen while watching are active. Nothing missing is ever stated as false, except by the summary of a
// complete, logged-in enumeration.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	var d data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("onvif: data of %s: %w", o.Kind, err)
	}
	f := states(strings.TrimPrefix(o.Kind, heard), d)
	if d.Events != nil || d.Scene != nil {
		f.Watched(o, "")
	}
	if strings.HasPrefix(o.Kind, heard) {
		return overheardOnly(o, f.Sorted()), nil
	}
	return f.Sorted(), nil
}

// facts collects statements.
type facts struct{ probe.Facts }

// states derives everything that does not need the observation's times.
func states(kind string, d data) *facts {
	f := &facts{}
	for _, x := range d.Described {
		fns := x.Functions()
		f.Say(audit.Capable, "type "+x.Type, true, fns...)
		if d.ImageSending && slices.Contains(fns, audit.Detect) {
			f.Say(audit.Capable, "type "+x.Type+" images", true, audit.Capture)
		}
	}
	for _, i := range instancesOf(d) {
		fns := i.Functions()
		f.Say(audit.Capable, i.Key(), true, fns...)
		switch i.State {
		case onvif.On:
			f.Say(audit.Configured, i.Key(), true, fns...)
		case onvif.Off:
			f.Say(audit.Configured, i.Key(), false, fns...)
		}
	}
	for _, x := range d.Options {
		if x.FaceClasses() {
			f.Say(audit.Capable, "option "+x.Rule+" "+x.Name, true, audit.Detect)
		}
	}
	for _, x := range d.Samples {
		if !x.Faces {
			continue
		}
		f.Say(audit.Capable, "sample "+x.Module, true, audit.Detect)
		if slices.ContainsFunc(x.Attributes, func(a string) bool { return a != audit.AttrPose }) {
			f.Say(audit.Capable, "sample "+x.Module, true, audit.Analyse)
		}
		if x.Crops {
			f.Say(audit.Capable, "sample "+x.Module, true, audit.Capture)
		}
		if len(x.Attributes) > 0 {
			f.Add(probe.FactAttributesCapable, "", x.Attributes, "")
		}
	}
	for _, x := range d.Topics {
		f.Say(audit.Capable, "topic "+x.Path, true, x.Functions()...)
	}
	for _, x := range d.Apps {
		f.app(x)
	}
	if d.Readers > 0 {
		f.Say(audit.Capable, "reader", true, audit.Verify)
		if kind == "tab:GetSecurityLevelList" {
			f.Say(audit.Configured, "security level", true, audit.Verify)
		}
	}
	f.outbound(d)
	f.live(d)
	if d.Summary != nil {
		f.summary(*d.Summary)
	}
	return f
}

// app: an application whose name speaks of faces could; while it is active it is switched on.
func (f *facts) app(x onvif.App) {
	fns, key := x.Functions(), "app "+x.ID
	f.Say(audit.Capable, key, true, fns...)
	switch x.State {
	case "Active":
		f.Say(audit.Configured, key, true, fns...)
	case "Inactive", "Removed", "InstallationFailed":
		f.Say(audit.Configured, key, false, fns...)
	}
}

// outbound: brokers get what their filters name; a metadata track that starts its own multicast goes to the whole network.
func (f *facts) outbound(d data) {
	for _, b := range d.Brokers {
		f.Add(probe.FactOutboundHosts, "", []string{"mqtt-events " + b.Address}, audit.ClassOutbound)
		if b.Face {
			f.Add(probe.FactOutboundFace, b.Address, true, audit.ClassOutbound)
			f.Say(audit.Configured, "broker "+b.Address, true, b.Functions()...)
		}
	}
	for _, m := range d.Metadata {
		if m.Multicast != "" && (m.Analytics == onvif.On || m.Events) {
			f.Add(probe.FactOutboundHosts, "", []string{"metadata-multicast " + m.Multicast}, audit.ClassOutbound)
		}
	}
}

// live: what was seen while watching.
func (f *facts) live(d data) {
	messages := 0
	events := func(t onvif.EventTally) {
		for _, topic := range sortedTopics(t) {
			seen := t.Topics[topic]
			f.Say(audit.Capable, "topic "+topic, true, seen.Announces(topic)...)
			fns := seen.Functions(topic)
			f.Say(audit.Active, "topic "+topic, true, fns...)
			if len(fns) > 0 {
				messages += seen.Live + seen.Standing
			}
			if slices.Contains(fns, audit.Identify) {
				f.Add(probe.FactIdentity, "topic "+topic, true, "")
			}
			if slices.Contains(fns, audit.Capture) {
				f.Add(probe.FactCrops, "topic "+topic, true, "")
			}
			if seen.Objects != nil {
				f.scene("topic "+topic, *seen.Objects)
			}
		}
	}
	if d.Events != nil {
		events(*d.Events)
	}
	if d.Scene != nil {
		f.scene("metadata", *d.Scene)
		messages += d.Scene.Faces
		events(d.Scene.Events)
	}
	if d.Events != nil || d.Scene != nil {
		f.Add(probe.FactLiveMessages, "", messages, "")
	}
}

func (f *facts) scene(key string, t onvif.Tally) {
	if t.Faces == 0 {
		return
	}
	f.Say(audit.Active, key, true, audit.Detect)
	if t.Analyses() {
		f.Say(audit.Active, key, true, audit.Analyse)
	}
	if names := t.AttributeNames(); len(names) > 0 {
		f.Add(probe.FactAttributesActive, "", names, "")
	}
	if t.Crops > 0 {
		f.Say(audit.Active, key, true, audit.Capture)
		f.Add(probe.FactCrops, key, true, "")
	}
	if t.Identity > 0 {
		f.Say(audit.Active, key, true, audit.Identify)
		f.Add(probe.FactIdentity, key, true, "")
	}
}

// summary states the two negatives, each only from a complete look with an accepted login.
func (f *facts) summary(s summary) {
	shown := slices.Concat(s.Held, s.Switched, s.Seen)
	for _, fn := range audit.Functions() {
		if s.Listed && slices.Contains(s.Capable, fn) && !slices.Contains(shown, fn) {
			f.Say(audit.Configured, moduleName, false, fn)
		}
	}
	if !s.Complete || s.Elsewhere != "" {
		return
	}
	f.Add(probe.FactEnumerated, moduleName, true, audit.ClassConfig)
	shown = append(shown, s.Capable...)
	for _, fn := range audit.Functions() {
		if !slices.Contains(shown, fn) {
			f.Say(audit.Capable, moduleName, false, fn)
		}
	}
}

func sortedTopics(t onvif.EventTally) []string {
	var out []string
	for k := range t.Topics {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
