package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Explanation is why a finding is what it is, and what would change it.
type Explanation struct {
	Rule       audit.RuleText
	Finding    audit.Finding
	Conditions []Condition // gates, shared conditions, then applies, suspected and conforms
	Facts      []Consulted // by name
	// Counterfactuals are single facts that would change the outcome if they were otherwise, or known. The outcome of each
	// was computed by judging again.
	Counterfactuals []Counterfactual
}

// Condition is one condition and what it came to.
type Condition struct {
	Name       string // gates[0], a shared condition's name, applies, suspected, conforms
	Text       audit.Text
	Expression string
	Value      string // true, false, unknown
	Missing    []string
}

// Consulted is one fact a condition used or another fact was worked out from.
type Consulted struct {
	Subject audit.Subject
	Spec    audit.FactSpec
	Known   bool
	Value   audit.Value
	Because []string // observations
	Classes []audit.Class
	Dispute []string // observations that disagree; the fact is then unknown
	Missing []string // where unknown: the facts that would settle it
}

// Counterfactual is one fact changed and the outcome that would follow.
type Counterfactual struct {
	Subject  audit.Subject
	Fact     string
	Known    bool // whether the fact is known now
	From, To audit.Value
	Outcome  audit.Outcome
	Missing  []string
}

// Explain explains one finding: the one with that fingerprint (or the beginning of it, eight digits or more), or the one of
// that rule ("SPC-2021-15/2.1" or "2.1") for the subject ("device:dev-1" or its bare id; a device's inventory id serves
// too). An empty one serves where there is only one. No such finding, or several, is an error that says which there are.
func Explain(packs []*Pack, in Input, fingerprintOrRule, about string) (Explanation, error) {
	c, err := newCourt(packs, in)
	if err != nil {
		return Explanation{}, fmt.Errorf("rules: explaining: %w", err)
	}
	x, err := c.explain(fingerprintOrRule, about)
	if err != nil {
		return x, fmt.Errorf("rules: explaining %s: %w", fingerprintOrRule, err)
	}
	return x, nil
}

func (c *court) explain(key, about string) (Explanation, error) {
	var hits []Explanation
	var packs []*Pack
	var before [][]audit.Finding
	var seen []string
	for _, p := range c.packs {
		fs, err := c.judge(p)
		if err != nil {
			return Explanation{}, err
		}
		for _, f := range fs {
			byPrint := len(key) >= 8 && strings.HasPrefix(f.Fingerprint, key)
			byRule := (f.Rule == key || strings.TrimPrefix(f.Rule, p.meta.ID+"/") == key) && c.named(f.Subject, about)
			if byPrint || byRule {
				hits, packs, before = append(hits, Explanation{Finding: f}), append(packs, p), append(before, fs)
			}
			seen = append(seen, f.Rule+" "+f.Subject.String())
		}
	}
	switch {
	case len(hits) == 0:
		return Explanation{}, fmt.Errorf("no such finding; there are %s", strings.Join(sorted(seen), ", "))
	case len(hits) > 1:
		var of []string
		for _, h := range hits {
			of = append(of, h.Finding.Subject.String())
		}
		return Explanation{}, fmt.Errorf("several subjects: %s; name one", strings.Join(of, ", "))
	}
	x, p := hits[0], packs[0]
	r := p.rules[slices.IndexFunc(p.rules, func(r *rule) bool { return r.id == x.Finding.Rule })]
	s := c.subjects[slices.IndexFunc(c.subjects, func(s *subject) bool { return s.Subject == x.Finding.Subject })]
	if r.Phase == "findings" {
		s = c.about(s, slices.DeleteFunc(slices.Clone(before[0]), func(f audit.Finding) bool { return f.Rule == r.id }))
	}
	x.Rule = p.text(r)
	e, err := p.evaluate(r, s)
	if err != nil {
		return x, err
	}
	x.Conditions = p.conditionsOf(e)
	names := c.consulted(p, r, s)
	for _, name := range names {
		x.Facts = append(x.Facts, c.trace(s, name))
	}
	x.Counterfactuals, err = c.counterfactuals(p, r, s, x.Finding, names)
	return x, err
}

// named reports whether a subject goes by that name.
func (c *court) named(s audit.Subject, name string) bool {
	if name == "" || s.ID == name || s.String() == name {
		return true
	}
	return slices.ContainsFunc(c.in.Devices, func(d audit.Device) bool {
		return s.Kind == audit.SubjectDevice && d.ID == s.ID && d.Inventory == name
	})
}

// conditionsOf lists what was evaluated: gates, the shared conditions the rule uses, its own.
func (p *Pack) conditionsOf(e evaluation) []Condition {
	var out []Condition
	used := map[string]bool{}
	for _, t := range e.conditions {
		p.shares(t.expression, used)
	}
	add := func(name string, c condition, v verdict) {
		out = append(out, Condition{Name: name, Text: c.text, Expression: strings.TrimSpace(c.source), Value: v.value.String(), Missing: v.missing})
	}
	own := slices.IndexFunc(e.conditions, func(t traced) bool { return t.name == "applies" })
	if own < 0 {
		own = len(e.conditions)
	}
	for _, t := range e.conditions[:own] {
		add(t.name, t.condition, t.verdict)
	}
	for _, d := range p.defines {
		if used[d.name] {
			add(d.name, *d, e.ctx.shared[d.name])
		}
	}
	for _, t := range e.conditions[own:] {
		add(t.name, t.condition, t.verdict)
	}
	return out
}

// shares collects the shared conditions an expression uses, through others.
func (p *Pack) shares(x *expression, into map[string]bool) {
	if x == nil {
		return
	}
	for _, name := range x.uses {
		if i := slices.IndexFunc(p.defines, func(d *condition) bool { return d.name == name }); i >= 0 && !into[name] {
			into[name] = true
			p.shares(p.defines[i].expression, into)
		}
	}
}

// consulted lists the facts the rule's conditions use, and those they were worked out from or would be.
func (c *court) consulted(p *Pack, r *rule, s *subject) []string {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] || c.specs[name].Name == "" && s.facts[name].Name == "" {
			return
		}
		seen[name] = true
		for _, l := range [][]string{s.facts[name].deps, s.facts[name].roots} {
			for _, d := range l {
				visit(d)
			}
		}
	}
	shared := map[string]bool{}
	for _, x := range []*expression{r.applies.expression, r.suspected.expression, r.conforms.expression} {
		p.shares(x, shared)
		for _, name := range x.uses {
			visit(name)
		}
	}
	for _, d := range p.defines {
		if shared[d.name] {
			for _, name := range d.uses {
				visit(name)
			}
		}
	}
	return sortedKeys(seen)
}

func (c *court) trace(s *subject, name string) Consulted {
	v := s.facts[name]
	t := Consulted{Subject: c.holder(s, name), Spec: c.specs[name], Known: v.Known, Value: v.Value, Because: v.Because, Classes: v.Classes,
		Dispute: v.Dispute}
	if t.Spec.Name == "" {
		t.Spec = audit.FactSpec{Name: name, Doc: same(name), Ask: c.ask(name)}
	}
	if !v.Known {
		t.Missing = v.roots
		if t.Missing == nil {
			t.Missing = []string{name}
		}
	}
	return t
}

// holder is the subject a fact is about: the site for what begins with "site.", else the rule's own.
func (c *court) holder(s *subject, name string) audit.Subject {
	if strings.HasPrefix(name, "site.") {
		return c.siteSubject().Subject
	}
	return s.Subject
}

// counterfactuals changes one fact at a time and judges again. Facts that follow from others are left to those others.
func (c *court) counterfactuals(p *Pack, r *rule, s *subject, f audit.Finding, names []string) ([]Counterfactual, error) {
	var out []Counterfactual
	for _, name := range names {
		if follows(name) {
			continue
		}
		now := s.facts[name]
		for _, to := range alternatives(c.specs[name], name, now) {
			o := override{subject: c.holder(s, name), name: name, value: to}
			other, err := newCourt(c.packs, c.in, o)
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(other.subjects, func(x *subject) bool { return x.Subject == s.Subject })
			if i < 0 {
				continue
			}
			e, err := p.evaluate(r, other.subjects[i])
			if err != nil {
				return nil, err
			}
			if e.outcome != f.Outcome && r.Phase == "" {
				n, _ := audit.Normal(to)
				out = append(out, Counterfactual{Subject: o.subject, Fact: name, Known: now.Known, From: now.Value, To: audit.Value{V: n}, Outcome: e.outcome, Missing: e.missing})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Counterfactual) int {
		return cmp.Or(slices.Index(outcomes, a.Outcome)-slices.Index(outcomes, b.Outcome), cmp.Compare(a.Fact, b.Fact))
	})
	return out, nil
}

// follows reports whether a fact is worked out from facts of modules and the site file alone.
func follows(name string) bool {
	for _, p := range []string{"device.mode.", "device.processing", "device.attributes", "device.public_place", "survey.covers", "gap.", "exemption"} {
		if strings.HasPrefix(name, p) {
			return !strings.HasPrefix(name, "exemption.")
		}
	}
	return false
}

// alternatives are the values worth trying for a fact.
func alternatives(spec audit.FactSpec, name string, now state) []any {
	switch {
	case name == "notice.state":
		return others(now, notice3...)
	case name == "exemption.state":
		return others(now, NoneClaimed, ClaimedUnsupported, ClaimedSupported, Contradicted)
	case spec.Type == audit.Bool:
		if !now.Known {
			return []any{true, false}
		}
		return []any{now.Value.V != true}
	case spec.Type == audit.List && name == factRuns && !now.Known:
		return []any{[]string{string(audit.Analyse)}}
	case spec.Type == audit.List && (!now.Known || len(now.Value.V.([]string)) > 0):
		return []any{[]string{}}
	}
	return nil
}

var notice3 = []string{"none", "offsite_only", "covering"}

func others(now state, all ...string) []any {
	var out []any
	for _, v := range all {
		if !now.Known || now.Value.V != v {
			out = append(out, v)
		}
	}
	return out
}
