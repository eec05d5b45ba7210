package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestPermits: nothing above a permit is ever sent, by the devices' own account of what they were asked.
func TestPermits(t *testing.T) {
	for _, c := range []struct {
		permit string
		code   int
		never  func(q lab.Request) bool
	}{
		{"listen", exitIncomplete, func(lab.Request) bool { return true }},
		{"discover", exitDone, func(lab.Request) bool { return true }}, // these devices hear no multicast, and a connection is no request
		{"query", exitDone, func(q lab.Request) bool { return q.Login != lab.LoginNone && q.Login != "" || sampled(q.What) }},
		{"login", exitDone, func(q lab.Request) bool { return sampled(q.What) }},
	} {
		t.Run(c.permit, func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("open"), lab.EmitsAttributes("emits"), lab.ConfiguredOn("on")}})
			dir := t.TempDir()
			out := filepath.Join(dir, "bundle")
			r := scanShop(t, t.Context(), shop, dir, "-o", out, "--permit", c.permit)
			if r.code != c.code {
				t.Errorf("exit %d\n%s\n%s", r.code, r.out, r.err)
			}
			for _, q := range shop.Requests() {
				if c.never(q) {
					t.Errorf("%s was asked %s (login %s)", q.Device, q.What, q.Login)
				}
			}
			rep := readReport(t, out)
			for _, cov := range rep.Coverage {
				if c.permit == "listen" && cov.Status == audit.NoAnswer {
					t.Errorf("%s is said not to have answered, and was not asked", cov.Target)
				}
			}
			for _, d := range rep.Devices {
				for f, s := range d.Face {
					if s.Level == audit.Active || (c.permit == "listen" || c.permit == "discover") && s.Level != audit.Unknown {
						t.Errorf("%s: %s is %s", d.Inventory, f, s.Level)
					}
				}
			}
			if v := mingshi(t.Context(), nil, "verify", out); v.code != exitDone {
				t.Errorf("verify: exit %d %s%s", v.code, v.out, v.err)
			}
		})
	}
}

// sampled reports requests that watch live results.
func sampled(what string) bool {
	for _, s := range []string{"CreatePullPoint", "PullMessages", "GetStreamUri", "SetSynchronizationPoint", "RTSP SETUP", "RTSP PLAY"} {
		if strings.Contains(what, s) {
			return true
		}
	}
	return false
}

// scanShop scans a simulated shop with its own site file and logins.
func scanShop(t *testing.T, ctx context.Context, shop *lab.Shop, dir string, args ...string) result {
	t.Helper()
	name := filepath.Join(dir, "site.yaml")
	writeFile(t, name, string(shop.SiteYAML()))
	env := map[string]string{}
	for _, e := range shop.Environment() {
		k, v, _ := strings.Cut(e, "=")
		env[k] = v
	}
	return mingshi(ctx, env, append([]string{"scan", "--site", name, "--discover-for", "1s", "--events-for", "2s", "--metadata-for", "2s"}, args...)...)
}

// TestInterrupted: whenever a run is stopped, what was gathered makes a valid bundle, nothing is left held on a device, and
// "no answer" is said only of what was asked.
func TestInterrupted(t *testing.T) {
	for _, after := range []time.Duration{0, 600 * time.Millisecond, 2500 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("open"), lab.EmitsAttributes("emits"), lab.FaceDetectEvents("events")}})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(after, cancel)
			dir := t.TempDir()
			out := filepath.Join(dir, "bundle")
			r := scanShop(t, ctx, shop, dir, "-o", out, "--events-for", "10s", "--metadata-for", "10s")
			if r.code != exitIncomplete {
				t.Errorf("exit %d\n%s", r.code, r.err)
			}
			created, released := 0, 0
			for _, q := range shop.Requests() {
				switch {
				case strings.Contains(q.What, "CreatePullPointSubscription"):
					created++
				case strings.Contains(q.What, "Unsubscribe"):
					released++
				}
			}
			if released < created && after > time.Second {
				t.Errorf("%d event subscriptions were asked for, %d released", created, released)
			}
			asked := map[string]bool{}
			rep := readReport(t, out)
			for _, o := range rep.Observations {
				asked[o.Locus] = asked[o.Locus] || o.Status != audit.Declared
			}
			for _, cov := range rep.Coverage {
				if host, _, _ := strings.Cut(cov.Target, ":"); cov.Module == "inventory" && cov.Status == audit.NoAnswer && !asked[host] {
					t.Errorf("%s is said not to have answered, and was not asked", cov.Target)
				}
			}
			for _, cmd := range []string{"verify", "judge"} {
				want := map[string]int{"verify": exitDone, "judge": exitIncomplete}[cmd]
				if v := mingshi(t.Context(), nil, cmd, out); v.code != want {
					t.Errorf("%s: exit %d %s%s", cmd, v.code, v.out, v.err)
				}
			}
		})
	}
}

// TestNothingAnswers: a network on which nothing answers is no clean site, even when a neighbour's devices answer a multicast.
func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	labtest.Open(t, lab.Config{Multicast: true, Devices: []lab.Spec{lab.OpenCamera("neighbour")}})
	dir := t.TempDir()
	name, out := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "bundle")
	writeFile(t, name, siteYAML("127.99.99.0/30", "sample", "env:NOT_SET", []string{"127.99.99.1:8080", "127.99.98.1:8080"}))
	r := mingshi(t.Context(), nil, "scan", "--site", name, "-o", out, "--discover-for", "300ms")
	if r.code != exitIncomplete || !strings.Contains(r.err, "NOT_SET") || !strings.Contains(r.err, "nothing in the perimeter answered") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	for _, c := range readReport(t, out).Coverage {
		if strings.HasPrefix(c.Target, "127.99.98.1") && c.Status == audit.NoAnswer {
			t.Errorf("%s is outside the perimeter, and is said not to have answered", c.Target)
		}
	}
	if v := mingshi(t.Context(), nil, "verify", out); v.code != exitDone {
		t.Errorf("verify: exit %d %s%s", v.code, v.out, v.err)
	}
}

// TestBundlesAreEvidence: no command writes into one, and commands that show one that was changed say so.
func TestBundlesAreEvidence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, out := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "bundle")
	writeFile(t, name, siteYAML("127.99.99.4/30", "sample", "", nil))
	if r := mingshi(t.Context(), nil, "scan", "--site", name, "-o", out, "--discover-for", "300ms"); r.code != exitIncomplete {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	for _, args := range [][]string{{"report", out, "--format", "html", "-o", out}, {"report", out, "--format", "html,json", "-o", filepath.Join(out, "data", "new")},
		{"judge", out, "-o", filepath.Join(out, "data", "report.json")}, {"site", "init", "-o", filepath.Join(out, "x.yaml")},
		{"scan", "--site", name, "-o", filepath.Join(out, "again")}, {"scan", "--site", name, "-o", out}} {
		if r := mingshi(t.Context(), nil, args...); r.code != exitNotAllowed || !strings.Contains(r.err, "-o") {
			t.Errorf("%v: exit %d %s", args, r.code, r.err)
		}
	}
	if v := mingshi(t.Context(), nil, "verify", out); v.code != exitDone {
		t.Fatalf("verify: exit %d %s%s", v.code, v.out, v.err)
	}
	for _, args := range [][]string{{"judge", out}, {"report", out, "--format", "json"}} {
		if r := mingshi(t.Context(), nil, append(args, "-q")...); strings.Contains(r.err, "warning") || r.out == "" {
			t.Errorf("%v: %s", args, r.err)
		}
	}

	report := filepath.Join(out, "data", "report.json")
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func() error
		verify int
		judge  int
	}{
		{"a word changed", func() error {
			return os.WriteFile(report, bytes.Replace(data, []byte("测试商店"), []byte("别的商店"), 1), 0o600)
		}, exitChanged, exitIncomplete},
		{"cut off", func() error { return os.WriteFile(report, data[:len(data)/2], 0o600) }, exitChanged, exitNotAllowed},
		{"empty", func() error { return os.WriteFile(report, nil, 0o600) }, exitChanged, exitNotAllowed},
		{"another schema", func() error { return os.WriteFile(report, []byte(`{"schema":"other/v1"}`), 0o600) }, exitChanged, exitNotAllowed},
		{"gone", func() error { return os.Remove(report) }, exitChanged, exitNotAllowed},
		{"a file more", func() error {
			return os.WriteFile(filepath.Join(out, "data", "more.txt"), []byte("more"), 0o600)
		}, exitChanged, exitIncomplete},
	} {
		if err := os.WriteFile(report, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if v := mingshi(t.Context(), nil, "verify", out); v.code != c.verify || v.out == "" {
			t.Errorf("%s: verify: exit %d %s%s", c.name, v.code, v.out, v.err)
		}
		r := mingshi(t.Context(), nil, "judge", out, "-q")
		if r.code != c.judge || c.judge == exitIncomplete && !strings.Contains(r.err, "warning") || r.err == "" {
			t.Errorf("%s: judge: exit %d %s", c.name, r.code, r.err)
		}
	}
}
