package netlab

import (
	"fmt"
	"unsafe"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ownQueue gives the receiving side of a virtual wire a queue of its own, by switching on GRO, which makes the driver poll.
// Without it all wires of the machine share a queue of a thousand frames (net.core.netdev_max_backlog), which four multicast
// questions to 253 hosts overflow: no switch loses frames like that.
func ownQueue(ns netns.NsHandle, name string) error {
	return inside(ns, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		value := struct{ command, on uint32 }{unix.ETHTOOL_SGRO, 1}
		request := struct {
			name [unix.IFNAMSIZ]byte
			data unsafe.Pointer
			_    [16]byte
		}{data: unsafe.Pointer(&value)}
		copy(request.name[:unix.IFNAMSIZ-1], name)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
			return fmt.Errorf("netlab: a queue for %s: %w", name, errno)
		}
		return nil
	})
}
