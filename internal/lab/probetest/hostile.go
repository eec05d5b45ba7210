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

// Hostile runs the module against peers that are no such device, or one that has gone wrong. Of none may it state a fact; it
// must come back soon after the run ends, show its login once at most, and give it to nobody who wants it in the clear. most is
// how many requests it may make of a peer that answers quickly.
func Hostile(t *testing.T, m probe.Module, maker string, most int) {
	t.Helper()
	page := func(code int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	var all sync.WaitGroup // most of the time is spent waiting
	defer all.Wait()
	challenge := `Digest realm="x", qop="auth", nonce="1"`
	for name, h := range map[string]http.HandlerFunc{
		"a page for every path":   page(200, "Content-Type", "text/html", "<html><head><title>hello</title></head><body>a=b FaceDetection=True</body></html>"),
		"nothing for every path":  page(200, "", "", ""),
		"an empty object":         page(200, "Content-Type", "application/json", "{}"),
		"a login for every path":  page(401, "WWW-Authenticate", challenge, "no"),
		"a password in the clear": page(401, "WWW-Authenticate", `Basic realm="/"`, "no"),
		"no rights at all":        page(403, "", "", ""),
		"an error for every path": page(500, "", "", "oops"),
		"busy":                    page(503, "", "", ""),
		"locked":                  page(429, "", "", ""),
		"elsewhere":               page(302, "Location", "http://198.51.100.1/", ""),
		"elsewhere by TLS":        page(302, "Location", "https://198.51.100.1/", ""),
		"another document":        page(200, "Content-Type", "text/xml", `<?xml version="1.0"?><DeviceInfo><FaceDetect>true</FaceDetect></DeviceInfo>`),
		"a document type":         page(200, "Content-Type", "text/xml", `<!DOCTYPE a [<!ENTITY b "c">]><reply result="ok">&b;</reply>`),
		"deep JSON":               page(200, "Content-Type", "application/json", strings.Repeat(`{"Response":`, 20_000)),
		"half an answer":          page(200, "Content-Type", "application/json", `{"Response":{"ResponseCode":0,"Data":{"Enable":1`),
		"a picture":               page(200, "Content-Type", "image/jpeg", "\xff\xd8\xff\xe0\x00\x10JFIF\x00face"),
		"a body that lies about its length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			io.WriteString(w, `{"Response":{"ResponseCode":0,"Data":{"Enable":1}}}`)
			panic(http.ErrAbortHandler)
		},
		"a huge body": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(bytes.Repeat([]byte("Channel.0.FaceDetection=True\r\n"), 100_000))
		},
		"a login that is refused": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(401)
		},
	} {
		all.Go(func() {
			var asked, logins atomic.Int32
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if a := r.Header.Get("Authorization"); a != "" {
					logins.Add(1)
					if !strings.HasPrefix(a, "Digest") {
						t.Errorf("%s: the login was shown as %s", name, a)
					}
				}
				h(w, r)
			}))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.Start()
			defer srv.Close()
			nothing(t, name, m, maker, srv.Listener.Addr().String())
			if int(asked.Load()) > most || logins.Load() > 1 {
				t.Errorf("%s: %d requests, %d with a login", name, asked.Load(), logins.Load())
			}
		})
	}
	for name, serve := range map[string]func(net.Conn){
		"silent":           func(c net.Conn) { io.Copy(io.Discard, c) },
		"hangs up":         func(net.Conn) {},
		"another protocol": func(c net.Conn) { io.WriteString(c, "SSH-2.0-lab\r\n") },
		"a few bytes at a time": func(c net.Conn) {
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("x", 5000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		},
		"TLS only": func(c net.Conn) {
			io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x46")
		},
	} {
		all.Go(func() {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Error(err)
				return
			}
			defer ln.Close()
			go func() {
				for {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						serve(c)
					}()
				}
			}()
			nothing(t, name, m, maker, ln.Addr().String())
		})
	}
}

// nothing runs the module and fails if it states a fact or takes too long.
func nothing(t *testing.T, name string, m probe.Module, maker, address string) {
	t.Helper()
	from := time.Now()
	os, _ := Run{Module: m, Maker: maker, Login: probe.NewLogin("u", "p"), For: time.Second}.At(t, netip.MustParseAddrPort(address))
	if took := time.Since(from); took > 3*time.Second {
		t.Errorf("%s: took %v", name, took)
	}
	for _, o := range os {
		if o.Status == audit.OK {
			t.Errorf("%s: %s: %+v", name, o.Kind, o)
		}
		fs, err := m.Derive(o)
		if err != nil {
			t.Error(err)
		}
		for _, f := range fs {
			t.Errorf("%s: %s: states %s %s = %v", name, o.Kind, f.Name, f.Key, f.Value.V)
		}
	}
}
