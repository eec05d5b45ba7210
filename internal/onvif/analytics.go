package onvif

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

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
