package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPlanIsSilent runs a plan alone in a network of its own, whose loopback interface is in the perimeter, and holds that the
// kernel sent no packet and opened no connection. It needs the right to make a network namespace.
func TestPlanIsSilent(t *testing.T) {
	const inside = "MINGSHI_TEST_SILENT"
	if file := os.Getenv(inside); file != "" {
		if out, err := exec.CommandContext(t.Context(), "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		before := sent(t)
		for _, args := range [][]string{{"scan", "--plan"}, {"scan", "--plan", "--json"}, {"discover", "--list"}} {
			r := mingshi(t.Context(), nil, append(args, "--site", file)...)
			if r.code != exitDone || !strings.Contains(r.out, "127.77.0.0/24") {
				t.Errorf("%v: exit %d\n%s%s", args, r.code, r.out, r.err)
			}
			if !strings.Contains(r.out, "knows no way") && !strings.Contains(r.out, "没有通往该网段的路由") { // to 192.0.2.0/24
				t.Errorf("%v does not say what cannot be reached\n%s", args, r.out)
			}
		}
		if after := sent(t); before != after {
			t.Errorf("packets and connections before %s, after %s", before, after)
		}
		return
	}
	file := filepath.Join(t.TempDir(), "site.yaml")
	writeFile(t, file, siteYAML("127.77.0.0/24, 192.0.2.0/24", "sample", "", []string{"127.77.0.9:8080"}))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	self := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestPlanIsSilent$", "-test.v")
	self.Env = append(os.Environ(), inside+"="+file)
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		self.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		self.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := self.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		t.Errorf("%v\n%s", err, out)
	case err != nil:
		t.Skipf("no network namespace can be made here: %v", err)
	case !strings.Contains(string(out), "PASS: TestPlanIsSilent"):
		t.Errorf("it did not run:\n%s", out)
	}
}

// sent is what the kernel counts of packets and connections of this network namespace.
func sent(t *testing.T) string {
	t.Helper()
	var out []string
	for file, names := range map[string][]string{"/proc/self/net/snmp6": {"Ip6OutRequests", "Ip6OutMcastPkts"}, "/proc/self/net/dev": {"lo:"}} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			for line := range strings.Lines(string(data)) {
				if f := strings.Fields(line); len(f) > 1 && f[0] == n {
					out = append(out, fmt.Sprint(f))
				}
			}
		}
	}
	data, err := os.ReadFile("/proc/self/net/snmp")
	if err != nil {
		t.Fatal(err)
	}
	unsent := -1 // the column of what had no way and was not sent: asking the system for the way counts there
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 0 && f[0] == "Ip:" {
			if i := slices.Index(f, "OutNoRoutes"); i >= 0 {
				unsent = i
			} else if unsent >= 0 && unsent < len(f) {
				f[unsent] = "-"
			}
			line = strings.Join(f, " ")
		}
		if strings.HasPrefix(line, "Ip: ") || strings.HasPrefix(line, "Tcp: ") || strings.HasPrefix(line, "Udp: ") {
			out = append(out, line)
		}
	}
	if len(out) < 4 {
		t.Fatalf("the kernel counts %q", out)
	}
	slices.Sort(out)
	return strings.Join(out, "")
}
