package discover

import (
	"context"
	"sync"
	"time"
)

// turns spaces evenly what several goroutines send. Turns nobody took are lost, except those of the last burst.
type turns struct {
	per   int // a second
	burst time.Duration
	mu    sync.Mutex
	next  time.Time
}

// wait waits for a turn, and reports false where the context ends first.
func (t *turns) wait(ctx context.Context) bool {
	t.mu.Lock()
	now := time.Now()
	if t.next.Before(now.Add(-t.burst)) {
		t.next = now.Add(-t.burst)
	}
	ahead := t.next.Sub(now)
	t.next = t.next.Add(time.Second / time.Duration(t.per))
	t.mu.Unlock()
	return ahead < timerTick && ctx.Err() == nil || ahead >= timerTick && sleep(ctx, ahead)
}

// timerTick is what timers are no finer than. Whoever would wait for less goes at once.
const timerTick = 2 * time.Millisecond
