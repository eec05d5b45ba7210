package lapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Report is what a push of a terminal or a camera shows: names and whether something is there, nothing of a person.
type Report struct {
	Faces      int      // entries about faces
	Pictures   bool     // with a picture of the face
	Attributes []string // that are filled in, as package audit names them
	Compared   bool     // a comparison with a library
	Card       bool     // a card was shown besides
	Person     bool     // it names somebody
	Failed     bool     // every comparison found nobody
	Template   bool
}

const maxReport = 40_000 // members

// PushPrefix begins the path of everything devices push; terminals to PACS/Controller, cameras to System/Event.
const PushPrefix = "/LAPI/V1.0/"

// pushAttributes are members of a face that were read from it, by what package audit calls them; nobodys are values that say nothing.
// The names are those of the maker's interface for structured data, from memory but MaskFlag (terminals).
var (
	pushAttributes = map[string]string{"gender": audit.AttrGender, "age": audit.AttrAge, "agerange": audit.AttrAge, "glassflag": audit.AttrAccessory, "glassesflag": audit.AttrAccessory,
		"glassesstyle": audit.AttrAccessory, "capstyle": audit.AttrAccessory, "hatflag": audit.AttrAccessory, "beardflag": audit.AttrFeatures, "hairlength": audit.AttrFeatures, "emotion": audit.AttrEmotion,
		"expression": audit.AttrExpression, "skincolor": audit.AttrComplexion}
	nobodys = []string{"", "0", "9", "99", "255", "unknown"}
)

// masked is the value of MaskFlag that says that a mask was seen; 1, that none was, is also written where nobody looked.
const masked = "2"

// ReadReport reads a push. It fails for what is no JSON object, or not whole; a report without faces is of no further interest.
func ReadReport(b []byte) (Report, error) {
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		return Report{}, fmt.Errorf("lapi: reading a push: %w", err)
	}
	w := pushed{failed: true}
	w.walk("", v, false, 0)
	w.r.Failed = w.r.Compared && w.failed
	slices.Sort(w.r.Attributes)
	w.r.Attributes = slices.Compact(w.r.Attributes)
	return w.r, nil
}

type pushed struct {
	r      Report
	failed bool
	nodes  int
}

func (w *pushed) walk(name string, v any, face bool, depth int) {
	if w.nodes++; depth > 24 || w.nodes > maxReport {
		return
	}
	name = strings.ToLower(name)
	switch t := v.(type) {
	case []any:
		switch {
		case len(t) == 0:
			return
		case name == "faceinfolist":
			w.r.Faces += len(t)
			face = true
		case name == "cardinfolist":
			w.r.Card = true
			return
		case name == "libmatinfolist":
			w.matches(t)
			return
		}
		for _, x := range t {
			w.walk(name, x, face, depth+1)
		}
	case map[string]any:
		if face && strings.HasPrefix(name, "faceimage") && number(t["Size"]) > 0 {
			w.r.Pictures = true
		}
		for k, x := range t {
			w.member(strings.ToLower(k), x, face)
			w.walk(k, x, face, depth+1)
		}
	}
}

// member looks at one member of an object.
func (w *pushed) member(k string, v any, face bool) {
	if !face {
		return
	}
	s := strings.ToLower(plain(v))
	if a := pushAttributes[k]; a != "" && !slices.Contains(nobodys, s) {
		w.r.Attributes = append(w.r.Attributes, a)
	}
	if k == "maskflag" && s == masked {
		w.r.Attributes = append(w.r.Attributes, audit.AttrAccessory)
	}
	if k == "feature" || k == "featureinfo" {
		w.r.Template = w.r.Template || s != ""
	}
}

// matches reads the comparisons of a push. A status of 0 is an entry that is there and says nothing.
func (w *pushed) matches(list []any) {
	for _, x := range list {
		m, _ := x.(map[string]any)
		if len(m) == 0 || m["MatchStatus"] != nil && number(m["MatchStatus"]) == 0 {
			continue
		}
		w.r.Compared = true
		if number(m["MatchPersonID"]) > 0 {
			w.failed = false
			w.r.Person = true
		}
	}
}

func plain(v any) string {
	switch t := v.(type) {
	case string:
		return strings.TrimSpace(t)
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.2f", t), ".00")
	}
	return ""
}

func number(v any) int {
	n, _ := v.(float64)
	return int(n)
}
