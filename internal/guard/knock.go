package guard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// Answer is what a port did with a connection attempt. The zero value is the cautious one.
type Answer int

// The answers.
const (
	Silent Answer = iota // nothing came in time, or the network says there is no way: the port or the host
	Closed               // refused: a host is there
	Open                 // accepted
)

// Reply is what came of a knock.
type Reply struct {
	Answer Answer
	Took   time.Duration // from the connection attempt to the answer
}

// Knock connects to a port and closes at once, with a reset where the system can, so that nothing is left behind on
// either side. With keep, the connection is kept open for a moment instead, for whoever dials the port next, on systems that can. A port that accepted a connection of ours
// a moment ago is open and is not asked again. timeout is for
// the handshake alone; waiting for the pace and for a connection slot ends with the context only. The error says that it was
// not tried: a DeniedError, the end of the context, or a failure of this machine.
func (d *Device) Knock(ctx context.Context, port uint16, timeout time.Duration, keep bool) (Reply, error) {
	to := netip.AddrPortFrom(d.addr, port)
	if err := d.check("dial", to, audit.PermitDiscover); err != nil {
		return Reply{}, err
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	s := d.g.acquire(d.addr)
	defer d.g.release(s)
	if s.openedSince(port, d.g.now().Add(-freshOpen)) {
		return Reply{Answer: Open}, nil
	}
	var began time.Time
	c, err := d.connect(ctx, s, to, timeout, &began)
	took := time.Since(began)
	keep = keep && canPark
	if err == nil {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
			if keep {
				delayAcknowledgements(t)
			}
		}
		if keep {
			d.park(s, port, c)
		} else {
			d.g.drop(s, c)
		}
		return Reply{Open, took}, nil
	}
	var ne net.Error
	switch {
	case ctx.Err() != nil:
		return Reply{}, ctx.Err()
	case IsDenied(err):
		return Reply{}, err
	case refused(err):
		return Reply{Closed, took}, nil
	case errors.As(err, &ne) && ne.Timeout(), noRoute(err):
		return Reply{Silent, took}, nil
	}
	return Reply{}, err
}

// freshOpen is how long a port that accepted a connection counts as open without being asked again.
const freshOpen = 5 * time.Second

func (s *state) openedSince(port uint16, t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.opened[port]
	return ok && at.After(t)
}

// drop closes a connection nobody used and gives its slot back.
func (g *Guard) drop(s *state, c net.Conn) {
	_ = c.Close()
	g.owe(s, 1)
	<-s.slots
}

// parkFor is how long a knock's connection waits for somebody to use it: long enough for a device's turn to come, short enough
// that no server's idle limit is spent on it.
const parkFor = 1500 * time.Millisecond

// parked is a connection that was opened by a knock and has not been used.
type parked struct {
	c     net.Conn
	timer *time.Timer
}

// park keeps a connection for the next who dials the port. It holds its slot until then; whoever needs the slot takes it.
func (d *Device) park(s *state, port uint16, c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parked[port] != nil {
		go d.g.drop(s, c)
		return
	}
	if s.parked == nil {
		s.parked = map[uint16]*parked{}
	}
	d.g.retain(s)
	s.parked[port] = &parked{c, time.AfterFunc(parkFor, func() {
		if p := s.take(port, c); p != nil {
			d.g.drop(s, p)
			d.g.release(s)
		}
	})}
}

// take takes a parked connection: the one given, or whichever waits at the port where it is nil. The slot and the reference to
// the state go with it.
func (s *state) take(port uint16, c net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parked[port]
	if p == nil || c != nil && p.c != c {
		return nil
	}
	p.timer.Stop()
	delete(s.parked, port)
	return p.c
}

// unpark closes every connection that waits.
func (g *Guard) unpark(s *state) {
	s.mu.Lock()
	ports := make([]uint16, 0, len(s.parked))
	for p := range s.parked {
		ports = append(ports, p)
	}
	s.mu.Unlock()
	for _, p := range ports {
		if c := s.take(p, nil); c != nil {
			g.drop(s, c)
			g.release(s)
		}
	}
}

// Windows has its own numbers for these errors, which the portable names do not match.
const (
	wsaENETUNREACH  = 10051
	wsaECONNREFUSED = 10061
	wsaEHOSTUNREACH = 10065
)

func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || windowsError(err, wsaECONNREFUSED)
}

func noRoute(err error) bool {
	return errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.ETIMEDOUT) ||
		errors.Is(err, syscall.EHOSTDOWN) || errors.Is(err, syscall.EACCES) || // a prohibiting route
		windowsError(err, wsaEHOSTUNREACH) || windowsError(err, wsaENETUNREACH)
}

func windowsError(err error, number syscall.Errno) bool {
	var e syscall.Errno
	return runtime.GOOS == "windows" && errors.As(err, &e) && e == number
}
