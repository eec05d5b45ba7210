// Package capturetest builds captures for tests: conversations with their handshakes and confirmations, datagrams, and what goes
// wrong with captures. It belongs to tests and measurements alone. Everything in it is made up.
package capturetest

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/mingshi-audit/mingshi/capture"
)

// segmentSize is what a TCP segment carries at most.
const segmentSize = 1448

// Capture is a made-up capture of an Ethernet.
type Capture struct {
	Now  time.Time     // of the next packet
	Step time.Duration // between two packets
	VLAN uint16        // of the frames to come; 0: none

	packets []packet
	out     *pcapgo.Writer // where packets go at once; nil: they are kept
	written int64          // bytes of packets
	cameras map[string]int // that report faces, in a mix
	failed  error
	buf     gopacket.SerializeBuffer
}

type packet struct {
	at     time.Time
	data   []byte
	length int
}

// New returns an empty capture that begins on 2 November 2026 at 10:00 China Standard Time, with a packet every 100 µs.
func New() *Capture {
	return &Capture{Now: time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC), Step: 100 * time.Microsecond, buf: gopacket.NewSerializeBuffer()}
}

// Stream returns an empty capture whose packets are written at once and not kept: for those larger than memory. Written tells how
// it went.
func Stream(w io.Writer) *Capture {
	c := New()
	c.out = pcapgo.NewWriter(w)
	c.failed = c.out.WriteFileHeader(262144, layers.LinkTypeEthernet)
	return c
}

// Written returns how many bytes of packets were written, and the first error.
func (c *Capture) Written() (int64, error) { return c.written, c.failed }

// MAC is the hardware address a made-up host has: locally administered, after its address.
func MAC(a netip.Addr) [6]byte {
	b := a.As16()
	return [6]byte{2, 0, b[12], b[13], b[14], b[15]}
}

// TCP is one conversation.
type TCP struct {
	c              *Capture
	client, server netip.AddrPort
	next           [2]uint32 // sequence numbers of the client and the server
	mute           bool
}

// Connect adds a handshake.
func (c *Capture) Connect(client, server string) *TCP {
	t := c.Join(client, server)
	t.segment(true, nil, func(l *layers.TCP) { l.SYN, l.ACK = true, false })
	t.next[0]++
	t.segment(false, nil, func(l *layers.TCP) { l.SYN = true })
	t.next[1]++
	t.segment(true, nil, nil)
	return t
}

// Join returns a conversation whose beginning was not captured.
func (c *Capture) Join(client, server string) *TCP {
	t := &TCP{c: c, client: netip.MustParseAddrPort(client), server: netip.MustParseAddrPort(server)}
	n := uint32(len(c.packets))*7919 + uint32(t.client.Port())<<16
	t.next = [2]uint32{n, n ^ 0xABCDEF01}
	return t
}

// Acks makes the conversation confirm what is said, or not: a capture is smaller without.
func (t *TCP) Acks(on bool) *TCP {
	t.mute = !on
	return t
}

// Up adds what the client sends, and the server's confirmation.
func (t *TCP) Up(b []byte) *TCP { return t.say(true, b) }

// Down adds what the server sends, and the client's confirmation.
func (t *TCP) Down(b []byte) *TCP { return t.say(false, b) }

func (t *TCP) say(up bool, b []byte) *TCP {
	for len(b) > 0 {
		n := min(len(b), segmentSize)
		t.segment(up, b[:n], func(l *layers.TCP) { l.PSH = n == len(b) })
		t.next[of(up)] += uint32(n)
		b = b[n:]
	}
	if !t.mute {
		t.segment(!up, nil, nil)
	}
	return t
}

// Raw adds one segment at a distance from where the side's next byte would be, and leaves that where it is.
func (t *TCP) Raw(up bool, offset int, b []byte) *TCP {
	was := t.next[of(up)]
	t.next[of(up)] += uint32(offset)
	t.segment(up, b, nil)
	t.next[of(up)] = was
	return t
}

// Skip lets bytes of a side pass that were not captured.
func (t *TCP) Skip(up bool, n int) *TCP {
	t.next[of(up)] += uint32(n)
	return t
}

// Close adds the end of the conversation.
func (t *TCP) Close() {
	for _, up := range []bool{true, false} {
		t.segment(up, nil, func(l *layers.TCP) { l.FIN = true })
		t.next[of(up)]++
	}
	t.segment(true, nil, nil)
}

func of(up bool) int {
	if up {
		return 0
	}
	return 1
}

func (t *TCP) segment(up bool, b []byte, change func(*layers.TCP)) {
	from, to := t.client, t.server
	if !up {
		from, to = to, from
	}
	l := &layers.TCP{SrcPort: layers.TCPPort(from.Port()), DstPort: layers.TCPPort(to.Port()), Seq: t.next[of(up)], Ack: t.next[of(!up)], ACK: true, Window: 65000}
	if change != nil {
		change(l)
	}
	if !l.ACK {
		l.Ack = 0
	}
	t.c.network(from.Addr(), to.Addr(), layers.IPProtocolTCP, l, b)
}

// UDP adds a datagram.
func (c *Capture) UDP(from, to string, b []byte) {
	f, t := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	c.network(f.Addr(), t.Addr(), layers.IPProtocolUDP, &layers.UDP{SrcPort: layers.UDPPort(f.Port()), DstPort: layers.UDPPort(t.Port())}, b)
}

// ARP adds a claim of an IPv4 address.
func (c *Capture) ARP(mac [6]byte, a netip.Addr) {
	b := a.As4()
	c.frame(mac, [6]byte{255, 255, 255, 255, 255, 255}, layers.EthernetTypeARP, &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6,
		ProtAddressSize: 4, Operation: layers.ARPReply, SourceHwAddress: mac[:], SourceProtAddress: b[:], DstHwAddress: make([]byte, 6), DstProtAddress: b[:]})
}

func (c *Capture) network(from, to netip.Addr, proto layers.IPProtocol, transport gopacket.SerializableLayer, b []byte) {
	dst := MAC(to)
	if to.IsMulticast() {
		s := to.As16()
		dst = [6]byte{1, 0, 0x5e, s[13] & 0x7f, s[14], s[15]}
	}
	var ip gopacket.SerializableLayer
	kind := layers.EthernetTypeIPv4
	if from.Is4() {
		l := &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
		ip = l
		check(transport, l)
	} else {
		l := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
		ip, kind = l, layers.EthernetTypeIPv6
		check(transport, l)
	}
	c.frame(MAC(from), dst, kind, ip, transport, gopacket.Payload(b))
}

// check lets a transport compute its checksum.
func check(transport gopacket.SerializableLayer, ip gopacket.NetworkLayer) {
	if t, ok := transport.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		if err := t.SetNetworkLayerForChecksum(ip); err != nil {
			panic(err)
		}
	}
}

func (c *Capture) frame(src, dst [6]byte, kind layers.EthernetType, ls ...gopacket.SerializableLayer) {
	head := []gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: src[:], DstMAC: dst[:], EthernetType: kind}}
	if c.VLAN != 0 {
		head = []gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: src[:], DstMAC: dst[:], EthernetType: layers.EthernetTypeDot1Q},
			&layers.Dot1Q{VLANIdentifier: c.VLAN, Type: kind}}
	}
	if err := gopacket.SerializeLayers(c.buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, append(head, ls...)...); err != nil {
		panic(err) // made of nothing but what this package wrote
	}
	if c.out == nil {
		c.Add(bytes.Clone(c.buf.Bytes()))
		return
	}
	c.Add(c.buf.Bytes())
}

// Add adds a frame as it is.
func (c *Capture) Add(frame []byte) {
	c.written += int64(len(frame)) + 16
	if c.out != nil {
		if err := c.out.WritePacket(gopacket.CaptureInfo{Timestamp: c.Now, CaptureLength: len(frame), Length: len(frame)}, frame); err != nil && c.failed == nil {
			c.failed = err
		}
		c.Now = c.Now.Add(c.Step)
		return
	}
	c.packets = append(c.packets, packet{at: c.Now, data: frame, length: len(frame)})
	c.Now = c.Now.Add(c.Step)
}

// Len returns how many packets there are.
func (c *Capture) Len() int { return len(c.packets) }

// Lose drops a share of the packets, as a capture that cannot keep up; equal seeds lose equal packets.
func (c *Capture) Lose(share float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	kept := c.packets[:0]
	for _, p := range c.packets {
		if r.Float64() >= share {
			kept = append(kept, p)
		}
	}
	c.packets = kept
}

// Shuffle moves every packet by up to so many places. The times stay in order.
func (c *Capture) Shuffle(places int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range c.packets {
		j := min(i+r.IntN(places+1), len(c.packets)-1)
		c.packets[i].data, c.packets[j].data = c.packets[j].data, c.packets[i].data
		c.packets[i].length, c.packets[j].length = c.packets[j].length, c.packets[i].length
	}
}

// Repeat adds a share of the packets a second time, as a mirror port that shows both directions of a switch.
func (c *Capture) Repeat(share float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 3))
	var all []packet
	for _, p := range c.packets {
		all = append(all, p)
		if r.Float64() < share {
			all = append(all, p)
		}
	}
	c.packets = all
}

// Snap cuts every packet to n bytes.
func (c *Capture) Snap(n int) {
	for i, p := range c.packets {
		c.packets[i].data = p.data[:min(n, len(p.data))]
	}
}

// Damage changes bytes of a share of the packets.
func (c *Capture) Damage(share float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 4))
	for i, p := range c.packets {
		if r.Float64() < share {
			d := bytes.Clone(p.data)
			for range 1 + r.IntN(4) {
				d[r.IntN(len(d))] = byte(r.Uint32())
			}
			c.packets[i].data = d
		}
	}
}

// Frames returns every frame, as it was captured.
func (c *Capture) Frames() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, p := range c.packets {
			if !yield(p.data) {
				return
			}
		}
	}
}

// Addr reads an address; it panics where it is none.
func Addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Play hands every packet to an engine.
func (c *Capture) Play(e *capture.Engine) {
	for i, p := range c.packets {
		e.Packet(&capture.Packet{Data: p.data, At: p.at, Length: p.length, Link: layers.LinkTypeEthernet, Number: i + 1})
	}
}

// PCAP returns the capture as a file with times in microseconds.
func (c *Capture) PCAP() []byte {
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// Write writes the capture as a file with times in microseconds.
func (c *Capture) Write(w io.Writer) error {
	p := pcapgo.NewWriter(w)
	if err := p.WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
		return err
	}
	for _, k := range c.packets {
		if err := p.WritePacket(gopacket.CaptureInfo{Timestamp: k.at, CaptureLength: len(k.data), Length: k.length}, k.data); err != nil {
			return err
		}
	}
	return nil
}

// NG returns the capture as a pcapng file.
func (c *Capture) NG() []byte {
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		panic(err)
	}
	for _, k := range c.packets {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: k.at, CaptureLength: len(k.data), Length: k.length}, k.data); err != nil {
			panic(err)
		}
	}
	if err := w.Flush(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// RTP returns an RTP packet.
func RTP(sequence uint16, marker bool, payloadType byte, b []byte) []byte {
	out := make([]byte, 12, 12+len(b))
	out[0], out[1] = 0x80, payloadType
	if marker {
		out[1] |= 0x80
	}
	binary.BigEndian.PutUint16(out[2:], sequence)
	binary.BigEndian.PutUint32(out[4:], uint32(sequence)*3000)
	binary.BigEndian.PutUint32(out[8:], 0x11223344)
	return append(out, b...)
}

// Interleaved frames data for the channel of an RTSP connection.
func Interleaved(channel byte, b []byte) []byte {
	return append([]byte{'$', channel, byte(len(b) >> 8), byte(len(b))}, b...)
}
