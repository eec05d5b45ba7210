package rtsp

import (
	"context"
	"errors"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

// Describe asks what the device can do (OPTIONS) and what the URL streams (DESCRIBE), over one connection. With a user and
// a password it logs in, once, if the device wants that. An error means that the URL is no RTSP URL; whatever the device
// or the network did is in the Description.
func Describe(ctx context.Context, rawURL string, o Options) (Description, error) {
	if err := o.fill(); err != nil {
		return Description{}, err
	}
	u, port, err := rebase(rawURL, o.Host)
	if err != nil {
		return Description{}, err
	}
	var d Description
	s, err := open(ctx, &o, port, u.Scheme == "rtsps")
	if err != nil {
		d.fail(ctx, err)
		return d, nil
	}
	defer s.conn.Close()

	// What the device thinks of OPTIONS decides nothing: some want a login for it, some do not know it.
	res, err := s.do(ctx, base.Options, u, nil)
	if err == nil {
		d.Server = res.value("Server")
		d.Methods = methods(res.header)
		if o.Brief {
			d.answer(res)
			d.Evidence = s.evidence
			return d, nil
		}
		_, _, err = d.describe(ctx, s, u)
	}
	if err != nil {
		d.fail(ctx, err)
	}
	d.Evidence = s.evidence
	return d, nil
}

// describe sends DESCRIBE, logs in if that is wanted and allowed, and reads the description. The response is nil unless the
// status is 200.
func (d *Description) describe(ctx context.Context, s *session, u *base.URL) (*response, description, error) {
	header := base.Header{"Accept": {"application/sdp"}}
	res, err := s.do(ctx, base.Describe, u, header)
	if err != nil {
		return nil, description{}, err
	}
	if res.code == 401 {
		d.Challenges = ParseChallenges(res.header.Values("WWW-Authenticate"))
		if s.o.User != "" {
			l, why := newLogin(res, s.o.User, s.o.Password, s.secure)
			if l == nil {
				d.Code, d.Status, d.Detail = res.code, StatusAuthRequired, why
				return nil, description{}, nil
			}
			s.login, d.Login = l, true
			if res, err = s.do(ctx, base.Describe, u, header); err != nil {
				return nil, description{}, err
			}
			if res.code == 401 && l.renew(res) {
				if res, err = s.do(ctx, base.Describe, u, header); err != nil {
					return nil, description{}, err
				}
			}
		}
	}
	d.answer(res)
	if d.Server == "" {
		d.Server = res.value("Server")
	}
	if d.Status != StatusOK {
		return nil, description{}, nil
	}
	sdp, err := parseSDP(res.body)
	if err != nil {
		return nil, description{}, err
	}
	d.Name, d.Tracks = sdp.name, sdp.tracks
	return res, sdp, nil
}

func (d *Description) answer(res *response) {
	d.Code, d.Detail = res.code, res.reason
	d.Status = statusOf(res.code, d.Login)
	if res.code >= 300 && res.code < 400 {
		d.Location = res.value("Location")
		d.Detail = "redirects to " + hostOf(d.Location) + ": not followed"
	}
}

func (d *Description) fail(ctx context.Context, err error) {
	d.Status, d.Detail, d.Cause = failure(ctx, err), err.Error(), err
}

// failure classifies an exchange that gave no answer.
func failure(ctx context.Context, err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case isMalformed(err):
		return StatusMalformed
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return StatusInconclusive
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return StatusTimeout
	}
	return StatusUnreachable
}

// methods lists the methods of a Public (or, as some do, an Allow) header, sorted, at most 32.
func methods(h textproto.MIMEHeader) []string {
	v := h.Values("Public")
	if len(v) == 0 {
		v = h.Values("Allow")
	}
	var out []string
	for m := range strings.SplitSeq(strings.Join(v, ","), ",") {
		if m = strings.ToUpper(strings.TrimSpace(m)); m != "" && len(m) <= 32 && len(out) < 32 {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "an address that cannot be read"
	}
	return u.Host
}

// baseURL is what a track's control attribute is relative to (RFC 2326, C.1.1): the session's own control attribute,
// Content-Base, Content-Location, the request's URL. Whatever host it names, ours is meant.
func baseURL(res *response, d description, u *base.URL) *base.URL {
	for _, c := range []string{d.control, res.value("Content-Base"), res.value("Content-Location")} {
		if strings.HasPrefix(c, "/") {
			c = u.Scheme + "://" + u.Host + c
		}
		if b, err := base.ParseURL(c); err == nil && c != "" {
			b.Scheme, b.Host, b.User = u.Scheme, u.Host, nil
			return b
		}
	}
	return u
}
