package capture_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/gopacket/layers"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

// seeds are captures of everything that is taken apart, whole and with what goes wrong with captures.
func seeds() (out []*capturetest.Capture) {
	for _, change := range []func(*capturetest.Capture){
		func(*capturetest.Capture) {},
		func(c *capturetest.Capture) { c.Lose(0.2, 1) },
		func(c *capturetest.Capture) { c.Shuffle(4, 1) },
		func(c *capturetest.Capture) { c.Repeat(0.5, 1) },
		func(c *capturetest.Capture) { c.Snap(100) },
		func(c *capturetest.Capture) { c.Damage(0.5, 1) },
	} {
		c := capturetest.New()
		c.Connect(camera, "192.0.2.5:8090").Up(capturetest.FacePush("192.0.2.21", text(3000))).Down([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).Close()
		rtsp := c.Connect("192.0.2.5:50000", "192.0.2.21:554")
		rtsp.Up([]byte("DESCRIBE rtsp://192.0.2.21/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n")).Down([]byte("RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n"))
		rtsp.Down(capturetest.Interleaved(2, capturetest.RTP(1, true, 107, []byte(`<?xml version="1.0"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"/>`))))
		c.Connect("192.0.2.21:50001", "203.0.113.5:443").Up(capturetest.ClientHello("api-cn.faceplusplus.com")).Down([]byte{23, 3, 3, 0, 4, 1, 2, 3, 4})
		c.Connect("192.0.2.6:50002", "192.0.2.5:1883").Up([]byte("\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05shelf")).Up([]byte("\x30\x08\x00\x03a/b{}x"))
		c.UDP("192.0.2.21:50003", "192.0.2.1:53", capturetest.Question(7, "www.hik-connect.com"))
		c.UDP("192.0.2.21:5060", "192.0.2.9:5060", []byte("REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"))
		c.UDP("192.0.2.21:3702", "239.255.255.250:3702", []byte("<?xml version=\"1.0\"?><Envelope/>"))
		c.ARP([6]byte{2, 0, 0, 0, 0, 1}, capturetest.Addr("192.0.2.21"))
		change(c)
		out = append(out, c)
	}
	return out
}

// FuzzChain reads whatever calls itself a capture, and takes apart what is in it.
func FuzzChain(f *testing.F) {
	for _, c := range seeds() {
		f.Add(c.PCAP())
		f.Add(c.NG())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := capture.OpenFile("-", bytes.NewReader(b))
		if err != nil {
			return
		}
		defer file.Close()
		e := capture.New(bounds(t))
		for {
			p, err := file.Next()
			if err != nil {
				break
			}
			e.Packet(&p)
		}
		settled(t, e)
	})
}

// FuzzFrames takes frames apart that come one after the other, each with its length before it.
func FuzzFrames(f *testing.F) {
	for _, c := range seeds() {
		var b []byte
		for frame := range c.Frames() {
			b = append(append(b, byte(len(frame)>>8), byte(len(frame))), frame...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e := capture.New(bounds(t))
		at := capturetest.New().Now
		for n := 1; len(b) > 2; n++ {
			size := min(int(b[0])<<8|int(b[1]), len(b)-2)
			e.Packet(&capture.Packet{Data: b[2 : 2+size], Length: size, At: at, Link: layers.LinkTypeEthernet, Number: n})
			b, at = b[2+size:], at.Add(100_000_000)
		}
		settled(t, e)
	})
}

// bounds are those of an engine that is nearly full from the start, and a sink that holds flows to what is promised of them.
func bounds(t *testing.T) capture.Options {
	return capture.Options{Conversations: 8, Buffer: 64 << 10, Sink: func(f *capture.Flow) {
		if f.Proto == "" || f.Frames[0] > f.Frames[1] || f.Until.Before(f.At) && f.Proto != capture.ProtoEnd {
			t.Errorf("%+v", f)
		}
		for _, m := range []*capture.Message{f.Request, f.Answer} {
			if m != nil && (len(m.Body) > 256<<10 || len(m.Header) > 64 || len(m.Target) > 2<<10) {
				t.Errorf("a message of %d bytes with %d fields", len(m.Body), len(m.Header))
			}
		}
	}}
}

func settled(t *testing.T, e *capture.Engine) {
	if n, b := e.Held(); n > 8 || b > 64<<10 || b < 0 {
		t.Errorf("%d conversations and %d bytes are held", n, b)
	}
	e.Close()
	if n, b := e.Held(); n != 0 || b != 0 {
		t.Errorf("%d conversations and %d bytes are still held", n, b)
	}
}

// TestSeeds: every file of the seeds is read to its end.
func TestSeeds(t *testing.T) {
	for _, c := range seeds() {
		for _, b := range [][]byte{c.PCAP(), c.NG()} {
			file, err := capture.OpenFile("-", bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for ; ; n++ {
				if _, err = file.Next(); err != nil {
					break
				}
			}
			if !errors.Is(err, io.EOF) || n != c.Len() {
				t.Errorf("%d of %d packets: %v", n, c.Len(), err)
			}
			file.Close()
		}
	}
}

// TestStream: what comes from a reader is read as a file is, without a digest.
func TestStream(t *testing.T) {
	c := capturetest.New()
	c.UDP("192.0.2.21:5060", "192.0.2.9:5060", []byte("hello"))
	f, err := capture.OpenStream("tap", bytes.NewReader(c.PCAP()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if p, err := f.Next(); err != nil || p.Number != 1 {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := f.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if sum, n := f.Sum(); sum != "" || n != 0 {
		t.Errorf("%s %d", sum, n)
	}
}
