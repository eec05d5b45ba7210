package capture_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

const (
	pushes    = 150
	documents = 150
)

// chatter is a camera that pushes forms over one connection, now and then, and one that streams video and metadata over another.
func chatter(c *capturetest.Capture, pause time.Duration) {
	push, stream := c.Connect(camera, server), c.Connect("192.0.2.30:50000", "192.0.2.21:554")
	stream.Up([]byte("PLAY rtsp://192.0.2.21/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")).Down([]byte("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"))
	picture := "\xff\xd8\xff\xe0" + strings.Repeat("\n--x\r\n", 600)
	for i := range pushes {
		c.Now = c.Now.Add(pause)
		body := fmt.Sprintf("--MIME_boundary\r\nContent-Disposition: form-data; name=\"faceCapture\"\r\nContent-Type: application/json\r\n\r\n{\"n\":%d}\r\n"+
			"--MIME_boundary\r\nContent-Disposition: form-data; name=\"faceImage\"\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n--MIME_boundary--\r\n", i, picture)
		push.Up(fmt.Appendf(nil, "POST /event?n=%d HTTP/1.1\r\nHost: 192.0.2.5\r\nContent-Type: multipart/form-data; boundary=MIME_boundary\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body))
		answer := fmt.Sprintf("answer %d", i)
		push.Down(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer))
		doc := fmt.Sprintf("<?xml version=\"1.0\"?><tt:MetadataStream><n>%d</n>%s</tt:MetadataStream>", i, strings.Repeat(" ", 500))
		stream.Down(capturetest.Interleaved(0, capturetest.RTP(uint16(i), false, 96, []byte(strings.Repeat("$v", 3000)))))
		stream.Down(capturetest.Interleaved(2, capturetest.RTP(uint16(2*i), false, 107, []byte(doc[:300]))))
		stream.Down(capturetest.Interleaved(2, capturetest.RTP(uint16(2*i+1), true, 107, []byte(doc[300:]))))
	}
	push.Close()
	stream.Close()
}

// tally counts what was handed on whole, and fails where that was never said. Of what was damaged only the pairs count.
func tally(t *testing.T, c *capturetest.Capture, damaged bool) (asked, answered, metadata int) {
	t.Helper()
	e := capture.New(capture.Options{Sink: func(f *capture.Flow) {
		var n, m int
		switch {
		case f.Cut != 0:
		case f.Proto == capture.ProtoHTTP && f.Answer == nil:
			asked++
			if damaged {
				return
			}
			if len(f.Request.Parts) != 2 || f.Request.Parts[0].Name != "faceCapture" || f.Request.Parts[1].Body != nil || f.Request.Parts[1].Size != 3604 {
				t.Fatalf("%+v", f.Request)
			}
			fmt.Sscanf(f.Request.Target, "/event?n=%d", &n)
			if ok, _ := fmt.Sscanf(string(f.Request.Parts[0].Body), `{"n":%d}`, &m); ok == 1 && n != m {
				t.Errorf("%s: %s", f.Request.Target, f.Request.Parts[0].Body)
			}
		case f.Proto == capture.ProtoHTTP && f.Request != nil:
			answered++
			fmt.Sscanf(f.Request.Target, "/event?n=%d", &n)
			if ok, _ := fmt.Sscanf(string(f.Answer.Body), "answer %d", &m); ok == 1 && n != m {
				t.Errorf("%s: %s", f.Request.Target, f.Answer.Body)
			}
		case f.Proto == capture.ProtoMetadata:
			metadata++
			if !damaged && (!strings.HasPrefix(string(f.Payload), "<?xml") || !strings.HasSuffix(string(f.Payload), "</tt:MetadataStream>") || strings.Count(string(f.Payload), "<n>") != 1) {
				t.Errorf("%s", f.Payload)
			}
		}
	}})
	c.Play(e)
	e.Close()
	if n, held := e.Held(); n != 0 || held != 0 {
		t.Errorf("%d conversations and %d bytes are held at the end", n, held)
	}
	return asked, answered, metadata
}

// TestMessages: whatever happens to the packets, nothing is handed on as whole that was not said, and no answer with another's
// request.
func TestMessages(t *testing.T) {
	for _, v := range []struct {
		name  string
		spoil func(*capturetest.Capture)
		all   bool
		least int // percent, where there are pauses
	}{
		{"whole", func(*capturetest.Capture) {}, true, 100},
		{"out of order", func(c *capturetest.Capture) { c.Shuffle(4, 1) }, false, 0},
		{"repeated", func(c *capturetest.Capture) { c.Repeat(0.2, 1) }, true, 100},
		{"2 % lost", func(c *capturetest.Capture) { c.Lose(0.02, 1) }, false, 80},
		{"20 % lost", func(c *capturetest.Capture) { c.Lose(0.2, 2) }, false, 10},
		{"snapped", func(c *capturetest.Capture) { c.Snap(400) }, false, 0},
		{"damaged", func(c *capturetest.Capture) { c.Damage(0.01, 1) }, false, 0},
	} {
		for _, pause := range []time.Duration{0, time.Second} {
			if pause > 0 && v.name == "out of order" { // not by seconds
				continue
			}
			t.Run(v.name+" "+pause.String(), func(t *testing.T) {
				c := capturetest.New()
				chatter(c, pause)
				v.spoil(c)
				asked, answered, metadata := tally(t, c, v.name == "damaged")
				t.Logf("%d requests, %d answers with theirs, %d documents", asked, answered, metadata)
				if least := pushes * v.least / 100; pause > 0 && (asked < least || answered < least || metadata < least) {
					t.Errorf("fewer than %d", least)
				}
				if v.all && (asked != pushes || answered != pushes || metadata != documents) {
					t.Error("not all")
				}
			})
		}
	}
}

// TestMessagesLost does so with many kinds of bad luck.
func TestMessagesLost(t *testing.T) {
	for seed := range uint64(40) {
		c := capturetest.New()
		chatter(c, time.Duration(seed%3)*200*time.Millisecond)
		c.Lose(0.01*float64(1+seed%10), seed)
		if seed%3 == 0 { // there are no pauses
			c.Shuffle(3, seed)
		}
		if seed%5 == 0 {
			c.Damage(0.01, seed)
		}
		tally(t, c, seed%5 == 0)
	}
}
