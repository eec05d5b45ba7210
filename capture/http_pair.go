package capture

import (
	"slices"
	"time"
)

const (
	maxHeads    = 16                   // requests whose heads wait for their answers, of one conversation
	maxWaiting  = 256                  // requests that wait at all
	strayWindow = 2 * time.Millisecond // a capture may show an answer before its request
	settled     = time.Second          // of silence, after which nothing is under way any more
)

// waiting is a request that was not answered. m is nil where its head is not kept.
type waiting struct {
	m    *Message
	size int
	bare bool // HEAD: the answer has no body
	tube bool // CONNECT
}

// ask notes a request that waits for its answer.
func (h *httpConn) ask(c *conn, p *head) {
	if h.doubt != [2]bool{} || h.unpaired {
		// A client that asks one thing after the other asks when it was answered.
		quiet := c.at.Sub(h.last) >= settled
		h.unpaired = !quiet && (h.unpaired || h.piped || h.lastUp)
		h.doubt, h.piped = [2]bool{}, h.piped && h.unpaired
		h.forget(c)
	}
	stray := h.stray && c.at.Sub(h.strayed) < strayWindow
	h.stray = false
	switch {
	case h.unpaired, stray:
		return
	case len(h.waiting) >= maxWaiting:
		h.unpaired = true
		h.forget(c)
		return
	}
	w := waiting{bare: p.m.Method == "HEAD", tube: p.m.Method == "CONNECT"}
	if c.reserve(p.bytes) {
		w.m, w.size = &Message{Method: p.m.Method, Target: p.m.Target, Header: p.m.Header, Size: -1, Cut: p.m.Cut}, p.bytes
	}
	h.waiting = append(h.waiting, w)
	h.piped = h.piped || len(h.waiting) > 1
	if old := len(h.waiting) - maxHeads - 1; old >= 0 { // the oldest comes without its request
		c.release(h.waiting[old].size)
		h.waiting[old].m, h.waiting[old].size = nil, 0
	}
}

// answerTo returns the request that the next answer is for. What it had reserved is the caller's.
func (h *httpConn) answerTo(c *conn) (w waiting, known bool) {
	if h.doubt == [2]bool{true, true} { // the answer may be lost, and so may be a later request
		h.forget(c)
	}
	if h.unpaired {
		return w, false
	}
	if len(h.waiting) == 0 {
		h.stray, h.strayed = true, c.at
		return w, false
	}
	w = h.waiting[0]
	if h.waiting = slices.Delete(h.waiting, 0, 1); len(h.waiting) == 0 {
		h.waiting = nil
	}
	return w, true
}

// lost says that packets of one side are missing. Of several requests that wait, nobody knows then which are answered.
func (h *httpConn) lost(c *conn, up bool) {
	if up {
		h.doubt[0] = true
		return
	}
	h.doubt[1] = true
	if h.piped {
		h.unpaired = true
		h.forget(c)
	}
}

// forget drops what waits for an answer.
func (h *httpConn) forget(c *conn) {
	for i := range h.waiting {
		c.release(h.waiting[i].size)
	}
	h.waiting = nil
}
