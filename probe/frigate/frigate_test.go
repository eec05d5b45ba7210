package frigate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

// look asks an address as a run does: for its front page, then by this module.
func look(t *testing.T, at netip.AddrPort, login *probe.Login) (os []audit.Observation, recorded string) {
	t.Helper()
	return probetest.Run{Module: Module(), At: at, Login: login}.AfterPage(t)
}

func states(t *testing.T, os []audit.Observation) []string {
	t.Helper()
	return probetest.States(t, Module(), os)
}

// TestFaceAsThing: models that know faces find them in every version, where a camera is to look for them. The word is in the
// default attributes of every configuration, and some list it for a model that has no such name.
func TestFaceAsThing(t *testing.T) {
	const (
		knows  = `"detectors":{"edge":{"model":{"labelmap":{"0":"person","1":"face"}}}}`
		others = `"detectors":{"cpu":{"model":{"labelmap":{"0":"person","1":"car"}}}}`
		usual  = `"model":{"attributes_map":{"person":["amazon","face"]},"all_attributes":["amazon","face"]}`
		found  = "face.detect.configured objects of camera door=true"
	)
	door := func(more string) string { return `"cameras":{"door":{"enabled":true` + more + `}}` }
	for _, c := range []struct {
		name, config string
		want         audit.Level
	}{
		{"the camera's list", knows + "," + door(`,"objects":{"track":["person","face"]}`), audit.Configured},
		{"the list of all", knows + `,"objects":{"track":["face"]},` + door(""), audit.Configured},
		{"the camera has a list of its own", knows + `,"objects":{"track":["face"]},` + door(`,"objects":{"track":["person"]}`), audit.Unknown},
		{"no names are listed", `"detectors":{"cpu":{"type":"cpu"}},` + door(`,"objects":{"track":["face"]}`), audit.Capable},
		{"the older place of the names", `"model":{"labelmap":{"0":"face"}},"objects":{},` + door(`,"objects":{"track":["face"]}`), audit.Configured},
		{"the model has no such name", others + "," + door(`,"objects":{"track":["person","face"]}`), audit.Unknown},
		{"nothing is looked for", knows + "," + door(`,"detect":{"enabled":false},"objects":{"track":["face"]}`), audit.Unknown},
		{"the camera is off", knows + `,"cameras":{"door":{"enabled":false,"objects":{"track":["face"]}}}`, audit.Unknown},
		{"attributes are no list", others + "," + usual + "," + door(`,"objects":{"track":["person"]}`), audit.Unknown},
		{"a zone, a filter, a name", others + "," + door(`,"objects":{"track":["person"],"filters":{"face":{"min_area":1}}},"zones":{"face":{}}`), audit.Unknown},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/api/version":
				io.WriteString(w, "0.14.1-f4f3cfa")
			case "/api/config":
				io.WriteString(w, "{"+c.config+"}")
			default:
				http.NotFound(w, r)
			}
		}))
		os, _ := look(t, netip.MustParseAddrPort(srv.Listener.Addr().String()), nil)
		srv.Close()
		got := states(t, os)
		want := []string{}
		if c.want >= audit.Capable {
			want = append(want, strings.Replace(found, "configured", "capable", 1))
		}
		if c.want == audit.Configured {
			want = append(want, found)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestShut: a server that hides its configuration is told by how it writes its version, which is a hint; a bare number is none.
func TestShut(t *testing.T) {
	for version, want := range map[string]bool{"0.16.2-4d58206": true, "0.16.2": false, "2.6.5-4d58206": false, "0.17.0-beta1": false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/api/version":
				io.WriteString(w, version)
			case "/":
				http.NotFound(w, r)
			default:
				http.Error(w, `{"message":"Authentication required"}`, http.StatusUnauthorized)
			}
		}))
		os, _ := look(t, netip.MustParseAddrPort(srv.Listener.Addr().String()), nil)
		srv.Close()
		if len(os) != 2 || os[1].Status != audit.AuthRequired || len(states(t, os)) > 0 {
			t.Errorf("%s: %+v", version, os)
			continue
		}
		if id := os[0].Identity; (id != nil) != want || want && (id.Vendor != maker || !id.Weak) {
			t.Errorf("%s: %+v", version, id)
		}
	}
}

func TestServers(t *testing.T) {
	could := []string{"face.detect.capable face_recognition=true", "face.identify.capable face_recognition=true"}
	for _, c := range []struct {
		spec   lab.Spec
		status []audit.Status
		want   []string
	}{
		{lab.FrigateRecognising("on"), []audit.Status{audit.OK, audit.OK, audit.OK}, append([]string{
			"face.capture.configured camera checkout=true", "face.capture.configured camera entrance=true",
			"face.detect.active face_recognition=true",
			"face.detect.configured camera checkout=true", "face.detect.configured camera entrance=true", "face.detect.configured face_recognition=true",
			"face.identify.active face_recognition=true",
			"face.identify.configured camera checkout=true", "face.identify.configured camera entrance=true", "face.identify.configured camera storeroom=false",
			"face.identify.configured face_recognition=true",
			"outbound.face 192.0.2.9:1883=true", "outbound.hosts =[mqtt-events mqtt://192.0.2.9:1883]",
		}, could...)},
		{lab.FrigateOff("off"), []audit.Status{audit.OK, audit.OK, audit.OK}, append([]string{"face.identify.configured face_recognition=false"}, could...)},
		{lab.FrigateOld("old"), []audit.Status{audit.OK, audit.OK, audit.OK}, nil},
		{lab.FrigateClosed("closed"), []audit.Status{audit.OK, audit.AuthRequired}, nil},
		{lab.Anything("portal"), []audit.Status{audit.Malformed}, nil},
		{lab.CompreFace("other"), nil, nil},
		{lab.NoFace("camera"), nil, nil},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			shop, err := lab.Open(t.Context(), lab.Config{Devices: []lab.Spec{c.spec}})
			if err != nil {
				t.Fatal(err)
			}
			defer shop.Close()
			os, recorded := look(t, shop.Devices()[0].Addr, probe.NewLogin("operator", "never-sent"))
			var got []audit.Status
			for _, o := range os {
				got = append(got, o.Status)
			}
			if !slices.Equal(got, c.status) {
				t.Errorf("%v, want %v", got, c.status)
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
			for _, s := range []string{"Lab-behind", lab.LabPerson, "never-sent", "operator", "cmdline", "/live/"} {
				if strings.Contains(recorded, s) || strings.Contains(string(all), s) {
					t.Errorf("%s was kept", s)
				}
			}
			if len(os) > 0 && os[0].Status != audit.Malformed && (os[0].Identity == nil || os[0].Identity.Vendor != maker || os[0].Identity.Kind != audit.KindServer || os[0].Identity.Firmware == "") {
				t.Errorf("%+v", os[0].Identity)
			}
		})
	}
}

// TestTraps: what must not be taken for recognition that is on, or for this program.
func TestTraps(t *testing.T) {
	const title = "<html><head><title>Frigate</title></head></html>"
	config := func(face, camera string) string {
		return fmt.Sprintf(`{"mqtt":{"enabled":false},"detectors":{},%s"cameras":{"a":{"enabled":true%s}}}`, face, camera)
	}
	for _, c := range []struct {
		name                           string
		page, version, config, metrics string
		want                           []string
	}{
		{"models and labels are no switch", title, "0.16.2-4d58206", `{"mqtt":{},"detectors":{},"cameras":{"a":{"objects":{"track":["face"]}}},"model":{"attributes_map":{"person":["face"]}}}`,
			`{"cameras":{},"embeddings":{"image_embedding_speed":1.0}}`, []string{"face.detect.capable objects of camera a=true"}},
		{"on, and off for every camera", title, "0.16.2-4d58206", config(`"face_recognition":{"enabled":true},`, `,"face_recognition":{"enabled":false}`),
			`{"cameras":{},"embeddings":{"face_recognition_speed":1.0,"face_recognition":3.0}}`,
			[]string{"face.detect.capable face_recognition=true", "face.identify.capable face_recognition=true", "face.identify.configured camera a=false"}},
		{"on for a camera that is off", title, "0.16.2-4d58206", `{"mqtt":{},"face_recognition":{"enabled":true},"cameras":{"a":{"enabled":false,"face_recognition":{"enabled":true}}}}`,
			`{"cameras":{},"embeddings":{"face_recognition_speed":1.0,"face_recognition":0.0}}`,
			[]string{"face.detect.capable face_recognition=true", "face.identify.capable face_recognition=true"}},
		{"on, and nobody has come by", title, "0.16.2-4d58206", config(`"face_recognition":{"enabled":true},`, ""),
			`{"cameras":{},"embeddings":{"face_recognition_speed":1.0,"face_recognition":0.0}}`,
			[]string{"face.detect.capable face_recognition=true", "face.detect.configured camera a=true", "face.detect.configured face_recognition=true",
				"face.identify.capable face_recognition=true", "face.identify.configured camera a=true", "face.identify.configured face_recognition=true"}},
		{"a configuration larger than what is read", title, "0.16.2-4d58206", config(`"face_recognition":{"enabled":true},"x":"`+strings.Repeat("x", 3<<20)+`",`, ""),
			`{"cameras":{},"embeddings":{"face_recognition_speed":1.0,"face_recognition":0.0}}`,
			[]string{"face.detect.capable face_recognition=true", "face.detect.configured face_recognition=true", "face.identify.capable face_recognition=true", "face.identify.configured face_recognition=true"}},
		{"a switch that is no switch", title, "0.16.2-4d58206", config(`"face_recognition":{"enabled":"true"},`, ""), `{"cameras":{}}`, nil},
		{"a page for every path", title, title, title, title, nil},
		{"somebody else's numbers", "<html></html>", "1.2.3", `{"cameras":["a"],"face_recognition":{"enabled":true}}`, `{}`, nil},
		{"an error in JSON", title, `{"message":"not found"}`, `{"success":false}`, `{}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			asked := []string{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked = append(asked, r.Method+" "+r.URL.Path+r.Header.Get("Authorization"))
				mu.Unlock()
				io.WriteString(w, map[string]string{"/": c.page, "/api/version": c.version, "/api/config": c.config, "/api/stats": c.metrics}[r.URL.Path])
			}))
			defer srv.Close()
			os, _ := look(t, netip.MustParseAddrPort(srv.Listener.Addr().String()), nil)
			if d := cmp.Diff(append([]string{}, c.want...), states(t, os)); d != "" {
				t.Error(d)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, q := range asked {
				if !slices.Contains([]string{"GET /", "GET /api/version", "GET /api/config", "GET /api/stats"}, q) {
					t.Errorf("asked %s", q)
				}
			}
			for _, o := range os {
				if c.want == nil && c.page != title && o.Identity != nil && !o.Identity.Weak {
					t.Errorf("taken for %+v", o.Identity)
				}
			}
		})
	}
}

// TestHostile: a port that shows the title and then does something else is left soon.
func TestHostile(t *testing.T) {
	long := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("1", n)) }
	}
	for name, h := range map[string]http.HandlerFunc{
		"refuses everything": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"a huge body": long(3 << 20),
		"lies about its length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "0.16.2")
		},
		"is silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
			}
		},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			var n atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/" {
					io.WriteString(w, "<title>Frigate</title>")
					return
				}
				n.Add(1)
				h(w, r)
			}))
			defer srv.Close()
			os, _ := look(t, netip.MustParseAddrPort(srv.Listener.Addr().String()), nil)
			if len(os) != 1 || os[0].Status == audit.OK || len(states(t, os)) > 0 || n.Load() > 2 || time.Since(began) > 8*time.Second {
				t.Errorf("%+v after %d questions and %v", os, n.Load(), time.Since(began))
			}
		})
	}
}

func TestWants(t *testing.T) {
	done := &probe.Done{}
	done.Show(5000, probe.Page{Code: 404})
	done.Show(8080, probe.Page{Code: 404})
	done.Show(443, probe.Page{Code: 200, Titled: true, Makers: []string{maker}})
	done.Show(8971, probe.Page{Code: 200, Titled: true})
	for at, want := range map[string]bool{"192.0.2.1:5000": true, "192.0.2.1:443": true, "192.0.2.1:8971": false, "192.0.2.1:8080": false, "192.0.2.1:5001": false} {
		target := audit.Target{Addr: netip.MustParseAddrPort(at)}
		if got := wants(done.Inform(target)); got != want {
			t.Errorf("%s: %v", at, got)
		}
		target.Foreign = true
		if wants(done.Inform(target)) {
			t.Errorf("%s outside the perimeter", at)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add("GET /api/config", []byte(`{"knows_faces":true,"on":true,"cameras":[{"name":"a"}]}`))
	f.Add("GET /api/stats", []byte(`{"speed_ms":1,"per_second":-1}`))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		fs, err := Derive(audit.Observation{Kind: kind, Status: audit.OK, Data: b})
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
