package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

const (
	defaultWidth = 80
	minWidth     = 40
	maxWidth     = 140 // longer lines are hard to read
	maxNamed     = 4   // subjects named in a cell before "and n more"
	maxName      = 40  // columns of a name in a list
	maxQuoted    = 800 // columns of one message
	maxListed    = 12  // requests and reasons listed before "and n more"
)

// narrow makes ambiguous characters one column wide, as terminals that are not set to a legacy East Asian code page show
// them. go-pretty keeps this for the process, and takes it from the locale otherwise.
var narrow = sync.OnceFunc(func() { text.OverrideRuneWidthEastAsianWidth(false) })

// writeText writes the summary for a terminal. Meaning is always in a symbol and a word; colour only adds to them.
func writeText(w io.Writer, v *View, o Options) error {
	narrow()
	t := &terminal{v: v, lang: o.Lang, width: o.Width, color: o.Color}
	if t.lang != "zh" {
		t.lang = "en"
	}
	if t.width < minWidth {
		t.width = defaultWidth
	}
	t.width = min(t.width, maxWidth)
	t.head()
	t.findings()
	t.requests()
	t.devices()
	t.depth()
	t.complete()
	t.captures()
	t.coverage()
	t.close(o)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// terminal writes one summary.
type terminal struct {
	v     *View
	b     strings.Builder
	lang  string
	width int
	color bool
}

func (t *terminal) in(x audit.Text) string            { return in(t.lang, x) }
func (t *terminal) msg(id string, args ...any) string { return in(t.lang, msg.Text(id, args...)) }
func (t *terminal) word(s string) string              { return in(t.lang, msg.Word(s)) }

func (t *terminal) head() {
	v := t.v
	t.para("", t.paint(t.msg("report.title"), text.Bold)+" · "+t.in(v.Place()))
	if d := v.Date(); d != "" {
		t.para("", d+" · "+t.in(msg.Venue(v.Report.Site.Venue)))
	}
	for _, b := range v.Banners {
		t.b.WriteString("\n")
		t.para("!! ", t.paint(t.in(b), text.FgYellow, text.Bold))
	}
	t.b.WriteString("\n")
	t.para("", t.paint(t.in(v.Lead), text.Bold))
	t.para("", t.tally())
	if g := v.Groups; len(g) > 0 && g[0].Flagship && g[0].Outcome == audit.Suspected {
		t.section("report.h.first")
		t.para(t.mark(g[0].Outcome)+" ", t.paint(t.in(g[0].Title), text.Bold))
		t.flagship(g[0])
	}
}

// flagship writes the most important finding: the frame once, a sentence for each of the first subjects, what to do.
func (t *terminal) flagship(g Group) {
	if g.Opening.IsZero() {
		for _, m := range first(g.Messages, 2) {
			t.para("  ", snip(t.in(m), maxQuoted))
		}
		return
	}
	t.para("  ", t.in(g.Opening))
	for _, it := range first(g.Items, maxNamed) {
		var refs []string
		for _, n := range it.Exhibits {
			refs = append(refs, fmt.Sprintf("E%d", n))
		}
		cited := ""
		if len(refs) > 0 {
			cited = t.in(brackets(list(refs)))
		}
		t.para("  - ", snip(t.in(it.Facts), maxQuoted)+cited)
	}
	if n := len(g.Items); n > maxNamed {
		t.para("    ", t.msg("report.l.more", n-maxNamed, n))
	}
	t.para("  ", t.in(g.Closing))
	for _, r := range first(g.Remedies, 1) {
		t.para("  ", t.msg("report.l.remedy")+t.msg("report.colon")+snip(t.in(r), maxQuoted))
	}
}

// tally is the counts by outcome: "✗ suspected 3 · ? undetermined 4 …".
func (t *terminal) tally() string {
	var out []string
	for _, o := range []audit.Outcome{audit.Suspected, audit.Undetermined, audit.Conforms, audit.NotApplicable} {
		out = append(out, fmt.Sprintf("%s %s %d", t.mark(o), t.word(string(o)), t.v.Counts.Outcome[o]))
	}
	return strings.Join(out, " · ")
}

// mark is the symbol of an outcome. All are one column wide in every terminal.
func (t *terminal) mark(o audit.Outcome) string {
	switch o {
	case audit.Suspected:
		return t.paint("✗", text.FgRed)
	case audit.Conforms:
		return t.paint("✓", text.FgGreen)
	case audit.NotApplicable:
		return "-"
	}
	return t.paint("?", text.FgYellow)
}

func (t *terminal) findings() {
	t.section("report.h.findings")
	var rows []table.Row
	for _, g := range t.v.Groups {
		if g.Outcome != audit.Suspected && g.Outcome != audit.Undetermined {
			continue
		}
		rows = append(rows, table.Row{t.mark(g.Outcome) + " " + t.word(string(g.Outcome)) + "\n  " + t.word(string(g.Severity)),
			t.in(g.Title) + "\n" + g.Rule, t.subjects(g)})
	}
	if len(rows) == 0 {
		t.para("", t.msg("report.none"))
		return
	}
	side := max(14, t.width/4)
	t.table([]string{"report.l.outcome", "report.l.finding", "report.l.subjects"}, rows, []int{14, t.width - 14 - side - 4, side})
}

// subjects names the first subjects of a group.
func (t *terminal) subjects(g Group) string {
	var names []string
	for _, it := range g.Items {
		names = append(names, snip(it.Label, 20))
	}
	return t.some(names)
}

// some joins the first names and counts the rest.
func (t *terminal) some(names []string) string {
	names = slices.Clone(names)
	for i := range names {
		names[i] = snip(names[i], maxName)
	}
	if len(names) > maxNamed+1 {
		return t.in(list(names[:maxNamed])) + t.gap() + t.msg("report.l.more", len(names)-maxNamed, len(names))
	}
	return t.in(list(names))
}

func (t *terminal) requests() {
	if len(t.v.Requests) == 0 {
		return
	}
	t.section("report.h.requests")
	for _, r := range first(t.v.Requests, maxListed) {
		who := ""
		if r.Burden != "" {
			who = t.in(brackets(t.v.burden(r.Burden)))
		}
		t.para(fmt.Sprintf("%2d. ", r.No), snip(t.in(r.Ask), maxQuoted)+snip(who, 60))
	}
	if n := len(t.v.Requests) - maxListed; n > 0 {
		t.para("    ", t.msg("report.l.more", n, len(t.v.Requests)))
	}
}

func (t *terminal) devices() {
	t.section("report.h.devices")
	if len(t.v.Devices) == 0 {
		t.para("", t.msg("report.none"))
		return
	}
	head := []string{"report.l.device"}
	widths := []int{0}
	for _, f := range audit.Functions() {
		head = append(head, "report.function."+string(f))
		widths = append(widths, 10)
	}
	widths[0] = t.width - 5*12
	var rows []table.Row
	for _, d := range t.v.Devices {
		who := snip(d.Label, 40) + "\n" + snip(spaced(t.in(d.Kind), d.Maker), 60)
		if !d.Note.IsZero() {
			who += "\n" + snip(t.in(d.Note), 60)
		}
		row := table.Row{who}
		for _, c := range d.Cells {
			row = append(row, t.cell(c))
		}
		rows = append(rows, row)
	}
	t.table(head, rows, widths)
	t.para("", t.msg("report.legend.text"))
}

// depth says how hard each function was looked for, devices of which the same is to be said together.
func (t *terminal) depth() {
	var order []string
	of := map[string][]string{}
	for _, d := range t.v.Devices {
		said := t.depthOf(d)
		if said == "" {
			continue
		}
		if of[said] == nil {
			order = append(order, said)
		}
		of[said] = append(of[said], d.Label)
	}
	if len(order) == 0 {
		return
	}
	t.section("report.h.looked")
	for _, said := range first(order, maxListed) {
		t.para("- ", t.some(of[said])+t.msg("report.colon")+said)
	}
	if n := len(order) - maxListed; n > 0 {
		t.para("  ", t.msg("report.l.more", n, len(order)))
	}
	t.para("", t.msg("report.looked.legend"))
}

// depthOf is what became of the questions about one device, functions of which the same is to be said together.
func (t *terminal) depthOf(d Device) string {
	var order, out []string
	of := map[string][]string{}
	for _, x := range d.Depth {
		said := t.in(x.Counts)
		if of[said] == nil {
			order = append(order, said)
		}
		of[said] = append(of[said], t.msg("report.function."+string(x.Function)))
	}
	if len(order) == 1 {
		return order[0]
	}
	for _, said := range order {
		out = append(out, t.in(list(of[said]))+t.gap()+said)
	}
	return strings.Join(out, t.msg("report.looked.and"))
}

func (t *terminal) cell(c Cell) string {
	s := t.msg("report.level." + level(c.Level))
	if c.Level == audit.Active {
		s = t.paint(s, text.FgRed, text.Bold)
	}
	if c.Level >= audit.Capable && c.Attributes.ZH != "" {
		s += "\n" + t.attributes(c)
	}
	if c.Inferred {
		s += " ~"
	}
	if len(c.Dispute) > 0 {
		s += " !"
	}
	return s
}

// attributes lists names under a level: one a line in English, where a word would not fit beside another.
func (t *terminal) attributes(c Cell) string {
	if t.lang == "zh" {
		return snip(c.Attributes.ZH, 40)
	}
	names := strings.Split(c.Attributes.EN, ", ")
	for i := range names {
		names[i] = snip(names[i], 10)
	}
	return strings.Join(first(names, 5), "\n")
}

// complete says how complete the list of devices is.
func (t *terminal) complete() {
	c := t.v.Complete
	t.section("report.h.complete")
	for _, l := range c.Lines {
		t.para("- ", snip(t.in(l), maxQuoted))
	}
	list := func(heading string, names []string) {
		if len(names) > 0 {
			t.para("  ", t.msg(heading)+t.msg("report.colon")+t.some(names))
		}
	}
	var lists, missing []string
	for _, l := range c.Lists {
		lists = append(lists, fmt.Sprintf("%s %d", l.Method, l.Found))
	}
	for _, a := range c.Missing {
		missing = append(missing, spaced(append([]string{a.ID}, a.Where...)...))
	}
	for _, l := range first(lists, maxListed) {
		t.para("  ", l)
	}
	list("report.h.absent", missing)
	list("report.h.unlisted", labels(c.Unlisted))
	list("report.h.channels", t.channels(c.Channels))
	list("report.h.foreign", labels(c.Foreign))
}

// labels names devices with the first of their addresses.
func labels(list []Seen) []string {
	var out []string
	for _, s := range list {
		out = append(out, spaced(append([]string{s.Label}, first(s.Where, 1)...)...))
	}
	return out
}

// channels names devices behind recorders with their recorders.
func (t *terminal) channels(list []Seen) []string {
	var out []string
	for _, s := range list {
		out = append(out, snip(s.Label, 20)+t.in(brackets(msg.Text("report.l.via_channel", snip(s.Via, 20), snip(s.Channel, 20)))))
	}
	return out
}

// captures says what was listened to.
func (t *terminal) captures() {
	if len(t.v.Captures) == 0 {
		return
	}
	t.section("report.h.captures")
	for _, c := range first(t.v.Captures, maxListed) {
		t.para("- ", spaced(c.ID, snip(c.Name, 2*maxName)))
		for _, f := range c.Facts {
			for _, x := range f.Values {
				t.para("  ", t.in(f.Label)+t.msg("report.colon")+snip(t.in(x), maxQuoted))
			}
		}
	}
	if n := len(t.v.Captures) - maxListed; n > 0 {
		t.para("  ", t.msg("report.l.more", n, len(t.v.Captures)))
	}
	for _, x := range t.v.capturesNote() {
		t.para("", t.in(x))
	}
}

// addresses says what became of every address of each prefix: how many, and the first ranges.
func (t *terminal) addresses() {
	if len(t.v.Prefixes) == 0 {
		return
	}
	t.section("report.h.addresses")
	for _, p := range t.v.Prefixes {
		t.para("", spaced(p.Target, p.Module)+t.msg("report.colon")+fmt.Sprint(p.Total))
		for _, o := range p.Outcomes {
			t.para("  ", fmt.Sprintf("%d %s%s%s", o.Count, t.in(term("reached", string(o.Outcome))), t.msg("report.colon"), t.some(o.Ranges)))
		}
	}
}

func (t *terminal) coverage() {
	t.section("report.h.coverage")
	var rows []table.Row
	for _, m := range t.v.Coverage {
		var counts, reasons []string
		for _, s := range CoverageStatuses() {
			if n := m.Count[s]; n > 0 {
				counts = append(counts, fmt.Sprintf("%s %d", t.in(term("coverage", string(s))), n))
			}
		}
		for _, r := range first(m.Reasons, 3) {
			reasons = append(reasons, t.some(r.Targets)+t.msg("report.colon")+snip(t.in(r.Detail), maxQuoted/4))
		}
		if n := len(m.Reasons) - 3; n > 0 {
			reasons = append(reasons, t.msg("report.l.more", n, len(m.Reasons)))
		}
		rows = append(rows, table.Row{snip(m.Module, 40), strings.Join(counts, "\n"), strings.Join(reasons, "\n")})
	}
	if len(rows) == 0 {
		t.para("", t.msg("report.coverage.none"))
	} else {
		t.table([]string{"report.l.module", "report.l.status", "report.l.reason"}, rows, []int{16, 20, t.width - 40})
	}
	t.addresses()
	t.section("report.h.limits")
	for _, l := range t.v.Limits {
		t.para("- ", t.in(l))
	}
	_, clean := t.v.Clean()
	t.section("report.clean.heading")
	t.para("", t.in(clean))
}

func (t *terminal) close(o Options) {
	t.section("report.h.next")
	for i, n := range t.v.Next {
		t.para(fmt.Sprintf("%2d. ", i+1), t.in(n))
	}
	t.b.WriteString("\n")
	if o.Bundle != "" {
		t.para("", t.msg("report.bundle.at", oneLine(o.Bundle)))
	}
	if d := digest(o.Digest); d != "" {
		t.para("", t.msg("report.l.digest_of", d))
	}
	t.para("", t.in(t.v.Terms[0]))
}

func (t *terminal) section(id string) {
	fmt.Fprintf(&t.b, "\n%s\n", t.paint("== "+t.msg(id)+" ==", text.Bold))
}

// para writes a paragraph with a hanging indent as wide as its lead.
func (t *terminal) para(lead, s string) {
	w := columns(lead)
	for i, l := range strings.Split(wrap(s, t.width-w), "\n") {
		if i > 0 {
			lead = strings.Repeat(" ", w)
		}
		t.b.WriteString(strings.TrimRight(lead+l, " ") + "\n")
	}
}

// table draws with spaces and dashes only: box drawing characters are two columns wide on Chinese Windows consoles.
func (t *terminal) table(head []string, rows []table.Row, widths []int) {
	tw := table.NewWriter()
	tw.SetStyle(table.Style{Name: "plain", Box: table.BoxStyle{MiddleHorizontal: "-", MiddleSeparator: "-", PaddingRight: "  "},
		Format: table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault}, Options: table.Options{SeparateHeader: true}})
	var h table.Row
	var cfg []table.ColumnConfig
	for i, id := range head {
		h = append(h, t.msg(id))
		cfg = append(cfg, table.ColumnConfig{Number: i + 1, WidthMax: max(widths[i], 4), WidthMaxEnforcer: wrap})
	}
	tw.AppendHeader(h)
	tw.SetColumnConfigs(cfg)
	tw.AppendRows(rows)
	for _, l := range strings.Split(tw.Render(), "\n") {
		if strings.Trim(l, "-") == "" {
			l = strings.TrimSuffix(l, "--") // the rule under the header is not padded
		}
		t.b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
}

func (t *terminal) paint(s string, c ...text.Color) string {
	if !t.color {
		return s
	}
	return text.Colors(c).Sprint(s)
}

// gap is what stands between words.
func (t *terminal) gap() string {
	if t.lang == "zh" {
		return ""
	}
	return " "
}
