package probe

import (
	"context"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/mingshi-audit/mingshi/audit"
)

// Trace notes how far an HTTP exchange got. Its zero value is ready; the transport goes on noting in its own goroutine when the
// exchange has ended.
type Trace struct{ connected, answered atomic.Bool }

// Into returns a context whose exchanges are noted.
func (t *Trace) Into(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
		TLSHandshakeStart: func() { t.connected.Store(true) }, GotFirstResponseByte: func() { t.answered.Store(true) }})
}

// Connected reports that the device accepted a connection, which tells a silent service from a dead address.
func (t *Trace) Connected() bool { return t.connected.Load() }

// Ending is what an exchange says of a port, whatever was asked.
type Ending int

// Endings of an exchange.
const (
	SaysNothing Ending = iota // it was not sent, was cut short by us, or the device closed the connection
	Answered                  // at least one byte came back
	Silence                   // nothing came back in the time there was, or nothing is there
)

// End sums up an exchange that ended with the error and the status.
func (t *Trace) End(err error, s audit.Status) Ending {
	switch {
	case err == nil, t.answered.Load():
		return Answered
	case s == audit.Timeout, s == audit.Unreachable:
		return Silence
	}
	return SaysNothing
}

// enough is how many services of one port must have been silent before the port is called silent. One may hang while the server in
// front of it answers everything else.
const enough = 2

// silence is what is known of how one port answers over HTTP.
type silence struct {
	answered bool
	services map[string]bool // that answered nothing, by the first part of the path
}

// Exchanged remembers how an HTTP exchange with a port of the device ended. Silence in a brief run is not remembered: who waits so
// little has not shown that nothing would come.
func (e Env) Exchanged(port uint16, uri string, how Ending) {
	if !e.Brief || how == Answered {
		e.Done.exchanged(port, uri, how)
	}
}

func (d *Done) exchanged(port uint16, uri string, e Ending) {
	if d == nil || e == SaysNothing {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.quiet[port]
	if s == nil {
		if len(d.quiet) >= maxKnown {
			return
		}
		if d.quiet == nil {
			d.quiet = map[uint16]*silence{}
		}
		s = &silence{services: map[string]bool{}}
		d.quiet[port] = s
	}
	if s.answered = s.answered || e == Answered; !s.answered && len(s.services) < enough {
		s.services[service(uri)] = true
	}
}

// service is the first part of a URL's path: what is behind it is usually one program.
func service(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return first
}

// Silent reports whether a port has never sent a byte over HTTP in this run, and let two different services be asked in vain:
// whoever asks it another question would only wait. A port that answered anything, however late, is not silent.
func (d *Done) Silent(port uint16) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.quiet[port]
	return s != nil && !s.answered && len(s.services) >= enough
}
