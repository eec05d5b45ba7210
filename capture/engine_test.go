package capture_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

const (
	camera = "192.0.2.21:40000"
	server = "192.0.2.5:9977"
)

// ears collects what an engine hands on.
type ears struct {
	*capture.Engine
	flows []string
	first map[bool]string // what each side of unrecognised conversations said first
	ends  []capture.Totals
}

func listen(o capture.Options) *ears {
	e := &ears{first: map[bool]string{}}
	o.Sink = func(f *capture.Flow) {
		e.flows = append(e.flows, fmt.Sprintf("%s %s>%s %v", f.Proto, f.Client.Addr, f.Server.Addr, f.FromHost))
		switch f.Proto {
		case capture.ProtoTCP:
			e.first[f.FromHost] = string(f.Payload)
		case capture.ProtoEnd:
			e.ends = append(e.ends, *f.Totals)
		}
	}
	e.Engine = capture.New(o)
	return e
}

func heard(c *capturetest.Capture) *ears {
	e := listen(capture.Options{})
	c.Play(e.Engine)
	e.Close()
	return e
}

// text is no protocol's beginning, and every piece of it is told from every other.
func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "~%07d", i)
	}
	return b.Bytes()[:n]
}

// TestTotals: what passed is counted once, whatever happened to the packets that carried it.
func TestTotals(t *testing.T) {
	build := func() *capturetest.Capture {
		c := capturetest.New()
		conn := c.Connect(camera, server)
		conn.Up(text(20000)).Down(text(5000)).Up(text(3000))
		conn.Close()
		return c
	}
	for name, change := range map[string]func(*capturetest.Capture){
		"as it was": func(*capturetest.Capture) {},
		"shuffled":  func(c *capturetest.Capture) { c.Shuffle(3, 7) },
		"twice":     func(c *capturetest.Capture) { c.Repeat(1, 7) },
		"both":      func(c *capturetest.Capture) { c.Repeat(0.5, 7); c.Shuffle(2, 9) },
	} {
		t.Run(name, func(t *testing.T) {
			c := build()
			change(c)
			e := heard(c)
			if len(e.ends) != 1 || e.ends[0].Up != 23000 || e.ends[0].Down != 5000 || e.ends[0].Holes != 0 {
				t.Errorf("%+v", e.ends)
			}
			if n, b := e.Held(); n != 0 || b != 0 {
				t.Errorf("%d conversations and %d bytes are still held", n, b)
			}
		})
	}
}

// TestGap: what is lost is counted as lost, and the rest counts.
func TestGap(t *testing.T) {
	c := capturetest.New()
	conn := c.Connect(camera, server)
	conn.Up(text(3000)).Skip(true, 1448).Up(text(6000)).Down(text(10))
	conn.Close()
	e := heard(c)
	if len(e.ends) != 1 || e.ends[0].Up != 9000 || e.ends[0].Holes != 1 || e.ends[0].Missing != 1448 || e.Stats().Holes != 1 {
		t.Errorf("%+v %+v", e.ends, e.Stats())
	}
}

// TestSides: who asked is known by the handshake, and guessed by the ports where it was not seen.
func TestSides(t *testing.T) {
	c := capturetest.New()
	c.Connect("192.0.2.21:80", "192.0.2.5:40000").Down(text(10))
	c.Join("192.0.2.22:50000", "192.0.2.5:81").Down(text(100)).Up(text(100))
	e := heard(c)
	for _, want := range []string{"tcp 192.0.2.21:80>192.0.2.5:40000 false", "tcp 192.0.2.22:50000>192.0.2.5:81 true", "tcp 192.0.2.22:50000>192.0.2.5:81 false"} {
		if !strings.Contains(strings.Join(e.flows, "\n"), want) {
			t.Errorf("no %q in %q", want, e.flows)
		}
	}
}

// TestOverlaps: of bytes that are sent twice with other content, those that came first count.
func TestOverlaps(t *testing.T) {
	c := capturetest.New()
	conn := c.Connect(camera, server)
	conn.Raw(true, 4, []byte("second half"))
	conn.Raw(true, 4, []byte("SECOND HALF"))
	conn.Raw(true, 0, []byte("~~~~overlap that is longer"))
	e := heard(c)
	if got := e.first[true]; got != "~~~~overlap that is longer" && !strings.HasPrefix(got, "~~~~") || strings.Contains(got, "SECOND") {
		t.Errorf("%q", got)
	}
	if e.Stats().Overlaps == 0 {
		t.Error("not counted")
	}
}

// TestSecondConversation: ports are used again.
func TestSecondConversation(t *testing.T) {
	c := capturetest.New()
	c.Connect(camera, server).Up(text(100))
	c.Add(make([]byte, 60))
	second := c.Connect(camera, server)
	second.Up(text(50))
	second.Close()
	if e := heard(c); len(e.ends) != 2 || e.ends[0].Up != 100 || e.ends[1].Up != 50 {
		t.Errorf("%+v", e.ends)
	}
}

// TestHalfOpen: handshakes alone cost nothing, however many.
func TestHalfOpen(t *testing.T) {
	e := listen(capture.Options{Conversations: 10})
	c := capturetest.New()
	for i := range 5000 {
		c.Connect(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 40000).String(), server)
	}
	c.Play(e.Engine)
	if n, b := e.Held(); n != 0 || b != 0 || e.Stats().Conversations != 0 {
		t.Errorf("%d conversations, %d bytes", n, b)
	}
}

// TestBounds: new conversations without end, none of which closes its gap, keep within the bounds.
func TestBounds(t *testing.T) {
	e := listen(capture.Options{Conversations: 100, Buffer: 1 << 20})
	c := capturetest.New()
	for i := range 2000 {
		conn := c.Connect(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 40000).String(), server)
		conn.Up(text(10)).Skip(true, 100).Up(text(20000))
	}
	c.Play(e.Engine)
	if n, b := e.Held(); n > 100 || b > 1<<20 {
		t.Errorf("%d conversations, %d bytes", n, b)
	}
	e.Close()
	if n, b := e.Held(); n != 0 || b != 0 {
		t.Errorf("%d conversations, %d bytes are still held", n, b)
	}
	if len(e.ends) != 2000 {
		t.Errorf("%d ends", len(e.ends))
	}
}

// TestShares: what is encrypted is told from what is read, and both from what nobody here understands.
func TestShares(t *testing.T) {
	c := capturetest.New()
	hello := capturetest.ClientHello("www.hik-connect.com")
	c.Connect(camera, "203.0.113.5:443").Up(hello).Up(append([]byte{23, 3, 3, 0, 200}, make([]byte, 200)...)).Down(append([]byte{23, 3, 3, 0, 100}, make([]byte, 100)...))
	get := []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	c.Connect("192.0.2.21:40001", "192.0.2.5:80").Up(get)
	c.Connect("192.0.2.21:40002", server).Up(text(1000))
	s := heard(c).Stats()
	encrypted, read := int64(len(hello)+205+105), int64(len(get))
	if s.Encrypted != encrypted || s.Read != read || s.TCP != encrypted+read+1000 {
		t.Errorf("encrypted %d of %d, read %d of %d, in all %d", s.Encrypted, encrypted, s.Read, read, s.TCP)
	}
}
