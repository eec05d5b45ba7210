package discover

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
)

const (
	unicastRate = 500  // questions a second in all
	unicastMost = 1024 // addresses of one stretch behind a router
)

// Unicast asks single addresses by WS-Discovery, where multicast does not pass: behind a router, on a network that isolates
// its stations, and where a switch forgot who is in the group. In networks this machine is in, only addresses somebody
// answers for, and that have not answered by then, are asked: a datagram to any other would fill the system's neighbour table. Of a network behind a router every
// address is asked, up to 1024.
func Unicast() Method {
	return Method{Name: "ws-discovery-unicast", Doc: msg.Text("discover.unicast.doc"), Asks: msg.Text("discover.unicast.asks"), Needs: audit.PermitDiscover,
		Group: Swept, Cost: unicastCost, Run: unicast}
}

// unicastCost counts every address. On networks of our own only who is there is asked, and how many that are nobody knows before: the
// time is that of those the inventory lists.
func unicastCost(env Env) []Cost {
	env = env.withDefaults()
	var out []Cost
	for _, s := range stretches(env.Guard) {
		c := Cost{Target: s.prefix.String(), To: "UDP 3702", Why: unasked(s)}
		if c.Why.IsZero() && s.unroutable(context.Background(), env.Guard) {
			c.Why = msg.Text("discover.noroute")
		}
		if c.Why.IsZero() {
			c.Packets = hosts(s.prefix)
			asked := c.Packets
			if s.way == onLink {
				asked = min(asked, max(1, listedIn(env, s.prefix)))
			}
			if s.prefix.Addr().Is6() { // whoever is known, and nobody can say who else that will be
				c.Packets = asked
			}
			c.Lasts = time.Duration(asked)*time.Second/unicastRate + unicastWait(env)
		}
		out = append(out, c)
	}
	return out
}

// unasked says why the addresses of a stretch are not asked, or nothing.
func unasked(s stretch) audit.Text {
	switch {
	case s.way == local:
		return msg.Text("discover.unicast.local")
	case s.prefix.Addr().Is6() && s.way != onLink:
		return msg.Text("discover.unicast.ipv6")
	case s.way == onLink:
		return audit.Text{} // whoever is known to be there
	case hosts(s.prefix) > unicastMost:
		return msg.Text("discover.unicast.big", unicastMost)
	}
	return s.why
}

// unicastWait is how long to listen after the last question.
func unicastWait(env Env) time.Duration {
	p := wsDiscovery()
	if env.Quick {
		return p.longest * 3 / 2
	}
	return 2 * p.longest
}

// unicastAfter is how long those who hear multicast are given to answer it: only the others are asked.
func unicastAfter(env Env) time.Duration {
	p := wsDiscovery()
	if env.Quick {
		return p.longest*3/2 + repeatMost
	}
	return 4 * p.longest
}

func unicast(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	links := env.Neighbours.of(ctx, env)
	links = slices.DeleteFunc(slices.Clone(links), func(l *link) bool { return l.way == local }) // multicast reaches it: nothing to add
	out := make([]audit.Coverage, len(links))
	turn := &turns{per: unicastRate}
	var wg sync.WaitGroup
	for n, l := range links {
		wg.Go(func() {
			out[n] = audit.Coverage{Status: audit.Skipped, Detail: unasked(l.stretch)}
			if out[n].Detail.IsZero() {
				out[n] = newPersonal(env, turn, found).run(ctx, l)
			}
			out[n].Target, out[n].Module = l.prefix.String(), "ws-discovery-unicast"
		})
	}
	wg.Wait()
	return out, nil
}

// personal is the asking of single addresses, over one socket for each interface they are reached by.
type personal struct {
	env   Env
	turn  *turns
	found func(audit.Target)

	by      map[string]*asker
	last    time.Time // when the last question was sent
	denied  int
	failed  int
	nowhere int // addresses without a way that may be used
	err     error
	readers sync.WaitGroup
}

// asker is the socket of one interface, and what came back to it.
type asker struct {
	u *guard.UDP
	i *inquiry
}

func newPersonal(env Env, turn *turns, found func(audit.Target)) *personal {
	return &personal{env: env, turn: turn, found: found, by: map[string]*asker{}}
}

func (p *personal) run(ctx context.Context, l *link) audit.Coverage {
	listening, cancel := context.WithCancel(ctx)
	defer cancel()
	if l.way == onLink {
		sleep(ctx, unicastAfter(p.env))
		for n := 0; ; n++ {
			a, ok := l.next(n)
			if !ok || ctx.Err() != nil {
				break
			}
			if !p.env.Neighbours.hasAnswered(a) {
				p.ask(ctx, listening, a, l.ifi)
			}
		}
	} else {
		for a := range addresses(ctx, p.env.Guard, l.prefix, ownAddresses(p.env.Guard)) {
			ifi, ok := p.env.Guard.Towards(a)
			if !ok {
				p.nowhere++
				continue
			}
			p.ask(ctx, listening, a, ifi)
		}
	}
	sleep(ctx, unicastWait(p.env)-time.Since(p.last))
	cancel()
	p.readers.Wait()
	for _, a := range p.by {
		a.u.Close()
	}
	return p.coverage(ctx)
}

// ask sends one question, for any type: a device must answer it whatever it is. One datagram has to do, since an address that
// holds no camera gets it as well.
func (p *personal) ask(ctx, listening context.Context, a netip.Addr, ifi guard.Interface) {
	if !p.turn.wait(ctx) {
		return
	}
	w, err := p.over(listening, ifi, a.Is6())
	if err == nil {
		q := wsDiscovery().ask(nil)
		err = w.send(ctx, q[len(q)-1], a)
		p.last = time.Now()
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case guard.IsDenied(err):
		p.denied, p.err = p.denied+1, err
	default:
		p.failed, p.err = p.failed+1, err
	}
}

// over is the socket of an interface and family, opened for the first question by it.
func (p *personal) over(listening context.Context, ifi guard.Interface, v6 bool) (*asker, error) {
	key := ifi.Name + family(v6)
	if w := p.by[key]; w != nil {
		return w, nil
	}
	u, err := p.env.Guard.OpenUDP(ifi, guard.UDPOptions{V6: v6})
	if err != nil {
		return nil, err
	}
	proto := wsDiscovery()
	proto.name = "ws-discovery-unicast"
	w := &asker{u: u, i: newInquiry(p.env, proto, ifi, v6, p.found)}
	p.by[key] = w
	p.readers.Go(func() {
		for {
			x, err := u.Receive(listening)
			if err != nil {
				return
			}
			w.i.take(x)
		}
	})
	return w, nil
}

func (w *asker) send(ctx context.Context, q question, a netip.Addr) error {
	w.i.mu.Lock()
	w.i.asked[q.id] = q.data
	w.i.mu.Unlock()
	err := w.u.Send(ctx, q.data, netip.AddrPortFrom(a, wsdiscovery.Port))
	if err == nil {
		w.i.sent++
	}
	return err
}

func (p *personal) coverage(ctx context.Context) audit.Coverage {
	sent, devices := 0, 0
	for _, w := range p.by {
		sent, devices = sent+w.i.sent, devices+w.i.devices
	}
	detail := msg.Text("discover.unicast.done", sent, devices)
	if p.err != nil {
		detail = join(detail, msg.Text("discover.unicast.failed", p.denied+p.failed, reason(p.err)))
	}
	if p.nowhere > 0 {
		detail = join(detail, msg.Text("discover.unicast.nowhere", p.nowhere))
	}
	c := audit.Coverage{Status: audit.Tried, Detail: detail}
	switch {
	case ctx.Err() != nil:
		c.Status, c.Detail = audit.Stopped, join(detail, msg.Text("discover.stopped"))
	case sent == 0 && p.denied > 0:
		c.Status = audit.DeniedByUs
	case sent == 0 && (p.err != nil || p.nowhere > 0):
		c.Status = audit.Failed
	case p.err != nil || p.nowhere > 0:
		c.Status = audit.Partial
	case devices == 0:
		c.Status = audit.NotObserved
	}
	return c
}
