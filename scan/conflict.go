package scan

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// What two interfaces say of one function of one device is compared as audit.Fold says, by what of the device each speaks of:
//
//   - A fact whose key is empty or the module's own name speaks of the whole device, as that interface sees it: "of everything I
//     would configure, none", "the application is running". Any other key names an instance, and two keys name two instances.
//   - Where the maker configures face functions through another interface, a denial speaks of the interface's own list alone, which
//     is one instance among others.
//   - A denial of the whole ("cannot", "none is on") and an affirmation by anybody, of the whole or of an instance, are a conflict
//     on that rung. Who cannot has nothing switched on either: a denied capability also contradicts what is said to be configured.
//   - A denial of one channel contradicts an affirmation of the whole where the device is known to have no other channel.
//   - A higher rung that one interface shows outweighs another's silence on the rungs below: what is configured could be done.
//   - What was seen while watching is no statement of the device's. It outweighs what any interface says; the rungs below show
//     the contradiction.
//   - What is inferred from a model's name contradicts nobody.

// rungs are the rungs that a device states of itself.
func rungs() []audit.Level { return []audit.Level{audit.Capable, audit.Configured} }

// ladder says which function and rung each fact of the ladder states.
func ladder() map[string]rung {
	out := map[string]rung{}
	for _, f := range audit.Functions() {
		for _, l := range append(rungs(), audit.Active) {
			out[audit.FactName(f, l)] = rung{f, l}
		}
	}
	return out
}

type rung struct {
	function audit.Function
	level    audit.Level
}

// scopeOf says what of the device a fact of a module speaks of.
func scopeOf(name, key, module string, of map[string]rung) audit.Scope {
	if r, ok := of[name]; !ok || r.level == audit.Active || key != "" && key != module {
		return audit.OfInstance
	}
	return audit.OfWhole
}

// channelKey is how modules name a channel of a device.
var channelKey = regexp.MustCompile(`(?i)^(?:channel|ch)[ _.-]?\d+$`)

// settleSole marks the denials of the only channel a device has. How many it has must be known: one that nobody counted may have
// more.
func settleSole(facts []audit.Fact, devices []audit.Device) {
	of, sole := ladder(), map[string]bool{}
	for _, d := range devices {
		sole[d.ID] = d.Channels == 1 && d.Kind != audit.KindRecorder && d.Kind != audit.KindServer
	}
	for i := range facts {
		f := &facts[i]
		if r, ok := of[f.Name]; ok && r.level != audit.Active && f.Scope == audit.OfInstance && f.Value.V == false &&
			f.Subject.Kind == audit.SubjectDevice && sole[f.Subject.ID] && channelKey.MatchString(f.Key) {
			f.Scope = audit.OfSole
		}
	}
}

// implied states what one rung of the ladder proves of another: what is switched on or running can be done, and of what cannot be
// done at all nothing is switched on. The latter is stated only where somebody says otherwise, for the conflict it is.
func implied(facts []audit.Fact) []audit.Fact {
	of, on := ladder(), map[string]bool{}
	var out []audit.Fact
	for _, x := range facts {
		r, ok := of[x.Name]
		if !ok || r.level == audit.Capable || x.Value.V != true {
			continue
		}
		if r.level == audit.Configured {
			on[x.Subject.String()+" "+x.Name] = true
		}
		x.Name, x.Key, x.Scope = audit.FactName(r.function, audit.Capable), "implied by "+x.Name+" "+x.Key, audit.OfInstance
		out = append(out, x)
	}
	for _, x := range facts {
		r, ok := of[x.Name]
		if !ok || r.level != audit.Capable || x.Value.V != false || x.Scope != audit.OfWhole {
			continue
		}
		name := audit.FactName(r.function, audit.Configured)
		if on[x.Subject.String()+" "+name] {
			x.Name, x.Key = name, "implied by "+x.Name+" "+x.Key
			out = append(out, x)
		}
	}
	return out
}

// disputed words a conflict: which observations say yes and which say no.
func disputed(f audit.Function, by []audit.Folded, named func(id string) string) audit.Text {
	var yes, no []string
	for _, x := range by {
		yes, no = append(yes, x.For...), append(no, x.Against...)
	}
	say := func(ids []string) audit.Text {
		ids = unique(ids)
		more := max(0, len(ids)-2)
		var names []string
		for _, id := range ids[:len(ids)-more] {
			names = append(names, named(id))
		}
		slices.Sort(names)
		t := msg.Words(names)
		if more > 0 {
			t = msg.Text("scan.face.dispute.more", t, len(ids))
		}
		return t
	}
	return msg.Text("scan.face.dispute", msg.Word(string(f)), say(yes), say(no))
}

// namer names an observation by what was asked of whom.
func namer(observations []audit.Observation) func(string) string {
	by := map[string]string{}
	for _, o := range observations {
		by[o.ID] = fmt.Sprintf("%s %s (%s)", o.Module, o.Kind, o.ID)
	}
	return func(id string) string {
		if n := by[id]; n != "" {
			return n
		}
		return id
	}
}
