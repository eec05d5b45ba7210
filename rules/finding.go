package rules

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// finding words an evaluation.
func (c *court) finding(p *Pack, r *rule, s *subject, e evaluation) audit.Finding {
	f := audit.Finding{Rule: r.id, Pack: p.meta.ID + "@" + p.meta.Version, Provision: r.Provision, Title: r.Title, Subject: s.Subject,
		Zones: s.zones, Outcome: e.outcome, Severity: e.severity, Burden: r.Burden.Default, Missing: e.missing,
		Remediation: r.Remediation, Exemption: orElse(s.facts.text("exemption.state"), NoneClaimed), Because: []string{}, Requests: []audit.Request{}}
	if f.Severity == "" {
		f.Severity = audit.Info
	}
	if f.Missing == nil {
		f.Missing = []string{}
	}
	var classes []audit.Class
	for _, name := range e.deciders {
		v := s.facts[name]
		f.Because = append(f.Because, v.Because...)
		if !context(name) {
			classes = append(classes, v.Classes...)
		}
	}
	for _, name := range f.Missing {
		f.Dispute = append(f.Dispute, s.facts[name].Dispute...)
	}
	f.Because = sorted(f.Because)
	f.Dispute = sorted(f.Dispute)
	f.Confidence = confidence(classes)
	for _, name := range f.Missing {
		f.Requests = append(f.Requests, audit.Request{Fact: name, Burden: p.burden(r, name), Ask: c.ask(name)})
	}
	if e.outcome == audit.Suspected || e.exempt {
		f.Gaps = p.gapsFound(r, s, e)
	}
	f.Message = c.message(p, r, s, e, &f)
	f.SetFingerprint(c.in.Site.Site.ID)
	return f
}

// confidence: two independent classes of evidence, one that is live or an inspector's own, or less.
func confidence(cs []audit.Class) audit.Confidence {
	slices.Sort(cs)
	cs = slices.DeleteFunc(slices.Compact(cs), func(c audit.Class) bool {
		return c == audit.ClassInventory || c == audit.ClassCapability || c == ""
	})
	switch {
	case len(cs) >= 2:
		return audit.ConfidenceHigh
	case len(cs) == 1 && (cs[0] == audit.ClassLive || cs[0] == audit.ClassInspection):
		return audit.ConfidenceMedium
	}
	return audit.ConfidenceLow
}

// burden says who has to prove a fact: the rule's word for it or for the longest first part of its name, then the pack's.
func (p *Pack) burden(r *rule, fact string) string {
	for _, m := range []map[string]string{r.Burden.Facts, p.meta.Burden} {
		for name := fact; name != ""; {
			if b, ok := m[name]; ok {
				return b
			}
			i := strings.LastIndexByte(name, '.')
			name = name[:max(i, 0)]
		}
	}
	if r.Burden.Default == "processor" {
		return "processor"
	}
	return "claimant"
}

func (c *court) ask(fact string) audit.Text {
	if s, ok := c.specs[fact]; ok && !s.Ask.IsZero() {
		return s.Ask
	}
	return msg.Text("rule.ask.default", msg.Word(fact))
}

func (c *court) doc(fact string) audit.Text {
	if s, ok := c.specs[fact]; ok && !s.Doc.IsZero() {
		return s.Doc
	}
	return msg.Word(fact)
}

// gapsFound lists the differences in the rule's own vocabulary.
func (p *Pack) gapsFound(r *rule, s *subject, e evaluation) []string {
	var out []string
	for i, g := range r.Gaps {
		if g.List != "" {
			for _, x := range s.facts.list(g.List) {
				if len(g.Only) == 0 || slices.Contains(g.Only, x) {
					out = append(out, g.Prefix+x)
				}
			}
			continue
		}
		if v, err := r.gaps[i].eval(e.ctx); err == nil && v.value == yes {
			out = append(out, g.Word)
		}
	}
	return sorted(out)
}

// message assembles the usual sentence for the outcome, or the rule's own where it has one. It also sets the facts of the
// usual sentence, for reports that put several under one frame.
func (c *court) message(p *Pack, r *rule, s *subject, e evaluation, f *audit.Finding) audit.Text {
	w := c.words(s, *f)
	w["window"], w["scope"], w["exhibits"], w["provision"] = c.window(), c.scopeText(), exhibits(f.Because), r.Provision
	w["quote"] = audit.Text{ZH: strings.TrimRight(r.Quote.ZH, "；。"), EN: strings.TrimRight(r.Quote.EN, ";.")}
	w["facts"] = c.factsSentence(r, e, w)
	c.missingWords(*f, w)
	if own, ok := r.Messages[e.outcome]; ok && !e.exempt {
		return fill(own, w)
	}
	switch e.outcome {
	case audit.Suspected:
		f.Facts = w["facts"]
		return msg.Text("rule.suspected", w["window"], w["scope"], w["facts"], w["exhibits"], w["provision"], w["quote"])
	case audit.Conforms:
		tail := audit.Text{}
		if !w["facts"].IsZero() {
			tail = msg.Text("rule.conforms.facts", w["facts"])
		}
		return msg.Text("rule.conforms", w["window"], w["scope"], w["provision"], tail)
	case audit.NotApplicable:
		reason := e.reason
		if reason.IsZero() {
			reason = msg.Text("rule.reason.condition")
		}
		return msg.Text("rule.not-applicable", fill(reason, w))
	}
	if e.exempt {
		return msg.Text("rule.undetermined.exemption", w["window"], w["scope"], w["facts"], w["exhibits"], w["provision"])
	}
	tail := audit.Text{}
	if !w["facts"].IsZero() {
		f.Facts, tail = w["facts"], msg.Text("rule.observed", w["facts"])
	}
	tail = join(tail, c.disputes(s, f))
	return msg.Text("rule.undetermined", w["missing"], w["burden"], w["ask"], tail)
}

// disputes names the observations that contradict each other about what is missing, one sentence for each pair of sides.
func (c *court) disputes(s *subject, f *audit.Finding) audit.Text {
	var out []audit.Text
	sided := map[string]bool{}
	for _, name := range f.Missing {
		v := s.facts[name]
		if len(v.For) == 0 || len(v.Against) == 0 {
			continue
		}
		for _, id := range v.Dispute {
			sided[id] = true
		}
		out = append(out, msg.Text("rule.disputed.sides", c.doc(name), c.sources(v.For), c.sources(v.Against)))
	}
	if rest := slices.DeleteFunc(slices.Clone(f.Dispute), func(id string) bool { return sided[id] }); len(rest) > 0 {
		out = append(out, msg.Text("rule.disputed", exhibits(rest)))
	}
	return some(out, "", "", 4)
}

// sources names observations by what was asked.
func (c *court) sources(ids []string) audit.Text {
	var out []audit.Text
	for _, id := range ids {
		t := same(id)
		if i := slices.IndexFunc(c.in.Observations, func(o audit.Observation) bool { return o.ID == id }); i >= 0 {
			o := c.in.Observations[i]
			t = msg.Text("rule.disputed.side", same(o.Module+" "+o.Kind), same(id))
		}
		out = append(out, t)
	}
	return some(out, "、", ", ", 3)
}

// missingWords words what is missing, who has to prove it and what to ask for.
func (c *court) missingWords(f audit.Finding, w map[string]audit.Text) {
	var docs, asks []audit.Text
	var who []string
	for _, q := range f.Requests {
		docs = append(docs, c.doc(q.Fact))
		asks = append(asks, q.Ask)
		who = append(who, q.Burden)
	}
	w["burden"] = msg.Word(f.Burden)
	if len(who) > 0 {
		w["burden"] = msg.Words(sorted(who))
	}
	w["missing"], w["ask"] = some(docs, "；", "; ", 6), some(asks, "；", "; ", 4)
}

func join(a, b audit.Text) audit.Text { return audit.Text{ZH: a.ZH + b.ZH, EN: a.EN + b.EN} }

// factsSentence joins the parts of the rule's facts whose condition holds for certain.
func (c *court) factsSentence(r *rule, e evaluation, w map[string]audit.Text) audit.Text {
	var parts []audit.Text
	outcome := e.outcome
	if e.exempt {
		outcome = audit.Suspected
	}
	for i, part := range r.facts {
		if of := r.Facts[i].For; len(of) > 0 && !slices.Contains(of, outcome) {
			continue
		}
		if part.expression != nil {
			if v, err := part.eval(e.ctx); err != nil || v.value != yes {
				continue
			}
		}
		if r.unless[i] != nil {
			if v, err := r.unless[i].eval(e.ctx); err != nil || v.value == yes {
				continue
			}
		}
		parts = append(parts, fill(part.text, w))
	}
	return some(parts, "；", "; ", len(parts))
}

// fill replaces the placeholders of a text.
func fill(t audit.Text, w map[string]audit.Text) audit.Text {
	one := func(s, lang string) string {
		return placeholder.ReplaceAllStringFunc(s, func(m string) string { return w[m[1:len(m)-1]].In(lang) })
	}
	return audit.Text{ZH: one(t.ZH, "zh"), EN: one(t.EN, "en")}
}

// some joins the first of several texts, without repeats, and says how many there are beyond.
func some(ts []audit.Text, zh, en string, limit int) audit.Text {
	var out []audit.Text
	for _, t := range ts {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	n := len(out)
	var j audit.Text
	for i, t := range out[:min(n, max(limit, 0))] {
		if i > 0 {
			j = join(j, audit.Text{ZH: zh, EN: en})
		}
		j = join(j, t)
	}
	if n > limit && limit > 0 {
		return msg.Text("rule.more", j, n)
	}
	return j
}

func exhibits(ids []string) audit.Text {
	if len(ids) == 0 {
		return msg.Text("rule.noexhibit")
	}
	var ts []audit.Text
	for _, id := range ids {
		ts = append(ts, same(id))
	}
	return some(ts, "、", ", ", 6)
}

func same(s string) audit.Text { return audit.Text{ZH: s, EN: s} }
