// Package msg is the one catalogue of the sentences a person reads, in Chinese and in English. A sentence belongs here
// when the program writes it to a terminal or a report; rule texts belong to the packs, which carry both languages
// themselves. Nothing here prints.
package msg

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
)

// areas lists the catalogue's parts, one file each.
var areas = []map[string]audit.Text{cliMessages, siteMessages, guardMessages, discoverMessages, inquiryMessages, discoverCommandMessages, scanMessages, listenMessages, probeMessages, recorderMessages, faceServerMessages, makers2Messages, makerMessages, ruleMessages, reportMessages, labMessages, evidenceMessages, truthMessages, egressMessages, gb28181Messages, vocabulary}

// Text returns the sentence of that id in both languages, with its arguments filled in. Arguments that are audit.Text are
// given in the sentence's own language. An id that is not in the catalogue is a programming error and panics.
func Text(id string, args ...any) audit.Text {
	t, ok := lookup(id)
	if !ok {
		panic("msg: no message " + id)
	}
	if len(args) == 0 {
		return t
	}
	return audit.Text{ZH: fmt.Sprintf(t.ZH, in("zh", args)...), EN: fmt.Sprintf(t.EN, in("en", args)...)}
}

// In returns the sentence in one language, "zh" or "en".
func In(lang, id string, args ...any) string { return Text(id, args...).In(lang) }

// Word returns the vocabulary's word for a term of the site file or of the protocol ("entrance", "age", "suspected"), or the
// term itself in both languages where the vocabulary has none.
func Word(term string) audit.Text {
	if t, ok := vocabulary["word."+term]; ok {
		return t
	}
	return audit.Text{ZH: term, EN: term}
}

// Venue returns the words for a kind of premises. What is not of the list is something else there than among devices.
func Venue(kind string) audit.Text {
	if kind == "other" {
		return Word("premises")
	}
	return Word(kind)
}

// Words joins the words for several terms: with 、 in Chinese, with commas in English.
func Words(terms []string) audit.Text {
	var t audit.Text
	for i, x := range terms {
		if i > 0 {
			t.ZH += "、"
			t.EN += ", "
		}
		w := Word(x)
		t.ZH += w.ZH
		t.EN += w.EN
	}
	return t
}

// IDs lists every id of the catalogue, sorted.
func IDs() []string {
	var out []string
	for _, a := range areas {
		out = slices.AppendSeq(out, maps.Keys(a))
	}
	slices.Sort(out)
	return out
}

func lookup(id string) (audit.Text, bool) {
	for _, a := range areas {
		if t, ok := a[id]; ok {
			return t, true
		}
	}
	return audit.Text{}, false
}

func in(lang string, args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if t, ok := a.(audit.Text); ok {
			a = t.In(lang)
		}
		out[i] = a
	}
	return out
}
