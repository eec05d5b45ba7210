package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// facePush is what a camera brings its receiver when it took a face, with what no bundle may keep.
const facePush = `<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><ipAddress>%[1]s</ipAddress><channelID>1</channelID>` +
	`<dateTime>2026-11-02T10:00:00+08:00</dateTime><activePostCount>%[2]d</activePostCount><eventType>faceCapture</eventType><eventState>active</eventState>` +
	`<FaceInfo><name>Zhang-Secret-San</name></FaceInfo></EventNotificationAlert>`

func pushOf(from string, n int) []byte {
	body := fmt.Sprintf(facePush, from, n)
	return []byte(fmt.Sprintf("POST /alarm HTTP/1.1\r\nHost: receiver\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
}

// pushes is a capture in which a camera brings a receiver the faces it took.
func pushes(camera, receiver string, n int) *capturetest.Capture {
	c := capturetest.New()
	for i := range n {
		k := c.Connect(fmt.Sprintf("%s:%d", camera, 40000+i), receiver)
		k.Up(pushOf(camera, i)).Down([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		k.Close()
	}
	return c
}

func fileIn(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func activeAt(r audit.Report, inventory string, f audit.Function) bool {
	return slices.ContainsFunc(r.Devices, func(d audit.Device) bool { return d.Inventory == inventory && d.Face[f].Level == audit.Active })
}

// TestCaptureFile: a file is read and judged as an audit is, nothing of its packets gets into the bundle, and the bundle says how to
// check what rests on it.
func TestCaptureFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site, out := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "bundle")
	writeFile(t, site, siteYAML("192.0.2.0/24", "sample", "", []string{"192.0.2.21:80", "192.0.2.22:80"}))
	pcap := pushes("192.0.2.21", "203.0.113.9:80", 40).PCAP()
	file := fileIn(t, dir, "saturday.pcap", pcap)
	r := mingshi(t.Context(), nil, "scan", "--site", site, "--pcap", file, "-o", out)
	if r.code != exitDone {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
	rep := readReport(t, out)
	if rep.Run.Permit != audit.PermitListen || !rep.Run.Complete || rep.Run.Began.IsZero() || rep.Recall != nil || rep.Window.From.Year() != 2026 || rep.Window.From.Month() != time.November || rep.Window.From.Day() != 2 {
		t.Errorf("%+v, window %v", rep.Run, rep.Window)
	}
	if !activeAt(rep, "CAM-01", audit.Capture) || activeAt(rep, "CAM-02", audit.Capture) {
		t.Errorf("%+v", rep.Devices)
	}
	sum := sha256.Sum256(pcap)
	if c := rep.Captures; len(c) != 1 || c[0].SHA256 != hex.EncodeToString(sum[:]) || c[0].Name != "saturday.pcap" || c[0].Bytes != int64(len(pcap)) || !c[0].Whole || c[0].Totals.Conversations != 40 {
		t.Errorf("%+v", c)
	}
	for _, d := range rep.Devices {
		for f, s := range d.Face {
			if s.Level == audit.Absent {
				t.Errorf("%s: %s is absent", d.ID, f)
			}
		}
	}
	noSecret(t, out, "Zhang-Secret-San", pcap)
	for args, code := range map[string]int{"verify " + out: exitDone, "judge -q " + out: exitDone, "report " + out: exitDone} {
		if v := mingshi(t.Context(), nil, strings.Fields(args)...); v.code != code {
			t.Errorf("%s: exit %d %s%s", args, v.code, v.out, v.err)
		}
	}
	stored, err := os.ReadFile(filepath.Join(out, "data", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if v := mingshi(t.Context(), nil, "judge", out, "--format", "json"); v.out != string(stored) {
		t.Error("judging again gives another report")
	}
	if v := mingshi(t.Context(), nil, "explain", out, "CAM-01"); v.code != exitDone || !strings.Contains(v.out, "overheard 40 times") || !strings.Contains(v.out, "capture:c1#") {
		t.Errorf("explain: exit %d\n%s", v.code, v.out)
	}
}

// noSecret holds that neither a person's value nor a packet's bytes are anywhere in a bundle.
func noSecret(t *testing.T, out, secret string, pcap []byte) {
	t.Helper()
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if _, err := b.ReadFrom(z); err != nil {
				return err
			}
			data = b.Bytes()
		}
		if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, pcap[len(pcap)/2:len(pcap)/2+64]) {
			t.Errorf("%s holds what was in the packets", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCaptureFiles: several files, one from standard input and compressed, one cut off; files that are none, before anything happens.
func TestCaptureFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	writeFile(t, site, siteYAML("192.0.2.0/24", "sample", "", []string{"192.0.2.21:80", "192.0.2.22:80"}))
	first, second := pushes("192.0.2.21", "203.0.113.9:80", 10).PCAP(), pushes("192.0.2.22", "203.0.113.9:80", 10).NG()
	whole := fileIn(t, dir, "a.pcap", first)
	cut := fileIn(t, dir, "cut.pcapng", second[:len(second)*2/3])
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(second); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	scan := func(in []byte, args ...string) (result, string) {
		var out, errs bytes.Buffer
		bundle := filepath.Join(t.TempDir(), "bundle")
		code := run(t.Context(), append([]string{"scan", "--site", site, "-o", bundle}, args...), streams{in: bytes.NewReader(in), out: &out, err: &errs, env: func(string) (string, bool) { return "", false }})
		return result{code, out.String(), errs.String()}, bundle
	}

	r, out := scan(z.Bytes(), "--pcap", whole, "--pcap", "-")
	rep := readReport(t, out)
	if r.code != exitDone || len(rep.Captures) != 2 || rep.Captures[1].Name != "stdin" || rep.Captures[1].Format != "pcapng+gzip" || !activeAt(rep, "CAM-01", audit.Capture) || !activeAt(rep, "CAM-02", audit.Capture) {
		t.Errorf("exit %d %+v\n%s", r.code, rep.Captures, r.err)
	}

	r, out = scan(nil, "--pcap", cut, whole) // as a shell writes the names a pattern stands for
	rep = readReport(t, out)
	partial := slices.ContainsFunc(rep.Coverage, func(c audit.Coverage) bool {
		return c.Target == "cut.pcapng" && c.Status == audit.Partial && strings.Contains(c.Detail.EN, "the file ends there")
	})
	if r.code != exitDone || !partial || rep.Captures[0].Whole || !activeAt(rep, "CAM-02", audit.Capture) || len(rep.Captures[0].SHA256) != 64 {
		t.Errorf("exit %d %+v %+v\n%s", r.code, rep.Captures, rep.Coverage, r.err)
	}

	empty := fileIn(t, dir, "empty.pcap", first[:24])
	if r, out = scan(nil, "--pcap", empty); r.code != exitIncomplete || readReport(t, out).Run.Complete {
		t.Errorf("nothing in it: exit %d\n%s", r.code, r.err)
	}

	text := fileIn(t, dir, "notes.txt", []byte("no packets at all"))
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--pcap", text}, "neither pcap nor pcapng"},
		{[]string{"--pcap", filepath.Join(dir, "missing.pcap")}, "does not exist"},
		{[]string{"--pcap", whole, "--pcap", dir}, "folder"},
		{[]string{"--pcap", "-", "--pcap", "-"}, "once"},
		{[]string{whole}, "too many"},
		{[]string{"--listen-for=48h"}, "48h"},
	} {
		if r, out := scan(nil, c.args...); r.code != exitNotAllowed || !strings.Contains(r.err, c.says) {
			t.Errorf("%v: exit %d %s", c.args, r.code, r.err)
		} else if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: a bundle was begun", c.args)
		}
	}
}

// TestCaptureBesideAsking: with a permit that asks devices, a capture and their answers make one report.
func TestCaptureBesideAsking(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("open"), lab.OpenCamera("other")}})
	dir := t.TempDir()
	camera := shop.Endpoints()[0].Addr().String()
	file := fileIn(t, dir, "a.pcap", pushes(camera, "203.0.113.9:80", 5).PCAP())
	out := filepath.Join(dir, "bundle")
	r := scanShop(t, t.Context(), shop, dir, "-o", out, "--permit", "query", "--pcap", file)
	rep := readReport(t, out)
	asked, heard := false, false
	for _, c := range rep.Coverage {
		if strings.HasPrefix(c.Target, camera) {
			asked, heard = asked || c.Module == "onvif" && c.Status != audit.Overheard, heard || c.Module == "isapi" && c.Status == audit.Overheard
		}
	}
	if r.code != exitDone || len(rep.Captures) != 1 || rep.Recall == nil || !asked || !heard || len(shop.Requests()) == 0 {
		t.Errorf("exit %d, asked %v, heard %v, %+v\n%s", r.code, asked, heard, rep.Captures, r.err)
	}
	for _, d := range rep.Devices {
		if slices.ContainsFunc(d.Loci, func(l string) bool { return strings.HasPrefix(l, camera) }) && d.Face[audit.Capture].Level == audit.Active {
			return
		}
	}
	t.Error("what was overheard is not the device that was asked")
}

// TestPlanOfListening: a plan says what would be read and listened on.
func TestPlanOfListening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	writeFile(t, site, siteYAML("127.0.0.0/8", "sample", "", nil))
	r := mingshi(t.Context(), nil, "scan", "--site", site, "--plan", "--permit", "listen", "--pcap", "x.pcap", "--iface", "lo", "--listen-for", "30s")
	if r.code != exitDone || !strings.Contains(r.out, "reads the capture x.pcap") || !strings.Contains(r.out, "listens on lo for at most 30s") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := mingshi(t.Context(), nil, "scan", "--site", site, "--plan", "--iface", "lo"); r.code != exitDone || strings.Contains(r.out, "listens on") {
		t.Errorf("an interface that limits the search would be listened on: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// mayListen skips where this test may not listen on an interface.
func mayListen(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("listening needs Linux and root")
	}
}

// speak lets a camera bring a receiver faces over loopback, until the context ends.
func speak(ctx context.Context, t *testing.T, camera, receiver string) {
	t.Helper()
	l, err := net.Listen("tcp", receiver)
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			_, _ = c.Read(buf)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			c.Close()
		}
	}()
	go func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(camera)}}
		for n := 0; ctx.Err() == nil; n++ {
			if c, err := d.DialContext(ctx, "tcp", receiver); err == nil {
				_, _ = c.Write(pushOf(camera, n))
				buf := make([]byte, 512)
				_, _ = c.Read(buf)
				c.Close()
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
}

// TestListenLive: what passes an interface is heard while it passes; the bundle is that of a scan.
func TestListenLive(t *testing.T) {
	t.Parallel()
	mayListen(t)
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	writeFile(t, site, siteYAML("127.93.0.0/24", "listen", "", []string{"127.93.0.21:80"}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	speak(ctx, t, "127.93.0.21", "127.93.0.99:8099")
	for _, args := range [][]string{{"listen", "--for", "2s"}, {"scan", "--permit", "listen", "--listen-for", "2s"}} {
		out := filepath.Join(t.TempDir(), "bundle")
		r := mingshi(t.Context(), nil, append(args, "--site", site, "--iface", "lo", "-o", out)...)
		rep := readReport(t, out)
		if r.code != exitDone || !activeAt(rep, "CAM-01", audit.Capture) || !rep.Captures[0].Live || rep.Captures[0].Seconds < 1.5 || rep.Captures[0].Totals.Received == 0 || !slices.Contains(rep.Run.Interfaces, "lo") {
			t.Errorf("%v: exit %d %+v\n%s\n%s", args, r.code, rep.Captures, r.out, r.err)
		}
		if args[0] == "listen" && !strings.Contains(r.err, "heard 127.93.0.21") {
			t.Errorf("nothing was told while it listened:\n%s", r.err)
		}
		if v := mingshi(t.Context(), nil, "verify", out); v.code != exitDone {
			t.Errorf("verify: exit %d %s%s", v.code, v.out, v.err)
		}
	}
}

// alarm is where something is written, and rings when a word comes.
type alarm struct {
	word []byte
	ring func()
	said bytes.Buffer
	at   time.Time // of the ring
}

func (a *alarm) Write(b []byte) (int, error) {
	if a.said.Write(b); a.at.IsZero() && bytes.Contains(a.said.Bytes(), a.word) {
		a.at = time.Now()
		a.ring()
	}
	return len(b), nil
}

// TestListenEnds: Ctrl-C is the orderly end of a listening nobody set a time for, and an interruption of one that somebody did.
func TestListenEnds(t *testing.T) {
	t.Parallel()
	mayListen(t)
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	writeFile(t, site, siteYAML("127.94.0.0/24", "listen", "", []string{"127.94.0.21:80"}))
	during, quiet := context.WithCancel(t.Context())
	defer quiet()
	speak(during, t, "127.94.0.21", "127.94.0.99:8099")
	for _, c := range []struct {
		args []string
		code int
	}{{nil, exitDone}, {[]string{"--for", "5m"}, exitIncomplete}} {
		out := filepath.Join(t.TempDir(), "bundle")
		ctx, cancel := context.WithCancel(t.Context())
		errs := &alarm{word: []byte("heard 127.94.0.21"), ring: cancel}
		code := run(ctx, append([]string{"listen", "--site", site, "--iface", "lo", "-o", out}, c.args...), streams{out: io.Discard, err: errs, env: func(string) (string, bool) { return "", false }})
		rep := readReport(t, out)
		if code != c.code || !activeAt(rep, "CAM-01", audit.Capture) || errs.at.IsZero() || time.Since(errs.at) > 30*time.Second {
			t.Errorf("%v: exit %d, rung at %v\n%s", c.args, code, errs.at, errs.said.String())
		}
		cancel()
	}
}

// TestInterfaceAlone: with a permit that asks devices, an interface limits where they are looked for, and is not listened on unless
// that is asked for.
func TestInterfaceAlone(t *testing.T) {
	t.Parallel()
	mayListen(t)
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	writeFile(t, site, siteYAML("127.95.0.0/30", "discover", "", nil))
	for args, captures := range map[string]int{"": 0, "--listen-for 2s": 1} {
		out := filepath.Join(t.TempDir(), "bundle")
		r := mingshi(t.Context(), nil, append([]string{"scan", "--site", site, "--iface", "lo", "-o", out, "--discover-for", "300ms"}, strings.Fields(args)...)...)
		if rep := readReport(t, out); len(rep.Captures) != captures {
			t.Errorf("%q: exit %d, %d captures\n%s", args, r.code, len(rep.Captures), r.err)
		}
	}
}

// TestInterfaceNotAllowed: what the authority does not cover is not listened on, and nothing is begun.
func TestInterfaceNotAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	text := siteYAML("192.0.2.0/24", "listen", "", nil)
	writeFile(t, site, text)
	named := filepath.Join(dir, "named.yaml")
	writeFile(t, named, strings.Replace(text, "\n  permit:", "\n  interfaces: [eth7]\n  permit:", 1))
	for _, c := range []struct{ args, says string }{
		{"listen --site " + site + " --iface lo", "outside the perimeter"},
		{"listen --site " + site + " --iface nic7", "no such interface"},
		{"listen --site " + named + " --iface lo", "eth7"},
		{"listen --site " + named, "eth7"},
		{"scan --permit listen --site " + site + " --iface lo", "outside the perimeter"},
		{"listen", "mingshi listen"},
		{"listen --site " + site + " --for=-1s", "-1s"},
	} {
		out := filepath.Join(t.TempDir(), "bundle")
		r := mingshi(t.Context(), nil, append(strings.Fields(c.args), "-o", out)...)
		if _, err := os.Stat(out); r.code != exitNotAllowed || !strings.Contains(r.err, c.says) || err == nil {
			t.Errorf("%s: exit %d %s", c.args, r.code, r.err)
		}
	}
}
