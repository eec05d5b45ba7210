package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mingshi-audit/mingshi/internal/netlab"
)

// measurement is what is published of a case and a tool.
type measurement struct {
	Case    string  `json:"case"`
	Tool    string  `json:"tool"`
	Seconds float64 `json:"seconds"`
	Found   int     `json:"found"`
	Of      int     `json:"of"`
	Frames  uint64  `json:"frames"`
	RSS     float64 `json:"rss_mb"`
	Loss    int     `json:"loss,omitempty"` // percent, where the case is "loss"
	Rate    float64 `json:"mb_s,omitempty"` // of the capture, where the case is "pcap"; found counts face events then
}

// result is one run.
type result struct {
	measurement
	Seen       int    // addresses the tool names at all
	Identified int    // cameras whose maker it names
	Overflows  uint64 // of the neighbour table
	Addrs      []netip.Addr
	Failed     string // why it ended badly, with what it said last

	parts []result // of the same run, measured by themselves
}

const (
	repeats = 3
	longest = 10 * time.Minute // of one run
	nobody  = 65534
)

// measureCase builds the network of a case around this process and runs every tool in turn, so many times. Each result goes to
// out as soon as it is known.
func measureCase(key string, o options, out io.Writer) error {
	var s scene
	for _, c := range cases() {
		if c.key() == key {
			s = c
		}
	}
	site := filepath.Join(o.bin, key+".yaml")
	day := func(n int) string { return time.Now().AddDate(0, 0, n).Format(time.DateOnly) }
	if err := os.WriteFile(site, []byte(siteFile(s, day(-1), day(1))), 0o644); err != nil {
		return err
	}
	if alone, err := netlab.Alone(longest); err != nil || !alone {
		return errors.Join(errors.New("another network is being measured on this machine"), err)
	}
	cfg := s.config()
	lan, err := netlab.Open(cfg)
	if err != nil {
		return err
	}
	defer lan.Close()
	chosen, times := choose(s, o)
	enc := json.NewEncoder(out)
	for n := range times {
		for _, t := range chosen {
			r, err := once(s, t, t.argv(s, o, site), lan, cfg.Hosts)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			fmt.Fprintf(os.Stderr, "%s %s %d/%d: %.2f s, %d of %d (%d seen), %d frames %s\n", key, t.name, n+1, times, r.Seconds, r.Found, r.Of, r.Seen, r.Frames, r.Failed)
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose returns the tools of a case and how often each runs.
func choose(s scene, o options) (chosen []tool, times int) {
	for _, t := range tools() {
		switch {
		case !t.fits(s), t.program != "" && !installed(t.program), o.quick && t.slow != "" && t.slow != s.name, (o.runs > 0 || s.named) && t.name != "mingshi":
		default:
			chosen = append(chosen, t)
		}
	}
	switch {
	case o.runs > 0:
		return chosen, o.runs
	case o.quick, s.named:
		return chosen, 1
	}
	return chosen, repeats
}

// once runs a tool on an idle network whose addresses nobody has resolved yet.
func once(s scene, t tool, argv []string, lan *netlab.LAN, hosts []*netlab.Host) (r result, err error) {
	time.Sleep(time.Second) // what the tool before left behind comes to rest
	if err := lan.ForgetNeighbours(); err != nil {
		return r, err
	}
	if _, err := netlab.Settle(900, 20*time.Second); err != nil {
		return r, err
	}
	frames, err := lan.Sent()
	if err != nil {
		return r, err
	}
	full, err := netlab.Overflows()
	if err != nil {
		return r, err
	}
	dropped, err := netlab.Dropped()
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir = "/"
	c.Env = append(os.Environ(), "LC_ALL=C", "HOME=/nonexistent")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if s.plain {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	began := time.Now()
	if err := c.Start(); err != nil {
		return r, err
	}
	peak := watchMemory(c.Process.Pid)
	err = c.Wait()
	r.measurement = measurement{Case: s.name, Tool: t.name, Seconds: time.Since(began).Seconds(), Of: len(hosts), RSS: peak(), Loss: s.loss}
	if err != nil {
		r.Failed = fmt.Sprintf("%v: %s", err, tail(stderr.String()))
	}
	after, err := lan.Sent()
	if err != nil {
		return r, err
	}
	overflows, err := netlab.Overflows()
	if err != nil {
		return r, err
	}
	if lost, err := netlab.Dropped(); err == nil && lost > dropped {
		r.Failed = fmt.Sprintf("%s (the machine itself dropped %d frames meanwhile)", r.Failed, lost-dropped)
	}
	r.Frames, r.Overflows = after-frames, overflows-full
	said := t.read(stdout.Bytes())
	r.Addrs = among(hosts, said.found)
	r.Found, r.Seen, r.Identified = len(r.Addrs), len(among(hosts, said.seen)), len(among(hosts, said.identified))
	return r, nil
}

// among returns the hosts that are in the list.
func among(hosts []*netlab.Host, list []netip.Addr) (out []netip.Addr) {
	in := map[netip.Addr]bool{}
	for _, a := range list {
		in[a] = true
	}
	for _, h := range hosts {
		if in[h.Addr()] {
			out = append(out, h.Addr())
		}
	}
	return out
}

// watchMemory follows a process; what it returns says, once the process has ended, how many MB it had in memory at most. The
// kernel's own figure for a child (getrusage) begins with the size of the process it was forked from, which is this one.
func watchMemory(pid int) (peak func() float64) {
	ended, got := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			if mb := highWater(pid); mb > 0 {
				most = mb
			}
			select {
			case <-ended:
				got <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		close(ended)
		return <-got
	}
}

func highWater(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kb / 1024
		}
	}
	return 0
}

func tail(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", " | ")
	return s[max(0, len(s)-300):]
}
