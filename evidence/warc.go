package evidence

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// warcRecord is one record of a WARC 1.1 file (ISO 28500:2017).
type warcRecord struct {
	id      string // urn:uuid:…
	kind    string // WARC-Type
	at      time.Time
	ctype   string
	fields  []field // further header fields, in order
	block   []byte
	payload []byte // what the payload digest covers; nil for none
}

type field struct{ name, value string }

// member returns the record as one gzip member, so that every record can be read without those before it.
func (w warcRecord) member() []byte {
	var head bytes.Buffer
	fmt.Fprintf(&head, "WARC/1.1\r\nWARC-Type: %s\r\nWARC-Record-ID: <%s>\r\nWARC-Date: %s\r\n", w.kind, w.id, warcDate(w.at))
	for _, f := range w.fields {
		fmt.Fprintf(&head, "%s: %s\r\n", f.name, f.value)
	}
	fmt.Fprintf(&head, "WARC-Block-Digest: sha256:%s\r\n", sha256Hex(w.block))
	if w.payload != nil {
		fmt.Fprintf(&head, "WARC-Payload-Digest: sha256:%s\r\n", sha256Hex(w.payload))
	}
	fmt.Fprintf(&head, "Content-Type: %s\r\nContent-Length: %d\r\n\r\n", w.ctype, len(w.block))

	var out bytes.Buffer
	z := gzip.NewWriter(&out) // writing to memory does not fail
	_, _ = z.Write(head.Bytes())
	_, _ = z.Write(w.block)
	_, _ = z.Write([]byte("\r\n\r\n"))
	_ = z.Close()
	return out.Bytes()
}

func warcDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func warcInfo(o Options, id string) warcRecord {
	tool := clean.Text(strings.TrimSpace(o.Tool.Name+" "+o.Tool.Version), 200)
	return warcRecord{id: id, kind: "warcinfo", at: o.Clock(), ctype: "application/warc-fields",
		fields: []field{{"WARC-Filename", "transcript.warc.gz"}},
		block: []byte("software: " + tool + "\r\nformat: WARC File Format 1.1\r\n" +
			"conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n" +
			"isPartOf: " + runURN(o.RunID) + "\r\n" +
			"description: Redacted before it was written; see redactions.jsonl. Bodies are stored decoded of transfer and content encoding.\r\n")}
}

// exchangeRecords lays an exchange out as records. HTTP becomes request and response; anything else, and HTTP whose head a
// reader of WARC files could not parse, becomes resource records, because readers take every request and response for HTTP.
func exchangeRecords(r redacted, reqID, respID string, nextID func() string) []warcRecord {
	common := []field{{"WARC-Target-URI", targetURI(r)}}
	if r.Endpoint.IsValid() {
		common = append(common, field{"WARC-IP-Address", r.Endpoint.Addr().Unmap().WithZone("").String()})
	}
	var out []warcRecord
	if reqID != "" {
		out = append(out, partRecord(r, common, reqID, respID, r.Request, partRequest, r.cut[partRequest]))
	}
	if respID != "" && (len(r.Response) > 0 || reqID == "") {
		out = append(out, partRecord(r, common, respID, reqID, r.Response, partResponse, r.cut[partResponse]))
	}
	if r.Note == "" {
		return out
	}
	about := out[len(out)-1].id
	return append(out, warcRecord{id: nextID(), kind: "metadata", at: r.At, ctype: "application/warc-fields",
		fields: append(clip(common), field{"WARC-Refers-To", "<" + about + ">"}, field{"WARC-Concurrent-To", "<" + about + ">"}),
		block:  []byte("protocol: " + r.Protocol + "\r\nnote: " + r.Note + "\r\n")})
}

func partRecord(r redacted, common []field, id, other string, block []byte, part string, cut bool) warcRecord {
	w := warcRecord{id: id, kind: "resource", at: r.At, block: block, payload: block, fields: clip(common)}
	body, ok := httpBody(block, part == partRequest)
	switch {
	case r.Protocol == "http" && ok:
		w.kind, w.payload = part, body
		w.ctype = "application/http;msgtype=" + part
	case r.Protocol == "http":
		w.ctype = "application/octet-stream"
	default:
		w.ctype = "application/x-" + r.Protocol + ";msgtype=" + part
	}
	if other != "" {
		w.fields = append(w.fields, field{"WARC-Concurrent-To", "<" + other + ">"})
	}
	if cut {
		w.fields = append(w.fields, field{"WARC-Truncated", "length"})
	}
	return w
}

// httpBody returns the body of an HTTP message and whether its head is one that every reader can parse: a start line and
// at least one field, each line ended by CRLF, field names that are tokens.
func httpBody(b []byte, request bool) ([]byte, bool) {
	i := bytes.Index(b, []byte("\r\n\r\n"))
	if i < 0 {
		return nil, false
	}
	lines := bytes.Split(b[:i], []byte("\r\n"))
	start := bytes.HasPrefix(lines[0], []byte("HTTP/"))
	if request {
		start = bytes.Count(lines[0], []byte(" ")) == 2 && bytes.Contains(lines[0], []byte(" HTTP/"))
	}
	if !start || len(lines) < 2 {
		return nil, false
	}
	for n, l := range lines {
		if bytes.ContainsAny(l, "\r\n\x00") {
			return nil, false
		}
		if n == 0 || n > 1 && len(l) > 0 && (l[0] == ' ' || l[0] == '\t') {
			continue
		}
		c := bytes.IndexByte(l, ':')
		if c < 1 || bytes.ContainsFunc(l[:c], func(r rune) bool { return !tokenRune(r) }) {
			return nil, false
		}
	}
	return b[i+4:], true
}

func tokenRune(r rune) bool {
	return r > 0x20 && r < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// targetURI is the exchange's URI where it is one, and a urn: made of protocol and endpoint where it is not.
func targetURI(r redacted) string {
	if u, err := url.Parse(r.URI); err == nil && u.Scheme != "" && !strings.ContainsFunc(r.URI, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`<>"{}|\^`+"`", c) }) {
		return r.URI
	}
	end := "multicast"
	if r.Endpoint.IsValid() {
		end = r.Endpoint.String()
	}
	if r.URI != "" {
		end += ":" + url.QueryEscape(clean.Text(r.URI, 200))
	}
	return "urn:mingshi:" + r.Protocol + ":" + strings.NewReplacer("[", "", "]", "", "%", "-").Replace(end)
}

func runURN(id string) string {
	if isUUID(id) {
		return "urn:uuid:" + strings.ToLower(id)
	}
	return "urn:mingshi:run:" + url.QueryEscape(id)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(strings.ToLower(s)) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// clip returns the slice without room to grow, so that two records do not append into each other.
func clip(f []field) []field { return f[:len(f):len(f)] }
