package viid

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/viid"
	"github.com/mingshi-audit/mingshi/probe"
)

// heardPlatform is the kind of an answer by which a platform takes what it was sent.
const heardPlatform = probe.Heard + "platform"

// Message is what one overheard request shows.
type Message struct {
	What       wire.What `json:"what"`
	ID         string    `json:"id,omitempty"`      // the sender's number
	To         string    `json:"to,omitempty"`      // host and port of who is sent faces, or asks to be
	Relayed    bool      `json:"relayed,omitempty"` // another device found them, or nobody says who sends them
	Faces      bool      `json:"faces,omitempty"`
	Pictures   bool      `json:"pictures,omitempty"`
	Attributes []string  `json:"attributes,omitempty"`
	Compared   bool      `json:"compared,omitempty"`
	Person     bool      `json:"person,omitempty"`
	Template   bool      `json:"template,omitempty"`
}

// Dissect reads requests on their way to a platform, and that a platform takes them. The sender is a device or a lower platform:
// what it sends for another device shows where faces go, and nothing it does itself.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if f.Request == nil {
		return nil, nil
	}
	what := wire.WhatIs(f.Request.Target)
	if what == "" {
		return nil, nil
	}
	if f.Answer != nil {
		return platform(f), nil
	}
	number := wire.Number(f.Request.Header.Get(wire.Header))
	posted := f.Request.Method == http.MethodPost && len(f.Request.Body) > 0
	switch what {
	case wire.Faces, wire.Persons, wire.Notifications, wire.Hits, wire.Subscription:
		if !posted {
			return nil, nil
		}
		read := wire.Read
		if f.Request.Cut != 0 && what != wire.Subscription {
			read = wire.ReadCut
		}
		m, err := read(f.Request.Body)
		if err != nil {
			return nil, fmt.Errorf("viid: %s: %w", what, err)
		}
		if what == wire.Subscription {
			return subscription(f, m)
		}
		return faces(f, what, number, m)
	case wire.Register:
		if !posted {
			return nil, nil
		}
	default:
		if number == "" { // anybody may ask for the time
			return nil, nil
		}
	}
	return one(f, probe.Heard+string(wire.Register), audit.ClassInventory, Message{What: wire.Register, ID: number})
}

// one is one observation of who sent the request. Numbers are given by hand, and many devices keep the one of the manual: they are
// no serial numbers.
func one(f *capture.Flow, kind string, class audit.Class, x Message) ([]audit.Observation, error) {
	data, err := json.Marshal(x)
	return []audit.Observation{{Module: name, Kind: kind, Class: class, Endpoint: probe.Client(f), Status: audit.OK, Data: data,
		Identity: &audit.Identity{Kind: wire.KindOf(x.ID), Services: []string{name}, Weak: true}}}, err
}

// faces: somebody sends faces that were found.
func faces(f *capture.Flow, what wire.What, number string, m wire.Message) ([]audit.Observation, error) {
	if m.Faces == 0 {
		return nil, nil
	}
	sender := strings.TrimSpace(f.Request.Header.Get(wire.Header))
	own := len(m.Devices) == 0 || slices.Contains(m.Devices, sender)
	return one(f, probe.Heard+string(what), audit.ClassLive, Message{What: what, ID: number, To: f.Server.Addr.String(), Faces: true, Pictures: m.Pictures, Attributes: m.Attributes,
		Compared: m.Compared, Person: m.Person, Template: m.Template, Relayed: what == wire.Notifications || sender == "" || !own})
}

// faceDetail is the code of faces in a subscription.
const faceDetail = "12"

// subscription: somebody asks the other side to be sent faces. Whether it will, this does not say.
func subscription(f *capture.Flow, m wire.Message) ([]audit.Observation, error) {
	if !slices.Contains(m.Wanted, faceDetail) {
		return nil, nil
	}
	to := m.Receiver
	if to == "" {
		to = f.Client.Addr.Addr().String()
	}
	data, err := json.Marshal(Message{What: wire.Subscription, To: to})
	return []audit.Observation{{Module: name, Kind: probe.Heard + string(wire.Subscription), Class: audit.ClassOutbound, Endpoint: f.Server.Addr, Status: audit.OK,
		Identity: &audit.Identity{Services: []string{name}, Weak: true}, Data: data}}, err
}

// platform: an answer in the standard's form, to somebody who gave a number.
func platform(f *capture.Flow) []audit.Observation {
	if f.Answer.Status != http.StatusOK || wire.Number(f.Request.Header.Get(wire.Header)) == "" || !bytes.Contains(f.Answer.Body, []byte("ResponseStatus")) {
		return nil
	}
	return []audit.Observation{{Module: name, Kind: heardPlatform, Class: audit.ClassInventory, Endpoint: f.Server.Addr, Status: audit.OK,
		Identity: &audit.Identity{Kind: audit.KindServer, Services: []string{name}, Weak: true}}}
}

// Derive states the facts of what was overheard. That a server answers, or a device makes itself known, says nothing of faces.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 || !strings.HasPrefix(o.Kind, probe.Heard) {
		return nil, nil
	}
	var x Message
	if err := json.Unmarshal(o.Data, &x); err != nil {
		return nil, fmt.Errorf("viid: data of %s: %w", o.Kind, err)
	}
	var f probe.Facts
	if x.To != "" {
		f.Add(probe.FactOutboundHosts, "", []string{"gat1400 http://" + x.To}, audit.ClassOutbound)
	}
	if x.Faces {
		f.Add(probe.FactOutboundFace, "http://"+x.To, true, audit.ClassOutbound)
	}
	if !x.Faces || x.Relayed {
		return f.Sorted(), nil
	}
	key := "GA/T 1400 " + string(x.What)
	f.Say(audit.Capable, key, true, x.functions()...)
	f.Say(audit.Active, key, true, x.functions()...)
	if len(x.Attributes) > 0 {
		f.Add(probe.FactAttributesActive, "", x.Attributes, "")
	}
	if x.Pictures {
		f.Add(probe.FactCrops, key, true, "")
	}
	if x.Person {
		f.Add(probe.FactIdentity, key, true, "")
	}
	f.Add(probe.FactLiveMessages, "", probe.Messages(o, 0), "")
	return f.Sorted(), nil
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
