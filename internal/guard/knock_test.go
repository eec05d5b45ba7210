package guard

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestKnock(t *testing.T) {
	goroutines(t)
	to := serve(t, func(c net.Conn) { time.Sleep(time.Millisecond) })
	g := loopback(t, nil)
	d := g.Device(to.Addr())
	if a, err := d.Knock(t.Context(), to.Port(), time.Second, false); a.Answer != Open || err != nil {
		t.Errorf("an open port: %v, %v", a, err)
	}
	if a, err := d.Knock(t.Context(), 1, time.Second, false); a.Answer != Closed || err != nil {
		t.Errorf("a closed port: %v, %v", a, err)
	}
	if _, err := g.Device(netip.MustParseAddr("192.0.2.1")).Knock(t.Context(), 80, time.Second, false); !IsDenied(err) {
		t.Errorf("outside: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Knock(ctx, to.Port(), time.Second, false); err == nil {
		t.Error("knocked after the end")
	}
	if n := len(g.acquire(to.Addr()).slots); n != 0 {
		t.Errorf("%d connections are still counted", n)
	}
}

func TestKnockSilent(t *testing.T) {
	g := loopback(t, func(c *Config) {
		c.Permit = audit.PermitDiscover
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
		}
	})
	// The time-out is for the handshake only: waiting for a slot does not eat it.
	d := g.Device(netip.MustParseAddr("127.0.0.1"))
	for range 3 {
		if a, err := d.Knock(t.Context(), 80, 20*time.Millisecond, false); a.Answer != Silent || err != nil {
			t.Errorf("got %v, %v", a, err)
		}
	}
}

// TestKnockKeeps: the connection of a knock serves whoever dials the port next, and one that the device has closed or has
// begun to speak on does not.
func TestKnockKeeps(t *testing.T) {
	if !canPark {
		t.Skip("this system does not show whether a waiting connection was closed")
	}
	goroutines(t)
	var accepted atomic.Int64
	greet := make(chan bool, 1)
	to := serve(t, func(c net.Conn) {
		accepted.Add(1)
		select {
		case g := <-greet:
			if g {
				c.Write([]byte("220 hello\r\n"))
				time.Sleep(200 * time.Millisecond)
			}
			return // and closes
		default:
		}
		b := make([]byte, 4)
		c.SetDeadline(time.Now().Add(3 * time.Second))
		if _, err := io.ReadFull(c, b); err == nil {
			c.Write(b)
		}
	})
	g := loopback(t, nil)
	d := g.Device(to.Addr())
	echo := func() {
		t.Helper()
		c, err := d.Dial(t.Context(), audit.PermitDiscover, to.Port(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("ping"))
		b := make([]byte, 4)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "ping" {
			t.Errorf("%q, %v", b, err)
		}
	}
	knock := func() {
		t.Helper()
		delete(g.acquire(to.Addr()).opened, to.Port())
		if r, err := d.Knock(t.Context(), to.Port(), time.Second, true); r.Answer != Open || err != nil {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	knock()
	echo()
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d connections for a knock and a dial", n)
	}
	for _, speaks := range []bool{true, false} {
		greet <- speaks
		knock()
		time.Sleep(50 * time.Millisecond)
		echo()
	}
	if n := accepted.Load(); n != 5 {
		t.Errorf("%d connections, want one more for each that could not be used", n)
	}
	knock()
	time.Sleep(parkFor + 100*time.Millisecond)
	if n := len(g.acquire(to.Addr()).slots); n != 0 {
		t.Errorf("%d connections are still counted after their time", n)
	}
}

// TestKnockRemembers: a port that accepted a connection is open without another packet.
func TestKnockRemembers(t *testing.T) {
	var accepted atomic.Int64
	to := serve(t, func(net.Conn) { accepted.Add(1) })
	d := loopback(t, nil).Device(to.Addr())
	for range 3 {
		if r, err := d.Knock(t.Context(), to.Port(), time.Second, false); r.Answer != Open || err != nil {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	for end := time.Now().Add(5 * time.Second); accepted.Load() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // the system completes a connection before the listener is told
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
