package isapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/isapi"
)

// run probes an address under a permit.
func run(t *testing.T, at netip.AddrPort, permit audit.Permit, login *probe.Login) ([]audit.Observation, *probetest.Tape) {
	t.Helper()
	rec := &guardtest.Recorder{}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: permit, PacketsPerSecond: 4000, Dial: rec.Dial})
	if err != nil {
		t.Error(err) // several run at once, beside the test's own goroutine
		return nil, &probetest.Tape{}
	}
	tp := &probetest.Tape{}
	env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Login: login, Evidence: tp, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {},
		Sample: probe.Sample{Events: 700 * time.Millisecond}}
	os, err := isapi.Module().Probe(t.Context(), env, audit.Target{Method: "inventory", Addr: at, Identity: audit.Identity{Vendor: "Hikvision"}})
	if err != nil {
		t.Error(err)
	}
	if d := g.Denials(); len(d) > 0 {
		t.Errorf("the guard refused %+v", d)
	}
	for _, o := range os {
		if o.Kind != "enumeration" && !slices.ContainsFunc(isapi.Module().Asks, func(q probe.Question) bool { return q.Kind == o.Kind }) {
			t.Errorf("%s is not among what the module says it asks", o.Kind)
		}
	}
	return os, tp
}

// state folds the facts of the observations: levels by function, and the lists.
func state(t *testing.T, os []audit.Observation) (map[audit.Function]string, map[string]audit.Folded) {
	t.Helper()
	specs := map[string]audit.FactSpec{}
	for _, s := range isapi.Module().Facts {
		specs[s.Name] = s
	}
	var all []audit.Fact
	for _, o := range os {
		fs, err := isapi.Derive(o)
		if err != nil {
			t.Error(err)
		}
		all = append(all, fs...)
	}
	folded, err := audit.Fold(all, specs)
	if err != nil {
		t.Error(err)
	}
	f := folded[audit.Subject{}]
	out := map[audit.Function]string{}
	for _, fn := range audit.Functions() {
		for _, l := range []audit.Level{audit.Active, audit.Configured, audit.Capable} {
			if x := f[audit.FactName(fn, l)]; x.Known && x.Value.V == true {
				out[fn] = l.String()
				break
			}
		}
		if x := f[audit.FactName(fn, audit.Capable)]; x.Known && x.Value.V == false {
			out[fn] = "absent"
		}
		if x := f[audit.FactName(fn, audit.Configured)]; out[fn] == "capable" && x.Known && x.Value.V == false {
			out[fn] = "off"
		}
		for _, l := range []audit.Level{audit.Active, audit.Configured, audit.Capable} {
			if x := f[audit.FactName(fn, l)]; len(x.Dispute) > 0 {
				t.Errorf("%s %s is disputed: %v", fn, l, x)
			}
		}
	}
	return out, f
}

func list(f audit.Folded) []string {
	l, _ := f.Value.V.([]string)
	return l
}

type levels = map[audit.Function]string

// TestDevices: what each of the simulated devices does with faces is found at its level, and nothing else.
func TestDevices(t *testing.T) {
	t.Parallel()
	low := lab.HikFaceCapture("low")
	low.ISAPI.Faces.Low = []string{"/ISAPI/Intelligent/channels/1/faceRule", "/ISAPI/Smart/FaceDetect/1", "/ISAPI/Intelligent/channels/1/faceContrast"}
	unlisted := lab.HikThermal("unlisted")
	unlisted.ISAPI.Faces.Low = []string{"/ISAPI/Smart/FaceDetect/2"}
	mixed := lab.HikThermal("mixed")
	mixed.ISAPI.Faces.Yes = []string{"isSupportMixedTargetDetection"}
	card := lab.HikTerminal("card")
	card.ISAPI.Faces.Readers, card.ISAPI.Faces.Alarms = []int{3, 12}, nil
	blind := lab.HikTerminal("blind") // no word of faces, and a reader's mode that cannot be so
	blind.ISAPI.Faces.Mode, blind.ISAPI.Faces.Readers, blind.ISAPI.Faces.Alarms = "", []int{25}, nil
	var cameras []lab.Proxied
	for i := range 3 {
		cameras = append(cameras, lab.Proxied{Name: fmt.Sprint("cam ", i), Protocol: "ONVIF", Address: fmt.Sprintf("192.0.2.%d", i+1), Port: 80})
	}
	silent := lab.HikRecorder("silent", cameras[:2]...) // sends faces by the maker's own protocol alone
	silent.ISAPI.Faces = lab.HikFaces{No: []string{"isSupportFaceDetect", "isSupportFaceSnap"}}
	listed := lab.HikThermal("listed") // lists an event that its capabilities deny
	listed.ISAPI.Faces.Events = []string{"VMD", "faceSnap", "facedetection"}
	half := lab.HikThermal("half") // one sensor has it, off; the other does not say
	half.ISAPI.Faces.Detect, half.ISAPI.Faces.Low = map[int]bool{1: false}, []string{"/ISAPI/Smart/FaceDetect/2"}
	cases := []struct {
		spec          lab.Spec
		login, sample levels
	}{
		{lab.HikFaceCapture("capture"), levels{audit.Detect: "configured", audit.Capture: "configured"}, levels{audit.Detect: "active", audit.Capture: "active", audit.Analyse: "active"}},
		{lab.HikCapable("capable"), levels{audit.Detect: "off", audit.Capture: "off", audit.Identify: "off"}, levels{audit.Detect: "off", audit.Capture: "off", audit.Identify: "off"}},
		{lab.HikContrast("contrast"), levels{audit.Detect: "configured", audit.Capture: "configured", audit.Identify: "configured"},
			levels{audit.Detect: "active", audit.Capture: "active", audit.Identify: "active"}},
		{lab.HikTerminal("terminal"), levels{audit.Verify: "configured", audit.Identify: "configured"}, levels{audit.Detect: "active", audit.Verify: "configured", audit.Identify: "active"}},
		{lab.HikThermal("thermal"), levels{audit.Detect: "absent", audit.Capture: "absent", audit.Identify: "absent"}, levels{audit.Detect: "absent", audit.Capture: "absent", audit.Identify: "absent"}},
		{lab.HikRecorder("recorder", cameras...), levels{audit.Detect: "off", audit.Capture: "off", audit.Identify: "off"}, nil},
		{low, levels{audit.Detect: "capable", audit.Capture: "capable"}, nil},
		{unlisted, levels{audit.Capture: "absent", audit.Identify: "absent"}, nil},
		{mixed, levels{}, nil},
		{card, levels{audit.Verify: "capable", audit.Identify: "capable"}, nil},
		{blind, levels{}, nil},
		{silent, levels{}, nil},
		{listed, levels{audit.Detect: "absent", audit.Capture: "absent", audit.Identify: "absent"}, nil},
		{half, levels{audit.Detect: "capable", audit.Capture: "absent", audit.Identify: "absent"}, nil},
	}
	var specs []lab.Spec
	for _, c := range cases {
		specs = append(specs, c.spec)
	}
	shop := labtest.Open(t, lab.Config{Seed: 7, Devices: specs, Limits: lab.Limits{Requests: 10_000, Connections: 2, Refusals: 0}})
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range cases {
		d, _ := shop.Device(c.spec.Name)
		wg.Go(func() {
			for permit, want := range map[audit.Permit]levels{audit.PermitLogin: c.login, audit.PermitSample: c.sample, audit.PermitQuery: {}} {
				if want == nil {
					continue
				}
				os, tp := run(t, d.Addr, permit, probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password))
				got, _ := state(t, os)
				if x := cmp.Diff(want, got); x != "" {
					t.Errorf("%s under %s: %s", c.spec.Name, permit, x)
				}
				unharmed(t, c.spec.Name, os, tp)
			}
		})
	}
}

// unharmed fails the test when anything of a person, or a picture, is in the observations or would be recorded.
func unharmed(t *testing.T, name string, os []audit.Observation, tp *probetest.Tape) {
	t.Helper()
	b, err := json.Marshal(os)
	if err != nil {
		t.Error(err)
	}
	for _, word := range []string{lab.HikPerson, lab.HikLibrary, lab.HikModel, "Lab-picture", "4711-lab", "0.9137", "Lab-female", "Lab-middle", "Lab-smile", "1990-02-03", "310101199002030000", "Lab-behind-the-recorder", "192.0.2.21/face"} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("%s: %s is in the observations", name, word)
		}
		if strings.Contains(tp.String(), word) && (word != "Lab-behind-the-recorder" || name == "capture") { // a recorder's lists quote it as a login, which the transcript blanks
			t.Errorf("%s: %s would be recorded", name, word)
		}
	}
}

// TestOutbound: where results go, and whether faces are named.
func TestOutbound(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Seed: 7, Devices: []lab.Spec{lab.HikFaceCapture("a"), lab.HikContrast("b")}, Limits: lab.Limits{Requests: 10_000, Connections: 2}})
	for name, want := range map[string][]string{"a": {"cloud https://litedev.ezvizlife.example", "http-events http://faces.lab-cloud.example:8090"}, "b": {"isup isup://isup.lab-group.example:7660"}} {
		d, _ := shop.Device(name)
		os, _ := run(t, d.Addr, audit.PermitLogin, probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password))
		_, f := state(t, os)
		if got := list(f[probe.FactOutboundHosts]); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if face := f[probe.FactOutboundFace]; face.Known != (name == "a") {
			t.Errorf("%s: faces named: %v", name, face)
		}
	}
}

// TestWatched: what the stream of alarms told.
func TestWatched(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Seed: 7, Devices: []lab.Spec{lab.HikFaceCapture("a"), lab.HikContrast("b")}, Limits: lab.Limits{Requests: 10_000, Connections: 2}})
	for _, c := range []struct {
		name       string
		attributes []string
		identity   bool
		messages   int64
	}{{"a", []string{"accessory", "age", "expression", "gender"}, false, 1}, {"b", nil, true, 2}} {
		d, _ := shop.Device(c.name)
		os, tp := run(t, d.Addr, audit.PermitSample, probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password))
		_, f := state(t, os)
		if got := list(f[probe.FactAttributesActive]); !slices.Equal(got, c.attributes) {
			t.Errorf("%s: attributes %q", c.name, got)
		}
		if got := f[probe.FactIdentity]; got.Known != c.identity {
			t.Errorf("%s: identity %v", c.name, got)
		}
		if got := f[probe.FactLiveMessages].Value.V; got != c.messages {
			t.Errorf("%s: %v messages, want %d: each detection once", c.name, got, c.messages)
		}
		if !strings.Contains(tp.String(), "(picture, dropped unread)") || !strings.Contains(tp.String(), `"faceRect":{`) {
			t.Errorf("%s: the record lacks what came: %s", c.name, tp.String())
		}
	}
}

// TestFewQuestions: a recorder is asked about a bounded number of its channels, and the observation says so.
func TestFewQuestions(t *testing.T) {
	t.Parallel()
	var cameras []lab.Proxied
	for range 40 {
		cameras = append(cameras, lab.Proxied{Address: "192.0.2.9", Port: 80})
	}
	shop := labtest.Open(t, lab.Config{Seed: 7, Devices: []lab.Spec{lab.HikRecorder("r", cameras...)}, Limits: lab.Limits{Requests: 10_000, Connections: 2}})
	d, _ := shop.Device("r")
	os, _ := run(t, d.Addr, audit.PermitLogin, probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password))
	if len(os) > 70 {
		t.Errorf("%d questions", len(os))
	}
	if last := os[len(os)-1]; last.Kind != "enumeration" || last.Status != audit.Limited || !strings.Contains(last.Detail, "16 of 40") {
		t.Errorf("%+v", last)
	}
}

// TestBrief: a brief run asks who the device is and nothing of faces.
func TestBrief(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Seed: 7, Devices: []lab.Spec{lab.HikContrast("c")}})
	d, _ := shop.Device("c")
	g, _ := guardtest.New(t, "127.0.0.0/8")
	env := probe.Env{Device: g.Device(d.Addr.Addr()), Guard: g, Login: probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password), Evidence: &probetest.Tape{}, Clock: time.Now,
		Done: &probe.Done{}, Progress: func(audit.Text) {}, Brief: true}
	os, err := isapi.Module().Probe(t.Context(), env, audit.Target{Method: "sadp", Addr: d.Addr})
	if err != nil || len(os) != 1 || os[0].Identity == nil || os[0].Identity.Model != "LAB-iDS-2CD7A46" {
		t.Errorf("%+v %v", os, err)
	}
}

// TestStrangers: whatever speaks on the port, the module ends soon and says nothing of faces.
func TestStrangers(t *testing.T) {
	t.Parallel()
	info := `<DeviceInfo><model>LAB</model><deviceType>IPCamera</deviceType></DeviceInfo>`
	page := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	afterInfo := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "deviceInfo") {
				fmt.Fprint(w, info)
				return
			}
			h(w, r)
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for name, h := range map[string]http.HandlerFunc{
		"a page for every path": page(200, "<html><body>welcome</body></html>"),
		"401 for every path": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="x", nonce="1", qop="auth"`)
			w.WriteHeader(401)
		},
		"404 for every path": page(404, ""),
		"it redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+"/", http.StatusFound)
		},
		"identity, then pages":                afterInfo(page(200, "<html><body>FaceDetect enabled true</body></html>")),
		"identity, then its own page again":   afterInfo(page(200, info)),
		"identity, then 404":                  afterInfo(page(404, "")),
		"identity, then 403 without words":    afterInfo(page(403, "")),
		"identity, then not supported, open":  afterInfo(page(403, `<ResponseStatus><subStatusCode>notSupport</subStatusCode></ResponseStatus>`)),
		"identity, then 500":                  afterInfo(page(500, `{"enabled":true}`)),
		"identity, then broken documents":     afterInfo(page(200, `<FaceDetect><enabled>true</enabled>`)),
		"identity, then something very large": afterInfo(page(200, strings.Repeat("<a/>", 500_000))),
		"identity, then a lie about its length": afterInfo(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `<FaceDetect><enabled>true</enabled></FaceDetect>`)
		}),
	} {
		wg.Go(func() {
			srv := httptest.NewServer(h)
			defer srv.Close()
			begun := time.Now()
			os, _ := run(t, netip.MustParseAddrPort(srv.Listener.Addr().String()), audit.PermitSample, probe.NewLogin("viewer", "Lab-password"))
			if got, _ := state(t, os); len(got) > 0 {
				t.Errorf("%s: states %v", name, got)
			}
			if d := time.Since(begun); d > 20*time.Second {
				t.Errorf("%s: took %v", name, d)
			}
		})
	}
	for name, talk := range map[string]func(net.Conn){
		"silence":          func(c net.Conn) { time.Sleep(20 * time.Second); c.Close() },
		"another protocol": func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-lab\r\n"); c.Close() },
		"a trickle": func(c net.Conn) {
			for range 300 {
				if _, err := fmt.Fprint(c, "H"); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		},
	} {
		wg.Go(func() {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Error(err)
				return
			}
			defer ln.Close()
			go func() {
				for {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					go talk(c)
				}
			}()
			begun := time.Now()
			os, _ := run(t, netip.MustParseAddrPort(ln.Addr().String()), audit.PermitSample, nil)
			if got, _ := state(t, os); len(got) > 0 || len(os) == 0 || os[0].Status == audit.OK {
				t.Errorf(name+": states %v: %+v", got, os)
			}
			if d := time.Since(begun); d > 25*time.Second {
				t.Errorf(name+": took %v", d)
			}
		})
	}
}

// TestCapabilitiesAlone: what only capability documents say is what the device could do, however much of it they say. Flags
// that say no, and linkage that exists for functions the device does not have, show nothing.
func TestCapabilitiesAlone(t *testing.T) {
	t.Parallel()
	digest := `Digest realm="LAB", nonce="4e6f6e6365", qop="auth"`
	for name, c := range map[string]struct {
		kind, capabilities string
		want               levels
	}{
		"a camera that denies it, with triggers all the same": {"IPCamera", `<EventCap><isSupportFaceSnap>false</isSupportFaceSnap></EventCap><SmartCap><isSupportFaceDetect>false</isSupportFaceDetect></SmartCap>`, levels{}},
		"a recorder that can do everything": {"NVR", `<EventCap><isSupportFaceContrast>true</isSupportFaceContrast><isSupportFaceSnap>true</isSupportFaceSnap><isSupportWhiteListFaceContrast>false</isSupportWhiteListFaceContrast></EventCap>
<SmartCap><isSupportFaceDetect>true</isSupportFaceDetect></SmartCap>`, levels{audit.Detect: "capable", audit.Capture: "capable", audit.Identify: "capable"}},
		"a recorder that can search for faces": {"NVR", `<EventCap><isSupportFaceSnap>true</isSupportFaceSnap></EventCap><RacmCap><isSupportFaceDetecttionAlarmByTimeZone>true</isSupportFaceDetecttionAlarmByTimeZone>
<pictureSearchType opt="alarmResult,faceCapture"/><eventRecordSearch><eventType opt="all,faceSnap,alarmResult"/></eventRecordSearch></RacmCap>`, levels{audit.Detect: "capable", audit.Capture: "capable"}},
		"a thermal camera that shields faces from its list": {"IPCamera", `<EventCap><isSupportFaceThermometry>false</isSupportFaceThermometry></EventCap><ChannelEventCap><shieldEventType opt="faceSnap, humanRecognition"/></ChannelEventCap>`, levels{}},
		"a thermal camera that finds foreheads":             {"IPCamera", `<EventCap><isSupportFaceThermometry>true</isSupportFaceThermometry></EventCap>`, levels{audit.Detect: "capable"}},
		"bodies are no faces":                               {"IPCamera", `<EventCap><isSupportHumanRecognition>true</isSupportHumanRecognition></EventCap>`, levels{}},
		"linkage":                                           {"IPCamera", `<EventTriggerList><EventTrigger><id>faceSnap-1</id><eventType>faceSnap</eventType></EventTrigger></EventTriggerList>`, levels{}},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Header.Get("Authorization") == "":
				w.Header().Set("WWW-Authenticate", digest)
				w.WriteHeader(http.StatusUnauthorized)
			case r.URL.Path == "/ISAPI/System/deviceInfo":
				fmt.Fprintf(w, `<DeviceInfo xmlns="http://www.hikvision.com/ver20/XMLSchema"><model>LAB</model><deviceType>%s</deviceType></DeviceInfo>`, c.kind)
			case r.URL.Path == "/ISAPI/System/capabilities":
				fmt.Fprintf(w, `<DeviceCap xmlns="http://www.isapi.org/ver20/XMLSchema">%s</DeviceCap>`, c.capabilities)
			case r.URL.Path == "/ISAPI/Event/triggers":
				t.Errorf("%s: asked for triggers", name)
			default:
				w.WriteHeader(http.StatusNotFound)
			}
		}))
		os, _ := run(t, netip.MustParseAddrPort(srv.Listener.Addr().String()), audit.PermitLogin, probe.NewLogin("viewer", "Lab-password"))
		srv.Close()
		got, _ := state(t, os)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
