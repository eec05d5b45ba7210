package dahua

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
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
)

type untaped struct{}

func (untaped) Record(evidence.Exchange) string { return "urn:1" }

// asked runs the module against a device that answers every question by the function, and returns what it was asked.
func asked(t *testing.T, answer func(query string) (code int, body string)) ([]audit.Observation, []string) {
	t.Helper()
	var mu sync.Mutex
	var paths []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.Method+" "+r.URL.RequestURI())
		code, body := answer(r.URL.RawQuery)
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Digest realm="Login to 7K0LAB1PAZ00017", qop="auth", nonce="1"`)
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	g, _ := guardtest.New(t, "127.0.0.0/8")
	env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: untaped{}, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {}}
	target := audit.Target{Method: "inventory", Addr: at, Identity: audit.Identity{Vendor: "Dahua"}}
	if !Module().Wants(target) {
		t.Fatal("not wanted")
	}
	os, err := Module().Probe(t.Context(), env, target)
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, p := range paths {
		if q, get := strings.CutPrefix(p, "GET "); !get || !slices.Contains(wire.Requests(), wire.Request(q)) {
			t.Errorf("asked %s, which is not on the list", p)
		}
	}
	return os, paths
}

func TestAnswers(t *testing.T) {
	t.Run("no login: one question, and the realm tells the serial number", func(t *testing.T) {
		os, paths := asked(t, func(string) (int, string) { return 401, "Invalid Authority!" })
		if len(paths) != 1 || len(os) != 1 || os[0].Status != audit.AuthRequired || os[0].Identity == nil || os[0].Identity.Serial != "7K0LAB1PAZ00017" || !os[0].Identity.Weak {
			t.Errorf("%q %+v", paths, os)
		}
	})
	t.Run("nothing of it is there", func(t *testing.T) {
		os, paths := asked(t, func(string) (int, string) { return 404, "" })
		if len(paths) != 3 || slices.ContainsFunc(os, func(o audit.Observation) bool { return o.Status != audit.NotSupported }) {
			t.Errorf("%q %+v", paths, os)
		}
	})
	t.Run("a camera has no channels", func(t *testing.T) {
		os, _ := asked(t, func(q string) (int, string) {
			switch {
			case strings.Contains(q, "getDeviceType"):
				return 200, "type=LAB-IPC-1\r\n"
			case strings.Contains(q, "getSystemInfo"):
				return 200, "serialNumber=LAB00017\r\n"
			}
			return 200, "Error\r\n"
		})
		for _, o := range os {
			if o.Behind != nil || strings.HasPrefix(o.Kind, "getConfig") {
				t.Errorf("%+v", o)
			}
		}
		if os[0].Identity.Kind != audit.KindCamera || os[1].Status != audit.NotSupported {
			t.Errorf("%+v", os[:2])
		}
	})
	t.Run("a recorder that answers with something else", func(t *testing.T) {
		os, _ := asked(t, func(q string) (int, string) {
			if strings.Contains(q, "getDeviceClass") {
				return 200, "class=NVR\n"
			}
			return 200, "<html a=b>\n=\n\x00=\xff\n"
		})
		if len(os) != len(wire.Requests()) {
			t.Errorf("%d observations", len(os))
		}
		for _, o := range os {
			if len(o.Behind) > 0 {
				t.Errorf("%+v", o)
			}
		}
	})
}

func TestKind(t *testing.T) {
	for _, c := range []struct {
		class, model string
		want         audit.Kind
	}{
		{"NVR", "", audit.KindRecorder}, {"", "DHI-XVR5108", audit.KindRecorder}, {"IPC", "anything NVR", audit.KindCamera},
		{"VTO", "", audit.KindTerminal}, {"", "SS 3530 MF FACE W", audit.KindTerminal}, {"", "", ""}, {"", "N44", ""},
	} {
		if got := kind(c.class, c.model); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.class, c.model, got, c.want)
		}
	}
}
