package site

import (
	"regexp"
	"strings"
	"unicode"
)

const masked = "****"

var (
	// sensitiveKey finds keys whose value may be a secret, wherever on the line they stand.
	sensitiveKey = regexp.MustCompile(`(?i)["']?[\w-]*(passwo?r?d|passwd|pwd|secret|token|credential|login|密码|口令)[\w-]*["']?\s*[:：]`)
	// reference is what may be shown of a login: where it is kept, not what it is.
	reference = `["']?(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s,}"':]+)["']?`
	safeValue = regexp.MustCompile(`^\s*` + reference + `\s*(#.*)?$`)
	safeRest  = regexp.MustCompile(`^\s*` + reference + `\s*[,}\]]`)
	safeFlow  = regexp.MustCompile(`^\s*\{(\s*[\w.-]+\s*:\s*` + reference + `\s*,?)*\s*\}\s*[,}\]]*\s*(#.*)?$`)
	safePair  = regexp.MustCompile(`^\s*(-\s+)?[\w.-]+\s*:\s*` + reference + `\s*[,}\]]*\s*(#.*)?$`)
	emptyRest = regexp.MustCompile(`^\s*(&\w+\s*)?(#.*)?$`)
)

// mask returns the lines as they may be shown: what stands where a login is written, and is not a reference to one, is
// replaced. It works on lines, not on the parsed file, so that it also holds where the file cannot be parsed; it rather
// hides too much.
func mask(lines []string) []string {
	out := make([]string, len(lines))
	block := -1 // indentation of the key whose deeper lines hold logins
	for i, l := range lines {
		indent := len(l) - len(strings.TrimLeft(l, " \t"))
		if block >= 0 && strings.TrimSpace(l) != "" && indent <= block {
			block = -1
		}
		switch {
		case block < 0:
			var open bool
			if out[i], open = maskLine(l); open {
				block = indent
			}
		case strings.TrimSpace(l) == "" || strings.HasPrefix(strings.TrimSpace(l), "#") || safePair.MatchString(l):
			out[i] = l
		default:
			out[i] = l[:indent] + maskPair(l[indent:])
		}
		out[i] = strings.Map(printable, out[i])
	}
	return out
}

// maskLine masks the values of sensitive keys of one line; open says that a value may go on below it.
func maskLine(l string) (shown string, open bool) {
	at := 0
	for {
		m := sensitiveKey.FindStringIndex(l[at:])
		if m == nil {
			return l, open
		}
		end := at + m[1]
		rest := l[end:]
		switch {
		case emptyRest.MatchString(rest):
			return l, true
		case safeValue.MatchString(rest), safeFlow.MatchString(rest):
			return l, open
		case safeRest.MatchString(rest):
			at = end
			continue
		}
		return l[:end] + " " + masked, true
	}
}

func maskPair(s string) string {
	if k, _, ok := strings.Cut(s, ":"); ok && keyWord.MatchString(k) {
		return k + ": " + masked
	}
	return masked
}

var keyWord = regexp.MustCompile(`^(-\s+)?\w[\w.-]{0,31}$`)

// printable keeps a character that cannot change how the rest of a line looks, and shows a space for others, so that the
// caret still stands under its place.
func printable(r rune) rune {
	if r == '\t' || !unicode.IsPrint(r) {
		return ' '
	}
	return r
}
