package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	neturl "net/url"
	"strings"
	"syscall"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/rtsp"
	"github.com/mingshi-audit/mingshi/probe"
)

// answer is what became of one GET /.
type answer struct {
	scheme   string
	code     int
	header   http.Header
	body     []byte
	cut      bool // the body went on
	tls      *tls.ConnectionState
	evidence []string

	err         error // no answer
	trace       probe.Trace
	interrupted bool // the run ended
	tooMuch     bool // a limit of ours was hit before the answer was understood
	other       bool // the other scheme should be tried
}

// get sends one GET / and records it.
func get(ctx context.Context, env probe.Env, at netip.AddrPort, secure bool) *answer {
	a := &answer{scheme: "http"}
	if secure {
		a.scheme = "https"
	}
	limit, header := maxTime, time.Duration(0)
	if env.Brief {
		limit, header = briefTime, briefTime
	}
	rctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	rctx = a.trace.Into(rctx)
	c := env.Device.HTTP(guard.HTTPOptions{Need: audit.PermitQuery, MaxBody: maxBody, LegacyTLS: secure || !env.Brief, Timeout: header, Shared: env.Brief})
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(rctx, http.MethodGet, url(a.scheme, at), nil)
	if err != nil {
		a.err = err
		return a
	}
	req.Header.Set("User-Agent", "mingshi")
	req.Header.Set("Accept", "text/html, */*;q=0.5")
	req.Close = !env.Brief

	x := evidence.Exchange{Protocol: "http", URI: req.URL.String(), Endpoint: at, At: env.Clock(), Request: request(req)}
	resp, err := c.Do(req)
	if err != nil {
		a.fail(ctx, err)
		env.Exchanged(at.Port(), x.URI, a.trace.End(a.err, a.status()))
		x.Note = a.err.Error()
		a.record(env, x)
		return a
	}
	defer resp.Body.Close()
	env.Exchanged(at.Port(), x.URI, probe.Answered)
	a.code, a.header, a.tls = resp.StatusCode, resp.Header, resp.TLS
	x.Note = a.read(resp)
	x.Response = append(head(resp), a.body...)
	a.other = !secure && a.wantsTLS()
	a.record(env, x)
	return a
}

// record puts the exchange into the transcript, and the certificate beside it.
func (a *answer) record(env probe.Env, x evidence.Exchange) {
	a.evidence = append(a.evidence, env.Evidence.Record(x))
	if a.tls == nil || len(a.tls.PeerCertificates) == 0 {
		return
	}
	var chain []byte
	for _, c := range a.tls.PeerCertificates[:min(4, len(a.tls.PeerCertificates))] {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	a.evidence = append(a.evidence, env.Evidence.Record(evidence.Exchange{Protocol: "tls", URI: x.URI, Endpoint: x.Endpoint,
		At: x.At, Response: chain, Note: "certificates of " + tls.VersionName(a.tls.Version)}))
}

func (a *answer) fail(ctx context.Context, err error) {
	var u *neturl.Error
	if errors.As(err, &u) {
		err = u.Err // without the method and the URL, which the record has
	}
	a.err, a.interrupted = err, ctx.Err() != nil
	s := err.Error()
	a.tooMuch = strings.Contains(s, "headers exceeded")
	switch {
	case a.interrupted || !a.trace.Connected():
	case a.scheme == "https":
		// A TLS client that meets plain text; the second is net/http's wording when the text is HTTP.
		var record tls.RecordHeaderError
		a.other = errors.As(err, &record) || strings.Contains(s, "HTTP response to HTTPS client")
	default:
		// A TLS alert in answer to plain text, or a connection closed or reset without a word, which is what OpenSSL does.
		a.other = strings.Contains(s, `malformed HTTP response "\x15\x03`) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	}
}

// read reads a page of text; a picture or an endless stream is not touched. It returns a note for the record.
func (a *answer) read(resp *http.Response) string {
	mt := mediaType(resp.Header)
	switch {
	case mt == "" || strings.HasPrefix(mt, "text/"), strings.HasSuffix(mt, "json"), strings.HasSuffix(mt, "xml"),
		strings.HasSuffix(mt, "javascript"):
	default:
		a.cut = true
		return "body of type " + clean.Text(mt, 80) + " not read"
	}
	var err error
	a.body, err = io.ReadAll(resp.Body)
	if err == nil {
		return ""
	}
	a.cut = true
	var limit *guard.LimitError
	if errors.As(err, &limit) {
		return fmt.Sprintf("cut at %d KiB", maxBody>>10)
	}
	return "cut: " + err.Error()
}

// wantsTLS reports whether an answer in plain text says that the port speaks TLS: Go, nginx, Apache and lighttpd each have
// their sentence.
func (a *answer) wantsTLS() bool {
	if a.code != http.StatusBadRequest && a.code != 497 {
		return false
	}
	for _, s := range []string{"HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port", "plain HTTP to an SSL-enabled"} {
		if bytes.Contains(a.body, []byte(s)) {
			return true
		}
	}
	return false
}

// fill writes what was learned, cleaned.
func (a *answer) fill(d *Data) {
	if a.err != nil {
		return
	}
	d.Code, d.Bytes, d.Cut = a.code, len(a.body), a.cut
	d.Server = clean.Text(a.header.Get("Server"), maxText)
	d.Type = clean.Text(mediaType(a.header), 80)
	d.Title = Title(a.body, a.header.Get("Content-Type"))
	for _, c := range rtsp.ParseChallenges(a.header.Values("WWW-Authenticate")) {
		d.Auth = append(d.Auth, clean.Text(c.Scheme, 20))
		if d.Realm == "" {
			d.Realm = clean.Text(c.Realm, maxText)
		}
	}
	if l := a.header.Get("Location"); l != "" && a.code >= 300 && a.code < 400 {
		d.Location = "(unreadable)"
		if u, err := neturl.Parse(l); err == nil {
			if d.Location = clean.Text(u.Host, maxText); d.Location == "" {
				d.Location = "(itself)"
			}
		}
	}
	if a.tls != nil && len(a.tls.PeerCertificates) > 0 {
		d.TLS = certificate(a.tls.PeerCertificates[0], a.tls.Version)
	}
}

func (a *answer) facts(d Data) fingerprint.HTTPFacts {
	f := fingerprint.HTTPFacts{Server: d.Server, Realm: d.Realm, Title: d.Title, Headers: a.header}
	if d.Title == "" {
		f.Body = clean.Text(string(a.body[:min(len(a.body), 1<<10)]), maxText)
	}
	if d.TLS != nil {
		f.Subject, f.Issuer = d.TLS.Subject, d.TLS.Issuer
	}
	return f
}

func certificate(c *x509.Certificate, version uint16) *Certificate {
	whole, key := sha256.Sum256(c.Raw), sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return &Certificate{
		Version: tls.VersionName(version), NotAfter: c.NotAfter.UTC(),
		Subject: clean.Text(c.Subject.String(), maxText), Issuer: clean.Text(c.Issuer.String(), maxText),
		SHA256: hex.EncodeToString(whole[:]), Key: hex.EncodeToString(key[:]),
	}
}

func mediaType(h http.Header) string {
	ct := h.Get("Content-Type")
	mt, _, err := mime.ParseMediaType(ct)
	if err != nil {
		mt, _, _ = strings.Cut(ct, ";")
	}
	return strings.ToLower(strings.TrimSpace(mt))
}

// request and head write what was on the wire, for the record.
func request(r *http.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET / HTTP/1.1\r\nHost: %s\r\n", r.URL.Host)
	r.Header.Write(&b) //nolint:errcheck // a buffer takes everything
	if r.Close {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func head(r *http.Response) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\r\n", r.Proto, r.Status)
	r.Header.Write(&b) //nolint:errcheck // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}
