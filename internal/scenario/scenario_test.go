package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/netip"
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

// expected is the outcome every finding of a rule must have in each story; the golden files hold the rest.
var expected = map[string]map[string]audit.Outcome{
	"S01": {"COVERT": audit.Suspected, "2.1": audit.Suspected, "2.2": audit.Suspected},
	"S02": {"0.1": audit.NotApplicable, "COVERT": audit.NotApplicable, "2.1": audit.NotApplicable, "2.2": audit.NotApplicable, "2.4": audit.NotApplicable},
	"S03": {"2.1": audit.Conforms, "2.2": audit.Conforms, "COVERT": audit.Conforms},
	"S04": {"2.1": audit.Undetermined, "COVERT": audit.Undetermined},
	"S05": {"COVERT": audit.Suspected, "2.2": audit.Suspected, "2.4": audit.Suspected, "2.2-T": audit.Suspected},
	"S06": {"2.4": audit.Suspected, "5": audit.Suspected},
	"S07": {"2.2": audit.Conforms, "2.1": audit.Undetermined, "COVERT": audit.Conforms},
	"S09": {"2.6": audit.Undetermined, "CN-FRT19/8": audit.Suspected, "2.2": audit.Suspected},
	"S27": {"2.1": audit.Suspected, "2.2": audit.Suspected, "2.4": audit.Suspected, "2.6": audit.Suspected, "CN-FRT19/8": audit.Undetermined},
	"U01": {"6": audit.Undetermined},
	"U02": {"2.1": audit.Conforms, "2.2": audit.Conforms, "COVERT": audit.Conforms, "6": audit.Undetermined},
	"U03": {"2.1": audit.Conforms, "2.2": audit.Conforms, "COVERT": audit.Conforms, "6": audit.Conforms},
}

// unfound are stories of cameras that were missed. Each has copies of the camera of S03, with which nothing is wrong, and two
// methods that meet these of them: one that asks everybody, and one that asks at every address.
var unfound = map[string]struct {
	cameras          int
	announced, swept []int
	says             string // of whether the site is clean
}{
	"U01": {4, []int{1, 2, 3, 4}, []int{1, 2, 3, 4}, "missing: at least 1 camera"},
	"U02": {3, []int{1, 2, 3}, []int{1, 2, 3}, "missing: at least 2 cameras"},
	"U03": {5, []int{1, 2, 3}, []int{3, 4, 5}, "how many were missed cannot be estimated"},
}

// gone is where the inventory of U01 lists a camera that is not there, under the name cam-08. Nothing listens at it, and the guard of these runs asks
// nobody but the lab.
var gone = netip.MustParseAddrPort("127.254.254.254:9")

// The stories are played side by side.
func TestMain(m *testing.M) { labtest.Main(m, 8) }

func TestScenarios(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := expected[name]
			rec := play(t, name)
			packs, err := rules.Builtin()
			if err != nil {
				t.Fatal(err)
			}
			r, err := scan.Assemble(rec, all.Modules(), packs)
			if err != nil {
				t.Fatal(err)
			}
			for rule, outcome := range want {
				found := false
				for _, f := range r.Findings {
					if f.Rule == rule || f.Rule == "SPC-2021-15/"+rule {
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
			if u, ok := unfound[name]; ok {
				compare(t, name, "recall.json", r.Recall)
				if clean, why := report.Build(r).Clean(); clean || !strings.Contains(why.EN, u.says) {
					t.Errorf("clean %v: %s", clean, why.EN)
				}
			} else {
				compare(t, name, "observations.json", r.Observations)
				compare(t, name, "facts.json", r.Facts)
			}
			compare(t, name, "findings.json", r.Findings)
			for _, lang := range []string{"zh", "en"} {
				var text bytes.Buffer
				if err := format(t, "text").Write(&text, report.Build(r), report.Options{Lang: lang, Width: 100}); err != nil {
					t.Fatal(err)
				}
				compareBytes(t, name, "report."+lang+".txt", text.Bytes())
			}
		})
	}
}

// play audits the scenario's devices on real sockets at the scenario's date, and returns the record freed of what differs from
// run to run: addresses, times and how many frames came.
func play(t *testing.T, name string) scan.Record {
	t.Helper()
	yaml, err := os.ReadFile(filepath.Join(folder, name, "site.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	on := dateOf(t, name, yaml)
	began := time.Now()
	clock := func() time.Time { return on.Add(time.Since(began)) }
	shop := labtest.Open(t, lab.Config{Devices: devicesOf(name), Clock: clock})
	plain := yaml
	yaml = bytes.ReplaceAll(yaml, []byte("{{cam-08}}"), []byte(gone.String()))
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
	methods = append(methods, meeting(name, shop)...)
	got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: methods, Evidence: bundle, Clock: clock, Scrub: bundle.Scrub,
		Sample: probe.Sample{Events: 2500 * time.Millisecond, Metadata: 2500 * time.Millisecond},
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
	return scan.Record{Site: *steady, Observations: steadyObservations(t, got.Observations, shop, on), Coverage: coverageOf(name),
		Tool: audit.Tool{Name: "mingshi", Version: "scenario"}, Run: audit.Run{ID: "scenario", Permit: file.Authority.Permit, Complete: true, Interfaces: []string{}}}
}

// devicesOf returns the devices of a story.
func devicesOf(name string) []lab.Spec {
	u, ok := unfound[name]
	switch {
	case name == "S09": // people are told apart, and results go to the maker of the system
		s := lab.EmitsRecognitionIdentity("cam-01")
		s.Events.Brokers = []lab.Broker{{Address: "mqtts://hub.storewide.example:8883", Prefix: "chain-7", Publish: "tns1:RuleEngine/Recognition//.", Metadata: "onvif-mj/VideoAnalytics/Profile_1/Face"}}
		return []lab.Spec{s}
	case name == "S27": // age and gender at a board that shows the way; nobody is identified, and results go to who made it
		s := lab.EmitsAttributes("cam-01")
		s.Events.Brokers = []lab.Broker{{Address: "mqtts://ingest.wayfinder.example:8883", Prefix: "mall", Publish: "tns1:RuleEngine/ObjectDetection//.", Metadata: "onvif-mj/VideoAnalytics/Profile_1/FaceAttributes"}}
		return []lab.Spec{s}
	case !ok:
		return lab.Scenario(name)
	}
	var out []lab.Spec
	for i := range u.cameras {
		d := lab.Scenario("S03")[0]
		d.Name, d.Login.User, d.Login.Password = fmt.Sprintf("cam-%02d", i+1), "viewer", "the same for all"
		out = append(out, d)
	}
	return out
}

// meeting returns methods that meet the devices a story says, and send nothing.
func meeting(name string, shop *lab.Shop) []discover.Method {
	u, ok := unfound[name]
	if !ok {
		return nil
	}
	by := func(method string, met []int) discover.Method {
		return discover.Method{Name: method, Needs: audit.PermitDiscover, Run: func(_ context.Context, env discover.Env, found func(audit.Target)) ([]audit.Coverage, error) {
			for _, n := range met {
				found(audit.Target{Method: method, Addr: shop.Devices()[n-1].Addr, At: env.Clock()})
			}
			return nil, nil
		}}
	}
	return []discover.Method{by("ws-discovery", u.announced), by("tcp-connect", u.swept)}
}

// coverageOf is how hard a story of missed cameras looked; of the other stories nothing is kept, as it differs from run to run.
func coverageOf(name string) []audit.Coverage {
	u, ok := unfound[name]
	if !ok {
		return nil
	}
	open, mute := []string{}, []string{}
	for n := 1; n <= u.cameras; n++ {
		if slices.Contains(u.swept, n) {
			open = append(open, nameOf(n))
		} else {
			mute = append(mute, nameOf(n))
		}
	}
	return []audit.Coverage{{Target: "eth0", Module: "ws-discovery", Status: audit.Tried},
		{Target: "192.0.2.0/24", Module: "tcp-connect", Status: audit.Tried, Addresses: []audit.AddressOutcome{
			{Outcome: audit.ReachedOpen, Count: len(open), Ranges: open}, {Outcome: audit.ReachedMute, Count: len(mute), Ranges: mute},
			{Outcome: audit.ReachedAbsent, Count: 253 - u.cameras, Ranges: []string{"192.0.2.2-192.0.2.10", nameOf(u.cameras+1) + "-192.0.2.254"}},
			{Outcome: audit.ReachedOwn, Count: 3, Ranges: []string{"192.0.2.0-192.0.2.1", "192.0.2.255"}}}}}
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

// number is a count in an observation, and clock a device's clock against ours: both depend on how fast the machine was.
var (
	number = regexp.MustCompile(`:\s*[1-9][0-9]*(,|})`)
	clock  = regexp.MustCompile(`"offset_ms":\s*-?[0-9]+`)
)

func steadyObservations(t *testing.T, in []audit.Observation, shop *lab.Shop, on time.Time) []audit.Observation {
	t.Helper()
	pairs := []string{gone.String(), nameOf(8) + ":80", gone.Addr().String(), nameOf(8)}
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
		var x audit.Observation
		if err := json.Unmarshal([]byte(rename.Replace(string(b))), &x); err != nil {
			t.Fatal(err)
		}
		x.Data = clock.ReplaceAll(x.Data, []byte(`"offset_ms":0`))
		if x.Class == audit.ClassLive {
			x.Data = number.ReplaceAll(x.Data, []byte(":1$1"))
		}
		if x.Module != "site" {
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

// dateOf reads the day of the observation from the site file's first lines: two in the afternoon, but at night in S04.
func dateOf(t *testing.T, name string, yaml []byte) time.Time {
	t.Helper()
	m := regexp.MustCompile(`Date of the observation: (\d{4}-\d{2}-\d{2})`).FindSubmatch(yaml)
	if m == nil {
		t.Fatalf("the site file of %s names no date", name)
	}
	hour := "14"
	if name == "S04" {
		hour = "02"
	}
	at, err := time.Parse(time.RFC3339, string(m[1])+"T"+hour+":00:00+08:00")
	if err != nil {
		t.Fatal(err)
	}
	return at
}
