// Package viid asks whether a server speaks GA/T 1400, the interface by which Chinese surveillance platforms pass faces,
// persons and vehicles on, with the standard's one request that reads nothing of anybody: the time. What else such a server
// has is personal data, belongs to its operator, and is never asked for. That a server answers does not say that faces pass through
// it; requests that are overheard on their way to one do, and of them only names of members and counts are kept.
package viid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/viid"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	name     = "viid"
	timePath = "/VIID/System/Time"
	kindTime = "GET " + timePath
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  name,
		Doc:   msg.Text("probe.viid.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: probe.FaceFacts(), // of what is overheard; that a server could be sent faces proves nothing about them
		Asks:  []probe.Question{{Request: kindTime, Kind: kindTime, Needs: audit.PermitQuery}},
		Wants: wants,
		Probe: ask,
		Hears: []capture.Proto{capture.ProtoHTTP},

		Dissect: Dissect,
		Derive:  Derive,
	}
}

// ports are where such servers were seen; the standard names none.
func ports() []uint16 { return []uint16{14000, 10008, 19101, 8120, 9999} }

// shared are ports where they are too, and where so is everything else.
func shared() []uint16 { return []uint16{80, 8080} }

// wants: the port is one of theirs, or one of everybody's, or named by the inventory, and its page says neither what it is nor
// whose: these servers have an interface for other machines and no page. At a listed port the error of the web server in front
// may have a title. A camera must not be asked for what it has not.
func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	listed := t.Method == "inventory"
	return slices.Contains(ports(), t.Addr.Port()) || probe.Bare(t) && (listed || slices.Contains(shared(), t.Addr.Port())) || probe.Pageless(t) && listed
}

// Data is what an observation of this module holds.
type Data struct {
	Server string `json:"server,omitempty"` // its number of 20 digits
	Mode   string `json:"mode,omitempty"`   // how it keeps time
	Realm  string `json:"realm,omitempty"`  // where it wants a login even for the time
}

// ask asks for the time, once and without a login: one would make us a device of the platform.
func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := t.Addr
	own := slices.Contains(ports(), at.Port())
	if !own && (env.Done.Identified() || env.Done.Has("onvif:answered")) { // it said which camera it is, or speaks as one
		return nil, nil
	}
	if !env.Done.First(name, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.viid.progress", at.String()))
	env.Login = nil
	a := &probe.Asker{Env: env, At: at}
	defer a.Close()
	r := a.Ask(ctx, timePath)
	o := r.Observation(name, kindTime, audit.ClassInventory, at)
	d, ok := parse(r.Body)
	switch {
	case r.Code == http.StatusOK && ok:
		o.Identity = &audit.Identity{Kind: audit.KindServer, Serial: d.Server, Services: []string{name}}
	case r.Code == http.StatusUnauthorized && r.Realm != "":
		// Servers that protect everything but registration answer so; so does any that protects everything, its page too.
		d.Realm = r.Realm
		if page, seen := env.Done.Page(at.Port()); !seen || page.Code != http.StatusUnauthorized {
			o.Identity = &audit.Identity{Kind: audit.KindServer, Weak: true}
		}
	case r.Code == http.StatusOK:
		o.Status = audit.Malformed
	}
	var err error
	if o.Data, err = json.Marshal(d); err != nil {
		return nil, fmt.Errorf("viid: %w", err)
	}
	return []audit.Observation{o}, nil
}

// parse reads the answer; ok is false where it is none of this standard.
func parse(b []byte) (d Data, ok bool) {
	var m struct {
		Time *struct {
			Server string          `json:"VIIDServerID"`
			Mode   json.RawMessage `json:"TimeMode"` // text or number
			Local  string          `json:"LocalTime"`
		} `json:"SystemTimeObject"`
		Wrapped *struct {
			Server string `json:"VIIDServerID"`
			Local  string `json:"LocalTime"`
		} `json:"SystemTime"` // as some write it
	}
	if json.Unmarshal(b, &m) != nil {
		return Data{}, false
	}
	switch {
	case m.Time != nil && (m.Time.Server != "" || m.Time.Local != ""):
		d = Data{Server: wire.Number(m.Time.Server), Mode: clean.Text(strings.Trim(string(m.Time.Mode), `"`), 20)}
	case m.Wrapped != nil && (m.Wrapped.Server != "" || m.Wrapped.Local != ""):
		d = Data{Server: wire.Number(m.Wrapped.Server)}
	default:
		return Data{}, false
	}
	return d, true
}
