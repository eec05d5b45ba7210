package guard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/mingshi-audit/mingshi/audit"
)

func netipAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestUDPMulticastOnLoopback(t *testing.T) {
	g := loopback(t, nil)
	ifi := lo(t, g)
	group := &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250)}
	l, err := net.ListenPacket("udp4", "239.255.255.250:0")
	if err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	defer l.Close()
	if err := ipv4.NewPacketConn(l).JoinGroup(&net.Interface{Index: ifi.Index, Name: ifi.Name}, group); err != nil {
		t.Skipf("no multicast on loopback here: %v", err)
	}
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			l.WriteTo(b[:n], from) //nolint:errcheck // the receiver notices
		}
	}()
	u, err := g.OpenUDP(ifi, UDPOptions{V6: false})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := u.Send(ctx, []byte("who is there"), netip.AddrPortFrom(netipAddr("239.255.255.250"), uint16(l.LocalAddr().(*net.UDPAddr).Port))); err != nil {
		t.Fatal(err)
	}
	p, err := u.Receive(ctx)
	if err != nil || string(p.Data) != "who is there" || !p.From.Addr().IsLoopback() {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestUDPRefusals(t *testing.T) {
	g := loopback(t, nil)
	u, err := g.OpenUDP(lo(t, g), UDPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, to := range []string{"192.0.2.1:3702", "239.1.2.3:3702", "255.255.255.255:3702", "127.255.255.255:3702", "0.0.0.0:3702", "[ff05::c]:3702", "8.8.8.8:53"} {
		if err := u.Send(t.Context(), []byte("x"), netip.MustParseAddrPort(to)); !IsDenied(err) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := u.Send(t.Context(), []byte("x"), netip.MustParseAddrPort("127.0.0.1:9")); err != nil {
		t.Errorf("inside: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := u.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing came: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := u.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the next wait is not ended by the last deadline: %v", err)
	}
	if _, err := g.OpenUDP(Interface{}, UDPOptions{V6: false}); err == nil {
		t.Error("a socket on no interface")
	}
	low := loopback(t, func(c *Config) { c.Permit = audit.PermitListen })
	if _, err := low.OpenUDP(lo(t, low), UDPOptions{V6: false}); !IsDenied(err) {
		t.Errorf("permit listen: %v", err)
	}
}
