package rules

import (
	"testing"
)

// TestBuiltinPacks runs every case of every builtin pack; each rule has one for each outcome it can have.
func TestBuiltinPacks(t *testing.T) {
	for _, p := range builtinPacks(t) {
		results, err := p.Test()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if !r.OK {
				t.Errorf("%s %s: case %q: %s", r.File, r.Rule, r.Case, r.Problem)
			}
		}
		if len(results) < len(p.rules) {
			t.Errorf("%s: %d cases for %d rules", p.ID(), len(results), len(p.rules))
		}
	}
}
