package scenario

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
	"github.com/mingshi-audit/mingshi/site"
)

var update = flag.Bool("update", false, "write the golden files again")

const folder = "../../testdata/scenarios"

// expected is what each story must come to; the golden files hold the rest. Rules of other packs are not built yet.
var expected = map[string]struct {
	on   time.Time
	want map[string]audit.Outcome // rule → outcome of every finding of it
}{
	"S01": {at("2022-03-15T14:00:00+08:00"), map[string]audit.Outcome{"COVERT": audit.Suspected, "2.1": audit.Suspected, "2.2": audit.Suspected}},
	"S02": {at("2021-03-15T14:00:00+08:00"), map[string]audit.Outcome{"0.1": audit.NotApplicable, "COVERT": audit.NotApplicable, "2.1": audit.NotApplicable, "2.2": audit.NotApplicable, "2.4": audit.NotApplicable}},
	"S03": {at("2022-03-15T14:00:00+08:00"), map[string]audit.Outcome{"2.1": audit.Conforms, "2.2": audit.Conforms}},
	"S04": {at("2022-03-15T02:00:00+08:00"), map[string]audit.Outcome{"2.1": audit.Undetermined}},
	"S05": {at("2022-03-15T14:00:00+08:00"), map[string]audit.Outcome{"COVERT": audit.Suspected, "2.2": audit.Suspected, "2.4": audit.Suspected, "2.2-T": audit.Suspected}},
	"S06": {at("2022-03-15T14:00:00+08:00"), map[string]audit.Outcome{"2.4": audit.Suspected, "5": audit.Suspected}},
	"S07": {at("2022-03-15T14:00:00+08:00"), map[string]audit.Outcome{"2.2": audit.Conforms, "2.1": audit.Undetermined}},
}

func TestScenarios(t *testing.T) {
	for _, name := range []string{"S01", "S02", "S03", "S04", "S05", "S06", "S07"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := expected[name]
			rec, file := play(t, name, want.on)
			packs, err := rules.Builtin()
			if err != nil {
				t.Fatal(err)
			}
			r, err := scan.Assemble(rec, all.Modules(), packs)
			if err != nil {
				t.Fatal(err)
			}
			for rule, outcome := range want.want {
				found := false
				for _, f := range r.Findings {
					if f.Rule == "SPC-2021-15/"+rule {
						found = true
						if f.Outcome != outcome {
							t.Errorf("%s for %s: %s, want %s (%s)", f.Rule, f.Subject, f.Outcome, outcome, f.Message.EN)
						}
					}
				}
				if !found {
					t.Errorf("no finding of rule %s", rule)
				}
			}
			compare(t, name, "observations.json", r.Observations)
			compare(t, name, "facts.json", r.Facts)
			compare(t, name, "findings.json", r.Findings)
			for _, lang := range []string{"zh", "en"} {
				var text bytes.Buffer
				if err := format(t, "text").Write(&text, report.Build(r), report.Options{Lang: lang, Width: 100}); err != nil {
					t.Fatal(err)
				}
				compareBytes(t, name, "report."+lang+".txt", text.Bytes())
			}
			_ = file
		})
	}
}

// play audits the scenario's devices on real sockets at the scenario's date, and returns the record freed of what differs from
// run to run: addresses, times and how many frames came.
func play(t *testing.T, name string, on time.Time) (scan.Record, *audit.SiteFile) {
	t.Helper()
	began := time.Now()
	clock := func() time.Time { return on.Add(time.Since(began)) }
	shop := labtest.Open(t, lab.Config{Devices: lab.Scenario(name), Clock: clock})
	yaml, err := os.ReadFile(filepath.Join(folder, name, "site.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	plain := yaml
	for _, d := range shop.Devices() {
		yaml = bytes.ReplaceAll(yaml, []byte("{{"+d.Name+"}}"), []byte(d.Addr.String()))
	}
	if i := bytes.Index(yaml, []byte("{{")); i >= 0 {
		t.Fatalf("the site file of %s names a device the lab does not have: %.40s", name, yaml[i:])
	}
	file, err := site.Parse(yaml, name+"/site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g, err := guard.New(guard.Config{Authority: file.Authority, Permit: file.Authority.Permit, Only: shop.Endpoints(), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Create(filepath.Join(t.TempDir(), "bundle"), evidence.Options{Clock: clock, RunID: "scenario"})
	if err != nil {
		t.Fatal(err)
	}
	methods := slices.DeleteFunc(discover.Methods(), func(m discover.Method) bool { return m.Name != "inventory" })
	got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: methods, Evidence: bundle, Clock: clock, Scrub: bundle.Scrub,
		Sample: probe.Sample{Events: 3 * time.Second, Metadata: 3 * time.Second},
		Login: func(ref string) (string, string, error) {
			for _, d := range shop.Devices() {
				if user, password, ok := shop.Credential(d.Credential); ok && d.Credential != "" {
					return user, password, nil
				}
			}
			return "", "", fmt.Errorf("no login %q", ref)
		}})
	if !got.Complete {
		t.Fatalf("the run was not complete: %s", got.Why.EN)
	}
	steady, err := site.Parse(withNames(plain), name+"/site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return scan.Record{Site: *steady, Observations: steadyObservations(t, got.Observations, shop, on), Coverage: nil,
		Tool: audit.Tool{Name: "mingshi", Version: "scenario"}, Run: audit.Run{ID: "scenario", Permit: file.Authority.Permit, Complete: true, Interfaces: []string{}}}, steady
}

// nameOf gives the n-th device of a scenario an address from the documentation range.
func nameOf(n int) string { return fmt.Sprintf("192.0.2.%d", 10+n) }

var placeholder = regexp.MustCompile(`\{\{cam-(\d+)\}\}`)

func withNames(yaml []byte) []byte {
	out := placeholder.ReplaceAllFunc(yaml, func(m []byte) []byte {
		var n int
		if _, err := fmt.Sscanf(string(m), "{{cam-%d}}", &n); err != nil {
			return m
		}
		return []byte(nameOf(n) + ":80")
	})
	return bytes.ReplaceAll(out, []byte("127.0.0.0/8"), []byte("192.0.2.0/24"))
}

// counts are the numbers in an observation that depend on how fast the machine was.
var counts = regexp.MustCompile(`"(messages|documents|objects|frames|bytes|lost|count|counts?|watched_ms|watched|seconds|duration_ms|offset_ms|offset|clock_offset_ms|polls|pulls)":\s*-?[0-9.]+`)

func steadyObservations(t *testing.T, in []audit.Observation, shop *lab.Shop, on time.Time) []audit.Observation {
	t.Helper()
	var pairs []string
	for i, d := range shop.Devices() {
		pairs = append(pairs, d.Addr.String(), nameOf(i+1)+":80", d.RTSP.String(), nameOf(i+1)+":554", d.Addr.Addr().String(), nameOf(i+1))
	}
	rename := strings.NewReplacer(pairs...)
	var out []audit.Observation
	for _, o := range in {
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		text := counts.ReplaceAllString(rename.Replace(string(b)), `"$1":1`)
		var x audit.Observation
		if err := json.Unmarshal([]byte(text), &x); err != nil {
			t.Fatal(err)
		}
		if x.Status != audit.Declared {
			x.At = on.UTC()
			if !x.Until.IsZero() {
				x.Until = on.Add(time.Minute).UTC()
			}
		}
		if len(x.Evidence) > 0 {
			x.Evidence = []string{"transcript"}
		}
		out = append(out, x)
	}
	return out
}

func format(t *testing.T, name string) report.Format {
	t.Helper()
	for _, f := range report.Formats() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return report.Format{}
}

func compare(t *testing.T, scenario, file string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	compareBytes(t, scenario, file, append(b, '\n'))
}

func compareBytes(t *testing.T, scenario, file string, got []byte) {
	t.Helper()
	path := filepath.Join(folder, scenario, file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with: go test ./internal/scenario -update)", err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("%s of %s differs from its golden file; if it should, run go test ./internal/scenario -update and read the difference\n%s", file, scenario, d)
	}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

