package report

import (
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
)

// Exhibit is an observation something rests on, as a list of evidence names it: number, source, when, how obtained, what it
// is to prove, and the digests of the bytes behind it (民事证据规定 19).
type Exhibit struct {
	No     int
	What   audit.Text // what was asked and by which module
	Class  audit.Text
	Source string // device label and endpoint
	Device int
	When   audit.Text
	Auth   string
	Status audit.Text
	Proves []string   // rules
	Basis  []int      // exhibits it sums up
	Heard  audit.Text // how often it was overheard, where nobody asked
	audit.Observation
}

// cite numbers the observations that findings rest on, in the order of the findings, then those behind device levels and
// outbound destinations, and then what those sum up. The rest stay in report.json.
func (v *View) cite() {
	v.exhibit = map[string]int{}
	byID := map[string]audit.Observation{}
	for _, o := range v.Report.Observations {
		byID[o.ID] = o
	}
	use := func(ids []string, rule string) {
		for _, id := range ids {
			o, ok := byID[id]
			if !ok {
				continue
			}
			n := v.exhibit[id]
			if n == 0 {
				v.Exhibits = append(v.Exhibits, v.describe(o))
				n = len(v.Exhibits)
				v.Exhibits[n-1].No, v.exhibit[id] = n, n
			}
			v.Exhibits[n-1].Proves = add(v.Exhibits[n-1].Proves, rule)
		}
	}
	for _, g := range v.Groups {
		if g.Outcome == audit.NotApplicable {
			continue
		}
		for _, it := range g.Items {
			use(it.because, g.Rule)
			use(it.dispute, g.Rule)
		}
	}
	for _, d := range v.Report.Devices {
		for _, f := range audit.Functions() {
			use(d.Face[f].Because, "")
			use(d.Face[f].Dispute, "")
		}
		for _, o := range d.Outbound {
			use(o.Because, "")
		}
	}
	for i := 0; i < len(v.Exhibits); i++ { // use appends: what an exhibit sums up is followed as well
		use(v.Exhibits[i].Observation.Basis, "")
	}
	for i := range v.Exhibits {
		v.Exhibits[i].Basis = v.numbers(v.Exhibits[i].Observation.Basis)
	}
	v.Others = len(v.Report.Observations) - len(v.Exhibits)
	for i := range v.Groups {
		for j := range v.Groups[i].Items {
			it := &v.Groups[i].Items[j]
			it.Exhibits, it.Dispute = v.numbers(it.because), v.numbers(it.dispute)
			for _, id := range it.because {
				if v.exhibit[id] == 0 {
					it.Unlisted = append(it.Unlisted, id)
					continue
				}
				it.Classes = add(it.Classes, string(byID[id].Class))
			}
			slices.Sort(it.Classes)
		}
	}
}

// numbers returns the exhibit numbers of observations, sorted; those the report does not hold have none.
func (v *View) numbers(ids []string) []int {
	var out []int
	for _, id := range ids {
		if n := v.exhibit[id]; n > 0 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v *View) describe(o audit.Observation) Exhibit {
	e := Exhibit{Observation: o, What: same(spaced(o.Module, o.Kind)), Class: term("class", string(o.Class)),
		Status: term("status", o.Status.String()), When: span(same(stamp(o.At)), same(stamp(o.Until))), Auth: o.Auth, Heard: Heard(o.Seen)}
	if o.Until.IsZero() {
		e.When = same(stamp(o.At))
	}
	for _, d := range v.Devices {
		if o.Locus != "" && (d.ID == o.Locus || slices.Contains(d.Loci, o.Locus)) {
			e.Source, e.Device = d.Label, d.No
			break
		}
	}
	if e.Source == "" {
		e.Source = o.Locus
	}
	if o.Endpoint.Port() != 0 {
		e.Source = spaced(e.Source, o.Endpoint.String())
	}
	return e
}
