package isapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/probe"
)

// Derive states the facts of one observation. Capabilities, libraries and the engine a channel is assigned to show what the
// device could do; a function's own switch, what is on; alarms, what was going on. A switch that is off is stated of its own
// channel. What the device does not have follows from the enumeration alone.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("isapi: data of %s: %w", o.Kind, err)
	}
	var f facts
	switch strings.TrimPrefix(o.Kind, probe.Heard) {
	case get(wire.Libraries), get(wire.LibraryCap):
		if o.Status == audit.OK && (d.Present || d.Count != nil) { // there may be faces to compare with; whether anything compares is another question
			f.Say(audit.Capable, "library", true, audit.Identify)
		}
	case get(wire.FaceMode):
		if d.Engine != "" {
			f.Say(audit.Capable, "terminal", true, audit.Verify, audit.Identify)
		}
	case form(wire.FaceDetect):
		f.settings(d, "FaceDetect", audit.Detect)
	case form(wire.FaceRule):
		f.settings(d, "faceRule", audit.Capture)
	case form(wire.FaceContrast):
		f.settings(d, "faceContrast", audit.Identify)
	case form(wire.Resource):
		f.Say(audit.Capable, "channel "+d.Channel+" engine", true, wire.EngineShows(d.Engine)...)
	}
	for _, flag := range d.Flags {
		f.Say(audit.Capable, flag, true, wire.FlagShows(flag)...)
	}
	for _, e := range d.Events {
		f.Say(audit.Capable, "event "+e, true, wire.EventShows(e)...)
	}
	f.readers(d)
	f.outbound(d.Hosts)
	if d.Tally != nil {
		f.live(o, *d.Tally)
	}
	if d.Summary != nil {
		f.summary(*d.Summary)
	}
	return f.Sorted(), nil
}

func get(p wire.Path) string  { return "GET " + string(p) }
func form(f wire.Form) string { return "GET " + string(f) }

// facts collects statements.
type facts struct{ probe.Facts }

// settings: a switch that exists shows that the device could; its state, whether it does. Who keeps crops has found the faces.
func (f *facts) settings(d Data, what string, fn audit.Function) {
	fns := []audit.Function{fn}
	if fn == audit.Capture {
		fns = append(fns, audit.Detect)
	}
	for _, s := range d.Settings {
		key := "channel " + d.Channel + " " + what
		if s.ID != "" {
			key += " " + s.ID
		}
		f.Say(audit.Capable, key, true, fns...)
		switch {
		case s.On == nil:
		case *s.On:
			f.Say(audit.Configured, key, true, fns...)
		default:
			x := audit.NewFact(audit.FactName(fn, audit.Configured), key, false)
			x.Partial = d.Partial
			if d.Sole && len(d.Settings) == 1 {
				x.Scope = audit.OfSole
			}
			f.Put(x)
		}
	}
}

// readers: a terminal that recognises faces uses them where a reader lets people pass by them. A reader that does not at this
// hour may do so at another.
func (f *facts) readers(d Data) {
	if !d.Recognises {
		return
	}
	for i, mode := range d.Readers {
		key := fmt.Sprintf("reader %d", i+1)
		fns := wire.ModeShows(mode)
		f.Say(audit.Capable, key, true, fns...)
		f.Say(audit.Configured, key, true, fns...)
	}
}

func (f *facts) outbound(hosts []Host) {
	for _, h := range hosts {
		url := h.URL
		if url == "" {
			url = "ezviz://unnamed" // the maker's own cloud
		}
		f.Add(probe.FactOutboundHosts, "", []string{h.What + " " + url}, audit.ClassOutbound)
		if len(h.Events) > 0 {
			f.Add(probe.FactOutboundFace, url, true, audit.ClassOutbound)
		}
	}
}

// live: what was seen while watching.
func (f *facts) live(o audit.Observation, t wire.Tally) {
	messages := 0
	for _, a := range t.Alarms {
		key := "alarm " + a.Type
		if a.Channel != "" {
			key = "channel " + a.Channel + " " + key
		}
		f.Say(audit.Capable, key, true, a.Functions...)
		f.Say(audit.Active, key, true, a.Functions...)
		if len(a.Functions) > 0 {
			messages += probe.Messages(o, a.Count)
		}
		if len(a.Attributes) > 0 {
			f.Add(probe.FactAttributesActive, "", a.Attributes, "")
		}
		if slices.Contains(a.Functions, audit.Capture) {
			f.Add(probe.FactCrops, key, true, "")
		}
		if a.Person {
			f.Add(probe.FactIdentity, key, true, "")
		}
	}
	if messages > 0 || o.Seen == nil {
		f.Add(probe.FactLiveMessages, "", messages, "")
	}
	if o.Seen == nil {
		f.Watched(o, "")
	}
}

// summary states what a logged-in device says it does not have.
func (f *facts) summary(s Summary) {
	if s.Complete {
		f.Add(probe.FactEnumerated, moduleName, true, audit.ClassConfig)
	}
	for _, fn := range s.Lacks {
		x := audit.NewFact(audit.FactName(fn, audit.Capable), moduleName, false)
		x.Scope = audit.OfWhole
		f.Put(x)
	}
}

// questions lists everything the module may ask.
func questions() []probe.Question {
	var out []probe.Question
	for _, p := range wire.Paths() {
		q := probe.Question{Request: get(p), Kind: get(p), Needs: audit.PermitQuery, Login: true}
		switch p {
		case wire.AccessState:
			q.Decides = []audit.Function{audit.Verify, audit.Identify}
		case wire.AlertStream:
			q.Needs, q.Decides = audit.PermitSample, audit.Functions()
		}
		out = append(out, q)
	}
	for _, f := range wire.Forms() {
		q := probe.Question{Request: form(f), Kind: form(f), Needs: audit.PermitQuery, Login: true}
		switch f {
		case wire.FaceDetect:
			q.Decides = []audit.Function{audit.Detect}
		case wire.FaceRule:
			q.Decides = []audit.Function{audit.Detect, audit.Capture}
		case wire.FaceContrast:
			q.Decides = []audit.Function{audit.Identify}
		}
		out = append(out, q)
	}
	return out
}
