package site

import (
	"strings"
	"testing"
	"time"
)

func TestHostileTiming(t *testing.T) {
	n := MaxBytes
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	flow := "a: {" + rep("a: 1, ")[:n-10] + "}"
	for name, s := range map[string]string{
		"open lists": rep("["), "open maps": rep("{a: "), "dashes": rep("- "), "pairs": rep("a: 1\n"), "keys": rep("a"), "quotes": rep("\""), "single": rep("'"),
		"anchors": rep("- &a x\n"), "aliases": rep("- *a\n"), "comments": rep("#\n"), "empty": rep("\n"), "spaces": rep(" "), "tabs": rep("\t"), "colon": rep(":"), "colons": rep("a:\n"),
		"block": "a: |\n" + rep("  x\n")[:n-10], "folded": "a: >\n" + rep("  x\n")[:n-10], "question": rep("? "), "bang": rep("!"), "tags": rep("!a "), "amp": rep("&"), "stairs": stairs(1400),
		"docs": rep("---\n"), "pct": rep("%a\n"), "multi": "a: " + rep("x\n "), "commas": "[" + rep(",")[:n-1], "items": "zones: [" + rep("{id: a},")[:n-16] + "{}]",
		"strs": "a: [" + rep("x, ")[:n-10] + "y]", "credential": rep("credentials: "), "braces": rep("attribute_analysis{"), "escapes": "a: \"" + rep("\\u0041")[:n-10] + "\"", "cr": rep("\r"),
		"flow": flow, "flow lines": strings.ReplaceAll(flow, " ", "\n"), "stairs up": strings.Repeat(stairs(300), 5), "merge": "a: &a {}\nb: {" + rep("<<: *a, ")[:n-30] + "}", "keys in items": rep("- a: 1\n  b: 2\n"), "long key": "? " + rep("a "), "hash": rep(" #"),
	} {
		if len(s) > n {
			s = s[:n]
		}
		t0 := time.Now()
		_, err := Parse([]byte(s), "x")
		d := time.Since(t0)
		if d > 300*time.Millisecond {
			t.Logf("%-10s %8d %v %.100v", name, len(s), d, err)
		}
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
