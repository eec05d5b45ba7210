package notice

import (
	"cmp"
	"slices"
	"strings"
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
	Inventory  string           // id of the site file's entry
	Zones      []string         // nil: not known
	Methods    map[string]Truth // method → whether it runs
	Attributes []string         // attribute names that were read; nil: not known which
	Recipients []string         // hosts outside the perimeter that get face results
	Sends      Truth            // whether face results go to a recipient at all; Yes and Recipients empty is not possible
	Purposes   []string         // what the operator declared it is for; nil: not declared
	Hints      []string         // purposes a product's name suggests
	Seen       time.Time
}

// Survey is how far notices were looked for.
type Survey struct {
	Complete Truth    // complete and signed
	Walked   []string // zones that were walked
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
	State  string   // None, Offsite, Covering; empty: not known
	Why    string   // why State is not known: "survey", "walked", "coverage", "zones"
	Best   *Reading // the covering notice that lacks the fewest of N1–N4 and N11, then the first by id
	Firm   bool     // nothing about that notice covering the device is merely claimed
	Open   []string // fields of the site file that keep Firm from being true
	Public []Reading
	Fit    *Reading // of covering notices and public rules, the one with the fewest gaps
	Gaps   Gaps     // of Fit
	Others []string // ids of the other candidates
}

// Compare relates one device to the register, with these decisions. A sign counts as covering only
// if it reaches every zone of the device. before_capture: false disqualifies a sign; unset, it neither does nor lets the
// sign clear anybody: the match is not Firm. The same holds for a sign only the operator declared, one limited to certain
// hours and one read by machine. What a sign says (Best) and what behaviour is compared with (Fit) are chosen
// separately, so that learning more about a device never turns one answer into its opposite.
func Compare(p Processing, notices []Reading, s Survey) Match {
	var m Match
	var firm, maybe []Reading
	for _, n := range notices {
		switch n.covers(p) {
		case Yes:
			firm = append(firm, n)
		case Unknown:
			maybe = append(maybe, n)
		}
		if n.public(p.Seen) {
			m.Public = append(m.Public, n)
		}
	}
	covering := firm
	m.Firm = len(firm) > 0
	if len(firm) == 0 && p.Zones != nil {
		for _, n := range maybe {
			if n.Zones() != nil {
				covering = append(covering, n)
			}
		}
	}
	switch {
	case len(covering) > 0:
		m.State = Covering
	case p.Zones == nil:
		m.Why = "zones"
	case len(maybe) > 0:
		m.Why = "coverage"
	case s.Complete != Yes:
		m.Why = "survey"
	case !s.Walks(p.Zones):
		m.Why = "walked"
	case len(m.Public) > 0 || s.Online:
		m.State = Offsite
	default:
		m.State = None
	}
	if m.State == Covering {
		m.Best = best(covering)
		m.Open = m.Best.Open
	}
	if m.State != "" {
		m.fit(p, append(slices.Clone(covering), m.Public...))
	}
	return m
}

// best returns the notice that says most of what has to be said.
func best(ns []Reading) *Reading {
	lacks := func(r Reading) (n int) {
		for _, e := range []Element{Face, Purpose, Manner, Scope, Rules} {
			n += 2 - int(r.State(e))
		}
		return n
	}
	r := slices.MinFunc(ns, func(a, b Reading) int { return cmp.Or(cmp.Compare(lacks(a), lacks(b)), cmp.Compare(a.ID, b.ID)) })
	return &r
}

func (m *Match) fit(p Processing, candidates []Reading) {
	type fit struct {
		r            Reading
		g            Gaps
		class, count int
	}
	var fits []fit
	for _, n := range candidates {
		if n.Makes() {
			f := fit{r: n, g: gaps(p, n)}
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

// gaps compares a device with one notice.
func gaps(p Processing, n Reading) Gaps {
	return Gaps{Method: methodGap(p, n), Data: dataGap(p, n), Zone: zoneGap(p, n), Recipient: recipientGap(p, n),
		Purpose: purposeGap(p.Purposes, n), Hint: hintGap(p, n)}
}

// methodGap: video is never a gap by itself, for every camera films and every statement about faces implies it.
func methodGap(p Processing, n Reading) []string {
	stated := append(Closure(n.Stated.Methods), VideoRecording)
	if len(n.Scope.Recipients) > 0 {
		stated = append(stated, UploadInternet, Provision)
	}
	out, open := []string{}, false
	for m, t := range p.Methods {
		if slices.Contains(stated, m) {
			continue
		}
		switch t {
		case Yes:
			out = append(out, m)
		case Unknown:
			open = true
		}
	}
	if len(out) == 0 && open {
		return nil
	}
	return normal(out)
}

// dataGap compares attributes only: pictures and templates follow from the method. A notice that states the analysis of
// attributes and lists no data has said what it does.
func dataGap(p Processing, n Reading) []string {
	stated := n.Stated.Data
	if len(stated) == 0 && slices.Contains(n.Stated.Methods, AttributeAnalysis) {
		return []string{}
	}
	if p.Attributes != nil {
		return minus(p.Attributes, stated)
	}
	if p.Methods[AttributeAnalysis] == No {
		return []string{}
	}
	return nil
}

func zoneGap(p Processing, n Reading) []string {
	zones := n.Zones()
	switch {
	case zones == nil || slices.Contains(zones, "*"):
		return []string{} // says nothing about zones
	case p.Zones == nil:
		return nil
	}
	return minus(p.Zones, zones)
}

// recipientGap: a host name cannot be told from the name of a company. Where a notice names recipients and none is the
// host, a person has to say whose host it is.
func recipientGap(p Processing, n Reading) []string {
	switch {
	case p.Sends == No:
		return []string{}
	case p.Sends == Unknown, n.Unnamed:
		return nil
	}
	out := []string{}
	for _, h := range p.Recipients {
		if !slices.ContainsFunc(n.Scope.Recipients, func(s string) bool { return sameHost(h, s) }) {
			out = append(out, h)
		}
	}
	if len(out) > 0 && len(n.Scope.Recipients) > 0 {
		return nil
	}
	return normal(out)
}

func sameHost(host, stated string) bool {
	host, stated = strings.ToLower(host), strings.ToLower(stated)
	return stated != "" && (host == stated || strings.HasSuffix(host, "."+stated) || strings.Contains(stated, host))
}

func purposeGap(purposes []string, n Reading) []string {
	switch {
	case len(n.Stated.Purposes) == 0:
		return []string{} // nothing stated: that is for the text check
	case purposes == nil:
		return nil
	}
	return minus(purposes, n.Stated.Purposes)
}

func hintGap(p Processing, n Reading) []string {
	if len(n.Stated.Purposes) == 0 {
		return []string{}
	}
	return minus(p.Hints, n.Stated.Purposes)
}
