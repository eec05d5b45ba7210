package discover

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
)

// TestLAN runs every method on a network of the tester's own, named by MINGSHI_TEST_PERIMETER (prefixes, comma separated),
// at the ordinary pace, and prints what was found. MINGSHI_TEST_WANT lists "method address" pairs, comma separated, that
// must be among it.
func TestLAN(t *testing.T) {
	perimeter := os.Getenv("MINGSHI_TEST_PERIMETER")
	if perimeter == "" {
		t.Skip("set MINGSHI_TEST_PERIMETER to a network you may audit")
	}
	rec := &guardtest.Recorder{}
	a := guardtest.Authority(strings.Split(perimeter, ",")...)
	g, err := guard.New(guard.Config{Authority: a, Permit: audit.PermitDiscover, Dial: rec.Dial, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range Methods() {
		var got targets
		start := time.Now()
		cov, err := m.Run(t.Context(), Env{Guard: g}, got.found)
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s: %d targets in %s", m.Name, len(got.all), time.Since(start).Round(time.Millisecond))
		for _, x := range got.all {
			t.Logf("  %s %v %v %+v", x.Addr, x.Types, x.Extra, x.Identity)
			seen[m.Name+" "+x.Addr.String()] = true
		}
		for _, c := range cov {
			t.Logf("  coverage: %s %s: %s", c.Target, c.Status, c.Detail.EN)
		}
	}
	for _, w := range strings.Split(os.Getenv("MINGSHI_TEST_WANT"), ",") {
		if w != "" && !seen[w] {
			t.Errorf("%s was not found", w)
		}
	}
	if out := rec.Outside(a.Perimeter...); len(out) > 0 {
		t.Errorf("dialled outside: %v", out)
	}
	t.Logf("dialled %d times, denials: %+v", len(rec.Dialled()), g.Denials())
}
