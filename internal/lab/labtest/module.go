package labtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
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
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
)

// Tape keeps what modules record, as they hand it over.
type Tape struct {
	mu  sync.Mutex
	all []evidence.Exchange
}

// Record keeps one exchange.
func (t *Tape) Record(x evidence.Exchange) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, x)
	return fmt.Sprintf("urn:%d", len(t.all))
}

// Text is everything that was recorded.
func (t *Tape) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b bytes.Buffer
	for _, x := range t.all {
		fmt.Fprintf(&b, "%s\n%s\n%s\n%s\n", x.URI, x.Request, x.Response, x.Note)
	}
	return b.String()
}

// Run is one run of a module on one device.
type Run struct {
	Module probe.Module
	At     netip.AddrPort
	Vendor string
	Permit audit.Permit // default sample
	Login  *probe.Login
	Brief  bool
	Sample probe.Sample
	For    time.Duration // default a minute
}

// Result is what came of it.
type Result struct {
	Observations []audit.Observation
	Facts        []string // "name key = value", sorted, repeats included
	Tape         *Tape
	Took         time.Duration
}

// Do runs the module once and derives. Every kind of an observation must be one that the module lists among its questions, and
// nothing that cannot be marshalled comes back.
func (r Run) Do(t testing.TB) Result {
	t.Helper()
	permit := r.Permit
	if permit == 0 {
		permit = audit.PermitSample
	}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: permit, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if r.For == 0 {
		r.For = time.Minute
	}
	tape := &Tape{}
	env := probe.Env{Device: g.Device(r.At.Addr()), Guard: g, Login: r.Login, Evidence: tape, Clock: time.Now, Sample: r.Sample, Brief: r.Brief, Done: &probe.Done{}, Progress: func(audit.Text) {}}
	target := audit.Target{Method: "inventory", Addr: r.At, Identity: audit.Identity{Vendor: r.Vendor}}
	if !r.Module.Wants(target) {
		t.Fatalf("%s does not want %s", r.Module.Name, r.At)
	}
	ctx, cancel := context.WithTimeout(t.Context(), r.For)
	defer cancel()
	began := time.Now()
	os, err := r.Module.Probe(ctx, env, target)
	if err != nil {
		t.Fatal(err)
	}
	out := Result{Observations: os, Tape: tape, Took: time.Since(began)}
	if again, err := r.Module.Probe(ctx, env, target); err != nil || len(again) > 0 {
		t.Errorf("asked a second time: %v %v", again, err)
	}
	for _, o := range os {
		if !slices.ContainsFunc(r.Module.Asks, func(q probe.Question) bool { return q.Kind == o.Kind }) {
			t.Errorf("%s is not among the questions", o.Kind)
		}
		if _, err := json.Marshal(o); err != nil {
			t.Error(err)
		}
		if r.Module.Derive == nil {
			continue
		}
		fs, err := r.Module.Derive(o)
		if err != nil {
			t.Errorf("%s: %v", o.Kind, err)
		}
		for _, f := range fs {
			out.Facts = append(out.Facts, strings.TrimSpace(f.Name+" "+f.Key)+fmt.Sprintf(" = %v", f.Value.V))
		}
	}
	slices.Sort(out.Facts)
	return out
}

// Kinds lists what was asked and how it ended, in order: "GET /x ok".
func (r Result) Kinds() (out []string) {
	for _, o := range r.Observations {
		out = append(out, o.Kind+" "+o.Status.String())
	}
	return out
}

// Text is everything that would be stored of a run.
func (r Result) Text(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(r.Observations)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + r.Tape.Text() + strings.Join(r.Facts, "\n")
}

// Hostile runs a module against peers that are none of its devices and do what they can. It holds of each that the module comes
// back, states nothing, takes nobody for a device it knows, and never shows a password outside TLS.
//
// The peers listen at the port, each at an address of its own, or anywhere where it is 0. A system that has one loopback address
// only skips the first kind.
func Hostile(t *testing.T, m probe.Module, vendor string, port uint16) {
	t.Helper()
	const password = "Lab-hostile-pa55word"
	for i, p := range peers() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			at, heard := p.open(t, port, i+1)
			login := probe.NewLogin("viewer", password)
			r := Run{Module: m, At: at, Vendor: vendor, Login: login, For: 3 * time.Second, Sample: probe.Sample{Events: time.Second}}.Do(t)
			if r.Took > 8*time.Second {
				t.Errorf("took %v", r.Took)
			}
			if len(r.Facts) > 0 {
				t.Errorf("states %q", r.Facts)
			}
			for _, o := range r.Observations {
				if o.Identity != nil && !o.Identity.Weak {
					t.Errorf("%s: takes it for %+v", o.Kind, *o.Identity)
				}
			}
			if strings.Contains(heard(), password) {
				t.Error("showed the password outside TLS")
			}
			if strings.Contains(r.Text(t), password) {
				t.Error("recorded the password")
			}
			if _, _, ok := login.Use(); ok {
				t.Error("counts the login as accepted")
			}
		})
	}
}

// peer is something that listens.
type peer struct {
	name string
	raw  func(net.Conn) // speaks for itself; nil where web does
	web  http.HandlerFunc
	tls  bool
}

func peers() []peer {
	say := func(s string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, s) } //nolint:errcheck // a client that has gone
	}
	page := func(code int, kind, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			io.WriteString(w, body) //nolint:errcheck // likewise
		}
	}
	html := page(200, "text/html", "<!DOCTYPE html><html><title>hello</title></html>")
	return []peer{
		{name: "silent", raw: func(c net.Conn) { time.Sleep(15 * time.Second) }},
		{name: "trickle", raw: func(c net.Conn) {
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat(" ", 400)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}},
		{name: "lying length", raw: say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n[{\"cmd\":")},
		{name: "negative length", raw: say("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}")},
		{name: "huge", web: func(w http.ResponseWriter, r *http.Request) {
			for chunk := bytes.Repeat([]byte("[["), 1<<15); r.Context().Err() == nil; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}},
		{name: "SSH", raw: say("SSH-2.0-OpenSSH_9.6\r\n")},
		{name: "RTSP", raw: say("RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n")},
		{name: "hangs up", raw: func(net.Conn) {}},
		{name: "a page for everything", web: html},
		{name: "an empty document for everything", web: page(200, "application/json", "{}")},
		{name: "an empty list for everything", web: page(200, "application/json", "[]")},
		{name: "deep", web: page(200, "application/json", strings.Repeat("[", 100_000))},
		{name: "401 with Basic for everything", web: page(401, "text/html", "no", "WWW-Authenticate", `Basic realm="x"`)},
		{name: "403 for everything", web: page(403, "text/html", "no")},
		{name: "a redirect elsewhere", web: page(302, "text/html", "", "Location", "https://192.0.2.99/")},
		{name: "a redirect to itself", web: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }},
		{name: "TLS only, a page for everything", web: html, tls: true},
		{name: "TLS only, 401 for everything", web: page(401, "text/html", "no", "WWW-Authenticate", `Basic realm="x"`), tls: true},
		{name: "TLS only, a page and a cookie for everything", web: page(200, "text/html", "hello", "Set-Cookie", "id=1"), tls: true},
	}
}

// open lets the peer listen. heard is what came in outside TLS.
func (p peer) open(t *testing.T, port uint16, n int) (at netip.AddrPort, heard func() string) {
	t.Helper()
	var mu sync.Mutex
	var b bytes.Buffer
	heard = func() string {
		mu.Lock()
		defer mu.Unlock()
		return b.String()
	}
	listen := func(s *httptest.Server) {
		s.Listener = tapped{s.Listener, func(x []byte) {
			mu.Lock()
			defer mu.Unlock()
			b.Write(x)
		}}
	}
	web := p.web
	if web == nil {
		web = func(http.ResponseWriter, *http.Request) {}
	}
	s := httptest.NewUnstartedServer(web)
	if port != 0 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.78.%d.%d:%d", port%250, n, port))
		if err != nil {
			t.Skipf("no listener at port %d: %v", port, err)
		}
		s.Listener.Close()
		s.Listener = ln
	}
	listen(s)
	at = netip.MustParseAddrPort(s.Listener.Addr().String())
	switch {
	case p.raw != nil:
		ln := s.Listener
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					go io.Copy(io.Discard, c) //nolint:errcheck // the tap has it
					p.raw(c)
				}()
			}
		}()
		t.Cleanup(func() { ln.Close() })
	case p.tls:
		s.StartTLS()
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	default:
		s.Start()
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	}
	return at, heard
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
