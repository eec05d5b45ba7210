package capture

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tape keeps what one side of a conversation said, with a mark where something is missing.
type tape struct {
	said  bytes.Buffer
	ended bool
}

func (t *tape) data(_ *conn, _ bool, b []byte) { t.said.Write(b) }
func (t *tape) hole(*conn, bool, int64)        { t.said.WriteByte('|') }
func (t *tape) end(*conn)                      { t.ended = true }

// onTape opens a conversation whose client begins with the sequence number after first.
func onTape(e *Engine, first uint32) (*conn, *tape) {
	d := &decoded{srcPort: 40000, dstPort: 80}
	d.src[15], d.dst[15] = 1, 2
	k, s := keyOf(d, protoTCP)
	d.seq, d.flags = first, tcpSYN
	e.handshake(nil, &k, s, d)
	p := &Packet{At: time.Unix(1793500000, 0), Number: 1}
	c := e.open(k, p, d)
	c.touch(p)
	c.client, c.sure = s, true
	t := &tape{}
	c.phase, c.proto, c.framer = recognised, ProtoHTTP, t
	return c, t
}

// TestAnyOrder: segments in any order, repeated and overlapping, give the bytes that came first for every place, once and in
// order, as long as nothing is missing.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom([]uint32{0, 7, 1<<31 - 20, 1<<32 - 20}).Draw(t, "first")
		size := rapid.IntRange(1, 60).Draw(t, "size")
		e := New(Options{})
		c, tape := onTape(e, first)
		want, done := make([]byte, size), 0
		place := func(from, n int, value byte) {
			b := bytes.Repeat([]byte{value}, n)
			for i := range b {
				if at := from + i; at >= done && want[at] == 0 {
					want[at] = value
				}
			}
			c.segmentOf(c.client, first+1+uint32(from), b, n)
			for done < size && want[done] != 0 {
				done++
			}
		}
		for value := byte(1); value < 20; value++ {
			from := rapid.IntRange(0, size-1).Draw(t, "from")
			place(from, rapid.IntRange(1, size-from).Draw(t, "n"), value)
		}
		place(0, size, 99)
		if got := tape.said.Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("said %v, want %v", got, want)
		}
		e.Close()
		if n, b := e.Held(); n != 0 || b != 0 || !tape.ended {
			t.Fatalf("%d conversations and %d bytes are still held, ended %v", n, b, tape.ended)
		}
	})
}

// TestNothingIsJoinedAcrossAGap: what follows bytes that were lost is told from what was before, whatever the reason.
func TestNothingIsJoinedAcrossAGap(t *testing.T) {
	for name, c := range map[string]struct {
		play func(c *conn)
		want string
	}{
		"confirmed by the other side": {func(c *conn) {
			c.segmentOf(c.client, 101, []byte("aaaa"), 4)
			c.segmentOf(c.client, 109, []byte("cccc"), 4)
			c.confirmed(1-c.client, 113)
			c.at = c.at.Add(ackGrace + time.Millisecond)
			c.overdue()
		}, "aaaa|cccc"},
		"late": {func(c *conn) {
			c.segmentOf(c.client, 101, []byte("aaaa"), 4)
			c.segmentOf(c.client, 109, []byte("cccc"), 4)
			c.at = c.at.Add(gapWait + time.Millisecond)
			c.overdue()
		}, "aaaa|cccc"},
		"in time after all": {func(c *conn) {
			c.segmentOf(c.client, 101, []byte("aaaa"), 4)
			c.segmentOf(c.client, 109, []byte("cccc"), 4)
			c.confirmed(1-c.client, 113)
			c.at = c.at.Add(ackGrace / 2)
			c.overdue()
			c.segmentOf(c.client, 105, []byte("bbbb"), 4)
		}, "aaaabbbbcccc"},
		"cut by the snap length": {func(c *conn) {
			c.segmentOf(c.client, 101, []byte("aa"), 4)
			c.segmentOf(c.client, 105, []byte("bbbb"), 4)
		}, "aa|bbbb"},
		"cut, and early": {func(c *conn) {
			c.segmentOf(c.client, 105, []byte("bb"), 4)
			c.segmentOf(c.client, 109, []byte("cccc"), 4)
			c.segmentOf(c.client, 101, []byte("aaaa"), 4)
		}, "aaaabb|cccc"},
		"too much put aside": {func(c *conn) {
			c.segmentOf(c.client, 101, []byte("a"), 1)
			for i := range maxQueue + 2 {
				c.segmentOf(c.client, 103+uint32(i)*2, []byte("b"), 1)
			}
		}, "a|b|b"},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(Options{})
			conn, tape := onTape(e, 100)
			c.play(conn)
			if got := tape.said.String(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			e.Close()
			if _, b := e.Held(); b != 0 {
				t.Errorf("%d bytes are still held", b)
			}
		})
	}
}

// TestSeenTwice: packets that are seen a second time after the conversation ended, as behind a mirror port, open no other one.
func TestSeenTwice(t *testing.T) {
	d := &decoded{srcPort: 40000, dstPort: 80}
	d.src[15], d.dst[15] = 1, 2
	back := &decoded{srcPort: 80, dstPort: 40000, src: d.dst, dst: d.src}
	e := New(Options{})
	at := time.Unix(1793500000, 0)
	say := func(d *decoded, seq uint32, flags uint8, s string) {
		x := *d
		x.kind, x.seq, x.flags, x.payload, x.length = kindTCP, seq, flags|tcpACK, []byte(s), len(s)
		at = at.Add(time.Millisecond)
		e.Packet(&Packet{At: at, Number: 1, decoded: &x})
	}
	open := func(first uint32) {
		say(d, first, tcpSYN, "")
		say(back, first, tcpSYN, "")
		say(d, first+1, 0, "GET / HTTP/1.0\r\n\r\n")
	}
	end := func(first uint32) {
		say(back, first+1, tcpFIN, "HTTP/1.0 204 OK\r\n\r\n")
		say(d, first+19, tcpFIN, "")
	}
	open(500)
	end(500)
	end(500)
	open(500)
	end(500)
	if n, _ := e.Held(); n != 0 || e.Stats().Conversations != 1 || e.Stats().Holes != 0 {
		t.Errorf("%d held, %+v", n, e.Stats())
	}
	open(90000) // the same ends, soon after
	end(90000)
	if s := e.Stats(); s.Conversations != 2 || s.TCP != 2*37 || s.Holes != 0 {
		t.Errorf("%+v", s)
	}
}

// TestDamagedNumber: a sequence number far ahead that nothing bears out costs its own segment; a gap that the other side's word
// or what follows bears out is one.
func TestDamagedNumber(t *testing.T) {
	for _, x := range []struct {
		name      string
		far       bool // what follows is there too
		confirmed bool
		want      string
		missing   int64
	}{{"nothing bears it out", false, false, "abc", 0}, {"what follows does", true, false, "ab|XY", 1 << 24}, {"the other side does", false, true, "ab|X", 1 << 24}} {
		e := New(Options{})
		c, tape := onTape(e, 0)
		const far = 1<<24 + 3
		c.segmentOf(c.client, 1, []byte("ab"), 2)
		c.segmentOf(c.client, far, []byte("X"), 1)
		if x.far {
			c.segmentOf(c.client, far+1, []byte("Y"), 1)
		}
		if x.confirmed {
			c.confirmed(1-c.client, far+1)
		}
		c.at = c.at.Add(2 * gapWait)
		c.overdue()
		if !x.far && !x.confirmed {
			c.segmentOf(c.client, 3, []byte("c"), 1)
		}
		if got := tape.said.String(); got != x.want || e.Stats().Missing != x.missing {
			t.Errorf("%s: %q, %d missing", x.name, got, e.Stats().Missing)
		}
	}
}
