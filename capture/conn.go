package capture

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"time"
)

// key names a conversation, whichever side speaks: the end that compares lower comes first. VLANs are no part of it: a mirror port
// often shows the two directions of one conversation with different tags.
type key struct {
	lo, hi         [16]byte
	loPort, hiPort uint16
	proto          uint16
}

// keyOf returns the key of the packet's conversation, and which of its sides sent it.
func keyOf(d *decoded, proto uint16) (key, side) {
	order := bytes.Compare(d.src[:], d.dst[:])
	if order < 0 || order == 0 && d.srcPort <= d.dstPort {
		return key{lo: d.src, hi: d.dst, loPort: d.srcPort, hiPort: d.dstPort, proto: proto}, lo
	}
	return key{lo: d.dst, hi: d.src, loPort: d.dstPort, hiPort: d.srcPort, proto: proto}, hi
}

// hash mixes a key into 64 bits. Who does not know the seed cannot make keys clash.
func (k *key) hash(seed uint64) uint64 {
	const m = 0x9E3779B97F4A7C15
	h := seed ^ uint64(k.loPort)<<48 | uint64(k.hiPort)<<32 | uint64(k.proto)
	for _, b := range [4]uint64{binary.LittleEndian.Uint64(k.lo[:8]), binary.LittleEndian.Uint64(k.lo[8:]), binary.LittleEndian.Uint64(k.hi[:8]), binary.LittleEndian.Uint64(k.hi[8:])} {
		h = (h ^ b) * m
		h ^= h >> 29
	}
	return h
}

const (
	protoTCP = 6
	protoUDP = 17
)

// side is one of the two ends of a conversation, as its key orders them.
type side uint8

const (
	lo side = 0
	hi side = 1
)

// phase is how far the recognition of a conversation has come.
type phase uint8

const (
	undecided  phase = iota // its first bytes do not tell yet
	recognised              // a framer has it
	unknown                 // none of the protocols; its bytes are counted
)

// conn is one conversation. What every packet touches stands first.
type conn struct {
	e            *Engine
	hash         uint64
	key          key
	client       side  // who asked
	sure         bool  // the handshake or the protocol says so, not the ports
	phase        phase // of recognition
	mid          bool  // it had begun before
	deaf         bool  // the framer no longer reads what passes
	cut          Cut   // of the current packet
	tries        uint8 // datagrams looked at in vain
	newer, older *conn // by when they last spoke, as far as that is followed
	framer       framer
	at           time.Time // of the current packet
	followed     time.Time // when its place among the others was last set
	frame        int       // number of the current packet
	proto        Proto

	halves [2]half

	opened  time.Time
	first   int // number of the first packet
	namedBy string
	named   string
	looked  string // what the client had resolved to the server's address when it began
	holes   int
	missing int64
	vlan    uint16
}

// half is what one side said.
type half struct {
	next uint32 // the sequence number of the byte that is to come
	last uint32 // the number after its last byte, where it said so

	confirmed uint32 // up to which number the other side received it, where that was heard
	heard     bool

	started bool
	closing bool // it said which byte is its last
	gap     bool // the framer is to be told of a gap before the next bytes
	seen    bool // a packet of it was seen
	beheld  bool // it sent something
	said    bool // its first bytes were handed on
	counted bool // data is kept by a framer
	message bool // one is being read, since …
	mac     [6]byte
	packets int
	bytes   int64
	data    int64
	lost    int64 // bytes of the gap, as far as known
	late    *late // nil: nothing is kept

	began time.Time // … then
	frame int
}

// late is what is kept of one side: little conversation needs it.
type late struct {
	early []byte    // first bytes, until the protocol is known
	queue []segment // came too early, in order
	held  int       // bytes in queue
	acked time.Time // since when the other side confirms bytes that were not captured
}

// queued returns what came too early.
func (h *half) queued() []segment {
	if h.late == nil {
		return nil
	}
	return h.late.queue
}

// early returns the first bytes that are kept.
func (h *half) early() []byte {
	if h.late == nil {
		return nil
	}
	return h.late.early
}

// keep returns where something can be kept.
func (h *half) keep() *late {
	if h.late == nil {
		h.late = &late{}
	}
	return h.late
}

// segment is a piece of a conversation that came before what precedes it.
type segment struct {
	seq   uint32
	wire  int
	bytes []byte
	at    time.Time
	frame int
}

// framer cuts what a TCP conversation carries into flows.
type framer interface {
	data(c *conn, up bool, b []byte) // bytes that follow those before without a gap; up: sent by the client. b is not kept
	hole(c *conn, up bool, n int64)  // n bytes are missing between what came and what comes; 0: nobody knows how many
	end(c *conn)                     // the conversation ended or is forgotten
}

func (c *conn) up(s side) bool { return s == c.client }

func (c *conn) side(up bool) side {
	if up {
		return c.client
	}
	return 1 - c.client
}

// begin notes that a message of one side begins with the current packet.
func (c *conn) begin(up bool) {
	h := &c.halves[c.side(up)]
	h.began, h.frame, h.message = c.at, c.frame, true
}

// emit hands on a flow one side sent. It begins where begin was last called for that side, or with the current packet.
func (c *conn) emit(up bool, f Flow) {
	h, p := &c.halves[c.side(up)], &c.e.flow
	*p = f
	p.At, p.Until, p.Frames, p.FromHost = c.at, c.at, [2]int{c.frame, c.frame}, up
	if h.message && !h.began.After(c.at) && h.frame <= c.frame {
		p.At, p.Frames[0] = h.began, h.frame
	}
	h.message = false
	c.hand(p)
}

func (c *conn) hand(f *Flow) {
	f.Transport = "tcp"
	if c.key.proto == protoUDP {
		f.Transport = "udp"
	}
	f.Client, f.Server, f.VLAN = c.party(c.client), c.party(1-c.client), c.vlan
	c.e.sink(f)
}

func (c *conn) party(s side) Party {
	if s == lo {
		return Party{Addr: netip.AddrPortFrom(netip.AddrFrom16(c.key.lo).Unmap(), c.key.loPort), MAC: c.halves[lo].mac}
	}
	return Party{Addr: netip.AddrPortFrom(netip.AddrFrom16(c.key.hi).Unmap(), c.key.hiPort), MAC: c.halves[hi].mac}
}

// reserve takes n bytes of what the engine may keep for what is not complete, and reports whether they are to be had.
func (c *conn) reserve(n int) bool { return c.e.reserve(n) }

// release gives back what was reserved.
func (c *conn) release(n int) { c.e.buffered -= int64(n) }

// name notes what the client called the server; the first name counts.
func (c *conn) name(name, by string) {
	if c.named == "" {
		c.named, c.namedBy = name, by
	}
}

// data counts bytes of application data inside an encrypted conversation.
func (c *conn) data(up bool, n int) {
	h := &c.halves[c.side(up)]
	h.data, h.counted = h.data+int64(n), true
}

// close ends the conversation: what came too early is handed on behind the gap before it, and the totals last.
func (c *conn) close() {
	for s := range c.halves {
		h := &c.halves[s]
		for len(h.queued()) > 0 {
			c.skipGap(side(s))
		}
	}
	if c.phase == undecided {
		c.settle()
	}
	if c.framer != nil {
		c.framer.end(c)
	}
	for s := range c.halves {
		c.release(len(c.halves[s].early()))
	}
	c.total()
}

// total hands on what passed.
func (c *conn) total() {
	u, d := &c.halves[c.client], &c.halves[1-c.client]
	if u.packets+d.packets == 0 {
		return
	}
	t := Totals{Up: u.bytes, Down: d.bytes, PacketsUp: u.packets, PacketsDown: d.packets, DataUp: u.bytes, DataDown: d.bytes, Opened: c.opened, Proto: c.proto,
		Encrypted: c.proto == ProtoTLS || c.proto == ProtoQUIC, Name: c.named, NameBy: c.namedBy, Holes: c.holes, Missing: c.missing, OneSided: !c.witnessed(lo) || !c.witnessed(hi), MidStart: c.mid}
	if t.Encrypted {
		t.DataUp, t.DataDown = u.data, d.data
	}
	client, server := c.party(c.client), c.party(1-c.client)
	if t.Name == "" {
		if t.Name = cmp.Or(c.looked, c.e.nameOf(client.Addr.Addr(), server.Addr.Addr())); t.Name != "" {
			t.NameBy = "dns"
		}
	}
	if c.key.proto == protoTCP {
		c.e.stats.OneSided += one(t.OneSided)
		c.e.stats.Mid += one(c.mid)
	}
	c.e.totals = t
	c.e.flow = Flow{Proto: ProtoEnd, At: c.opened, Until: c.at, Frames: [2]int{c.first, c.frame}, Totals: &c.e.totals}
	c.hand(&c.e.flow)
}

// witnessed reports whether any packet of a side was seen. One that only listens still confirms what it hears.
func (c *conn) witnessed(s side) bool {
	if c.halves[s].seen || c.key.proto != protoTCP {
		return c.halves[s].seen
	}
	_, opened := c.e.initial(&c.key, s)
	return opened
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// ended reports whether both sides have said everything.
func (c *conn) ended() bool { return c.finished(lo) && c.finished(hi) }

// finished reports whether a side has said everything, and all of it was seen. Of one that never spoke and whose handshake was not seen
// nobody knows how much it said: its word that it has ended counts.
func (c *conn) finished(s side) bool {
	h := &c.halves[s]
	if !h.closing || !h.started && len(h.queued()) > 0 {
		return false
	}
	next := h.next
	if !h.started {
		first, ok := c.e.initial(&c.key, s)
		if !ok {
			return true
		}
		next = first
	}
	return int32(next-h.last) >= 0
}

// guessClient says which side asked, where nothing was seen of the beginning: the one with the higher port.
func guessClient(k *key) side {
	if cmp.Compare(k.loPort, k.hiPort) >= 0 {
		return lo
	}
	return hi
}
