package guard

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// loopback returns a guard over loopback that is paced high enough not to slow a test.
func loopback(t *testing.T, change func(*Config)) *Guard {
	t.Helper()
	a := authority("127.0.0.0/8")
	a.Valid = audit.Period{From: audit.Moment{T: time.Now().Add(-time.Hour)}, To: audit.Moment{T: time.Now().Add(time.Hour)}}
	c := Config{Authority: a, Permit: audit.PermitSample, PacketsPerSecond: 100_000}
	if change != nil {
		change(&c)
	}
	return must(t, c)
}

// serve listens on loopback and hands every connection to handle.
func serve(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

// goroutines checks at the end of a test that no goroutine of ours is left.
func goroutines(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
	})
}

func TestDialLimit(t *testing.T) {
	to := serve(t, func(c net.Conn) {
		for {
			if _, err := c.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	g := loopback(t, nil)
	c, err := g.Device(to.Addr()).Dial(t.Context(), audit.PermitQuery, to.Port(), 100_000)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n, err := io.Copy(io.Discard, c)
	var le *LimitError
	if n != 100_000 || !errors.As(err, &le) || le.Limit != 100_000 {
		t.Errorf("read %d bytes, then %v", n, err)
	}
}

func TestDialExactlyTheLimit(t *testing.T) {
	to := serve(t, func(c net.Conn) { io.WriteString(c, strings.Repeat("x", 1000)) }) //nolint:errcheck // the reader notices
	c, err := loopback(t, nil).Device(to.Addr()).Dial(t.Context(), audit.PermitQuery, to.Port(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if b, err := io.ReadAll(c); len(b) != 1000 || err != nil {
		t.Errorf("read %d bytes, then %v", len(b), err)
	}
}

func TestConnectionsPerDevice(t *testing.T) {
	goroutines(t)
	to := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) }) //nolint:errcheck // until the other end closes
	g := loopback(t, nil)
	dial := func(ctx context.Context) (net.Conn, error) {
		return g.Device(to.Addr()).Dial(ctx, audit.PermitQuery, to.Port(), 0)
	}
	a, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("third connection: %v", err)
	}
	a.Close()
	c, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	c.Close() // closing twice must not free a second slot
	if n := len(g.acquire(to.Addr()).slots); n != 1 {
		t.Errorf("%d slots are taken, one connection is open", n)
	}
}

// A wait for the pace ends at the deadline, on close and when it is moved to the past, as a read on a socket would.
func TestDeadlinesHoldWhileWaitingForThePace(t *testing.T) {
	to := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) }) //nolint:errcheck // until the other end closes
	g := loopback(t, func(c *Config) { c.PacketsPerSecond = 1 })
	s := g.acquire(to.Addr())
	s.bucket.tokens = 2 // enough for the handshake, and then an hour's debt
	c, err := g.Device(to.Addr()).Dial(t.Context(), audit.PermitQuery, to.Port(), 0)
	if err != nil {
		t.Fatal(err)
	}
	g.owe(s, 3600)
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) //nolint:errcheck // looked at through Read
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	c.SetReadDeadline(time.Time{}) //nolint:errcheck // looked at through Read
	c.SetWriteDeadline(time.Now()) //nolint:errcheck // looked at through Write
	if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	done := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	c.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read while closed: %v", err)
	}
	if tokens := s.bucket.tokens; tokens < -3603 || tokens > -3599 {
		t.Errorf("%f tokens: what never left must not be counted", tokens)
	}
}

func TestDialCancelledWhileWaiting(t *testing.T) {
	goroutines(t)
	to := serve(t, func(net.Conn) {})
	g := loopback(t, func(c *Config) { c.PacketsPerSecond = 1 })
	g.owe(g.acquire(to.Addr()), 3600)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := g.Device(to.Addr()).Dial(ctx, audit.PermitQuery, to.Port(), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if n := len(g.acquire(to.Addr()).slots); n != 0 {
		t.Errorf("%d slots are taken by nobody", n)
	}
}

// What the bucket lets out in any second is the rate plus the burst, whatever is asked of it.
func TestPaceWithAFakeClock(t *testing.T) {
	now := noon
	b := bucket{rate: 40, burst: burst, tokens: burst, at: now}
	type sent struct {
		at time.Time
		n  int
	}
	var all []sent
	for range 100 {
		d := b.take(now, 3)
		now = now.Add(d)
		all = append(all, sent{now, 3})
	}
	for i := range all {
		n := 0
		for _, s := range all[i:] {
			if s.at.Sub(all[i].at) < time.Second {
				n += s.n
			}
		}
		if n > 40+burst+3 {
			t.Fatalf("%d packets in the second from %s", n, all[i].at.Sub(noon))
		}
	}
	if took := now.Sub(noon); took < 7*time.Second || took > 8*time.Second {
		t.Errorf("300 packets took %s at 40 a second", took)
	}
	now = now.Add(time.Hour)
	if d := b.take(now, burst+1); d != 25*time.Millisecond {
		t.Errorf("a pause may save up %d packets, the next one waits %s", burst, d)
	}
}

func TestWhatIsCounted(t *testing.T) {
	to := serve(t, func(c net.Conn) {
		buf := make([]byte, 10_000)
		io.ReadFull(c, buf)    //nolint:errcheck // the client notices
		c.Write(buf[:5600])    //nolint:errcheck // the client notices
		io.Copy(io.Discard, c) //nolint:errcheck // until the other end closes
	})
	g := loopback(t, func(c *Config) { c.PacketsPerSecond = 1000 })
	fixed := time.Now()
	g.now = func() time.Time { return fixed } // nothing flows back
	s := g.acquire(to.Addr())
	s.bucket.tokens = 1e6
	c, err := g.Device(to.Addr()).Dial(t.Context(), audit.PermitQuery, to.Port(), 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(make([]byte, 10_000))      //nolint:errcheck // counted below
	io.ReadFull(c, make([]byte, 5600)) //nolint:errcheck // counted below
	c.Close()
	// SYN and ACK, writes of 5600 and 4400 bytes, three acknowledgements or more if the answer came in pieces, FIN and ACK.
	spent := 1e6 - s.bucket.tokens
	if spent < 2+4+4+3+2 || spent > 2+4+4+6+2 {
		t.Errorf("%v packets were counted", spent)
	}
	before := s.bucket.tokens
	closed := netip.AddrPortFrom(to.Addr(), 1)
	if _, err := g.Device(closed.Addr()).Dial(t.Context(), audit.PermitQuery, closed.Port(), 0); err == nil {
		t.Fatal("port 1 is open here")
	}
	if spent := before - s.bucket.tokens; spent != 1 {
		t.Errorf("a refused connection cost %v packets", spent)
	}
}

// A sweep over many addresses does not grow the memory: idle addresses that owe nothing are forgotten.
func TestStatesAreForgotten(t *testing.T) {
	g := must(t, config(func(c *Config) { c.Authority = authority("10.0.0.0/8") }))
	now := time.Now()
	g.now = func() time.Time { return now }
	a := netip.MustParseAddr("10.0.0.1")
	held := g.acquire(a)
	for range 100_000 {
		a = a.Next()
		s := g.acquire(a)
		g.owe(s, 1)
		g.release(s)
		now = now.Add(time.Millisecond)
	}
	if n := len(g.states); n > 4*minSweep {
		t.Errorf("%d addresses are remembered", n)
	}
	if g.acquire(netip.MustParseAddr("10.0.0.1")) != held {
		t.Error("one in use was forgotten")
	}
}

func TestWriteAfterHours(t *testing.T) {
	to := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) }) //nolint:errcheck // until the other end closes
	late := false
	real := time.Now()
	g := loopback(t, func(c *Config) {
		c.Clock = func() time.Time {
			if late {
				return real.AddDate(1, 0, 0)
			}
			return real
		}
	})
	c, err := g.Device(to.Addr()).Dial(t.Context(), audit.PermitQuery, to.Port(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	late = true
	if _, err := c.Write([]byte("x")); !IsDenied(err) {
		t.Errorf("a write after the authority ended: %v", err)
	}
}
