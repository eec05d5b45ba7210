package hanwha

import (
	"encoding/json"
	"fmt"

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
	f := facts{probe.Facts{Login: o.Auth == "digest"}}
	if d.Faces {
		f.Say(audit.Capable, "attributes", true, audit.Detect)
	}
	for _, x := range d.Detection {
		f.Switched(fmt.Sprintf("channel %d FaceDetection", x.Channel), x.Enabled, audit.Detect)
	}
	for _, x := range d.Objects {
		if x.Face != nil && *x.Face {
			f.Switched(fmt.Sprintf("channel %d ObjectDetection", x.Channel), x.Enabled, audit.Detect)
		}
	}
	for _, x := range d.Shots {
		f.shots(x)
	}
	f.seen(o, d.Seen)
	return f.Sorted(), nil
}

// facts collects statements.
type facts struct{ probe.Facts }

func (f *facts) shots(x Shots) {
	if !x.Face {
		return
	}
	key := fmt.Sprintf("channel %d MetaImageTransfer", x.Channel)
	on := x.Detecting == nil || *x.Detecting
	f.Switched(key, &on, audit.Capture)
	if on {
		f.Switched(key, &on, audit.Detect)
	}
}

func (f *facts) seen(o audit.Observation, s *Seen) {
	if s == nil {
		return
	}
	for _, e := range s.Events {
		f.Say(audit.Active, e, true, audit.Detect)
	}
	f.Add(probe.FactLiveMessages, "", s.Faces, "")
	f.Watched(o, "")
}
