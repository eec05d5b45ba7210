package discover

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
)

const (
	round       = 2500 * time.Millisecond // the Windows firewall lets answers to a multicast in for 3 s
	perSource   = 64                      // different matches taken from one source
	rawLimit    = 2000                    // datagrams of one source that are looked at
	sourceLimit = 4096                    // sources taken notice of per interface: a network has no more
)

// WSDiscovery asks every interface's network for ONVIF devices, over IPv4 and IPv6. A target's Types are in James Clark's
// notation, "{http://www.onvif.org/ver10/network/wsdl}NetworkVideoTransmitter".
func WSDiscovery() Method {
	return Method{Name: "ws-discovery", Doc: msg.Text("discover.wsdiscovery.doc"), Needs: audit.PermitDiscover, Run: wsDiscovery}
}

func wsDiscovery(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	return eachInterface(env, "ws-discovery", func(ifi guard.Interface, v6 bool) audit.Coverage {
		i := &inquiry{env: env, ifi: ifi, v6: v6, found: found, asked: map[string][]byte{}, sources: map[netip.Addr]*source{}, seed: maphash.MakeSeed()}
		return i.run(ctx)
	})
}

// inquiry is the asking and listening on one interface in one family.
type inquiry struct {
	env   Env
	ifi   guard.Interface
	v6    bool
	found func(audit.Target)

	mu      sync.Mutex
	asked   map[string][]byte // by message id, the datagram that was sent
	sent    int
	sendErr error

	// Of the receiving goroutine alone.
	sources map[netip.Addr]*source
	seed    maphash.Seed
	devices, foreign,
	malformed, unrelated, dropped int
}

type source struct {
	datagrams int
	seen      map[uint64]bool
}

func (i *inquiry) run(ctx context.Context) audit.Coverage {
	u, err := i.env.Guard.OpenUDP(i.ifi, guard.UDPOptions{V6: i.v6})
	if err != nil {
		status := audit.Failed
		if guard.IsDenied(err) {
			status = audit.DeniedByUs
		}
		return audit.Coverage{Status: status, Detail: msg.Text("discover.wsdiscovery.failed", family(i.v6), reason(err))}
	}
	defer u.Close()
	window, cancel := context.WithTimeout(ctx, i.env.Window)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if !i.ask(window, u) {
			cancel() // nothing could be sent, so nothing will come
		}
	})
	for {
		p, err := u.Receive(window)
		if err != nil {
			break
		}
		i.take(p)
	}
	cancel()
	wg.Wait()
	return i.coverage(ctx)
}

func (i *inquiry) coverage(ctx context.Context) audit.Coverage {
	detail := msg.Text("discover.wsdiscovery.done", family(i.v6), i.sent, i.devices)
	for _, extra := range []struct {
		id string
		n  int
	}{{"foreign", i.foreign}, {"malformed", i.malformed}, {"unrelated", i.unrelated}, {"dropped", i.dropped}} {
		if extra.n > 0 {
			detail = join(detail, msg.Text("discover.wsdiscovery."+extra.id, extra.n))
		}
	}
	switch {
	case i.sent == 0 && i.sendErr != nil:
		status := audit.Failed
		if guard.IsDenied(i.sendErr) {
			status = audit.DeniedByUs
		}
		return audit.Coverage{Status: status, Detail: msg.Text("discover.wsdiscovery.failed", family(i.v6), reason(i.sendErr))}
	case ctx.Err() != nil:
		return audit.Coverage{Status: audit.Stopped, Detail: join(detail, msg.Text("discover.stopped"))}
	case i.devices == 0:
		return audit.Coverage{Status: audit.NotObserved, Detail: detail}
	}
	return audit.Coverage{Status: audit.Tried, Detail: detail}
}

// ask sends the three questions twice in every round, and reports whether any of them left.
func (i *inquiry) ask(ctx context.Context, u *guard.UDP) bool {
	group := wsdiscovery.Group4()
	if i.v6 {
		group = wsdiscovery.Group6()
	}
	for left := i.env.Window; ; left -= round {
		var probes [][]byte
		for _, types := range wsdiscovery.ProbeTypes() {
			id := "urn:uuid:" + uuid.NewString()
			b := wsdiscovery.NewProbe(id, types)
			i.mu.Lock()
			i.asked[id] = b
			i.mu.Unlock()
			probes = append(probes, b)
		}
		start := time.Now()
		for repeat := range 2 {
			// SOAP over UDP, section 3.4: the repeat carries the same message id.
			if repeat > 0 && !sleep(ctx, 250*time.Millisecond+rand.N(250*time.Millisecond)) {
				return i.anySent()
			}
			for _, b := range probes {
				err := u.Send(ctx, b, group)
				i.mu.Lock()
				if err == nil {
					i.sent++
				} else if ctx.Err() == nil {
					i.sendErr = err
				}
				i.mu.Unlock()
			}
		}
		if !i.anySent() {
			return false
		}
		if left <= round+500*time.Millisecond || !sleep(ctx, round-time.Since(start)) {
			return true
		}
	}
}

func (i *inquiry) anySent() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.sent > 0
}

// take looks at one datagram. Whatever a source sends costs it its own share only.
func (i *inquiry) take(p guard.Packet) {
	from := zoned(p.From.Addr(), i.ifi)
	s := i.sources[from]
	if s == nil {
		if len(i.sources) >= sourceLimit {
			i.dropped++
			return
		}
		s = &source{seen: map[uint64]bool{}}
		i.sources[from] = s
	}
	if s.datagrams++; s.datagrams > rawLimit || len(s.seen) >= perSource {
		i.dropped++
		return
	}
	m, err := wsdiscovery.Parse(p.Data)
	if err != nil {
		i.malformed++
		if len(p.Data) > 0 && i.fresh(s, string(p.Data)) {
			i.record(p, nil, clean.Text(err.Error(), 200))
		}
		if len(m.Matches) == 0 {
			return
		}
	}
	i.mu.Lock()
	question, ours := i.asked[m.RelatesTo]
	i.mu.Unlock()
	if m.Kind != wsdiscovery.ProbeMatches || !ours {
		i.unrelated++
		if i.fresh(s, fmt.Sprint(m.Kind, m.RelatesTo)) {
			i.record(p, nil, "no answer to a question of ours")
		}
		return
	}
	var ids []string
	for _, match := range m.Matches {
		if len(s.seen) >= perSource {
			i.dropped++
			return
		}
		if !i.fresh(s, fmt.Sprint(match)) {
			continue
		}
		if ids == nil {
			ids = i.record(p, question, "")
		}
		i.report(p, from, match, ids)
	}
}

// fresh reports whether a source says something for the first time.
func (i *inquiry) fresh(s *source, what string) bool {
	h := maphash.String(i.seed, what)
	if s.seen[h] || len(s.seen) >= perSource {
		return false
	}
	s.seen[h] = true
	return true
}

func (i *inquiry) record(p guard.Packet, question []byte, note string) []string {
	group := wsdiscovery.Group4()
	if i.v6 {
		group = wsdiscovery.Group6()
	}
	return i.env.record(evidence.Exchange{Protocol: "ws-discovery", URI: "soap.udp://" + group.String(), Endpoint: p.From, At: p.At,
		Request: question, Response: p.Data, Note: note})
}

func (i *inquiry) report(p guard.Packet, from netip.Addr, m wsdiscovery.Match, ids []string) {
	sc := wsdiscovery.ParseScopes(m.Scopes)
	t := audit.Target{
		Method:    "ws-discovery",
		Addr:      candidate(from, m.XAddrs),
		Interface: i.ifi.Name,
		At:        p.At,
		Identity:  audit.Identity{EPR: m.EPR, Serial: sc.Serial, Name: sc.Name, Hardware: sc.Hardware, Location: sc.Location},
		Scopes:    m.Scopes,
		XAddrs:    m.XAddrs,
		Foreign:   !i.env.Guard.Inside(from),
		Evidence:  ids,
	}
	if sc.MAC != "" {
		t.Identity.MACs = []string{sc.MAC}
	}
	for _, q := range m.Types {
		t.Types = append(t.Types, q.String())
	}
	if i.devices++; t.Foreign {
		i.foreign++
	}
	for _, x := range m.XAddrs {
		// A foreign source that names foreign addresses is one thing that was not contacted, not many.
		if a, _, ok := xaddr(x); ok && a.IsValid() && !t.Foreign && !i.env.Guard.Inside(a) {
			i.env.Guard.Deny("xaddr", x, msg.Text("discover.wsdiscovery.xaddr", from.String()))
		}
	}
	i.found(t)
}
