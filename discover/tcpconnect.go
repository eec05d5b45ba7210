package discover

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

const (
	sweepHosts  = 256                   // hosts knocked at together
	sweepBurst  = 20 * time.Millisecond // how far the knocks at many hosts may catch up
	linkRate    = 4000                  // connects a second in all, to hosts of our own networks
	routedRate  = 1000                  // and through a router, whose line may be thin
	routedOpen  = 1000                  // connects through a router that wait for an answer at the same time
	allPorts    = 1024                  // routed addresses up to which every port of every address is tried, where time is not pressing
	contactSpan = 6 * time.Second

	// How long a connect may take. All stay below the second after which systems repeat the packet by themselves.
	knockNear  = 250 * time.Millisecond // a host of our own network
	knockAgain = 500 * time.Millisecond
	knockFar   = 950 * time.Millisecond

	tries      = 2 // of a port that is silent
	triesLossy = 5 // on a network that loses packets
)

// TCPConnect connects to the camera ports of every address of the perimeter and closes at once. In networks this machine is in,
// only addresses somebody answers for are contacted. Behind a router, an address is asked by ping and at the most telling
// ports, and at the others once it answers in any way. Every open port is a target of its own.
func TCPConnect() Method {
	return Method{Name: "tcp-connect", Doc: msg.Text("discover.tcp.doc"), Asks: msg.Text("discover.tcp.asks"), Needs: audit.PermitDiscover, Group: Swept,
		Run: tcpConnect, Cost: tcpCost}
}

func tcpConnect(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	links := env.Neighbours.of(ctx, env)
	out := make([]audit.Coverage, len(links))
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() { out[i] = newSweep(env, l, found).run(ctx) })
	}
	wg.Wait()
	return out, nil
}

// tcpCost counts the packets of a stretch as if somebody were at every address. The time is that of a stretch where hardly anybody is.
func tcpCost(env Env) []Cost {
	env = env.withDefaults()
	var out []Cost
	for _, s := range stretches(env.Guard) {
		c := Cost{Target: s.prefix.String(), To: fmt.Sprintf("×%d", hosts(s.prefix)), Why: s.why}
		if c.Why.IsZero() && s.unroutable(context.Background(), env.Guard) {
			c.Why = msg.Text("discover.noroute")
		}
		if c.Why.IsZero() {
			c.Packets = hosts(s.prefix) * (1 + len(env.Ports) + 3)
			switch s.way {
			case routed:
				each := 1 + len(telling(env.Ports))
				if !env.Quick && hosts(s.prefix) <= allPorts {
					each = 1 + len(env.Ports)
				}
				c.Lasts = time.Duration(each*hosts(s.prefix))*time.Second/routedRate + knockFar
			default: // only who is there is contacted
				c.Lasts = 2 * time.Second
			}
		}
		out = append(out, c)
	}
	return out
}

func listedIn(env Env, p netip.Prefix) int {
	n := 0
	for _, e := range env.Site.Inventory {
		if a, err := netip.ParseAddrPort(e.Address); err == nil && p.Contains(a.Addr().Unmap()) {
			n++
		} else if a, err := netip.ParseAddr(e.Address); err == nil && p.Contains(a.Unmap()) {
			n++
		}
	}
	return n
}

// telling are the ports that are asked first of an address behind a router: hardly any camera, recorder or server for them has
// all of these silent, since a closed port answers too.
func telling(ports []uint16) []uint16 {
	var out []uint16
	for _, p := range []uint16{80, 554, 8000, 37777, 443} {
		if slices.Contains(ports, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		out = ports[:min(len(ports), 5)]
	}
	return out
}

// sweep is the connecting to the addresses of one stretch.
type sweep struct {
	env      Env
	link     *link
	found    func(audit.Target)
	outcomes *outcomes
	own      map[netip.Addr]bool
	turn     *turns
	hosts    chan struct{} // bounds the hosts knocked at together
	contacts *window       // bounds the addresses of our networks contacted at about the same time

	wg     sync.WaitGroup
	denied atomic.Int64
	asked  atomic.Int64
	mu     sync.Mutex
	err    error        // the first failure of ours
	open   []netip.Addr // hosts with an open port
}

func newSweep(env Env, l *link, found func(audit.Target)) *sweep {
	room := env.Guard.NeighbourRoom()
	if room == 0 {
		room = sweepHosts / 2
	}
	s := &sweep{env: env, link: l, found: found, own: ownAddresses(env.Guard), turn: &turns{per: linkRate, burst: sweepBurst}, hosts: make(chan struct{}, sweepHosts),
		contacts: newWindow(room, contactSpan)}
	if l.why.IsZero() {
		s.outcomes = newOutcomes(l.prefix)
	}
	return s
}

func (s *sweep) run(ctx context.Context) audit.Coverage {
	c := audit.Coverage{Target: s.link.prefix.String(), Module: "tcp-connect", Status: audit.Skipped, Detail: s.link.why}
	if !s.link.why.IsZero() {
		s.follow(ctx) // whoever answers a question to everybody is there all the same
		s.wg.Wait()
		s.hardware()
		if len(s.open) > 0 {
			c.Status = audit.Partial
		}
		return c
	}
	for a := range s.own {
		if s.link.prefix.Contains(a) {
			s.outcomes.set(a, audit.ReachedOwn)
		}
	}
	switch {
	case s.link.way == local:
		s.each(ctx, false)
	case s.link.way == onLink:
		if s.follow(ctx) == blindly {
			s.each(ctx, true)
		}
	case s.link.unroutable(ctx, s.env.Guard):
		s.outcomes.rest(audit.ReachedFailed)
		return audit.Coverage{Target: c.Target, Module: c.Module, Status: audit.Failed, Detail: msg.Text("discover.noroute"), Addresses: s.outcomes.list()}
	default:
		s.turn = &turns{per: routedRate, burst: sweepBurst}
		s.distant(ctx)
	}
	s.wg.Wait()
	s.hardware()
	s.settle(ctx)
	return s.coverage(ctx)
}

// follow knocks at every neighbour as it becomes known, and returns how they were found.
func (s *sweep) follow(ctx context.Context) asking {
	for i := 0; ; i++ {
		a, ok := s.link.next(i)
		if !ok {
			return s.link.how
		}
		if s.own[a] || !s.env.Guard.Host(a) {
			continue
		}
		s.outcomes.set(a, audit.ReachedMute)
		if s.link.how == byARP && !s.contacts.enter(ctx) {
			return byARP
		}
		s.start(ctx, a, knockNear, s.env.Ports)
	}
}

// each knocks at every address, without knowing whether anybody is there.
func (s *sweep) each(ctx context.Context, bounded bool) {
	for a := range addresses(ctx, s.env.Guard, s.link.prefix, s.own) {
		if bounded && !s.contacts.enter(ctx) {
			return
		}
		s.start(ctx, a, knockNear, s.env.Ports)
	}
}

// start knocks at a host's ports beside the others.
func (s *sweep) start(ctx context.Context, a netip.Addr, timeout time.Duration, ports []uint16) {
	select {
	case s.hosts <- struct{}{}:
	case <-ctx.Done():
		return
	}
	s.asked.Add(1)
	s.wg.Go(func() {
		defer func() { <-s.hosts }()
		s.host(ctx, a, timeout, ports)
	})
}

// host knocks at the ports of one address one after the other, and again at those that stayed silent.
func (s *sweep) host(ctx context.Context, a netip.Addr, timeout time.Duration, ports []uint16) {
	h := &host{sweep: s, addr: a, device: s.env.Guard.Device(a)}
	for _, p := range ports {
		if h.device.Listed(p) {
			h.silent = append(h.silent, p)
		}
	}
	defer h.reportLate()
	for try := 1; try <= s.tries() && len(h.silent) > 0; try++ {
		if try > 1 && h.answered == 0 {
			h.silent = telling(h.silent) // it drops what it does not want: the others would say no more
		}
		if !h.round(ctx, timeout) {
			return
		}
		timeout = max(timeout, knockAgain)
	}
}

func (s *sweep) tries() int {
	if s.link.loss() > 0 {
		return triesLossy
	}
	return tries
}

// host is the knocking at one address.
type host struct {
	*sweep
	addr     netip.Addr
	device   *guard.Device
	silent   []uint16 // ports without an answer yet
	answered int
	web      bool // a connection was kept for whoever asks its page
	stream   bool
	opened   bool
	late     []uint16 // open ports that are reported after the others
}

// round knocks once at every silent port. It reports false when there is no point in going on.
func (h *host) round(ctx context.Context, timeout time.Duration) bool {
	ports := h.silent
	h.silent = nil
	for _, p := range ports {
		if !h.turn.wait(ctx) {
			return false
		}
		keep := h.keep(p)
		r, err := h.device.Knock(ctx, p, timeout, keep)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			h.fail(h.addr, err)
			return false
		case r.Answer == guard.Silent:
			h.silent = append(h.silent, p)
			continue
		}
		h.answered++
		if r.Answer == guard.Closed {
			if !h.opened {
				h.outcomes.set(h.addr, audit.ReachedClosed)
			}
			continue
		}
		h.kept(p, keep)
		if h.env.Keep && slices.Contains(private, p) {
			h.late = append(h.late, p)
			continue
		}
		h.report(p)
	}
	return true
}

// private are ports where a maker's own protocol is more often than a page. It is silent to what it does not know, so in a brief
// run such a port is worth a question only where the others have not told who the device is.
var private = []uint16{8000, 34567, 37777}

func (h *host) reportLate() {
	for _, p := range h.late {
		h.report(p)
	}
}

// keep reports whether the connection of a knock is worth keeping open: in a brief run the device's page and its stream server
// are asked at once, and need not be connected to twice.
func (h *host) keep(p uint16) bool {
	switch {
	case !h.env.Keep:
		return false
	case p == 554 || p == 8554:
		return !h.stream
	}
	return !h.web && slices.Contains([]uint16{80, 81, 2020, 5000, 8080, 8899}, p)
}

func (h *host) kept(p uint16, keep bool) {
	if keep && (p == 554 || p == 8554) {
		h.stream = true
	} else if keep {
		h.web = true
	}
}

func (h *host) report(p uint16) {
	if !h.opened {
		h.opened = true
		h.mu.Lock()
		h.open = append(h.open, h.addr)
		h.mu.Unlock()
		h.outcomes.set(h.addr, audit.ReachedOpen)
	}
	h.found(audit.Target{Method: "tcp-connect", Addr: netip.AddrPortFrom(h.addr, p), At: h.env.Clock()})
}

func (s *sweep) fail(a netip.Addr, err error) {
	if guard.IsDenied(err) {
		s.denied.Add(1)
		s.outcomes.set(a, audit.ReachedDenied)
	} else {
		s.outcomes.set(a, audit.ReachedFailed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// distant finds who is there behind a router: by ping, then port by port, each of them for all addresses that have not
// answered yet, so that a moment's loss does not cost one address all its questions. Whoever answers is asked the rest.
func (s *sweep) distant(ctx context.Context) {
	d := &distance{sweep: s, answered: map[netip.Addr]bool{}, slots: make(chan struct{}, routedOpen)}
	d.ping(ctx)
	ports := telling(s.env.Ports)
	if !s.env.Quick && hosts(s.link.prefix) <= allPorts {
		ports = s.env.Ports
	}
	for _, p := range ports {
		d.port(ctx, p)
	}
	d.wg.Wait()
	if d.pinger != nil {
		d.pinger.Close()
	}
}

// distance is the finding of who is there behind a router.
type distance struct {
	*sweep
	wg       sync.WaitGroup
	slots    chan struct{}
	pinger   *guard.Pinger
	mu       sync.Mutex
	answered map[netip.Addr]bool
}

// ping asks every address for an echo, where the system lets us.
func (d *distance) ping(ctx context.Context) {
	if d.link.prefix.Addr().Is6() {
		return
	}
	p, err := d.env.Guard.OpenPing(guard.Interface{}, false, func(a netip.Addr) {
		if d.link.prefix.Contains(a) && d.env.Guard.Host(a) {
			d.outcomes.set(a, audit.ReachedMute)
			d.alive(ctx, a, 0)
		}
	})
	if err != nil {
		return
	}
	d.pinger = p
	for a := range addresses(ctx, d.env.Guard, d.link.prefix, d.own) {
		if !d.turn.wait(ctx) {
			return
		}
		if err := p.Send(ctx, a); err != nil && guard.IsDenied(err) {
			d.fail(a, err)
			return
		}
	}
}

// port knocks at one port of every address that has not answered.
func (d *distance) port(ctx context.Context, port uint16) {
	for a := range addresses(ctx, d.env.Guard, d.link.prefix, d.own) {
		if d.known(a) {
			continue
		}
		dev := d.env.Guard.Device(a)
		if !dev.Listed(port) {
			continue
		}
		if !d.turn.wait(ctx) {
			return
		}
		select {
		case d.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		d.wg.Go(func() {
			defer func() { <-d.slots }()
			r, err := dev.Knock(ctx, port, knockFar, false)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				d.fail(a, err)
			case r.Answer == guard.Open:
				d.outcomes.set(a, audit.ReachedOpen)
				d.alive(ctx, a, 0)
			case r.Answer == guard.Closed:
				d.outcomes.set(a, audit.ReachedClosed)
				d.alive(ctx, a, port)
			}
		})
	}
}

func (d *distance) known(a netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answered[a]
}

// alive asks an address that has answered at all ports but the one that is known to be closed.
func (d *distance) alive(ctx context.Context, a netip.Addr, closed uint16) {
	d.mu.Lock()
	again := d.answered[a]
	d.answered[a] = true
	d.mu.Unlock()
	if again {
		return
	}
	ports := slices.DeleteFunc(slices.Clone(d.env.Ports), func(p uint16) bool { return p == closed })
	d.wg.Go(func() { d.start(ctx, a, knockFar, ports) })
}

// hardware reports the hardware addresses of the hosts with an open port, where each is that host's alone.
func (s *sweep) hardware() {
	db, err := s.env.fingerprints()
	if err != nil {
		return
	}
	for _, a := range s.open {
		if mac, alone := s.link.mac(a); alone {
			s.found(sighting(s.env, db, a, mac))
		}
	}
}

// settle says of the addresses nobody answered for what that means.
func (s *sweep) settle(ctx context.Context) {
	for a := range addresses(context.WithoutCancel(ctx), s.env.Guard, s.link.prefix, s.own) {
		if ctx.Err() != nil {
			break
		}
		if s.outcomes.is(a, audit.ReachedNot) {
			switch {
			case s.link.way == onLink && s.link.how != blindly:
				s.outcomes.set(a, audit.ReachedAbsent)
			default:
				s.outcomes.set(a, audit.ReachedNothing)
			}
		}
	}
	if ctx.Err() == nil {
		s.outcomes.rest(audit.ReachedOwn) // network and broadcast addresses
	}
}

func (s *sweep) coverage(ctx context.Context) audit.Coverage {
	o := s.outcomes
	open, closed, mute, nothing := o.count(audit.ReachedOpen), o.count(audit.ReachedClosed), o.count(audit.ReachedMute), o.count(audit.ReachedNothing)
	absent, denied, failed := o.count(audit.ReachedAbsent), o.count(audit.ReachedDenied), o.count(audit.ReachedFailed)
	c := audit.Coverage{Target: s.link.prefix.String(), Module: "tcp-connect", Status: audit.Tried, Addresses: o.list(),
		Detail: msg.Text("discover.tcp.done", hosts(s.link.prefix)-o.count(audit.ReachedOwn), len(s.env.Ports), open, closed, mute+nothing, absent, o.count(audit.ReachedOwn))}
	if s.link.way == routed {
		c.Detail = join(c.Detail, msg.Text("discover.tcp.routed", len(telling(s.env.Ports))))
	}
	switch {
	case ctx.Err() != nil:
		c.Status, c.Detail = audit.Stopped, join(c.Detail, msg.Text("discover.stopped"))
	case failed > 0:
		c.Status, c.Detail = audit.Partial, join(c.Detail, msg.Text("discover.tcp.failed", failed, reason(s.err)))
	case denied > 0 && open+closed+mute == 0:
		c.Status, c.Detail = audit.DeniedByUs, join(c.Detail, reason(s.err))
	case denied > 0:
		c.Status, c.Detail = audit.Partial, join(c.Detail, msg.Text("discover.tcp.denied", denied, reason(s.err)))
	case open+closed+mute == 0:
		c.Status = audit.NoAnswer
	}
	return c
}
