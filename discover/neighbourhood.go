package discover

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/internal/guard"
)

// Neighbourhood is who is there on the networks this machine is in, as found once per run and shared by the methods: nobody
// connects to an address of such a network before somebody there said it is theirs. Its zero value is ready; it must not be
// copied.
type Neighbourhood struct {
	once  sync.Once
	links []*link

	mu    sync.Mutex
	spoke map[netip.Addr]bool // who has answered WS-Discovery, and need not be asked again
}

// answered takes note that an address has answered WS-Discovery.
func (n *Neighbourhood) answered(a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spoke == nil {
		n.spoke = map[netip.Addr]bool{}
	}
	n.spoke[a.WithZone("")] = true
}

func (n *Neighbourhood) hasAnswered(a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.spoke[a.WithZone("")]
}

// asking is how the neighbours of a stretch are found.
type asking int

const (
	byARP   asking = iota // frames of our own
	byTable               // a datagram to every address, and the system's neighbour table
	blindly               // neither can be had: addresses are connected to as if they were behind a router
)

// link is the finding of one stretch's neighbours.
type link struct {
	stretch
	how  asking
	err  error // what of ours failed
	sent int
	lost int // frames the kernel dropped

	mu      sync.Mutex
	round   int // of asking, from 1
	known   map[netip.Addr]neighbour
	order   []netip.Addr
	holders map[string]int // addresses a hardware address answers for
	ended   bool
	changed chan struct{} // closed at the next change
}

// neighbour is an address somebody answers for.
type neighbour struct {
	mac   string
	round int // of asking in which it answered
}

const (
	arpRate    = 2000 // questions a second in all; each is for another host, and everybody hears it
	arpSettle  = 400 * time.Millisecond
	arpMost    = 8               // times an address is asked at most
	arpPause   = 2 * time.Second // between rounds where time is not pressing: sleeping radios wake up
	unseenLeft = 0.02            // neighbours expected to be missed at which asking ends
	tableTick  = 25 * time.Millisecond
	tableQuick = 1200 * time.Millisecond // the kernel asks again after a second
	tableWait  = 3200 * time.Millisecond // and gives up after the third time
)

// of starts the finding with the first who asks, and returns the stretches with who is there. The lists still grow.
func (n *Neighbourhood) of(ctx context.Context, env Env) []*link {
	n.once.Do(func() {
		own := ownAddresses(env.Guard)
		for _, s := range stretches(env.Guard) {
			l := &link{stretch: s, known: map[netip.Addr]neighbour{}, holders: map[string]int{}, changed: make(chan struct{})}
			n.links = append(n.links, l)
		}
		go func() {
			// One after the other: two stretches of one network share its broadcasts.
			for _, l := range n.links {
				switch {
				case l.way != onLink:
				case l.prefix.Addr().Is6():
					l.six(ctx, env, own)
				case l.why.IsZero():
					l.find(ctx, env, own)
				}
				l.end()
			}
		}()
	})
	return n.links
}

// find asks for every address of the stretch.
func (l *link) find(ctx context.Context, env Env, own map[netip.Addr]bool) {
	wire, err := env.Guard.OpenLink(l.ifi, func(a guard.LinkAnswer) { l.heard(a.Addr, a.MAC) })
	switch {
	case err == nil:
		defer wire.Close()
		l.arp(ctx, env, wire, own)
		l.lost += wire.Dropped()
	case errors.Is(err, guard.ErrNoRight):
		l.how = byTable
		l.table(ctx, env, own)
	case errors.Is(err, guard.ErrNoAddress):
		l.how = blindly // no Ethernet: a tunnel has no neighbours to ask for
	default:
		l.how, l.err = blindly, err
	}
}

// six asks all nodes of the link for an echo, twice, and every address of a prefix that is small enough.
func (l *link) six(ctx context.Context, env Env, own map[netip.Addr]bool) {
	l.how = byTable
	p, err := env.Guard.OpenPing(l.ifi, true, func(a netip.Addr) {
		if a = a.WithZone(""); !own[a] {
			l.heard(a, "")
		}
	})
	if err == nil {
		defer p.Close()
		all := netip.IPv6LinkLocalAllNodes().WithZone(l.ifi.Name)
		for range 2 {
			if err := p.Send(ctx, all); err == nil {
				l.sent++
			}
			if !sleep(ctx, arpSettle) {
				return
			}
		}
	}
	if l.why.IsZero() {
		l.table(ctx, env, own)
		return
	}
	l.read(env)
}

// heard takes note that somebody answers for an address. The first who does counts.
func (l *link) heard(a netip.Addr, mac string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.prefix.Contains(a) {
		return
	}
	n, known := l.known[a]
	if n.mac == "" && mac != "" {
		n.mac = mac
		l.holders[mac]++
	}
	if !known {
		n.round = max(1, l.round)
		l.order = append(l.order, a)
	}
	if l.known[a] = n; !known {
		l.tell()
	}
}

func (l *link) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.tell()
}

// next waits for the i-th neighbour. ok is false when there are no more, which is soon after the run's context has ended.
func (l *link) next(i int) (a netip.Addr, ok bool) {
	for {
		l.mu.Lock()
		if i < len(l.order) {
			defer l.mu.Unlock()
			return l.order[i], true
		}
		ended, changed := l.ended, l.changed
		l.mu.Unlock()
		if ended {
			return netip.Addr{}, false
		}
		<-changed
	}
}

// mac returns the hardware address that answers for an address. alone is false where it answers for others too, as a router
// with proxy ARP does.
func (l *link) mac(a netip.Addr) (mac string, alone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := l.known[a]
	return n.mac, ok && n.mac != "" && l.holders[n.mac] == 1
}

func (l *link) answers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.order)
}

// due reports whether an address is to be asked in a round.
func (l *link) due(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.known[a]
	return !known
}

// arp asks in rounds whoever has not answered, until hardly anybody can have been missed.
func (l *link) arp(ctx context.Context, env Env, wire *guard.Link, own map[netip.Addr]bool) {
	enough := 3
	if env.Quick {
		enough = 2
	}
	for round := 1; round <= arpMost; round++ {
		l.mu.Lock()
		l.round = round
		l.mu.Unlock()
		turn, n := &turns{per: arpRate, burst: sweepBurst}, 0
		for a := range addresses(ctx, env.Guard, l.prefix, own) {
			if !l.due(a) {
				continue
			}
			if n++; !turn.wait(ctx) {
				return
			}
			if err := wire.Ask(a); err != nil {
				if l.err = err; guard.IsDenied(err) {
					return
				}
				continue
			}
			l.sent++
		}
		if n == 0 || !sleep(ctx, arpSettle) || round >= enough && l.missed() < unseenLeft || !env.Quick && !sleep(ctx, arpPause) {
			return
		}
	}
}

// loss is the share of questions to neighbours that stayed without an answer, as the rounds in which they answered tell.
func (l *link) loss() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := 0
	for _, n := range l.known {
		asked += n.round
	}
	if asked == 0 {
		return 0
	}
	return 1 - float64(len(l.known))/float64(asked)
}

// missed is how many neighbours are expected not to have answered in any round, if each question is lost as often as the
// others were.
func (l *link) missed() float64 {
	p := l.loss()
	if p == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := math.Pow(p, float64(l.round))
	return float64(len(l.known)) * all / (1 - all)
}

// table sends every address one datagram, a question cameras answer, so that the system asks for its neighbour, and reads in
// its table who answered. Fewer addresses are open at a time than the table can hold.
func (l *link) table(ctx context.Context, env Env, own map[netip.Addr]bool) {
	room := env.Guard.NeighbourRoom()
	if room == 0 {
		l.how = blindly
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reading sync.WaitGroup
	reading.Go(func() {
		for sleep(ctx, tableTick) {
			l.read(env)
		}
	})
	defer reading.Wait()
	defer cancel()

	ask := &nudger{env: env, ifi: l.ifi, v6: l.prefix.Addr().Is6()}
	defer ask.close()
	open := newWindow(room, tableWait)
	turn, begin, last := &turns{per: arpRate, burst: sweepBurst}, time.Now(), tableWait
	for a := range addresses(ctx, env.Guard, l.prefix, own) {
		if !l.due(a) || !open.enter(ctx) || !turn.wait(ctx) {
			continue
		}
		if err := ask.send(ctx, a); err != nil {
			if l.err = err; guard.IsDenied(err) {
				return
			}
			continue
		}
		l.sent++
	}
	switch {
	case env.Quick && time.Since(begin) > tableWait:
		last = arpSettle // the first have had all their time meanwhile
	case env.Quick:
		last = tableQuick
	}
	sleep(ctx, last)
	l.read(env)
}

// read takes what the system's table has for the stretch.
func (l *link) read(env Env) {
	for a, n := range env.Guard.Neighbours() {
		if n.Resolved {
			l.heard(a, n.MAC)
		}
	}
}
