package dahua

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

// asked runs the module against a device that answers every question by the function, and returns what it was asked.
func asked(t *testing.T, answer func(query string) (code int, body string)) ([]audit.Observation, []string) {
	t.Helper()
	os, paths := probetest.Run{Module: Module(), Vendor: "Dahua"}.Scripted(t, func(w http.ResponseWriter, r *http.Request) {
		code, body := answer(r.URL.RawQuery)
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Digest realm="Login to 7K0LAB1PAZ00017", qop="auth", nonce="1"`)
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	})
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
		if len(os) != len(wire.Requests())+1 { // one channel's capabilities and libraries; the second stream is for who has none of the first
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

// TestWhiteLabels: those that put nobody's name on themselves, and leave out the programs that would say who they are.
func TestWhiteLabels(t *testing.T) {
	t.Parallel()
	t.Run("nothing but the table of rules", func(t *testing.T) {
		t.Parallel()
		os, _ := asked(t, func(q string) (int, string) {
			if strings.HasSuffix(q, "name=VideoAnalyseRule") {
				return 200, "table.VideoAnalyseRule[0][0].Class=FaceDetection\r\ntable.VideoAnalyseRule[0][0].Enable=true\r\n"
			}
			return 404, ""
		})
		n := 0
		for _, o := range os {
			if o.Kind != "getConfig VideoAnalyseRule" {
				continue
			}
			n++
			fs, err := Derive(o)
			if err != nil || o.Identity == nil || o.Identity.Vendor != "Dahua" || !o.Identity.Weak || len(fs) != 4 {
				t.Errorf("%+v %v %v", o.Identity, fs, err)
			}
		}
		if n != 1 {
			t.Errorf("the table was asked for %d times", n)
		}
	})
	for serial, want := range map[string]string{"AMC014641NE6L3": "Amcrest", "7J0A8D6": "Dahua"} {
		for _, vendor := range []string{"vendor=General\r\n", "Error\r\n", "vendor=Lorex\r\n"} {
			t.Run(serial+" "+strings.TrimSpace(vendor), func(t *testing.T) {
				t.Parallel()
				os, _ := asked(t, func(q string) (int, string) {
					switch {
					case strings.HasSuffix(q, "getSystemInfo"):
						return 200, "serialNumber=" + serial + "\n"
					case strings.HasSuffix(q, "getVendor"):
						return 200, vendor
					}
					return 404, ""
				})
				i := slices.IndexFunc(os, func(o audit.Observation) bool { return o.Kind == "getVendor" })
				weak := want
				if strings.Contains(vendor, "Lorex") {
					weak = "Lorex"
				}
				if i < 0 || os[i].Identity == nil || os[i].Identity.Vendor != weak || os[i].Identity.Weak == (weak == "Lorex") {
					t.Errorf("%s %q: %+v", serial, vendor, os)
				}
			})
		}
	}
}

// TestIdleLibraries: a library that is deployed where the rule which would compare with it is off is there, and no more.
func TestIdleLibraries(t *testing.T) {
	t.Parallel()
	rule := func(class, enable string) string {
		return "table.VideoAnalyseRule[0][0].Class=" + class + "\r\ntable.VideoAnalyseRule[0][0].Enable=" + enable + "\r\n"
	}
	for _, c := range []struct {
		name, rules string
		want        bool
	}{
		{"the rule is off", rule("FaceRecognition", "false"), false},
		{"no faces are looked for", rule("FaceDetection", "false"), false},
		{"faces are looked for", rule("FaceDetection", "true"), true},
		{"one of two is on", rule("FaceDetection", "false") + "table.VideoAnalyseRule[0][1].Type=FaceRecognition\r\ntable.VideoAnalyseRule[0][1].Enable=true\r\n", true},
		{"a rule for something else is off", rule("CrossLineDetection", "false"), true},
		{"another channel's rule is off", strings.ReplaceAll(rule("FaceRecognition", "false"), "[0][0]", "[3][0]"), true},
		{"no table", "Error\r\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			os, _ := asked(t, func(q string) (int, string) {
				switch {
				case strings.HasSuffix(q, "getDeviceType"):
					return 200, "type=LAB-IPC\r\n"
				case strings.HasSuffix(q, "name=VideoAnalyseRule"):
					return 200, c.rules
				case strings.HasSuffix(q, "FaceRecognitionEventHandler"):
					return 200, "table.FaceRecognitionEventHandler[0].GroupID=0017\r\ntable.FaceRecognitionEventHandler[0].EventEnableMask=3\r\n"
				case strings.HasSuffix(q, "getGroup&channel=1"):
					return 200, "groupID[0]=10000\r\n"
				}
				return 404, ""
			})
			for _, o := range os {
				if o.Kind == "getConfig VideoAnalyseRule" {
					continue
				}
				fs, err := Derive(o)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range fs {
					if on := f.Name == audit.FactName(audit.Identify, audit.Configured); on && !c.want {
						t.Errorf("%s: %+v", c.name, f)
					}
				}
				if d := o.Kind == "getConfig FaceRecognitionEventHandler" || o.Kind == "faceRecognitionServer getGroup"; d && len(fs) != 1+map[bool]int{true: 1}[c.want] {
					t.Errorf("%s: %s states %v", c.name, o.Kind, fs)
				}
			}
		})
	}
}

// TestSecondStream: firmware that refuses a list of codes is asked for the other one, and no other firmware is.
func TestSecondStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model string
		knows []wire.Request
		want  []wire.Request
	}{
		{"IPC", []wire.Request{wire.Attach}, []wire.Request{wire.Attach}},
		{"IPC", []wire.Request{wire.AttachDoor}, []wire.Request{wire.Attach, wire.AttachDoor}},
		{"DHI-ASI7213", []wire.Request{wire.Attach, wire.AttachDoor}, []wire.Request{wire.AttachDoor}},
		{"DHI-ASI7213", []wire.Request{wire.Attach}, []wire.Request{wire.AttachDoor, wire.Attach}},
		{"IPC", nil, []wire.Request{wire.Attach, wire.AttachDoor}},
	} {
		t.Run(fmt.Sprint(c.model, len(c.knows), len(c.want)), func(t *testing.T) {
			t.Parallel()
			_, paths := asked(t, func(q string) (int, string) {
				switch {
				case strings.HasSuffix(q, "getDeviceType"):
					return 200, "type=" + c.model + "\r\n"
				case slices.ContainsFunc(c.knows, func(r wire.Request) bool { return strings.HasSuffix(string(r), q) }):
					return 200, "--myboundary\r\n\r\nHeartbeat\r\n\r\nCode=FaceDetection;action=Start;index=0\r\n\r\n"
				}
				return 404, ""
			})
			var got []wire.Request
			for _, p := range paths {
				if strings.Contains(p, "action=attach") {
					got = append(got, wire.Request(strings.TrimPrefix(p, "GET ")))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s that knows %q was asked %q", c.model, c.knows, got)
			}
		})
	}
}

func TestKind(t *testing.T) {
	for _, c := range []struct {
		class, model string
		want         audit.Kind
	}{
		{"NVR", "", audit.KindRecorder}, {"", "DHI-XVR5108", audit.KindRecorder}, {"IPC", "anything NVR", audit.KindCamera},
		{"VTO", "", audit.KindTerminal}, {"", "DHI-ASI7213X-V1", audit.KindTerminal}, {"", "IP-BASIC", ""}, {"", "SS 3530 MF FACE W", audit.KindTerminal}, {"", "", ""}, {"", "N44", ""},
		{"", "IP2M-841", audit.KindCamera}, {"", "VIP 5280 B IA", audit.KindCamera}, {"", "iMHDX 3016", audit.KindRecorder}, {"", "NVD 1408 P", audit.KindRecorder},
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
			env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: &probetest.Tape{}, Clock: time.Now, Progress: func(audit.Text) {}, Sample: probe.Sample{Events: time.Second}}
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
