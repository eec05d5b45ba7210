package rtsp

import (
	"bytes"
	"compress/gzip"
	"io"

	"github.com/pion/rtp"
)

const (
	maxDocument = 4 << 20 // as transmitted, and again decompressed
	maxTag      = 128     // bytes of the root element's name and what is before it
)

// assembler puts metadata documents together from RTP packets. A document may span packets; the marker bit is set on the
// last one (ONVIF Streaming Specification, section 5.1.2.1.1), but some firmware never sets it and some sets it on every
// packet. A document of which a packet is missing is dropped: half a document proves nothing.
type assembler struct {
	emit func(doc []byte) // valid until it returns

	buf    []byte
	next   uint16
	ts     uint32
	ssrc   uint32
	begun  bool // a packet was seen
	skip   bool // until a document begins
	held   bool // the marker was set, but the document does not look complete
	opaque bool // EXI was seen
	lost   int
}

// push takes the next packet.
func (a *assembler) push(p *rtp.Packet) {
	begins := startsDocument(p.Payload)
	switch {
	case a.begun && (p.SequenceNumber != a.next || p.SSRC != a.ssrc):
		a.drop()
	case len(a.buf) > 0 && begins && (p.Timestamp != a.ts || a.held),
		a.held && p.Timestamp != a.ts:
		a.flush()
	}
	a.next, a.ts, a.ssrc, a.begun = p.SequenceNumber+1, p.Timestamp, p.SSRC, true
	if bytes.HasPrefix(p.Payload, []byte("$EXI")) {
		a.opaque = true
	}
	if len(p.Payload) == 0 && !p.Marker {
		return
	}
	if a.skip || len(a.buf) == 0 {
		if a.skip = !begins; a.skip {
			return
		}
	}
	if len(a.buf)+len(p.Payload) > maxDocument {
		a.drop()
		return
	}
	a.buf = append(a.buf, p.Payload...)
	if p.Marker {
		if a.held = !complete(a.buf); !a.held {
			a.flush()
		}
	}
}

// finish hands over what waits for a marker that never came, if it is whole, and what had its marker.
func (a *assembler) finish() {
	if len(a.buf) > 0 && (a.held || complete(a.buf)) {
		a.flush()
	}
}

// drop gives up the document being put together, and the rest of it.
func (a *assembler) drop() {
	a.lost++
	a.buf, a.skip, a.held = a.buf[:0], true, false
}

func (a *assembler) flush() {
	b := a.buf
	a.buf, a.held = a.buf[:0], false
	if isGzip(b) {
		var err error
		if b, err = gunzip(b); err != nil {
			a.lost++
			return
		}
	}
	for len(b) > 0 {
		n := documentEnd(b)
		if d := bytes.Trim(b[:n], " \t\r\n\x00"); len(d) > 0 {
			a.emit(d)
		}
		b = b[n:]
	}
}

func isGzip(b []byte) bool { return len(b) > 1 && b[0] == 0x1f && b[1] == 0x8b }

// gunzip decompresses every member; what follows the last one is padding. More than maxDocument is an error.
func gunzip(b []byte) ([]byte, error) {
	r := bytes.NewReader(b)
	var out bytes.Buffer
	for {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		z.Multistream(false)
		if _, err := io.Copy(&out, io.LimitReader(z, int64(maxDocument-out.Len()+1))); err != nil {
			return nil, err
		}
		if out.Len() > maxDocument {
			return nil, io.ErrShortBuffer
		}
		if !isGzip(b[len(b)-r.Len():]) {
			return out.Bytes(), nil
		}
	}
}

// startsDocument reports whether a packet begins a document: an XML declaration, the root element in any namespace, or a
// compressed document.
func startsDocument(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	if isGzip(b) || bytes.HasPrefix(b, []byte("<?xml")) {
		return true
	}
	return startsRoot(b)
}

func startsRoot(b []byte) bool {
	i := bytes.IndexAny(b[:min(len(b), maxTag)], " >/\t\r\n")
	return i > 1 && b[0] == '<' && bytes.HasSuffix(bytes.ToLower(b[:i]), []byte("metadatastream"))
}

// complete reports whether the buffer ends where a document does. What is compressed or has another root is taken to.
func complete(b []byte) bool {
	b = bytes.TrimRight(b, " \t\r\n\x00")
	if isGzip(b) {
		return true
	}
	tail := bytes.ToLower(b[max(0, len(b)-maxTag):])
	if bytes.HasSuffix(tail, []byte("metadatastream>")) && bytes.LastIndex(tail, []byte("</")) == bytes.LastIndexByte(tail, '<') {
		return true
	}
	return bytes.HasSuffix(b, []byte("/>")) && startsRoot(b[max(0, bytes.LastIndexByte(b, '<')):])
}

// documentEnd returns where the first of several documents in one buffer ends: behind its closing tag, or before the next
// XML declaration.
func documentEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], '<')
		if j < 0 {
			break
		}
		i += j
		switch tag := b[i:min(len(b), i+maxTag)]; {
		case i >= len("<?xml") && bytes.HasPrefix(tag, []byte("<?xml")):
			return i
		case bytes.HasPrefix(tag, []byte("</")):
			k := bytes.IndexByte(tag, '>')
			if k > 0 && bytes.HasSuffix(bytes.ToLower(bytes.TrimRight(tag[:k], " \t\r\n")), []byte("metadatastream")) {
				return i + k + 1
			}
		}
	}
	return len(b)
}
