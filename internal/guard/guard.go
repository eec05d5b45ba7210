// Package guard is the only way out: it owns every socket the program opens towards the audited network. It holds the
// perimeter, the hours, the permit, the pace per device and the limits on what is read, and it records what it refused.
// Anything that dials, listens or speaks HTTP belongs here or gets its connection from here; no protocol belongs here.
package guard

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/grandcat/zeroconf"

	"github.com/mingshi-audit/mingshi/audit"
)

// Config says what a Guard allows. Defaults are filled in by New.
type Config struct {
	Authority audit.Authority
	Permit    audit.Permit // the run's permit; New fails when it exceeds the authority's

	// Only, when not empty, allows TCP to nothing but these endpoints, inside the perimeter. The demonstration uses it, so
	// that it cannot touch another service of the same machine.
	Only []netip.AddrPort

	PacketsPerSecond int // per device, default 40
	ConnsPerDevice   int // default 2

	// System functions, all optional.
	Clock      func() time.Time                                                  // default time.Now
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error) // default net.Dialer; tests record it
	Interfaces func() ([]Interface, error)                                       // default: the system's
}

// Interface is a network interface the authority covers.
type Interface struct {
	Index int
	Name  string
	Addrs []netip.Prefix // its own addresses with their prefix lengths
}

// Denial is one refusal of the guard, or one bundle of equal refusals.
type Denial struct {
	At     time.Time
	Target string // address or interface
	What   string // dial, udp, redirect, xaddr, listen …
	Reason audit.Text
	Count  int
}

// DeniedError is returned for everything the guard refused; errors.As finds it.
type DeniedError struct{ Denial Denial }

func (e *DeniedError) Error() string {
	return "guard: " + e.Denial.What + " " + e.Denial.Target + ": " + e.Denial.Reason.EN
}

// LimitError is returned by a read that would pass a byte limit; errors.As finds it.
type LimitError struct{ Limit int64 }

// Guard allows or refuses. It is safe for concurrent use.
type Guard struct{}

// New checks the configuration and returns a guard. It fails when the permit exceeds the authority's, when the authority
// has no perimeter, covers public addresses it does not name under public, is not valid now, or the hour is outside its
// hours. Nothing is sent.
func New(cfg Config) (*Guard, error) { panic("todo") }

// Permit returns the run's permit.
func (g *Guard) Permit() audit.Permit { panic("todo") }

// Inside reports whether an address is in the perimeter (and, if public, named).
func (g *Guard) Inside(a netip.Addr) bool { panic("todo") }

// Check returns nil if a packet that needs this permit may be sent to the address now, and a DeniedError that is also
// recorded if not.
func (g *Guard) Check(what string, a netip.Addr, need audit.Permit) error { panic("todo") }

// Deny records a refusal that a caller decided on: an XAddr or redirect to another host that is not followed.
func (g *Guard) Deny(what, target string, reason audit.Text) { panic("todo") }

// Denials returns every refusal so far, equal ones counted together, sorted.
func (g *Guard) Denials() []Denial { panic("todo") }

// Interfaces returns the interfaces that may be used: those the authority names, or those that have an address inside the
// perimeter or whose own prefix overlaps it.
func (g *Guard) Interfaces() ([]Interface, error) { panic("todo") }

// Device returns the one handle for an address: pace and connections are counted per address across all callers.
func (g *Guard) Device(a netip.Addr) *Device { panic("todo") }

// Device is the way to one address.
type Device struct{}

// Addr returns the device's address.
func (d *Device) Addr() netip.Addr { panic("todo") }

// Dial opens a TCP connection to a port of the device, waiting for a free connection slot and for the pace. Whatever is
// written and read through it is paced: what a packet capture would count of ours (SYN, segments, acknowledgements, FIN).
// limit is the most bytes that can be read (a LimitError after that); 0 means 8 MiB.
func (d *Device) Dial(ctx context.Context, need audit.Permit, port uint16, limit int64) (net.Conn, error) {
	panic("todo")
}

// HTTPOptions configure a client of one device.
type HTTPOptions struct {
	Need      audit.Permit
	MaxBody   int64         // default 2 MiB; reading more gives a LimitError
	Timeout   time.Duration // header timeout, default 5 s
	LegacyTLS bool          // allow TLS 1.0 and RSA key exchange, for devices that know nothing else
}

// HTTP returns a client that can only reach this device: whatever host a URL names, the connection goes to the device's
// address and the URL's port. It follows no redirect, uses no proxy, sends no cookies, limits header and body, and keeps at
// most one idle connection. The caller closes idle connections when done.
func (d *Device) HTTP(o HTTPOptions) *http.Client { panic("todo") }

// Packet is a received datagram.
type Packet struct {
	From netip.AddrPort
	Data []byte
	At   time.Time
}

// UDP is a socket on one interface for inquiry packets and their answers.
type UDP struct{}

// OpenUDP opens a socket bound to an ephemeral port on the interface's first address of the family, set to send multicast
// there (TTL 1), with a receive buffer sized for a burst (4 MiB asked for). Needs permit discover.
func (g *Guard) OpenUDP(ifi Interface, v6 bool) (*UDP, error) { panic("todo") }

// Send sends a datagram to a multicast group of the local link, or to an address inside the perimeter.
func (u *UDP) Send(ctx context.Context, b []byte, to netip.AddrPort) error { panic("todo") }

// Receive waits for a datagram until the context ends; its error is then the context's. Datagrams are cut at 64 KiB.
func (u *UDP) Receive(ctx context.Context) (Packet, error) { panic("todo") }

// Close closes the socket.
func (u *UDP) Close() error { panic("todo") }

// Browse runs one DNS-SD browse for a service type ("_axis-video._tcp") on one interface and one IP family with the
// zeroconf library, until the context ends, and calls found for every entry. It returns when the library let go of
// everything. It never calls found concurrently with itself.
func (g *Guard) Browse(ctx context.Context, ifi Interface, v6 bool, service string, found func(*zeroconf.ServiceEntry)) error {
	panic("todo")
}

func (e *LimitError) Error() string { panic("todo") }
