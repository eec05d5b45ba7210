package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestExplain(t *testing.T) {
	in := shop()
	analysing(&in)
	post(&in, audit.Notice{Kind: "counter_card", Text: goodText})
	x, err := Explain(builtinPacks(t), in, "2.1", "CAM-01")
	if err != nil {
		t.Fatal(err)
	}
	if x.Finding.Outcome != audit.Undetermined || x.Rule.ID != "SPC-2021-15/2.1" {
		t.Fatalf("explains %s %s", x.Rule.ID, x.Finding.Outcome)
	}
	var names []string
	for _, c := range x.Conditions {
		names = append(names, c.Name)
		if c.Text.ZH == "" || c.Text.EN == "" || c.Expression == "" {
			t.Errorf("condition %s says nothing", c.Name)
		}
	}
	for _, w := range []string{"gates[0]", "recognises", "consent_breach", "applies", "suspected", "conforms"} {
		if !slices.Contains(names, w) {
			t.Errorf("conditions %v, want %s", names, w)
		}
	}
	i := slices.IndexFunc(x.Facts, func(f Consulted) bool { return f.Spec.Name == "face.analyse.active" })
	if i < 0 || !x.Facts[i].Known || !slices.Equal(x.Facts[i].Because, []string{"o-live"}) {
		t.Errorf("the fact behind the mode is not traced: %+v", x.Facts)
	}
	found := false
	for _, c := range x.Counterfactuals {
		if c.Fact == "consent.separate" && c.To.V == false && c.Outcome == audit.Suspected {
			found = true
		}
		if c.Outcome == audit.Undetermined {
			t.Errorf("%s → %v does not change the outcome", c.Fact, c.To.V)
		}
	}
	if !found {
		t.Errorf("no counterfactual about consent: %+v", x.Counterfactuals)
	}

	if y, err := Explain(builtinPacks(t), in, x.Finding.Fingerprint[:12], ""); err != nil || y.Finding.Rule != x.Finding.Rule {
		t.Errorf("by fingerprint: %v %v", y.Finding.Rule, err)
	}
	if _, err := Explain(builtinPacks(t), in, "9.9", ""); err == nil || !strings.Contains(err.Error(), "SPC-2021-15/2.1 device:dev-1") {
		t.Errorf("an unknown rule: %v", err)
	}
	in.Devices = append(in.Devices, audit.Device{ID: "dev-2", Kind: audit.KindRecorder})
	if _, err := Explain(builtinPacks(t), in, "2.1", ""); err == nil || !strings.Contains(err.Error(), "several") {
		t.Errorf("two subjects: %v", err)
	}
}

// TestExplainEvery explains every finding of several scenes: none fails, and no counterfactual repeats the outcome.
func TestExplainEvery(t *testing.T) {
	scenes := map[string]func(*Input){
		"nothing": func(*Input) {}, "seen": analysing,
		"claimed": func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "内有监控"})
			in.Site.Exemptions = []audit.Exemption{{Item: "5(2)"}}
		},
	}
	for name, build := range scenes {
		in := shop()
		build(&in)
		for _, f := range judge(t, in).Findings {
			x, err := Explain(builtinPacks(t), in, f.Rule, f.Subject.String())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, c := range x.Counterfactuals {
				if c.Outcome == f.Outcome {
					t.Errorf("%s: %s: %s → %v leaves it %s", name, f.Rule, c.Fact, c.To.V, c.Outcome)
				}
			}
		}
	}
}
