package knowledge

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Model is what is known of a model or a series: what it could do, and who says so.
type Model struct {
	Vendor    string
	Functions []audit.Function
	Source    string // where it is known from, with the date
	Note      audit.Text

	pattern string
	whole   *regexp.Regexp
}

// Model returns what is known of a model of a maker. Names are compared without case and whole: part of a name is another model.
func (s *Set) Model(vendor, model string) (Model, bool) {
	model = strings.TrimSpace(model)
	if model == "" {
		return Model{}, false
	}
	vendor = s.Fingerprints.Canonical(vendor)
	for _, m := range s.models {
		if m.Vendor == vendor && m.whole.MatchString(model) {
			return m, true
		}
	}
	return Model{}, false
}

func (s *Set) loadModels(b []byte) error {
	var f struct {
		About  header `yaml:",inline"`
		Models []struct {
			Vendor    string           `yaml:"vendor"`
			Pattern   string           `yaml:"pattern"`
			Functions []audit.Function `yaml:"functions"`
			Source    string           `yaml:"source"`
			Date      string           `yaml:"date"`
			Note      note             `yaml:"note"`
		} `yaml:"models"`
	}
	if err := decode(b, &f); err != nil {
		return err
	}
	if err := f.About.check("mingshi.models/v1"); err != nil {
		return err
	}
	for i, y := range f.Models {
		m := Model{Vendor: y.Vendor, Functions: y.Functions, Source: y.Source + ", " + y.Date, Note: audit.Text{ZH: y.Note.ZH, EN: y.Note.EN}, pattern: y.Pattern}
		re, err := regexp.Compile("(?i)^(?:" + y.Pattern + ")$")
		switch {
		case err != nil:
		case y.Vendor == "" || s.Fingerprints.Canonical(y.Vendor) != y.Vendor:
			err = fmt.Errorf("vendor %q is not how the maker is spelled here", y.Vendor)
		case y.Pattern == "" || literal(y.Pattern) < 2:
			err = errors.New("a pattern needs two characters of its own at the beginning")
		case len(y.Functions) == 0:
			err = errors.New("no function")
		case slices.ContainsFunc(y.Functions, func(f audit.Function) bool { return !slices.Contains(audit.Functions(), f) }):
			err = fmt.Errorf("functions %v", y.Functions)
		case slices.ContainsFunc(s.models, func(o Model) bool { return o.Vendor == y.Vendor && o.pattern == y.Pattern }):
			err = errors.New("listed twice")
		default:
			err = sourced(y.Source, y.Date)
		}
		if err != nil {
			return fmt.Errorf("model %d (%s): %w", i+1, y.Pattern, err)
		}
		m.whole = re
		s.models = append(s.models, m)
	}
	return nil
}

// literal counts the characters a pattern fixes before the first that stands for others; what may be left out at the beginning
// does not count.
func literal(pattern string) int {
	for strings.HasPrefix(pattern, "(?:") {
		_, rest, ok := strings.Cut(pattern, ")?")
		if !ok {
			break
		}
		pattern = rest
	}
	if i := strings.IndexAny(pattern, `\.[](){}*+?|^$`); i >= 0 {
		pattern = pattern[:i]
	}
	return len(strings.Trim(pattern, " -"))
}
