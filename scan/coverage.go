package scan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

func compareStrings(a, b string) int { return cmp.Compare(a, b) }

func compareCoverage(a, b audit.Coverage) int {
	return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Module, b.Module), cmp.Compare(string(a.Status), string(b.Status)),
		cmp.Compare(a.Detail.EN, b.Detail.EN))
}

// coverageOf sums up what became of one module's questions to one endpoint.
func coverageOf(target, module string, observations []audit.Observation) audit.Coverage {
	count := map[audit.Status][]string{}
	answered, login := map[string]bool{}, false
	for _, o := range observations {
		answered[o.Kind] = answered[o.Kind] || o.Status == audit.OK || tookLogin(o)
		login = login || tookLogin(o)
	}
	for _, o := range observations {
		if o.Status != audit.AuthRequired || !answered[o.Kind] { // what was answered with the login needs no word
			count[o.Status] = append(count[o.Status], o.Kind)
		}
	}
	c := audit.Coverage{Target: target, Module: module, Status: audit.Tried}
	ok, all := len(count[audit.OK])+len(count[audit.Empty]), 0
	for _, kinds := range count {
		all += len(kinds)
	}
	any := func(ss ...audit.Status) bool {
		return slices.ContainsFunc(ss, func(s audit.Status) bool { return len(count[s]) > 0 })
	}
	switch {
	case any(audit.Interrupted):
		c.Status = audit.Stopped
	case all == 0:
		c.Status = audit.Skipped
	case ok == 0 && any(audit.Denied):
		c.Status = audit.DeniedByUs
	case any(audit.Refused, audit.Locked):
		c.Status = audit.RefusedBy
	case ok == 0 && any(audit.Unreachable, audit.Timeout):
		c.Status = audit.NoAnswer
	case any(audit.AuthRequired) && !login: // no login was sent for it: none was given, or none that the device takes
		c.Status = audit.RefusedBy
	case ok == 0 && any(audit.Limited, audit.Malformed, audit.Inconclusive, audit.Exhausted):
		c.Status = audit.Partial
	case any(audit.AuthRequired, audit.Timeout, audit.Unreachable, audit.Limited, audit.Malformed, audit.Exhausted, audit.Denied, audit.Inconclusive, audit.Spared):
		c.Status = audit.Partial
	case ok == all && len(count[audit.Empty]) > 0 && len(count[audit.OK]) == 0:
		c.Status = audit.NotObserved
	}
	c.Detail = detail(count)
	return c
}

// detail lists statuses with how often and, where it is not an answer, on which question.
func detail(count map[audit.Status][]string) audit.Text {
	var zh, en []string
	for _, s := range slices.Sorted(maps.Keys(count)) {
		w := msg.Word("status." + s.String())
		which := ""
		if s != audit.OK {
			kinds := unique(slices.Clone(count[s]))
			if len(kinds) > 6 {
				kinds = append(kinds[:6], "…")
			}
			which = " (" + strings.Join(kinds, ", ") + ")"
		}
		zh = append(zh, fmt.Sprintf("%s %d%s", w.ZH, len(count[s]), which))
		en = append(en, fmt.Sprintf("%s %d%s", w.EN, len(count[s]), which))
	}
	return audit.Text{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")}
}

// denials turns what the guard refused into coverage.
func denials(ds []guard.Denial) []audit.Coverage {
	var out []audit.Coverage
	for _, d := range ds {
		out = append(out, audit.Coverage{Target: d.Target, Module: "guard", Status: audit.DeniedByUs, Detail: msg.Text("scan.denied", d.What, d.Reason, d.Count)})
	}
	return out
}
