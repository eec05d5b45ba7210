//go:build unix && !linux

package guard

import (
	"net"
	"net/netip"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// namesInterface says that a datagram can name the interface it leaves by; of these systems only macOS lets it.
const namesInterface = runtime.GOOS == "darwin"

func enlarge(c *net.UDPConn) {
	_ = c.SetReadBuffer(udpBuffer) // the kernel gives what it is allowed to
}

// answerAddr is what a port for answers is bound to: BSD hands broadcasts to wildcard sockets only.
func answerAddr(netip.Addr) netip.Addr { return netip.IPv4Unspecified() }

// boundIf is macOS's IP_BOUND_IF (netinet/in.h): only what comes by the interface is ours.
const boundIf = 25

// shared prepares a port for answers that others may listen on too: BSD wants both options for that.
func shared(index int, _ string) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			if failed == nil {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			}
			if runtime.GOOS == "darwin" {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, boundIf, index)
			}
		})
		if err != nil {
			return err
		}
		return failed
	}
}
