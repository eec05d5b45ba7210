package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// requests are envelopes as different clients write them.
func requests() map[string]string {
	return map[string]string{
		`<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetServices xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`:                                       "tds:GetServices",
		`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://www.onvif.org/ver20/media/wsdl"><SOAP-ENV:Header/><SOAP-ENV:Body> <m:GetProfiles/></SOAP-ENV:Body></SOAP-ENV:Envelope>`: "tr2:GetProfiles",
		`<Envelope><Body><Strange xmlns="urn:x"/></Body></Envelope>`: "urn:x:Strange",
		`<Envelope><Body/></Envelope>`:                               "",
		`<html><body>no</body></html>`:                               "",
		`garbage`:                                                    "",
		``:                                                           "",
		`<Envelope><Body><a>` + strings.Repeat("<b>", 100) + strings.Repeat("</b>", 100) + `</a></Body></Envelope>`: "",
	}
}

func TestReadQuestion(t *testing.T) {
	for doc, want := range requests() {
		got := ""
		if q, err := readQuestion([]byte(doc)); err == nil {
			got = q.op
		}
		if got != want {
			t.Errorf("%.80s: %q, want %q", doc, got, want)
		}
	}
}

func FuzzReadQuestion(f *testing.F) {
	for doc := range requests() {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := readQuestion(b); err == nil && (q.body == nil || q.op == "") {
			t.Error("a question without a body")
		}
	})
}

func TestDigestParams(t *testing.T) {
	for in, want := range map[string]map[string]string{
		`username="viewer", realm="LAB, Login", nc=00000001,qop=auth`: {"username": "viewer", "realm": "LAB, Login", "nc": "00000001", "qop": "auth"},
		`algorithm=MD5`: {"algorithm": "MD5"},
		`x="unclosed`:   {"x": "unclosed"},
		`nothing`:       {},
		``:              {},
	} {
		if d := cmp.Diff(want, digestParams(in)); d != "" {
			t.Errorf("%s: %s", in, d)
		}
	}
}

func FuzzDigestParams(f *testing.F) {
	for _, s := range []string{`username="viewer", realm="LAB", nc=00000001`, `=,=,"`, `a="b`, `,,,`} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) { digestParams(s) })
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"PT60S": time.Minute, "PT1M": time.Minute, "PT0.4S": 400 * time.Millisecond, "P1D": 24 * time.Hour, "P1DT2H": 26 * time.Hour, "PT1H30M": 90 * time.Minute,
		"": -1, "60": -1, "P": -1, "P1Y": -1, "PTx": -1,
	} {
		got, ok := duration(in)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestListed(t *testing.T) {
	for what, want := range map[string]bool{
		"tds:GetServices": true, "tev:PullMessages": true, "wsnt:Unsubscribe": true, "GET /": true, "HEAD /": true, "GET /desc.xml": true, "RTSP SETUP /live/1/main/trackID=1": true,
		"RTSP PLAY": true, "WS-Discovery Probe": true, "mDNS _http._tcp": true, "TLS hello": true,
		"tan:ModifyRules": false, "trt:CreateProfile": false, "tev:AddEventBroker": false, "tds:GetUsers": false, "tcr:GetCredentialInfoList": false,
		"tds:GetServicesAndMore": false, "GET /x": false, "POST /": false, "RTSP RECORD": false, "RTSP SETUP-of-a-picture-track /": false,
		"WS-Discovery Hello": false, "": false, ":": false,
	} {
		if got := listed(what); got != want {
			t.Errorf("%q: %t", what, got)
		}
	}
}
