package isapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

const (
	maxKinds = 64   // kinds of alarms counted
	maxSeen  = 4096 // detections remembered, so as not to count one twice
	maxDeep  = 32   // of an alarm
)

// Tally is what a stream of alarms held: names and counts, nothing of a person.
type Tally struct {
	Beats   int     `json:"beats,omitempty"`   // signs of life, and alarms that ended
	Images  int     `json:"images,omitempty"`  // pictures, dropped unread
	Dropped int     `json:"dropped,omitempty"` // parts that were no alarm, or too long for one
	Past    int     `json:"past,omitempty"`    // alarms the device had kept from before
	Alarms  []Alarm `json:"alarms,omitempty"`  // by channel and type
}

// Alarm is what came of one type on one channel.
type Alarm struct {
	Channel    string           `json:"channel,omitempty"`
	Type       string           `json:"type"`
	Count      int              `json:"count"`               // of detections, where the device numbers them
	Functions  []audit.Function `json:"functions,omitempty"` // that it shows
	Attributes []string         `json:"attributes,omitempty"`
	Modes      []string         `json:"modes,omitempty"`    // of readers
	Failed     bool             `json:"failed,omitempty"`   // comparisons that found nobody
	Person     bool             `json:"person,omitempty"`   // an identifier of a person was in it
	Template   bool             `json:"template,omitempty"` // a biometric template was in it
}

// event is one alarm as it was read.
type event struct {
	Alarm
	beat, past bool
	detections []string // pId: one per detection; faceId says nothing
	ips        []string // whose alarm it says it is
	mac        string
}

// count adds an alarm.
func (t *Tally) count(e event, seen map[string]bool) {
	switch {
	case e.beat:
		t.Beats++
		return
	case e.past:
		t.Past++
		return
	}
	n := 1
	if len(e.detections) > 0 {
		n = 0
		for _, id := range e.detections {
			if k := e.Type + "\x00" + id; !seen[k] {
				n++
				if len(seen) < maxSeen {
					seen[k] = true
				}
			}
		}
	}
	i := slices.IndexFunc(t.Alarms, func(x Alarm) bool { return x.Channel == e.Channel && x.Type == e.Type })
	if i < 0 {
		if len(t.Alarms) >= maxKinds {
			t.Dropped++
			return
		}
		t.Alarms = append(t.Alarms, Alarm{Channel: e.Channel, Type: e.Type})
		i = len(t.Alarms) - 1
	}
	a := &t.Alarms[i]
	a.Count += n
	a.Functions = union(a.Functions, e.Functions)
	a.Attributes, a.Modes = union(a.Attributes, e.Attributes), union(a.Modes, e.Modes)
	a.Failed, a.Person, a.Template = a.Failed || e.Failed, a.Person || e.Person, a.Template || e.Template
}

func union[T ~string](a, b []T) []T {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

// seen in one alarm, while it is walked.
type alarmWords struct {
	value      map[string]string // the first of each, by lower case name, of those that say what kind of alarm it is
	attributes []string
	detections []string // pId of faces
	scenes     []string // pId of the picture around them
	reading    string   // the attribute that is being walked
	faces      bool     // a face was in it
	crops      bool
	failed     bool
	person     bool
	matched    bool // somebody of a library was in it
	template   bool
	nodes      int
}

// telling are the members whose values say what kind of alarm it is.
var telling = []string{"eventtype", "eventstate", "channelid", "dynchannelid", "majoreventtype", "subeventtype", "currentverifymode", "currentevent", "isdataretransmission", "mask", "ipaddress", "ipv6address", "macaddress"}

// faceTrees hold a face; bodyTrees the rest of a person, whose attributes are no face's; knownTrees what a library says of a
// person, which the device did not read from a face.
var (
	faceTrees  = []string{"face", "faces", "facecapture", "facesnap", "facecaptureinfo", "mtd_face", "faceinfo", "alarmresult", "facedetection"}
	bodyTrees  = []string{"human", "humans", "humanattr", "humaninfo", "humanrecognition", "body", "vehicle", "vehicles", "mtd_human"}
	knownTrees = []string{"identify", "candidate", "candidates", "human_data", "reserve_field"}
)

// readAlert reads one alarm, in XML or JSON.
func readAlert(b []byte) (event, bool) {
	w := alarmWords{value: map[string]string{}}
	switch b[0] {
	case '{':
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return event{}, false
		}
		w.json("", v, elsewhere, 0)
	case '<':
		n, err := strict(b, "EventNotificationAlert")
		if err != nil {
			return event{}, false
		}
		w.xml(n, elsewhere)
	default:
		return event{}, false
	}
	if w.value["eventtype"] == "" {
		return event{}, false
	}
	return w.event(), true
}

// sceneTree is the picture around the faces.
const sceneTree = "targetattrs"

// place says whose attributes stand at a place of an alarm.
type place int

const (
	elsewhere place = iota
	ofFace
	ofLibrary // and so everything below
)

func (w *alarmWords) json(name string, v any, face place, depth int) {
	if w.nodes++; depth > maxDeep || w.nodes > 40_000 {
		return
	}
	defer w.attribute(name, face)()
	switch t := v.(type) {
	case map[string]any:
		face = w.enter(name, face, len(t) > 0)
		for _, k := range slices.Sorted(maps.Keys(t)) {
			w.json(k, t[k], face, depth+1)
		}
	case []any:
		if len(t) > 0 {
			w.listed(name)
		}
		for _, x := range t {
			w.json(name, x, face, depth+1)
		}
	default:
		w.leaf(name, strings.TrimSpace(fmt.Sprint(orEmpty(t))), face)
	}
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func (w *alarmWords) xml(n *xmltree.Node, face place) {
	name := n.Name.Local
	defer w.attribute(name, face)()
	if len(n.Kids) == 0 {
		w.leaf(name, n.Text, face)
		return
	}
	face = w.enter(name, face, true)
	w.listed(name)
	for _, k := range n.Kids {
		w.xml(k, face)
	}
}

// enter notes an object and returns whose attributes are in it.
func (w *alarmWords) enter(name string, at place, filled bool) place {
	name = strings.ToLower(name)
	switch {
	case at == ofLibrary, slices.Contains(knownTrees, name):
		return ofLibrary
	case slices.Contains(bodyTrees, name), name == sceneTree:
		return elsewhere
	case slices.Contains(faceTrees, name) && filled:
		w.faces = w.faces || name != "alarmresult" && name != "facedetection"
		at = ofFace
	}
	return at
}

// listed notes a list that is not empty.
func (w *alarmWords) listed(name string) {
	if name = strings.ToLower(name); name == "candidate" || name == "candidates" {
		w.person, w.matched = true, true
	}
}

// attribute notes that an attribute of a face is being walked, until the function it returns is called. It counts once
// something in it says more than that nothing is known: firmware writes empty ones where nothing was analysed.
func (w *alarmWords) attribute(name string, at place) (done func()) {
	outer := w.reading
	switch ours, ok := known().attribute[strings.ToLower(name)]; {
	case at != ofFace:
		w.reading = ""
	case ok:
		w.reading = ours
	case slices.Contains(margins, strings.ToLower(name)):
		w.reading = ""
	}
	return func() { w.reading = outer }
}

// nothing are the values that say an attribute was not read; margins say how sure a value is, and stand beside unknown ones too.
var (
	nothing = []string{"", "0", "unknown", "undefined", "invalid"}
	margins = []string{"range", "confidence", "score"}
)

// leaf notes a member with a value. Values of persons are looked at for being there, and dropped.
func (w *alarmWords) leaf(name, value string, at place) {
	name = strings.ToLower(name)
	if slices.Contains(telling, name) && w.value[name] == "" {
		w.value[name] = clean.Text(value, 64)
	}
	if w.reading != "" && at == ofFace && !slices.Contains(nothing, strings.ToLower(value)) && len(w.attributes) < maxNames {
		w.attributes = append(w.attributes, w.reading)
	}
	if value == "" || value == "0" {
		return
	}
	switch name {
	case "pid":
		switch {
		case at == ofFace && len(w.detections) < maxNames:
			w.detections = append(w.detections, clean.Text(value, 64))
		case at == elsewhere && len(w.scenes) < maxNames:
			w.scenes = append(w.scenes, clean.Text(value, 64))
		}
	case "errormsg", "errorcode":
		w.failed = w.failed || strings.EqualFold(value, "contrastFailed") || value == "1073750078"
	case "human_id", "blacklist_id", "employeenostring", "employeeno", "fpid", "certificatenumber", "idcardno":
		w.person = true
	case "modeldata", "facemodeldata":
		w.template = true
	case "url", "faceurl", "facepicurl":
		w.crops = w.crops || at == ofFace
	case "fdlibname":
		w.matched = true
	case "facerect", "facescore":
		w.faces = true
	}
}

// event says what the alarm shows.
func (w *alarmWords) event() event {
	v := w.value
	e := event{detections: w.detections}
	if len(e.detections) == 0 {
		e.detections = w.scenes
	}
	e.Type, e.Channel = clean.Text(v["eventtype"], maxText), v["channelid"]
	if e.Channel == "" {
		e.Channel = v["dynchannelid"]
	}
	e.ips, e.mac = []string{v["ipaddress"], v["ipv6address"]}, v["macaddress"]
	kind, is := find(known().Events, e.Type)
	if is {
		e.Type = kind.Name
	}
	switch {
	case strings.EqualFold(v["eventstate"], "inactive"), strings.EqualFold(e.Type, "heartBeat"), strings.EqualFold(e.Type, "videoloss"):
		e.beat = true
		return e
	case strings.EqualFold(v["currentevent"], "false"), strings.EqualFold(v["isdataretransmission"], "true"):
		e.past = true
		return e
	case strings.EqualFold(e.Type, "AccessControllerEvent"), strings.EqualFold(e.Type, "IDCardInfoEvent"):
		w.access(&e)
		return e
	case !is, !kind.Named && !w.faces:
		return e
	case e.Type == "alarmResult" && !w.faces && !w.failed && !w.person:
		return e // a comparison that holds no face
	}
	e.Functions = slices.Clone(kind.Functions)
	if w.matched {
		e.Functions = append(e.Functions, audit.Identify)
	}
	if w.crops {
		e.Functions = append(e.Functions, audit.Capture)
	}
	if e.Attributes = union(nil, w.attributes); len(e.Attributes) > 0 {
		e.Functions = append(e.Functions, audit.Analyse)
	}
	e.Functions = union(nil, e.Functions)
	e.Failed, e.Template = w.failed, w.template
	e.Person = w.person && slices.Contains(e.Functions, audit.Identify)
	return e
}

// access reads the event of a terminal. Where it says that a face was compared, it was looked up among everybody if a face
// alone is enough, otherwise compared with the person that a card or a number named; a face that was not accepted was compared
// all the same. Other events, of cards and doors among them, show nothing of faces.
func (w *alarmWords) access(e *event) {
	p, ok := passed(w.value["majoreventtype"], w.value["subeventtype"])
	if !ok {
		return
	}
	mode := cmp.Or(p.Mode, Mode(w.value["currentverifymode"]))
	switch shows := ModeShows(mode); {
	case slices.Contains(shows, audit.Identify):
		e.Functions = []audit.Function{audit.Detect, audit.Identify}
	case p.Mode != "":
		e.Functions = union([]audit.Function{audit.Detect}, shows)
	default:
		e.Functions = []audit.Function{audit.Detect, audit.Verify}
	}
	e.Failed = p.Failed
	if mode != "" {
		e.Modes = []string{mode}
	}
	if strings.EqualFold(w.value["mask"], "yes") { // "no" is also written where nobody looked: on refusals of a card
		e.Attributes = []string{audit.AttrAccessory}
		e.Functions = union(e.Functions, []audit.Function{audit.Analyse})
	}
	e.Person = w.person
}
