package protect

import (
	stdcmp "cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

func run(t *testing.T, spec lab.Spec, r probetest.Run) (probetest.Result, *lab.Shop) {
	t.Helper()
	spec.Name, spec.Maker, spec.Model = "console", "Ubiquiti", "LAB NVR"
	spec.Login.Auth = lab.AuthDigestMD5
	shop := labtest.Open(t, lab.Config{Seed: 6, Devices: []lab.Spec{spec}})
	d, _ := shop.Device("console")
	if r.Login == nil {
		r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
	}
	r.Module, r.At, r.Vendor = Module(), d.Addr, "Ubiquiti"
	got := r.Do(t)
	text := got.Text(t)
	for _, s := range []string{d.Spec.Login.Password, `"username":"viewer"`, "Lab Person", "某人", "lab-access-key", "lab@example.com", "TOKEN="} {
		if strings.Contains(text, s) {
			t.Errorf("%q is stored", s)
		}
	}
	return got, shop
}

const (
	one = "camera c00000000000000000000001"
	two = "camera c00000000000000000000002"
)

func TestBootstrap(t *testing.T) {
	for _, c := range []struct {
		name  string
		spec  lab.Protect
		facts []string
	}{
		{"one camera detects, one could, recognition is on", lab.Protect{Recognises: true, Cameras: []lab.ProtectCamera{
			{Model: "UVC A", Address: "127.0.0.41", Could: []string{"person", "face"}, Set: []string{"face"}}, {Model: "UVC B", Could: []string{"face"}, Set: []string{"person"}}}},
			[]string{"face.detect.capable " + one + " = true", "face.detect.capable " + two + " = true", "face.detect.configured " + one + " = true", "face.detect.configured " + two + " = false",
				"face.identify.capable console = true", "face.identify.configured console = true"}},
		{"recognition is off", lab.Protect{}, []string{"face.identify.capable console = true", "face.identify.configured console = false"}},
		{"a camera that is set to what it cannot", lab.Protect{Cameras: []lab.ProtectCamera{{Could: []string{"person"}, Set: []string{"face"}}}},
			[]string{"face.identify.capable console = true", "face.identify.configured console = false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, shop := run(t, lab.Spec{TLS: true, Protect: &c.spec}, probetest.Run{})
			if d := cmp.Diff(c.facts, got.Facts); d != "" {
				t.Error(d)
			}
			want := []string{kindBootstrap + " auth-required", kindLogin + " ok", kindBootstrap + " ok", kindLogout + " ok"}
			if k := got.Kinds(); len(k) < 4 || !slices.Equal(k[len(k)-4:], want) {
				t.Errorf("%q", k)
			}
			o := got.Observations[len(got.Observations)-2]
			if o.Identity.Kind != audit.KindRecorder || o.Identity.Model != "LAB NVR" || len(o.Behind) != len(c.spec.Cameras) || o.Auth != probe.SessionAuth {
				t.Errorf("%+v %+v", o.Identity, o.Behind)
			}
			in, out := 0, 0
			for _, r := range shop.Requests() {
				in += strings.Count(r.What, wireLogin)
				out += strings.Count(r.What, "logout")
			}
			if in != 1 || out != 1 {
				t.Errorf("%d logins, %d logouts", in, out)
			}
		})
	}
}

const wireLogin = "/api/auth/login"

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		spec lab.Spec
		run  probetest.Run
		last string
	}{
		{"a wrong password, once", lab.Spec{TLS: true, Protect: &lab.Protect{}}, probetest.Run{Login: probe.NewLogin("viewer", "wrong")}, kindLogin + " refused"},
		{"locked after it", lab.Spec{TLS: true, Protect: &lab.Protect{}, Login: lab.Login{Attempts: 1}}, probetest.Run{Login: probe.NewLogin("viewer", "wrong")}, kindLogin + " locked"},
		{"no TLS", lab.Spec{Protect: &lab.Protect{}}, probetest.Run{}, kindLogin + " denied"},
		{"no permit to log in", lab.Spec{TLS: true, Protect: &lab.Protect{}}, probetest.Run{Permit: audit.PermitQuery}, kindBootstrap + " auth-required"},
		{"a brief look", lab.Spec{TLS: true, Protect: &lab.Protect{}}, probetest.Run{Brief: true}, kindBootstrap + " auth-required"},
		{"no such application: the login stays here", lab.Spec{TLS: true}, probetest.Run{}, kindBootstrap + " not-supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := c.spec
			spec.Name, spec.Maker = "console", "Ubiquiti"
			spec.Login.Auth = lab.AuthDigestMD5
			cfg := lab.Config{Seed: 6, Devices: []lab.Spec{spec}, Allow: []string{"GET /proxy/protect/api/bootstrap"}}
			shop := labtest.Open(t, cfg)
			d, _ := shop.Device("console")
			r := c.run
			if r.Login == nil {
				r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
			}
			r.Module, r.At, r.Vendor = Module(), d.Addr, "Ubiquiti"
			got := r.Do(t)
			if k := got.Kinds(); k[len(k)-1] != c.last || len(got.Facts) > 0 {
				t.Errorf("%q %q", k, got.Facts)
			}
		})
	}
}

// TestGate: where what stands before the console wants a digest, the document is asked for with one, and nothing else of the
// login is sent. A device of no known maker gets no password, whatever it is.
func TestGate(t *testing.T) {
	const doc = `{"accessKey":"lab-access-key","users":[{"name":"Lab Person"}],"nvr":{"marketName":"UNVR","version":"5.0.34","mac":"02771AB00031","smartDetection":{"enable":true,"faceRecognition":true}},
		"cameras":[{"id":"c1","featureFlags":{"smartDetectTypes":["person","face"]},"smartDetectSettings":{"objectTypes":["face"]}}]}`
	for _, c := range []struct {
		name   string
		vendor string
		gate   string // what is wanted of who has no login
		want   []string
		facts  int
	}{
		{"open, unknown", "", "", []string{"none"}, 4},
		{"digest, unknown", "", `Digest realm="x", nonce="1", qop="auth"`, []string{"none", "none", "Digest"}, 4},
		{"digest, known", "Ubiquiti", `Digest realm="x", nonce="1", qop="auth"`, []string{"none", "none", "Digest"}, 4},
		{"a session, unknown", "", "Cookie", []string{"none"}, 0},
		{"basic, unknown", "", `Basic realm="x"`, []string{"none"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen []string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/proxy/protect/api/bootstrap" {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				kind, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				if seen = append(seen, stdcmp.Or(kind, "none")); kind == "" && c.gate != "" {
					w.Header().Set("WWW-Authenticate", c.gate)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				io.WriteString(w, doc)
			}))
			defer srv.Close()
			got := probetest.Run{Module: Module(), At: netip.MustParseAddrPort(srv.Listener.Addr().String()), Vendor: c.vendor, Login: probe.NewLogin("viewer", "pass-w0rd")}.Do(t)
			if !slices.Equal(seen, c.want) || len(got.Facts) != c.facts {
				t.Errorf("logins %q, facts %q", seen, got.Facts)
			}
			for _, s := range []string{"Lab Person", "lab-access-key", "pass-w0rd"} {
				if strings.Contains(got.Text(t), s) {
					t.Errorf("%q is stored", s)
				}
			}
		})
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, Module(), probetest.Bounds{Vendor: "Ubiquiti", Requests: 4})
}

func TestDerive(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		name string
		d    Data
		want []string
	}{
		{"nothing said", Data{Cameras: []Camera{{Key: "a"}}}, nil},
		{"set, and not said whether it could", Data{Cameras: []Camera{{"a", nil, &yes}}}, []string{"face.detect.configured"}},
		{"not set, and not said whether it could", Data{Cameras: []Camera{{"a", nil, &no}}}, nil},
		{"cannot and is not set", Data{Cameras: []Camera{{"a", &no, &no}}}, nil},
		{"set, below a switch that is off", Data{Detects: &no, Cameras: []Camera{{"a", &yes, &yes}}}, []string{"face.detect.capable"}},
		{"recognition below a switch that is off", Data{Recognises: &yes, Detects: &no}, []string{"face.identify.capable"}},
		{"recognition without the switch above it", Data{Recognises: &yes}, []string{"face.identify.capable", "face.identify.configured"}},
	} {
		b, err := json.Marshal(c.d)
		if err != nil {
			t.Fatal(err)
		}
		fs, err := Derive(audit.Observation{Kind: kindBootstrap, Status: audit.OK, Data: b})
		var got []string
		for _, f := range fs {
			got = append(got, f.Name)
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.name, err, d)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add([]byte(`{"recognises":true,"cameras":[{"key":"a","could":true,"set":true}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs, _ := Derive(audit.Observation{Kind: kindBootstrap, Status: audit.OK, Data: b})
		for _, x := range fs {
			if !slices.ContainsFunc(Module().Facts, func(s audit.FactSpec) bool { return s.Name == x.Name }) {
				t.Error(x.Name)
			}
		}
	})
}
