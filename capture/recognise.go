package capture

import "bytes"

// verdict is what the first bytes of one side say of a protocol.
type verdict int

const (
	no verdict = iota
	wait
	yes
)

// recogniser knows a protocol by the first bytes one side sent.
type recogniser struct {
	proto   Proto
	sniff   func(b []byte) verdict
	speaker func(b []byte) (client, known bool) // who sends what begins like that
	make    func(c *conn) framer
}

// recognisers are asked in this order: the grammar of RTSP and SIP is HTTP's with another name.
var recognisers = [5]recogniser{
	{ProtoTLS, sniffTLS, speakerTLS, newTLS},
	{ProtoRTSP, sniffRTSP, speakerHTTP, newRTSP},
	{ProtoSIP, sniffSIP, speakerHTTP, newSIP},
	{ProtoHTTP, sniffHTTP, speakerHTTP, newHTTP},
	{ProtoMQTT, sniffMQTT, speakerMQTT, newMQTT},
}

// recognise returns the protocol the bytes begin like, at the conversation's ports; wait where more of them may tell.
func (c *conn) recognise(b []byte) (*recogniser, verdict) {
	best := no
	for i := range recognisers {
		switch recognisers[i].sniff(b) {
		case yes:
			return &recognisers[i], yes
		case wait:
			best = wait
		}
	}
	if r, v := recogniseAt(&c.key, b); v != no {
		return r, v
	}
	return nil, best
}

// speakerHTTP: an answer begins with the protocol's name, a request with a method. Of the rest nothing is known.
func speakerHTTP(b []byte) (client, known bool) {
	for _, p := range [...]string{"HTTP/", "RTSP/", "SIP/"} {
		if bytes.HasPrefix(b, []byte(p)) {
			return false, true
		}
	}
	if bytes.HasPrefix(b, []byte("--")) {
		return false, true // the parts of an endless answer
	}
	return true, len(b) > 0 && b[0] >= 'A' && b[0] <= 'Z'
}

// speakerTLS: the handshake's first message is the client's or the server's hello.
func speakerTLS(b []byte) (client, known bool) {
	if len(b) < 6 || b[0] != 22 {
		return false, false
	}
	return b[5] == 1, b[5] == 1 || b[5] == 2
}

// speakerMQTT: CONNECT is the client's, CONNACK the broker's.
func speakerMQTT(b []byte) (client, known bool) {
	kind := b[0] >> 4
	return kind == 1, kind == 1 || kind == 2
}
