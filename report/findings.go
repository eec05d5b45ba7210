package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Group is one rule with one outcome, for every subject it has it for. A shop with forty cameras has forty findings of one
// rule; a reader needs the rule once and the cameras under it.
type Group struct {
	No        int
	Rule      string
	Pack      string
	Title     audit.Text
	Provision audit.Text
	Outcome   audit.Outcome
	Severity  audit.Severity
	Burden    string
	Flagship  bool
	Law       *Rule // nil if the report does not hold the rule's text
	Items     []Item
	Messages  []audit.Text // the distinct messages of the items, in order
	Opening   audit.Text   // where every item has its facts: the words before and after them, said once for all
	Closing   audit.Text
	Missing   []Missing
	Remedies  []audit.Text
}

// Item is one finding of a group.
type Item struct {
	Subject     audit.Subject
	Label       string // the subject as a person knows it
	Device      int    // number of the device, 0 if the subject is none
	Zones       []string
	Message     audit.Text
	Facts       audit.Text // what was found, for a group with an opening
	Brief       audit.Text // of an undetermined device, what nobody settled; how to settle it stands once under the group
	Shared      bool       // every item of the group says the same
	Gaps        []audit.Text
	Exhibits    []int
	Unlisted    []string // observations the report cites and does not hold
	Dispute     []int
	Confidence  audit.Confidence
	Classes     []string // evidence classes behind it
	Exemption   string
	Fingerprint string

	because, dispute []string
}

// Missing is a fact nobody established, with what would establish it.
type Missing struct {
	Fact string
	Doc  audit.Text
	Ask  audit.Text
}

// Rule is a rule's text as applied, numbered.
type Rule struct {
	No int
	audit.RuleText
}

// Request is something to ask for, once, with the findings that wait for it.
type Request struct {
	No       int
	Ask      audit.Text
	Burden   string
	Rules    []string
	Subjects []string // labels of the subjects concerned
	weight   int
}

func (v *View) indexRules() {
	for _, r := range v.Report.Rules {
		v.Rules = append(v.Rules, Rule{No: len(v.Rules) + 1, RuleText: r})
	}
}

func (v *View) rule(id string) *Rule {
	for i := range v.Rules {
		if v.Rules[i].ID == id {
			return &v.Rules[i]
		}
	}
	return nil
}

func (v *View) group() {
	type key struct {
		rule     string
		outcome  audit.Outcome
		severity audit.Severity
	}
	at := map[key]int{}
	for _, f := range v.inDeviceOrder() {
		k := key{rule: f.Rule, outcome: outcome(f)}
		if k.outcome == audit.Suspected {
			k.severity = f.Severity
		}
		i, ok := at[k]
		if !ok {
			i = len(v.Groups)
			at[k] = i
			v.Groups = append(v.Groups, Group{Rule: f.Rule, Pack: f.Pack, Title: f.Title, Provision: f.Provision, Outcome: k.outcome,
				Severity: f.Severity, Burden: f.Burden, Flagship: f.Rule == Flagship, Law: v.rule(f.Rule)})
		}
		g := &v.Groups[i]
		if f.Severity.Rank() > g.Severity.Rank() {
			g.Severity = f.Severity
		}
		g.Items = append(g.Items, v.item(f))
		g.Items[len(g.Items)-1].Brief = v.brief(f)
		g.Messages = addText(g.Messages, f.Message)
		g.Remedies = addText(g.Remedies, f.Remediation)
		for _, m := range f.Missing {
			if !slices.ContainsFunc(g.Missing, func(x Missing) bool { return x.Fact == m }) {
				g.Missing = append(g.Missing, v.missing(f, m))
			}
		}
	}
	slices.SortStableFunc(v.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), -cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), cmp.Compare(a.Rule, b.Rule))
	})
	for i := range v.Groups {
		g := &v.Groups[i]
		g.No = i + 1
		slices.SortFunc(g.Missing, func(a, b Missing) int { return cmp.Compare(a.Fact, b.Fact) })
		for j := range g.Items {
			g.Items[j].Shared = len(g.Messages) < 2
		}
		if g.Outcome == audit.Suspected && !slices.ContainsFunc(g.Items, func(it Item) bool { return it.Facts.IsZero() }) {
			g.Opening, g.Closing = msg.Text("report.frame.opening", v.window()), msg.Text("report.frame.closing", g.Provision)
		}
	}
}

// inDeviceOrder lists the findings so that those of one rule come in the order of the devices.
func (v *View) inDeviceOrder() []audit.Finding {
	fs := slices.Clone(v.Report.Findings)
	slices.SortStableFunc(fs, func(a, b audit.Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(v.device[a.Subject.ID], v.device[b.Subject.ID]))
	})
	return fs
}

// place orders the outcomes as they are read; the flagship comes before everything where it is suspected.
func place(g Group) int {
	if g.Flagship && g.Outcome == audit.Suspected {
		return -1
	}
	return slices.Index([]audit.Outcome{audit.Suspected, audit.Undetermined, audit.Conforms, audit.NotApplicable}, g.Outcome)
}

func (v *View) item(f audit.Finding) Item {
	it := Item{Subject: f.Subject, Label: v.label(f.Subject), Device: v.number(f.Subject), Zones: v.zones(f.Zones), Message: f.Message, Facts: f.Facts,
		Confidence: f.Confidence, Exemption: f.Exemption, Fingerprint: f.Fingerprint, because: f.Because, dispute: f.Dispute}
	for _, g := range f.Gaps {
		it.Gaps = append(it.Gaps, gap(g))
	}
	return it
}

// gap words one difference: "method:face_detection", or a word by itself.
func gap(g string) audit.Text {
	kind, what, ok := strings.Cut(g, ":")
	if ok && slices.Contains([]string{"method", "data", "zone", "recipient", "purpose"}, kind) {
		return msg.Text("rule.gap."+kind, msg.Word(what))
	}
	return msg.Word(g)
}

// brief words what an undetermined finding about a device lacks. A claim that awaits examination keeps its own sentence.
func (v *View) brief(f audit.Finding) audit.Text {
	if outcome(f) != audit.Undetermined || f.Subject.Kind != audit.SubjectDevice || len(f.Missing) == 0 || slices.Contains(f.Missing, "exemption") {
		return audit.Text{}
	}
	var docs []audit.Text
	for _, m := range f.Missing {
		d := v.missing(f, m).Doc
		if d.IsZero() {
			return audit.Text{}
		}
		docs = append(docs, d)
	}
	t := msg.Text("report.frame.lacks", join(docs))
	if !f.Facts.IsZero() {
		seen := msg.Text("report.frame.seen", f.Facts)
		t = audit.Text{ZH: t.ZH + seen.ZH, EN: t.EN + seen.EN}
	}
	return t
}

func (v *View) missing(f audit.Finding, fact string) Missing {
	m := Missing{Fact: fact}
	for _, s := range v.Report.FactSpecs {
		if s.Name == fact {
			m.Doc, m.Ask = s.Doc, s.Ask
		}
	}
	for _, q := range f.Requests {
		if q.Fact == fact && !q.Ask.IsZero() {
			m.Ask = q.Ask
		}
	}
	return m
}

// label names a subject: a device by its own label, the site by its name, a notice or an exemption by kind and id.
func (v *View) label(s audit.Subject) string {
	if s.Kind == audit.SubjectDevice {
		if n := v.number(s); n > 0 {
			return v.Devices[n-1].Label
		}
	}
	if s.Kind == audit.SubjectSite {
		return cmp.Or(v.Report.Site.ID, s.ID)
	}
	return s.ID
}

func (v *View) number(s audit.Subject) int {
	if s.Kind != audit.SubjectDevice {
		return 0
	}
	return v.device[s.ID]
}

// request gathers what to ask for from every finding that is not settled, heaviest first: what a critical finding waits for
// comes before what only completes the record.
func (v *View) request() {
	at := map[[3]string]int{}
	for _, f := range v.Report.Findings {
		if o := outcome(f); o != audit.Undetermined && o != audit.Suspected {
			continue
		}
		for _, q := range v.asked(f) {
			k := [3]string{q.Burden, q.Ask.ZH, q.Ask.EN}
			i, ok := at[k]
			if !ok {
				i = len(v.Requests)
				at[k] = i
				v.Requests = append(v.Requests, Request{Ask: q.Ask, Burden: q.Burden})
			}
			r := &v.Requests[i]
			r.Rules = add(r.Rules, f.Rule)
			r.Subjects = add(r.Subjects, v.label(f.Subject))
			r.weight = max(r.weight, f.Severity.Rank())
		}
	}
	slices.SortFunc(v.Requests, func(a, b Request) int {
		return cmp.Or(-cmp.Compare(a.weight, b.weight), -cmp.Compare(len(a.Rules), len(b.Rules)), cmp.Compare(a.Burden, b.Burden),
			cmp.Compare(a.Ask.EN, b.Ask.EN), cmp.Compare(a.Ask.ZH, b.Ask.ZH))
	})
	for i := range v.Requests {
		v.Requests[i].No = i + 1
		slices.Sort(v.Requests[i].Rules)
		slices.Sort(v.Requests[i].Subjects)
	}
}

// asked returns what a finding asks for; where it names missing facts without a request, the fact's own.
func (v *View) asked(f audit.Finding) []audit.Request {
	out := slices.DeleteFunc(slices.Clone(f.Requests), func(q audit.Request) bool { return q.Ask.IsZero() })
	for _, m := range f.Missing {
		if slices.ContainsFunc(f.Requests, func(q audit.Request) bool { return q.Fact == m }) {
			continue
		}
		if x := v.missing(f, m); !x.Ask.IsZero() {
			out = append(out, audit.Request{Fact: m, Burden: f.Burden, Ask: x.Ask})
		}
	}
	return out
}

func add(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func addText(list []audit.Text, t audit.Text) []audit.Text {
	if t.IsZero() || slices.Contains(list, t) {
		return list
	}
	return append(list, t)
}

// burden is the short word for who bears the burden of proof.
func (v *View) burden(b string) audit.Text {
	switch b {
	case "claimant", "processor", "mixed":
		return msg.Text("report.burden.short." + b)
	}
	return same(b)
}
