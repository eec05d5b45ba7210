package guard

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard/policy"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// HTTPOptions configure a client of one device.
type HTTPOptions struct {
	Need      audit.Permit
	MaxBody   int64         // default 2 MiB, of the body as sent and as unpacked; reading more gives a LimitError
	Timeout   time.Duration // header timeout, default 5 s
	LegacyTLS bool          // allow TLS 1.0 and RSA key exchange, for devices that know nothing else

	// Shared lets the clients of one Device handle use each other's connections, and delays acknowledgements: the fewest packets
	// for a few short questions. Their idle connections are closed by Device.CloseIdle only. The first client's Timeout and
	// Need hold for the connections of all.
	Shared bool
}

const (
	maxHeader = 64 << 10
	// perConn bounds what one HTTP connection may bring in all its answers together, whatever the framing says.
	perConn = 64 << 20
)

// HTTP returns a client that can only reach this device: whatever host a URL names, the connection goes to the device's
// address and the URL's port. A URL that names another address is recorded as a denial (xaddr): callers rebase first. It
// follows no redirect (one to another host is recorded), uses no proxy, sends no cookies and no password of a URL, limits
// header and body, unpacks gzip, and keeps at most one idle connection. A body that trickles ends with the request's
// context only. The caller closes idle connections when done.
func (d *Device) HTTP(o HTTPOptions) *http.Client {
	if o.MaxBody <= 0 {
		o.MaxBody = 2 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Shared {
		d.mu.Lock()
		defer d.mu.Unlock()
		if t := d.shared[o.LegacyTLS]; t != nil {
			return httpClient(&roundTripper{d: d, o: o, next: t})
		}
	}
	t := &http.Transport{
		Proxy:                  nil,
		TLSClientConfig:        tlsConfig(o.LegacyTLS),
		TLSHandshakeTimeout:    o.Timeout,
		ResponseHeaderTimeout:  o.Timeout,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        5 * time.Second,
		MaxIdleConns:           1,
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,                                                               // we do not ask for it, and unpack it under the limit
		TLSNextProto:           map[string]func(authority string, c *tls.Conn) http.RoundTripper{}, // HTTP/1.1 only
	}
	t.DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		_, p, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("guard: address %q: %w", addr, err)
		}
		port, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("guard: port %q: %w", p, err)
		}
		// The transport dials on behalf of any later request. Ours ends with the request that wanted it, so that nothing
		// is sent to the device after its caller has given up.
		if wanted, ok := ctx.Value(requestKey{}).(context.Context); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(wanted, cancel)()
		}
		return d.open(ctx, o.Need, uint16(port), perConn+o.MaxBody, t)
	}
	if o.Shared {
		if d.shared == nil {
			d.shared = map[bool]*http.Transport{}
		}
		d.shared[o.LegacyTLS] = t
	}
	return httpClient(&roundTripper{d: d, o: o, next: t})
}

func httpClient(t *roundTripper) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// CloseIdle closes the connections that the handle's sharing clients hold idle.
func (d *Device) CloseIdle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.shared {
		t.CloseIdleConnections()
	}
}

// tlsConfig accepts any certificate: cameras sign their own. What they showed is in the response for the record.
func tlsConfig(legacy bool) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	if legacy {
		c.MinVersion = tls.VersionTLS10
		for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			c.CipherSuites = append(c.CipherSuites, s.ID)
		}
	}
	return c
}

type requestKey struct{}

// roundTripper checks every request before and every answer after the transport.
type roundTripper struct {
	d    *Device
	o    HTTPOptions
	next *http.Transport
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport, where it is the client's alone.
func (t *roundTripper) CloseIdleConnections() {
	if !t.o.Shared {
		t.next.CloseIdleConnections()
	}
}

// RoundTrip sends one request to the device, if it may be sent.
func (t *roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := t.check(r)
	if r.Body != nil {
		r.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	r = r.Clone(context.WithValue(r.Context(), requestKey{}, r.Context()))
	if r.Body != nil && len(body) == 0 {
		r.Body, r.ContentLength = http.NoBody, 0
	} else if r.Body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "mingshi")
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	t.redirect(r.URL, resp)
	resp.Body = t.body(resp)
	return resp, nil
}

// check returns the request's body, which policy had to see whole, or why the request is not sent.
func (t *roundTripper) check(r *http.Request) (body []byte, err error) {
	port := uint64(80)
	if r.URL.Scheme == "https" {
		port = 443
	}
	if p := r.URL.Port(); p != "" {
		if port, err = strconv.ParseUint(p, 10, 16); err != nil {
			return nil, fmt.Errorf("guard: port of %s: %w", r.URL.Redacted(), err)
		}
	}
	if err := t.d.check("http", netip.AddrPortFrom(t.d.addr, uint16(port)), t.o.Need); err != nil {
		return nil, err
	}
	if r.URL.User != nil {
		return nil, t.d.g.refuse("http", r.URL.Host, msg.Text("guard.denied.userinfo"))
	}
	if r.Body != nil {
		// One byte more than may be sent tells that it is too long.
		if body, err = io.ReadAll(io.LimitReader(r.Body, policy.MaxBody+1)); err != nil {
			return nil, fmt.Errorf("guard: reading what to send to %s: %w", r.URL.Redacted(), err)
		}
	}
	if err := policy.Request(r.Method, r.URL, r.Header.Get("Content-Type"), body); err != nil {
		return nil, t.d.g.refuse("http", r.URL.Host, policy.Reason(err))
	}
	if a, err := netip.ParseAddr(r.URL.Hostname()); err == nil && !t.same(a) {
		t.d.g.Deny("xaddr", r.URL.Host, msg.Text("guard.denied.pinned", t.d.addr.String()))
	}
	return body, nil
}

// same reports whether an address is the device's; the zone of a link-local one is ours alone and need not be written.
func (t *roundTripper) same(a netip.Addr) bool {
	return normal(a).WithZone("") == t.d.addr.WithZone("")
}

// redirect records a redirect to another host. Nobody follows it.
func (t *roundTripper) redirect(from *url.URL, resp *http.Response) {
	loc := resp.Header.Get("Location")
	if loc == "" || resp.StatusCode < 300 || resp.StatusCode > 399 {
		return
	}
	u, err := from.Parse(loc)
	if err != nil {
		t.d.g.Deny("redirect", loc, msg.Text("guard.denied.redirect", t.d.addr.String()))
		return
	}
	if u.Host == from.Host || u.Hostname() == from.Hostname() {
		return
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && t.same(a) {
		return
	}
	t.d.g.Deny("redirect", u.Host, msg.Text("guard.denied.redirect", t.d.addr.String()))
}

// body limits an answer's body as sent, and once more as unpacked. We ask for no compression, but some devices do it anyway.
func (t *roundTripper) body(resp *http.Response) io.ReadCloser {
	raw := &limited{r: resp.Body, left: t.o.MaxBody, limit: t.o.MaxBody}
	if !strings.EqualFold(strings.TrimSpace(resp.Header.Get("Content-Encoding")), "gzip") {
		return body{raw, resp.Body}
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
	return body{&limited{r: &unzip{raw: raw}, left: t.o.MaxBody, limit: t.o.MaxBody}, resp.Body}
}

type body struct {
	io.Reader
	io.Closer
}

// limited gives a LimitError where r goes on past the limit.
type limited struct {
	r           io.Reader
	left, limit int64
}

// Read reads up to the limit.
func (l *limited) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if l.left <= 0 {
		n, err := l.r.Read(make([]byte, 1))
		if n > 0 {
			return 0, &LimitError{l.limit}
		}
		return 0, err
	}
	n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}

// unzip reads the gzip header only when the body is read, as a request with no answer yet must not block in RoundTrip.
type unzip struct {
	raw io.Reader
	z   *gzip.Reader
	err error
}

// Read unpacks.
func (u *unzip) Read(b []byte) (int, error) {
	if u.z == nil && u.err == nil {
		u.z, u.err = gzip.NewReader(u.raw)
	}
	if u.err != nil {
		return 0, u.err
	}
	return u.z.Read(b)
}
