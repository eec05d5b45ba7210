// Package soap makes one SOAP 1.2 call over an HTTP client it is given and says what kind of answer came. It knows
// envelopes, faults, logins and which questions may be asked at all; what the answers mean belongs to package onvif.
//
// The envelope is built by use-go/onvif's gosoap and posted by its networking package. Neither sees anything but bytes we
// marshalled, and everything they lack (a context, the action, a nonce worth the name, digest login, limits, an allow-list)
// is in the RoundTripper below them.
package soap

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/use-go/onvif/gosoap"
	"github.com/use-go/onvif/networking"

	"github.com/mingshi-audit/mingshi/internal/httpdigest"
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

	refused  bool // a login was refused: a 503 now is a lock
	accepted bool // a login was accepted
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
	Schemes   []string      // every way of logging in the 401 offered, lower case
	WantsTLS  bool          // the port speaks TLS, and was asked in plain text
	Location  string        // of a redirect, not followed
	Date      time.Time     // the Date header
	At        time.Time     // when it was asked
	Took      time.Duration
	TLS       *tls.ConnectionState
	Wires     []Wire

	charset string // of the Content-Type header
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
	if a.Auth == Digest && a.HTTP == http.StatusUnauthorized && a.Challenge != nil && a.Challenge.Stale() && a.Challenge.Nonce() != challenge.Nonce() {
		a.Refusals-- // the device says the login was right and only the nonce old
		c.once(ctx, r, a, Digest, a.Challenge)
	}
	if a.Refusals > 0 {
		c.refused = true
	}
	c.accepted = c.accepted || a.Auth != None && a.Verdict == OK
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
			return challenge.Authorise(req, r.User, r.Password)
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
	if err != nil && t.reused && silent(err) && call.Err() == nil && (auth == None || c.accepted) {
		// The device closed the connection it had promised to keep, just when we wrote to it. A login it has not accepted
		// yet is never sent again: it may have counted the first.
		t.err, t.wire.Note = nil, "the device had closed the connection: sent once more on a new one"
		t.wires, t.wire = append(t.wires, t.wire), Wire{At: c.now()}
		c.HTTP.CloseIdleConnections()
		if resp, err = networking.SendSoap(client, r.Endpoint, envelope); err == nil {
			body, err = readBody(resp)
			a.head(resp)
			t.wire.Response = append(responseHead(resp), body...)
		} else if t.err != nil {
			err = t.err
		}
	}
	a.Wires = append(a.Wires, t.wires...)
	a.Took = c.now().Sub(a.At)
	a.Size = len(body)
	a.WantsTLS = strings.HasPrefix(r.Endpoint, "http://") && wantsTLS(a.HTTP, body, err)
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
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil {
		a.charset = params["charset"]
	}
	if resp.StatusCode == http.StatusUnauthorized {
		a.Challenge, a.Schemes = httpdigest.Challenges(resp.Header)
	}
}

// read parses a complete HTTP body and decides the verdict.
func (a *Answer) read(body []byte, r Request, auth Auth, refusedBefore bool) {
	doc, err := xmltree.Parse(body, xmltree.Options{MaxBytes: MaxBody, Charset: a.charset})
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
