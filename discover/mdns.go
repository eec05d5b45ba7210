package discover

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grandcat/zeroconf"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/dnssd"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

const (
	mdnsRounds  = 2 // of our own asking
	mdnsEntries = 4096
	mdnsQuick   = 1500 * time.Millisecond // half a second for shared records, which may take 120 ms, one and a half times, after the asking
	quickBrowse = 2                       // service types the library browses in quick mode; each costs it two packets
	quickEach   = 5                       // service types asked for in one packet in quick mode
)

// MDNS browses every interface for the service types of cameras. What it finds is a hint: any host on the link may announce
// any address.
func MDNS() Method {
	return Method{Name: "mdns", Doc: msg.Text("discover.mdns.doc"), Asks: msg.Text("discover.mdns.asks"), Needs: audit.PermitDiscover, Group: Announced,
		Cost: mdnsCost, Run: mdns}
}

// mdnsCost leaves out what is asked to complete an answer.
func mdnsCost(env Env) []Cost {
	env = env.withDefaults()
	var out []Cost
	for _, j := range jobs(env, true) {
		c := Cost{Target: j.ifi.Name, To: mdnsGroup(j.v6).String(), Lasts: mdnsWindow(env)}
		c.Packets = 2*len(browsed(env)) + len(mdnsBatches(env))*mdnsTurns(env)
		out = append(out, c)
	}
	return out
}

func mdnsWindow(env Env) time.Duration {
	if env.Quick {
		return mdnsQuick
	}
	return env.Window
}

func mdnsTurns(env Env) int {
	if env.Quick {
		return 1
	}
	return mdnsRounds
}

// browsed are the service types the library browses; the others are asked for over our own socket alone.
func browsed(env Env) []string {
	if env.Quick {
		return dnssd.Types()[:quickBrowse]
	}
	return dnssd.Types()
}

// mdnsBatches are the service types of each question: one, since small responders read the first only, or several where time
// is pressing.
func mdnsBatches(env Env) [][]string {
	if env.Quick {
		return slices.Collect(slices.Chunk(dnssd.Types(), quickEach))
	}
	return slices.Collect(slices.Chunk(dnssd.Types(), 1))
}

func mdns(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	return eachInterface(env, "mdns", true, func(ifi guard.Interface, v6 bool) audit.Coverage {
		b := &browsing{env: env, ifi: ifi, found: found, seen: map[string]bool{}}
		return b.run(ctx, v6)
	})
}

// browsing is the browsing of one interface in one family.
type browsing struct {
	env   Env
	ifi   guard.Interface
	found func(audit.Target)

	mu      sync.Mutex
	seen    map[string]bool
	hosts   map[netip.Addr]bool
	foreign int
	failed  []error
}

func (b *browsing) run(ctx context.Context, v6 bool) audit.Coverage {
	b.hosts = map[netip.Addr]bool{}
	var wg sync.WaitGroup
	window, cancel := context.WithTimeout(ctx, mdnsWindow(b.env))
	defer cancel()
	services := browsed(b.env)
	for n, service := range services {
		wg.Go(func() {
			// Not all at once: everybody's inquiries share one pace, and the others have fewer packets.
			if n > 0 && !sleep(window, time.Duration(n)*mdnsWindow(b.env)/time.Duration(2*len(dnssd.Types()))) {
				return
			}
			err := b.env.Guard.Browse(window, b.ifi, v6, service, func(e *zeroconf.ServiceEntry) { b.take(service, e, nil) })
			if err != nil {
				b.mu.Lock()
				b.failed = append(b.failed, err)
				b.mu.Unlock()
			}
		})
	}
	var direct error
	wg.Go(func() { direct = b.direct(window, v6) })
	wg.Wait()
	detail := msg.Text("discover.mdns.done", family(v6), len(dnssd.Types()), len(b.hosts))
	if b.foreign > 0 {
		detail = join(detail, msg.Text("discover.mdns.foreign", b.foreign))
	}
	if len(b.failed) > 0 {
		detail = join(detail, msg.Text("discover.mdns.failed", len(b.failed), reason(b.failed[0])))
	}
	if direct != nil {
		detail = join(detail, msg.Text("discover.mdns.direct", reason(direct)))
	}
	nothing := len(b.failed) == len(services) && direct != nil
	switch {
	case nothing && guard.IsDenied(b.failed[0]):
		return audit.Coverage{Status: audit.DeniedByUs, Detail: detail}
	case nothing:
		return audit.Coverage{Status: audit.Failed, Detail: detail}
	case ctx.Err() != nil:
		return audit.Coverage{Status: audit.Stopped, Detail: join(detail, msg.Text("discover.stopped"))}
	case len(b.failed) > 0 || direct != nil:
		return audit.Coverage{Status: audit.Partial, Detail: detail}
	case len(b.hosts) == 0:
		return audit.Coverage{Status: audit.NotObserved, Detail: detail}
	}
	return audit.Coverage{Status: audit.Tried, Detail: detail}
}

// take reports an entry once per address. raw is the packet that completed it, nil where the library did not hand it out.
func (b *browsing) take(service string, e *zeroconf.ServiceEntry, raw *heard) {
	if e.Port < 0 || e.Port > 65535 {
		return
	}
	instance := clean.Text(dnssd.Unescape(e.Instance), 100)
	txt := dnssd.TXT(e.Text)
	id := dnssd.Identity(service, dnssd.Host(e.HostName), instance, txt)
	var ids []string
	for _, ip := range slices.Concat(first(e.AddrIPv4), first(e.AddrIPv6)) {
		a, ok := netip.AddrFromSlice(ip)
		if !ok {
			continue
		}
		a = zoned(a.Unmap(), b.ifi)
		t := audit.Target{Method: "mdns", Addr: netip.AddrPortFrom(a, uint16(e.Port)), Interface: b.ifi.Name, At: b.env.Clock(),
			Identity: id, Types: []string{service}, TXT: txt, Foreign: !b.env.Guard.Inside(a)}
		if !b.fresh(t, instance) {
			continue
		}
		if ids == nil {
			ids = b.record(service, e, t, raw)
		}
		t.Evidence = ids
		b.found(t)
	}
}

// fresh counts an entry's address and reports whether it is new.
func (b *browsing) fresh(t audit.Target, instance string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := fmt.Sprint(t.Addr, t.Types[0], instance)
	if b.seen[key] || len(b.seen) >= mdnsEntries {
		return false
	}
	b.seen[key] = true
	b.hosts[t.Addr.Addr()] = true
	if t.Foreign {
		b.foreign++
	}
	return true
}

// record keeps the packet, or the entry as the library read it where it does not hand out the packet.
func (b *browsing) record(service string, e *zeroconf.ServiceEntry, t audit.Target, raw *heard) []string {
	if raw != nil {
		return b.env.record(evidence.Exchange{Protocol: "mdns", URI: "mdns:" + service + ".local", Endpoint: raw.from, At: raw.at,
			Request: raw.question, Response: raw.answer})
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s.%s.local. SRV %d %s\n", e.Instance, service, e.Port, e.HostName)
	for _, x := range e.Text[:min(len(e.Text), 64)] {
		fmt.Fprintf(&s, "TXT %q\n", x)
	}
	for _, ip := range slices.Concat(first(e.AddrIPv4), first(e.AddrIPv6)) {
		fmt.Fprintf(&s, "%s A %s\n", e.HostName, ip)
	}
	return b.env.record(evidence.Exchange{Protocol: "mdns", URI: "mdns:" + service + ".local", Endpoint: t.Addr, At: t.At,
		Response: []byte(s.String()), Note: "as decoded by the DNS-SD library"})
}

// first bounds how many addresses one entry may name.
func first(ips []net.IP) []net.IP { return ips[:min(len(ips), 8)] }
