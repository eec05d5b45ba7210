package capture

import (
	b64 "encoding/base64"
	"strings"
)

// RTSP is tunnelled through two HTTP connections that name the same cookie: what the client says goes through a POST, in base64; what the server
// says through the answer to a GET, as it is.

const (
	cookieField = "x-sessioncookie"
	maxTunnels  = 1024 // whose two connections are brought together
	quad        = 4    // letters of base64 that stand for three bytes
)

// tunnelKey names a tunnel.
type tunnelKey struct {
	key    key // of a conversation of its client, without the client's port
	cookie string
}

// tunnels are those of which the GET is held.
type tunnels map[tunnelKey]*rtspConn

// tunnel is one connection of a tunnel.
type tunnel struct {
	rtsp   *rtspConn
	posted bool // the POST: only the client speaks
	mine   bool // it is the connection that ends the conversation
	key    tunnelKey

	in     keep // the head of the answer to a GET
	opened bool // what follows is RTSP
	shut   bool // what follows is not
	quad   [quad]byte
	have   int
}

// newTunnel begins to read one connection of a tunnel: m is its request, or the answer where that was seen first. A POST is joined to its
// GET, where that was seen before; of one without, what the client says is read by itself.
func newTunnel(c *conn, m *Message) *tunnel {
	k := tunnelKey{key: c.key, cookie: strings.Clone(m.Header.Get(cookieField))}
	if c.client == lo {
		k.key.loPort = 0
	} else {
		k.key.hiPort = 0
	}
	t := &tunnel{posted: m.Method == "POST", key: k}
	if t.posted && c.e.tunnels[k] != nil {
		t.rtsp = c.e.tunnels[k]
		return t
	}
	t.rtsp, t.mine = &rtspConn{asked: true}, true
	if m.Status != 0 {
		t.opened, t.shut = m.Status == 200, m.Status != 200
		return t
	}
	if !t.posted && k.cookie != "" && len(c.e.tunnels) < maxTunnels {
		if c.e.tunnels == nil {
			c.e.tunnels = tunnels{}
		}
		c.e.tunnels[k] = t.rtsp
	}
	return t
}

func (t *tunnel) data(c *conn, up bool, b []byte) {
	switch {
	case t.shut || t.rtsp.over || up != t.posted:
	case up:
		t.decode(c, b)
	case t.opened:
		t.rtsp.data(c, false, b)
	default:
		t.answer(c, b)
	}
}

// answer reads the head of the answer to a GET. What follows it is RTSP only where the server agreed.
func (t *tunnel) answer(c *conn, b []byte) {
	whole, rest, state := t.in.head(c, b)
	if state == wait {
		return
	}
	p, ok := head{}, false
	if state == yes {
		p, ok = parseHead(whole, nameHTTP)
	}
	t.in.drop(c)
	if t.opened = ok && p.m.Status == 200 && p.tunnel; !t.opened {
		t.shut, c.deaf = true, true
		return
	}
	if len(rest) > 0 {
		t.rtsp.data(c, false, rest)
	}
}

// decode reads what the client says. Each message is a text of base64 of its own, which may end with signs that stand for nothing.
func (t *tunnel) decode(c *conn, b []byte) {
	out := make([]byte, 0, len(b)/quad*3+3)
	for _, x := range b {
		if x == '\r' || x == '\n' || x == ' ' {
			continue
		}
		t.quad[t.have] = x
		if t.have++; t.have < quad {
			continue
		}
		t.have = 0
		var d [3]byte
		n, err := b64.StdEncoding.Decode(d[:], t.quad[:])
		if err != nil {
			t.shut, c.deaf = true, true
			break
		}
		out = append(out, d[:n]...)
	}
	if len(out) > 0 {
		t.rtsp.data(c, true, out)
	}
}

// hole goes on behind a gap: on the client's side with the next segment, which begins a message as a rule.
func (t *tunnel) hole(c *conn, up bool, n int64) {
	switch {
	case t.shut || t.rtsp.over || up != t.posted:
	case up:
		t.have = 0
		t.rtsp.hole(c, true, 0)
	case t.opened:
		t.rtsp.hole(c, false, n)
	default:
		t.in.drop(c)
		t.opened = true // whether the server agreed will show
		t.rtsp.hole(c, false, 0)
	}
}

func (t *tunnel) end(c *conn) {
	t.in.drop(c)
	if !t.mine {
		return // the answers may still come
	}
	t.rtsp.end(c)
	t.rtsp.over = true
	if c.e.tunnels[t.key] == t.rtsp {
		delete(c.e.tunnels, t.key)
	}
}
