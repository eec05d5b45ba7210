package capture

import (
	"bytes"
	"encoding/binary"
	"strings"
)

const (
	nameRTSP    = "RTSP/1."
	frameHead   = 4       // of an interleaved packet: "$", channel, length (RFC 2326 10.12)
	maxRTSPBody = 1 << 20 // no message has more; what says so lies
	maxChannels = 32
)

// sniffRTSP knows RTSP by a request or status line, and, where its beginning was not captured, by interleaved packets.
func sniffRTSP(b []byte) verdict {
	if len(b) > 0 && b[0] == '$' {
		return sniffFrames(b)
	}
	return sniffMessage(b, nameRTSP, isRTSPTarget)
}

// isRTSPTarget reports whether a request's target can be one of RTSP: "rtsp://…", "*", and what some clients send.
func isRTSPTarget(b []byte) bool { return b[0] == 'r' || b[0] == 'R' || b[0] == '*' || b[0] == '/' }

// sniffFrames knows interleaved packets by one that another or a message follows, or that is as long as the segment.
func sniffFrames(b []byte) verdict {
	for n := 0; ; n++ {
		size, ok := frameSize(b)
		switch {
		case !ok, size > len(b) && n == 0:
			return no
		case size >= len(b), n == 2, bytes.HasPrefix(b[size:], []byte(nameRTSP)):
			return yes
		}
		if b = b[size:]; b[0] == '$' && len(b) < frameHead+2 {
			return yes
		}
	}
}

// frameSize returns the length of the interleaved packet that b begins with, its head included.
func frameSize(b []byte) (int, bool) {
	if len(b) < frameHead+2 || b[0] != '$' || b[1] >= maxChannels || b[frameHead]>>6 != 2 {
		return 0, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	return frameHead + n, n >= 8
}

// rtspConn cuts an RTSP conversation into messages and the documents of its metadata tracks.
type rtspConn struct {
	sides    [2]rtspSide
	waiting  []rtspWaiting
	media    []sdpMedia // of the last description
	channels []channel
	index    [256]uint8 // of a channel in channels, counted from 1
	asked    bool
	over     bool // of a tunnel: it has ended, though one of its connections may go on
}

// rtspWaiting is a request that was not answered.
type rtspWaiting struct {
	up   bool
	cseq string
	m    *Message
	size int
}

// channel is what is known of an interleaved channel.
type channel struct {
	ssrc  uint32
	known bool   // a packet was seen
	other bool   // SETUP said that it is no metadata
	track *track // nil: it is none so far
}

type rtspSide struct {
	stage stage
	left  int // bytes of a packet that are passed over
	in    keep
	need  int // the length of the packet in in; 0: in holds a message's head or a packet's
	ch    uint8
	msg   *rtspMessage
}

// rtspMessage is a message whose body is being read.
type rtspMessage struct {
	m, request *Message
	size       int
	extent     extent
	content    content
}

func newRTSP(*conn) framer { return &rtspConn{} }

func (r *rtspConn) side(up bool) *rtspSide {
	if up {
		return &r.sides[0]
	}
	return &r.sides[1]
}

func (r *rtspConn) data(c *conn, up bool, b []byte) {
	s := r.side(up)
	if s.left >= len(b) { // the middle of a packet
		s.left -= len(b)
		return
	}
	if s.stage == adrift && sniffRTSP(b) == yes {
		s.stage = atStart
	}
	for len(b) > 0 {
		s = r.side(up)
		switch {
		case s.left > 0:
			n := min(s.left, len(b))
			s.left -= n
			b = b[n:]
		case s.need > 0:
			b = r.collect(c, up, b)
		case s.stage == inHead:
			up, b = r.head(c, up, b)
		case s.stage == inBody:
			b = r.body(c, up, b)
		case s.stage == adrift:
			b = r.regain(b)
			if b != nil {
				s.stage = atStart
			}
		default:
			b = r.start(c, up, b)
		}
	}
}

// regain looks for the head of a packet whose channel and source are known.
func (r *rtspConn) regain(b []byte) []byte {
	for i := 0; ; i++ {
		j := bytes.IndexByte(b[i:], '$')
		if i += j; j < 0 || len(b)-i < frameHead+12 {
			return nil
		}
		f := b[i:]
		if n := r.index[f[1]]; n > 0 && f[frameHead]>>6 == 2 && r.channels[n-1].known && binary.BigEndian.Uint32(f[frameHead+8:]) == r.channels[n-1].ssrc {
			return f
		}
	}
}

// start reads the head of a packet, or finds a message's first bytes.
func (r *rtspConn) start(c *conn, up bool, b []byte) []byte {
	s := r.side(up)
	if len(s.in.b) > 0 { // a packet's head was cut in two
		n := min(len(b), frameHead-len(s.in.b))
		if !s.in.add(c, b[:n], frameHead) {
			r.astray(c, s)
			return nil
		}
		if b = b[n:]; len(s.in.b) < frameHead {
			return nil
		}
		ch, size := s.in.b[1], int(binary.BigEndian.Uint16(s.in.b[2:]))
		s.in.clear(c)
		return r.frame(c, up, ch, size, b)
	}
	switch {
	case b[0] == '$' && len(b) < frameHead:
		if !s.in.add(c, b, frameHead) {
			r.astray(c, s)
		}
		return nil
	case b[0] == '$':
		return r.frame(c, up, b[1], int(binary.BigEndian.Uint16(b[2:])), b[frameHead:])
	case b[0] == '\r' || b[0] == '\n':
		return b[1:]
	case sniffMessage(b, nameRTSP, isRTSPTarget) == no:
		r.astray(c, s)
		return b
	}
	s.stage = inHead
	c.begin(up)
	return b
}

func (r *rtspConn) astray(c *conn, s *rtspSide) {
	s.in.drop(c)
	s.stage, s.need, s.left = adrift, 0, 0
}

// frame takes an interleaved packet of n bytes, of which b holds the beginning. What is no metadata is passed over.
func (r *rtspConn) frame(c *conn, up bool, ch uint8, n int, b []byte) []byte {
	s := r.side(up)
	f := b[:min(n, len(b))]
	k := r.channel(ch, f)
	switch {
	case k == nil || k.other:
	case k.track == nil && len(f) < min(n, sniffed):
		return r.keep(c, s, ch, n, f)
	case k.track == nil && !sniffTrack(f, len(f) < n):
	case len(f) < n:
		return r.keep(c, s, ch, n, f)
	default:
		if k.track == nil {
			k.track = &track{}
		}
		k.track.packet(c, up, f)
	}
	s.left = n - len(f)
	return b[len(f):]
}

// sniffed is how much of a packet tells whether it begins a document.
const sniffed = 64

// keep keeps the beginning of a packet of n bytes.
func (r *rtspConn) keep(c *conn, s *rtspSide, ch uint8, n int, f []byte) []byte {
	if !s.in.add(c, f, n) {
		s.left = n - len(f)
		return nil
	}
	s.need, s.ch = n, ch
	return nil
}

// channel returns what is known of the channel of a packet; nil where there are too many.
func (r *rtspConn) channel(ch uint8, f []byte) *channel {
	k := r.at(ch)
	if k != nil && len(f) >= 12 && f[0]>>6 == 2 && (f[1]&0x7f < 64 || f[1]&0x7f >= 96) {
		k.ssrc, k.known = binary.BigEndian.Uint32(f[8:]), true
	}
	return k
}

func (r *rtspConn) at(ch uint8) *channel {
	if r.index[ch] == 0 {
		if len(r.channels) >= maxChannels {
			return nil
		}
		r.channels = append(r.channels, channel{})
		r.index[ch] = uint8(len(r.channels))
	}
	return &r.channels[r.index[ch]-1]
}

// collect completes a packet of a metadata track, or as much of another as tells whether it is one.
func (r *rtspConn) collect(c *conn, up bool, b []byte) []byte {
	s := r.side(up)
	k := r.at(s.ch)
	want := s.need
	if k.track == nil {
		want = min(want, sniffed)
	}
	n := max(0, min(len(b), want-len(s.in.b)))
	switch ok := s.in.add(c, b[:n], s.need); {
	case ok && len(s.in.b) < want:
		return nil
	case ok && k.track == nil && sniffTrack(s.in.b, want < s.need):
		k.track = &track{up: up}
		if want < s.need {
			return b[n:]
		}
		fallthrough
	case ok && k.track != nil:
		k.track.packet(c, up, s.in.b)
	case !ok:
		n = 0
		if k.track != nil {
			k.track.miss(c)
		}
	}
	r.channel(s.ch, s.in.b)
	s.left = s.need - len(s.in.b)
	s.need = 0
	s.in.clear(c)
	return b[n:]
}

// head reads the head of a message.
func (r *rtspConn) head(c *conn, up bool, b []byte) (bool, []byte) {
	s := r.side(up)
	whole, rest, state := s.in.head(c, b)
	if state == wait {
		return up, nil
	}
	p, ok := head{}, false
	if state == yes {
		p, ok = parseHead(whole, nameRTSP)
	}
	s.in.drop(c)
	if !ok || p.length > maxRTSPBody || p.length == badLength {
		r.astray(c, s)
		return up, nil
	}
	if c.mid && !r.asked && (p.m.Status == 0) != up { // it was only guessed who asks
		c.client = 1 - c.client
		r.sides[0], r.sides[1] = r.sides[1], r.sides[0]
		up = !up
	}
	r.asked = true
	r.open(c, up, &p)
	return up, rest
}

// open begins the body of a message.
func (r *rtspConn) open(c *conn, up bool, p *head) {
	m := &rtspMessage{m: p.m}
	if p.m.Status == 0 {
		if name := urlHost(p.m.Target); name != "" && up {
			c.name(name, "rtsp")
		}
		r.ask(c, up, p)
	} else {
		m.request, m.size = r.answerTo(up, p.cseq)
	}
	if c.reserve(p.bytes) {
		m.size += p.bytes
	}
	s := r.side(up)
	s.msg, s.stage = m, inBody
	m.content.media = dropped(p.media)
	if p.length > 0 {
		m.extent = extent{framing: framedLength, left: p.length}
		return
	}
	r.finish(c, up, 0)
}

func (r *rtspConn) body(c *conn, up bool, b []byte) []byte {
	m := r.side(up).msg
	_, n, done, _ := m.extent.span(b)
	m.content.take(c, b[:n], done)
	if done {
		r.finish(c, up, 0)
	}
	return b[n:]
}

// finish learns from a message what its tracks are, and hands it on.
func (r *rtspConn) finish(c *conn, up bool, cut Cut) {
	s := r.side(up)
	m := s.msg
	s.msg, s.stage = nil, atStart
	m.m.Size = m.content.size
	m.m.Body = m.content.text(c)
	m.m.Cut |= cut | m.content.cut
	r.learn(c, m)
	f := Flow{Proto: ProtoRTSP, Request: m.request, Answer: m.m, Cut: m.m.Cut}
	if m.m.Status == 0 {
		f.Request, f.Answer = m.m, nil
	}
	c.emit(up, f)
	m.content.held.drop(c)
	c.release(m.size)
}

func (r *rtspConn) ask(c *conn, up bool, p *head) {
	if p.cseq == "" || !c.reserve(p.bytes) {
		return
	}
	if len(r.waiting) >= maxHeads {
		c.release(r.waiting[0].size)
		r.waiting = append(r.waiting[:0], r.waiting[1:]...)
	}
	r.waiting = append(r.waiting, rtspWaiting{up: up, cseq: p.cseq, size: p.bytes,
		m: &Message{Method: p.m.Method, Target: p.m.Target, Header: p.m.Header, Size: -1, Cut: p.m.Cut}})
}

// answerTo returns the request the other side sent with the number. What it had reserved is the caller's.
func (r *rtspConn) answerTo(up bool, cseq string) (*Message, int) {
	for i := len(r.waiting) - 1; i >= 0; i-- {
		if w := r.waiting[i]; w.up != up && w.cseq == cseq {
			r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
			return w.m, w.size
		}
	}
	return nil, 0
}

func (r *rtspConn) drop(c *conn, up bool) {
	s := r.side(up)
	if s.msg != nil {
		r.finish(c, up, CutHole)
	}
	for i := range r.channels {
		if t := r.channels[i].track; t != nil && t.up == up {
			t.miss(c)
		}
	}
	r.astray(c, s)
}

// hole passes over what is missing of a packet or a body that is long enough; behind any other hole everything begins anew.
func (r *rtspConn) hole(c *conn, up bool, n int64) {
	s := r.side(up)
	switch {
	case n == 0:
		r.drop(c, up)
	case s.left > 0 && n <= int64(s.left):
		s.left -= int(n)
	case s.need > 0 && n <= int64(s.need-len(s.in.b)):
		s.left = s.need - len(s.in.b) - int(n)
		s.need = 0
		s.in.clear(c)
		if t := r.at(s.ch).track; t != nil {
			t.miss(c)
		}
	case s.msg != nil && s.msg.extent.pass(n):
		s.msg.content.miss()
		if s.msg.extent.left == 0 {
			r.finish(c, up, CutHole)
		}
	default:
		r.drop(c, up)
	}
}

func (r *rtspConn) end(c *conn) {
	for _, up := range [...]bool{true, false} {
		s := r.side(up)
		if s.msg != nil {
			r.finish(c, up, CutEnd)
		}
		r.astray(c, s)
	}
	for i := range r.channels {
		if t := r.channels[i].track; t != nil {
			t.end(c)
		}
	}
	for i := range r.waiting {
		c.release(r.waiting[i].size)
	}
	r.waiting = nil
}

// urlHost returns the host an RTSP URL names.
func urlHost(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return hostOf(rest)
}
