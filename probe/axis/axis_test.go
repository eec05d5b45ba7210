package axis_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/internal/vapix"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/axis"
)

const maker = "Axis Communications"

func run() probetest.Run { return probetest.Run{Module: axis.Module(), Vendor: maker} }

func with(name string, apps ...lab.ACAP) lab.Spec {
	s := lab.AxisPlain(name)
	s.VAPIX.Apps = append(s.VAPIX.Apps, apps...)
	return s
}

func TestDevices(t *testing.T) {
	face := func(status, license string) lab.ACAP {
		return lab.ACAP{Name: "faceRecognition", Title: "Face Recognition", Vendor: "Lab", Status: status, License: license}
	}
	empty := lab.AxisPlain("empty")
	empty.VAPIX.Apps = nil
	old := lab.AxisFaceApp("old")
	old.VAPIX.Old = true
	could := []string{"analyse capable", "capture capable", "detect capable", "identify capable"}
	for _, c := range []struct {
		spec lab.Spec
		want []string
	}{
		{lab.AxisFaceApp("runs"), []string{"analyse capable", "capture capable", "detect capable", "detect configured", "identify capable", "identify configured"}},
		{lab.AxisPlain("plain"), []string{"identify not capable", "verify not capable"}},
		{empty, []string{"identify not capable", "verify not capable"}},
		{with("stopped", face("Stopped", "Valid")), []string{"analyse capable", "analyse not configured", "capture capable", "capture not configured",
			"detect capable", "detect not configured", "identify capable", "identify not configured"}},
		{with("idle", face("Idle", "Valid")), could},
		{with("unlicensed", face("Running", "Missing")), could},
		{with("unheard-of", lab.ACAP{Name: "shopflow", Title: "Shop Flow", Vendor: "Lab", Status: "Running"}), nil},
		{with("in-disguise", lab.ACAP{Name: "vmd2", Title: "AXIS Video Motion Detection", Vendor: "Lab", Status: "Running"}), nil},
		{with("suite", lab.ACAP{Name: "bc", Title: "Analytics", Vendor: "BriefCam Ltd.", Status: "Running"}), could},
		{old, []string{"analyse capable", "capture capable", "detect capable", "detect configured", "identify capable", "identify configured"}},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			t.Parallel()
			os, _ := run().Device(t, c.spec)
			if d := cmp.Diff(c.want, probetest.Known(t, axis.Module(), os)); d != "" {
				t.Error(d)
			}
			if id := os[0].Identity; !c.spec.VAPIX.Old && (id == nil || id.Vendor != "AXIS" || id.Kind != audit.KindCamera || len(id.MACs) != 1 || os[0].Auth != "none") {
				t.Errorf("%+v", id)
			}
		})
	}
}

func TestPermits(t *testing.T) {
	for _, c := range []struct {
		name string
		run  probetest.Run
		want []audit.Status
	}{
		{"without a login", probetest.Run{Permit: audit.PermitQuery}, []audit.Status{audit.OK, audit.AuthRequired}},
		{"brief", probetest.Run{Brief: true}, []audit.Status{audit.OK}},
		{"the wrong login", probetest.Run{Login: probe.NewLogin("viewer", "wrong")}, []audit.Status{audit.OK, audit.Refused}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := c.run
			r.Module, r.Vendor = axis.Module(), maker
			os, _ := r.Device(t, lab.AxisPlain("camera"))
			var got []audit.Status
			for _, o := range os {
				got = append(got, o.Status)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if fs := probetest.Known(t, axis.Module(), os); len(fs) > 0 {
				t.Errorf("states %v", fs)
			}
		})
	}
}

// TestOpenList: what a list says to anybody is no complete answer to a login, so that nothing is stated absent or off.
func TestOpenList(t *testing.T) {
	for body, want := range map[string][]string{
		`<reply result="ok"><application Name="vmd" Vendor="Axis Communications" Status="Running"/></reply>`: nil,
		`<reply result="ok"><application Name="facedetector" Status="Stopped"/></reply>`:                     {"capture capable", "detect capable"},
		`<reply result="ok"><application Name="facedetector" Status="running?"/></reply>`:                    {"capture capable", "detect capable"},
		`<reply result="ok"><application Name="surfacedetect" Vendor="Lab" Status="Running"/></reply>`:       nil,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.Method + " " + r.URL.RequestURI() {
			case "POST " + vapix.BasicInfo:
				fmt.Fprint(w, `{"data":{"propertyList":{"Brand":"AXIS","ProdNbr":"LAB","SerialNumber":"ACCC8E000001"}}}`)
			case "GET " + vapix.Applications:
				fmt.Fprint(w, body)
			default:
				t.Errorf("asked %s %s", r.Method, r.URL)
			}
		}))
		os, _ := run().On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
		srv.Close()
		if d := cmp.Diff(want, probetest.Known(t, axis.Module(), os)); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
}

// TestUnmarked: a listed device that shows no maker is asked for its list by GET, and who it is only where it has one. One that
// is known to be of this maker is asked for its list even if it answers the first question with an error.
func TestUnmarked(t *testing.T) {
	const list = `<reply result="ok"><application Name="facerecognition" NiceName="Face Recognition" Vendor="Lab" Status="Running" License="None"/></reply>`
	for _, c := range []struct {
		name  string
		known bool
		brief bool
		post  int // what the first question is answered with, 0: properly
		list  string
		want  []string
		facts int
	}{
		{"unknown, with a list", false, false, 0, list, []string{"GET " + vapix.Applications, "POST " + vapix.BasicInfo}, 6},
		{"unknown, with a list, and an old one", false, false, 400, list, []string{"GET " + vapix.Applications, "POST " + vapix.BasicInfo}, 6},
		{"unknown, without a list", false, false, 0, "", []string{"GET " + vapix.Applications}, 0},
		{"unknown, with a page", false, false, 0, "<html><body>welcome</body></html>", []string{"GET " + vapix.Applications}, 0},
		{"unknown, brief", false, true, 0, list, nil, 0},
		{"known, bad request", true, false, 400, list, []string{"POST " + vapix.BasicInfo, "GET " + vapix.Applications}, 6},
		{"known, fault", true, false, 500, list, []string{"POST " + vapix.BasicInfo, "GET " + vapix.Applications}, 6},
		{"known, moved", true, false, 302, list, []string{"POST " + vapix.BasicInfo}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Method+" "+r.URL.RequestURI())
				switch {
				case r.Method == http.MethodPost && c.post != 0:
					w.WriteHeader(c.post)
				case r.Method == http.MethodPost:
					fmt.Fprint(w, `{"data":{"propertyList":{"Brand":"AXIS","ProdNbr":"LAB","SerialNumber":"ACCC8E000001"}}}`)
				case c.list == "":
					http.NotFound(w, r)
				default:
					fmt.Fprint(w, c.list)
				}
			}))
			defer srv.Close()
			r := probetest.Run{Module: axis.Module(), Brief: c.brief}
			if c.known {
				r.Vendor = maker
			}
			os, _ := r.On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
			if !slices.Equal(asked, c.want) {
				t.Errorf("asked %q", asked)
			}
			if got := probetest.Known(t, axis.Module(), os); len(got) != c.facts {
				t.Errorf("states %q", got)
			}
			if c.facts > 0 && !slices.ContainsFunc(os, func(o audit.Observation) bool {
				return o.Identity != nil && o.Identity.Vendor == "Axis" && o.Identity.Weak
			}) {
				t.Error("nothing hints at the maker")
			}
		})
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, axis.Module(), probetest.Bounds{Vendor: "Axis", Requests: 3})
}

// TestCatalogue: the data is sound, and what would make it unsound is refused.
func TestCatalogue(t *testing.T) {
	c, err := axis.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		app  vapix.Application
		runs []audit.Function
		none bool
	}{
		{vapix.Application{Name: "faceRecognition"}, []audit.Function{audit.Detect, audit.Identify}, false},
		{vapix.Application{Name: "x", Title: "Lab Facial Recognition Pro"}, []audit.Function{audit.Detect, audit.Identify}, false},
		{vapix.Application{Name: "FaceDetector"}, []audit.Function{audit.Detect}, false},
		{vapix.Application{Name: "objectanalytics", Vendor: "Axis Communications AB"}, nil, true},
		{vapix.Application{Name: "objectanalytics", Vendor: "Somebody"}, nil, false},
		{vapix.Application{Name: "interface"}, nil, false},
	} {
		u := c.Use(x.app)
		if d := cmp.Diff(x.runs, u.Runs); d != "" || u.None != x.none {
			t.Errorf("%+v: %+v %s", x.app, u, d)
		}
	}
	const head = "schema: mingshi.acap/v1\nsource: x\ndate: 2026-01-01\n"
	for _, s := range []string{"", "schema: other\nsource: x\ndate: 2026-01-01\n", "schema: mingshi.acap/v1\ndate: 2026-01-01\n", "schema: mingshi.acap/v1\nsource: x\ndate: soon\n",
		head + "more: 1\n", head + "applications:\n  - {can: [detect]}\n", head + "applications:\n  - {name: a}\n", head + "applications:\n  - {name: a, can: [smell]}\n",
		head + "applications:\n  - {name: '(', can: [detect]}\n"} {
		if _, err := axis.ReadCatalogue([]byte(s)); err == nil {
			t.Errorf("read %q", s)
		}
	}
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct {
		target audit.Target
		want   bool
	}{
		{audit.Target{Method: "tcp-connect", Addr: at}, false},
		{audit.Target{Method: "inventory", Addr: at}, true},
		{audit.Target{Method: "inventory", Addr: at, Identity: audit.Identity{Vendor: "Dahua"}}, false},
		{audit.Target{Method: "mdns", Addr: at, Identity: audit.Identity{Vendor: "AXIS"}}, true},
		{audit.Target{Method: "mdns", Addr: at, Identity: audit.Identity{Vendor: "AXIS"}, Foreign: true}, false},
	} {
		if got := axis.Module().Wants(c.target); got != c.want {
			t.Errorf("%+v: %v", c.target, got)
		}
	}
}
