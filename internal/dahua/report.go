package dahua

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ReadReport reads events that were overheard on their way to a receiver: the text of one part of an attached stream, with or without
// pictures, or the JSON that devices bring to the addresses in EventHttpUpload and PictureHttpUpload, where an event stands alone or in a list "Events".
// own reports the maker's own grammar, which nobody else writes. It reports false for anything else. Of a text that is cut only
// events count whose head is whole; JSON that is not whole is nothing.
func ReadReport(b []byte, cut bool) (t Tally, own, ok bool) {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '{' {
		return readPushed(b)
	}
	if bytes.HasPrefix(b, eventLine) {
		t = readLines(b, cut)
		return t, len(t.Codes) > 0, len(t.Codes) > 0
	}
	if cut {
		b = headed(b)
	}
	if at := eventHead.FindIndex(append([]byte{'\n'}, b[:min(len(b), 128)]...)); at == nil || at[0] != 0 {
		return t, false, false
	}
	var s Stream
	s.Feed(b)
	s.End()
	s.Tally.Stray, s.Tally.Heartbeats = 0, 0
	return s.Tally, true, len(s.Tally.Codes) > 0
}

// headed takes off a last line that may be half a head.
func headed(b []byte) []byte {
	last := bytes.LastIndexByte(b, '\n') + 1
	if bytes.Contains(b[last:], dataKey) {
		return b
	}
	return b[:last]
}

// readPushed reads events in JSON. Only those about faces count: others write codes and actions too.
func readPushed(b []byte) (t Tally, own, ok bool) {
	var v any
	if len(b) > maxEvent || !bytes.Contains(b, []byte(`"Code"`)) || !shallow(b) || decode(b, &v) != nil {
		return t, false, false
	}
	m, _ := v.(map[string]any)
	list, _ := m["Events"].([]any)
	if list == nil {
		list = []any{m}
	}
	var s Stream
	for _, e := range list[:min(len(list), maxCodes)] {
		x, _ := e.(map[string]any)
		if code := scalar(x["Code"]); EventFunctions(code) != nil || code == bodies || code == doors {
			s.pushed(x)
		}
	}
	return s.Tally, false, s.Tally.Events() > 0
}

// pushed takes an event as an object, with its data in it or beside its code.
func (s *Stream) pushed(x map[string]any) {
	code, action := scalar(x["Code"]), scalar(x["Action"])
	if action == "" {
		action = "Pulse" // what comes with a picture has none
	}
	data := x["Data"]
	if data == nil {
		data = x // the older form: everything on one level
	}
	if text, err := json.Marshal(data); err == nil {
		s.event(code, action, channel(x), text)
	}
}

// The text of an event that comes with its picture (snapManager.cgi, attachFileProc): one line for every member, by its place.
var (
	eventLine   = []byte("Events[")
	eventMember = regexp.MustCompile(`^Events\[(\d{1,2})\]\.([A-Za-z0-9_.\[\]]{1,200})=(.*)$`)
	eventCode   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
)

// readLines reads such a text. Of one that is cut the last line is left out, and what does not say that it begins.
func readLines(b []byte, cut bool) Tally {
	if cut {
		b = b[:bytes.LastIndexByte(b, '\n')+1]
	}
	var events [maxListed]map[string]any
	left := maxMembers
	for line := range bytes.Lines(b) {
		m := eventMember.FindSubmatch(bytes.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		i := number(string(m[1]))
		if left--; left < 0 || i < 0 || i >= maxListed {
			break
		}
		if events[i] == nil {
			events[i] = map[string]any{}
		}
		place(events[i], strings.Split(string(m[2]), "."), string(bytes.TrimSpace(m[3])))
	}
	var s Stream
	for _, x := range events {
		listed(x)
		base, _ := x["EventBaseInfo"].(map[string]any)
		for _, k := range []string{"Code", "Action", "Index"} {
			if x[k] == nil && base[k] != nil {
				x[k] = base[k]
			}
		}
		if eventCode.MatchString(scalar(x["Code"])) && !(cut && scalar(x["Action"]) == "") {
			s.pushed(x)
		}
	}
	return s.Tally
}

const maxListed = 16 // events of one text

// place puts a value where the names lead, from one object to the next. What contradicts what is there is left out.
func place(at map[string]any, names []string, value string) {
	last := len(names) - 1
	if last > maxDepth/2 {
		return
	}
	for _, name := range names[:last] {
		if at[name] == nil {
			at[name] = map[string]any{}
		}
		next, ok := at[name].(map[string]any)
		if !ok {
			return
		}
		at = next
	}
	if at[names[last]] == nil {
		at[names[last]] = value
	}
}

// listed makes lists of what stands apart as the entries of one: "Candidates[0]".
func listed(m map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		if inner, ok := v.(map[string]any); ok {
			listed(inner)
		}
		if name, _, ok := strings.Cut(k, "["); ok {
			list, _ := m[name].([]any)
			m[name] = append(list, v)
			delete(m, k)
		}
	}
}

// channel is the channel of a pushed event, from zero; -1 where it names none.
func channel(x map[string]any) int {
	for _, k := range []string{"Index", "Channel"} {
		if s := scalar(x[k]); s != "" {
			return number(s)
		}
	}
	return -1
}

// Plain returns what a tally shows of faces, without its counts, so that two events of a kind are equal.
func (t Tally) Plain() Tally {
	out := Tally{}
	for code, s := range t.Codes {
		if s == nil || len(s.Means) == 0 {
			continue
		}
		if out.Codes == nil {
			out.Codes = map[string]*Seen{}
		}
		p := *s
		p.Began, p.Ended, p.Unread = sign(p.Began), 0, 0
		p.Pictures, p.Persons, p.Templates = sign(p.Pictures), sign(p.Persons), sign(p.Templates)
		out.Codes[code] = &p
	}
	return out
}

func sign(n int) int { return one(n > 0) }
