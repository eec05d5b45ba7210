package evidence

import (
	"cmp"
	"regexp"
	"slices"
)

// hideLengths makes one asterisk of what was blotted out as a value of a person or of an event: there are few ages, sexes and
// names in a list, and their length alone would tell them apart. What lies inside a picture or a frame of media stays as it
// is, for nothing of that is left to be measured. Lengths the message states of itself go too, because the sum tells as much
// where one value is hidden. b holds what blot made of the text that the spans were found in, and has its length.
func hideLengths(b []byte, spans []span) []byte {
	values := valueSpans(spans)
	if len(values) == 0 {
		return b
	}
	out, at := make([]byte, 0, len(b)), 0
	for _, x := range values {
		if x.to <= at {
			continue
		}
		if x.from >= at { // not the rest of what the value before it overlaps
			out = append(append(out, b[at:x.from]...), '*')
		}
		at = x.to
	}
	return statedLength.ReplaceAll(append(out, b[at:]...), []byte("X-Wire-Content-Length: *"))
}

var statedLength = regexp.MustCompile(`(?im)^(?:x-wire-)?content-length[ \t]*:[^\r\n]*`)

// valueSpans are the spans whose length is to be hidden, in their order.
func valueSpans(spans []span) []span {
	inside := func(x span) bool {
		return slices.ContainsFunc(spans, func(m span) bool {
			return (m.kind == kindMedia || m.kind == kindImage) && m.from <= x.from && x.to <= m.to
		})
	}
	var out []span
	for _, x := range spans {
		if (x.kind == kindPerson || x.kind == kindEvent) && x.to > x.from && !inside(x) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return out
}
