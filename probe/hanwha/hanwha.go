// Package hanwha asks cameras and recorders of Hanwha Vision (Wisenet, formerly Samsung Techwin) over SUNAPI: who they are,
// whether they detect faces, whether they send crops of them and, where watching is allowed, whether a face event goes on. It
// asks only where something already points to that maker, and reads only.
package hanwha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/sunapi"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "hanwha"

const (
	window = 30 * time.Second // to watch, unless the operator says otherwise
	pause  = 3 * time.Second  // between two looks at the state of events: a face event lasts some seconds
)

// makers are those whose firmware has the interface, as package fingerprint spells them.
var makers = []string{"Hanwha"}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.hanwha.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: probe.FaceFacts(),
		Asks:  asks(),
		// An application of the maker's open platform (WiseAI and those of others) has settings of its own, which are not read.
		Elsewhere: func(string) bool { return true },
		Wants:     wants,
		Probe:     ask,
		Derive:    Derive,
	}
}

func asks() []probe.Question {
	q := func(r wire.Request, needs audit.Permit, decides ...audit.Function) probe.Question {
		return probe.Question{Request: kindOf(r), Kind: kindOf(r), Needs: needs, Login: needs > audit.PermitQuery, Decides: decides}
	}
	return []probe.Question{
		q(wire.Status, audit.PermitQuery),
		q(wire.DeviceInfo, audit.PermitLogin),
		q(wire.Attributes, audit.PermitLogin),
		q(wire.FaceSource, audit.PermitLogin, audit.Detect),
		q(wire.ObjectSource, audit.PermitLogin, audit.Detect),
		q(wire.BestShots, audit.PermitLogin, audit.Capture),
		q(wire.EventStatus, audit.PermitSample, audit.Detect),
	}
}

func wants(t audit.Target) bool {
	return probe.WebInterface(t) && (t.Method == "hanwha" || probe.MadeBy(t, makers...) || probe.Unclaimed(t))
}

// Data is what an observation of this module holds.
type Data struct {
	Realm       string `json:"realm,omitempty"` // of the challenge
	Code        int    `json:"code,omitempty"`  // of an error, in the device's words
	Said        string `json:"said,omitempty"`
	Type        string `json:"type,omitempty"`        // DeviceType
	Initialized *bool  `json:"initialized,omitempty"` // whether a password was ever set
	Channels    int    `json:"channels,omitempty"`    // it says it has
	Faces       bool   `json:"faces,omitempty"`       // attributes say it can detect them

	Detection []wire.Source `json:"detection,omitempty"` // the detector of faces
	Objects   []wire.Source `json:"objects,omitempty"`   // the detector of objects
	Shots     []Shots       `json:"shots,omitempty"`
	Seen      *Seen         `json:"seen,omitempty"`
}

// Shots is of which objects one channel sends crops.
type Shots struct {
	Channel int  `json:"channel"`
	Face    bool `json:"face"`
	// Detecting is whether the channel detects faces, as the questions before this one found; nil where they did not.
	Detecting *bool `json:"detecting,omitempty"`
}

// Seen is what was seen while watching.
type Seen struct {
	Looks  int      `json:"looks"`            // at the state of events
	Faces  int      `json:"faces"`            // of these, with a face event going on
	Events []string `json:"events,omitempty"` // the events that went on: "channel 0 FaceDetection"
}

// session is one conversation with one device.
type session struct {
	env     probe.Env
	asker   *probe.Asker
	out     []audit.Observation
	shut    bool         // it wants a login that is not there
	faces   map[int]bool // by channel: whether its detector of faces is on
	objects map[int]bool // by channel: whether its detector of objects is on and looks for faces
}

// detects reports whether a channel detects faces, for crops; nil where that is not known. Crops are made from what the
// detector of objects finds, so that only its answer can say no.
func (s *session) detects(channel int) *bool {
	on, known := s.objects[channel]
	if s.faces[channel] {
		on, known = true, true
	}
	if !known {
		return nil
	}
	return &on
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	if !env.Done.First(moduleName, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.hanwha.progress", at.String()))
	s := &session{env: env, faces: map[int]bool{}, objects: map[int]bool{},
		asker: &probe.Asker{Env: env, At: at, Secure: probe.Secure(at.Port()), Locked: wire.Locked, Accept: "application/json"}}
	defer s.asker.Close()
	if !s.who(ctx) || env.Brief {
		return s.out, nil
	}
	s.attributes(ctx)
	s.faceSource(ctx)
	s.objectSource(ctx)
	s.shots(ctx)
	if env.Guard.Permit() >= audit.PermitSample && s.goesOn() {
		s.watch(ctx)
	}
	return s.out, nil
}

// kindOf names a question as the protocol writes it.
func kindOf(r wire.Request) string { return "GET " + string(r) }

// goesOn reports whether another question is worth asking.
func (s *session) goesOn() bool { return !s.shut && s.asker.Stopped() == "" }

// put asks one question and begins its observation. The values are nil unless the device answered what was asked.
func (s *session) put(ctx context.Context, q wire.Request, class audit.Class) (wire.Values, []byte, *audit.Observation, *Data) {
	r := s.asker.Ask(ctx, string(q))
	if len(s.out) == 0 && s.asker.Follow(r) {
		o := r.Observation(moduleName, kindOf(q), class, s.asker.At)
		s.keep(&o, &Data{})
		r = s.asker.Ask(ctx, string(q))
	}
	o := r.Observation(moduleName, kindOf(q), class, s.asker.At)
	d := &Data{Realm: r.Realm}
	s.shut = s.shut || r.Status == audit.AuthRequired
	v, err := wire.Read(r.Body)
	var no *wire.Refusal
	switch {
	case errors.As(err, &no):
		d.Code, d.Said = no.Code, no.Details
		if r.Status == audit.OK || r.Status == audit.Inconclusive {
			if o.Status = audit.Inconclusive; no.NotSupported() {
				o.Status = audit.NotSupported
			}
		}
		return nil, nil, &o, d
	case r.Status != audit.OK:
		return nil, nil, &o, d
	}
	return v, r.Body, &o, d
}

// keep ends an observation.
func (s *session) keep(o *audit.Observation, d *Data) {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, *o)
}

// one asks one question whose answer is read by a function, and reports whether it could be.
func (s *session) one(ctx context.Context, q wire.Request, class audit.Class, read func(wire.Values, []byte, *audit.Observation, *Data) error) bool {
	if !s.goesOn() {
		return false
	}
	v, body, o, d := s.put(ctx, q, class)
	if o.Status == audit.OK {
		if err := read(v, body, o, d); err != nil {
			o.Status, o.Detail = audit.Malformed, err.Error()
		}
	}
	s.keep(o, d)
	return o.Status == audit.OK
}

// who asks who the device is. It reports whether it answered over SUNAPI at all.
func (s *session) who(ctx context.Context) bool {
	first := s.one(ctx, wire.Status, audit.ClassInventory, func(v wire.Values, _ []byte, o *audit.Observation, d *Data) error {
		i, err := wire.ReadInit(v)
		if err != nil {
			return err
		}
		id := identity(o)
		id.Vendor, id.Channels, id.Services = i.Maker, i.Channels, []string{"sunapi"}
		d.Initialized, d.Channels = i.Initialized, i.Channels
		return nil
	})
	s.shut = false // some firmware protects even this
	second := s.one(ctx, wire.DeviceInfo, audit.ClassInventory, func(v wire.Values, _ []byte, o *audit.Observation, d *Data) error {
		who, err := wire.ReadDevice(v)
		if err != nil {
			return err
		}
		id := identity(o)
		id.Model, id.Serial, id.Firmware, id.Name, id.Kind, id.Services = who.Model, who.Serial, who.Firmware, who.Name, kind(who.Type), []string{"sunapi"}
		if who.MAC != "" {
			id.MACs = []string{who.MAC}
		}
		d.Type = who.Type
		return nil
	})
	if first || second {
		s.env.Done.Found(moduleName)
	}
	return first || second
}

func identity(o *audit.Observation) *audit.Identity {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	return o.Identity
}

// kind reads DeviceType.
func kind(typ string) audit.Kind {
	switch strings.ToUpper(typ) {
	case "NWC":
		return audit.KindCamera
	case "NVR", "DVR", "XVR":
		return audit.KindRecorder
	}
	return ""
}

func (s *session) attributes(ctx context.Context) {
	s.one(ctx, wire.Attributes, audit.ClassCapability, func(_ wire.Values, body []byte, _ *audit.Observation, d *Data) (err error) {
		d.Faces, err = wire.ReadAttributes(body)
		return err
	})
}

func (s *session) faceSource(ctx context.Context) {
	s.one(ctx, wire.FaceSource, audit.ClassConfig, func(v wire.Values, _ []byte, _ *audit.Observation, d *Data) (err error) {
		d.Detection, err = wire.ReadSources(v, "FaceDetection")
		for _, x := range d.Detection {
			if x.Enabled != nil {
				s.faces[x.Channel] = *x.Enabled
			}
		}
		return err
	})
}

func (s *session) objectSource(ctx context.Context) {
	s.one(ctx, wire.ObjectSource, audit.ClassConfig, func(v wire.Values, _ []byte, _ *audit.Observation, d *Data) (err error) {
		d.Objects, err = wire.ReadSources(v, "ObjectDetection")
		for _, x := range d.Objects {
			if x.Enabled != nil && (x.Face != nil || !*x.Enabled) {
				s.objects[x.Channel] = *x.Enabled && *x.Face
			}
		}
		return err
	})
}

func (s *session) shots(ctx context.Context) {
	s.one(ctx, wire.BestShots, audit.ClassConfig, func(v wire.Values, _ []byte, _ *audit.Observation, d *Data) error {
		list, err := wire.ReadSources(v, "MetaImageTransfer")
		for _, x := range list {
			if x.Face != nil {
				d.Shots = append(d.Shots, Shots{Channel: x.Channel, Face: *x.Face, Detecting: s.detects(x.Channel)})
			}
		}
		return err
	})
}

// watch looks at the state of events again and again. It is one observation, with the evidence of every look.
func (s *session) watch(ctx context.Context) {
	s.env.Progress(msg.Text("probe.hanwha.watching"))
	length := s.env.Sample.Events
	if length <= 0 {
		length = window
	}
	s.asker.Withhold = wire.States
	end := time.Now().Add(length)
	var all *audit.Observation
	var data Data
	seen := &Seen{}
	for {
		v, _, o, d := s.put(ctx, wire.EventStatus, audit.ClassLive)
		if all == nil {
			all, data = o, *d
		} else {
			all.Evidence = append(all.Evidence, o.Evidence...)
		}
		var states []wire.State
		err := error(nil)
		if v == nil {
			err = wire.ErrOther
		} else {
			states, err = wire.ReadStates(v)
		}
		if err != nil {
			if seen.Looks == 0 && all.Status == audit.OK {
				all.Status, all.Detail = audit.Malformed, err.Error()
			}
			break
		}
		seen.look(states)
		if !s.goesOn() || time.Until(end) < pause || !wait(ctx, pause) {
			break
		}
	}
	if seen.Looks > 0 {
		data.Seen, all.Until = seen, s.env.Clock()
		if all.Status = audit.OK; seen.Faces == 0 {
			all.Status = audit.Empty
		}
	}
	s.keep(all, &data)
}

func (s *Seen) look(states []wire.State) {
	s.Looks++
	on := false
	for _, x := range states {
		if !x.On {
			continue
		}
		on = true
		if e := fmt.Sprintf("channel %d %s", x.Channel, x.Name); !slices.Contains(s.Events, e) {
			s.Events = append(s.Events, e)
		}
	}
	if on {
		s.Faces++
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
