package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Entry is one line of the journal. Prev is the SHA-256 of the line before, without its line feed, and 64 zeros in the
// first line: whoever changes, drops or moves a line breaks the chain.
type Entry struct {
	Seq    int64           `json:"seq"` // from 1
	At     time.Time       `json:"at"`  // UTC
	Event  string          `json:"event"`
	Fields json.RawMessage `json:"fields"`
	Prev   string          `json:"prev"`
}

// JournalError says from which line on a journal cannot be trusted.
type JournalError struct {
	Line int // from 1
	Why  string
}

func (e *JournalError) Error() string {
	return fmt.Sprintf("evidence: journal line %d: %s", e.Line, e.Why)
}

// maxLine is the longest line of a journal that is written or read.
const maxLine = 1 << 20

// ReadJournal reads a journal and checks its chain. It returns the lines up to the first that does not fit, and a
// JournalError for that one. A process that was killed can leave a last line without an end; it is such a line.
func ReadJournal(r io.Reader) ([]Entry, error) {
	entries, _, err := readJournal(r)
	return entries, err
}

// readJournal also returns the digest of the last good line.
func readJournal(r io.Reader) ([]Entry, string, error) {
	var out []Entry
	head := firstPrev
	br := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(br)
		if errors.Is(err, io.EOF) {
			return out, head, nil
		}
		if err != nil {
			return out, head, &JournalError{n, err.Error()}
		}
		e, why := decodeEntry(line)
		switch {
		case why != "":
		case e.Seq != int64(n):
			why = fmt.Sprintf("is number %d", e.Seq)
		case e.Prev != head:
			why = "does not follow the line before it"
		}
		if why != "" {
			return out, head, &JournalError{n, why}
		}
		out, head = append(out, e), sha256Hex(line)
	}
}

var firstPrev = strings.Repeat("0", 64)

func decodeEntry(line []byte) (Entry, string) {
	var e Entry
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, "is not a journal entry"
	}
	if d.InputOffset() != int64(len(line)) {
		return e, "has something after the entry"
	}
	return e, ""
}

// readLine returns a line without its line feed, io.EOF at the end, and an error for a line that is too long or has no end.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errors.New("is too long")
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, errors.New("has no end")
		default:
			return nil, err
		}
	}
}

// journal writes the chain.
type journal struct {
	mu    sync.Mutex
	out   *appender
	clock func() time.Time
	seq   int64
	head  string
}

func newJournal(path string, o Options) (*journal, error) {
	out, err := newAppender(path, o)
	return &journal{out: out, clock: o.Clock, head: firstPrev}, err
}

func (j *journal) append(event string, fields map[string]any, scrub func([]byte) []byte) {
	if fields == nil {
		fields = map[string]any{}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		raw, _ = json.Marshal(map[string]any{"unreadable": err.Error()})
	}
	if raw = scrub(raw); len(raw) > maxLine/2 {
		raw, _ = json.Marshal(map[string]any{"too_long": len(raw)})
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e := Entry{Seq: j.seq + 1, At: j.clock().UTC(), Event: string(scrubString(scrub, event)), Fields: raw, Prev: j.head}
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	if j.out.append(append(line, '\n')) == nil {
		j.seq, j.head = e.Seq, sha256Hex(line)
	}
}

func (j *journal) close() error { return j.out.close() }

// scrubString scrubs a string that is not JSON itself.
func scrubString(scrub func([]byte) []byte, s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return s
	}
	var out string
	if json.Unmarshal(scrub(raw), &out) != nil {
		return s
	}
	return out
}
