package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Complete says how complete the list of devices is.
type Complete struct {
	Lines    []audit.Text       // what was found, estimated, counted and missed, in the order a reader asks
	Lists    []audit.RecallList // how many cameras each method found
	Missing  []Absentee         // entries of the inventory that were not found
	Unlisted []Seen             // found, and not in the inventory
	Foreign  []Seen             // on the same wire, outside the perimeter, and behind no recorder
	Channels []Seen             // behind a recorder
}

// Absentee is an entry of the inventory that was not found.
type Absentee struct {
	ID     string
	Device int // its number in the list of devices, or 0
	Zones  []string
	Where  []string   // the address it is listed with
	Why    audit.Text // where another device answers there
}

// Seen is a device in a list of its own: who it is, where it was met and, behind a recorder, which.
type Seen struct {
	Device   int
	Label    string
	Maker    string
	Where    []string
	Sources  []string
	Recorder int // number of the recorder, or 0
	Via      string
	Channel  string
}

// complete fills in how complete the list is. It comes after the devices are described.
func (v *View) complete() {
	c := &v.Complete
	unlisted := v.facts("site.devices.unlisted")
	for _, d := range v.Devices {
		s := Seen{Device: d.No, Label: d.Label, Maker: cmp.Or(d.Maker, d.Name), Where: d.Addresses, Sources: d.Sources, Via: d.Via, Channel: d.Channel}
		switch {
		case d.Via != "": // wherever it is, its recorder is the way to it
			if s.Recorder = v.device[d.Via]; s.Recorder > 0 {
				s.Via = v.Devices[s.Recorder-1].Label
			}
			c.Channels = append(c.Channels, s)
		case d.Foreign:
			c.Foreign = append(c.Foreign, s)
		}
		if slices.Contains(unlisted, d.ID) {
			c.Unlisted = append(c.Unlisted, s)
		}
	}
	for _, id := range v.facts("site.inventory.missing") {
		a := Absentee{ID: id}
		if i := slices.IndexFunc(v.Devices, func(d Device) bool { return d.Inventory == id }); i >= 0 {
			d := v.Devices[i]
			a.Device, a.Zones, a.Where = d.No, d.Zones, d.Addresses
			if v.found[d.ID] {
				a.Why = msg.Text("report.complete.replaced")
			}
		}
		c.Missing = append(c.Missing, a)
	}
	if r := v.Report.Recall; r != nil {
		c.Lists = r.Lists
	}
	c.Lines = v.completeness()
}

// completeness is the section in sentences.
func (v *View) completeness() []audit.Text {
	var out []audit.Text
	say := func(id string, args ...any) { out = append(out, msg.Text("report.complete."+id, args...)) }
	c, r := v.Complete, v.Report.Recall
	if r == nil {
		say("not_searched")
	} else {
		if r.Missing > 0 {
			say("missing", counted("camera", r.Missing))
		}
		say("found", r.Found, r.Announced, r.Swept, r.Both)
		if r.Usable {
			say("estimate", decimal(r.Estimate), decimal(r.Low), decimal(r.High))
		}
		if !r.Note.IsZero() {
			out = append(out, r.Note)
		}
	}
	if n, ok := v.counted(); ok {
		say("survey", n, v.visible())
	} else {
		say("no_survey")
	}
	switch n := len(c.Missing); {
	case n > 0:
		say("inventory", counted("entry", n))
	case v.states("site.inventory.missing"):
		say("inventory_whole")
	default:
		say("inventory_open")
	}
	if n := len(c.Unlisted); n > 0 {
		say("unlisted", counted("device", n))
	}
	if n := len(c.Channels); n > 0 {
		say("channels", counted("channel", n))
	}
	if n := len(c.Foreign); n > 0 {
		say("foreign", counted("device", n))
	}
	return out
}

// unfound is how many cameras are known to have been missed.
func (v *View) unfound() int {
	if r := v.Report.Recall; r != nil {
		return max(r.Missing, len(v.facts("site.inventory.missing")))
	}
	return len(v.facts("site.inventory.missing"))
}

// assured reports whether anything shows that the list of cameras is whole: an estimate that could be made, or a count by eye.
func (v *View) assured() bool {
	r := v.Report.Recall
	_, counted := v.counted()
	return r != nil && (r.Usable || counted)
}

// visible counts the cameras and terminals that were found and that a person on site could have counted.
func (v *View) visible() int {
	n := 0
	for _, d := range v.Report.Devices {
		sort := d.Kind == audit.KindCamera || d.Kind == audit.KindTerminal
		if sort && (!d.Foreign || d.Via != "") && v.found[d.ID] {
			n++
		}
	}
	return n
}

// counted is the number of cameras the survey counted by eye.
func (v *View) counted() (n int, ok bool) {
	for _, f := range v.Report.Facts {
		if x, is := f.Value.V.(int64); is && f.Subject.Kind == audit.SubjectSite && f.Name == "site.survey.cameras" {
			n, ok = max(n, int(x)), true
		}
	}
	return n, ok
}

// facts unites the lists of a fact of the site.
func (v *View) facts(name string) []string {
	var out []string
	for _, f := range v.Report.Facts {
		if l, ok := f.Value.V.([]string); ok && f.Subject.Kind == audit.SubjectSite && f.Name == name {
			out = append(out, l...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// states reports whether anything is said of the site under that name.
func (v *View) states(name string) bool {
	return slices.ContainsFunc(v.Report.Facts, func(f audit.Fact) bool { return f.Subject.Kind == audit.SubjectSite && f.Name == name })
}

// decimal writes a number without a needless ".0".
func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Prefix is what became of every address of a prefix, as one method asked.
type Prefix struct {
	Module   string
	Target   string
	Total    int
	Outcomes []audit.AddressOutcome
}

// ReachedOutcomes lists what can become of an address in report order: what is there, what is not, what was not asked.
func ReachedOutcomes() []audit.Reached {
	return []audit.Reached{audit.ReachedOpen, audit.ReachedClosed, audit.ReachedMute, audit.ReachedAbsent, audit.ReachedNothing,
		audit.ReachedOwn, audit.ReachedDenied, audit.ReachedFailed, audit.ReachedNot}
}

// prefixes collects what became of every address.
func (v *View) prefixes() {
	for _, c := range v.Report.Coverage {
		if len(c.Addresses) == 0 {
			continue
		}
		p := Prefix{Module: c.Module, Target: c.Target, Outcomes: c.Addresses}
		for _, o := range p.Outcomes {
			p.Total += o.Count
		}
		v.Prefixes = append(v.Prefixes, p)
	}
	v.Prefixes = folded(v.Prefixes)
}

// folded takes single addresses that one method found the same of together: which they were is in the ranges.
func folded(all []Prefix) []Prefix {
	type key struct {
		module  string
		outcome audit.Reached
	}
	of := map[key][]Prefix{}
	for _, p := range all {
		if single(p) {
			k := key{p.Module, p.Outcomes[0].Outcome}
			of[k] = append(of[k], p)
		}
	}
	var out []Prefix
	for _, p := range all {
		if !single(p) {
			out = append(out, p)
			continue
		}
		k := key{p.Module, p.Outcomes[0].Outcome}
		if same := of[k]; len(same) > 0 {
			out = append(out, together(same))
			delete(of, k)
		}
	}
	return out
}

// single reports a prefix of one address.
func single(p Prefix) bool {
	n, err := netip.ParsePrefix(p.Target)
	return err == nil && n.IsSingleIP() && len(p.Outcomes) == 1 && p.Total == 1 && len(p.Outcomes[0].Ranges) == 1
}

// together is one prefix in place of several of one address each, and one outcome.
func together(ps []Prefix) Prefix {
	if len(ps) == 1 {
		return ps[0]
	}
	slices.SortFunc(ps, func(a, b Prefix) int {
		return netip.MustParsePrefix(a.Target).Addr().Compare(netip.MustParsePrefix(b.Target).Addr())
	})
	out := Prefix{Module: ps[0].Module, Target: ps[0].Target + " … " + ps[len(ps)-1].Target, Total: len(ps)}
	var ranges []string
	for i := 0; i < len(ps); {
		first := netip.MustParsePrefix(ps[i].Target).Addr()
		last, text := first, ps[i].Outcomes[0].Ranges[0]
		for i++; i < len(ps) && netip.MustParsePrefix(ps[i].Target).Addr() == last.Next(); i++ {
			last = last.Next()
		}
		if last != first {
			text = first.String() + "-" + last.String()
		}
		ranges = append(ranges, text)
	}
	out.Outcomes = []audit.AddressOutcome{{Outcome: ps[0].Outcomes[0].Outcome, Count: len(ps), Ranges: ranges}}
	return out
}

// rank is an outcome's place in report order; one nobody knows comes last.
func rank(o audit.Reached) int {
	if i := slices.Index(ReachedOutcomes(), o); i >= 0 {
		return i
	}
	return len(ReachedOutcomes())
}
