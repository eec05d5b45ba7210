package capturetest

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// Mix says what a made-up capture of a shop's network holds.
type Mix struct {
	Bytes         int64  // about so many
	Conversations int    // at once
	Seed          uint64 // equal seeds give equal captures
	Ever          bool   // conversations never come back: each is new
	OneIn         int    // of so many conversations one is a camera's that reports faces; 500
}

// Write writes a capture of mixed traffic of a shop: video by RTSP, web interfaces with pictures, face pushes among them, TLS, DNS,
// SIP and MQTT, all conversations mixed packet by packet. It returns how many face events are in it.
func (m Mix) Write(w io.Writer) (faces int, err error) { return m.fill(Stream(w)) }

// Capture returns such a capture, kept in memory. It returns the addresses that report faces, with how many events each.
func (m Mix) Capture() (*Capture, map[string]int) {
	c := New()
	c.cameras = map[string]int{}
	if _, err := m.fill(c); err != nil {
		panic(err) // memory takes everything
	}
	return c, c.cameras
}

func (m Mix) fill(c *Capture) (faces int, err error) {
	r := rand.New(rand.NewPCG(m.Seed, 5))
	g := &mixer{c: c, r: r, junk: make([]byte, 1<<20), oneIn: cmp.Or(m.OneIn, 500)}
	for i := range g.junk {
		g.junk[i] = byte(r.Uint32())
	}
	talks := make([]*talk, m.Conversations)
	for n := 0; ; n++ {
		if done, err := c.Written(); err != nil || done >= m.Bytes {
			return g.faces, err
		}
		i := r.IntN(len(talks))
		if talks[i] == nil || m.Ever {
			talks[i] = g.talk(n)
		}
		talks[i].step(g)
	}
}

type mixer struct {
	c     *Capture
	r     *rand.Rand
	junk  []byte
	faces int
	oneIn int
}

// talk is one conversation of the mix.
type talk struct {
	kind     int
	t        *TCP
	from, to string
	name     string
	steps    int
}

// What the conversations are, with the weights they have in the mix.
const (
	talkWeb = iota
	talkVideo
	talkDNS
	talkTLS
	talkSIP
	talkPush
	talkMQTT
)

var weights = []int{talkWeb, talkWeb, talkWeb, talkVideo, talkVideo, talkVideo, talkVideo, talkVideo, talkVideo, talkDNS, talkDNS, talkTLS, talkTLS, talkSIP, talkMQTT}

func (g *mixer) talk(n int) *talk {
	t := &talk{kind: weights[g.r.IntN(len(weights))], name: fmt.Sprintf("cam%d.store.example", n)}
	if g.r.IntN(g.oneIn) == 0 {
		t.kind = talkPush
	}
	client := fmt.Sprintf("10.77.%d.%d:%d", g.r.IntN(4), 1+g.r.IntN(250), 20000+n%40000)
	if t.kind == talkSIP || t.kind == talkPush { // what says that it is a camera comes from few
		client = fmt.Sprintf("10.77.4.%d:%d", 1+g.r.IntN(40), 20000+n%40000)
	}
	port := map[int]int{talkWeb: 80, talkVideo: 554, talkDNS: 53, talkTLS: 443, talkSIP: 5060, talkPush: 8090, talkMQTT: 1883}[t.kind]
	t.from, t.to = client, fmt.Sprintf("10.77.8.%d:%d", 1+g.r.IntN(250), port)
	if t.kind == talkVideo {
		t.to = fmt.Sprintf("10.77.4.%d:554", 1+g.r.IntN(40))
	}
	if t.kind == talkTLS {
		t.to = fmt.Sprintf("203.0.113.%d:443", 1+g.r.IntN(250))
	}
	return t
}

func (g *mixer) some(n int) []byte {
	at := g.r.IntN(len(g.junk) - n)
	return g.junk[at : at+n]
}

func (t *talk) step(g *mixer) {
	t.steps++
	if t.kind != talkDNS && t.kind != talkSIP && t.t == nil {
		t.t = g.c.Connect(t.from, t.to).Acks(false)
	}
	switch t.kind {
	case talkWeb:
		t.t.Up(fmt.Appendf(nil, "GET /doc/page/preview?n=%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: store/1.0\r\nAccept: */*\r\n\r\n", t.steps, t.name))
		body := g.some(200 + g.r.IntN(900))
		t.t.Down(append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: App-webs/\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(body)), body...))
	case talkVideo:
		if t.steps == 1 {
			t.t.Up([]byte("DESCRIBE rtsp://" + t.to + "/Streaming/Channels/101 RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n"))
			t.t.Down([]byte("RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n"))
		}
		for range 4 {
			t.t.Down(Interleaved(0, RTP(uint16(t.steps), false, 96, g.some(1200))))
		}
	case talkDNS:
		g.c.UDP(t.from, t.to, Question(uint16(t.steps), t.name))
	case talkTLS:
		if t.steps == 1 {
			t.t.Up(ClientHello(t.name))
			return
		}
		body := g.some(100 + g.r.IntN(1200))
		record := append([]byte{23, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
		if g.r.IntN(2) == 0 {
			t.t.Up(record)
		} else {
			t.t.Down(record)
		}
	case talkSIP:
		g.c.UDP(t.from, t.to, fmt.Appendf(nil, "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:34020000001320000001@3402000000>;tag=%d\r\nTo: <sip:34020000001320000001@3402000000>\r\nCall-ID: %d@%s\r\nCSeq: 1 REGISTER\r\nUser-Agent: IP Camera\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n", t.from, t.steps, t.steps, t.steps, t.from))
	case talkPush:
		g.faces++
		address, _, _ := strings.Cut(t.from, ":")
		if g.c.cameras != nil {
			g.c.cameras[address]++
		}
		t.t.Up(FacePush(address, g.some(20000)))
		t.t.Down([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	case talkMQTT:
		if t.steps == 1 {
			t.t.Up([]byte("\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05shelf"))
			t.t.Down([]byte{0x20, 2, 0, 0})
		}
		payload := fmt.Sprintf(`{"temperature":%d}`, t.steps%40)
		topic := "shop/fridge/state"
		t.t.Up(append([]byte{0x30, byte(2 + len(topic) + len(payload)), 0, byte(len(topic))}, topic+payload...))
	}
}

// ClientHello returns a TLS 1.3 ClientHello for a server's name, in one record.
func ClientHello(name string) []byte {
	sni := append([]byte{0, 0, 0, byte(len(name) + 5), 0, byte(len(name) + 3), 0, 0, byte(len(name))}, name...)
	ext := append(sni, 0, 10, 0, 4, 0, 2, 0, 29, 0, 43, 0, 3, 2, 3, 4)
	b := append([]byte{3, 3}, make([]byte, 32)...)
	b = append(b, 0, 0, 4, 0x13, 1, 0xc0, 0x2f, 1, 0, byte(len(ext)>>8), byte(len(ext)))
	b = append(b, ext...)
	b = append([]byte{1, 0, byte(len(b) >> 8), byte(len(b))}, b...)
	return append([]byte{22, 3, 1, byte(len(b) >> 8), byte(len(b))}, b...)
}

// Question returns a DNS question for the IPv4 address of a name.
func Question(id uint16, name string) []byte {
	b := []byte{byte(id >> 8), byte(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, label := range bytes.Split([]byte(name), []byte{'.'}) {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0, 0, 1, 0, 1)
}

// FacePush returns a camera's report of a captured face to its receiver, as Hikvision's HTTP notification words it, with a picture.
func FacePush(address string, picture []byte) []byte {
	const boundary = "boundary"
	captured := fmt.Sprintf(captured, address)
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"faceCapture\"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\r\n", boundary, len(captured), captured)
	fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"faceImage\"; filename=\"faceImage.jpg\"\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", boundary, len(picture))
	b.Write(picture)
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	head := fmt.Sprintf("POST /events HTTP/1.1\r\nHost: 10.77.8.9:8090\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n", boundary, b.Len())
	return append([]byte(head), b.Bytes()...)
}

const captured = `{"ipAddress":"%s","portNo":80,"channelID":1,"dateTime":"2026-11-02T10:00:00+08:00","activePostCount":1,"eventType":"faceCapture","eventState":"active","eventDescription":"faceCapture","faceCapture":[{"targetAttrs":{"deviceName":"Entrance"},"faces":[{"faceId":1,"faceRect":{"x":0.1,"y":0.2,"width":0.1,"height":0.2}}]}]}`
