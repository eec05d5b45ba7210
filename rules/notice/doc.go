// Package notice reads what a sign, card or page tells people (Check, Read) and compares it with what a camera was seen to
// do (Compare).
//
// A cue of an element, a word for a method or a purpose, and the algorithm of matching belong here. What a gap means in
// law does not: that is a rule's condition in a pack. Nothing here infers a purpose from what a device does, and an element
// nobody could read is unclear, never absent.
package notice

import (
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// Element is one of the things a notice about face processing may have to say.
type Element string

// The elements, in the order of the checklist.
const (
	Face       Element = "N1"  // that faces are processed, not merely "video surveillance"
	Purpose    Element = "N2"  // why
	Manner     Element = "N3"  // how
	Scope      Element = "N4"  // which data, which area
	Processor  Element = "N5"  // who processes
	Contact    Element = "N6"  // how to reach them
	Retention  Element = "N7"  // for how long
	Rights     Element = "N8"  // which rights, how to use them
	Necessity  Element = "N9"  // why it is necessary
	Impact     Element = "N10" // what it means for the person
	Rules      Element = "N11" // where the full rules can be read
	Choice     Element = "N12" // what somebody can do who does not agree
	Recipients Element = "N13" // who else receives the data
	Minors     Element = "N14" // children and their guardians
	Access     Element = "N15" // access for the elderly and the disabled
)

// Elements lists the elements in order.
func Elements() []Element {
	return []Element{Face, Purpose, Manner, Scope, Processor, Contact, Retention, Rights, Necessity, Impact, Rules, Choice, Recipients, Minors, Access}
}

// State is whether a text has an element. The zero value is the cautious one.
type State int

// The states.
const (
	Unclear State = iota // not all of the text is known, or nobody confirmed the reading
	Absent               // the whole text is known and does not have it
	Present              // the text has it
)

func (s State) String() string { return [...]string{"unclear", "absent", "present"}[s] }

// want says from which day a provision wants which elements of a text.
type want struct {
	provision string
	from      string // first day, UTC+8
	elements  []Element
}

// wants is the table of what each text asks for: 法释〔2021〕15号 Art. 2(2) with Civil Code 1035, PIPL 17 and 30, Order No. 19 Art. 5,
// Regulation 790 Art. 21, and the first layer of the European guidelines 3/2019.
var wants = []want{
	{"SPC-2021-15/2.2", "2021-08-01", []Element{Face, Purpose, Manner, Scope, Rules}},
	{"CC/1035", "2021-01-01", []Element{Face, Purpose, Manner, Scope, Rules}},
	{"PIPL/17", "2021-11-01", []Element{Face, Purpose, Manner, Scope, Processor, Contact, Retention, Rights, Rules}},
	{"PIPL/23", "2021-11-01", []Element{Recipients}},
	{"PIPL/30", "2021-11-01", []Element{Necessity, Impact}},
	{"PIPL/31", "2021-11-01", []Element{Minors}},
	{"NDSR/21", "2025-01-01", []Element{Face, Purpose, Manner, Scope, Processor, Contact, Retention, Rights, Necessity, Impact, Rules, Recipients, Minors}},
	{"FRT19/5", "2025-06-01", []Element{Face, Purpose, Manner, Scope, Processor, Contact, Retention, Rights, Necessity, Impact, Rules, Access}},
	{"FRT19/10", "2025-06-01", []Element{Choice}},
	{"EU-EDPB/3-2019", "2020-01-29", []Element{Face, Purpose, Processor, Contact, Rights, Impact, Rules}},
}

// Wanted returns the elements a provision wants of a text at a time, in order; nil where the provision is not known or not
// yet in force.
func Wanted(provision string, at time.Time) []Element {
	for _, w := range wants {
		m, err := audit.ParseMoment(w.from)
		if w.provision == provision && err == nil && !at.Before(m.T) {
			return append([]Element(nil), w.elements...)
		}
	}
	return nil
}

// Provisions lists every provision that wants an element at a time, in the order of the table.
func Provisions(e Element, at time.Time) []string {
	var out []string
	for _, w := range wants {
		for _, x := range Wanted(w.provision, at) {
			if x == e {
				out = append(out, w.provision)
			}
		}
	}
	return out
}
