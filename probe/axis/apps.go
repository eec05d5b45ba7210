package axis

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/vapix"
)

//go:embed apps.yaml
var embedded []byte

// Catalogue says what applications do with faces. It is not changed after it was read and safe for concurrent use.
type Catalogue struct {
	entries []entry
	none    []string // packages of Axis that do nothing with faces, in lower case
}

type entry struct {
	name, title, vendor *regexp.Regexp // nil matches all
	runs, can           []audit.Function
}

// Load returns the embedded catalogue, read once.
func Load() (*Catalogue, error) { return load() }

var load = sync.OnceValues(func() (*Catalogue, error) { return ReadCatalogue(embedded) })

// ReadCatalogue reads a catalogue. It fails on an unknown key, an unknown function, an entry that matches everything or says
// nothing, an expression that does not compile, and where source or date are missing.
func ReadCatalogue(b []byte) (*Catalogue, error) {
	var f struct {
		Schema       string `yaml:"schema"`
		Source       string `yaml:"source"`
		Date         string `yaml:"date"`
		Applications []struct {
			Name   string           `yaml:"name"`
			Title  string           `yaml:"title"`
			Vendor string           `yaml:"vendor"`
			Runs   []audit.Function `yaml:"runs"`
			Can    []audit.Function `yaml:"can"`
		} `yaml:"applications"`
		None []string `yaml:"none"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&f); err != nil {
		return nil, fmt.Errorf("axis: reading applications: %w", err)
	}
	if f.Schema != "mingshi.acap/v1" || f.Source == "" {
		return nil, fmt.Errorf("axis: applications: schema %q without a source, or of another kind", f.Schema)
	}
	if _, err := time.Parse(time.DateOnly, f.Date); err != nil {
		return nil, fmt.Errorf("axis: applications: date: %w", err)
	}
	c := &Catalogue{}
	for _, n := range f.None {
		c.none = append(c.none, strings.ToLower(n))
	}
	for i, x := range f.Applications {
		e := entry{runs: x.Runs, can: x.Can}
		var errs []error
		for _, p := range []struct {
			text string
			to   **regexp.Regexp
		}{{x.Name, &e.name}, {x.Title, &e.title}, {x.Vendor, &e.vendor}} {
			if p.text != "" {
				var err error
				*p.to, err = regexp.Compile(`(?i)^(?:` + p.text + `)$`)
				errs = append(errs, err)
			}
		}
		for _, fn := range slices.Concat(x.Runs, x.Can) {
			if !slices.Contains(audit.Functions(), fn) {
				errs = append(errs, fmt.Errorf("function %q", fn))
			}
		}
		if x.Name+x.Title+x.Vendor == "" || len(x.Runs)+len(x.Can) == 0 {
			errs = append(errs, errors.New("an entry that matches everything, or says nothing"))
		}
		if err := errors.Join(errs...); err != nil {
			return nil, fmt.Errorf("axis: applications: entry %d: %w", i+1, err)
		}
		c.entries = append(c.entries, e)
	}
	return c, nil
}

// Use is what an application does with faces, as the catalogue knows it.
type Use struct {
	Runs []audit.Function // whenever it runs
	Can  []audit.Function // if it is set so; holds those of Runs
	None bool             // known to do nothing with faces
}

// Use looks an application up. The zero Use is for one that is not in the catalogue. The first entry that matches counts.
func (c *Catalogue) Use(a vapix.Application) Use {
	is := func(r *regexp.Regexp, text string) bool { return r == nil || r.MatchString(strings.TrimSpace(text)) }
	for _, e := range c.entries {
		if is(e.name, a.Name) && is(e.title, a.Title) && is(e.vendor, a.Vendor) {
			can := slices.Concat(e.runs, e.can)
			slices.Sort(can)
			return Use{Runs: e.runs, Can: slices.Compact(can)}
		}
	}
	return Use{None: fingerprint.Canonical(a.Vendor) == makers[0] && slices.Contains(c.none, strings.ToLower(a.Name))}
}
