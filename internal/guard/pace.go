package guard

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	burst    = 8    // packets that may leave at once after a pause
	segment  = 1400 // bytes a packet carries, counted low so that we count packets high
	minSweep = 1024 // addresses remembered before idle ones are looked for
)

// state is what is counted per address across all callers: packets and connections. A state that is idle and has its full
// burst back is the same as a new one, so it can be forgotten: a sweep over many addresses does not grow the memory.
type state struct {
	refs int // users of the state now; guarded by Guard.mu

	mu     sync.Mutex
	bucket bucket
	slots  chan struct{}
	idle   map[*conn]*http.Transport // open connections that an HTTP client may hold idle
	parked map[uint16]*parked        // connections of knocks that nobody used yet, by port
	opened map[uint16]time.Time      // when a port last accepted a connection
}

// bucket counts packets. Taking more than there is makes a debt that the next taker waits for.
type bucket struct {
	rate   float64 // packets per second
	burst  float64
	tokens float64
	at     time.Time
}

func (b *bucket) refill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(b.burst, b.tokens+d.Seconds()*b.rate)
		b.at = now
	}
}

// take takes n packets and returns how long to wait before they may leave.
func (b *bucket) take(now time.Time, n int) time.Duration {
	b.refill(now)
	b.tokens -= float64(n)
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}

// owed returns how long to wait until the debt of packets that already left is paid.
func (b *bucket) owed(now time.Time) time.Duration { return b.take(now, 0) }

// acquire returns the state of an address; release must follow.
func (g *Guard) acquire(a netip.Addr) *state {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.states[a]
	if s == nil {
		if len(g.states) >= g.sweepAt {
			g.forget()
		}
		r := float64(g.rate)
		s = &state{
			bucket: bucket{rate: r, burst: min(burst, r), tokens: min(burst, r), at: g.now()},
			slots:  make(chan struct{}, g.conns),
		}
		g.states[a] = s
	}
	s.refs++
	return s
}

// retain adds a user to a state that is in use already.
func (g *Guard) retain(s *state) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.refs++
}

func (g *Guard) release(s *state) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.refs--
}

// forget drops every state nobody uses and that owes nothing.
func (g *Guard) forget() {
	now := g.now()
	for a, s := range g.states {
		if s.refs > 0 {
			continue
		}
		s.bucket.refill(now)
		if s.bucket.tokens >= s.bucket.burst {
			delete(g.states, a)
		}
	}
	g.sweepAt = max(minSweep, 2*len(g.states))
}

// pay takes n packets for the address and waits until they may leave, the context ends or stop is closed. What could not
// leave is given back.
func (g *Guard) pay(ctx context.Context, s *state, n int, stop ...<-chan struct{}) error {
	s.mu.Lock()
	d := s.bucket.take(g.now(), n)
	s.mu.Unlock()
	if err := wait(ctx, d, stop...); err != nil {
		g.owe(s, -n)
		return err
	}
	return nil
}

// owe books packets that leave without asking, such as acknowledgements.
func (g *Guard) owe(s *state, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bucket.take(g.now(), n)
}

// settle waits until what was owed is paid.
func (g *Guard) settle(ctx context.Context, s *state, stop ...<-chan struct{}) error {
	s.mu.Lock()
	d := s.bucket.owed(g.now())
	s.mu.Unlock()
	return wait(ctx, d, stop...)
}

// wait sleeps, but no longer than the context or the one optional stop channel allows.
func wait(ctx context.Context, d time.Duration, stop ...<-chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d <= 0 {
		return nil
	}
	var stopped <-chan struct{}
	if len(stop) > 0 {
		stopped = stop[0]
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-stopped:
		return errStopped
	}
}

// packets returns how many packets n bytes fill.
func packets(n, per int) int { return (n + per - 1) / per }
