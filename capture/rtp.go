package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"time"
)

const (
	maxDocument = 256 << 10 // as sent, and again decompressed
	maxSources  = 4         // of one track
	maxTracks   = 4096      // announced and not seen yet
	maxTag      = 128       // bytes of a root element's name and what is before it
	maxLate     = 64        // packets sent again or out of order
)

// rtpPacket is an RTP packet (RFC 3550 5.1).
type rtpPacket struct {
	seq      uint16
	ts, ssrc uint32
	marker   bool
	payload  []byte
}

// readRTP reads a packet. b may be the beginning of one only: cut says so, and that its padding is not to be looked for.
func readRTP(b []byte, cut bool) (p rtpPacket, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 || b[1]&0x7f >= 64 && b[1]&0x7f < 96 { // of these numbers are RTCP's packets
		return p, false
	}
	n := 12 + 4*int(b[0]&15)
	if b[0]&0x10 != 0 {
		if len(b) < n+4 {
			return p, false
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 && !cut {
		end -= int(b[end-1])
	}
	if n > end {
		return p, false
	}
	return rtpPacket{seq: binary.BigEndian.Uint16(b[2:]), ts: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]), marker: b[1]&0x80 != 0,
		payload: b[n:end]}, true
}

// sniffTrack reports whether a packet begins a metadata document.
func sniffTrack(b []byte, cut bool) bool {
	p, ok := readRTP(b, cut)
	return ok && len(p.payload) > 4 && startsXML(p.payload)
}

// startsXML reports whether b begins with an XML declaration or the root element of ONVIF's metadata, in any namespace.
func startsXML(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(b, []byte("<?xml")) || startsRoot(b)
}

func startsRoot(b []byte) bool {
	if len(b) == 0 || b[0] != '<' {
		return false
	}
	i := bytes.IndexAny(b[:min(len(b), maxTag)], " >/\t\r\n")
	return i > 1 && hasSuffixFold(b[:i], rootName)
}

const rootName = "metadatastream"

func hasSuffixFold(b []byte, suffix string) bool {
	return len(b) >= len(suffix) && strings.EqualFold(string(b[len(b)-len(suffix):]), suffix)
}

func isGzip(b []byte) bool { return len(b) > 1 && b[0] == 0x1f && b[1] == 0x8b }

// track is a metadata track: the documents its RTP packets carry (ONVIF Streaming Specification 5.1.2.1.1).
type track struct {
	url     string // as SETUP named it; empty: unseen
	from    netip.Addr
	opaque  bool // EXI, which is not read
	sources []document
	up      bool
	lost    int // documents that are not whole
}

// document is put together from the packets of one source. The marker bit is on its last packet, but some firmware never
// sets it and some sets it on every packet. A document of which a packet is missing is dropped: half a document proves nothing.
type document struct {
	ssrc  uint32
	next  uint16
	ts    uint32
	skip  bool // until a document begins
	ended bool // the marker was set, but the document does not look complete
	at    time.Time
	frame int
	buf   keep
}

// packet takes the next packet of the track.
func (t *track) packet(c *conn, up bool, b []byte) {
	p, ok := readRTP(b, false)
	if !ok || t.opaque {
		return
	}
	t.up = up
	if bytes.HasPrefix(p.payload, []byte("$EXI")) {
		t.opaque = true
		t.drop(c)
		return
	}
	t.push(c, t.source(c, &p), &p)
}

// source finds what is being put together of a packet's source; the newest one makes room for another.
func (t *track) source(c *conn, p *rtpPacket) *document {
	for i := range t.sources {
		if t.sources[i].ssrc == p.ssrc {
			return &t.sources[i]
		}
	}
	d := document{ssrc: p.ssrc, next: p.seq, ts: p.ts, skip: true}
	if len(t.sources) < maxSources {
		t.sources = append(t.sources, d)
	} else {
		t.sources[maxSources-1].buf.drop(c)
		t.sources[maxSources-1] = d
	}
	return &t.sources[len(t.sources)-1]
}

func (t *track) push(c *conn, d *document, p *rtpPacket) {
	begins := startsXML(p.payload) || isGzip(p.payload)
	switch late := d.next - p.seq; {
	case late != 0 && late <= maxLate:
		return
	case late != 0:
		t.give(c, d)
	case len(d.buf.b) > 0 && (begins && (p.ts != d.ts || d.ended) || d.ended && p.ts != d.ts):
		t.flush(c, d)
	}
	d.next, d.ts = p.seq+1, p.ts
	if len(p.payload) == 0 && !p.marker {
		return
	}
	if d.skip || len(d.buf.b) == 0 {
		if d.skip = !begins; d.skip {
			return
		}
		d.at, d.frame = c.at, c.frame
		if p.marker && complete(p.payload) { // nothing to put together
			t.read(c, d, p.payload)
			return
		}
	}
	if !d.buf.add(c, p.payload, maxDocument) {
		t.give(c, d)
		return
	}
	if p.marker {
		if d.ended = !complete(d.buf.b); !d.ended {
			t.flush(c, d)
		}
	}
}

// give gives a document up, and the rest of it.
func (t *track) give(c *conn, d *document) {
	if len(d.buf.b) > 0 {
		t.lost++
	}
	d.buf.drop(c)
	d.skip, d.ended = true, false
}

func (t *track) flush(c *conn, d *document) {
	if complete(d.buf.b) {
		t.read(c, d, d.buf.b)
	} else {
		t.lost++
	}
	d.buf.drop(c)
	d.ended = false
}

// read hands on every document in b.
func (t *track) read(c *conn, d *document, b []byte) {
	if isGzip(b) {
		var ok bool
		if b, ok = unzip(b); !ok {
			t.lost++
			return
		}
	}
	for len(b) > 0 {
		n := documentEnd(b)
		if doc := bytes.Trim(b[:n], " \t\r\n\x00"); len(doc) > 0 {
			h := &c.halves[c.side(t.up)]
			h.began, h.frame, h.message = d.at, d.frame, true
			c.emit(t.up, Flow{Proto: ProtoMetadata, Payload: doc, Track: t.url})
		}
		b = b[n:]
	}
}

// miss says that packets are missing; numbers of packets tell the same, but not which bytes are theirs.
func (t *track) miss(c *conn) {
	for i := range t.sources {
		t.give(c, &t.sources[i])
	}
}

// end hands on what waits for a marker that never came, if it is whole.
func (t *track) end(c *conn) {
	for i := range t.sources {
		if d := &t.sources[i]; len(d.buf.b) > 0 {
			t.flush(c, d)
		}
	}
	t.drop(c)
}

func (t *track) drop(c *conn) {
	for i := range t.sources {
		t.sources[i].buf.drop(c)
	}
	t.sources = nil
}

// unzip decompresses every member; what follows the last one is padding.
func unzip(b []byte) ([]byte, bool) {
	r := bytes.NewReader(b)
	var out bytes.Buffer
	for {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, false
		}
		z.Multistream(false)
		if _, err := io.Copy(&out, io.LimitReader(z, int64(maxDocument-out.Len()+1))); err != nil || out.Len() > maxDocument {
			return nil, false
		}
		if !isGzip(b[len(b)-r.Len():]) {
			return out.Bytes(), true
		}
	}
}

// complete reports whether b ends where a document does. What is compressed or has another root is taken to.
func complete(b []byte) bool {
	b = bytes.TrimRight(b, " \t\r\n\x00")
	if isGzip(b) {
		return true
	}
	i := bytes.LastIndexByte(b, '<')
	if i < 0 || len(b)-i > maxTag && b[i+1] == '/' || b[len(b)-1] != '>' {
		return false
	}
	tag := b[i:]
	if bytes.HasPrefix(tag, []byte("</")) {
		return hasSuffixFold(bytes.TrimRight(tag[2:len(tag)-1], " \t\r\n"), rootName)
	}
	return bytes.HasSuffix(tag, []byte("/>")) && startsRoot(tag)
}

// documentEnd returns where the first of several documents in b ends: behind its closing tag, or before the next declaration.
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
			if k > 0 && hasSuffixFold(bytes.TrimRight(tag[:k], " \t\r\n"), rootName) {
				return i + k + 1
			}
		}
	}
	return len(b)
}

// tracks remembers which UDP ends will receive metadata, as SETUP said. The oldest one makes room.
type tracks struct {
	ends  map[netip.AddrPort]*track
	order []netip.AddrPort
	next  int // of order, when it is full
}

// expect notes that a metadata track will be sent to an end.
func (e *Engine) expect(end netip.AddrPort, t *track) {
	x := &e.tracks
	if x.ends == nil {
		x.ends = map[netip.AddrPort]*track{}
	}
	if _, ok := x.ends[end]; !ok {
		if len(x.order) < maxTracks {
			x.order = append(x.order, end)
		} else {
			delete(x.ends, x.order[x.next])
			x.order[x.next] = end
			x.next = (x.next + 1) % maxTracks
		}
	}
	x.ends[end] = t
}

// track reports whether a UDP conversation was announced as a metadata track, and begins to read it.
func (e *Engine) track(c *conn) bool {
	for _, s := range [...]side{lo, hi} {
		t := e.tracks.ends[c.party(s).Addr]
		if t != nil && (!t.from.IsValid() || t.from == c.party(1-s).Addr.Addr()) {
			c.framer = &udpTrackConn{track{url: t.url, opaque: t.opaque}}
			return true
		}
	}
	return false
}

// udpTrackConn reads a metadata track over UDP: a datagram is a packet.
type udpTrackConn struct{ track track }

// udpTrack takes a datagram of a metadata track, and reports whether it is one: it was announced, or begins a document.
func udpTrack(c *conn, up bool, b []byte) bool {
	u, ok := c.framer.(*udpTrackConn)
	if !ok {
		if c.framer != nil || c.cut != 0 || !sniffTrack(b, false) {
			return false
		}
		u = &udpTrackConn{}
		c.framer = u
	}
	if c.cut != 0 {
		u.track.miss(c)
		return true
	}
	u.data(c, up, b)
	return true
}

func (u *udpTrackConn) data(c *conn, up bool, b []byte) { u.track.packet(c, up, b) }

func (u *udpTrackConn) hole(c *conn, _ bool, _ int64) { u.track.miss(c) }

func (u *udpTrackConn) end(c *conn) { u.track.end(c) }
