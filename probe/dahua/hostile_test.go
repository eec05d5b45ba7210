package dahua_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/dahua"
)

// askedAt runs the module against an address, with a login and the permit to watch for a second.
func askedAt(t *testing.T, at netip.AddrPort) ([]audit.Observation, *probetest.Tape) {
	t.Helper()
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: audit.PermitSample, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	tp := &probetest.Tape{}
	env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: tp, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {},
		Login: probe.NewLogin("viewer", "secret-of-the-test"), Sample: probe.Sample{Events: time.Second}}
	os, err := dahua.Module().Probe(t.Context(), env, audit.Target{Method: "dhip", Addr: at})
	if err != nil {
		t.Fatal(err)
	}
	return os, tp
}

// TestOtherProtocols: whatever else lives at the port, it is asked once or twice, soon left alone, and nothing is concluded.
func TestOtherProtocols(t *testing.T) {
	t.Parallel()
	raw := func(answer func(net.Conn)) func(*testing.T) netip.AddrPort {
		return func(t *testing.T) netip.AddrPort {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ln.Close() })
			go func() {
				for {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						c.SetDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck // a test's connection
						answer(c)
					}()
				}
			}()
			return ln.Addr().(*net.TCPAddr).AddrPort()
		}
	}
	web := func(h http.HandlerFunc) func(*testing.T) netip.AddrPort {
		return func(t *testing.T) netip.AddrPort {
			srv := httptest.NewServer(h)
			t.Cleanup(srv.Close)
			return srv.Listener.Addr().(*net.TCPAddr).AddrPort()
		}
	}
	head := func(c net.Conn) {
		b := make([]byte, 4096)
		c.Read(b) //nolint:errcheck // whatever came
	}
	for name, start := range map[string]func(*testing.T) netip.AddrPort{
		"silent": raw(func(c net.Conn) { io.Copy(io.Discard, c) }),
		"slow": raw(func(c net.Conn) {
			head(c)
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\ntype=IPC\r\n" + strings.Repeat("x", 1000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}),
		"a length that lies": raw(func(c net.Conn) { head(c); fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntype=IPC\r\n") }),
		"another protocol":   raw(func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-dropbear\r\n"); head(c) }),
		"huge": web(func(w http.ResponseWriter, _ *http.Request) {
			for range 64 {
				io.WriteString(w, strings.Repeat("a=b\r\n", 20_000)) //nolint:errcheck // until the client has enough
			}
		}),
		"a page everywhere": web(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<html><title>type=IPC</title></html>")
		}),
		"always unauthorised": web(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="x", qop="auth", nonce="1"`)
			w.WriteHeader(http.StatusUnauthorized)
		}),
		"only Basic": web(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				panic("shown a password")
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		}),
		"elsewhere": web(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://203.0.113.7/")
			w.WriteHeader(http.StatusFound)
		}),
		"TLS only": func(t *testing.T) netip.AddrPort {
			srv := httptest.NewTLSServer(http.NotFoundHandler())
			t.Cleanup(srv.Close)
			return srv.Listener.Addr().(*net.TCPAddr).AddrPort()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			os, tp := askedAt(t, start(t))
			if took := time.Since(begun); took > 13*time.Second || tp.Count() > 4 {
				t.Errorf("%d exchanges, %v", tp.Count(), took)
			}
			if got := folded(t, os); len(got) > 0 {
				t.Errorf("concluded %q", got)
			}
			if strings.Contains(tp.String(), "secret-of-the-test") {
				t.Error("the record holds the password")
			}
		})
	}
}

// TestOneLogin: a device that refuses the login is shown it once, whatever there would be to ask; one that locks is left alone.
func TestOneLogin(t *testing.T) {
	t.Parallel()
	spec := lab.DahuaFaceRuleOn("camera")
	spec.Login.Refuse, spec.Login.Attempts = true, 1
	shop := labtest.Open(t, lab.Config{Seed: 22, Devices: []lab.Spec{spec}})
	d, _ := shop.Device("camera")
	os, _ := askedAt(t, d.Addr)
	refused := 0
	for _, r := range shop.Requests() {
		if r.Login == lab.LoginRefused {
			refused++
		}
	}
	if refused != 1 || len(os) != 1 || len(folded(t, os)) > 0 {
		t.Errorf("%d logins, %s", refused, listed(os))
	}
}

// TestLockedLater: an account that is locked in the middle ends the conversation, and nothing is said to be missing.
func TestLockedLater(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case n.Add(1) > 12:
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "Error: Account locked, remain 1800 s") //nolint:errcheck // a test's answer
		case strings.Contains(r.URL.RawQuery, "getDeviceType"):
			io.WriteString(w, "type=IPC-1\r\n") //nolint:errcheck // a test's answer
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(srv.Close)
	os, _ := askedAt(t, srv.Listener.Addr().(*net.TCPAddr).AddrPort())
	if os[len(os)-1].Status != audit.Locked || n.Load() != 13 || len(folded(t, os)) > 0 {
		t.Errorf("%d requests, %s", n.Load(), listed(os))
	}
}

// TestAsks: a brief run asks no more than who it is; and everything that is asked is on the module's list.
func TestAsks(t *testing.T) {
	t.Parallel()
	for _, brief := range []bool{true, false} {
		shop := labtest.Open(t, lab.Config{Seed: 23, Devices: []lab.Spec{lab.DahuaFaceRecorder("nvr")}})
		d, _ := shop.Device("nvr")
		g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: audit.PermitSample, PacketsPerSecond: 2000})
		if err != nil {
			t.Fatal(err)
		}
		env := probe.Env{Device: g.Device(d.Addr.Addr()), Guard: g, Evidence: &probetest.Tape{}, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {}, Brief: brief,
			Login: probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password), Sample: probe.Sample{Events: 300 * time.Millisecond}}
		os, err := dahua.Module().Probe(t.Context(), env, audit.Target{Method: "dhip", Addr: d.Addr})
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, q := range dahua.Module().Asks {
			if known[q.Kind] {
				t.Errorf("two questions lead to %q", q.Kind)
			}
			known[q.Kind] = true
		}
		for _, o := range os {
			if !known[o.Kind] && o.Kind != "enumeration" {
				t.Errorf("%q is on no list", o.Kind)
			}
			if brief && o.Class != audit.ClassInventory {
				t.Errorf("a brief run asked %s", o.Kind)
			}
		}
	}
}
