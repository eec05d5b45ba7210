package guard

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Fields and states of a neighbour message, as in linux/neighbour.h.
const (
	ndmsgLen   = 12
	ndaDst     = 1
	ndaLLAddr  = 2
	nudUnknown = 0x01 | 0x20 // INCOMPLETE, FAILED
	nudNoARP   = 0x40
)

// readNeighbours asks the kernel over netlink, which sends nothing. It returns an empty table if that fails.
func readNeighbours() map[netip.Addr]Neighbour {
	out := map[netip.Addr]Neighbour{}
	b, err := syscall.NetlinkRIB(syscall.RTM_GETNEIGH, syscall.AF_UNSPEC)
	if err != nil {
		return out
	}
	msgs, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return out
	}
	for _, m := range msgs {
		if m.Header.Type == syscall.RTM_NEWNEIGH && len(m.Data) >= ndmsgLen {
			readNeighbour(m.Data, out)
		}
	}
	return out
}

func readNeighbour(b []byte, out map[netip.Addr]Neighbour) {
	state := binary.NativeEndian.Uint16(b[8:])
	var n Neighbour
	var addr netip.Addr
	for b = b[ndmsgLen:]; len(b) >= 4; {
		l := int(binary.NativeEndian.Uint16(b))
		if l < 4 || l > len(b) {
			return
		}
		switch v := b[4:l]; binary.NativeEndian.Uint16(b[2:]) {
		case ndaDst:
			addr, _ = netip.AddrFromSlice(v)
		case ndaLLAddr:
			if len(v) == 6 {
				n.MAC = net.HardwareAddr(v).String()
			}
		}
		b = b[min(len(b), (l+3)&^3):]
	}
	if !addr.IsValid() || state&nudNoARP != 0 || state == 0 {
		return
	}
	if n.Resolved = state&nudUnknown == 0; !n.Resolved {
		n.MAC = ""
	}
	out[normal(addr)] = n
}

// neighbourLimit is net.ipv4.neigh.default.gc_thresh3, which counts the entries of all network namespaces; 1024 is its default.
func neighbourLimit() int {
	b, err := os.ReadFile("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
	if err != nil {
		return 1024
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 64 {
		return 1024
	}
	return min(n, 4096)
}
