package probe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/httpdigest"
)

const (
	askTime   = 10 * time.Second       // for one exchange, the body included
	askGap    = 100 * time.Millisecond // between two questions: small recorders answer 503 when hurried
	askBody   = 1 << 20
	askDetail = 200

	codeBlocked = 490 // Hanwha: the account is blocked after too many failures
)

// Asker puts questions to one web interface of a device, one after the other, with the device's one login where it is
// wanted. Every question is asked without the login first and answered with a fresh challenge, so that a refusal always means
// the login and never an old nonce; after a refusal nothing is asked with a login again. It is for one goroutine.
type Asker struct {
	Env      Env
	At       netip.AddrPort
	Secure   bool                // TLS
	Locked   func([]byte) bool   // reports a body that says the account is locked; nil where the maker has no words for it
	Withhold func([]byte) []byte // what must not reach the record of a body, blanked; nil keeps all
	Accept   string              // media type asked for; empty leaves it to the device

	client  *http.Client
	posting *posting // while a question is put by POST
	watch   *Watch   // while an answer is watched
	asked   bool
	patience
}

// Reply is what became of one question. It is never nil.
type Reply struct {
	Status   audit.Status // what the HTTP exchange alone says; the maker's own words may say more
	Code     int          // of HTTP, 0 where nothing came
	Body     []byte       // at most 1 MiB, as Withhold left it; nil unless Status is OK or the code says error
	Realm    string       // of the challenge; cleaned
	Server   string       // header; cleaned
	Location string       // of a redirect, which was not followed
	Auth     string       // none or digest: with what the answer was obtained
	Detail   string       // cleaned
	TLSKey   string       // sha256 of the certificate's public key
	At       time.Time
	Evidence []string

	challenge *httpdigest.Challenge
	schemes   []string
}

// Close gives the connection back.
func (a *Asker) Close() {
	if a.client != nil {
		a.client.CloseIdleConnections()
	}
}

// Ask puts one question: a path with its query. Once Stopped, it sends nothing and returns a reply with status Inconclusive.
func (a *Asker) Ask(ctx context.Context, path string) *Reply {
	if a.stop != "" {
		return &Reply{Status: audit.Inconclusive, Auth: "none", Detail: a.stop, At: a.Env.Clock()}
	}
	if a.asked && !wait(ctx, askGap) {
		return &Reply{Status: audit.Interrupted, Auth: "none", At: a.Env.Clock()}
	}
	a.asked = true
	first := a.exchange(ctx, path, nil)
	r := first
	if first.Code == http.StatusUnauthorized {
		if with := a.login(ctx, path, first); with != nil {
			with.Evidence = append(first.Evidence, with.Evidence...)
			r = with
		}
	}
	if a.locked(r) {
		r.Status = audit.Locked
	}
	a.heed(r.Status)
	if r.Status == audit.Locked {
		if _, _, ok := a.Env.Login.Try(); ok { // no other module tries either
			a.Env.Login.Refused(r.Detail)
		}
	}
	return r
}

// Follow turns to the TLS port of the same device where the reply redirects to it, which recorders do for every page. Anything
// else is not followed. It reports whether it turned.
func (a *Asker) Follow(r *Reply) bool {
	port := ownTLS(r, a.At)
	if port == 0 || a.Secure {
		return false
	}
	a.Close()
	a.client, a.Secure, a.At = nil, true, netip.AddrPortFrom(a.At.Addr(), port)
	return true
}

// login repeats the question with the device's login. It returns nil where there is none to send.
func (a *Asker) login(ctx context.Context, path string, first *Reply) *Reply {
	login := a.Env.Login
	switch {
	case a.locked(first):
		first.Status = audit.Locked
		return nil
	case a.Env.Guard.Permit() < audit.PermitLogin:
		return nil
	case first.challenge == nil:
		if len(first.schemes) > 0 {
			first.Detail = clean.Text("offers only "+strings.Join(first.schemes, ", ")+" login in a form that is not used: no login was sent", askDetail)
		}
		return nil
	}
	user, password, known := login.Use()
	if !known {
		var ok bool
		if user, password, ok = login.Try(); !ok {
			return nil
		}
		a.Close() // on a new connection nothing below us sends it twice
	}
	with := func(c *httpdigest.Challenge) func(*http.Request) error {
		return func(r *http.Request) error {
			v, err := c.Authorise(r, user, password)
			r.Header.Set("Authorization", v)
			return err
		}
	}
	r := a.exchange(ctx, path, with(first.challenge))
	if c := r.challenge; r.Code == http.StatusUnauthorized && c != nil && c.Stale() && c.Nonce() != first.challenge.Nonce() && !a.locked(r) {
		second := a.exchange(ctx, path, with(c)) // the device says the login was right and only the nonce old
		second.Evidence = append(r.Evidence, second.Evidence...)
		r = second
	}
	switch {
	case a.locked(r):
		r.Status = audit.Locked
		login.Refused(r.Detail)
	case r.Code == http.StatusUnauthorized, r.Code == http.StatusForbidden && !known:
		r.Status, a.stop = audit.Refused, "the login was not accepted"
		login.Refused(r.Detail)
	case r.Code == 0 && !known:
		login.Refused("no answer to the login: " + r.Detail)
		a.stop = "the login was not answered"
	case !known:
		login.Accepted()
	}
	return r
}

func (a *Asker) locked(r *Reply) bool {
	return r.Code == http.StatusTooManyRequests || r.Code == codeBlocked || r.Code >= 400 && a.Locked != nil && a.Locked(r.Body)
}

// exchange makes one HTTP exchange and records it.
func (a *Asker) exchange(ctx context.Context, path string, authorise func(*http.Request) error) *Reply {
	r := &Reply{Auth: "none", At: a.Env.Clock()}
	rctx, cancel := context.WithTimeout(ctx, a.longest())
	defer cancel()
	var trace Trace
	rctx = trace.Into(rctx)
	req, err := a.request(rctx, path)
	if err != nil {
		r.Detail = clean.Text(err.Error(), askDetail)
		return r
	}
	need := audit.PermitQuery
	if authorise != nil {
		need, r.Auth = audit.PermitLogin, "digest"
		if err := authorise(req); err != nil {
			r.Detail = clean.Text(err.Error(), askDetail)
			return r
		}
	}
	if a.client == nil {
		a.client = a.Env.Device.HTTP(a.options())
	}
	if err := a.Env.Guard.Check("http", a.At.Addr(), need); err != nil {
		r.fail(ctx, err, false)
		return r
	}
	x := evidence.Exchange{Protocol: "http", URI: req.URL.String(), Endpoint: a.At, At: r.At, Request: a.sent(req)}
	resp, err := a.client.Do(req)
	if err == nil {
		var why string
		r.Body, why, err = a.read(resp, cancel)
		resp.Body.Close()
		came := r.Body
		if a.Withhold != nil {
			r.Body = a.Withhold(slices.Clone(came))
		}
		r.head(resp)
		r.Detail = cmp.Or(r.Detail, why)
		x.Response = append(recordedHead(resp, came, r.Body), r.Body...)
	}
	r.keep(ctx, a.Env, x, err, &trace)
	return r
}

// head reads what the answer's head says.
func (r *Reply) head(resp *http.Response) {
	r.Code, r.Status = resp.StatusCode, statusOfCode(resp.StatusCode)
	r.Server, r.Location = clean.Text(resp.Header.Get("Server"), askDetail), resp.Header.Get("Location")
	if r.Status != audit.OK {
		r.Detail = clean.Text(fmt.Sprintf("HTTP %d %s", r.Code, http.StatusText(r.Code)), askDetail)
	}
	if r.Code == http.StatusUnauthorized {
		r.challenge, r.schemes = httpdigest.Challenges(resp.Header)
		if r.challenge != nil {
			r.Realm = clean.Text(r.challenge.Realm(), askDetail)
		}
	}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		sum := sha256.Sum256(resp.TLS.PeerCertificates[0].RawSubjectPublicKeyInfo)
		r.TLSKey = hex.EncodeToString(sum[:])
	}
}

func statusOfCode(code int) audit.Status {
	switch {
	case code >= 200 && code < 300:
		return audit.OK
	case code == http.StatusUnauthorized:
		return audit.AuthRequired
	case code == http.StatusForbidden:
		return audit.Refused
	case code == http.StatusTooManyRequests, code == codeBlocked:
		return audit.Locked
	case code == http.StatusBadRequest:
		return audit.BadArgument
	case code == http.StatusServiceUnavailable:
		return audit.Exhausted
	case code >= 300 && code < 400, code == http.StatusNotFound, code == http.StatusMethodNotAllowed, code == http.StatusNotImplemented:
		return audit.NotSupported
	}
	return audit.Inconclusive
}

// fail says why no complete answer came. run is the context of the whole run.
func (r *Reply) fail(run context.Context, err error, connected bool) {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the method and the URL, which the record has
	}
	r.Detail, r.Code = clean.Text(err.Error(), askDetail), 0
	var limit *guard.LimitError
	var network net.Error
	switch {
	case guard.IsDenied(err):
		r.Status = audit.Denied
	case errors.As(err, &limit):
		r.Status = audit.Limited
	case run.Err() != nil:
		r.Status = audit.Interrupted
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		r.Status = audit.Timeout
	case connected:
		r.Status = audit.Malformed
	default:
		r.Status = audit.Unreachable
	}
}

// Observation begins the observation of a question: who was asked, when, with what outcome. The module adds what it read.
func (r *Reply) Observation(module, kind string, class audit.Class, at netip.AddrPort) audit.Observation {
	o := audit.Observation{Module: module, Kind: kind, Class: class, Endpoint: at, At: r.At, Auth: r.Auth, Status: r.Status, Detail: r.Detail, Evidence: r.Evidence}
	if r.TLSKey != "" {
		o.Identity = &audit.Identity{TLSKey: r.TLSKey, Weak: true}
	}
	return o
}

func requestHead(r *http.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.URL.Host)
	r.Header.Write(&b) //nolint:errcheck // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// recordedHead is the answer's head as it is recorded with a body: where that is not the one that came, nothing that counts or sums
// up the bytes that came.
func recordedHead(r *http.Response, came, kept []byte) []byte {
	if bytes.Equal(came, kept) {
		return responseHead(r)
	}
	out := &http.Response{Proto: r.Proto, Status: r.Status, Header: r.Header.Clone()}
	for _, name := range []string{"Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Etag"} {
		out.Header.Del(name)
	}
	return responseHead(out)
}

func responseHead(r *http.Response) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\r\n", r.Proto, r.Status)
	r.Header.Write(&b) //nolint:errcheck // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
