package onvif

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Topic is one topic of a device's topic set.
type Topic struct {
	Path  string   `json:"path"` // local names, without prefixes
	Items []string `json:"items,omitempty"`
	Root  xml.Name `json:"-"` // first segment, to build a filter
}

// Functions returns what a topic announces about faces.
func (t Topic) Functions() []audit.Function {
	return Functions(Clues{Topics: []string{t.Path}, Items: t.Items})
}

// ReadTopics reads the topic set of GetEventPropertiesResponse: every node marked as a topic or holding a message
// description. The list is not exhaustive: topics that depend on the configuration may be left out by the device.
func ReadTopics(n *xmltree.Node) []Topic {
	var out []Topic
	var down func(n *xmltree.Node, path []string, root xml.Name)
	down = func(n *xmltree.Node, path []string, root xml.Name) {
		for _, k := range n.Kids {
			if k.Name.Local == "MessageDescription" || k.Name.Local == "documentation" || len(path) >= 16 {
				continue
			}
			p := append(slices.Clone(path), name(k.Name.Local))
			r := root
			if len(path) == 0 {
				r = k.Name
			}
			d := k.Child("MessageDescription")
			if (isTrue(k.Get("topic")) || d != nil) && len(out) < 4096 {
				out = append(out, Topic{Path: strings.Join(p, "/"), Items: sorted(itemNames(d)), Root: r})
			}
			down(k, p, r)
		}
	}
	if set := n.Child("TopicSet"); set != nil {
		down(set, nil, xml.Name{})
	}
	slices.SortStableFunc(out, func(a, b Topic) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(out, func(a, b Topic) bool { return a.Path == b.Path && slices.Equal(a.Items, b.Items) })
}

// FaceTopics returns the topics that concern faces, and those that carry objects of any class.
func FaceTopics(ts []Topic) []Topic {
	return slices.DeleteFunc(slices.Clone(ts), func(t Topic) bool { return len(t.Functions()) == 0 && !Carries(t.Path) })
}

// Filter builds a topic filter: the rule engine always, because topics may be live that no list shows, and the roots of the
// topics given. With no list at all the roots where devices put faces are taken.
func Filter(face []Topic, listed bool) (expression string, namespaces map[string]string) {
	namespaces = map[string]string{"tns1": NSTopics}
	parts := []string{"tns1:RuleEngine//."}
	if !listed {
		parts = append(parts, "tns1:VideoAnalytics//.", "tns1:VideoSource//.", "tns1:UserAlarm//.")
	}
	for _, t := range face {
		prefix := "tns1"
		if ns := t.Root.Space; ns != NSTopics && strings.Contains(ns, ":") {
			prefix = ""
			for p, u := range namespaces {
				if u == ns {
					prefix = p
				}
			}
			if prefix == "" && len(namespaces) < 8 {
				prefix = "v" + string(rune('0'+len(namespaces)))
				namespaces[prefix] = ns
			}
			if prefix == "" {
				continue
			}
		}
		if p := prefix + ":" + t.Root.Local + "//."; t.Root.Local != "" && !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "|"), namespaces
}

// Subscription is a pull point a device created.
type Subscription struct {
	Address    string   // as the device wrote it; may be empty or no URL
	Parameters []string // reference parameters, as header blocks
	Seconds    int      // until it ends by the device's own clock; 0 unknown
}

// ReadSubscription reads CreatePullPointSubscriptionResponse.
func ReadSubscription(n *xmltree.Node) Subscription {
	ref := n.Child("SubscriptionReference")
	s := Subscription{Address: ref.Value("Address")}
	if p := ref.Child("ReferenceParameters"); p != nil {
		for _, k := range p.Kids {
			if len(s.Parameters) < 8 && len(k.Text) < 1024 && len(k.Kids) == 0 && validName(k.Name.Local) {
				s.Parameters = append(s.Parameters, `<p:`+k.Name.Local+` xmlns:p="`+escape(k.Name.Space)+
					`" xmlns:wsa5="http://www.w3.org/2005/08/addressing" wsa5:IsReferenceParameter="true">`+escape(k.Text)+`</p:`+k.Name.Local+`>`)
			}
		}
	}
	from, ok1 := instant(n.Value("CurrentTime"))
	to, ok2 := instant(n.Value("TerminationTime"))
	if ok1 && ok2 {
		s.Seconds = int(to.Sub(from).Seconds())
	}
	return s
}
