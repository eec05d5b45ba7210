package guard

import (
	"net"

	"golang.org/x/sys/unix"
)

// canPark says that this system shows whether the other side has closed a connection that waits.
const canPark = true

// delayAcknowledgements lets acknowledgements travel with what is sent next, where the kernel would send them at once at the
// beginning of a connection: one packet fewer for a device for every answer.
func delayAcknowledgements(c *net.TCPConn) {
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) })
	}
}

// untouched reports whether the other side has neither closed the connection nor said anything: what greets its visitors is
// better met anew.
func untouched(c net.Conn) bool {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	_ = raw.Control(func(fd uintptr) {
		_, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		quiet = err == unix.EAGAIN
	})
	return quiet
}
