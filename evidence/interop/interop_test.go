package interop

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
)

// tool returns the path of a program, or skips; where MINGSHI_REQUIRE names it, its absence fails the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, err.Error())
	}
	return path
}

func missing(t *testing.T, name, why string) {
	t.Helper()
	if slices.Contains(strings.FieldsFunc(os.Getenv("MINGSHI_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' }), name) {
		t.Fatalf("%s is required and missing: %s", name, why)
	}
	t.Skipf("%s is missing, so this is not checked: %s", name, why)
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, &errs)
	}
	if errs.Len() > 0 {
		t.Errorf("%s complains: %s", name, &errs)
	}
	return string(out)
}

func bundle(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	now := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	b, err := evidence.Create(dir, evidence.Options{Clock: func() time.Time { return now }, RunID: "0b4a6d0e-6f0c-4c62-9a67-3f1f7b1a2c3d", Tool: audit.Tool{Name: "mingshi", Version: "0.1.0"}})
	if err != nil {
		t.Fatal(err)
	}
	b.Login("walker7", "Tr0ub4dor")
	for _, e := range []evidence.Exchange{
		{Protocol: "http", URI: "http://192.0.2.21/onvif/device_service", At: now, Note: "slow",
			Request:  []byte("POST /onvif/device_service HTTP/1.1\r\nHost: 192.0.2.21\r\nAuthorization: Basic d2Fsa2VyNzpUcjB1YjRkb3I=\r\n\r\n<a>人脸</a>"),
			Response: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\nX-Folded: a\r\n b\r\nX-Name: 摄像机\r\n\r\n5\r\n<a>hi\r\n4\r\n</a>\r\n0\r\n\r\n")},
		{Protocol: "http", URI: "http://192.0.2.22/", Request: []byte("GET / HTTP/1.1\r\nHost: 192.0.2.22\r\n\r\n"), Response: []byte("\x00\x01 no HTTP at all\r\n\r\n\r\n")},
		{Protocol: "http", URI: "http://192.0.2.23/", Request: []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Response: []byte("HTTP/1.1 200 OK\r\nbad header line\r\n\r\n<a/>")},
		{Protocol: "http", URI: "http://192.0.2.24/", Request: []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n")},
		{Protocol: "http", URI: "http://192.0.2.25/", Response: []byte("HTTP/1.0 200 OK\r\n\r\nWARC/1.1\r\n")},
		{Protocol: "rtsp", URI: "rtsp://192.0.2.21:554/s", Request: []byte("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"), Response: []byte("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")},
		{Protocol: "ws-discovery", Response: []byte("<ProbeMatches/>")},
		{Protocol: "mdns", Request: []byte{0, 1, 2}, Response: []byte{3, 4, 5}},
		{Protocol: "tls", URI: "not a uri <", Response: []byte("-----BEGIN CERTIFICATE-----\n")},
	} {
		if b.Record(e) == "" {
			t.Fatal("not recorded")
		}
	}
	b.Journal("run.end", nil)
	for name, text := range map[string]string{"data/site.yaml": "schema: mingshi.site/v1\n", "data/report.json": "{}", "报告.html": "<p>"} {
		if err := b.AddFile(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(evidence.Manifest{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSha256sum(t *testing.T) {
	sum := tool(t, "sha256sum")
	dir := bundle(t)
	for _, m := range []string{"manifest-sha256.txt", "tagmanifest-sha256.txt"} {
		out := run(t, dir, sum, "--strict", "-c", m)
		listed, err := os.ReadFile(filepath.Join(dir, m))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(out, ": OK\n") != bytes.Count(listed, []byte{'\n'}) || len(listed) == 0 {
			t.Errorf("%s: %s", m, out)
		}
	}
}

func TestOpensslSM3(t *testing.T) {
	openssl := tool(t, "openssl")
	dir := bundle(t)
	for _, m := range []string{"manifest-sm3.txt", "tagmanifest-sm3.txt"} {
		listed, err := os.ReadFile(filepath.Join(dir, m))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(listed)) {
			digest, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			if out := run(t, dir, openssl, "dgst", "-sm3", "-r", name); !strings.HasPrefix(out, digest+" ") {
				t.Errorf("%s: openssl says %s", name, out)
			}
		}
	}
}

func TestZcatAndUnzip(t *testing.T) {
	zcat, unzip := tool(t, "zcat"), tool(t, "unzip")
	dir := bundle(t)
	if out := run(t, dir, zcat, "data/transcript.warc.gz"); strings.Count(out, "WARC/1.1\r\nWARC-Type: ") < 10 || strings.Contains(out, "d2Fsa2Vy") {
		t.Errorf("%s", out)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "bundle.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := evidence.Zip(dir, f); err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	run(t, into, unzip, "-q", f.Name())
	if p, err := evidence.Verify(filepath.Join(into, "bundle")); err != nil || p != nil {
		t.Errorf("after unzip: %v %v", p, err)
	}
}

type record struct {
	Type, ID, URI, CType, Concurrent, Date, Status string
	Length                                         int
	Payload                                        bool
}

// TestWarcio reads the transcript with the parser ReplayWeb.page and browsertrix use. It looks for the package below
// MINGSHI_NODE_MODULES: npm install --prefix DIR warcio@2.4.11.
func TestWarcio(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "warcio", err.Error())
	}
	modules := os.Getenv("MINGSHI_NODE_MODULES")
	if modules == "" {
		missing(t, "warcio", "MINGSHI_NODE_MODULES is not set")
	}
	if _, err := os.Stat(filepath.Join(modules, "warcio", "package.json")); err != nil {
		if _, nested := os.Stat(filepath.Join(modules, "node_modules", "warcio", "package.json")); nested != nil {
			missing(t, "warcio", err.Error())
		}
	}
	out := run(t, ".", node, "read.mjs", modules, filepath.Join(bundle(t), "data", "transcript.warc.gz"))
	var got []record
	for line := range strings.Lines(out) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, r)
	}
	want := []struct{ kind, status, uri string }{
		{"warcinfo", "", ""},
		{"request", "POST /onvif/device_service HTTP/1.1", "http://192.0.2.21/onvif/device_service"},
		{"response", "HTTP/1.1 200 OK", "http://192.0.2.21/onvif/device_service"},
		{"metadata", "", "http://192.0.2.21/onvif/device_service"},
		{"request", "GET / HTTP/1.1", "http://192.0.2.22/"}, {"resource", "", "http://192.0.2.22/"},
		{"request", "GET / HTTP/1.1", "http://192.0.2.23/"}, {"resource", "", "http://192.0.2.23/"},
		{"request", "GET / HTTP/1.1", "http://192.0.2.24/"},
		{"resource", "", "http://192.0.2.25/"},
		{"resource", "", "rtsp://192.0.2.21:554/s"}, {"resource", "", "rtsp://192.0.2.21:554/s"},
		{"resource", "", "urn:mingshi:ws-discovery:multicast"},
		{"resource", "", "urn:mingshi:mdns:multicast"}, {"resource", "", "urn:mingshi:mdns:multicast"},
		{"resource", "", "urn:mingshi:tls:multicast:not+a+uri+-3C"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d:\n%s", len(got), len(want), out)
	}
	for i, w := range want {
		g := got[i]
		if g.Type != w.kind || g.Status != w.status || g.URI != w.uri || i > 0 && w.kind != "metadata" && !g.Payload {
			t.Errorf("record %d: %+v, want %+v", i, g, w)
		}
	}
	if got[1].Concurrent != got[2].ID || got[2].Concurrent != got[1].ID {
		t.Error("request and response do not name each other")
	}
}
