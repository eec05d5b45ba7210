package onvif

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/probe"
)

const heardNames = `xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tan="http://www.onvif.org/ver20/analytics/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" ` +
	`xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" ` +
	`xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:fc="http://www.onvif.org/ver20/analytics/humanface"`

func envelope(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ` + heardNames + `><s:Header/><s:Body>` + body + `</s:Body></s:Envelope>`
}

func web(question, status int, body string) *capture.Flow {
	f := &capture.Flow{Proto: capture.ProtoHTTP, Transport: "tcp", Client: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.40:50000")},
		Server: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.21:80")}}
	m := &capture.Message{Body: []byte(body), Size: int64(len(body)), Header: capture.Header{{Name: "Content-Type", Value: "application/soap+xml"}}}
	if question == 1 {
		m.Method, m.Target, f.Request, f.FromHost = "POST", "/events", m, true
		return f
	}
	m.Status, f.Answer = status, m
	f.Request = &capture.Message{Method: "POST", Target: "/onvif/device_service"}
	return f
}

func document(body string) *capture.Flow {
	return &capture.Flow{Proto: capture.ProtoMetadata, Transport: "udp", FromHost: true, Client: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.21:6970")},
		Server: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.40:50002")}, Payload: []byte(body)}
}

func within() probe.Hearing {
	p := netip.MustParsePrefix("192.0.2.0/24")
	return probe.Hearing{Inside: p.Contains}
}

func faceRule(enable string) string {
	return `<tan:GetRulesResponse><tan:Rule Name="r1" Type="x:FaceDetectRule"><tt:Parameters><tt:SimpleItem Name="Enable" Value="` + enable + `"/></tt:Parameters></tan:Rule></tan:GetRulesResponse>`
}

func recognised(when, person string) string {
	return `<wsnt:NotificationMessage><wsnt:Topic Dialect="d">tns1:RuleEngine/Recognition/Face</wsnt:Topic><wsnt:Message><tt:Message UtcTime="` + when + `"><tt:Source><tt:SimpleItem Name="VideoSource" Value="v"/></tt:Source>` +
		`<tt:Data><tt:SimpleItem Name="EnrollmentID" Value="` + person + `"/><tt:SimpleItem Name="Likelihood" Value="0.93"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
}

const motion = `<wsnt:NotificationMessage><wsnt:Topic>tns1:VideoSource/MotionAlarm</wsnt:Topic><wsnt:Message><tt:Message PropertyOperation="Changed"><tt:Data><tt:SimpleItem Name="State" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`

func scene(age string) string {
	return `<tt:MetadataStream ` + heardNames + `><tt:VideoAnalytics><tt:Frame UtcTime="2026-11-22T10:00:00Z"><tt:Object ObjectId="` + age + `"><tt:Appearance><tt:Class><tt:Type Likelihood="0.9">Face</tt:Type></tt:Class>` +
		`<tt:HumanFace><fc:Age><tt:Min>` + age + `</tt:Min></fc:Age></tt:HumanFace><tt:Image>QUJDRA==</tt:Image></tt:Appearance></tt:Object></tt:Frame></tt:VideoAnalytics></tt:MetadataStream>`
}

const nobody = `<tt:MetadataStream ` + heardNames + `><tt:VideoAnalytics><tt:Frame><tt:Object ObjectId="1"><tt:Appearance><tt:Class><tt:Type>Human</tt:Type></tt:Class></tt:Appearance></tt:Object></tt:Frame></tt:VideoAnalytics></tt:MetadataStream>`

type heardCase struct {
	name  string
	f     *capture.Flow
	kinds string // of the observations
	facts []string
}

func heardCases() []heardCase {
	fixed := `<tan:GetRulesResponse><tan:Rule Name="r1" Type="tt:FaceRecognition"><tt:Parameters/></tan:Rule></tan:GetRulesResponse>`
	outside := web(0, 200, envelope(faceRule("true")))
	outside.Server.Addr = netip.MustParseAddrPort("198.51.100.1:80")
	cut := document(scene("34")[:len(scene("34"))-60])
	cut.Cut = capture.CutHole
	return []heardCase{
		{"a rule that is on", web(0, 200, envelope(faceRule("true"))), "heard:tan:GetRules", []string{"face.detect.capable", "face.detect.configured"}},
		{"a rule that is off", web(0, 200, envelope(faceRule("false"))), "heard:tan:GetRules", []string{"face.detect.capable"}},
		{"a rule of the specification, which may be fixed", web(0, 200, envelope(fixed)), "heard:tan:GetRules", []string{"face.detect.capable", "face.identify.capable"}},
		{"an error", web(0, 500, envelope(faceRule("true"))), "", nil},
		{"a fault", web(0, 200, envelope(`<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>`)), "", nil},
		{"somebody's question", web(1, 0, envelope(`<tan:GetRules><tan:ConfigurationToken>a</tan:ConfigurationToken></tan:GetRules>`)), "", nil},
		{"a question that looks like an answer", web(1, 0, envelope(faceRule("true"))), "", nil},
		{"the name in another namespace", web(0, 200, envelope(`<x:GetRulesResponse xmlns:x="urn:x"><Rule Name="r" Type="FaceDetectRule"/></x:GetRulesResponse>`)), "", nil},
		{"cut", web(0, 200, envelope(faceRule("true"))[:700]), "", nil},
		{"a page", web(0, 200, "<html>www.onvif.org Envelope</html>"), "", nil},
		{"outside", outside, "", nil},
		{"who it is", web(0, 200, envelope(`<tds:GetDeviceInformationResponse><tds:Manufacturer>Lanting</tds:Manufacturer><tds:Model>LT-F510</tds:Model><tds:SerialNumber>LT0001</tds:SerialNumber></tds:GetDeviceInformationResponse>`)), "heard:tds:GetDeviceInformation", nil},
		{"a person is pushed", web(1, 0, envelope("<wsnt:Notify>"+recognised("2026-11-22T10:00:00Z", "P-007")+motion+"</wsnt:Notify>")), "heard:events",
			[]string{"face.detect.active", "face.detect.capable", "face.identify.active", "face.identify.capable", "face.identity", "face.live.messages", "face.live.seconds"}},
		{"a person is pulled", web(0, 200, envelope("<tev:PullMessagesResponse>"+recognised("2026-11-22T10:00:00Z", "P-007")+"</tev:PullMessagesResponse>")), "heard:events",
			[]string{"face.detect.active", "face.detect.capable", "face.identify.active", "face.identify.capable", "face.identity", "face.live.messages", "face.live.seconds"}},
		{"motion alone", web(0, 200, envelope("<tev:PullMessagesResponse>"+motion+"</tev:PullMessagesResponse>")), "", nil},
		{"a scene", document(scene("34")), "heard:metadata",
			[]string{"face.analyse.active", "face.attributes.active", "face.capture.active", "face.crops", "face.detect.active", "face.live.messages", "face.live.seconds"}},
		{"a scene of people", document(nobody), "", nil},
		{"a scene with a hole", cut, "", nil},
	}
}

func TestDissect(t *testing.T) {
	for _, c := range heardCases() {
		got, err := Dissect(within(), c.f)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var kinds, facts []string
		for _, o := range got {
			kinds = append(kinds, o.Kind)
			o.Seen, o.At, o.Until = &audit.Seen{Count: 7}, time.Unix(0, 0), time.Unix(30, 0)
			fs, err := Derive(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fs {
				facts = append(facts, f.Name)
				if f.Value.V == false || f.Name == probe.FactLiveMessages && f.Value.V != int64(7) {
					t.Errorf("%s: %s is %v", c.name, f.Name, f.Value.V)
				}
			}
			b, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"P-007", "0.93", "QUJD", `"34"`} {
				if strings.Contains(string(b), secret) {
					t.Errorf("%s: %s is kept: %s", c.name, secret, b)
				}
			}
		}
		slices.Sort(facts)
		if d := cmp.Diff(c.kinds, strings.Join(kinds, " ")); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if d := cmp.Diff(c.facts, slices.Compact(facts)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestHeardSubject: what is pushed is the pusher's; what is answered, the server's; what streams, the sender's.
func TestHeardSubject(t *testing.T) {
	for _, c := range heardCases() {
		got, err := Dissect(within(), c.f)
		if err != nil || len(got) == 0 {
			continue
		}
		want := "192.0.2.21:80"
		switch {
		case c.f.Proto == capture.ProtoMetadata:
			want = "192.0.2.21:0"
		case c.f.FromHost:
			want = "192.0.2.40:0"
		}
		if got[0].Endpoint.String() != want {
			t.Errorf("%s: about %s, want %s", c.name, got[0].Endpoint, want)
		}
	}
	// Where the other side began, and where it streams within the conversation that asked for it.
	for transport, want := range map[string]string{"udp": "192.0.2.21:0", "tcp": "192.0.2.21:6970"} {
		f := document(scene("31"))
		f.Transport, f.FromHost, f.Client, f.Server = transport, false, f.Server, f.Client
		if got, err := Dissect(within(), f); err != nil || len(got) == 0 || got[0].Endpoint.String() != want {
			t.Errorf("%s: %+v %v, want %s", transport, got, err, want)
		}
	}
}

// TestFloodAddsUp: thousands of pushes about different people are one observation.
func TestFloodAddsUp(t *testing.T) {
	seen := map[string]bool{}
	for i := range 2000 {
		who := strings.Repeat("x", i%50+1)
		for _, f := range []*capture.Flow{web(1, 0, envelope("<wsnt:Notify>"+strings.Repeat(recognised(time.Unix(int64(i), 0).Format(time.RFC3339), who), i%3+1)+"</wsnt:Notify>")), document(scene(time.Unix(int64(i), 0).Format("05")))} {
			got, err := Dissect(within(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range got {
				b, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				seen[string(b)] = true
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d observations", len(seen))
	}
}

// TestHeardCutsGiveLess: cut anywhere, a message states nothing that it does not state whole.
func TestHeardCutsGiveLess(t *testing.T) {
	states := func(f *capture.Flow) map[string]bool {
		out := map[string]bool{}
		got, _ := Dissect(within(), f)
		for _, o := range got {
			fs, err := Derive(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range fs {
				out[x.Name+" "+x.Key] = true
			}
		}
		return out
	}
	for _, c := range heardCases() {
		whole := states(c.f)
		f := *c.f
		body := func() *[]byte {
			switch {
			case f.Proto == capture.ProtoMetadata:
				return &f.Payload
			case f.Answer != nil:
				a := *f.Answer
				f.Answer = &a
				return &a.Body
			}
			r := *f.Request
			f.Request = &r
			return &r.Body
		}()
		full := *body
		f.Cut = capture.CutHole
		for n := 0; n < len(full); n += 3 {
			*body = full[:n]
			for s := range states(&f) {
				if !whole[s] {
					t.Fatalf("%s: %d bytes of %d state %s", c.name, n, len(full), s)
				}
			}
		}
	}
}

func FuzzDissect(f *testing.F) {
	for _, c := range heardCases() {
		switch {
		case c.f.Proto == capture.ProtoMetadata:
			f.Add(2, c.f.Payload)
		case c.f.Answer != nil:
			f.Add(0, c.f.Answer.Body)
		default:
			f.Add(1, c.f.Request.Body)
		}
	}
	f.Fuzz(func(t *testing.T, what int, b []byte) {
		x := document(string(b))
		if what != 2 {
			x = web(what&1, 200, string(b))
		}
		out, err := Dissect(within(), x)
		if err != nil && len(out) > 0 {
			t.Error("an error with observations")
		}
		for _, o := range out {
			fs, err := Derive(o)
			if err != nil {
				t.Error(err)
			}
			for _, s := range fs {
				if s.Value.V == false {
					t.Errorf("%s is denied", s.Name)
				}
			}
		}
	})
}
