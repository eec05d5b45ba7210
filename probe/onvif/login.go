package onvif

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/soap"
)

// login takes the device's one attempt, with the question that was just refused. The scheme follows from how it was refused:
// a digest challenge means digest, a SOAP fault means WS-Security. The result is nil where nothing was sent.
func (s *session) login(ctx context.Context, op onvif.Operation, c call, failure *soap.Answer) (*soap.Answer, *note) {
	s.loginTry = true
	if s.env.Guard.Permit() < audit.PermitLogin {
		return nil, nil
	}
	scheme := soap.WSSE
	switch {
	case failure.Challenge != nil:
		scheme = soap.Digest
	case len(failure.Schemes) > 0 && !failure.Envelope:
		// It takes only what we do not do. Basic would give the password away.
		if n := len(s.notes); n > 0 {
			s.notes[n-1].Detail = clean.Text("offers only "+strings.Join(slices.Compact(failure.Schemes), ", ")+" login in a form that is not used: no login was sent", 240)
		}
		return nil, nil
	}
	user, password, known := s.env.Login.Use()
	if !known {
		var ok bool
		if user, password, ok = s.env.Login.Try(); !ok {
			return nil, nil
		}
	}
	s.user, s.password = user, password
	s.use(audit.PermitLogin, s.header)
	sleep(ctx, s.pace.gap)

	attempt := func(scheme soap.Auth, challenge *soap.Challenge) (*soap.Answer, *note) {
		s.auth = scheme
		a, ids, where := s.sendWith(ctx, op, c, scheme, challenge)
		n := s.note(op, c, a, ids, where)
		if n.Status == audit.AuthRequired { // a digest challenge we had to give up on
			n.Status = audit.Refused
		}
		return a, n
	}
	a, n := attempt(scheme, failure.Challenge)
	switch {
	case a.Verdict == soap.ClockSkew && !s.clocked && !a.Date.IsZero() && a.Date.Sub(a.At.Add(s.offset)).Abs() > 30*time.Second:
		// The device says it is the time stamp, never having told its time before: once more by its own clock.
		s.offset, s.clocked = a.Date.Sub(a.At), true
		a, n = attempt(scheme, nil)
	case scheme == soap.WSSE && a.HTTP == 401 && a.Challenge != nil && !a.Envelope && failure.HTTP != 401:
		// The web server in front refused before anything read the login: it was not judged yet.
		a, n = attempt(soap.Digest, a.Challenge)
	}
	if a.Verdict == soap.OK || passed(a, scheme) {
		s.account = true
		if !known {
			s.env.Login.Accepted()
		}
		return a, n
	}
	s.auth, s.burnt = soap.None, true
	s.user, s.password = "", ""
	if s.stage < 2 || a.Verdict == soap.Locked {
		s.stop = "the login was not accepted" // an open device that guards some answers is asked on, without a login
	}
	if !known {
		s.env.Login.Refused(cmp.Or(detail(a), a.Verdict.String()))
	}
	return a, n
}

// passed reports whether the login was accepted although the question was not answered: behind a digest challenge the web
// server has nothing, or the question itself was found wanting. Silence is no acceptance.
func passed(a *soap.Answer, scheme soap.Auth) bool {
	switch {
	case a.Refusals > 0:
		return false
	case scheme == soap.Digest && a.Auth == soap.Digest && a.HTTP >= 200 && a.HTTP < 500:
		return a.HTTP != 401 && a.HTTP != 403
	}
	return a.Envelope && (a.Verdict == soap.NotSupported || a.Verdict == soap.BadArgument || a.Verdict == soap.NotConfigured)
}
