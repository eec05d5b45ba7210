package guard

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// message builds the data of an RTM_NEWNEIGH message.
func message(state uint16, attrs ...[]byte) []byte {
	b := make([]byte, ndmsgLen)
	binary.NativeEndian.PutUint16(b[8:], state)
	for _, a := range attrs {
		b = append(b, a...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func attr(kind uint16, v []byte) []byte {
	b := make([]byte, 4, 4+len(v))
	binary.NativeEndian.PutUint16(b, uint16(4+len(v)))
	binary.NativeEndian.PutUint16(b[2:], kind)
	return append(b, v...)
}

func TestReadNeighbour(t *testing.T) {
	mac := []byte{0x00, 0x40, 0x8c, 0x12, 0x34, 0x56}
	v4 := netip.MustParseAddr("192.0.2.7")
	for _, tt := range []struct {
		name string
		in   []byte
		addr netip.Addr
		want Neighbour
		ok   bool
	}{
		{"reachable", message(0x02, attr(ndaDst, v4.AsSlice()), attr(ndaLLAddr, mac)), v4, Neighbour{"00:40:8c:12:34:56", true}, true},
		{"incomplete", message(0x01, attr(ndaDst, v4.AsSlice())), v4, Neighbour{}, true},
		{"failed, with what it was", message(0x20, attr(ndaLLAddr, mac), attr(ndaDst, v4.AsSlice())), v4, Neighbour{}, true},
		{"no ARP needed", message(0x40, attr(ndaDst, v4.AsSlice()), attr(ndaLLAddr, mac)), v4, Neighbour{}, false},
		{"no address", message(0x02, attr(ndaLLAddr, mac)), v4, Neighbour{}, false},
		{"cut", message(0x02, attr(ndaDst, v4.AsSlice()))[:14], v4, Neighbour{}, false},
		{"length that lies", message(0x02, []byte{0xff, 0xff, 1, 0, 1, 2, 3, 4}), v4, Neighbour{}, false},
	} {
		out := map[netip.Addr]Neighbour{}
		readNeighbour(tt.in, out)
		if got, ok := out[tt.addr]; got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
	}
}

func FuzzReadNeighbour(f *testing.F) {
	f.Add(message(0x02, attr(ndaDst, []byte{192, 0, 2, 7})))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) >= ndmsgLen {
			readNeighbour(b, map[netip.Addr]Neighbour{})
		}
	})
}
