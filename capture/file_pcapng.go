package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"github.com/google/gopacket/layers"
)

// Blocks of pcapng. All others are passed over.
const (
	ngInterface  = 1
	ngPacket     = 2 // obsolete
	ngSimple     = 3
	ngStatistics = 5
	ngEnhanced   = 6
	ngSection    = 0x0A0D0D0A
)

const (
	ngOrder      = 0x1A2B3C4D
	ngHead       = 28      // of a packet's block, up to the packet
	ngInterfaces = 1 << 16 // of a section
)

// pcapngReader reads pcapng.
type pcapngReader struct {
	w    *window
	big  bool
	left int64  // what was not read yet of the block that came last
	size uint32 // of it, as it said itself; its last four bytes have to say it again
	last time.Time

	faces []ngFace // interfaces of the section
	info  Info     // of all sections
	past  ngCount  // of the sections before
}

// ngFace is one interface.
type ngFace struct {
	link    layers.LinkType
	snaplen uint32
	unit    ngUnit
	offset  int64 // seconds
	count   ngCount
}

// ngCount is what an interface received and lost; every statistics block counts from the beginning.
type ngCount struct{ received, dropped int64 }

// ngUnit is the resolution of an interface's time stamps: so many units to the second.
type ngUnit struct {
	perSecond uint64 // 0: 1<<shift
	shift     uint8
}

// newPcapng reads the first section's header.
func newPcapng(w *window) (format, error) {
	r := &pcapngReader{w: w}
	_, total, err := r.block()
	if err != nil {
		return nil, err
	}
	return r, r.section(total)
}

func (r *pcapngReader) next() (Packet, error) {
	for {
		if err := r.finish(); err != nil {
			return Packet{}, err
		}
		kind, total, err := r.block()
		if err != nil {
			return Packet{}, err
		}
		switch kind {
		case ngEnhanced, ngPacket:
			return r.packet(kind, total)
		case ngSimple:
			return r.simple(total)
		case ngSection:
			err = r.section(total)
		case ngInterface:
			err = r.face(total)
		case ngStatistics:
			err = r.statistics(total)
		default:
			r.left = total
		}
		if err != nil {
			return Packet{}, err
		}
	}
}

// finish passes over what is left of the block that came last.
func (r *pcapngReader) finish() error {
	if r.left == 0 {
		return nil
	}
	if !r.w.discard(r.left - 4) {
		return r.w.cut()
	}
	b := r.w.need(4)
	if len(b) < 4 {
		return r.w.cut()
	}
	if again := r.u32(b); again != r.size {
		return fmt.Errorf("%w: a block of %d bytes that ends as one of %d", ErrCorrupt, r.size, again)
	}
	r.w.skip(4)
	r.left = 0
	return nil
}

// block returns the type and the length of the block that comes, without skipping any of it; io.EOF where none comes.
func (r *pcapngReader) block() (kind uint32, total int64, err error) {
	const least = 12
	b := r.w.need(least)
	if len(b) < least {
		if len(b) == 0 {
			return 0, 0, r.w.ended()
		}
		return 0, 0, r.w.cut()
	}
	kind = r.u32(b)
	if kind == ngSection {
		switch uint32(ngOrder) {
		case binary.LittleEndian.Uint32(b[8:]):
			r.big = false
		case binary.BigEndian.Uint32(b[8:]):
			r.big = true
		default:
			return 0, 0, fmt.Errorf("%w: a section without a byte order", ErrCorrupt)
		}
	}
	r.size = r.u32(b[4:])
	total = (int64(r.size) + 3) &^ 3 // some writers leave out the padding
	if total < least {
		return 0, 0, fmt.Errorf("%w: a block of %d bytes", ErrCorrupt, total)
	}
	return kind, total, nil
}

// packet reads a block that begins with interface, time stamp and lengths. The older form has a count where the newer has the upper half of the interface.
func (r *pcapngReader) packet(kind uint32, total int64) (Packet, error) {
	b := r.w.need(int(min(total, windowMost)))
	if total < ngHead+4 {
		return Packet{}, fmt.Errorf("%w: a block of %d bytes", ErrCorrupt, total)
	}
	if len(b) < ngHead {
		return Packet{}, r.w.cut()
	}
	id := r.u32(b[8:])
	if kind == ngPacket {
		id = uint32(r.u16(b[8:]))
	}
	have, length := int64(r.u32(b[20:])), int64(r.u32(b[24:]))
	if have > packetMost || have > total-ngHead-4 || length > 1<<30 {
		return Packet{}, fmt.Errorf("%w: it claims %d bytes of %d in a block of %d", ErrCorrupt, have, length, total)
	}
	if int64(len(b)) < min(total, ngHead+have) {
		return Packet{}, r.w.cut()
	}
	if int64(id) >= int64(len(r.faces)) {
		return Packet{}, fmt.Errorf("%w: interface %d of %d", ErrCorrupt, id, len(r.faces))
	}
	f := &r.faces[id]
	r.last = f.time(uint64(r.u32(b[12:]))<<32 | uint64(r.u32(b[16:])))
	end := int(ngHead + have)
	r.w.skip(end)
	r.left = total - int64(end)
	return Packet{Data: b[ngHead:end:end], At: r.last, Length: int(max(have, length)), Link: f.link}, nil
}

// simple reads a block that has no time stamp: the packet takes that of the one before.
func (r *pcapngReader) simple(total int64) (Packet, error) {
	const head = 12
	if total < head+4 || len(r.faces) == 0 {
		return Packet{}, fmt.Errorf("%w: a block of %d bytes for %d interfaces", ErrCorrupt, total, len(r.faces))
	}
	f := &r.faces[0]
	b := r.w.need(int(min(total, windowMost)))
	length := int64(r.u32(b[8:]))
	have := min(length, total-head-4)
	if f.snaplen > 0 {
		have = min(have, int64(f.snaplen))
	}
	if have > packetMost || length > 1<<30 {
		return Packet{}, fmt.Errorf("%w: it claims %d bytes of %d", ErrCorrupt, have, length)
	}
	if int64(len(b)) < head+have {
		return Packet{}, r.w.cut()
	}
	end := int(head + have)
	r.w.skip(end)
	r.left = total - int64(end)
	return Packet{Data: b[head:end:end], At: r.last, Length: int(length), Link: f.link}, nil
}

// section reads a section's header: the interfaces that were known are no longer.
func (r *pcapngReader) section(total int64) error {
	const head = 24
	if total < head+4 {
		return fmt.Errorf("%w: a section header of %d bytes", ErrCorrupt, total)
	}
	b := r.w.need(head)
	if len(b) < head {
		return r.w.cut()
	}
	if major := r.u16(b[12:]); major != 1 {
		return fmt.Errorf("%w: version %d of pcapng", ErrFormat, major)
	}
	r.past.received, r.past.dropped = r.losses()
	r.faces = r.faces[:0]
	r.left = total
	return nil
}

// face reads the description of an interface.
func (r *pcapngReader) face(total int64) error {
	const head = 16
	b, err := r.whole(head, total)
	if err != nil {
		return err
	}
	if len(r.faces) >= ngInterfaces {
		return fmt.Errorf("%w: more than %d interfaces", ErrCorrupt, ngInterfaces)
	}
	number := uint32(r.u16(b[8:]))
	f := ngFace{snaplen: r.u32(b[12:]), unit: ngUnit{perSecond: 1e6}}
	f.link, _ = linkOf(number)
	r.info.addLink(number)
	r.info.addSnaplen(f.snaplen)
	bad := false
	r.options(b[head:], func(code uint16, v []byte) {
		switch {
		case code == 9 && len(v) >= 1:
			var ok bool
			f.unit, ok = unitOf(v[0])
			bad = bad || !ok
		case code == 14 && len(v) >= 8:
			f.offset = int64(r.u64(v))
		}
	})
	if bad {
		return fmt.Errorf("%w: an interface with an impossible resolution of time", ErrCorrupt)
	}
	r.faces = append(r.faces, f)
	return nil
}

// statistics reads what an interface received and dropped.
func (r *pcapngReader) statistics(total int64) error {
	const head = 20
	b, err := r.whole(head, total)
	if err != nil {
		return err
	}
	id := r.u32(b[8:])
	if int64(id) >= int64(len(r.faces)) {
		return nil // of no use, and no reason to give up
	}
	c := &r.faces[id].count
	var inInterface, inSystem int64
	r.options(b[head:], func(code uint16, v []byte) {
		if len(v) < 8 {
			return
		}
		n := int64(min(r.u64(v), 1<<53))
		switch code {
		case 4:
			c.received = n
		case 5:
			inInterface = n
		case 7:
			inSystem = n
		}
	})
	c.dropped = max(c.dropped, inInterface+inSystem)
	return nil
}

// whole returns a block that holds at least head bytes, without its last four, as far as it fits into a window, and lets it be skipped.
func (r *pcapngReader) whole(head, total int64) ([]byte, error) {
	if total < head+4 {
		return nil, fmt.Errorf("%w: a block of %d bytes", ErrCorrupt, total)
	}
	n := int(min(total, windowMost))
	b := r.w.need(n)
	if len(b) < n {
		return nil, r.w.cut()
	}
	r.left = total
	return b[:n-4], nil
}

// options calls do for each option of a block, up to the first that lies about its length.
func (r *pcapngReader) options(b []byte, do func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := r.u16(b), int(r.u16(b[2:]))
		b = b[4:]
		if code == 0 || n > len(b) {
			return
		}
		do(code, b[:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// unitOf reads a resolution: a negative power of ten, or of two. It returns false where a time stamp cannot hold it.
func unitOf(b uint8) (ngUnit, bool) {
	if b&0x80 != 0 {
		return ngUnit{shift: b & 0x7f}, b&0x7f < 64
	}
	if b > 19 {
		return ngUnit{}, false
	}
	u := ngUnit{perSecond: 1}
	for range b {
		u.perSecond *= 10
	}
	return u, true
}

// time returns what a time stamp means.
func (f *ngFace) time(t uint64) time.Time {
	u := f.unit
	if u.perSecond == 1e6 && f.offset == 0 {
		return time.Unix(int64(t/1e6), int64(t%1e6)*1000).UTC()
	}
	per := u.perSecond
	if per == 0 {
		per = 1 << u.shift
	}
	sec, rest := t/per, t%per
	h, l := bits.Mul64(rest, 1e9)
	nano, _ := bits.Div64(h, l, per)
	return time.Unix(int64(sec)+f.offset, int64(nano)).UTC()
}

func (r *pcapngReader) describe(i *Info) { i.Links, i.Snaplen = r.info.Links, r.info.Snaplen }

func (r *pcapngReader) losses() (received, dropped int64) {
	received, dropped = r.past.received, r.past.dropped
	for i := range r.faces {
		received += r.faces[i].count.received
		dropped += r.faces[i].count.dropped
	}
	return received, dropped
}

func (r *pcapngReader) u16(b []byte) uint16 {
	if r.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (r *pcapngReader) u32(b []byte) uint32 {
	if r.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (r *pcapngReader) u64(b []byte) uint64 {
	if r.big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}
