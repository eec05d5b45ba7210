package capture

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"
)

const (
	batchMost  = 256 // packets
	batchCount = 6
)

// batch is a run of packets that were read and taken apart before anybody asked for them.
type batch struct {
	packets [batchMost]Packet
	decoded [batchMost]decoded
	n, next int
	chunks  []*chunk // that hold them
	err     error    // behind the last
	broken  any      // what reading one broke with, behind the last
}

// ahead reads packets in a goroutine of its own, a bounded number ahead of who takes them: what parses a file and takes its packets apart
// is done while others are understood.
type ahead struct {
	from format
	in   *window // that from parses

	once    sync.Once
	full    chan *batch // closed when nothing more comes
	free    chan *batch
	ended   chan struct{} // closed when the goroutine has ended
	b       *batch        // of the goroutine: to be filled
	stopped bool          // nobody takes any more
	cur     *batch        // of who takes: being emptied
	err     error         // why there are no more, once they were taken
	number  int
	dec     decoder

	mu              sync.Mutex
	info            Info // what from described behind the last batch
	received, drops int64
}

func newAhead(from format, in *window, info Info) *ahead {
	a := &ahead{from: from, in: in, info: info, full: make(chan *batch, batchCount), free: make(chan *batch, batchCount), ended: make(chan struct{})}
	from.describe(&a.info)
	a.received, a.drops = from.losses()
	return a
}

// next returns the next packet, valid until the following call. It passes on a panic of the reading; who goes on reads on behind it.
func (a *ahead) next() (*Packet, error) {
	a.once.Do(a.begin)
	for {
		if b := a.cur; b != nil {
			if b.next < b.n {
				b.next++
				return &b.packets[b.next-1], nil
			}
			if v := b.broken; v != nil {
				b.broken = nil
				panic(v)
			}
			if b.err != nil {
				a.err = b.err
			}
			a.cur = nil
			a.recycle(b)
		}
		if a.err != nil {
			return nil, a.err
		}
		b, ok := <-a.full
		if a.cur = b; !ok {
			a.err = os.ErrClosed
		}
	}
}

// recycle gives a batch back that nobody needs any more.
func (a *ahead) recycle(b *batch) {
	for i, c := range b.chunks {
		a.in.in.release(c)
		b.chunks[i] = nil
	}
	b.n, b.next, b.chunks, b.err = 0, 0, b.chunks[:0], nil
	a.free <- b // has room for all batches there are
}

func (a *ahead) begin() {
	for range batchCount - 1 {
		a.free <- &batch{}
	}
	a.b = &batch{}
	a.in.idle = func() { // what is there is not to wait for what may come
		if a.b.n > 0 {
			a.hand()
		}
	}
	go a.read()
}

// over reports whether the goroutine has ended, or was never begun. Where all packets were taken it waits for that.
func (a *ahead) over() bool {
	begun := true
	a.once.Do(func() { begun = false })
	if !begun || a.err != nil {
		if begun {
			<-a.ended
		}
		return true
	}
	return false
}

// read fills batches until there are no more packets, or nobody wants them.
func (a *ahead) read() {
	defer close(a.ended)
	defer close(a.full)
	for more := true; more; {
		a.b.broken = a.fill()
		more = a.hand()
	}
	a.in.idle = nil
}

// fill puts packets into the batch until it is full or has all the chunks it may hold. It returns what reading broke with.
func (a *ahead) fill() (broken any) {
	defer func() {
		if v := recover(); v != nil {
			broken = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
	}()
	for a.b.n < batchMost && len(a.b.chunks) < chunkCount/4 {
		p, err := a.from.next()
		b := a.b // another one, where reading had to wait
		if err != nil {
			b.err = err
			return nil
		}
		if c := a.in.cur; len(b.chunks) == 0 || b.chunks[len(b.chunks)-1] != c {
			c.users.Add(1)
			b.chunks = append(b.chunks, c)
		}
		a.number++
		p.Number = a.number
		a.dec.decode(&p)
		b.decoded[b.n] = a.dec.decoded
		p.decoded = &b.decoded[b.n]
		b.packets[b.n] = p
		b.n++
	}
	return nil
}

// hand hands the batch on, and takes one to be filled next. It returns false where there is to be none.
func (a *ahead) hand() bool {
	if a.stopped {
		return false
	}
	a.mu.Lock()
	a.from.describe(&a.info)
	a.received, a.drops = a.from.losses()
	a.mu.Unlock()
	last := a.b.err != nil
	a.full <- a.b // has room for all batches there are
	if last {
		return false
	}
	select {
	case a.b = <-a.free:
		return true
	case <-a.in.in.stop:
		a.b, a.stopped = &batch{}, true
		return false
	}
}

// stand returns what the file said of itself as far as it was read.
func (a *ahead) stand() (i Info, received, dropped int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.info, a.received, a.drops
}
