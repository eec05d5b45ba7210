// Package clean makes text that a device chose fit to be shown to a person. A function belongs here when every sink needs
// it: what one sink needs beyond that (HTML, CSV formulas, file names) belongs to the sink. It imports nothing but the
// standard library and may be imported by everyone.
package clean

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSequence bounds how far an unterminated control string is searched for its end: a terminal title is shorter.
	maxSequence = 1024
	// maxMarks bounds combining marks on one letter. No living script needs more; towers of them cover the lines around.
	maxMarks = 4
)

// Text returns s as one line of at most limit runes that prints what it seems to: valid UTF-8 without control characters,
// terminal escape sequences, direction overrides and isolates, invisible and zero-width characters. Runs of white space
// become one space, the ends are trimmed, and a text that was cut ends in "…". With a limit below one it returns "".
// Cleaning twice gives the same as cleaning once.
func Text(s string, limit int) string {
	if limit < 1 {
		return ""
	}
	var b strings.Builder
	var runes, marks int
	space, cut := false, false
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		if n := sequence(s[i:], r, w); n > 0 {
			i += n
			continue
		}
		i += w
		switch {
		case r == utf8.RuneError && w == 1, invisible(r):
			continue
		case unicode.IsSpace(r):
			space = runes > 0
			continue
		case unicode.IsControl(r):
			continue
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks || runes == 0 {
				continue
			}
		default:
			marks = 0
		}
		if space {
			marks = 0
			if runes+1 >= limit {
				cut = true
				break
			}
			b.WriteByte(' ')
			runes++
			space = false
		}
		if cut = runes >= limit; cut {
			break
		}
		b.WriteRune(r)
		runes++
	}
	if !cut {
		return b.String()
	}
	return shorten(b.String(), limit)
}

// shorten leaves room for the ellipsis that tells a reader the text goes on.
func shorten(s string, limit int) string {
	for utf8.RuneCountInString(s) > limit-1 {
		_, w := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-w]
	}
	return strings.TrimSuffix(s, " ") + "…"
}

// sequence returns the length of the terminal control sequence s begins with (ECMA-48, section 5), or 0 if it begins with
// something else. Of a sequence that never ends only the introducer is taken, so that it cannot swallow the text behind it.
func sequence(s string, r rune, w int) int {
	kind := r
	head := w
	switch {
	case r == 0x1b:
		if len(s) < 2 {
			return 1
		}
		kind, head = rune(s[1])+0x40, 2 // ESC [ is the seven-bit form of 0x9b, and so on
	case r < 0x80 || r > 0x9f:
		return 0
	}
	switch kind {
	case 0x9b: // CSI: parameters and intermediates, then one final byte
		for j := head; j < len(s) && j < maxSequence; j++ {
			if s[j] >= 0x40 && s[j] <= 0x7e {
				return j + 1
			}
			if s[j] < 0x20 || s[j] > 0x3f {
				break
			}
		}
		return head
	case 0x90, 0x98, 0x9d, 0x9e, 0x9f: // DCS, SOS, OSC, PM, APC: text until BEL or ST
		for j := head; j < len(s) && j < maxSequence; j++ {
			switch {
			case s[j] == 0x07:
				return j + 1
			case strings.HasPrefix(s[j:], "\x1b\\"), strings.HasPrefix(s[j:], "\u009c"):
				return j + 2
			}
		}
		return head
	}
	if r != 0x1b {
		return w
	}
	j := 1
	for j < len(s) && j < maxSequence && s[j] >= 0x20 && s[j] <= 0x2f {
		j++
	}
	if j < len(s) && s[j] >= 0x30 && s[j] <= 0x7e {
		return j + 1
	}
	return 1
}

// invisible reports characters that change how others are read without being seen: format characters (bidi controls, zero
// width, soft hyphen, tags), fillers, variation selectors, and code points that are no characters.
func invisible(r rune) bool {
	switch {
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Variation_Selector, r),
		unicode.Is(unicode.Noncharacter_Code_Point, r):
		return true
	}
	switch r {
	case 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x2800, 0x3164, 0xffa0:
		return true
	}
	return false
}
