package report

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
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
