package probetest

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/probe"
)

// Bounds is what a module must keep to with a peer that is none of its devices.
type Bounds struct {
	Vendor    string // known of the target
	Port      uint16 // where the peers listen, each at an address of its own; anywhere where it is 0
	Requests  int    // how many requests it may make of a peer that answers at once
	MayAnswer bool   // its question is whether the port is open, which every peer answers
}

const (
	hostilePassword = "Lab-hostile-pa55word"
	hostileRun      = 2 * time.Second
)

// Hostile runs a module against peers that are none of its devices, or one that has gone wrong, and that do what they can. It
// holds of each that the module comes back soon after the run ends, states nothing, takes nobody for a device it knows, shows
// its login once at most, as a digest or within TLS, and records no password. A system that has one loopback address only skips
// the peers at a given port.
func Hostile(t *testing.T, m probe.Module, b Bounds) {
	t.Helper()
	for i, p := range peers() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := p.open(t, b.Port, i+1)
			login := probe.NewLogin("viewer", hostilePassword)
			r := Run{Module: m, At: w.at, Vendor: b.Vendor, Login: login, For: hostileRun, Sample: probe.Sample{Events: time.Second}}.Do(t)
			if r.Took > hostileRun+2*time.Second {
				t.Errorf("took %v", r.Took)
			}
			if len(r.Facts) > 0 {
				t.Errorf("states %q", r.Facts)
			}
			for _, o := range r.Observations {
				if o.Identity != nil && !o.Identity.Weak {
					t.Errorf("%s: takes it for %+v", o.Kind, *o.Identity)
				}
				if o.Status == audit.OK && !b.MayAnswer {
					t.Errorf("%s: %+v", o.Kind, o)
				}
			}
			w.check(t, b, p.endless)
			if strings.Contains(r.Text(t), hostilePassword) {
				t.Error("recorded the password")
			}
			if _, _, ok := login.Use(); ok {
				t.Error("counts the login as accepted")
			}
		})
	}
}

// witness is what a peer saw.
type witness struct {
	at       netip.AddrPort
	requests atomic.Int32 // of those it answers itself
	logins   atomic.Int32
	mu       sync.Mutex
	heard    bytes.Buffer // outside TLS
	shown    []string     // logins that are no digest
}

func (w *witness) hear(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard.Write(b)
}

func (w *witness) see(r *http.Request) {
	w.requests.Add(1)
	if a := r.Header.Get("Authorization"); a != "" {
		w.logins.Add(1)
		if !strings.HasPrefix(a, "Digest") {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.shown = append(w.shown, a)
		}
	}
}

func (w *witness) check(t *testing.T, b Bounds, endless bool) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := int(w.requests.Load()); n > b.Requests && !endless {
		t.Errorf("%d requests", n)
	}
	if n := w.logins.Load(); n > 1 {
		t.Errorf("%d requests with a login", n)
	}
	if len(w.shown) > 0 {
		t.Errorf("the login was shown as %q", w.shown)
	}
	if strings.Contains(w.heard.String(), hostilePassword) {
		t.Error("showed the password outside TLS")
	}
}

// peer is something that listens.
type peer struct {
	name    string
	raw     func(net.Conn) // speaks for itself; nil where web does
	web     http.HandlerFunc
	tls     bool
	endless bool // it never comes to an end of its answer
}

func peers() []peer {
	say := func(s string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, s) } //nolint:errcheck // a client that has gone
	}
	page := func(code int, kind, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			}
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			io.WriteString(w, body) //nolint:errcheck // likewise
		}
	}
	const json = "application/json"
	basic := page(401, "text/html", "no", "WWW-Authenticate", `Basic realm="x"`)
	html := page(200, "text/html", "<!DOCTYPE html><html><head><title>hello</title></head><body>a=b FaceDetection=True</body></html>")
	return []peer{
		{name: "silent", raw: func(net.Conn) { time.Sleep(15 * time.Second) }},
		{name: "trickle", raw: func(c net.Conn) {
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat(" ", 5000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}},
		{name: "lying length", raw: say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n[{\"cmd\":")},
		{name: "a body that lies about its length", web: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			io.WriteString(w, `{"Response":{"ResponseCode":0,"Data":{"Enable":1}}}`) //nolint:errcheck // likewise
			panic(http.ErrAbortHandler)
		}},
		{name: "negative length", raw: say("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}")},
		{name: "huge", endless: true, web: func(w http.ResponseWriter, r *http.Request) {
			for chunk := bytes.Repeat([]byte("[["), 1<<15); r.Context().Err() == nil; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}},
		{name: "huge, of its own kind", web: func(w http.ResponseWriter, _ *http.Request) {
			w.Write(bytes.Repeat([]byte("Channel.0.FaceDetection=True\r\n"), 100_000)) //nolint:errcheck // likewise
		}},
		{name: "SSH", raw: say("SSH-2.0-OpenSSH_9.6\r\n")},
		{name: "RTSP", raw: say("RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n")},
		{name: "a TLS alert", raw: say("\x15\x03\x01\x00\x02\x02\x46")},
		{name: "hangs up", raw: func(net.Conn) {}},
		{name: "a page for everything", web: html},
		{name: "nothing for everything", web: page(200, "", "")},
		{name: "an empty document for everything", web: page(200, json, "{}")},
		{name: "an empty list for everything", web: page(200, json, "[]")},
		{name: "another document", web: page(200, "text/xml", `<?xml version="1.0"?><DeviceInfo><FaceDetect>true</FaceDetect></DeviceInfo>`)},
		{name: "a document type", web: page(200, "text/xml", `<!DOCTYPE a [<!ENTITY b "c">]><reply result="ok">&b;</reply>`)},
		{name: "half an answer", web: page(200, json, `{"Response":{"ResponseCode":0,"Data":{"Enable":1`)},
		{name: "a picture", web: page(200, "image/jpeg", "\xff\xd8\xff\xe0\x00\x10JFIF\x00face")},
		{name: "deep", web: page(200, json, strings.Repeat("[", 100_000))},
		{name: "deep, of its own kind", web: page(200, json, strings.Repeat(`{"Response":`, 20_000))},
		{name: "401 with Basic for everything", web: basic},
		{name: "401 with digest for everything", web: page(401, "text/html", "no", "WWW-Authenticate", `Digest realm="x", qop="auth", nonce="1"`)},
		{name: "403 for everything", web: page(403, "text/html", "no")},
		{name: "locked", web: page(429, "", "")},
		{name: "an error for everything", web: page(500, "", "oops")},
		{name: "busy", web: page(503, "", "")},
		{name: "a redirect elsewhere", web: page(302, "text/html", "", "Location", "http://198.51.100.1/")},
		{name: "a redirect elsewhere by TLS", web: page(302, "text/html", "", "Location", "https://192.0.2.99/")},
		{name: "a redirect to itself", web: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }},
		{name: "TLS only, a page for everything", web: html, tls: true},
		{name: "TLS only, 401 for everything", web: basic, tls: true},
		{name: "TLS only, a page and a cookie for everything", web: page(200, "text/html", "hello", "Set-Cookie", "id=1"), tls: true},
	}
}

// open lets the peer listen.
func (p peer) open(t *testing.T, port uint16, n int) *witness {
	t.Helper()
	w := &witness{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.see(r)
		p.web(rw, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if port != 0 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.78.%d.%d:%d", port%250, n, port))
		if err != nil {
			t.Skipf("no listener at port %d: %v", port, err)
		}
		s.Listener.Close()
		s.Listener = ln
	}
	s.Listener = tapped{s.Listener, w.hear}
	w.at = netip.MustParseAddrPort(s.Listener.Addr().String())
	switch {
	case p.raw != nil:
		go answer(s.Listener, p.raw)
		t.Cleanup(func() { s.Listener.Close() })
		return w
	case p.tls:
		s.StartTLS()
	default:
		s.Start()
	}
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return w
}

// answer lets a peer speak for itself to all who connect, and takes what they say.
func answer(ln net.Listener, speak func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			go io.Copy(io.Discard, c) //nolint:errcheck // the tap has it
			speak(c)
		}()
	}
}

// tapped hands on what comes in.
type tapped struct {
	net.Listener
	tap func([]byte)
}

func (l tapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tappedConn{c, l.tap}, nil
}

type tappedConn struct {
	net.Conn
	tap func([]byte)
}

func (c *tappedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tap(b[:n])
	return n, err
}
