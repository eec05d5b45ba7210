package rules

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// Input is everything a judgement rests on.
type Input struct {
	Site         audit.SiteFile
	Devices      []audit.Device
	Facts        []audit.Fact // of modules and of the site file; facts of this package's own names are ignored
	Specs        []audit.FactSpec
	Observations []audit.Observation
	Window       audit.Window // when it was observed
	// AsOf is the time the law is applied for; zero means the time of observation. An earlier one asks what the law of that
	// day would have made of the same conduct. A later one changes nothing for conduct of before: no provision here reaches
	// back (法释〔2021〕15号 Art. 16). What was observed and which notices were up stays as of the window; where the window is
	// zero, AsOf stands for it.
	AsOf time.Time
}

// Judgement is what follows from an Input.
type Judgement struct {
	Findings []audit.Finding // in the order of audit.CompareFindings
	Facts    []audit.Fact    // the facts this package stated
	Specs    []audit.FactSpec
	Rules    []audit.RuleText
	Packs    []audit.PackRef
}

// Judge applies the packs. It is a pure function: the same input, in whatever order, gives the same bytes. An error is a
// defect of a pack or of the input, such as a fact nobody declared or a condition beyond its cost limit; it names the rule
// and the subject. It is never a finding.
func Judge(packs []*Pack, in Input) (Judgement, error) {
	c, err := newCourt(packs, in)
	if err != nil {
		return Judgement{}, fmt.Errorf("rules: %w", err)
	}
	j := Judgement{Findings: []audit.Finding{}, Facts: c.stated(), Specs: Specs(), Rules: []audit.RuleText{}, Packs: []audit.PackRef{}}
	for _, p := range c.packs {
		j.Packs = append(j.Packs, p.Ref())
		j.Rules = append(j.Rules, p.Rules()...)
		fs, err := c.judge(p)
		if err != nil {
			return Judgement{}, fmt.Errorf("rules: %w", err)
		}
		j.Findings = append(j.Findings, fs...)
	}
	slices.SortFunc(j.Findings, audit.CompareFindings)
	slices.SortFunc(j.Rules, func(a, b audit.RuleText) int { return cmp.Compare(a.ID, b.ID) })
	return j, nil
}

// court is one judgement in progress: the packs, and every subject with its facts.
type court struct {
	packs    []*Pack
	in       Input
	specs    map[string]audit.FactSpec
	m        *matcher
	subjects []*subject
}

// subject is one thing a rule is about.
type subject struct {
	audit.Subject
	facts   facts
	zones   []string
	times   map[string]time.Time
	device  *audit.Device
	reading *notice.Reading // the notice itself, or the one that fits a device best
	selects bool            // notices: about faces, or the only one of a zone with devices
	bound   map[*Pack]*bindings
}

// override replaces what is known of one fact of one subject before the judgement, for counterfactuals.
type override struct {
	subject audit.Subject
	name    string
	value   any // nil: unknown
}

func newCourt(packs []*Pack, in Input, changes ...override) (*court, error) {
	c := &court{packs: slices.Clone(packs), in: in, specs: specMap(in.Specs, Specs())}
	slices.SortFunc(c.packs, func(a, b *Pack) int {
		return cmp.Or(cmp.Compare(a.meta.ID, b.meta.ID), cmp.Compare(a.digest, b.digest))
	})
	for _, p := range c.packs {
		for name, t := range p.meta.Uses {
			if s, ok := c.specs[name]; ok && s.Type != t {
				return nil, fmt.Errorf("pack %s uses fact %s as %s, declared is %s", p.meta.ID, name, t, s.Type)
			}
		}
	}
	own := specMap(Specs())
	base := slices.DeleteFunc(slices.Clone(in.Facts), func(f audit.Fact) bool { _, ours := own[f.Name]; return ours })
	folded, err := audit.Fold(base, specMap(in.Specs))
	if err != nil {
		return nil, err
	}
	at := func(s audit.Subject) facts {
		f := facts{}
		for name, v := range folded[s] {
			f[name] = state{Folded: v}
		}
		apply(f, s, changes, own, false)
		return f
	}
	site := audit.Subject{Kind: audit.SubjectSite, ID: in.Site.Site.ID}
	c.m = &matcher{in: in, site: at(site)}
	c.m.from, c.m.to = observedWindow(in)
	for _, n := range in.Site.Notices {
		c.m.notices = append(c.m.notices, notice.Read(n))
	}
	slices.SortFunc(c.m.notices, func(a, b notice.Reading) int { return cmp.Compare(a.ID, b.ID) })
	c.subjects = append(c.subjects, c.subject(&subject{Subject: site, facts: c.m.site}))
	devices := map[string]facts{}
	for _, d := range in.Devices {
		s := audit.Subject{Kind: audit.SubjectDevice, ID: d.ID}
		f := at(s)
		if d.Kind == audit.KindOther && !aboutFaces(f) {
			continue
		}
		fit := c.m.device(d, f)
		apply(f, s, changes, own, true)
		zones := f.list(factZones)
		if zones == nil {
			zones = d.Zones
		}
		devices[d.ID] = f
		c.subjects = append(c.subjects, c.subject(&subject{Subject: s, facts: f, zones: zones, device: &d, reading: fit}))
	}
	for i := range c.m.notices {
		r := c.m.notices[i]
		s := audit.Subject{Kind: audit.SubjectNotice, ID: r.ID}
		f := c.m.notice(r, devices)
		apply(f, s, changes, own, true)
		selects := r.Status == "present" && (r.State(notice.Face) != notice.Absent || f.truth("notice.sole") != notice.No)
		c.subjects = append(c.subjects, c.subject(&subject{Subject: s, facts: f, zones: r.Zones(), reading: &r, selects: selects}))
	}
	for _, e := range c.m.claims() {
		s := audit.Subject{Kind: audit.SubjectExemption, ID: e.ID}
		f := c.m.claim(e, devices)
		apply(f, s, changes, own, true)
		c.subjects = append(c.subjects, c.subject(&subject{Subject: s, facts: f, zones: e.Zones}))
	}
	slices.SortFunc(c.subjects, func(a, b *subject) int { return a.Compare(b.Subject) })
	return c, nil
}

// subject completes a subject with the times its rules see.
func (c *court) subject(s *subject) *subject {
	from, to := c.m.from, c.m.to
	if as := c.in.AsOf; !as.IsZero() && as.Before(to) {
		from, to = as, as
	}
	s.times = map[string]time.Time{"observed": to, "conduct.from": from, "conduct.to": to}
	s.zones = sorted(slices.Clone(s.zones))
	if s.zones == nil {
		s.zones = []string{}
	}
	return s
}

// observedWindow is when the conduct was observed. A window without an end is a point; none at all is AsOf.
func observedWindow(in Input) (from, to time.Time) {
	from, to = in.Window.From, in.Window.To
	switch {
	case from.IsZero() && to.IsZero():
		return in.AsOf, in.AsOf
	case from.IsZero():
		from = to
	case to.IsZero() || to.Before(from):
		to = from
	}
	return from, to
}

// apply overrides facts: those of others before this package states its own, and its own after.
func apply(f facts, s audit.Subject, changes []override, own map[string]audit.FactSpec, after bool) {
	for _, o := range changes {
		if _, ours := own[o.name]; o.subject != s || ours != after {
			continue
		}
		if o.value == nil {
			f[o.name] = state{Folded: audit.Folded{Name: o.name}}
			continue
		}
		f.know(o.name, o.value)
	}
}

// stated returns the facts this package stated about each subject, sorted.
func (c *court) stated() []audit.Fact {
	out := []audit.Fact{}
	for _, s := range c.subjects {
		for _, spec := range Specs() {
			v, ok := s.facts[spec.Name]
			if !ok || !v.Known || s.Kind != audit.SubjectSite && c.ofSite(spec.Name) {
				continue
			}
			f := audit.Fact{Subject: s.Subject, Name: spec.Name, Value: v.Value, Because: v.Because, Class: strongest(v.Classes)}
			if f.Because == nil {
				f.Because = []string{}
			}
			out = append(out, f)
		}
	}
	slices.SortFunc(out, audit.CompareFacts)
	return out
}

// aboutFaces reports whether anything says that a device has to do with faces. A device nobody could name is judged only then.
func aboutFaces(f facts) bool {
	if len(f.list(factRuns)) > 0 || f.truth(factHostsFace) == notice.Yes {
		return true
	}
	for _, fn := range audit.Functions() {
		for _, l := range []audit.Level{audit.Capable, audit.Configured, audit.Active} {
			if s := f[audit.FactName(fn, l)]; f.truth(s.Name) == notice.Yes || len(s.Dispute) > 0 {
				return true
			}
		}
	}
	return false
}

func (c *court) ofSite(name string) bool { _, ok := c.m.site[name]; return ok }

// strongest is the class that stands for several where a fact has room for one.
func strongest(cs []audit.Class) audit.Class {
	for _, c := range []audit.Class{audit.ClassLive, audit.ClassInspection, audit.ClassOutbound, audit.ClassDeclaration, audit.ClassConfig, audit.ClassCapability} {
		if slices.Contains(cs, c) {
			return c
		}
	}
	return audit.ClassInventory
}

// judge applies one pack: rules about subjects first, then those about the findings.
func (c *court) judge(p *Pack) ([]audit.Finding, error) {
	var out []audit.Finding
	for _, late := range []bool{false, true} {
		before := slices.Clone(out)
		for _, r := range p.rules {
			if late != (r.Phase == "findings") {
				continue
			}
			fs, err := c.apply(p, r, before)
			if err != nil {
				return nil, err
			}
			out = append(out, fs...)
		}
	}
	return out, nil
}

// apply applies one rule to each of its subjects.
func (c *court) apply(p *Pack, r *rule, before []audit.Finding) ([]audit.Finding, error) {
	var out []audit.Finding
	found := false
	for _, s := range c.subjects {
		if s.Kind != r.Scope || s.Kind == audit.SubjectNotice && !s.selects {
			continue
		}
		found = true
		if r.Phase == "findings" {
			s = c.about(s, before)
		}
		e, err := p.evaluate(r, s)
		if err != nil {
			return nil, fmt.Errorf("rule %s on %s: %w", r.id, s, err)
		}
		if r.Phase == "findings" && e.outcome == audit.Undetermined && len(e.missing) == 0 {
			e.missing = openOf(before)
			if n, ok := s.facts[factUnfound].Value.V.(int64); ok && n > 0 { // a number, and still the question where they are
				e.missing = sorted(append(e.missing, factUnfound))
			}
		}
		out = append(out, c.finding(p, r, s, e))
	}
	if !found && !r.None.IsZero() {
		s := c.siteSubject()
		e, err := p.gated(r, s)
		if err != nil {
			return nil, fmt.Errorf("rule %s on %s: %w", r.id, s, err)
		}
		if e.outcome != audit.NotApplicable {
			e.outcome, e.reason, e.missing = audit.NotApplicable, r.None, nil
		}
		out = append(out, c.finding(p, r, s, e))
	}
	return out, nil
}

func (c *court) siteSubject() *subject {
	i := slices.IndexFunc(c.subjects, func(s *subject) bool { return s.Kind == audit.SubjectSite })
	return c.subjects[i]
}

// about gives a copy of the site with facts about the findings so far.
func (c *court) about(s *subject, before []audit.Finding) *subject {
	t := *s
	t.facts, t.bound = facts{}, nil
	for k, v := range s.facts {
		t.facts[k] = v
	}
	count := func(o audit.Outcome) (n int) {
		for _, f := range before {
			if f.Outcome == o {
				n++
			}
		}
		return n
	}
	t.facts.know("finding.suspected", count(audit.Suspected))
	t.facts.know("finding.undetermined", count(audit.Undetermined))
	t.facts.know("finding.open", len(openOf(before)))
	return &t
}

// openOf lists the facts the processor would have to prove, over all findings.
func openOf(before []audit.Finding) []string {
	var out []string
	for _, f := range before {
		for _, q := range f.Requests {
			if q.Burden == "processor" {
				out = append(out, q.Fact)
			}
		}
	}
	return sorted(out)
}
