package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// Control packets of MQTT (OASIS MQTT 3.1.1, 2.2.1; MQTT 5, 2.1.2).
const (
	mqttConnect = 1
	mqttPublish = 3
)

const (
	mqttTopic   = 1 << 10   // longest topic that is read
	mqttPayload = 256 << 10 // bytes of a payload that are handed on
	mqttHead    = 4 << 10   // of what precedes the payload: topic and properties
	mqttAliases = 64        // topics that numbers stand for, for each side
	mqttLook    = 64        // bytes of a payload that show whether it is text

	mqttAliasProperty = 0x23
	mqttLevel5        = 5
	mqttBridge        = 0x80
)

// mqttBegins reads a fixed header: the packet's type with its flags, and its length. size is 0 where b ends before it does, and
// -1 where it is none.
func mqttBegins(b []byte) (first byte, length, size int) {
	if kind := b[0] >> 4; kind == 0 || kind == mqttPublish && b[0]&6 == 6 || kind != mqttPublish && b[0]&0xf != mqttFlags(kind) {
		return 0, 0, -1
	}
	for i := 1; i < 5; i++ {
		if i >= len(b) {
			return 0, 0, 0
		}
		length |= int(b[i]&0x7f) << (7 * (i - 1))
		if b[i] < 0x80 {
			return b[0], length, i + 1
		}
	}
	return 0, 0, -1
}

// mqttFlags are the bits every packet but PUBLISH has beside its type.
func mqttFlags(kind byte) byte {
	switch kind {
	case 6, 8, 10:
		return 2
	}
	return 0
}

// mqttProtocol reads the protocol's name and level at the beginning of a CONNECT's body; of the level, a bridge between brokers
// sets the highest bit. size is 0 where more is wanted, -1 where it is none.
func mqttProtocol(b []byte) (level byte, size int) {
	for _, name := range [...]string{"\x00\x04MQTT", "\x00\x06MQIsdp"} {
		if n := min(len(b), len(name)); string(b[:n]) != name[:n] {
			continue
		}
		if len(b) <= len(name) {
			return 0, 0
		}
		level = b[len(name)]
		if l := level &^ mqttBridge; l < 3 || l > 5 {
			return 0, -1
		}
		return level, len(name) + 1
	}
	return 0, -1
}

// sniffMQTT recognises a conversation that begins with CONNECT.
func sniffMQTT(b []byte) verdict {
	if b[0] != mqttConnect<<4 {
		return no
	}
	_, length, size := mqttBegins(b)
	if size == 0 {
		return wait
	}
	if size < 0 || length < 10 {
		return no
	}
	switch _, n := mqttProtocol(b[size:]); {
	case n < 0:
		return no
	case n == 0:
		return wait
	}
	return yes
}

// sniffMQTTMid recognises, at MQTT's own port, a conversation that had begun before: packets that follow each other to the end of
// b, and of which at least one cannot be much else.
func sniffMQTTMid(b []byte) verdict {
	if v := sniffMQTT(b); v != no {
		return v
	}
	if mqttChain(b) {
		return yes
	}
	return no
}

// mqttChain reports whether b is packets of MQTT, one after the other, as far as it goes.
func mqttChain(b []byte) bool {
	sure := false
	for len(b) > 0 {
		first, length, size := mqttBegins(b)
		if size < 0 {
			return false
		}
		if size == 0 {
			break
		}
		body := b[size:min(len(b), size+length)]
		switch kind := first >> 4; {
		case kind == mqttConnect:
			if _, n := mqttProtocol(body); n < 0 {
				return false
			}
			sure = true
		case kind == mqttPublish:
			if length < 2 {
				return false
			}
			if len(body) >= 2 {
				n := int(binary.BigEndian.Uint16(body))
				if n > length-2 || n > mqttTopic || !mqttName(body[2:min(len(body), 2+n)], len(body) < 2+n) {
					return false
				}
				sure = sure || n > 0
			}
		case kind == 12 || kind == 13: // pings have no body
			if length != 0 {
				return false
			}
			sure = sure || len(b) == 2
		case kind >= 4 && kind <= 7:
			if length < 2 || length > 1<<10 {
				return false
			}
			sure = sure || length == 2 && len(b) == 4
		default:
			if length > mqttHead {
				return false
			}
			sure = sure || len(b) == size+length && length >= 2
		}
		b = b[min(len(b), size+length):]
	}
	return sure
}

// mqttName reports whether b is the name of a topic: text, without the signs that stand for many.
func mqttName(b []byte, cut bool) bool {
	if cut { // perhaps within a character
		for i := 0; i < 3 && len(b) > 0 && !utf8.Valid(b); i++ {
			b = b[:len(b)-1]
		}
	}
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' || r == 0x7f || r == '#' || r == '+' })
}

// mqttFramer cuts MQTT into messages. Of CONNECT nothing is kept but which version it speaks: client, user and password are in it.
type mqttFramer struct {
	sides  [2]mqttSide
	level  byte // of the protocol; 0: not known
	bridge bool // the client is a broker too: what it publishes is others' word, and would be taken for its own
}

// mqttState is what of a packet comes next.
type mqttState uint8

const (
	mqttFixed   mqttState = iota // its type and length
	mqttBody                     // what precedes a payload
	mqttText                     // a payload that is kept
	mqttSkipped                  // what is not looked at
	mqttLost                     // where a packet begins is not known
)

type mqttSide struct {
	state   mqttState
	first   byte
	left    int    // of the packet, still to come
	kept    []byte // of what is being read and came in pieces; counted against the engine's budget
	topic   string
	known   bool // the topic is
	aliases map[uint16]string
}

func newMQTT(*conn) framer { return &mqttFramer{} }

func (m *mqttFramer) data(c *conn, up bool, b []byte) {
	s := &m.sides[sideOf(up)]
	if s.state == mqttLost {
		if !mqttChain(b) {
			return
		}
		s.state = mqttFixed
	}
	for len(b) > 0 && s.state != mqttLost {
		switch s.state {
		case mqttFixed:
			b = m.fixed(c, up, s, b)
		case mqttBody:
			b = m.body(c, up, s, b)
		case mqttText:
			b = m.text(c, up, s, b)
		default:
			n := min(s.left, len(b))
			s.left, b = s.left-n, b[n:]
		}
		if s.left == 0 && s.state != mqttFixed && s.state != mqttLost {
			s.state = mqttFixed
		}
	}
}

// fixed reads a packet's type and length.
func (m *mqttFramer) fixed(c *conn, up bool, s *mqttSide, b []byte) []byte {
	head := b
	if len(s.kept) > 0 {
		head = append(s.kept, b[:min(len(b), 5-len(s.kept))]...) // at most five bytes
	} else {
		c.begin(up)
	}
	first, length, size := mqttBegins(head)
	switch {
	case size < 0:
		m.lose(c, s)
		return nil
	case size == 0:
		if !m.keep(c, s, b) {
			m.lose(c, s)
		}
		return nil
	}
	b = b[size-len(s.kept):]
	m.forget(c, s)
	s.first, s.left, s.topic, s.known = first, length, "", false
	switch first >> 4 {
	case mqttConnect, mqttPublish:
		s.state = mqttBody
	default:
		s.state = mqttSkipped
	}
	if length == 0 {
		s.state = mqttFixed
	}
	return b
}

// body reads what precedes the payload of a PUBLISH, and the version a CONNECT speaks.
func (m *mqttFramer) body(c *conn, up bool, s *mqttSide, b []byte) []byte {
	part := b[:min(len(b), s.left)]
	head := part
	if len(s.kept) > 0 {
		head = append(s.kept, part[:min(len(part), max(0, mqttHead-len(s.kept)))]...)
	}
	ends := len(part) == s.left
	read := m.publish
	if s.first>>4 == mqttConnect {
		read = m.connect
	}
	size, v := read(c, up, s, head, ends)
	if v == wait && !ends && len(head) < mqttHead && m.keep(c, s, part) {
		s.left -= len(part)
		return b[len(part):]
	}
	if v == yes && size < len(s.kept) { // what was kept as properties is payload
		over := len(s.kept) - size
		s.left += over
		b = slices.Concat(s.kept[size:], b)
		s.kept = s.kept[:size]
		c.release(over)
	}
	n := size - len(s.kept)
	m.forget(c, s)
	s.state = mqttSkipped
	if v != yes {
		return b
	}
	s.left -= n
	if s.known {
		s.state = mqttText
		if s.left == 0 {
			m.say(c, up, s, nil, 0)
		}
	}
	return b[n:]
}

// connect reads the version, and reports where it ends.
func (m *mqttFramer) connect(c *conn, up bool, _ *mqttSide, b []byte, _ bool) (size int, v verdict) {
	level, size := mqttProtocol(b)
	switch {
	case size < 0:
		return 0, no
	case size == 0:
		return 0, wait
	}
	m.level, m.bridge = level&^mqttBridge, level&mqttBridge != 0
	c.emit(up, Flow{Proto: ProtoMQTT})
	return size, yes
}

// publish reads topic, identifier and properties, and reports where they end. ends: nothing follows b in the packet.
func (m *mqttFramer) publish(c *conn, _ bool, s *mqttSide, b []byte, ends bool) (size int, v verdict) {
	if len(b) < 2 {
		return 0, wait
	}
	n := int(binary.BigEndian.Uint16(b))
	size = 2 + n
	if s.first>>1&3 > 0 {
		size += 2 // an identifier, which is acknowledged
	}
	if n > mqttTopic {
		return 0, no
	}
	if len(b) < size {
		return 0, wait
	}
	topic := b[2 : 2+n]
	if !mqttName(topic, false) {
		return 0, no
	}
	alias, more, v := m.properties(b[size:], ends)
	if v == yes {
		m.resolve(c, s, topic, alias)
	}
	return size + more, v
}

// properties reads what version 5 has before the payload. Where the version is not known, what cannot be properties is the payload
// of an older one.
func (m *mqttFramer) properties(b []byte, ends bool) (alias uint16, size int, v verdict) {
	if m.level != 0 && m.level != mqttLevel5 {
		return 0, 0, yes
	}
	alias, size, v = mqttProperties(b)
	if m.level == 0 && (v == no || v == wait && ends) {
		return 0, 0, yes
	}
	return alias, size, v
}

// mqttProperties reads the properties of a PUBLISH (MQTT 5, 3.3.2.3), of which only the topic's alias is of use.
func mqttProperties(b []byte) (alias uint16, size int, v verdict) {
	length, at, v := mqttVarint(b)
	if v != yes {
		return 0, 0, v
	}
	r := &bites{b: b[at:min(len(b), at+length)]}
	for len(r.b) > 0 {
		switch r.number(1) {
		case 0x01:
			r.number(1)
		case 0x02:
			r.number(4)
		case 0x03, 0x08, 0x09:
			r.list(2)
		case 0x26:
			r.list(2)
			r.list(2)
		case 0x0b:
			_, n, ok := mqttVarint(r.b)
			if ok != yes {
				r.bad = true
			} else {
				r.take(n)
			}
		case mqttAliasProperty:
			alias = uint16(r.number(2))
		default:
			return 0, 0, no
		}
		if r.bad && len(b) >= at+length {
			return 0, 0, no
		}
		if r.bad {
			break
		}
	}
	if len(b) < at+length {
		return 0, 0, wait
	}
	return alias, at + length, yes
}

// mqttVarint reads an integer of one to four bytes.
func mqttVarint(b []byte) (n, size int, v verdict) {
	for i := range 4 {
		if i >= len(b) {
			return 0, 0, wait
		}
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n, i + 1, yes
		}
	}
	return 0, 0, no
}

// resolve finds the topic a number stands for, or notes what a number stands for from now on.
func (m *mqttFramer) resolve(c *conn, s *mqttSide, topic []byte, alias uint16) {
	if len(topic) == 0 {
		s.topic, s.known = s.aliases[alias], s.aliases[alias] != ""
		return
	}
	s.topic, s.known = string(topic), true
	if alias == 0 {
		return
	}
	old, there := s.aliases[alias]
	if there {
		c.release(mqttAlias(old))
		delete(s.aliases, alias)
	}
	if len(s.aliases) >= mqttAliases || !c.reserve(mqttAlias(s.topic)) {
		return
	}
	if s.aliases == nil {
		s.aliases = map[uint16]string{}
	}
	s.aliases[alias] = s.topic
}

// mqttAlias is what an alias costs of the engine's budget.
func mqttAlias(topic string) int { return len(topic) + 64 }

// text reads a payload, as long as it is text. A picture is told by its first bytes and not kept.
func (m *mqttFramer) text(c *conn, up bool, s *mqttSide, b []byte) []byte {
	part := b[:min(len(b), s.left)]
	b = b[len(part):]
	s.left -= len(part)
	if len(s.kept) < mqttLook && !mqttReadable(part[:min(len(part), mqttLook)]) {
		m.forget(c, s)
		m.say(c, up, s, nil, 0)
		s.state = mqttSkipped
		return b
	}
	whole := part
	switch room := mqttPayload - len(s.kept); {
	case len(s.kept) == 0 && s.left == 0 && len(part) <= mqttPayload: // whole, as it came
	case len(part) > room:
		m.keep(c, s, part[:room])
		m.give(c, up, s, CutLimit)
		s.state = mqttSkipped
		return b
	case !m.keep(c, s, part):
		m.give(c, up, s, CutLimit)
		s.state = mqttSkipped
		return b
	default:
		whole = s.kept
	}
	if s.left == 0 {
		m.say(c, up, s, whole, 0)
		m.forget(c, s)
	}
	return b
}

// mqttReadable reports whether b has none of the bytes that text has not: every picture has some among its first.
func mqttReadable(b []byte) bool {
	if len(b) > 1 && (b[0] == 0xff && b[1] == 0xd8 || b[0] == 0x89 && b[1] == 'P') {
		return false
	}
	for _, x := range b {
		if x < ' ' && x != '\t' && x != '\n' && x != '\r' || x == 0x7f {
			return false
		}
	}
	return true
}

// say hands on a message; its payload only where all of it is text.
func (m *mqttFramer) say(c *conn, up bool, s *mqttSide, payload []byte, cut Cut) {
	if m.bridge && up {
		return
	}
	if !mqttReadable(payload) {
		payload = nil
	}
	c.emit(up, Flow{Proto: ProtoMQTT, Topic: s.topic, Payload: payload, Cut: cut})
}

// give hands on what was kept of a payload, and forgets it.
func (m *mqttFramer) give(c *conn, up bool, s *mqttSide, cut Cut) {
	if s.state == mqttText && len(s.kept) > 0 {
		m.say(c, up, s, s.kept, cut)
	}
	m.forget(c, s)
}

// keep adds to what is read in pieces. It reports false where there is no room for it.
func (m *mqttFramer) keep(c *conn, s *mqttSide, b []byte) bool {
	if !c.reserve(len(b)) {
		return false
	}
	s.kept = append(s.kept, b...)
	return true
}

func (m *mqttFramer) forget(c *conn, s *mqttSide) {
	c.release(len(s.kept))
	s.kept = nil
}

// lose gives up finding the next packet until one begins with a segment.
func (m *mqttFramer) lose(c *conn, s *mqttSide) {
	m.forget(c, s)
	for _, t := range s.aliases {
		c.release(mqttAlias(t)) // what they stood for may have changed meanwhile
	}
	*s = mqttSide{state: mqttLost}
}

func (m *mqttFramer) hole(c *conn, up bool, _ int64) {
	s := &m.sides[sideOf(up)]
	m.give(c, up, s, CutHole)
	m.lose(c, s)
}

func (m *mqttFramer) end(c *conn) {
	for _, up := range [...]bool{true, false} {
		s := &m.sides[sideOf(up)]
		m.give(c, up, s, CutEnd)
		m.lose(c, s)
	}
}
