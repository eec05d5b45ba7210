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

// Knock connects to a port and closes at once, with a reset where the system can, so that nothing is left behind on
// either side. timeout is for the handshake alone; waiting for the pace and for a connection slot ends with the context
// only. The error says that it was not tried: a DeniedError, the end of the context, or a failure of this machine.
func (d *Device) Knock(ctx context.Context, port uint16, timeout time.Duration) (Answer, error) {
	to := netip.AddrPortFrom(d.addr, port)
	if err := d.check("dial", to, audit.PermitDiscover); err != nil {
		return Silent, err
	}
	s := d.g.acquire(d.addr)
	defer d.g.release(s)
	c, err := d.connect(ctx, s, to, timeout)
	if err == nil {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
		d.g.owe(s, 1)
		<-s.slots
		return Open, nil
	}
	var ne net.Error
	switch {
	case ctx.Err() != nil:
		return Silent, ctx.Err()
	case IsDenied(err):
		return Silent, err
	case refused(err):
		return Closed, nil
	case errors.As(err, &ne) && ne.Timeout(), noRoute(err):
		return Silent, nil
	}
	return Silent, err
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
