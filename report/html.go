package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

//go:embed html/page.html.tmpl
var pageTemplate string

//go:embed html/page.css
var pageCSS string

// writeHTML writes one self-contained page without scripts. Both languages stand in it one after the other, so that it can
// be read where styles are blocked; with styles, a switch shows one of them. html/template escapes every string.
func writeHTML(w io.Writer, v *View, o Options) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("report: parsing the page: %w", err)
	}
	langs := []string{"zh", "en"}
	if o.Lang == "en" {
		langs = []string{"en", "zh"}
	}
	d := document{View: v, First: tag(langs[0]), Shown: langs[0], Digest: digest(o.Digest), CSS: template.CSS(pageCSS + running(o))}
	for _, l := range langs {
		d.Pages = append(d.Pages, page{View: v, Lang: l, Options: o})
	}
	if err := t.Execute(w, d); err != nil {
		return fmt.Errorf("report: writing HTML: %w", err)
	}
	return nil
}

// running is the heading of printed pages. The digest in it is hexadecimal, and nothing else is variable.
func running(o Options) string {
	d := digest(o.Digest)
	if d == "" {
		return ""
	}
	return "\n@page { @top-right { content: \"SHA-256 " + d + "\"; font: 6.5pt monospace; color: #444; } }\n"
}

// document is the whole page.
type document struct {
	*View
	First  string // language tag of the page
	Shown  string // language shown first
	Digest string
	CSS    template.CSS
	Pages  []page
}

// page is the report in one language.
type page struct {
	*View
	Lang    string
	Options Options
}

func tag(lang string) string {
	if lang == "zh" {
		return "zh-CN"
	}
	return "en"
}

// Tag is the page's language tag.
func (p page) Tag() string { return tag(p.Lang) }

// T returns a text in the page's language.
func (p page) T(t audit.Text) string { return in(p.Lang, t) }

// M returns a sentence of the catalogue in the page's language.
func (p page) M(id string, args ...any) string { return in(p.Lang, msg.Text(id, args...)) }

// W returns the word for a term in the page's language.
func (p page) W(term any) string { return in(p.Lang, msg.Word(fmt.Sprint(term))) }

// Venue returns the kind of premises.
func (p page) Venue() string { return p.T(msg.Venue(p.Report.Site.Venue)) }

// In returns the word for a term of one area of the vocabulary.
func (p page) In(area string, x any) string { return in(p.Lang, term(area, fmt.Sprint(x))) }

// L joins names the way the page's language does.
func (p page) L(names []string) string { return in(p.Lang, list(names)) }

// J joins texts the same way.
func (p page) J(ts []audit.Text) string {
	var names []string
	for _, t := range ts {
		names = append(names, p.T(t))
	}
	return p.L(names)
}

// Burden says who bears the burden of proof, in a sentence.
func (p page) Burden(b string) string {
	switch b {
	case "claimant", "processor", "mixed":
		return p.M("report.burden." + b)
	}
	return b
}

// Who says the same in a word.
func (p page) Who(b string) string { return p.T(p.burden(b)) }

// Outcomes lists the outcomes with their mark and number, as they are read.
func (p page) Outcomes() []mark {
	var out []mark
	for _, o := range []audit.Outcome{audit.Suspected, audit.Undetermined, audit.Conforms, audit.NotApplicable} {
		out = append(out, p.Outcome(o))
	}
	return out
}

// mark is a word with a shape and a class of style; N counts where there is something to count.
type mark struct {
	Shape, Word, Class string
	N                  int
}

// Outcome marks an outcome. The shape tells it without colour.
func (p page) Outcome(o audit.Outcome) mark {
	shape := map[audit.Outcome]string{audit.Suspected: "✗", audit.Undetermined: "?", audit.Conforms: "✓", audit.NotApplicable: "–"}[o]
	return mark{Shape: shape, Word: p.W(o), Class: "o-" + string(o), N: p.Counts.Outcome[o]}
}

// Severity marks a severity.
func (p page) Severity(s audit.Severity) mark {
	shape, ok := map[audit.Severity]string{audit.Critical: "◆", audit.High: "▲", audit.Medium: "■", audit.Low: "●", audit.Info: "○"}[s]
	if !ok {
		return mark{Shape: "·", Word: p.W(s), Class: "s-info"}
	}
	return mark{Shape: shape, Word: p.W(s), Class: "s-" + string(s)}
}

// Level marks a level.
func (p page) Level(l audit.Level) mark {
	n := level(l)
	shape := map[string]string{"unknown": "?", "absent": "–", "capable": "○", "configured": "◐", "active": "●"}[n]
	return mark{Shape: shape, Word: p.W(n), Class: "l-" + n}
}

// Brief marks a level for a narrow column.
func (p page) Brief(l audit.Level) mark {
	m := p.Level(l)
	if l == audit.Absent {
		m.Word = p.M("report.level.brief.absent")
	}
	return m
}

// Levels marks every level, for the legend.
func (p page) Levels() []mark {
	var out []mark
	for l := audit.Active; l >= audit.Unknown; l-- {
		out = append(out, p.Level(l))
	}
	return out
}

// Short is the short name of a function.
func (p page) Short(f audit.Function) string { return p.M("report.function." + string(f)) }

// Functions lists the functions.
func (p page) Functions() []audit.Function { return audit.Functions() }

// Number counts the findings with an outcome.
func (p page) Number(o string) int { return p.Counts.Outcome[audit.Outcome(o)] }

// Top is the flagship finding if it is suspected, or nil.
func (p page) Top() *Group {
	if len(p.Groups) > 0 && p.Groups[0].Flagship && p.Groups[0].Outcome == audit.Suspected {
		return &p.Groups[0]
	}
	return nil
}

// Cleanliness is the sentence on whether the whole site may be called clean.
func (p page) Cleanliness() string {
	_, t := p.Clean()
	return p.T(t)
}

// Breadth says how many classes of evidence a finding rests on.
func (p page) Breadth(it Item) string {
	switch n := len(it.Classes); {
	case n == 1:
		return p.M("report.single_class")
	case n > 1:
		return p.M("report.classes", n)
	}
	return p.M("report.no_exhibit")
}

// Ranges of addresses are shown at once while they are few, folded up to a bound, and beyond it counted: report.json has them all.
const (
	fewRanges  = 6
	mostRanges = 1000
)

// Few reports whether ranges of addresses are few enough to stand in a table.
func (p page) Few(ranges []string) bool { return len(ranges) <= fewRanges }

// Bounded joins ranges of addresses, up to a bound.
func (p page) Bounded(ranges []string) string {
	s := p.L(first(ranges, mostRanges))
	if n := len(ranges) - mostRanges; n > 0 {
		s += " " + p.M("report.l.more", n, len(ranges))
	}
	return s
}

// Rel joins the page's language and an anchor, so that both languages can stand in one document.
func (p page) Rel(kind string, n int) string { return fmt.Sprintf("%s-%s%d", p.Lang, kind, n) }

// Ref returns a number as text, for a heading: F1, D1, E1, R1.
func (p page) Ref(kind string, n int) string { return fmt.Sprintf("%s%d", strings.ToUpper(kind), n) }

// RulesOf returns the rules of these ids that the report holds.
func (p page) RulesOf(ids []string) []Rule {
	var out []Rule
	for _, id := range ids {
		if r := p.rule(id); r != nil {
			out = append(out, *r)
		}
	}
	return out
}

// OtherRecords says how many observations are not among the exhibits.
func (p page) OtherRecords() string { return p.M("report.others", counted("record", p.Others)) }

// CapturesNote says what became of the packets that were listened to.
func (p page) CapturesNote() []audit.Text { return p.capturesNote() }

// Comma separates links the way the page's language does.
func (p page) Comma() string {
	if p.Lang == "zh" {
		return "、"
	}
	return ", "
}

// The templates of parts get the page with what they are about.
type (
	withGroup struct {
		P page
		G Group
	}
	withRule struct {
		P page
		R Rule
	}
	withDevice struct {
		P page
		D Device
	}
	withNumbers struct {
		P page
		N []int
	}
	withSeen struct {
		P page
		S []Seen
	}
)

// With, WithRule, WithDevice, Refs and Seen pair the page with a part.
func (p page) With(g Group) withGroup         { return withGroup{p, g} }
func (p page) WithRule(r Rule) withRule       { return withRule{p, r} }
func (p page) WithDevice(d Device) withDevice { return withDevice{p, d} }
func (p page) Refs(n []int) withNumbers       { return withNumbers{p, n} }
func (p page) Seen(s []Seen) withSeen         { return withSeen{p, s} }
