package onvif

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/soap"
	"github.com/mingshi-audit/mingshi/probe"
)

// maxStage2 bounds the questions about the configuration. Before a login there are eight at most, one each.
const maxStage2 = 25

// session is one conversation with one device. It is used by one goroutine; requests go out one at a time.
type session struct {
	env    probe.Env
	target audit.Target
	base   candidate
	ip     netip.Addr
	pace   pace

	soap   soap.Client
	need   audit.Permit
	header time.Duration // longest wait for an answer's head with the present client
	legacy bool          // the device knows old TLS only

	run      context.Context // of the whole conversation, around those of the stages
	late     bool            // the time of a stage was used up before its questions were
	auth     soap.Auth
	user     string
	password string
	offset   time.Duration
	clocked  bool // the offset comes from the device's own statement of its time
	account  bool // a login was accepted
	burnt    bool // a login was refused: nothing more with credentials
	loginTry bool // the login was tried, or there is none to try

	spoke    bool // a SOAP envelope was seen
	services onvif.Services
	stage    int
	calls    int
	timeouts int // in a row
	stop     string
	denied   map[string]bool
	moved    map[string]bool // services whose own port does not connect

	notes     []*note
	questions []question
	profiles  []onvif.Profile
	media2    bool // the profiles came from Media2
	tokens    []string
	who       onvif.Information
	scopes    onvif.Scopes
	listed    []onvif.Topic // face and carrier topics
	topics    bool          // the topic set was read
	eventCaps map[string]string
	pulls     bool // MaxPullPoints was stated
}

// repaired is the detail of an answer that was read although its XML was broken.
const repaired = "repaired XML: nothing is concluded from what is missing"

// errLate says why a question was given up before its own time was over.
var errLate = errors.New("the time for this stage was used up")

// note is an observation being written: its data are marshalled at the end, when instances were matched with descriptions.
type note struct {
	audit.Observation
	data data
}

// question is one entry of what was asked.
type question struct {
	Ask    string       `json:"ask"`
	Token  string       `json:"token,omitempty"`
	Status audit.Status `json:"status"`
	Auth   string       `json:"auth"`
}

func newSession(env probe.Env, t audit.Target, c candidate, p pace) *session {
	s := &session{env: env, target: t, base: c, ip: t.Addr.Addr().Unmap(), pace: p, auth: soap.None, denied: map[string]bool{}, moved: map[string]bool{}}
	s.soap = soap.Client{Clock: env.Clock}
	s.use(audit.PermitQuery, p.call)
	return s
}

// use switches to a client for that permit and wait; the connection of the one before is given back first.
func (s *session) use(need audit.Permit, header time.Duration) {
	if s.soap.HTTP != nil && s.need == need && s.header == header {
		return
	}
	s.close()
	s.need, s.header = need, header
	s.soap.HTTP = client(s.env, need, header, s.legacy)
}

func (s *session) close() {
	if s.soap.HTTP != nil {
		s.soap.HTTP.CloseIdleConnections()
	}
}

// call says how one question is asked.
type call struct {
	token    string // recorded with the question
	required bool   // every device knows the operation
	creates  bool
	to       string // another address than the service's
	headers  []string
	timeout  time.Duration
	quiet    bool // no observation: the caller writes one for several calls
}

// ask sends one question and notes what came. The note is nil where nothing was sent because the conversation has ended.
func (s *session) ask(ctx context.Context, op onvif.Operation, c call) (*soap.Answer, *note) {
	if s.stop != "" || ctx.Err() != nil {
		return &soap.Answer{Verdict: soap.Interrupted, Auth: soap.None}, nil
	}
	if s.calls > 0 && s.pace.gap > 0 {
		if !sleep(ctx, s.pace.gap) {
			return &soap.Answer{Verdict: soap.Interrupted, Auth: soap.None}, nil
		}
	}
	s.calls++
	a, ids, where := s.send(ctx, op, c, s.auth)
	if a.Verdict == soap.AuthRequired && s.auth == soap.None && s.stage == 2 && !s.loginTry {
		// An open device that guards some of its answers: now a login is worth its one attempt.
		n := s.note(op, c, a, ids, where)
		if b, m := s.login(ctx, op, c, a); b != nil {
			return b, m
		}
		return a, n
	}
	if c.quiet {
		s.after(a)
		return a, &note{Observation: audit.Observation{Evidence: ids, Endpoint: where}}
	}
	n := s.note(op, c, a, ids, where)
	s.after(a)
	return a, n
}

// send makes the exchange, at the service's own port first and once at the device service's.
func (s *session) send(ctx context.Context, op onvif.Operation, c call, auth soap.Auth) (*soap.Answer, []string, netip.AddrPort) {
	return s.sendWith(ctx, op, c, auth, nil)
}

// sendWith answers a digest challenge that is at hand; without one it is asked for first.
func (s *session) sendWith(ctx context.Context, op onvif.Operation, c call, auth soap.Auth, challenge *soap.Challenge) (*soap.Answer, []string, netip.AddrPort) {
	u := s.address(op.Service)
	if c.to != "" {
		if v, err := url.Parse(c.to); err == nil {
			u = *v
		}
	}
	a := s.do(ctx, u, op, c, auth, challenge)
	ids := s.record(u, a)
	if (a.Verdict == soap.Unreachable || a.WantsTLS) && portOf(&u) != s.base.port() {
		s.moved[op.Service] = true
		u.Scheme, u.Host = s.base.url.Scheme, s.base.url.Host
		a = s.do(ctx, u, op, c, auth, nil)
		ids = append(ids, s.record(u, a)...)
	}
	s.spoke = s.spoke || a.Envelope
	if a.Verdict == soap.Interrupted && s.run != nil && s.run.Err() == nil {
		// Nobody stopped the run: the time for the stage is over, and the device had not answered by then.
		a.Verdict, a.Err, s.late = soap.TimedOut, errLate, true
	}
	return a, ids, netip.AddrPortFrom(s.ip, portOf(&u))
}

func (s *session) do(ctx context.Context, u url.URL, op onvif.Operation, c call, auth soap.Auth, challenge *soap.Challenge) *soap.Answer {
	timeout := c.timeout
	if timeout == 0 {
		timeout = s.pace.call
	}
	r := soap.Request{Endpoint: u.String(), Action: op.Action, Body: op.Body, Headers: c.headers, Optional: !c.required, Creates: c.creates,
		Timeout: timeout, Auth: auth, Offset: s.offset, Challenge: challenge}
	if auth != soap.None {
		r.User, r.Password = s.user, s.password
	}
	var trace probe.Trace
	ctx = trace.Into(ctx)
	a := s.soap.Do(ctx, r)
	var cert *tls.CertificateVerificationError
	if a.Verdict == soap.Transient && u.Scheme == "https" && !s.legacy && a.HTTP == 0 && len(a.Wires) == 1 && !errors.As(a.Err, &cert) && strings.Contains(a.Err.Error(), "tls") {
		s.legacy = true // firmware that knows only what Go no longer offers
		s.soap.HTTP.CloseIdleConnections()
		s.soap.HTTP = client(s.env, s.need, s.header, true)
		b := s.soap.Do(ctx, r)
		b.Wires = append(a.Wires, b.Wires...)
		a = b
	}
	s.env.Exchanged(portOf(&u), r.Endpoint, ending(&trace, a))
	return a
}

// ending is what an exchange says of the port.
func ending(t *probe.Trace, a *soap.Answer) probe.Ending {
	switch a.Verdict {
	case soap.TimedOut:
		return t.End(a.Err, audit.Timeout)
	case soap.Unreachable:
		return t.End(a.Err, audit.Unreachable)
	}
	return t.End(a.Err, audit.Inconclusive)
}

// after keeps count of what ends a conversation.
func (s *session) after(a *soap.Answer) {
	switch a.Verdict {
	case soap.TimedOut:
		if s.timeouts++; s.timeouts >= 2 {
			s.stop = "two questions in a row without an answer"
		}
	case soap.Locked:
		s.stop = "the device asks to be left alone"
		s.burn(a)
	default:
		s.timeouts = 0
	}
	if a.Refusals > 0 && !s.burnt {
		// Whatever the reason, the device may count it: there is no second.
		s.burnt = true
		s.stop = "a request with the login was refused"
	}
}

// burn makes sure that no module tries the login of a device that is locked.
func (s *session) burn(a *soap.Answer) {
	s.loginTry = true
	if s.account {
		return
	}
	if _, _, ok := s.env.Login.Try(); ok {
		s.env.Login.Refused(detail(a))
	}
}

// address returns where a service is asked: its XAddr on the device's own address, or the device service.
func (s *session) address(ns string) url.URL {
	v, ok := s.services.Find(ns)
	if !ok || v.XAddr == "" || ns == onvif.NSDevice {
		return s.base.url
	}
	u, err := s.rebase(v.XAddr)
	if err != nil {
		return s.base.url
	}
	if s.moved[ns] {
		u.Scheme, u.Host = s.base.url.Scheme, s.base.url.Host
	}
	return *u
}

// rebase reads an address the device gave for one of its services. The port the device service answers on keeps its scheme:
// firmware behind TLS writes http all the same.
func (s *session) rebase(raw string) (*url.URL, error) {
	u, foreign, err := soap.Rebase(soap.Resolve(raw, s.base.url), s.ip, "http", "https")
	if err != nil {
		return nil, err
	}
	if foreign {
		s.deny("xaddr", raw)
	}
	if u.Scheme != s.base.url.Scheme && portOf(u) == s.base.port() {
		u.Scheme = s.base.url.Scheme
	}
	return u, nil
}

// deny records once per host that an address was not followed as it stands.
func (s *session) deny(what, raw string) {
	host := raw
	if u, err := url.Parse(strings.TrimSpace(raw)); err == nil && u.Host != "" {
		host = u.Host
	}
	host = clean.Text(host, 120)
	if !s.denied[what+host] {
		s.denied[what+host] = true
		s.env.Guard.Deny(what, host, msg.Text("probe.onvif.foreign"))
	}
}

func (s *session) record(u url.URL, a *soap.Answer) []string {
	var ids []string
	for _, w := range a.Wires {
		ids = append(ids, s.env.Evidence.Record(evidence.Exchange{Protocol: "http", URI: u.String(), Endpoint: netip.AddrPortFrom(s.ip, portOf(&u)),
			At: w.At, Request: w.Request, Response: w.Response, Note: w.Note}))
	}
	a.Wires = nil
	return ids
}

// note writes the observation of one exchange.
func (s *session) note(op onvif.Operation, c call, a *soap.Answer, ids []string, where netip.AddrPort) *note {
	at := a.At
	if at.IsZero() {
		at = s.env.Clock()
	}
	n := &note{Observation: audit.Observation{Module: moduleName, Kind: op.Name, Class: classOf(op.Name), Endpoint: where, At: at,
		Auth: string(a.Auth), Status: statusOf(a), Detail: detail(a), Evidence: ids}}
	if n.Status == audit.OK && a.Malformed {
		n.Status, n.Detail = audit.Malformed, repaired
	}
	if a.TLS != nil && len(a.TLS.PeerCertificates) > 0 {
		sum := sha256.Sum256(a.TLS.PeerCertificates[0].RawSubjectPublicKeyInfo)
		n.identity().TLSKey = hex.EncodeToString(sum[:])
	}
	n.data.Token = c.token
	s.notes = append(s.notes, n)
	s.questions = append(s.questions, question{Ask: op.Name, Token: c.token, Status: n.Status, Auth: n.Auth})
	return n
}

func (n *note) identity() *audit.Identity {
	if n.Identity == nil {
		n.Identity = &audit.Identity{}
	}
	return n.Identity
}

// usable reports whether an answer's body may be read: complete answers, and repaired ones for what they do show.
func usable(a *soap.Answer, n *note) bool {
	return n != nil && a.Verdict == soap.OK && a.Body != nil
}

// observations returns what was noted, with its data.
func (s *session) observations() []audit.Observation {
	s.settle()
	out := make([]audit.Observation, 0, len(s.notes))
	for _, n := range s.notes {
		o := n.Observation
		if b, err := json.Marshal(n.data); err == nil && string(b) != "{}" {
			o.Data = b
		}
		if o.Identity != nil {
			o.Identity.Name, o.Identity.Location = clean.Text(o.Identity.Name, 128), clean.Text(o.Identity.Location, 128)
		}
		out = append(out, o)
	}
	return out
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func newMessageID() string { return "urn:uuid:" + uuid.NewString() }
