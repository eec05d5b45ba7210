package lab_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/site"
)

func TestOpenDeviceAnswersEveryReadingQuestion(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("cam-01")}, Limits: lab.Limits{Requests: 1000}})
	c := newClient(t, shop, "cam-01")
	token := `<ConfigurationToken>VideoAnalyticsToken</ConfigurationToken>`
	for _, q := range []struct{ body, part string }{
		{dateAndTime, "UTCDateTime"},
		{`<GetServices ` + tds + `><IncludeCapability>true</IncludeCapability></GetServices>`, `SupportedMetadata="true"`},
		{`<GetCapabilities ` + tds + `><Category>All</Category></GetCapabilities>`, "AnalyticsModuleSupport"},
		{`<GetServiceCapabilities ` + tds + `/>`, "HttpDigest"},
		{information, "Lanting"},
		{`<GetScopes ` + tds + `/>`, "onvif://www.onvif.org/Profile/M"},
		{`<GetHostname ` + tds + `/>`, "cam-01"},
		{`<GetEndpointReference ` + tds + `/>`, "urn:uuid:"},
		{`<GetProfiles ` + trt + `/>`, `tt:CellMotionEngine`},
		{`<GetProfiles ` + tr2 + `><Type>All</Type></GetProfiles>`, "<tr2:Analytics "},
		{`<GetMetadataConfigurations ` + trt + `/>`, "<tt:Analytics>true</tt:Analytics>"},
		{`<GetAnalyticsConfigurations ` + tr2 + `/>`, `token="VideoAnalyticsToken"`},
		{`<GetVideoAnalyticsConfigurations ` + trt + `/>`, `token="VideoAnalyticsToken"`},
		{`<GetSupportedRules ` + tan + `>` + token + `</GetSupportedRules>`, `Name="tt:ObjectDetection"`},
		{`<GetRules ` + tan + `>` + token + `</GetRules>`, `tt:CellMotionDetector`},
		{`<GetRuleOptions ` + tan + `>` + token + `</GetRuleOptions>`, "<tt:StringList>Person Vehicle</tt:StringList>"},
		{`<GetSupportedAnalyticsModules ` + tan + `>` + token + `</GetSupportedAnalyticsModules>`, "tt:AnalyticsModuleDescription"},
		{`<GetAnalyticsModules ` + tan + `>` + token + `</GetAnalyticsModules>`, "MyCellMotionModule"},
		{`<GetSupportedMetadata ` + tan + `/>`, "tan:SampleFrame"},
		{`<GetServiceCapabilities ` + tev + `/>`, `MaxPullPoints="10"`},
		{`<GetEventProperties ` + tev + `/>`, `<Motion wstop:topic="true">`},
		{`<GetEventBrokers ` + tev + `/>`, "GetEventBrokersResponse"},
	} {
		status, answer := c.post(c.r.XAddr, q.body)
		if status != http.StatusOK {
			t.Errorf("%s: status %d: %s", q.body, status, answer)
		}
		wants(t, answer, q.part)
		if err := wellFormed(answer); err != nil {
			t.Errorf("%s: %v in %s", q.body, err, answer)
		}
	}
}

func wellFormed(doc string) error {
	for dec := xml.NewDecoder(strings.NewReader(doc)); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestEveryStyleIsWellFormed asks every device of the demonstration and every well-behaved hostile one the richest questions.
func TestEveryStyleIsWellFormed(t *testing.T) {
	devices := append(lab.DemoShop(), lab.ForeignXAddr("foreign", "198.51.100.1:80"), lab.Escapes("escapes"))
	for i := range devices {
		devices[i].Login.Auth = lab.AuthNone
	}
	shop := labtest.Open(t, lab.Config{Devices: devices})
	for _, r := range shop.Devices() {
		if !r.Spec.ONVIF || r.Spec.Quirks.HTTP != lab.Normal {
			continue
		}
		c := newClient(t, shop, r.Name)
		for _, body := range []string{`<GetServices ` + tds + `><IncludeCapability>true</IncludeCapability></GetServices>`, information, `<GetScopes ` + tds + `/>`,
			`<GetProfiles ` + trt + `/>`, `<GetProfiles ` + tr2 + `><Type>All</Type></GetProfiles>`, `<GetEventProperties ` + tev + `/>`,
			`<GetSupportedMetadata ` + tan + `/>`, `<GetSupportedRules ` + tan + `><ConfigurationToken>VideoAnalyticsToken</ConfigurationToken></GetSupportedRules>`} {
			if _, answer := c.post("http://"+r.Addr.String()+"/onvif/device_service", body); wellFormed(answer) != nil || !strings.Contains(answer, "Envelope") {
				t.Errorf("%s: %s: %v in %.2000s", r.Name, body, wellFormed(answer), answer)
			}
		}
	}
}

func TestLogins(t *testing.T) {
	wrong := func(c *client) *client { c.password += "x"; return c }
	for _, x := range []struct {
		name   string
		spec   lab.Spec
		ask    func(c *client) (int, string)
		status int
		login  string
	}{
		{"wsse accepted", lab.WSSEOnly("c"), func(c *client) (int, string) { return c.login(c.r.XAddr, information) }, 200, lab.LoginOK},
		{"wsse refused", lab.WSSEOnly("c"), func(c *client) (int, string) { return wrong(c).login(c.r.XAddr, information) }, 400, lab.LoginRefused},
		{"wsse wanted", lab.WSSEOnly("c"), func(c *client) (int, string) { return c.post(c.r.XAddr, information) }, 400, lab.LoginNone},
		{"no login needed", lab.WSSEOnly("c"), func(c *client) (int, string) { return c.post(c.r.XAddr, dateAndTime) }, 200, lab.LoginNone},
		{"digest md5", lab.NoFace("c"), func(c *client) (int, string) { return c.withDigest().post(c.r.XAddr, information) }, 200, lab.LoginOK},
		{"digest sha-256", lab.DigestOnly("c"), func(c *client) (int, string) { return c.withDigest().post(c.r.XAddr, information) }, 200, lab.LoginOK},
		{"digest of two offered", lab.EmitsAttributes("c"), func(c *client) (int, string) { return c.withDigest().post(c.r.XAddr, information) }, 200, lab.LoginOK},
		{"digest refused", lab.DigestOnly("c"), func(c *client) (int, string) { return wrong(c).withDigest().post(c.r.XAddr, information) }, 401, lab.LoginRefused},
		{"wsse to a digest device", lab.DigestOnly("c"), func(c *client) (int, string) { return c.login(c.r.XAddr, information) }, 401, lab.LoginRefused},
		{"either", lab.ConfiguredOn("c"), func(c *client) (int, string) { return c.login(c.r.XAddr, information) }, 200, lab.LoginOK},
		{"clock off, our time", lab.ClockOff("c"), func(c *client) (int, string) { return c.login(c.r.XAddr, information) }, 400, lab.LoginRefused},
		{"clock off, its time", lab.ClockOff("c"), func(c *client) (int, string) { c.offset = c.r.Spec.Clock; return c.login(c.r.XAddr, information) }, 200, lab.LoginOK},
		{"everything refused", lab.EverythingRefused("c"), func(c *client) (int, string) { return c.post(c.r.XAddr, dateAndTime) }, 400, lab.LoginNone},
	} {
		t.Run(x.name, func(t *testing.T) {
			shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{x.spec}})
			if status, answer := x.ask(newClient(t, shop, "c")); status != x.status {
				t.Errorf("status %d, want %d: %s", status, x.status, answer)
			}
			log := shop.Requests()
			if got := log[len(log)-1].Login; got != x.login {
				t.Errorf("the ledger says %s, want %s: %v", got, x.login, log)
			}
		})
	}
}

func TestLockingDeviceCountsDown(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.LockingDevice("c", 3)}})
	c := newClient(t, shop, "c")
	right := c.password
	c.password = "wrong"
	_, answer := c.login(c.r.XAddr, information)
	wants(t, answer, "You still have 2 attempt(s)", "NotAuthorized")
	c.login(c.r.XAddr, information)
	c.login(c.r.XAddr, information)
	c.password = right
	_, answer = c.login(c.r.XAddr, information)
	wants(t, answer, "locked")
	if v := shop.Violations(); len(v) != 3 {
		t.Errorf("three logins after a refusal should each be held against the client: %q", v)
	}
}

func TestClockOffTellsItsTime(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.ClockOff("c")}, Clock: func() time.Time { return at }})
	c := newClient(t, shop, "c")
	_, answer := c.post(c.r.XAddr, dateAndTime)
	wants(t, answer, "<tt:Year>2018</tt:Year>")
}

func TestEvents(t *testing.T) {
	for _, x := range []struct {
		spec  lab.Spec
		parts []string
	}{
		{lab.EmitsRecognitionIdentity("c"), []string{"tns1:RuleEngine/Recognition/Face", `"EnrollmentID"`, `PropertyOperation="Initialized"`}},
		{lab.EmitsRecognitionPlain("c"), []string{"tns1:RuleEngine/Recognition/Face", `Name="IsFDAlarm" Value="true"`}},
		{lab.FaceDetectEvents("c"), []string{"tns1:RuleEngine/MyRuleDetector/FaceDetect", `PropertyOperation="Changed"`, `Name="State" Value="true"`}},
	} {
		x.spec.Login.Auth = lab.AuthNone
		shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{x.spec}})
		c := newClient(t, shop, "c")
		got := pullFor(c, 1200*time.Millisecond, "tns1:RuleEngine//.")
		wants(t, got, x.parts...)
		if x.spec.Name == "c" && strings.Contains(x.parts[1], "IsFDAlarm") && strings.Contains(got, "EnrollmentID") {
			t.Error("a plain detection names a person")
		}
	}
}

// pullFor subscribes, pulls for a while, releases the pull point and returns the answers.
func pullFor(c *client, d time.Duration, filter string) string {
	c.t.Helper()
	_, answer := c.post(c.r.XAddr, `<CreatePullPointSubscription `+tev+`><Filter><TopicExpression xmlns="http://docs.oasis-open.org/wsn/b-2">`+filter+
		`</TopicExpression></Filter><InitialTerminationTime>PT60S</InitialTerminationTime></CreatePullPointSubscription>`)
	at := between(answer, "<wsa5:Address>", "</wsa5:Address>")
	if !strings.Contains(at, "/onvif/PullSubManager?Idx=") {
		c.t.Fatalf("no subscription address in %s", answer)
	}
	var all strings.Builder
	for end := time.Now().Add(d); time.Now().Before(end); {
		_, answer = c.post(at, `<PullMessages `+tev+`><Timeout>PT0.4S</Timeout><MessageLimit>10</MessageLimit></PullMessages>`)
		all.WriteString(answer)
	}
	if status, answer := c.post(at, `<Unsubscribe xmlns="http://docs.oasis-open.org/wsn/b-2"/>`); status != http.StatusOK {
		c.t.Errorf("unsubscribe: %d %s", status, answer)
	}
	if _, answer := c.post(at, `<Unsubscribe xmlns="http://docs.oasis-open.org/wsn/b-2"/>`); !strings.Contains(answer, "ResourceUnknownFault") {
		c.t.Errorf("a second unsubscribe: %s", answer)
	}
	return all.String()
}

func TestMetadata(t *testing.T) {
	for _, x := range []struct {
		spec  lab.Spec
		parts []string
	}{
		{lab.EmitsAttributes("c"), []string{"<tt:HumanFace><fc:Age><tt:Min>25</tt:Min>", "<fc:Gender>Male</fc:Gender>", "<fc:Expression>Smile</fc:Expression>", `Parent="12"`}},
		{lab.EmitsAttributesQinghe("c"), []string{"<onvif:HumanFace>", "<onvif:Gender>", "<onvif:ImageRef>"}},
	} {
		t.Run(x.spec.Model, func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{x.spec}})
			c := newClient(t, shop, "c")
			docs := c.documents("rtsp://"+c.r.RTSP.String()+"/live/1/main", 1500*time.Millisecond)
			if len(docs) < 3 {
				t.Fatalf("%d documents", len(docs))
			}
			all := strings.ReplaceAll(strings.ReplaceAll(strings.Join(docs, ""), "\r\n", ""), "\n", "")
			wants(t, all, x.parts...)
			for _, d := range docs {
				if err := wellFormed(d); err != nil {
					t.Errorf("%v in %s", err, d)
				}
			}
		})
	}
}

func TestStreamURI(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c"), lab.Recorder("nvr")}})
	c := newClient(t, shop, "c")
	_, answer := c.post(c.r.XAddr, `<GetStreamUri `+tr2+`><Protocol>RTSP</Protocol><ProfileToken>Profile_2</ProfileToken></GetStreamUri>`)
	if got, want := between(answer, "<tr2:Uri>", "<"), "rtsp://"+c.r.RTSP.String()+"/live/1/sub"; got != want {
		t.Errorf("stream %q, want %q", got, want)
	}
	_, answer = c.post(c.r.XAddr, `<GetStreamUri `+trt+`><ProfileToken>nobody</ProfileToken></GetStreamUri>`)
	wants(t, answer, "ter:InvalidArgVal", "ter:NoProfile")
	n := newClient(t, shop, "nvr").withDigest()
	_, answer = n.post(n.r.XAddr, `<GetProfiles `+trt+`/>`)
	if got := strings.Count(answer, "<trt:Profiles "); got != 16 {
		t.Errorf("%d profiles of the recorder", got)
	}
}

// TestViolations makes every kind of mistake once and expects each to be told.
func TestViolations(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c"), lab.EmitsAttributes("f"), lab.WSSEOnly("w")}, Limits: lab.Limits{Requests: 5}})
	c := newClient(t, shop, "c")
	c.post(c.r.XAddr, `<CreateProfile `+trt+`><Name>x</Name></CreateProfile>`)
	c.post(c.r.XAddr, `<GetUsers `+tds+`/>`)
	c.post(c.r.XAddr, `<CreatePullPointSubscription `+tev+`/>`)
	c.post("http://"+c.r.Addr.String()+"/login", "")
	for _, path := range []string{"/", "/snapshot.jpg"} {
		res, err := c.http.Get("http://" + c.r.Addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.r.Addr.String()+"/", nil)
	req.SetBasicAuth("viewer", "secret")
	if res, err := c.http.Do(req); err == nil {
		res.Body.Close()
	}
	var held []net.Conn
	for range 3 {
		x, err := net.Dial("tcp", c.r.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, x)
	}
	defer func() {
		for _, x := range held {
			x.Close()
		}
	}()
	strange, err := net.Dial("tcp", c.r.RTSP.String())
	if err != nil {
		t.Fatal(err)
	}
	strange.Write([]byte("SSH-2.0-x\r\n"))
	w := newClient(t, shop, "w")
	w.password = "no"
	w.login(w.r.XAddr, information)
	w.login(w.r.XAddr, information)
	time.Sleep(500 * time.Millisecond)
	strange.Close()
	shop.Close()

	got := strings.Join(shop.Violations(), "\n")
	wants(t, got, "c: asked trt:CreateProfile", "c: asked tds:GetUsers", "c: asked GET /snapshot.jpg", "c: asked POST /login", "pull point 90264411 was never released",
		"password in the clear (HTTP Basic)", "connections at the same time", "opened with \"SSH-2.0-x", "w: refused login number 2", "more than 5 requests in a second")
	if strings.Contains(got, "asked GET / ") || strings.Contains(got, "f: ") {
		t.Errorf("an allowed request is held against the client:\n%s", got)
	}
}

func TestSetupOfPicturesIsAViolation(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}})
	r, _ := shop.Device("c")
	x, err := net.Dial("tcp", r.RTSP.String())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	io.WriteString(x, "SETUP rtsp://"+r.RTSP.String()+"/live/1/main/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n")
	x.SetReadDeadline(time.Now().Add(2 * time.Second))
	b := make([]byte, 100)
	n, _ := x.Read(b)
	wants(t, string(b[:n]), "200 OK")
	wants(t, strings.Join(shop.Violations(), "\n"), "SETUP-of-a-picture-track")
}

func TestAllow(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}, Allow: []string{"trt:GetVideoSources"}})
	c := newClient(t, shop, "c")
	_, answer := c.post(c.r.XAddr, `<GetVideoSources `+trt+`/>`)
	wants(t, answer, "VideoSource_1")
}

// TestHostile: what hurts does hurt, in a bounded way on our side.
func TestHostile(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.GarbageDevice("garbage"), lab.SilentDevice("silent"), lab.Redirector("redirect", "198.51.100.7:80"),
		lab.EndlessBody("endless"), lab.DeepXML("deep"), lab.Doctype("bomb"), lab.SlowTrickle("trickle"), lab.Rebooter("reboot"), lab.ForeignXAddr("foreign", "198.51.100.7:80")}})
	ask := func(name string, timeout time.Duration) (int, string) {
		c := newClient(t, shop, name)
		c.http.Timeout = timeout
		return c.post("http://"+c.r.Addr.String()+"/onvif/device_service", dateAndTime)
	}
	if status, answer := ask("garbage", time.Second); status != 0 || !strings.Contains(answer, "malformed HTTP") && !strings.Contains(answer, "EOF") {
		t.Errorf("garbage: %d %s", status, answer)
	}
	for _, name := range []string{"silent", "trickle"} {
		if _, answer := ask(name, 300*time.Millisecond); !strings.Contains(answer, "Timeout") && !strings.Contains(answer, "deadline") {
			t.Errorf("%s: %s", name, answer)
		}
	}
	if status, answer := ask("endless", 5*time.Second); status != 200 || len(answer) != 4<<20 {
		t.Errorf("endless: %d, %d bytes", status, len(answer))
	}
	if _, answer := ask("deep", time.Second); strings.Count(answer, "<a>") != 100_000 {
		t.Errorf("deep: %d elements", strings.Count(answer, "<a>"))
	}
	if _, answer := ask("bomb", time.Second); !strings.Contains(answer, "<!DOCTYPE") {
		t.Errorf("bomb: %s", answer)
	}
	if status, _ := ask("redirect", time.Second); status != http.StatusFound {
		t.Errorf("redirect: %d", status)
	}
	c := newClient(t, shop, "foreign")
	_, answer := c.post("http://"+c.r.Addr.String()+"/onvif/device_service", `<GetServices `+tds+`/>`)
	wants(t, answer, "http://198.51.100.7:80/onvif/")
	if strings.Contains(answer, c.r.Addr.String()) {
		t.Error("a foreign address was to be named everywhere")
	}
	dropped := 0
	for range 15 {
		if status, _ := ask("reboot", time.Second); status == 0 {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("the rebooter never dropped a connection")
	}
}

func TestEscapesReachTheClient(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.Escapes("c")}})
	c := newClient(t, shop, "c")
	_, answer := c.post("http://"+c.r.Addr.String()+"/onvif/device_service", information)
	wants(t, answer, "\u009b31m", "\u202E", "&lt;script&gt;")
}

func TestDemoShop(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Multicast: true})
	for _, n := range shop.Notes() {
		t.Log(n.EN)
	}
	devices := shop.Devices()
	if len(devices) < 13 {
		t.Errorf("%d devices", len(devices))
	}
	addresses := map[netip.Addr]bool{}
	for _, r := range devices {
		if !r.Addr.Addr().IsLoopback() {
			t.Errorf("%s is not on loopback", r.Addr)
		}
		addresses[r.Addr.Addr()] = true
		if r.Credential != "" {
			if user, password, ok := shop.Credential(r.Credential); !ok || user == "" || password == "" {
				t.Errorf("%s has no account", r.Credential)
			}
		}
	}
	if len(shop.Perimeter()) != len(addresses) {
		t.Errorf("perimeter %v", shop.Perimeter())
	}
	if _, _, ok := shop.Credential("env:NOBODY"); ok {
		t.Error("an account nobody has")
	}
	if _, _, ok := shop.Credential(""); ok {
		t.Error("an account for the empty reference")
	}
	for _, e := range shop.Endpoints() {
		x, err := net.DialTimeout("tcp", e.String(), time.Second)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		x.Close()
	}
}

func TestSiteFile(t *testing.T) {
	shop := labtest.Open(t, lab.Config{})
	f, err := site.Parse(shop.SiteYAML(), "demo.yaml")
	if err != nil {
		t.Fatalf("%v in\n%s", err, shop.SiteYAML())
	}
	if !slices.Equal(f.Authority.Perimeter, shop.Perimeter()) || f.Authority.Permit != audit.PermitSample {
		t.Errorf("authority %+v", f.Authority)
	}
	logins := 0
	for _, e := range f.Inventory {
		r, ok := shop.Device(e.ID)
		if !ok || e.Address != r.Addr.String() {
			t.Errorf("inventory entry %+v", e)
		}
		if e.Credentials != "" {
			logins++
			if _, _, ok := shop.Credential(e.Credentials); !ok {
				t.Errorf("%s: no account %s", e.ID, e.Credentials)
			}
		}
		if _, password, _ := shop.Credential(r.Credential); password != "" && strings.Contains(string(shop.SiteYAML()), password) {
			t.Errorf("the site file holds the password of %s", e.ID)
		}
	}
	if len(f.Inventory) < 13 || len(f.Inventory) >= len(shop.Devices()) || logins < 10 {
		t.Errorf("%d of %d devices in the inventory, %d logins", len(f.Inventory), len(shop.Devices()), logins)
	}
	if !f.Survey.Complete || len(f.Notices) != 1 || f.Notices[0].Text != "内有监控" {
		t.Errorf("survey %+v, notices %+v", f.Survey, f.Notices)
	}
}

func TestSubstitute(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.WSSEOnly("cam-01")}})
	r := shop.Devices()[0]
	got := string(shop.Substitute([]byte("{{cam-01}} {{cam-01.ip}} {{cam-01.credentials}} [{{perimeter}}] {{cam-02}}")))
	want := r.Addr.String() + " " + r.Addr.Addr().String() + " env:MINGSHI_LAB_CAM_01 [" + r.Addr.Addr().String() + "/32] {{cam-02}}"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if e := shop.Environment(); len(e) != 1 || !strings.HasPrefix(e[0], "MINGSHI_LAB_CAM_01=viewer:Lab-cam-01-") {
		t.Errorf("environment %q", e)
	}
}

func TestScenarios(t *testing.T) {
	for _, id := range []string{"S01", "S02", "S03", "S04", "S05", "S06", "S07"} {
		s := lab.Scenario(id)
		if len(s) == 0 || s[0].Name != "cam-01" {
			t.Errorf("%s: %v", id, s)
		}
	}
	if s := lab.Scenario("S99"); s == nil || len(s) != 0 {
		t.Errorf("S99: %v, want no devices rather than the default", s)
	}
}

func TestTwoShopsDoNotShareAddresses(t *testing.T) {
	one := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}})
	two := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}})
	if len(one.Notes()) == 0 && slices.Equal(one.Perimeter(), two.Perimeter()) {
		t.Errorf("both stand in %v", one.Perimeter())
	}
}

func TestTwoDevicesOfOneName(t *testing.T) {
	if s, err := lab.Open(t.Context(), lab.Config{Devices: []lab.Spec{lab.OpenCamera("c"), lab.OpenCamera("c")}}); err == nil {
		s.Close()
		t.Error("opened")
	}
}

// TestSameSeedSameShop: what is made up follows from the seed.
func TestSameSeedSameShop(t *testing.T) {
	identity := func(seed int64) string {
		s := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.WSSEOnly("c")}, Seed: seed})
		r := s.Devices()[0]
		_, password, _ := s.Credential(r.Credential)
		return r.EPR + " " + password
	}
	if a, b := identity(1), identity(1); a != b {
		t.Errorf("%s, then %s", a, b)
	}
	if a, b := identity(1), identity(2); a == b {
		t.Errorf("%s for two seeds", a)
	}
}
