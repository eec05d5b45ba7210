package soap

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
)

// transport does what the library cannot: it carries the call's context, the action and the login, refuses what is not on
// the allow-list before a byte is sent, and keeps what went over the wire.
type transport struct {
	ctx       context.Context
	next      http.RoundTripper
	action    string
	agent     string
	authorise func(*http.Request) (string, error)
	wire      Wire
	wires     []Wire // of what came before wire
	sent      bool
	reused    bool // the connection had served a question before
	err       error
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() { t.err = err }()
	var body []byte
	if r.Body != nil {
		body, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("soap: reading the request: %w", err)
		}
	}
	if err := Check(body); err != nil {
		return nil, err
	}
	t.reused = false
	req := r.Clone(httptrace.WithClientTrace(t.ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { t.reused = i.Reused }}))
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	contentType := "application/soap+xml; charset=utf-8"
	if t.action != "" {
		contentType += `; action="` + t.action + `"`
	}
	req.Header.Set("Content-Type", contentType)
	if t.agent == "" {
		t.agent = "mingshi (network audit)"
	}
	req.Header.Set("User-Agent", t.agent)
	if t.authorise != nil {
		v, err := t.authorise(req)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", v)
	}
	t.sent = true
	t.wire.Request = append(requestHead(req), body...)
	return t.next.RoundTrip(req)
}

func requestHead(r *http.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Method, r.URL.RequestURI(), r.URL.Host, r.ContentLength)
	r.Header.Write(&b) //nolint:errcheck // a bytes.Buffer does not fail
	b.WriteString("\r\n")
	return b.Bytes()
}

func responseHead(r *http.Response) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/%d.%d %s\r\n", r.ProtoMajor, r.ProtoMinor, r.Status)
	r.Header.Write(&b) //nolint:errcheck // a bytes.Buffer does not fail
	b.WriteString("\r\n")
	return b.Bytes()
}

// errTooBig is returned for a body over MaxBody.
var errTooBig = errors.New("soap: answer over 2 MiB")

func readBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	var r io.Reader = resp.Body
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") { // sent although nobody asked for it
		z, err := gzip.NewReader(io.LimitReader(r, MaxBody))
		if err != nil {
			return nil, fmt.Errorf("soap: %w", err)
		}
		r = z
	}
	b, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if len(b) > MaxBody {
		return b[:MaxBody], errTooBig
	}
	if err != nil {
		return b, fmt.Errorf("soap: reading the answer: %w", err)
	}
	return b, nil
}

// silent reports an error of a connection that ended before any answer began.
func silent(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || strings.Contains(err.Error(), "server closed idle connection")
}

// wantsTLS reports whether what came of plain text says that the port speaks TLS: an alert, a closed connection, or the
// sentence of a web server (Go, nginx, Apache and lighttpd each have their own).
func wantsTLS(status int, body []byte, err error) bool {
	if err != nil {
		return status == 0 && (silent(err) || strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`))
	}
	if status != http.StatusBadRequest && status != 497 {
		return false
	}
	for _, s := range []string{"HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port", "plain HTTP to an SSL-enabled"} {
		if bytes.Contains(body, []byte(s)) {
			return true
		}
	}
	return false
}

// verdictOf says why nothing usable came over the connection.
func verdictOf(outer, call context.Context, err error) Verdict {
	var n net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, errTooBig):
		return Limited
	case errors.Is(err, ErrNotAllowed):
		return NotAllowed
	case outer.Err() != nil:
		return Interrupted
	case call.Err() != nil, errors.As(err, &n) && n.Timeout():
		return TimedOut
	case errors.As(err, &op) && op.Op == "dial":
		return Unreachable
	}
	return Transient
}

func short(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
