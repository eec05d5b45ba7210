package probe

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
)

// What Asker and Caller have in common: where a question goes, how long its answer may take, when a device is left alone.

// patience says when a device is asked nothing more.
type patience struct {
	silent int // timeouts in a row
	stop   string
}

// Stopped says why nothing more is asked: the device was silent twice in a row, cannot be reached, refused the login or says it
// is locked. It is empty while it may be asked.
func (p *patience) Stopped() string { return p.stop }

// heed takes how an exchange ended.
func (p *patience) heed(s audit.Status) {
	switch s {
	case audit.Timeout:
		if p.silent++; p.silent >= 2 {
			p.stop = "two questions in a row without an answer"
		}
	case audit.Locked:
		p.stop = "the device asks to be left alone"
	case audit.Denied, audit.Unreachable:
		p.stop = "cannot be reached"
	default:
		p.silent = 0
	}
}

// webURL words the address of a path. A zone has no place in it.
func webURL(at netip.AddrPort, secure bool, path string) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return scheme + "://" + netip.AddrPortFrom(at.Addr().WithZone(""), at.Port()).String() + path
}

// ownTLS is the TLS port that a redirect leads to where it leads to the same device, and 0 otherwise.
func ownTLS(r *Reply, at netip.AddrPort) uint16 {
	u, err := url.Parse(r.Location)
	if err != nil || r.Code < 300 || r.Code > 399 || u.Scheme != "https" {
		return 0
	}
	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || host.Unmap().WithZone("") != at.Addr().Unmap().WithZone("") {
		return 0
	}
	if u.Port() == "" {
		return 443
	}
	p, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(p)
}

// keep records an exchange and notes it with the reply. err is why no complete answer came, of a run with the context.
func (r *Reply) keep(run context.Context, env Env, x evidence.Exchange, err error, trace *Trace) {
	if err != nil {
		r.fail(run, err, trace.Connected())
		x.Note = "no complete answer: " + r.Detail
	}
	env.Exchanged(x.Endpoint.Port(), x.URI, trace.End(err, r.Status))
	if id := env.Evidence.Record(x); id != "" {
		r.Evidence = []string{id}
	}
}
