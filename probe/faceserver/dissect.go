package faceserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
	"github.com/mingshi-audit/mingshi/probe"
)

// Kinds of what is overheard.
const (
	heardMatch = probe.Heard + "match" // a message of Double Take, about faces in pictures of a camera
	heardRelay = probe.Heard + "relay" // a broker passes such a message on
	heardWork  = probe.Heard + "work"  // a face server answered a picture
	heardCall  = probe.Heard + "call"  // somebody sent it the picture
)

// HeardData is what was overheard. It holds no word of a person's: topics with a name in them are not kept.
type HeardData struct {
	Camera     string           `json:"camera,omitempty"`
	Detectors  []string         `json:"detectors,omitempty"`
	Functions  []audit.Function `json:"functions,omitempty"`
	Attributes []string         `json:"attributes,omitempty"`
	Named      bool             `json:"named,omitempty"` // somebody is named
	To         string           `json:"to,omitempty"`    // where results or pictures go
	Route      string           `json:"route,omitempty"`
}

// hears lists what of a capture is of use.
func hears() []capture.Proto { return []capture.Proto{capture.ProtoMQTT, capture.ProtoHTTP} }

// Dissect reads what Double Take publishes, and what face servers answer to pictures. A message on its way from a broker to a
// subscriber may be anybody's, and is nobody's fact.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	switch {
	case f.Proto == capture.ProtoMQTT && f.Cut&^capture.CutStart == 0:
		return published(f), nil
	case f.Proto == capture.ProtoHTTP && f.Cut == 0 && f.Request != nil && f.Answer != nil:
		return answered(f), nil
	}
	return nil, nil
}

// aboutFaces reports whether a topic is one of Double Take's: its last level but one says what the last one names, a person or a
// camera. What comes before can be changed.
func aboutFaces(topic string) bool {
	levels := strings.Split(topic, "/")
	n := len(levels)
	return n >= 2 && n <= 8 && (levels[n-2] == "matches" || levels[n-2] == "cameras")
}

func published(f *capture.Flow) []audit.Observation {
	if !aboutFaces(f.Topic) {
		return nil
	}
	m, ok := wire.ReadMatch(f.Payload)
	if !ok {
		return nil
	}
	if !f.FromHost {
		o := audit.Observation{Module: moduleName, Kind: heardRelay, Class: audit.ClassInventory, Endpoint: f.Server.Addr, Status: audit.OK, Identity: &audit.Identity{Services: []string{"mqtt"}, Weak: true}}
		return []audit.Observation{finish(o, HeardData{Route: "matches"})}
	}
	o := audit.Observation{Module: moduleName, Kind: heardMatch, Class: audit.ClassLive, Endpoint: probe.Client(f), Status: audit.OK,
		Identity: &audit.Identity{Kind: audit.KindServer, Vendor: "Double Take", Model: "Double Take", Services: []string{moduleName}, Weak: true}}
	d := HeardData{Camera: clean.Text(m.Camera, 60), Named: m.Named, To: f.Server.Addr.String(), Functions: []audit.Function{audit.Detect, audit.Identify}}
	for _, x := range m.Detectors {
		d.Detectors = append(d.Detectors, clean.Text(x, 40))
	}
	return []audit.Observation{finish(o, d)}
}

// answered reads what a face server found in a picture, which is something of the server, and of who sent it.
func answered(f *capture.Flow) []audit.Observation {
	if f.Request.Method != http.MethodPost || f.Answer.Status != http.StatusOK || f.Answer.Cut != 0 {
		return nil
	}
	path, _, _ := strings.Cut(f.Request.Target, "?")
	c, ok := wire.ReadCall(path, f.Answer.Body)
	if !ok {
		return nil
	}
	d := HeardData{Route: c.Route, Named: c.Named}
	for _, x := range []struct {
		on bool
		fn audit.Function
	}{{c.Detect, audit.Detect}, {c.Age || c.Gender || c.Mask, audit.Analyse}, {c.Verify, audit.Verify}, {c.Identify, audit.Identify}} {
		if x.on {
			d.Functions = append(d.Functions, x.fn)
		}
	}
	for _, x := range []struct {
		on   bool
		name string
	}{{c.Age, audit.AttrAge}, {c.Gender, audit.AttrGender}, {c.Mask, audit.AttrAccessory}} {
		if x.on {
			d.Attributes = append(d.Attributes, x.name)
		}
	}
	work := audit.Observation{Module: moduleName, Kind: heardWork, Class: audit.ClassLive, Endpoint: f.Server.Addr, Status: audit.OK,
		Identity: &audit.Identity{Kind: audit.KindServer, Services: []string{moduleName}, Weak: true}}
	if c.Product == "CompreFace" {
		work.Identity.Vendor, work.Identity.Model = "Exadel", c.Product
	}
	call := audit.Observation{Module: moduleName, Kind: heardCall, Class: audit.ClassOutbound, Endpoint: probe.Client(f), Status: audit.OK}
	return []audit.Observation{finish(work, d), finish(call, HeardData{To: f.Server.Addr.String(), Route: d.Route})}
}

func finish(o audit.Observation, d HeardData) audit.Observation {
	if b, err := json.Marshal(d); err == nil {
		o.Data = b
	}
	return o
}

// deriveHeard states the facts of what was overheard.
func deriveHeard(o audit.Observation) ([]audit.Fact, error) {
	var d HeardData
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("faceserver: data of %s: %w", o.Kind, err)
	}
	f := collect()
	switch o.Kind {
	case heardMatch:
		f.live("camera "+d.Camera, o, d)
		f.Add(probe.FactOutboundHosts, "", []string{"mqtt-events mqtt://" + d.To}, audit.ClassOutbound)
		f.Add(probe.FactOutboundFace, "mqtt://"+d.To, true, audit.ClassOutbound)
	case heardWork:
		f.live("route "+d.Route, o, d)
	case heardCall:
		// Whoever sends pictures to be searched for faces sends faces, as the answer shows. Where they are from is not known.
		f.Add(probe.FactOutboundHosts, "", []string{"face-pictures http://" + d.To}, audit.ClassOutbound)
		f.Add(probe.FactOutboundFace, "http://"+d.To, true, audit.ClassOutbound)
	}
	return f.Sorted(), nil
}

// live: results were seen, so the server does what they show.
func (f *facts) live(key string, o audit.Observation, d HeardData) {
	f.Say(audit.Capable, key, true, d.Functions...)
	f.Say(audit.Active, key, true, d.Functions...)
	f.Add(probe.FactLiveMessages, "", probe.Messages(o, 0), audit.ClassLive)
	if len(d.Attributes) > 0 {
		f.Add(probe.FactAttributesActive, "", d.Attributes, audit.ClassLive)
	}
	if d.Named {
		f.Add(probe.FactIdentity, key, true, audit.ClassLive)
	}
}
