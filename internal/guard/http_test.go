package guard

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

func get(t *testing.T, c *http.Client, url string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, b, err
}

func endpoint(t *testing.T, s *httptest.Server) netip.AddrPort {
	t.Helper()
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func client(t *testing.T, g *Guard, a netip.Addr, o HTTPOptions) *http.Client {
	t.Helper()
	if o.Need == 0 {
		o.Need = audit.PermitQuery
	}
	c := g.Device(a).HTTP(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestHTTPForeignHostIsPinned(t *testing.T) {
	var hosts []string
	to := endpoint(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Host)
	})))
	g := loopback(t, nil)
	c := client(t, g, to.Addr(), HTTPOptions{})
	for _, host := range []string{"127.0.0.1", "198.51.100.9", "[2001:db8::9]", "camera.example"} {
		if _, _, err := get(t, c, fmt.Sprintf("http://%s:%d/onvif/x?Idx=3", host, to.Port())); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(hosts) != 4 {
		t.Errorf("the device was asked %d times", len(hosts))
	}
	if d := g.Denials(); len(d) != 2 || d[0].What != "xaddr" || !strings.HasPrefix(d[0].Target, "198.51.100.9") {
		t.Errorf("denials %+v", d)
	}
}

func TestHTTPRedirectIsNotFollowed(t *testing.T) {
	var paths []string
	to := endpoint(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
		if r.URL.Path == "/out" {
			w.Header().Set("Location", "https://203.0.113.4/cloud")
		}
		w.WriteHeader(http.StatusFound)
	})))
	g := loopback(t, nil)
	c := client(t, g, to.Addr(), HTTPOptions{})
	for _, p := range []string{"/here", "/out"} {
		resp, _, err := get(t, c, "http://"+to.String()+p)
		if err != nil || resp.StatusCode != http.StatusFound {
			t.Errorf("%s: %v", p, err)
		}
	}
	if strings.Join(paths, " ") != "/here /out" {
		t.Errorf("asked for %v", paths)
	}
	if d := g.Denials(); len(d) != 1 || d[0].What != "redirect" || d[0].Target != "203.0.113.4" {
		t.Errorf("denials %+v", d)
	}
}

func TestHTTPEndlessBody(t *testing.T) {
	big := make([]byte, 1<<20)
	to := endpoint(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for r.Context().Err() == nil {
				if _, err := z.Write(big); err != nil {
					return
				}
			}
		default:
			for r.Context().Err() == nil {
				if _, err := w.Write(big); err != nil {
					return
				}
			}
		}
	})))
	g := loopback(t, nil)
	c := client(t, g, to.Addr(), HTTPOptions{MaxBody: 300_000})
	for _, p := range []string{"/", "/gzip"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, b, err := get(t, c, "http://"+to.String()+p)
		runtime.ReadMemStats(&after)
		var le *LimitError
		if !errors.As(err, &le) || le.Limit != 300_000 || len(b) > 300_000 {
			t.Errorf("%s: %d bytes, then %v", p, len(b), err)
		}
		if p == "/" && after.TotalAlloc-before.TotalAlloc > 16<<20 {
			t.Errorf("%s: allocated %d bytes for a body limited to 300 kB", p, after.TotalAlloc-before.TotalAlloc)
		}
	}
}

func TestHTTPGzipIsUnpacked(t *testing.T) {
	to := endpoint(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := r.Header.Get("Accept-Encoding"); e != "" {
			t.Errorf("we asked for %q", e)
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "hello") //nolint:errcheck // the client notices
		z.Close()
	})))
	resp, b, err := get(t, client(t, loopback(t, nil), to.Addr(), HTTPOptions{}), "http://"+to.String())
	if err != nil || string(b) != "hello" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("got %q, %v, %v", b, err, resp)
	}
}

func TestHTTPSlowAndEndlessHeaders(t *testing.T) {
	goroutines(t)
	for _, tt := range []struct {
		name   string
		handle func(net.Conn)
	}{
		{"silent", func(c net.Conn) { io.Copy(io.Discard, c) }}, //nolint:errcheck // until the client gives up
		{"trickle", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ") //nolint:errcheck // the loop notices
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}},
		{"endless", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ") //nolint:errcheck // the loop notices
			for {
				if _, err := c.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}},
		{"endless 1xx", func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early\r\nX: y\r\n\r\n"); err != nil {
					return
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			to := serve(t, tt.handle)
			c := client(t, loopback(t, nil), to.Addr(), HTTPOptions{Timeout: 200 * time.Millisecond})
			start := time.Now()
			if _, _, err := get(t, c, "http://"+to.String()); err == nil {
				t.Error("got an answer")
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %s", d)
			}
		})
	}
}

func TestHTTPCancelledBodyAndDial(t *testing.T) {
	goroutines(t)
	to := serve(t, func(c net.Conn) {
		c.Read(make([]byte, 4096))                   //nolint:errcheck // an answer before the question confuses the client
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n") //nolint:errcheck // the loop notices
		for {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	dialled := 0
	g := loopback(t, func(c *Config) {
		c.Dial = func(ctx context.Context, n, a string) (net.Conn, error) {
			dialled++
			if dialled > 1 {
				<-ctx.Done() // a device that does not answer the handshake
				return nil, ctx.Err()
			}
			return (&net.Dialer{}).DialContext(ctx, n, a)
		}
	})
	c := client(t, g, to.Addr(), HTTPOptions{})
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+to.String(), nil)
		start := time.Now()
		resp, err := c.Do(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		cancel()
	}
	time.Sleep(50 * time.Millisecond)
	if n := len(g.acquire(to.Addr()).slots); n != 0 {
		t.Errorf("%d connections are still open", n)
	}
}

// A connection that a client only keeps for later gives way to somebody who needs one.
func TestHTTPIdleConnectionsGiveWay(t *testing.T) {
	to := endpoint(t, httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	g := loopback(t, nil)
	for range 5 { // five clients, none of which is closed, over two connections
		start := time.Now()
		if _, _, err := get(t, client(t, g, to.Addr(), HTTPOptions{}), "http://"+to.String()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("waited %s", d)
		}
	}
}

func TestHTTPRefusals(t *testing.T) {
	to := endpoint(t, httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	g := loopback(t, func(c *Config) { c.Permit = audit.PermitQuery })
	for _, tt := range []struct {
		name, url string
		addr      string
		need      audit.Permit
	}{
		{"password in the URL", "http://admin:12345@" + to.String(), to.Addr().String(), audit.PermitQuery},
		{"permit", "http://" + to.String(), to.Addr().String(), audit.PermitLogin},
		{"outside", "http://" + to.String(), "192.0.2.1", audit.PermitQuery},
	} {
		_, _, err := get(t, client(t, g, netip.MustParseAddr(tt.addr), HTTPOptions{Need: tt.need}), tt.url)
		if !IsDenied(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, d := range g.Denials() {
		if strings.Contains(d.Target, "12345") {
			t.Errorf("a password got into %+v", d)
		}
	}
}

func TestHTTPS(t *testing.T) {
	to := endpoint(t, httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("User-Agent")) //nolint:errcheck // the client notices
	})))
	resp, b, err := get(t, client(t, loopback(t, nil), to.Addr(), HTTPOptions{}), "https://"+to.String())
	if err != nil || string(b) != "mingshi" || resp.TLS == nil || len(resp.TLS.PeerCertificates) == 0 {
		t.Errorf("got %q, %v", b, err)
	}
}
