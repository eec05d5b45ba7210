// Package reolink asks Reolink's cameras and recorders over api.cgi who they are and, channel by channel, whether they can
// detect faces and do.
//
// The interface answers nothing without a session, and a session begins with the password as it is. So the login goes within
// TLS only, to a port that answered in the maker's own form before, once; the session is ended afterwards. Over plain text the
// device is recognised by how it refuses, and no more is asked.
//
// The maker is said to offer no recognition. That is knowledge of the maker and no answer of the device, and no command that is
// known would list it; so nothing is stated of recognition, not even that it is absent.
package reolink

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/reolink"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	moduleName = "reolink"
	maker      = "Reolink"
	mediaType  = "application/json"

	watchUsual = 30 * time.Second
	watchEvery = 2 * time.Second // the state is of the moment; a face in front of a camera lasts longer
)

// Kinds of observations.
const (
	kindWatch = "GetAiState watched"
	noToken   = "(withheld)"
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.reolink.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: probe.FaceFactsNamed(audit.FactName(audit.Detect, audit.Capable), audit.FactName(audit.Detect, audit.Active), probe.FactLiveMessages, probe.FactLiveSeconds),
		Asks:  asks(),
		Wants: func(t audit.Target) bool { return probe.WebInterface(t) && probe.MadeBy(t, maker) },
		Probe: ask, Derive: Derive,
	}
}

func asks() []probe.Question {
	q := func(c wire.Command, kind string, need audit.Permit, fs ...audit.Function) probe.Question {
		return probe.Question{Request: "POST " + wire.Path(c, ""), Kind: kind, Needs: need, Login: need > audit.PermitQuery, Decides: fs}
	}
	return []probe.Question{
		q(wire.DevInfo, string(wire.DevInfo), audit.PermitQuery),
		q(wire.Login, string(wire.Login), audit.PermitLogin),
		q(wire.Ability, string(wire.Ability), audit.PermitLogin),
		q(wire.AIState, string(wire.AIState), audit.PermitLogin, audit.Detect),
		q(wire.AIState, kindWatch, audit.PermitSample, audit.Detect),
		q(wire.Logout, string(wire.Logout), audit.PermitLogin),
	}
}

// Data is what an observation of this module holds.
type Data struct {
	Code     int    `json:"code,omitempty"` // rspCode of a refusal
	Type     string `json:"type,omitempty"` // "IPC", "NVR"
	Channels int    `json:"channels,omitempty"`
	Faces    []Face `json:"faces,omitempty"`
	Whole    bool   `json:"whole,omitempty"` // every channel said whether it can
	Looks    int    `json:"looks,omitempty"` // how often the state was read
	Seen     int    `json:"seen,omitempty"`  // how often a face began to be seen
}

// Face is what one channel says.
type Face struct {
	Channel   int   `json:"channel"`
	Supported *bool `json:"supported,omitempty"`
	Seen      bool  `json:"seen,omitempty"` // while it was watched
}

// session is one conversation with one device.
type session struct {
	env    probe.Env
	caller *probe.Caller
	token  string
	out    []audit.Observation
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	if !env.Done.First(moduleName, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.reolink.progress", at.String()))
	s := &session{env: env, caller: &probe.Caller{Env: env, At: at, Secure: probe.Secure(at.Port()), Show: wire.Show}}
	defer s.caller.Close()
	if !s.recognise(ctx) || env.Brief || env.Login == nil || env.Guard.Permit() < audit.PermitLogin {
		return s.out, nil
	}
	if !s.caller.Secure {
		env.Done.First(moduleName, 443)
		if s.caller.Turn(443); !s.recognise(ctx) {
			s.unsent("the login would show the password; it is sent within TLS only, and there is no TLS at port 443")
			return s.out, nil
		}
	}
	env.Done.Found(moduleName)
	if !s.login(ctx) {
		return s.out, nil
	}
	n := s.device(ctx)
	s.ability(ctx)
	s.states(ctx, n)
	s.logout(ctx)
	return s.out, nil
}

// put sends one command and begins its observation. as is nil where no answer in the maker's form came.
func (s *session) put(ctx context.Context, kind string, c wire.Command, q probe.Call, class audit.Class) (as []wire.Answer, o *audit.Observation, d *Data) {
	q.Method, q.Type, q.Path = http.MethodPost, mediaType, wire.Path(c, s.token)
	if s.token != "" {
		q.Shown, q.Auth, q.Need = wire.Path(c, noToken), probe.SessionAuth, audit.PermitLogin
	}
	a := s.caller.Call(ctx, q)
	as, o, d = s.read(a, kind, c, class)
	return as, o, d
}

// read turns an answer into an observation. The maker says no with HTTP 200.
func (s *session) read(a probe.Answer, kind string, c wire.Command, class audit.Class) ([]wire.Answer, *audit.Observation, *Data) {
	x := a.Observation(moduleName, kind, class, s.caller.At)
	d := &Data{}
	if x.Status != audit.OK {
		return nil, &x, d
	}
	as, err := wire.Read(a.Body)
	if err != nil {
		x.Status, x.Detail = audit.Malformed, wire.ErrOther.Error()
		return nil, &x, d
	}
	first, ok := wire.First(as, c)
	switch {
	case !ok:
		x.Status, x.Detail = audit.Malformed, "an answer to something else"
		return nil, &x, d
	case first.Code != 0:
		x.Status, x.Detail, d.Code = refusal(first.Error), first.Why, first.Error
	}
	return as, &x, d
}

func refusal(code int) audit.Status {
	switch code {
	case wire.CodeFull:
		return audit.Exhausted
	case wire.CodeNeedsLogin, wire.CodeToken:
		return audit.AuthRequired
	case wire.CodeNoLogin:
		return audit.Refused
	case wire.CodeNotSupport:
		return audit.NotSupported
	}
	return audit.Inconclusive
}

func (s *session) keep(o *audit.Observation, d *Data) {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, *o)
}

// recognise asks who the device is without a session, which it refuses in its own form. It reports whether it is one of the
// maker's, and turns to TLS where the port wants it.
func (s *session) recognise(ctx context.Context) bool {
	once := func() (bool, uint16) {
		a := s.caller.Call(ctx, probe.Call{Method: http.MethodPost, Type: mediaType, Path: wire.Path(wire.DevInfo, ""), Body: wire.Ask(wire.DevInfo)})
		as, o, d := s.read(a, string(wire.DevInfo), wire.DevInfo, audit.ClassInventory)
		if as != nil {
			id := identity(o)
			id.Vendor, id.Services = maker, []string{moduleName}
			s.describe(as, o, d)
		}
		s.keep(o, d)
		return as != nil, s.caller.TLSPort(a)
	}
	ok, turn := once()
	if !ok && turn != 0 {
		s.caller.Turn(turn)
		ok, _ = once()
	}
	return ok
}

func identity(o *audit.Observation) *audit.Identity {
	if o.Identity == nil {
		o.Identity = &audit.Identity{Weak: true}
	}
	return o.Identity
}

// describe reads who the device says it is and returns how many channels it has.
func (s *session) describe(as []wire.Answer, o *audit.Observation, d *Data) int {
	first, _ := wire.First(as, wire.DevInfo)
	dev, err := wire.ReadDevice(first)
	if err != nil || dev.Model == "" {
		return 0
	}
	id := identity(o)
	id.Model, id.Serial, id.Firmware, id.Hardware, id.Name, id.Weak = dev.Model, serial(dev.Serial), dev.Firmware, dev.Hardware, dev.Name, false
	id.Kind, id.Channels = kindOf(dev.Type), dev.Channels
	d.Type, d.Channels = dev.Type, dev.Channels
	return dev.Channels
}

// serial drops the row of zeros that the firmware has where nobody gave the device a number.
func serial(s string) string {
	if strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}

func kindOf(t string) audit.Kind {
	switch t = strings.ToUpper(t); {
	case strings.Contains(t, "NVR"):
		return audit.KindRecorder
	case strings.Contains(t, "IPC"):
		return audit.KindCamera
	}
	return ""
}

// unsent records that the login was not sent, and why.
func (s *session) unsent(why string) {
	s.keep(&audit.Observation{Module: moduleName, Kind: string(wire.Login), Class: audit.ClassInventory, Endpoint: s.caller.At, At: s.env.Clock(), Auth: "none",
		Status: audit.Denied, Detail: why}, &Data{})
}

// login opens the session.
func (s *session) login(ctx context.Context) bool {
	token := ""
	build := func(user, password string) probe.Call {
		return probe.Call{Method: http.MethodPost, Type: mediaType, Path: wire.Path(wire.Login, ""), Body: wire.SignIn(user, password), ShownBody: wire.SignIn(noToken, noToken)}
	}
	judge := func(a probe.Answer) string {
		as, err := wire.Read(a.Body)
		first, ok := wire.First(as, wire.Login)
		if err != nil || !ok {
			return "the answer to the login is none"
		}
		if token = wire.Token(first); token == "" {
			return fmt.Sprintf("the login was not accepted (%d) %s", first.Error, first.Why)
		}
		return ""
	}
	a, asked, why := s.caller.SignIn(ctx, build, judge)
	if !asked {
		s.unsent(why)
		return false
	}
	o := a.Observation(moduleName, string(wire.Login), audit.ClassInventory, s.caller.At)
	s.keep(&o, &Data{})
	s.token = token
	return why == "" && token != ""
}

// logout ends the session, of which a device has few.
func (s *session) logout(ctx context.Context) {
	a := s.caller.Finish(ctx, probe.Call{Method: http.MethodPost, Type: mediaType, Path: wire.Path(wire.Logout, s.token), Shown: wire.Path(wire.Logout, noToken),
		Body: wire.Ask(wire.Logout), Need: audit.PermitLogin, Auth: probe.SessionAuth})
	_, o, d := s.read(a, string(wire.Logout), wire.Logout, audit.ClassInventory)
	s.keep(o, d)
}
