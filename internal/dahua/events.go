package dahua

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

const (
	maxEvent   = 256 << 10 // of one event, its data included
	maxEvents  = 4096
	maxCodes   = 64
	maxTape    = 64 << 10 // of what is kept of all events for the record
	maxDepth   = 24
	maxMembers = 4096 // of one event's data, over all its depths
)

// Seen is what events of one code showed. It holds counts, and names of keys: never what stood behind one.
type Seen struct {
	Began      int              `json:"began,omitempty"` // Start, Pulse and the like
	Ended      int              `json:"ended,omitempty"` // Stop
	Unread     int              `json:"unread,omitempty"`
	Means      []audit.Function `json:"means,omitempty"`      // what the events that began showed; nil where nothing of faces
	Attributes []string         `json:"attributes,omitempty"` // names of attributes that were filled in
	Pictures   int              `json:"pictures,omitempty"`   // events that came with a picture of the object
	Persons    int              `json:"persons,omitempty"`    // events that named somebody, or an entry of a library
	Templates  int              `json:"templates,omitempty"`  // events that carried a template
	Channels   []int            `json:"channels,omitempty"`   // from one
}

// Tally is what was seen of a stream of events.
type Tally struct {
	Codes      map[string]*Seen `json:"codes,omitempty"`
	Heartbeats int              `json:"heartbeats,omitempty"`
	Stray      int              `json:"stray,omitempty"` // bytes that belong to no event
}

// Events counts the events that meant something, over all codes.
func (t *Tally) Events() (n int) {
	for _, s := range t.Codes {
		if s != nil && len(s.Means) > 0 {
			n += s.Began
		}
	}
	return n
}

// Proves lists the functions that were seen, in the order of the ladder.
func (t *Tally) Proves() []audit.Function {
	return ordered(func(f audit.Function) bool {
		for _, s := range t.Codes {
			if s != nil && slices.Contains(s.Means, f) {
				return true
			}
		}
		return false
	})
}

func ordered(has func(audit.Function) bool) []audit.Function {
	return slices.DeleteFunc(slices.Clone(audit.Functions()), func(f audit.Function) bool { return !has(f) })
}

// Stream reads what a device sends for Attach: parts of text that hold "Code=…;action=…;index=…;data={…}". Boundaries and
// lengths are not relied on, since firmware gets both wrong: an event begins at the start of a line and ends with its data, or
// where the next part or event begins. What is between them is passed over. The zero value is ready.
type Stream struct {
	Tally Tally

	buf   []byte // begins with the end of a line, or with what is left of one
	begun bool
	wait  int // how long the buffer must be before it is looked at again
	count int
	tape  bytes.Buffer
	lost  int // events that are not on the tape
}

var (
	eventHead = regexp.MustCompile(`(?i)[\r\n][ \t]*Code=([A-Za-z0-9_]{1,64});action=([A-Za-z]{1,16})(?:;index=(-?\d{1,6}))?`)
	nextPart  = regexp.MustCompile(`(?i)[\r\n](?:--|[ \t]*Code=)`)
	dataKey   = []byte(";data=")
	heartbeat = []byte("Heartbeat")
)

// Feed reads a piece of the stream. An event that is not here in full is looked at again only when the buffer has grown by a
// part of its length, so that a device that sends single bytes costs no more than one that does not.
func (s *Stream) Feed(b []byte) {
	if !s.begun {
		s.begun, s.buf = true, []byte{'\n'}
		s.Tally.Stray--
	}
	if s.Full() {
		return
	}
	if s.buf = append(s.buf, b...); len(s.buf) >= s.wait {
		s.drain(false)
	}
}

// Full reports whether nothing more is read.
func (s *Stream) Full() bool { return s.count >= maxEvents }

// End reads what is left after the last piece.
func (s *Stream) End() {
	s.drain(true)
	s.stray(len(s.buf))
}

func (s *Stream) drain(last bool) {
	for !s.Full() && s.next(last) {
	}
	if s.Full() {
		s.buf = nil
	}
	s.wait = len(s.buf) + len(s.buf)/4
}

// next takes one event off the buffer. It reports whether there may be another.
func (s *Stream) next(last bool) bool {
	at := eventHead.FindSubmatchIndex(s.buf)
	if at == nil {
		const margin = 128 // longer than any head
		s.stray(len(s.buf) - margin)
		return false
	}
	size, whole := extent(s.buf[at[1]:])
	if !whole && !last && size < maxEvent {
		s.stray(at[0])
		return false
	}
	size = min(size, maxEvent)
	group := func(i int) string {
		if at[i] < 0 {
			return ""
		}
		return string(s.buf[at[i]:at[i+1]])
	}
	_, data, _ := bytes.Cut(s.buf[at[1]:at[1]+size], dataKey)
	s.event(group(2), group(4), number(group(6)), data)
	s.strays(s.buf[:at[0]])
	s.buf = s.buf[at[1]+size:]
	s.count++
	return true
}

// extent finds the end of an event behind its head: of its data, or the next part where that comes first. whole is false where
// neither is there yet.
func extent(b []byte) (size int, whole bool) {
	line, _, ended := bytes.Cut(b, []byte("\n"))
	from := bytes.Index(line, dataKey)
	if from < 0 {
		return len(line), ended
	}
	from += len(dataKey)
	limit, bounded := len(b), false
	if m := nextPart.FindIndex(b[from:]); m != nil {
		limit, bounded = from+m[0], true
	}
	depth, quoted, escaped := 0, false, false
	for i, c := range b[from:limit] {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return from + i + 1, true
			}
		}
	}
	return limit, bounded
}

// stray drops n bytes in front of the buffer.
func (s *Stream) stray(n int) {
	if n <= 0 {
		return
	}
	s.strays(s.buf[:n])
	s.buf = s.buf[n:]
}

func (s *Stream) strays(b []byte) {
	s.Tally.Stray += len(b)
	s.Tally.Heartbeats += bytes.Count(b, heartbeat)
}

// event reads one event.
func (s *Stream) event(code, action string, index int, data []byte) {
	if s.Tally.Codes == nil {
		s.Tally.Codes = map[string]*Seen{}
	}
	seen := s.Tally.Codes[code]
	if seen == nil {
		if len(s.Tally.Codes) >= maxCodes {
			return
		}
		seen = &Seen{}
		s.Tally.Codes[code] = seen
	}
	var v any
	if len(data) > 0 && (!shallow(data) || decode(data, &v) != nil) {
		v = nil
		seen.Unread++
	}
	s.record(code, action, index, v, len(data))
	switch strings.ToLower(action) {
	case "start", "pulse", "update", "appear":
		seen.Began++
	case "stop":
		seen.Ended++ // tells of something that began before we looked, or of the state at that time
		return
	default:
		return
	}
	if index >= 0 && len(seen.Channels) < maxChannels && !slices.Contains(seen.Channels, index+1) {
		seen.Channels = append(seen.Channels, index+1)
		slices.Sort(seen.Channels)
	}
	seen.read(code, v)
}

func decode(b []byte, v *any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("dahua: data of an event: %w", err)
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // Token returns it bare
		return fmt.Errorf("dahua: data of an event: more than one value")
	}
	return nil
}

// shallow reports whether nothing is nested deeper than is read.
func shallow(b []byte) bool {
	depth, quoted, escaped := 0, false, false
	for _, c := range b {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// read takes what an event that began shows.
func (x *Seen) read(code string, v any) {
	means := EventFunctions(code)
	m, _ := v.(map[string]any)
	if strings.EqualFold(code, doors) && slices.Contains(known().DoorFace.Method, scalar(m["Method"])) {
		means = known().DoorFace.Means
	}
	f := finding{attributes: map[string]bool{}}
	if len(means) > 0 {
		f.walk(v)
	} else if strings.EqualFold(code, bodies) {
		for _, face := range faceObjects(m) {
			means = []audit.Function{audit.Detect}
			f.walk(face)
		}
	}
	if len(means) == 0 {
		return // of bodies, vehicles and doors nothing is read, whatever is in it
	}
	means = slices.Clone(means)
	if f.candidates && strings.EqualFold(code, "FaceDetection") {
		means = append(means, audit.Identify) // firmware that compares and says so by this event
	}
	if f.picture {
		means = append(means, audit.Capture)
	}
	if len(f.attributes) > 0 {
		means = append(means, audit.Analyse)
	}
	x.Means = ordered(func(fn audit.Function) bool { return slices.Contains(means, fn) || slices.Contains(x.Means, fn) })
	for a := range f.attributes {
		if !slices.Contains(x.Attributes, a) {
			x.Attributes = append(x.Attributes, a)
		}
	}
	slices.Sort(x.Attributes)
	x.Pictures += one(f.picture)
	x.Persons += one(f.person || f.candidates)
	x.Templates += one(f.template)
}

// doors is the code of events of doors, by whatever opened them.
const doors = "AccessControl"

// bodies is the code of events about persons as a whole. Cameras that look for face and body at once tell of both by it, each an
// object of its own kind.
const bodies = "HumanTrait"

// faceObjects returns the objects of an event that are faces.
func faceObjects(m map[string]any) (out []any) {
	list, _ := m["Objects"].([]any)
	for _, o := range append([]any{m["Object"]}, list...) {
		if x, ok := o.(map[string]any); ok && scalar(x["ObjectType"]) == "HumanFace" {
			out = append(out, o)
		}
	}
	return out
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// finding is what is in the data of one event.
type finding struct {
	attributes map[string]bool
	picture    bool
	person     bool // an identifier of somebody
	candidates bool // entries of a library that the face was compared with
	template   bool
	members    int
}

// walk reads names of keys, and of values no more than whether there is one. What a library knows of a person is not what was
// read from a face: it is passed over.
func (f *finding) walk(v any) {
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			f.walk(e)
		}
	case map[string]any:
		for k, e := range t {
			if f.members++; f.members > maxMembers {
				return
			}
			switch k {
			case "Candidates":
				l, _ := e.([]any)
				f.candidates = f.candidates || len(l) > 0
				continue
			case "Candidate": // a maker that sells these devices under its own name writes one alone
				f.candidates = f.candidates || !vacant(e)
				continue
			case "Person", "PersonInfo", "CitizenInfo":
				continue
			case "UserID", "CardNo":
				f.person = f.person || !slices.Contains(known().Nobody, scalar(e))
				continue
			case "SceneImage": // the whole picture, with everything in it
				continue
			case "Image", "FaceImage":
				i, _ := e.(map[string]any)
				f.picture = f.picture || number(scalar(i["Length"])) > 0
			case "FeatureData", "FeatureVector", "FaceFeature":
				f.template = f.template || !vacant(e)
				continue
			}
			if a := attributeOf(k, e); a != "" {
				f.attributes[a] = true
			}
			f.walk(e)
		}
	}
}

// attributeOf returns the attribute that a key holds, "" where it holds none or says that it is not known.
func attributeOf(key string, v any) string {
	for _, a := range known().Attributes {
		if a.Name != key {
			continue
		}
		values, list := v.([]any)
		if !list {
			values = []any{v}
		}
		for _, e := range values {
			if s := scalar(e); s != "" && !slices.ContainsFunc(a.None, func(n string) bool { return strings.EqualFold(n, s) }) {
				return a.Attribute
			}
		}
	}
	return ""
}

// scalar is a text, a number or a truth value as text; "" for anything else.
func scalar(v any) string {
	switch t := v.(type) {
	case string:
		return strings.TrimSpace(t)
	case json.Number:
		return t.String()
	case bool:
		return fmt.Sprint(t)
	}
	return ""
}

func vacant(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case []any:
		return len(t) == 0
	case map[string]any:
		return len(t) == 0
	}
	return empty(scalar(v))
}

// plain reports a value that says what sort of event it was, and nothing of anybody.
func plain(key, value string) bool {
	switch key {
	case "ObjectType", "Class", "Action":
		return className(value) != "" || slices.Contains([]string{"HumanFace", "Human", "Vehicle", "NonMotor", "HumanTrait", "Appear", "Disappear", "Move", "Stay", "Pulse"}, value)
	case "Method", "OpenDoorMethod", "Status", "ErrorCode":
		return len(value) <= 2 && number(value) >= 0
	}
	return false
}

var keyName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

// record puts an event on the tape: its head, and its data with every value struck out but plain ones.
func (s *Stream) record(code, action string, index int, v any, size int) {
	line := fmt.Sprintf("Code=%s;action=%s;index=%d", code, action, index)
	switch {
	case v != nil:
		left := maxMembers
		if b, err := json.Marshal(struck(v, false, &left)); err == nil {
			line += ";data=" + string(b)
		}
	case size > 0:
		line += fmt.Sprintf(";data=(%d bytes that could not be read)", size)
	}
	if s.tape.Len()+len(line) > maxTape {
		s.lost++
		return
	}
	s.tape.WriteString(line + "\r\n")
}

// struck is a value with what it says struck out: keys stay, so that a reader sees what sort of thing was sent.
func struck(v any, person bool, left *int) any {
	if *left--; *left < 0 {
		return "…"
	}
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(t)) {
			e := t[k]
			inner := person || strings.HasPrefix(k, "Candidate") || strings.Contains(k, "Person") || strings.Contains(k, "Info") && k != "PartInfo"
			switch text := scalar(e); {
			case !keyName.MatchString(k): // no name of a key
				out["*"] = "*"
			case !inner && plain(k, text):
				out[k] = text
			default:
				out[k] = struck(e, inner, left)
			}
		}
		return out
	case []any:
		const enough = 8
		out := make([]any, 0, min(len(t), enough))
		for _, e := range t[:min(len(t), enough)] {
			out = append(out, struck(e, person, left))
		}
		return out
	case nil:
		return nil
	}
	return "*"
}

// Record returns what may be recorded of the stream: events without what they say of anybody, and how much else came. It ends
// the stream.
func (s *Stream) Record() []byte {
	s.End()
	var b bytes.Buffer
	b.Write(s.tape.Bytes())
	if s.lost > 0 {
		fmt.Fprintf(&b, "(%d further events)\r\n", s.lost)
	}
	fmt.Fprintf(&b, "(%d bytes that belong to no event, %d heartbeats among them, were not kept)\r\n", s.Tally.Stray, s.Tally.Heartbeats)
	return b.Bytes()
}
