// Package soap makes one SOAP 1.2 call over an HTTP client it is given and says what kind of answer came. It knows
// envelopes, faults, logins and which questions may be asked at all; what the answers mean belongs to package onvif.
//
// The envelope is built by use-go/onvif's gosoap and posted by its networking package. Neither sees anything but bytes we
// marshalled, and everything they lack (a context, the action, a nonce worth the name, digest login, limits, an allow-list)
// is in the RoundTripper below them.
package soap

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/use-go/onvif/gosoap"
	"github.com/use-go/onvif/networking"

	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// MaxBody is the most that is read of an answer.
const MaxBody = 2 << 20

// Client asks one device. It is for one goroutine.
type Client struct {
	HTTP      *http.Client     // with a transport that reaches that device only and follows no redirect
	UserAgent string           // default "mingshi (network audit)"
	Clock     func() time.Time // default time.Now
	Random    io.Reader        // default crypto/rand

	refused bool // a login was refused: a 503 now is a lock
}

// Auth is how a request proves who asks. HTTP Basic is not among them: it would hand the password over.
type Auth string

// The ways to log in.
const (
	None   Auth = "none"
	WSSE   Auth = "wsse"   // WS-Security UsernameToken with PasswordDigest
	Digest Auth = "digest" // HTTP Digest, RFC 7616
)

// Request is one question.
type Request struct {
	Endpoint string        // URL
	Action   string        // goes into the content type; a few stacks route on it
	Body     any           // marshalled by encoding/xml; its namespace prefixes are declared by this package
	Headers  []string      // further header blocks, XML of our own making
	Optional bool          // the device need not know the operation: "action failed" then means it does not
	Creates  bool          // asks for a resource: a fault of the receiver then means there is none left
	Timeout  time.Duration // for the whole call, default 5 s

	Auth           Auth
	User, Password string
	Offset         time.Duration // device clock minus ours, for WSSE
	Challenge      *Challenge    // a fresh digest challenge; nil asks for one first
}

// Wire is one HTTP exchange as it was.
type Wire struct {
	At                time.Time
	Request, Response []byte // heads and bodies, decoded of transfer and content encoding
	Note              string
}

// Answer is what came back. It is never nil; where nothing came, Verdict says why.
type Answer struct {
	Verdict   Verdict
	HTTP      int   // status code, 0 if none
	Err       error // what the connection or the guard said, if nothing came
	Fault     Fault
	Envelope  bool          // a SOAP envelope was among it
	Body      *xmltree.Node // the first element of the SOAP body
	Malformed bool          // the XML had to be repaired
	Auth      Auth          // with what it was obtained
	Refusals  int           // requests with a login that were answered by a refusal
	Size      int           // bytes of the last body
	Challenge *Challenge    // the digest challenge of a 401
	Basic     bool          // the 401 offered Basic
	Location  string        // of a redirect, not followed
	Date      time.Time     // the Date header
	At        time.Time     // when it was asked
	Took      time.Duration
	TLS       *tls.ConnectionState
	Wires     []Wire
}

// Do asks. A digest login takes two exchanges unless a challenge is given; a stale nonce one more. Nothing else is repeated.
func (c *Client) Do(ctx context.Context, r Request) *Answer {
	a := &Answer{Auth: r.Auth}
	if a.Auth == "" {
		a.Auth = None
	}
	challenge := r.Challenge
	if a.Auth == Digest && challenge == nil {
		c.once(ctx, r, a, None, nil)
		if a.HTTP != http.StatusUnauthorized || a.Challenge == nil {
			a.Auth = None // it answered, or failed, without wanting a login
			return a
		}
		challenge = a.Challenge
	}
	c.once(ctx, r, a, a.Auth, challenge)
	if a.Auth == Digest && a.HTTP == http.StatusUnauthorized && a.Challenge != nil && a.Challenge.stale() && a.Challenge.nonce() != challenge.nonce() {
		a.Refusals-- // the device says the login was right and only the nonce old
		c.once(ctx, r, a, Digest, a.Challenge)
	}
	if a.Refusals > 0 {
		c.refused = true
	}
	return a
}

// once makes one HTTP exchange and reads it into a.
func (c *Client) once(ctx context.Context, r Request, a *Answer, auth Auth, challenge *Challenge) {
	first := a.At
	wires, refusals := a.Wires, a.Refusals
	*a = Answer{Auth: a.Auth, Wires: wires, Refusals: refusals, At: first}
	start := c.now()
	if first.IsZero() {
		a.At = start
	}
	envelope, err := c.envelope(r, auth, start)
	if err != nil {
		a.Verdict, a.Err = NotAllowed, err
		return
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	call, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := &transport{ctx: call, next: c.HTTP.Transport, action: r.Action, agent: c.UserAgent, wire: Wire{At: start}}
	if t.next == nil { // the default transport would go anywhere
		a.Verdict, a.Err = NotAllowed, errors.New("soap: a client without a transport of its own")
		return
	}
	if auth == Digest {
		t.authorise = func(req *http.Request) (string, error) {
			return challenge.authorisation(req.Method, req.URL.RequestURI(), r.User, r.Password)
		}
	}
	// The copy has no Timeout: the library cannot pass a context, and the client would put its own into the request.
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := networking.SendSoap(client, r.Endpoint, envelope)
	var body []byte
	if err == nil {
		body, err = readBody(resp)
		a.head(resp)
		t.wire.Response = append(responseHead(resp), body...)
	} else if t.err != nil {
		err = t.err // the library's wrapping hides what errors.As would find
	}
	a.Took = c.now().Sub(a.At)
	a.Size = len(body)
	if err != nil {
		a.Err = err
		t.wire.Note = "no complete answer: " + short(err.Error(), 200)
		a.Verdict = verdictOf(ctx, call, err)
	} else {
		a.read(body, r, auth, c.refused)
	}
	if auth != None && (a.Verdict == NotAuthorised || a.Verdict == Locked || a.Verdict == ClockSkew) {
		a.Refusals++
	}
	if t.sent {
		a.Wires = append(a.Wires, t.wire)
	}
}

func (a *Answer) head(resp *http.Response) {
	a.HTTP, a.Location, a.TLS = resp.StatusCode, resp.Header.Get("Location"), resp.TLS
	if d, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.Date = d
	}
	if resp.StatusCode == http.StatusUnauthorized {
		a.Challenge, a.Basic = challenges(resp.Header)
	}
}

// read parses a complete HTTP body and decides the verdict.
func (a *Answer) read(body []byte, r Request, auth Auth, refusedBefore bool) {
	doc, err := xmltree.Parse(body, xmltree.Options{MaxBytes: MaxBody})
	parsed := err
	if err == nil {
		a.Malformed = doc.Malformed
		for _, root := range doc.Roots {
			if root.Name.Local != "Envelope" {
				continue
			}
			a.Envelope = true
			if b := root.Child("Body"); b != nil && len(b.Kids) > 0 {
				a.Body = b.Kids[0]
			}
			break
		}
	}
	if f := a.Body; f != nil && f.Name.Local == "Fault" {
		a.Fault = readFault(f)
	}
	a.Verdict = classify(a, r, auth, refusedBefore)
	if errors.Is(parsed, xmltree.ErrLimit) {
		a.Verdict, a.Err = Limited, parsed
	} else if errors.Is(parsed, xmltree.ErrDoctype) && a.Verdict != NotSOAP {
		a.Verdict, a.Err = Malformed, parsed
	}
}

// envelope builds the request. The library panics on text it cannot parse, so that becomes an error.
func (c *Client) envelope(r Request, auth Auth, now time.Time) (s string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("soap: building the envelope: %v", p)
		}
	}()
	var body []byte
	if raw, ok := r.Body.([]byte); ok {
		body = raw
	} else if body, err = xml.Marshal(r.Body); err != nil {
		return "", fmt.Errorf("soap: marshalling %T: %w", r.Body, err)
	}
	if d, err := xmltree.Parse(body, xmltree.Options{}); err != nil || d.Malformed || len(d.Roots) != 1 {
		return "", fmt.Errorf("soap: a body that is not one element: %w", ErrNotAllowed) // the library would log it and panic
	}
	m := gosoap.NewEmptySOAP()
	for _, n := range namespaces {
		if bytes.Contains(body, []byte("<"+n.prefix+":")) || strings.Contains(strings.Join(r.Headers, ""), "<"+n.prefix+":") {
			m.AddRootNamespace(n.prefix, n.uri)
		}
	}
	if auth == WSSE {
		h, err := c.usernameToken(r.User, r.Password, now.Add(r.Offset))
		if err != nil {
			return "", err
		}
		r.Headers = append([]string{h}, r.Headers...)
	}
	for _, h := range r.Headers {
		if err := m.AddStringHeaderContent(h); err != nil {
			return "", fmt.Errorf("soap: adding a header block: %w", err)
		}
	}
	m.AddStringBodyContent(string(body))
	return m.String(), nil
}

func (c *Client) now() time.Time {
	if c.Clock == nil {
		return time.Now()
	}
	return c.Clock()
}

func (c *Client) random() io.Reader {
	if c.Random == nil {
		return rand.Reader
	}
	return c.Random
}

// transport does what the library cannot: it carries the call's context, the action and the login, refuses what is not on
// the allow-list before a byte is sent, and keeps what went over the wire.
type transport struct {
	ctx       context.Context
	next      http.RoundTripper
	action    string
	agent     string
	authorise func(*http.Request) (string, error)
	wire      Wire
	sent      bool
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
	req := r.Clone(t.ctx)
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
