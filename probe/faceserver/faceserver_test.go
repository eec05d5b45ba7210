package faceserver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

// look asks an address as a run does: for its front page, then by this module.
func look(t *testing.T, at netip.AddrPort) (os []audit.Observation, recorded string) {
	t.Helper()
	return probetest.Run{Module: Module(), At: at, Login: probe.NewLogin("operator", "never-sent")}.AfterPage(t)
}

func states(t *testing.T, os []audit.Observation) []string {
	t.Helper()
	return probetest.States(t, Module(), os)
}

func TestServers(t *testing.T) {
	module := []string{"face.detect.capable module FaceProcessing=true", "face.identify.capable module FaceProcessing=true", "face.verify.capable module FaceProcessing=true"}
	analyse := string(wire.DeepfaceAnalyze)
	for _, c := range []struct {
		spec  lab.Spec
		asked int
		model string
		want  []string
	}{
		{lab.CodeProject("started", "Started"), 2, "CodeProject.AI", append([]string{"face.detect.configured module FaceProcessing=true", "face.identify.configured module FaceProcessing=true"}, module...)},
		{lab.CodeProject("stopped", "Stopped"), 2, "CodeProject.AI", append([]string{"face.detect.configured module FaceProcessing=false", "face.identify.configured module FaceProcessing=false"}, module...)},
		{lab.CodeProject("crashed", "Crashed"), 2, "CodeProject.AI", module},
		{lab.CompreFace("compreface"), 1, "CompreFace", []string{"face.analyse.capable plugin age=true", "face.analyse.capable plugin gender=true", "face.analyse.capable plugin mask=true",
			"face.attributes.capable =[accessory]", "face.attributes.capable =[age]", "face.attributes.capable =[gender]",
			"face.detect.capable plugin detector=true", "face.identify.capable plugin calculator=true", "face.verify.capable plugin calculator=true"}},
		{lab.DeepFace("deepface"), 3, "deepface", []string{"face.analyse.capable route " + analyse + "=true", "face.attributes.capable =[age emotion gender]",
			"face.detect.capable route " + analyse + "=true", "face.detect.capable route /verify=true", "face.verify.capable route /verify=true"}},
		{lab.Anything("portal"), 1, "", nil},
		{lab.FrigateRecognising("frigate"), 0, "", nil},
		{lab.VIIDServer("viid"), 0, "", nil},
		{lab.NoFace("camera"), 0, "", nil},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			shop, err := lab.Open(t.Context(), lab.Config{Devices: []lab.Spec{c.spec}})
			if err != nil {
				t.Fatal(err)
			}
			defer shop.Close()
			at := shop.Devices()[0].Addr
			if c.spec.Server != nil && at.Port() != c.spec.Server.Port {
				t.Skipf("port %d is taken here", c.spec.Server.Port)
			}
			os, recorded := look(t, at)
			if len(os) != c.asked {
				t.Errorf("%d questions, want %d", len(os), c.asked)
			}
			slices.Sort(c.want)
			if d := cmp.Diff(append([]string{}, c.want...), states(t, os)); d != "" {
				t.Error(d)
			}
			if v := shop.Violations(); len(v) > 0 {
				t.Error(v)
			}
			all, err := json.Marshal(os)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{lab.LabPerson, "never-sent", "operator", "histogram"} {
				if strings.Contains(recorded, s) || strings.Contains(string(all), s) {
					t.Errorf("%s was kept", s)
				}
			}
			model := ""
			if len(os) > 0 && os[0].Identity != nil {
				model = os[0].Identity.Model
			}
			if model != c.model {
				t.Errorf("taken for %q, want %q", model, c.model)
			}
		})
	}
}

const (
	doubleTakePage = "<title>Double Take</title>"
	viseronPage    = "<title>Viseron</title>"
	insightPage    = "<title>InsightFace-REST - Swagger UI</title>"
)

// TestAnswers: what products say, and what must not be taken for more.
func TestAnswers(t *testing.T) {
	recognises := []string{"face.detect.capable detector compreface=true", "face.identify.capable detector compreface=true"}
	for _, c := range []struct {
		name, page string
		answers    map[string]string
		want       []string
	}{
		{"Double Take with a detector and events", doubleTakePage, map[string]string{"/api/config": `{"version":"1.13.1","storage":{},"detectors":{"compreface":{"url":"http://192.0.2.5:8000","key":"pw1"}},"frigate":{"url":"http://192.0.2.6:5000"},"mqtt":{"host":"192.0.2.7","password":"pw2"}}`},
			append([]string{"face.detect.configured recognition=true", "face.identify.configured recognition=true",
				"outbound.face http://192.0.2.5:8000=true", "outbound.hosts =[face-pictures http://192.0.2.5:8000]"}, recognises...)},
		{"Double Take whose detector gets no pictures", doubleTakePage, map[string]string{"/api/config": `{"storage":{},"detectors":{"compreface":{"url":"http://compreface:8000"}},"mqtt":{"host":"192.0.2.7"}}`}, recognises},
		{"Double Take without a detector", doubleTakePage, map[string]string{"/api/config": `{"storage":{},"frigate":{"url":"http://192.0.2.6:5000"},"mqtt":{"host":"192.0.2.7"}}`}, nil},
		{"Double Take that wants a login", doubleTakePage, map[string]string{"/api/config": ""}, nil},
		{"Viseron without logins", viseronPage, map[string]string{"/api/v1/auth/enabled": `{"enabled":false,"onboarding_complete":true}`, "/api/v1/config": "ffmpeg:\n  camera:\n    a:\n      host: 192.0.2.7\n      password: pw1\ndlib:\n  face_recognition:\n    cameras:\n      a:\n"},
			[]string{"face.detect.capable component dlib=true", "face.detect.configured recognition=true", "face.identify.capable component dlib=true", "face.identify.configured recognition=true"}},
		{"Viseron whose recognition has no camera", viseronPage, map[string]string{"/api/v1/auth/enabled": `{"enabled":false,"onboarding_complete":true}`, "/api/v1/config": "dlib:\n  face_recognition:\n    save_unknown_faces: true\n"},
			[]string{"face.detect.capable component dlib=true", "face.identify.capable component dlib=true"}},
		{"Viseron with logins", viseronPage, map[string]string{"/api/v1/auth/enabled": `{"enabled":true,"onboarding_complete":true}`, "/api/v1/config": "dlib:\n  face_recognition:\n    cameras:\n      a:\n"}, nil},
		{"Viseron's configuration is a page", viseronPage, map[string]string{"/api/v1/auth/enabled": `{"enabled":false,"onboarding_complete":true}`, "/api/v1/config": "<html>\n<title>face_recognition:</title>"}, nil},
		{"InsightFace-REST with models loaded", insightPage, map[string]string{"/info": `{"version":"0.9.5.0","models":{"det_name":"scrfd_10g_gnkps","rec_name":"glintr100","ga_name":"genderage_v1","triton_uri":"pw1"},"defaults":{"extract_ga":false}}`},
			[]string{"face.analyse.capable plugin age=true", "face.analyse.capable plugin gender=true", "face.attributes.capable =[age]", "face.attributes.capable =[gender]",
				"face.detect.capable plugin detector=true", "face.identify.capable plugin calculator=true", "face.verify.capable plugin calculator=true"}},
		{"InsightFace-REST's title and somebody's information", insightPage, map[string]string{"/info": `{"name":"x","models":["a"]}`}, nil},
		{"CodeProject.AI that knows only the new question", "<title>CodeProject.AI Server</title>", map[string]string{"/v1/module/list/status": `{"statuses":[{"moduleId":"FaceProcessing","status":"Started"}]}`, "/v1/server/status/ping": `{"success":true,"message":"3.0.1"}`},
			[]string{"face.detect.capable module FaceProcessing=true", "face.detect.configured module FaceProcessing=true", "face.identify.capable module FaceProcessing=true",
				"face.identify.configured module FaceProcessing=true", "face.verify.capable module FaceProcessing=true"}},
		{"CodeProject.AI without the module", "<title>CodeProject.AI Server</title>", map[string]string{"/v1/status/analysis/list": `{"statuses":[{"moduleId":"ObjectDetectionYOLOv8","status":"Started"}]}`, "/v1/server/status/ping": `{"success":true,"message":"2.6.5"}`}, nil},
		{"DeepStack is only known", "<title>DeepStack</title>", nil, nil},
		{"Blue Iris is only known", "<title>Blue Iris Login</title>", nil, nil},
		{"a store of vectors is only known", `{"title":"qdrant - vector search engine","version":"1.9.0"}`, map[string]string{"/collections": `{"result":{"collections":[{"name":"faces"}]}}`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			os, recorded, asked := served(t, c.page, func(w http.ResponseWriter, r *http.Request) {
				switch a, ok := c.answers[r.URL.Path]; {
				case !ok:
					w.WriteHeader(http.StatusNotFound)
				case a == "":
					w.WriteHeader(http.StatusUnauthorized)
				default:
					io.WriteString(w, a)
				}
			})
			slices.Sort(c.want)
			if d := cmp.Diff(append([]string{}, c.want...), states(t, os)); d != "" {
				t.Error(d)
			}
			if len(asked) > 3 {
				t.Errorf("asked %v", asked)
			}
			all, err := json.Marshal(os)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(recorded+string(all), "pw") {
				t.Errorf("a password was kept: %s %s", all, recorded)
			}
		})
	}
}

// served runs the module against a server with a front page and whatever else, and checks that nothing was asked that is not
// on the list.
func served(t *testing.T, page string, h http.HandlerFunc) (os []audit.Observation, recorded string, asked []string) {
	t.Helper()
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			io.WriteString(w, page)
			return
		}
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Path+r.Header.Get("Authorization"))
		mu.Unlock()
		h(w, r)
	}))
	defer srv.Close()
	os, recorded = look(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
	mu.Lock()
	defer mu.Unlock()
	for _, q := range asked {
		if p, ok := strings.CutPrefix(q, "GET "); !ok || !slices.Contains(wire.Paths(), wire.Path(p)) {
			t.Errorf("asked %s, which is not on the list", q)
		}
	}
	return os, recorded, asked
}

// TestHostile: whoever's title a port shows, what answers everything alike is nobody's.
func TestHostile(t *testing.T) {
	pages := []string{doubleTakePage, viseronPage, insightPage, "<title>CodeProject.AI Server</title>", "<title>CompreFace</title>", "<h1>Welcome to DeepFace API v0.0.1!</h1>"}
	for name, h := range map[string]http.HandlerFunc{
		"a page for every path": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, doubleTakePage+"\nface_recognition:\n  cameras:\n    a:\n")
		},
		"an object for every path": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"success":true,"status":"OK"}`) },
		"a login for every path": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="x", qop="auth", nonce="n"`)
			w.WriteHeader(401)
		},
		"somewhere else": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"more than anybody reads": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"statuses":[`+strings.Repeat("1,", 1<<20))
		},
		"nested": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, strings.Repeat(`{"statuses":[`, 20_000))
		},
		"no end of what it promised": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{}`)
		},
		"nothing": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		for _, page := range pages {
			os, _, asked := served(t, page, h)
			if fs := states(t, os); len(fs) > 0 || len(asked) > 3 {
				t.Errorf("%s at %s: %v after %v", name, page, fs, asked)
			}
			for _, o := range os {
				if o.Identity != nil && !o.Identity.Weak {
					t.Errorf("%s at %s: taken for %+v", name, page, o.Identity)
				}
			}
		}
	}
}

func TestWants(t *testing.T) {
	done := &probe.Done{}
	for _, p := range []uint16{32168, 3000, 18080, 8080, 6333} {
		done.Show(p, probe.Page{Code: 404})
	}
	done.Show(18081, probe.Page{Code: 200, Titled: true})
	done.Show(8000, probe.Page{Code: 200, Titled: true, Makers: []string{"Exadel"}})
	done.Show(5000, probe.Page{Code: 200, Titled: true, Makers: []string{"DeepStack"}})
	for port, want := range map[uint16]bool{32168: true, 3000: true, 18080: true, 8000: true, 18081: false, 8080: false, 6333: false, 5000: false, 1883: false} {
		target := audit.Target{Method: "tcp-connect", Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)}
		if got := wants(done.Inform(target)); got != want {
			t.Errorf("%d: %v", port, got)
		}
		target.Foreign = true
		if wants(done.Inform(target)) {
			t.Errorf("%d outside the perimeter", port)
		}
	}
}

// TestAsks: whatever is asked is declared.
func TestAsks(t *testing.T) {
	var declared []string
	for _, q := range Module().Asks {
		declared = append(declared, strings.TrimPrefix(q.Request, "GET "))
		if q.Login || q.Needs != audit.PermitQuery || q.Kind != q.Request {
			t.Errorf("%+v", q)
		}
	}
	for _, p := range wire.Paths() {
		if !slices.Contains(declared, string(p)) && p != wire.FrigateVersion && p != wire.FrigateStats {
			t.Errorf("%s is not declared", p)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add([]byte(`{"product":"x","module":"FaceProcessing","state":"Started"}`))
	f.Add([]byte(`{"product":"x","loaded":["age","none"],"offers":["search"],"wired":true,"detectors":[{"name":"a","host":"http://[::1]:1"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs, err := Derive(audit.Observation{Kind: "GET /info", Status: audit.OK, Data: b})
		if err != nil {
			return
		}
		for _, x := range fs {
			if !slices.ContainsFunc(Module().Facts, func(s audit.FactSpec) bool { return s.Name == x.Name }) {
				t.Errorf("fact %s is not declared", x.Name)
			}
		}
	})
}
