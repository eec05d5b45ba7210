package guard

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/windows"
)

// namesInterface says that a datagram can name the interface it leaves by. Here it goes by the address it is sent from.
const namesInterface = false

func enlarge(c *net.UDPConn) {
	_ = c.SetReadBuffer(udpBuffer) // the system gives what it likes
}

// answerAddr is what a port for answers is bound to. Windows hands broadcasts to a socket bound to the address of the
// interface they came by, and does not say by which one they came to any other.
func answerAddr(src netip.Addr) netip.Addr { return src }

// shared prepares a port for answers that others may listen on too.
func shared(int, string) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}
}
