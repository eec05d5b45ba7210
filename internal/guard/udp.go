package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/mingshi-audit/mingshi/audit"
)

// Packet is a received datagram.
type Packet struct {
	From netip.AddrPort
	Data []byte
	At   time.Time
}

// UDP is a socket on one interface for inquiry packets and their answers. Send may be called while Receive waits; Receive
// is for one caller at a time.
type UDP struct {
	g    *Guard
	ifi  Interface
	conn *net.UDPConn
	buf  []byte
	o    UDPOptions
}

// UDPOptions say what a socket is for.
type UDPOptions struct {
	V6        bool
	Groups    []netip.Addr // groups to listen to, where devices answer to the group; they need Port
	Port      uint16       // a port to listen on beside the one questions leave from, where devices answer to a fixed one; 0: none
	Broadcast bool         // questions may go to 255.255.255.255 and to the broadcast addresses of the interface's own prefixes
}

const (
	maxDatagram = 64 << 10
	udpBuffer   = 4 << 20 // a bridge delivers the answers of a whole network within our own send call
)

// OpenUDP opens a socket bound to an ephemeral port on the interface's address of the family, one inside the perimeter
// where there is one, set to send multicast there (TTL 1), with a receive buffer sized for a burst (4 MiB asked for). It
// works on loopback too, although that interface does not call itself able to multicast. Needs permit discover.
func (g *Guard) OpenUDP(ifi Interface, o UDPOptions) (*UDP, error) {
	v6 := o.V6
	if err := g.checkRun("udp", ifi.Name, audit.PermitDiscover); err != nil {
		return nil, err
	}
	if err := g.allowed("udp", ifi); err != nil {
		return nil, err
	}
	src, ok := g.source(ifi, v6)
	if !ok {
		return nil, fmt.Errorf("guard: %s: %w", ifi.Name, ErrNoAddress)
	}
	network := "udp4"
	if v6 {
		network = "udp6"
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(src, 0)))
	if err != nil {
		return nil, fmt.Errorf("guard: opening a socket on %s: %w", ifi.Name, err)
	}
	_ = c.SetReadBuffer(udpBuffer) // the kernel gives what it is allowed to
	if err := multicast(c, &net.Interface{Index: ifi.Index, Name: ifi.Name}, v6); err != nil {
		c.Close()
		return nil, fmt.Errorf("guard: multicast on %s: %w", ifi.Name, err)
	}
	return &UDP{g: g, ifi: ifi, conn: c, buf: make([]byte, maxDatagram), o: o}, nil
}

// ErrNoAddress is returned where an interface has no address of the family that was asked for.
var ErrNoAddress = errors.New("no address of this family")

// multicast looped back is how devices on this machine are heard; answers to it come unicast, so no group is joined.
func multicast(c *net.UDPConn, ifi *net.Interface, v6 bool) error {
	if v6 {
		p := ipv6.NewPacketConn(c)
		return errors.Join(p.SetMulticastInterface(ifi), p.SetMulticastHopLimit(1), p.SetMulticastLoopback(true))
	}
	p := ipv4.NewPacketConn(c)
	return errors.Join(p.SetMulticastInterface(ifi), p.SetMulticastTTL(1), p.SetMulticastLoopback(true))
}

// Send sends a datagram to a multicast group of the local link, or to an address inside the perimeter. It waits for the
// pace of the address.
func (u *UDP) Send(ctx context.Context, b []byte, to netip.AddrPort) error {
	a := normal(to.Addr())
	var err error
	if linkGroup(a) {
		err = u.g.checkRun("udp", a.WithZone("").String()+"%"+u.ifi.Name, audit.PermitDiscover)
	} else {
		err = u.g.Check("udp", a, audit.PermitDiscover)
	}
	if err != nil {
		return err
	}
	if a.Is6() && a.Zone() == "" && (a.IsMulticast() || a.IsLinkLocalUnicast()) {
		a = a.WithZone(u.ifi.Name)
	}
	s := u.g.acquire(a)
	defer u.g.release(s)
	if err := u.g.pay(ctx, s, max(1, packets(len(b), segment))); err != nil {
		return fmt.Errorf("guard: waiting to send to %s: %w", a, err)
	}
	if _, err := u.conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(a, to.Port())); err != nil {
		return fmt.Errorf("guard: sending to %s: %w", a, err)
	}
	return nil
}

// linkGroup reports whether an address is a multicast group whose traffic stays on the link: the local network control
// block, the groups of link scope in IPv6, and the group of WS-Discovery and SSDP, which TTL 1 keeps there.
func linkGroup(a netip.Addr) bool {
	return a.IsLinkLocalMulticast() || a == netip.AddrFrom4([4]byte{239, 255, 255, 250})
}

// Receive waits for a datagram until the context ends; its error is then the context's. Datagrams are cut at 64 KiB.
func (u *UDP) Receive(ctx context.Context) (Packet, error) {
	if err := ctx.Err(); err != nil {
		return Packet{}, err
	}
	if err := u.conn.SetReadDeadline(time.Time{}); err != nil {
		return Packet{}, fmt.Errorf("guard: receiving: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = u.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for tries := 0; ; tries++ {
		n, from, err := u.conn.ReadFromUDPAddrPort(u.buf)
		if err == nil {
			data := append([]byte(nil), u.buf[:n]...)
			return Packet{From: netip.AddrPortFrom(normal(from.Addr()), from.Port()), Data: data, At: u.g.clock()}, nil
		}
		if ctx.Err() != nil {
			return Packet{}, ctx.Err()
		}
		// Windows reports an ICMP "port unreachable" for something we sent as an error of the next read.
		if errors.Is(err, net.ErrClosed) || tries >= 100 {
			return Packet{}, fmt.Errorf("guard: receiving: %w", err)
		}
	}
}

// Close closes the socket.
func (u *UDP) Close() error { return u.conn.Close() }
