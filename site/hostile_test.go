package site

import (
	"strings"
	"testing"
	"time"
)

// TestHostile: no file of a size that is read takes long, whatever it is made of. Each of these once took the YAML library
// or the decoder quadratic time or memory, or is of the kind that does.
func TestHostile(t *testing.T) {
	const size = MaxBytes / 8 // quadratic time would show; the whole megabyte takes a busy machine half a minute
	fill := func(head, s, tail string) string {
		return head + strings.Repeat(s, (size-len(head)-len(tail))/len(s)) + tail
	}
	var stairs strings.Builder
	for i := range 500 {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for name, s := range map[string]string{
		"open lists": fill("", "[", ""), "open maps": fill("", "{a: ", ""), "dashes": fill("", "- ", ""), "questions": fill("", "? ", ""),
		"keys of one mapping": fill("", "a: 1\n", ""), "keys without values": fill("", "a:\n", ""), "keys in braces": fill("a: {", "a: 1,", "}"),
		"items": fill("zones: [", "{id: a},", "{}]"), "mappings in a list": fill("", "- a: 1\n  b: 2\n", ""), "steps": stairs.String(),
		"anchors": fill("", "- &a x\n", ""), "aliases": fill("", "- *a\n", ""), "merges": fill("a: &a {}\nb: {", "<<: *a, ", "}"),
		"one word": fill("", "a", ""), "quotes": fill("", `"`, ""), "escapes": fill(`a: "`, `\u0041`, `"`), "literal": fill("a: |\n", "  x\n", ""),
		"comments": fill("", "#\n", ""), "documents": fill("", "---\n", ""), "directives": fill("", "%a\n", ""), "tags": fill("", "!a ", ""),
		"colons": fill("", ":", ""), "commas": fill("[", ",", ""), "tabs": fill("", "\t", ""), "returns": fill("", "\r", ""),
		"logins": fill("", "credentials: ", ""), "methods": fill("", "attribute_analysis{", ""),
	} {
		began := time.Now()
		if _, err := Parse([]byte(s), name); err == nil {
			t.Errorf("%s: parses", name)
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
	}
}
