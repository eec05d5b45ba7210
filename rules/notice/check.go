package notice

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of a text is read, in bytes; a longer one counts as not fully read.
const maxText = 64 << 10

// maxHits is how many places a cue is looked at; a text with more denials of one thing counts as not fully read.
const maxHits = 300

// Hit is what a text says of one element.
type Hit struct {
	Element Element
	State   State
	Span    string // the words that show it, as written; empty where nothing does
	Denied  bool   // the text says the contrary: a statement, though not the element
}

// Result is what Check found, one Hit per element in the order of Elements, and what the text states in the vocabularies
// of the site file.
type Result struct {
	Hits   []Hit
	Stated Stated
}

// Stated is what a notice states, in the vocabularies of the site file and of face attributes; sorted.
type Stated struct {
	Methods  []string
	Data     []string
	Purposes []string
}

// State returns the state of one element.
func (r Result) State(e Element) State {
	for _, h := range r.Hits {
		if h.Element == e {
			return h.State
		}
	}
	return Unclear
}

// With lists the elements in that state.
func (r Result) With(s State) []string {
	out := []string{}
	for _, h := range r.Hits {
		if h.State == s {
			out = append(out, string(h.Element))
		}
	}
	return out
}

// Denies reports whether the text denies that faces are processed.
func (r Result) Denies() bool {
	return slices.ContainsFunc(r.Hits, func(h Hit) bool { return h.Element == Face && h.Denied })
}

// Check looks for every element in a text, in Chinese and English. full says that the whole text was captured; without it
// what is not found is unclear. It never fails: an empty text that is full lacks everything.
func Check(text string, full bool) Result {
	if len(text) > maxText {
		text, full = strings.ToValidUTF8(text[:maxText], ""), false
	}
	if !utf8.ValidString(text) {
		text, full = strings.ToValidUTF8(text, "\uFFFD"), false
	}
	f := fold(text)
	var r Result
	for _, c := range cues {
		h, open := Hit{Element: c.element, State: Absent}, !full
		for _, re := range []*regexp.Regexp{c.zh, c.en} {
			hits := re.FindAllStringIndex(f.text, maxHits)
			open = open || len(hits) == maxHits
			for _, m := range hits {
				if h.State == Present {
					break
				}
				switch {
				case c.guard && f.denied(m[0], m[1]):
					h.Denied, h.Span = true, f.original(m[0], m[1])
				default:
					h.State, h.Denied, h.Span = Present, false, f.original(m[0], m[1])
				}
			}
		}
		if h.State == Absent && open {
			h.State = Unclear
		}
		r.Hits = append(r.Hits, h)
	}
	r.Stated = Stated{Methods: f.words(methodWords), Data: f.words(dataWords), Purposes: f.words(purposeWords)}
	return r
}

func (f folded) words(ws []word) []string {
	out := []string{}
	for _, w := range ws {
		for _, re := range []*regexp.Regexp{w.zh, w.en} {
			for _, m := range re.FindAllStringIndex(f.text, maxHits) {
				passing := (w.term == Provision || w.term == UploadInternet) && deniedPassing.MatchString(f.clause(m[0]))
				if !passing && !f.denied(m[0], m[1]) {
					out = append(out, w.term)
					break
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// near is how far around a cue a denial or a condition is looked for, in bytes. Sentences on signs are shorter; without a
// bound a text without punctuation would cost the square of its length.
const near = 300

// denied reports whether the cue at these offsets is denied in its clause.
func (f folded) denied(from, to int) bool {
	ahead := f.text[to:min(len(f.text), to+near)]
	if conditional.MatchString(before(f.text, from, "。!?\n")) || conditionAfter(ahead) {
		return false
	}
	clause := notOnly.ReplaceAllString(f.clause(from), "")
	return deniedZH.MatchString(clause) || deniedEN.MatchString(clause) || afterZH.MatchString(ahead) || afterEN.MatchString(ahead)
}

// clause returns what stands before an offset in its clause.
func (f folded) clause(from int) string { return before(f.text, from, ",。;!?\n") }

// before returns what stands before an offset, back to a separator.
func before(s string, from int, separators string) string {
	s = s[max(0, from-near):from]
	i := strings.LastIndexAny(s, separators)
	if i < 0 {
		return s
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return s[i+n:]
}

func conditionAfter(rest string) bool {
	if i := strings.IndexAny(rest, "。.;!?\n"); i >= 0 {
		rest = rest[:i]
	}
	return conditional.MatchString(rest)
}

// folded is a text made easy to search, with the way back to the original.
type folded struct {
	text   string
	orig   []rune
	at     []int // byte offset of each folded rune
	source []int // index into orig of each folded rune
}

// fold maps full-width ASCII to half width, upper to lower case, the traditional characters of the cues to simplified ones,
// and drops white space and line breaks between Chinese characters, which reading a photograph leaves behind.
func fold(s string) folded {
	f := folded{orig: []rune(s)}
	var b strings.Builder
	for i, r := range f.orig {
		if unicode.IsSpace(r) && r != '\n' || r == '\n' && brokenLine(f.orig, i) {
			if i > 0 && i+1 < len(f.orig) && (han(f.orig[i-1]) || han(f.orig[i+1])) {
				continue
			}
			r = ' '
		}
		if unicode.Is(unicode.Cf, r) {
			continue
		}
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		if t, ok := simplified[r]; ok {
			r = t
		}
		f.at = append(f.at, b.Len())
		f.source = append(f.source, i)
		b.WriteRune(unicode.ToLower(r))
	}
	f.text = b.String()
	return f
}

// brokenLine reports whether the line break at i only wraps a sentence: Chinese characters stand on both sides.
func brokenLine(rs []rune, i int) bool {
	return i > 0 && i+1 < len(rs) && han(rs[i-1]) && han(rs[i+1])
}

func han(r rune) bool { return unicode.Is(unicode.Han, r) }

var simplified = map[rune]rune{'臉': '脸', '識': '识', '別': '别', '採': '采', '個': '个', '資': '资', '訊': '讯', '錄': '录', '監': '监',
	'區': '区', '圍': '围', '為': '为', '處': '处', '據': '据', '權': '权', '圖': '图', '齡': '龄', '驗': '验', '證': '证', '較': '较',
	'於': '于', '們': '们', '會': '会', '檢': '检', '測': '测', '歲': '岁', '維': '维', '護': '护', '絕': '绝', '選': '选', '擇': '择', '種': '种',
	'類': '类', '時': '时', '間': '间', '攝': '摄', '視': '视', '頻': '频', '這': '这', '進': '进', '統': '统', '計': '计', '。': '。', '｡': '。'}

// original returns the words as written for byte offsets of the folded text, at most 80 characters.
func (f folded) original(from, to int) string {
	i, _ := slices.BinarySearch(f.at, from)
	j, _ := slices.BinarySearch(f.at, to)
	if i >= len(f.source) || j == 0 {
		return ""
	}
	rs := f.orig[f.source[i] : f.source[j-1]+1]
	return string(rs[:min(len(rs), 80)])
}
