// Package uniview asks devices of Uniview's firmware over LAPI: who they are, which cameras are behind a recorder, what they
// could do with faces and what of it is switched on. It asks only where something already points to that maker and reads only:
// it never subscribes to events, which would make this machine a receiver on the device, and never names a person.
package uniview

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/lapi"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "uniview"

// maxRules bounds how many channels of a recorder are asked about one by one; what is beyond is counted.
const maxRules = 64

// makers are those whose firmware has the interface, as package fingerprint spells them.
var makers = []string{"Uniview"}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:    moduleName,
		Doc:     msg.Text("probe.uniview.doc"),
		Needs:   audit.PermitQuery,
		Web:     80,
		Facts:   probe.FaceFacts(),
		Asks:    asks(),
		Wants:   wants,
		Probe:   ask,
		Hears:   []capture.Proto{capture.ProtoHTTP},
		Dissect: Dissect,
		Derive:  Derive,
	}
}

// channelKind is the kind of the observations of wire.ChannelRule, whichever channel.
const channelKind = "GET /LAPI/V1.0/Channels/{channel}/Smart/FaceDetection/Rule"

func asks() []probe.Question {
	var out []probe.Question
	for _, x := range []struct {
		kind    string
		open    bool
		decides []audit.Function
	}{
		{kindOf(wire.BasicInfo), true, nil},
		{kindOf(wire.DeviceInfo), false, nil},
		{kindOf(wire.Capabilities), false, nil},
		{kindOf(wire.FaceEnable), false, []audit.Function{audit.Detect}},
		{kindOf(wire.FaceRule), false, []audit.Function{audit.Detect}},
		{channelKind, false, []audit.Function{audit.Detect}},
		{kindOf(wire.Monitors), false, []audit.Function{audit.Identify}},
		{kindOf(wire.Libraries), false, nil},
		{kindOf(wire.Channels), false, nil},
		{kindOf(wire.Controller), false, nil},
		{kindOf(wire.Comparison), false, []audit.Function{audit.Analyse, audit.Identify}},
	} {
		needs := audit.PermitLogin
		if x.open {
			needs = audit.PermitQuery
		}
		out = append(out, probe.Question{Request: x.kind, Kind: x.kind, Needs: needs, Login: !x.open, Decides: x.decides})
	}
	return out
}

func wants(t audit.Target) bool {
	return probe.WebInterface(t) && (probe.MadeBy(t, makers...) || probe.Unclaimed(t))
}

// Data is what an observation of this module holds.
type Data struct {
	Realm    string         `json:"realm,omitempty"`    // of the challenge
	Code     int            `json:"code,omitempty"`     // ResponseCode, where it is not success
	Said     string         `json:"said,omitempty"`     // the device's words for that code
	Type     *int           `json:"type,omitempty"`     // DeviceType
	Channels int            `json:"channels,omitempty"` // entries of a list of channels
	Unused   int            `json:"unused,omitempty"`   // of these, empty slots
	Unasked  int            `json:"unasked,omitempty"`  // of these, not asked one by one
	Channel  *int           `json:"channel,omitempty"`  // the channel a rule belongs to
	Names    []string       `json:"names,omitempty"`    // capabilities that speak of faces
	Switches *wire.Switches `json:"switches,omitempty"`
	Tasks    []wire.Task    `json:"tasks,omitempty"` // orders to compare with libraries
	NoTasks  bool           `json:"no_tasks,omitempty"`
	Lib      []wire.Library `json:"libraries,omitempty"`
	Off      bool           `json:"off,omitempty"` // the face engine is known to be off: what hangs on it does nothing
}

// session is one conversation with one device.
type session struct {
	env   probe.Env
	asker *probe.Asker
	out   []audit.Observation
	model string
	typ   *int
	shut  bool // it wants a login that is not there
	many  bool // it is a recorder
	off   bool // the face engine of a camera or terminal is switched off
	face  bool // its switch was asked for
	gone  int  // questions answered with 404
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	if !env.Done.First(moduleName, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.uniview.progress", at.String()))
	s := &session{env: env, asker: &probe.Asker{Env: env, At: at, Secure: probe.Secure(at.Port()), Locked: wire.Locked}}
	defer s.asker.Close()
	if !s.who(ctx) || env.Brief || env.Guard.Permit() < audit.PermitLogin && s.shut {
		return s.out, nil
	}
	if s.many = kind(s.model, s.typ) == audit.KindRecorder; s.many {
		s.recorder(ctx)
	} else {
		s.camera(ctx)
	}
	return s.out, nil
}

func kindOf(p wire.Path) string { return "GET " + string(p) }

// goesOn reports whether another question is worth asking.
func (s *session) goesOn() bool { return !s.shut && s.asker.Stopped() == "" }

// codeOwn is the maker's own HTTP status. Most firmware refuses with it; some puts it on everything, success too.
const codeOwn = 599

// put asks one question and begins its observation. The maker's own words for success and refusal count: both come with HTTP
// 599 from some firmware, and a refusal with 200 from other. The data is nil unless the device answered what was asked.
func (s *session) put(ctx context.Context, p wire.Path, kind string, class audit.Class) (json.RawMessage, *audit.Observation, *Data) {
	s.asker.Withhold = wire.Withhold(p)
	r := s.asker.Ask(ctx, string(p))
	if len(s.out) == 0 && s.asker.Follow(r) {
		o := r.Observation(moduleName, kind, class, s.asker.At)
		s.keep(&o, &Data{})
		r = s.asker.Ask(ctx, string(p))
	}
	if r.Code == http.StatusNotFound {
		s.gone++
	}
	o := r.Observation(moduleName, kind, class, s.asker.At)
	d := &Data{Realm: r.Realm}
	a, err := wire.Read(r.Body)
	if err == nil || r.Realm != "" {
		s.env.Done.Found(moduleName)
	}
	switch {
	case err != nil:
		if r.Status == audit.OK {
			o.Status, o.Detail = audit.Malformed, err.Error()
		}
	case a.OK() && (r.Status == audit.OK || r.Code == codeOwn && a.Succeeded()):
		o.Status, o.Detail = audit.OK, ""
		return a.Data, &o, d
	default:
		d.Code, d.Said = a.Code, a.Text
		o.Status = said(a, o)
	}
	s.shut = s.shut || o.Status == audit.AuthRequired
	return nil, &o, d
}

// said is the status of an exchange in which the device said no.
func said(a wire.Answer, o audit.Observation) audit.Status {
	settled := o.Status != audit.OK && o.Status != audit.Inconclusive && o.Status != audit.NotSupported
	switch {
	case settled, a.OK():
		return o.Status
	case a.Locked():
		return audit.Locked
	case a.Denied() && o.Auth == "none":
		return audit.AuthRequired
	case a.Denied():
		return audit.Refused
	case a.NotSupported():
		return audit.NotSupported
	}
	return audit.Inconclusive
}

// keep ends an observation.
func (s *session) keep(o *audit.Observation, d *Data) {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, *o)
}

// misread marks an answer that is not the document asked for.
func misread(o *audit.Observation, err error) {
	o.Status, o.Detail = audit.Malformed, err.Error()
}

// who asks who the device is. It reports whether it answered over LAPI at all.
func (s *session) who(ctx context.Context) bool {
	answered := false
	for _, p := range []wire.Path{wire.BasicInfo, wire.DeviceInfo} {
		if s.model != "" || !s.goesOn() {
			break
		}
		data, o, d := s.put(ctx, p, kindOf(p), audit.ClassInventory)
		if data != nil {
			if who, err := wire.ReadDevice(data); err != nil {
				misread(o, err)
			} else {
				s.identify(o, d, who)
				answered = true
			}
		} else if d.Code != 0 { // it refuses in the maker's own document
			identity(o).Vendor, identity(o).Weak = makers[0], true
			answered = true
		}
		s.keep(o, d)
	}
	if !answered && s.goesOn() && !s.env.Brief && s.gone == len(s.out) {
		answered = s.engine(ctx) == audit.OK // white labels that do not say who they are
		if id := identity(&s.out[len(s.out)-1]); answered {
			id.Vendor, id.Weak = makers[0], true
		}
	}
	return answered
}

// engine asks for the switch of the face engine, once.
func (s *session) engine(ctx context.Context) (status audit.Status) {
	if s.face {
		return audit.Inconclusive
	}
	s.face = true
	return s.switches(ctx, wire.FaceEnable, kindOf(wire.FaceEnable), nil)
}

func (s *session) identify(o *audit.Observation, d *Data, who wire.Device) {
	s.model, s.typ, d.Type = cmp.Or(who.Model, s.model), who.Type, who.Type
	id := identity(o)
	id.Vendor, id.Model, id.Serial, id.Firmware, id.Name, id.Kind, id.Weak = cmp.Or(who.Maker, makers[0]), who.Model, who.Serial, who.Firmware, who.Name, kind(who.Model, who.Type), false
	if who.MAC != "" {
		id.MACs = []string{who.MAC}
	}
	id.Services = []string{"lapi"}
}

func identity(o *audit.Observation) *audit.Identity {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	return o.Identity
}

// kind reads the model, and the type where the model does not tell.
func kind(model string, typ *int) audit.Kind {
	m := strings.ToUpper(model)
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(m, p) })
	}
	switch {
	case strings.Contains(m, "NVR"), strings.Contains(m, "XVR"), strings.Contains(m, "DVR"):
		return audit.KindRecorder
	case starts("OET", "ET-", "OEH"):
		return audit.KindTerminal
	case starts("IPC", "HIC", "TIC"):
		return audit.KindCamera
	case typ != nil && *typ == 1:
		return audit.KindRecorder
	}
	return ""
}

// camera asks what a camera or a terminal does with faces.
func (s *session) camera(ctx context.Context) {
	s.capabilities(ctx)
	s.engine(ctx)
	if s.switches(ctx, wire.FaceRule, kindOf(wire.FaceRule), nil) == audit.NotSupported {
		zero := 0
		s.switches(ctx, wire.ChannelRule(zero), channelKind, &zero)
	}
	s.tasks(ctx)
	s.libraries(ctx)
	if s.controller(ctx) || kind(s.model, s.typ) == audit.KindTerminal {
		s.switches(ctx, wire.Comparison, kindOf(wire.Comparison), nil)
	}
}

// recorder asks what is behind a recorder, and what it does with the faces of each channel.
func (s *session) recorder(ctx context.Context) {
	channels := s.channels(ctx)
	s.capabilities(ctx)
	missing := 0
	for _, c := range channels[:min(len(channels), maxRules)] {
		if s.switches(ctx, wire.ChannelRule(c), channelKind, &c) == audit.NotSupported {
			missing++
		}
		if missing == 3 { // it has no such question
			break
		}
	}
	s.engine(ctx)
	s.tasks(ctx)
	s.libraries(ctx)
}

// one asks one question whose data is read by a function.
func (s *session) one(ctx context.Context, p wire.Path, kind string, class audit.Class, read func(json.RawMessage, *audit.Observation, *Data) error) audit.Status {
	if !s.goesOn() {
		return audit.Inconclusive
	}
	data, o, d := s.put(ctx, p, kind, class)
	if o.Status == audit.OK {
		if err := read(data, o, d); err != nil {
			misread(o, err)
		}
	}
	s.keep(o, d)
	return o.Status
}

func (s *session) capabilities(ctx context.Context) {
	s.one(ctx, wire.Capabilities, kindOf(wire.Capabilities), audit.ClassCapability, func(b json.RawMessage, _ *audit.Observation, d *Data) (err error) {
		d.Names, err = wire.ReadCapabilities(b)
		return err
	})
}

func (s *session) switches(ctx context.Context, p wire.Path, kind string, channel *int) audit.Status {
	return s.one(ctx, p, kind, audit.ClassConfig, func(b json.RawMessage, _ *audit.Observation, d *Data) error {
		d.Channel = channel
		x, err := wire.ReadSwitches(b)
		if err == nil {
			d.Switches, d.Off = &x, s.off
		}
		if p == wire.FaceEnable && !s.many {
			s.off = x.Enabled != nil && !*x.Enabled
		}
		return err
	})
}

func (s *session) tasks(ctx context.Context) {
	s.one(ctx, wire.Monitors, kindOf(wire.Monitors), audit.ClassConfig, func(b json.RawMessage, _ *audit.Observation, d *Data) error {
		tasks, whole, err := wire.ReadTasks(b)
		d.Off = s.off
		d.Tasks, d.NoTasks = tasks, whole && len(tasks) == 0
		return err
	})
}

func (s *session) libraries(ctx context.Context) {
	s.one(ctx, wire.Libraries, kindOf(wire.Libraries), audit.ClassCapability, func(b json.RawMessage, _ *audit.Observation, d *Data) (err error) {
		d.Lib, err = wire.ReadLibraries(b)
		return err
	})
}

// controller asks whether the device controls doors. What it answers is not read: that it answers is what matters.
func (s *session) controller(ctx context.Context) bool {
	return s.one(ctx, wire.Controller, kindOf(wire.Controller), audit.ClassInventory, func(b json.RawMessage, o *audit.Observation, _ *Data) error {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(b, &members); err != nil || len(members) == 0 {
			return wire.ErrOther
		}
		identity(o).Kind = audit.KindTerminal
		return nil
	}) == audit.OK
}

// channels asks which cameras are behind a recorder and returns their numbers.
func (s *session) channels(ctx context.Context) (ids []int) {
	s.one(ctx, wire.Channels, kindOf(wire.Channels), audit.ClassInventory, func(b json.RawMessage, o *audit.Observation, d *Data) error {
		cs, empty, err := wire.ReadChannels(b)
		if err != nil {
			return err
		}
		for _, c := range cs {
			x := audit.Channel{ID: fmt.Sprint(c.ID), Name: c.Name, Vendor: c.Maker, Model: c.Model, MAC: c.MAC, Addr: c.Addr, Online: c.Online}
			o.Behind, ids = append(o.Behind, x), append(ids, c.ID)
		}
		d.Channels, d.Unused, d.Unasked = len(cs)+empty, empty, max(len(cs)-maxRules, 0)
		identity(o).Channels = len(cs)
		return nil
	})
	return ids
}
