package capture

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// kind says what a decoded packet carries.
type kind uint8

// The kinds. The zero value is none of them.
const (
	kindNone  kind = iota // it could not be decoded
	kindHeld              // a fragment whose datagram is not complete, or never will be
	kindARP               // payload is the ARP packet, src and dst its protocol addresses
	kindTCP               // ports, seq, ack and flags are set
	kindUDP               // ports are set
	kindOther             // another protocol over IP: proto says which, payload is what the IP header carries
)

// cast says whom a frame was sent to.
type cast uint8

// The kinds of addressee.
const (
	castUnknown cast = iota // the link does not say
	castOne                 // one station
	castGroup               // all stations or a group
)

// Bits of decoder.flags, as TCP has them on the wire.
const (
	tcpFIN = 1 << iota
	tcpSYN
	tcpRST
	tcpPSH
	tcpACK
)

// Link types that layers.LinkType has no number for. Those it knows nothing of are handed on as linkUnknown; both numbers are of the
// range that the registry leaves to private use, so that none is taken for another.
const (
	linkUnknown layers.LinkType = 147
	linkSLL2    layers.LinkType = 148 // LINKTYPE_LINUX_SLL2 is 276, which the type does not hold
)

// decoded is what a packet was taken apart to.
type decoded struct {
	srcMAC, dstMAC [6]byte // of the frame; zero where the link has none
	cast           cast
	vlan           uint16 // outermost 802.1Q identifier; 0: none
	kind           kind

	src, dst         [16]byte // an IPv4 address in its mapped form ::ffff:a.b.c.d; no IPv6 packet has such an address here
	proto            uint8    // IP protocol number of what follows the last extension header
	srcPort, dstPort uint16   // of TCP and UDP; otherwise 0
	seq, ack         uint32   // of TCP
	flags            uint8    // tcpFIN …
	arpOp            uint16   // 1 asks, 2 answers

	payload []byte // what TCP or UDP carries, as far as it was captured; without the frame's padding
	length  int    // how many bytes it had on the wire, as the headers state them; never less than len(payload)
	snapped bool   // the capture cut the packet: payload is shorter than length, or the headers were cut
	joined  bool   // put together from fragments: payload is in memory of its own
	piece   bool   // a fragment
	lost    int64  // fragments that were given up when this one came
	pending int64  // fragments whose datagrams are not complete, behind this one
}

// decoder takes packets apart. Its fields describe the packet that decode was last called with, and are valid until
// the next call; nothing is allocated for a packet that is not a fragment. Only lengths are believed that the frame has room for.
// Checksums are not looked at: a capture on the machine that sends sees them before the network card fills them in.
type decoder struct {
	decoded

	at    time.Time // of the packet
	eth   layers.Ethernet
	tag   layers.Dot1Q
	arp   layers.ARP
	ip4   layers.IPv4
	tcp   layers.TCP
	udp   layers.UDP
	parts fragments
}

// decode takes a packet apart. The kind is kindNone for a frame that could not be decoded, and kindHeld for a fragment whose datagram is
// not complete yet. What the frame says of itself is set even then.
func (d *decoder) decode(p *Packet) {
	d.decoded = decoded{}
	d.at = p.At
	d.kind = d.link(p.Link, frame{data: p.Data, wire: max(p.Length, len(p.Data))})
}

// source returns the sender's address and port.
func (d *decoded) source() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(d.src).Unmap(), d.srcPort)
}

// destination returns the addressee's address and port.
func (d *decoded) destination() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(d.dst).Unmap(), d.dstPort)
}

// frame is what is left of a packet while it is taken apart.
type frame struct {
	data []byte
	wire int // length of data on the wire; at least len(data)
}

// skip leaves out the first n bytes, which have to be there.
func (f frame) skip(n int) frame {
	f.data, f.wire = f.data[n:], f.wire-n
	return f
}

// only keeps the first n bytes of the wire, which has to have them.
func (f frame) only(n int) frame {
	f.data, f.wire = f.data[:min(n, len(f.data))], n
	return f
}

// link decodes the link layer.
func (d *decoder) link(t layers.LinkType, f frame) kind {
	switch t {
	case layers.LinkTypeEthernet:
		return d.ethernet(f)
	case layers.LinkTypeRaw, layers.LinkTypeIPv4, layers.LinkTypeIPv6, 12, 14: // 12 and 14: raw IP, as BSDs number it
		return d.raw(f)
	case layers.LinkTypeLinuxSLL:
		return d.cooked(f)
	case linkSLL2:
		return d.cooked2(f)
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return d.loop(f)
	}
	return kindNone
}

func (d *decoder) ethernet(f frame) kind {
	if d.eth.DecodeFromBytes(f.data, gopacket.NilDecodeFeedback) != nil {
		return kindNone
	}
	d.dstMAC, d.srcMAC = [6]byte(d.eth.DstMAC), [6]byte(d.eth.SrcMAC)
	d.cast = castOne
	if d.dstMAC[0]&1 != 0 {
		d.cast = castGroup
	}
	f = f.skip(14)
	if d.eth.EthernetType == layers.EthernetTypeLLC {
		return d.snap(f, int(d.eth.Length))
	}
	return d.network(d.eth.EthernetType, f)
}

// snap decodes an IEEE 802.3 frame whose LLC header names an Ethernet type.
func (d *decoder) snap(f frame, length int) kind {
	const header = "\xaa\xaa\x03\x00\x00\x00"
	if length > f.wire {
		return kindNone
	}
	f = f.only(length)
	if len(f.data) < 8 || string(f.data[:6]) != header {
		return kindNone
	}
	return d.network(layers.EthernetType(binary.BigEndian.Uint16(f.data[6:])), f.skip(8))
}

// Ethernet types that package layers does not name.
const (
	etherVLAN9100 layers.EthernetType = 0x9100 // QinQ before it was standardised
	etherPPPoE    layers.EthernetType = layers.EthernetTypePPPoESession
)

// network decodes what an Ethernet type announces: tags, ARP, IP. Tunnels (MPLS, GRE, VXLAN below UDP) are not looked into.
func (d *decoder) network(t layers.EthernetType, f frame) kind {
	for range 4 { // tags; nobody stacks more
		switch t {
		case layers.EthernetTypeIPv4:
			return d.v4(f)
		case layers.EthernetTypeIPv6:
			return d.v6(f)
		case layers.EthernetTypeARP:
			return d.address(f)
		case etherPPPoE:
			return d.pppoe(f)
		case layers.EthernetTypeDot1Q, layers.EthernetTypeQinQ, etherVLAN9100:
		default:
			return kindNone
		}
		if d.tag.DecodeFromBytes(f.data, gopacket.NilDecodeFeedback) != nil {
			return kindNone
		}
		if d.vlan == 0 {
			d.vlan = d.tag.VLANIdentifier
		}
		t, f = d.tag.Type, f.skip(4)
	}
	return kindNone
}

// pppoe decodes a PPPoE session frame that carries IP.
func (d *decoder) pppoe(f frame) kind {
	const ipv4, ipv6 = 0x0021, 0x0057
	if len(f.data) < 8 || f.data[0] != 0x11 || f.data[1] != 0 {
		return kindNone
	}
	length := int(binary.BigEndian.Uint16(f.data[4:]))
	if length < 2 || length > f.wire-6 {
		return kindNone
	}
	proto := binary.BigEndian.Uint16(f.data[6:])
	f = f.skip(6).only(length).skip(2)
	switch proto {
	case ipv4:
		return d.v4(f)
	case ipv6:
		return d.v6(f)
	}
	return kindNone
}

// raw decodes a packet that begins with its IP header.
func (d *decoder) raw(f frame) kind {
	if len(f.data) == 0 {
		return kindNone
	}
	if f.data[0]>>4 == 6 {
		return d.v6(f)
	}
	return d.v4(f)
}

// loop decodes the header of BSD's loopback: the address family in the byte order of the machine (NULL) or of the network (LOOP).
func (d *decoder) loop(f frame) kind {
	if len(f.data) < 4 {
		return kindNone
	}
	family := binary.BigEndian.Uint32(f.data)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(f.data)
	}
	switch family {
	case 2:
		return d.v4(f.skip(4))
	case 10, 24, 28, 30: // Linux, NetBSD and OpenBSD, FreeBSD, Darwin
		return d.v6(f.skip(4))
	}
	return kindNone
}

// cooked decodes the header of a capture on all of Linux's interfaces (SLL).
func (d *decoder) cooked(f frame) kind {
	if len(f.data) < 16 {
		return kindNone
	}
	b := f.data
	if !d.station(binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:]), b[6:12]) {
		return kindNone
	}
	return d.network(layers.EthernetType(binary.BigEndian.Uint16(b[14:])), f.skip(16))
}

// cooked2 decodes the second version of that header (SLL2).
func (d *decoder) cooked2(f frame) kind {
	if len(f.data) < 20 {
		return kindNone
	}
	b := f.data
	if !d.station(uint16(b[10]), binary.BigEndian.Uint16(b[8:]), uint16(b[11]), b[12:18]) {
		return kindNone
	}
	return d.network(layers.EthernetType(binary.BigEndian.Uint16(b)), f.skip(20))
}

// station takes the sender and the kind of addressee from a cooked header. It returns false for a link that carries no network.
func (d *decoder) station(addressee, hardware, size uint16, mac []byte) bool {
	const netlink = 824
	switch addressee {
	case 0, 3, 4: // to this machine, to another, from this one
		d.cast = castOne
	case 1, 2: // to all, to a group
		d.cast = castGroup
	}
	if size == 6 {
		d.srcMAC = [6]byte(mac)
	}
	return hardware != netlink
}

// address decodes an ARP packet of IPv4 over Ethernet. Other sizes of address are refused before package layers sees them, whose sum
// of them overflows.
func (d *decoder) address(f frame) kind {
	const size = 28
	if len(f.data) < size || f.data[4] != 6 || f.data[5] != 4 {
		return kindNone
	}
	if d.arp.DecodeFromBytes(f.data[:size], gopacket.NilDecodeFeedback) != nil || d.arp.Protocol != layers.EthernetTypeIPv4 {
		return kindNone
	}
	d.arpOp = d.arp.Operation
	d.src, d.dst = mapped(d.arp.SourceProtAddress), mapped(d.arp.DstProtAddress)
	d.payload, d.length = f.data[:size], size
	return kindARP
}

// mapped returns an IPv4 address as the last part of an IPv6 one.
func mapped(b []byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
}

// v4 decodes an IPv4 packet. A total length of nothing is what a card that cuts segments itself leaves there, on Windows and for
// packets of more than 64 KiB on Linux: the packet fills its frame.
func (d *decoder) v4(f frame) kind {
	if len(f.data) < 20 || f.data[0]>>4 != 4 {
		return kindNone
	}
	total := int(binary.BigEndian.Uint16(f.data[2:]))
	if total == 0 {
		total = f.wire
	}
	head := int(f.data[0]&0xf) * 4
	if head < 20 || head > total || total > f.wire || head > len(f.data) {
		return kindNone
	}
	// Options that make no sense change nothing that is of use here.
	_ = d.ip4.DecodeFromBytes(f.data[:head], gopacket.NilDecodeFeedback)
	d.src, d.dst = mapped(d.ip4.SrcIP), mapped(d.ip4.DstIP)
	d.proto = uint8(d.ip4.Protocol)
	f = f.only(total).skip(head)
	more := d.ip4.Flags&layers.IPv4MoreFragments != 0
	if !more && d.ip4.FragOffset == 0 {
		return d.transport(f)
	}
	f, ok := d.fragment(f, fragmentKey{src: d.src, dst: d.dst, id: uint32(d.ip4.Id), proto: d.proto, vlan: d.vlan}, int(d.ip4.FragOffset)*8, more)
	if !ok {
		return kindHeld
	}
	return d.transport(f)
}

// v6 decodes an IPv6 packet. layers.IPv6 is not asked: it counts a hop-by-hop header twice and refuses the length of nothing that
// a packet of more than 64 KiB has.
func (d *decoder) v6(f frame) kind {
	const head = 40
	if len(f.data) < head || f.data[0]>>4 != 6 {
		return kindNone
	}
	length := int(binary.BigEndian.Uint16(f.data[4:]))
	if length == 0 {
		length = f.wire - head
	}
	if length > f.wire-head {
		return kindNone
	}
	d.src, d.dst = [16]byte(f.data[8:24]), [16]byte(f.data[24:40])
	if isMapped(&d.src) || isMapped(&d.dst) {
		return kindNone // no such address is ever on the wire; it would be taken for an IPv4 one
	}
	d.proto = f.data[6]
	return d.extensions(f.only(head+length).skip(head), false)
}

func isMapped(a *[16]byte) bool {
	return a[10] == 0xff && a[11] == 0xff && binary.BigEndian.Uint64(a[:8]) == 0 && a[8] == 0 && a[9] == 0
}

// IPv6 extension headers, in IP's protocol numbers.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extAH          = 51
	extDestination = 60
	extMobility    = 135
	extHIP         = 139
	extShim        = 140
)

// extensions walks IPv6's extension headers. within says that they are those of a datagram that was joined: it has no fragment
// header of its own.
func (d *decoder) extensions(f frame, within bool) kind {
	for range 16 {
		size := 0
		switch d.proto {
		case extHopByHop, extRouting, extDestination, extMobility, extHIP, extShim:
			if len(f.data) < 8 {
				return kindNone
			}
			size = int(f.data[1])*8 + 8
		case extAH:
			if len(f.data) < 8 {
				return kindNone
			}
			size = int(f.data[1])*4 + 8
		case extFragment:
			if within || len(f.data) < 8 {
				return kindNone
			}
			return d.fragment6(f)
		default:
			return d.transport(f)
		}
		if size > len(f.data) {
			return kindNone
		}
		d.proto, f = f.data[0], f.skip(size)
	}
	return kindNone
}

// fragment6 decodes what follows an IPv6 fragment header. A datagram in a single fragment is whole.
func (d *decoder) fragment6(f frame) kind {
	d.proto = f.data[0]
	offset := binary.BigEndian.Uint16(f.data[2:])
	id := binary.BigEndian.Uint32(f.data[4:])
	f = f.skip(8)
	if offset&0xfff9 == 0 {
		return d.extensions(f, true)
	}
	key := fragmentKey{src: d.src, dst: d.dst, id: id, vlan: d.vlan, v6: true}
	f, ok := d.fragment(f, key, int(offset&0xfff8), offset&1 != 0)
	if !ok {
		return kindHeld
	}
	return d.extensions(f, true)
}

// fragment puts a fragment to those of its datagram. It returns the datagram's payload when this was the last that was missing.
func (d *decoder) fragment(f frame, key fragmentKey, offset int, more bool) (frame, bool) {
	whole, proto, lost := d.parts.add(key, f, d.at, d.proto, offset, more)
	d.piece, d.lost, d.pending = true, lost, d.parts.pending
	if whole == nil {
		return f, false
	}
	d.joined, d.proto = true, proto
	return frame{data: whole, wire: len(whole)}, true
}

// transport decodes what an IP packet carries. Ports and numbers of a TCP segment are known even where its options or its payload
// were cut; options that make no sense cost nothing but themselves.
func (d *decoder) transport(f frame) kind {
	switch layers.IPProtocol(d.proto) {
	case layers.IPProtocolTCP:
		return d.segment(f)
	case layers.IPProtocolUDP:
		return d.datagram(f)
	case layers.IPProtocolIPv4, layers.IPProtocolIPv6, layers.IPProtocolGRE, layers.IPProtocolEtherIP:
		return kindNone // a tunnel: what is inside was not looked at, and the count says so
	}
	d.carry(f)
	return kindOther
}

func (d *decoder) segment(f frame) kind {
	if len(f.data) < 20 {
		return kindNone
	}
	head := int(f.data[12]>>4) * 4
	if head < 20 || head > f.wire {
		return kindNone
	}
	// The options are not for us: twenty bytes are shown, and the error that there should be more says nothing new.
	_ = d.tcp.DecodeFromBytes(f.data[:20], gopacket.NilDecodeFeedback)
	d.srcPort, d.dstPort = uint16(d.tcp.SrcPort), uint16(d.tcp.DstPort)
	d.seq, d.ack, d.flags = d.tcp.Seq, d.tcp.Ack, f.data[13]
	if head > len(f.data) {
		d.length, d.snapped = f.wire-head, true
		return kindTCP
	}
	d.carry(f.skip(head))
	return kindTCP
}

func (d *decoder) datagram(f frame) kind {
	if d.udp.DecodeFromBytes(f.data, gopacket.NilDecodeFeedback) != nil {
		return kindNone
	}
	length := int(d.udp.Length)
	if length == 0 { // a jumbogram, or a card that cuts datagrams itself
		length = f.wire
	}
	if length > f.wire {
		return kindNone
	}
	d.srcPort, d.dstPort = uint16(d.udp.SrcPort), uint16(d.udp.DstPort)
	d.carry(f.only(length).skip(8))
	return kindUDP
}

// carry takes what is left as the payload.
func (d *decoder) carry(f frame) {
	d.payload, d.length = f.data, f.wire
	d.snapped = len(f.data) < f.wire
}
