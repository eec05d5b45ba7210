package capture

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

// quicVersion is what differs between the versions of QUIC in an Initial packet.
type quicVersion struct {
	number  uint32
	initial byte // the two bits of the packet type
	salt    string
	prefix  string // of the labels keys are derived with
}

// quicVersions are the published ones: RFC 9001, 5.2; RFC 9369, 3.
var quicVersions = [...]quicVersion{
	{1, 0, "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a", "quic "},
	{0x6b3343cf, 1, "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9", "quicv2 "},
}

const (
	quicLong    = 0x80 // a long header
	quicFixed   = 0x40
	quicPackets = 4  // Initials of a conversation that are decrypted
	quicPieces  = 64 // of a hello that are kept, each in a CRYPTO frame of its own
	quicLeast   = 21 // bytes of the smallest packet: 1 and 4 of header, 16 of the cipher's tag

	frameCrypto = 6
)

// quicFramer reads the ClientHello of a QUIC conversation. What follows it is only counted.
type quicFramer struct {
	keys   *quicKeys
	id     []byte // the connection id the keys are derived from
	pieces []quicPiece
	held   int
	tries  int
	done   bool
}

type quicPiece struct {
	at int
	b  []byte
}

// udpQUIC recognises QUIC by an Initial packet of a published version. It is asked of every datagram of a conversation that is
// not known to be something else.
func udpQUIC(c *conn, up bool, payload []byte) (handled bool) {
	q, known := c.framer.(*quicFramer)
	if !known {
		if c.framer != nil || !up || len(payload) < 1200 { // a client must fill the datagram of its first Initial
			return false
		}
		p, _, ok := quicInitial(payload)
		if !ok {
			return false
		}
		q = &quicFramer{id: slices.Clone(p.id)}
		if q.keys = deriveQUIC(p.version, q.id); q.keys == nil {
			return false
		}
		c.framer, c.proto = q, ProtoQUIC
	}
	q.data(c, up, payload)
	return true
}

func (q *quicFramer) data(c *conn, up bool, b []byte) {
	if len(b) == 0 {
		return
	}
	if b[0]&quicLong == 0 { // application data, with what acknowledges it
		c.data(up, max(0, len(b)-quicLeast))
		return
	}
	for up && !q.done && len(b) > 0 {
		p, rest, ok := quicInitial(b)
		if !ok {
			return
		}
		b = rest
		if p.body != nil {
			q.packet(c, p)
		}
	}
}

func (q *quicFramer) packet(c *conn, p quicPacket) {
	if q.tries++; q.tries > quicPackets {
		q.give(c, CutLimit)
		return
	}
	plain, err := q.keys.open(p)
	if err != nil {
		// A server may send the client away with an id of its own, from which other keys follow.
		keys := deriveQUIC(p.version, p.id)
		if keys == nil {
			return
		}
		if plain, err = keys.open(p); err != nil {
			return
		}
		q.forget(c)
		q.keys = keys
	}
	q.frames(c, plain)
}

// frames takes the pieces of the hello out of a packet.
func (q *quicFramer) frames(c *conn, b []byte) {
	r := &bites{b: b}
	for len(r.b) > 0 && !q.done {
		switch kind := r.varint(); kind {
		case 0, 1: // padding, ping
		case 2, 3: // acknowledgements
			r.varint()
			r.varint()
			ranges := r.varint()
			r.varint()
			for ; ranges > 0 && !r.bad; ranges-- {
				r.varint()
				r.varint()
			}
			if kind == 3 {
				r.varint()
				r.varint()
				r.varint()
			}
		case frameCrypto:
			at, n := r.varint(), r.varint()
			if x := r.take(n); !r.bad {
				q.piece(c, at, x)
			}
		default:
			return // the connection is closed, or nothing that may be here
		}
	}
}

func (q *quicFramer) piece(c *conn, at int, b []byte) {
	if at == 0 && len(q.pieces) == 0 {
		if whole, n := helloWhole(b); whole {
			q.say(c, b[:n], 0)
			return
		}
		c.begin(true)
	}
	if at > helloMost || at+len(b) > helloMost || len(q.pieces) >= quicPieces || !c.reserve(len(b)) {
		q.give(c, CutLimit)
		return
	}
	q.pieces = append(q.pieces, quicPiece{at, slices.Clone(b)})
	q.held += len(b)
	if whole, n := helloWhole(q.joined()); whole {
		q.say(c, q.joined()[:n], 0)
	}
}

// joined is what there is of the hello without a gap, from its beginning. Bytes that came twice count as they came first.
func (q *quicFramer) joined() []byte {
	slices.SortStableFunc(q.pieces, func(a, b quicPiece) int { return a.at - b.at })
	var out []byte
	for _, p := range q.pieces {
		if p.at > len(out) {
			break
		}
		if over := len(out) - p.at; over < len(p.b) {
			out = append(out, p.b[over:]...)
		}
	}
	return out
}

func (q *quicFramer) give(c *conn, cut Cut) { q.say(c, q.joined(), cut) }

func (q *quicFramer) say(c *conn, b []byte, cut Cut) {
	defer q.forget(c)
	q.done, q.keys = true, nil
	h, ok := readHello(b)
	if !ok {
		return
	}
	if h.Name != "" {
		c.name(h.Name, string(ProtoQUIC))
	}
	c.emit(true, Flow{Proto: ProtoQUIC, Hello: h, Cut: cut})
}

func (q *quicFramer) forget(c *conn) {
	c.release(q.held)
	q.pieces, q.held = nil, 0
}

func (q *quicFramer) hole(*conn, bool, int64) {}

func (q *quicFramer) end(c *conn) {
	if !q.done {
		q.give(c, CutEnd)
	}
}

// quicPacket is one packet with a long header. Of one that is no Initial, body is nil.
type quicPacket struct {
	version *quicVersion
	id      []byte // of the connection, as the sender of the packet calls its receiver
	head    []byte // up to the packet number, which is encrypted
	body    []byte // from the packet number on
}

// quicInitial cuts the first packet with a long header off a datagram. ok is false where there is none of a version that is
// known.
func quicInitial(b []byte) (p quicPacket, rest []byte, ok bool) {
	if len(b) < quicLeast || b[0]&(quicLong|quicFixed) != quicLong|quicFixed {
		return p, nil, false
	}
	number := binary.BigEndian.Uint32(b[1:])
	i := slices.IndexFunc(quicVersions[:], func(v quicVersion) bool { return v.number == number })
	if i < 0 {
		return p, nil, false
	}
	p.version = &quicVersions[i]
	kind := b[0] >> 4 & 3
	if kind == (p.version.initial+3)&3 { // Retry, which has no length and nothing after it
		return p, nil, false
	}
	r := &bites{b: b[5:]}
	p.id = r.list(1)
	from := r.list(1)
	if kind == p.version.initial {
		r.take(r.varint()) // token
	}
	n := r.varint()
	if r.bad || len(p.id) > 20 || len(from) > 20 || n > len(r.b) {
		return p, nil, false
	}
	body := r.take(n)
	if kind == p.version.initial {
		if len(body) < 20 { // 4 that may be the packet number, 16 of the sample
			return p, nil, false
		}
		p.head, p.body = b[:len(b)-len(r.b)-n], body
	}
	return p, r.b, true
}

// varint reads an integer of QUIC's own form (RFC 9000, 16). One beyond an int of 32 bits ends the reading.
func (r *bites) varint() int {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	size := 1 << (r.b[0] >> 6)
	x := r.take(size)
	if x == nil {
		return 0
	}
	n := uint64(x[0] & 0x3f)
	for _, d := range x[1:] {
		n = n<<8 | uint64(d)
	}
	if n > 1<<31-1 {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

// quicKeys protect the client's Initials.
type quicKeys struct {
	head cipher.Block
	body cipher.AEAD
	iv   []byte
}

// deriveQUIC derives the client's keys from the connection id it chose for the server (RFC 9001, 5.2). Everybody who sees the
// packet can: they keep nothing secret. It returns nil where the library refuses.
func deriveQUIC(v *quicVersion, id []byte) *quicKeys {
	initial, err := hkdf.Extract(sha256.New, id, []byte(v.salt))
	if err != nil {
		return nil
	}
	secret, err := quicExpand(initial, "client in", 32)
	if err != nil {
		return nil
	}
	key, err1 := quicExpand(secret, v.prefix+"key", 16)
	iv, err2 := quicExpand(secret, v.prefix+"iv", 12)
	hp, err3 := quicExpand(secret, v.prefix+"hp", 16)
	if errors.Join(err1, err2, err3) != nil {
		return nil
	}
	k := &quicKeys{iv: iv}
	block, err1 := aes.NewCipher(key)
	if k.head, err2 = aes.NewCipher(hp); errors.Join(err1, err2) != nil {
		return nil
	}
	if k.body, err = cipher.NewGCM(block); err != nil {
		return nil
	}
	return k
}

// quicExpand is HKDF-Expand-Label of TLS 1.3, without a context.
func quicExpand(secret []byte, label string, n int) ([]byte, error) {
	label = "tls13 " + label
	return hkdf.Expand(sha256.New, secret, string([]byte{0, byte(n), byte(len(label))})+label+"\x00", n)
}

var errQUIC = errors.New("capture: no packet of this key")

// open removes header protection and decrypts a packet into memory of its own.
func (k *quicKeys) open(p quicPacket) ([]byte, error) {
	var mask [aes.BlockSize]byte
	k.head.Encrypt(mask[:], p.body[4:20])
	first := p.head[0] ^ mask[0]&0x0f
	n := int(first&3) + 1
	head := append(slices.Clone(p.head), p.body[:n]...)
	head[0] = first
	number := 0
	for i := range n {
		x := head[len(p.head)+i] ^ mask[1+i]
		head[len(p.head)+i] = x
		number = number<<8 | int(x)
	}
	nonce := slices.Clone(k.iv) // a client's first packets have small numbers, of which nothing is cut off
	for i := range 4 {
		nonce[len(nonce)-1-i] ^= byte(number >> (8 * i))
	}
	plain, err := k.body.Open(nil, nonce, p.body[n:], head)
	if err != nil {
		return nil, errQUIC
	}
	return plain, nil
}
