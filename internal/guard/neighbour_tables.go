package guard

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// The tables of other systems are read from plain bytes, so that reading them is tested everywhere.

// Layout of MIB_IPNET_ROW2 (netioapi.h), the same on all 64-bit and 32-bit Windows.
const (
	ipnetRow       = 88
	ipnetTableHead = 8 // the number of rows, and padding
	ipnetPhysical  = 40
	ipnetLength    = 72
	ipnetState     = 76
)

// The state of a row from which on there is, or was, an answer: NlnsProbe.
const ipnetProbe = 2

// parseIPNetRow reads one row of GetIpNetTable2.
func parseIPNetRow(b []byte) (netip.Addr, Neighbour, bool) {
	if len(b) < ipnetRow {
		return netip.Addr{}, Neighbour{}, false
	}
	var a netip.Addr
	switch binary.LittleEndian.Uint16(b) { // SOCKADDR_INET
	case 2: // AF_INET: port, address
		a = netip.AddrFrom4([4]byte(b[4:8]))
	case 23: // AF_INET6: port, flow, address
		a = netip.AddrFrom16([16]byte(b[8:24]))
	default:
		return netip.Addr{}, Neighbour{}, false
	}
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, Neighbour{}, false
	}
	var n Neighbour
	if state := binary.LittleEndian.Uint32(b[ipnetState:]); state >= ipnetProbe && binary.LittleEndian.Uint32(b[ipnetLength:]) == 6 {
		n = Neighbour{MAC: net.HardwareAddr(b[ipnetPhysical : ipnetPhysical+6]).String(), Resolved: true}
	}
	return normal(a), n, true
}

// Layout of a routing message of macOS (net/route.h) and of the socket addresses behind it.
const (
	rtHead       = 92
	rtAddrsAt    = 12
	afInetBSD    = 2
	afLinkBSD    = 18
	afInet6BSD   = 30
	rtaDst       = 0x1
	rtaGateway   = 0x2
	rtVersionBSD = 5
)

// parseRouteRIB reads the link-layer entries of the routing table of macOS, as sysctl's NET_RT_FLAGS with RTF_LLINFO gives it.
func parseRouteRIB(b []byte) map[netip.Addr]Neighbour {
	out := map[netip.Addr]Neighbour{}
	for len(b) >= rtHead {
		n := int(binary.LittleEndian.Uint16(b))
		if n < rtHead || n > len(b) {
			return out
		}
		if m := b[:n]; m[2] == rtVersionBSD && binary.LittleEndian.Uint32(m[rtAddrsAt:])&(rtaDst|rtaGateway) == rtaDst|rtaGateway {
			readRoute(m[rtHead:], out)
		}
		b = b[n:]
	}
	return out
}

func readRoute(b []byte, out map[netip.Addr]Neighbour) {
	dst, rest, ok := sockaddr(b)
	if !ok {
		return
	}
	gateway, _, ok := sockaddr(rest)
	if !ok || gateway[1] != afLinkBSD || len(gateway) < 8 {
		return
	}
	var a netip.Addr
	switch {
	case dst[1] == afInetBSD && len(dst) >= 8:
		a = netip.AddrFrom4([4]byte(dst[4:8]))
	case dst[1] == afInet6BSD && len(dst) >= 24:
		raw := [16]byte(dst[8:24])
		if raw[0] == 0xfe && raw[1]&0xc0 == 0x80 {
			raw[2], raw[3] = 0, 0 // the kernel keeps the interface's number there
		}
		a = netip.AddrFrom16(raw)
	default:
		return
	}
	if a.IsMulticast() {
		return
	}
	name, alen := int(gateway[5]), int(gateway[6])
	var n Neighbour
	if alen == 6 && len(gateway) >= 8+name+6 {
		mac := net.HardwareAddr(gateway[8+name : 8+name+6])
		if mac.String() == "ff:ff:ff:ff:ff:ff" {
			return
		}
		n = Neighbour{MAC: mac.String(), Resolved: true}
	}
	out[a] = n
}

// sockaddr cuts one socket address off; they are padded to four bytes.
func sockaddr(b []byte) (one, rest []byte, ok bool) {
	if len(b) < 2 || b[0] < 2 || int(b[0]) > len(b) {
		return nil, nil, false
	}
	n := int(b[0])
	return b[:n], b[min(len(b), (n+3)&^3):], true
}
