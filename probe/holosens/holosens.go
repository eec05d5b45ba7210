// Package holosens asks Huawei's HoloSens cameras over their northbound interface who they are, how many face libraries they
// have and whether those are armed, and where their metadata goes. It asks only where something already points to that maker,
// by digest and with the device's one login. A library that is armed shows that faces are compared with it; one that merely
// exists shows that they could be. Whether faces are detected or captured is not said by any question that is known.
package holosens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/holosens"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	moduleName = "holosens"
	maker      = "Huawei"
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.holosens.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: probe.FaceFactsNamed(audit.FactName(audit.Identify, audit.Capable), audit.FactName(audit.Identify, audit.Configured), probe.FactOutboundHosts),
		Asks:  asks(),
		Wants: func(t audit.Target) bool {
			return probe.WebInterface(t) && (probe.MadeBy(t, maker) || probe.Unclaimed(t))
		},
		Probe: ask, Derive: Derive,
	}
}

func kind(p wire.Path) string { return "GET " + string(p) }

func asks() []probe.Question {
	q := func(p wire.Path, fs ...audit.Function) probe.Question {
		return probe.Question{Request: kind(p), Kind: kind(p), Needs: audit.PermitLogin, Login: true, Decides: fs}
	}
	who := q(wire.System)
	who.Needs = audit.PermitQuery // the challenge alone says something
	return []probe.Question{who, q(wire.DeviceID), q(wire.Libraries, audit.Identify), q(wire.Subscriptions)}
}

// Data is what an observation of this module holds.
type Data struct {
	Realm     string   `json:"realm,omitempty"`
	Channels  int      `json:"channels,omitempty"`
	Libraries *Lists   `json:"libraries,omitempty"`
	Receivers []string `json:"receivers,omitempty"` // "https://host:port", "host:port"
}

// Lists is what a camera says of its face libraries.
type Lists struct {
	Count   int       `json:"count"`
	Counted bool      `json:"counted,omitempty"` // the camera gives the same number
	Each    []Library `json:"each,omitempty"`
}

// Library is one of them, by the camera's number for it or its place in the list; its name is not kept.
type Library struct {
	Key   string `json:"key"`
	Armed *bool  `json:"armed,omitempty"`
}

type session struct {
	env   probe.Env
	asker *probe.Asker
	out   []audit.Observation
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	switch {
	case env.Brief && env.Login == nil: // the maker is known, and nothing more is said without a login
		return nil, nil
	case !env.Done.First(moduleName, at.Port()):
		return nil, nil
	}
	env.Progress(msg.Text("probe.holosens.progress", at.String()))
	s := &session{env: env, asker: &probe.Asker{Env: env, At: at, Secure: probe.Secure(at.Port()), Withhold: wire.Withhold}}
	defer s.asker.Close()
	if !s.who(ctx) || env.Brief {
		return s.out, nil
	}
	s.put(ctx, wire.DeviceID, audit.ClassInventory, func(b []byte, o *audit.Observation, d *Data) (err error) {
		if d.Channels, err = wire.ReadChannels(b); err == nil {
			identity(o).Channels = d.Channels
		}
		return err
	})
	s.put(ctx, wire.Libraries, audit.ClassConfig, func(b []byte, _ *audit.Observation, d *Data) error {
		l, err := wire.ReadLibraries(b)
		if err == nil {
			d.Libraries = lists(l)
		}
		return err
	})
	s.put(ctx, wire.Subscriptions, audit.ClassOutbound, func(b []byte, _ *audit.Observation, d *Data) (err error) {
		d.Receivers, err = wire.ReadReceivers(b)
		return err
	})
	return s.out, nil
}

// who asks who the device is and reports whether it answered.
func (s *session) who(ctx context.Context) bool {
	read := func(b []byte, o *audit.Observation, _ *Data) error {
		d, err := wire.ReadSystem(b)
		if err != nil {
			return err
		}
		id := identity(o)
		id.Vendor, id.Model, id.Serial, id.Firmware, id.Hardware, id.MACs = d.Vendor, d.Model, d.Serial, d.Firmware, d.Hardware, d.MACs
		id.Services, id.Weak = []string{moduleName}, false
		return nil
	}
	r, ok := s.put(ctx, wire.System, audit.ClassInventory, read)
	if s.asker.Follow(r) {
		r, ok = s.put(ctx, wire.System, audit.ClassInventory, read)
	}
	if ok || r.Code == http.StatusUnauthorized {
		s.env.Done.Found(moduleName)
	}
	return ok
}

// put asks one question and keeps its observation. It reports whether the answer was the document asked for.
func (s *session) put(ctx context.Context, p wire.Path, class audit.Class, read func([]byte, *audit.Observation, *Data) error) (*probe.Reply, bool) {
	r := s.asker.Ask(ctx, string(p))
	o := r.Observation(moduleName, kind(p), class, s.asker.At)
	d := &Data{Realm: r.Realm}
	if r.Status == audit.OK {
		if err := read(r.Body, &o, d); errors.Is(err, wire.ErrOther) {
			o.Status, o.Detail = audit.Malformed, wire.ErrOther.Error()
		}
	}
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, o)
	return r, o.Status == audit.OK
}

func identity(o *audit.Observation) *audit.Identity {
	if o.Identity == nil {
		o.Identity = &audit.Identity{Weak: true}
	}
	return o.Identity
}

func lists(l wire.Lists) *Lists {
	out := &Lists{Count: len(l.Libraries), Counted: l.Counted}
	seen := map[string]bool{}
	for i, x := range l.Libraries {
		key := fmt.Sprintf("library %d", x.ID)
		if x.ID < 0 || seen[key] {
			key = fmt.Sprintf("library at place %d", i+1)
		}
		seen[key] = true
		out.Each = append(out.Each, Library{Key: key, Armed: x.Armed})
	}
	return out
}

// Derive states what the libraries and the receivers show. That there is no library is no statement: a camera may compare with
// one that a platform holds.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 || o.Status != audit.OK {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("holosens: data of %s: %w", o.Kind, err)
	}
	var f probe.Facts
	say := func(l audit.Level, key string, v bool) { f.Say(l, key, v, audit.Identify) }
	if d.Libraries != nil {
		say(audit.Capable, "libraries", true) // the application that keeps them is there
		all := d.Libraries.Counted && o.Auth != "none" && !slices.ContainsFunc(d.Libraries.Each, func(l Library) bool { return l.Armed == nil })
		for _, l := range d.Libraries.Each {
			say(audit.Capable, l.Key, true)
			if l.Armed != nil && (*l.Armed || all) { // one that is off says nothing of those that were not listed
				say(audit.Configured, l.Key, *l.Armed)
			}
		}
	}
	if len(d.Receivers) > 0 {
		var hosts []string
		for _, r := range d.Receivers {
			hosts = append(hosts, "metadata "+r)
		}
		f.Add(probe.FactOutboundHosts, "", hosts, audit.ClassOutbound)
	}
	return f.Sorted(), nil
}
