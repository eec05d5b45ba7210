package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Config says what a LAN is made of.
type Config struct {
	Scanner []string // addresses of the auditing machine, with their prefix lengths; default Scanner
	Hosts   []*Host
	Wire    Wire // what the auditing machine's link does to frames; the zero value: nothing
}

// Where the auditing machine and the router stand by default.
const (
	Scanner    = "10.77.0.2"
	scannerMAC = "02:77:00:00:00:02"

	Router     = "10.77.0.254" // on the auditing machine's side
	RouterMAC  = "02:77:00:00:00:fe"
	farRouter  = "10.78.0.1" // on the other side
	routerMAC2 = "02:78:00:00:00:fe"
)

// Far is the network behind the router.
func Far() netip.Prefix { return netip.MustParsePrefix("10.78.0.0/22") }

// Host is one host of the LAN. It is used once.
type Host struct {
	Name  string
	MAC   string   // default: one of its own
	Addrs []string // with their prefix lengths
	Serve []Service

	Far      bool // it stands behind the router
	Deaf     bool // the bridge floods no multicast to it
	Isolated bool // the bridge passes nothing between it and the auditing machine, as an access point that isolates its clients
	NoIPv6   bool // it has not even a link-local address

	ns    netns.NsHandle
	stops []func() []string
}

// Service is something a host does. It is called on a thread inside the host's namespace and returns once the host answers.
// stop ends it and says what the host holds against its visitors; it may be nil.
type Service func(h *Host) (stop func() []string, err error)

// Addr returns the host's first address.
func (h *Host) Addr() netip.Addr { return netip.MustParsePrefix(h.Addrs[0]).Addr() }

// LAN is a running LAN.
type LAN struct {
	hosts   []*Host
	bridges [2]*bridge // near, and behind the router
	router  netns.NsHandle
	wire    *relay
}

type bridge struct {
	ns    netns.NsHandle
	at    *netlink.Handle
	link  *netlink.Bridge
	ports int
}

// Open builds the LAN around the calling process, whose own network namespace becomes the auditing machine, with eth0. It
// must be one made for it: see Apart. Where a host is far, there is a router between. Close must follow.
func Open(cfg Config) (*LAN, error) {
	l := &LAN{router: netns.None()}
	if err := l.build(cfg); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *LAN) build(cfg Config) error {
	if len(cfg.Scanner) == 0 {
		cfg.Scanner = []string{Scanner + "/24"}
	}
	if links, err := net.Interfaces(); err != nil || len(links) != 1 {
		return fmt.Errorf("netlab: the calling process is not in a namespace of its own: it has %d interfaces", len(links))
	}
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0); err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	if err := l.open(cfg); err != nil {
		return err
	}
	for _, h := range cfg.Hosts {
		if err := l.start(h); err != nil {
			return fmt.Errorf("netlab: %s: %w", h.Name, err)
		}
	}
	if err := l.settle(); err != nil {
		return err
	}
	if slices.ContainsFunc(cfg.Hosts, func(h *Host) bool { return !h.NoIPv6 }) {
		time.Sleep(500 * time.Millisecond) // link-local addresses
	}
	return nil
}

// settle waits until every wire carries: the kernel takes note of that in its own time, and drops what comes before.
func (l *LAN) settle() error {
	for range 500 {
		down := 0
		for _, b := range l.bridges {
			if b == nil {
				continue
			}
			links, err := b.at.LinkList()
			if err != nil {
				return fmt.Errorf("netlab: %w", err)
			}
			for _, link := range links {
				if link.Type() == "veth" && link.Attrs().OperState != netlink.OperUp {
					down++
				}
			}
		}
		if down == 0 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("netlab: the wires do not come up")
}

func (l *LAN) open(cfg Config) (err error) {
	if l.bridges[0], err = newBridge(); err != nil {
		return err
	}
	self, err := netns.Get()
	if err != nil {
		return fmt.Errorf("netlab: finding the own namespace: %w", err)
	}
	defer self.Close()
	if err := l.plugScanner(cfg.Wire, self); err != nil {
		return err
	}
	if err := configure(self, cfg.Scanner, "", false); err != nil {
		return err
	}
	if slices.ContainsFunc(cfg.Hosts, func(h *Host) bool { return h.Far }) {
		if err := l.route(cfg.Hosts, self); err != nil {
			return err
		}
	}
	for i, h := range cfg.Hosts {
		if h.MAC == "" {
			h.MAC = fmt.Sprintf("02:77:00:01:%02x:%02x", (i+1)>>8, (i+1)&255)
		}
		if err := l.join(h); err != nil {
			return fmt.Errorf("netlab: %s: %w", h.Name, err)
		}
	}
	return nil
}

func newBridge() (b *bridge, err error) {
	b = &bridge{link: &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}, MulticastSnooping: new(bool)}}
	if b.ns, err = newNamespace(); err != nil {
		return nil, err
	}
	if b.at, err = netlink.NewHandleAt(b.ns, unix.NETLINK_ROUTE); err != nil {
		return nil, fmt.Errorf("netlab: %w", err)
	}
	if err := b.at.LinkAdd(b.link); err != nil {
		return nil, fmt.Errorf("netlab: a bridge: %w", err)
	}
	return b, b.at.LinkSetUp(b.link)
}

// plug makes a wire from the bridge to an interface of the namespace and returns the bridge's port.
func (b *bridge) plug(ns netns.NsHandle, name, mac string) (netlink.Link, error) {
	v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("p%d", b.ports), MasterIndex: b.link.Index},
		PeerName: name, PeerHardwareAddr: hardware(mac), PeerNamespace: netlink.NsFd(int(ns))}
	b.ports++
	if err := b.at.LinkAdd(v); err != nil {
		return nil, fmt.Errorf("netlab: a wire: %w", err)
	}
	return v, b.at.LinkSetUp(v)
}

func hardware(mac string) net.HardwareAddr {
	hw, err := net.ParseMAC(mac)
	if err != nil {
		panic(err) // it is written in a test
	}
	return hw
}

// plugScanner connects the auditing machine, over the wire if it does anything.
func (l *LAN) plugScanner(w Wire, self netns.NsHandle) (err error) {
	if w == (Wire{}) {
		_, err = l.bridges[0].plug(self, "eth0", scannerMAC)
		return err
	}
	l.wire, err = newRelay(w, l.bridges[0], self)
	return err
}

// join connects a host that does nothing yet.
func (l *LAN) join(h *Host) (err error) {
	b, gateway := l.bridges[0], ""
	switch {
	case h.Far:
		b, gateway = l.bridges[1], farRouter
	case l.router.IsOpen():
		gateway = Router
	}
	if h.ns, err = newNamespace(); err != nil {
		return err
	}
	l.hosts = append(l.hosts, h)
	port, err := b.plug(h.ns, "eth0", h.MAC)
	if err != nil {
		return err
	}
	if err := errors.Join(ownQueue(h.ns, "eth0"), ownQueue(b.ns, port.Attrs().Name)); err != nil {
		return err
	}
	if h.Deaf {
		if err := b.deafen(port); err != nil {
			return err
		}
	}
	if h.Isolated {
		scanner, err := b.at.LinkByName("p0")
		if err != nil {
			return err
		}
		if err := errors.Join(b.at.LinkSetIsolated(scanner, true), b.at.LinkSetIsolated(port, true)); err != nil {
			return fmt.Errorf("netlab: isolating a port: %w", err)
		}
	}
	return configure(h.ns, h.Addrs, gateway, h.NoIPv6)
}

// deafen stops the bridge from flooding multicast to the port.
func (b *bridge) deafen(port netlink.Link) error {
	return inside(b.ns, func() error {
		const mcastFlood = 27 // IFLA_BRPORT_MCAST_FLOOD, which netlink has no call for
		req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
		info := nl.NewIfInfomsg(unix.AF_BRIDGE)
		info.Index = int32(port.Attrs().Index)
		req.AddData(info)
		nest := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
		nest.AddRtAttr(mcastFlood, []byte{0})
		req.AddData(nest)
		_, err := req.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
}

// configure gives eth0 of the namespace its addresses, and a default route where there is a gateway.
func configure(ns netns.NsHandle, addrs []string, gateway string, noIPv6 bool) error {
	if noIPv6 {
		if err := inside(ns, func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", []byte("1"), 0) }); err != nil {
			return fmt.Errorf("netlab: %w", err)
		}
	}
	at, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	defer at.Close()
	lo, err := at.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	eth, err := at.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	for _, a := range addrs {
		n, err := netlink.ParseAddr(a)
		if err != nil {
			return fmt.Errorf("netlab: %w", err)
		}
		if n.IP.To4() == nil {
			n.Flags = unix.IFA_F_NODAD
		}
		if err := at.AddrAdd(eth, n); err != nil {
			return fmt.Errorf("netlab: address %s: %w", a, err)
		}
	}
	if err := errors.Join(at.LinkSetUp(lo), at.LinkSetUp(eth)); err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	if gateway == "" {
		return nil
	}
	if err := at.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Gw: net.ParseIP(gateway)}); err != nil {
		return fmt.Errorf("netlab: route by %s: %w", gateway, err)
	}
	return nil
}

// route builds the router, a bridge behind it, and the auditing machine's route there. The router forwards what is sent to a
// host, drops the rest without a word, and passes no multicast.
func (l *LAN) route(hosts []*Host, self netns.NsHandle) (err error) {
	if l.bridges[1], err = newBridge(); err != nil {
		return err
	}
	if l.router, err = newNamespace(); err != nil {
		return err
	}
	if _, err := l.bridges[0].plug(l.router, "eth0", RouterMAC); err != nil {
		return err
	}
	if _, err := l.bridges[1].plug(l.router, "eth1", routerMAC2); err != nil {
		return err
	}
	if err := configure(l.router, []string{Router + "/24"}, "", true); err != nil {
		return err
	}
	if err := inside(l.router, func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0) }); err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	at, err := netlink.NewHandleAt(l.router, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	defer at.Close()
	far, err := at.LinkByName("eth1")
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	own, err := netlink.ParseAddr(farRouter + "/32")
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	if err := errors.Join(at.AddrAdd(far, own), at.LinkSetUp(far), at.RouteAdd(&netlink.Route{Dst: ipNet(Far()), Type: unix.RTN_BLACKHOLE})); err != nil {
		return fmt.Errorf("netlab: the router: %w", err)
	}
	for _, h := range hosts {
		if !h.Far {
			continue
		}
		one := ipNet(netip.PrefixFrom(h.Addr(), 32))
		if err := at.RouteAdd(&netlink.Route{LinkIndex: far.Attrs().Index, Dst: one, Scope: netlink.SCOPE_LINK, Src: own.IP}); err != nil {
			return fmt.Errorf("netlab: the router's way to %s: %w", h.Addr(), err)
		}
	}
	here, err := netlink.NewHandleAt(self, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	defer here.Close()
	if err := here.RouteAdd(&netlink.Route{Dst: ipNet(Far()), Gw: net.ParseIP(Router)}); err != nil {
		return fmt.Errorf("netlab: the way to the router: %w", err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func (l *LAN) start(h *Host) error {
	return inside(h.ns, func() error {
		for _, s := range h.Serve {
			stop, err := s(h)
			if stop != nil {
				h.stops = append(h.stops, stop)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Close ends the LAN and returns what its hosts hold against their visitors, in the order of the hosts.
func (l *LAN) Close() (complaints []string) {
	for _, h := range l.hosts {
		for _, stop := range slices.Backward(h.stops) {
			for _, s := range stop() {
				complaints = append(complaints, h.Name+": "+s)
			}
		}
		h.ns.Close()
	}
	if l.wire != nil {
		l.wire.close()
	}
	for _, b := range l.bridges {
		if b != nil {
			b.at.Close()
			b.ns.Close()
		}
	}
	if l.router.IsOpen() {
		l.router.Close()
	}
	return complaints
}
