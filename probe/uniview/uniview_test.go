package uniview_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
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
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	wire "github.com/mingshi-audit/mingshi/internal/lapi"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/uniview"
)

func run() probetest.Run { return probetest.Run{Module: uniview.Module(), Vendor: "Uniview"} }

func TestDevices(t *testing.T) {
	compares := lab.UniviewTerminal("gate-on")
	compares.LAPI.Compare, compares.LAPI.Attributes = lab.On, lab.On
	numbered := lab.UniviewFaceOn("numbered") // numbers its one sensor
	numbered.LAPI.FaceEnable, numbered.LAPI.FaceRule = lab.Missing, lab.Missing
	idle := lab.UniviewRecorder("idle")
	idle.LAPI.Rules, idle.LAPI.Tasks = []lab.Switch{lab.Off, lab.Off, lab.Off}, []lab.Switch{}
	for _, c := range []struct {
		spec lab.Spec
		kind audit.Kind
		want []string
	}{
		{lab.UniviewFaceOn("on"), audit.KindCamera, []string{"capture capable", "detect capable", "detect configured"}},
		{lab.UniviewFaceOff("off"), audit.KindCamera, []string{"detect capable", "detect not configured"}},
		{lab.UniviewTerminal("gate"), audit.KindTerminal, []string{"analyse capable", "analyse not configured", "detect capable", "detect configured", "identify capable", "verify capable"}},
		{compares, audit.KindTerminal, []string{"analyse capable", "analyse configured", "detect capable", "detect configured", "identify capable", "identify configured", "verify capable"}},
		{lab.UniviewRecorder("nvr"), audit.KindRecorder, []string{"detect capable", "detect configured", "identify capable", "identify configured"}},
		{idle, audit.KindRecorder, []string{"detect capable", "detect not configured", "identify capable", "identify not configured"}},
		{numbered, audit.KindCamera, []string{"capture capable", "detect capable"}},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			t.Parallel()
			os, tape := run().Device(t, c.spec)
			if d := cmp.Diff(c.want, probetest.Known(t, uniview.Module(), os)); d != "" {
				t.Error(d)
			}
			if os[0].Identity == nil || os[0].Identity.Model != c.spec.Model && os[1].Identity.Model != c.spec.Model || os[0].Identity.Kind != c.kind && os[1].Identity.Kind != c.kind {
				t.Errorf("%+v", os[0].Identity)
			}
			kept, err := json.Marshal(os)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"员工库", "Lab staff", "Lab-behind-the-recorder"} {
				if strings.Contains(tape.String(), secret) || strings.Contains(string(kept), secret) {
					t.Errorf("%q was kept", secret)
				}
			}
		})
	}
}

// TestPermits: what needs no login is asked without one, and a brief run asks only who it is.
func TestPermits(t *testing.T) {
	for _, c := range []struct {
		name string
		run  probetest.Run
		spec lab.Spec
		want []audit.Status
	}{
		{"open, without a login", probetest.Run{Permit: audit.PermitQuery}, lab.UniviewFaceOn("a"), []audit.Status{audit.OK, audit.AuthRequired}},
		{"closed, without a login", probetest.Run{Permit: audit.PermitQuery}, lab.UniviewFaceOff("b"), []audit.Status{audit.AuthRequired}},
		{"brief", probetest.Run{Brief: true}, lab.UniviewFaceOff("c"), []audit.Status{audit.OK}},
		{"the wrong login", probetest.Run{Login: probe.NewLogin("viewer", "wrong")}, lab.UniviewFaceOff("d"), []audit.Status{audit.Refused}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := c.run
			r.Module, r.Vendor = uniview.Module(), "Uniview"
			os, _ := r.Device(t, c.spec)
			var got []audit.Status
			for _, o := range os {
				got = append(got, o.Status)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if fs := probetest.Known(t, uniview.Module(), os); len(fs) > 0 {
				t.Errorf("states %v", fs)
			}
		})
	}
}

// answers runs the module against a device that is open and answers every path by the function: a code and the data.
func answers(t *testing.T, data func(path string) (code int, json string)) ([]audit.Observation, []string) {
	t.Helper()
	var paths []string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		if r.Method != http.MethodGet || !wire.Listed(r.URL.Path) {
			t.Errorf("asked %s %s, which is not on the list", r.Method, r.URL)
		}
		code, body := data(r.URL.Path)
		if code != 0 {
			w.WriteHeader(599)
		}
		fmt.Fprintf(w, `{"Response":{"ResponseURL":%q,"ResponseCode":%d,"ResponseString":"x","StatusCode":0,"Data":%s}}`, r.URL.Path, code, body)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	defer srv.Close()
	os, _ := run().On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
	return os, paths
}

func TestTraps(t *testing.T) {
	var all sync.WaitGroup // most of the time is spent waiting
	camera := `{"DeviceModel":"IPC-LAB","SerialNumber":"L1"}`
	for _, c := range []struct {
		name string
		path wire.Path
		data string
		want []string
	}{
		{"an area that is on below a rule that says nothing", wire.FaceRule, `{"Areas":[{"ID":1,"Enabled":1}]}`, nil},
		{"on, as text", wire.FaceRule, `{"Enabled":"1"}`, []string{"detect capable", "detect configured"}},
		{"on, as a truth", wire.FaceEnable, `{"Enable":true}`, []string{"detect capable", "detect configured"}},
		{"neither yes nor no", wire.FaceEnable, `{"Enable":2}`, nil},
		{"two switches that differ", wire.FaceEnable, `{"Enable":0,"FaceEnable":1}`, nil},
		{"off, and nobody logged in to hear it", wire.FaceEnable, `{"Enable":0}`, []string{"detect capable"}},
		{"a comparison that is off", wire.FaceEnable, `{"FaceEnable":1,"CompareEn":0,"AttrEn":0,"IDFaceThreshold":60}`,
			[]string{"analyse capable", "detect capable", "detect configured", "identify capable", "verify capable"}},
		{"what hangs on an engine that is off", wire.FaceEnable, `{"FaceEnable":0,"CompareEn":1,"AttrEn":1}`, []string{"analyse capable", "detect capable", "identify capable"}},
		{"what hangs on an engine that is on", wire.FaceEnable, `{"FaceEnable":1,"CompareEn":1,"AttrEn":1}`,
			[]string{"analyse capable", "analyse configured", "detect capable", "detect configured", "identify capable", "identify configured"}},
		{"the text null", wire.FaceEnable, `"null"`, nil},
		{"a library alone", wire.Libraries, `{"Num":1,"LibList":[{"ID":3,"PersonNum":9,"FaceNum":9,"Name":"n"}]}`, []string{"identify capable"}},
		{"a library without a face", wire.Libraries, `{"Num":1,"LibList":[{"ID":3,"PersonNum":9,"FaceNum":0}]}`, nil},
		{"a task without a switch", wire.Monitors, `{"Num":1,"MonitorList":[{"ID":1}]}`, []string{"identify capable"}},
		{"no task, and nobody logged in to hear it", wire.Monitors, `{"Num":0,"MonitorList":[]}`, nil},
		{"cameras below tasks", wire.Monitors, `{"ChannelList":[{"ID":1,"Enabled":1}],"LibList":[{"ID":1,"Enabled":1}]}`, nil},
		{"cameras below a task that is off", wire.Monitors, `{"Enabled":0,"ChannelList":[{"ID":1,"Enabled":1}]}`, []string{"identify capable"}},
		{"a capability that is denied", wire.Capabilities, `{"FaceDetection":0,"FaceRecognition":{"IsSupport":0},"SurfaceDetection":1}`, []string{"detect capable"}},
		{"capabilities prove nothing more", wire.Capabilities, `{"FaceDetection":{"AreaNum":1},"FaceRecognition":1,"FaceAttribute":true,"FaceSnapshot":1,"FacePrivacy":1}`,
			[]string{"analyse capable", "capture capable", "detect capable", "identify capable"}},
		{"a turnstile's own switch", wire.Comparison, `{"Enabled":1}`, nil},
	} {
		all.Go(func() {
			os, _ := answers(t, func(p string) (int, string) {
				switch p {
				case string(wire.BasicInfo):
					return 0, camera
				case string(wire.Controller):
					return 0, `{"DoorNum":1}`
				case string(c.path):
					return 0, c.data
				}
				return 4, `"null"`
			})
			if d := cmp.Diff(c.want, probetest.Known(t, uniview.Module(), os)); d != "" {
				t.Errorf("%s: %s", c.name, d)
			}
		})
	}
	all.Wait()
	t.Run("an engine that is off, and orders in other documents", func(t *testing.T) {
		for _, c := range []struct {
			model, engine string
			want          []string
		}{
			{"OET-213H", `{"Enable":0}`, []string{"analyse capable", "detect capable", "identify capable"}},
			{"OET-213H", `{"Enable":1}`, []string{"analyse capable", "analyse configured", "detect capable", "detect configured", "identify capable", "identify configured"}},
			{"NVR302", `{"Enable":0}`, []string{"detect capable", "identify capable", "identify configured"}}, // it compares with an engine of its own
		} {
			os, _ := answers(t, func(p string) (int, string) {
				switch wire.Path(p) {
				case wire.BasicInfo:
					return 0, `{"DeviceModel":"` + c.model + `","SerialNumber":"L1"}`
				case wire.FaceEnable:
					return 0, c.engine
				case wire.Monitors:
					return 0, `{"Num":1,"MonitorList":[{"ID":1,"Enabled":1}]}`
				case wire.Comparison:
					return 0, `{"CompareEn":1,"AttrEn":1}`
				}
				return 4, `"null"`
			})
			if d := cmp.Diff(c.want, probetest.Known(t, uniview.Module(), os)); d != "" {
				t.Errorf("%s %s: %s", c.model, c.engine, d)
			}
		}
	})
	t.Run("nothing but the engine's switch", func(t *testing.T) {
		os, paths := answers(t, func(p string) (int, string) {
			if p == string(wire.FaceEnable) {
				return 0, `{"Enable":1}`
			}
			return 4, `"null"`
		})
		if n := len(slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p != string(wire.FaceEnable) })); n != 1 {
			t.Errorf("asked for the switch %d times", n)
		}
		if d := cmp.Diff([]string{"detect capable", "detect configured"}, probetest.Known(t, uniview.Module(), os)); d != "" {
			t.Error(d)
		}
	})
	t.Run("another server", func(t *testing.T) {
		var paths []string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.Path)
			if r.URL.Path != string(wire.FaceEnable) {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, `{"Response":{"ResponseCode":0,"Data":{"Enable":1}}}`)
		}))
		defer srv.Close()
		os, _ := run().On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
		if len(paths) < 3 || paths[2] != string(wire.FaceEnable) || os[2].Identity == nil || os[2].Identity.Vendor != "Uniview" || !os[2].Identity.Weak {
			t.Errorf("%q %+v", paths, os)
		}
	})
	t.Run("an error comes with 599, and with 200, and success with 599", func(t *testing.T) {
		for _, r := range []struct {
			code, status int
			text         string
			want         audit.Status
		}{{4, 599, "Not Supported", audit.NotSupported}, {1, 599, "Common Error", audit.Inconclusive}, {3, 200, "Not Authorized", audit.AuthRequired},
			{5, 599, "User is locked", audit.Locked}, {0, 599, "Succeed", audit.OK}} {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(r.status)
				fmt.Fprintf(w, `{"Response":{"ResponseCode":%d,"ResponseString":%q,"Data":{"DeviceModel":"IPC"}}}`, r.code, r.text)
			}))
			os, _ := run().On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
			srv.Close()
			if os[0].Status != r.want || len(probetest.Known(t, uniview.Module(), os)) > 0 {
				t.Errorf("%+v: %s", r, os[0].Status)
			}
		}
	})
	t.Run("a recorder without the question is not asked for every channel", func(t *testing.T) {
		var list []string
		for i := range 200 {
			list = append(list, fmt.Sprintf(`{"ID":%d,"DeviceModel":"x"}`, i+1))
		}
		_, paths := answers(t, func(p string) (int, string) {
			switch p {
			case string(wire.BasicInfo):
				return 0, `{"DeviceModel":"NVR-1","SerialNumber":"1"}`
			case string(wire.Channels):
				return 0, `{"Nums":200,"DetailInfos":[` + strings.Join(list, ",") + `]}`
			}
			return 4, `"null"`
		})
		if n := len(slices.DeleteFunc(paths, func(p string) bool { return !strings.HasSuffix(p, "/Smart/FaceDetection/Rule") })); n != 3 {
			t.Errorf("%d rules asked", n)
		}
	})
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct {
		target audit.Target
		want   bool
	}{
		{audit.Target{Method: "tcp-connect", Addr: at}, false},
		{audit.Target{Method: "tcp-connect", Addr: at, Identity: audit.Identity{Vendor: "UNV"}}, true},
		{audit.Target{Method: "tcp-connect", Addr: at, Identity: audit.Identity{MACs: []string{"48:ea:63:00:00:01"}}}, true},
		{audit.Target{Method: "tcp-connect", Addr: netip.AddrPortFrom(at.Addr(), 554), Identity: audit.Identity{Vendor: "Uniview"}}, false},
		{audit.Target{Method: "tcp-connect", Addr: at, Identity: audit.Identity{Vendor: "Uniview"}, Foreign: true}, false},
	} {
		if got := uniview.Module().Wants(c.target); got != c.want {
			t.Errorf("%+v: %v", c.target, got)
		}
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, uniview.Module(), probetest.Bounds{Vendor: "Uniview", Requests: 4})
}

// TestDeriveGarbage: data of another shape is an error and no panic.
func TestDeriveGarbage(t *testing.T) {
	for _, d := range []string{`[]`, `{"switches":1}`, `{"tasks":[{"id":1,"enabled":true}]}`, `{"switches":{"enabled":true}}`} {
		o := audit.Observation{Kind: "GET /x", Status: audit.Refused, At: time.Now(), Data: json.RawMessage(d)}
		if fs, _ := uniview.Module().Derive(o); len(fs) > 0 {
			t.Errorf("%s of a refusal states %v", d, fs)
		}
	}
}
