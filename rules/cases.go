package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestResult is the result of one case of a pack.
type TestResult struct {
	File, Rule, Case string
	OK               bool
	Problem          string // what was not as wanted
}

// Test runs the pack's cases and checks that every rule has a case for each outcome it can have. An error means the cases
// could not be run; a case that fails is a result that is not OK.
func (p *Pack) Test() ([]TestResult, error) {
	var out []TestResult
	seen := map[string][]audit.Outcome{}
	for _, t := range p.tests {
		r := p.rules[slices.IndexFunc(p.rules, func(r *rule) bool { return r.ID == t.Rule })]
		for _, c := range t.Cases {
			res := TestResult{File: t.file, Rule: r.id, Case: c.Name}
			problem, err := p.run(r, t, c)
			if err != nil {
				return nil, fmt.Errorf("rules: %s: %s: case %q: %w", p.meta.ID, t.file, c.Name, err)
			}
			res.OK, res.Problem = problem == "", problem
			out = append(out, res)
			seen[r.id] = append(seen[r.id], c.Want)
		}
	}
	for _, r := range p.rules {
		for _, o := range r.Outcomes {
			if !slices.Contains(seen[r.id], o) {
				out = append(out, TestResult{Rule: r.id, Case: "coverage", Problem: fmt.Sprintf("no case wants %s", o)})
			}
		}
	}
	return out, nil
}

// run evaluates one case: facts go in as a condition sees them, nothing is worked out from anything else.
func (p *Pack) run(r *rule, t testFile, c testCase) (problem string, err error) {
	f, err := p.given(t.Base, c.Given)
	if err != nil {
		return "", err
	}
	from, to, err := c.when()
	if err != nil {
		return "", err
	}
	site := audit.SiteFile{Site: audit.Site{ID: "case"}}
	ct := &court{packs: []*Pack{p}, in: Input{Site: site}, specs: specMap(Specs()), m: &matcher{in: Input{Site: site}, from: from, to: to, site: facts{}}}
	s := ct.subject(&subject{Subject: audit.Subject{Kind: r.Scope, ID: "subject"}, facts: f, zones: f.list(factZones)})
	e, err := p.evaluate(r, s)
	if err != nil {
		return "", err
	}
	got := ct.finding(p, r, s, e)
	var problems []string
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if got.Outcome != c.Want {
		say("outcome %s, want %s (missing %v)", got.Outcome, c.Want, got.Missing)
	}
	if c.Missing != nil && !slices.Equal(got.Missing, sorted(slices.Clone(c.Missing))) {
		say("missing %v, want %v", got.Missing, c.Missing)
	}
	if got.Outcome == audit.Undetermined && len(got.Missing) == 0 && r.Phase == "" {
		say("undetermined, and nothing is missing")
	}
	if c.Severity != "" && got.Severity != c.Severity {
		say("severity %s, want %s", got.Severity, c.Severity)
	}
	if c.Gaps != nil && !slices.Equal(got.Gaps, sorted(slices.Clone(c.Gaps))) {
		say("gaps %v, want %v", got.Gaps, c.Gaps)
	}
	for _, words := range c.Says {
		if !strings.Contains(got.Message.ZH, words) && !strings.Contains(got.Message.EN, words) {
			say("the message does not say %q: %s / %s", words, got.Message.ZH, got.Message.EN)
		}
	}
	for _, words := range c.Unsaid {
		if strings.Contains(got.Message.ZH, words) || strings.Contains(got.Message.EN, words) {
			say("the message says %q: %s / %s", words, got.Message.ZH, got.Message.EN)
		}
	}
	return strings.Join(problems, "; "), nil
}

// given builds the facts of a case. A fact set to null is unknown.
func (p *Pack) given(base, given map[string]any) (facts, error) {
	f := facts{}
	for _, set := range []map[string]any{base, given} {
		for name, v := range set {
			typ, ok := p.env.types[name]
			if !ok || slices.Contains(times, name) || slices.ContainsFunc(p.defines, func(d *condition) bool { return d.name == name }) {
				return nil, fmt.Errorf("%s is no fact the pack uses", name)
			}
			if v == nil {
				delete(f, name)
				continue
			}
			n, err := audit.Normal(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if !fits(typ, n) {
				return nil, fmt.Errorf("%s: %v is no %s", name, v, typ)
			}
			f.know(name, n)
		}
	}
	return f, nil
}

func fits(t audit.Type, v any) bool {
	switch v.(type) {
	case bool:
		return t == audit.Bool
	case int64:
		return t == audit.Int
	case string:
		return t == audit.String || t == audit.Time
	case []string:
		return t == audit.List
	}
	return false
}

// when reads a case's time of observation.
func (c testCase) when() (from, to time.Time, err error) {
	if c.At == "" {
		return from, to, errors.New("at is missing")
	}
	m, err := audit.ParseMoment(c.At)
	if err != nil {
		return from, to, err
	}
	from, to = m.T, m.T
	if c.From != "" {
		m, err := audit.ParseMoment(c.From)
		if err != nil {
			return from, to, err
		}
		from = m.T
	}
	return from, to, nil
}
