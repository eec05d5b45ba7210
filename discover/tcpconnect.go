package discover

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

const (
	sweepWorkers   = 128  // hosts at a time; more overflows the neighbour table of an ordinary Linux and loses live cameras
	sweepRate      = 1000 // connects a second in all
	sweepMost      = 65_536
	sweepLoopback  = 256 // of this machine's own addresses
	knockTimeout   = time.Second
	knockAgain     = 500 * time.Millisecond // for a host that has not answered on the link layer
	knockSilent    = 300 * time.Millisecond // for a host that has let several ports time out
	silentPorts    = 4
	progressEvery  = 1024
	ipv6SweepBits  = 118 // a longer prefix has at most 1024 addresses
	neighbourExtra = "neighbour-mac"
)

// TCPConnect connects to the camera ports of every address of the perimeter and closes at once. Every open port is a target
// of its own. Extra "neighbour-mac" is the hardware address this machine's neighbour table has for a host on its link; it
// is no identity, since a router with proxy ARP lends its own to many.
func TCPConnect() Method {
	return Method{Name: "tcp-connect", Doc: msg.Text("discover.tcp.doc"), Needs: audit.PermitDiscover, Run: tcpConnect}
}

func tcpConnect(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	s := &sweep{env: env, found: found, limit: rate.NewLimiter(sweepRate, sweepWorkers), own: ownAddresses(env.Guard)}
	return s.run(ctx, outermost(env.Guard.Perimeter())), nil
}

// outermost drops prefixes that lie within another one.
func outermost(ps []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for i, p := range ps {
		inner := slices.ContainsFunc(ps, func(q netip.Prefix) bool { return q.Bits() < p.Bits() && q.Contains(p.Addr()) })
		if !inner && !slices.Contains(ps[:i], p) {
			out = append(out, p)
		}
	}
	return out
}

// hosts is how many addresses a prefix has, at most 2^30.
func hosts(p netip.Prefix) int {
	return 1 << min(30, p.Addr().BitLen()-p.Bits())
}

func ownAddresses(g *guard.Guard) map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	ifis, err := g.Interfaces()
	if err != nil {
		return out
	}
	for _, ifi := range ifis {
		for _, p := range ifi.Addrs {
			if a := p.Addr().Unmap(); !a.IsLoopback() {
				out[a] = true
			}
		}
	}
	return out
}

// sweep is the connecting to all addresses of one run.
type sweep struct {
	env   Env
	found func(audit.Target)
	limit *rate.Limiter
	own   map[netip.Addr]bool
}

// tally counts what became of the addresses of one prefix.
type tally struct {
	prefix  netip.Prefix
	why     audit.Coverage // why it is not swept at all
	skipped int

	asked, open, alive, silent, absent, denied, failed atomic.Int64

	mu  sync.Mutex
	err error // the first failure of ours
}

// task is one address and where its result counts.
type task struct {
	addr netip.Addr
	to   *tally
}

// run sweeps the prefixes one after the other with one set of workers, so that many small prefixes take no longer than one
// of their size together.
func (s *sweep) run(ctx context.Context, ps []netip.Prefix) []audit.Coverage {
	work := make(chan task)
	var wg sync.WaitGroup
	for range sweepWorkers {
		wg.Go(func() {
			for w := range work {
				s.host(ctx, w.addr, w.to)
				if n := w.to.asked.Add(1); n%progressEvery == 0 {
					s.env.Progress(msg.Text("discover.tcp.progress", w.to.prefix.String(), n, hosts(w.to.prefix), w.to.open.Load()))
				}
			}
		})
	}
	tallies := make([]*tally, len(ps))
	left := sweepMost
	for i, p := range ps {
		tallies[i] = &tally{prefix: p, why: s.unswept(ctx, p, left)}
		if tallies[i].why.Detail.IsZero() {
			left -= hosts(p)
			s.feed(ctx, tallies[i], work)
		}
	}
	close(work)
	wg.Wait()
	var out []audit.Coverage
	for _, c := range tallies {
		cov := c.why
		if cov.Detail.IsZero() {
			cov = s.coverage(ctx, c)
		}
		cov.Target, cov.Module = c.prefix.String(), "tcp-connect"
		out = append(out, cov)
	}
	return out
}

// unswept says why a prefix is not swept, or nothing.
func (s *sweep) unswept(ctx context.Context, p netip.Prefix, left int) audit.Coverage {
	switch {
	case p.Addr().IsLoopback() && hosts(p) > sweepLoopback:
		return audit.Coverage{Status: audit.Skipped, Detail: msg.Text("discover.tcp.loopback", sweepLoopback)}
	case p.Addr().Is6() && p.Bits() < ipv6SweepBits:
		return audit.Coverage{Status: audit.Skipped, Detail: msg.Text("discover.tcp.ipv6")}
	case hosts(p) > left:
		return audit.Coverage{Status: audit.Skipped, Detail: msg.Text("discover.tcp.big", sweepMost)}
	case ctx.Err() != nil:
		return audit.Coverage{Status: audit.Stopped, Detail: msg.Text("discover.stopped")}
	}
	return audit.Coverage{}
}

// feed hands out the addresses of a prefix, one at a time: they are never a list in memory.
func (s *sweep) feed(ctx context.Context, c *tally, work chan<- task) {
	p := c.prefix
	end := guard.Last(p)
	for a := p.Addr(); p.Contains(a) && ctx.Err() == nil; a = a.Next() {
		edge := p.Addr().Is4() && p.Bits() < 31 && (a == p.Addr() || a == end)
		if edge || s.own[a] {
			c.skipped++
			continue
		}
		select {
		case work <- task{a, c}:
		case <-ctx.Done():
		}
	}
}

func (s *sweep) coverage(ctx context.Context, c *tally) audit.Coverage {
	detail := msg.Text("discover.tcp.done", c.asked.Load(), len(s.env.Ports), c.open.Load(), c.alive.Load(), c.silent.Load(), c.absent.Load(), c.skipped)
	status := audit.Tried
	switch {
	case ctx.Err() != nil:
		return audit.Coverage{Status: audit.Stopped, Detail: join(detail, msg.Text("discover.stopped"))}
	case c.failed.Load() > 0:
		status, detail = audit.Partial, join(detail, msg.Text("discover.tcp.failed", c.failed.Load(), reason(c.err)))
	case c.denied.Load() > 0 && c.denied.Load() == c.asked.Load():
		status, detail = audit.DeniedByUs, join(detail, reason(c.err))
	case c.denied.Load() > 0:
		status, detail = audit.Partial, join(detail, msg.Text("discover.tcp.denied", c.denied.Load(), reason(c.err)))
	case c.open.Load()+c.alive.Load() == 0:
		status = audit.NoAnswer
	}
	return audit.Coverage{Status: status, Detail: detail}
}

// host knocks on the ports of one address, one after the other, and sorts the address into one class of the tally.
func (s *sweep) host(ctx context.Context, a netip.Addr, c *tally) {
	d := s.env.Guard.Device(a)
	open, closed, silent := 0, 0, 0
	for _, port := range s.env.Ports {
		if !d.Listed(port) {
			continue
		}
		timeout := knockTimeout
		if open+closed == 0 && silent > 0 {
			n, onLink := s.env.Guard.Neighbour(a)
			switch {
			case onLink && !n.Resolved && silent >= 2:
				c.absent.Add(1)
				return
			case onLink && !n.Resolved:
				timeout = knockAgain
			case silent >= silentPorts:
				timeout = knockSilent
			}
		}
		if s.limit.Wait(ctx) != nil {
			return
		}
		answer, err := d.Knock(ctx, port, timeout)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.fail(err)
			return
		case answer == guard.Open:
			open++
			s.report(ctx, a, port)
		case answer == guard.Closed:
			closed++
		default:
			silent++
		}
	}
	switch {
	case open > 0:
		c.open.Add(1)
	case closed > 0:
		c.alive.Add(1)
	default:
		c.silent.Add(1)
	}
}

func (c *tally) fail(err error) {
	if guard.IsDenied(err) {
		c.denied.Add(1)
	} else {
		c.failed.Add(1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

func (s *sweep) report(ctx context.Context, a netip.Addr, port uint16) {
	t := audit.Target{Method: "tcp-connect", Addr: netip.AddrPortFrom(a, port), At: s.env.Clock()}
	n, _ := s.env.Guard.Neighbour(a)
	if n.MAC == "" && sleep(ctx, 10*time.Millisecond) {
		n, _ = s.env.Guard.Neighbour(a) // what was known may be from before the host answered
	}
	if n.MAC != "" {
		t.Extra = map[string][]string{neighbourExtra: {n.MAC}}
	}
	s.found(t)
}
