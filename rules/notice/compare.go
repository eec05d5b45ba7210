package notice

import (
	"cmp"
	"slices"
	"time"
)

// Truth is one of Kleene's three values. The zero value is the cautious one.
type Truth int

// The values.
const (
	Unknown Truth = iota
	No
	Yes
)

// Processing is what one device was established to do. A method not in Methods is not done by such a device at all.
type Processing struct {
	Inventory  string            // id of the site file's entry
	Zones      []string          // nil: not known
	Methods    map[string]Truth  // method → whether it runs
	Attributes []string          // attribute names that were read; nil: not known which
	Recipients []string          // hosts outside the perimeter that get face results
	Either     bool              // some of Recipients get them, and nobody said which
	Holders    map[string]Holder // whose Recipients are, where that is on record
	Sends      Truth             // whether face results go to a recipient at all; Yes and Recipients empty is not possible
	Purposes   []string          // what the operator declared it is for; nil: not declared
	Hints      []string          // purposes a product's name suggests
	Seen       time.Time
}

// Survey is how far notices were looked for.
type Survey struct {
	Complete Truth    // complete and signed
	Walked   []string // zones that were walked
	Offline  bool     // nobody looked online: that no rules are there is not known
	Online   bool     // rules were found online, though no text of them is in the register
}

// Walks reports whether a complete survey walked every zone, so that not finding a sign there is a fact.
func (s Survey) Walks(zones []string) bool {
	return s.Complete == Yes && len(zones) > 0 && len(minus(zones, s.Walked)) == 0
}

// States of a match.
const (
	None     = "none"         // a complete survey found nothing that covers it
	Offsite  = "offsite_only" // rules are public, nothing covers it on site
	Onsite   = "none_on_site" // nothing covers it on site; nobody looked for rules elsewhere
	Covering = "covering"     // a notice covers it
)

// Gaps are differences between what is done and what one notice states. A nil list is not known; an empty one is known to
// hold nothing; one with an entry may grow.
type Gaps struct {
	Method, Data, Zone, Recipient, Purpose, Hint []string
}

// rank sorts notices by how well they fit: no gap for certain, perhaps one, certainly one.
func (g Gaps) rank() (class, count int) {
	for _, l := range [][]string{g.Method, g.Data, g.Zone, g.Recipient, g.Purpose} {
		count += len(l)
		if l == nil {
			class = 1
		}
	}
	if count > 0 {
		class = 2
	}
	return class, count
}

// Match is how the register of notices relates to one device.
type Match struct {
	State    string   // None, Offsite, Onsite, Covering; empty: not known
	Why      string   // why State is not known: "survey", "walked", "coverage", "zones"
	Best     *Reading // the covering notice that lacks the fewest of N1–N4 and N11, then the first by id
	Named    []string // ids of the covering notices that Said rests on: Best alone where it says all there is
	Said     []Hit    // what the covering notices say together, zone by zone
	Denies   bool     // one of them says that faces are not processed
	Firm     bool     // nothing about the notices covering the device is merely claimed
	Part     Truth    // whether a sign that mentions faces reaches some, not all of the zones
	Excluded []string // "id:why" of signs on record at the device's zones that do not count: a status, after_capture, not_in_time, other_camera, some_zones
	Public   []Reading
	Fit      *Reading // of covering notices and public rules, the one with the fewest gaps
	Gaps     Gaps     // of Fit
	Others   []string // ids of the other candidates
}

// reach is which signs speak to people in one zone of a device: for certain, and perhaps.
type reach struct{ firm, maybe []Reading }

// Compare relates one device to the register, with these decisions. A device is covered if a sign reaches every zone of it;
// several signs may do so together, and what one leaves out another may say: people read all that hangs there.
// before_capture: false disqualifies a sign; unset, it neither does nor lets the
// sign clear anybody: the match is not Firm. The same holds for a sign only the operator declared, one limited to certain
// hours and one read by machine. What signs say (Said) and what behaviour is compared with (Fit) are chosen
// separately, so that learning more about a device never turns one answer into its opposite.
func Compare(p Processing, notices []Reading, s Survey) Match {
	var m Match
	zones := p.Zones
	if zones == nil {
		zones = []string{""}
	}
	var reaches []reach
	every, some, open := true, false, false
	m.Firm = true
	for _, z := range zones {
		var r reach
		for _, n := range notices {
			switch n.covers(p, z) {
			case Yes:
				r.firm = append(r.firm, n)
			case Unknown:
				r.maybe = append(r.maybe, n)
			}
		}
		reaches = append(reaches, r)
		m.Firm = m.Firm && len(r.firm) > 0
		every, some, open = every && len(r.counted(p)) > 0, some || len(r.counted(p)) > 0, open || len(r.maybe) > 0
	}
	for _, n := range notices {
		if n.public(p.Seen) {
			m.Public = append(m.Public, n)
		}
		if why := n.excluded(p); why != "" {
			m.Excluded = append(m.Excluded, n.ID+":"+why)
		}
	}
	switch {
	case every:
		m.State = Covering
	case p.Zones == nil:
		m.Why = "zones"
	case open && !some:
		m.Why = "coverage"
	case open && someUnplaced(reaches):
		m.Why = "coverage"
	case s.Complete != Yes:
		m.Why = "survey"
	case !s.Walks(p.Zones):
		m.Why = "walked"
	case len(m.Public) > 0 || s.Online:
		m.State = Offsite
	case s.Offline:
		m.State = Onsite
	default:
		m.State = None
	}
	m.Part = partly(reaches, m.State, p.Zones == nil)
	var covering []Reading
	if m.State == Covering {
		covering = m.together(p, reaches)
	}
	if m.State != "" {
		m.fit(p, covering, append(slices.Clone(covering), m.Public...))
	}
	return m
}

// counted are the signs that count for a zone: those for certain; where there is none, those that perhaps do and are known to hang there.
func (r reach) counted(p Processing) []Reading {
	if len(r.firm) > 0 || p.Zones == nil {
		return r.firm
	}
	return slices.DeleteFunc(slices.Clone(r.maybe), func(n Reading) bool { return n.Zones() == nil })
}

// someUnplaced reports whether a zone without a sign may have one that nobody recorded the place of.
func someUnplaced(rs []reach) bool {
	return slices.ContainsFunc(rs, func(r reach) bool { return len(r.firm) == 0 && len(r.maybe) > 0 })
}

// partly is whether a sign that mentions faces reaches some of the zones. Where signs cover them all, the question does not
// arise.
func partly(rs []reach, state string, unplaced bool) Truth {
	if state == Covering {
		return No
	}
	out := No
	for _, r := range rs {
		for _, n := range r.firm {
			if n.State(Face) == Present {
				return Yes
			}
			if n.State(Face) == Unclear {
				out = Unknown
			}
		}
		for _, n := range r.maybe {
			if n.State(Face) != Absent {
				out = Unknown
			}
		}
	}
	return out
}

// together works out what the covering signs say as one, and returns them.
func (m *Match) together(p Processing, rs []reach) []Reading {
	var covering, whole []Reading
	count := map[string]int{}
	for _, r := range rs {
		for _, n := range r.counted(p) {
			if count[n.ID]++; count[n.ID] == 1 {
				covering = append(covering, n)
			}
		}
	}
	for _, n := range covering {
		m.Denies = m.Denies || n.Denies()
		if count[n.ID] == len(rs) {
			whole = append(whole, n)
		}
	}
	for _, e := range Elements() {
		state := Present
		for _, r := range rs {
			switch r.says(p, e) {
			case Absent:
				state = Absent
			case Unclear:
				if state != Absent {
					state = Unclear
				}
			}
		}
		m.Said = append(m.Said, Hit{Element: e, State: state})
	}
	if len(whole) > 0 {
		m.Best = best(whole)
	} else {
		m.Best = best(covering)
	}
	alone := len(whole) > 0
	for _, h := range m.Said {
		alone = alone && (!slices.Contains(mandatory, h.Element) || h.State == m.Best.State(h.Element))
	}
	m.Named = []string{m.Best.ID}
	if !alone {
		m.Named = nil
		for _, n := range covering {
			m.Named = append(m.Named, n.ID)
		}
		m.Named = normal(m.Named)
	}
	return covering
}

// says is whether the signs of one zone say something together. What a sign that perhaps counts would say is unclear
// beside one that counts for certain.
func (r reach) says(p Processing, e Element) State {
	state := Absent
	for _, n := range r.counted(p) {
		switch {
		case n.State(e) == Present:
			return Present
		case n.State(e) == Unclear:
			state = Unclear
		}
	}
	for _, n := range r.maybe {
		if n.State(e) != Absent {
			state = Unclear
		}
	}
	return state
}

// mandatory are the elements 法释〔2021〕15号 Art. 2(2) asks for.
var mandatory = []Element{Face, Purpose, Manner, Scope, Rules}

// best returns the notice that says most of what has to be said.
func best(ns []Reading) *Reading {
	lacks := func(r Reading) (n int) {
		for _, e := range mandatory {
			n += 2 - int(r.State(e))
		}
		return n
	}
	r := slices.MinFunc(ns, func(a, b Reading) int { return cmp.Or(cmp.Compare(lacks(a), lacks(b)), cmp.Compare(a.ID, b.ID)) })
	return &r
}

// fit chooses the statement behaviour is compared with. Where several signs cover the zones together, none of them is held
// against the zones of the others.
func (m *Match) fit(p Processing, covering, candidates []Reading) {
	here := p
	if len(covering) > 0 {
		here.Zones = slices.DeleteFunc(slices.Clone(p.Zones), func(z string) bool {
			return slices.ContainsFunc(covering, func(n Reading) bool { return slices.Contains(n.Zones(), z) })
		})
	}
	type fit struct {
		r            Reading
		g            Gaps
		class, count int
	}
	var fits []fit
	for _, n := range candidates {
		if n.Makes() {
			f := fit{r: n, g: gaps(here, n)}
			f.class, f.count = f.g.rank()
			fits = append(fits, f)
		}
	}
	if len(fits) == 0 {
		return
	}
	slices.SortFunc(fits, func(a, b fit) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.count, b.count), cmp.Compare(a.r.ID, b.r.ID))
	})
	m.Fit, m.Gaps = &fits[0].r, fits[0].g
	for _, f := range fits[1:] {
		m.Others = append(m.Others, f.r.ID)
	}
}
