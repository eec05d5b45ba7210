package guard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Device is the way to one address.
type Device struct {
	g    *Guard
	addr netip.Addr

	mu     sync.Mutex
	shared map[bool]*http.Transport // of clients that share their connections, by whether they speak old TLS
}

const (
	connectTimeout = 3 * time.Second
	defaultLimit   = 8 << 20
)

// Device returns the handle for an address: pace and connections are counted per address across all callers.
func (g *Guard) Device(a netip.Addr) *Device { return &Device{g: g, addr: normal(a)} }

// Addr returns the device's address.
func (d *Device) Addr() netip.Addr { return d.addr }

// Dial opens a TCP connection to a port of the device, waiting for a free connection slot and for the pace; connecting
// itself is given 3 s at most. Whatever is written and read through it is paced: what a packet capture would count of ours
// (SYN, segments, acknowledgements, FIN). limit is the most bytes that can be read (a LimitError after that); 0 means 8 MiB.
func (d *Device) Dial(ctx context.Context, need audit.Permit, port uint16, limit int64) (net.Conn, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	return d.open(ctx, need, port, limit, nil)
}

// open dials; via is the HTTP transport the connection is for, if any.
func (d *Device) open(ctx context.Context, need audit.Permit, port uint16, limit int64, via *http.Transport) (net.Conn, error) {
	to := netip.AddrPortFrom(d.addr, port)
	if err := d.check("dial", to, need); err != nil {
		return nil, err
	}
	s := d.g.acquire(d.addr)
	c := s.take(port, nil)
	if c != nil && !untouched(c) {
		d.g.drop(s, c)
		d.g.release(s)
		c = nil
	}
	if c != nil {
		d.g.release(s) // the parked connection brings its own
	} else {
		var err error
		if c, err = d.connect(ctx, s, to, connectTimeout, nil); err != nil {
			d.g.release(s)
			return nil, err
		}
	}
	pc := newConn(d, s, c, to, limit)
	if via != nil {
		s.mu.Lock()
		if s.idle == nil {
			s.idle = map[*conn]*http.Transport{}
		}
		s.idle[pc] = via
		s.mu.Unlock()
	}
	return pc, nil
}

// connect takes a slot and connects. began, if not nil, is set to when the handshake began: that is a knock, which lets others
// have the connections they keep for a while.
func (d *Device) connect(ctx context.Context, s *state, to netip.AddrPort, timeout time.Duration, began *time.Time) (net.Conn, error) {
	if err := d.g.slot(ctx, s, began != nil); err != nil {
		return nil, fmt.Errorf("guard: waiting for a connection to %s: %w", to, err)
	}
	c, err := d.handshake(ctx, s, to, timeout, began)
	if err != nil {
		<-s.slots
	}
	return c, err
}

func (d *Device) handshake(ctx context.Context, s *state, to netip.AddrPort, timeout time.Duration, began *time.Time) (net.Conn, error) {
	const syn, ack = 1, 1
	if err := d.g.pay(ctx, s, syn+ack); err != nil {
		return nil, fmt.Errorf("guard: waiting to connect to %s: %w", to, err)
	}
	// The wait may have carried us past the end of the hours.
	if err := d.g.checkTime("dial", to.String()); err != nil {
		d.g.owe(s, -syn-ack)
		return nil, err
	}
	if began != nil {
		*began = time.Now()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := d.g.dial(ctx, "tcp", to.String())
	if err != nil {
		d.g.owe(s, -ack)
		return nil, fmt.Errorf("guard: connecting to %s: %w", to, err)
	}
	s.mu.Lock()
	if s.opened == nil {
		s.opened = map[uint16]time.Time{}
	}
	s.opened[to.Port()] = d.g.now()
	s.mu.Unlock()
	if t, ok := c.(*net.TCPConn); ok {
		// The kernel acknowledges what fits its buffer without asking us: keep that near what the pace allows.
		_ = t.SetReadBuffer(64 << 10)
	}
	return c, nil
}

// Listed reports whether Config.Only leaves the port open to be contacted. It records nothing: whoever goes through many
// ports asks first.
func (d *Device) Listed(port uint16) bool {
	return d.g.only == nil || d.g.only[netip.AddrPortFrom(d.addr.WithZone(""), port)]
}

// check is Guard.Check for TCP, with the list of the only endpoints allowed. A connection needs permit discover at least.
func (d *Device) check(what string, to netip.AddrPort, need audit.Permit) error {
	if err := d.g.Check(what, to.Addr(), max(need, audit.PermitDiscover)); err != nil {
		return err
	}
	if d.g.only != nil && !d.g.only[netip.AddrPortFrom(to.Addr().WithZone(""), to.Port())] {
		return d.g.refuse(what, to.String(), msg.Text("guard.denied.only"))
	}
	return nil
}

const (
	slotTick    = 20 * time.Millisecond
	politeTicks = 25
)

// slot takes one of the device's connections. Connections that HTTP clients or knocks only keep for later are closed for it, at
// once or, politely, after half a second.
func (g *Guard) slot(ctx context.Context, s *state, polite bool) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	// A connection turns idle at any moment, so ask again from time to time.
	tick := time.NewTicker(slotTick)
	defer tick.Stop()
	for n := 0; ; n++ {
		if !polite || n >= politeTicks {
			s.closeIdle()
			g.unpark(s)
		}
		select {
		case s.slots <- struct{}{}:
			return nil
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *state) closeIdle() {
	s.mu.Lock()
	var ts []*http.Transport
	for _, t := range s.idle {
		ts = append(ts, t)
	}
	s.mu.Unlock()
	for _, t := range ts {
		t.CloseIdleConnections()
	}
}
