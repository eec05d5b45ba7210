package evidence

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// Whatever comes, no registered secret survives, nothing changes its length, and the program's own JSON stays JSON.
func FuzzRedact(f *testing.F) {
	for _, tc := range redactCases() {
		if len(tc.in) < 8192 {
			f.Add([]byte(tc.in), "hunter2hunter2", tc.protocol)
		}
	}
	f.Add([]byte("ab***ab"), "b***a", "http")
	f.Add([]byte(`{"a":"\ud83d\ude00 p\u0061ss word","b":"\\"}`), "pass word", "http")
	f.Fuzz(func(t *testing.T, in []byte, secret, protocol string) {
		s := newScrubber()
		s.Secret(secret)
		secret = strings.TrimSpace(secret)
		checked := len(secret) >= 4 && strings.Trim(secret, "* \t\r\n") != ""
		before := bytes.Clone(in)
		out := s.Redact(protocol, in)
		if !bytes.Equal(before, in) {
			t.Fatal("the input was changed")
		}
		if len(out) != len(in) {
			t.Fatalf("%d bytes became %d", len(in), len(out))
		}
		if checked && bytes.Contains(out, []byte(secret)) {
			t.Fatalf("%q is in %q", secret, out)
		}
		r := s.redact(Exchange{Protocol: protocol, Request: in, Response: in, URI: string(in), Note: string(in)}, 4096)
		for _, b := range []string{string(r.Request), string(r.Response), r.URI, r.Note} {
			if checked && strings.Contains(b, secret) && !ours(secret) {
				t.Fatalf("%q is in %q", secret, b)
			}
		}
		if json.Valid(in) {
			scrubbed := s.Scrub(in)
			if !json.Valid(scrubbed) || len(scrubbed) != len(in) {
				t.Fatalf("%q became %q", in, scrubbed)
			}
		}
	})
}

// ours reports whether a secret is a part of the fixed words decode and redact write themselves.
func ours(secret string) bool {
	return strings.Contains("X-Wire-Transfer-Encoding: X-Wire-Content-Encoding: X-Wire-Content-Length: request: chunks joined, gzip decompressed, deflate decompressed, unreadable-content; response: cut at 4096 bytes unreadable gzip unreadable deflate decompressed", secret)
}

func FuzzReadJournal(f *testing.F) {
	var good bytes.Buffer
	prev := firstPrev
	for i := range 3 {
		line, err := json.Marshal(Entry{Seq: int64(i + 1), At: start, Event: "step", Fields: json.RawMessage(`{}`), Prev: prev})
		if err != nil {
			f.Fatal(err)
		}
		good.Write(append(line, '\n'))
		prev = sha256Hex(line)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:good.Len()-1])
	f.Add([]byte("{}\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		entries, err := ReadJournal(bytes.NewReader(in))
		lines := bytes.Count(in, []byte{'\n'})
		if err == nil && len(entries) != lines {
			t.Fatalf("%d entries of %d lines without an error", len(entries), lines)
		}
		for i, e := range entries {
			if e.Seq != int64(i+1) {
				t.Fatalf("entry %d has number %d", i+1, e.Seq)
			}
		}
	})
}

func FuzzReadWARC(f *testing.F) {
	w := warcRecord{id: "urn:uuid:x", kind: "resource", at: start, ctype: "text/plain", block: []byte("hi"), payload: []byte("hi")}
	f.Add(w.member())
	f.Add(append(w.member(), w.member()...))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_ = readWARC(bytes.NewReader(in), func(s Stored) error {
			if s.Header.Get("WARC-Block-Digest") != "sha256:"+sha256Hex(s.Block) {
				t.Fatal("a record without its digest was handed on")
			}
			return nil
		})
	})
}
