package capture

import (
	"bytes"
	"slices"
	"time"
)

const (
	maxQueue = 64                     // segments that came too early, for one side
	maxHeld  = 256 << 10              // their bytes
	maxEarly = 2 << 10                // first bytes, until the protocol is known
	ackGrace = 200 * time.Millisecond // a capture may show an answer before what it answers
	gapWait  = 3 * time.Second        // where the other side is not seen
	midWait  = time.Second            // for what may precede the first segment that is seen of a conversation
	midQueue = 12                     // segments
	maxGap   = 1 << 28                // whose length is believed
)

// segmentOf takes one TCP segment of side s: n bytes from seq on, of which b was captured.
func (c *conn) segmentOf(s side, seq uint32, b []byte, n int) {
	h := &c.halves[s]
	if !h.started && !c.start(s, seq, b, n) {
		return
	}
	c.place(s, seq, b, n)
}

// place hands on what of a segment follows the bytes before, and puts aside what comes too early.
func (c *conn) place(s side, seq uint32, b []byte, n int) {
	h := &c.halves[s]
	for n > 0 {
		ahead := int(int32(seq - h.next))
		if ahead > 0 {
			c.enqueue(s, seq, b, n)
			return
		}
		if -ahead >= n {
			return // sent again
		}
		b, seq, n = b[min(-ahead, len(b)):], h.next, n+ahead
		m := n
		if q := h.queued(); len(q) > 0 {
			m = min(n, int(q[0].seq-h.next)) // what was put aside came first
		}
		c.deliver(s, b[:min(m, len(b))], m)
		b, seq, n = b[min(m, len(b)):], seq+uint32(m), n-m
		c.drain(s)
	}
}

// start finds where a side's bytes begin: at what the handshake said, or at the first segment that begins like a message. It
// reports false where the segment was put aside.
func (c *conn) start(s side, seq uint32, b []byte, n int) bool {
	h := &c.halves[s]
	if first, ok := c.e.initial(&c.key, s); ok && (seq-first < farAway || first-seq < farAway) { // or it is damaged, or another's
		h.next, h.started = first, true
		return true
	}
	c.mid = true
	if !c.begins(b) {
		c.enqueue(s, seq, b, n)
		if h.started || len(h.queued()) < midQueue {
			return false
		}
		c.startAtQueue(s)
		return false
	}
	h.next, h.started = seq, true
	c.forget(s, seq)
	return true
}

// opens takes a handshake that comes after what it opened.
func (c *conn) opens(s side, first uint32) {
	h := &c.halves[s]
	if client, known := c.e.clientOf(&c.key); known && c.phase == undecided {
		c.client, c.sure = client, true
	}
	if !h.started && len(h.queued()) > 0 {
		h.next, h.started = first, true
		c.forget(s, first)
		c.drain(s)
	}
}

// begins reports whether a segment begins like a message.
func (c *conn) begins(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	_, v := c.recognise(b)
	return v == yes
}

// startAtQueue lets a side begin with the first of what was put aside.
func (c *conn) startAtQueue(s side) {
	h := &c.halves[s]
	h.next, h.started, h.gap = h.late.queue[0].seq, true, true
	c.drain(s)
}

// forget drops what was put aside and lies before seq.
func (c *conn) forget(s side, seq uint32) {
	h := &c.halves[s]
	for len(h.queued()) > 0 && int32(h.late.queue[0].seq-seq) < 0 {
		c.pop(s)
	}
}

// enqueue puts a segment aside that came before what precedes it. Of bytes that come twice, those that came first count.
func (c *conn) enqueue(s side, seq uint32, b []byte, n int) {
	h := &c.halves[s]
	for i := 0; n > 0; i++ {
		if i == len(h.queued()) {
			c.insert(s, i, seq, b, n)
			return
		}
		q := &h.late.queue[i]
		before := int(int32(q.seq - seq)) // bytes of the segment that lie before q
		if before+q.wire <= 0 {
			continue // q lies before it
		}
		if before > 0 {
			m := min(before, n)
			if !c.insert(s, i, seq, b[:min(m, len(b))], m) {
				c.place(s, seq+uint32(m), b[min(m, len(b)):], n-m)
				return
			}
			seq, b, n = seq+uint32(m), b[min(m, len(b)):], n-m
			continue // the next one is q again
		}
		m := min(q.wire+before, n) // bytes of the segment that q has
		if has := q.bytes[min(-before, len(q.bytes)):]; !same(has, b[:min(m, len(b))]) {
			c.e.stats.Overlaps++
		}
		seq, b, n = seq+uint32(m), b[min(m, len(b)):], n-m
	}
}

// same reports whether two pieces are equal as far as both go.
func same(a, b []byte) bool {
	n := min(len(a), len(b))
	return bytes.Equal(a[:n], b[:n])
}

// insert puts a piece at its place in the queue. Where there is no room the side goes on behind its gap, and the piece is placed
// anew; it reports false then.
func (c *conn) insert(s side, at int, seq uint32, b []byte, n int) bool {
	h := &c.halves[s]
	if l := h.keep(); len(l.queue) < maxQueue && l.held+len(b) <= maxHeld && c.reserve(len(b)) {
		l.queue = slices.Insert(l.queue, at, segment{seq: seq, wire: n, bytes: bytes.Clone(b), at: c.at, frame: c.frame})
		l.held += len(b)
		return true
	}
	c.e.stats.Limited++
	switch {
	case len(h.queued()) > 0:
		c.skipGap(s)
	case h.started:
		c.gapTo(s, seq)
	default:
		h.next, h.started, h.gap = seq, true, true
	}
	c.place(s, seq, b, n)
	return false
}

// tidy gives up the place where nothing is kept.
func (h *half) tidy() {
	if len(h.late.queue) == 0 && len(h.late.early) == 0 {
		h.late = nil
	}
}

func (c *conn) pop(s side) segment {
	h := &c.halves[s]
	l := h.late
	q := l.queue[0]
	l.queue = slices.Delete(l.queue, 0, 1)
	l.held -= len(q.bytes)
	c.release(len(q.bytes))
	if len(l.queue) == 0 {
		l.queue, l.acked = nil, time.Time{}
		h.tidy()
	}
	return q
}

// drain hands on what was put aside and follows now.
func (c *conn) drain(s side) {
	h := &c.halves[s]
	for len(h.queued()) > 0 && int32(h.late.queue[0].seq-h.next) <= 0 {
		q := c.pop(s)
		if before := int(h.next - q.seq); before < q.wire {
			c.deliver(s, q.bytes[min(before, len(q.bytes)):], q.wire-before)
		}
	}
}

// skipGap goes on behind a gap, with the first of what was put aside.
func (c *conn) skipGap(s side) {
	h := &c.halves[s]
	if !h.started {
		c.startAtQueue(s)
		return
	}
	if !c.credible(s) {
		c.pop(s)
		return
	}
	c.gapTo(s, h.late.queue[0].seq)
	h.late.acked = time.Time{}
	c.drain(s)
}

// credible reports whether the first of what was put aside belongs where its number says. A number far ahead that nothing bears out, neither
// a segment behind it nor the other side's word, is damaged: to believe it would cost all that follows, and count gigabytes as missing.
func (c *conn) credible(s side) bool {
	h := &c.halves[s]
	q := h.late.queue
	if q[0].seq-h.next < maxHeld || len(q) > 1 && q[1].seq-q[0].seq < maxHeld {
		return true
	}
	return h.heard && h.confirmed-q[0].seq < farAway
}

func (c *conn) gapTo(s side, seq uint32) {
	h := &c.halves[s]
	n := int64(int32(seq - h.next))
	if n > maxGap {
		n = 0 // one of both numbers is damaged
	}
	c.holes++
	c.missing += n
	c.e.stats.Holes++
	c.e.stats.Missing += n
	h.next, h.gap, h.lost = seq, true, h.lost+n
}

// overdue goes on behind gaps that will not close: the other side has long confirmed the bytes, so they passed unseen, or
// nobody sent them again.
func (c *conn) overdue() {
	for s := range c.halves {
		h := &c.halves[s]
		q := h.queued()
		if len(q) == 0 {
			continue
		}
		wait := gapWait
		if !h.started {
			wait = midWait
		}
		if acked := h.late.acked; !acked.IsZero() && c.at.Sub(acked) > ackGrace || c.at.Sub(q[0].at) > wait {
			c.skipGap(side(s))
		}
	}
}

// confirmed takes what side s says it has received of the other.
func (c *conn) confirmed(s side, ack uint32) {
	o := &c.halves[1-s]
	o.confirmed, o.heard = ack, true
	if len(o.queued()) > 0 && o.started && o.late.acked.IsZero() && int32(ack-o.next) > 0 {
		o.late.acked = c.at
	}
}

// deliver hands on bytes that follow those before: n were sent, b was captured of them.
func (c *conn) deliver(s side, b []byte, n int) {
	h := &c.halves[s]
	h.next += uint32(n)
	h.bytes += int64(n)
	c.e.stats.TCP += int64(n)
	up := c.up(s)
	switch c.phase {
	case recognised:
		c.understood(len(b))
		if h.gap {
			c.tell(h, up)
		}
		if len(b) > 0 {
			c.framer.data(c, up, b)
		}
	case undecided:
		h.gap, h.lost = false, 0
		if len(b) > 0 {
			c.look(s, b)
		}
	case unknown:
		c.lookAgain(s, b)
	}
	if n > len(b) {
		h.gap, h.lost = true, h.lost+int64(n-len(b))
		if c.phase == undecided {
			c.settle()
		}
	}
}

// understood counts bytes that a framer takes: of TLS it sees names and lengths, of everything else what was said.
func (c *conn) understood(n int) {
	switch {
	case c.deaf:
	case c.proto == ProtoTLS:
		c.e.stats.Encrypted += int64(n)
	default:
		c.e.stats.Read += int64(n)
	}
}

// anew looks for another protocol in what follows: a proxy passes on whatever it is given. The framer has nothing to do any more.
func (c *conn) anew() {
	c.phase, c.proto, c.deaf = undecided, "", false
}

// tell makes the framer know of a gap, and of how long it is where that is known.
func (c *conn) tell(h *half, up bool) {
	n := h.lost
	h.gap, h.lost = false, 0
	c.framer.hole(c, up, n)
}

// look tries to recognise a conversation by the first bytes of one side.
func (c *conn) look(s side, b []byte) {
	h := &c.halves[s]
	whole := b
	had := len(h.early())
	if had > 0 {
		if room := maxEarly - had; len(b) > room || !c.reserve(len(b)) {
			c.settle()
			return
		}
		h.late.early = append(h.late.early, b...)
		whole = h.late.early
	}
	r, v := c.recognise(whole)
	switch {
	case v == yes:
		c.adopt(r, s, whole)
	case v == wait && len(whole) < maxEarly && (had > 0 || c.reserve(len(b))):
		if had == 0 {
			h.keep().early = bytes.Clone(b)
		}
	default:
		if had == 0 && c.reserve(min(len(b), maxEarly)) {
			h.keep().early = bytes.Clone(b[:min(len(b), maxEarly)])
		}
		c.settle()
	}
}

// lookAgain tries what was not recognised by the other side's first bytes, or, where the beginning was not seen or there was a gap,
// by a later message.
func (c *conn) lookAgain(s side, b []byte) {
	h := &c.halves[s]
	if len(b) == 0 || h.said && !c.mid && c.holes == 0 {
		return
	}
	if r, v := c.recognise(b); v == yes {
		h.gap, h.lost = false, 0
		c.adopt(r, s, b)
		return
	}
	if !h.said {
		h.said = true
		c.emit(c.up(s), Flow{Proto: ProtoTCP, Payload: b[:min(len(b), maxEarly)], Cut: c.midCut()})
	}
}

// settle gives up recognising a conversation; its first bytes are handed on.
func (c *conn) settle() {
	c.phase = unknown
	for s := range c.halves {
		h := &c.halves[s]
		if early := h.early(); len(early) > 0 {
			c.emit(c.up(side(s)), Flow{Proto: ProtoTCP, Payload: early, Cut: c.midCut()})
			c.release(len(early))
			h.late.early, h.said = nil, true
			h.tidy()
		}
	}
}

func (c *conn) midCut() Cut {
	if c.mid {
		return CutStart
	}
	return 0
}

// adopt gives a conversation to the framer that knows it, with what was kept of it.
func (c *conn) adopt(r *recogniser, s side, b []byte) {
	if client, known := r.speaker(b); known && !c.sure {
		c.client, c.sure = s, true
		if !client {
			c.client = 1 - s
		}
	}
	c.phase, c.proto, c.framer = recognised, r.proto, r.make(c)
	c.understood(len(b))
	var kept [2][]byte
	for i := range c.halves {
		if h := &c.halves[i]; h.late != nil {
			kept[i], h.late.early = h.late.early, nil
			h.tidy()
		}
	}
	c.framer.data(c, c.up(s), b)
	if other := kept[1-s]; len(other) > 0 {
		c.understood(len(other))
		c.framer.data(c, c.up(1-s), other)
	}
	for i := range kept {
		c.release(len(kept[i]))
	}
}
