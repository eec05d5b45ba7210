package capture

import "encoding/binary"

const portMQTT = 1883

// recogniseAt recognises protocols whose first bytes say too little by themselves, by the port they belong to.
func recogniseAt(k *key, b []byte) (*recogniser, verdict) {
	for i := range portRecognisers {
		if p := portRecognisers[i].port; k.loPort != p && k.hiPort != p {
			continue
		}
		r := &portRecognisers[i].recogniser
		return r, r.sniff(b)
	}
	return nil, no
}

var portRecognisers = [2]struct {
	port uint16
	recogniser
}{
	{portDNS, recogniser{ProtoDNS, sniffDNS, speakerDNS, newDNS}},
	{portMQTT, recogniser{ProtoMQTT, sniffMQTTMid, speakerMQTT, newMQTT}},
}

// sniffDNS recognises a message with its length before it.
func sniffDNS(b []byte) verdict {
	if len(b) < 2+dnsHeader {
		return wait
	}
	if n := int(binary.BigEndian.Uint16(b)); n < dnsHeader || len(b)-2 >= n && !dnsBegins(b[2:2+n]) {
		return no
	}
	if op := b[4] >> 3 & 0xf; op > 6 || b[5]&0x40 != 0 {
		return no
	}
	return yes
}

// speakerDNS: a bit tells queries from answers.
func speakerDNS(b []byte) (client, known bool) {
	return len(b) > 4 && b[4]&0x80 == 0, len(b) > 4
}

// dnsFramer cuts DNS over TCP into messages.
type dnsFramer struct {
	sides [2]dnsSide
}

type dnsSide struct {
	head [2]byte
	have uint8 // bytes of the length
	left int   // of the message, still to come
	kept []byte
	skip bool // the message is not kept
	lost bool
}

func newDNS(*conn) framer { return &dnsFramer{} }

func (d *dnsFramer) data(c *conn, up bool, b []byte) {
	s := &d.sides[sideOf(up)]
	if s.lost {
		if sniffDNS(b) != yes {
			return
		}
		s.lost = false
	}
	for len(b) > 0 {
		if s.have < 2 {
			if s.have == 0 {
				c.begin(up)
			}
			n := copy(s.head[s.have:], b)
			s.have, b = s.have+uint8(n), b[n:]
			s.left = int(binary.BigEndian.Uint16(s.head[:]))
			if s.have == 2 && s.left == 0 {
				s.have = 0
			}
			continue
		}
		n := min(s.left, len(b))
		d.take(c, up, s, b[:n])
		b = b[n:]
	}
}

// take takes a piece of the message that is being read, and hands it on where that ends it.
func (d *dnsFramer) take(c *conn, up bool, s *dnsSide, b []byte) {
	s.left -= len(b)
	if s.left == 0 && len(s.kept) == 0 && !s.skip {
		d.say(c, up, b, 0) // whole, as it came
		s.have = 0
		return
	}
	switch {
	case s.skip:
	case len(s.kept)+len(b) > dnsMost || !c.reserve(len(b)):
		d.give(c, up, s, CutLimit)
		s.skip = true
	default:
		s.kept = append(s.kept, b...)
	}
	if s.left == 0 {
		d.give(c, up, s, 0)
		s.have, s.skip = 0, false
	}
}

// give hands on what was kept and forgets it.
func (d *dnsFramer) give(c *conn, up bool, s *dnsSide, cut Cut) {
	if len(s.kept) > 0 {
		d.say(c, up, s.kept, cut)
	}
	c.release(len(s.kept))
	s.kept = nil
}

func (d *dnsFramer) say(c *conn, up bool, b []byte, cut Cut) {
	if len(b) < dnsHeader || cut == 0 && !dnsBegins(b) {
		return
	}
	c.e.learn(c, up, b)
	c.emit(up, Flow{Proto: ProtoDNS, Payload: b, Cut: cut})
}

func (d *dnsFramer) hole(c *conn, up bool, _ int64) {
	s := &d.sides[sideOf(up)]
	d.give(c, up, s, CutHole)
	*s = dnsSide{lost: true}
}

func (d *dnsFramer) end(c *conn) {
	for _, up := range [...]bool{true, false} {
		d.give(c, up, &d.sides[sideOf(up)], CutEnd)
	}
}
