package onvif

import (
	"regexp"
	"strings"
	"unicode"
)

// words splits a type, topic or parameter name into lower-case words: at punctuation and where CamelCase turns. "face" must
// be a word of its own: it is also the end of "interface" and "surface".
func words(s string) []string {
	var out []string
	var w []rune
	flush := func() {
		if len(w) > 0 {
			out = append(out, strings.ToLower(string(w)))
			w = w[:0]
		}
	}
	rs := []rune(s)
	for i, r := range rs {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if i > 0 && len(w) > 0 {
			p := rs[i-1]
			switch {
			case unicode.IsUpper(r) && (unicode.IsLower(p) || unicode.IsDigit(p)), // faceDetect
				unicode.IsUpper(r) && unicode.IsUpper(p) && i+1 < len(rs) && unicode.IsLower(rs[i+1]), // FDAlarm
				unicode.IsDigit(r) != unicode.IsDigit(p):
				flush()
			}
		}
		w = append(w, r)
	}
	flush()
	return out
}

// faceWord matches a word that is about faces, also where an application writes its whole name in lower case
// ("facedetector"). It is anchored at the start, so "surface" and "interface" do not match, nor does "facet" or "facebook".
var faceWord = regexp.MustCompile(`^(human|is)?(fac(e|es|ial)|renlian)(detect\w*|detection\w*|recogni\w*|captur\w*|analy\w*|snap\w*|compar\w*|match\w*|attribut\w*|identif\w*|verif\w*|alarm|mask|id|count\w*|track\w*|engine|module|rule)?$`)

// hasFace reports whether a name speaks of faces. 人脸 counts; 'FD' only as Uniview and its kin write it, "IsFDAlarm".
func hasFace(s string) bool {
	if strings.Contains(s, "人脸") || strings.EqualFold(s, "IsFDAlarm") {
		return true
	}
	for _, w := range words(s) {
		if faceWord.MatchString(w) {
			return true
		}
	}
	return false
}

// hasWord reports whether a name holds a word that begins with one of the stems.
func hasWord(s string, stems ...string) bool {
	for _, w := range words(s) {
		for _, st := range stems {
			if strings.HasPrefix(w, st) {
				return true
			}
			// "facerecognition" in one word
			if i := strings.Index(w, st); i > 0 && faceWord.MatchString(w) {
				return true
			}
		}
	}
	return false
}

// isFaceClass reports whether an object class is a face: tt:ObjectType HumanFace or the older tt:ClassType Face. "Head" and
// "Human" are not.
func isFaceClass(s string) bool {
	if _, local, ok := strings.Cut(s, ":"); ok {
		s = local
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "face", "faces", "humanface", "human_face", "human face", "human-face", "personface", "人脸":
		return true
	}
	return false
}

// splitList splits a parameter value that lists classes.
func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;|[]\"", r) })
}

// normalTopic drops prefixes and white space: "tns1:RuleEngine/tnsx:MyRuleDetector/ FaceDetect" becomes
// "RuleEngine/MyRuleDetector/FaceDetect". Devices omit declarations, so prefixes prove nothing.
func normalTopic(s string) string {
	var out []string
	for _, seg := range strings.Split(s, "/") {
		seg = strings.Join(strings.Fields(seg), "")
		if i := strings.LastIndex(seg, ":"); i >= 0 {
			seg = seg[i+1:]
		}
		if seg = name(seg); seg != "" && seg != "." && len(out) < 16 {
			out = append(out, seg)
		}
	}
	return strings.Join(out, "/")
}
