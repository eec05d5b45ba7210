package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
)

// rule checks and compiles one rule of the pack.
func (p *Pack) rule(r *rule, id string) (err error) {
	if r.ID != id || !ruleID.MatchString(id) {
		return fmt.Errorf("id is %q, want %q as listed in pack.yaml", r.ID, id)
	}
	r.id = p.meta.ID + "/" + id
	switch {
	case !slices.Contains(scopes, r.Scope):
		return fmt.Errorf("scope %q: want one of %v", r.Scope, scopes)
	case r.Phase != "" && (r.Phase != "findings" || r.Scope != audit.SubjectSite):
		return fmt.Errorf("phase %q: only findings, and for the site", r.Phase)
	case r.Severity.Rank() < 0:
		return fmt.Errorf("severity %q is none", r.Severity)
	case !slices.Contains(burdens, r.Burden.Default):
		return fmt.Errorf("burden.default %q: want one of %v", r.Burden.Default, burdens)
	case r.TextStatus != "" && !slices.Contains(statuses, r.TextStatus):
		return fmt.Errorf("text_status %q: want one of %v", r.TextStatus, statuses)
	case len(r.Outcomes) == 0:
		return errors.New("outcomes: list those the rule can have")
	}
	for f, b := range r.Burden.Facts {
		if b != "claimant" && b != "processor" {
			return fmt.Errorf("burden.facts %s: %q is neither claimant nor processor", f, b)
		}
	}
	for i, o := range r.Outcomes {
		if !slices.Contains(outcomes, o) || slices.Contains(r.Outcomes[:i], o) {
			return fmt.Errorf("outcomes: %q is none or listed twice", o)
		}
	}
	for _, t := range []struct {
		what string
		text audit.Text
		must bool
	}{
		{"title", r.Title, true}, {"provision", r.Provision, true}, {"quote", r.Quote, true}, {"remediation", r.Remediation, true},
		{"none", r.None, r.Scope == audit.SubjectNotice || r.Scope == audit.SubjectExemption}, {"legal_force", r.LegalForce, false},
		{"applies.else", r.Applies.Else, r.Applies.If != "true"},
	} {
		if t.must && !both(t.text) || !t.text.IsZero() && !both(t.text) {
			return fmt.Errorf("%s: %w", t.what, errNoText)
		}
	}
	if r.from, r.to, err = period(r.From, r.To); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		file conditionFile
		into *condition
	}{{"applies", r.Applies, &r.applies}, {"suspected", r.Suspected, &r.suspected}, {"conforms", r.Conforms, &r.conforms}} {
		if *c.into, err = p.condition(c.name, c.file); err != nil {
			return err
		}
	}
	for o, t := range r.Messages {
		if !slices.Contains(r.Outcomes, o) || !both(t) {
			return fmt.Errorf("messages: %s: %w, for an outcome the rule can have", o, errNoText)
		}
		if err := checkPlaceholders(t, append(slices.Clone(placeholders), frames...)); err != nil {
			return fmt.Errorf("messages: %s: %w", o, err)
		}
	}
	for _, t := range []audit.Text{r.Applies.Else, r.None} {
		if err := checkPlaceholders(t, placeholders); err != nil {
			return err
		}
	}
	return errors.Join(p.modifiersOf(r), p.factsOf(r), p.gapsOf(r))
}

func (p *Pack) modifiersOf(r *rule) error {
	for i, m := range r.Modifiers {
		if (m.If == "") == (m.Unless == "") || (m.To == "") == (m.By == 0) || m.To != "" && m.To.Rank() < 0 || m.By < -4 || m.By > 4 {
			return fmt.Errorf("modifiers[%d]: want one of if and unless, and one of to (a severity) and by (steps)", i)
		}
		c, err := p.condition(fmt.Sprintf("modifiers[%d]", i), conditionFile{If: m.If + m.Unless, Text: m.Text})
		if err != nil {
			return err
		}
		r.modifiers = append(r.modifiers, c)
	}
	return nil
}

func (p *Pack) factsOf(r *rule) error {
	if len(r.Facts) == 0 {
		return errors.New("facts: the sentence about the facts is missing")
	}
	for i, f := range r.Facts {
		name := fmt.Sprintf("facts[%d]", i)
		t := audit.Text{ZH: f.ZH, EN: f.EN}
		if !both(t) {
			return fmt.Errorf("%s: %w", name, errNoText)
		}
		if err := checkPlaceholders(t, placeholders); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if i := slices.IndexFunc(f.For, func(o audit.Outcome) bool { return !slices.Contains(r.Outcomes, o) }); i >= 0 {
			return fmt.Errorf("%s: for %s, which is not among the outcomes", name, f.For[i])
		}
		c := condition{name: name, text: t}
		if f.If != "" {
			x, err := p.env.compile(f.If)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			c.expression = x
		}
		var unless *expression
		if f.Unless != "" {
			x, err := p.env.compile(f.Unless)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			unless = x
		}
		r.facts, r.unless = append(r.facts, c), append(r.unless, unless)
	}
	return nil
}

func (p *Pack) gapsOf(r *rule) error {
	for i, g := range r.Gaps {
		c := condition{name: fmt.Sprintf("gaps[%d]", i)}
		switch {
		case g.List != "" && g.If == "" && g.Word == "":
			if p.env.types[g.List] != audit.List {
				return fmt.Errorf("%s: %s is not a list", c.name, g.List)
			}
		case g.List == "" && g.If != "" && g.Word != "" && g.Prefix == "" && g.Only == nil:
			x, err := p.env.compile(g.If)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.expression = x
		default:
			return fmt.Errorf("%s: want list with prefix and only, or if with word", c.name)
		}
		r.gaps = append(r.gaps, c)
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

func checkPlaceholders(t audit.Text, known []string) error {
	for _, s := range []string{t.ZH, t.EN} {
		for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
			if !slices.Contains(known, m[1]) {
				return fmt.Errorf("unknown placeholder {%s}; known: %v", m[1], known)
			}
		}
	}
	return nil
}

// checkTests checks a file of cases against the rule it tests; it runs none of them.
func (p *Pack) checkTests(t testFile) error {
	i := slices.IndexFunc(p.rules, func(r *rule) bool { return r.ID == t.Rule })
	if i < 0 {
		return fmt.Errorf("rule %q is not in the pack", t.Rule)
	}
	if _, err := p.given(t.Base, nil); err != nil {
		return fmt.Errorf("base: %w", err)
	}
	for _, c := range t.Cases {
		if c.Name == "" || !slices.Contains(p.rules[i].Outcomes, c.Want) {
			return fmt.Errorf("case %q: want %q, which is not among the rule's outcomes", c.Name, c.Want)
		}
		if _, err := p.given(t.Base, c.Given); err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		if _, _, err := c.when(); err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
	}
	return nil
}
