package capture

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
)

const (
	maxBody    = 256 << 10 // of one message, before and after decoding
	maxChunk   = 4 << 10   // of a line that states a chunk's length
	maxTrailer = 16 << 10
)

// framing says what ends a body.
type framing uint8

const (
	framedNot    framing = iota // there is none
	framedLength                // a number of bytes
	framedChunks
	framedClose // the end of the conversation
)

// chunking is where in a chunk the reader is.
type chunking uint8

const (
	chunkLength chunking = iota // its digits
	chunkRest                   // the rest of that line
	chunkData
	chunkEnd // the line end behind the data
	chunkTrailer
	chunkLost // behind a hole: until a segment begins like a chunk
)

// extent finds the end of a body, and takes the transfer coding away.
type extent struct {
	framing framing
	chunk   chunking
	digits  uint8
	blank   bool // the line of the trailer is empty so far
	line    int  // bytes of the line or trailer
	left    int64
}

// span returns how many bytes to skip at the beginning of b and how many of the body follow them. done: the body ends there;
// ok is false where it is not framed as it should be.
func (x *extent) span(b []byte) (skip, n int, done, ok bool) {
	switch x.framing {
	case framedLength:
		n = int(min(int64(len(b)), x.left))
		x.left -= int64(n)
		return 0, n, x.left == 0, true
	case framedChunks:
		return x.chunkSpan(b)
	case framedClose:
		return 0, len(b), false, true
	}
	return 0, 0, true, true
}

func (x *extent) chunkSpan(b []byte) (skip, n int, done, ok bool) {
	for skip < len(b) {
		if x.chunk == chunkData {
			n = int(min(int64(len(b)-skip), x.left))
			if x.left -= int64(n); x.left == 0 {
				x.chunk, x.line = chunkEnd, 0
			}
			return skip, n, false, true
		}
		done, ok = x.chunkByte(b[skip])
		skip++
		if done || !ok {
			return skip, 0, done, ok
		}
	}
	return skip, 0, false, true
}

// chunkByte takes one byte of what is between the data of chunks.
func (x *extent) chunkByte(b byte) (done, ok bool) {
	x.line++
	switch x.chunk {
	case chunkLength:
		if d, hex := hexDigit(b); hex {
			x.left = x.left<<4 | int64(d)
			x.digits++
			return false, x.digits <= 15
		}
		if x.digits == 0 {
			return false, (b == ' ' || b == '\t') && x.line < 32
		}
		x.chunk = chunkRest
		if b != '\n' {
			return false, b == ' ' || b == '\t' || b == ';' || b == '\r'
		}
		x.lengthEnd()
	case chunkRest:
		if b == '\n' {
			x.lengthEnd()
		}
		return false, x.line <= maxChunk
	case chunkEnd:
		if b == '\n' {
			x.chunk, x.digits, x.left, x.line = chunkLength, 0, 0, 0
			return false, true
		}
		return false, b == '\r' && x.line == 1
	case chunkTrailer:
		switch b {
		case '\n':
			if x.blank {
				return true, true
			}
			x.blank = true
		case '\r':
		default:
			x.blank = false
		}
		return false, x.line <= maxTrailer
	}
	return false, x.chunk != chunkLost
}

func (x *extent) lengthEnd() {
	x.chunk, x.line = chunkData, 0
	if x.left == 0 {
		x.chunk, x.blank = chunkTrailer, true
	}
}

func hexDigit(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return b | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// pass goes on over n missing bytes of the body, and reports whether they are inside what is framed.
func (x *extent) pass(n int64) bool {
	switch {
	case x.framing == framedLength, x.framing == framedChunks && x.chunk == chunkData:
		if n > x.left {
			return false
		}
		if x.left -= n; x.left == 0 && x.framing == framedChunks {
			x.chunk, x.line = chunkEnd, 0
		}
		return true
	}
	return false
}

// lose goes on behind a hole of unknown length in an endless body.
func (x *extent) lose() {
	if x.framing == framedChunks {
		x.chunk = chunkLost
	}
}

// regain looks for a chunk where a segment begins.
func (x *extent) regain(b []byte) bool {
	if x.chunk != chunkLost {
		return true
	}
	n := 0
	for n < len(b) && n < 9 {
		if _, hex := hexDigit(b[n]); !hex {
			break
		}
		n++
	}
	if n == 0 || n > 8 || !bytes.HasPrefix(b[n:], []byte("\r\n")) {
		return false
	}
	x.chunk, x.digits, x.left, x.line = chunkLength, 0, 0, 0
	return true
}

// content is what is kept of a body.
type content struct {
	size   int64
	held   keep
	whole  []byte // the whole body, where one segment held it
	media  bool   // only its size counts
	asked  bool   // its first bytes were looked at
	coding string
	cut    Cut
	closed bool // bytes are missing: what follows is not kept
	run    int  // of base64, that the last bytes belong to
}

// take takes bytes of the body; last: it ends with them.
func (t *content) take(c *conn, b []byte, last bool) {
	t.size += int64(len(b))
	if t.media || t.closed || len(b) == 0 {
		return
	}
	if last && len(t.held.b) == 0 && len(b) <= maxRun {
		t.whole = b
		return
	}
	for len(b) > 0 && !t.closed {
		var some []byte
		if some, b = t.thin(b); !t.held.fill(c, some, maxBody) {
			t.cut, t.closed = t.cut|CutLimit, true
		}
	}
	t.judge(c, false)
}

// maxRun is how much of base64 in one piece is kept: enough for every identifier, and for no picture or template.
const maxRun = 2 << 10

// thin returns the next piece of a text without what is too much of a run of base64, and what follows. A coded text is left as it is.
func (t *content) thin(b []byte) (some, rest []byte) {
	if t.coding != "" {
		return b, nil
	}
	for i, x := range b {
		if !base64[x] {
			t.run = 0
			continue
		}
		if t.run++; t.run > maxRun {
			end := i
			for end < len(b) && base64[b[end]] {
				end++
			}
			return b[:i], b[end:]
		}
	}
	return b, nil
}

// base64 are the letters of base64, of its form for URLs, and the stroke that JSON may put before a slash.
var base64 = func() (t [256]bool) {
	for _, x := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\") {
		t[x] = true
	}
	return t
}()

// judge drops what turns out to be no text.
func (t *content) judge(c *conn, end bool) {
	if t.asked || t.media || t.coding != "" || !end && len(t.held.b) < peek {
		return
	}
	t.asked = true
	b := t.held.b
	if t.whole != nil {
		b = t.whole
	}
	if noText(b) {
		t.media, t.whole, t.cut = true, nil, t.cut&^CutLimit
		t.held.drop(c)
	}
}

// miss says that bytes are missing here.
func (t *content) miss() {
	t.cut |= CutHole
	t.closed = true
}

// text returns the decoded body, valid until drop.
func (t *content) text(c *conn) []byte {
	t.judge(c, true)
	if t.media {
		return nil
	}
	b := t.held.b
	if t.whole != nil {
		b = t.whole
	}
	if t.coding == "" || len(b) == 0 {
		return b
	}
	out, whole := uncoded(b, t.coding)
	if !whole && t.cut == 0 {
		t.cut |= CutLimit
	}
	if noText(out) {
		return nil
	}
	return out
}

// isDocument reports bytes that begin like JSON or XML.
func isDocument(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n")
	return len(b) > 0 && (b[0] == '{' || b[0] == '<')
}

// uncoded undoes a content coding as far as it goes; whole is false where there is more, or the coding is none we know. Some programs
// name a coding and do not use it.
func uncoded(b []byte, coding string) (out []byte, whole bool) {
	if isDocument(b) {
		return b, true
	}
	var r io.Reader
	var err error
	switch coding {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(b))
	case "deflate": // with zlib's frame, or without
		if r, err = zlib.NewReader(bytes.NewReader(b)); err != nil {
			r, err = flate.NewReader(bytes.NewReader(b)), nil
		}
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	out, err = io.ReadAll(io.LimitReader(r, maxBody+1))
	if len(out) > maxBody {
		return out[:maxBody], false
	}
	return out, err == nil
}
