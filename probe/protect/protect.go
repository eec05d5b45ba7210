// Package protect asks UniFi Protect what smart detection its cameras could do and are set to, and whether the console
// recognises faces. One document answers all of it, the bootstrap, and it is handed out within a session only, which begins
// with the password as it is. So the login goes within TLS only, to a console that answered the document's address with a
// refusal before, once; the session is ended afterwards. Where a gate before the console wants a digest, the document is asked
// for with that instead. A listed device that shows no maker is asked for the document's address, and gets no password.
//
// The document also holds accounts, persons' names and keys. It is read in memory; of what is recorded, values stay only where
// they decide.
package protect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/protect"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	moduleName = "protect"
	maker      = "Ubiquiti"

	kindBootstrap = "GET " + wire.Bootstrap
	kindLogin     = "POST " + wire.LoginAt
	kindLogout    = "POST " + wire.LogoutAt

	maxBody  = 8 << 20 // a console with hundred cameras writes some megabytes
	withheld = "(withheld)"
)

// Module returns the module.
func Module() probe.Module {
	q := func(kind string, need audit.Permit, fs ...audit.Function) probe.Question {
		return probe.Question{Request: kind, Kind: kind, Needs: need, Login: true, Decides: fs}
	}
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.protect.doc"),
		Needs: audit.PermitQuery,
		Web:   443,
		Facts: probe.FaceFactsNamed(audit.FactName(audit.Detect, audit.Capable), audit.FactName(audit.Detect, audit.Configured),
			audit.FactName(audit.Identify, audit.Capable), audit.FactName(audit.Identify, audit.Configured)),
		Asks: []probe.Question{q(kindBootstrap, audit.PermitQuery, audit.Detect, audit.Identify),
			q(kindLogin, audit.PermitLogin), q(kindLogout, audit.PermitLogin)},
		Wants: func(t audit.Target) bool {
			return probe.WebInterface(t) && (probe.MadeBy(t, maker) || probe.Unclaimed(t))
		},
		Probe: ask, Derive: Derive,
	}
}

// Data is what an observation of this module holds.
type Data struct {
	Recognises *bool    `json:"recognises,omitempty"` // nvr.smartDetection.faceRecognition
	Detects    *bool    `json:"detects,omitempty"`    // nvr.smartDetection.enable
	Cameras    []Camera `json:"cameras,omitempty"`
}

// Camera is what the console says of one camera; its name is not kept.
type Camera struct {
	Key   string `json:"key"`
	Could *bool  `json:"could,omitempty"` // featureFlags.smartDetectTypes has face
	Set   *bool  `json:"set,omitempty"`   // smartDetectSettings.objectTypes has face
}

type session struct {
	env    probe.Env
	caller *probe.Caller
	out    []audit.Observation
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 443)
	switch {
	case env.Brief && (env.Login == nil || !probe.MadeBy(t, maker)): // the maker is known, and nothing more is said without a login
		return nil, nil
	case !env.Done.First(moduleName, at.Port()):
		return nil, nil
	}
	env.Progress(msg.Text("probe.protect.progress", at.String()))
	s := &session{env: env, caller: &probe.Caller{Env: env, At: at, Secure: probe.Secure(at.Port()), MaxBody: maxBody, Show: wire.Show}}
	defer s.caller.Close()
	a := s.bootstrap(ctx, nil)
	if port := s.caller.TLSPort(a); port != 0 {
		s.caller.Turn(port)
		a = s.bootstrap(ctx, nil)
	}
	if !refuses(a) || env.Brief || env.Login == nil || env.Guard.Permit() < audit.PermitLogin {
		return s.out, nil // answered, no such application, or nothing to log in with
	}
	if a.Realm != "" {
		s.digest(ctx)
		return s.out, nil
	}
	if !probe.MadeBy(t, maker) {
		return s.out, nil
	}
	if !s.caller.Secure {
		env.Done.First(moduleName, 443)
		s.caller.Turn(443)
		if a = s.bootstrap(ctx, nil); !refuses(a) {
			s.unsent("the login would show the password; it is sent within TLS only, and the console was not found there")
			return s.out, nil
		}
	}
	env.Done.Found(moduleName)
	if with := s.login(ctx); with != nil {
		s.bootstrap(ctx, with)
		s.logout(ctx, with)
	}
	return s.out, nil
}

// refuses reports whether the document wants a session.
func refuses(a probe.Answer) bool {
	return a.Code == http.StatusUnauthorized || a.Code == http.StatusForbidden
}

// unsent records that the login was not sent, and why.
func (s *session) unsent(why string) {
	s.out = append(s.out, audit.Observation{Module: moduleName, Kind: kindLogin, Class: audit.ClassInventory, Endpoint: s.caller.At, At: s.env.Clock(), Auth: "none",
		Status: audit.Denied, Detail: why})
}

// bootstrap asks for the document, within a session where there is one.
func (s *session) bootstrap(ctx context.Context, with http.Header) probe.Answer {
	q := probe.Call{Method: http.MethodGet, Path: wire.Bootstrap, Header: with}
	if with != nil {
		q.Need, q.Auth = audit.PermitLogin, probe.SessionAuth
	}
	a := s.caller.Call(ctx, q)
	if a.Status == audit.Refused && with == nil {
		a.Status = audit.AuthRequired // this interface says 403 to whoever has no session
	}
	s.read(a.Reply, a.Body)
	return a
}

// digest asks for the document with the device's login, where what stands before it asks for a digest.
func (s *session) digest(ctx context.Context) {
	var body []byte
	a := &probe.Asker{Env: s.env, At: s.caller.At, Secure: s.caller.Secure, Withhold: func(b []byte) []byte {
		body = b
		return wire.Show(b)
	}}
	defer a.Close()
	s.read(a.Ask(ctx, wire.Bootstrap), body)
}

// read keeps what became of the document.
func (s *session) read(r *probe.Reply, body []byte) {
	o := r.Observation(moduleName, kindBootstrap, audit.ClassConfig, s.caller.At)
	if o.Status == audit.OK {
		if c, err := wire.ReadBootstrap(body); err != nil {
			o.Status, o.Detail = audit.Malformed, wire.ErrOther.Error()
		} else {
			describe(&o, c)
		}
	}
	s.out = append(s.out, o)
}

// describe writes what was read into the observation.
func describe(o *audit.Observation, c wire.Console) {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	id := o.Identity
	id.Vendor, id.Model, id.Firmware, id.Kind, id.Channels, id.Services, id.Weak = maker, c.Model, c.Firmware, audit.KindRecorder, len(c.Cameras), []string{moduleName}, false
	if c.MAC != "" {
		id.MACs = []string{c.MAC}
	}
	d := Data{Recognises: c.Recognises, Detects: c.Detects}
	for i, x := range c.Cameras {
		key := "camera " + x.ID
		if x.ID == "" || slices.ContainsFunc(d.Cameras, func(y Camera) bool { return y.Key == key }) {
			key = fmt.Sprintf("camera at place %d", i+1)
		}
		cam := Camera{Key: key}
		if x.CouldOK {
			cam.Could = flag(wire.Face(x.Could))
		}
		if x.SetOK {
			cam.Set = flag(wire.Face(x.Set))
		}
		d.Cameras = append(d.Cameras, cam)
		behind := audit.Channel{ID: key, Vendor: maker, Model: x.Model, MAC: x.MAC, Online: x.Online}
		if x.Addr.IsValid() {
			behind.Addr = netip.AddrPortFrom(x.Addr, 0)
		}
		o.Behind = append(o.Behind, behind)
	}
	if b, err := json.Marshal(d); err == nil {
		o.Data = b
	}
}

func flag(b bool) *bool { return &b }

// login opens the session and returns what opens the document with it, nil where there is none.
func (s *session) login(ctx context.Context) http.Header {
	build := func(user, password string) probe.Call {
		return probe.Call{Method: http.MethodPost, Path: wire.LoginAt, Type: "application/json", Body: wire.SignIn(user, password), ShownBody: wire.SignIn(withheld, withheld)}
	}
	judge := func(a probe.Answer) string {
		if a.Code != http.StatusOK {
			return fmt.Sprintf("the login was not accepted (HTTP %d)", a.Code)
		}
		if wire.Session(a.Header) == nil {
			return "the login was answered without a session"
		}
		return ""
	}
	a, asked, why := s.caller.SignIn(ctx, build, judge)
	if !asked {
		s.unsent(why)
		return nil
	}
	s.out = append(s.out, a.Observation(moduleName, kindLogin, audit.ClassInventory, s.caller.At))
	if why != "" {
		return nil
	}
	return wire.Session(a.Header)
}

func (s *session) logout(ctx context.Context, with http.Header) {
	a := s.caller.Finish(ctx, probe.Call{Method: http.MethodPost, Path: wire.LogoutAt, Type: "application/json", Header: with, Need: audit.PermitLogin, Auth: probe.SessionAuth})
	s.out = append(s.out, a.Observation(moduleName, kindLogout, audit.ClassInventory, s.caller.At))
}

// Derive states what the bootstrap says of faces. A camera that is set to detect what it cannot is taken for a leftover of the
// settings. Detection and recognition count as switched on only while the console's switch above them is not off. That a camera cannot is not stated:
// another device of the maker may do it for it.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if o.Kind != kindBootstrap || o.Status != audit.OK || len(o.Data) == 0 {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("protect: data of %s: %w", o.Kind, err)
	}
	var f probe.Facts
	is := func(b *bool, v bool) bool { return b != nil && *b == v }
	for _, c := range d.Cameras {
		if is(c.Could, true) {
			f.Say(audit.Capable, c.Key, true, audit.Detect)
		}
		if c.Set != nil && !is(c.Could, false) && (*c.Set && !is(d.Detects, false) || !*c.Set && c.Could != nil) {
			f.Say(audit.Configured, c.Key, *c.Set, audit.Detect)
		}
	}
	if d.Recognises != nil {
		f.Say(audit.Capable, "console", true, audit.Identify)
		if !*d.Recognises || !is(d.Detects, false) {
			f.Say(audit.Configured, "console", *d.Recognises, audit.Identify)
		}
	}
	return f.Sorted(), nil
}
