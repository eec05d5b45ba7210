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
	fs := states(strings.TrimPrefix(o.Kind, heard), d)
	if d.Events != nil || d.Scene != nil {
		if secs := int(o.Until.Sub(o.At).Seconds()); !o.Until.IsZero() && secs >= 0 {
			fs = append(fs, audit.NewFact(probe.FactLiveSeconds, "", secs))
		}
	}
	if strings.HasPrefix(o.Kind, heard) {
		fs = overheardOnly(o, fs)
	}
	slices.SortFunc(fs, audit.CompareFacts)
	return fs, nil
}

// facts collects statements.
type facts struct{ list []audit.Fact }

func (f *facts) say(level audit.Level, key string, value bool, functions ...audit.Function) {
	for _, fn := range functions {
		f.list = append(f.list, audit.NewFact(audit.FactName(fn, level), key, value))
	}
}

func (f *facts) add(name, key string, value any, class audit.Class) {
	x := audit.NewFact(name, key, value)
	x.Class = class
	f.list = append(f.list, x)
}

// states derives everything that does not need the observation's times.
func states(kind string, d data) []audit.Fact {
	var f facts
	for _, x := range d.Described {
		fns := x.Functions()
		f.say(audit.Capable, "type "+x.Type, true, fns...)
		if d.ImageSending && slices.Contains(fns, audit.Detect) {
			f.say(audit.Capable, "type "+x.Type+" images", true, audit.Capture)
		}
	}
	for _, i := range instancesOf(d) {
		fns := i.Functions()
		f.say(audit.Capable, i.Key(), true, fns...)
		switch i.State {
		case onvif.On:
			f.say(audit.Configured, i.Key(), true, fns...)
		case onvif.Off:
			f.say(audit.Configured, i.Key(), false, fns...)
		}
	}
	for _, x := range d.Options {
		if x.FaceClasses() {
			f.say(audit.Capable, "option "+x.Rule+" "+x.Name, true, audit.Detect)
		}
	}
	for _, x := range d.Samples {
		if !x.Faces {
			continue
		}
		f.say(audit.Capable, "sample "+x.Module, true, audit.Detect)
		if slices.ContainsFunc(x.Attributes, func(a string) bool { return a != audit.AttrPose }) {
			f.say(audit.Capable, "sample "+x.Module, true, audit.Analyse)
		}
		if x.Crops {
			f.say(audit.Capable, "sample "+x.Module, true, audit.Capture)
		}
		if len(x.Attributes) > 0 {
			f.add(probe.FactAttributesCapable, "", x.Attributes, "")
		}
	}
	for _, x := range d.Topics {
		f.say(audit.Capable, "topic "+x.Path, true, x.Functions()...)
	}
	for _, x := range d.Apps {
		f.app(x)
	}
	if d.Readers > 0 {
		f.say(audit.Capable, "reader", true, audit.Verify)
		if kind == "tab:GetSecurityLevelList" {
			f.say(audit.Configured, "security level", true, audit.Verify)
		}
	}
	f.outbound(d)
	f.live(d)
	if d.Summary != nil {
		f.summary(*d.Summary)
	}
	return f.list
}

// app: an application whose name speaks of faces could; while it is active it is switched on.
func (f *facts) app(x onvif.App) {
	fns, key := x.Functions(), "app "+x.ID
	f.say(audit.Capable, key, true, fns...)
	switch x.State {
	case "Active":
		f.say(audit.Configured, key, true, fns...)
	case "Inactive", "Removed", "InstallationFailed":
		f.say(audit.Configured, key, false, fns...)
	}
}

// outbound: brokers get what their filters name; a metadata track that starts its own multicast goes to the whole network.
func (f *facts) outbound(d data) {
	for _, b := range d.Brokers {
		f.add(probe.FactOutboundHosts, "", []string{"mqtt-events " + b.Address}, audit.ClassOutbound)
		if b.Face {
			f.add(probe.FactOutboundFace, b.Address, true, audit.ClassOutbound)
			f.say(audit.Configured, "broker "+b.Address, true, b.Functions()...)
		}
	}
	for _, m := range d.Metadata {
		if m.Multicast != "" && (m.Analytics == onvif.On || m.Events) {
			f.add(probe.FactOutboundHosts, "", []string{"metadata-multicast " + m.Multicast}, audit.ClassOutbound)
		}
	}
}

// live: what was seen while watching.
func (f *facts) live(d data) {
	messages := 0
	events := func(t onvif.EventTally) {
		for _, topic := range sortedTopics(t) {
			seen := t.Topics[topic]
			f.say(audit.Capable, "topic "+topic, true, seen.Announces(topic)...)
			fns := seen.Functions(topic)
			f.say(audit.Active, "topic "+topic, true, fns...)
			if len(fns) > 0 {
				messages += seen.Live + seen.Standing
			}
			if slices.Contains(fns, audit.Identify) {
				f.add(probe.FactIdentity, "topic "+topic, true, "")
			}
			if slices.Contains(fns, audit.Capture) {
				f.add(probe.FactCrops, "topic "+topic, true, "")
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
		f.add(probe.FactLiveMessages, "", messages, "")
	}
}

func (f *facts) scene(key string, t onvif.Tally) {
	if t.Faces == 0 {
		return
	}
	f.say(audit.Active, key, true, audit.Detect)
	if t.Analyses() {
		f.say(audit.Active, key, true, audit.Analyse)
	}
	if names := t.AttributeNames(); len(names) > 0 {
		f.add(probe.FactAttributesActive, "", names, "")
	}
	if t.Crops > 0 {
		f.say(audit.Active, key, true, audit.Capture)
		f.add(probe.FactCrops, key, true, "")
	}
	if t.Identity > 0 {
		f.say(audit.Active, key, true, audit.Identify)
		f.add(probe.FactIdentity, key, true, "")
	}
}

// summary states the two negatives, each only from a complete look with an accepted login.
func (f *facts) summary(s summary) {
	shown := slices.Concat(s.Held, s.Switched, s.Seen)
	for _, fn := range audit.Functions() {
		if s.Listed && slices.Contains(s.Capable, fn) && !slices.Contains(shown, fn) {
			f.say(audit.Configured, moduleName, false, fn)
		}
	}
	if !s.Complete || s.Elsewhere != "" {
		return
	}
	f.add(probe.FactEnumerated, moduleName, true, audit.ClassConfig)
	shown = append(shown, s.Capable...)
	for _, fn := range audit.Functions() {
		if !slices.Contains(shown, fn) {
			f.say(audit.Capable, moduleName, false, fn)
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
