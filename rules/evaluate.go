package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// evaluation is what a rule came to for one subject.
type evaluation struct {
	outcome    audit.Outcome
	severity   audit.Severity
	reason     audit.Text // of not-applicable
	missing    []string
	deciders   []string // facts behind the outcome
	conditions []traced // every condition that was consulted, in order
	exempt     bool     // would be suspected, were it not for a supported claim
	ctx        *bindings
}

type traced struct {
	condition
	verdict
}

// bindings gives the conditions of one pack their variables for one subject.
type bindings struct {
	*subject
	shared map[string]verdict
}

// lookup implements scope.
func (c *bindings) lookup(name string) (any, []string) {
	if v, ok := c.shared[name]; ok {
		if v.value == unknown {
			return nil, v.missing
		}
		return v.value == yes, nil
	}
	if t, ok := c.times[name]; ok {
		return t, nil
	}
	s := c.facts[name]
	switch {
	case !s.Known && len(s.roots) > 0:
		return nil, s.roots
	case !s.Known:
		return nil, []string{name}
	}
	return s.Value.V, nil
}

// support implements scope.
func (c *bindings) support(name string) []string {
	if v, ok := c.shared[name]; ok {
		return v.deciders
	}
	if _, ok := c.times[name]; ok {
		return nil
	}
	if _, ok := c.facts[name]; ok {
		return []string{name}
	}
	return nil
}

// in evaluates the pack's shared conditions for a subject, each once.
func (p *Pack) in(s *subject) (*bindings, error) {
	if c, ok := s.bound[p]; ok {
		return c, nil
	}
	c := &bindings{subject: s, shared: map[string]verdict{}}
	for _, d := range p.defines {
		v, err := d.eval(c)
		if err != nil {
			return nil, fmt.Errorf("condition %s: %w", d.name, err)
		}
		c.shared[d.name] = v
	}
	if s.bound == nil {
		s.bound = map[*Pack]*bindings{}
	}
	s.bound[p] = c
	return c, nil
}

// evaluate decides a rule for a subject. In this order: not in force or outside the pack's gates: not applicable; the
// condition of application false: not applicable, unknown: undetermined; suspected true: suspected, unless a claimed
// exemption is supported, then undetermined; conforms true: conforms; everything else undetermined, missing what the
// conditions ended on.
func (p *Pack) evaluate(r *rule, s *subject) (evaluation, error) {
	e, err := p.gated(r, s)
	if err != nil || e.outcome == audit.NotApplicable {
		return e, err
	}
	step := func(c condition) (verdict, error) {
		v, err := c.eval(e.ctx)
		if err != nil {
			return v, fmt.Errorf("%s: %w", c.name, err)
		}
		e.conditions = append(e.conditions, traced{c, v})
		return v, nil
	}
	applies, err := step(r.applies)
	if err != nil {
		return e, err
	}
	suspected, err := step(r.suspected)
	if err != nil {
		return e, err
	}
	conforms, err := step(r.conforms)
	if err != nil {
		return e, err
	}
	if e.severity, err = p.severity(r, e.ctx); err != nil {
		return e, err
	}
	gates := e.missing
	e.missing, e.outcome = nil, audit.Undetermined
	switch {
	case applies.value == no:
		e.outcome, e.reason, e.deciders = audit.NotApplicable, r.Applies.Else, applies.deciders
	case len(gates) > 0:
		e.missing = gates
	case applies.value == unknown:
		e.missing, e.deciders = applies.missing, applies.deciders
	case suspected.value == yes:
		e.outcome, e.deciders = audit.Suspected, suspected.deciders
		if s.facts.text("exemption.state") == ClaimedSupported && s.Kind == audit.SubjectDevice {
			e.outcome, e.exempt, e.missing = audit.Undetermined, true, []string{"exemption"}
		}
	case conforms.value == yes:
		e.outcome, e.deciders = audit.Conforms, conforms.deciders
	default:
		e.missing = sorted(append(slices.Clone(suspected.missing), conforms.missing...))
		e.deciders = sorted(append(slices.Clone(suspected.deciders), conforms.deciders...))
	}
	if e.outcome == audit.Conforms || e.outcome == audit.NotApplicable {
		e.severity = audit.Info
	}
	return e, nil
}

// gated applies the pack's effective dates and gates. Conduct that straddles the first day is judged for the later part.
// Where a gate is unknown, outcome is undetermined and missing names why, unless another gate says no.
func (p *Pack) gated(r *rule, s *subject) (evaluation, error) {
	e := evaluation{outcome: audit.Undetermined, severity: audit.Info}
	var err error
	if e.ctx, err = p.in(s); err != nil {
		return e, err
	}
	from, to := s.times["conduct.from"], s.times["conduct.to"]
	for _, eff := range []struct{ from, to time.Time }{{p.from, p.to}, {r.from, r.to}} {
		switch {
		case !eff.from.IsZero() && to.Before(eff.from):
			e.outcome, e.reason = audit.NotApplicable, msg.Text("rule.reason.before", span(from, to), day(eff.from))
			return e, nil
		case !eff.to.IsZero() && from.After(eff.to):
			e.outcome, e.reason = audit.NotApplicable, msg.Text("rule.reason.after", span(from, to), day(eff.to))
			return e, nil
		}
	}
	for _, g := range p.gates {
		v, err := g.eval(e.ctx)
		if err != nil {
			return e, fmt.Errorf("%s: %w", g.name, err)
		}
		e.conditions = append(e.conditions, traced{g.condition, v})
		switch v.value {
		case no:
			e.outcome, e.reason, e.deciders, e.missing = audit.NotApplicable, g.reason, v.deciders, nil
			return e, nil
		case unknown:
			e.missing = sorted(append(e.missing, v.missing...))
		}
	}
	return e, nil
}

// severity applies the rule's modifiers in order. One under "if" needs its condition to hold for certain; one under
// "unless" is applied where the condition does not.
func (p *Pack) severity(r *rule, c *bindings) (audit.Severity, error) {
	rank := r.Severity.Rank()
	for i, m := range r.modifiers {
		v, err := m.eval(c)
		if err != nil {
			return "", fmt.Errorf("%s: %w", m.name, err)
		}
		f := r.Modifiers[i]
		if (f.If != "") != (v.value == yes) {
			continue
		}
		if f.To != "" {
			rank = f.To.Rank()
		}
		rank = min(max(rank+f.By, audit.Info.Rank()), audit.Critical.Rank())
	}
	for _, s := range []audit.Severity{audit.Info, audit.Low, audit.Medium, audit.High, audit.Critical} {
		if s.Rank() == rank {
			return s, nil
		}
	}
	return r.Severity, nil
}
