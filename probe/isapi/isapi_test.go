package isapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/probe"
)

type untaped struct{}

func (untaped) Record(evidence.Exchange) string { return "urn:1" }

// asked runs the module against a device that answers every path by the function, and returns what it was asked.
func asked(t *testing.T, answer func(path string) (code int, body string)) ([]audit.Observation, []string) {
	t.Helper()
	var mu sync.Mutex
	var paths []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.Method+" "+r.URL.RequestURI())
		code, body := answer(r.URL.Path)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	g, _ := guardtest.New(t, "127.0.0.0/8")
	env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: untaped{}, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {}}
	target := audit.Target{Method: "inventory", Addr: at, Identity: audit.Identity{Vendor: "Hikvision"}}
	if !Module().Wants(target) {
		t.Fatal("not wanted")
	}
	os, err := Module().Probe(t.Context(), env, target)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Module().Probe(t.Context(), env, target); err != nil || len(again) > 0 {
		t.Errorf("asked a second time: %v %v", again, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, p := range paths {
		if path, get := strings.CutPrefix(p, "GET "); !get || !wire.Listed(wire.Path(path)) {
			t.Errorf("asked %s, which is not on the list", p)
		}
	}
	return os, paths
}

func TestAnswers(t *testing.T) {
	info := func(typ string) string {
		return `<DeviceInfo xmlns="urn:any"><model>LAB</model><deviceType>` + typ + `</deviceType></DeviceInfo>`
	}
	no := `<ResponseStatus><statusCode>4</statusCode><subStatusCode>notSupport</subStatusCode></ResponseStatus>`
	for _, c := range []struct {
		name   string
		answer func(path string) (int, string)
		want   []audit.Status
		kind   audit.Kind
	}{
		{"a camera has no channels", func(string) (int, string) { return 200, info("IPCamera") }, []audit.Status{audit.OK}, audit.KindCamera},
		{"a terminal", func(string) (int, string) { return 200, info("ACS") }, []audit.Status{audit.OK}, audit.KindTerminal},
		{"something else lives there", func(string) (int, string) { return 200, "<html><body>hello</body></html>" }, []audit.Status{audit.Malformed}, ""},
		{"a page that is not there", func(string) (int, string) { return 404, "" }, []audit.Status{audit.NotSupported}, ""},
		{"refused in the maker's words", func(string) (int, string) { return 403, no }, []audit.Status{audit.NotSupported}, ""},
		{"a document type", func(string) (int, string) { return 200, `<!DOCTYPE a [<!ENTITY b "c">]><DeviceInfo>&b;</DeviceInfo>` }, []audit.Status{audit.Malformed}, ""},
		{"a network recorder without lists is asked for sockets too", func(p string) (int, string) {
			if strings.HasSuffix(p, "deviceInfo") {
				return 200, info("NVR")
			}
			return 403, no
		}, []audit.Status{audit.OK, audit.NotSupported, audit.NotSupported}, audit.KindRecorder},
		{"an empty recorder is not asked whether it gets anything", func(p string) (int, string) {
			if strings.HasSuffix(p, "deviceInfo") {
				return 200, info("NVR")
			}
			return 200, `<InputProxyChannelList/>`
		}, []audit.Status{audit.OK, audit.OK}, audit.KindRecorder},
		{"lists that are something else", func(p string) (int, string) {
			if strings.HasSuffix(p, "deviceInfo") {
				return 200, info("hybirdNVR")
			}
			return 200, "<x>"
		}, []audit.Status{audit.OK, audit.Malformed, audit.Malformed}, audit.KindRecorder},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			os, paths := asked(t, c.answer)
			var got []audit.Status
			for _, o := range os {
				got = append(got, o.Status)
			}
			if c.want[0] == audit.OK { // what it does with faces is asked then; that is not tested here
				i := slices.IndexFunc(os, func(o audit.Observation) bool { return o.Class != audit.ClassInventory || o.Kind == "enumeration" })
				got, paths = got[:i], paths[:i]
			}
			if !slices.Equal(got, c.want) || len(paths) != len(c.want) {
				t.Errorf("%v to %q, want %v", got, paths, c.want)
			}
			var kind audit.Kind
			if id := os[0].Identity; id != nil {
				kind = id.Kind
			}
			if kind != c.kind {
				t.Errorf("kind %q, want %q", kind, c.kind)
			}
		})
	}
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct {
		target audit.Target
		want   bool
	}{
		{audit.Target{Method: "tcp-connect", Addr: at}, false},
		{audit.Target{Method: "sadp", Addr: at}, true},
		{audit.Target{Method: "tcp-connect", Addr: at, Identity: audit.Identity{Vendor: "HIKVISION"}}, true},
		{audit.Target{Method: "tcp-connect", Addr: netip.AddrPortFrom(at.Addr(), 8000), Identity: audit.Identity{Vendor: "HIKVISION"}}, false},
		{audit.Target{Method: "sadp", Addr: at, Foreign: true}, false},
	} {
		if got := Module().Wants(c.target); got != c.want {
			t.Errorf("%+v: %v", c.target, got)
		}
	}
}
