package audit

import (
	"fmt"
)

// Text is a sentence in both languages of the program.
type Text struct {
	ZH string `json:"zh" yaml:"zh"`
	EN string `json:"en" yaml:"en"`
}

// In returns the text in the language ("zh" or anything else for English).
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// IsZero reports whether neither language has a text.
func (t Text) IsZero() bool { return t == Text{} }

// enum (un)marshals a closed vocabulary by name; the first name is the cautious zero value.
func parseEnum[T ~int](kind string, names []string, b []byte) (T, error) {
	for i, n := range names {
		if n == string(b) {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q", kind, b)
}

func enumName[T ~int](kind string, names []string, v T) string {
	if int(v) < 0 || int(v) >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, int(v))
	}
	return names[v]
}
