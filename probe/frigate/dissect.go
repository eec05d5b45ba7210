package frigate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
	"github.com/mingshi-audit/mingshi/probe"
)

// Kinds of what is overheard, beside the answers to this module's questions.
const (
	heardFace  = probe.Heard + "tracked_object_update" // faces were compared with those of known persons
	heardEvent = probe.Heard + "events"                // a face was found in a picture
	heardStats = probe.Heard + "stats"                 // the program's own count
	heardRelay = probe.Heard + "relay"                 // a broker passes on what a program it does not name found
)

// HeardData is what an overheard message shows. It holds no word of a person's.
type HeardData struct {
	Camera string `json:"camera,omitempty"` // as the program calls it
	Named  bool   `json:"named,omitempty"`  // the message names somebody
	To     string `json:"to,omitempty"`     // the broker it goes to
	On     bool   `json:"on,omitempty"`     // recognition is switched on
	Busy   bool   `json:"busy,omitempty"`   // and faces were compared in the last seconds
	About  string `json:"about,omitempty"`  // of what a broker passes on: which message
}

// hears lists what of a capture may be Frigate's.
func hears() []capture.Proto { return []capture.Proto{capture.ProtoMQTT, capture.ProtoHTTP} }

// Dissect reads what the program tells its broker, and answers that others got to the questions this module would ask. Its topics
// may begin with any word, so a message is known by the end of its topic and the form of what it holds.
//
// A message on its way to the broker is the word of whoever sends it. One on its way from the broker to a subscriber may be
// anybody's: of the broker it shows that such messages pass, and of the subscriber nothing.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	switch {
	case f.Proto == capture.ProtoMQTT && f.Topic != "" && f.Cut&^capture.CutStart == 0:
		return published(f)
	case f.Proto == capture.ProtoHTTP && f.Cut == 0 && f.Request != nil && f.Answer != nil:
		return answered(f)
	}
	return nil, nil
}

func published(f *capture.Flow) ([]audit.Observation, error) {
	prefix, about, ok := cutLast(f.Topic)
	if !ok || prefix == "" {
		return nil, nil
	}
	o := audit.Observation{Module: moduleName, Class: audit.ClassLive, Status: audit.OK, Endpoint: probe.Client(f), Identity: hinted()}
	var d HeardData
	switch about {
	case "tracked_object_update":
		u, ok := wire.ReadFrigateUpdate(f.Payload)
		if !ok || !u.Face {
			return nil, nil
		}
		o.Kind, d = heardFace, HeardData{Camera: clean.Text(u.Camera, 60), Named: u.Named}
	case "events":
		e, ok := wire.ReadFrigateEvent(f.Payload)
		if !ok || !e.Face {
			return nil, nil
		}
		o.Kind, d = heardEvent, HeardData{Camera: clean.Text(e.Camera, 60)}
	case "stats":
		run, err := wire.ReadFrigateStats(wire.KeepFrigateStats(f.Payload))
		if err != nil || run.Speed == nil { // of many a program's statistics, these alone speak of faces
			return nil, nil
		}
		o.Kind, d = heardStats, HeardData{On: true, Busy: run.Rate > 0}
	default:
		return nil, nil
	}
	if d.To = f.Server.Addr.String(); !f.FromHost {
		o.Kind, o.Class, o.Endpoint, o.Identity = heardRelay, audit.ClassInventory, f.Server.Addr, &audit.Identity{Services: []string{"mqtt"}, Weak: true}
		d = HeardData{About: about}
	}
	return []audit.Observation{finish(o, d)}, nil
}

// cutLast splits a topic before its last level.
func cutLast(topic string) (prefix, last string, ok bool) {
	i := strings.LastIndexByte(topic, '/')
	if i < 0 {
		return "", "", false
	}
	return topic[:i], topic[i+1:], true
}

// hinted is who speaks like that: the form of a message is no proof of a program.
func hinted() *audit.Identity {
	return &audit.Identity{Kind: audit.KindServer, Vendor: maker, Model: maker, Services: []string{moduleName}, Weak: true}
}

// answered reads an answer somebody got from the program itself. Only what is on is kept of it.
func answered(f *capture.Flow) ([]audit.Observation, error) {
	path, _, _ := strings.Cut(f.Request.Target, "?")
	if f.Answer.Status != http.StatusOK || f.Answer.Cut != 0 || f.Request.Method != http.MethodGet || len(f.Answer.Body) == 0 {
		return nil, nil
	}
	o := audit.Observation{Module: moduleName, Endpoint: f.Server.Addr, Status: audit.OK, Identity: hinted()}
	switch wire.Path(path) {
	case wire.FrigateStats:
		run, err := wire.ReadFrigateStats(wire.KeepFrigateStats(f.Answer.Body))
		if err != nil || run.Speed == nil {
			return nil, nil
		}
		o.Kind, o.Class = heardStats, audit.ClassLive
		return []audit.Observation{finish(o, HeardData{On: true, Busy: run.Rate > 0})}, nil
	case wire.FrigateConfig:
		kept := wire.KeepFrigateConfig(f.Answer.Body)
		if !bytes.Contains(kept, []byte(`"face_recognition"`)) && !bytes.Contains(kept, []byte(`"labelmap"`)) {
			return nil, nil
		}
		c, err := wire.ReadFrigate(kept)
		if err != nil {
			return nil, nil //nolint:nilerr // many programs have a configuration at this path
		}
		d, ok := switchedOn(c)
		if !ok {
			return nil, nil
		}
		o.Kind, o.Class = probe.Heard+get(wire.FrigateConfig), audit.ClassConfig
		return []audit.Observation{finish(o, d)}, nil
	}
	return nil, nil
}

// switchedOn is what of a configuration is on. ok is false where nothing is.
func switchedOn(c wire.Frigate) (d Data, ok bool) {
	on := c.On != nil && *c.On
	d = Data{Knows: c.Knows && on, Names: c.Names}
	if on {
		d.On, d.Saves, d.Broker = c.On, min(c.Saves, 1), c.Broker
	}
	for _, x := range c.Cameras {
		if on && looksAt(x) || wantsFaces(x, d) {
			x.Hosts, x.Name = nil, clean.Text(x.Name, 60)
			d.Cameras = append(d.Cameras, x)
		}
	}
	return d, len(d.Cameras) > 0
}

// finish writes what was heard into its observation.
func finish(o audit.Observation, d any) audit.Observation {
	if b, err := json.Marshal(d); err == nil {
		o.Data = b
	}
	return o
}

// deriveHeard states the facts of what was overheard. It never says that something is off.
func deriveHeard(o audit.Observation) ([]audit.Fact, error) {
	f := collect()
	if o.Kind == probe.Heard+get(wire.FrigateConfig) {
		var d Data
		if err := json.Unmarshal(o.Data, &d); err != nil {
			return nil, fmt.Errorf("frigate: data of %s: %w", o.Kind, err)
		}
		f.config(d)
		return slices.DeleteFunc(f.Sorted(), func(x audit.Fact) bool { return x.Value.V == false }), nil
	}
	var d HeardData
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("frigate: data of %s: %w", o.Kind, err)
	}
	key := "camera " + d.Camera
	switch {
	case o.Kind == heardFace:
		f.live(key, o, audit.Detect, audit.Identify)
		if d.Named {
			f.Add(probe.FactIdentity, key, true, audit.ClassLive)
		}
	case o.Kind == heardEvent:
		f.live(key, o, audit.Detect)
	case o.Kind == heardStats && d.On:
		f.Say(audit.Capable, instance, true, audit.Detect, audit.Identify)
		f.Say(audit.Configured, instance, true, audit.Detect, audit.Identify)
		if d.Busy {
			f.Say(audit.Active, instance, true, audit.Detect, audit.Identify)
		}
		d.To = "" // statistics are nobody's face
	}
	if d.To != "" {
		f.Add(probe.FactOutboundHosts, "", []string{"mqtt-events mqtt://" + d.To}, audit.ClassOutbound)
		f.Add(probe.FactOutboundFace, "mqtt://"+d.To, true, audit.ClassOutbound)
	}
	return f.Sorted(), nil
}

func (f *facts) live(key string, o audit.Observation, functions ...audit.Function) {
	f.Say(audit.Capable, key, true, functions...)
	f.Say(audit.Active, key, true, functions...)
	f.Add(probe.FactLiveMessages, "", probe.Messages(o, 0), audit.ClassLive)
}
