package frigate

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

const secret = "Zhang Wei" // a person, who must not be anywhere

func message(topic, payload string, up bool) *capture.Flow {
	return &capture.Flow{Proto: capture.ProtoMQTT, Transport: "tcp", FromHost: up, Topic: topic, Payload: []byte(payload),
		Client: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.30:50000")}, Server: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.5:1883")}}
}

func answer(path, body string) *capture.Flow {
	f := message("", "", false)
	f.Proto, f.Payload = capture.ProtoHTTP, nil
	f.Server.Addr = netip.MustParseAddrPort("192.0.2.30:5000")
	f.Request = &capture.Message{Method: http.MethodGet, Target: path}
	f.Answer = &capture.Message{Status: http.StatusOK, Body: []byte(body)}
	return f
}

const (
	updated   = `{"type":"face","id":"1607123955.475377-mxklsc","name":"Zhang Wei","score":0.95,"camera":"door","timestamp":1607123958.748393}`
	unmatched = `{"type":"face","id":"1607123955.475377-mxklsc","name":null,"score":0.0,"camera":"door","timestamp":1607123958.748393}`
	described = `{"type":"description","id":"1607123955.475377-mxklsc","description":"Zhang Wei at the door"}`
	event     = `{"type":"update","before":{"id":"1607123955.475377-mxklsc"},"after":{"id":"1607123955.475377-mxklsc","camera":"door","label":"person","sub_label":["Zhang Wei",0.9],"score":0.9,"attributes":{"face":0.86},` +
		`"current_attributes":[{"label":"face","box":[1,2,3,4],"score":0.8}],"false_positive":false,"snapshot":{"attributes":[]}}}`
	nameOnly = `{"type":"update","before":{"id":"1607123955.475377-mxklsc"},"after":{"id":"1607123955.475377-mxklsc","camera":"door","label":"person","sub_label":["Zhang Wei",0.9],"attributes":{},"current_attributes":[]}}`
	thing    = `{"type":"new","before":{"id":"1607123955.475377-mxklsc"},"after":{"id":"1607123955.475377-mxklsc","camera":"door","label":"face","attributes":{}}}`
	wrong    = `{"type":"new","before":{"id":"1607123955.475377-mxklsc"},"after":{"id":"1607123955.475377-mxklsc","camera":"door","label":"face","false_positive":true}}`
	running  = `{"detection_fps":5.1,"cameras":{"door":{"camera_fps":5.0}},"embeddings":{"face_recognition_speed":21.5,"face_recognition":0.4}}`
	idling   = `{"detection_fps":5.1,"cameras":{"door":{"camera_fps":5.0}},"embeddings":{"face_recognition_speed":0.0,"face_recognition":0.0}}`
	faceless = `{"detection_fps":5.1,"cameras":{"door":{"camera_fps":5.0}},"embeddings":{}}`
	setUp    = `{"mqtt":{"enabled":true,"host":"192.0.2.5","port":1883,"password":"geheim"},"face_recognition":{"enabled":true,"save_attempts":100},"cameras":{"door":{"enabled":true,"face_recognition":{"enabled":true},` +
		`"ffmpeg":{"inputs":[{"path":"rtsp://admin:geheim@192.0.2.31/1"}]}},"till":{"enabled":true,"face_recognition":{"enabled":false}}}}`
	setDown = `{"mqtt":{"enabled":true,"host":"192.0.2.5"},"face_recognition":{"enabled":false},"cameras":{"door":{"enabled":true,"face_recognition":{"enabled":false}}}}`
)

func cut(f *capture.Flow) *capture.Flow { f.Cut = capture.CutHole; return f }

// TestDissect: what the program tells of itself makes facts about it, what a broker passes on none about anybody, and what is off,
// incomplete or another's nothing at all.
func TestDissect(t *testing.T) {
	live := []string{"face.detect.active camera door=true", "face.detect.capable camera door=true"}
	both := append(slices.Clone(live), "face.identify.active camera door=true", "face.identify.capable camera door=true")
	to := []string{"face.live.messages =0", "outbound.face mqtt://192.0.2.5:1883=true", "outbound.hosts =[mqtt-events mqtt://192.0.2.5:1883]"}
	on := []string{"face.detect.capable face_recognition=true", "face.detect.configured face_recognition=true", "face.identify.capable face_recognition=true", "face.identify.configured face_recognition=true"}
	for _, c := range []struct {
		name string
		flow *capture.Flow
		kind string // with the endpoint; empty: nothing is said
		want []string
	}{
		{"somebody was recognised", message("frigate/tracked_object_update", updated, true), heardFace + " 192.0.2.30:0", slices.Concat(both, []string{"face.identity camera door=true"}, to)},
		{"nobody was", message("frigate/tracked_object_update", unmatched, true), heardFace + " 192.0.2.30:0", slices.Concat(both, to)},
		{"the topics begin otherwise", message("shop/upstairs/tracked_object_update", unmatched, true), heardFace + " 192.0.2.30:0", slices.Concat(both, to)},
		{"to a subscriber", message("frigate/tracked_object_update", updated, false), heardRelay + " 192.0.2.5:1883", nil},
		{"something was described", message("frigate/tracked_object_update", described, true), "", nil},
		{"another program's", message("home/tracked_object_update", `{"type":"face","name":"Zhang Wei"}`, true), "", nil},
		{"a gap", cut(message("frigate/tracked_object_update", updated, true)), "", nil},
		{"no prefix", message("tracked_object_update", updated, true), "", nil},
		{"a face was found", message("frigate/events", event, true), heardEvent + " 192.0.2.30:0", slices.Concat(live, to)},
		{"as a thing", message("frigate/events", thing, true), heardEvent + " 192.0.2.30:0", slices.Concat(live, to)},
		{"by mistake", message("frigate/events", wrong, true), "", nil},
		{"a name proves nothing", message("frigate/events", nameOnly, true), "", nil},
		{"events to a subscriber", message("frigate/events", event, false), heardRelay + " 192.0.2.5:1883", nil},
		{"the person's own count", message("frigate/door/person", "1", true), "", nil},
		{"statistics", message("frigate/stats", running, true), heardStats + " 192.0.2.30:0", append([]string{"face.detect.active face_recognition=true", "face.identify.active face_recognition=true"}, on...)},
		{"statistics at rest", message("frigate/stats", idling, true), heardStats + " 192.0.2.30:0", on},
		{"statistics without faces", message("frigate/stats", faceless, true), "", nil},
		{"statistics asked for", answer("/api/stats", idling), heardStats + " 192.0.2.30:5000", on},
		{"the configuration", answer("/api/config?x=1", setUp), probe.Heard + "GET /api/config 192.0.2.30:5000", []string{
			"face.capture.configured camera door=true", "face.detect.capable face_recognition=true", "face.detect.configured camera door=true",
			"face.identify.capable face_recognition=true", "face.identify.configured camera door=true", "outbound.face 192.0.2.5:1883=true", "outbound.hosts =[mqtt-events mqtt://192.0.2.5:1883]"}},
		{"switched off", answer("/api/config", setDown), "", nil},
		{"another program's configuration", answer("/api/config", `{"cameras":{"door":{}},"mqtt":{}}`), "", nil},
		{"no JSON", answer("/api/config", `<html>`), "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			os, err := Dissect(probe.Hearing{}, c.flow)
			if err != nil {
				t.Fatal(err)
			}
			if c.kind == "" {
				if len(os) != 0 {
					t.Errorf("%+v", os)
				}
				return
			}
			if len(os) != 1 || os[0].Kind+" "+os[0].Endpoint.String() != c.kind {
				t.Fatalf("%+v", os)
			}
			got := probetest.States(t, Module(), os)
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("\n%s\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			b, err := json.Marshal(os)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{secret, "geheim", "mxklsc", "0.95", "1607"} {
				if strings.Contains(string(b), s) {
					t.Errorf("%s is kept: %s", s, b)
				}
			}
		})
	}
}

// TestDissectAddsUp: two messages of one kind make equal observations.
func TestDissectAddsUp(t *testing.T) {
	look := func(payload string) string {
		os, err := Dissect(probe.Hearing{}, message("frigate/tracked_object_update", payload, true))
		if err != nil || len(os) != 1 {
			t.Fatal(os, err)
		}
		b, err := json.Marshal(os[0])
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, b := look(updated), look(strings.NewReplacer("Zhang Wei", "Li Na", "0.95", "0.71", "mxklsc", "abcdef", "1607", "1708").Replace(updated)); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

func FuzzDissect(f *testing.F) {
	for _, s := range []string{updated, unmatched, described, event, nameOnly, thing, wrong, running, idling, setUp} {
		f.Add("frigate/tracked_object_update", s)
		f.Add("frigate/events", s)
		f.Add("/api/config", s)
	}
	f.Fuzz(func(t *testing.T, topic, payload string) {
		for _, flow := range []*capture.Flow{message(topic, payload, true), message(topic, payload, false), answer(topic, payload)} {
			os, err := Dissect(probe.Hearing{}, flow)
			if err != nil && len(os) > 0 {
				t.Error("an error and observations")
			}
			for _, o := range os {
				facts, err := Derive(o)
				if err != nil {
					t.Error(err)
				}
				for _, x := range facts {
					if x.Value.V == false {
						t.Errorf("%s is denied", x.Name)
					}
				}
			}
		}
	})
}
