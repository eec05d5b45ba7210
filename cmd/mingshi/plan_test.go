package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/site"
)

func TestPlan(t *testing.T) {
	shop, file := street(t, "sample", lab.OpenCamera("open"))
	dir := t.TempDir()
	t.Chdir(dir)
	env := map[string]string{"LAB_LOGIN": "viewer:hunter2hunter2"}
	r := mingshi(t.Context(), env, "scan", "--site", file, "--plan", "--json", "--permit", "login")
	var n intent
	if err := json.Unmarshal([]byte(r.out), &n); err != nil || r.code != exitDone {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	asking := slices.DeleteFunc(all.Modules(), func(m probe.Module) bool { return m.Probe == nil })
	if n.Schema != "mingshi.plan/v1" || n.Permit != audit.PermitLogin || n.Authority.Permit != audit.PermitSample || len(n.Methods) != len(discover.Methods()) ||
		len(n.Modules) != len(asking) || n.Pace.Packets != 40 || n.Pace.Connections != 2 || n.Watching != nil || len(n.Inventory) != 2 || len(n.Interfaces) == 0 {
		t.Errorf("%+v", n)
	}
	if e := n.Inventory[0]; e.ID != "CAM-01" || e.Reference != "env:LAB_LOGIN" || !e.Available || !e.Why.IsZero() {
		t.Errorf("%+v", e)
	}
	if !slices.ContainsFunc(n.NotDone, func(x planNot) bool { return x.What == "sample" && strings.Contains(x.Why.EN, "login") }) {
		t.Errorf("not done: %+v", n.NotDone)
	}
	for lang, want := range map[string][]string{
		"zh": {"尚未发送任何数据", "每台设备每秒至多 40 个数据包", "env:LAB_LOGIN：可用", "自查", "30s", "2099-12-31"},
		"en": {"Nothing has been sent", "at most 40 packets a second", "env:LAB_LOGIN: there", "self-audit", "20s", "2099-12-31"},
	} {
		r := mingshi(t.Context(), env, "scan", "--site", file, "--plan", "--lang", lang)
		if r.code != exitDone || r.err != "" {
			t.Errorf("exit %d %s", r.code, r.err)
		}
		for _, w := range want {
			if !strings.Contains(r.out, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, r.out)
			}
		}
		if lang == "en" && strings.ContainsFunc(strings.ReplaceAll(r.out, "测试商店", ""), func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
			t.Errorf("Chinese in\n%s", r.out)
		}
		if strings.Contains(r.out, "hunter2") {
			t.Error("the plan tells a password")
		}
	}
	if q := shop.Requests(); len(q) > 0 {
		t.Errorf("a plan sent %d requests", len(q))
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("a plan left %v behind (%v)", left, err)
	}
}

// TestPlanSendsNothing: on a machine with an interface in the perimeter, a plan dials nobody, and every line of what it would do
// is within the perimeter.
func TestPlanSendsNothing(t *testing.T) {
	rec := &guardtest.Recorder{}
	authority := guardtest.Authority("192.0.2.0/24", "10.0.0.0/8")
	g, err := guard.New(guard.Config{Authority: authority, Permit: audit.PermitSample, Dial: rec.Dial,
		Interfaces: func() ([]guard.Interface, error) {
			return []guard.Interface{{Index: 9999, Name: "cam0", Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}}}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	file := &audit.SiteFile{Site: audit.Site{ID: "S"}, Authority: authority, Inventory: []audit.InventoryEntry{
		{ID: "none"}, {ID: "out", Address: "198.51.100.7"}, {ID: "bad", Address: "camera.example"}, {ID: "in", Address: "192.0.2.9:8081", Credentials: "env:NOT_SET"}}}
	p := plan{file: file, permit: audit.PermitSample, clock: time.Now, login: func(ref string) (string, string, error) {
		return site.Resolve(ref, file, func(string) (string, bool) { return "", false }, os.ReadFile)
	}}
	n := intentOf(p, g)
	if d := rec.Dialled(); len(d) > 0 {
		t.Errorf("a plan dialled %v", d)
	}
	if again := intentOf(p, g); !equalJSON(t, n, again) {
		t.Error("the same plan twice differs")
	}
	var left []string
	for _, x := range n.NotDone {
		left = append(left, x.What)
	}
	for _, id := range []string{"none", "out", "bad"} {
		if !slices.Contains(left, id) {
			t.Errorf("%s is to be asked; left out are %q", id, left)
		}
	}
	if slices.Contains(left, "in") || n.Inventory[3].Available || !strings.Contains(n.Inventory[3].Login.EN, "NOT_SET") {
		t.Errorf("%+v", n.Inventory[3])
	}
	if n.Watching == nil || n.Watching.Events != 30 {
		t.Errorf("%+v", n.Watching)
	}
	packets := 0
	for _, m := range n.Methods {
		for _, c := range m.Costs {
			if c.Why.IsZero() {
				packets += c.Packets
			}
		}
	}
	if packets != n.Packets {
		t.Errorf("%d packets in all, %d in the lines", n.Packets, packets)
	}
}

// TestTotal: what runs beside each other takes as long as the longest, and what would not run costs nothing.
func TestTotal(t *testing.T) {
	why := audit.Text{ZH: "不", EN: "no"}
	packets, lasts, unsaid := total([]methodLine{
		{Name: "inventory", Group: "listed"},
		{Name: "multicast", Group: "announced", Known: true, Costs: []costLine{{Packets: 4, Seconds: 3}, {Packets: 4, Seconds: 2}}},
		{Name: "sweep", Group: "swept", Known: true, Costs: []costLine{{Packets: 100, Seconds: 2}, {Packets: 50, Seconds: 1.5}, {Packets: 1 << 20, Seconds: 900, Why: why}}},
		{Name: "silent", Group: "announced"},
		{Name: "denied", Group: "announced", Why: why},
	})
	if packets != 158 || lasts != 3 || !slices.Equal(unsaid, []string{"silent"}) {
		t.Errorf("%d packets, %v s, %q", packets, lasts, unsaid)
	}
}

func TestPlanRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.yaml")
	writeFile(t, file, strings.ReplaceAll(siteYAML("127.0.0.0/8", "query", "", nil), "2099", "2021"))
	r := mingshi(t.Context(), nil, "scan", "--site", file, "--plan")
	if r.code != exitNotAllowed || r.out != "" || !strings.Contains(r.err, "2021") {
		t.Errorf("exit %d %s%s", r.code, r.out, r.err)
	}
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}
