package evidence

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode undoes what would hide something from redaction: chunks, compression, UTF-16. Callers are asked for decoded
// bodies already; this is for those who could not. It returns the message with a decoded body of at most limit bytes, and a
// note on what was done. A body that cannot be looked into is blotted out. Fields that no longer fit the body are renamed, so
// that no reader decodes it again.
func decode(b []byte, limit int) ([]byte, string) {
	head, body := splitMessage(b)
	var notes []string
	rename := false
	if m := transferPattern.FindSubmatch(head); m != nil {
		rename = true
		if plainBody, ok := dechunk(body); ok {
			body = plainBody
			notes = append(notes, "chunks joined")
		}
	}
	coding := ""
	if m := codingPattern.FindSubmatch(head); m != nil {
		coding = strings.ToLower(string(m[1]))
		rename = true
	}
	for range 3 { // what is compressed twice is decompressed twice; nobody compresses thrice
		plainBody, what, ok := decompress(body, coding, limit)
		if !ok {
			break
		}
		body = plainBody
		coding = ""
		notes = append(notes, what+" decompressed")
	}
	switch {
	case opaque(body, coding):
		body = blank(body)
		notes = append(notes, kindUnreadble)
	case len(notes) == 0 && !rename:
		return b, ""
	}
	if rename || len(notes) > 0 {
		head = renamePattern.ReplaceAll(head, []byte("${1}X-Wire-${2}:"))
	}
	return append(clipBytes(head), body...), strings.Join(notes, ", ")
}

var (
	transferPattern = regexp.MustCompile(`(?im)^transfer-encoding[ \t]*:[^\r\n]*chunked`)
	codingPattern   = regexp.MustCompile(`(?im)^content-encoding[ \t]*:\s*([a-z0-9-]+)`)
	renamePattern   = regexp.MustCompile(`(?im)^()(transfer-encoding|content-encoding|content-length)[ \t]*:`)
)

// splitMessage cuts a message after its head. What has no head is all body.
func splitMessage(b []byte) (head, body []byte) {
	line := b[:lineEnd(b, 0)]
	if !bytes.Contains(line, []byte("HTTP/")) && !bytes.Contains(line, []byte("RTSP/")) && !bytes.Contains(line, []byte("SIP/2.0")) {
		return nil, b
	}
	at := bodyStart(b, 0)
	return b[:at:at], b[at:]
}

// dechunk joins the chunks of a body; ok is false when it is not made of chunks. What follows a chunk that is broken is
// left out: it could hold half of something.
func dechunk(b []byte) (out []byte, ok bool) {
	for {
		eol := bytes.IndexByte(clipTo(b, 256), '\n')
		if eol < 0 {
			return out, ok
		}
		size, _, _ := strings.Cut(strings.TrimRight(string(b[:eol]), "\r"), ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return out, ok
		}
		if n == 0 {
			return out, true
		}
		b = b[eol+1:]
		if uint64(len(b)) <= n { // cut in the middle
			return append(out, b...), ok || uint64(len(b)) == n || len(out) > 0
		}
		if b[n] != '\r' && b[n] != '\n' {
			return out, ok
		}
		out, ok = append(out, b[:n]...), true
		b = bytes.TrimPrefix(bytes.TrimPrefix(b[n:], []byte("\r")), []byte("\n"))
	}
}

// decompress returns what a compressed body holds, as far as it can be read.
func decompress(b []byte, coding string, limit int) (out []byte, what string, ok bool) {
	var r io.Reader
	var err error
	switch {
	case len(b) > 2 && b[0] == 0x1f && b[1] == 0x8b:
		what = "gzip"
		r, err = gzip.NewReader(bytes.NewReader(b))
	case coding == "deflate" && len(b) > 2 && b[0]&0x0f == 8 && (uint(b[0])<<8|uint(b[1]))%31 == 0:
		what = "deflate"
		r, err = zlib.NewReader(bytes.NewReader(b))
	case coding == "deflate" && !utf8.Valid(b):
		what = "deflate"
		r = flate.NewReader(bytes.NewReader(b))
	default:
		return nil, "", false
	}
	if err != nil {
		return blank(b), "unreadable " + what, true
	}
	out, err = io.ReadAll(io.LimitReader(r, int64(limit)))
	if err != nil && len(out) == 0 {
		return blank(b), "unreadable " + what, true
	}
	return out, what, true
}

// opaque reports whether a body may hold what redaction cannot see: an encoding nobody undid, or UTF-16.
func opaque(b []byte, coding string) bool {
	switch coding {
	case "", "identity", "gzip", "x-gzip", "deflate":
	default:
		if !utf8.Valid(b) {
			return true
		}
	}
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return true
	}
	return len(b) >= 4 && (b[0] == '<' && b[1] == 0 || b[0] == 0 && b[1] == '<')
}

func blank(b []byte) []byte { return bytes.Repeat([]byte("*"), len(b)) }
