package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard/policy"
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
	conn *net.UDPConn // questions leave here, and answers to the questioner come back
	self netip.AddrPort
	o    UDPOptions
	deaf error

	answers *net.UDPConn // answers to a fixed port; nil: none
	in      chan received
	done    chan struct{}
	readers sync.WaitGroup
}

type received struct {
	p   Packet
	err error
}

// UDPOptions say what a socket is for.
type UDPOptions struct {
	V6        bool
	Groups    []netip.Addr // groups to listen to, where devices answer to the group; they need Port. IPv4 only
	Port      uint16       // a port to listen on beside the one questions leave from, where devices answer to a fixed one; 0: none. IPv4 only
	Broadcast bool         // questions may go to the broadcast addresses of the interface, see Guard.Broadcasts
}

const (
	maxDatagram = 64 << 10
	udpBuffer   = 4 << 20 // a bridge delivers the answers of a whole network within our own send call
)

// OpenUDP opens a socket bound to an ephemeral port on the interface's address of the family, one inside the perimeter
// where there is one, set to send multicast there (TTL 1), with a receive buffer sized for a burst (4 MiB asked for). It
// works on loopback too, although that interface does not call itself able to multicast. Where the port of the options
// cannot be had, the socket works without and Deaf says why. Needs permit discover.
func (g *Guard) OpenUDP(ifi Interface, o UDPOptions) (*UDP, error) {
	if err := g.checkRun("udp", ifi.Name, audit.PermitDiscover); err != nil {
		return nil, err
	}
	if err := g.allowed("udp", ifi); err != nil {
		return nil, err
	}
	src, ok := g.source(ifi, o.V6)
	if !ok {
		return nil, fmt.Errorf("guard: %s: %w", ifi.Name, ErrNoAddress)
	}
	network := "udp4"
	if o.V6 {
		network = "udp6"
	}
	c, err := settled(o.V6, time.Second, func() (*net.UDPConn, error) {
		return net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(src, 0)))
	})
	if err != nil {
		return nil, fmt.Errorf("guard: opening a socket on %s: %w", ifi.Name, err)
	}
	enlarge(c)
	if err := multicast(c, &net.Interface{Index: ifi.Index, Name: ifi.Name}, o.V6); err != nil {
		c.Close()
		return nil, fmt.Errorf("guard: multicast on %s: %w", ifi.Name, err)
	}
	u := &UDP{g: g, ifi: ifi, conn: c, o: o, in: make(chan received), done: make(chan struct{})}
	if l, ok := c.LocalAddr().(*net.UDPAddr); ok {
		u.self = netip.AddrPortFrom(normal(l.AddrPort().Addr()).WithZone(""), l.AddrPort().Port())
	}
	if o.Port != 0 {
		if u.answers, u.deaf = listenAnswers(ifi, src, o); u.deaf != nil {
			u.deaf = fmt.Errorf("guard: listening on port %d: %w", o.Port, u.deaf)
		}
	}
	u.readers.Go(func() { u.read(c.ReadFromUDPAddrPort) })
	if u.answers != nil {
		u.readers.Go(func() { u.read(arriving(u.answers, ifi.Index)) })
	}
	return u, nil
}

// settled opens a socket, and tries up to three times more, after a wait each, where the address cannot be had yet: for about two
// seconds after an interface was raised, its IPv6 addresses are tried for duplicates (RFC 4862 section 5.4) and nothing can be
// bound to them.
func settled(v6 bool, wait time.Duration, open func() (*net.UDPConn, error)) (*net.UDPConn, error) {
	c, err := open()
	for range 3 {
		if !v6 || !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
		time.Sleep(wait)
		c, err = open()
	}
	return c, err
}

// ErrNoAddress is returned where an interface has no address of the family that was asked for.
var ErrNoAddress = errors.New("no address of this family")

// multicast looped back is how devices on this machine are heard.
func multicast(c *net.UDPConn, ifi *net.Interface, v6 bool) error {
	if v6 {
		p := ipv6.NewPacketConn(c)
		return errors.Join(p.SetMulticastInterface(ifi), p.SetMulticastHopLimit(1), p.SetMulticastLoopback(true))
	}
	p := ipv4.NewPacketConn(c)
	return errors.Join(p.SetMulticastInterface(ifi), p.SetMulticastTTL(1), p.SetMulticastLoopback(true))
}

// listenAnswers binds the port that devices answer to, together with whoever else listens there, and joins the groups.
func listenAnswers(ifi Interface, src netip.Addr, o UDPOptions) (*net.UDPConn, error) {
	if o.V6 {
		return nil, errors.New("IPv4 only")
	}
	lc := net.ListenConfig{Control: shared(ifi.Index, ifi.Name)}
	l, err := lc.ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(answerAddr(src), o.Port).String())
	if err != nil {
		return nil, err
	}
	c, ok := l.(*net.UDPConn)
	if !ok {
		l.Close()
		return nil, fmt.Errorf("a %T", l)
	}
	enlarge(c)
	p := ipv4.NewPacketConn(c)
	dev := &net.Interface{Index: ifi.Index, Name: ifi.Name}
	for _, group := range o.Groups {
		if err := p.JoinGroup(dev, &net.UDPAddr{IP: group.AsSlice()}); err != nil {
			c.Close()
			return nil, fmt.Errorf("joining %s: %w", group, err)
		}
	}
	return c, nil
}

// arriving reads datagrams that came in by the interface, where the system says by which they did.
func arriving(c *net.UDPConn, index int) func([]byte) (int, netip.AddrPort, error) {
	p := ipv4.NewPacketConn(c)
	told := p.SetControlMessage(ipv4.FlagInterface, true) == nil
	return func(b []byte) (int, netip.AddrPort, error) {
		for told {
			n, cm, from, err := p.ReadFrom(b)
			if err == nil && cm != nil && cm.IfIndex != 0 && cm.IfIndex != index {
				continue
			}
			a, _ := from.(*net.UDPAddr)
			return n, a.AddrPort(), err
		}
		return c.ReadFromUDPAddrPort(b)
	}
}

// read hands on what a socket receives until it is closed.
func (u *UDP) read(next func([]byte) (int, netip.AddrPort, error)) {
	buf := make([]byte, maxDatagram)
	for tries := 0; ; {
		n, from, err := next(buf)
		var r received
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Windows reports an ICMP "port unreachable" for something we sent as an error of the next read.
			if tries++; tries < 100 {
				continue
			}
			r.err = fmt.Errorf("guard: receiving: %w", err)
		default:
			tries = 0
			a := netip.AddrPortFrom(normal(from.Addr()), from.Port())
			if netip.AddrPortFrom(a.Addr().WithZone(""), a.Port()) == u.self {
				continue // our own question, which the groups we joined bring back
			}
			r.p = Packet{From: a, Data: append([]byte(nil), buf[:n]...), At: u.g.clock()}
		}
		select {
		case u.in <- r:
			if r.err != nil {
				return
			}
		case <-u.done:
			return
		}
	}
}

// Deaf returns why the port of the options is not listened on, or nil.
func (u *UDP) Deaf() error { return u.deaf }

// Local returns the address and port that questions leave from.
func (u *UDP) Local() netip.AddrPort { return u.self }

// Broadcasts lists the broadcast addresses that questions of this socket may go to, Guard.Broadcasts; none for a socket that
// was not opened for it.
func (u *UDP) Broadcasts() []netip.Addr {
	if !u.o.Broadcast || u.o.V6 {
		return nil
	}
	return u.g.Broadcasts(u.ifi)
}

// Broadcasts lists the broadcast addresses of an interface: 255.255.255.255 where one of its own prefixes overlaps the
// perimeter, and those of such prefixes where they lie inside it themselves. Both reach the same hosts, and the perimeter may be
// a small part of a prefix. It is empty where there is no broadcast: on loopback, on links of two, and outside the perimeter.
func (g *Guard) Broadcasts(ifi Interface) []netip.Addr {
	var out []netip.Addr
	for _, p := range ifi.Addrs {
		a := normal(p.Addr())
		if !a.Is4() || a.IsLoopback() || p.Bits() > 30 || !g.overlaps(p) {
			continue
		}
		if len(out) == 0 {
			out = append(out, limited4)
		}
		if directed := Last(p); g.Inside(directed) {
			out = append(out, directed)
		}
	}
	return out
}

var limited4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// Send sends an inquiry to a multicast group of the local link, to one of Broadcasts, or to an address inside the perimeter.
// It waits for the pace of the address; groups and broadcast share one pace for the whole link, since every host on it
// hears them all. What is no inquiry is refused.
func (u *UDP) Send(ctx context.Context, b []byte, to netip.AddrPort) error {
	a := normal(to.Addr())
	everybody := linkGroup(a) || u.broadcast(a)
	var err error
	if everybody {
		err = u.g.checkRun("udp", a.WithZone("").String()+"%"+u.ifi.Name, audit.PermitDiscover)
	} else {
		err = u.g.Check("udp", a, audit.PermitDiscover)
	}
	if err != nil {
		return err
	}
	if err := policy.Datagram(to, b); err != nil {
		return u.g.refuse("udp", to.String(), policy.Reason(err))
	}
	if a.Is6() && a.Zone() == "" && (a.IsMulticast() || a.IsLinkLocalUnicast()) {
		a = a.WithZone(u.ifi.Name)
	}
	key := a
	if everybody {
		key = link(u.ifi)
	}
	s := u.g.acquire(key)
	defer u.g.release(s)
	if err := u.g.pay(ctx, s, max(1, packets(len(b), segment))); err != nil {
		return fmt.Errorf("guard: waiting to send to %s: %w", a, err)
	}
	if err := u.write(b, netip.AddrPortFrom(a, to.Port())); err != nil {
		return fmt.Errorf("guard: sending to %s: %w", a, err)
	}
	return nil
}

// Towards returns the interface that the system would send to an address by, of those that may be used. ok is false where
// there is none, or the way is not known.
func (g *Guard) Towards(a netip.Addr) (ifi Interface, ok bool) {
	from, err := g.route(normal(a))
	if err != nil {
		return Interface{}, false
	}
	all, err := g.Interfaces()
	if err != nil {
		return Interface{}, false
	}
	for _, ifi := range all {
		for _, p := range ifi.Addrs {
			if normal(p.Addr()).WithZone("") == from.WithZone("") {
				return ifi, true
			}
		}
	}
	return Interface{}, false
}

// write names the interface for a broadcast: the routing table knows one way for 255.255.255.255, and where two interfaces
// share an address it need not be ours. Windows goes by the address the socket is bound to.
func (u *UDP) write(b []byte, to netip.AddrPort) error {
	if to.Addr() == limited4 && namesInterface {
		_, err := ipv4.NewPacketConn(u.conn).WriteTo(b, &ipv4.ControlMessage{IfIndex: u.ifi.Index}, net.UDPAddrFromAddrPort(to))
		return err
	}
	_, err := u.conn.WriteToUDPAddrPort(b, to)
	return err
}

func (u *UDP) broadcast(a netip.Addr) bool {
	for _, x := range u.Broadcasts() {
		if x == a {
			return true
		}
	}
	return false
}

// link is the key under which everything is paced that all hosts of an interface's network hear.
func link(ifi Interface) netip.Addr { return netip.IPv6LinkLocalAllNodes().WithZone(ifi.Name) }

// linkGroup reports whether an address is a multicast group whose traffic stays on the link: the local network control
// block, the groups of link scope in IPv6, and those of WS-Discovery, SSDP and SADP, and of Dahua, which TTL 1 keeps there.
func linkGroup(a netip.Addr) bool {
	return a.IsLinkLocalMulticast() || a == netip.AddrFrom4([4]byte{239, 255, 255, 250}) || a == netip.AddrFrom4([4]byte{239, 255, 255, 251})
}

// Receive waits for a datagram, to the questioner or to the port of the options, until the context ends; its error is then
// the context's. Datagrams are cut at 64 KiB. What this socket sent itself is not received.
func (u *UDP) Receive(ctx context.Context) (Packet, error) {
	if err := ctx.Err(); err != nil {
		return Packet{}, err
	}
	select {
	case r := <-u.in:
		return r.p, r.err
	case <-ctx.Done():
		return Packet{}, ctx.Err()
	case <-u.done:
		return Packet{}, fmt.Errorf("guard: receiving: %w", net.ErrClosed)
	}
}

// Close closes the socket. It may be called once.
func (u *UDP) Close() error {
	err := u.conn.Close()
	if u.answers != nil {
		u.answers.Close()
	}
	close(u.done)
	u.readers.Wait()
	return err
}
