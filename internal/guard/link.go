package guard

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// ErrNoRight is returned where the system does not let this user, or this program, do what was asked: raw packets need root
// or CAP_NET_RAW on Linux and are not implemented elsewhere.
var ErrNoRight = errors.New("the system does not allow it")

// LinkAnswer is a host that said on the link that an address is its own.
type LinkAnswer struct {
	Addr netip.Addr
	MAC  string // lower case with colons. A router with proxy ARP gives its own for many addresses
	At   time.Time
}

// Link asks on one Ethernet who has an IPv4 address (ARP, RFC 826). Ask may be called from several goroutines.
type Link struct {
	g    *Guard
	ifi  Interface
	mac  net.HardwareAddr
	wire linkWire
}

// linkWire sends and hears frames; it is the system's part.
type linkWire interface {
	send(frame []byte) error
	dropped() int
	close()
}

// OpenLink begins to hear ARP on an interface; heard is called for every sender inside the perimeter, from one goroutine, also
// for those nobody asked for. It fails with ErrNoRight where the system gives no raw packets, and with ErrNoAddress on an
// interface without Ethernet addresses. Needs permit discover.
func (g *Guard) OpenLink(ifi Interface, heard func(LinkAnswer)) (*Link, error) {
	if err := g.checkRun("arp", ifi.Name, audit.PermitDiscover); err != nil {
		return nil, err
	}
	if err := g.allowed("arp", ifi); err != nil {
		return nil, err
	}
	if !g.raw {
		return nil, fmt.Errorf("guard: hearing ARP on %s: %w", ifi.Name, ErrNoRight)
	}
	dev, err := net.InterfaceByIndex(ifi.Index)
	if err != nil {
		return nil, fmt.Errorf("guard: %s: %w", ifi.Name, err)
	}
	if len(dev.HardwareAddr) != 6 || dev.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
		return nil, fmt.Errorf("guard: %s: %w", ifi.Name, ErrNoAddress)
	}
	l := &Link{g: g, ifi: ifi, mac: dev.HardwareAddr}
	l.wire, err = openLinkWire(ifi.Index, func(frame []byte) {
		if a, ok := parseARP(frame); ok && g.Inside(a.Addr) && a.MAC != l.mac.String() {
			a.At = g.clock()
			heard(a)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("guard: hearing ARP on %s: %w", ifi.Name, err)
	}
	return l, nil
}

// Ask sends one ARP request for an address inside the perimeter and on one of the interface's own networks. The packet counts
// on the address's pace, but does not wait for it: how fast many addresses are asked is the caller's matter.
func (l *Link) Ask(a netip.Addr) error {
	a = normal(a)
	if !a.Is4() || !l.g.Inside(a) {
		return l.g.Check("arp", a, audit.PermitDiscover)
	}
	if err := l.g.checkRun("arp", a.String(), audit.PermitDiscover); err != nil {
		return err
	}
	from, ok := l.from(a)
	if !ok {
		return fmt.Errorf("guard: asking for %s on %s: %w", a, l.ifi.Name, ErrNoAddress)
	}
	s := l.g.acquire(a)
	l.g.owe(s, 1)
	l.g.release(s)
	if err := l.wire.send(arpRequest(l.mac, from, a)); err != nil {
		return fmt.Errorf("guard: asking for %s: %w", a, err)
	}
	return nil
}

// from is the interface's address in the network the other one is in.
func (l *Link) from(a netip.Addr) (netip.Addr, bool) {
	for _, p := range l.ifi.Addrs {
		if own := normal(p.Addr()); own.Is4() && p.Masked().Contains(a) {
			return own, true
		}
	}
	return netip.Addr{}, false
}

// Dropped returns how many frames the kernel could not hand over since the last call.
func (l *Link) Dropped() int { return l.wire.dropped() }

// Close ends the hearing; heard is not called after it returned.
func (l *Link) Close() { l.wire.close() }

const (
	arpLen      = 42
	arpRequests = 1
)

// arpRequest builds an Ethernet frame with an ARP request (RFC 826).
func arpRequest(mac net.HardwareAddr, from, to netip.Addr) []byte {
	b := make([]byte, 0, arpLen)
	b = append(b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	b = append(b, mac...)
	b = append(b, 0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, arpRequests)
	b = append(b, mac...)
	b = append(b, from.AsSlice()...)
	b = append(b, make([]byte, 6)...)
	return append(b, to.AsSlice()...)
}

// parseARP reads who an ARP frame comes from: an answer, or a question, whose asker is there too. A frame whose Ethernet sender
// and ARP sender differ is not believed, nor is one without an address of its own (a probe, RFC 5227).
func parseARP(b []byte) (LinkAnswer, bool) {
	if len(b) < arpLen || b[12] != 0x08 || b[13] != 0x06 || b[14] != 0 || b[15] != 1 || b[16] != 0x08 || b[17] != 0 || b[18] != 6 || b[19] != 4 || b[20] != 0 {
		return LinkAnswer{}, false
	}
	if op := b[21]; op != 1 && op != 2 {
		return LinkAnswer{}, false
	}
	src, sender := net.HardwareAddr(b[6:12]), net.HardwareAddr(b[22:28])
	addr := netip.AddrFrom4([4]byte(b[28:32]))
	if src.String() != sender.String() || sender[0]&1 != 0 || addr.IsUnspecified() || addr.IsMulticast() {
		return LinkAnswer{}, false
	}
	return LinkAnswer{Addr: addr, MAC: sender.String()}, true
}
