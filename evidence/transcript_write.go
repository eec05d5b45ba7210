package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// transcript writes exchanges as WARC 1.1 records, one gzip member per record, and beside them what was redacted in them.
type transcript struct {
	mu     sync.Mutex
	clock  func() time.Time
	max    int64
	out    *appender
	marks  *appender
	count  uint64
	full   bool
	closed bool
}

func newTranscript(path, redactions string, o Options) (*transcript, error) {
	out, err := newAppender(path, o)
	if err != nil {
		return nil, err
	}
	marks, err := newAppender(redactions, o)
	if err != nil {
		return nil, errors.Join(err, out.close())
	}
	t := &transcript{clock: o.Clock, max: o.MaxTranscript, out: out, marks: marks}
	_, err = t.write(warcInfo(o, t.nextID([]byte(o.RunID))))
	return t, err
}

// Redaction is one line of data/redactions.jsonl: how often something of a kind was blotted out of a part of a record.
type Redaction struct {
	Record string `json:"record"`
	Part   string `json:"part"` // request, response, uri, note
	Kind   string `json:"kind"`
	Count  int    `json:"count"`
}

// append writes the records of one exchange. full is true for the one call that found the transcript at its limit.
func (t *transcript) append(r redacted) (id string, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.full || t.closed {
		return "", false
	}
	if r.At.IsZero() {
		r.At = t.clock()
	}
	var reqID, respID string
	if len(r.Request) > 0 {
		reqID = t.nextID(r.Request)
	}
	if len(r.Response) > 0 || reqID == "" {
		respID = t.nextID(r.Response)
	}
	id = respID
	if id == "" {
		id = reqID
	}
	var members []byte
	for _, rec := range exchangeRecords(r, reqID, respID, func() string { return t.nextID([]byte(r.Note)) }) {
		members = append(members, rec.member()...)
	}
	if t.out.size+int64(len(members)) > t.max {
		t.full = true
		return "", true
	}
	// The redactions go first: a record whose redactions nobody lists would claim to be whole.
	if t.marks.append(markLines(r.marks, reqID, respID)) != nil || t.out.append(members) != nil {
		return "", false
	}
	return id, false
}

func markLines(marks []mark, reqID, respID string) []byte {
	var out []byte
	for _, m := range marks {
		rec := respID
		if m.part != partResponse && reqID != "" || respID == "" {
			rec = reqID
		}
		line, err := json.Marshal(Redaction{Record: rec, Part: m.part, Kind: m.kind, Count: m.count})
		if err != nil {
			continue
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

func (t *transcript) write(rec warcRecord) (string, error) {
	return rec.id, t.out.append(rec.member())
}

// nextID derives an id from what is written (after redaction, so that it gives nothing away) and a counter, which keeps
// equal answers apart. It has the form of a UUID of version 8 (RFC 9562).
func (t *transcript) nextID(content []byte) string {
	t.count++
	h := sha256.New()
	fmt.Fprintf(h, "%d\x00", t.count)
	h.Write(content)
	return uuidOf(h.Sum(nil))
}

func uuidOf(sum []byte) string {
	u := append([]byte(nil), sum[:16]...)
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	x := hex.EncodeToString(u)
	return "urn:uuid:" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func (t *transcript) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return errors.Join(t.out.close(), t.marks.close())
}
