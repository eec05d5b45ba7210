package viid

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/viid"
	"github.com/mingshi-audit/mingshi/probe"
)

// Message is what one overheard request shows.
type Message struct {
	What       wire.What `json:"what"`
	To         string    `json:"to,omitempty"`      // host and port of who is sent faces, or is to be
	Relayed    bool      `json:"relayed,omitempty"` // another device found them
	Faces      bool      `json:"faces,omitempty"`
	Pictures   bool      `json:"pictures,omitempty"`
	Attributes []string  `json:"attributes,omitempty"`
	Compared   bool      `json:"compared,omitempty"`
	Person     bool      `json:"person,omitempty"`
	Template   bool      `json:"template,omitempty"`
}

// Dissect reads requests on their way to a platform. The sender is a device or a lower platform: what it sends for another device
// shows where faces go, and nothing it does itself.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if f.Answer != nil || f.Request == nil {
		return nil, nil
	}
	what := wire.WhatIs(f.Request.Target)
	if what == "" {
		return nil, nil
	}
	sender := wire.Number(f.Request.Header.Get(wire.Header))
	o := audit.Observation{Module: name, Kind: probe.Heard + string(what), Class: audit.ClassLive, Endpoint: probe.Client(f), Status: audit.OK,
		Identity: &audit.Identity{Serial: sender, Kind: wire.KindOf(sender), Services: []string{name}}}
	x := Message{What: what}
	switch {
	case what == wire.Other || what == wire.Register:
		o.Class = audit.ClassInventory
		x.What, o.Kind = wire.Register, probe.Heard+string(wire.Register)
	case f.Request.Method != http.MethodPost || len(f.Request.Body) == 0:
		return nil, nil
	default:
		m, err := wire.Read(f.Request.Body)
		if err != nil {
			return nil, fmt.Errorf("viid: %s: %w", what, err)
		}
		if what == wire.Subscription {
			return subscription(f, m)
		}
		if m.Faces == 0 {
			return nil, nil
		}
		x = Message{What: what, To: f.Server.Addr.String(), Faces: true, Pictures: m.Pictures, Attributes: m.Attributes, Compared: m.Compared, Person: m.Person, Template: m.Template,
			Relayed: what == wire.Notifications || sender != "" && len(m.Devices) > 0 && !slices.Contains(m.Devices, sender)}
	}
	data, err := json.Marshal(x)
	o.Data = data
	return []audit.Observation{o}, err
}

// faces is the code of faces in a subscription.
const faces = "12"

// subscription: somebody asks the other side to be sent faces. It is the other side that is to send them.
func subscription(f *capture.Flow, m wire.Message) ([]audit.Observation, error) {
	if !slices.Contains(m.Wanted, faces) {
		return nil, nil
	}
	to := m.Receiver
	if to == "" {
		to = f.Client.Addr.Addr().String()
	}
	data, err := json.Marshal(Message{What: wire.Subscription, To: to})
	return []audit.Observation{{Module: name, Kind: probe.Heard + string(wire.Subscription), Class: audit.ClassOutbound, Endpoint: f.Server.Addr, Status: audit.OK,
		Identity: &audit.Identity{Kind: audit.KindServer, Services: []string{name}}, Data: data}}, err
}

// Derive states the facts of what was overheard. That a server answers, or a device makes itself known, says nothing of faces.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 || o.Seen == nil {
		return nil, nil
	}
	var x Message
	if err := json.Unmarshal(o.Data, &x); err != nil {
		return nil, fmt.Errorf("viid: data of %s: %w", o.Kind, err)
	}
	var out []audit.Fact
	add := func(name, key string, v any, class audit.Class) {
		f := audit.NewFact(name, key, v)
		f.Class = class
		out = append(out, f)
	}
	if x.To != "" {
		add(probe.FactOutboundHosts, "", []string{"gat1400 http://" + x.To}, audit.ClassOutbound)
		add(probe.FactOutboundFace, "http://"+x.To, true, audit.ClassOutbound)
	}
	if !x.Faces || x.Relayed {
		slices.SortFunc(out, audit.CompareFacts)
		return out, nil
	}
	key := "GA/T 1400 " + string(x.What)
	for _, fn := range x.functions() {
		add(audit.FactName(fn, audit.Capable), key, true, "")
		add(audit.FactName(fn, audit.Active), key, true, "")
	}
	if len(x.Attributes) > 0 {
		add(probe.FactAttributesActive, "", x.Attributes, "")
	}
	if x.Pictures {
		add(probe.FactCrops, key, true, "")
	}
	if x.Person {
		add(probe.FactIdentity, key, true, "")
	}
	add(probe.FactLiveMessages, "", o.Seen.Count, "")
	slices.SortFunc(out, audit.CompareFacts)
	return out, nil
}

// functions: a face object is a face that was found and kept apart; a hit of a watch list, and a degree of likeness, a comparison with
// a library.
func (x Message) functions() []audit.Function {
	out := []audit.Function{audit.Detect, audit.Capture}
	if len(x.Attributes) > 0 {
		out = append(out, audit.Analyse)
	}
	if x.Compared || x.What == wire.Hits {
		out = append(out, audit.Identify)
	}
	return out
}
