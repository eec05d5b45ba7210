package onvif

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// EventTally is what was seen of events: per topic, names and counts.
type EventTally struct {
	Messages int                  `json:"messages,omitempty"`
	Topics   map[string]TopicSeen `json:"topics,omitempty"`
}

// TopicSeen counts the messages of one topic.
type TopicSeen struct {
	Messages int            `json:"messages"`
	Initial  int            `json:"initial,omitempty"`  // state at the time of subscription
	Live     int            `json:"live,omitempty"`     // something happened: a change to true, or a message that is no state
	Standing int            `json:"standing,omitempty"` // initial state true
	Items    []string       `json:"items,omitempty"`
	Classes  map[string]int `json:"classes,omitempty"` // live messages per object class they name
	Identity int            `json:"identity,omitempty"`
	Crops    int            `json:"crops,omitempty"`
	Reader   int            `json:"reader,omitempty"`  // live messages of access control that name a face as the credential
	Objects  *Tally         `json:"objects,omitempty"` // of objects inside live messages
}

// Functions returns what the live messages of a topic show. A message that only repeats the initial state "false" shows
// that the topic lives, nothing more.
func (s TopicSeen) Functions(topic string) []audit.Function {
	set := map[audit.Function]bool{}
	happened := s.Live + s.Standing
	e, known := find(topic)
	if happened > 0 && (!known || e.sort != nearMiss) {
		// What is identified is decided by filled items alone, never by the topic's name.
		// Only detection follows from the topic: who it is and what the face looks like is decided by what the messages hold.
		set[audit.Detect] = slices.Contains(Functions(Clues{Topics: []string{topic}, Items: s.Items}), audit.Detect)
	}
	for c, n := range s.Classes {
		if n > 0 && isFaceClass(c) && !(known && e.sort == nearMiss) {
			set[audit.Detect] = true
		}
	}
	if set[audit.Detect] {
		set[audit.Identify] = s.Identity > 0
		set[audit.Capture] = s.Crops > 0
	}
	if s.Reader > 0 {
		set[audit.Detect], set[audit.Verify] = true, true
	}
	if o := s.Objects; o != nil {
		set[audit.Detect] = set[audit.Detect] || o.Faces > 0
		set[audit.Capture] = set[audit.Capture] || o.Crops > 0
		set[audit.Analyse] = set[audit.Analyse] || o.Analyses()
		set[audit.Identify] = set[audit.Identify] || o.Identity > 0
	}
	return Ordered(set)
}

// Announces returns what the topic's presence alone shows the device could do.
func (s TopicSeen) Announces(topic string) []audit.Function {
	return Functions(Clues{Topics: []string{topic}, Items: s.Items})
}

// Analyses reports whether attributes beyond the pose were stated; the pose is a matter of picture quality.
func (t *Tally) Analyses() bool {
	for a, n := range t.Attributes {
		if n > 0 && a != audit.AttrPose {
			return true
		}
	}
	return false
}

// ReadMessages adds every notification of PullMessagesResponse and returns how many there were. Empty keep-alives count as
// nothing.
func (t *EventTally) ReadMessages(n *xmltree.Node) int {
	before := t.Messages
	for _, m := range n.Children("NotificationMessage") {
		t.message(m)
	}
	return t.Messages - before
}

// stateItems are the items that say whether a property holds.
var stateItems = []string{"state", "isface", "isfdalarm", "active", "ismotion", "logicalstate"}

func (t *EventTally) message(n *xmltree.Node) {
	topic := normalTopic(n.Value("Topic"))
	m := n.Path("Message", "Message")
	if m == nil {
		if m = n.Child("Message"); m == nil || len(m.Kids) == 0 {
			m = nil
		}
	}
	if topic == "" || m == nil {
		return
	}
	t.Messages++
	if t.Topics == nil {
		t.Topics = map[string]TopicSeen{}
	}
	s, ok := t.Topics[topic]
	if !ok && len(t.Topics) >= maxList {
		return
	}
	s.Messages++
	var states, trueStates, denies, affirms int
	var identity, crop, reader bool
	var named []string
	var objects Tally
	m.Walk(func(c *xmltree.Node) bool {
		switch c.Name.Local {
		case "SimpleItem":
			item, v := name(c.Get("Name")), strings.TrimSpace(c.Get("Value"))
			if item == "" {
				return true
			}
			if len(s.Items) < 64 && !slices.Contains(s.Items, item) {
				s.Items = append(s.Items, item)
			}
			l := strings.ToLower(item)
			switch {
			case slices.Contains(stateItems, l):
				states++
				if isTrue(v) {
					trueStates++
				}
			case l == "enrollmentid" || l == "refimageuri" || l == "label" && !Carries(topic):
				identity = identity || v != ""
			case l == "image" || l == "imageuri":
				crop = crop || v != ""
			case isClassParam(item):
				named = append(named, classes(v)...)
			case l == "identifiertype":
				reader = reader || localName(v) == "Face"
			case strings.EqualFold(v, "false"):
				denies++
			case strings.EqualFold(v, "true"):
				affirms++
			}
		case "ElementItem":
			if item := name(c.Get("Name")); item != "" && len(s.Items) < 64 && !slices.Contains(s.Items, item) {
				s.Items = append(s.Items, item)
			}
			objects.frame(c)
			return false
		}
		return true
	})
	slices.Sort(s.Items)
	operation := m.Get("PropertyOperation")
	happened := false
	switch {
	case strings.EqualFold(operation, "Initialized"):
		s.Initial++
		if trueStates > 0 {
			s.Standing++
		}
	case strings.EqualFold(operation, "Deleted"):
	default: // Changed, or no property at all
		happened = states == 0 || trueStates > 0
		if states == 0 && operation != "" && denies > 0 && affirms == 0 && !identity {
			happened = false // a property whose state has a name nobody catalogued, and it changed to "false"
		}
	}
	if happened {
		s.Live++
		if identity {
			s.Identity++
		}
		if crop {
			s.Crops++
		}
		if reader {
			s.Reader++
		}
		for _, c := range sorted(named) {
			if s.Classes == nil {
				s.Classes = map[string]int{}
			}
			if len(s.Classes) < 64 {
				s.Classes[localName(c)]++
			}
		}
		if objects.Objects > 0 {
			if s.Objects == nil {
				s.Objects = &Tally{}
			}
			s.Objects.add(objects)
		}
	}
	t.Topics[topic] = s
}

// add sums two tallies of objects.
func (t *Tally) add(o Tally) {
	t.Frames += o.Frames
	t.Objects += o.Objects
	t.Faces += o.Faces
	t.Crops += o.Crops
	t.Identity += o.Identity
	t.Extension = t.Extension || o.Extension
	t.Classes = addCounts(t.Classes, o.Classes)
	t.Attributes = addCounts(t.Attributes, o.Attributes)
}

func addCounts(to, from map[string]int) map[string]int {
	for k, n := range from {
		if to == nil {
			to = map[string]int{}
		}
		to[k] += n
	}
	return to
}

// Proves returns every function the events so far show.
func (t EventTally) Proves() []audit.Function {
	set := map[audit.Function]bool{}
	for topic, s := range t.Topics {
		for _, f := range s.Functions(topic) {
			set[f] = true
		}
	}
	return Ordered(set)
}

// Broker is where events are published to.
type Broker struct {
	Address string `json:"address"` // scheme://host:port, without credentials and path
	Publish string `json:"publish,omitempty"`
	Scene   string `json:"scene,omitempty"` // metadata filter
	Status  string `json:"status,omitempty"`
	Face    bool   `json:"face,omitempty"` // a filter names faces
}

// ReadBrokers reads GetEventBrokersResponse.
func ReadBrokers(n *xmltree.Node) []Broker {
	var out []Broker
	for _, b := range n.Children("EventBroker") {
		if len(out) >= maxList {
			break
		}
		x := Broker{Address: hostOf(b.Value("Address")), Publish: name(allText(b.Child("PublishFilter"))),
			Scene: name(allText(b.Child("MetadataFilter"))), Status: name(b.Value("Status"))}
		x.Face = len(x.Functions()) > 0
		if x.Address != "" {
			out = append(out, x)
		}
	}
	return out
}

// Functions returns what the filters name.
func (b Broker) Functions() []audit.Function {
	var topics []string
	for _, f := range strings.FieldsFunc(b.Publish+"|"+b.Scene, func(r rune) bool { return r == '|' || r == ' ' }) {
		topics = append(topics, normalTopic(strings.TrimSuffix(f, "//.")))
	}
	return Functions(Clues{Topics: topics})
}
