package clean

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var cases = []struct {
	name, in string
	max      int
	want     string
}{
	{"plain", "WEB SERVICE", 40, "WEB SERVICE"},
	{"chinese", "网络摄像机 登录", 40, "网络摄像机 登录"},
	{"empty", "", 40, ""},
	{"no room", "abc", 0, ""},
	{"negative room", "abc", -3, ""},
	{"white space", "  a\t\r\n b\u00a0\u3000c\u2028d\u2029e\v\f ", 40, "a b c d e"},
	{"nul and bell", "a\x00b\x07c\x08d\x7f", 40, "abcd"},
	{"colour", "\x1b[31;1mred\x1b[0m", 40, "red"},
	{"clear screen", "\x1b[2J\x1b[Hgone", 40, "gone"},
	{"window title", "\x1b]0;owned\x07ok", 40, "ok"},
	{"link", "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\", 40, "click"},
	{"eight-bit CSI", "\u009b31mred", 40, "red"},
	{"eight-bit OSC", "\u009d0;t\u009cok", 40, "ok"},
	{"device control", "\x1bP1$r0m\x1b\\ok", 40, "ok"},
	{"charset shift", "\x1b(0lqk", 40, "lqk"},
	{"reset", "\x1bcx", 40, "x"},
	{"escape at the end", "x\x1b", 40, "x"},
	{"escape of an escape", "\x1b\x1b[31mx", 40, "x"},
	{"open OSC keeps the text", "\x1b]0;title for ever", 40, "0;title for ever"},
	{"broken CSI keeps the text", "\x1b[31\nabc", 40, "31 abc"},
	{"bidi override", "user\u202etxt.exe", 40, "usertxt.exe"},
	{"bidi isolates", "a\u2066b\u2067c\u2068d\u2069e\u200ef\u200fg\u061ch", 40, "abcdefgh"},
	{"zero width", "hik\u200bvi\u200c\u200dsi\ufeffon\u2060", 40, "hikvision"},
	{"soft hyphen, tags, fillers", "a\u00adb\U000e0041c\u3164d\u2800e", 40, "abcde"},
	{"variation selectors", "a\ufe0fb\U000e0100c", 40, "abc"},
	{"invalid UTF-8", "a\xffb\xc3(\xe2\x82z", 40, "ab(z"},
	{"bytes that would join", "\xe2\x1b[m\x80\xaex", 40, "x"},
	{"surrogate and overlong", "\xed\xa0\x80a\xc0\xaf", 40, "a"},
	{"replacement character is text", "a\ufffdb", 40, "a\ufffdb"},
	{"combining tower", "e" + strings.Repeat("\u0301", 60) + "x", 40, "e\u0301\u0301\u0301\u0301x"},
	{"mark without letter", "\u0301x", 40, "x"},
	{"exact", "abcde", 5, "abcde"},
	{"cut", "abcdef", 5, "abcd…"},
	{"cut at a space", "abcd ef", 6, "abcd…"},
	{"trailing space is no cut", "abcde  ", 5, "abcde"},
	{"trailing control is no cut", "abcde\x00\x1b[0m", 5, "abcde"},
	{"cut counts runes", "摄像机登录页面", 4, "摄像机…"},
	{"one rune", "ab", 1, "…"},
}

func TestText(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Text(c.in, c.max); got != c.want {
				t.Errorf("Text(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
			}
		})
	}
}

// An unterminated sequence in front of another must not make the work grow with the square of the length.
func TestTextLong(t *testing.T) {
	in := strings.Repeat("\x1b]", 1<<20) + "end"
	if got := Text(in, 10); got != "end" {
		t.Errorf("got %q", got)
	}
}

func FuzzText(f *testing.F) {
	for _, c := range cases {
		f.Add(c.in, c.max)
	}
	f.Fuzz(func(t *testing.T, in string, max int) {
		got := Text(in, max)
		if !utf8.ValidString(got) {
			t.Fatalf("%q: not UTF-8", got)
		}
		if n := utf8.RuneCountInString(got); n > 0 && n > max {
			t.Fatalf("%d runes, allowed %d", n, max)
		}
		if strings.TrimSpace(got) != got || strings.Contains(got, "  ") {
			t.Fatalf("%q: white space left", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) && r != ' ' {
				t.Fatalf("%q: holds %U", got, r)
			}
		}
		if again := Text(got, max); again != got {
			t.Fatalf("cleaning again gives %q, first %q", again, got)
		}
	})
}
