package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func render(t *testing.T, format string, r audit.Report, o report.Options) []byte {
	t.Helper()
	for _, f := range report.Formats() {
		if f.Name == format {
			var b bytes.Buffer
			if err := f.Write(&b, report.Build(r), o); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
	}
	t.Fatalf("no format %s", format)
	return nil
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, d)
	}
}

func TestGolden(t *testing.T) {
	o := report.Options{Bundle: "SH-0421-20261120", Digest: strings.Repeat("0123456789abcdef", 4)}
	for name, r := range samples() {
		golden(t, name+".json", render(t, "json", r, o))
		golden(t, name+".html", render(t, "html", r, o))
		for _, lang := range []string{"zh", "en"} {
			p := o
			p.Lang = lang
			golden(t, name+"."+lang+".txt", render(t, "text", r, p))
		}
	}
	golden(t, "shop.en.120.txt", render(t, "text", shop(), report.Options{Lang: "en", Width: 120}))
}

// TestJSONForgetsOrder: the order in which things were found leaves no trace in the bytes, and reading the bytes back and
// writing them again changes none.
func TestJSONForgetsOrder(t *testing.T) {
	want, err := report.JSON(shop())
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r := shop()
		rnd.Shuffle(len(r.Devices), func(i, j int) { r.Devices[i], r.Devices[j] = r.Devices[j], r.Devices[i] })
		rnd.Shuffle(len(r.Findings), func(i, j int) { r.Findings[i], r.Findings[j] = r.Findings[j], r.Findings[i] })
		rnd.Shuffle(len(r.Coverage), func(i, j int) { r.Coverage[i], r.Coverage[j] = r.Coverage[j], r.Coverage[i] })
		rnd.Shuffle(len(r.Observations), func(i, j int) { r.Observations[i], r.Observations[j] = r.Observations[j], r.Observations[i] })
		rnd.Shuffle(len(r.Rules), func(i, j int) { r.Rules[i], r.Rules[j] = r.Rules[j], r.Rules[i] })
		for _, f := range r.Findings {
			rnd.Shuffle(len(f.Because), func(i, j int) { f.Because[i], f.Because[j] = f.Because[j], f.Because[i] })
		}
		got, err := report.JSON(r)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Fatal(d)
		}
	}
	var back audit.Report
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	got, err := report.JSON(back)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
}

// TestBuildLeavesItsInputAlone: scan writes the same report down after it was shown.
func TestBuildLeavesItsInputAlone(t *testing.T) {
	r, same := hostile(), hostile()
	report.Build(r)
	if _, err := report.JSON(r); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(r)
	b, _ := json.Marshal(same)
	if !bytes.Equal(a, b) {
		t.Error("the report was changed")
	}
}

func TestJSONRefusesWhatIsNotJSON(t *testing.T) {
	r := shop()
	r.Observations[0].Data = json.RawMessage("{")
	if _, err := report.JSON(r); err == nil {
		t.Error("written")
	}
}
