package capture_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

const (
	tunnelServer = "192.0.2.21:8080"
	tunnelDoc    = `<?xml version="1.0"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"><n>%d</n></tt:MetadataStream>`
	tunnelSDP    = "v=0\r\nm=video 0 RTP/AVP 96\r\na=control:track1\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track3\r\n"
)

// tunnelled is a camera whose video and metadata are watched through HTTP, in the form FFmpeg 5.1 asks for it: each request is a text of base64
// of its own, cut where it happens to be.
func tunnelled(c *capturetest.Capture, answer string) {
	get := c.Connect("192.0.2.40:50001", tunnelServer)
	get.Up([]byte("GET /live HTTP/1.1\r\nUser-Agent: Lavf/59.27.100\r\nAccept: application/x-rtsp-tunnelled\r\nHost: 192.0.2.21:8080\r\nPragma: no-cache\r\nx-sessioncookie: 5d41402abc4b2a76\r\n\r\n"))
	get.Down([]byte(answer))
	post := c.Connect("192.0.2.40:50002", tunnelServer)
	post.Up([]byte("POST /live HTTP/1.1\r\nUser-Agent: Lavf/59.27.100\r\nHost: 192.0.2.21:8080\r\nContent-Type: application/x-rtsp-tunnelled\r\nContent-Length: 32767\r\nx-sessioncookie: 5d41402abc4b2a76\r\n\r\n"))
	ask := func(n int, method, target, more, answer string) {
		text := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s rtsp://192.0.2.21:8080/live%s RTSP/1.0\r\nCSeq: %d\r\n%s\r\n", method, target, n, more))
		post.Up([]byte(text[:7])).Up([]byte(text[7:]))
		get.Down(fmt.Appendf(nil, "RTSP/1.0 200 OK\r\nCSeq: %d\r\n%s", n, answer))
	}
	ask(1, "OPTIONS", "", "", "\r\n")
	ask(2, "DESCRIBE", "", "Accept: application/sdp\r\n", fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(tunnelSDP), tunnelSDP))
	ask(3, "SETUP", "/track1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n")
	ask(4, "SETUP", "/track3", "Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n", "Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n\r\n")
	ask(5, "PLAY", "/", "", "\r\n")
	for i := range documents {
		doc := fmt.Sprintf(tunnelDoc, i)
		get.Down(capturetest.Interleaved(0, capturetest.RTP(uint16(i), false, 96, []byte(strings.Repeat("$v", 1500)))))
		get.Down(capturetest.Interleaved(2, capturetest.RTP(uint16(i), true, 107, []byte(doc))))
	}
	post.Close()
	get.Close()
}

const tunnelOpened = "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n"

// heardTunnel counts the documents, and the answers whose question was found in the other connection.
func heardTunnel(t *testing.T, c *capturetest.Capture) (docs, answered int, s capture.Stats) {
	t.Helper()
	e := capture.New(capture.Options{Sink: func(f *capture.Flow) {
		switch {
		case f.Proto == capture.ProtoMetadata:
			var n int
			if _, err := fmt.Sscanf(string(f.Payload), tunnelDoc, &n); err != nil || f.FromHost || f.Server.Addr.String() != tunnelServer || f.Track != "" && f.Track != "rtsp://192.0.2.21:8080/live/track3" {
				t.Errorf("%+v %s", f, f.Payload)
			}
			docs++
		case f.Proto == capture.ProtoRTSP && f.Answer != nil && f.Request != nil && f.Server.Addr.String() == tunnelServer:
			answered++
		}
	}})
	c.Play(e)
	e.Close()
	if _, held := e.Held(); held != 0 {
		t.Errorf("%d bytes kept", held)
	}
	return docs, answered, e.Stats()
}

// TestTunnelledRTSP: what is watched through HTTP is read like any other RTSP, also where packets are missing or stand in another order.
func TestTunnelledRTSP(t *testing.T) {
	c := capturetest.New()
	tunnelled(c, tunnelOpened)
	docs, answered, s := heardTunnel(t, c)
	if docs != documents || answered != 5 || s.Read != s.TCP || s.OneSided != 0 {
		t.Errorf("%d documents, %d answers, %+v", docs, answered, s)
	}
	c.Shuffle(3, 1)
	if docs, _, _ := heardTunnel(t, c); docs < documents*9/10 {
		t.Errorf("in another order: %d documents", docs)
	}
	c = capturetest.New()
	tunnelled(c, tunnelOpened)
	c.Lose(0.02, 5)
	if docs, _, _ := heardTunnel(t, c); docs < documents*8/10 || docs > documents {
		t.Errorf("with gaps: %d documents", docs)
	}
}

// TestRefusedTunnel: where the server does not agree, what follows is not RTSP, and not counted as read.
func TestRefusedTunnel(t *testing.T) {
	c := capturetest.New()
	tunnelled(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
	if docs, answered, s := heardTunnel(t, c); docs != 0 || answered != 0 || s.Read > s.TCP/10 {
		t.Errorf("%d documents, %d answers, %+v", docs, answered, s)
	}
}

// TestProxied: behind a proxy's yes another protocol begins, and it is looked for.
func TestProxied(t *testing.T) {
	c := capturetest.New()
	p := c.Connect("192.0.2.21:40000", "192.0.2.5:3128")
	p.Up([]byte("CONNECT face.example:443 HTTP/1.1\r\nHost: face.example:443\r\n\r\n")).Down([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
	body := append([]byte{3, 3}, make([]byte, 32+1)...)
	body = append(body, 0, 2, 0x13, 1, 1, 0)
	body = append(body, 0, 17, 0, 0, 0, 13, 0, 11, 0, 0, 8)
	body = append(body, "a.exampl"...)
	body = append([]byte{1, 0, 0, byte(len(body))}, body...)
	p.Up(append([]byte{22, 3, 1, 0, byte(len(body))}, body...))
	p.Down(append([]byte{23, 3, 3, 0x10, 0}, make([]byte, 4096)...))
	p.Close()
	var hello *capture.Hello
	var totals capture.Totals
	e := capture.New(capture.Options{Sink: func(f *capture.Flow) {
		switch f.Proto {
		case capture.ProtoTLS:
			h := *f.Hello
			hello = &h
		case capture.ProtoEnd:
			totals = *f.Totals
		}
	}})
	c.Play(e)
	e.Close()
	if s := e.Stats(); hello == nil || hello.Name != "a.exampl" || !totals.Encrypted || totals.Name != "face.example" || s.Encrypted < 4096 || s.Read+s.Encrypted != s.TCP {
		t.Errorf("%+v %+v %+v", hello, totals, s)
	}
}

// TestUpgraded: what follows an upgrade to a protocol that is not read is not counted as read.
func TestUpgraded(t *testing.T) {
	c := capturetest.New()
	p := c.Connect("192.0.2.40:50000", "192.0.2.5:9001")
	p.Up([]byte("GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")).Down([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n"))
	p.Up([]byte(strings.Repeat("x", 5000))).Down([]byte(strings.Repeat("y", 5000)))
	p.Close()
	e := capture.New(capture.Options{})
	c.Play(e)
	e.Close()
	if s := e.Stats(); s.TCP-s.Read != 10000 {
		t.Errorf("%+v", s)
	}
}

// TestListenerIsSeen: a side that says nothing and confirms what it hears was seen.
func TestListenerIsSeen(t *testing.T) {
	for _, acks := range []bool{true, false} {
		c := capturetest.New()
		c.Join("192.0.2.21:40000", "192.0.2.5:9000").Acks(acks).Up([]byte(strings.Repeat("text\n", 400)))
		e := capture.New(capture.Options{})
		c.Play(e)
		e.Close()
		if s := e.Stats(); s.Conversations != 1 || (s.OneSided == 0) != acks {
			t.Errorf("%v: %+v", acks, s)
		}
	}
}
