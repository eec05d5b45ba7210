package hanwha

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/probe"
)

// Derive states the facts of one observation.
//
// The detector of faces, and that of objects where its list names faces, are on or off channel by channel. A list of objects
// without faces says nothing, not even that the camera could. Crops of faces are sent where the list of the transfer names them
// and the channel detects faces; where it is known not to, the list is a setting that nothing uses. A camera may also carry an
// application of the maker's open platform that analyses faces and is configured elsewhere, so "absent" is never stated.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 || o.Status != audit.OK && o.Status != audit.Empty {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("hanwha: data of %s: %w", o.Kind, err)
	}
	f := facts{login: o.Auth == "digest"}
	if d.Faces {
		f.say(audit.Capable, "attributes", true, audit.Detect)
	}
	for _, x := range d.Detection {
		f.state(fmt.Sprintf("channel %d FaceDetection", x.Channel), x.Enabled, audit.Detect)
	}
	for _, x := range d.Objects {
		if x.Face != nil && *x.Face {
			f.state(fmt.Sprintf("channel %d ObjectDetection", x.Channel), x.Enabled, audit.Detect)
		}
	}
	for _, x := range d.Shots {
		f.shots(x)
	}
	f.seen(o, d.Seen)
	slices.SortFunc(f.list, audit.CompareFacts)
	return f.list, nil
}

// facts collects statements.
type facts struct {
	login bool // the answer was given to a login
	list  []audit.Fact
}

func (f *facts) say(level audit.Level, key string, value bool, functions ...audit.Function) {
	for _, fn := range functions {
		f.list = append(f.list, audit.NewFact(audit.FactName(fn, level), key, value))
	}
}

// state says what a switch says: that it is there shows that the device could.
func (f *facts) state(key string, on *bool, functions ...audit.Function) {
	f.say(audit.Capable, key, true, functions...)
	if on != nil && (*on || f.login) {
		f.say(audit.Configured, key, *on, functions...)
	}
}

func (f *facts) shots(x Shots) {
	if !x.Face {
		return
	}
	key := fmt.Sprintf("channel %d MetaImageTransfer", x.Channel)
	on := x.Detecting == nil || *x.Detecting
	f.state(key, &on, audit.Capture)
	if on {
		f.state(key, &on, audit.Detect)
	}
}

func (f *facts) seen(o audit.Observation, s *Seen) {
	if s == nil {
		return
	}
	for _, e := range s.Events {
		f.say(audit.Active, e, true, audit.Detect)
	}
	f.list = append(f.list, audit.NewFact(probe.FactLiveMessages, "", s.Faces))
	if secs := int(o.Until.Sub(o.At).Seconds()); !o.Until.IsZero() && secs >= 0 {
		f.list = append(f.list, audit.NewFact(probe.FactLiveSeconds, "", secs))
	}
}
