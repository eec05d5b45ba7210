package guard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/mingshi-audit/mingshi/audit"
)

// Pinger sends ICMP echo requests and hears the replies. Send may be called from several goroutines.
type Pinger struct {
	g    *Guard
	conn *icmp.PacketConn
	v6   bool
	raw  bool
	id   uint16
	seq  uint16
	mu   sync.Mutex
	done sync.WaitGroup
}

// OpenPing opens a socket for ICMP echo; heard is called for every reply to it, from one goroutine. It fails with ErrNoRight
// where the system gives neither a ping socket nor a raw one. ifi names the interface for IPv6, whose questions to everybody
// on the link need one; its zero value is for routed addresses. Needs permit discover.
func (g *Guard) OpenPing(ifi Interface, v6 bool, heard func(netip.Addr)) (*Pinger, error) {
	if err := g.checkRun("ping", ifi.Name, audit.PermitDiscover); err != nil {
		return nil, err
	}
	if !g.raw {
		return nil, fmt.Errorf("guard: ping %s: %w", ifi.Name, ErrNoRight)
	}
	source := "0.0.0.0"
	networks := []string{"udp4", "ip4:icmp"}
	if v6 {
		if err := g.allowed("ping", ifi); err != nil {
			return nil, err
		}
		a, ok := g.source(ifi, true)
		if !ok {
			return nil, fmt.Errorf("guard: %s: %w", ifi.Name, ErrNoAddress)
		}
		source, networks = a.String(), []string{"udp6", "ip6:ipv6-icmp"}
	}
	p := &Pinger{g: g, v6: v6, id: uint16(rand.Uint32())}
	for i, n := range networks {
		c, err := icmp.ListenPacket(n, source)
		if err == nil {
			p.conn, p.raw = c, i == 1
			break
		}
	}
	if p.conn == nil {
		return nil, fmt.Errorf("guard: ping: %w", ErrNoRight)
	}
	p.prepare(ifi)
	p.done.Go(func() { p.listen(heard) })
	return p, nil
}

func (p *Pinger) prepare(ifi Interface) {
	if p.v6 {
		c := p.conn.IPv6PacketConn()
		_ = c.SetMulticastInterface(&net.Interface{Index: ifi.Index, Name: ifi.Name})
		_ = c.SetMulticastHopLimit(1)
		var f ipv6.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv6.ICMPTypeEchoReply)
		_ = c.SetICMPFilter(&f)
	}
	type buffered interface{ SetReadBuffer(int) error }
	var inner any
	if p.v6 {
		inner = p.conn.IPv6PacketConn().PacketConn
	} else {
		inner = p.conn.IPv4PacketConn().PacketConn
	}
	if b, ok := inner.(buffered); ok {
		_ = b.SetReadBuffer(udpBuffer)
	}
}

func (p *Pinger) listen(heard func(netip.Addr)) {
	b := make([]byte, 1500)
	for failures := 0; failures < 100; {
		n, from, err := p.conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failures++ // usually an ICMP error for something we sent
			continue
		}
		failures = 0
		if a, ok := echoed(b[:n], from, p.v6); ok && (!p.raw || binary.BigEndian.Uint16(b[4:]) == p.id) {
			heard(a)
		}
	}
}

// echoed reads an echo reply: type, code, checksum, identifier, sequence.
func echoed(b []byte, from net.Addr, v6 bool) (netip.Addr, bool) {
	want := byte(ipv4.ICMPTypeEchoReply)
	if v6 {
		want = byte(ipv6.ICMPTypeEchoReply)
	}
	if len(b) < 8 || b[0] != want {
		return netip.Addr{}, false
	}
	var ip net.IP
	zone := ""
	switch f := from.(type) {
	case *net.UDPAddr:
		ip, zone = f.IP, f.Zone
	case *net.IPAddr:
		ip, zone = f.IP, f.Zone
	}
	a, ok := netip.AddrFromSlice(ip)
	return normal(a).WithZone(zone), ok
}

// Send sends one echo request to an address inside the perimeter, or in IPv6 to all nodes of the link (ff02::1). It waits for
// the address's pace.
func (p *Pinger) Send(ctx context.Context, a netip.Addr) error {
	a = normal(a)
	all := p.v6 && a.WithZone("") == netip.IPv6LinkLocalAllNodes()
	var err error
	if all {
		err = p.g.checkRun("ping", a.String(), audit.PermitDiscover)
	} else {
		err = p.g.Check("ping", a, audit.PermitDiscover)
	}
	if err != nil {
		return err
	}
	s := p.g.acquire(a)
	defer p.g.release(s)
	if err := p.g.pay(ctx, s, 1); err != nil {
		return fmt.Errorf("guard: waiting to ping %s: %w", a, err)
	}
	p.mu.Lock()
	p.seq++
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(p.id), Seq: int(p.seq), Data: []byte("mingshi")}}
	p.mu.Unlock()
	if p.v6 {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	b, err := m.Marshal(nil)
	if err != nil {
		return fmt.Errorf("guard: ping: %w", err)
	}
	var to net.Addr = &net.UDPAddr{IP: a.AsSlice(), Zone: a.Zone()}
	if p.raw {
		to = &net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()}
	}
	if _, err := p.conn.WriteTo(b, to); err != nil {
		return fmt.Errorf("guard: ping %s: %w", a, err)
	}
	return nil
}

// Close ends the hearing; heard is not called after it returned.
func (p *Pinger) Close() {
	_ = p.conn.Close()
	p.done.Wait()
}
