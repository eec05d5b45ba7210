package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// Type is the type of a fact's value.
type Type string

// The types a fact can have.
const (
	Bool   Type = "bool"
	Int    Type = "int"
	String Type = "string"
	List   Type = "list" // of strings, sorted, without repeats
	Time   Type = "time" // RFC 3339
)

// Merge says how several facts of one name and subject become one value.
type Merge string

// The merges.
const (
	// MergeAgree: all must say the same; where they do not, the value is unknown and both are named.
	MergeAgree Merge = "agree"
	// MergeAny: facts with the same Key must agree; over different keys one true is enough, and false needs all false.
	MergeAny Merge = "any"
	// MergeUnion: lists are united.
	MergeUnion Merge = "union"
	// MergeSum and MergeMax: integers are added up, or the largest is taken.
	MergeSum Merge = "sum"
	MergeMax Merge = "max"
)

// FactSpec declares a fact a module may state or a site file may hold. Rule conditions are type-checked against these.
type FactSpec struct {
	Name  string `json:"name"`
	Type  Type   `json:"type"`
	Merge Merge  `json:"merge"`
	Doc   Text   `json:"doc"` // what the fact says when true, or what its value is
	Ask   Text   `json:"ask"` // what would establish it: an instruction to a person
}

// Subject is what a fact or a finding is about.
type Subject struct {
	Kind string `json:"kind"` // site, device, notice, exemption
	ID   string `json:"id"`
}

// Subject kinds.
const (
	SubjectSite      = "site"
	SubjectDevice    = "device"
	SubjectNotice    = "notice"
	SubjectExemption = "exemption"
)

func (s Subject) String() string { return s.Kind + ":" + s.ID }

// Compare orders subjects by kind, then id.
func (s Subject) Compare(t Subject) int {
	return cmp.Or(cmp.Compare(s.Kind, t.Kind), cmp.Compare(s.ID, t.ID))
}

// Value holds a fact's value: bool, int64, string or []string. The zero Value holds nothing.
type Value struct{ V any }

// MarshalJSON writes the value as plain JSON.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.V) }

// UnmarshalJSON reads a JSON boolean, integer, string or list of strings; anything else is an error.
func (v *Value) UnmarshalJSON(b []byte) error {
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	n, err := Normal(x)
	v.V = n
	return err
}

// Normal returns x as one of the types a fact's value can have. Integral floats become int64, lists are sorted and freed of
// repeats. Any other type is an error.
func Normal(x any) (any, error) {
	switch t := x.(type) {
	case bool, string, int64, nil:
		return t, nil
	case int:
		return int64(t), nil
	case uint64:
		return int64(t), nil
	case float64:
		if t == float64(int64(t)) {
			return int64(t), nil
		}
	case []string:
		c := slices.Clone(t)
		slices.Sort(c)
		c = slices.Compact(c)
		if c == nil {
			c = []string{}
		}
		return c, nil
	case []any:
		out := make([]string, 0, len(t))
		for _, e := range t {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("list element %v is not a string", e)
			}
			out = append(out, s)
		}
		return Normal(out)
	}
	return nil, fmt.Errorf("a fact cannot hold %T", x)
}

// Fact is one flat typed statement derived from an observation. What a fact does not say is unknown: a missing fact is
// never false.
type Fact struct {
	Subject Subject  `json:"subject"`
	Name    string   `json:"name"`
	Key     string   `json:"key,omitempty"` // the instance it is about, for MergeAny
	Value   Value    `json:"value"`
	Because []string `json:"because"` // ids of observations
	Class   Class    `json:"class"`

	Scope    Scope `json:"scope,omitempty"`    // what of the subject it speaks of, for MergeAny
	Partial  bool  `json:"partial,omitempty"`  // a "no" that stands beside questions nobody answered: it decides nothing
	Inferred bool  `json:"inferred,omitempty"` // concluded from what is known of the model, not stated by the subject
}

// Scope says what of a subject a fact speaks of. The zero value is the cautious one.
type Scope string

// The scopes.
const (
	OfInstance Scope = ""      // of the one instance its Key names: a channel, a rule, an application
	OfSole     Scope = "sole"  // of the only channel the subject has
	OfWhole    Scope = "whole" // of the subject as a whole
)

// NewFact returns a fact without subject, for Derive; scan sets the subject and the observation.
func NewFact(name, key string, v any) Fact {
	n, err := Normal(v)
	if err != nil {
		panic("audit: " + err.Error()) // a programming error: facts are built from typed Go values
	}
	return Fact{Name: name, Key: key, Value: Value{n}}
}

// CompareFacts is a total order over facts.
func CompareFacts(a, b Fact) int {
	return cmp.Or(a.Subject.Compare(b.Subject), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key),
		slices.Compare(a.Because, b.Because), cmp.Compare(fmt.Sprint(a.Value.V), fmt.Sprint(b.Value.V)))
}

// Folded is what all facts of one name say about one subject.
type Folded struct {
	Name    string   `json:"name"`
	Known   bool     `json:"known"`
	Value   Value    `json:"value"`
	Because []string `json:"because"`           // observations behind the value
	Classes []Class  `json:"classes"`           // evidence classes behind the value
	Dispute []string `json:"dispute,omitempty"` // observations that disagree; then Known is false
	For     []string `json:"for,omitempty"`     // of a boolean in dispute: those that say yes
	Against []string `json:"against,omitempty"` // and those that say no
	Scope   Scope    `json:"scope,omitempty"`   // of a boolean that is known and false: the widest scope that says so

	Partial  bool `json:"partial,omitempty"`  // unknown, although every instance that was read says no: not all were
	Inferred bool `json:"inferred,omitempty"` // rests on what is known of the model alone
}

// Fold merges facts by subject and name as their specs say. The result does not depend on the order of the facts. A fact
// without a spec is an error: it would be a statement nobody declared.
func Fold(facts []Fact, specs map[string]FactSpec) (map[Subject]map[string]Folded, error) {
	sorted := slices.Clone(facts)
	slices.SortFunc(sorted, CompareFacts)
	groups := map[Subject]map[string][]Fact{}
	for _, f := range sorted {
		if _, ok := specs[f.Name]; !ok {
			return nil, fmt.Errorf("audit: fact %q is not declared by any module", f.Name)
		}
		if groups[f.Subject] == nil {
			groups[f.Subject] = map[string][]Fact{}
		}
		groups[f.Subject][f.Name] = append(groups[f.Subject][f.Name], f)
	}
	out := map[Subject]map[string]Folded{}
	for s, byName := range groups {
		out[s] = map[string]Folded{}
		for name, fs := range byName {
			v, err := foldOne(specs[name], fs)
			if err != nil {
				return nil, fmt.Errorf("audit: %s of %s: %w", name, s, err)
			}
			out[s][name] = v
		}
	}
	return out, nil
}

func foldOne(spec FactSpec, fs []Fact) (Folded, error) {
	r := Folded{Name: spec.Name, Known: true}
	switch spec.Merge {
	case MergeUnion:
		var all []string
		for _, f := range fs {
			l, ok := f.Value.V.([]string)
			if !ok {
				return r, fmt.Errorf("union of %T", f.Value.V)
			}
			all = append(all, l...)
		}
		n, err := Normal(all)
		r.Value.V = n
		r.support(fs)
		return r, err
	case MergeSum, MergeMax:
		var total int64
		for i, f := range fs {
			n, ok := f.Value.V.(int64)
			if !ok {
				return r, fmt.Errorf("%s of %T", spec.Merge, f.Value.V)
			}
			switch {
			case spec.Merge == MergeSum:
				total += n
			case i == 0 || n > total:
				total = n
			}
		}
		r.Value.V = total
		r.support(fs)
		return r, nil
	case MergeAny:
		return foldAny(spec, fs)
	case MergeAgree:
		for _, f := range fs[1:] {
			if fmt.Sprint(f.Value.V) != fmt.Sprint(fs[0].Value.V) {
				r.Known = false
				r.Dispute = because(fs)
				return r, nil
			}
		}
		r.Value = fs[0].Value
		r.support(fs)
		return r, nil
	}
	return r, fmt.Errorf("no merge %q", spec.Merge)
}

// foldAny makes one value of booleans that speak of instances and of the whole. What is inferred counts only where nothing is
// stated. Two statements are in conflict where both cannot be so:
//
//   - of one key, one says yes and one no;
//   - one denies it of the whole subject, and another affirms it of the whole or of any instance;
//   - one denies it of the only channel the subject has, and another affirms it of the whole, naming no instance of its own.
//
// A rule that is off on one channel and an application that is on are no conflict: they are two instances, and one that is on
// is enough. Nor is silence: what no list mentions is not denied. A conflict leaves the value unknown with both sides named,
// unless it is about one instance and another one is on without contradiction. Otherwise one yes decides; a no needs all to
// say no, and none of them to be partial.
func foldAny(spec FactSpec, fs []Fact) (Folded, error) {
	r := Folded{Name: spec.Name}
	fs = stated(fs)
	var yes, no, disputed []Fact
	for i := 0; i < len(fs); {
		j := i
		var t, f bool
		for ; j < len(fs) && fs[j].Key == fs[i].Key; j++ {
			b, ok := fs[j].Value.V.(bool)
			if !ok {
				return r, fmt.Errorf("any of %T", fs[j].Value.V)
			}
			t, f = t || b, f || !b
		}
		switch {
		case t && f:
			disputed = append(disputed, fs[i:j]...)
		case t:
			yes = append(yes, fs[i:j]...)
		default:
			no = append(no, fs[i:j]...)
		}
		i = j
	}
	denied := slices.ContainsFunc(fs, func(f Fact) bool { return f.Scope == OfWhole && f.Value.V == false })
	sole := within(no, OfSole)
	switch {
	case denied && len(yes)+len(disputed) > 0:
		r.contradict(slices.Concat(within(no, OfWhole), yes, disputed))
	case len(sole) > 0 && len(yes) > 0 && len(within(yes, OfWhole)) == len(yes):
		r.contradict(slices.Concat(sole, yes))
	case len(yes) > 0:
		r.Known, r.Value.V, r.Inferred = true, true, yes[0].Inferred
		r.support(yes)
	case len(disputed) > 0:
		r.contradict(disputed)
	case !slices.ContainsFunc(no, func(f Fact) bool { return f.Partial }):
		r.Known, r.Value.V = true, false
		r.Scope = widest(no)
		r.support(no)
	default:
		r.Partial, r.Because = true, because(no)
	}
	return r, nil
}

// stated returns the facts somebody stated, or all of them where none was.
func stated(fs []Fact) []Fact {
	out := slices.DeleteFunc(slices.Clone(fs), func(f Fact) bool { return f.Inferred })
	if len(out) == 0 {
		return fs
	}
	return out
}

func within(fs []Fact, s Scope) []Fact {
	return slices.DeleteFunc(slices.Clone(fs), func(f Fact) bool { return f.Scope != s })
}

func widest(fs []Fact) Scope {
	for _, s := range []Scope{OfWhole, OfSole} {
		if len(within(fs, s)) > 0 {
			return s
		}
	}
	return OfInstance
}

// contradict leaves the value unknown because of what the facts say.
func (r *Folded) contradict(fs []Fact) {
	r.Dispute = because(fs)
	r.For = because(slices.DeleteFunc(slices.Clone(fs), func(f Fact) bool { return f.Value.V != true }))
	r.Against = because(slices.DeleteFunc(slices.Clone(fs), func(f Fact) bool { return f.Value.V != false }))
}

func (r *Folded) support(fs []Fact) {
	r.Because = because(fs)
	for _, f := range fs {
		r.Classes = append(r.Classes, f.Class)
	}
	slices.Sort(r.Classes)
	r.Classes = slices.Compact(r.Classes)
}

func because(fs []Fact) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Because...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
