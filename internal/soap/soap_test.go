package soap

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/use-go/onvif/device"

	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

const (
	head12 = `<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error" xmlns:ns1="http://www.onvif.org/ver20/analytics/humanface"><SOAP-ENV:Body>`
	tail12 = `</SOAP-ENV:Body></SOAP-ENV:Envelope>`
	good   = head12 + `<tds:GetScopesResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl"/>` + tail12
)

func fault12(codes, text string) string {
	var b strings.Builder
	list := strings.Split(codes, " ")
	for i, c := range list {
		if i == 0 {
			b.WriteString("<SOAP-ENV:Code>")
		} else {
			b.WriteString("<SOAP-ENV:Subcode>")
		}
		b.WriteString("<SOAP-ENV:Value>" + c + "</SOAP-ENV:Value>")
	}
	for range list[1:] {
		b.WriteString("</SOAP-ENV:Subcode>")
	}
	return head12 + `<SOAP-ENV:Fault>` + b.String() + `</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">` + text + `</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>` + tail12
}

func fault11(code, text string) string {
	return `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>` + code +
		`</faultcode><faultstring>` + text + `</faultstring></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>`
}

// answers are bodies as devices send them, with the verdict they must get.
var answers = []struct {
	name   string
	status int
	body   string
	auth   Auth
	req    Request
	want   Verdict
}{
	{"ok", 200, good, None, Request{}, OK},
	{"Axis, unknown operation", 400, fault12("SOAP-ENV:Sender", ""), None, Request{Optional: true}, NotSupported},
	{"Axis, optional action", 500, fault12("SOAP-ENV:Receiver ter:ActionNotSupported", "Optional action not implemented"), None, Request{}, NotSupported},
	{"Bosch, action failed, optional", 500, fault12("SOAP-ENV:Receiver ter:Action", "Action Failed"), WSSE, Request{Optional: true}, NotSupported},
	{"Bosch, action failed, required", 500, fault12("SOAP-ENV:Receiver ter:Action", "Action Failed"), WSSE, Request{}, Transient},
	{"Bosch, empty body", 500, head12 + tail12, None, Request{Optional: true}, Transient},
	{"gSOAP, unknown method", 400, fault12("SOAP-ENV:Sender", "Method 'tds:GetRemoteDiscoveryMode' not implemented: method name or namespace not recognized"), None, Request{}, NotSupported},
	{"Axis, no login", 400, fault12("SOAP-ENV:Sender ter:NotAuthorized", "Sender not authorized"), None, Request{}, AuthRequired},
	{"Axis, wrong login", 400, fault12("SOAP-ENV:Sender ter:NotAuthorized", "Sender not authorized"), WSSE, Request{}, NotAuthorised},
	{"Uniview, SOAP 1.1, code in the text", 500, fault11("SOAP-ENV:Client", "ter:ActionNotSupported"), None, Request{}, NotSupported},
	{"SOAP 1.1 in HTTP 200", 200, fault11("SOAP-ENV:Client", "ter:NotAuthorized"), None, Request{}, AuthRequired},
	{"SOAP 1.1, text only", 500, fault11("SOAP-ENV:Client", "Authority failure"), WSSE, Request{}, NotAuthorised},
	{"invalid security", 400, fault12("SOAP-ENV:Sender wsse:InvalidSecurity", "An error was discovered processing the header"), WSSE, Request{}, NotAuthorised},
	{"Dahua, clock", 400, fault12("SOAP-ENV:Sender ter:NotAuthorized", "Wsse authorized time check failed."), WSSE, Request{}, ClockSkew},
	{"Dahua, counting down", 400, fault12("SOAP-ENV:Sender ter:NotAuthorized", "Sender not authorized. You still have 3 attempt(s)"), WSSE, Request{}, Locked},
	{"locked", 400, fault12("SOAP-ENV:Sender ter:NotAuthorized", "The account is locked"), WSSE, Request{}, Locked},
	{"clock is not a lock", 400, fault12("SOAP-ENV:Sender ter:InvalidArgVal", "the clock is blocked"), None, Request{}, BadArgument},
	{"too many", 429, "", None, Request{}, Locked},
	{"401 without a body", 401, "", None, Request{}, AuthRequired},
	{"403 with HTML", 403, "<html><body>Forbidden</body></html>", WSSE, Request{}, NotAuthorised},
	{"404", 404, "<html><body>404</body></html>", None, Request{}, NotSupported},
	{"503", 503, "", None, Request{}, Transient},
	{"redirect", 302, "", None, Request{}, NotSupported},
	{"HTML in 200", 200, "<!DOCTYPE html><html><head><title>Login</title></head></html>", None, Request{}, NotSOAP},
	{"HTML without doctype in 200", 200, "<html><body>hello</body></html>", None, Request{}, NotSOAP},
	{"JSON in 200", 200, `{"error": 1}`, None, Request{}, NotSOAP},
	{"empty 200", 200, "", None, Request{}, Malformed},
	{"no configuration", 400, fault12("SOAP-ENV:Sender ter:InvalidArgVal ter:NoConfig", "no such configuration"), WSSE, Request{}, BadArgument},
	{"incomplete", 500, fault12("SOAP-ENV:Receiver ter:Action ter:IncompleteConfiguration", ""), WSSE, Request{}, NotConfigured},
	{"pull points used up", 500, fault12("SOAP-ENV:Receiver", "no more"), WSSE, Request{Creates: true}, Exhausted},
	{"gone", 400, fault12("SOAP-ENV:Sender wsrf-rw:ResourceUnknownFault", ""), WSSE, Request{}, Gone},
	{"truncated", 200, good[:len(good)-20], None, Request{}, OK},
	{"entity", 200, `<!DOCTYPE a [<!ENTITY e "x">]>` + good[38:], None, Request{}, NotSOAP},
	{"100 000 deep", 200, strings.Repeat("<a>", 100_000), None, Request{}, Limited},
	{"3 MiB", 200, "<a>" + strings.Repeat(" ", 3<<20), None, Request{}, Limited},
}

func TestVerdict(t *testing.T) {
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer srv.Close()
			c := Client{HTTP: srv.Client()}
			r := tt.req
			r.Endpoint, r.Body, r.Auth, r.User, r.Password = srv.URL, device.GetScopes{}, tt.auth, "u", "p"
			a := c.Do(t.Context(), r)
			if a.Verdict != tt.want {
				t.Errorf("got %s, want %s (%+v, %v)", a.Verdict, tt.want, a.Fault, a.Err)
			}
			if want := tt.auth != None && (tt.want == NotAuthorised || tt.want == Locked || tt.want == ClockSkew); (a.Refusals == 1) != want {
				t.Errorf("%d refusals", a.Refusals)
			}
		})
	}
}

func TestAttemptsLeft(t *testing.T) {
	for text, want := range map[string]int{"You still have 5 attempt(s)": 5, "3 attempts left": 3, "Sender not authorized": -1, "2 tries remaining": 2} {
		doc, err := xmltree.Parse([]byte(fault12("SOAP-ENV:Sender ter:NotAuthorized", text)), xmltree.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f := readFault(doc.Root().Path("Body", "Fault")); f.Attempts != want {
			t.Errorf("%q: %d", text, f.Attempts)
		}
	}
}

func TestAllowList(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer srv.Close()
	c := Client{HTTP: srv.Client()}
	for _, body := range []string{
		`<tan:ModifyRules xmlns:tan="http://www.onvif.org/ver20/analytics/wsdl"/>`,
		`<trt:CreateProfile xmlns:trt="http://www.onvif.org/ver10/media/wsdl"/>`,
		`<tev:AddEventBroker xmlns:tev="http://www.onvif.org/ver10/events/wsdl"/>`,
		`<tev:Seek xmlns:tev="http://www.onvif.org/ver10/events/wsdl"/>`,
		`<GetScopes/>`,
		`<x:GetScopes xmlns:x="http://www.onvif.org/ver20/analytics/wsdl"/>`,
		`<tds:GetUsers xmlns:tds="http://www.onvif.org/ver10/device/wsdl"/>`,
		`<tcr:GetCredentialList xmlns:tcr="http://www.onvif.org/ver10/credential/wsdl"/>`,
		`not xml <`,
	} {
		if a := c.Do(t.Context(), Request{Endpoint: srv.URL, Body: []byte(body)}); a.Verdict != NotAllowed || len(a.Wires) != 0 {
			t.Errorf("%s: %s, %v", body, a.Verdict, a.Err)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests were sent", hits)
	}
	two := `<e:Envelope xmlns:e="urn:e" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><e:Body><tds:GetScopes/><tds:SetScopes/></e:Body></e:Envelope>`
	for _, envelope := range []string{two, "", "<a/>", strings.Replace(two, "<tds:SetScopes/>", "<tds:GetScopes/>", 1)} {
		if err := Check([]byte(envelope)); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("%q: %v", envelope, err)
		}
	}
	if err := Check([]byte(strings.Replace(two, "<tds:SetScopes/>", "", 1))); err != nil {
		t.Error(err)
	}
	for _, n := range namespaces {
		for _, op := range allowed[n.prefix] {
			if !strings.HasPrefix(op, "Get") && op != "CreatePullPointSubscription" && op != "PullMessages" && op != "SetSynchronizationPoint" && op != "Renew" && op != "Unsubscribe" {
				t.Errorf("%s:%s is allowed", n.prefix, op)
			}
			if !Allowed(xml.Name{Space: n.uri, Local: op}) {
				t.Errorf("%s:%s is not found", n.prefix, op)
			}
		}
	}
}

func TestUsernameToken(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		if r.Header.Get("Authorization") != "" {
			t.Error("both logins at once")
		}
		if !strings.Contains(r.Header.Get("Content-Type"), `action="urn:x"`) {
			t.Errorf("content type %q", r.Header.Get("Content-Type"))
		}
		io.WriteString(w, good)
	}))
	defer srv.Close()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	c := Client{HTTP: srv.Client(), Clock: func() time.Time { return now }, Random: bytes.NewReader(bytes.Repeat([]byte{7}, 64))}
	a := c.Do(t.Context(), Request{Endpoint: srv.URL, Action: "urn:x", Body: device.GetScopes{}, Auth: WSSE, User: "a<b", Password: "s€cret", Offset: -8 * 365 * 24 * time.Hour})
	if a.Verdict != OK || a.Auth != WSSE {
		t.Fatalf("%s %v", a.Verdict, a.Err)
	}
	h := sha1.Sum(append(bytes.Repeat([]byte{7}, 16), "2018-11-03T12:00:00.000Z"+"s€cret"...))
	for _, want := range []string{"<wsse:Username>a&lt;b</wsse:Username>", ">" + base64.StdEncoding.EncodeToString(h[:]) + "<", "<wsu:Created>2018-11-03T12:00:00.000Z</wsu:Created>",
		`<tds:GetScopes`, `xmlns:tds="http://www.onvif.org/ver10/device/wsdl"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, "cret<") {
		t.Error("the password is in the request")
	}
}

var param = regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^,\s]+))`)

// digestDevice accepts user "u" with password "p" and counts refused logins.
func digestDevice(t *testing.T, challenge string, newHash func() hash.Hash, stale int) (*httptest.Server, *int, *int) {
	refused, asked := new(int), new(int)
	nonce := 0
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("UsernameToken")) {
			t.Error("both logins at once")
		}
		x := func(s string) string { h := newHash(); io.WriteString(h, s); return fmt.Sprintf("%x", h.Sum(nil)) }
		f := map[string]string{}
		for _, m := range param.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
			f[m[1]] = m[2] + m[3]
		}
		ok := f["username"] == "u" && f["uri"] == r.URL.RequestURI() && f["nc"] == "00000001" && f["qop"] == "auth" &&
			f["response"] == x(x("u:"+f["realm"]+":p")+":"+f["nonce"]+":"+f["nc"]+":"+f["cnonce"]+":auth:"+x("POST:"+f["uri"]))
		*asked++
		extra := ""
		if ok && stale > 0 {
			stale--
			ok, extra = false, ", stale=true"
		} else if len(f) > 0 && !ok {
			*refused++
		}
		if !ok {
			nonce++
			for _, c := range strings.Split(challenge, "|") {
				w.Header().Add("WWW-Authenticate", fmt.Sprintf(c, fmt.Sprint("n", nonce))+extra)
			}
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, good)
	})), refused, asked
}

func TestDigest(t *testing.T) {
	const (
		md5C  = `Digest realm="IP Camera(1)", nonce="%s", qop="auth", algorithm=MD5`
		sha   = `Digest realm="r", nonce="%s", qop="auth, auth-int", algorithm=SHA-256`
		plain = `Digest realm="r", nonce="%s", qop="auth"`
	)
	for _, tt := range []struct {
		name, challenge, password string
		hash                      func() hash.Hash
		stale, refused, asked     int
		want                      Verdict
	}{
		{"md5", md5C, "p", md5.New, 0, 0, 2, OK},
		{"no algorithm", plain, "p", md5.New, 0, 0, 2, OK},
		{"sha-256", sha, "p", sha256.New, 0, 0, 2, OK},
		{"both, the stronger is taken", md5C + "|" + sha, "p", sha256.New, 0, 0, 2, OK},
		{"basic beside it", `Basic realm="%s"|` + md5C, "p", md5.New, 0, 0, 2, OK},
		{"both in one line", strings.Replace(md5C, "Digest ", `Basic realm="x", Digest `, 1), "p", md5.New, 0, 0, 2, OK},
		{"stale once", md5C, "p", md5.New, 1, 0, 3, OK},
		{"stale for ever", md5C, "p", md5.New, 99, 0, 3, NotAuthorised},
		{"wrong password", md5C, "q", md5.New, 0, 1, 2, NotAuthorised},
		{"basic only", `Basic realm="%s"`, "p", md5.New, 0, 0, 1, AuthRequired},
		{"an algorithm nobody knows", `Digest realm="r", nonce="%s", qop="auth", algorithm=ROT13`, "p", md5.New, 0, 0, 1, AuthRequired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, refused, asked := digestDevice(t, tt.challenge, tt.hash, tt.stale)
			defer srv.Close()
			c := Client{HTTP: srv.Client()}
			a := c.Do(t.Context(), Request{Endpoint: srv.URL + "/onvif/device_service?x=1", Body: device.GetScopes{}, Auth: Digest, User: "u", Password: tt.password})
			if a.Verdict != tt.want || *refused != tt.refused || *asked != tt.asked {
				t.Errorf("%s, %d refused, %d asked", a.Verdict, *refused, *asked)
			}
			if len(a.Wires) != tt.asked {
				t.Errorf("%d exchanges kept", len(a.Wires))
			}
		})
	}
}

// TestDigestForms answers the session variant (seen on Axis) and the protection of the body.
func TestDigestForms(t *testing.T) {
	x := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	for _, tt := range []struct{ name, challenge, qop, algorithm string }{
		{"MD5-sess", `Digest realm="AXIS_1", nonce="n1", algorithm=MD5-sess, qop="auth"`, "auth", "MD5-sess"},
		{"auth-int only", `Digest realm="r", nonce="n1", qop="auth-int"`, "auth-int", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				f := map[string]string{}
				for _, m := range param.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
					f[m[1]] = m[2] + m[3]
				}
				a1, a2 := x("u:"+f["realm"]+":p"), "POST:"+f["uri"]
				if tt.algorithm == "MD5-sess" {
					a1 = x(a1 + ":n1:" + f["cnonce"])
				}
				if tt.qop == "auth-int" {
					a2 += ":" + x(string(body))
				}
				if f["algorithm"] != tt.algorithm || f["response"] != x(a1+":n1:"+f["nc"]+":"+f["cnonce"]+":"+tt.qop+":"+x(a2)) {
					w.Header().Set("WWW-Authenticate", tt.challenge)
					w.WriteHeader(401)
					return
				}
				io.WriteString(w, good)
			}))
			defer srv.Close()
			c := Client{HTTP: srv.Client()}
			if a := c.Do(t.Context(), Request{Endpoint: srv.URL, Body: device.GetScopes{}, Auth: Digest, User: "u", Password: "p"}); a.Verdict != OK {
				t.Errorf("%s %v", a.Verdict, a.Err)
			}
		})
	}
}

// TestConnectionNotKept: a device that ends a connection it promised to keep is asked again on a new one; a login it has not
// accepted yet is not sent again.
func TestConnectionNotKept(t *testing.T) {
	asked := 0
	served := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if served[r.RemoteAddr] {
			panic(http.ErrAbortHandler)
		}
		served[r.RemoteAddr] = true
		io.WriteString(w, good)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer srv.Close()
	c := Client{HTTP: srv.Client()}
	for i, tt := range []struct {
		auth  Auth
		asked int
		want  Verdict
		wires int
	}{{None, 1, OK, 1}, {None, 2, OK, 2}, {WSSE, 1, Transient, 1}} {
		asked = 0
		a := c.Do(t.Context(), Request{Endpoint: srv.URL, Body: device.GetScopes{}, Auth: tt.auth, User: "u", Password: "p"})
		if a.Verdict != tt.want || asked != tt.asked || len(a.Wires) != tt.wires {
			t.Errorf("%d: %s, %d asked, %d exchanges kept: %v", i, a.Verdict, asked, len(a.Wires), a.Err)
		}
	}
}

// TestWantsTLS: plain text to a port that speaks TLS says so.
func TestWantsTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, good) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer srv.Close()
	c := Client{HTTP: srv.Client()}
	if a := c.Do(t.Context(), Request{Endpoint: strings.Replace(srv.URL, "https", "http", 1), Body: device.GetScopes{}}); !a.WantsTLS || a.Verdict == OK {
		t.Errorf("%s, TLS %v", a.Verdict, a.WantsTLS)
	}
	if a := c.Do(t.Context(), Request{Endpoint: srv.URL, Body: device.GetScopes{}}); a.WantsTLS || a.Verdict != OK {
		t.Errorf("%s, TLS %v", a.Verdict, a.WantsTLS)
	}
}

func TestResolve(t *testing.T) {
	base, err := url.Parse("http://192.0.2.7:8080/onvif/device_service")
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		"":                               "",
		" /onvif/media ":                 "http://192.0.2.7:8080/onvif/media",
		"media?x=1":                      "http://192.0.2.7:8080/onvif/media?x=1",
		"192.0.2.7:81/onvif/media":       "http://192.0.2.7:81/onvif/media",
		"192.0.2.7/onvif/media":          "http://192.0.2.7/onvif/media",
		"//192.0.2.9/onvif/media":        "http://192.0.2.9/onvif/media",
		"https://192.0.2.7:8443/x":       "https://192.0.2.7:8443/x",
		"urn:uuid:11111111-2222-3333-44": "urn:uuid:11111111-2222-3333-44",
		"URN:uuid:1":                     "URN:uuid:1",
	} {
		if got := Resolve(raw, *base); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestGzipAndTimeout(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	io.WriteString(w, good)
	w.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			io.Copy(io.Discard, r.Body) // the server notices the end of the connection only then
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(z.Bytes())
	}))
	defer srv.Close()
	c := Client{HTTP: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	if a := c.Do(t.Context(), Request{Endpoint: srv.URL, Body: device.GetScopes{}}); a.Verdict != OK || !bytes.Contains(a.Wires[0].Response, []byte("GetScopesResponse")) {
		t.Errorf("%s %v", a.Verdict, a.Err)
	}
	if a := c.Do(t.Context(), Request{Endpoint: srv.URL + "/hang", Body: device.GetScopes{}, Timeout: 50 * time.Millisecond}); a.Verdict != TimedOut {
		t.Errorf("%s %v", a.Verdict, a.Err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := c.Do(ctx, Request{Endpoint: srv.URL, Body: device.GetScopes{}}); a.Verdict != Interrupted {
		t.Errorf("%s %v", a.Verdict, a.Err)
	}
	srv.Close()
	if a := c.Do(t.Context(), Request{Endpoint: srv.URL, Body: device.GetScopes{}}); a.Verdict != Unreachable {
		t.Errorf("%s %v", a.Verdict, a.Err)
	}
}

func TestRebase(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	for _, tt := range []struct {
		raw     string
		to      netip.Addr
		want    string
		foreign bool
	}{
		{"http://192.0.2.7/onvif/device_service", v4, "http://192.0.2.7/onvif/device_service", false},
		{"https://192.168.0.9:8443/onvif/x?Idx=3", v6, "https://[2001:db8::7]:8443/onvif/x?Idx=3", true},
		{"http://169.254.1.2/onvif/x", v4, "http://192.0.2.7/onvif/x", true},
		{"http://user:secret@192.0.2.7:81/x#y", v4, "http://192.0.2.7:81/x", false},
		{"HTTP://cam.example/x", v4, "http://192.0.2.7/x", true},
		{"http://[2001:db8::7]/x", v6, "http://[2001:db8::7]/x", false},
		{"192.0.2.7/onvif", v4, "", false},
		{"abc", v4, "", false},
		{"", v4, "", false},
		{"urn:uuid:1234", v4, "", false},
		{"file:///etc/passwd", v4, "", false},
		{"ftp://192.0.2.7/", v4, "", false},
		{"http://192.0.2.7:99999/", v4, "", false},
	} {
		u, foreign, err := Rebase(tt.raw, tt.to, "http", "https")
		got := ""
		if err == nil {
			got = u.String()
		}
		if got != tt.want || foreign != tt.foreign {
			t.Errorf("%q: %q %v %v", tt.raw, got, foreign, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, tt := range answers {
		if len(tt.body) < 4000 {
			f.Add(tt.status, []byte(tt.body))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := &Answer{HTTP: status, Size: len(body)}
		a.read(body, Request{}, WSSE, false)
		if a.Verdict == OK && a.Body == nil {
			t.Error("ok without a body")
		}
	})
}

func FuzzRebase(f *testing.F) {
	for _, s := range []string{"http://192.168.0.9:8443/x?y=1", "rtsp://[::1]/x", "//x", "http://%zz/", "http://a:b@c:1/"} {
		f.Add(s)
	}
	to := netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, s string) {
		if u, _, err := Rebase(s, to, "http", "https"); err == nil && u.Hostname() != "192.0.2.7" {
			t.Errorf("%q leads to %q", s, u.Host)
		}
	})
}
