package guard

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const linkBuffer = 4 << 20 // the answers of a whole network arrive within our own send calls

// packetSocket is an AF_PACKET socket for ARP on one interface.
type packetSocket struct {
	f    *os.File
	done sync.WaitGroup
}

func openLinkWire(index int, frame func([]byte)) (linkWire, error) {
	proto := uint16(unix.ETH_P_ARP)
	proto = proto<<8 | proto>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, ErrNoRight
	}
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	// What we send ourselves is no answer; older kernels let it in, and parseARP's caller knows our own address.
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, linkBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, linkBuffer)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: index}); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	s := &packetSocket{f: os.NewFile(uintptr(fd), "arp")}
	s.done.Go(func() {
		b := make([]byte, 2048)
		for {
			n, err := s.f.Read(b)
			switch {
			case err == nil:
				frame(b[:n])
			case errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.EINTR):
				// The link may come back; what was asked meanwhile is asked again.
			default:
				return
			}
		}
	})
	return s, nil
}

// send waits a little where the driver's queue is full.
func (s *packetSocket) send(b []byte) error {
	for tries := 0; ; tries++ {
		_, err := s.f.Write(b)
		if !errors.Is(err, unix.ENOBUFS) || tries >= 100 {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (s *packetSocket) dropped() int {
	c, err := s.f.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	_ = c.Control(func(fd uintptr) {
		if st, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			n = int(st.Drops)
		}
	})
	return n
}

func (s *packetSocket) close() {
	_ = s.f.Close()
	s.done.Wait()
}
