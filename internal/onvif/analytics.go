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

// Description is a rule or module type a device supports.
type Description struct {
	Kind    string   `json:"kind"`
	Type    string   `json:"type"`
	Fixed   bool     `json:"fixed,omitempty"` // cannot be deleted: presence says nothing about activation
	Params  []string `json:"params,omitempty"`
	Topics  []string `json:"topics,omitempty"`
	Items   []string `json:"items,omitempty"`
	Classes []string `json:"classes,omitempty"`
}

// Functions returns what the type can do with a face.
func (d Description) Functions() []audit.Function {
	return Functions(Clues{Type: d.Type, Topics: d.Topics, Params: d.Params, Items: d.Items, Classes: d.Classes})
}

// ReadDescriptions reads GetSupportedRulesResponse or GetSupportedAnalyticsModulesResponse.
func ReadDescriptions(n *xmltree.Node) []Description {
	var out []Description
	n.Walk(func(c *xmltree.Node) bool {
		kind := ""
		switch c.Name.Local {
		case "RuleDescription":
			kind = KindRule
		case "AnalyticsModuleDescription":
			kind = KindModule
		default:
			return true
		}
		if len(out) >= maxList {
			return false
		}
		d := Description{Kind: kind, Type: typeName(c, c.Get("Name")), Fixed: isTrue(c.Get("fixed"))}
		c.Walk(func(x *xmltree.Node) bool {
			switch x.Name.Local {
			case "Parameters":
				d.Params = append(d.Params, itemNames(x)...)
				return false
			case "Messages":
				d.Items = append(d.Items, itemNames(x)...)
				for _, t := range x.Children("ParentTopic") {
					if p := normalTopic(t.Text); p != "" {
						d.Topics = append(d.Topics, p)
					}
				}
				return false
			}
			return true
		})
		d.Params, d.Topics, d.Items = sorted(d.Params), sorted(d.Topics), sorted(d.Items)
		out = append(out, d)
		return false
	})
	return out
}

// itemNames collects the names of item descriptions, or of items.
func itemNames(n *xmltree.Node) []string {
	var out []string
	n.Walk(func(c *xmltree.Node) bool {
		switch c.Name.Local {
		case "SimpleItemDescription", "ElementItemDescription", "SimpleItem", "ElementItem":
			if v := name(c.Get("Name")); v != "" && len(out) < maxList {
				out = append(out, v)
			}
		}
		return true
	})
	return out
}

// ReadInstances reads the instances of GetRulesResponse or GetAnalyticsModulesResponse.
func ReadInstances(n *xmltree.Node, token string) []Instance {
	var out []Instance
	if n == nil {
		return nil
	}
	for _, c := range n.Kids {
		switch c.Name.Local {
		case "Rule":
			out = append(out, instance(c, KindRule, token))
		case "AnalyticsModule":
			out = append(out, instance(c, KindModule, token))
		}
		if len(out) >= maxList {
			break
		}
	}
	return out
}

// Configuration is a video analytics configuration with what it holds.
type Configuration struct {
	Token     string     `json:"token"`
	UseCount  string     `json:"use_count,omitempty"`
	Instances []Instance `json:"instances,omitempty"`
	Full      bool       `json:"full,omitempty"` // both lists were there, even if empty
}

// ReadConfigurations finds every analytics configuration of an answer: in profiles of Media1 and Media2, in the lists of
// configurations, in an analytics device's answer. Each token is kept once.
func ReadConfigurations(n *xmltree.Node) []Configuration {
	var out []Configuration
	n.Walk(func(c *xmltree.Node) bool {
		switch c.Name.Local {
		case "MetadataConfiguration", "Metadata":
			return false // holds an AnalyticsEngineConfiguration of its own, which filters and detects nothing
		}
		engine, rules := c.Child("AnalyticsEngineConfiguration"), c.Child("RuleEngineConfiguration")
		named := c.Name.Local == "VideoAnalyticsConfiguration" || c.Name.Local == "Analytics"
		if engine == nil && rules == nil && !named {
			return true
		}
		token := name(c.Get("token"))
		if token == "" || len(out) >= maxList || slices.ContainsFunc(out, func(x Configuration) bool { return x.Token == token }) {
			return false
		}
		cfg := Configuration{Token: token, UseCount: name(c.Value("UseCount")), Full: engine != nil && rules != nil}
		cfg.Instances = append(ReadInstances(engine, token), ReadInstances(rules, token)...)
		out = append(out, cfg)
		return false
	})
	slices.SortFunc(out, func(a, b Configuration) int { return strings.Compare(a.Token, b.Token) })
	return out
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

// Option is the values one parameter of a rule type can take, as far as it chooses object classes.
type Option struct {
	Rule    string   `json:"rule,omitempty"`
	Name    string   `json:"name"`
	Classes []string `json:"classes"`
}

// ReadOptions reads GetRuleOptionsResponse: the options that list object classes.
func ReadOptions(n *xmltree.Node) []Option {
	var out []Option
	for _, o := range n.Children("RuleOptions") {
		if !isClassParam(o.Get("Name")) || len(out) >= maxList {
			continue
		}
		rule := o.Get("RuleType")
		if rule != "" {
			rule = typeName(o, rule)
		}
		out = append(out, Option{Rule: rule, Name: name(o.Get("Name")), Classes: sorted(classes(allText(o)))})
	}
	return out
}

// FaceClasses reports whether the option offers faces.
func (o Option) FaceClasses() bool { return slices.ContainsFunc(o.Classes, isFaceClass) }

// Sample is what one module's sample frame shows it could state.
type Sample struct {
	Module      string         `json:"module"`
	Faces       bool           `json:"faces,omitempty"`
	Attributes  []string       `json:"attributes,omitempty"`
	Classes     map[string]int `json:"classes,omitempty"`
	Crops       bool           `json:"crops,omitempty"`
	Boilerplate bool           `json:"boilerplate,omitempty"` // every module sends the same: it says little about this one
}

// ReadSamples reads GetSupportedMetadataResponse. A sample is a declaration, never an observation.
func ReadSamples(n *xmltree.Node) []Sample {
	var out []Sample
	for _, m := range n.Children("AnalyticsModule") {
		if len(out) >= maxList {
			break
		}
		var t Tally
		for _, f := range m.Children("SampleFrame") {
			t.frame(f)
		}
		out = append(out, Sample{Module: typeName(m, m.Get("Type")), Faces: t.Faces > 0, Attributes: t.AttributeNames(), Classes: t.Classes, Crops: t.Crops > 0})
	}
	same := len(out) > 1
	for _, s := range out {
		same = same && s.Faces && slices.Equal(s.Attributes, out[0].Attributes) && len(s.Classes) == len(out[0].Classes)
	}
	for i := range out {
		out[i].Boilerplate = same
	}
	return out
}
