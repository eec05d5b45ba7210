package discover

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Neighbours asks in every network this machine is in who is there: by ARP where the system allows raw packets (Linux, with the
// right), and by its own neighbour table otherwise; in IPv6 by an echo to all nodes. Only hosts whose hardware address belongs
// to a maker of cameras become targets, since everybody has a hardware address; the sweep reports the others it finds open.
func Neighbours() Method {
	return Method{Name: "neighbours", Doc: msg.Text("discover.neighbours.doc"), Asks: msg.Text("discover.neighbours.asks"), Needs: audit.PermitDiscover, Group: Swept,
		Run: neighbours, Cost: neighboursCost}
}

func neighbours(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	db, err := env.fingerprints()
	if err != nil {
		return nil, err
	}
	links := env.Neighbours.of(ctx, env)
	cover := make([]audit.Coverage, len(links))
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() {
			n := 0
			for ; ; n++ {
				a, ok := l.next(n)
				if !ok {
					break
				}
				if mac, _ := l.mac(a); maker(db, mac) {
					found(sighting(env, db, a, mac))
				}
			}
			cover[i] = l.coverage(ctx)
		})
	}
	wg.Wait()
	out := cover[:0]
	for _, c := range cover {
		if c.Module != "" {
			out = append(out, c)
		}
	}
	return out, nil
}

// maker reports whether a hardware address was assigned to a maker of cameras, recorders or terminals. Most make several of these,
// so that the address does not say which it is.
func maker(db *fingerprint.DB, mac string) bool {
	m, ok := db.MAC(mac)
	return ok && m.Kind != audit.KindOther
}

// sighting is a target that says who answers for an address. There is nothing at it to be asked.
func sighting(env Env, db *fingerprint.DB, a netip.Addr, mac string) audit.Target {
	t := audit.Target{Method: "neighbours", Addr: netip.AddrPortFrom(a, 0), At: env.Clock(), Sighting: true, Identity: audit.Identity{MACs: []string{mac}}}
	if m, ok := db.MAC(mac); ok {
		t.Identity.Vendor, t.Identity.Kind, t.Identity.Weak = db.Canonical(m.Vendor), m.Kind, true
	}
	return t
}

// coverage says how the neighbours of the stretch were found; it is empty for a stretch that has none.
func (l *link) coverage(ctx context.Context) audit.Coverage {
	if l.way != onLink {
		return audit.Coverage{}
	}
	c := audit.Coverage{Target: l.prefix.String(), Module: "neighbours", Status: audit.Tried}
	if !l.why.IsZero() && l.answers() == 0 {
		c.Status, c.Detail = audit.Skipped, l.why
		return c
	}
	c.Detail = msg.Text("discover.neighbours."+[]string{"arp", "table", "blind"}[l.how], l.sent, l.answers(), l.ifi.Name)
	if p := l.loss(); p > 0 {
		c.Detail = join(c.Detail, msg.Text("discover.neighbours.loss", int(p*100+0.5)))
	}
	if l.lost > 0 {
		c.Detail = join(c.Detail, msg.Text("discover.neighbours.dropped", l.lost))
	}
	switch {
	case ctx.Err() != nil:
		c.Status, c.Detail = audit.Stopped, join(c.Detail, msg.Text("discover.stopped"))
	case l.err != nil && guard.IsDenied(l.err) && l.sent == 0:
		c.Status, c.Detail = audit.DeniedByUs, reason(l.err)
	case l.err != nil:
		c.Status, c.Detail = audit.Partial, join(c.Detail, reason(l.err))
	case l.how == blindly:
		c.Status = audit.Skipped
	case l.answers() == 0:
		c.Status = audit.NoAnswer
	}
	return c
}

func neighboursCost(env Env) []Cost {
	env = env.withDefaults()
	rounds := 3
	if env.Quick {
		rounds = 2
	}
	var out []Cost
	for _, s := range stretches(env.Guard) {
		if s.way != onLink {
			continue
		}
		c := Cost{Target: s.prefix.String() + " (" + s.ifi.Name + ")", To: fmt.Sprintf("×%d", hosts(s.prefix)), Why: s.why}
		if s.why.IsZero() {
			c.Packets = rounds * hosts(s.prefix)
			c.Lasts = time.Duration(c.Packets)*time.Second/arpRate + time.Duration(rounds)*arpSettle
			if !env.Quick {
				c.Lasts += time.Duration(rounds-1) * arpPause
			}
		}
		out = append(out, c)
	}
	return out
}
