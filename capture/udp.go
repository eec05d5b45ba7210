package capture

// handedOn lists the ports whose datagrams are handed on as they are: what devices say of themselves unasked or to everybody.
// The numbers are those of the discovery protocols (see the packages below internal), DHCP's, and Dahua's P2P lookup.
func handedOn(port uint16) bool {
	switch port {
	case 67, 68, 546, 547, // DHCP
		1900,  // SSDP
		3702,  // WS-Discovery
		5353,  // mDNS
		7701,  // Hanwha
		7711,  //
		8800,  // Dahua P2P
		10001, // Ubiquiti
		20002, // TP-Link
		32168, // CodeProject.AI
		34569, // Xiongmai
		37020, // SADP
		37810: // DHIP
		return true
	}
	return false
}

const (
	portDNS  = 53
	maxTries = 4 // datagrams of a conversation that are looked at before it is only counted
)

func (e *Engine) udp(p *Packet, d *decoded) {
	k, s := keyOf(d, protoUDP)
	c := e.find(&k)
	if c == nil {
		c = e.open(k, p, d)
		c.client, c.sure = s, true // whoever speaks first asked
	}
	c.touch(p)
	h := &c.halves[s]
	if !h.beheld {
		h.seen, h.beheld, h.mac = true, true, d.srcMAC
	}
	h.packets++
	h.bytes += int64(d.length)
	c.cut = 0
	if d.snapped {
		c.cut = CutSnapped
	}
	if c.phase != unknown && len(d.payload) > 0 {
		e.datagram(c, s, d.payload)
	}
}

// datagram hands on what is understood of one.
func (e *Engine) datagram(c *conn, s side, b []byte) {
	if c.phase == undecided {
		c.decide(b)
	}
	up := c.up(s)
	switch c.proto {
	case ProtoUDP:
		c.emit(up, Flow{Proto: ProtoUDP, Payload: b, Cut: c.cut})
	case ProtoDNS:
		udpDNS(c, up, b)
	case ProtoMetadata:
		udpTrack(c, up, b)
	case ProtoSIP:
		udpSIP(c, up, b)
	case ProtoQUIC:
		udpQUIC(c, up, b)
	default:
		switch {
		case udpSIP(c, up, b):
			c.phase, c.proto = recognised, ProtoSIP
		case udpQUIC(c, up, b):
			c.phase, c.proto = recognised, ProtoQUIC
		case udpTrack(c, up, b):
			c.phase, c.proto = recognised, ProtoMetadata
		default:
			if c.tries++; c.tries >= maxTries {
				c.phase = unknown
			}
		}
	}
}

// decide goes by the ports and by what was announced; the rest is tried by content.
func (c *conn) decide(b []byte) {
	lo, hi := c.key.loPort, c.key.hiPort
	switch {
	case lo == portDNS || hi == portDNS:
		c.proto = ProtoDNS
	case handedOn(lo) || handedOn(hi):
		c.proto = ProtoUDP
	case c.e.track(c):
		c.proto = ProtoMetadata
	default:
		return
	}
	c.phase = recognised
}
