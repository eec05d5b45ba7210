package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

// table is a scope of plain values; what is not in it is unknown under its own name.
type table map[string]any

func (t table) lookup(name string) (any, []string) {
	if v, ok := t[name]; ok {
		if l, ok := v.(lack); ok {
			return nil, l
		}
		return v, nil
	}
	return nil, []string{name}
}
func (t table) support(name string) []string {
	if strings.HasPrefix(name, "@") || name == "n" {
		return nil
	}
	return []string{name}
}

type lack []string

var testTypes = map[string]audit.Type{"face": audit.Bool, "surveyed": audit.Bool, "first.covers": audit.Bool, "first.good": audit.Bool,
	"second.covers": audit.Bool, "second.good": audit.Bool, "purposes": audit.List, "venue": audit.String, "count": audit.Int}

// TestKleene is the truth table that made CEL the choice: false and unknown is false, and what is unknown is named.
func TestKleene(t *testing.T) {
	const rule = `face && surveyed && !(first.covers && first.good || second.covers && second.good)`
	cases := []struct {
		name     string
		facts    table
		value    truth
		missing  []string
		deciders []string
	}{
		{"face on, no notice", table{"face": true, "surveyed": true, "first.covers": false, "second.covers": false, "first.good": true, "second.good": true}, yes, nil,
			[]string{"face", "first.covers", "second.covers", "surveyed"}},
		{"face on, notice in another zone", table{"face": true, "surveyed": true, "first.covers": false, "first.good": true, "second.covers": false}, yes, nil,
			[]string{"face", "first.covers", "second.covers", "surveyed"}},
		{"face on, good notice", table{"face": true, "surveyed": true, "first.covers": true, "first.good": true}, no, nil, []string{"first.covers", "first.good"}},
		{"face on, photo unreadable", table{"face": true, "surveyed": true, "first.covers": true, "second.covers": false}, unknown, []string{"first.good"},
			[]string{"face", "first.covers", "first.good", "second.covers", "surveyed"}},
		{"face on, one unreadable and one good", table{"face": true, "surveyed": true, "first.covers": true, "second.covers": true, "second.good": true}, no, nil,
			[]string{"second.covers", "second.good"}},
		{"face off, never surveyed", table{"face": false}, no, nil, []string{"face"}},
		{"face on, never surveyed", table{"face": true, "first.covers": false, "second.covers": false}, unknown, []string{"surveyed"}, nil},
		{"face unknown, no notice", table{"surveyed": true, "first.covers": false, "second.covers": false}, unknown, []string{"face"}, nil},
		{"face unknown, good notice", table{"surveyed": true, "first.covers": true, "first.good": true}, no, nil, []string{"first.covers", "first.good"}},
		{"an unknown carries the facts behind it", table{"face": lack{"x.active", "y.attested"}, "surveyed": true, "first.covers": false, "second.covers": false},
			unknown, []string{"x.active", "y.attested"}, nil},
	}
	env, err := newEnvironment(testTypes, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := env.compile(rule)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, err := x.eval(c.facts)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.value != c.value {
			t.Errorf("%s: %s, want %s", c.name, got.value, c.value)
		}
		if d := cmp.Diff(c.missing, got.missing); d != "" {
			t.Errorf("%s: missing: %s", c.name, d)
		}
		if c.deciders != nil {
			if d := cmp.Diff(c.deciders, got.deciders); d != "" {
				t.Errorf("%s: deciders: %s", c.name, d)
			}
		}
	}
}

func TestExpressions(t *testing.T) {
	env, err := newEnvironment(testTypes, []string{"later"})
	if err != nil {
		t.Fatal(err)
	}
	facts := table{"purposes": []string{"marketing"}, "venue": "mall", "count": int64(3), "observed": time.Date(2021, 10, 31, 16, 0, 0, 0, time.UTC)}
	good := map[string]truth{
		`purposes.exists(p, p == 'marketing') || face`:               yes,
		`purposes.exists(p, p == 'other') || face`:                   unknown,
		`size(purposes) > 0 && venue in ['mall', 'shop']`:            yes,
		`face ? count > 5 : count > 2`:                               unknown,
		`count == 3 ? venue == 'x' : face`:                           no,
		`observed >= timestamp('2021-11-01T00:00:00+08:00')`:         yes,
		`observed > timestamp('2021-11-01T00:00:00+08:00')`:          no,
		`!face || count == 3`:                                        yes,
		`face == face`:                                               unknown,
		`purposes.all(p, p.startsWith('mark'))`:                      yes,
		`'marketing' in purposes && !(venue == 'bank') && count < 4`: yes,
	}
	for src, want := range good {
		x, err := env.compile(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got, err := x.eval(facts); err != nil || got.value != want {
			t.Errorf("%s: %s %v, want %s", src, got.value, err, want)
		}
	}
	bad := map[string]string{
		`face.analyse`:   "does not support field selection",
		`nobody == true`: "undeclared reference",
		`count`:          "not a bool",
		`venue == 3`:     "no matching overload",
		`face &&`:        "Syntax error",
		`later || face`:  "further down",
		`purposes.map(p, p + 'x').exists(q, purposes.exists(r, purposes.exists(s, r + s == q)))`: "may cost",
		strings.Repeat("face || ", 600) + "face":                                                 "size",
	}
	for src, want := range bad {
		if _, err := env.compile(src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", src, err, want)
		}
	}
	x, err := env.compile(`int(venue) > 3`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.eval(facts); err == nil {
		t.Error("a conversion that fails at run time is no error")
	}
	x, err = env.compile(`purposes.exists(p, p + p == 'zz')`)
	if err != nil {
		t.Fatal(err)
	}
	long := make([]string, 100000)
	for i := range long {
		long[i] = "p"
	}
	if _, err := x.eval(table{"purposes": long}); err == nil || !strings.Contains(err.Error(), "cost") {
		t.Errorf("the limit at run time: %v", err)
	}
}
