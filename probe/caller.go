package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
)

// SessionAuth is Reply.Auth of what was obtained with a session.
const SessionAuth = "session"

// Caller puts questions to web interfaces that Asker's GET and digest do not fit: those that read by POST, and those that are
// logged in to once and then shown a token. Questions go one after the other. Whatever holds a password goes within TLS or not
// at all. It is for one goroutine.
type Caller struct {
	Env     Env
	At      netip.AddrPort
	Secure  bool
	MaxBody int64               // default 1 MiB
	Show    func([]byte) []byte // what of an answer's body may be recorded; nil records its length only

	client *http.Client
	asked  bool
	patience
}

// Call is one question.
type Call struct {
	Method string
	Path   string // with its query
	Type   string // of the body
	Body   []byte
	Header http.Header
	Need   audit.Permit // default query
	Auth   string       // default none

	// Shown and ShownBody are the path and the body as they are recorded, where the real ones hold a login or a token.
	Shown     string
	ShownBody []byte
}

// Answer is what became of a Call. Body is as it came, so that it can be read; only Caller.Show's part of it is recorded.
type Answer struct {
	*Reply
	Header http.Header // nil where nothing came
}

// Close gives the connection back.
func (c *Caller) Close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
		c.client = nil
	}
}

// Turn turns to a TLS port of the same device.
func (c *Caller) Turn(port uint16) {
	c.Close()
	c.Secure, c.At, c.patience = true, netip.AddrPortFrom(c.At.Addr(), port), patience{}
}

// TLSPort returns the port at which the device says, by an answer to plain text, that it wants TLS: the same one, or the one of
// its own that it redirects to. It is 0 where the answer says no such thing.
func (c *Caller) TLSPort(a Answer) uint16 {
	switch {
	case c.Secure:
		return 0
	case a.Code == http.StatusBadRequest && bytes.Contains(a.Body, []byte("HTTPS")), strings.Contains(a.Detail, `\x15\x03`):
		return c.At.Port()
	}
	return ownTLS(a.Reply, c.At)
}

// Call puts one question. Once Stopped, it sends nothing.
func (c *Caller) Call(ctx context.Context, q Call) Answer {
	idle := func(s audit.Status, why string) Answer {
		return Answer{Reply: &Reply{Status: s, Auth: "none", Detail: why, At: c.Env.Clock()}}
	}
	if c.stop != "" {
		return idle(audit.Inconclusive, c.stop)
	}
	if c.asked && !wait(ctx, askGap) {
		return idle(audit.Interrupted, "")
	}
	c.asked = true
	a := c.exchange(ctx, q)
	c.heed(a.Status)
	return a
}

// SignIn sends the device's one login as build words it. judge reads the answer and says why it was not accepted, "" where it
// was. asked is false, and nothing was sent, where the permit, the lack of a login or of TLS forbids it; why says which.
func (c *Caller) SignIn(ctx context.Context, build func(user, password string) Call, judge func(Answer) string) (a Answer, asked bool, why string) {
	login := c.Env.Login
	switch {
	case c.stop != "":
		return a, false, c.stop
	case c.Env.Guard.Permit() < audit.PermitLogin:
		return a, false, "the permit does not reach to a login"
	case login == nil:
		return a, false, "no login was given for this device"
	case !c.Secure:
		return a, false, "the login would show the password; it is sent within TLS only"
	}
	user, password, known := login.Use()
	if !known {
		var ok bool
		if user, password, ok = login.Try(); !ok {
			return a, false, "the one login was tried before"
		}
	}
	c.Close() // on a new connection nothing below us sends it twice
	q := build(user, password)
	q.Need, q.Auth = audit.PermitLogin, SessionAuth
	a = c.Call(ctx, q)
	why = judge(a)
	switch {
	case a.Code == 0:
		why = "no answer to the login: " + a.Detail
	case a.Code == http.StatusTooManyRequests, strings.Contains(strings.ToLower(why), "lock"):
		a.Status, c.stop = audit.Locked, "the device asks to be left alone"
	case why != "":
		a.Status, c.stop = audit.Refused, "the login was not accepted"
	}
	if why != "" {
		a.Detail = clean.Text(why, askDetail)
		login.Refused(a.Detail)
		return a, true, a.Detail
	}
	if !known {
		login.Accepted()
	}
	return a, true, ""
}

// exchange makes one HTTP exchange and records what may be recorded of it.
func (c *Caller) exchange(ctx context.Context, q Call) Answer {
	a := Answer{Reply: &Reply{Auth: "none", At: c.Env.Clock()}}
	if q.Auth != "" {
		a.Auth = q.Auth
	}
	rctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var trace Trace
	rctx = trace.Into(rctx)
	req, err := http.NewRequestWithContext(rctx, q.Method, webURL(c.At, c.Secure, q.Path), bytes.NewReader(q.Body))
	if err != nil {
		a.Detail = "the question could not be worded" // the error quotes the URL, which may hold a token
		return a
	}
	req.Header.Set("User-Agent", "mingshi")
	if q.Type != "" {
		req.Header.Set("Content-Type", q.Type)
	}
	for name, values := range q.Header {
		req.Header[name] = values
	}
	if err := c.Env.Guard.Check("http", c.At.Addr(), max(q.Need, audit.PermitQuery)); err != nil {
		a.fail(ctx, err, false)
		return a
	}
	if c.client == nil {
		c.client = c.Env.Device.HTTP(guard.HTTPOptions{Need: audit.PermitQuery, MaxBody: cmp.Or(c.MaxBody, askBody), LegacyTLS: true})
	}
	x := evidence.Exchange{Protocol: "http", Endpoint: c.At, At: a.At}
	x.URI, x.Request = c.shown(req, q)
	resp, err := c.client.Do(req)
	if err == nil {
		a.Body, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		a.head(resp)
		a.Header = resp.Header
		body := c.show(slices.Clone(a.Body))
		x.Response = append(shownHead(resp, a.Body, body), body...)
	}
	a.keep(ctx, c.Env, x, err, &trace)
	return a
}

func (c *Caller) show(body []byte) []byte {
	if c.Show == nil {
		return fmt.Appendf(nil, "(%d bytes, not recorded)", len(body))
	}
	return c.Show(body)
}

// shown is the request as it is recorded.
func (c *Caller) shown(r *http.Request, q Call) (uri string, request []byte) {
	path, body := q.Path, q.Body
	if q.Shown != "" {
		path = q.Shown
	}
	if q.ShownBody != nil {
		body = q.ShownBody
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, path, r.URL.Host)
	h := r.Header.Clone()
	for name := range h {
		if secretHeader(name) {
			h.Set(name, "(withheld)")
		}
	}
	h.Write(&b) //nolint:errcheck // a buffer takes everything
	b.WriteString("\r\n")
	b.Write(body)
	return webURL(c.At, c.Secure, path), b.Bytes()
}

// shownHead is the answer's head as it is recorded with a body in place of the one that came: without what opens a session.
func shownHead(r *http.Response, came, kept []byte) []byte {
	out := &http.Response{Proto: r.Proto, Status: r.Status, Header: r.Header.Clone()}
	for name := range out.Header {
		if secretHeader(name) {
			out.Header.Set(name, "(withheld)")
		}
	}
	return recordedHead(out, came, kept)
}

func secretHeader(name string) bool {
	n := strings.ToLower(name)
	return strings.Contains(n, "cookie") || strings.Contains(n, "token") || strings.Contains(n, "csrf") || n == "authorization"
}

// Finish calls once more when the run is over or not, for what frees a session; it takes three seconds at most.
func (c *Caller) Finish(ctx context.Context, q Call) Answer {
	c.stop = ""
	fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return c.Call(fctx, q)
}
