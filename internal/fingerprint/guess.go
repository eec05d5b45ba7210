package fingerprint

import "github.com/mingshi-audit/mingshi/audit"

// Guess is a match as an observation stores it.
type Guess struct {
	Vendor   string     `json:"vendor"`
	Kind     audit.Kind `json:"kind,omitempty"`
	What     string     `json:"what,omitempty"`
	Strength string     `json:"strength"`
	Source   string     `json:"source"`
}

// Guesses returns matches as an observation stores them, in their order; nil for none.
func Guesses(ms []Match) []Guess {
	var out []Guess
	for _, m := range ms {
		out = append(out, Guess{m.Vendor, m.Kind, m.What, m.Strength.String(), m.Source})
	}
	return out
}
