package rtsp

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
)

// pk is a packet of a table; seq counts from the first packet's unless jump says how many went missing before it.
type pk struct {
	ts     uint32
	body   string
	marker bool
	jump   uint16
	ssrc   uint32
}

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8"?>`
	open1   = `<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">`
	close1  = `</tt:MetadataStream>`
	face    = `<tt:VideoAnalytics><tt:Frame UtcTime="2026-11-02T03:04:05Z"><tt:Object ObjectId="7"/></tt:Frame></tt:VideoAnalytics>`
	doc1    = xmlHead + open1 + face + close1
	doc2    = open1 + `<tt:Event/>` + close1
	empty   = xmlHead + "\n<tt:MetadataStream xmlns:tt=\"http://www.onvif.org/ver10/schema\"/>"
)

func zip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

var assembleCases = []struct {
	name  string
	first uint16
	in    []pk
	want  []string
	lost  int
}{
	{"one packet", 7, []pk{{1, doc1, true, 0, 0}}, []string{doc1}, 0},
	{"three packets", 7, []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[40:99], false, 0, 0}, {1, doc1[99:], true, 0, 0}}, []string{doc1}, 0},
	{"sequence wraps", 65534, []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[40:99], false, 0, 0}, {1, doc1[99:], true, 0, 0}, {2, doc2, true, 0, 0}},
		[]string{doc1, doc2}, 0},
	{"begins in the middle", 7, []pk{{1, doc1[99:], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 0},
	{"loss in the middle", 7, []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[99:], true, 1, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"loss of the end", 7, []pk{{1, doc1[:40], false, 0, 0}, {2, doc2, true, 2, 0}}, []string{doc2}, 1},
	{"loss between", 7, []pk{{1, doc1, true, 0, 0}, {9, doc2, true, 3, 0}}, []string{doc1, doc2}, 1},
	{"device starts over", 7, []pk{{1, doc1[:40], false, 0, 5}, {90000, doc2, true, 0, 6}}, []string{doc2}, 1},
	{"marker never set", 7, []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[40:], false, 0, 0}, {2, doc2, false, 0, 0}, {3, empty, false, 0, 0}},
		[]string{doc1, doc2, empty}, 0},
	{"marker never set, ends in the middle", 7, []pk{{1, doc1, false, 0, 0}, {2, doc2[:50], false, 0, 0}}, []string{doc1}, 0},
	{"marker on every packet", 7, []pk{{1, doc1[:40], true, 0, 0}, {1, doc1[40:99], true, 0, 0}, {1, doc1[99:], true, 0, 0}, {2, doc2, true, 0, 0}},
		[]string{doc1, doc2}, 0},
	{"marker on a cut document", 7, []pk{{1, doc1[:99], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc1[:99], doc2}, 0},
	{"marker on a cut document, nothing after", 7, []pk{{1, doc1[:99], true, 0, 0}}, []string{doc1[:99]}, 0},
	{"empty packet with the marker", 7, []pk{{1, doc1, false, 0, 0}, {1, "", true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc1, doc2}, 0},
	{"empty packets", 7, []pk{{1, "", false, 0, 0}, {1, "", true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 0},
	{"two documents in one packet", 7, []pk{{1, doc1 + doc2, true, 0, 0}}, []string{doc1, doc2}, 0},
	{"two declarations in one packet", 7, []pk{{1, empty + empty + doc1, true, 0, 0}}, []string{empty, empty, doc1}, 0},
	{"padding after the document", 7, []pk{{1, doc1 + "\r\n\x00\x00", true, 0, 0}}, []string{doc1}, 0},
	{"byte order mark", 7, []pk{{1, "\xef\xbb\xbf" + doc1, true, 0, 0}}, []string{"\xef\xbb\xbf" + doc1}, 0},
	{"no namespace prefix", 7, []pk{{1, "<MetadataStream>x</MetadataStream>", true, 0, 0}}, []string{"<MetadataStream>x</MetadataStream>"}, 0},
	{"compressed", 7, []pk{{1, zip(doc1), true, 0, 0}}, []string{doc1}, 0},
	{"compressed, two packets", 7, []pk{{1, zip(doc1)[:30], false, 0, 0}, {1, zip(doc1)[30:], true, 0, 0}}, []string{doc1}, 0},
	{"compressed twice", 7, []pk{{1, zip(doc1) + zip(doc2), true, 0, 0}}, []string{doc1, doc2}, 0},
	{"compressed with padding", 7, []pk{{1, zip(doc1) + "\x00\x00\x00", true, 0, 0}}, []string{doc1}, 0},
	{"compressed, damaged", 7, []pk{{1, zip(doc1)[:60], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"bomb", 7, []pk{{1, zip(strings.Repeat(" ", maxDocument+1)), true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"as large as it may be", 7, []pk{{1, zip(open1 + strings.Repeat("x", maxDocument-len(open1+close1)) + close1), true, 0, 0}},
		[]string{open1 + strings.Repeat("x", maxDocument-len(open1+close1)) + close1}, 0},
	{"EXI", 7, []pk{{1, "$EXI\x80\x41", true, 0, 0}, {2, "\x80\x41\x33", true, 0, 0}}, nil, 0},
	{"something else", 7, []pk{{1, "hello", true, 0, 0}, {2, `{"a":1}`, true, 0, 0}}, nil, 0},
}

func packets(first uint16, in []pk) []*rtp.Packet {
	var out []*rtp.Packet
	seq := first
	for _, p := range in {
		seq += p.jump
		out = append(out, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 107, SequenceNumber: seq, Timestamp: p.ts,
			Marker: p.marker, SSRC: p.ssrc}, Payload: []byte(p.body)})
		seq++
	}
	return out
}

func TestAssemble(t *testing.T) {
	for _, c := range assembleCases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			a := assembler{emit: func(d []byte) { got = append(got, string(d)) }}
			for _, p := range packets(c.first, c.in) {
				a.push(p)
			}
			a.finish()
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("documents (-want +got):\n%.2000s", d)
			}
			if a.lost != c.lost {
				t.Errorf("lost %d, want %d", a.lost, c.lost)
			}
		})
	}
}

// A document that grows for ever is dropped, the memory with it, and what follows is read again.
func TestAssembleEndless(t *testing.T) {
	n := 0
	a := assembler{emit: func([]byte) { n++ }}
	p := rtp.Packet{Header: rtp.Header{Version: 2, Timestamp: 1}, Payload: []byte(open1 + strings.Repeat("x", 60000))}
	for range 200 {
		a.push(&p)
		p.SequenceNumber++
		p.Payload = []byte(strings.Repeat("x", 60000))
	}
	if len(a.buf) > maxDocument || a.lost != 1 {
		t.Errorf("buffered %d, lost %d", len(a.buf), a.lost)
	}
	p.Timestamp, p.Payload, p.Marker = 2, []byte(doc2), true
	a.push(&p)
	if n != 1 {
		t.Errorf("%d documents after it", n)
	}
}

func TestAssembleNotesEXI(t *testing.T) {
	a := assembler{emit: func([]byte) {}}
	for _, p := range packets(1, []pk{{1, "$EXI\x80", true, 0, 0}}) {
		a.push(p)
	}
	if !a.opaque {
		t.Error("EXI not noted")
	}
}

// The input is a list of packets: two bytes of length, one of flags (marker, sequence gap, new timestamp), the payload.
func FuzzAssemble(f *testing.F) {
	for _, c := range assembleCases {
		var b []byte
		ts := uint32(0)
		for _, p := range c.in {
			if len(p.body) > 1<<15 {
				continue
			}
			flags := byte(0)
			if p.marker {
				flags |= 1
			}
			if p.jump > 0 {
				flags |= 2
			}
			if p.ts != ts {
				flags |= 4
			}
			ts = p.ts
			b = binary.BigEndian.AppendUint16(b, uint16(len(p.body)))
			b = append(append(b, flags), p.body...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		a := assembler{emit: func(d []byte) {
			if len(d) == 0 || len(d) > maxDocument {
				t.Fatalf("a document of %d bytes", len(d))
			}
			total += len(d)
		}}
		p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 65530}}
		for len(b) >= 3 {
			n := min(int(binary.BigEndian.Uint16(b)), len(b)-3)
			p.Marker = b[2]&1 != 0
			p.SequenceNumber += uint16(b[2] >> 1 & 1)
			p.Timestamp += uint32(b[2] >> 2 & 1)
			p.Payload = b[3 : 3+n]
			a.push(&p)
			p.SequenceNumber++
			b = b[3+n:]
		}
		a.finish()
		if len(a.buf) > maxDocument {
			t.Fatalf("%d bytes buffered", len(a.buf))
		}
	})
}
