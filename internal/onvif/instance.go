package onvif

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Switch says whether an instance is switched on. The zero value is the cautious one.
type Switch string

// The positions of a switch.
const (
	Unclear Switch = "" // nothing says so
	On      Switch = "on"
	Off     Switch = "off"
)

// Kinds of instances and descriptions.
const (
	KindModule = "module"
	KindRule   = "rule"
)

// Instance is a rule or module a device holds.
type Instance struct {
	Token   string            `json:"token"` // of the analytics configuration
	Kind    string            `json:"kind"`
	Name    string            `json:"name"`
	Type    string            `json:"type"`
	Params  []string          `json:"params,omitempty"`  // names only
	Values  map[string]string `json:"values,omitempty"`  // of parameters that switch, and of class filters
	State   Switch            `json:"state,omitempty"`   // by its own parameters, a companion's, or the specification
	By      string            `json:"by,omitempty"`      // which of them decided
	Items   []string          `json:"items,omitempty"`   // of its type's messages, where the device described it
	Topics  []string          `json:"topics,omitempty"`  // likewise
	Classes []string          `json:"classes,omitempty"` // its class filter
}

// Key names the instance, the same through Media, Media2 and the analytics service.
func (i Instance) Key() string { return i.Token + "/" + i.Kind + "/" + i.Name }

// Functions returns what the instance does with a face when it is on.
func (i Instance) Functions() []audit.Function {
	c := Clues{Type: i.Type, Topics: i.Topics, Items: i.Items, Classes: i.Classes}
	if i.Kind == KindModule {
		c.Name = i.Name
	}
	set := map[audit.Function]bool{}
	for _, f := range Functions(c) {
		set[f] = true
	}
	// Pictures are optional in the messages of a type; whether this instance sends them its parameter says.
	if !hasWord(i.Type, "captur", "snap", "crop") {
		set[audit.Capture] = set[audit.Detect] && isTrue(i.Values["IncludeImage"])
	}
	return Ordered(set)
}

// switches are the parameter names that say whether an instance is on, in the order they are believed.
var switches = []string{"enable", "enabled", "isenabled", "active", "armed", "switch", "mode"}

func instance(c *xmltree.Node, kind, token string) Instance {
	i := Instance{Token: name(token), Kind: kind, Name: name(c.Get("Name")), Type: typeName(c, c.Get("Type"))}
	c.Child("Parameters").Walk(func(p *xmltree.Node) bool {
		if p.Name.Local != "SimpleItem" && p.Name.Local != "ElementItem" {
			return true
		}
		n := name(p.Get("Name"))
		if n == "" || len(i.Params) >= maxList {
			return true
		}
		i.Params = append(i.Params, n)
		v := p.Get("Value")
		keep := func(as string) {
			if i.Values == nil {
				i.Values = map[string]string{}
			}
			i.Values[as] = name(v)
		}
		switch l := strings.ToLower(n); {
		case slices.Contains(switches, l):
			keep(n)
		case l == "includeimage":
			keep("IncludeImage")
		case isClassParam(n):
			if v == "" {
				v = allText(p)
			}
			i.Classes = append(i.Classes, classes(v)...)
		}
		return true
	})
	i.Params, i.Classes = sorted(i.Params), sorted(i.Classes)
	i.State, i.By = ownState(i)
	return i
}

// ownState reads the switch parameters of an instance. "Silent VCA" is how Bosch says off.
func ownState(i Instance) (Switch, string) {
	for _, want := range switches {
		for _, n := range sortedKeys(i.Values) {
			if !strings.EqualFold(n, want) {
				continue
			}
			v := strings.ToLower(strings.TrimSpace(i.Values[n]))
			switch {
			case isFalse(v), want == "mode" && v == "silent vca":
				return Off, n + "=" + i.Values[n]
			case want == "mode" && v != "on" && v != "enabled" && v != "active":
				continue // a mode that is none of off says nothing
			case isTrue(v):
				return On, n + "=" + i.Values[n]
			}
		}
	}
	return Unclear, ""
}

// Settle decides the state of every instance that does not say itself: a rule follows the module of its name stem (Uniview's
// rule has no Enable, its module does), and a rule of the specification that can be deleted is on because it exists. It also
// copies from the descriptions what the messages of the type hold. The list is changed in place.
func Settle(all []Instance, described []Description) {
	for k := range all {
		i := &all[k]
		var d *Description
		for j := range described {
			if described[j].Kind == i.Kind && localName(described[j].Type) == localName(i.Type) {
				d = &described[j]
				i.Items, i.Topics = d.Items, d.Topics
			}
		}
		if i.State != Unclear || i.Kind != KindRule {
			continue
		}
		for _, m := range all {
			if m.Kind == KindModule && m.Token == i.Token && m.State != Unclear && m.By != "" && stem(m.Name) == stem(i.Name) {
				i.State, i.By = m.State, "module "+m.Name+": "+m.By
			}
		}
		if i.State == Unclear && standardRules[localName(i.Type)] && strings.HasPrefix(i.Type, "tt:") && (d == nil || !d.Fixed) {
			i.State, i.By = On, "a rule of the specification exists only when created"
		}
	}
}

// stem pairs MyFaceDetectModule with MyFaceDetectRule.
func stem(s string) string {
	s = strings.ToLower(s)
	for _, suffix := range []string{"analyticsmodule", "module", "engine", "rule"} {
		if t, ok := strings.CutSuffix(s, suffix); ok {
			return t
		}
	}
	return s
}

// typeName resolves a type's QName: "tt:X" for the ONVIF schema, also where the prefix tt is not declared; the bare local
// name otherwise, because vendors leave prefixes out or bind them to anything.
func typeName(n *xmltree.Node, qname string) string {
	q := n.Resolve(qname)
	local := name(q.Local)
	if q.Space == NSSchema || q.Space == "tt" {
		return "tt:" + local
	}
	return local
}

// isClassParam reports parameters that choose object classes.
func isClassParam(s string) bool {
	switch strings.ToLower(s) {
	case "classfilter", "classtypes", "classtype", "objectclass", "objectclasses", "objecttype", "objecttypes", "classes":
		return true
	}
	return false
}

func classes(v string) []string {
	var out []string
	for _, c := range splitList(v) {
		if c = name(c); c != "" && len(out) < 64 {
			out = append(out, c)
		}
	}
	return out
}

func allText(n *xmltree.Node) string {
	var b strings.Builder
	n.Walk(func(c *xmltree.Node) bool {
		if c.Text != "" && b.Len() < 4096 {
			b.WriteString(" " + c.Text)
		}
		return true
	})
	return b.String()
}
