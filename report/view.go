package report

import (
	"cmp"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Flagship is the rule a report shows first: face analysis of people who do nothing for it, with no notice found.
const Flagship = "SPC-2021-15/COVERT"

// View is what every format shows of a report, in the order a reader needs it. All its strings are cleaned and bounded, all
// lists sorted, and everything that is numbered carries its number (F1, D1, E1, R1).
type View struct {
	Report   audit.Report // cleaned copy, in the order of report.json
	Lead     audit.Text   // the result in one sentence
	Banners  []audit.Text // what a reader must know before anything else: simulated, incomplete
	Counts   Counts
	Groups   []Group // every finding: suspected by severity with the flagship first, then undetermined, conforms, not applicable
	Devices  []Device
	Requests []Request
	Complete Complete  // how complete the list of devices is
	Captures []Capture // what was listened to
	Coverage []ModuleCoverage
	Prefixes []Prefix     // what became of every address that was asked one by one
	Limits   []audit.Text // what this audit cannot show
	Next     []audit.Text // what to do next
	Exhibits []Exhibit    // observations that findings and device levels rest on
	Others   int          // observations not among them
	Rules    []Rule
	Facts    []Pair       // site, authority, window, tool, packs
	Terms    []audit.Text // what the report may and may not be taken for

	original audit.Report
	exhibit  map[string]int
	device   map[string]int
	found    map[string]bool // by device, where the facts say whether it was found
	clean    []audit.Text    // reasons why the site may not be called clean; none means it may
}

// Pair is a label and what stands under it.
type Pair struct {
	Label  audit.Text
	Values []audit.Text
}

// Counts says how many findings there are. A finding is one rule for one subject. Rules that only set the frame (of
// severity info) count where they suspect something, and not otherwise.
type Counts struct {
	Outcome    map[audit.Outcome]int
	Severity   map[audit.Severity]int // of suspected findings only
	Provisions int                    // rules with a suspected finding
	Devices    int                    // devices with a suspected finding
}

// Build makes the view of a report. It fails on nothing: a part the report lacks is shown as lacking.
func Build(r audit.Report) *View {
	v := &View{Report: tidy(r), original: r}
	order(&v.Report)
	v.count()
	v.indexRules()
	v.indexDevices()
	v.group()
	v.cite()
	v.describeDevices()
	v.request()
	v.complete()
	v.captures()
	v.cover()
	v.prefixes()
	v.clean = v.unclean()
	v.Lead = v.lead()
	v.Banners = v.banners()
	v.Limits = v.limits()
	v.Next = v.next()
	v.Facts = v.meta()
	for _, id := range []string{"report.terms.indication", "report.terms.window", "report.terms.people", "report.terms.capability", "report.terms.silence",
		"report.terms.notice", "report.terms.exemption", "report.terms.hash", "report.terms.party"} {
		v.Terms = append(v.Terms, msg.Text(id))
	}
	return v
}

// Clean says whether the whole site may be called clean, and the sentence for it. It may only where the run is complete,
// every device's rules conform, the survey is complete, the server side attested and free of faces, devices were logged in to,
// nothing was left unreachable, no camera is known to have been missed, and an estimate or a count by eye shows that the list
// of cameras is whole; and even then the sentence keeps to the window and the scope.
func (v *View) Clean() (bool, audit.Text) {
	if len(v.clean) == 0 {
		return true, msg.Text("report.clean.yes", v.window())
	}
	return false, msg.Text("report.clean.no", join(v.clean))
}

// Of returns the groups with that outcome, in order.
func (v *View) Of(o audit.Outcome) []Group {
	var out []Group
	for _, g := range v.Groups {
		if g.Outcome == o {
			out = append(out, g)
		}
	}
	return out
}

func (v *View) count() {
	c := Counts{Outcome: map[audit.Outcome]int{}, Severity: map[audit.Severity]int{}}
	rules, devices, frame := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range v.Report.Rules {
		frame[r.ID] = r.Severity == audit.Info
	}
	for _, f := range v.Report.Findings {
		if frame[f.Rule] && outcome(f) != audit.Suspected {
			continue // scope, exemptions and the burden sheet: that they apply says nothing of conformity
		}
		c.Outcome[outcome(f)]++
		if outcome(f) != audit.Suspected {
			continue
		}
		c.Severity[f.Severity]++
		rules[f.Rule] = true
		if f.Subject.Kind == audit.SubjectDevice {
			devices[f.Subject.ID] = true
		}
	}
	c.Provisions, c.Devices = len(rules), len(devices)
	v.Counts = c
}

// outcome reads an outcome the cautious way: what is not one of the four decides nothing.
func outcome(f audit.Finding) audit.Outcome {
	switch f.Outcome {
	case audit.Suspected, audit.Conforms, audit.NotApplicable:
		return f.Outcome
	}
	return audit.Undetermined
}

func (v *View) meta() []Pair {
	r := v.Report
	var out []Pair
	add := func(id string, val audit.Text) {
		label := msg.Text(id)
		switch n := len(out); {
		case val.IsZero():
		case n > 0 && out[n-1].Label == label:
			out[n-1].Values = append(out[n-1].Values, val)
		default:
			out = append(out, Pair{label, []audit.Text{val}})
		}
	}
	add("report.meta.site", same(r.Site.Name))
	add("report.meta.site_id", same(r.Site.ID))
	add("report.meta.venue", msg.Venue(r.Site.Venue))
	add("report.meta.address", same(r.Site.Address))
	add("report.meta.jurisdiction", msg.Words(r.Site.Jurisdiction))
	p := r.Site.Processor
	add("report.meta.processor", both(p.Name, brackets(same(p.USCC))))
	add("report.meta.basis", msg.Word(r.Authority.Basis))
	g := r.Authority.GrantedBy
	add("report.meta.granted", both(g.Name, brackets(same(g.Title))))
	add("report.meta.document", same(r.Authority.DocumentNo))
	add("report.meta.valid", span(same(r.Authority.Valid.From.String()), same(r.Authority.Valid.To.String())))
	for _, i := range r.Authority.Inspectors {
		add("report.meta.inspector", both(i.Name, brackets(same(spaced(i.Unit, i.Cert)))))
	}
	var nets []string
	for _, n := range r.Authority.Perimeter {
		nets = append(nets, n.String())
	}
	add("report.meta.perimeter", list(nets))
	add("report.meta.permit", both(r.Run.Permit.String(), brackets(term("permit", r.Run.Permit.String()))))
	add("report.meta.window", v.window())
	if !r.Run.Began.IsZero() { // files tell of another time
		add("report.meta.ran", span(same(stamp(r.Run.Began)), same(stamp(r.Run.Ended))))
	}
	if !r.AsOf.IsZero() {
		add("report.meta.as_of", same(r.AsOf.In(audit.CST()).Format("2006-01-02")))
	}
	add("report.meta.run", same(r.Run.ID))
	add("report.meta.tool", same(spaced(r.Tool.Name, r.Tool.Version, r.Tool.Commit, r.Tool.OS)))
	for _, k := range r.Packs {
		add("report.meta.pack", both(k.ID+"@"+k.Version, brackets(k.Title)))
	}
	for _, f := range r.Data {
		if f.Replaced {
			add("report.meta.data", both(spaced(f.Name, f.Date, f.SHA256[:min(12, len(f.SHA256))]), brackets(msg.Text("report.meta.replaced"))))
		} else {
			add("report.meta.data", same(spaced(f.Name, f.Date, f.SHA256[:min(12, len(f.SHA256))])))
		}
	}
	return out
}

// window is the time of the run in China Standard Time, or a word for a run that sent and heard nothing.
func (v *View) window() audit.Text {
	w := v.Report.Window
	if w.From.IsZero() && w.To.IsZero() {
		return msg.Text("report.window.none")
	}
	return span(same(stamp(w.From)), same(stamp(w.To)))
}

// Date is the day of the run, for a heading; empty if there was none.
func (v *View) Date() string {
	for _, t := range []time.Time{v.Report.Window.From, v.Report.AsOf} {
		if !t.IsZero() {
			return t.In(audit.CST()).Format("2006-01-02")
		}
	}
	return ""
}

// Place is the name of the site, or whatever identifies it.
func (v *View) Place() audit.Text {
	s := cmp.Or(v.Report.Site.Name, v.Report.Site.ID)
	if s == "" {
		return msg.Text("report.unnamed")
	}
	return same(s)
}

// zone returns a zone's id with its name.
func (v *View) zone(id string) string {
	for _, z := range v.Report.Zones {
		if z.ID == id && z.Name != "" && z.Name != id {
			return id + " " + z.Name
		}
	}
	return id
}

func (v *View) zones(ids []string) []string {
	out := []string{}
	for _, id := range ids {
		out = append(out, v.zone(id))
	}
	return out
}

// holds reports whether the facts say that something holds for the site, without contradiction.
func (v *View) holds(name string) bool {
	yes := false
	for _, f := range v.Report.Facts {
		if f.Subject.Kind == audit.SubjectSite && f.Name == name {
			if b, ok := f.Value.V.(bool); !ok || !b {
				return false
			}
			yes = true
		}
	}
	return yes
}

// denied reports whether the facts say that something does not hold for the site, without contradiction.
func (v *View) denied(name string) bool {
	no := false
	for _, f := range v.Report.Facts {
		if f.Subject.Kind == audit.SubjectSite && f.Name == name {
			if b, ok := f.Value.V.(bool); !ok || b {
				return false
			}
			no = true
		}
	}
	return no
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(audit.CST()).Format("2006-01-02 15:04:05 -07:00")
}
