package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// LimitError is returned by a read that would pass a byte limit; errors.As finds it.
type LimitError struct{ Limit int64 }

func (e *LimitError) Error() string { return fmt.Sprintf("guard: more than %d bytes", e.Limit) }

// errStopped ends a wait for the pace when a deadline passes or the connection closes; it never reaches a caller.
var errStopped = errors.New("guard: wait stopped")

// conn is a connection of one device that is paced, limited and checked.
type conn struct {
	net.Conn
	d  *Device
	s  *state
	to netip.AddrPort

	limit, left int64 // of bytes to read; left is used by one reader at a time, as net.Conn allows
	unacked     int
	asked       atomic.Bool // something was written since the last read
	readMu      sync.Mutex
	writeMu     sync.Mutex

	read, write deadline
	once        sync.Once
}

var _ net.Conn = (*conn)(nil)

func newConn(d *Device, s *state, c net.Conn, to netip.AddrPort, limit int64) *conn {
	return &conn{Conn: c, d: d, s: s, to: to, limit: limit, left: limit, read: newDeadline(), write: newDeadline()}
}

// Read reads after the acknowledgements of earlier reads were paid for: a device that sends fast is read slowly.
func (c *conn) Read(b []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if len(b) == 0 {
		return 0, nil
	}
	if err := c.d.g.settle(context.Background(), c.s, c.read.done()); err != nil {
		return 0, c.stopped()
	}
	probe := c.left <= 0
	if probe {
		b = b[:1] // only to tell the end of the stream from more of it
	} else if int64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.d.g.owe(c.s, c.acks(n))
	}
	if probe && n > 0 {
		return 0, &LimitError{c.limit}
	}
	c.left -= int64(n)
	return n, err
}

// acks estimates the acknowledgements for n bytes read: one for every two full segments, and one for any read at all. The
// first read after a write costs one more: embedded servers send head and body apart, and Linux acknowledges both.
func (c *conn) acks(n int) int {
	c.unacked += n
	k := max(1, c.unacked/(2*segment))
	c.unacked %= 2 * segment
	if c.asked.Swap(false) {
		k++
	}
	return k
}

// Write writes in pieces of a few packets, each of them paced and checked against the hours.
func (c *conn) Write(b []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	const piece = burst / 2 * segment
	total := 0
	for {
		p := b[:min(len(b), piece)]
		if err := c.d.g.checkTime("dial", c.to.String()); err != nil {
			return total, err
		}
		if err := c.d.g.pay(context.Background(), c.s, max(1, packets(len(p), segment)), c.write.done()); err != nil {
			return total, c.stopped()
		}
		c.asked.Store(true)
		n, err := c.Conn.Write(p)
		total += n
		if b = b[n:]; err != nil || len(b) == 0 {
			return total, err
		}
	}
}

// stopped says why a wait ended: the connection was closed, or a deadline passed.
func (c *conn) stopped() error {
	if c.read.isShut() {
		return net.ErrClosed
	}
	return os.ErrDeadlineExceeded
}

// Close closes the connection and frees its slot.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		c.read.close()
		c.write.close()
		err = c.Conn.Close()
		c.s.mu.Lock()
		delete(c.s.idle, c)
		c.s.mu.Unlock()
		const fin, ack = 1, 1
		c.d.g.owe(c.s, fin+ack)
		<-c.s.slots
		c.d.g.release(c.s)
	})
	return err
}

// SetDeadline sets both deadlines; they also end a wait for the pace.
func (c *conn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline sets the deadline of reads; it also ends a wait for the pace.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.read.set(t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline of writes; it also ends a wait for the pace.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.write.set(t)
	return c.Conn.SetWriteDeadline(t)
}

// deadline is a point in time that can be moved, as a channel that closes when it has passed: after net.Pipe's of the
// standard library. Closing it is a deadline in the past that cannot be moved any more.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{}
	shut   bool
}

func newDeadline() deadline { return deadline{passed: make(chan struct{})} }

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.shut {
		d.move(t)
	}
}

func (d *deadline) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.move(time.Unix(1, 0))
	d.shut = true
}

func (d *deadline) move(t time.Time) {
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed // the timer is closing it right now
	}
	d.timer = nil
	over := false
	select {
	case <-d.passed:
		over = true
	default:
	}
	wait := time.Until(t)
	if over && (t.IsZero() || wait > 0) {
		d.passed = make(chan struct{})
	}
	switch {
	case t.IsZero():
	case wait > 0:
		passed := d.passed
		d.timer = time.AfterFunc(wait, func() { close(passed) })
	case !over:
		close(d.passed)
	}
}

func (d *deadline) done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

func (d *deadline) isShut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut
}
