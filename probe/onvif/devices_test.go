package onvif

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/probe"
)

// firmware is a small device of a maker nobody knows. It answers by operation; what it does not know it says so.
type firmware struct {
	tls      bool
	services string // XAddr of every service; %[1]s is the host, %[2]s the service
	routes   bool   // every service on its own path only
	closed   bool   // every operation wants the login, the clock and the services too
	digest   string // challenge instead of a SOAP fault
	empty    bool   // behind its login there is nothing
	slow     time.Duration

	mu     sync.Mutex
	asked  []string
	logins []string // operations that came with a login
}

var (
	bodyOf  = regexp.MustCompile(`Body>\s*<(\w+):(\w+)`)
	service = map[string]string{"device": "tds", "media": "trt", "analytics": "tan", "events": "tev"}
)

const firmwareNS = `xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" ` +
	`xmlns:tan="http://www.onvif.org/ver20/analytics/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" ` +
	`xmlns:ter="http://www.onvif.org/ver10/error" xmlns:wsa5="http://www.w3.org/2005/08/addressing" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"`

func (f *firmware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	m := bodyOf.FindStringSubmatch(string(raw))
	if m == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	op := m[1] + ":" + m[2]
	login := strings.Contains(string(raw), "UsernameToken") || r.Header.Get("Authorization") != ""
	f.mu.Lock()
	f.asked = append(f.asked, op)
	if login {
		f.logins = append(f.logins, op)
	}
	f.mu.Unlock()
	time.Sleep(f.slow)
	say := func(status int, body string) {
		w.Header().Set("Content-Type", "application/soap+xml")
		w.WriteHeader(status)
		io.WriteString(w, `<s:Envelope `+firmwareNS+`><s:Body>`+body+`</s:Body></s:Envelope>`)
	}
	fault := func(status int, codes ...string) {
		say(status, `<s:Fault><s:Code><s:Value>s:`+codes[0]+`</s:Value><s:Subcode><s:Value>ter:`+codes[1]+`</s:Value></s:Subcode></s:Code></s:Fault>`)
	}
	preAuth := strings.HasSuffix(op, "GetServiceCapabilities") || slices.Contains([]string{"tds:GetSystemDateAndTime", "tds:GetServices", "tds:GetCapabilities", "tds:GetEndpointReference"}, op)
	switch {
	case !login && f.digest != "" && (f.closed || !preAuth):
		w.Header().Set("WWW-Authenticate", f.digest)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !login && (f.closed || !preAuth):
		fault(400, "Sender", "NotAuthorized")
		return
	case f.empty:
		w.WriteHeader(http.StatusNotFound)
		return
	case f.routes && m[1] != "wsnt" && r.URL.Path != "/onvif/pull":
		name := strings.TrimPrefix(r.URL.Path, "/onvif/")
		if service[strings.TrimSuffix(name, "_service")] != m[1] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	}
	switch op {
	case "tds:GetSystemDateAndTime":
		t := time.Now().UTC()
		say(200, fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time>`+
			`<tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,
			t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day()))
	case "tds:GetServices":
		var b strings.Builder
		for name, ns := range map[string]string{"device_service": "ver10/device", "media": "ver10/media", "analytics": "ver20/analytics", "events": "ver10/events"} {
			fmt.Fprintf(&b, `<tds:Service><tds:Namespace>http://www.onvif.org/%s/wsdl</tds:Namespace><tds:XAddr>`+f.services+`</tds:XAddr><tds:Version><tt:Major>2</tt:Major></tds:Version></tds:Service>`, ns, r.Host, name)
		}
		say(200, `<tds:GetServicesResponse>`+b.String()+`</tds:GetServicesResponse>`)
	case "tds:GetDeviceInformation":
		say(200, `<tds:GetDeviceInformationResponse><tds:Manufacturer>Nobody</tds:Manufacturer><tds:Model>N1</tds:Model></tds:GetDeviceInformationResponse>`)
	case "trt:GetProfiles":
		say(200, `<trt:GetProfilesResponse><trt:Profiles token="P"><tt:VideoAnalyticsConfiguration token="V"><tt:AnalyticsEngineConfiguration/><tt:RuleEngineConfiguration/></tt:VideoAnalyticsConfiguration></trt:Profiles></trt:GetProfilesResponse>`)
	case "tan:GetSupportedRules":
		say(200, `<tan:GetSupportedRulesResponse><tan:SupportedRules><tt:RuleDescription Name="tt:FaceRecognition"/></tan:SupportedRules></tan:GetSupportedRulesResponse>`)
	case "tev:GetServiceCapabilities":
		say(200, `<tev:GetServiceCapabilitiesResponse><tev:Capabilities MaxPullPoints="10"/></tev:GetServiceCapabilitiesResponse>`)
	case "tev:CreatePullPointSubscription": // it names http also behind TLS
		say(200, `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>http://`+r.Host+`/onvif/pull</wsa5:Address></tev:SubscriptionReference></tev:CreatePullPointSubscriptionResponse>`)
	case "tev:PullMessages":
		time.Sleep(200 * time.Millisecond)
		say(200, `<tev:PullMessagesResponse/>`)
	case "wsnt:Unsubscribe":
		say(200, `<wsnt:UnsubscribeResponse/>`)
	default:
		fault(500, "Receiver", "ActionNotSupported")
	}
}

// TestUnknownFirmware: habits of small servers that no recording shows.
func TestUnknownFirmware(t *testing.T) {
	const whole = "http://%[2]s/onvif/%[3]s"
	xaddr := func(form string) string { // the service's namespace is argument 1
		return strings.NewReplacer("HOST", "%[2]s", "NAME", "%[3]s").Replace(form)
	}
	for _, tt := range []struct {
		name    string
		device  *firmware
		capable bool // the rule description was found
		logins  int  // at most, of the login test
		login   string
		pulls   bool
	}{
		{"addresses with a path only", &firmware{services: xaddr("/onvif/NAME"), routes: true}, true, 1, "accepted", true},
		{"addresses relative to the device service", &firmware{services: xaddr("NAME"), routes: true}, true, 1, "accepted", true},
		{"addresses without a scheme", &firmware{services: xaddr("HOST/onvif/NAME"), routes: true}, true, 1, "accepted", true},
		{"TLS on a port that does not say so, and http in every address", &firmware{services: whole, routes: true, tls: true}, true, 1, "accepted", true},
		{"a login for everything", &firmware{services: whole, closed: true}, true, 1, "accepted", true},
		{"Basic only", &firmware{services: whole, digest: `Basic realm="x"`}, false, 0, "fresh", false},
		{"a digest nobody knows", &firmware{services: whole, digest: `Digest realm="x", nonce="y", qop="auth", algorithm=ROT13`}, false, 0, "fresh", false},
		{"a web server with a login and no ONVIF", &firmware{closed: true, empty: true, digest: `Digest realm="IP Camera(A1234)", nonce="y", qop="auth"`}, false, 1, "accepted", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := tt.device
			srv := httptest.NewUnstartedServer(d)
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			if srv.Start(); d.tls {
				srv.Close()
				srv = httptest.NewUnstartedServer(d)
				srv.Config.ErrorLog = log.New(io.Discard, "", 0)
				srv.StartTLS()
			}
			defer srv.Close()
			login := probe.NewLogin("kestrel", "not-in-a-bundle")
			target := audit.Target{Method: "inventory", Inventory: "CAM-01", Addr: netip.MustParseAddrPort(srv.Listener.Addr().String())}
			obs, _ := ask(t, t.Context(), audit.PermitSample, target, login, probe.Sample{Events: 500 * time.Millisecond, Metadata: 200 * time.Millisecond})
			if got := levels(t, obs)[audit.Identify] == audit.Capable; got != tt.capable {
				t.Errorf("the rule description found: %v", got)
			}
			state := "fresh"
			if _, _, ok := login.Use(); ok {
				state = "accepted"
			} else if _, spent := login.Spent(); spent {
				state = "spent"
			}
			if state != tt.login {
				t.Errorf("the login is %s, want %s", state, tt.login)
			}
			if n := count(d.logins, "tds:GetDeviceInformation"); n > tt.logins {
				t.Errorf("%d login tests", n)
			}
			if tt.pulls && (count(d.asked, "tev:PullMessages") == 0 || count(d.asked, "wsnt:Unsubscribe") != 1) {
				t.Errorf("asked %v", d.asked)
			}
			if tt.device.empty && slices.ContainsFunc(obs, func(o audit.Observation) bool { return o.Status == audit.OK }) {
				t.Error("something counts as answered")
			}
			if t.Failed() {
				for _, o := range obs {
					t.Logf("%-34s %-14s %-7s %s", o.Kind, o.Status, o.Auth, o.Detail)
				}
			}
		})
	}
}

// TestSlowFirmware: where the time of a stage is used up the run goes on, nobody is said to have interrupted it, and no
// negative follows from what was not answered.
func TestSlowFirmware(t *testing.T) {
	d := &firmware{services: "http://%[2]s/onvif/%[3]s", slow: 120 * time.Millisecond}
	srv := httptest.NewServer(d)
	defer srv.Close()
	p := testPace
	p.stage1, p.stage2 = 400*time.Millisecond, 500*time.Millisecond
	target := audit.Target{Method: "inventory", Inventory: "CAM-01", Addr: netip.MustParseAddrPort(srv.Listener.Addr().String())}
	obs, _ := askAt(t, t.Context(), audit.PermitLogin, target, probe.NewLogin("kestrel", "not-in-a-bundle"), probe.Sample{}, p)
	late := 0
	for _, o := range obs {
		if o.Status == audit.Interrupted {
			t.Errorf("%s counts as interrupted", o.Kind)
		}
		if o.Kind == "enumeration" && o.Status == audit.Limited {
			late++
		}
	}
	if late != 1 {
		t.Errorf("nothing says that the time was used up: %d", late)
	}
	for f, l := range levels(t, obs) {
		if l == audit.Absent {
			t.Errorf("%s is absent", f)
		}
	}
}

// TestBrokenWebServer: where every question ends in the web server's own error, nothing is summed up and the login stays.
func TestBrokenWebServer(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "<html>error</html>")
	}))
	defer srv.Close()
	login := probe.NewLogin("kestrel", "not-in-a-bundle")
	target := audit.Target{Method: "inventory", Inventory: "CAM-01", Addr: netip.MustParseAddrPort(srv.Listener.Addr().String())}
	obs, _ := ask(t, t.Context(), audit.PermitSample, target, login, probe.Sample{})
	for _, o := range obs {
		if o.Status == audit.OK || o.Kind == "enumeration" || o.Kind == "trt:GetProfiles" {
			t.Errorf("%s is %s", o.Kind, o.Status)
		}
	}
	if _, _, fresh := login.Try(); !fresh {
		t.Error("the login was spent")
	}
	if asked > 5 {
		t.Errorf("asked %d times", asked)
	}
}

// TestEnumerated: one question short, and nothing is absent.
func TestEnumerated(t *testing.T) {
	whole := func() *session {
		s := &session{account: true, tokens: []string{"V"}, scopes: onvif.Scopes{Profiles: []string{"M"}}, services: onvif.Services{{Namespace: onvif.NSEvents}, {Namespace: onvif.NSApps}}}
		for _, op := range []string{"tan:GetSupportedRules", "tan:GetSupportedAnalyticsModules", "tan:GetRules", "tan:GetAnalyticsModules"} {
			s.questions = append(s.questions, question{Ask: op, Token: "V", Status: audit.OK, Auth: "wsse"})
		}
		for _, op := range []string{"tan:GetSupportedMetadata", "tev:GetEventProperties", "ans:GetAppsInfo"} {
			s.questions = append(s.questions, question{Ask: op, Status: audit.OK, Auth: "wsse"})
		}
		return s
	}
	without := func(op string) func(*session) {
		return func(s *session) {
			s.questions = slices.DeleteFunc(s.questions, func(q question) bool { return q.Ask == op })
		}
	}
	with := func(op string, status audit.Status) func(*session) {
		return func(s *session) {
			s.questions = append(s.questions, question{Ask: op, Status: status, Auth: "wsse"})
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*session)
		want   bool
	}{
		{"everything", func(*session) {}, true},
		{"an operation it does not have", with("tr2:GetAnalyticsConfigurations", audit.NotSupported), true},
		{"the event watch timed out", with("tev:PullMessages", audit.Timeout), true},
		{"topics not asked", without("tev:GetEventProperties"), false},
		{"applications not asked", without("ans:GetAppsInfo"), false},
		{"rules not asked", without("tan:GetRules"), false},
		{"configurations of Media2 refused", with("tr2:GetAnalyticsConfigurations", audit.Refused), false},
		{"configurations of Media2 not in time", with("tr2:GetAnalyticsConfigurations", audit.Timeout), false},
		{"the time was used up", func(s *session) { s.late = true }, false},
	} {
		s := whole()
		if tt.change(s); s.enumerated() != tt.want {
			t.Errorf("%s: %v", tt.name, !tt.want)
		}
	}
}

func count(list []string, what string) (n int) {
	for _, x := range list {
		if x == what {
			n++
		}
	}
	return n
}
