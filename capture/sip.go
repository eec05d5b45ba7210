package capture

import (
	"bytes"
	"strings"
)

const (
	nameSIP    = "SIP/2."
	maxSIPBody = 1 << 20 // no message has more; what says so lies
)

// sniffSIP knows SIP by a request or status line.
func sniffSIP(b []byte) verdict { return sniffMessage(b, nameSIP, isSIPTarget) }

// isSIPTarget reports whether b begins like a URI of SIP.
func isSIPTarget(b []byte) bool {
	for _, scheme := range [...]string{"sip:", "sips:", "tel:"} {
		if n := min(len(b), len(scheme)); strings.EqualFold(string(b[:n]), scheme[:n]) {
			return true
		}
	}
	return false
}

// udpSIP takes a datagram that holds a SIP message, and reports whether it does. What the head says of the body's length may
// be less than there is, and then counts.
func udpSIP(c *conn, up bool, b []byte) bool {
	b = bytes.TrimLeft(b, "\r\n")
	if len(b) == 0 || sniffSIP(b) != yes {
		return false
	}
	cut := c.cut
	end := headEnd(b, 0)
	whole := b[:max(end, 0)]
	if end < 0 {
		end, cut = len(b), cut|CutHole
		whole = b[:bytes.LastIndexByte(b, '\n')+1]
	}
	if len(whole) > maxHead {
		return false
	}
	p, ok := parseHeadInto(c.e.messages.take(), whole, nameSIP)
	defer c.e.forgo(p.m)
	if !ok {
		return false
	}
	body := b[end:]
	switch {
	case p.length >= 0 && p.length < int64(len(body)):
		body = body[:p.length]
	case p.length > int64(len(body)), p.length == badLength:
		cut |= CutHole
	}
	t := content{media: dropped(p.media), coding: p.coding, cut: cut}
	t.take(c, body, true)
	emitSIP(c, up, &p, &t)
	return true
}

// emitSIP hands on a message.
func emitSIP(c *conn, up bool, p *head, t *content) {
	p.m.Size = t.size
	p.m.Body = t.text(c)
	p.m.Cut |= t.cut
	f := Flow{Proto: ProtoSIP, Request: p.m, Cut: p.m.Cut}
	if p.m.Status != 0 {
		f.Request, f.Answer = nil, p.m
	}
	c.emit(up, f)
	t.held.drop(c)
}

// sipConn cuts a SIP conversation over TCP into messages.
type sipConn struct{ sides [2]sipSide }

type sipSide struct {
	stage   stage
	in      keep
	head    head
	extent  extent
	content content
}

func newSIP(*conn) framer { return &sipConn{} }

func (h *sipConn) side(up bool) *sipSide {
	if up {
		return &h.sides[0]
	}
	return &h.sides[1]
}

func (h *sipConn) data(c *conn, up bool, b []byte) {
	s := h.side(up)
	if s.stage == adrift {
		if sniffSIP(b) != yes {
			return
		}
		s.stage = atStart
	}
	for len(b) > 0 && s.stage != adrift {
		switch s.stage {
		case inHead:
			b = s.readHead(c, up, b)
		case inBody:
			_, n, done, _ := s.extent.span(b)
			s.content.take(c, b[:n], done)
			if b = b[n:]; done {
				s.finish(c, up, 0)
			}
		default:
			b = s.start(c, up, b)
		}
	}
}

// start passes over the line ends that keep a connection alive (RFC 5626 3.5.1), and finds a message.
func (s *sipSide) start(c *conn, up bool, b []byte) []byte {
	switch {
	case b[0] == '\r' || b[0] == '\n':
		return b[1:]
	case sniffSIP(b) == no:
		s.stage = adrift
		return nil
	}
	s.stage = inHead
	c.begin(up)
	return b
}

func (s *sipSide) readHead(c *conn, up bool, b []byte) []byte {
	whole, rest, state := s.in.head(c, b)
	if state == wait {
		return nil
	}
	ok := state == yes
	if ok {
		s.head, ok = parseHead(whole, nameSIP)
	}
	s.in.drop(c)
	if !ok || s.head.length > maxSIPBody || s.head.length == badLength {
		s.stage, s.head = adrift, head{}
		return nil
	}
	if !c.reserve(s.head.bytes) {
		s.head.m.Header, s.head.m.Target, s.head.m.Cut, s.head.bytes = nil, strings.Clone(s.head.m.Target), s.head.m.Cut|CutLimit, 0
	}
	s.stage = inBody
	s.content = content{media: dropped(s.head.media), coding: s.head.coding}
	if s.extent = (extent{framing: framedLength, left: s.head.length}); s.head.length <= 0 {
		s.finish(c, up, 0)
	}
	return rest
}

func (s *sipSide) finish(c *conn, up bool, cut Cut) {
	s.content.cut |= cut
	emitSIP(c, up, &s.head, &s.content)
	c.release(s.head.bytes)
	s.stage, s.head, s.content = atStart, head{}, content{}
}

func (h *sipConn) hole(c *conn, up bool, _ int64) { h.side(up).stop(c, up, CutHole) }

func (s *sipSide) stop(c *conn, up bool, cut Cut) {
	if s.stage == inBody {
		s.content.closed = true
		s.finish(c, up, cut)
	}
	s.in.drop(c)
	s.stage = adrift
}

func (h *sipConn) end(c *conn) {
	h.side(true).stop(c, true, CutEnd)
	h.side(false).stop(c, false, CutEnd)
}
