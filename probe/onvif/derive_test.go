package onvif

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
)

// TestDerive states facts from observations as an old bundle holds them.
func TestDerive(t *testing.T) {
	start := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, kind, data string
		until            time.Duration
		want             []string
	}{
		{name: "nothing", kind: "tds:GetScopes"},
		{name: "supported rule", kind: "tan:GetSupportedRules", data: `{"described":[{"kind":"rule","type":"tt:FaceRecognition","items":["EnrollmentID"]},{"kind":"rule","type":"tt:LineDetector"}],"image_sending":true}`,
			want: []string{"face.capture.capable type tt:FaceRecognition images=true", "face.detect.capable type tt:FaceRecognition=true", "face.identify.capable type tt:FaceRecognition=true"}},
		{name: "instances on, off and unclear", kind: "trt:GetProfiles", data: `{"configurations":[{"token":"a","instances":[{"token":"a","kind":"module","name":"M","type":"tt:FaceDetectorEngine","state":"on"},{"token":"a","kind":"module","name":"N","type":"tt:FaceDetectorEngine","state":"off"},{"token":"a","kind":"module","name":"O","type":"tt:FaceDetectorEngine"},{"token":"a","kind":"module","name":"P","type":"tt:CellMotionEngine","state":"on"}]}]}`,
			want: []string{"face.detect.capable a/module/M=true", "face.detect.capable a/module/N=true", "face.detect.capable a/module/O=true", "face.detect.configured a/module/M=true", "face.detect.configured a/module/N=false"}},
		{name: "sample", kind: "tan:GetSupportedMetadata", data: `{"samples":[{"module":"tt:CellMotionEngine","faces":true,"attributes":["gender"]},{"module":"x","classes":{"Human":1}}]}`,
			want: []string{"face.analyse.capable sample tt:CellMotionEngine=true", "face.attributes.capable =[gender]", "face.detect.capable sample tt:CellMotionEngine=true"}},
		{name: "initial state", kind: "tev:PullMessages", until: 30 * time.Second, data: `{"events":{"messages":1,"topics":{"RuleEngine/MyRuleDetector/FaceDetect":{"messages":1,"initial":1,"items":["State"]}}}}`,
			want: []string{"face.detect.capable topic RuleEngine/MyRuleDetector/FaceDetect=true", "face.live.messages =0", "face.live.seconds =30"}},
		{name: "a person", kind: "tev:PullMessages", until: 5 * time.Second, data: `{"events":{"messages":2,"topics":{"RuleEngine/Recognition/Face":{"messages":2,"live":2,"items":["EnrollmentID"],"identity":2}}}}`,
			want: []string{"face.detect.active topic RuleEngine/Recognition/Face=true", "face.detect.capable topic RuleEngine/Recognition/Face=true", "face.identify.active topic RuleEngine/Recognition/Face=true",
				"face.identify.capable topic RuleEngine/Recognition/Face=true", "face.identity topic RuleEngine/Recognition/Face=true", "face.live.messages =2", "face.live.seconds =5"}},
		{name: "scene", kind: "rtsp:metadata", until: 20 * time.Second, data: `{"scene":{"documents":9,"frames":9,"objects":9,"faces":3,"attributes":{"age":3,"pose":3},"crops":1}}`,
			want: []string{"face.analyse.active metadata=true", "face.attributes.active =[age pose]", "face.capture.active metadata=true", "face.crops metadata=true", "face.detect.active metadata=true", "face.live.messages =3", "face.live.seconds =20"}},
		{name: "empty scene", kind: "rtsp:metadata", until: 20 * time.Second, data: `{"scene":{"documents":90,"frames":90}}`, want: []string{"face.live.messages =0", "face.live.seconds =20"}},
		{name: "active application", kind: "ans:GetAppsInfo", data: `{"apps":[{"id":"acme.face","state":"Active"},{"id":"acme.face.old","state":"Inactive"}]}`,
			want: []string{"face.detect.capable app acme.face=true", "face.detect.capable app acme.face.old=true", "face.detect.configured app acme.face=true", "face.detect.configured app acme.face.old=false"}},
		{name: "reader", kind: "tcr:GetServiceCapabilities", data: `{"face_readers":1}`, want: []string{"face.verify.capable reader=true"}},
		{name: "security level", kind: "tab:GetSecurityLevelList", data: `{"face_readers":1}`, want: []string{"face.verify.capable reader=true", "face.verify.configured security level=true"}},
		{name: "multicast and brokers", kind: "x", data: `{"metadata":[{"token":"1","analytics":"on","multicast":"udp://224.2.0.0:40020"},{"token":"2","multicast":"udp://224.2.0.1:1"}],"brokers":[{"address":"mqtt://192.0.2.9:1883","publish":"tns1:RuleEngine/MyRuleDetector/FaceDetect","face":true}]}`,
			want: []string{"face.detect.configured broker mqtt://192.0.2.9:1883=true", "outbound.face mqtt://192.0.2.9:1883=true", "outbound.hosts =[metadata-multicast udp://224.2.0.0:40020]", "outbound.hosts =[mqtt-events mqtt://192.0.2.9:1883]"}},
		{name: "summary, capable and listed", kind: "enumeration", data: `{"summary":{"login":"wsse","elsewhere":"x","questions":[],"listed":true,"complete":true,"capable":["detect","identify"],"held":["detect"]}}`,
			want: []string{"face.identify.configured onvif=false"}},
		{name: "summary, complete", kind: "enumeration", data: `{"summary":{"login":"wsse","questions":[],"listed":true,"complete":true,"capable":["detect"]}}`,
			want: []string{"face.analyse.capable onvif=false", "face.capture.capable onvif=false", "face.detect.configured onvif=false", "face.enumerated onvif=true", "face.identify.capable onvif=false", "face.verify.capable onvif=false"}},
		{name: "summary, seen while watching", kind: "enumeration", data: `{"summary":{"login":"wsse","questions":[],"listed":true,"capable":["detect"],"seen":["detect"]}}`},
		{name: "summary, refused", kind: "enumeration", data: `{"summary":{"login":"refused","questions":[]}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := audit.Observation{Kind: tt.kind, At: start, Data: json.RawMessage(tt.data)}
			if tt.until > 0 {
				o.Until = start.Add(tt.until)
			}
			fs, err := Derive(o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			declared := Module().Facts
			for _, f := range fs {
				got = append(got, fmt.Sprintf("%s %s=%v", f.Name, f.Key, f.Value.V))
				if !slices.ContainsFunc(declared, func(s audit.FactSpec) bool { return s.Name == f.Name }) {
					t.Errorf("%s is not declared", f.Name)
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if _, err := Derive(audit.Observation{Data: json.RawMessage(`[`)}); err == nil {
		t.Error("broken data passed")
	}
}

func TestCandidates(t *testing.T) {
	ip := netip.MustParseAddr("192.0.2.7")
	for _, tt := range []struct {
		name    string
		target  audit.Target
		want    string
		foreign string
	}{
		{"announced", audit.Target{XAddrs: []string{"http://192.0.2.7:8000/onvif/device_service"}}, "http://192.0.2.7:8000/onvif/device_service", ""},
		{"announced with another host first", audit.Target{XAddrs: []string{"http://169.254.1.1/onvif/device_service", "http://192.0.2.7/onvif/x"}}, "http://192.0.2.7/onvif/x", "169.254.1.1"},
		{"another host only", audit.Target{XAddrs: []string{"http://10.1.1.1:81/onvif/x?y=1"}}, "http://192.0.2.7:81/onvif/x?y=1", "10.1.1.1:81"},
		{"junk and a port", audit.Target{XAddrs: []string{"abc", "", "ftp://192.0.2.7/x"}, Addr: netip.AddrPortFrom(ip, 81)}, "http://192.0.2.7:81/onvif/device_service", ""},
		{"swept port", audit.Target{Addr: netip.AddrPortFrom(ip, 80)}, "http://192.0.2.7/onvif/device_service", ""},
		{"swept TLS port", audit.Target{Addr: netip.AddrPortFrom(ip, 443)}, "https://192.0.2.7/onvif/device_service", ""},
		{"RTSP port", audit.Target{Addr: netip.AddrPortFrom(ip, 554)}, "", ""},
		{"DVR port", audit.Target{Addr: netip.AddrPortFrom(ip, 37777)}, "", ""},
		{"no port", audit.Target{}, "http://192.0.2.7/onvif/device_service http://192.0.2.7:8000/onvif/device_service http://192.0.2.7:81/onvif/device_service http://192.0.2.7:8080/onvif/device_service " +
			"http://192.0.2.7:8899/onvif/device_service http://192.0.2.7:2020/onvif/device_service http://192.0.2.7:5000/onvif/device_service https://192.0.2.7/onvif/device_service", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.target.Addr.IsValid() {
				tt.target.Addr = netip.AddrPortFrom(ip, 0)
			}
			var got []string
			named := ""
			for _, c := range candidates(tt.target, func(s string) { named = s }) {
				got = append(got, c.String())
			}
			if strings.Join(got, " ") != tt.want || named != tt.foreign {
				t.Errorf("%v, foreign %q", got, named)
			}
			if wants(tt.target) != (tt.want != "") {
				t.Error("wants it or not")
			}
		})
	}
	if wants(audit.Target{Addr: netip.AddrPortFrom(ip, 80), Foreign: true}) {
		t.Error("a foreign target is wanted")
	}
}

// TestKind: a camera with several views is a camera.
func TestKind(t *testing.T) {
	media := onvif.Services{{Namespace: onvif.NSMedia}}
	storing := append(media, onvif.Service{Namespace: onvif.NSRecording}, onvif.Service{Namespace: onvif.NSReplay})
	sources := func(n int) []onvif.Profile {
		var ps []onvif.Profile
		for i := range n {
			ps = append(ps, onvif.Profile{Source: fmt.Sprint(i)}, onvif.Profile{Source: fmt.Sprint(i)})
		}
		return ps
	}
	for _, tt := range []struct {
		name string
		s    session
		want audit.Kind
	}{
		{"one source", session{services: storing, profiles: sources(1)}, audit.KindCamera},
		{"four sensors with a card", session{services: storing, profiles: sources(4)}, audit.KindCamera},
		{"sixteen channels", session{services: storing, profiles: sources(16)}, audit.KindRecorder},
		{"says it is one", session{services: media, profiles: sources(4), who: onvif.Information{Model: "DS-7604NI NVR"}}, audit.KindRecorder},
		{"terminal by scope", session{services: media, scopes: onvif.Scopes{Types: []string{"IPC_ACS"}}}, audit.KindTerminal},
		{"terminal by service", session{services: onvif.Services{{Namespace: onvif.NSCredential}}}, audit.KindTerminal},
		{"analytics server", session{services: onvif.Services{{Namespace: onvif.NSEngine}}}, audit.KindServer},
		{"nothing known", session{}, ""},
	} {
		if got := tt.s.kind(); got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[string]int{"PT60S": 60, "PT1M30S": 90, "pt5s": 5, "P1D": 0, "": 0, "PTx": 0, "2026-01-01T00:00:00Z": 0} {
		if got := seconds(s); got != want {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add("enumeration", `{"summary":{"login":"wsse","questions":[],"listed":true,"complete":true,"capable":["detect"]}}`)
	f.Add("tev:PullMessages", `{"events":{"messages":2,"topics":{"RuleEngine/Recognition/Face":{"messages":2,"live":2,"items":["EnrollmentID"],"identity":2}}}}`)
	f.Add("trt:GetProfiles", `{"configurations":[{"token":"a","instances":[{"token":"a","kind":"module","name":"M","type":"tt:FaceDetectorEngine","state":"on"}]}]}`)
	specs := map[string]audit.FactSpec{}
	for _, s := range Module().Facts {
		specs[s.Name] = s
	}
	f.Fuzz(func(t *testing.T, kind, data string) {
		fs, err := Derive(audit.Observation{Kind: kind, Data: json.RawMessage(data)})
		if err != nil {
			return
		}
		if _, err := audit.Fold(fs, specs); err != nil {
			t.Error(err)
		}
	})
}
