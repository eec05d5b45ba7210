package rules

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// state is what is known of one fact about one subject, with what a reader needs where nothing is.
type state struct {
	audit.Folded
	roots []string // where unknown: the facts whose knowledge would settle it; nil: the fact itself
	deps  []string // facts this one was worked out from
}

// facts holds the states of one subject by name.
type facts map[string]state

func (f facts) truth(name string) notice.Truth {
	if s := f[name]; s.Known {
		if b, ok := s.Value.V.(bool); ok && b {
			return notice.Yes
		}
		return notice.No
	}
	return notice.Unknown
}

func (f facts) list(name string) []string {
	if s := f[name]; s.Known {
		l, _ := s.Value.V.([]string)
		if l == nil {
			l = []string{}
		}
		return l
	}
	return nil
}

func (f facts) text(name string) string {
	if s := f[name]; s.Known {
		t, _ := s.Value.V.(string)
		return t
	}
	return ""
}

// know states a fact that follows from others; each of from names one.
func (f facts) know(name string, v any, from ...string) {
	n, err := audit.Normal(v)
	if err != nil {
		panic("rules: " + err.Error()) // a programming error: values here are typed
	}
	s := state{Folded: audit.Folded{Name: name, Known: true, Value: audit.Value{V: n}}, deps: from}
	for _, d := range from {
		s.Because = append(s.Because, f[d].Because...)
		if !context(d) {
			s.Classes = append(s.Classes, f[d].Classes...)
		}
	}
	s.Because = sorted(s.Because)
	slices.Sort(s.Classes)
	s.Classes = slices.Compact(s.Classes)
	f[name] = s
}

// context reports whether a fact only says where a thing is or who runs it: it corroborates nothing.
func context(name string) bool {
	for _, p := range []string{"site.venue", "site.jurisdiction", "site.processor", "site.minors", "device.zone", "device.public_place", "device.passive", "device.kind"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// lack says that a fact cannot be told, and which facts would settle it.
func (f facts) lack(name string, roots ...string) {
	roots = sorted(slices.Clone(roots)) // the caller may go on to use his
	f[name] = state{Folded: audit.Folded{Name: name}, roots: roots, deps: roots}
}

// settle states a truth, or that it is unknown because of the roots.
func (f facts) settle(name string, t notice.Truth, from, roots []string) {
	if t == notice.Unknown {
		f.lack(name, roots...)
		return
	}
	f.know(name, t == notice.Yes, from...)
}
