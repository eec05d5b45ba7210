package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

// pcapCase is the name of the case that reads a capture instead of a network.
const pcapCase = "pcap"

// The mix that is read: 20,000 conversations at once, as large as a busy shop writes in minutes.
func mix(o options) capturetest.Mix {
	m := capturetest.Mix{Bytes: 1 << 30, Conversations: 20000, Seed: 1}
	if o.quick {
		m.Bytes = 256 << 20
	}
	return m
}

// reader is a program that reads a capture.
type reader struct {
	name    string
	program string // where it is not one of ours
	argv    func(file, site, out string) []string
	found   func(out string) (int, error) // face events it reports; nil: it knows nothing of faces
	counts  bool                          // it prints them
	ends    []int                         // exit codes that are no failure, beside 0
}

func readers(o options) []reader {
	return []reader{
		{name: "bare", argv: func(file, _, _ string) []string { return []string{filepath.Join(o.bin, "bare"), file} }},
		{name: "mingshi", counts: true, argv: func(file, _, _ string) []string { return []string{filepath.Join(o.bin, "dissect"), file} }},
		{name: wholeRun, found: faceEvents, ends: []int{1}, argv: func(file, site, out string) []string {
			return []string{filepath.Join(o.bin, "mingshi"), "scan", "--site", site, "--pcap", file, "--permit", "listen", "-o", out, "--quiet"}
		}},
		{name: "tcpdump", program: "tcpdump", argv: func(file, _, _ string) []string { return []string{"tcpdump", "-r", file, "-w", "/dev/null"} }},
		{name: "tshark", program: "tshark", argv: func(file, _, _ string) []string {
			return []string{"tshark", "-n", "-r", file, "-T", "fields", "-e", "ip.src", "-e", "ip.dst", "-e", "http.request.uri", "-e", "http.host",
				"-e", "tls.handshake.extensions_server_name", "-e", "dns.qry.name", "-e", "rtsp.request", "-e", "sip.Method", "-e", "mqtt.topic"}
		}},
	}
}

// measurePcap writes the capture, reads it once so that all find it in memory, and lets every program read it in turn.
func measurePcap(o options) ([]result, error) {
	file, site := filepath.Join(o.bin, "mix.pcap"), filepath.Join(o.bin, "pcap.yaml")
	faces, size, err := writeMix(mix(o), file)
	if err != nil {
		return nil, err
	}
	defer os.Remove(file)
	day := func(n int) string { return time.Now().AddDate(0, 0, n).Format(time.DateOnly) }
	if err := os.WriteFile(site, []byte(siteFile(scene{prefix: "10.77.0.0/16"}, day(-1), day(1))), 0o644); err != nil {
		return nil, err
	}
	times := repeats
	if o.quick {
		times = 1
	}
	if o.runs > 0 {
		times = o.runs
	}
	var results []result
	for n := range times {
		for _, p := range readers(o) {
			if p.program != "" && (!installed(p.program) || o.runs > 0) {
				continue
			}
			r, err := readOnce(p, file, site, filepath.Join(o.bin, fmt.Sprintf("out%d", n)))
			if err != nil {
				return results, fmt.Errorf("%s: %w", p.name, err)
			}
			r.Tool = p.name
			for _, r := range append([]result{r}, r.parts...) {
				r.Case, r.Of, r.Rate = pcapCase, faces, round(float64(size)/1e6/r.Seconds, 10)
				fmt.Fprintf(os.Stderr, "pcap %s %d/%d: %.2f s, %.0f MB/s, %.0f MB %s\n", r.Tool, n+1, times, r.Seconds, r.Rate, r.RSS, r.Failed)
				results = append(results, r)
			}
		}
	}
	return results, nil
}

func writeMix(m capturetest.Mix, name string) (faces int, size int64, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	faces, err = m.Write(w)
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return 0, 0, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return 0, 0, err
	}
	return faces, info.Size(), warm(name)
}

func warm(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

func readOnce(p reader, file, site, out string) (r result, err error) {
	argv := p.argv(file, site, out)
	defer os.RemoveAll(out)
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = append(os.Environ(), "LC_ALL=C")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stdout, stderr bytes.Buffer
	c.Stderr = &stderr
	if p.counts {
		c.Stdout = &stdout
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		return r, err
	}
	peak := watchMemory(c.Process.Pid)
	err = c.Wait()
	r.Seconds, r.RSS = time.Since(began).Seconds(), peak()
	if code := c.ProcessState.ExitCode(); err != nil && !slices.Contains(p.ends, code) {
		r.Failed = fmt.Sprintf("%v: %s", err, tail(stderr.String()))
	}
	if p.counts && r.Failed == "" {
		r.Found, err = strconv.Atoi(strings.TrimSpace(stdout.String()))
		return r, err
	}
	if p.found == nil || r.Failed != "" {
		return r, nil
	}
	if r.Found, err = p.found(out); err != nil {
		return r, err
	}
	reading := r
	reading.Tool = readingOnly
	reading.Seconds, err = readingTime(out)
	r.parts = []result{reading}
	return r, err
}

// Beside the reading itself, the command is measured: until it has read and added up all and has the file's digest, and until the
// bundle and the report are written.
const (
	readingOnly = "mingshi scan, reading"
	wholeRun    = "mingshi scan, all"
)

// readingTime is how long the program read, by its own journal: from before the file is opened until the last flow is added up, every
// dissector and the file's digest included.
func readingTime(out string) (float64, error) {
	f, err := os.Open(filepath.Join(out, "data", "journal.jsonl"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	at := map[string]time.Time{}
	for d := json.NewDecoder(f); ; {
		var x struct {
			At    time.Time
			Event string
		}
		if err := d.Decode(&x); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, err
		}
		at[x.Event] = x.At
	}
	from, to := at["capture-opened"], at["capture-read"]
	if from.IsZero() || !to.After(from) {
		return 0, errors.New("the journal does not say how long was read")
	}
	return to.Sub(from).Seconds(), nil
}

// faceEvents adds up how many flows the report's observations of face captures stand for.
func faceEvents(out string) (int, error) {
	b, err := os.ReadFile(filepath.Join(out, "data", "report.json"))
	if err != nil {
		return 0, err
	}
	var r struct {
		Observations []struct {
			Module string
			Class  string
			Seen   struct{ Count int }
		}
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return 0, err
	}
	n := 0
	for _, o := range r.Observations {
		if o.Module == "isapi" && o.Class == "live" {
			n += o.Seen.Count
		}
	}
	return n, nil
}

// printPcap prints the case with the ratios that matter: to the bare loop, and to tshark.
func printPcap(w io.Writer, lines []line) {
	fmt.Fprintln(w, "\npcap: a capture of mixed traffic, in memory")
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"tool", "s", "lowest-highest", "MB/s", "speed / bare", "speed / tshark", "face events", "MB", "runs"})
	speed := func(tool string) float64 {
		for _, l := range lines {
			if l.Tool == tool {
				return l.Rate
			}
		}
		return 0
	}
	over := func(v, by float64) string {
		if by == 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", v/by)
	}
	for _, l := range lines {
		found := ""
		if l.Found > 0 {
			found = fmt.Sprintf("%d/%d", l.Found, l.Of)
		}
		t.AppendRow(table.Row{l.Tool, fmt.Sprintf("%.2f", l.Seconds), fmt.Sprintf("%.2f-%.2f", l.low, l.high), fmt.Sprintf("%.0f", l.Rate), over(l.Rate, speed("bare")), over(l.Rate, speed("tshark")), found,
			fmt.Sprintf("%.0f", l.RSS), l.runs})
	}
	fmt.Fprintln(w, t.Render())
	for _, l := range lines {
		if l.failed != "" {
			fmt.Fprintf(w, "%s: %s\n", l.Tool, l.failed)
		}
	}
}
