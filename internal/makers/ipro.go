package makers

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Ports of i-PRO's search (before it: Panasonic's): devices listen on the first and answer to the second.
const (
	IPROPort   = 10670
	IPROAnswer = 10669
)

const iproHeader = 48 // then tags, each with a length and a value

// Tags of an answer.
const (
	iproAddr     = 0x20
	iproHTTPPort = 0x25
	iproFullName = 0xa7
	iproModel    = 0xa8
)

// NewIPRO returns the question from an asker, who is named in it. The checksum is the sum of the bytes before it and one, as in
// packets of the maker's own tool.
func NewIPRO(own [6]byte, addr netip.Addr) []byte {
	b := []byte("\x00\x01\x00\x00\x00\x0d\x00\x00\x00\x00\x00\x00")
	b = append(b, own[:]...)
	a := addr.Unmap()
	if !a.Is4() {
		a = netip.IPv4Unspecified()
	}
	b = append(b, a.AsSlice()...)
	b = append(b, "\x00\x01\x20\x11\x1e\x11\x23\x1f\x1e\x19\x13\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"...)
	return binary.BigEndian.AppendUint16(b, iproSum(b))
}

func iproSum(b []byte) uint16 {
	sum := uint16(1)
	for _, c := range b {
		sum += uint16(c)
	}
	return sum
}

// ParseIPRO reads an answer. Where its tags begin is not the same in all of them, so the place that yields most is taken.
func ParseIPRO(b []byte) (Device, error) {
	switch {
	case len(b) < iproHeader+4 || len(b) > maxDatagram || b[0] != 0 || b[1] != 1:
		return Device{}, malformed("i-pro", "no answer")
	case len(b) == 52 && bytes.Equal(b[22:50], NewIPRO([6]byte{}, netip.Addr{})[22:50]):
		return Device{}, question("i-pro")
	}
	var best map[uint16][]byte
	for at := iproHeader - 2; at <= iproHeader+8; at++ {
		if tags := iproTags(b[min(at, len(b)):]); known(tags) > known(best) {
			best = tags
		}
	}
	if known(best) == 0 {
		return Device{}, malformed("i-pro", "no tags")
	}
	d := Device{MAC: mac.Bytes(b[6:12]), Model: text(best[iproModel]), Name: text(best[iproFullName])}
	if d.Model == "" {
		d.Model, d.Name = d.Name, ""
	}
	if v := best[iproAddr]; len(v) >= 4 {
		d.IPv4 = host(v[:4])
	}
	if v := best[iproHTTPPort]; len(v) == 2 {
		d.HTTPPort = binary.BigEndian.Uint16(v)
	}
	return d.checked("i-pro")
}

// iproTags reads tags with lengths until one does not fit; the first of equal tags stands.
func iproTags(b []byte) map[uint16][]byte {
	out := map[uint16][]byte{}
	for len(b) >= 4 {
		tag, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if tag == 0xffff || len(b) < 4+n {
			break
		}
		if _, ok := out[tag]; !ok {
			out[tag] = b[4 : 4+n]
		}
		b = b[4+n:]
	}
	return out
}

// known counts the tags we know with values that fit them.
func known(tags map[uint16][]byte) int {
	n := 0
	for tag, fits := range map[uint16]func(int) bool{
		iproAddr:     func(n int) bool { return n >= 4 && n <= 16 },
		0x21:         func(n int) bool { return n == 4 },
		0x22:         func(n int) bool { return n == 4 },
		iproHTTPPort: func(n int) bool { return n == 2 },
		0x40:         func(n int) bool { return n >= 16 },
		iproFullName: func(n int) bool { return n > 0 },
		iproModel:    func(n int) bool { return n > 0 },
	} {
		if v, ok := tags[tag]; ok && fits(len(v)) {
			n++
		}
	}
	return n
}
