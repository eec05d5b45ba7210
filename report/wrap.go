package report

import (
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// wrap breaks s into lines of at most width columns: at spaces, and between any two wide characters, but never before a
// closing punctuation mark or after an opening one. A word longer than a line is cut. It is a table.WidthEnforcer.
func wrap(s string, width int) string {
	if width < 2 {
		return s
	}
	var lines []string
	for _, par := range strings.Split(s, "\n") {
		lines = append(lines, wrapLine([]rune(par), width)...)
	}
	return strings.Join(lines, "\n")
}

func wrapLine(rs []rune, width int) []string {
	var lines []string
	for len(rs) > 0 {
		n := fit(rs, width)
		if n == 0 { // a wide character in a one-column line
			n = 1
		}
		if n < len(rs) {
			for b := n; b > 0; b-- {
				if breakable(rs, b) {
					n = b
					break
				}
			}
		}
		lines = append(lines, strings.TrimRight(string(rs[:n]), " "))
		for n < len(rs) && rs[n] == ' ' {
			n++
		}
		rs = rs[n:]
	}
	if lines == nil {
		return []string{""}
	}
	return lines
}

// fit returns how many runes fit into width columns; colour sequences take none.
func fit(rs []rune, width int) int {
	cols, n, escape := 0, 0, false
	for ; n < len(rs); n++ {
		switch {
		case rs[n] == 0x1b:
			escape = true
		case escape:
			escape = rs[n] != 'm'
		default:
			if cols += text.RuneWidth(rs[n]); cols > width {
				return n
			}
		}
	}
	return n
}

// breakable reports whether a line may end before rs[i].
func breakable(rs []rune, i int) bool {
	before, after := rs[i-1], rs[i]
	switch {
	case strings.ContainsRune("，。；：、！？）》”’〕」,.;:!?)]}", after), strings.ContainsRune("（《“‘〔「([{", before):
		return false
	case after == ' ', before == ' ':
		return true
	case wide(before) || wide(after):
		return true
	}
	return strings.ContainsRune("-/,", before) && unicode.IsLetter(after)
}

func wide(r rune) bool { return text.RuneWidth(r) > 1 }

// columns is the width of s on a terminal.
func columns(s string) int { return text.StringWidthWithoutEscSequences(s) }

// snip cuts s to at most width columns.
func snip(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	out, cols := []rune{}, 0
	for _, r := range s {
		if cols += text.RuneWidth(r); cols > width-1 {
			break
		}
		out = append(out, r)
	}
	return strings.TrimRight(string(out), " ") + "…"
}
