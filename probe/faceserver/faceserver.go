// Package faceserver asks programs that find, compare or recognise faces in pictures others send them: CodeProject.AI,
// CompreFace, InsightFace-REST, deepface, Viseron, Double Take. It asks without a login, by GET, at most three questions a port,
// and only at ports that showed whose they are or that are one product's own and showed nobody's. No picture is ever sent, and
// nothing that hands out persons is asked for.
//
// What such a program could do is capable. It is configured where a switch of its own is on: a module that is started, or
// cameras wired to a recogniser. A model that is merely loaded is no such switch: nothing happens until somebody sends a
// picture, and who does is not known here. Nothing ever says that a server cannot: a computer runs other programs too.
//
// DeepStack registers its face routes whether or not they are on and tells only in answer to a POST, which is not sent; Blue
// Iris, Shinobi, Scrypted, Home Assistant and others say nothing without a login. These are known by their front page (package
// web), and whether they recognise faces is unknown. So it is with vector stores and MQTT brokers: an open port proves nothing.
package faceserver

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "faceserver"

// product is one program.
type product struct {
	name  string   // as its makers call it
	maker string   // as package fingerprint spells it
	ports []uint16 // its own: it is asked there though the page does not say whose it is
	ask   func(ctx context.Context, s *session)
}

// products lists those that are asked.
func products() []product {
	return []product{
		{"CodeProject.AI", "CodeProject", []uint16{32168}, codeProject},
		{"CompreFace", "Exadel", []uint16{3000}, compreFace},
		{"InsightFace-REST", "InsightFace-REST", []uint16{18080, 18081}, insightFace},
		{"deepface", "deepface", nil, deepFace},
		{"Viseron", "Viseron", nil, viseron},
		{"Double Take", "Double Take", nil, doubleTake},
	}
}

// of returns the product at a target.
func of(t audit.Target) (product, bool) {
	for _, p := range products() {
		if probe.PageOf(t, p.maker) || slices.Contains(p.ports, t.Addr.Port()) && probe.Bare(t) {
			return p, true
		}
	}
	return product{}, false
}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.faceserver.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: specs(),
		Asks:  asks(),
		Wants: wants,
		Probe: ask,
		Hears: hears(), Dissect: Dissect,
		Derive: Derive,
	}
}

// specs declares the facts this module may state. Nothing it asks shows what such a program is doing at the moment; what is
// overheard does.
func specs() []audit.FactSpec {
	names := []string{audit.FactName(audit.Detect, audit.Configured), audit.FactName(audit.Identify, audit.Configured), probe.FactAttributesCapable,
		probe.FactOutboundHosts, probe.FactOutboundFace, probe.FactAttributesActive, probe.FactLiveMessages, probe.FactIdentity}
	for _, f := range []audit.Function{audit.Detect, audit.Analyse, audit.Verify, audit.Identify} {
		names = append(names, audit.FactName(f, audit.Capable), audit.FactName(f, audit.Active))
	}
	return slices.DeleteFunc(probe.FaceFacts(), func(s audit.FactSpec) bool { return !slices.Contains(names, s.Name) })
}

func asks() []probe.Question {
	var out []probe.Question
	add := func(p wire.Path, decides ...audit.Function) {
		out = append(out, probe.Question{Request: get(p), Kind: get(p), Needs: audit.PermitQuery, Decides: decides})
	}
	add(wire.CodeProjectModules, audit.Detect, audit.Identify)
	add(wire.CodeProjectStatus, audit.Detect, audit.Identify)
	add(wire.CodeProjectPing)
	add(wire.ComprefaceStatus)
	add(wire.ComprefaceCore)
	add(wire.InsightInfo)
	add(wire.DeepfaceAnalyze)
	add(wire.DeepfaceVerify)
	add(wire.DeepfaceSearch)
	add(wire.ViseronAuth)
	add(wire.ViseronConfig, audit.Detect, audit.Identify)
	add(wire.DoubleTakeConfig, audit.Detect, audit.Identify)
	return out
}

func get(p wire.Path) string { return "GET " + string(p) }

func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	_, ok := of(t)
	return ok
}

// Data is what an observation of this module holds.
type Data struct {
	Product   string          `json:"product,omitempty"` // only where the answer is the product's own
	Version   string          `json:"version,omitempty"`
	Module    string          `json:"module,omitempty"`    // CodeProject.AI's module for faces, where it is installed
	State     string          `json:"state,omitempty"`     // of that module, in the server's words
	Calls     int             `json:"calls,omitempty"`     // what that module was asked since it began; a test counts too
	Loaded    []string        `json:"loaded,omitempty"`    // plugins and models for faces
	Offers    []string        `json:"offers,omitempty"`    // what it answers requests for
	Auth      *bool           `json:"auth,omitempty"`      // whether it wants logins
	Uses      []string        `json:"uses,omitempty"`      // components that recognise faces
	Detectors []wire.Detector `json:"detectors,omitempty"` // services pictures are sent to for recognition
	Cameras   []wire.Camera   `json:"cameras,omitempty"`
	Wired     bool            `json:"wired,omitempty"` // pictures reach the recognition
}

// session is one conversation with one port.
type session struct {
	asker   *probe.Asker
	at      netip.AddrPort
	product product
	out     []audit.Observation
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	p, ok := of(t)
	at := t.Addr
	if !ok || at.Port() == 0 || env.Brief || !env.Done.First(moduleName, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.faceserver.progress", at.String(), p.name))
	env.Login = nil // nothing that is asked here is asked with one
	page, _ := env.Done.Page(at.Port())
	s := &session{at: at, product: p, asker: &probe.Asker{Env: env, At: at, Secure: page.Secure}}
	defer s.asker.Close()
	p.ask(ctx, s)
	return s.out, nil
}

// put asks one question, reads what is kept of the answer, and keeps the observation. read returns whether the answer is the
// product's own. It is called with an OK answer only.
func (s *session) put(ctx context.Context, p wire.Path, class audit.Class, keep wire.Keep, read func([]byte, *Data) bool) (own bool, r *probe.Reply) {
	s.asker.Withhold = keep
	r = s.asker.Ask(ctx, string(p))
	o := r.Observation(moduleName, get(p), class, s.at)
	var d Data
	if r.Status == audit.OK {
		if own = read(r.Body, &d); !own {
			o.Status, d = audit.Malformed, Data{}
		}
	}
	s.keep(o, d)
	return own, r
}

// keep ends an observation: an answer that is the product's own says who the server is.
func (s *session) keep(o audit.Observation, d Data) {
	if d.Product != "" {
		if o.Identity == nil {
			o.Identity = &audit.Identity{}
		}
		id := o.Identity
		id.Kind, id.Vendor, id.Model, id.Firmware, id.Weak = audit.KindServer, s.product.maker, s.product.name, d.Version, false
		id.Services, id.Channels = []string{moduleName}, len(d.Cameras)
	}
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, o)
}
