// Package frigate asks Frigate, recorder software that can recognise faces in the pictures of any camera, whether it does, and
// in whose pictures. It asks without a login and only at ports that showed they are Frigate's. Where the program wants one,
// which it does at its port with TLS, nothing is known.
//
// The whole configuration can be read at the port without a login, the passwords of cameras and brokers in it: only what
// package faceserver names is taken from an answer before anything is recorded. The list of persons is never asked for.
//
// A computer runs other programs beside this one, so nothing here ever says that a server cannot recognise faces: of a
// version that knows nothing of them, nothing is said.
package frigate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	moduleName = "frigate"
	maker      = "Frigate" // as package fingerprint spells it
)

// ports are those the program is published at: without a login, and with TLS and one.
var ports = []uint16{5000, 8971}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.frigate.doc"),
		Needs: audit.PermitQuery,
		Web:   ports[0],
		Facts: specs(),
		Asks:  asks(),
		Wants: wants,
		Probe: ask,
		Hears: hears(), Dissect: Dissect,
		Derive: Derive,
	}
}

// specs declares the facts this module may state: nothing here analyses, and nothing compares one face with one.
func specs() []audit.FactSpec {
	names := []string{audit.FactName(audit.Capture, audit.Configured), probe.FactOutboundHosts, probe.FactOutboundFace, probe.FactLiveMessages, probe.FactIdentity}
	for _, l := range []audit.Level{audit.Capable, audit.Configured, audit.Active} {
		names = append(names, audit.FactName(audit.Detect, l), audit.FactName(audit.Identify, l))
	}
	return slices.DeleteFunc(probe.FaceFacts(), func(s audit.FactSpec) bool { return !slices.Contains(names, s.Name) })
}

func asks() []probe.Question {
	config := []audit.Function{audit.Detect, audit.Capture, audit.Identify}
	return []probe.Question{
		{Request: get(wire.FrigateVersion), Kind: get(wire.FrigateVersion), Needs: audit.PermitQuery},
		{Request: get(wire.FrigateConfig), Kind: get(wire.FrigateConfig), Needs: audit.PermitQuery, Decides: config},
		{Request: get(wire.FrigateStats), Kind: get(wire.FrigateStats), Needs: audit.PermitQuery, Decides: []audit.Function{audit.Detect, audit.Identify}},
	}
}

func get(p wire.Path) string { return "GET " + string(p) }

// wants: the port showed Frigate's page, or is one of Frigate's and showed nobody's.
func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	return probe.PageOf(t, maker) || probe.Unclaimed(t) && probe.Bare(t) || slices.Contains(ports, t.Addr.Port()) && probe.Bare(t)
}

// Data is what an observation of this module holds.
type Data struct {
	Version string        `json:"version,omitempty"`
	Knows   bool          `json:"knows_faces,omitempty"` // the version can recognise faces
	On      *bool         `json:"on,omitempty"`          // recognition, for all cameras
	Saves   int           `json:"saves,omitempty"`       // pictures of recognised faces that are kept
	Names   *bool         `json:"names,omitempty"`       // whether a model in use calls anything a face
	Cameras []wire.Camera `json:"cameras,omitempty"`
	Broker  string        `json:"broker,omitempty"`   // host of the MQTT broker events go to
	Speed   *float64      `json:"speed_ms,omitempty"` // of one recognition; there only while recognition is on
	Rate    float64       `json:"per_second,omitempty"`
	Idle    bool          `json:"idle,omitempty"` // recognition is on, and off for every camera
}

// session is one conversation with one port.
type session struct {
	asker *probe.Asker
	at    netip.AddrPort
	out   []audit.Observation
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, ports[0])
	if env.Brief || !env.Done.First(moduleName, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.frigate.progress", at.String()))
	if _, _, taken := env.Login.Use(); !taken || t.Method != "inventory" {
		env.Login = nil // nothing that is asked here wants one; a gate before the listed port has taken it already, or gets none
	}
	page, seen := env.Done.Page(at.Port())
	s := &session{at: at, asker: &probe.Asker{Env: env, At: at, Secure: page.Secure || !seen && at.Port() == ports[1]}}
	defer s.asker.Close()
	titled := slices.Contains(page.Makers, maker)
	version, ok := s.version(ctx, titled)
	if !ok {
		return s.out, nil
	}
	config, ok := s.config(ctx, version)
	if !ok {
		return s.out, nil
	}
	s.stats(ctx, idle(config))
	return s.out, nil
}

// put asks one question and begins its observation.
func (s *session) put(ctx context.Context, p wire.Path, class audit.Class, keep wire.Keep) (*probe.Reply, *audit.Observation) {
	s.asker.Withhold = keep
	r := s.asker.Ask(ctx, string(p))
	o := r.Observation(moduleName, get(p), class, s.at)
	return r, &o
}

func (s *session) keep(o *audit.Observation, d Data) {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, *o)
}

// identify says who answered.
func identify(o *audit.Observation, version string) {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	o.Identity.Kind, o.Identity.Vendor, o.Identity.Model, o.Identity.Firmware, o.Identity.Weak = audit.KindServer, maker, maker, version, false
	o.Identity.Services = []string{moduleName}
}

// built is a version with what it was built from, which is how this program writes its own at this path: "0.16.2-4d58206".
var built = regexp.MustCompile(`^0\.\d{2}\.\d{1,2}-[0-9a-f]{7,8}$`)

// version asks for the version. A number alone is nobody's: it counts where the page said whose it is, and hints where it is
// written as this program does.
func (s *session) version(ctx context.Context, titled bool) (string, bool) {
	r, o := s.put(ctx, wire.FrigateVersion, audit.ClassInventory, wire.KeepVersion)
	v := wire.Version(r.Body)
	switch {
	case r.Status == audit.OK && v == "":
		o.Status = audit.Malformed
	case r.Status == audit.OK && titled:
		identify(o, v)
	case r.Status == audit.OK && built.MatchString(v):
		identify(o, v)
		o.Identity.Weak = true
	}
	s.keep(o, Data{Version: v})
	return v, r.Status == audit.OK && v != ""
}

func (s *session) config(ctx context.Context, version string) (wire.Frigate, bool) {
	r, o := s.put(ctx, wire.FrigateConfig, audit.ClassConfig, wire.KeepFrigateConfig)
	if r.Status != audit.OK {
		s.keep(o, Data{})
		return wire.Frigate{}, r.Status == audit.Limited // that of very many cameras: the statistics are short
	}
	f, err := wire.ReadFrigate(r.Body)
	if err != nil {
		o.Status, o.Detail = audit.Malformed, err.Error()
		s.keep(o, Data{})
		return wire.Frigate{}, false
	}
	identify(o, version)
	o.Identity.Channels = len(f.Cameras)
	s.keep(o, Data{Version: version, Knows: f.Knows, On: f.On, Saves: f.Saves, Names: f.Names, Cameras: f.Cameras, Broker: f.Broker, Idle: idle(f)})
	return f, true
}

func (s *session) stats(ctx context.Context, idle bool) {
	r, o := s.put(ctx, wire.FrigateStats, audit.ClassLive, wire.KeepFrigateStats)
	d := Data{Idle: idle}
	if r.Status == audit.OK {
		run, err := wire.ReadFrigateStats(r.Body)
		if err != nil {
			o.Status, o.Detail = audit.Malformed, err.Error()
		}
		d.Speed, d.Rate = run.Speed, run.Rate
	}
	s.keep(o, d)
}

// idle reports whether recognition is on and no camera's pictures are given to it.
func idle(f wire.Frigate) bool {
	return f.On != nil && *f.On && !slices.ContainsFunc(f.Cameras, looksAt)
}

// looksAt reports whether faces are recognised in a camera's pictures where recognition is on. Versions before switches of a
// camera's own have one for all.
func looksAt(c wire.Camera) bool {
	return (c.On == nil || *c.On) && (c.Faces == nil || *c.Faces)
}

// wantsFaces reports whether a camera's pictures are to be searched for faces as a thing of their own, as models do that know
// them. A model that has no such name finds none; of one whose names are not listed it is not known.
func wantsFaces(c wire.Camera, d Data) bool {
	return c.Track && (c.On == nil || *c.On) && (c.Looks == nil || *c.Looks) && (d.Names == nil || *d.Names)
}

// Derive states the facts of one observation. Recognising a face is finding it and comparing it with those of known persons;
// keeping pictures of what was recognised is a capture. A camera that is to look for things called faces finds them, where the
// model has a name for them, in every version. What is switched off is said of recognition alone: a model that finds
// faces by itself has no such switch. A rate above nought is the server's own count of faces compared in the last seconds,
// matched or not, which makes it active; a rate of nought says nothing of a minute ago.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	if strings.HasPrefix(o.Kind, probe.Heard) {
		return deriveHeard(o)
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("frigate: data of %s: %w", o.Kind, err)
	}
	f := collect()
	switch {
	case o.Status != audit.OK:
	case o.Kind == get(wire.FrigateConfig):
		f.config(d)
	case o.Kind == get(wire.FrigateStats):
		f.stats(d)
	}
	return f.Sorted(), nil
}

// instance is the switch for all cameras, which the configuration shows and the statistics follow.
const instance = "face_recognition"

type facts struct{ probe.Facts }

func collect() *facts { return &facts{probe.Facts{ByLevel: true}} }

func (f *facts) config(d Data) {
	for _, c := range d.Cameras {
		key := "objects of camera " + c.Name
		if !wantsFaces(c, d) {
			continue
		}
		f.Say(audit.Capable, key, true, audit.Detect)
		if d.Names != nil {
			f.Say(audit.Configured, key, true, audit.Detect)
		}
	}
	if !d.Knows || d.On == nil {
		return
	}
	f.Say(audit.Capable, instance, true, audit.Detect, audit.Identify)
	if !*d.On {
		f.Say(audit.Configured, instance, false, audit.Identify)
		return
	}
	watched := false
	for _, c := range d.Cameras {
		key := "camera " + c.Name
		switch {
		case looksAt(c):
			watched = true
			f.Say(audit.Configured, key, true, audit.Detect, audit.Identify)
			if d.Saves > 0 {
				f.Say(audit.Configured, key, true, audit.Capture)
			}
		case c.Faces != nil && !*c.Faces:
			f.Say(audit.Configured, key, false, audit.Identify)
		}
	}
	if watched && d.Broker != "" && elsewhere(d.Broker) {
		f.Add(probe.FactOutboundHosts, "", []string{"mqtt-events mqtt://" + d.Broker}, audit.ClassOutbound)
		f.Add(probe.FactOutboundFace, d.Broker, true, audit.ClassOutbound) // every recognition is an event, matched or not
	}
}

func (f *facts) stats(d Data) {
	if d.Speed == nil || d.Idle {
		return
	}
	f.Say(audit.Capable, instance, true, audit.Detect, audit.Identify)
	f.Say(audit.Configured, instance, true, audit.Detect, audit.Identify)
	if d.Rate > 0 {
		f.Say(audit.Active, instance, true, audit.Detect, audit.Identify)
	}
}

// elsewhere reports a host that is not the machine itself, nor one that only its own containers know by name.
func elsewhere(host string) bool {
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return !ap.Addr().IsLoopback()
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return !a.IsLoopback()
	}
	return strings.Contains(host, ".")
}
