package report

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// same is a text that reads alike in both languages: a name, an address, a digest.
func same(s string) audit.Text { return audit.Text{ZH: s, EN: s} }

// both is a name followed by a text; without the name it is nothing.
func both(name string, t audit.Text) audit.Text {
	if name == "" {
		return audit.Text{}
	}
	return audit.Text{ZH: name + t.ZH, EN: name + t.EN}
}

// brackets sets a text in the brackets of its language.
func brackets(t audit.Text) audit.Text {
	if t.ZH == "" && t.EN == "" {
		return t
	}
	return audit.Text{ZH: "（" + t.ZH + "）", EN: " (" + t.EN + ")"}
}

// span is from one text to another.
func span(from, to audit.Text) audit.Text {
	if from == to {
		return from
	}
	return audit.Text{ZH: from.ZH + " 至 " + to.ZH, EN: from.EN + " to " + to.EN}
}

// list joins names the way each language does.
func list(names []string) audit.Text {
	return audit.Text{ZH: strings.Join(names, "、"), EN: strings.Join(names, ", ")}
}

// join strings sentences or phrases together: semicolons of each language between them.
func join(ts []audit.Text) audit.Text {
	var zh, en []string
	for _, t := range ts {
		zh, en = append(zh, t.ZH), append(en, t.EN)
	}
	return audit.Text{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")}
}

// spaced joins what is not empty with spaces.
func spaced(parts ...string) string {
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// in returns a text in the language, or in the other where it has none: a text that stands in one language only is better
// read in that than not at all.
func in(lang string, t audit.Text) string {
	if s := t.In(lang); s != "" {
		return s
	}
	if t.ZH != "" {
		return t.ZH
	}
	return t.EN
}

// counted is a number with its noun in both languages: "1 device", "3 devices".
func counted(noun string, n int) audit.Text {
	if n == 1 {
		return msg.Text("report.n."+noun+".one", n)
	}
	return msg.Text("report.n."+noun, n)
}

// level is a level's name; what is no level is unknown.
func level(l audit.Level) string {
	if l < audit.Unknown || l > audit.Active {
		l = audit.Unknown
	}
	return l.String()
}

// oneLine makes a path or the like fit to be printed.
func oneLine(s string) string { return clean.Text(s, maxString) }

// digest returns s if it is a hexadecimal digest, and nothing otherwise: it is printed where nobody expects another thing.
func digest(s string) string {
	if len(s) < 16 || len(s) > 128 || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s
}

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// term is the word for a term of one area of the vocabulary ("status", "class"), or the term itself where there is none.
func term(area, s string) audit.Text {
	if t := msg.Word(area + "." + s); t.ZH != area+"."+s {
		return t
	}
	return same(s)
}
