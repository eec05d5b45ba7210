package dahua

import (
	"fmt"
	"io"
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
		if q, get := strings.CutPrefix(p, "GET "); !get || !wire.Allowed(wire.Request(q)) {
			t.Errorf("asked %s, which is not on the list", p)
		}
	}
	return os, paths
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	t.Run("no login: one question, and the realm tells the serial number", func(t *testing.T) {
		os, paths := asked(t, func(string) (int, string) { return 401, "Invalid Authority!" })
		if len(paths) != 1 || len(os) != 1 || os[0].Status != audit.AuthRequired || os[0].Identity == nil || os[0].Identity.Serial != "7K0LAB1PAZ00017" || !os[0].Identity.Weak {
			t.Errorf("%q %+v", paths, os)
		}
	})
	t.Run("nothing of it is there", func(t *testing.T) {
		os, paths := asked(t, func(string) (int, string) { return 404, "" })
		if len(paths) != 4 || slices.ContainsFunc(os[:3], func(o audit.Observation) bool { return o.Status != audit.NotSupported }) || os[3].Status != audit.Inconclusive {
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
			if o.Behind != nil || o.Kind == "getConfig RemoteDevice" || o.Kind == "getConfig ChannelTitle" {
				t.Errorf("%+v", o)
			}
			// Nobody is logged in: that there is no such table may mean just that.
			if strings.HasPrefix(o.Kind, "getConfig") && o.Status != audit.Inconclusive {
				t.Errorf("%s: %s", o.Kind, o.Status)
			}
		}
		if os[0].Identity.Kind != audit.KindCamera || os[1].Status != audit.NotSupported {
			t.Errorf("%+v", os[:2])
		}
	})
	t.Run("a recorder that answers with something else", func(t *testing.T) {
		os, _ := asked(t, func(q string) (int, string) {
			if strings.Contains(q, "getDeviceType") {
				return 200, "type=LAB-NVR\n"
			}
			return 200, "<html a=b>\n=\n\x00=\xff\n"
		})
		if len(os) != len(wire.Requests())+2 { // one channel's capabilities and libraries
			t.Errorf("%d observations", len(os))
		}
		for _, o := range os[1:] {
			if len(o.Behind) > 0 || o.Status != audit.Malformed {
				t.Errorf("%+v", o)
			}
			if fs, err := Derive(o); err != nil || len(fs) > 0 {
				t.Errorf("%s: %v %v", o.Kind, fs, err)
			}
		}
	})
	t.Run("a page at every path", func(t *testing.T) {
		os, paths := asked(t, func(string) (int, string) { return 200, "<!DOCTYPE html><html><body>type=IPC</body></html>" })
		if len(paths) != 1 || os[0].Status != audit.Malformed || os[0].Identity != nil {
			t.Errorf("%q %+v", paths, os)
		}
	})
}

func TestKind(t *testing.T) {
	for _, c := range []struct {
		class, model string
		want         audit.Kind
	}{
		{"NVR", "", audit.KindRecorder}, {"", "DHI-XVR5108", audit.KindRecorder}, {"IPC", "anything NVR", audit.KindCamera},
		{"VTO", "", audit.KindTerminal}, {"", "DHI-ASI7213X-V1", audit.KindTerminal}, {"", "IP-BASIC", ""}, {"", "SS 3530 MF FACE W", audit.KindTerminal}, {"", "", ""}, {"", "N44", ""},
	} {
		if got := kind(c.class, c.model); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.class, c.model, got, c.want)
		}
	}
}

// TestStreams: a camera whose stream of events is none.
func TestStreams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve func(http.ResponseWriter)
		want  audit.Status
	}{
		"a page": {func(w http.ResponseWriter) {
			io.WriteString(w, "<html>\nCode=FaceDetection;\n</html>")
		}, audit.Malformed},
		"garbage without end": {func(w http.ResponseWriter) {
			for range 4000 {
				if _, err := io.WriteString(w, strings.Repeat("\x00\xff{[\"", 400)); err != nil {
					return
				}
			}
		}, audit.Malformed},
		"nothing": {func(w http.ResponseWriter) {}, audit.Inconclusive},
		"heartbeats, and then it hangs up": {func(w http.ResponseWriter) {
			io.WriteString(w, "--myboundary\r\n\r\nHeartbeat\r\n\r\n")
		}, audit.Inconclusive},
		"heartbeats": {func(w http.ResponseWriter) {
			for range 30 {
				io.WriteString(w, "--myboundary\r\n\r\nHeartbeat\r\n\r\n")
				w.(http.Flusher).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}, audit.Empty},
		"refused": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, audit.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.RawQuery, "attach") {
					c.serve(w)
					return
				}
				w.WriteHeader(http.StatusBadRequest)
			}))
			t.Cleanup(srv.Close)
			at := netip.MustParseAddrPort(srv.Listener.Addr().String())
			g, _ := guardtest.New(t, "127.0.0.0/8")
			env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: untaped{}, Clock: time.Now, Progress: func(audit.Text) {}, Sample: probe.Sample{Events: time.Second}}
			s := &session{env: env, asker: &probe.Asker{Env: env, At: at, Locked: wire.Locked, Withhold: wire.Withhold}}
			defer s.asker.Close()
			s.watch(t.Context())
			last := s.out[len(s.out)-1]
			if last.Kind != "eventManager attach" || last.Status != c.want {
				t.Errorf("%s: %s %s", last.Kind, last.Status, last.Detail)
			}
			fs, err := Derive(last)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fs {
				if f.Value.V == true {
					t.Errorf("concluded %+v", f)
				}
			}
		})
	}
}
