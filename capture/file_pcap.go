package capture

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/gopacket/layers"
)

// pcapReader reads the classic format.
type pcapReader struct {
	w       *window
	order   binary.ByteOrder
	big     bool
	scale   int64 // nanoseconds per unit of a time stamp's fraction
	link    layers.LinkType
	number  uint32
	snaplen uint32
}

// pcapMagic tells the byte order and the resolution by a file's first four bytes.
func pcapMagic(b []byte) (order binary.ByteOrder, nano, ok bool) {
	switch string(b[:4]) {
	case "\xd4\xc3\xb2\xa1":
		return binary.LittleEndian, false, true
	case "\x4d\x3c\xb2\xa1":
		return binary.LittleEndian, true, true
	case "\xa1\xb2\xc3\xd4":
		return binary.BigEndian, false, true
	case "\xa1\xb2\x3c\x4d":
		return binary.BigEndian, true, true
	}
	return nil, false, false
}

// newPcap reads the file's header.
func newPcap(w *window, order binary.ByteOrder, nano bool) (format, error) {
	const size = 24
	b := w.need(size)
	if len(b) < size {
		return nil, w.cut()
	}
	if major := order.Uint16(b[4:]); major != 2 {
		return nil, fmt.Errorf("%w: version %d of pcap", ErrFormat, major)
	}
	r := &pcapReader{w: w, order: order, big: order == binary.ByteOrder(binary.BigEndian), scale: 1000, snaplen: order.Uint32(b[16:])}
	if nano {
		r.scale = 1
	}
	r.number = order.Uint32(b[20:]) & 0x03ffffff // above: whether frames end with their checksum
	r.link, _ = linkOf(r.number)
	w.skip(size)
	return r, nil
}

func (r *pcapReader) next() (Packet, error) {
	const size = 16
	b := r.w.need(size)
	if len(b) < size {
		if len(b) == 0 {
			return Packet{}, r.w.ended()
		}
		return Packet{}, r.w.cut()
	}
	sec, frac, have, length := r.u32(b), r.u32(b[4:]), r.u32(b[8:]), r.u32(b[12:])
	if have > packetMost || length > 1<<30 {
		return Packet{}, fmt.Errorf("%w: it claims %d bytes of %d", ErrCorrupt, have, length)
	}
	end := size + int(have)
	if b = r.w.need(end); len(b) < end {
		return Packet{}, r.w.cut()
	}
	r.w.skip(end)
	return Packet{Data: b[size:end:end], At: time.Unix(int64(sec), int64(frac)*r.scale).UTC(), Length: max(int(have), int(length)), Link: r.link}, nil
}

// u32 is order.Uint32 without the call.
func (r *pcapReader) u32(b []byte) uint32 {
	if r.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (r *pcapReader) describe(i *Info) {
	i.addLink(r.number)
	i.addSnaplen(r.snaplen)
}

func (r *pcapReader) losses() (received, dropped int64) { return 0, 0 }
