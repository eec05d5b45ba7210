package probe

import (
	"fmt"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Names of the facts every protocol shares. The fifteen facts of the ladder are named by audit.FactName.
const (
	FactAttributesActive  = "face.attributes.active"  // list: attribute names seen in live results
	FactAttributesCapable = "face.attributes.capable" // list: attribute names the device declares it can state
	FactLiveMessages      = "face.live.messages"      // int: live messages or objects with face content
	FactLiveSeconds       = "face.live.seconds"       // int: how long was watched
	FactHeardMessages     = "face.heard.messages"     // int: messages with face content that were overheard, each as often as it passed; stated by scan
	FactCrops             = "face.crops"              // bool: live results carry or refer to face crops
	FactIdentity          = "face.identity"           // bool: live results carry an identifier of a person
	FactEnumerated        = "face.enumerated"         // bool: the interface that would configure face functions answered a logged-in enumeration in full
	FactOutboundHosts     = "outbound.hosts"          // list: "what scheme://host:port" of configured receivers
	FactOutboundFace      = "outbound.face"           // bool: a configured receiver gets face results
	FactOutboundFaces     = "outbound.face.hosts"     // list: those of FactOutboundHosts that get face results, where it is known of each; stated by scan
	FactOutboundSeen      = "outbound.seen"           // list: "level host" of listed hosts the device was heard to talk to
)

// Levels of FactOutboundSeen, weakest first: each says no more of what is sent than the one before but the last.
const (
	EgressResolved  = "resolved"  // it asked for the address of the name: intent
	EgressAttempted = "attempted" // it began a connection
	EgressInUse     = "in-use"    // data went both ways, unread
	EgressReadable  = "readable"  // requests were read
)

// EgressLevels lists the levels of FactOutboundSeen, weakest first.
func EgressLevels() []string {
	return []string{EgressResolved, EgressAttempted, EgressInUse, EgressReadable}
}

// FaceFacts declares the facts about faces that any protocol may state.
func FaceFacts() []audit.FactSpec {
	var out []audit.FactSpec
	for _, f := range audit.Functions() {
		w := msg.Word(string(f))
		for _, l := range []audit.Level{audit.Capable, audit.Configured, audit.Active} {
			out = append(out, audit.FactSpec{Name: audit.FactName(f, l), Type: audit.Bool, Merge: audit.MergeAny,
				Doc: msg.Text("probe.fact."+l.String(), w), Ask: msg.Text("probe.ask."+l.String(), w)})
		}
	}
	for _, s := range []struct {
		name  string
		typ   audit.Type
		merge audit.Merge
	}{
		{FactAttributesActive, audit.List, audit.MergeUnion}, {FactAttributesCapable, audit.List, audit.MergeUnion},
		{FactLiveMessages, audit.Int, audit.MergeSum}, {FactLiveSeconds, audit.Int, audit.MergeMax},
		{FactCrops, audit.Bool, audit.MergeAny}, {FactIdentity, audit.Bool, audit.MergeAny},
		{FactEnumerated, audit.Bool, audit.MergeAny},
		{FactOutboundHosts, audit.List, audit.MergeUnion}, {FactOutboundFace, audit.Bool, audit.MergeAny},
	} {
		out = append(out, audit.FactSpec{Name: s.name, Type: s.typ, Merge: s.merge,
			Doc: msg.Text(fmt.Sprintf("probe.fact.%s", s.name)), Ask: msg.Text(fmt.Sprintf("probe.ask.%s", s.name))})
	}
	return out
}

// FaceFactsNamed declares those of FaceFacts that have one of the names, for a module that can state few of them.
func FaceFactsNamed(names ...string) []audit.FactSpec {
	return slices.DeleteFunc(FaceFacts(), func(s audit.FactSpec) bool { return !slices.Contains(names, s.Name) })
}

// Facts collects what one observation states.
type Facts struct {
	Login   bool // a login read the answer
	ByLevel bool // what is said of a function is of the class of its level, not of its observation's
	list    []audit.Fact
}

// Say states functions of an instance, at one level.
func (f *Facts) Say(level audit.Level, key string, value bool, functions ...audit.Function) {
	var class audit.Class
	if f.ByLevel {
		class = [...]audit.Class{audit.Capable: audit.ClassCapability, audit.Configured: audit.ClassConfig, audit.Active: audit.ClassLive}[level]
	}
	for _, fn := range functions {
		f.Add(audit.FactName(fn, level), key, value, class)
	}
}

// Switched says what the switch of an instance does: that it is there shows that the device could, and that it is off counts only
// where a login read it.
func (f *Facts) Switched(key string, on *bool, functions ...audit.Function) {
	f.Say(audit.Capable, key, true, functions...)
	if on != nil && (*on || f.Login) {
		f.Say(audit.Configured, key, *on, functions...)
	}
}

// Add states a fact; an empty class is the observation's.
func (f *Facts) Add(name, key string, value any, class audit.Class) {
	x := audit.NewFact(name, key, value)
	x.Class = class
	f.Put(x)
}

// Put takes a fact that is already made.
func (f *Facts) Put(x audit.Fact) { f.list = append(f.list, x) }

// Watched states how long an observation watched, where it says.
func (f *Facts) Watched(o audit.Observation, class audit.Class) {
	if secs := int(o.Until.Sub(o.At).Seconds()); !o.Until.IsZero() && secs >= 0 {
		f.Add(FactLiveSeconds, "", secs, class)
	}
}

// Sorted returns what was collected, in the order of audit.CompareFacts.
func (f *Facts) Sorted() []audit.Fact {
	slices.SortFunc(f.list, audit.CompareFacts)
	return f.list
}
