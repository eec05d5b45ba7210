package isapi

import (
	"bytes"
	"encoding/json"
	"strings"
)

const (
	maxPart     = 256 << 10 // of one alarm; what is longer is dropped
	maxLine     = 4 << 10   // of a part's head
	maxHead     = 32        // lines of a part's head
	maxPreamble = 8 << 10   // before the first part
	maxRecord   = 96 << 10  // of what is kept for the record
)

// Alerts reads the stream of alarms piece by piece: a multipart body of which pictures are dropped unread and lengths are not
// believed. The first line that begins with "--" separates the parts, whatever the head of the answer said; alarms that
// stand before it, or without any, are read too. What it counts is in Tally; what may be recorded, in Record. The zero value is ready.
type Alerts struct {
	Tally Tally

	delimiter []byte // "--boundary"
	pending   []byte // not yet looked at
	part      []byte
	state     alertState
	preamble  int
	lines     int
	kind      string // media type of the part
	fresh     bool   // nothing of the part's body was passed yet
	cut       bool   // the part was too long, or is no text
	record    bytes.Buffer
	beats     int
	seen      map[string]bool
}

type alertState int

const (
	before alertState = iota // no separator yet
	bare                     // alarms without a separator
	inHead
	inBody
	otherwise // it is no stream of alarms
)

// Take reads a piece of the stream and reports whether there is no use in more: it is something else.
func (a *Alerts) Take(b []byte) bool {
	for len(b) > 0 { // in bounded pieces, so that what is pending stays small
		n := min(len(b), 16<<10)
		a.pending = append(a.pending, b[:n]...)
		b = b[n:]
		for a.step() {
		}
	}
	return a.state == otherwise
}

// Close reads a last part that nothing came after. It reports false where something came that is no stream of alarms.
func (a *Alerts) Close() bool {
	if a.state == before && alarmed(a.pending) {
		a.state = bare
	}
	switch a.state {
	case inBody:
		a.keep(a.pending)
		a.end()
	case bare:
		a.keep(a.pending)
		return a.bares()
	case before:
		return a.preamble+len(a.pending) == 0
	}
	return a.delimiter != nil
}

// alarmed reports whether a stream begins like an alarm rather than with a separator or a page.
func alarmed(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n\ufeff")
	return bytes.HasPrefix(b, []byte("{")) || bytes.HasPrefix(b, []byte("<?xml")) || bytes.HasPrefix(b, []byte("<EventNotificationAlert"))
}

// bares reads the alarms that came without a separator, one after the other, and reports whether there were any.
func (a *Alerts) bares() bool {
	found := false
	for rest := bytes.TrimSpace(a.part); len(rest) > 0 && !a.cut; rest = bytes.TrimSpace(rest) {
		var one []byte
		if rest[0] == '{' {
			d := json.NewDecoder(bytes.NewReader(rest))
			var raw json.RawMessage
			if d.Decode(&raw) != nil {
				break
			}
			one, rest = raw, rest[d.InputOffset():]
		} else {
			const end = "</EventNotificationAlert>"
			i := bytes.Index(rest, []byte(end))
			if i < 0 {
				break
			}
			one, rest = rest[:i+len(end)], rest[i+len(end):]
		}
		found = a.alarm(one) || found
	}
	a.part, a.cut = a.part[:0], false
	return found
}

// unparted goes on in alarms that no separator was seen for yet.
func (a *Alerts) unparted() bool {
	at := bytes.Index(a.pending, []byte("\n--"))
	if at < 0 {
		if spare := len(a.pending) - len("\n--"); spare > 0 {
			a.keep(a.pending[:spare])
			a.pending = a.pending[spare:]
		}
		if a.cut {
			a.state = otherwise
		}
		return false
	}
	a.keep(a.pending[:at])
	a.pending = a.pending[at+1:]
	a.bares()
	a.state = before
	return true
}

// step goes on by one line or part, and reports whether it did.
func (a *Alerts) step() bool {
	switch a.state {
	case bare:
		return a.unparted()
	case before:
		if a.preamble == 0 && alarmed(a.pending) {
			a.state = bare
			return true
		}
		line, ok := a.line()
		if !ok {
			return false
		}
		a.preamble += len(line) + 1
		switch d := bytes.TrimSpace(line); {
		case bytes.HasPrefix(d, []byte("--")) && len(d) > 2 && len(d) <= 80:
			a.delimiter = bytes.Clone(d)
			a.head()
		case a.preamble > maxPreamble:
			a.state = otherwise
		}
		return a.state != otherwise
	case inHead:
		line, ok := a.line()
		if !ok {
			return false
		}
		a.headLine(bytes.TrimSpace(line))
		return true
	case inBody:
		return a.body()
	}
	a.pending = nil
	return false
}

// line takes a whole line from what is pending.
func (a *Alerts) line() ([]byte, bool) {
	i := bytes.IndexByte(a.pending, '\n')
	if i < 0 && len(a.pending) <= maxLine {
		return nil, false
	}
	if i < 0 || i > maxLine { // nothing of ours has such lines
		if a.state == before {
			a.state, a.pending = otherwise, nil
			return nil, false
		}
		i = min(len(a.pending)-1, maxLine)
	}
	line := a.pending[:i]
	a.pending = a.pending[i+1:]
	return line, true
}

func (a *Alerts) head() { a.state, a.lines, a.kind = inHead, 0, "" }

func (a *Alerts) headLine(line []byte) {
	a.lines++
	name, value, _ := strings.Cut(string(line), ":")
	switch {
	case bytes.HasPrefix(line, a.delimiter):
		a.head() // the end of a part, written twice
	case len(line) == 0 || a.lines > maxHead:
		a.state, a.part, a.fresh, a.cut = inBody, a.part[:0], true, media(a.kind)
	case strings.EqualFold(strings.TrimSpace(name), "Content-Type"):
		a.kind = strings.ToLower(strings.TrimSpace(value))
	}
}

// media reports a part that is dropped unread.
func media(kind string) bool {
	for _, p := range []string{"image/", "video/", "audio/", "application/octet-stream"} {
		if strings.HasPrefix(kind, p) {
			return true
		}
	}
	return false
}

// body looks for the end of the part.
func (a *Alerts) body() bool {
	at := bytes.Index(a.pending, append([]byte("\n"), a.delimiter...))
	switch {
	case a.fresh && bytes.HasPrefix(a.pending, a.delimiter):
		at = 0
	case at >= 0:
		a.keep(a.pending[:at])
		at++
	default:
		if spare := len(a.pending) - len(a.delimiter) - 1; spare > 0 {
			a.keep(a.pending[:spare])
			a.pending, a.fresh = a.pending[spare:], false
		}
		return false
	}
	a.end()
	a.pending = a.pending[at:]
	a.head()
	return true
}

func (a *Alerts) keep(b []byte) {
	if a.cut || len(a.part)+len(b) > maxPart {
		a.cut = true
		return
	}
	a.part = append(a.part, b...)
}

// end reads a whole part.
func (a *Alerts) end() {
	text := bytes.TrimSpace(a.part)
	a.part = a.part[:0]
	switch {
	case media(a.kind):
		a.Tally.Images++
		a.note("(picture, dropped unread)")
		return
	case a.cut:
		a.Tally.Dropped++
		a.note("(too long, dropped)")
		return
	case len(text) == 0:
		return
	}
	a.alarm(text)
}

// alarm counts one alarm, and reports whether it was one.
func (a *Alerts) alarm(text []byte) bool {
	e, ok := readAlert(text)
	if !ok {
		a.Tally.Dropped++
		a.note("(not an alarm, dropped)")
		return false
	}
	if a.seen == nil {
		a.seen = map[string]bool{}
	}
	a.Tally.count(e, a.seen)
	if e.beat {
		if a.beats++; a.beats > 1 {
			return true // one is enough for the record
		}
	}
	a.note(string(Skeleton(text)))
	return true
}

// note adds a part to the record, with nothing of a person in it.
func (a *Alerts) note(text string) {
	if a.record.Len()+len(text) > maxRecord {
		return
	}
	a.record.Write(a.delimiter)
	a.record.WriteString("\r\n\r\n" + text + "\r\n")
}

// Record returns what may be recorded of the stream: the names of everything in the alarms, the values that say what kind of
// alarm it was, and where pictures were.
func (a *Alerts) Record() []byte { return bytes.Clone(a.record.Bytes()) }
