package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

const runID = "0b4a6d0e-6f0c-4c62-9a67-3f1f7b1a2c3d"

var start = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

// ticking returns a clock that advances a second with each look at it.
func ticking() func() time.Time {
	var mu sync.Mutex
	t := start
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		t = t.Add(time.Second)
		return t
	}
}

func options() Options {
	return Options{Clock: ticking(), RunID: runID, Tool: audit.Tool{Name: "mingshi", Version: "0.1.0", Go: "go1.26", OS: "linux"}}
}

func create(t *testing.T, o Options) (*Bundle, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	b, err := Create(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return b, dir
}

func exchange(n int) Exchange {
	body := fmt.Sprintf("<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>answer %d</s:Body></s:Envelope>", n)
	return Exchange{Protocol: "http", URI: "http://192.0.2.21:8081/onvif/device_service", Endpoint: netip.MustParseAddrPort("192.0.2.21:8081"),
		At:       start.Add(time.Duration(n) * time.Millisecond),
		Request:  []byte("POST /onvif/device_service HTTP/1.1\r\nHost: 192.0.2.21:8081\r\nContent-Length: 2\r\n\r\n<>"),
		Response: []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body))}
}

func manifest() Manifest {
	return Manifest{Run: audit.Run{ID: runID, Permit: audit.PermitQuery, Complete: true, Interfaces: []string{}}, Site: "SH-0421",
		Authority: AuthoritySummary{Basis: "self_audit", GrantedBy: "某某商业有限公司", Perimeter: []string{"192.0.2.0/24"}, Permit: audit.PermitQuery}}
}

// fullBundle is a bundle with something in every place.
func fullBundle(t *testing.T) string {
	t.Helper()
	b, dir := create(t, options())
	b.Journal("run.start", map[string]any{"permit": "query"})
	for i := range 3 {
		if id := b.Record(exchange(i)); !strings.HasPrefix(id, "urn:uuid:") {
			t.Fatalf("Record returned %q", id)
		}
	}
	b.Record(Exchange{Protocol: "ws-discovery", At: start, Response: []byte("<ProbeMatches/>"), Endpoint: netip.MustParseAddrPort("192.0.2.21:3702"), Note: "second answer"})
	b.Record(Exchange{Protocol: "rtsp", URI: "rtsp://192.0.2.21/stream", At: start, Request: []byte("DESCRIBE rtsp://192.0.2.21/stream RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Digest username=\"u\", response=\"0123456789abcdef\"\r\n\r\n")})
	report, err := json.Marshal(audit.Report{Schema: audit.ReportSchema, Site: audit.Site{ID: "SH-0421"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"data/report.json": string(report), "data/site.yaml": "schema: mingshi.site/v1\n",
		"data/packs/CN-PIPL/pack.yaml": "id: CN-PIPL\n", "report.html": "<!doctype html><title>报告</title>"} {
		if err := b.AddFile(name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := b.Blob([]byte("floor plan")); err != nil || !strings.HasPrefix(d, "sha256:") {
		t.Fatal(d, err)
	}
	b.Journal("run.end", nil)
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func verify(t *testing.T, dir string) []string {
	t.Helper()
	problems, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range problems {
		if p.Text.ZH == "" || p.Text.EN == "" {
			t.Errorf("%s: a problem without a text", p.Path)
		}
		out = append(out, p.Path+": "+p.Text.EN)
	}
	return out
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBundleRoundTrip(t *testing.T) {
	dir := fullBundle(t)
	if p := verify(t, dir); p != nil {
		t.Fatalf("a fresh bundle has problems: %s", strings.Join(p, "\n"))
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if rep, err := r.Report(); err != nil || rep.Site.ID != "SH-0421" {
		t.Errorf("Report: %v %v", rep.Site, err)
	}
	if y, err := r.SiteYAML(); err != nil || string(y) != "schema: mingshi.site/v1\n" {
		t.Errorf("SiteYAML: %q %v", y, err)
	}
	if p, err := r.Packs(); err != nil || string(p["CN-PIPL/pack.yaml"]) != "id: CN-PIPL\n" || len(p) != 1 {
		t.Errorf("Packs: %v %v", p, err)
	}
	if b, err := r.Blob("sha256:" + sha256Hex([]byte("floor plan"))); err != nil || string(b) != "floor plan" {
		t.Errorf("Blob: %q %v", b, err)
	}
	if j, err := r.Journal(); err != nil || len(j) != 2 || j[0].Event != "run.start" || string(j[0].Fields) != `{"permit":"query"}` {
		t.Errorf("Journal: %+v %v", j, err)
	}
	m, err := r.Manifest()
	if err != nil || m.Tool.Version != "0.1.0" || m.Journal.Entries != 2 || m.Run.ID != runID {
		t.Errorf("Manifest: %+v %v", m, err)
	}
	if p, err := PreviousOf(dir); err != nil || p.Run != runID || !isDigest(p.SHA256) {
		t.Errorf("PreviousOf: %+v %v", p, err)
	}
	var kinds []string
	ids := map[string]bool{}
	if err := r.Records(func(s Stored) error {
		kinds = append(kinds, s.Type)
		ids[s.ID] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{"warcinfo", "request", "response", "request", "response", "request", "response", "resource", "metadata", "resource"}
	if !slices.Equal(kinds, want) || len(ids) != len(want) {
		t.Errorf("records %v, ids %d", kinds, len(ids))
	}
	info, err := os.ReadFile(filepath.Join(dir, "bag-info.txt"))
	if err != nil || !strings.Contains(string(info), "External-Identifier: urn:uuid:"+runID+"\n") || !strings.Contains(string(info), "Bagging-Date: 2026-11-02\n") {
		t.Errorf("bag-info.txt: %s %v", info, err)
	}
}

// Whatever byte of whatever file is changed, the file is named.
func TestVerifyNamesEveryChangedFile(t *testing.T) {
	dir := fullBundle(t)
	for _, name := range files(t, dir) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(good)/40)
		for at := 0; at < len(good); at += step {
			for _, x := range []byte{0x01, 0x20, 0x80} {
				bad := slices.Clone(good)
				bad[at] ^= x
				if err := os.WriteFile(path, bad, 0o644); err != nil {
					t.Fatal(err)
				}
				if p := verify(t, dir); !slices.ContainsFunc(p, func(s string) bool { return strings.HasPrefix(s, name+": ") }) {
					t.Errorf("%s, byte %d ^ %#x: not named in %q", name, at, x, p)
				}
			}
		}
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if name != "bagit.txt" {
			if p := verify(t, dir); !slices.ContainsFunc(p, func(s string) bool { return strings.HasPrefix(s, name+": ") }) {
				t.Errorf("%s removed: not named in %q", name, p)
			}
		} else if _, err := Verify(dir); err == nil {
			t.Error("a folder without bagit.txt is taken for a bundle")
		}
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if p := verify(t, dir); p != nil {
		t.Fatalf("restored bundle has problems: %q", p)
	}
}

func TestVerifyFindsForeignFiles(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(dir string) error
		path string
		want string
	}{
		{"unlisted payload", func(d string) error { return os.WriteFile(filepath.Join(d, "data", "extra"), nil, 0o644) }, "data/extra", "not listed"},
		{"unlisted tag file", func(d string) error { return os.WriteFile(filepath.Join(d, "notes.txt"), nil, 0o644) }, "notes.txt", "not listed"},
		{"unlisted manifest", func(d string) error { return os.WriteFile(filepath.Join(d, "manifest-md5.txt"), nil, 0o644) }, "manifest-md5.txt", "not listed"},
		{"unlisted tag manifest", func(d string) error { return os.WriteFile(filepath.Join(d, "tagmanifest-md5.txt"), nil, 0o644) }, "tagmanifest-md5.txt", "not listed"},
		{"link", func(d string) error { return os.Symlink("/etc/hosts", filepath.Join(d, "data", "link")) }, "data/link", "not a regular file"},
		{"link in place of a file", func(d string) error {
			p := filepath.Join(d, "data", "site.yaml")
			return errors.Join(os.Rename(p, filepath.Join(filepath.Dir(d), "site.yaml")), os.Symlink("../../site.yaml", p))
		}, "data/site.yaml", "not a regular file"},
		{"linked folder", func(d string) error {
			p := filepath.Join(d, "data", "packs")
			return errors.Join(os.Rename(p, filepath.Join(filepath.Dir(d), "packs")), os.Symlink("../../packs", p))
		}, "data/packs", "not a regular file"},
		{"name with a line feed", func(d string) error { return os.WriteFile(filepath.Join(d, "data", "a\nb"), nil, 0o644) }, "data/a b", "not allowed"},
		{"name that differs in case", func(d string) error { return os.WriteFile(filepath.Join(d, "data", "Site.yaml"), nil, 0o644) }, "data/site.yaml", "only in case"},
		{"manifest that leads out", func(d string) error {
			return appendTo(filepath.Join(d, "manifest-sha256.txt"), firstPrev+"  data/../../etc/passwd\n")
		}, "manifest-sha256.txt", "not allowed"},
		{"manifest that lists twice", func(d string) error {
			return appendTo(filepath.Join(d, "manifest-sha256.txt"), firstPrev+"  data/site.yaml\n")
		}, "manifest-sha256.txt", "again"},
		{"manifest that lists what is not there", func(d string) error {
			return appendTo(filepath.Join(d, "manifest-sm3.txt"), firstPrev+"  data/zzz\n")
		}, "data/zzz", "not there"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := fullBundle(t)
			if err := tc.do(dir); err != nil {
				t.Skip(err)
			}
			p := verify(t, dir)
			if !slices.ContainsFunc(p, func(s string) bool { return strings.HasPrefix(s, tc.path+": ") && strings.Contains(s, tc.want) }) {
				t.Errorf("want %s: … %s …, have %q", tc.path, tc.want, p)
			}
		})
	}
}

func appendTo(path, text string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, text...), 0o644)
}

// Signatures and timestamps may be added later.
func TestVerifyAllowsDetachedFiles(t *testing.T) {
	dir := fullBundle(t)
	for _, n := range []string{"signatures/key.sshsig", "timestamps/tsa.tsr"} {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(n)), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if p := verify(t, dir); p != nil {
		t.Errorf("%q", p)
	}
}

// TestUnfinished: a bundle that was never closed is incomplete, whatever else its cut end shows; one that was closed differs.
func TestUnfinished(t *testing.T) {
	closing := []string{"bag-info.txt", "manifest.json", "manifest-sha256.txt", "manifest-sm3.txt", "tagmanifest-sha256.txt", "tagmanifest-sm3.txt"}
	remove := func(names ...string) func(string) error {
		return func(d string) error {
			var err error
			for _, n := range names {
				err = errors.Join(err, os.Remove(filepath.Join(d, n)))
			}
			return err
		}
	}
	for _, c := range []struct {
		name string
		do   func(string) error
		want int
	}{
		{"closed", func(string) error { return nil }, 0},
		{"never closed", remove(closing...), len(closing)},
		{"never closed, and the journal cut", func(d string) error {
			p := filepath.Join(d, "data", "journal.jsonl")
			b, err := os.ReadFile(p)
			return errors.Join(err, os.WriteFile(p, b[:len(b)-9], 0o644), remove(closing...)(d))
		}, len(closing)},
		{"changed", func(d string) error { return appendTo(filepath.Join(d, "data", "site.yaml"), "#") }, 0},
		{"one file gone, another changed", func(d string) error {
			return errors.Join(remove("manifest.json")(d), appendTo(filepath.Join(d, "data", "site.yaml"), "#"))
		}, 0},
		{"what a manifest lists is gone", remove("data/site.yaml"), 0},
	} {
		dir := fullBundle(t)
		if err := c.do(dir); err != nil {
			t.Fatal(err)
		}
		p, err := Verify(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := Unfinished(p); got != c.want {
			t.Errorf("%s: %d, want %d: %v", c.name, got, c.want, p)
		}
	}
}

// A forger who also rewrites the bag's manifests is stopped by the chain and by manifest.json, which is what is signed.
func TestVerifyJournalChain(t *testing.T) {
	for name, change := range map[string]func([]string) []string{
		"swapped": func(l []string) []string { l[1], l[2] = l[2], l[1]; return l },
		"dropped": func(l []string) []string { return slices.Delete(l, 1, 2) },
		"edited":  func(l []string) []string { l[1] = strings.Replace(l[1], `"n":1`, `"n":7`, 1); return l },
		"doubled": func(l []string) []string { return slices.Insert(l, 1, l[1]) },
		"cut":     func(l []string) []string { return l[:len(l)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			b, dir := create(t, options())
			for i := range 4 {
				b.Journal("step", map[string]any{"n": i})
			}
			if err := b.Close(manifest()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "data", "journal.jsonl")
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := change(slices.Collect(strings.Lines(string(raw))))
			if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
				t.Fatal(err)
			}
			p := verify(t, dir)
			if !slices.ContainsFunc(p, func(s string) bool {
				return strings.HasPrefix(s, "data/journal.jsonl: ") && (strings.Contains(s, "trusted from line") || strings.Contains(s, "last line"))
			}) {
				t.Errorf("the chain does not show it: %q", p)
			}
		})
	}
}

func TestCreateRefusesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Create(dir, options())
	var full *NotEmptyError
	if !errors.As(err, &full) || !strings.Contains(full.Text().ZH, dir) || !strings.Contains(full.Text().EN, "-o") {
		t.Fatalf("%v", err)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("something was written: %v", got)
	}
	b, err := Create(t.TempDir(), options()) // empty is fine
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
}

func TestAddFileNames(t *testing.T) {
	b, _ := create(t, options())
	for _, name := range []string{"", "/etc/passwd", "../x", "data/../x", "data/./x", "data//x", "data/", `data\x`, "C:/x", "data/con", "data/NUL.txt", "data/com1.log",
		"data/x.", "data/x ", "data/ x", "data/a\nb", "data/a\x00", "data/a%0d", "data/a:b", "data/a*", "data/\u202egpj", "data/\xff", strings.Repeat("x", 300),
		"bagit.txt", "BAGIT.TXT", "bag-info.txt", "manifest.json", "manifest-sha256.txt", "tagmanifest-sm3.txt", "README.txt", "fetch.txt",
		"data/journal.jsonl", "data/transcript.warc.gz", "data/redactions.jsonl", "data/blobs/sha256/x", "signatures/k.sshsig", "data"} {
		if err := b.AddFile(name, []byte("x")); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	for _, name := range []string{"data/site.yaml", "data/packs/CN-PIPL/pack.yaml", "报告.html", "data/site.yaml"} {
		if err := b.AddFile(name, []byte("x")); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := b.AddFile("data/SITE.yaml", []byte("x")); err == nil {
		t.Error("a name that differs only in case was accepted")
	}
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
	if err := b.AddFile("data/late", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := b.Close(manifest()); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if id := b.Record(exchange(1)); id != "" {
		t.Errorf("Record after Close returned %q", id)
	}
	if p := verify(t, b.Dir()); p != nil {
		t.Errorf("%q", p)
	}
}

// A killed process leaves no manifests, but what it recorded can be read.
func TestKilledProcess(t *testing.T) {
	b, dir := create(t, options())
	b.Journal("run.start", nil)
	b.Record(exchange(1))
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	if err := r.Records(func(Stored) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d records, %v", n, err)
	}
	if j, err := r.Journal(); err != nil || len(j) != 1 {
		t.Errorf("journal: %v %v", j, err)
	}
	if p := verify(t, dir); !slices.ContainsFunc(p, func(s string) bool { return strings.HasPrefix(s, "manifest.json: ") }) {
		t.Errorf("verify does not say that the bundle was not closed: %q", p)
	}
	if err := appendTo(filepath.Join(dir, "data", "journal.jsonl"), `{"seq":2,"at":`); err != nil {
		t.Fatal(err)
	}
	var bad *JournalError
	if j, err := r.Journal(); len(j) != 1 || !errors.As(err, &bad) || bad.Line != 2 {
		t.Errorf("half a line: %v %v", j, err)
	}
}

func TestConcurrentUse(t *testing.T) {
	b, dir := create(t, options())
	b.Login("operator", "hunter2-hunter2")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				b.Record(exchange(w*100 + i))
				b.Journal("step", map[string]any{"w": w, "i": i})
				if _, err := b.Blob([]byte{byte(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
	if p := verify(t, dir); p != nil {
		t.Errorf("%q", p)
	}
}

func TestLimits(t *testing.T) {
	o := options()
	o.MaxTranscript, o.MaxRecord = 4000, 1000
	b, dir := create(t, o)
	big := exchange(1)
	big.Response = append(big.Response, bytes.Repeat([]byte("<a/> "), 50_000)...)
	if b.Record(big) == "" {
		t.Fatal("a long answer was not recorded")
	}
	last := "x"
	for i := 0; i < 100 && last != ""; i++ {
		last = b.Record(exchange(i))
	}
	if last != "" {
		t.Fatal("the transcript has no limit")
	}
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
	if p := verify(t, dir); p != nil {
		t.Errorf("%q", p)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cut, note := false, false
	if err := r.Records(func(s Stored) error {
		if len(s.Block) > 1000 {
			t.Errorf("%s has %d bytes", s.Type, len(s.Block))
		}
		cut = cut || s.Header.Get("WARC-Truncated") == "length"
		note = note || strings.Contains(string(s.Block), "response: cut at 1000 bytes")
		return nil
	}); err != nil || !cut || !note {
		t.Errorf("cut %v, note %v: %v", cut, note, err)
	}
	if j, _ := r.Journal(); len(j) != 1 || j[0].Event != "transcript.full" {
		t.Errorf("journal %+v", j)
	}
}

// fullDisk takes so many bytes and then no more, and of the last write a part, as a disk does.
type fullDisk struct {
	file
	left *int
}

func (d fullDisk) WriteAt(b []byte, at int64) (int, error) {
	if len(b) > *d.left {
		n, _ := d.file.WriteAt(b[:*d.left], at)
		*d.left = 0
		return n, errors.New("no space left on device")
	}
	*d.left -= len(b)
	return d.file.WriteAt(b, at)
}

func TestFullDisk(t *testing.T) {
	left := 3500
	o := options()
	o.create = func(path string) (file, error) {
		f, err := createFile(path)
		return fullDisk{f, &left}, err
	}
	b, dir := create(t, o)
	var good []string
	for i := range 20 {
		id := b.Record(exchange(i))
		if id == "" {
			break
		}
		good = append(good, id)
		b.Journal("step", map[string]any{"n": i})
	}
	if len(good) == 0 || len(good) == 20 {
		t.Fatalf("%d exchanges before the disk was full", len(good))
	}
	b.Journal("more", nil)
	if id := b.Record(exchange(21)); id != "" {
		t.Errorf("recorded on a full disk: %q", id)
	}
	if err := b.Close(manifest()); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Close says %v", err)
	}
	if p := verify(t, dir); p != nil { // manifests still fit here
		t.Errorf("%q", p)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	have := map[string]bool{}
	if err := r.Records(func(s Stored) error { have[s.ID] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, id := range good {
		if !have[id] {
			t.Errorf("%s was lost", id)
		}
	}
}

func TestZipIsDeterministic(t *testing.T) {
	dir := fullBundle(t)
	var a, b bytes.Buffer
	if err := Zip(dir, &a); err != nil {
		t.Fatal(err)
	}
	later := start.Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "bagit.txt"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := Zip(dir, &b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two archives of one bundle differ")
	}
	if !bytes.Contains(a.Bytes(), []byte("bundle/data/report.json")) {
		t.Error("the archive has no folder at its top")
	}
}

func TestReportIsReadStrictly(t *testing.T) {
	b, dir := create(t, options())
	if err := b.Close(manifest()); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, tc := range []struct{ text, want string }{
		{`{"schema":"mingshi.report/v2"}`, "mingshi.report/v2"},
		{`{"schema":"mingshi.report/v1"} {}`, "follows"},
		{`{"schema":"mingshi.report/v1","devices":{}}`, "cannot unmarshal"},
		{`{"schema":"mingshi.report/v1"`, "unexpected EOF"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "data", "report.json"), []byte(tc.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Report(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.text, err)
		}
	}
	for _, name := range []string{"../x", "/etc/passwd", "data/../../x"} {
		if _, err := r.ReadFile(name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
