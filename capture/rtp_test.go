package capture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// packets of a track: timestamp, body, marker, and how many went missing before it.
type pk struct {
	ts     uint32
	body   string
	marker bool
	jump   int
	ssrc   uint32
}

var trackCases = []struct {
	name string
	in   []pk
	want []string
	lost int
}{
	{"one packet", []pk{{1, doc1, true, 0, 0}}, []string{doc1}, 0},
	{"three packets", []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[40:99], false, 0, 0}, {1, doc1[99:], true, 0, 0}}, []string{doc1}, 0},
	{"begins in the middle", []pk{{1, doc1[99:], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 0},
	{"loss in the middle", []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[99:], true, 1, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"loss of the end", []pk{{1, doc1[:40], false, 0, 0}, {2, doc2, true, 2, 0}}, []string{doc2}, 1},
	{"loss between", []pk{{1, doc1, true, 0, 0}, {9, doc2, true, 3, 0}}, []string{doc1, doc2}, 0},
	{"sent twice", []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[:40], false, -1, 0}, {1, doc1[40:], true, 0, 0}, {1, doc1[40:], true, -1, 0}}, []string{doc1}, 0},
	{"two sources", []pk{{1, doc1[:40], false, 0, 5}, {90000, doc2, true, 0, 6}, {1, doc1[40:], true, -1, 5}}, []string{doc2, doc1}, 0},
	{"marker never set", []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[40:], false, 0, 0}, {2, doc2, false, 0, 0}, {3, doc3, false, 0, 0}}, []string{doc1, doc2, doc3}, 0},
	{"marker on every packet", []pk{{1, doc1[:40], true, 0, 0}, {1, doc1[40:99], true, 0, 0}, {1, doc1[99:], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc1, doc2}, 0},
	{"marker on half a document", []pk{{1, doc1[:99], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"empty packet with the marker", []pk{{1, doc1, false, 0, 0}, {1, "", true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc1, doc2}, 0},
	{"two in one packet", []pk{{1, doc1 + doc2, true, 0, 0}}, []string{doc1, doc2}, 0},
	{"padding behind", []pk{{1, doc1 + "\r\n\x00\x00", true, 0, 0}}, []string{doc1}, 0},
	{"byte order mark", []pk{{1, "\xef\xbb\xbf" + doc1, true, 0, 0}}, []string{"\xef\xbb\xbf" + doc1}, 0},
	{"compressed", []pk{{1, gzipped(doc1), true, 0, 0}}, []string{doc1}, 0},
	{"compressed, two packets, padding", []pk{{1, gzipped(doc1)[:30], false, 0, 0}, {1, gzipped(doc1)[30:] + "\x00\x00", true, 0, 0}}, []string{doc1}, 0},
	{"compressed, damaged", []pk{{1, gzipped(doc1)[:60], true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"bomb", []pk{{1, gzipped(strings.Repeat(" ", maxDocument+1)), true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"too long", []pk{{1, openTag + strings.Repeat("x", 60000), false, 0, 0}, {1, strings.Repeat("x", 60000), false, 0, 0}, {1, strings.Repeat("x", 60000), false, 0, 0}, {1, strings.Repeat("x", 60000), false, 0, 0},
		{1, strings.Repeat("x", 60000), false, 0, 0}, {1, closeTag, true, 0, 0}, {2, doc2, true, 0, 0}}, []string{doc2}, 1},
	{"EXI", []pk{{1, "$EXI\x80\x41", true, 0, 0}, {2, doc1, true, 0, 0}}, nil, 0},
	{"video", []pk{{1, "\x65\x88<?xml", true, 0, 0}}, nil, 0},
}

func TestTrack(t *testing.T) {
	for _, v := range trackCases {
		t.Run(v.name, func(t *testing.T) {
			f := newFeeder(newRTSP, false)
			tr := &track{}
			seq := uint16(65530)
			for _, p := range v.in {
				seq += uint16(p.jump)
				tr.packet(f.c, false, []byte(rtp(seq, p.ts, p.ssrc, p.marker, p.body)))
				seq++
			}
			lost := tr.lost
			tr.end(f.c)
			var want []string
			for _, d := range v.want {
				want = append(want, fmt.Sprintf("< metadata %q []", short([]byte(d))))
			}
			if diff := cmp.Diff(want, f.end(t)); diff != "" || lost != v.lost {
				t.Errorf("lost %d, want %d\n%s", lost, v.lost, diff)
			}
		})
	}
}

func TestReadRTP(t *testing.T) {
	for _, v := range []struct {
		in, want string
		ok       bool
	}{
		{"\x80\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03abc", "abc", true},
		{"\xb1\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x09\xab\xac\x00\x01....abc\x00\x02", "abc", true},
		{"\xa0\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03abc\xff", "", false},
		{"\x90\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xab\xac\xff\xff", "", false},
		{"\x8f\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03", "", false},
		{"\x80\xc8\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03abc", "", false},
		{"\x40\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03abc", "", false},
		{"\x80\x60\x00", "", false},
	} {
		if p, ok := readRTP([]byte(v.in), false); ok != v.ok || string(p.payload) != v.want {
			t.Errorf("%q: %q %v", v.in, p.payload, ok)
		}
	}
}

func FuzzRTP(f *testing.F) {
	for _, v := range trackCases {
		var in []byte
		for i, p := range v.in {
			in = append(in, script(said{b: rtp(uint16(i), p.ts, p.ssrc, p.marker, p.body[:min(len(p.body), 2000)])})...)
		}
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		f := newFeeder(newRTSP, false)
		f.c.framer = nil
		for b := in; len(b) >= 3; {
			n := min(int(b[1])<<8|int(b[2]), len(b)-3)
			udpTrack(f.c, b[0]&1 != 0, b[3:3+n])
			b = b[3+n:]
		}
		if f.c.framer != nil {
			f.end(t)
		}
	})
}
