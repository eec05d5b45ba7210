package uniview

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lapi"
	"github.com/mingshi-audit/mingshi/probe"
)

// Derive states the facts of one observation.
//
// FaceEnable and the rule are the switches of the face detector, in the maker's own interface under that name: they say that
// boxes are drawn, not that crops are kept, and of a terminal not that anybody is recognised. CompareEn is the switch of the
// comparison with a library and AttrEn that of attributes; a comparison that is off proves nothing about the terminal's main
// trade, comparing by itself, and states nothing. Either is only capable while the engine is off. A monitoring task is an order to compare with libraries and counts where its
// own switch is on. A library that exists makes the device capable and no more. "Not configured" is stated of one instance at
// a time, and only by an answer to a login.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 || o.Status != audit.OK {
		return nil, nil
	}
	if o.Kind == heardPush {
		var f facts
		err := f.deriveHeard(o)
		return f.Sorted(), err
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("uniview: data of %s: %w", o.Kind, err)
	}
	f := facts{probe.Facts{Login: o.Auth == "digest"}}
	for _, name := range d.Names {
		f.Say(audit.Capable, "capability "+name, true, functionsOf(name)...)
	}
	f.switches(o.Kind, d)
	for _, t := range d.Tasks {
		f.hung(fmt.Sprintf("monitor %d", t.ID), t.Enabled, d.Off, audit.Identify)
	}
	if d.NoTasks && f.Login {
		f.Say(audit.Configured, "monitor", false, audit.Identify)
	}
	if slices.ContainsFunc(d.Lib, func(l lapi.Library) bool { return l.Faces > 0 }) {
		f.Say(audit.Capable, "libraries", true, audit.Identify)
	}
	return f.Sorted(), nil
}

// facts collects statements.
type facts struct{ probe.Facts }

// hung states what a switch says that does nothing while the face engine is off.
func (f *facts) hung(key string, on *bool, off bool, functions ...audit.Function) {
	if off && on != nil && *on {
		on = nil
	}
	f.Switched(key, on, functions...)
}

func (f *facts) switches(kind string, d Data) {
	if d.Switches == nil {
		return
	}
	s, key := d.Switches, "face engine"
	off := d.Off || s.Enabled != nil && !*s.Enabled && kind != kindOf(lapi.Comparison)
	if strings.HasSuffix(kind, "/Rule") {
		key = "face rule"
	}
	if d.Channel != nil {
		key = fmt.Sprintf("channel %d %s", *d.Channel, key)
	}
	if s.Enabled != nil && kind != kindOf(lapi.Comparison) { // of a turnstile's own settings nobody knows what "Enabled" enables
		f.Switched(key, s.Enabled, audit.Detect)
	}
	if s.Compare != nil {
		f.Say(audit.Capable, "comparison", true, audit.Identify)
		if *s.Compare && !off {
			f.Say(audit.Configured, "comparison", true, audit.Identify)
		}
	}
	if s.Attributes != nil {
		f.hung("attributes", s.Attributes, off, audit.Analyse)
	}
	if s.Document {
		f.Say(audit.Capable, "identity document", true, audit.Verify)
	}
}

// functionsOf reads the name of a capability: "FaceDetection", "FaceRecognition", "FaceCapture" … One that speaks of faces in
// another way says nothing.
func functionsOf(name string) []audit.Function {
	n := strings.ToLower(name)
	in := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(n, w) })
	}
	switch {
	case !strings.Contains(n, "face"):
		return nil
	case in("recog", "compar", "match", "librar"):
		return []audit.Function{audit.Identify}
	case in("attr"):
		return []audit.Function{audit.Analyse}
	case in("capture", "snap"):
		return []audit.Function{audit.Detect, audit.Capture}
	case in("detect"):
		return []audit.Function{audit.Detect}
	}
	return nil
}
