package guard

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestKnock(t *testing.T) {
	goroutines(t)
	to := serve(t, func(c net.Conn) { time.Sleep(time.Millisecond) })
	g := loopback(t, nil)
	d := g.Device(to.Addr())
	if a, err := d.Knock(t.Context(), to.Port(), time.Second); a != Open || err != nil {
		t.Errorf("an open port: %v, %v", a, err)
	}
	if a, err := d.Knock(t.Context(), 1, time.Second); a != Closed || err != nil {
		t.Errorf("a closed port: %v, %v", a, err)
	}
	if _, err := g.Device(netip.MustParseAddr("192.0.2.1")).Knock(t.Context(), 80, time.Second); !IsDenied(err) {
		t.Errorf("outside: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Knock(ctx, to.Port(), time.Second); err == nil {
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
		if a, err := d.Knock(t.Context(), 80, 20*time.Millisecond); a != Silent || err != nil {
			t.Errorf("got %v, %v", a, err)
		}
	}
}
