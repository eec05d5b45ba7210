package discover

import (
	"context"
	"sync"
	"time"
)

// window lets at most so many enter within any span of its length.
type window struct {
	mu   sync.Mutex
	span time.Duration
	ring []time.Time // of the last entries, oldest at next
	next int
}

func newWindow(most int, span time.Duration) *window {
	return &window{span: span, ring: make([]time.Time, max(1, most))}
}

// enter waits for room, and reports false when the context ends first.
func (w *window) enter(ctx context.Context) bool {
	for {
		w.mu.Lock()
		wait := w.span - time.Since(w.ring[w.next])
		if wait <= 0 {
			w.ring[w.next] = time.Now()
			w.next = (w.next + 1) % len(w.ring)
			w.mu.Unlock()
			return ctx.Err() == nil
		}
		w.mu.Unlock()
		if !sleep(ctx, wait) {
			return false
		}
	}
}
