package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// The parts of an exchange a redaction can be in. The first two are also the WARC types of their records.
const (
	partRequest  = "request"
	partResponse = "response"
	partURI      = "uri"
	partNote     = "note"
)

// Kinds of redaction, as data/redactions.jsonl names them.
const (
	kindSecret    = "secret"             // a secret the program was given, or one seen elsewhere in the run
	kindUser      = "user-name"          // a user name the program was given
	kindAuth      = "authorization"      // what a login header proves or is proved with
	kindCookie    = "cookie"             // a cookie's value
	kindURL       = "url-credential"     // user information or a credential parameter of a URL
	kindWSSE      = "login-element"      // UsernameToken and its kin, in XML or JSON
	kindPerson    = "person"             // an attribute of a person
	kindEvent     = "event-value"        // a value in an event that is not one of the harmless words
	kindImage     = "image"              // a picture, raw or in base64
	kindMedia     = "media"              // a body or frame declared to be picture, video or audio
	kindBlob      = "blob"               // a long run of base64
	kindUnreadble = "unreadable-content" // a body in an encoding that cannot be looked into
)

// redacted is an exchange fit for the disk.
type redacted struct {
	Exchange
	marks []mark
	cut   map[string]bool // parts that were cut at the limit
}

type mark struct {
	part, kind string
	count      int
}

// span is a stretch of bytes to be blotted out. learn says where else its text is looked for.
type span struct {
	from, to int
	kind     string
	learn    learning
}

// learning says where a login secret is looked for beside the place it was found in. What a device chose is looked for in its
// own exchange only: it must not blot out what another device says, nor our own report.
type learning int

const (
	learnNot     learning = iota
	learnHere             // in this exchange: what the device chose (a nonce, a cookie), a time
	learnRun              // in this exchange, and when we sent it, in the whole run: a digest, a nonce of ours
	learnRequest          // in this exchange, when we sent it: a password
	learnUser             // likewise, as a whole word: a user name
)

// slack is what is looked at beyond the limit of a record, so that a secret that straddles the limit is still whole.
const slack = 64 << 10

// redact returns the exchange without credentials, pictures and personal data. What is blotted out keeps its length, except
// for the values of persons and events.
func (s *scrubber) redact(e Exchange, limit int) redacted {
	r := redacted{Exchange: e, cut: map[string]bool{}}
	r.Protocol = protocolName(e.Protocol)
	var notes []string
	if e.Note != "" {
		notes = append(notes, clean.Text(e.Note, 2000))
	}
	parts := []struct {
		name string
		buf  *[]byte
	}{{partRequest, &r.Request}, {partResponse, &r.Response}}
	here := &literals{}
	all := make([][]span, len(parts))
	for i, p := range parts {
		buf, note := decode(clipTo(*p.buf, limit+slack), limit+slack)
		if note != "" {
			notes = append(notes, p.name+": "+note)
		}
		r.cut[p.name] = len(*p.buf) > limit+slack
		*p.buf = buf
		all[i] = structural(buf, r.Protocol)
		s.learn(here, buf, all[i], p.name == partRequest)
	}
	for i, p := range parts {
		out, marks := s.blot(*p.buf, all[i], here, p.name)
		out, more := s.blot(hideLengths(out, all[i]), nil, here, p.name) // what moved together can have completed a secret
		marks = append(marks, more...)
		if len(out) > limit {
			out, r.cut[p.name] = out[:limit:limit], true
		}
		if r.cut[p.name] {
			notes = append(notes, fmt.Sprintf("%s: cut at %d bytes", p.name, limit))
		}
		*p.buf = out
		r.marks = append(r.marks, marks...)
	}
	r.URI = r.small(s, clipString(e.URI, 4096), here, partURI)
	r.Note = r.small(s, strings.Join(notes, "; "), here, partNote)
	return r
}

func (r *redacted) small(s *scrubber, text string, here *literals, part string) string {
	out, marks := s.blot([]byte(text), urlSpans([]byte(text)), here, part)
	r.marks = append(r.marks, marks...)
	return string(out)
}

// Redact is what Record does to a request or a response of a protocol, without decoding or cutting: the result has the
// length of the input, and the input is left alone.
func (s *scrubber) Redact(protocol string, b []byte) []byte {
	spans := structural(b, protocolName(protocol))
	here := &literals{}
	s.learn(here, b, spans, true)
	out, _ := s.blot(b, spans, here, partRequest)
	return out
}

// structural finds what is to be blotted out by where it stands.
func structural(b []byte, protocol string) []span {
	spans := headerSpans(b)
	spans = append(spans, urlSpans(b)...)
	spans = append(spans, markupSpans(b)...)
	spans = append(spans, jsonSpans(b)...)
	spans = append(spans, imageSpans(b)...)
	if protocol == "rtsp" {
		spans = append(spans, interleavedSpans(b)...)
	}
	return spans
}

// blot fills the spans and every literal, until nothing is left to find: a fill can, next to an asterisk of the device's
// own, complete a secret that has asterisks in it.
func (s *scrubber) blot(b []byte, spans []span, here *literals, part string) ([]byte, []mark) {
	out := slices.Clone(b)
	count := map[string]int{}
	for range 8 {
		for _, x := range spans {
			if fill(out[x.from:x.to]) {
				count[x.kind]++
			}
		}
		if spans = s.literalSpans(out, here); len(spans) == 0 {
			break
		}
	}
	var marks []mark
	for kind, n := range count {
		marks = append(marks, mark{part, kind, n})
	}
	slices.SortFunc(marks, func(a, b mark) int { return strings.Compare(a.kind, b.kind) })
	return out, marks
}

// fill overwrites with asterisks and reports whether it changed anything. White space stays, because lines and the folds
// of headers hold the rest of a message together.
func fill(b []byte) bool {
	changed := false
	for i, c := range b {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '*' {
			continue
		}
		b[i], changed = '*', true
	}
	return changed
}

// protocolName makes the protocol's name fit for a media type and a URN.
func protocolName(p string) string {
	p = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, strings.ToLower(p))
	switch p {
	case "":
		return "tcp"
	case "https":
		return "http"
	case "rtsps":
		return "rtsp"
	}
	return clipString(p, 32)
}

func clipTo(b []byte, n int) []byte {
	if len(b) > n {
		return b[:n:n]
	}
	return b
}

func clipString(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
