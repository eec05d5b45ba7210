package onvif

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Clues is what is known of a rule, a module or a topic when its functions are asked for.
type Clues struct {
	Type    string   // local name of the type, prefixed or not; empty for a topic
	Name    string   // a module's name; never a rule's, which a person chose
	Topics  []string // normalised paths
	Params  []string // parameter names
	Items   []string // names of the message's items
	Classes []string // object classes it works on
}

// Functions returns what something with these clues can do with a face, in report order. Nothing is returned for what merely
// sounds like it: bodies, people, interfaces.
func Functions(c Clues) []audit.Function {
	set := map[audit.Function]bool{}
	for _, path := range append([]string{localName(c.Type)}, c.Topics...) {
		if path == "" {
			continue
		}
		if e, ok := find(path); ok {
			c.entry(e, set)
			continue
		}
		c.byWords(path, set)
	}
	if e, ok := find(localName(c.Type)); !ok || e.sort != nearMiss {
		c.byWords(c.Name, set)
	}
	for _, p := range c.Params {
		c.byWords(p, set)
	}
	if slices.ContainsFunc(c.Items, func(i string) bool { return strings.EqualFold(i, "IsFace") || strings.EqualFold(i, "IsFDAlarm") }) {
		set[audit.Detect] = true
	}
	if slices.ContainsFunc(c.Classes, isFaceClass) {
		set[audit.Detect] = true
	}
	if set[audit.Detect] && (c.has("Image", "ImageUri", "ImageRef") || slices.ContainsFunc(c.Params, func(p string) bool { return strings.EqualFold(p, "IncludeImage") })) {
		set[audit.Capture] = true
	}
	return Ordered(set)
}

// entry applies what the catalogue knows.
func (c Clues) entry(e entry, set map[audit.Function]bool) {
	switch e.sort {
	case detection:
		set[audit.Detect] = true
	case attributes:
		set[audit.Detect], set[audit.Analyse] = true, true
	case recognition:
		set[audit.Detect] = true
		// The specification makes EnrollmentID mandatory, but firmware uses the topic for an alarm without a person. Where the
		// items are known they decide; where they are not, the name does.
		if len(c.Items) == 0 || c.identifies() {
			set[audit.Identify] = true
		}
	case credential, carrier, nearMiss:
	}
}

// byWords reads a name nobody catalogued.
func (c Clues) byWords(s string, set map[audit.Function]bool) {
	if !hasFace(s) {
		return
	}
	set[audit.Detect] = true
	if hasWord(s, "captur", "snap", "crop") {
		set[audit.Capture] = true
	}
	if hasWord(s, "attribut", "analy", "gender", "emotion", "expression", "demograph", "mood") || hasExact(s, "age", "ages") {
		set[audit.Analyse] = true
	}
	if hasWord(s, "verif") {
		set[audit.Verify] = true
	}
	named := hasWord(s, "recogni", "identif", "enrol", "librar", "blacklist", "whitelist", "blocklist", "allowlist", "stranger")
	if named && (len(c.Items) == 0 || c.identifies() || !c.has("IsFDAlarm")) {
		set[audit.Identify] = true
	}
}

// identifies reports whether the items can say who it is.
func (c Clues) identifies() bool { return c.has("EnrollmentID", "RefImageUri", "Label") }

func (c Clues) has(items ...string) bool {
	return slices.ContainsFunc(c.Items, func(i string) bool {
		return slices.ContainsFunc(items, func(x string) bool { return strings.EqualFold(i, x) })
	})
}

func hasExact(s string, ws ...string) bool {
	return slices.ContainsFunc(words(s), func(w string) bool { return slices.Contains(ws, w) })
}

// Ordered returns the members of a set of functions in report order.
func Ordered(set map[audit.Function]bool) []audit.Function {
	var out []audit.Function
	for _, f := range audit.Functions() {
		if set[f] {
			out = append(out, f)
		}
	}
	return out
}

// Carries reports whether a topic carries objects of any class, so that its messages have to be looked into.
func Carries(topic string) bool {
	e, ok := find(topic)
	return ok && (e.sort == carrier || e.sort == credential)
}

// localName drops a prefix.
func localName(qname string) string {
	if i := strings.LastIndexByte(qname, ':'); i >= 0 {
		return qname[i+1:]
	}
	return qname
}

// AppFunctions reads the name of an application on the camera. Audience measurement works on faces as a rule, but a name is a
// likelihood only: its state decides how far it counts.
func AppFunctions(names ...string) []audit.Function {
	set := map[audit.Function]bool{}
	for _, s := range names {
		Clues{}.byWords(s, set)
		if hasWord(s, "demograph", "gender", "emotion", "mood", "audience") || hasExact(s, "age", "attention") {
			set[audit.Analyse] = true
		}
		if hasWord(s, "biometric") {
			set[audit.Detect] = true
		}
	}
	return Ordered(set)
}
