package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var (
	testSrcMAC = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	testDstMAC = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	testAt     = time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
)

// build serialises layers; lengths are set by them. Frames are not padded.
func build(t testing.TB, l ...gopacket.SerializableLayer) []byte {
	t.Helper()
	var out []byte
	if e, ok := l[0].(*layers.Ethernet); ok {
		out = append(append(append(out, e.DstMAC...), e.SrcMAC...), byte(e.EthernetType>>8), byte(e.EthernetType))
		l = l[1:]
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, l...); err != nil {
		t.Fatal(err)
	}
	return append(out, b.Bytes()...)
}

func testEther(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: testSrcMAC, DstMAC: testDstMAC, EthernetType: t}
}

func testIP4(p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: p, SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{192, 0, 2, 2}}
}

func testIP6(p layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("2001:db8::2")}
}

func testTCP() *layers.TCP {
	return &layers.TCP{SrcPort: 40000, DstPort: 80, Seq: 1000, Ack: 2000, ACK: true, PSH: true, Window: 1000}
}

func testUDP() *layers.UDP { return &layers.UDP{SrcPort: 5060, DstPort: 5061} }

// say writes down what a decoder made of a packet.
func say(d *decoder, ok bool) string {
	var b strings.Builder
	if !ok {
		b.WriteString("no")
		if d.kind == kindHeld {
			b.WriteString(" held")
		}
		return b.String()
	}
	b.WriteString([]string{"?", "?", "arp", "tcp", "udp", "other"}[d.kind])
	b.WriteString(" " + d.source().String() + " " + d.destination().String())
	if d.vlan != 0 {
		b.WriteString(" vlan")
	}
	b.WriteString(" " + string(d.payload))
	if d.snapped {
		b.WriteString(" snapped")
	}
	return b.String()
}

func TestDecode(t *testing.T) {
	const v4, v6 = layers.EthernetTypeIPv4, layers.EthernetTypeIPv6
	hello := gopacket.Payload("hello")
	tcp4 := build(t, testEther(v4), testIP4(6), testTCP(), hello)
	udp6 := build(t, testEther(v6), testIP6(17), testUDP(), hello)
	const wantTCP, wantUDP6 = "tcp 192.0.2.1:40000 192.0.2.2:80 hello", "udp [2001:db8::1]:5060 [2001:db8::2]:5061 hello"
	change := func(b []byte, at int, v ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[at:], v)
		return b
	}
	insert := func(b []byte, at int, v ...byte) []byte {
		return append(append(bytes.Clone(b[:at]), v...), b[at:]...)
	}
	extended := func(next byte, ext ...byte) []byte { // headers between IPv6 and UDP
		b := insert(udp6, 54, ext...)
		b[20] = next
		binary.BigEndian.PutUint16(b[18:], uint16(len(b)-54))
		return b
	}
	arp := build(t, testEther(layers.EthernetTypeARP), &layers.ARP{AddrType: 1, Protocol: v4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 2,
		SourceHwAddress: testSrcMAC, SourceProtAddress: []byte{192, 0, 2, 7}, DstHwAddress: testDstMAC, DstProtAddress: []byte{192, 0, 2, 8}})
	tests := []struct {
		name   string
		link   layers.LinkType
		data   []byte
		length int // 0: all of it was captured
		want   string
	}{
		{"tcp over ipv4", 1, tcp4, 0, wantTCP},
		{"udp over ipv6", 1, udp6, 0, wantUDP6},
		{"a padded frame", 1, append(bytes.Clone(tcp4), make([]byte, 20)...), 0, wantTCP},
		{"arp", 1, arp, 0, "arp 192.0.2.7:0 192.0.2.8:0 " + string(arp[14:])},
		{"arp, padded", 1, append(bytes.Clone(arp), make([]byte, 18)...), 0, "arp 192.0.2.7:0 192.0.2.8:0 " + string(arp[14:])},
		{"arp, cut", 1, arp[:41], 60, "no"},
		{"arp of long addresses", 1, change(append(bytes.Clone(arp), make([]byte, 200)...), 18, 250, 250), 0, "no"},
		{"802.1Q", 1, insert(tcp4, 12, 0x81, 0, 0, 7), 0, "tcp 192.0.2.1:40000 192.0.2.2:80 vlan hello"},
		{"QinQ", 1, insert(tcp4, 12, 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8), 0, "tcp 192.0.2.1:40000 192.0.2.2:80 vlan hello"},
		{"a tag of priority only", 1, insert(tcp4, 12, 0x81, 0, 0xe0, 0), 0, wantTCP},
		{"five tags", 1, insert(tcp4, 12, bytes.Repeat([]byte{0x81, 0, 0, 7}, 5)...), 0, "no"},
		{"a cut tag", 1, insert(tcp4, 12, 0x81, 0, 0, 7)[:16], 80, "no"},
		{"pppoe", 1, insert(change(tcp4, 12, 0x88, 0x64), 14, 0x11, 0, 0, 1, 0, byte(len(tcp4)-14+2), 0, 0x21), 0, wantTCP},
		{"pppoe that lies", 1, insert(change(tcp4, 12, 0x88, 0x64), 14, 0x11, 0, 0, 1, 1, 0, 0, 0x21), 0, "no"},
		{"snap", 1, insert(change(tcp4, 12, 0, byte(len(tcp4)-14+8)), 14, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), 0, wantTCP},
		{"spanning tree", 1, insert(change(tcp4, 12, 0, 38), 14, 0x42, 0x42, 3), 0, "no"},
		{"lldp", 1, change(tcp4, 12, 0x88, 0xcc), 0, "no"},
		{"mpls", 1, insert(change(tcp4, 12, 0x88, 0x47), 14, 0, 1, 1, 64), 0, "no"},
		{"raw", 101, tcp4[14:], 0, wantTCP},
		{"raw of BSD", 12, udp6[14:], 0, wantUDP6},
		{"ipv4", 228, tcp4[14:], 0, wantTCP},
		{"ipv6", 229, udp6[14:], 0, wantUDP6},
		{"sll", layers.LinkTypeLinuxSLL, append([]byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, tcp4[14:]...), 0, wantTCP},
		{"sll with a tag", layers.LinkTypeLinuxSLL, append([]byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0, 0, 7, 8, 0}, tcp4[14:]...), 0, "tcp 192.0.2.1:40000 192.0.2.2:80 vlan hello"},
		{"sll of netlink", layers.LinkTypeLinuxSLL, append([]byte{0, 0, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}, tcp4[14:]...), 0, "no"},
		{"sll2", linkSLL2, append([]byte{0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}, udp6[14:]...), 0, wantUDP6},
		{"null, little-endian", 0, append([]byte{2, 0, 0, 0}, tcp4[14:]...), 0, wantTCP},
		{"null, big-endian, ipv6 of macOS", 0, append([]byte{0, 0, 0, 30}, udp6[14:]...), 0, wantUDP6},
		{"loop", 108, append([]byte{0, 0, 0, 2}, tcp4[14:]...), 0, wantTCP},
		{"loop of another family", 108, append([]byte{0, 0, 0, 7}, tcp4[14:]...), 0, "no"},
		{"another link", linkUnknown, tcp4, 0, "no"},
		{"nothing", 1, nil, 0, "no"},
		{"nothing raw", 101, nil, 0, "no"},
		{"payload cut", 1, tcp4[:len(tcp4)-3], len(tcp4), "tcp 192.0.2.1:40000 192.0.2.2:80 he snapped"},
		{"options cut", 1, insert(change(change(tcp4, 46, 0x60), 16, 0, byte(len(tcp4)-14+4)), 54, 1, 1, 1, 1)[:56], len(tcp4) + 4, "tcp 192.0.2.1:40000 192.0.2.2:80  snapped"},
		{"bad options", 1, insert(change(change(tcp4, 46, 0x60), 16, 0, byte(len(tcp4)-14+4)), 54, 8, 10, 8, 0), 0, wantTCP},
		{"tcp header cut", 1, tcp4[:50], len(tcp4), "no"},
		{"ip header cut", 1, tcp4[:30], len(tcp4), "no"},
		{"longer than its frame", 1, change(tcp4, 16, 0, byte(len(tcp4)-14+1)), 0, "no"},
		{"longer than its frame, which is cut", 1, change(tcp4, 16, 0xff, 0)[:60], 400, "no"},
		{"no total length: cut to segments by the card", 1, change(tcp4, 16, 0, 0), 0, wantTCP},
		{"no total length, cut", 1, change(tcp4, 16, 0, 0), 1000, wantTCP + " snapped"},
		{"ip header longer than the packet", 1, change(tcp4, 14, 0x4f, 0, 0, 50), 0, "no"},
		{"ip header too short", 1, change(tcp4, 14, 0x44), 0, "no"},
		{"version 5", 1, change(tcp4, 14, 0x55), 0, "no"},
		{"tcp header longer than the packet", 1, change(tcp4, 46, 0xf0), 0, "no"},
		{"tcp header too short", 1, change(tcp4, 46, 0x40), 0, "no"},
		{"udp longer than the packet", 1, change(udp6, 58, 0, 200), 0, "no"},
		{"udp too short", 1, change(udp6, 58, 0, 7), 0, "no"},
		{"udp of no length", 1, change(udp6, 58, 0, 0), 0, wantUDP6},
		{"udp shorter than the packet", 1, change(udp6, 58, 0, 11), 0, strings.TrimSuffix(wantUDP6, "lo")},
		{"ipv6 of no length", 1, change(udp6, 18, 0, 0), 0, wantUDP6},
		{"ipv6 longer than its frame", 1, change(udp6, 18, 0, 200), 0, "no"},
		{"hop by hop", 1, extended(0, 17, 0, 1, 4, 0, 0, 0, 0), 0, wantUDP6},
		{"routing and destination", 1, extended(43, 60, 0, 0, 0, 0, 0, 0, 0, 17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, wantUDP6},
		{"authenticated", 1, extended(51, 17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1), 0, wantUDP6},
		{"a fragment that is the whole", 1, extended(44, 17, 0, 0, 0, 0, 0, 0, 1), 0, wantUDP6},
		{"an extension that lies", 1, extended(0, 17, 200, 1, 4, 0, 0, 0, 0), 0, "no"},
		{"extensions without end", 1, extended(60, bytes.Repeat([]byte{60, 0, 1, 4, 0, 0, 0, 0}, 40)...), 0, "no"},
		{"ipv4 in ipv6's clothes", 1, change(udp6, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 0, "no"},
		{"icmp", 1, build(t, testEther(v4), testIP4(1), gopacket.Payload("ping")), 0, "other 192.0.2.1:0 192.0.2.2:0 ping"},
		{"gre", 1, build(t, testEther(v4), testIP4(47), gopacket.Payload("\x00\x00\x08\x00")), 0, "no"},
		{"ipv4 with options", 1, append(append(change(tcp4, 14, 0x46, 0, 0, byte(len(tcp4)-14+4))[:34], 148, 4, 0, 0), tcp4[34:]...), 0, wantTCP},
		{"ipv4 with bad options", 1, append(append(change(tcp4, 14, 0x46, 0, 0, byte(len(tcp4)-14+4))[:34], 148, 40, 0, 0), tcp4[34:]...), 0, wantTCP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d counting
			ok := d.decode(&Packet{Data: tt.data, Length: max(tt.length, len(tt.data)), Link: tt.link, At: testAt})
			if got := say(&d.decoder, ok); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if (d.undecoded == 1) == ok {
				t.Errorf("ok %v, %d counted as undecoded", ok, d.undecoded)
			}
		})
	}
}

// counting is a decoder whose packets an engine counts.
type counting struct {
	decoder
	fragments, unjoined, undecoded int64
}

// decode reports whether there is something for the engine. What is pending counts as unjoined.
func (c *counting) decode(p *Packet) bool {
	before := c.pending
	c.decoder.decode(p)
	switch {
	case c.piece:
		c.fragments++
		c.unjoined += c.lost + c.pending - before
	case c.kind == kindNone:
		c.undecoded++
	}
	if !c.piece {
		c.pending = before
	}
	return c.kind != kindNone && c.kind != kindHeld
}

// TestDecodeFields: what the table's short form does not show.
func TestDecodeFields(t *testing.T) {
	var d counting
	big := build(t, testEther(layers.EthernetTypeIPv4), testIP4(6), testTCP(), gopacket.Payload(make([]byte, 9000)))
	big = append(append(big[:12:12], 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8), big[12:]...)
	if !d.decode(&Packet{Data: big[:96], Length: len(big), Link: layers.LinkTypeEthernet}) {
		t.Fatal("not decoded")
	}
	if d.seq != 1000 || d.ack != 2000 || d.flags != tcpACK|tcpPSH || d.length != 9000 || len(d.payload) != 96-62 || !d.snapped || d.vlan != 7 ||
		d.srcMAC != [6]byte(testSrcMAC) || d.dstMAC != [6]byte(testDstMAC) || d.cast != castOne || d.proto != 6 {
		t.Errorf("%+v", d)
	}
	if a := d.source().Addr(); !a.Is4() || a != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("source %v", a)
	}
	all := build(t, &layers.Ethernet{SrcMAC: testSrcMAC, DstMAC: net.HardwareAddr{255, 255, 255, 255, 255, 255}, EthernetType: 0x88cc}, gopacket.Payload("x"))
	if d.decode(&Packet{Data: all, Length: len(all), Link: layers.LinkTypeEthernet}) || d.cast != castGroup || d.vlan != 0 || d.payload != nil || d.srcMAC != [6]byte(testSrcMAC) {
		t.Errorf("after another packet: %+v", d)
	}
}

// TestDecodeMoreThan64K: a segment that a card is to cut, as a capture on the sending machine has it.
func TestDecodeMoreThan64K(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 6000)
	for _, tt := range []struct {
		name string
		data []byte
	}{
		{"ipv4", append(build(t, testEther(layers.EthernetTypeIPv4), testIP4(6), testTCP()), body...)},
		{"ipv6", append(build(t, testEther(layers.EthernetTypeIPv6), testIP6(6), testTCP()), body...)},
	} {
		b := tt.data
		if tt.name == "ipv4" {
			b[16], b[17] = 0, 0
		} else {
			b[18], b[19] = 0, 0
		}
		var d counting
		if !d.decode(&Packet{Data: b, Length: len(b), Link: layers.LinkTypeEthernet}) || d.length != len(body) || !bytes.Equal(d.payload, body) {
			t.Errorf("%s: %d bytes of %d", tt.name, d.length, len(body))
		}
	}
}

// TestDecodeAllocatesNothing: not for a packet that is whole.
func TestDecodeAllocatesNothing(t *testing.T) {
	tcp := build(t, testEther(layers.EthernetTypeIPv4), testIP4(6), testTCP(), gopacket.Payload("hello"))
	udp := build(t, testEther(layers.EthernetTypeIPv6), testIP6(17), testUDP(), gopacket.Payload("hello"))
	bad := append(bytes.Clone(tcp[:16]), append([]byte{0xff, 0xff}, tcp[18:]...)...)
	var d counting
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range [][]byte{tcp, udp, bad} {
			d.decode(&Packet{Data: b, Length: len(b), Link: layers.LinkTypeEthernet})
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	tcp := build(f, testEther(layers.EthernetTypeIPv4), testIP4(6), testTCP(), gopacket.Payload("hello"))
	f.Add(tcp, uint8(1), uint16(0), uint16(60))
	f.Add(build(f, testEther(layers.EthernetTypeIPv6), testIP6(17), testUDP(), gopacket.Payload("hello")), uint8(1), uint16(10), uint16(0))
	f.Add(tcp[14:], uint8(101), uint16(0), uint16(0))
	for _, s := range []string{
		"ffffffffffff0200000000010806000108000604000102000000000 1c000020100000000000000c0000202",
		"020000000002020000000001810000078100000808004500001c000120004011000 0c0000201c0000202000100020010000000000000",
		"02000000000202000000000186dd6000000000102c4020010db800000000000000000000000120010db80000000000000000000000021100000100000001aaaaaaaaaaaaaaaa",
		"020000000002020000000001886411000001001e002145000 01c",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		for _, link := range []uint8{0, 1, 12, 101, 108, 113, uint8(linkSLL2), 229} {
			f.Add(b, link, uint16(0), uint16(len(b)/2))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, link uint8, more, second uint16) {
		var d counting
		at := testAt
		for i, p := range [][]byte{b, b[min(int(second), len(b)):], b} { // fragments meet others
			at = at.Add(time.Duration(i) * 11 * time.Second)
			ok := d.decode(&Packet{Data: p, Length: len(p) + int(more), Link: layers.LinkType(link), At: at})
			if !ok {
				continue
			}
			if d.length < len(d.payload) || d.snapped != (d.length > len(d.payload)) && d.kind != kindTCP || !d.joined && d.length > len(p)+int(more) {
				t.Fatalf("%d bytes of %d, snapped %v", len(d.payload), d.length, d.snapped)
			}
			if !d.source().Addr().IsValid() || d.source().Addr().Is4In6() {
				t.Fatalf("source %v", d.source())
			}
		}
		if d.unjoined > d.fragments || !d.parts.adds() {
			t.Fatalf("%d fragments, %d unjoined, %d bytes held", d.fragments, d.unjoined, d.parts.bytes)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := gopacket.Payload(make([]byte, 1200))
	for _, bb := range []struct {
		name string
		data []byte
	}{
		{"tcp4", build(b, testEther(layers.EthernetTypeIPv4), testIP4(6), testTCP(), body)},
		{"udp6", build(b, testEther(layers.EthernetTypeIPv6), testIP6(17), testUDP(), body)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var d counting
			p := Packet{Data: bb.data, Length: len(bb.data), Link: layers.LinkTypeEthernet}
			b.ReportAllocs()
			for b.Loop() {
				d.decode(&p)
			}
		})
	}
}
