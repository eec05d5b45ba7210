package capture

import (
	"bytes"
	"container/list"
	"slices"
	"time"
)

// Bounds of the datagrams that are being put together.
const (
	fragmentDatagrams = 1024
	fragmentBytes     = 4 << 20
	fragmentPieces    = 256 // of one datagram: those of 64 KiB over the smallest links are fewer
	fragmentAge       = 30 * time.Second
	fragmentCost      = 128      // bytes a piece costs beside its own
	datagramMost      = 64 << 10 // and no datagram is longer
)

// fragmentKey names the datagram a fragment is of.
type fragmentKey struct {
	src, dst [16]byte
	id       uint32
	proto    uint8 // IPv4 only: in IPv6 only the first fragment's counts
	v6       bool
	vlan     uint16
}

// fragments puts IP datagrams together. A datagram whose fragments overlap, contradict each other or were cut by the capture is dropped
// with all of them, and those that still come. An exact repetition is passed over: a mirror port often shows a frame twice.
type fragments struct {
	held    map[fragmentKey]*list.Element
	age     list.List // of *datagram, oldest first
	bytes   int
	pending int64 // fragments held
}

// datagram is one that is not complete.
type datagram struct {
	key    fragmentKey
	began  time.Time
	pieces []piece // by offset, without overlap
	have   int     // bytes
	total  int     // -1: the last fragment has not come
	proto  uint8   // of the first fragment
	spoilt bool    // no more is kept
	cost   int
	count  int64 // fragments in it
}

type piece struct {
	offset int
	data   []byte
}

// add takes a fragment. It returns the datagram's payload and its protocol if that is now complete; lost
// says how many fragments were given up, this one among them or not.
func (t *fragments) add(key fragmentKey, f frame, at time.Time, proto uint8, offset int, more bool) (whole []byte, next uint8, lost int64) {
	lost = t.expire(at)
	e, ok := t.held[key]
	if !ok {
		if len(t.held) >= fragmentDatagrams {
			lost += t.drop(t.age.Front())
		}
		e = t.begin(key, at)
	}
	d := e.Value.(*datagram)
	if d.spoilt {
		return nil, 0, lost + 1
	}
	switch d.place(f, offset, more) {
	case placeRepeated:
		return nil, 0, lost
	case placeWrong:
		return nil, 0, lost + t.spoil(d) + 1
	}
	d.count++
	t.pending++
	if offset == 0 {
		d.proto = proto
	}
	cost := len(f.data) + fragmentCost
	d.cost, t.bytes = d.cost+cost, t.bytes+cost
	if d.have == d.total {
		t.forget(e)
		return d.join(), d.proto, lost
	}
	for t.bytes > fragmentBytes {
		lost += t.drop(t.age.Front())
	}
	return nil, 0, lost
}

// begin opens a datagram.
func (t *fragments) begin(key fragmentKey, at time.Time) *list.Element {
	if t.held == nil {
		t.held = make(map[fragmentKey]*list.Element)
	}
	e := t.age.PushBack(&datagram{key: key, began: at, total: -1})
	t.held[key] = e
	return e
}

// The outcomes of datagram.place.
type placed uint8

const (
	placeNew placed = iota
	placeRepeated
	placeWrong
)

// place puts a fragment among the others.
func (d *datagram) place(f frame, offset int, more bool) placed {
	end := offset + f.wire
	switch {
	case len(f.data) < f.wire, f.wire == 0, more && f.wire%8 != 0, end > datagramMost:
		return placeWrong
	case d.total >= 0 && end > d.total:
		return placeWrong
	}
	i, _ := slices.BinarySearchFunc(d.pieces, offset, func(p piece, o int) int { return p.offset - o })
	if i < len(d.pieces) && d.pieces[i].offset == offset && bytes.Equal(d.pieces[i].data, f.data) && (more || d.total == end) {
		return placeRepeated
	}
	before := i > 0 && d.pieces[i-1].offset+len(d.pieces[i-1].data) > offset
	after := i < len(d.pieces) && d.pieces[i].offset < end
	if before || after || len(d.pieces) >= fragmentPieces {
		return placeWrong
	}
	if !more {
		if d.total >= 0 || i < len(d.pieces) {
			return placeWrong
		}
		d.total = end
	}
	d.pieces = slices.Insert(d.pieces, i, piece{offset, bytes.Clone(f.data)})
	d.have += f.wire
	return placeNew
}

// join returns the pieces in their order.
func (d *datagram) join() []byte {
	b := make([]byte, 0, d.have)
	for _, p := range d.pieces {
		b = append(b, p.data...)
	}
	return b
}

// spoil gives a datagram up but remembers it, so that what still comes of it is not taken for another. It returns how many fragments
// it had.
func (t *fragments) spoil(d *datagram) int64 {
	lost := d.count
	t.bytes -= d.cost
	t.pending -= d.count
	d.pieces, d.cost, d.count, d.spoilt = nil, 0, 0, true
	return lost
}

// forget removes a datagram.
func (t *fragments) forget(e *list.Element) {
	d := t.age.Remove(e).(*datagram)
	delete(t.held, d.key)
	t.bytes -= d.cost
	t.pending -= d.count
}

// drop removes a datagram that will not be complete and returns how many fragments it had.
func (t *fragments) drop(e *list.Element) int64 {
	lost := e.Value.(*datagram).count
	t.forget(e)
	return lost
}

// expire removes what is too old at a time.
func (t *fragments) expire(now time.Time) (lost int64) {
	for e := t.age.Front(); e != nil && now.Sub(e.Value.(*datagram).began) > fragmentAge; e = t.age.Front() {
		lost += t.drop(e)
	}
	return lost
}
