package report

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// ModuleCoverage is how hard one module looked.
type ModuleCoverage struct {
	Module  string
	Total   int
	Count   map[audit.CoverageStatus]int
	Reasons []Reason // everything that is not plainly done, and why
}

// Reason is one explanation with the places it holds for.
type Reason struct {
	Status  audit.CoverageStatus
	Detail  audit.Text
	Targets []string
}

// CoverageStatuses lists the statuses in report order: what was done, what was not, what could not be.
func CoverageStatuses() []audit.CoverageStatus {
	return []audit.CoverageStatus{audit.Tried, audit.Overheard, audit.NotObserved, audit.Partial, audit.Skipped, audit.RefusedBy, audit.NoAnswer,
		audit.DeniedByUs, audit.Stopped, audit.Failed}
}

func (v *View) cover() {
	at := map[string]int{}
	for _, c := range v.Report.Coverage {
		i, ok := at[c.Module]
		if !ok {
			i = len(v.Coverage)
			at[c.Module] = i
			v.Coverage = append(v.Coverage, ModuleCoverage{Module: c.Module, Count: map[audit.CoverageStatus]int{}})
		}
		m := &v.Coverage[i]
		m.Total++
		c.Status = status(c.Status)
		m.Count[c.Status]++
		if c.Status == audit.Tried || c.Status == audit.Overheard {
			continue
		}
		j := slices.IndexFunc(m.Reasons, func(r Reason) bool { return r.Status == c.Status && r.Detail == c.Detail })
		if j < 0 {
			j = len(m.Reasons)
			m.Reasons = append(m.Reasons, Reason{Status: c.Status, Detail: c.Detail})
		}
		m.Reasons[j].Targets = add(m.Reasons[j].Targets, v.target(c.Target))
	}
	slices.SortFunc(v.Coverage, func(a, b ModuleCoverage) int { return cmp.Compare(a.Module, b.Module) })
	for i := range v.Coverage {
		slices.SortFunc(v.Coverage[i].Reasons, func(a, b Reason) int {
			s := CoverageStatuses()
			return cmp.Or(cmp.Compare(slices.Index(s, a.Status), slices.Index(s, b.Status)), cmp.Compare(a.Detail.EN, b.Detail.EN))
		})
	}
}

// status reads a status the cautious way: what is not one of ours is taken for a failure.
func status(s audit.CoverageStatus) audit.CoverageStatus {
	if slices.Contains(CoverageStatuses(), s) {
		return s
	}
	return audit.Failed
}

// target names what coverage speaks of: a device by its label, anything else as it is.
func (v *View) target(t string) string {
	if n := v.device[t]; n > 0 {
		return v.Devices[n-1].Label
	}
	return t
}

// Statuses returns the coverage statuses that occur at all, in report order.
func (v *View) Statuses() []audit.CoverageStatus {
	var out []audit.CoverageStatus
	for _, s := range CoverageStatuses() {
		if v.covered(s) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// covered counts the targets with one of these statuses.
func (v *View) covered(ss ...audit.CoverageStatus) int {
	targets := map[string]bool{}
	for _, c := range v.Report.Coverage {
		if slices.Contains(ss, status(c.Status)) {
			targets[c.Target] = true
		}
	}
	return len(targets)
}

// unclean lists every reason why the site may not be called clean.
func (v *View) unclean() []audit.Text {
	var out []audit.Text
	no := func(id string, args ...any) { out = append(out, msg.Text("report.unclean."+id, args...)) }
	if !v.Report.Run.Complete {
		no("incomplete")
	}
	if len(v.Report.Devices) == 0 {
		no("empty")
	}
	if n := v.Counts.Outcome[audit.Suspected]; n > 0 {
		no("suspected", counted("finding", n))
	}
	if n := v.Counts.Outcome[audit.Undetermined]; n > 0 {
		no("undetermined", counted("finding", n))
	}
	if n := v.unjudged(); n > 0 {
		no("unjudged", counted("device", n))
	}
	if !v.holds("site.survey.complete") {
		no("survey")
	}
	switch {
	case !v.holds("site.server_side.attested"):
		no("server_side")
	case !v.denied("site.server_side.analyses"):
		no("server_faces")
	}
	switch {
	case len(v.Report.Coverage) == 0 || v.Report.Window.From.IsZero() && v.Report.Window.To.IsZero():
		no("no_coverage")
	case v.Report.Run.Permit < audit.PermitLogin:
		no("permit")
	}
	switch n := v.unfound(); {
	case n > 0:
		no("unfound", counted("camera", n))
	case !v.assured():
		no("unassured")
	}
	if n := len(v.Complete.Foreign); n > 0 {
		no("foreign", counted("device", n))
	}
	if n := v.passedOver(); n > 0 {
		no("passed_over", counted("target", n))
	}
	if n := v.covered(audit.NoAnswer, audit.RefusedBy, audit.Partial, audit.Failed, audit.Stopped, audit.DeniedByUs); n > 0 {
		no("unreached", counted("target", n))
	}
	return out
}

// passedOver counts what was left out on purpose and belongs to the site: a prefix that was not searched, an entry of the
// inventory without an address. A module with nothing to ask a device is neither.
func (v *View) passedOver() int {
	targets := map[string]bool{}
	for _, c := range v.Report.Coverage {
		_, err := netip.ParsePrefix(c.Target)
		if status(c.Status) == audit.Skipped && (err == nil || c.Module == "inventory") {
			targets[c.Target] = true
		}
	}
	return len(targets)
}

// unjudged counts the devices no rule has found to conform.
func (v *View) unjudged() int {
	conform := map[string]bool{}
	for _, f := range v.Report.Findings {
		if outcome(f) == audit.Conforms && f.Subject.Kind == audit.SubjectDevice {
			conform[f.Subject.ID] = true
		}
	}
	n := 0
	for _, d := range v.Report.Devices {
		if !conform[d.ID] {
			n++
		}
	}
	return n
}

func (v *View) limits() []audit.Text {
	var out []audit.Text
	say := func(id string, args ...any) { out = append(out, msg.Text("report.limit."+id, args...)) }
	if !v.Report.Run.Complete {
		say("incomplete")
	}
	say("window", v.window())
	if !v.holds("site.survey.complete") {
		say("survey")
	}
	if !v.holds("site.server_side.attested") {
		say("server_side")
	}
	switch p, heard := v.Report.Run.Permit, len(v.Report.Captures) > 0; {
	case v.listened():
		say("listened")
	case p < audit.PermitLogin && heard:
		say("permit_heard", p.String())
	case p < audit.PermitLogin:
		say("permit_login", p.String())
	case p < audit.PermitSample && !heard:
		say("permit_sample", p.String())
	}
	if n := v.unfound(); n > 0 {
		say("unfound", counted("camera", n))
	}
	if n := v.covered(audit.NoAnswer); n > 0 {
		say("unreachable", counted("target", n))
	}
	if n := v.covered(audit.RefusedBy); n > 0 {
		say("refused", counted("target", n))
	}
	if n := v.covered(audit.NotObserved); n > 0 {
		say("not_observed", counted("target", n))
	}
	if n := v.unverified(); n > 0 {
		say("text_status", counted("rule", n))
	}
	say("network")
	return out
}

// unverified counts the cited rules whose text was not read in an official copy.
func (v *View) unverified() int {
	n := 0
	for _, r := range v.Rules {
		if r.TextStatus != "verified" {
			n++
		}
	}
	return n
}
