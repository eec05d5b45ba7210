package guard

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// namesInterface says that a datagram can name the interface it leaves by.
const namesInterface = true

// enlarge asks for a buffer that holds a burst; root gets it whatever net.core.rmem_max says, others what that allows.
func enlarge(c *net.UDPConn) {
	_ = c.SetReadBuffer(udpBuffer)
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, udpBuffer)
		})
	}
}

// answerAddr is what a port for answers is bound to: Linux and macOS hand broadcasts to wildcard sockets only.
func answerAddr(netip.Addr) netip.Addr { return netip.IPv4Unspecified() }

// shared prepares a port for answers: others may listen there too, and only what comes by the interface is ours. Without
// binding to the device, answers to two of our sockets on two interfaces would go to either. SO_REUSEPORT is not wanted:
// it would split the answers between two programs that both set it.
func shared(_ int, name string) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			_ = unix.BindToDevice(int(fd), name) // before Linux 5.7 only root may; the control message tells then
		})
		if err != nil {
			return err
		}
		return failed
	}
}
