package capture

import "bytes"

const (
	maxPart      = 64 << 10
	maxParts     = 64  // of one message
	maxDelimiter = 200 // RFC 2046 has 72
	maxPreamble  = 8 << 10
	maxPartHead  = 8 << 10
)

// place is where in a multipart body the reader is.
type place uint8

const (
	inPreamble place = iota // the delimiter is not known yet
	inPartHead
	inPart      // in a part, or between parts
	inDelimiter // behind a delimiter, in its line
	inNothing   // it is no multipart body
)

// multipart cuts a multipart body into its parts. The first line that begins with "--" delimits them, whatever the message's
// head said, since devices say "boundary=--x" and mean "--x"; and lengths of parts are not believed. Pictures pass by uncopied.
type multipart struct {
	delimiter []byte
	line      keep // an incomplete line or head
	place     place
	fresh     bool  // a line begins here
	matched   int   // bytes of the delimiter that the line began with
	newline   uint8 // bytes of the line end before it, which is the delimiter's if it is one: 1 LF, 2 CR LF
	carriage  bool  // a CR came last
	preamble  int

	open   bool // a part is being read
	part   Part
	length int64
	text   keep
	asked  bool
	media  bool
	closed bool
}

// take takes bytes of the body, and hands on every part that they complete. What it hands on is valid during the call.
func (m *multipart) take(c *conn, b []byte, done func(*Part)) {
	for len(b) > 0 {
		switch m.place {
		case inPreamble:
			b = m.seek(c, b)
		case inPartHead:
			b = m.head(c, b)
		case inPart:
			b = m.body(c, b)
		case inDelimiter:
			b = m.behind(c, b, done)
		default:
			return
		}
	}
}

// seek looks for the first delimiter.
func (m *multipart) seek(c *conn, b []byte) []byte {
	i := bytes.IndexByte(b, '\n')
	line := b[:i+1]
	if i < 0 {
		line = b
	}
	m.preamble += len(line)
	if m.preamble > maxPreamble || !m.line.add(c, line, maxPreamble) {
		m.place = inNothing
		m.line.drop(c)
		return nil
	}
	if i < 0 {
		return nil
	}
	if d := bytes.TrimSpace(m.line.b); bytes.HasPrefix(d, []byte("--")) && len(d) > 2 && len(d) <= maxDelimiter {
		m.delimiter, m.place = bytes.Clone(d), inPartHead
	}
	m.line.b = m.line.b[:0]
	return b[i+1:]
}

// head reads the head of a part.
func (m *multipart) head(c *conn, b []byte) []byte {
	had := len(m.line.b)
	all := b
	if had > 0 {
		room := b[:min(len(b), maxPartHead-had)]
		if !m.line.add(c, room, maxPartHead) {
			return m.headless(c, b)
		}
		all = m.line.b
	}
	end := headEnd(all, had)
	if end < 0 {
		if had == 0 && (len(b) > maxPartHead || !m.line.add(c, b, maxPartHead)) || len(m.line.b) >= maxPartHead {
			return m.headless(c, b)
		}
		return nil
	}
	h := all[:end]
	if i := m.lastDelimiter(h); i >= 0 { // the end of a part written twice
		h = h[i:]
	}
	m.begin(h)
	m.line.clear(c)
	return b[end-had:]
}

// lastDelimiter returns where behind the last line of a head that is a delimiter the next one begins; -1: there is none.
func (m *multipart) lastDelimiter(h []byte) int {
	at := -1
	for i := 0; i < len(h); {
		next := len(h)
		if j := bytes.IndexByte(h[i:], '\n'); j >= 0 {
			next = i + j + 1
		}
		if bytes.HasPrefix(h[i:], m.delimiter) {
			at = next
		}
		i = next
	}
	return at
}

// headless gives up on a part without a head that ends; its bytes are counted.
func (m *multipart) headless(c *conn, b []byte) []byte {
	m.line.drop(c)
	m.part, m.open, m.length = Part{Cut: CutLimit}, true, noLength
	m.media, m.place, m.fresh, m.newline, m.matched = true, inPart, true, 0, 0
	return b
}

// begin opens a part.
func (m *multipart) begin(h []byte) {
	p := head{m: &Message{}, length: noLength}
	p.fields(string(h))
	m.part, m.open, m.length = Part{Header: p.m.Header, Name: param(p.m.Header.Get("Content-Disposition"), "name"), Cut: p.m.Cut}, true, p.length
	m.media, m.asked, m.closed = dropped(p.media), false, false
	m.place, m.fresh, m.newline, m.matched = inPart, true, 0, 0
}

// body takes bytes of a part, up to the next line that begins with the delimiter.
func (m *multipart) body(c *conn, b []byte) []byte {
	if m.fresh {
		n := 0
		for n < len(b) && m.matched < len(m.delimiter) && b[n] == m.delimiter[m.matched] {
			n++
			m.matched++
		}
		b = b[n:]
		if m.matched == len(m.delimiter) {
			m.place = inDelimiter
			return b
		}
		if len(b) == 0 {
			return nil
		}
		m.restore(c)
	}
	if m.carriage {
		m.carriage = false
		if b[0] == '\n' {
			m.fresh, m.newline = true, 2
			return b[1:]
		}
		m.keep(c, []byte{'\r'})
	}
	i := lineEnd(b)
	if i < 0 {
		if b[len(b)-1] == '\r' {
			m.carriage = true
			b = b[:len(b)-1]
		}
		m.keep(c, b)
		return nil
	}
	m.fresh, m.newline = true, 1
	text := b[:i]
	if i > 0 && b[i-1] == '\r' {
		m.newline, text = 2, b[:i-1]
	}
	m.keep(c, text)
	return b[i+1:]
}

// lineEnd returns where the first line feed is that a delimiter may follow.
func lineEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
		if at == len(b) || b[at] == '-' {
			return at - 1
		}
	}
}

// restore gives back to the part what looked like the beginning of a delimiter.
func (m *multipart) restore(c *conn) {
	if m.newline > 0 {
		m.keep(c, []byte("\r\n")[2-m.newline:])
	}
	m.keep(c, m.delimiter[:m.matched])
	m.fresh, m.newline, m.matched = false, 0, 0
}

// behind reads the rest of a line that began with the delimiter: nothing or "--", or the line was none.
func (m *multipart) behind(c *conn, b []byte, done func(*Part)) []byte {
	i := bytes.IndexByte(b, '\n')
	rest := b[:i+1]
	if i < 0 {
		rest = b
	}
	if !m.line.add(c, rest, maxDelimiter) {
		m.undelimited(c)
		return b
	}
	text := bytes.TrimSpace(m.line.b)
	last := string(text) == "--"
	switch {
	case i < 0 && (last || len(text) == 0 || string(text) == "-"):
		return nil
	case !last && len(text) > 0:
		b = b[len(rest):]
		m.undelimited(c)
		return b
	}
	m.line.b = m.line.b[:0]
	m.finish(c, 0, done)
	m.place, m.fresh, m.newline, m.matched = inPartHead, false, 0, 0
	if last { // nothing, or the next delimiter, since some devices end every part like this
		m.place, m.fresh = inPart, true
	}
	return b[i+1:]
}

// undelimited takes the line back into the part.
func (m *multipart) undelimited(c *conn) {
	m.place = inPart
	m.restore(c)
	m.keep(c, m.line.b)
	m.fresh = bytes.HasSuffix(m.line.b, []byte("\n"))
	m.line.b = m.line.b[:0]
}

// keep takes bytes that are the part's.
func (m *multipart) keep(c *conn, b []byte) {
	if !m.open || len(b) == 0 {
		return
	}
	m.part.Size += int64(len(b))
	if m.media || m.closed {
		return
	}
	if !m.text.fill(c, b, maxPart) {
		m.part.Cut, m.closed = m.part.Cut|CutLimit, true
	}
	if len(m.text.b) >= peek {
		m.judge(c)
	}
}

func (m *multipart) judge(c *conn) {
	if m.asked || m.media {
		return
	}
	if m.asked = true; noText(m.text.b) {
		m.media = true
		m.part.Cut &^= CutLimit
		m.text.drop(c)
	}
}

// finish hands on the part that was being read.
func (m *multipart) finish(c *conn, cut Cut, done func(*Part)) {
	if !m.open {
		return
	}
	m.judge(c)
	m.part.Cut |= cut
	if !m.media {
		m.part.Body = m.text.b
	}
	m.open = false
	p := m.part
	done(&p)
	m.part = Part{}
	m.text.drop(c)
}

// lose goes on behind a hole: the part that was being read is handed on cut, and the next one begins at a delimiter.
func (m *multipart) lose(c *conn, done func(*Part)) {
	if m.place == inPreamble || m.place == inNothing {
		m.line.b = m.line.b[:0]
		return
	}
	m.finish(c, CutHole, done)
	m.line.drop(c)
	m.place, m.fresh, m.newline, m.matched, m.carriage = inPart, true, 0, 0, false
}

// end hands on the last part, which nothing came after. It is whole where the body is, or where it has the length it stated.
func (m *multipart) end(c *conn, cut Cut, done func(*Part)) {
	if m.place == inDelimiter {
		if text := bytes.TrimSpace(m.line.b); len(text) == 0 || string(text) == "--" {
			cut = 0
		} else {
			m.undelimited(c)
		}
	}
	if m.matched > 0 && m.place == inPart {
		m.restore(c)
	}
	if m.length >= 0 && m.part.Size >= m.length && m.part.Size <= m.length+2 { // some count the line end before the delimiter, some do not
		cut = 0
	}
	m.finish(c, cut, done)
	m.drop(c)
}

func (m *multipart) drop(c *conn) {
	m.line.drop(c)
	m.text.drop(c)
	m.open = false
}
