package capture

import (
	"bytes"
	"strings"
)

// What is kept of a head, and how long one may be.
const (
	maxHead   = 64 << 10
	maxFields = 64
	maxField  = 1 << 10
	maxTarget = 2 << 10
)

// Lengths of a body that no number states.
const (
	noLength  = -1 // none was stated
	badLength = -2 // it was stated more than once, and differently, or is no number
)

// head is the head of a message of HTTP's grammar, with what delimits and describes its body.
type head struct {
	m        *Message
	bytes    int    // it keeps in memory
	length   int64  // Content-Length, or one of the above
	chunked  bool   // the body is
	muddled  bool   // transfer codings that say nothing about where the body ends
	wrapped  bool   // another transfer coding is around it
	coding   string // of the content; empty: none
	media    string // in lower case, without parameters
	boundary string // of a multipart body
	upgrade  bool
	tunnel   bool // it carries RTSP
	cseq     string
	host     string
	short    bool // SIP's short names of fields count
}

// headEnd returns where the head in b ends, behind its empty line; -1 where it does not. Its first bytes were looked at before.
func headEnd(b []byte, before int) int {
	for i := before; ; i++ {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return -1
		}
		i += j
		if i == 0 || b[i-1] == '\n' || b[i-1] == '\r' && (i == 1 || b[i-2] == '\n') {
			return i + 1
		}
	}
}

// parseHead reads a whole head of the protocol into a new message; ok is false where its first line is none of it. What
// authenticates is removed.
func parseHead(b []byte, protocol string) (h head, ok bool) {
	return parseHeadInto(&Message{}, b, protocol)
}

// parseHeadInto is parseHead for a message that was used before.
func parseHeadInto(m *Message, b []byte, protocol string) (h head, ok bool) {
	s := string(b)
	line, rest := cutLine(s)
	h = head{m: m, bytes: len(s), length: noLength, short: protocol == nameSIP}
	if !h.startLine(line, protocol) {
		return h, false
	}
	h.fields(rest)
	return h, true
}

func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// startLine reads a request's or a status line.
func (h *head) startLine(line, protocol string) bool {
	if strings.HasPrefix(line, protocol) {
		status, ok := statusOf(line, protocol)
		h.m.Status = status
		return ok
	}
	line = strings.TrimRight(line, " \t")
	method, rest, ok := strings.Cut(line, " ")
	last := strings.LastIndexByte(rest, ' ')
	if !ok || last < 0 || !isMethod(method) || !isVersion(rest[last+1:], protocol) {
		return false
	}
	target := strings.TrimSpace(rest[:last])
	if len(target) > maxTarget {
		target = target[:maxTarget]
		h.m.Cut |= CutLimit
	}
	h.m.Method, h.m.Target = method, hideURL(target)
	return target != ""
}

// statusOf reads "HTTP/1.1 200 OK"; some devices leave the reason and the space before it away.
func statusOf(line, protocol string) (int, bool) {
	version, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	if !isVersion(version, protocol) || len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return 0, false
	}
	n := 0
	for i := range 3 {
		d := rest[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int(d)
	}
	return n, n >= 100
}

// isMethod reports a method of HTTP, of what is built on it, of RTSP or of SIP. Any word would do by their grammars, but a word
// that is cut would then be one too.
func isMethod[T string | []byte](s T) bool {
	switch string(s) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
		"NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH", "M-POST",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT",
		"DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "RECORD", "REDIRECT",
		"REGISTER", "MESSAGE", "INVITE", "ACK", "BYE", "CANCEL", "INFO", "PRACK", "UPDATE", "REFER", "PUBLISH":
		return true
	}
	return false
}

// isVersion reports "HTTP/1.1" and the like: the protocol's name up to its major version, and a digit or two.
func isVersion[T string | []byte](s T, protocol string) bool {
	if len(s) <= len(protocol) || len(s) > len(protocol)+2 || string(s[:len(protocol)]) != protocol {
		return false
	}
	for i := len(protocol); i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// fields reads the lines of a head up to its empty one. Of all of them it learns where the body ends, the first maxFields it keeps.
func (h *head) fields(s string) {
	if lines := min(strings.Count(s, "\n"), maxFields); lines > cap(h.m.Header) {
		h.m.Header = make(Header, 0, lines)
	}
	for s != "" {
		var line string
		if line, s = cutLine(s); line == "" {
			return
		}
		for s != "" && (s[0] == ' ' || s[0] == '\t') && strings.Trim(line, " \t") != "" { // folded
			var more string
			if more, s = cutLine(s); len(line) < 2*maxField {
				line += " " + strings.TrimLeft(more, " \t")
			}
		}
		h.field(line)
	}
}

func (h *head) field(line string) {
	name, value, ok := strings.Cut(line, ":")
	if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" {
		return
	}
	h.learn(name, value)
	if len(h.m.Header) >= maxFields {
		h.m.Cut |= CutLimit
		return
	}
	value = hideValue(name, value)
	if len(name)+len(value) > maxField {
		name = name[:min(len(name), maxField)]
		value = value[:max(0, min(len(value), maxField-len(name)))]
		h.m.Cut |= CutLimit
	}
	h.m.Header = append(h.m.Header, Field{name, value})
}

// learn takes what a field says of the body and of the message's place among others.
func (h *head) learn(name, value string) {
	if h.short && len(name) == 1 {
		name = longName(name)
	}
	switch len(name) { // of the names below
	case 4, 6, 7, 12, 14, 16, 17:
	default:
		return
	}
	switch {
	case strings.EqualFold(name, "Host"):
		h.host = value
	case strings.EqualFold(name, "CSeq"):
		h.cseq, _, _ = strings.Cut(value, " ")
	case strings.EqualFold(name, "Content-Length"):
		h.setLength(value)
	case strings.EqualFold(name, "Content-Type"):
		h.setType(value)
	case strings.EqualFold(name, "Content-Encoding"):
		h.setCoding(value)
	case strings.EqualFold(name, "Transfer-Encoding"):
		h.setTransfer(value)
	case strings.EqualFold(name, "Upgrade"):
		h.upgrade = true
	case strings.EqualFold(name, "Accept"):
		h.tunnel = h.tunnel || strings.EqualFold(value, tunnelled)
	}
}

// longName returns what a short name of SIP stands for (RFC 3261 7.3.3).
func longName(name string) string {
	switch name {
	case "l", "L":
		return "Content-Length"
	case "c", "C":
		return "Content-Type"
	case "e", "E":
		return "Content-Encoding"
	}
	return name
}

const tunnelled = "application/x-rtsp-tunnelled"

// setLength reads a length that may be there more than once, and says so only where all agree (RFC 9110 8.6).
func (h *head) setLength(value string) {
	for v := range strings.SplitSeq(value, ",") {
		n, ok := decimal(strings.TrimSpace(v))
		if !ok || h.length != noLength && h.length != n {
			h.length = badLength
			return
		}
		h.length = n
	}
}

func decimal(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

func (h *head) setType(value string) {
	media, params, _ := strings.Cut(value, ";")
	h.media = strings.ToLower(strings.TrimSpace(media))
	h.tunnel = h.tunnel || h.media == tunnelled
	if strings.HasPrefix(h.media, "multipart/") {
		h.boundary = param(params, "boundary")
	}
}

func (h *head) setCoding(value string) {
	for v := range strings.SplitSeq(value, ",") {
		switch v = strings.ToLower(strings.TrimSpace(v)); {
		case v == "" || v == "identity":
		case h.coding == "":
			h.coding = v
		default:
			h.coding = "several"
		}
	}
}

func (h *head) setTransfer(value string) {
	for v := range strings.SplitSeq(value, ",") {
		switch v = strings.ToLower(strings.TrimSpace(v)); {
		case v == "" || v == "identity":
		case h.chunked: // something is around the chunks, or they are there twice
			h.muddled = true
		case v == "chunked":
			h.chunked = true
		default:
			h.wrapped = true
			h.setCoding(v)
		}
	}
}

// param returns a parameter of a field's value, without its quotes; empty where it is not there.
func param(params, name string) string {
	for params != "" {
		var p string
		if p, params = cutParam(params); p == "" {
			continue
		}
		if k, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return ""
}

// cutParam cuts at the next semicolon that is not inside quotes.
func cutParam(s string) (p, rest string) {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return strings.TrimSpace(s[:i]), s[i+1:]
			}
		}
	}
	return strings.TrimSpace(s), ""
}

// dropped reports a media type of which only the size counts.
func dropped(media string) bool {
	for _, p := range [...]string{"image/", "video/", "audio/", "font/", "application/octet-stream", "multipart/", tunnelled} {
		if strings.HasPrefix(media, p) {
			return true
		}
	}
	return false
}

// noText reports that bytes are no text, whatever their media type says: a picture by its first bytes, or control characters.
func noText(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) { // UTF-16
		return false
	}
	for _, p := range [...]string{"\xff\xd8", "\x89PN", "GIF8", "RIFF", "II*\x00", "MM\x00*"} {
		if len(b) >= len(p) && string(b[:len(p)]) == p {
			return true
		}
	}
	for _, c := range b[:min(len(b), peek)] {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			return true
		}
	}
	return false
}

// peek is how many bytes of a body are looked at to tell whether it is text.
const peek = 32
