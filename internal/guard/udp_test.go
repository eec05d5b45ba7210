package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/mingshi-audit/mingshi/audit"
)

func netipAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// whoIsThere is Hikvision's inquiry, which may be sent.
const whoIsThere = `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>0A1B2C3D-0000-4000-8000-0A1B2C3D4E5F</Uuid><Types>inquiry</Types></Probe>`

func TestUDPMulticastOnLoopback(t *testing.T) {
	g := loopback(t, nil)
	ifi := lo(t, g)
	group := &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250)}
	l, err := net.ListenPacket("udp4", "239.255.255.250:37020") // a port that is asked something, and that others may share
	if err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	defer l.Close()
	if err := ipv4.NewPacketConn(l).JoinGroup(&net.Interface{Index: ifi.Index, Name: ifi.Name}, group); err != nil {
		t.Skipf("no multicast on loopback here: %v", err)
	}
	go func() {
		b := make([]byte, 1000)
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
	if err := u.Send(ctx, []byte(whoIsThere), netip.MustParseAddrPort("239.255.255.250:37020")); err != nil {
		t.Fatal(err)
	}
	p, err := u.Receive(ctx)
	if err != nil || string(p.Data) != whoIsThere || !p.From.Addr().IsLoopback() {
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
	for _, to := range []string{"127.0.0.1:9", "127.0.0.1:37020", "239.255.255.250:37020"} {
		if err := u.Send(t.Context(), []byte("x"), netip.MustParseAddrPort(to)); !IsDenied(err) {
			t.Errorf("%s took what is no inquiry: %v", to, err)
		}
	}
	if err := u.Send(t.Context(), []byte(whoIsThere), netip.MustParseAddrPort("127.0.0.1:37020")); err != nil {
		t.Errorf("inside: %v", err)
	}
	if u, err = g.OpenUDP(lo(t, g), UDPOptions{}); err != nil { // another test's device may answer the one before
		t.Fatal(err)
	}
	defer u.Close()
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

// An answer to the group or to a fixed port reaches the questioner beside those to its own port.
func TestUDPFixedPort(t *testing.T) {
	g := loopback(t, nil)
	group := netipAddr("239.255.255.250")
	var socks []*UDP
	for range 2 { // somebody else listening there too is no hindrance
		u, err := g.OpenUDP(lo(t, g), UDPOptions{Port: 37020, Groups: []netip.Addr{group}, Broadcast: true})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		if err := u.Deaf(); err != nil {
			t.Skipf("no multicast on loopback here: %v", err)
		}
		if len(u.Broadcasts()) > 0 {
			t.Errorf("loopback has no broadcast: %v", u.Broadcasts())
		}
		socks = append(socks, u)
	}
	if err := socks[0].Send(t.Context(), []byte(whoIsThere), netip.AddrPortFrom(group, 37020)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if p, err := socks[1].Receive(ctx); err != nil || string(p.Data) != whoIsThere || p.From != socks[0].Local() {
		t.Errorf("got %+v, %v", p, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for {
		p, err := socks[0].Receive(ctx)
		if err != nil {
			break
		}
		if p.From == socks[0].Local() {
			t.Error("it hears itself")
		}
	}
}

// A port that cannot be had leaves the rest working.
func TestUDPDeaf(t *testing.T) {
	g := loopback(t, nil)
	c, err := net.ListenPacket("udp4", "127.0.0.1:0") // without sharing
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := g.OpenUDP(lo(t, g), UDPOptions{Port: uint16(c.LocalAddr().(*net.UDPAddr).Port)})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if u.Deaf() == nil {
		t.Error("a port that is taken was had")
	}
	if err := u.Send(t.Context(), []byte(whoIsThere), netip.MustParseAddrPort("127.0.0.1:37020")); err != nil {
		t.Error(err)
	}
}

// Groups and broadcast are heard by everybody on the link, so together they keep the pace of one device.
func TestUDPOnePaceForTheLink(t *testing.T) {
	g := loopback(t, nil)
	u, err := g.OpenUDP(lo(t, g), UDPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	s := g.acquire(link(u.ifi))
	defer g.release(s)
	g.now = func() time.Time { return noon }
	s.bucket.at, s.bucket.tokens = noon, 3
	search := []byte("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n\r\n")
	for to, b := range map[string][]byte{"239.255.255.250:37020": []byte(whoIsThere), "239.255.255.250:1900": search} {
		if err := u.Send(t.Context(), b, netip.MustParseAddrPort(to)); err != nil {
			t.Error(err)
		}
	}
	if s.bucket.tokens != 1 {
		t.Errorf("%v packets are left of 3 after one to each group", s.bucket.tokens)
	}
}

func TestUDPBroadcasts(t *testing.T) {
	g := loopback(t, nil)
	g.perimeter = append(g.perimeter, netip.MustParsePrefix("10.9.0.0/26"), netip.MustParsePrefix("10.8.0.0/22"))
	prefix := netip.MustParsePrefix
	for _, tt := range []struct {
		addrs []netip.Prefix
		o     UDPOptions
		want  string
	}{
		{[]netip.Prefix{prefix("10.9.0.2/24")}, UDPOptions{Broadcast: true}, "[255.255.255.255]"},
		{[]netip.Prefix{prefix("10.9.0.2/26")}, UDPOptions{Broadcast: true}, "[255.255.255.255 10.9.0.63]"},
		{[]netip.Prefix{prefix("10.8.0.2/23"), prefix("10.9.0.2/26")}, UDPOptions{Broadcast: true}, "[255.255.255.255 10.8.1.255 10.9.0.63]"},
		{[]netip.Prefix{prefix("10.9.0.2/26"), prefix("192.0.2.9/24"), prefix("fe80::1/64")}, UDPOptions{Broadcast: true}, "[255.255.255.255 10.9.0.63]"},
		{[]netip.Prefix{prefix("10.9.0.2/24")}, UDPOptions{}, "[]"},
		{[]netip.Prefix{prefix("10.9.0.2/31")}, UDPOptions{Broadcast: true}, "[]"},
		{[]netip.Prefix{prefix("192.0.2.9/24")}, UDPOptions{Broadcast: true}, "[]"},
		{[]netip.Prefix{prefix("127.0.0.1/8")}, UDPOptions{Broadcast: true}, "[]"},
	} {
		u := &UDP{g: g, ifi: Interface{Name: "x", Addrs: tt.addrs}, o: tt.o}
		if got := fmt.Sprint(u.Broadcasts()); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.addrs, got, tt.want)
		}
	}
}
