package dahua

import (
	"bytes"
	"encoding/json"
)

// ReadReport reads events that were overheard on their way to a receiver: the text of one part of an attached stream, or the JSON
// that devices bring to the addresses in EventHttpUpload and PictureHttpUpload, where an event stands alone or in a list "Events".
// own reports the maker's own grammar, which nobody else writes. It reports false for anything else. Of a text that is cut only
// events count whose head is whole; JSON that is not whole is nothing.
func ReadReport(b []byte, cut bool) (t Tally, own, ok bool) {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '{' {
		return readPushed(b)
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
		code, action := scalar(x["Code"]), scalar(x["Action"])
		if code == "" || EventFunctions(code) == nil && code != bodies && code != doors {
			continue
		}
		if action == "" {
			action = "Pulse" // what comes with a picture has none
		}
		data := x["Data"]
		if data == nil {
			data = x // the older form: everything on one level
		}
		text, err := json.Marshal(data)
		if err != nil {
			continue
		}
		s.event(code, action, channel(x), text)
	}
	return s.Tally, false, s.Tally.Events() > 0
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
