package evidence

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// Stored is one record of a transcript.
type Stored struct {
	ID     string // urn:uuid:…
	Type   string // request, response, resource, metadata, warcinfo
	URI    string
	At     time.Time
	CType  string
	Header textproto.MIMEHeader
	Block  []byte
}

// maxMember bounds what one record may become when decompressed.
const maxMember = 64 << 20

// readWARC reads records and checks their digests. Its errors start with the number of the record, from 1.
func readWARC(r io.Reader, found func(Stored) error) error {
	br := bufio.NewReader(r)
	z := new(gzip.Reader)
	for n := 1; ; n++ {
		if _, err := br.Peek(1); errors.Is(err, io.EOF) {
			return nil
		}
		if err := z.Reset(br); err != nil {
			return &RecordError{n, fmt.Errorf("opening: %w", err)}
		}
		z.Multistream(false)
		raw, err := io.ReadAll(io.LimitReader(z, maxMember+1))
		if err == nil && len(raw) > maxMember {
			err = fmt.Errorf("larger than %d bytes", maxMember)
		}
		if err != nil {
			return &RecordError{n, fmt.Errorf("decompressing: %w", err)}
		}
		s, err := parseRecord(raw)
		if err != nil {
			return &RecordError{n, err}
		}
		if err := found(s); err != nil {
			return err
		}
	}
}

// RecordError says which record of a transcript, counted from 1, is not in order.
type RecordError struct {
	Record int
	Err    error
}

func (e *RecordError) Error() string { return fmt.Sprintf("evidence: record %d: %v", e.Record, e.Err) }
func (e *RecordError) Unwrap() error { return e.Err }

func parseRecord(raw []byte) (Stored, error) {
	var s Stored
	rest, ok := bytes.CutPrefix(raw, []byte("WARC/1.1\r\n"))
	head, block, found := bytes.Cut(rest, []byte("\r\n\r\n"))
	if !ok || !found {
		return s, errors.New("not a WARC 1.1 record")
	}
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(clipBytes(head), "\r\n\r\n"...)))).ReadMIMEHeader()
	if err != nil {
		return s, fmt.Errorf("header: %w", err)
	}
	n, err := strconv.Atoi(h.Get("Content-Length"))
	if err != nil || n != len(block)-4 || !bytes.HasSuffix(block, []byte("\r\n\r\n")) {
		return s, errors.New("its length is not what it says")
	}
	s = Stored{ID: strings.Trim(h.Get("WARC-Record-ID"), "<>"), Type: h.Get("WARC-Type"), URI: h.Get("WARC-Target-URI"),
		CType: h.Get("Content-Type"), Header: h, Block: block[:n]}
	if s.At, err = time.Parse(time.RFC3339Nano, h.Get("WARC-Date")); err != nil {
		return s, fmt.Errorf("header: %w", err)
	}
	if h.Get("WARC-Block-Digest") != "sha256:"+sha256Hex(s.Block) {
		return s, errors.New("its content does not match its digest")
	}
	return s, nil
}

func clipBytes(b []byte) []byte { return b[:len(b):len(b)] }
