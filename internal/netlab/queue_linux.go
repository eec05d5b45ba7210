package netlab

import (
	"fmt"
	"unsafe"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ownQueue gives the receiving side of a virtual wire a queue of its own. Without it all wires of the machine share a queue of a
// thousand frames (net.core.netdev_max_backlog), which four multicast questions to 253 hosts overflow: no switch loses frames
// like that. It must be called for both ends: the driver polls an end where GRO is on, for frames of another where TSO is off.
func ownQueue(ns netns.NsHandle, name string) error {
	return inside(ns, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := ethtool(fd, name, unix.ETHTOOL_STSO, 0); err != nil {
			return fmt.Errorf("netlab: TSO of %s: %w", name, err)
		}
		if err := ethtool(fd, name, unix.ETHTOOL_SGRO, 1); err != nil {
			return fmt.Errorf("netlab: GRO of %s: %w", name, err)
		}
		return nil
	})
}

// ethtool sets a value of an interface, as the program of that name does.
func ethtool(fd int, name string, command, to uint32) error {
	value := struct{ command, to uint32 }{command, to}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // of a struct ifreq
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
