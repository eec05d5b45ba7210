package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestFolded: single addresses of one outcome are one entry, with every address in it; prefixes and other outcomes stay.
func TestFolded(t *testing.T) {
	one := func(module, addr string, r audit.Reached) Prefix {
		return Prefix{Module: module, Target: addr + "/32", Total: 1, Outcomes: []audit.AddressOutcome{{Outcome: r, Count: 1, Ranges: []string{addr}}}}
	}
	wide := Prefix{Module: "tcp-connect", Target: "192.0.2.0/29", Total: 6, Outcomes: []audit.AddressOutcome{{Outcome: audit.ReachedOpen, Count: 6, Ranges: []string{"192.0.2.1-192.0.2.6"}}}}
	got := folded([]Prefix{one("tcp-connect", "10.0.0.1", audit.ReachedOpen), one("tcp-connect", "10.0.0.10", audit.ReachedOpen), one("tcp-connect", "10.0.0.2", audit.ReachedOpen),
		one("tcp-connect", "10.0.0.3", audit.ReachedNothing), wide, one("ping", "10.0.0.1", audit.ReachedOpen), one("tcp-connect", "10.0.0.4", audit.ReachedOpen)})
	want := []Prefix{
		{Module: "tcp-connect", Target: "10.0.0.1/32 … 10.0.0.10/32", Total: 4, Outcomes: []audit.AddressOutcome{{Outcome: audit.ReachedOpen, Count: 4, Ranges: []string{"10.0.0.1-10.0.0.2", "10.0.0.4", "10.0.0.10"}}}},
		one("tcp-connect", "10.0.0.3", audit.ReachedNothing), wide, one("ping", "10.0.0.1", audit.ReachedOpen),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
