// Package mac reads hardware addresses as devices write them. It belongs below every wire package, since all of them meet
// some.
package mac

import "strings"

// Parse returns a hardware address in lower case with colons, or "" if the text is none. Separators may be missing. The
// address of nobody and that of everybody are none.
func Parse(s string) string {
	var hex []byte
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case c >= '0' && c <= '9' && s[i] >= '0', c >= 'a' && c <= 'f':
			hex = append(hex, c)
		case s[i] == ':' || s[i] == '-' || s[i] == '.' || s[i] == ' ':
		default:
			return ""
		}
	}
	if len(hex) != 12 || string(hex) == "000000000000" || string(hex) == "ffffffffffff" {
		return ""
	}
	var parts []string
	for i := 0; i < 12; i += 2 {
		parts = append(parts, string(hex[i:i+2]))
	}
	return strings.Join(parts, ":")
}

// Bytes is Parse for six bytes; another number of them is none.
func Bytes(b []byte) string {
	const digits = "0123456789abcdef"
	var s []byte
	for _, c := range b {
		s = append(s, digits[c>>4], digits[c&15])
	}
	return Parse(string(s))
}
