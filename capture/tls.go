package capture

// Types of TLS records (RFC 8446, 5.1; RFC 5246, 6.2.1).
const (
	recordChange    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordHeader    = 5
	recordMost      = 1<<14 + 2048 // of TLS 1.2's ciphertext; later versions allow less
	finishedMost    = 96           // the longest encrypted Finished of TLS 1.2; a hello that is repeated is longer
)

// helloMost is the longest ClientHello that is read, of TLS and of QUIC. Those with key shares of post-quantum methods have
// about 1,800 bytes.
const helloMost = 16 << 10

// recordBegins reports whether b may begin a TLS record; at least one byte is wanted, and those beyond the header are not
// looked at.
func recordBegins(b []byte) bool {
	if b[0] < recordChange || b[0] > recordData {
		return false
	}
	if len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return false
	}
	if len(b) > 3 && int(b[3])<<8 > recordMost {
		return false
	}
	if len(b) < recordHeader {
		return true
	}
	n := int(b[3])<<8 | int(b[4])
	switch b[0] {
	case recordChange:
		return n == 1
	case recordAlert:
		return n >= 2 && n <= 256
	case recordHandshake:
		return n >= 4 && n <= recordMost
	}
	return n <= recordMost
}

// recordsChain reports whether b is TLS records, one after the other, as far as it goes.
func recordsChain(b []byte) bool {
	for len(b) > 0 {
		if !recordBegins(b) {
			return false
		}
		if len(b) < recordHeader {
			return true
		}
		n := recordHeader + (int(b[3])<<8 | int(b[4]))
		if n >= len(b) {
			return true
		}
		b = b[n:]
	}
	return true
}

// sniffTLS recognises the hello of either side, and the records of a conversation that had begun before.
func sniffTLS(b []byte) verdict {
	if !recordBegins(b) {
		return no
	}
	if len(b) <= recordHeader {
		return wait
	}
	switch b[0] {
	case recordHandshake:
		// Either hello, or in the middle anything a server or client says: in clear up to its Finished, ciphertext after that.
		if b[recordHeader] != helloClient && b[recordHeader] != helloServer {
			return no
		}
	case recordData:
		if b[2] != 3 { // every version in use writes 3.3 here
			return no
		}
	}
	if !recordsChain(b) {
		return no
	}
	return yes
}

// tlsFramer reads the ClientHello and counts application data after it. It keeps no bytes but those of an incomplete hello.
type tlsFramer struct {
	sides [2]tlsSide // of the client, of the server
	hello []byte     // of the client, the part that came
	done  bool       // the hello was handed on, or there is none to be had
	begun bool       // the client's hello was seen, or its beginning
	old   bool       // up to TLS 1.2: a Finished is a handshake record, and everything in records of data is data
	spoke bool       // the client sent a record of data
}

// tlsSide is where in its records one side is.
type tlsSide struct {
	left   int // of the record's body, still to come
	head   [recordHeader]byte
	have   uint8 // bytes of a header that is not complete
	kind   byte  // of the record
	before byte  // of the one before it
	lost   bool  // where the next record begins is not known
	count  bool  // the record is application data
}

func newTLS(c *conn) framer {
	c.proto = ProtoTLS
	return &tlsFramer{done: c.mid}
}

func sideOf(up bool) int {
	if up {
		return 0
	}
	return 1
}

func (t *tlsFramer) data(c *conn, up bool, b []byte) {
	s := &t.sides[sideOf(up)]
	if s.lost {
		// Bytes that are a record's by chance are rare and short of a chain; what is missed meanwhile is not counted.
		if len(b) < recordHeader || !recordsChain(b) {
			return
		}
		*s = tlsSide{kind: s.kind}
	}
	data := 0
	for len(b) > 0 {
		if s.left == 0 {
			n := copy(s.head[s.have:], b)
			s.have += uint8(n)
			b = b[n:]
			if s.have < recordHeader {
				break
			}
			if !t.record(s, up) {
				break
			}
			continue
		}
		n := min(s.left, len(b))
		s.left -= n
		if s.count {
			data += n
		}
		if !t.done && up {
			t.collect(c, s.kind, b[:n])
		}
		b = b[n:]
	}
	if data > 0 {
		c.data(up, data)
	}
}

// record begins a record whose header is complete. It reports false where that is none.
func (t *tlsFramer) record(s *tlsSide, up bool) bool {
	s.have = 0
	if !recordBegins(s.head[:]) {
		s.lost = true
		return false
	}
	s.before, s.kind, s.left = s.kind, s.head[0], int(s.head[3])<<8|int(s.head[4])
	s.count = s.kind == recordData && t.counts(up)
	if s.kind == recordHandshake && s.before == recordChange && s.left <= finishedMost {
		t.old = true
	}
	return true
}

// counts reports whether a record of data is application data. Since TLS 1.3 what ends the handshake is in such records too:
// the client's first, and those of the server before it. What follows them may still be a ticket or an alert.
func (t *tlsFramer) counts(up bool) bool {
	if t.old || t.spoke || !t.begun {
		return true
	}
	t.spoke = up
	return false
}

// collect takes a piece of the client's records until its hello is complete.
func (t *tlsFramer) collect(c *conn, kind byte, b []byte) {
	t.begun = t.begun || kind == recordHandshake
	if kind != recordHandshake {
		t.give(c, 0)
		return
	}
	if t.hello == nil {
		if whole, n := helloWhole(b); whole {
			t.say(c, b[:n], 0)
			return
		}
		c.begin(true)
	}
	switch {
	case len(t.hello)+len(b) > helloMost || !c.reserve(len(b)):
		t.give(c, CutLimit)
	default:
		t.hello = append(t.hello, b...)
		if t.hello[0] != helloClient {
			t.give(c, 0)
		} else if whole, n := helloWhole(t.hello); whole {
			t.hello, b = t.hello[:n], t.hello[n:]
			c.release(len(b))
			t.give(c, 0)
		}
	}
}

// give hands on what came of the hello and forgets it.
func (t *tlsFramer) give(c *conn, cut Cut) {
	if len(t.hello) > 0 {
		t.say(c, t.hello, cut)
	}
	c.release(len(t.hello))
	t.hello, t.done = nil, true
}

func (t *tlsFramer) say(c *conn, b []byte, cut Cut) {
	t.done = true
	h, ok := readHello(b)
	if !ok {
		return
	}
	if h.Name != "" {
		c.name(h.Name, string(ProtoTLS))
	}
	c.emit(true, Flow{Proto: ProtoTLS, Hello: h, Cut: cut})
}

func (t *tlsFramer) hole(c *conn, up bool, _ int64) {
	t.sides[sideOf(up)].lost = true
	if up && !t.done {
		t.give(c, CutHole)
	}
}

func (t *tlsFramer) end(c *conn) {
	if !t.done {
		t.give(c, CutEnd)
	}
}
