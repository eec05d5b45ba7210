package capture

import (
	"cmp"
	"math/rand/v2"
	"time"

	"github.com/google/gopacket/layers"
)

// Packet is one captured frame. Data is valid until the next one is read.
type Packet struct {
	Data   []byte
	At     time.Time
	Length int             // as it was on the wire; more than len(Data) where the capture cut it
	Link   layers.LinkType // what Data begins with
	Number int             // counted from 1 within its capture

	decoded *decoded // by who read it; nil: nobody did
}

// Options bounds an Engine. Zero values take the defaults.
type Options struct {
	Conversations int           // most held at once: 32,768. The one that was silent longest makes room
	Buffer        int64         // most bytes kept for what is not complete, all conversations together: 48 MiB
	Idle          time.Duration // of capture time after which a conversation is forgotten: 10 min TCP; a fifth of it UDP

	// Sink takes every flow, one after the other in their order. It is called from Packet and Close, by their goroutine; Apart: by
	// another one, which Close waits for. What Sink panics with, Packet or Close panics with too, then or later.
	Sink  func(*Flow)
	Apart bool
}

// Engine turns packets into flows. It is for one goroutine.
type Engine struct {
	o     Options
	stats Stats
	dec   decoder // for packets that nobody decoded before

	conns          table
	seed           uint64 // of the table's hashes
	lag            time.Duration
	recent         *conn // that of the last packet: the next is often its too
	newest, oldest *conn
	spare          *conn // conversations to be used again, linked by older

	opened   [1 << 15]opening // the handshakes seen last, so that none costs memory before anything was said
	buffered int64
	pending  int64 // fragments that are still to be joined
	flow     Flow  // the one that is handed on
	totals   Totals
	messages spares[Message]
	bodies   spares[httpMessage]

	apart   *apart // nil: the sink is called here
	names   names
	tracks  tracks
	tunnels tunnels
}

// opening is what the handshake said of one side's bytes.
type opening struct {
	mark     uint64 // of conversation and side; 0: free
	first    uint32 // sequence number of the first byte
	end      uint32 // number after the last byte that was handed on, where the conversation has ended
	ended    int64  // when it did, in nanoseconds of the capture's clock; 0: it has not
	answered bool   // by SYN and ACK: the side is the one that was asked
}

const (
	echoTime = 3 * time.Second // for which packets of a conversation that has ended may still be seen, a second time
	farAway  = 1 << 20         // bytes that no packet is late by
)

// New returns an Engine.
func New(o Options) *Engine {
	o.Conversations = cmp.Or(o.Conversations, 32768)
	o.Buffer = cmp.Or(o.Buffer, 48<<20)
	o.Idle = cmp.Or(o.Idle, 10*time.Minute)
	e := &Engine{o: o, lag: o.Idle / 64, seed: rand.Uint64()}
	if o.Sink != nil && o.Apart {
		e.apart = newApart(o.Sink)
	}
	return e
}

// Packet takes the next packet. What is no packet is counted and nothing else.
func (e *Engine) Packet(p *Packet) {
	e.stats.Packets++
	e.stats.Bytes += int64(max(p.Length, len(p.Data)))
	if e.stats.First.IsZero() {
		e.stats.First = p.At
	}
	if p.At.After(e.stats.Last) {
		e.stats.Last = p.At
	}
	if len(p.Data) < p.Length {
		e.stats.Snapped++
	}
	d := p.decoded
	if d == nil {
		e.dec.decode(p)
		d = &e.dec.decoded
	}
	switch d.cast {
	case castOne:
		e.stats.Unicast++
	case castGroup:
		e.stats.Broadcast++
	}
	if d.piece {
		e.stats.Fragments++
		e.stats.Unjoined += d.lost
		e.pending = d.pending
	}
	switch d.kind {
	case kindNone:
		e.stats.Undecoded++
	case kindTCP:
		e.tcp(p, d)
	case kindUDP:
		e.udp(p, d)
	case kindARP:
		e.arp(p, d)
	}
	if e.stats.Packets&63 == 0 {
		e.expire(p.At)
	}
}

// Close ends every conversation, and hands on what is left of them. After it, as after Discard, the engine is of no use.
func (e *Engine) Close() {
	if e.apart != nil {
		defer func() {
			e.apart.end()
			e.apart.check()
		}()
	}
	for e.oldest != nil {
		e.drop(e.oldest)
	}
	e.stats.Unjoined += e.pending
	e.pending = 0
}

// Discard ends an engine that panicked: what is left of its conversations is lost, what was cut of them before goes to the sink.
func (e *Engine) Discard() {
	if e.apart != nil {
		e.apart.end()
	}
}

// Flush hands on what was found so far, and returns when the sink has had it. Any goroutine may call it, whatever the engine is doing.
// It does something only where the sink is called apart.
func (e *Engine) Flush() {
	if e.apart != nil {
		e.apart.flush()
	}
}

// Stats returns what was seen so far.
func (e *Engine) Stats() Stats { return e.stats }

// Held returns how many conversations are open, and how many bytes are kept for what is not complete.
func (e *Engine) Held() (conversations int, bytes int64) { return e.conns.used, e.buffered }

func (e *Engine) sink(f *Flow) {
	switch {
	case e.apart != nil:
		e.apart.take(f)
	case e.o.Sink != nil:
		e.o.Sink(f)
	}
}

// reserve takes n bytes of what may be kept, and reports whether they are to be had. The last of them are for what is small: heads without
// which a message says little.
func (e *Engine) reserve(n int) bool {
	most := e.o.Buffer
	if n > smallMost {
		most -= most / 16
	}
	if e.buffered+int64(n) > most {
		e.stats.Limited++
		return false
	}
	e.buffered += int64(n)
	return true
}

const smallMost = 1 << 10

func (e *Engine) tcp(p *Packet, d *decoded) {
	k, s := keyOf(d, protoTCP)
	c := e.find(&k)
	if d.flags&tcpSYN != 0 {
		e.handshake(c, &k, s, d)
		return
	}
	if c == nil {
		if d.length == 0 || e.echoes(&k, s, p, d) {
			return // nothing was said yet, or nothing new
		}
		c = e.open(k, p, d)
		if client, known := e.clientOf(&k); known {
			c.client, c.sure = client, true
		}
	}
	c.touch(p)
	h := &c.halves[s]
	h.seen = true
	if d.length > 0 {
		if !h.beheld {
			h.beheld, h.mac = true, d.srcMAC
		}
		h.packets++
		c.segmentOf(s, d.seq, d.payload, d.length)
	}
	if d.flags&tcpACK != 0 {
		c.confirmed(s, d.ack)
	}
	if c.halves[lo].late != nil || c.halves[hi].late != nil {
		c.overdue()
	}
	if d.flags&tcpFIN != 0 {
		h.last, h.closing = d.seq+uint32(d.length), true
	}
	if d.flags&tcpRST != 0 || c.ended() {
		e.leave(c)
		e.drop(c)
	}
}

// leave notes where a conversation ended.
func (e *Engine) leave(c *conn) {
	for s := range c.halves {
		h := &c.halves[s]
		if !h.started {
			continue
		}
		m := mark(&c.key, side(s))
		o := &e.opened[m>>7%uint64(len(e.opened))]
		if o.mark != m {
			*o = opening{mark: m, answered: side(s) != c.client}
		}
		o.end, o.ended = h.next, c.at.UnixNano()
	}
}

// echoes reports whether a packet is one of a conversation that has ended: a mirror port may show every packet twice.
func (e *Engine) echoes(k *key, s side, p *Packet, d *decoded) bool {
	o, ok := e.openingOf(k, s)
	return ok && o.ended != 0 && p.At.UnixNano()-o.ended < int64(echoTime) && o.end-(d.seq+uint32(d.length)) < farAway
}

// find returns the conversation of a key, nil where there is none.
func (e *Engine) find(k *key) *conn {
	if e.recent != nil && e.recent.key == *k {
		return e.recent
	}
	c := e.conns.find(k, k.hash(e.seed))
	e.recent = c
	return c
}

// handshake notes where the bytes of a side begin. A conversation of the same ends that is still held has ended unseen, unless
// the packet came late or was sent again.
func (e *Engine) handshake(c *conn, k *key, s side, d *decoded) {
	first := d.seq + 1
	if c != nil && c.halves[s].started && c.halves[s].next-first >= 1<<20 {
		e.drop(c)
		c = nil
	}
	m := mark(k, s)
	o := &e.opened[m>>7%uint64(len(e.opened))]
	if c == nil && o.mark == m && o.first == first && o.ended != 0 && e.stats.Last.UnixNano()-o.ended < int64(echoTime) {
		return // seen a second time
	}
	*o = opening{mark: m, first: first, answered: d.flags&tcpACK != 0}
	if c != nil {
		c.opens(s, first)
	}
}

func mark(k *key, s side) uint64 {
	return (k.hash(0)^uint64(s)*0xD6E8FEB86659FD93)*0x9E3779B97F4A7C15 | 1<<63
}

func (e *Engine) openingOf(k *key, s side) (opening, bool) {
	m := mark(k, s)
	o := e.opened[m>>7%uint64(len(e.opened))]
	return o, o.mark == m
}

// initial returns the sequence number of a side's first byte, where its handshake was seen; of one that ended, of the next.
func (e *Engine) initial(k *key, s side) (uint32, bool) {
	o, ok := e.openingOf(k, s)
	if o.ended != 0 {
		return o.end, ok
	}
	return o.first, ok
}

// clientOf says which side opened the conversation, where its handshake was seen.
func (e *Engine) clientOf(k *key) (side, bool) {
	for _, s := range [...]side{lo, hi} {
		if o, ok := e.openingOf(k, s); ok {
			if o.answered {
				return 1 - s, true
			}
			return s, true
		}
	}
	return 0, false
}

func (e *Engine) arp(p *Packet, d *decoded) {
	e.flow = Flow{Proto: ProtoARP, Client: Party{Addr: d.source(), MAC: d.srcMAC}, Server: Party{Addr: d.destination(), MAC: d.dstMAC}, FromHost: true, At: p.At, Until: p.At,
		Frames: [2]int{p.Number, p.Number}, VLAN: d.vlan, Payload: d.payload}
	e.sink(&e.flow)
}

// open begins a conversation, and forgets the one that was silent longest where there are too many.
func (e *Engine) open(k key, p *Packet, d *decoded) *conn {
	if e.conns.used >= e.o.Conversations {
		e.stats.Evicted++
		e.drop(e.oldest)
	}
	c := e.spare
	if c == nil {
		c = &conn{}
	} else {
		e.spare = c.older
	}
	*c = conn{e: e, hash: k.hash(e.seed), key: k, opened: p.At, followed: p.At, first: p.Number, vlan: d.vlan, client: guessClient(&k)}
	c.looked = e.nameOf(c.party(c.client).Addr.Addr(), c.party(1-c.client).Addr.Addr())
	e.stats.Conversations++
	e.conns.add(c)
	e.link(c)
	return c
}

func (e *Engine) link(c *conn) {
	c.older, c.newer = e.newest, nil
	if e.newest != nil {
		e.newest.newer = c
	} else {
		e.oldest = c
	}
	e.newest = c
}

func (e *Engine) unlink(c *conn) {
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		e.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		e.oldest = c.newer
	}
}

// touch makes the packet the conversation's current one.
func (c *conn) touch(p *Packet) {
	c.at, c.frame = p.At, p.Number
	e := c.e
	// To follow every packet costs more than the packet. While there is room for all, now and then is enough.
	if e.newest == c || p.At.Sub(c.followed) < e.lag && e.conns.used < e.o.Conversations/2 {
		return
	}
	c.followed = p.At
	e.unlink(c)
	e.link(c)
}

// drop ends a conversation.
func (e *Engine) drop(c *conn) {
	c.close()
	if e.recent == c {
		e.recent = nil
	}
	e.unlink(c)
	e.conns.remove(c)
	*c = conn{older: e.spare}
	e.spare = c
}

// expire forgets what was silent for too long by the capture's clock.
func (e *Engine) expire(now time.Time) {
	for c := e.oldest; c != nil; c = e.oldest {
		limit := e.o.Idle
		if c.key.proto == protoUDP {
			limit /= 5
		}
		if now.Sub(c.at) <= limit {
			return
		}
		e.drop(c)
	}
}

// Stats is what an Engine has seen so far.
type Stats struct {
	Packets, Bytes       int64     // frames, and their bytes on the wire
	First, Last          time.Time // of the capture's own clock
	Snapped              int64     // packets cut by the snap length
	Undecoded            int64     // packets of no known link or network layer, or that lie about their length
	Fragments            int64     // IP fragments; Unjoined of them never became a datagram
	Unjoined             int64
	Conversations        int64 // TCP and UDP, seen in all
	Evicted              int64 // forgotten to make room
	Holes, Missing       int64 // gaps in TCP conversations, and their bytes as far as known
	TCP, Encrypted, Read int64 // bytes of TCP payload; of them TLS; of them handed to a protocol that was recognised
	OneSided, Mid        int64 // TCP conversations of which one side was seen; that had begun before
	Unicast, Broadcast   int64 // frames to one station; to all or a group. What no mirror port shows is the first of others
	Overlaps             int64 // TCP segments that repeat bytes with other content: the first that came counts
	Limited              int64 // times a limit of ours was reached
}
