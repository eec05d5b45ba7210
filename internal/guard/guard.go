// Package guard is the only way out: it owns every socket the program opens towards the audited network. It holds the
// perimeter, the hours, the permit, the pace per device and the limits on what is read, and it records what it refused.
// Anything that dials, listens or speaks HTTP belongs here or gets its connection from here; no protocol belongs here.
package guard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Config says what a Guard allows. Defaults are filled in by New.
type Config struct {
	Authority audit.Authority
	Permit    audit.Permit // the run's permit; New fails when it exceeds the authority's
	Named     []string     // interfaces the run is limited to; they never add to those the authority names

	// Only, when not empty, allows TCP to nothing but these endpoints, inside the perimeter. The demonstration uses it, so
	// that it cannot touch another service of the same machine.
	Only []netip.AddrPort

	PacketsPerSecond int // per device, default 40
	ConnsPerDevice   int // default 2

	// System functions, all optional.
	Clock      func() time.Time                                                  // default time.Now; hours and validity, never the pace
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error) // default net.Dialer; tests record it
	Interfaces func() ([]Interface, error)                                       // default: the system's that are up

	// Raw allows what is no TCP connection (datagrams beyond loopback, ARP, ICMP) beside a replaced Dial, which says nothing of
	// it. Without a replaced one it is allowed.
	Raw bool
}

// AuthorityError says that the authority does not allow what was asked. Nothing was sent. errors.As finds it.
type AuthorityError struct{ Reason audit.Text }

func (e *AuthorityError) Error() string { return "guard: " + e.Reason.EN }

// Guard allows or refuses. It is safe for concurrent use.
type Guard struct {
	permit     audit.Permit
	authority  audit.Authority
	granted    []string // interfaces the authority names, whatever the run is limited to
	perimeter  []netip.Prefix
	public     []netip.Prefix
	hours      []hours
	only       map[netip.AddrPort]bool
	rate       int
	conns      int
	clock      func() time.Time
	dial       func(ctx context.Context, network, addr string) (net.Conn, error)
	interfaces func() ([]Interface, error)
	now        func() time.Time // the pace's own clock: it must run even where Clock stands still
	own        func() []netip.Prefix
	raw        bool

	mu      sync.Mutex
	states  map[netip.Addr]*state
	sweepAt int             // size of states at which idle ones are dropped next
	hears   map[string]bool // interfaces that were listened on

	route      func(netip.Addr) (netip.Addr, error)
	denials    denials
	neighbours neighbourCache
}

// New checks the configuration and returns a guard. It fails with an AuthorityError when the permit exceeds the
// authority's, when the authority has no basis or no perimeter, covers public addresses it does not name under public, is
// not valid now, or the hour is outside its hours. Nothing is sent.
func New(cfg Config) (*Guard, error) {
	g := &Guard{
		permit:     cfg.Permit,
		authority:  cfg.Authority,
		granted:    cfg.Authority.Interfaces,
		rate:       cfg.PacketsPerSecond,
		conns:      cfg.ConnsPerDevice,
		clock:      cfg.Clock,
		dial:       cfg.Dial,
		interfaces: cfg.Interfaces,
		now:        time.Now,
		raw:        cfg.Raw || cfg.Dial == nil,
		states:     map[netip.Addr]*state{},
		sweepAt:    minSweep,
	}
	if len(cfg.Named) > 0 {
		g.authority.Interfaces = cfg.Named
	}
	if g.rate <= 0 {
		g.rate = 40
	}
	if g.conns <= 0 {
		g.conns = 2
	}
	if g.clock == nil {
		g.clock = time.Now
	}
	if g.dial == nil {
		// Keep-alive probes would be packets nobody counted.
		g.dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	if g.interfaces == nil {
		g.interfaces = systemInterfaces
	}
	g.route = systemRoute
	g.own = sync.OnceValue(g.ownPrefixes)
	if len(cfg.Only) > 0 {
		g.only = map[netip.AddrPort]bool{}
		for _, ap := range cfg.Only {
			g.only[netip.AddrPortFrom(normal(ap.Addr()).WithZone(""), ap.Port())] = true
		}
	}
	if err := g.authorise(); err != nil {
		return nil, err
	}
	return g, nil
}

// Permit returns the run's permit.
func (g *Guard) Permit() audit.Permit { return g.permit }

// Pace returns how many packets a second and how many connections at once one device sees at most.
func (g *Guard) Pace() (packetsPerSecond, connections int) { return g.rate, g.conns }

// Perimeter returns the prefixes of the perimeter, masked, in the order of the authority.
func (g *Guard) Perimeter() []netip.Prefix { return slices.Clone(g.perimeter) }

// Inside reports whether an address is in the perimeter (and, if public, named). An IPv4 address written as an IPv6 one
// counts as the IPv4 address, and zones do not count.
func (g *Guard) Inside(a netip.Addr) bool {
	a = normal(a).WithZone("")
	return a.IsValid() && contains(g.perimeter, a) && (!isPublic(a) || contains(g.public, a))
}

// Check returns nil if a packet that needs this permit may be sent to the address now, and a DeniedError that is also
// recorded if not.
func (g *Guard) Check(what string, a netip.Addr, need audit.Permit) error {
	a = normal(a)
	if !a.IsValid() {
		return g.refuse(what, "?", msg.Text("guard.denied.address"))
	}
	target := a.String()
	switch {
	case a.IsUnspecified() || a.IsMulticast():
		return g.refuse(what, target, msg.Text("guard.denied.host"))
	case !g.Inside(a):
		return g.refuse(what, target, msg.Text("guard.denied.outside"))
	case g.edge(a):
		return g.refuse(what, target, msg.Text("guard.denied.host"))
	case !g.byRoute(a):
		return g.refuse(what, target, msg.Text("guard.denied.route"))
	}
	return g.checkRun(what, target, need)
}

// checkRun checks what does not depend on the address: permit, validity and hours.
func (g *Guard) checkRun(what, target string, need audit.Permit) error {
	if need > g.permit {
		return g.refuse(what, target, msg.Text("guard.denied.permit", need.String(), g.permit.String()))
	}
	return g.checkTime(what, target)
}

func (g *Guard) checkTime(what, target string) error {
	if why := g.closed(g.clock()); !why.IsZero() {
		return g.refuse(what, target, why)
	}
	return nil
}

// IsDenied reports whether an error comes from a refusal of the guard.
func IsDenied(err error) bool {
	var d *DeniedError
	return errors.As(err, &d)
}
