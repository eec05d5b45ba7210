package lapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/jsonkeep"
)

// Report is what a push of a terminal or a camera shows: names and whether something is there, nothing of a person.
type Report struct {
	Faces      int      // entries about faces
	Pictures   bool     // with a picture of the face
	Attributes []string // that are filled in, as package audit names them
	Compared   bool     // a face was compared with a library
	Card       bool     // a card or a document was shown besides
	Person     bool     // it names somebody
	Failed     bool     // every comparison found nobody
	Template   bool
	Past       bool // kept from before, and sent now
}

const (
	maxReport = 40_000 // members
	maxDeep   = 24
)

// pushes are the paths that devices push to, of either version of the interface; nobody but they does. Others below
// PACS/Controller are questions and orders to a terminal.
var pushes = regexp.MustCompile(`^/LAPI/V1\.\d/(?:PACS/Controller/(?:HeartReportInfo|Event/)|System/Event/Notification(?:/|$))`)

// Pushed reports a path that devices push to: terminals to PACS/Controller, cameras and terminals to System/Event.
func Pushed(path string) bool { return pushes.MatchString(path) }

// faceAttributes are members of a face that were read from it, by what package audit calls them. A value of 0 is unknown, 9 not
// told apart, 255 invalid; of the mask 1 is that none was seen. Source: the maker's SDK (NETDEV_FACE_ATTR_S, 2019), and the
// terminals' interface as two integrations quote it; from memory: hats, beards, hair, expressions, complexion.
var (
	faceAttributes = map[string]string{"gender": audit.AttrGender, "age": audit.AttrAge, "agerange": audit.AttrAge, "glassflag": audit.AttrAccessory, "glassesflag": audit.AttrAccessory,
		"glassesstyle": audit.AttrAccessory, "maskflag": audit.AttrAccessory, "capstyle": audit.AttrAccessory, "hatflag": audit.AttrAccessory, "beardflag": audit.AttrFeatures,
		"hairlength": audit.AttrFeatures, "emotion": audit.AttrEmotion, "expression": audit.AttrExpression, "skincolor": audit.AttrComplexion}
	unread = []string{"", "0", "9", "255", "unknown"}
	nobody = []string{"", "0", "-1", "4294967295"}
)

// Values of MatchStatus: a comparison that found somebody (1; 3 at the wrong hour; 7 by face alone; 10 with a mask missing), and one
// that found nobody (2; 8 by face alone). 0 is none; 4 to 6, 9, 11 say that something else stopped it, and 21 to 27 are of
// enrolment. Source: the terminals' interface as two integrations quote it.
var (
	found  = []int{1, 3, 7, 10}
	failed = []int{2, 8}
	byFace = []int{7, 8}
)

// ReadReport reads a push. It fails for what is no JSON object, or not whole; a report without faces is of no further interest.
func ReadReport(b []byte) (Report, error) {
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		return Report{}, fmt.Errorf("lapi: reading a push: %w", err)
	}
	w := pushed{}
	w.walk("", v, false, 0)
	w.r.Past = number(v["NotificationType"]) == 1
	w.compared()
	slices.Sort(w.r.Attributes)
	w.r.Attributes = slices.Compact(w.r.Attributes)
	return w.r, nil
}

type pushed struct {
	r       Report
	matches []match
	nodes   int
}

// match is one entry of a list of comparisons.
type match struct {
	status int // -1: none
	person bool
}

// compared reads the comparisons. That somebody was found by a card is no comparison of a face: without a face in the push, only
// a status counts that says so.
func (w *pushed) compared() {
	somebody := false
	for _, m := range w.matches {
		is := slices.Contains(found, m.status) || slices.Contains(failed, m.status) || m.status < 0 && m.person
		if !is || w.r.Faces == 0 && !slices.Contains(byFace, m.status) {
			continue
		}
		w.r.Compared = true
		somebody = somebody || m.person && !slices.Contains(failed, m.status)
	}
	w.r.Person = somebody
	w.r.Failed = w.r.Compared && !somebody
}

func (w *pushed) walk(name string, v any, face bool, depth int) {
	if w.nodes++; depth > maxDeep || w.nodes > maxReport {
		return
	}
	name = strings.ToLower(name)
	switch t := v.(type) {
	case []any:
		switch {
		case len(t) == 0:
			return
		case name == "cardinfolist":
			w.r.Card = true
			return
		case name == "libmatinfolist":
			w.match(t)
			return
		}
		for _, x := range t {
			m, is := x.(map[string]any)
			one := name == "faceinfolist" && is && len(m) > 0
			w.r.Faces += count(one)
			w.walk(name, x, face || one, depth+1)
		}
	case map[string]any:
		if face && strings.HasPrefix(name, "faceimage") && number(t["Size"]) > 0 {
			w.r.Pictures = true
		}
		for _, k := range slices.Sorted(maps.Keys(t)) {
			if face {
				w.member(strings.ToLower(k), t[k])
			}
			w.walk(k, t[k], face, depth+1)
		}
	}
}

// member looks at one member of a face.
func (w *pushed) member(k string, v any) {
	s := strings.ToLower(plain(v))
	if a := faceAttributes[k]; a != "" && !slices.Contains(unread, s) {
		w.r.Attributes = append(w.r.Attributes, a)
	}
	switch k {
	case "feature":
		w.r.Template = w.r.Template || s != ""
	case "smallpicattachindex": // where in the list of pictures that of the face is, counted from 1
		w.r.Pictures = w.r.Pictures || number(v) > 0
	}
}

// match notes the comparisons of a push.
func (w *pushed) match(list []any) {
	for _, x := range list[:min(len(list), 64)] {
		m, _ := x.(map[string]any)
		if len(m) == 0 {
			continue
		}
		one := match{status: -1, person: !slices.Contains(nobody, plain(m["MatchPersonID"]))}
		if m["MatchStatus"] != nil {
			one.status = number(m["MatchStatus"])
		}
		w.matches = append(w.matches, one)
	}
}

func plain(v any) string {
	switch t := v.(type) {
	case string:
		return strings.TrimSpace(t)
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	}
	return ""
}

// number is a number, or a text that is one; 0 for anything else.
func number(v any) int {
	n, err := strconv.ParseFloat(plain(v), 64)
	if err != nil || n != n || n < -1e9 || n > 1e10 {
		return 0
	}
	return int(n)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ReadReportCut reads what is complete of a push that was cut off. Its faces count where it says before them that it is no record of
// the past; of comparisons nothing counts, since what stands behind them says of what kind they were.
func ReadReportCut(b []byte) (Report, error) {
	b = jsonkeep.Closed(b)
	var head struct{ NotificationType *int }
	if err := json.Unmarshal(b, &head); err != nil {
		return Report{}, fmt.Errorf("lapi: reading a push that was cut: %w", err)
	}
	if head.NotificationType == nil {
		return Report{}, errors.New("lapi: a push that was cut does not say what it is")
	}
	r, err := ReadReport(b)
	r.Compared, r.Card, r.Person, r.Failed = false, false, false, false
	return r, err
}
