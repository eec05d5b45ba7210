package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
)

// tape keeps what was recorded.
type tape struct{ x []evidence.Exchange }

func (t *tape) Record(x evidence.Exchange) string {
	t.x = append(t.x, x)
	return fmt.Sprintf("urn:%d", len(t.x))
}

func env(t *testing.T) (probe.Env, *tape, *guardtest.Recorder, *guard.Guard) {
	t.Helper()
	g, dialled := guardtest.New(t, "127.0.0.0/8")
	tp := &tape{}
	return probe.Env{Device: g.Device(netip.MustParseAddr("127.0.0.1")), Guard: g, Evidence: tp, Clock: time.Now,
		Done: &probe.Done{}, Progress: func(audit.Text) {}}, tp, dialled, g
}

// ask runs the module against one endpoint and checks what holds for every outcome.
func ask(t *testing.T, at netip.AddrPort) (audit.Observation, Data, *tape, *guardtest.Recorder) {
	t.Helper()
	e, tp, dialled, _ := env(t)
	target := audit.Target{Method: "inventory", Addr: at}
	os, err := Module().Probe(t.Context(), e, target)
	if err != nil || len(os) != 1 {
		t.Fatalf("%v, %d observations", err, len(os))
	}
	var d Data
	if err := json.Unmarshal(os[0].Data, &d); err != nil {
		t.Fatal(err)
	}
	if again, err := Module().Probe(t.Context(), e, target); len(again) != 0 || err != nil {
		t.Errorf("asked twice: %v, %v", again, err)
	}
	if len(os[0].Evidence) != len(tp.x) || len(tp.x) == 0 {
		t.Errorf("evidence %v of %d records", os[0].Evidence, len(tp.x))
	}
	if bytes.ContainsAny(os[0].Data, "\x1b\u202e") || strings.Contains(os[0].Detail, "\x1b") {
		t.Errorf("not clean: %s %q", os[0].Data, os[0].Detail)
	}
	if bad := dialled.Outside(netip.MustParsePrefix("127.0.0.1/32")); len(bad) > 0 {
		t.Errorf("dialled %v", bad)
	}
	return os[0], d, tp, dialled
}

func serve(t *testing.T, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return addr(s.Listener)
}

func addr(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

// raw serves bytes as they are, after the first read.
func raw(t *testing.T, answer string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 4096)
				if _, err := c.Read(b); err != nil {
					return
				}
				io.WriteString(c, answer)
				c.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, c)
			}()
		}
	}()
	return addr(l)
}

func page(headers map[string]string, code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/" || r.Header.Get("Authorization") != "" {
			panic("asked " + r.Method + " " + r.URL.String())
		}
		for k, v := range headers {
			w.Header().Set(k, v)
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func TestPages(t *testing.T) {
	html := map[string]string{"Content-Type": "text/html"}
	for _, c := range []struct {
		name   string
		h      http.HandlerFunc
		status audit.Status
		want   Data
		id     *audit.Identity
	}{
		{"Hikvision", page(map[string]string{"Server": "App-webs/", "WWW-Authenticate": `Digest realm="HIKVISION", nonce="1", qop="auth"`}, 401, ""), audit.AuthRequired,
			Data{Code: 401, Server: "App-webs/", Realm: "HIKVISION", Auth: []string{"Digest"}}, &audit.Identity{Vendor: "Hikvision", Weak: true}},
		{"Hikvision recorder", page(map[string]string{"Server": "DNVRS-Webs"}, 200, "<html>"), audit.OK,
			Data{Code: 200, Server: "DNVRS-Webs", Bytes: 6, Type: "text/html"}, &audit.Identity{Vendor: "Hikvision", Kind: audit.KindRecorder, Weak: true}},
		{"Dahua", page(map[string]string{"Content-Type": "text/html", "P3P": "CP=CAO PSA OUR"}, 200, "<html><head><title>WEB SERVICE</title>"), audit.OK,
			Data{Code: 200, Title: "WEB SERVICE", Type: "text/html", Bytes: 38}, &audit.Identity{Vendor: "Dahua", Weak: true}},
		{"Dahua serial number", page(map[string]string{"WWW-Authenticate": `Digest realm="Login to 4A0B1C2PAG00001"`}, 401, ""), audit.AuthRequired,
			Data{Code: 401, Realm: "Login to 4A0B1C2PAG00001", Auth: []string{"Digest"}}, &audit.Identity{Vendor: "Dahua", Serial: "4A0B1C2PAG00001", Weak: true}},
		{"Axis", page(map[string]string{"Content-Type": "text/html", "WWW-Authenticate": `Digest realm="AXIS_00408C123456"`}, 401, "<TITLE>\n AXIS  P3245-LV</TITLE>"), audit.AuthRequired,
			Data{Code: 401, Title: "AXIS P3245-LV", Realm: "AXIS_00408C123456", Auth: []string{"Digest"}, Type: "text/html", Bytes: 31},
			&audit.Identity{Vendor: "Axis", MACs: []string{"00:40:8c:12:34:56"}, Weak: true}},
		{"face server", page(html, 200, "<title>CompreFace</title>"), audit.OK, Data{Code: 200, Title: "CompreFace", Type: "text/html", Bytes: 25},
			&audit.Identity{Vendor: "Exadel", Kind: audit.KindServer, Weak: true}},
		{"deepface", page(html, 200, "<h1>Welcome to DeepFace API v0.0.93!</h1>"), audit.OK, Data{Code: 200, Type: "text/html", Bytes: 41},
			&audit.Identity{Vendor: "deepface", Kind: audit.KindServer, Weak: true}},
		{"printer", page(map[string]string{"Server": "HP HTTP Server; HP LaserJet"}, 200, "x"), audit.OK,
			Data{Code: 200, Server: "HP HTTP Server; HP LaserJet", Type: "text/plain", Bytes: 1}, &audit.Identity{Vendor: "HP", Kind: audit.KindOther, Weak: true}},
		{"nobody", page(html, 200, "<p>hello"), audit.OK, Data{Code: 200, Type: "text/html", Bytes: 8}, nil},
		{"makers that contradict each other", page(map[string]string{"Server": "uc-httpd 1.0", "WWW-Authenticate": `Basic realm="BC Streaming Media"`}, 401, ""), audit.AuthRequired,
			Data{Code: 401, Server: "uc-httpd 1.0", Realm: "BC Streaming Media", Auth: []string{"Basic"}}, nil},
		{"redirect elsewhere", page(map[string]string{"Location": "http://203.0.113.9/evil?x=1"}, 302, ""), audit.OK, Data{Code: 302, Location: "203.0.113.9"}, nil},
		{"redirect to itself", page(map[string]string{"Location": "/doc/page/login.asp"}, 301, ""), audit.OK, Data{Code: 301, Location: "(itself)"}, nil},
		{"hostile title", page(html, 200, "<title>\x1b]0;x\x07<script>alert(1)</script>\u202eevil\u200b\x00"+strings.Repeat("摄", 999)+"</title>"), audit.OK,
			Data{Code: 200, Title: "<script>alert(1)</script>evil\ufffd" + strings.Repeat("摄", 169) + "…", Type: "text/html", Bytes: 3054}, nil},
		{"title of a drawing", page(html, 200, "<svg><title>logo</title></svg><title></title><title>NETSurveillance WEB</title>"), audit.OK,
			Data{Code: 200, Title: "NETSurveillance WEB", Type: "text/html", Bytes: 79}, &audit.Identity{Vendor: "Xiongmai", Weak: true}},
		{"GBK", page(map[string]string{"Content-Type": "text/html; charset=gb2312"}, 200, "<title>\xc9\xe3\xcf\xf1\xbb\xfa</title>"), audit.OK,
			Data{Code: 200, Title: "摄像机", Type: "text/html", Bytes: 21}, nil},
		{"picture", page(map[string]string{"Content-Type": "image/jpeg"}, 200, "\xff\xd8\xff\xe0"), audit.OK, Data{Code: 200, Type: "image/jpeg", Cut: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, d, tp, dialled := ask(t, serve(t, c.h))
			c.want.Scheme, c.want.Tried = "http", []string{"http"}
			if diff := cmp.Diff(c.want, d, cmpopts.IgnoreFields(Data{}, "Guesses"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.id, o.Identity); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if o.Status != c.status || o.Class != audit.ClassInventory || o.Auth != "none" {
				t.Errorf("%s %s %s", o.Status, o.Class, o.Auth)
			}
			if n := len(dialled.Dialled()); n != 1 || len(tp.x) != 1 {
				t.Errorf("%d connections, %d records", n, len(tp.x))
			}
			if strings.Contains(string(tp.x[0].Response), "\xff\xd8") {
				t.Error("a picture was recorded")
			}
			if !strings.HasPrefix(string(tp.x[0].Request), "GET / HTTP/1.1\r\nHost: 127.0.0.1:") || !strings.HasPrefix(string(tp.x[0].Response), "HTTP/1.1 ") {
				t.Errorf("recorded %q, %q", tp.x[0].Request, tp.x[0].Response)
			}
		})
	}
}

func TestNotHTTP(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		status audit.Status
		detail string
		tried  int
	}{
		{"SSH", "SSH-2.0-dropbear_2019.78\r\n", audit.Malformed, `malformed HTTP response "SSH-2.0-dropbear_2019.78"`, 1},
		{"Hikvision SDK", "\x00\x00\x00\x10\x00\x00\x00\x1e\x00\x00\x00\x1e\x00\x00\x00\x00", audit.Malformed, `\x00\x00\x00\x10`, 1},
		{"terminal escapes", "\x1b[2J\x1b]0;x\x07\r\n", audit.Malformed, `\x1b[2J`, 1},
		{"RTSP", "RTSP/1.0 400 Bad Request\r\n\r\n", audit.Malformed, "malformed HTTP version", 1},
		{"closes", "", audit.Malformed, "EOF", 2},
		{"header bomb", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 200), audit.Limited, "headers exceeded", 1},
		{"TLS alert, then again", "\x15\x03\x01\x00\x02\x02\x50", audit.Malformed, `\x15\x03`, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, d, _, dialled := ask(t, raw(t, c.answer))
			if o.Status != c.status || !strings.Contains(o.Detail, c.detail) || len(d.Tried) != c.tried || len(dialled.Dialled()) != c.tried {
				t.Errorf("%s %q tried %v, dialled %v", o.Status, o.Detail, d.Tried, dialled.Dialled())
			}
			if n := len([]rune(o.Detail)); n > maxDetail || o.Identity != nil {
				t.Errorf("%d runes, identity %v", n, o.Identity)
			}
		})
	}
}

func TestEndlessBody(t *testing.T) {
	var sent atomic.Int64
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<title>NETSurveillance WEB</title>")
		for i := 0; i < 1<<14; i++ {
			n, err := w.Write(bytes.Repeat([]byte{'x'}, 1024))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	o, d, tp, _ := ask(t, at)
	if o.Status != audit.OK || !d.Cut || d.Bytes != maxBody || d.Title != "NETSurveillance WEB" || tp.x[0].Note != "cut at 256 KiB" {
		t.Errorf("%s %+v %q", o.Status, d, tp.x[0].Note)
	}
	if sent.Load() > 8<<20 {
		t.Errorf("%d bytes taken", sent.Load())
	}
}

func TestSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o, d, _, _ := ask(t, addr(l))
	if o.Status != audit.Timeout || len(d.Tried) != 1 || d.Code != 0 {
		t.Errorf("%s %q %+v", o.Status, o.Detail, d)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	o, _, tp, _ := ask(t, addr(l))
	if o.Status != audit.Unreachable || !strings.Contains(tp.x[0].Note, "refused") {
		t.Errorf("%s %q", o.Status, o.Detail)
	}
}

func TestDenied(t *testing.T) {
	e, _, dialled, g := env(t)
	e.Device = g.Device(netip.MustParseAddr("192.0.2.1"))
	os, err := Module().Probe(t.Context(), e, audit.Target{Method: "inventory", Addr: netip.MustParseAddrPort("192.0.2.1:80")})
	if err != nil || len(os) != 1 || os[0].Status != audit.Denied || len(dialled.Dialled()) != 0 {
		t.Errorf("%+v, %v, dialled %v", os, err, dialled.Dialled())
	}
}

func TestInterrupted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, _, _, _ := env(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	os, err := Module().Probe(ctx, e, audit.Target{Method: "inventory", Addr: addr(l)})
	if err != nil || len(os) != 1 || os[0].Status != audit.Interrupted {
		t.Errorf("%+v, %v", os, err)
	}
}

// axis is a certificate as Axis devices carry it.
func axis(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(2035, 1, 2, 3, 4, 5, 0, time.UTC),
		Subject: pkix.Name{CommonName: "axis-accc8e123456", Organization: []string{"Axis Communications AB"}}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, hex.EncodeToString(sum[:])
}

// Plain HTTP first, TLS because the answer says so: net/http's own sentence, and a server that only hangs up.
func TestTLS(t *testing.T) {
	cert, key := axis(t)
	for _, c := range []struct {
		name string
		old  bool
		wrap func(net.Listener) net.Listener
	}{
		{"says so", false, func(l net.Listener) net.Listener { return l }},
		{"hangs up", false, func(l net.Listener) net.Listener { return mute{l} }},
		{"old TLS", true, func(l net.Listener) net.Listener { return l }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(page(map[string]string{"Content-Type": "text/html"}, 200, "<title>x</title>"))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			if c.old {
				s.TLS.MinVersion, s.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
			}
			s.Listener = c.wrap(s.Listener)
			s.StartTLS()
			defer s.Close()
			o, d, tp, dialled := ask(t, addr(s.Listener))
			if o.Status != audit.OK || d.Scheme != "https" || len(d.Tried) != 2 || d.Title != "x" || d.TLS == nil || len(dialled.Dialled()) != 2 {
				t.Fatalf("%s %q %+v", o.Status, o.Detail, d)
			}
			want := &audit.Identity{TLSKey: key, Vendor: "Axis", MACs: []string{"ac:cc:8e:12:34:56"}, Weak: true}
			if diff := cmp.Diff(want, o.Identity); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if d.TLS.Subject != "CN=axis-accc8e123456,O=Axis Communications AB" || !d.TLS.NotAfter.Equal(time.Date(2035, 1, 2, 3, 4, 5, 0, time.UTC)) || len(d.TLS.SHA256) != 64 {
				t.Errorf("%+v", d.TLS)
			}
			last := tp.x[len(tp.x)-1]
			if last.Protocol != "tls" || !strings.HasPrefix(string(last.Response), "-----BEGIN CERTIFICATE") {
				t.Errorf("recorded %+v", last)
			}
		})
	}
}

// mute closes connections that do not begin with a TLS record, without a word.
type mute struct{ net.Listener }

func (m mute) Accept() (net.Conn, error) {
	c, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &muteConn{Conn: c}, nil
}

type muteConn struct {
	net.Conn
	begun bool
}

func (c *muteConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.begun && n > 0 && b[0] != 0x16 {
		c.Close()
		return 0, io.EOF
	}
	c.begun = true
	return n, err
}

// A port that should speak TLS and does not.
func TestPlainOnTLSPort(t *testing.T) {
	at := serve(t, page(nil, 200, "<title>CompreFace</title>"))
	e, _, _, _ := env(t)
	a := get(t.Context(), e, at, true)
	if a.err == nil || !a.other {
		t.Errorf("%+v", a)
	}
	if b := get(t.Context(), e, at, a.scheme == "http"); b.err != nil || b.code != 200 {
		t.Errorf("%+v", b)
	}
	// and one that speaks neither
	if a := get(t.Context(), e, raw(t, "SSH-2.0-x\r\n"), true); a.err == nil || !a.other {
		t.Errorf("%+v", a)
	}
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort
	for _, c := range []struct {
		t    audit.Target
		want bool
	}{
		{audit.Target{Method: "tcp-connect", Addr: at("192.0.2.1:80")}, true},
		{audit.Target{Method: "tcp-connect", Addr: at("192.0.2.1:8443")}, true},
		{audit.Target{Method: "tcp-connect", Addr: at("192.0.2.1:32168")}, true},
		{audit.Target{Method: "tcp-connect", Addr: at("192.0.2.1:554")}, false},
		{audit.Target{Method: "tcp-connect", Addr: at("192.0.2.1:22")}, false},
		{audit.Target{Method: "tcp-connect", Addr: at("192.0.2.1:9999")}, false},
		{audit.Target{Method: "inventory", Addr: at("192.0.2.1:9999")}, true},
		{audit.Target{Method: "inventory", Addr: at("192.0.2.1:8554")}, false},
		{audit.Target{Method: "inventory", Addr: at("192.0.2.1:0")}, true},
		{audit.Target{Method: "ws-discovery", Addr: at("192.0.2.1:8899")}, true},
		{audit.Target{Method: "mdns", Types: []string{"_http._tcp"}, Addr: at("192.0.2.1:9999")}, true},
		{audit.Target{Method: "mdns", Types: []string{"_rtsp._tcp"}, Addr: at("192.0.2.1:554")}, false},
		{audit.Target{Method: "arp", Addr: at("192.0.2.1:0")}, false},
		{audit.Target{Method: "inventory", Foreign: true, Addr: at("192.0.2.1:80")}, false},
		{audit.Target{Method: "inventory"}, false},
	} {
		if got := Module().Wants(c.t); got != c.want {
			t.Errorf("%s %s: %v", c.t.Method, c.t.Addr, got)
		}
	}
}

func TestModule(t *testing.T) {
	m := Module()
	if m.Name != name || m.Doc.ZH == "" || m.Doc.EN == "" || m.Needs != audit.PermitQuery || m.Facts == nil || len(m.Facts) != 0 {
		t.Errorf("%+v", m)
	}
}

func FuzzTitle(f *testing.F) {
	for _, s := range []string{"", "<title>x</title>", "<svg><title>y</title></svg>", "<title>\x1b[2J\u202e</title>", "<title>\xc9\xe3</title>", "<title><title>", "<TITLE \n>&lt;b&gt;&#x202e;</tItLe>"} {
		f.Add([]byte(s), "text/html; charset=gb2312")
		f.Add([]byte(s), "")
	}
	f.Fuzz(func(t *testing.T, page []byte, ct string) {
		got := Title(page, ct)
		if n := len([]rune(got)); n > maxText || strings.ContainsAny(got, "\x1b\x00\r\n\u202e\u2066") {
			t.Errorf("%q", got)
		}
	})
}
