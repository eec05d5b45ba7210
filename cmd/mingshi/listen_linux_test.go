package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestListeningIsSilent listens alone in a network of its own, whose loopback interface is in the perimeter, and reads a file there,
// and holds that the kernel sent no packet and opened no connection, and that the guard had nothing to refuse.
func TestListeningIsSilent(t *testing.T) {
	const inside = "MINGSHI_TEST_LISTENS"
	if dir := os.Getenv(inside); dir != "" {
		if out, err := exec.CommandContext(t.Context(), "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		site, file := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "a.pcap")
		before := sent(t)
		for _, args := range [][]string{{"scan", "--pcap", file}, {"scan", "--pcap", file, "--permit", "listen", "--iface", "lo", "--listen-for", "1s"}, {"listen", "--iface", "lo", "--for", "1s"}} {
			bundle := filepath.Join(t.TempDir(), "bundle")
			r := mingshi(t.Context(), nil, append(args, "--site", site, "-o", bundle)...)
			if want := map[bool]int{true: exitDone, false: exitIncomplete}[args[0] == "scan"]; r.code != want {
				t.Errorf("%v: exit %d\n%s%s", args, r.code, r.out, r.err)
			}
			for _, c := range readReport(t, bundle).Coverage {
				if c.Module == "guard" {
					t.Errorf("%v: the guard refused %s: %s", args, c.Target, c.Detail.EN)
				}
			}
		}
		if after := sent(t); before != after {
			t.Errorf("packets and connections before %s, after %s", before, after)
		}
		return
	}
	mayListen(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "site.yaml"), siteYAML("127.77.0.0/24", "sample", "", []string{"127.77.0.9:8080"}))
	fileIn(t, dir, "a.pcap", pushes("127.77.0.9", "203.0.113.9:80", 5).PCAP())
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	self := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestListeningIsSilent$", "-test.v")
	self.Env = append(os.Environ(), inside+"="+dir)
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := self.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		t.Errorf("%v\n%s", err, out)
	case err != nil:
		t.Skipf("no network namespace can be made here: %v", err)
	case !strings.Contains(string(out), "PASS: TestListeningIsSilent"):
		t.Errorf("it did not run:\n%s", out)
	}
}
