package capture

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	packetMost = 256 << 10       // longest packet: what libpcap and Wireshark take for the limit too
	windowMost = packetMost + 64 // most bytes that are ever asked for at once
	chunkSize  = 512 << 10
	chunkCount = 8
	zstdWindow = 128 << 20 // what zstd itself decompresses without being told to
)

// chunk is a piece of a stream. What precedes it there can be put before it, so that a packet is never in two pieces.
type chunk struct {
	buf   []byte // windowMost bytes of room, then the piece
	n     int
	users atomic.Int32
}

func (c *chunk) bytes() []byte { return c.buf[windowMost : windowMost+c.n] }

// pump reads a stream in a goroutine of its own, a bounded number of chunks ahead of who parses it, and takes its digest in
// another.
type pump struct {
	full   chan *chunk // closed at the end of the stream
	free   chan *chunk
	err    error // why it ended, io.EOF in the best case; to be read when full is closed
	digest chan *chunk
	stop   chan struct{}
	once   sync.Once
	ended  chan struct{} // closed when nobody reads any more

	summed chan struct{} // closed when hash is final
	hash   hash.Hash
	length int64
}

// startPump begins to read.
func startPump(r io.Reader, digest bool) *pump {
	p := &pump{full: make(chan *chunk, chunkCount), free: make(chan *chunk, chunkCount), stop: make(chan struct{}), ended: make(chan struct{})}
	for range chunkCount {
		p.free <- &chunk{}
	}
	if digest {
		p.digest, p.summed, p.hash = make(chan *chunk, chunkCount), make(chan struct{}), sha256.New()
		go p.add()
	}
	go p.read(r)
	return p
}

// read fills chunks. A chunk goes on with whatever a read brought: who sends little at a time is not waited for.
func (p *pump) read(r io.Reader) {
	defer close(p.ended)
	defer func() {
		close(p.full)
		if p.digest != nil {
			close(p.digest)
		}
	}()
	for p.err == nil {
		c := p.empty()
		if c == nil {
			p.err = os.ErrClosed
			return
		}
		c.n, p.err = readSome(r, c.buf[windowMost:])
		if c.n == 0 {
			continue
		}
		c.users.Store(1)
		if p.digest != nil {
			c.users.Store(2)
			p.digest <- c // has room for all chunks there are
		}
		p.full <- c
	}
}

// readSome reads at least one byte. A reader that goes on bringing nothing is at its end.
func readSome(r io.Reader, b []byte) (int, error) {
	for range 100 {
		if n, err := r.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// empty waits for a chunk nobody uses; nil when the pump is to stop.
func (p *pump) empty() *chunk {
	select {
	case <-p.stop:
		return nil
	default:
	}
	select {
	case c := <-p.free:
		if c.buf == nil {
			c.buf = make([]byte, windowMost+chunkSize)
		}
		return c
	case <-p.stop:
		return nil
	}
}

// add takes the digest.
func (p *pump) add() {
	defer close(p.summed)
	for c := range p.digest {
		p.hash.Write(c.bytes())
		p.length += int64(c.n)
		p.release(c)
	}
}

// release gives a chunk back.
func (p *pump) release(c *chunk) {
	if c.users.Add(-1) == 0 {
		p.free <- c
	}
}

// sum returns the digest of a stream that has ended; nothing where it ended by an error.
func (p *pump) sum() (string, int64) {
	<-p.summed
	if !errors.Is(p.err, io.EOF) {
		return "", 0
	}
	return hex.EncodeToString(p.hash.Sum(nil)), p.length
}

// close tells the goroutines to end.
func (p *pump) close() { p.once.Do(func() { close(p.stop) }) }

// window is what is to be parsed next of a pump's stream.
type window struct {
	in  *pump
	cur *chunk
	b   []byte // what was read and not skipped
	err error

	idle func() // called before more is waited for; nil: nothing is
}

// need returns at least n bytes, at most windowMost, without skipping them, or fewer where there are no more. It ends the validity of what it returned
// before.
func (w *window) need(n int) []byte {
	if len(w.b) >= n {
		return w.b
	}
	return w.fill(n)
}

func (w *window) fill(n int) []byte {
	for len(w.b) < n && w.err == nil {
		if w.idle != nil && len(w.in.full) == 0 {
			w.idle()
		}
		select {
		case c, ok := <-w.in.full:
			if !ok {
				w.err = w.in.err
				break
			}
			from := windowMost - len(w.b)
			copy(c.buf[from:], w.b)
			w.b = c.buf[from : windowMost+c.n]
			if w.cur != nil {
				w.in.release(w.cur)
			}
			w.cur = c
		case <-w.in.stop:
			w.b, w.err = nil, os.ErrClosed
		}
	}
	return w.b
}

// skip leaves out n bytes that need returned.
func (w *window) skip(n int) { w.b = w.b[n:] }

// discard leaves out n bytes, however many. It reports whether they were there.
func (w *window) discard(n int64) bool {
	for n > 0 {
		have := min(int64(len(w.need(1))), n)
		if have == 0 {
			return false
		}
		w.skip(int(have))
		n -= have
	}
	return true
}

// ended returns why there are no more bytes than need returned: io.EOF at the end of the stream.
func (w *window) ended() error { return w.err }

// cut returns the error of a packet of which not all was there.
func (w *window) cut() error {
	if errors.Is(w.err, io.EOF) {
		return ErrTruncated
	}
	return w.err
}

// Read lets a decompressor read the stream.
func (w *window) Read(b []byte) (int, error) {
	have := w.need(1)
	if len(have) == 0 {
		return 0, w.err
	}
	n := copy(b, have)
	w.skip(n)
	return n, nil
}

// compression names what a stream that begins like this was compressed by.
func compression(b []byte) string {
	switch {
	case len(b) < 4:
		return ""
	case b[0] == 0x1f && b[1] == 0x8b:
		return "gzip"
	case string(b[:4]) == "\x28\xb5\x2f\xfd", b[0]&0xf0 == 0x50 && string(b[1:4]) == "\x2a\x4d\x18": // a frame; one that is to be passed over
		return "zstd"
	}
	return ""
}

// decompress returns a stream decompressed. What it begins with is read when it is first read from.
func decompress(by string, from io.Reader) io.Reader {
	return &decompressor{by: by, from: from}
}

type decompressor struct {
	by   string
	from io.Reader
	r    io.Reader
}

func (d *decompressor) Read(b []byte) (int, error) {
	if d.r == nil {
		if err := d.open(); err != nil {
			return 0, d.say(err)
		}
	}
	n, err := d.r.Read(b)
	return n, d.say(err)
}

func (d *decompressor) open() (err error) {
	if d.by == "gzip" {
		d.r, err = gzip.NewReader(bufio.NewReaderSize(d.from, 64<<10))
		return err
	}
	// With a concurrency of one it has no goroutines, and need not be closed.
	d.r, err = zstd.NewReader(d.from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	return err
}

// say puts an error of the compressed stream into the words of this package. An end inside is an end: what was decompressed until then
// stands, and the packet it was in says so.
func (d *decompressor) say(err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, os.ErrClosed):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	}
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, d.by, err)
}
