package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// datagramOf is a UDP datagram of n bytes that differ, without its IP header.
func datagramOf(t testing.TB, n int) (whole []byte, body []byte) {
	t.Helper()
	body = make([]byte, n)
	for i := range body {
		body[i] = byte(i * i >> 3)
	}
	return build(t, testUDP(), gopacket.Payload(body)), body
}

// fragment4 is an IPv4 fragment.
func fragment4(t testing.TB, id uint16, b []byte, from, to int, more bool) []byte {
	t.Helper()
	ip := testIP4(17)
	ip.Id, ip.FragOffset = id, uint16(from/8)
	if more {
		ip.Flags = layers.IPv4MoreFragments
	}
	return build(t, testEther(layers.EthernetTypeIPv4), ip, gopacket.Payload(b[from:to]))
}

// fragment6 is an IPv6 fragment, behind a header of options.
func fragment6(t testing.TB, id uint32, b []byte, from, to int, more bool) []byte {
	t.Helper()
	h := []byte{44, 0, 1, 4, 0, 0, 0, 0, 17, 0, byte(from >> 8), byte(from), 0, 0, 0, 0}
	if more {
		h[11] |= 1
	}
	binary.BigEndian.PutUint32(h[12:], id)
	return build(t, testEther(layers.EthernetTypeIPv6), testIP6(0), gopacket.Payload(append(h, b[from:to]...)))
}

func TestFragments(t *testing.T) {
	whole, body := datagramOf(t, 3000) // 3008 with its header
	other := bytes.Clone(whole)
	other[1500]++
	type cut func(testing.TB, []byte, int, int, bool) []byte
	four := func(t testing.TB, b []byte, from, to int, more bool) []byte {
		return fragment4(t, 7, b, from, to, more)
	}
	six := func(t testing.TB, b []byte, from, to int, more bool) []byte {
		return fragment6(t, 7, b, from, to, more)
	}
	for _, family := range []struct {
		name string
		cut  cut
	}{{"ipv4", four}, {"ipv6", six}} {
		a := family.cut(t, whole, 0, 1480, true)
		b := family.cut(t, whole, 1480, 2960, true)
		c := family.cut(t, whole, 2960, 3008, false)
		tests := []struct {
			name     string
			packets  [][]byte
			joined   int
			unjoined int64
		}{
			{"in order", [][]byte{a, b, c}, 1, 0},
			{"backwards", [][]byte{c, b, a}, 1, 0},
			{"the middle last", [][]byte{a, c, b}, 1, 0},
			{"each twice", [][]byte{a, a, b, b, c}, 1, 0},
			{"twice over", [][]byte{a, b, c, a, b, c}, 2, 0},
			{"one missing", [][]byte{a, c}, 0, 2},
			{"one only", [][]byte{b}, 0, 1},
			{"overlapping", [][]byte{a, family.cut(t, whole, 1472, 2960, true), c}, 0, 3},
			{"contradicting", [][]byte{a, b, family.cut(t, other, 1480, 2960, true), c}, 0, 4},
			{"within another", [][]byte{a, family.cut(t, whole, 8, 16, true), b, c}, 0, 4},
			{"around another", [][]byte{b, family.cut(t, whole, 1472, 2968, true), a, c}, 0, 4},
			{"two ends", [][]byte{c, family.cut(t, whole, 1480, 2000, false), a, b}, 0, 4},
			{"beyond the end", [][]byte{family.cut(t, whole, 1480, 2000, false), c, a}, 0, 3},
			{"an end before what came", [][]byte{c, a, family.cut(t, whole, 1480, 2957, false)}, 0, 3},
			{"not of eight bytes", [][]byte{a, family.cut(t, whole, 1480, 2957, true)}, 0, 2},
		}
		for _, tt := range tests {
			t.Run(family.name+" "+tt.name, func(t *testing.T) {
				var d counting
				joined := 0
				for _, p := range tt.packets {
					if !d.decode(&Packet{Data: p, Length: len(p), Link: layers.LinkTypeEthernet, At: testAt}) {
						continue
					}
					if joined++; !d.joined || d.kind != kindUDP || d.srcPort != 5060 || d.length != len(body) || !bytes.Equal(d.payload, body) || d.snapped {
						t.Errorf("joined wrongly: %d bytes, kind %d", d.length, d.kind)
					}
				}
				if joined != tt.joined || d.unjoined != tt.unjoined || d.fragments != int64(len(tt.packets)) || d.undecoded != 0 || !d.parts.adds() {
					t.Errorf("%d joined, %d of %d unjoined, %d undecoded, %d bytes left; want %d and %d", joined, d.unjoined, d.fragments, d.undecoded, d.parts.bytes, tt.joined, tt.unjoined)
				}
			})
		}
	}
}

// adds reports whether what the datagrams hold adds up to what is said of them.
func (t *fragments) adds() bool {
	bytes, pending := 0, int64(0)
	for e := t.age.Front(); e != nil; e = e.Next() {
		d := e.Value.(*datagram)
		bytes, pending = bytes+d.cost, pending+d.count
	}
	return t.bytes == bytes && t.pending == pending
}

// TestFragmentsCut: a fragment the capture cut is missing.
func TestFragmentsCut(t *testing.T) {
	whole, _ := datagramOf(t, 3000)
	a, b := fragment4(t, 7, whole, 0, 1480, true), fragment4(t, 7, whole, 1480, 3008, false)
	var d counting
	for _, p := range []*Packet{{Data: a[:96], Length: len(a), Link: 1, At: testAt}, {Data: b, Length: len(b), Link: 1, At: testAt}} {
		if d.decode(p) {
			t.Error("a datagram with a hole was handed on")
		}
	}
	if d.unjoined != 2 {
		t.Errorf("%d unjoined, want 2", d.unjoined)
	}
}

// TestFragmentsAge: what waits for half a minute of the capture's time waits no longer, and its number may be used again.
func TestFragmentsAge(t *testing.T) {
	whole, body := datagramOf(t, 3000)
	a, b := fragment4(t, 7, whole, 0, 1480, true), fragment4(t, 7, whole, 1480, 3008, false)
	var d counting
	decode := func(p []byte, after time.Duration) bool {
		return d.decode(&Packet{Data: p, Length: len(p), Link: 1, At: testAt.Add(after)})
	}
	if decode(a, 0) || decode(b, 31*time.Second) || d.unjoined != 2 || d.pending != 1 {
		t.Errorf("joined with what is half a minute older; %d unjoined", d.unjoined)
	}
	if !decode(a, 32*time.Second) || !bytes.Equal(d.payload, body) {
		t.Error("not joined with what is a second older")
	}
}

// TestFragmentsFlood: whatever comes, what is held stays within its bounds, and every fragment is accounted for.
func TestFragmentsFlood(t *testing.T) {
	whole, _ := datagramOf(t, 60000)
	var d counting
	for i := range 20000 {
		p := fragment6(t, uint32(i/3), whole, i%3*16000, i%3*16000+16000, true)
		d.decode(&Packet{Data: p, Length: len(p), Link: 1, At: testAt.Add(time.Duration(i) * time.Microsecond)})
		if len(d.parts.held) > fragmentDatagrams || d.parts.bytes > fragmentBytes || d.parts.age.Len() != len(d.parts.held) {
			t.Fatalf("%d datagrams with %d bytes are held", len(d.parts.held), d.parts.bytes)
		}
	}
	for i := range 20000 { // small ones
		p := fragment4(t, uint16(i), whole, 0, 8, true)
		d.decode(&Packet{Data: p, Length: len(p), Link: 1, At: testAt.Add(time.Second)})
		if len(d.parts.held) > fragmentDatagrams {
			t.Fatalf("%d datagrams are held", len(d.parts.held))
		}
	}
	if d.fragments != 40000 || d.unjoined != 40000 || !d.parts.adds() {
		t.Errorf("%d of %d unjoined, %d bytes left", d.unjoined, d.fragments, d.parts.bytes)
	}
}

// TestFragmentsOfTCP: a segment in fragments is a segment.
func TestFragmentsOfTCP(t *testing.T) {
	segment := build(t, testTCP(), gopacket.Payload(fmt.Sprintf("%1000d", 1)))
	var d counting
	for i, cut := range [][2]int{{0, 8}, {8, 512}, {512, len(segment)}} { // the first holds less than a TCP header
		ip := testIP4(6)
		ip.Id, ip.FragOffset = 9, uint16(cut[0]/8)
		if i < 2 {
			ip.Flags = layers.IPv4MoreFragments
		}
		p := build(t, testEther(layers.EthernetTypeIPv4), ip, gopacket.Payload(segment[cut[0]:cut[1]]))
		if ok := d.decode(&Packet{Data: p, Length: len(p), Link: 1, At: testAt}); ok != (i == 2) {
			t.Fatalf("fragment %d: %v", i, ok)
		}
	}
	if d.kind != kindTCP || d.seq != 1000 || d.length != 1000 {
		t.Errorf("kind %d, %d bytes", d.kind, d.length)
	}
}
