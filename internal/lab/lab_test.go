package lab_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
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
