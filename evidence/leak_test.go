package evidence

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	leakUser     = "walker7"
	leakPassword = `Tr0ub4dor&3 "x"`
)

// signed is one request with everything a client ever signs with, and what of it must not be found on the disk.
func signed(n int) (head, envelope string, secrets []string) {
	raw := []byte(fmt.Sprintf("nonce-number-%03d", n))
	nonce := base64.StdEncoding.EncodeToString(raw)
	created := fmt.Sprintf("2017-12-31T16:01:%02d.%03dZ", n%60, n)
	h := sha1.Sum([]byte(string(raw) + created + leakPassword))
	digest := base64.StdEncoding.EncodeToString(h[:])
	cnonce, snonce := fmt.Sprintf("c%07xn", n*7919+4096), fmt.Sprintf("s%030x", n*104729+65536)
	response := fmt.Sprintf("%032x", n*15485863+1048576)
	head = fmt.Sprintf("Authorization: Digest username=\"%s\", realm=\"cam\", nonce=\"%s\", uri=\"/onvif/event\", cnonce=\"%s\", nc=00000001, qop=auth, response=\"%s\"\r\n", leakUser, snonce, cnonce, response)
	envelope = fmt.Sprintf(`<s:Header><wsse:Security><wsse:UsernameToken><wsse:Username>%s</wsse:Username><wsse:Password Type="#PasswordDigest">%s</wsse:Password><wsse:Nonce>%s</wsse:Nonce><wsu:Created>%s</wsu:Created></wsse:UsernameToken></wsse:Security></s:Header>`,
		leakUser, digest, nonce, created)
	return head, envelope, []string{nonce, created, digest, cnonce, snonce, response}
}

// Nothing a login is made of is found in any file of a bundle, whatever way a device sends it back.
func TestNothingLeaks(t *testing.T) {
	b, dir := create(t, options())
	b.Login(leakUser, leakPassword)
	pair := base64.StdEncoding.EncodeToString([]byte(leakUser + ":" + leakPassword))
	secrets := []string{leakUser, leakPassword, pair, strings.TrimRight(pair, "="), base64.StdEncoding.EncodeToString([]byte(leakPassword)),
		"Tr0ub4dor", "Tr0ub4dor&amp;3", "Tr0ub4dor%263"}
	n := 0
	record := func(response func(head, envelope string) []byte) {
		n++
		head, envelope, s := signed(n)
		secrets = append(secrets, s...)
		id := b.Record(Exchange{Protocol: "http", URI: "http://" + leakUser + ":x@192.0.2.21/onvif/event?token=" + s[0], At: start, Endpoint: netip.MustParseAddrPort("192.0.2.21:80"),
			Request:  []byte("POST /onvif/event HTTP/1.1\r\nHost: 192.0.2.21\r\n" + head + "\r\n<s:Envelope>" + envelope + "</s:Envelope>"),
			Response: response(head, envelope), Note: "device said: " + s[0]})
		if id == "" {
			t.Fatal("not recorded")
		}
		b.Journal("login", map[string]any{"detail": "refused " + leakUser + " " + s[0] + " " + s[3], "cause": leakPassword})
	}
	ok := "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
	record(func(h, e string) []byte { return []byte(ok + "\r\n<a>" + e + "</a>") })
	record(func(h, e string) []byte { return []byte(ok + "X-Echo: " + h + "\r\n" + e) })
	record(func(h, e string) []byte { return []byte(e[:len(e)-60]) })
	record(func(h, e string) []byte {
		return []byte("HTTP/1.1 400 Bad\r\nWarning: " + strings.TrimSpace(h) + "\r\n\r\n" + strings.ReplaceAll(e, "<", "&lt;"))
	})
	record(func(h, e string) []byte {
		return []byte(ok + "\r\n" + `{"request":"` + strings.ReplaceAll(e, `"`, `\"`) + `"}`)
	})
	record(func(h, e string) []byte {
		return []byte(ok + "\r\n<pre>" + h + leakPassword + "\r\n" + pair + "</pre>")
	})
	record(func(h, e string) []byte { // a header folded in the middle of its parameters, and of a value
		return []byte(ok + strings.ReplaceAll(h, ", ", ",\r\n\t") + "X-Pass: Basic " + pair[:9] + "\r\n " + pair[9:] + "\r\n\r\n")
	})
	for _, size := range []int{1, 3, 7, 16, 61} {
		record(func(h, e string) []byte {
			return append([]byte(ok+"Transfer-Encoding: chunked\r\n\r\n"), chunked([]byte("<a>"+e+pair+leakPassword+"</a>"), size)...)
		})
	}
	record(func(h, e string) []byte {
		return append([]byte(ok+"Content-Encoding: gzip\r\n\r\n"), zipped(e+leakPassword)...)
	})
	record(func(h, e string) []byte { return append([]byte(ok+"\r\n"), zipped(e+leakPassword)...) }) // nobody says so
	record(func(h, e string) []byte {
		z := zipped(e + strings.Repeat(leakPassword, 50))
		return append([]byte(ok+"Content-Encoding: gzip\r\n\r\n"), z[:len(z)-9]...)
	})
	record(func(h, e string) []byte {
		return append([]byte(ok+"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"), chunked(zipped(e+leakPassword), 50)...)
	})
	record(func(h, e string) []byte { // stored block: the text stands in the gzip as it is
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, gzip.NoCompression)
		_, _ = io.WriteString(w, e)
		_ = w.Close()
		return append([]byte(ok+"Content-Encoding: br\r\n\r\n"), z.Bytes()...)
	})
	record(func(h, e string) []byte { // UTF-16
		out := []byte(ok + "\r\n\xff\xfe")
		for _, c := range []byte(e + leakPassword) {
			out = append(out, c, 0)
		}
		return out
	})
	record(func(h, e string) []byte { return append(bytes.Repeat([]byte("<p>x</p>"), 300_000), e...) }) // beyond the limit
	record(func(h, e string) []byte {                                                                   // across the limit
		return append(bytes.Repeat([]byte("y"), 2<<20-200), e...)
	})
	report := b.Scrub([]byte(fmt.Sprintf(`{"schema":"mingshi.report/v1","detail":%q,"user":"%s"}`, "of "+secrets[8], leakUser)))
	if err := b.AddFile("data/report.json", report); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
	if p := verify(t, dir); p != nil {
		t.Fatalf("%q", p)
	}
	for _, name := range files(t, dir) {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if raw, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range secrets {
			if i := bytes.Index(raw, []byte(s)); i >= 0 {
				t.Errorf("%s holds %q: …%q…", name, s, raw[max(0, i-80):min(len(raw), i+80)])
			}
		}
		flat := squeeze(raw).text
		for _, s := range []string{leakPassword, pair} {
			if bytes.Contains(flat, squeeze([]byte(s)).text) {
				t.Errorf("%s holds %q over several lines", name, s)
			}
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "data", "redactions.jsonl"))
	if err != nil || bytes.Count(log, []byte{'\n'}) < 2*n || !bytes.Contains(log, []byte(`"kind":"login-element"`)) {
		t.Errorf("redactions.jsonl: %s %v", log, err)
	}
}

func chunked(b []byte, size int) []byte {
	var out []byte
	for part := range slices.Chunk(b, size) {
		out = append(out, fmt.Sprintf("%x;x=y\r\n%s\r\n", len(part), part)...)
	}
	return append(out, "0\r\nTrailer: 1\r\n\r\n"...)
}

func zipped(s string) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return z.Bytes()
}

func TestDecode(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
	for _, tc := range []struct{ name, in, want string }{
		{"as it is", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
		{"decoded before us", head + "<a>hello</a>", strings.NewReplacer("Content-L", "X-Wire-Content-L", "Transfer", "X-Wire-Transfer", "Content-E", "X-Wire-Content-E").Replace(head) + "<a>hello</a>"},
		{"no head", string(zipped("<a/>")), "<a/>"},
		{"twice", string(zipped(string(zipped("<a/>")))), "<a/>"},
		{"not gzip", "\x1f\x8bxxxx", "******"},
		{"chunk cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nff\r\nde", "HTTP/1.1 200 OK\r\nX-Wire-Transfer-Encoding: chunked\r\n\r\nabcde"},
	} {
		if out, _ := decode([]byte(tc.in), 1<<20); string(out) != tc.want {
			t.Errorf("%s: %q", tc.name, out)
		}
	}
	if out, _ := decode(zipped(strings.Repeat("0", 10<<20)), 1<<20); len(out) != 1<<20 {
		t.Errorf("a bomb became %d bytes", len(out))
	}
}
