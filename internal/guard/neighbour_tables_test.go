package guard

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// row is one of GetIpNetTable2's, as netioapi.h lays it out.
func row(family uint16, addr []byte, mac []byte, state uint32) []byte {
	b := make([]byte, ipnetRow)
	binary.LittleEndian.PutUint16(b, family)
	if family == 2 {
		copy(b[4:], addr)
	} else {
		copy(b[8:], addr)
	}
	copy(b[ipnetPhysical:], mac)
	binary.LittleEndian.PutUint32(b[ipnetLength:], uint32(len(mac)))
	binary.LittleEndian.PutUint32(b[ipnetState:], state)
	return b
}

func TestWindowsNeighbours(t *testing.T) {
	mac := []byte{0x00, 0x40, 0x8c, 0x12, 0x34, 0x56}
	four, six := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")
	known := Neighbour{"00:40:8c:12:34:56", true}
	for _, c := range []struct {
		name string
		row  []byte
		addr netip.Addr
		want Neighbour
		ok   bool
	}{
		{"reachable", row(2, four.AsSlice(), mac, 5), four, known, true},
		{"stale", row(2, four.AsSlice(), mac, 4), four, known, true},
		{"IPv6", row(23, six.AsSlice(), mac, 5), six, known, true},
		{"incomplete", row(2, four.AsSlice(), nil, 1), four, Neighbour{}, true},
		{"unreachable, with what it was", row(2, four.AsSlice(), mac, 0), four, Neighbour{}, true},
		{"a group", row(2, []byte{224, 0, 0, 251}, mac, 6), netip.Addr{}, Neighbour{}, false},
		{"broadcast", row(2, []byte{255, 255, 255, 255}, mac, 6), netip.Addr{}, Neighbour{}, false},
		{"no family", row(0, nil, mac, 5), netip.Addr{}, Neighbour{}, false},
		{"cut", row(2, four.AsSlice(), mac, 5)[:80], netip.Addr{}, Neighbour{}, false},
	} {
		if a, n, ok := parseIPNetRow(c.row); ok != c.ok || ok && (a != c.addr || n != c.want) {
			t.Errorf("%s: %s %+v %v", c.name, a, n, ok)
		}
	}
}

// routeMessage is one of macOS's with a destination and a link-layer gateway.
func routeMessage(family byte, addr, mac []byte) []byte {
	var dst []byte
	if family == afInetBSD {
		dst = append([]byte{16, family, 0, 0}, addr...)
		dst = append(dst, make([]byte, 8)...)
	} else {
		dst = append([]byte{28, family, 0, 0, 0, 0, 0, 0}, addr...)
		dst = append(dst, 0, 0, 0, 0)
	}
	link := append([]byte{20, afLinkBSD, 4, 0, 6, 3, byte(len(mac)), 0}, append([]byte("en0"), mac...)...)
	link = append(link, make([]byte, 20-len(link))...)
	b := make([]byte, rtHead, rtHead+len(dst)+len(link))
	b[2] = rtVersionBSD
	binary.LittleEndian.PutUint32(b[rtAddrsAt:], rtaDst|rtaGateway)
	b = append(append(b, dst...), link...)
	binary.LittleEndian.PutUint16(b, uint16(len(b)))
	return b
}

func TestMacNeighbours(t *testing.T) {
	mac := []byte{0x00, 0x40, 0x8c, 0x12, 0x34, 0x56}
	four, gone, six := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("198.51.100.8"), netip.MustParseAddr("fe80::7")
	scoped := six.As16()
	scoped[3] = 4
	rib := append(routeMessage(afInetBSD, four.AsSlice(), mac), routeMessage(afInetBSD, gone.AsSlice(), nil)...)
	rib = append(rib, routeMessage(afInetBSD, []byte{224, 0, 0, 251}, mac)...)
	rib = append(rib, routeMessage(afInet6BSD, scoped[:], mac)...)
	got := parseRouteRIB(append(rib, 1, 2, 3))
	want := map[netip.Addr]Neighbour{four: {"00:40:8c:12:34:56", true}, gone: {}, six: {"00:40:8c:12:34:56", true}}
	if len(got) != len(want) {
		t.Errorf("%+v", got)
	}
	for a, n := range want {
		if got[a] != n {
			t.Errorf("%s: %+v, want %+v", a, got[a], n)
		}
	}
}

func FuzzNeighbourTables(f *testing.F) {
	f.Add(routeMessage(afInetBSD, []byte{198, 51, 100, 7}, []byte{1, 2, 3, 4, 5, 6}))
	f.Add(row(23, make([]byte, 16), []byte{1, 2, 3, 4, 5, 6}, 5))
	f.Fuzz(func(_ *testing.T, b []byte) {
		parseRouteRIB(b)
		parseIPNetRow(b)
	})
}
