package audit_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
)

var camera = audit.Subject{Kind: audit.SubjectDevice, ID: "cam"}

func fact(name, key string, v any, because ...string) audit.Fact {
	f := audit.NewFact(name, key, v)
	f.Subject, f.Because, f.Class = camera, because, audit.ClassConfig
	return f
}

func of(s audit.Scope, f audit.Fact) audit.Fact { f.Scope = s; return f }

func partial(f audit.Fact) audit.Fact { f.Partial = true; return f }

func inferred(f audit.Fact) audit.Fact { f.Inferred = true; return f }

var specs = map[string]audit.FactSpec{
	"any":   {Name: "any", Type: audit.Bool, Merge: audit.MergeAny},
	"agree": {Name: "agree", Type: audit.String, Merge: audit.MergeAgree},
	"union": {Name: "union", Type: audit.List, Merge: audit.MergeUnion},
	"sum":   {Name: "sum", Type: audit.Int, Merge: audit.MergeSum},
	"max":   {Name: "max", Type: audit.Int, Merge: audit.MergeMax},
}

func TestFold(t *testing.T) {
	for _, c := range []struct {
		name  string
		facts []audit.Fact
		want  audit.Folded
	}{
		{"one instance on, one off: on", []audit.Fact{fact("any", "A", false, "o1"), fact("any", "B", true, "o2")},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: true}, Because: []string{"o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"every instance off: off", []audit.Fact{fact("any", "A", false, "o1"), fact("any", "B", false, "o2")},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: false}, Because: []string{"o1", "o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"one instance contradicted: unknown, both named", []audit.Fact{fact("any", "A", false, "o1"), fact("any", "A", true, "o2"), fact("any", "B", false, "o3")},
			audit.Folded{Name: "any", Dispute: []string{"o1", "o2"}, For: []string{"o2"}, Against: []string{"o1"}}},
		{"the whole denied, an instance on: unknown, both named", []audit.Fact{of(audit.OfWhole, fact("any", "isapi", false, "o1")), fact("any", "rule", true, "o2"), fact("any", "other", false, "o3")},
			audit.Folded{Name: "any", Dispute: []string{"o1", "o2"}, For: []string{"o2"}, Against: []string{"o1"}}},
		{"the whole denied, the whole affirmed: unknown, both named", []audit.Fact{of(audit.OfWhole, fact("any", "isapi", false, "o1")), of(audit.OfWhole, fact("any", "onvif", true, "o2"))},
			audit.Folded{Name: "any", Dispute: []string{"o1", "o2"}, For: []string{"o2"}, Against: []string{"o1"}}},
		{"the whole denied twice: no", []audit.Fact{of(audit.OfWhole, fact("any", "isapi", false, "o1")), of(audit.OfWhole, fact("any", "onvif", false, "o2"))},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: false}, Scope: audit.OfWhole, Because: []string{"o1", "o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"the only channel off, a rule on: two instances", []audit.Fact{of(audit.OfSole, fact("any", "channel 1", false, "o1")), fact("any", "rule", true, "o2")},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: true}, Because: []string{"o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"the only channel off, the whole on: unknown", []audit.Fact{of(audit.OfSole, fact("any", "channel 1", false, "o1")), of(audit.OfWhole, fact("any", "dahua", true, "o2"))},
			audit.Folded{Name: "any", Dispute: []string{"o1", "o2"}, For: []string{"o2"}, Against: []string{"o1"}}},
		{"one of several channels off, the whole on: on", []audit.Fact{fact("any", "channel 1", false, "o1"), of(audit.OfWhole, fact("any", "dahua", true, "o2"))},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: true}, Because: []string{"o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"a partial no decides nothing", []audit.Fact{partial(fact("any", "channel 1", false, "o1")), fact("any", "channel 2", false, "o2")},
			audit.Folded{Name: "any", Partial: true, Because: []string{"o1", "o2"}}},
		{"a partial no hides no yes", []audit.Fact{partial(fact("any", "channel 1", false, "o1")), fact("any", "channel 2", true, "o2")},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: true}, Because: []string{"o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"what is inferred stands alone", []audit.Fact{inferred(fact("any", "model", true, "o1"))},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: true}, Inferred: true, Because: []string{"o1"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"what is inferred contradicts nobody", []audit.Fact{inferred(fact("any", "model", true, "o1")), of(audit.OfWhole, fact("any", "onvif", false, "o2"))},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: false}, Scope: audit.OfWhole, Because: []string{"o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"a contradicted instance does not hide another that is on", []audit.Fact{fact("any", "A", false, "o1"), fact("any", "A", true, "o2"), fact("any", "B", true, "o3")},
			audit.Folded{Name: "any", Known: true, Value: audit.Value{V: true}, Because: []string{"o3"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"texts that differ: unknown", []audit.Fact{fact("agree", "", "x", "o1"), fact("agree", "", "y", "o2")},
			audit.Folded{Name: "agree", Dispute: []string{"o1", "o2"}}},
		{"lists are united", []audit.Fact{fact("union", "", []string{"b", "a"}, "o1"), fact("union", "", []string{"c", "a"}, "o2")},
			audit.Folded{Name: "union", Known: true, Value: audit.Value{V: []string{"a", "b", "c"}}, Because: []string{"o1", "o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"counts are added", []audit.Fact{fact("sum", "", 2, "o1"), fact("sum", "", 3, "o2")},
			audit.Folded{Name: "sum", Known: true, Value: audit.Value{V: int64(5)}, Because: []string{"o1", "o2"}, Classes: []audit.Class{audit.ClassConfig}}},
		{"the longest counts", []audit.Fact{fact("max", "", 7, "o1"), fact("max", "", 3, "o2")},
			audit.Folded{Name: "max", Known: true, Value: audit.Value{V: int64(7)}, Because: []string{"o1", "o2"}, Classes: []audit.Class{audit.ClassConfig}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := audit.Fold(c.facts, specs)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got[camera][c.want.Name]); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFoldRefusesWhatNobodyDeclared(t *testing.T) {
	if _, err := audit.Fold([]audit.Fact{fact("invented", "", true)}, specs); err == nil {
		t.Error("a fact without a spec was folded")
	}
}

// TestFoldOrder: what facts say does not depend on who spoke first.
func TestFoldOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		var facts []audit.Fact
		for i := range n {
			f := fact("any", rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "key"), rapid.Bool().Draw(t, "value"), string(rune('a'+i)))
			f.Scope = rapid.SampledFrom([]audit.Scope{audit.OfInstance, audit.OfSole, audit.OfWhole}).Draw(t, "scope")
			f.Partial, f.Inferred = rapid.Bool().Draw(t, "partial"), rapid.Bool().Draw(t, "inferred")
			facts = append(facts, f)
		}
		a, err := audit.Fold(facts, specs)
		if err != nil {
			t.Fatal(err)
		}
		b, err := audit.Fold(rapid.Permutation(facts).Draw(t, "order"), specs)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
		checkAny(t, facts, a[camera]["any"])
	})
}

// checkAny holds what no order and no mixture may change: a denial of the whole is never overruled in silence, what is partial
// or inferred denies nothing, and who disagrees is named on both sides.
func checkAny(t *rapid.T, facts []audit.Fact, got audit.Folded) {
	var stated, denies, affirms, partial bool
	for _, f := range facts {
		stated = stated || !f.Inferred
	}
	for _, f := range facts {
		if f.Inferred && stated {
			continue
		}
		denies = denies || f.Scope == audit.OfWhole && f.Value.V == false
		affirms = affirms || f.Value.V == true
		partial = partial || f.Partial && f.Value.V == false
	}
	switch {
	case denies && affirms && got.Known:
		t.Fatalf("the whole is denied, and the value is %v", got.Value.V)
	case denies && affirms && (len(got.For) == 0 || len(got.Against) == 0):
		t.Fatalf("a conflict without both sides: %+v", got)
	case got.Known && got.Value.V == false && (affirms || partial):
		t.Fatalf("no, although somebody says yes or not all was read")
	case !got.Known && len(got.Dispute) == 0 && !partial:
		t.Fatalf("unknown without a reason")
	}
}

func TestFactJSON(t *testing.T) {
	for _, v := range []any{true, int64(3), "x", []string{"a", "b"}} {
		f := fact("n", "k", v, "o1")
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var g audit.Fact
		if err := json.Unmarshal(b, &g); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(f, g); d != "" {
			t.Errorf("%s: %s", b, d)
		}
	}
	var v audit.Value
	if err := json.Unmarshal([]byte(`{"a":1}`), &v); err == nil {
		t.Error("an object became a value")
	}
}

func TestMoment(t *testing.T) {
	day, err := audit.ParseMoment("2026-12-31")
	if err != nil {
		t.Fatal(err)
	}
	if got := day.End().UTC().Format("2006-01-02T15:04"); got != "2026-12-31T15:59" {
		t.Errorf("a day ends at midnight UTC+8, not at %s", got)
	}
	for _, bad := range []string{"", "2026-13-01", "gestern", "2026-12-31T10"} {
		if _, err := audit.ParseMoment(bad); err == nil {
			t.Errorf("%q was read as a moment", bad)
		}
	}
}
