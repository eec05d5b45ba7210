package capture

import (
	"net/netip"
	"time"
)

// Proto says what a flow carries.
type Proto string

// The protocols.
const (
	ProtoARP      Proto = "arp"       // one ARP packet: Payload
	ProtoUDP      Proto = "udp"       // one datagram of a port the package hands on as it is: Payload
	ProtoDNS      Proto = "dns"       // one DNS message, over UDP or TCP: Payload, without TCP's length
	ProtoHTTP     Proto = "http"      // one request (Answer nil), or one answer (Answer set, with its request's head where that was seen)
	ProtoPart     Proto = "http-part" // one part of an answer that never ends (multipart/x-mixed-replace): Part, with both heads where seen
	ProtoRTSP     Proto = "rtsp"      // one request or answer, as with HTTP
	ProtoSIP      Proto = "sip"       // one request or answer, over UDP or TCP
	ProtoMetadata Proto = "metadata"  // one document of an RTP metadata track, whole: Payload
	ProtoMQTT     Proto = "mqtt"      // one PUBLISH (Topic, Payload), or one CONNECT (no topic)
	ProtoTLS      Proto = "tls"       // a ClientHello: Hello
	ProtoQUIC     Proto = "quic"      // the ClientHello of a QUIC Initial: Hello
	ProtoTCP      Proto = "tcp"       // the first bytes one side of a TCP conversation sent, where it is none of the above: Payload
	ProtoEnd      Proto = "end"       // a conversation ended or was forgotten: Totals
)

// Flow is one conversation, or that part of one that can be judged by itself. Its slices are valid only during the call that
// hands it over: who keeps something copies it.
type Flow struct {
	Proto     Proto
	Transport string // "tcp", "udp"; empty for ARP
	Client    Party  // who asked or opened the connection; of a datagram, who sent it
	Server    Party  // who answers; of a datagram, whom it was sent to
	FromHost  bool   // the flow was sent by Client; false: by Server. Of ProtoEnd it says nothing
	At        time.Time
	Until     time.Time // when its last packet was seen
	Frames    [2]int    // numbers of its first and last packet in the capture, counted from 1
	VLAN      uint16    // outermost 802.1Q identifier; 0: none
	Cut       Cut

	Request *Message // HTTP, RTSP, SIP
	Answer  *Message
	Part    *Part
	Payload []byte
	Topic   string
	Hello   *Hello
	Totals  *Totals
	Track   string // Metadata: the RTSP URL of the track, where its DESCRIBE or SETUP was seen
}

// Party is one end of a conversation.
type Party struct {
	Addr netip.AddrPort // an IPv4 address in its own form, never mapped; without zone
	MAC  [6]byte        // the frame's hardware address, which behind a router is the router's; zero: the link has none
}

// Cut says what of a flow is missing. Whatever is set, what is there is there: bytes are never joined across a gap.
type Cut uint8

// What is missing.
const (
	CutHole    Cut = 1 << iota // packets between were not captured; what follows the gap is not in the flow
	CutSnapped                 // packets were cut by the capture's snap length
	CutLimit                   // longer than the package keeps
	CutStart                   // the conversation had begun before
	CutEnd                     // the conversation, or the capture, ended inside it
)

// Has reports whether any of the kinds is missing.
func (c Cut) Has(k Cut) bool { return c&k != 0 }

// Message is one request or answer of a protocol with HTTP's grammar: HTTP, RTSP, SIP.
type Message struct {
	Method string // of a request: "POST"; empty for an answer
	Target string // of a request: the URL or path, at most 2 KiB
	Status int    // of an answer; 0 for a request
	Header Header
	Body   []byte // at most 256 KiB, decoded of transfer and content encoding, with long runs of base64 shortened; nil for media types that are pictures, video, audio or octets
	Size   int64  // bytes of the body seen on the wire, -1 where the body was not looked at
	Parts  []Part // of a multipart body that ends; Body is nil then
	Cut    Cut

	held int // by how many besides who reads it
}

// Part is one part of a multipart body.
type Part struct {
	Header Header
	Name   string // of its Content-Disposition
	Body   []byte // at most 64 KiB; nil for pictures, video, audio and octets, which are counted and dropped
	Size   int64
	Cut    Cut
}

// Header holds the lines of a message's head as they came, at most 64 of at most 1 KiB. What authenticates is not in it:
// Authorization, Cookie and their kin have the value "-".
type Header []Field

// Field is one line of a head.
type Field struct{ Name, Value string }

// Hello is what a ClientHello says in clear.
type Hello struct {
	Name      string   // server_name; empty: none, or only an encrypted one
	ALPN      []string // as offered
	Version   uint16   // highest offered
	Encrypted bool     // it carries an Encrypted Client Hello: Name is only the outer one
}

// Totals is what passed in one conversation.
type Totals struct {
	Up, Down           int64     // bytes of payload from the client and from the server, as the packets' headers state them
	PacketsUp          int       // packets with payload from the client
	PacketsDown        int       // packets with payload from the server
	DataUp, DataDown   int64     // of TLS and QUIC: bytes of application data; of everything else equal to Up and Down
	Opened             time.Time // first packet
	Proto              Proto     // what it was found to be; empty: not recognised
	Encrypted          bool      // TLS or QUIC
	Name               string    // what the client called the server: server_name, Host, or the DNS name it had just resolved to that address
	NameBy             string    // where Name is from: "tls", "quic", "http", "rtsp", "dns"
	Holes              int       // gaps of packets that were not captured
	Missing            int64     // bytes of these gaps, as far as known
	OneSided, MidStart bool      // only one side was seen; it had begun before
}
