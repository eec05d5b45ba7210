package capture

import (
	"slices"
	"strings"
)

// Handshake messages and extensions of a ClientHello (RFC 8446, 4 and 4.2; RFC 6066, 3; RFC 7301, 3.1; RFC 9849).
const (
	helloClient = 1
	helloServer = 2

	extensionName     = 0
	extensionALPN     = 16
	extensionVersions = 43
	extensionECH      = 0xfe0d
	extensionESNI     = 0xffce // a draft of the same
)

const alpnMost = 16 // protocols that are kept

// helloWhole reports whether b holds a handshake message to its end, and where that is.
func helloWhole(b []byte) (bool, int) {
	if len(b) < 4 {
		return false, 0
	}
	n := 4 + (int(b[1])<<16 | int(b[2])<<8 | int(b[3]))
	return n <= len(b), n
}

// bites reads from a message of which the end may be missing: what does not fit is not there.
type bites struct {
	b   []byte
	bad bool
}

func (r *bites) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	x := r.b[:n]
	r.b = r.b[n:]
	return x
}

func (r *bites) number(size int) int {
	n := 0
	for _, x := range r.take(size) {
		n = n<<8 | int(x)
	}
	return n
}

// list takes what has its length before it, in so many bytes.
func (r *bites) list(size int) []byte { return r.take(r.number(size)) }

// readHello reads a ClientHello, from its message type on; of one that is cut off, the extensions that came whole. ok is false
// where it is none, or ends before its extensions.
func readHello(b []byte) (h *Hello, ok bool) {
	if len(b) < 4 || b[0] != helloClient {
		return nil, false
	}
	if whole, n := helloWhole(b); whole {
		b = b[:n]
	}
	r := &bites{b: b[4:]}
	h = &Hello{Version: uint16(r.number(2))}
	r.take(32) // random
	r.list(1)  // session
	r.list(2)  // cipher suites
	r.list(1)  // compression methods
	if r.bad || h.Version>>8 != 3 {
		return nil, false
	}
	if len(r.b) == 0 {
		return h, true // before extensions were invented
	}
	if n := r.number(2); n < len(r.b) {
		r.b = r.b[:n]
	}
	for len(r.b) > 0 {
		kind, body := r.number(2), r.list(2)
		if r.bad {
			break
		}
		h.extension(kind, &bites{b: body})
	}
	return h, true
}

func (h *Hello) extension(kind int, r *bites) {
	switch kind {
	case extensionName:
		names := bites{b: r.list(2)}
		for len(names.b) > 0 && h.Name == "" {
			if kind, name := names.number(1), names.list(2); kind == 0 && !names.bad {
				h.Name = hostName(name)
			}
		}
	case extensionALPN:
		all := bites{b: r.list(2)}
		for len(all.b) > 0 && len(h.ALPN) < alpnMost {
			// Some senders put values there that only test the other side; none is readable.
			if p := all.list(1); len(p) > 0 && !slices.ContainsFunc(p, func(c byte) bool { return c <= ' ' || c > '~' }) {
				h.ALPN = append(h.ALPN, string(p))
			}
		}
	case extensionVersions:
		all := bites{b: r.list(1)}
		for len(all.b) > 1 {
			if v := uint16(all.number(2)); v>>8 == 3 && v > h.Version {
				h.Version = v
			}
		}
	case extensionECH, extensionESNI:
		h.Encrypted = true
	}
}

// hostName returns a host's name in lower case and without a dot at its end; empty where it is none. Letters, digits, dots,
// hyphens and underscores are what names on the wire consist of.
func hostName(b []byte) string {
	if n := len(b); n > 0 && b[n-1] == '.' {
		b = b[:n-1]
	}
	if len(b) == 0 || len(b) > 253 {
		return ""
	}
	for _, c := range b {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return ""
		}
	}
	return strings.ToLower(string(b))
}
