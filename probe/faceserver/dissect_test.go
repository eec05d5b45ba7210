package faceserver

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

// As the programs spell them.
const (
	vision  = "/v1/vision/face/recognize"     //nolint:misspell // it is theirs
	subject = "/api/v1/recognition/recognize" //nolint:misspell // it is theirs
)

func message(topic, payload string, up bool) *capture.Flow {
	return &capture.Flow{Proto: capture.ProtoMQTT, Transport: "tcp", FromHost: up, Topic: topic, Payload: []byte(payload),
		Client: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.30:50000")}, Server: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.5:1883")}}
}

func call(method, path, body string) *capture.Flow {
	f := message("", "", false)
	f.Proto, f.Payload = capture.ProtoHTTP, nil
	f.Server.Addr = netip.MustParseAddrPort("192.0.2.6:8000")
	f.Request = &capture.Message{Method: method, Target: path}
	f.Answer = &capture.Message{Status: http.StatusOK, Body: []byte(body)}
	return f
}

const (
	matched = `{"id":"1614931108.689332-6uu8kk","duration":0.85,"timestamp":"2021-03-05T02:58:57Z","attempts":4,"camera":"door","zones":[],"match":{"name":"Zhang Wei","confidence":82.6,"match":true,` +
		`"box":{"top":1,"left":2},"type":"snapshot","detector":"compreface","filename":"Zhang Wei.jpg","base64":"aGVsbG8="}}`
	first     = `{"id":"1614931108.689332-6uu8kk","duration":0.85,"time":"03/05/2021","attempts":4,"camera":"door","match":{"name":"Zhang Wei","confidence":82.6,"attempt":1,"detector":"compreface","type":"snapshot"}}`
	strangers = `{"id":"1614931108.689332-6uu8kk","attempts":4,"camera":"door","matches":[],"misses":[],"unknowns":[{"name":"unknown","confidence":20,"box":{"top":1},"detector":"deepstack"}],"counts":{"person":1}}`
	nobody    = `{"id":"1614931108.689332-6uu8kk","attempts":4,"camera":"door","matches":[],"misses":[],"unknowns":[],"counts":{"person":0}}`

	recognised = `{"success":true,"predictions":[{"confidence":0.74,"userid":"Zhang Wei","y_min":154,"x_min":1615,"y_max":682,"x_max":1983}],"duration":0}`
	found      = `{"success":true,"predictions":[{"confidence":0.74,"y_min":154,"x_min":1615,"y_max":682,"x_max":1983}]}`
	nothing    = `{"success":true,"predictions":[]}`
	objects    = `{"success":true,"predictions":[{"confidence":0.74,"label":"person","y_min":154,"x_min":1615}]}`
	subjects   = `{"result":[{"age":{"probability":0.9,"high":32,"low":25},"gender":{"probability":0.9,"value":"female"},"mask":{"probability":0.9,"value":"without_mask"},"embedding":[0.1,0.2],` +
		`"box":{"probability":1,"x_max":5,"y_max":5,"x_min":1,"y_min":1},"subjects":[{"similarity":0.97,"subject":"Zhang Wei"}]}],"plugins_versions":{}}`
	compared = `{"result":[{"source_image_face":{"box":{"probability":1}},"face_matches":[{"box":{"probability":1},"similarity":0.9}]}]}`
)

func TestDissect(t *testing.T) {
	door := []string{"face.detect.active camera door=true", "face.detect.capable camera door=true", "face.identify.active camera door=true", "face.identify.capable camera door=true",
		"face.live.messages =0", "outbound.face mqtt://192.0.2.5:1883=true", "outbound.hosts =[mqtt-events mqtt://192.0.2.5:1883]"}
	sent := []string{"face.live.messages =0", "outbound.face http://192.0.2.6:8000=true", "outbound.hosts =[face-pictures http://192.0.2.6:8000]"}
	at := func(route string, functions ...string) (out []string) {
		for _, fn := range functions {
			out = append(out, "face."+fn+".active route "+route+"=true", "face."+fn+".capable route "+route+"=true")
		}
		return slices.Concat(out, sent)
	}
	named := func(list []string, key string) []string {
		return append(slices.Clone(list), "face.identity "+key+"=true")
	}
	const both = heardWork + " 192.0.2.6:8000|" + heardCall + " 192.0.2.30:0"
	for _, c := range []struct {
		name string
		flow *capture.Flow
		kind string
		want []string
	}{
		{"Double Take knows somebody", message("double-take/matches/Zhang Wei", matched, true), heardMatch + " 192.0.2.30:0", named(door, "camera door")},
		{"its first versions", message("double-take/matches/Zhang Wei", first, true), heardMatch + " 192.0.2.30:0", named(door, "camera door")},
		{"a stranger", message("double-take/cameras/door", strangers, true), heardMatch + " 192.0.2.30:0", door},
		{"no face", message("double-take/cameras/door", nobody, true), "", nil},
		{"to a subscriber", message("double-take/matches/Zhang Wei", matched, false), heardRelay + " 192.0.2.5:1883", nil},
		{"how many persons", message("double-take/cameras/door/person", "1", true), "", nil},
		{"a game's matches", message("league/matches/7", `{"id":"7","camera":"door","match":{"name":"final"}}`, true), "", nil},
		{"a face recognised", call("POST", vision, recognised), both, named(at(vision, "detect", "identify"), "route "+vision)},
		{"a face found", call("POST", "/v1/vision/face", found), both, at("/v1/vision/face", "detect")},
		{"two faces compared", call("POST", "/v1/vision/face/match", `{"success":true,"similarity":0.73}`), both, at("/v1/vision/face/match", "detect", "verify")},
		{"no face found", call("POST", "/v1/vision/face", nothing), "", nil},
		{"things found", call("POST", "/v1/vision/detection", objects), "", nil},
		{"the registered listed", call("POST", "/v1/vision/face/list", `{"success":true,"faces":["Zhang Wei"]}`), "", nil},
		{"not successful", call("POST", vision, strings.Replace(recognised, "true", "false", 1)), "", nil},
		{"CompreFace", call("POST", subject+"?limit=0", subjects), both, named(append(at(subject, "detect", "analyse", "identify"),
			"face.attributes.active =[accessory age gender]"), "route "+subject)},
		{"CompreFace compares", call("POST", "/api/v1/verification/verify", compared), both, at("/api/v1/verification/verify", "detect", "verify")},
		{"with one of its own", call("POST", "/api/v1/recognition/faces/6b135f5b/verify", `{"result":[{"box":{"probability":1},"similarity":0.9}]}`), both, at("/api/v1/recognition/faces", "detect", "verify")},
		{"another's answer", call("POST", subject, `{"result":["Zhang Wei"]}`), "", nil},
		{"only asked", call("GET", vision, recognised), "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			os, err := Dissect(probe.Hearing{}, c.flow)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, o := range os {
				kinds = append(kinds, o.Kind+" "+o.Endpoint.String())
			}
			if strings.Join(kinds, "|") != c.kind {
				t.Fatalf("%v", kinds)
			}
			got, want := probetest.States(t, Module(), os), slices.Clone(c.want)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("\n%s\n\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			b, err := json.Marshal(os)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{"Zhang", "aGVsbG8", "6uu8kk", "82.6", "0.74", "0.97", "6b135f5b", "female"} {
				if strings.Contains(string(b), s) {
					t.Errorf("%s is kept: %s", s, b)
				}
			}
		})
	}
}

func FuzzDissect(f *testing.F) {
	for _, s := range []string{matched, first, strangers, nobody, recognised, found, nothing, objects, subjects, compared} {
		f.Add("double-take/matches/x", s)
		f.Add(vision, s)
		f.Add(subject, s)
	}
	f.Fuzz(func(t *testing.T, topic, payload string) {
		for _, flow := range []*capture.Flow{message(topic, payload, true), message(topic, payload, false), call("POST", topic, payload)} {
			os, err := Dissect(probe.Hearing{}, flow)
			if err != nil {
				t.Error(err)
			}
			for _, o := range os {
				if _, err := Derive(o); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
