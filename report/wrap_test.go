package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var wraps = []struct {
	name, in string
	width    int
	want     string
}{
	{"fits", "短句", 10, "短句"},
	{"chinese breaks anywhere", "设备具备该能力", 8, "设备具备\n该能力"},
	{"no punctuation at the start of a line", "设备具备，该能力", 8, "设备具\n备，该能\n力"},
	{"no opening bracket at the end of a line", "设备具（该能力）", 8, "设备具\n（该能\n力）"},
	{"english breaks at spaces", "the device is capable", 10, "the device\nis capable"},
	{"a word longer than the line is cut", "abcdefghij", 4, "abcd\nefgh\nij"},
	{"colours take no room", "\x1b[31mab\x1b[0m cd", 5, "\x1b[31mab\x1b[0m cd"},
	{"line feeds stay", "a\nb", 5, "a\nb"},
	{"empty", "", 5, ""},
	{"one column", "中文", 1, "中文"},
}

func TestWrap(t *testing.T) {
	narrow()
	for _, c := range wraps {
		if d := cmp.Diff(c.want, wrap(c.in, c.width)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// FuzzWrap: no line is wider than it may be, and nothing but spaces is lost.
func FuzzWrap(f *testing.F) {
	for _, c := range wraps {
		f.Add(c.in, c.width)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		narrow()
		s = oneLine(s) // as every text of a report is
		if width < 2 || width > 200 {
			return
		}
		got := wrap(s, width)
		for l := range strings.SplitSeq(got, "\n") {
			if columns(l) > width {
				t.Errorf("%d columns of %d: %q", columns(l), width, l)
			}
		}
		squeeze := strings.NewReplacer(" ", "", "\n", "")
		if d := cmp.Diff(squeeze.Replace(s), squeeze.Replace(got)); d != "" {
			t.Error(d)
		}
	})
}
