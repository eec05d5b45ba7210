package site

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Problem is one thing that is wrong in a site file. No field holds a password, even where the file does.
type Problem struct {
	Line    int        `json:"line"` // from 1
	Col     int        `json:"col"`  // from 1, in characters
	Path    string     `json:"path"` // "inventory[0].address"; empty for the file as a whole
	Text    audit.Text `json:"text"`
	Excerpt string     `json:"excerpt"` // the line with its neighbours and a caret under the place
}

// Errors holds every problem of a site file.
type Errors struct {
	Name     string
	Problems []Problem
}

// Error lists the problems in English, one a line, without excerpts.
func (e *Errors) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = e.Line(p, "en")
	}
	return strings.Join(lines, "\n")
}

// In returns the problems with their excerpts in one language, "zh" or "en", ready for a terminal.
func (e *Errors) In(lang string) string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Line(p, lang) + "\n")
		if p.Excerpt != "" {
			b.WriteString(p.Excerpt + "\n")
		}
	}
	return b.String()
}

// Line returns one problem as "file:line:column: path: text".
func (e *Errors) Line(p Problem, lang string) string {
	s := fmt.Sprintf("%s:%d:%d: ", clean.Text(e.Name, 300), p.Line, p.Col)
	if p.Path != "" {
		s += p.Path + ": "
	}
	return s + p.Text.In(lang)
}

func problemAt(line, col int, id string, args ...any) Problem {
	return Problem{Line: line, Col: col, Text: msg.Text(id, args...)}
}

func compareProblems(a, b Problem) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text.EN, b.Text.EN))
}

// source is the file as a person sees it.
type source struct {
	text   string
	lines  []string
	shown  []string // lines fit to be printed: secrets masked, controls and terminal sequences gone
	widths []int    // characters of each line
	braced bool     // what the parser reads went through braces
}

func newSource(text string) *source {
	s := &source{text: text, lines: strings.Split(text, "\n")}
	s.shown = mask(s.lines)
	for _, l := range s.lines {
		s.widths = append(s.widths, utf8.RuneCountInString(l))
	}
	s.braced = canBrace(text)
	return s
}

// excerpt fills in the problem's excerpt: up to two lines before and one after, a caret under the place.
func (s *source) excerpt(p Problem) Problem {
	if p.Line < 1 || p.Line > len(s.lines) {
		return p
	}
	var b strings.Builder
	from := max(0, p.Col-1-maxLine*3/4) // of a long line, the part around the place is shown
	for n := max(1, p.Line-2); n <= min(len(s.lines), p.Line+1); n++ {
		mark := " "
		if n == p.Line {
			mark = ">"
		}
		line := s.shown[n-1]
		if n == len(s.lines) && line == "" && n != p.Line {
			break
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s %4d | %s", mark, n, cut(line, from)), " ") + "\n")
		if n == p.Line {
			b.WriteString("       | " + strings.Repeat(" ", columns(cut(s.lines[n-1], from), p.Col-1-from)) + "^\n")
		}
	}
	p.Excerpt = strings.TrimRight(b.String(), "\n")
	return p
}

// cut returns at most maxLine characters of a line, from the given one on.
func cut(s string, from int) string {
	r := []rune(s)
	end := min(len(r), from+maxLine)
	switch {
	case from >= len(r):
		return ""
	case end < len(r):
		return string(r[from:end]) + "…"
	}
	return string(r[from:end])
}

// columns returns how wide the first n characters of a line are on a terminal, where most Chinese characters take two places.
func columns(line string, n int) int {
	w := 0
	for _, r := range line {
		if n--; n < 0 {
			break
		}
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			w += 2
		default:
			w++
		}
	}
	return w
}

const maxLine = 160
