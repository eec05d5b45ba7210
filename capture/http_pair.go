package capture

import (
	"slices"
	"time"
)

const (
	maxHeads    = 16                     // requests whose heads wait for their answers, of one conversation
	maxWaiting  = 256                    // requests that wait at all
	strayWindow = 2 * time.Millisecond   // a capture may show an answer before its request
	settled     = 300 * time.Millisecond // of silence, after which nothing is under way any more
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
	sure := h.doubt == [2]bool{}
	early := sure && h.ahead == 1 && c.at.Sub(h.strayed) < strayWindow
	odd := sure && len(h.waiting) > 0 && !h.lastUp // the server spoke, and yet did not answer
	if !sure || h.unpaired || odd || h.ahead > 0 && !early {
		h.doubted(c, odd)
	}
	h.ahead = 0
	switch {
	case h.unpaired, early:
		return
	case len(h.waiting) >= maxWaiting:
		h.unpaired = true
		h.forget(c)
		return
	}
	w := waiting{bare: p.m.Method == "HEAD", tube: p.m.Method == "CONNECT"}
	if c.reserve(p.bytes) {
		p.m.held++ // for the answer
		w.m, w.size = p.m, p.bytes
	}
	h.waiting = append(h.waiting, w)
	h.piped = h.piped || len(h.waiting) > 1
	if old := len(h.waiting) - maxHeads - 1; old >= 0 { // the oldest comes without its request
		c.release(h.waiting[old].size)
		c.e.forgo(h.waiting[old].m)
		h.waiting[old].m, h.waiting[old].size = nil, 0
	}
}

// doubted decides, where something is missing, whether the pairing begins anew with a request. It does after silence, since all
// was answered then, or where the client waited for an answer before it asked. A request that had waited behind a gap of
// packets is neither: its answer may long be there.
func (h *httpConn) doubted(c *conn, odd bool) {
	late := h.doubt[0] && h.gapFrame == c.frame
	switch {
	case !late && c.at.Sub(h.last) >= settled:
		h.unpaired, h.piped = false, false
	case odd || late || h.piped || h.lastUp || h.ahead > 0:
		h.unpaired = true
	}
	h.doubt = [2]bool{}
	h.forget(c)
}

// answerTo returns the request that the next answer is for. What it had reserved is the caller's.
func (h *httpConn) answerTo(c *conn) (w waiting, known bool) {
	if h.unpaired || h.doubt[1] { // it may have waited behind a gap, and later requests not
		return w, false
	}
	if len(h.waiting) == 0 {
		h.ahead++
		h.strayed = c.at
		return w, false
	}
	w = h.waiting[0]
	if h.waiting = slices.Delete(h.waiting, 0, 1); len(h.waiting) == 0 && cap(h.waiting) > 2 {
		h.waiting = nil
	}
	return w, true
}

// lost says that packets of one side are missing. Which of the waiting requests the server's held an answer to nobody knows.
func (h *httpConn) lost(c *conn, up bool) {
	if up {
		h.doubt[0], h.gapFrame = true, c.frame
		return
	}
	h.doubt[1], h.unpaired = true, h.unpaired || h.piped
	h.forget(c)
}

// forget drops what waits for an answer.
func (h *httpConn) forget(c *conn) {
	for i := range h.waiting {
		c.release(h.waiting[i].size)
		c.e.forgo(h.waiting[i].m)
	}
	h.waiting = nil
}
