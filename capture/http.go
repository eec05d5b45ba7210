package capture

import (
	"bytes"
	"net/netip"
	"strings"
	"time"
)

const nameHTTP = "HTTP/1."

// stage is where in a message the reader of one side is.
type stage uint8

const (
	atStart stage = iota
	inHead
	inBody
	adrift // until a segment begins like a message
)

// httpConn cuts an HTTP conversation into messages.
type httpConn struct {
	sides    [2]httpSide // of the client, of the server
	waiting  []waiting   // requests that were not answered, in order
	piped    bool        // there was more than one at once
	doubt    [2]bool     // packets of the client, of the server are missing since the last request
	unpaired bool        // nobody knows which answer is whose
	asked    bool        // a request was seen
	answered bool        // an answer was seen
	ahead    int         // answers that came since the last request and before theirs
	strayed  time.Time   // when the last of them came
	stopped  bool        // this is HTTP no longer: a tunnel, or another protocol
	tunnel   *tunnel     // for RTSP; nil: it is none
	gapFrame int         // packet behind which the client's last gap was found
	last     time.Time   // when something was said
	lastUp   bool        // by the client
}

type httpSide struct {
	stage stage
	in    keep // an incomplete head
	msg   *httpMessage
}

// httpMessage is a message whose body is being read.
type httpMessage struct {
	m       *Message // nil: a multipart body of which the beginning was not captured
	request *Message // that an answer is for; nil: unseen
	size    int      // bytes reserved for heads and parts
	answer  bool
	bare    bool // its request is unseen: the answer may have no body
	endless bool // each part is handed on by itself
	extent  extent
	content content
	parts   *multipart
	list    []Part
	text    int // bytes of text in list
	cut     Cut // of every flow
	head    Cut // of the request's head
}

func newHTTP(*conn) framer { return &httpConn{} }

func (h *httpConn) side(up bool) *httpSide {
	if up {
		return &h.sides[0]
	}
	return &h.sides[1]
}

func (h *httpConn) data(c *conn, up bool, b []byte) {
	if !h.stopped && len(b) > 0 && h.resume(c, up, b) {
		for len(b) > 0 && !h.stopped {
			up, b = h.step(c, up, b)
		}
	}
	if h.tunnel != nil && len(b) > 0 {
		h.tunnel.data(c, up, b)
	}
	if h.stopped {
		return
	}
	h.last, h.lastUp = c.at, up
}

// step goes on by a head or a piece of a body.
func (h *httpConn) step(c *conn, up bool, b []byte) (bool, []byte) {
	switch h.side(up).stage {
	case atStart:
		return h.start(c, up, b)
	case inHead:
		return h.head(c, up, b)
	case inBody:
		return up, h.body(c, up, b)
	}
	return up, nil
}

// resume decides, where a segment begins, whether it is of use.
func (h *httpConn) resume(c *conn, up bool, b []byte) bool {
	s := h.side(up)
	if s.stage == adrift {
		if sniffHTTP(b) != yes {
			return false
		}
		s.stage = atStart
		return true
	}
	m := s.msg
	if m == nil {
		return true
	}
	if m.mayEnd(len(h.waiting) > 0) && b[0] >= 'A' && b[0] <= 'Z' && sniffMessage(b, nameHTTP, isTarget) == yes {
		var cut Cut
		if m.content.size > 0 {
			cut = CutEnd
		}
		h.finish(c, up, cut)
		return true
	}
	return m.extent.regain(b)
}

// mayEnd reports whether a message that does not say where it ends may end before a segment that begins
// like the next one.
func (m *httpMessage) mayEnd(asked bool) bool {
	return m.m == nil || m.extent.framing == framedClose && asked || m.extent.chunk == chunkLost
}

// start looks at the first bytes of a message.
func (h *httpConn) start(c *conn, up bool, b []byte) (bool, []byte) {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	if len(b) == 0 {
		return up, nil
	}
	s := h.side(up)
	switch {
	case b[0] == '-':
		return h.startParts(c, up, b)
	case sniffMessage(b, nameHTTP, isTarget) == no:
		h.astray(c, up)
	default:
		s.stage = inHead
		c.begin(up)
	}
	return up, b
}

// astray gives up on a side until a segment begins like a message. How many there are until then nobody knows.
func (h *httpConn) astray(c *conn, up bool) {
	h.side(up).stage = adrift
	h.lost(c, up)
}

// startParts begins in the middle of a multipart body. Forms are sent by clients, everything else like it by servers.
func (h *httpConn) startParts(c *conn, up bool, b []byte) (bool, []byte) {
	if sniffPart(b) != yes {
		h.astray(c, up)
		return up, nil
	}
	if bytes.Contains(b[:min(len(b), maxField)], []byte("form-data")) != up && h.unknownSides(c) {
		up = h.turn(c, up)
	}
	cut := CutHole
	if c.mid {
		cut = CutStart
	}
	s := h.side(up)
	s.stage = inBody
	s.msg = &httpMessage{endless: true, answer: !up, extent: extent{framing: framedClose}, parts: &multipart{}, cut: cut}
	c.begin(up)
	return up, b
}

// unknownSides reports whether it was only guessed who asks.
func (h *httpConn) unknownSides(c *conn) bool { return c.mid && !h.asked && !h.answered }

// turn takes the client for the server.
func (h *httpConn) turn(c *conn, up bool) bool {
	c.client = 1 - c.client
	h.sides[0], h.sides[1] = h.sides[1], h.sides[0]
	return !up
}

// head reads the head of a message.
func (h *httpConn) head(c *conn, up bool, b []byte) (bool, []byte) {
	s := h.side(up)
	whole, rest, state := s.in.head(c, b)
	if state == wait {
		return up, nil
	}
	p, ok := head{}, false
	if state == yes {
		p, ok = parseHeadInto(c.e.messages.take(), whole, nameHTTP)
	}
	s.in.drop(c)
	if ok && (p.m.Status == 0) != up {
		if ok = h.unknownSides(c); ok {
			up = h.turn(c, up)
			s = h.side(up)
		}
	}
	if !ok {
		h.astray(c, up)
		return up, nil
	}
	s.stage = atStart
	if up {
		h.request(c, &p)
	} else {
		h.answer(c, &p)
	}
	return up, rest
}

// head completes a head with what of b belongs to it. wait: there is more to come; no: it is too long, or there is no room.
// What it returns is valid until the next use of k.
func (k *keep) head(c *conn, b []byte) (whole, rest []byte, state verdict) {
	had := len(k.b)
	all := b
	if had > 0 {
		room := b[:min(len(b), maxHead-had)]
		if !k.add(c, room, maxHead) {
			return nil, nil, no
		}
		all = k.b
	}
	end := headEnd(all, had)
	switch {
	case end > maxHead, end < 0 && len(all) >= maxHead, end < 0 && had == 0 && !k.add(c, b, maxHead):
		return nil, nil, no
	case end < 0:
		return nil, nil, wait
	}
	return all[:end], b[end-had:], yes
}

// request begins the body of a request.
func (h *httpConn) request(c *conn, p *head) {
	h.asked = true
	if name := hostOf(p.host); name != "" {
		c.name(name, "http")
	}
	h.ask(c, p)
	h.last, h.lastUp = c.at, true
	m := c.e.bodies.take()
	m.m, m.head = p.m, p.m.Cut
	if p.length > 0 {
		m.extent = extent{framing: framedLength, left: p.length}
	}
	if p.chunked {
		m.extent = extent{framing: framedChunks}
	}
	p.muddled = p.muddled || p.wrapped && !p.chunked
	h.open(c, true, m, p)
}

// answer begins the body of an answer.
func (h *httpConn) answer(c *conn, p *head) {
	h.answered = true
	if status := p.m.Status; status < 200 && status != 101 {
		c.e.forgo(p.m)
		return // the answer is yet to come
	}
	w, known := h.answerTo(c)
	m := c.e.bodies.take()
	m.m, m.request, m.size, m.answer, m.bare = p.m, w.m, w.size, true, !known
	switch {
	case p.m.Status == 101 || w.tube && p.m.Status < 300:
		h.open(c, false, m, &head{m: p.m, bytes: p.bytes})
		h.stop(c)
		if w.tube {
			c.anew()
		}
		return
	case w.bare || p.m.Status == 204 || p.m.Status == 304:
		p.length, p.muddled, p.tunnel = 0, false, false
	case p.chunked:
		m.extent.framing = framedChunks
	case p.length == noLength, p.wrapped:
		m.extent.framing = framedClose
	case p.length > 0:
		m.extent = extent{framing: framedLength, left: p.length}
	}
	h.open(c, false, m, p)
}

// open begins to read the body of a message, or hands it on where it has none that can be read.
func (h *httpConn) open(c *conn, up bool, m *httpMessage, p *head) {
	if c.reserve(p.bytes) {
		m.size += p.bytes
	} else {
		m.m.Header, m.m.Target, m.m.Cut = nil, strings.Clone(m.m.Target), m.m.Cut|CutLimit
	}
	s := h.side(up)
	s.msg, s.stage = m, inBody
	multi := strings.HasPrefix(p.media, "multipart/") && p.coding == ""
	if m.content.media, m.content.coding = dropped(p.media), p.coding; multi {
		m.parts = &multipart{}
		m.endless = p.media == "multipart/x-mixed-replace" || m.answer && m.extent.framing != framedLength
	}
	switch {
	case p.tunnel:
		m.m.Size = -1
		m.content.size = -1
		t := newTunnel(c, m.m)
		h.finish(c, up, CutLimit)
		h.stop(c)
		h.tunnel, c.proto, c.deaf = t, ProtoRTSP, false
	case p.muddled, p.length == badLength && !p.chunked && !p.wrapped: // a guess would make messages of bodies
		m.content.size = -1
		h.finish(c, up, CutLimit)
		h.astray(c, up)
	case m.extent.framing == framedNot:
		h.finish(c, up, 0)
	}
}

// body reads a body as far as it goes.
func (h *httpConn) body(c *conn, up bool, b []byte) []byte {
	s := h.side(up)
	m := s.msg
	if m.bare && m.content.size == 0 && sniffMessage(b, nameHTTP, isTarget) == yes && b[0] == 'H' { // it was for HEAD
		h.finish(c, up, 0)
		return b
	}
	skip, n, done, ok := m.extent.span(b)
	if n > 0 {
		h.take(c, up, m, b[skip:skip+n], done)
	}
	switch {
	case !ok:
		h.finish(c, up, CutLimit)
		h.astray(c, up)
		return nil
	case done:
		h.finish(c, up, 0)
	}
	return b[skip+n:]
}

func (h *httpConn) take(c *conn, up bool, m *httpMessage, b []byte, last bool) {
	if m.parts != nil && m.content.size == 0 && !m.endless && isDocument(b) { // some firmware says "multipart" and sends one text
		m.parts, m.content.media = nil, false
	}
	if m.parts == nil {
		m.content.take(c, b, last)
		return
	}
	m.content.size += int64(len(b))
	m.parts.take(c, b, func(p *Part) { h.part(c, up, m, p) })
}

// part takes a part: of an endless body it is handed on, of another kept until the message is complete.
func (h *httpConn) part(c *conn, up bool, m *httpMessage, p *Part) {
	if m.endless {
		f := Flow{Proto: ProtoPart, Request: m.request, Part: p, Cut: p.Cut | m.cut}
		if m.answer {
			f.Answer = m.m
		} else {
			f.Request = m.m
		}
		c.emit(up, f)
		c.begin(up)
		return
	}
	if len(m.list) >= maxParts {
		m.content.cut |= CutLimit
		return
	}
	if n := len(p.Body); n > 0 {
		if m.text+n <= maxBody && c.reserve(n) {
			p.Body = bytes.Clone(p.Body)
			m.text += n
			m.size += n
		} else {
			p.Body, p.Cut = nil, p.Cut|CutLimit
			m.content.cut |= CutLimit
		}
	}
	m.list = append(m.list, *p)
}

// finish hands on a message, and gives back what it held.
func (h *httpConn) finish(c *conn, up bool, cut Cut) {
	s := h.side(up)
	m := s.msg
	s.msg, s.stage = nil, atStart
	if m.parts != nil {
		m.parts.end(c, cut, func(p *Part) { h.part(c, up, m, p) })
	}
	if m.m != nil {
		m.m.Size = m.content.size
		if m.parts == nil {
			m.m.Body = m.content.text(c)
		}
		m.m.Parts = m.list
		m.m.Cut |= cut | m.content.cut
		f := Flow{Proto: ProtoHTTP, Request: m.request, Answer: m.m, Cut: m.m.Cut | m.cut}
		if !m.answer {
			f.Request, f.Answer = m.m, nil
		}
		c.emit(up, f)
	}
	m.content.held.drop(c)
	c.release(m.size)
	if m.m != nil && !m.answer { // the answer will come with its head
		m.m.Body, m.m.Parts, m.m.Size, m.m.Cut = nil, nil, -1, m.head
	}
	c.e.forgo(m.m)
	c.e.forgo(m.request)
	c.e.bodies.put(m, httpMessage{})
}

func (h *httpConn) hole(c *conn, up bool, n int64) {
	if h.tunnel != nil {
		h.tunnel.hole(c, up, n)
	}
	if h.stopped {
		return
	}
	h.lost(c, up)
	s := h.side(up)
	m := s.msg
	switch {
	case m == nil:
		s.in.drop(c)
		s.stage = adrift
	case m.endless && m.extent.framing != framedLength, m.extent.framing == framedClose:
		h.miss(c, up, m)
		m.extent.lose()
	default:
		h.finish(c, up, CutHole)
		s.stage = adrift
	}
}

// miss says that bytes of the body are missing.
func (h *httpConn) miss(c *conn, up bool, m *httpMessage) {
	m.content.miss()
	if m.parts != nil {
		m.parts.lose(c, func(p *Part) { h.part(c, up, m, p) })
	}
}

func (h *httpConn) end(c *conn) {
	for _, up := range [...]bool{true, false} {
		s := h.side(up)
		if m := s.msg; m != nil {
			cut := CutEnd
			if m.extent.framing == framedClose && c.said(up) {
				cut = 0
			}
			h.finish(c, up, cut)
		}
		s.in.drop(c)
	}
	h.forget(c)
	if h.tunnel != nil {
		h.tunnel.end(c)
		h.tunnel = nil
	}
}

// said reports whether a side said everything it had to say, and all of it was seen.
func (c *conn) said(up bool) bool {
	h := &c.halves[c.side(up)]
	return h.closing && int32(h.next-h.last) >= 0
}

// stop ends the reading: what follows is another protocol, and not read.
func (h *httpConn) stop(c *conn) {
	h.end(c)
	h.stopped, c.deaf = true, true
}

// hostOf returns the name of a Host field without its port; empty where it is none, or an address.
func hostOf(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.Trim(host, "[]")
	if len(host) > 253 {
		return ""
	}
	if len(host) == 0 || host[len(host)-1] >= '0' && host[len(host)-1] <= '9' || strings.IndexByte(host, ':') >= 0 {
		if _, err := netip.ParseAddr(host); err == nil || host == "" {
			return ""
		}
	}
	for i := range len(host) {
		if b := host[i]; b <= ' ' || b >= 0x7f || strings.IndexByte(`/\@?#"'<>`, b) >= 0 {
			return ""
		}
	}
	return strings.ToLower(host)
}
