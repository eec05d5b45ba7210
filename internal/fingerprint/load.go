package fingerprint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/mingshi-audit/mingshi/audit"
)

// Load returns the embedded data, read once. It fails when a file has an unknown key, an unknown word, a regular expression
// that does not compile, a prefix listed twice, or no source and date.
func Load() (*DB, error) { return embedded() }

var embedded = sync.OnceValues(func() (*DB, error) { return load(data) })

// Files returns the embedded files by name, the folder left out.
func Files() map[string][]byte {
	out := map[string][]byte{}
	entries, err := fs.ReadDir(data, "data")
	for _, e := range entries {
		var b []byte
		if b, err = fs.ReadFile(data, "data/"+e.Name()); err == nil {
			out[e.Name()] = b
		}
	}
	if err != nil {
		panic("fingerprint: " + err.Error()) // what is embedded can be read
	}
	return out
}

// Parse is Load for files of other contents, by name. Files of other names are left alone.
func Parse(files map[string][]byte) (*DB, error) { return load(memory(files)) }

// memory is a file system of the files in data.
type memory map[string][]byte

// Open implements fs.FS; it has nothing to open, for files are read whole.
func (memory) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadFile implements fs.ReadFileFS.
func (m memory) ReadFile(name string) ([]byte, error) {
	if b, ok := m[strings.TrimPrefix(name, "data/")]; ok {
		return b, nil
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
}

func load(fsys fs.FS) (*DB, error) {
	db := &DB{prefixes: map[string]prefix{}, vendors: map[string]string{}}
	var err error
	if err = db.loadPrefixes(fsys, "data/oui.yaml"); err != nil {
		return nil, err
	}
	if db.web, err = loadRules(fsys, "data/web.yaml"); err != nil {
		return nil, err
	}
	if db.rtsp, err = loadRules(fsys, "data/rtsp.yaml"); err != nil {
		return nil, err
	}
	return db, db.loadVendors(fsys, "data/vendors.yaml")
}

// header is what every data file begins with.
type header struct {
	Schema string `yaml:"schema"`
	Source string `yaml:"source"`
	Date   string `yaml:"date"`
}

func (h header) check(schema string) error {
	if h.Schema != schema {
		return fmt.Errorf("schema %q, want %q", h.Schema, schema)
	}
	if h.Source == "" {
		return errors.New("no source")
	}
	if _, err := time.Parse(time.DateOnly, h.Date); err != nil {
		return fmt.Errorf("date: %w", err)
	}
	return nil
}

func (h header) String() string { return strings.TrimSpace(h.Source) + ", " + h.Date }

func decode(fsys fs.FS, name string, into any) error {
	b, err := fs.ReadFile(fsys, name)
	if err == nil {
		err = yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(into)
	}
	if err != nil {
		return fmt.Errorf("fingerprint: reading %s: %w", name, err)
	}
	return nil
}

func (db *DB) loadPrefixes(fsys fs.FS, name string) error {
	var f struct {
		About   header `yaml:",inline"`
		Entries []struct {
			Vendor   string     `yaml:"vendor"`
			Kind     audit.Kind `yaml:"kind"`
			What     string     `yaml:"what"`
			Prefixes string     `yaml:"prefixes"`
		} `yaml:"entries"`
	}
	if err := decode(fsys, name, &f); err != nil {
		return err
	}
	if err := f.About.check("mingshi.oui/v1"); err != nil {
		return fmt.Errorf("fingerprint: %s: %w", name, err)
	}
	for _, e := range f.Entries {
		err := checkKind(e.Kind)
		if e.Vendor == "" {
			err = errors.New("no vendor")
		}
		if err != nil {
			return fmt.Errorf("fingerprint: %s: entry of %q: %w", name, e.Vendor, err)
		}
		for p := range strings.FieldsSeq(e.Prefixes) {
			if !prefixForm.MatchString(p) {
				return fmt.Errorf("fingerprint: %s: vendor %q: prefix %q is not 6, 7 or 9 digits of a global address", name, e.Vendor, p)
			}
			if old, ok := db.prefixes[p]; ok {
				return fmt.Errorf("fingerprint: %s: prefix %s of both %q and %q", name, p, old.vendor, e.Vendor)
			}
			db.prefixes[p] = prefix{e.Vendor, e.Kind, e.What, f.About.String()}
		}
	}
	return nil
}

// prefixForm also holds the two lowest bits of the first byte to zero: global and for one receiver.
var prefixForm = regexp.MustCompile(`^[0-9A-F][048C](?:[0-9A-F]{4}|[0-9A-F]{5}|[0-9A-F]{7})$`)

func checkKind(k audit.Kind) error {
	switch k {
	case "", audit.KindCamera, audit.KindRecorder, audit.KindTerminal, audit.KindServer, audit.KindOther:
		return nil
	}
	return fmt.Errorf("kind %q", k)
}

// rule is one fingerprint: every expression it has must match.
type rule struct {
	m          Match
	conditions []condition
}

type condition struct {
	of func(HTTPFacts) []string
	re *regexp.Regexp
}

func (r rule) match(f HTTPFacts) (Match, bool) {
	m := r.m
	for _, c := range r.conditions {
		i := slices.IndexFunc(c.of(f), c.re.MatchString)
		if i < 0 {
			return Match{}, false
		}
		sub := c.re.FindStringSubmatch(c.of(f)[i])
		for j, n := range c.re.SubexpNames() {
			switch n {
			case "mac":
				m.MAC = colons(sub[j])
			case "serial":
				m.Serial = sub[j]
			}
		}
	}
	return m, true
}

func loadRules(fsys fs.FS, name string) ([]rule, error) {
	var f struct {
		About header `yaml:",inline"`
		Rules []struct {
			Vendor   string            `yaml:"vendor"`
			Kind     audit.Kind        `yaml:"kind"`
			What     string            `yaml:"what"`
			Strength string            `yaml:"strength"`
			Server   string            `yaml:"server"`
			Realm    string            `yaml:"realm"`
			Title    string            `yaml:"title"`
			Body     string            `yaml:"body"`
			Subject  string            `yaml:"subject"`
			Issuer   string            `yaml:"issuer"`
			Header   map[string]string `yaml:"header"`
		} `yaml:"rules"`
	}
	if err := decode(fsys, name, &f); err != nil {
		return nil, err
	}
	if err := f.About.check("mingshi.fingerprint/v1"); err != nil {
		return nil, fmt.Errorf("fingerprint: %s: %w", name, err)
	}
	var out []rule
	for i, y := range f.Rules {
		r := rule{m: Match{Vendor: y.Vendor, Kind: y.Kind, What: y.What, Source: f.About.String()}}
		strength := slices.Index(strengths[:], y.Strength)
		err := checkKind(y.Kind)
		switch {
		case err != nil:
		case y.Vendor == "":
			err = errors.New("no vendor")
		case strength < 0:
			err = fmt.Errorf("strength %q", y.Strength)
		}
		r.m.Strength = Strength(strength)
		for _, c := range []struct {
			expr string
			of   func(HTTPFacts) []string
		}{
			{y.Server, func(f HTTPFacts) []string { return []string{f.Server} }},
			{y.Realm, func(f HTTPFacts) []string { return []string{f.Realm} }},
			{y.Title, func(f HTTPFacts) []string { return []string{f.Title} }},
			{y.Body, func(f HTTPFacts) []string { return []string{f.Body} }},
			{y.Subject, func(f HTTPFacts) []string { return []string{f.Subject} }},
			{y.Issuer, func(f HTTPFacts) []string { return []string{f.Issuer} }},
		} {
			if c.expr != "" {
				err = errors.Join(err, r.add(c.expr, c.of))
			}
		}
		for h, expr := range y.Header {
			err = errors.Join(err, r.add(expr, func(f HTTPFacts) []string { return f.Headers.Values(h) }))
		}
		if err == nil && len(r.conditions) == 0 {
			err = errors.New("no condition")
		}
		if err != nil {
			return nil, fmt.Errorf("fingerprint: %s: rule %d of %q: %w", name, i+1, y.Vendor, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (r *rule) add(expr string, of func(HTTPFacts) []string) error {
	re, err := regexp.Compile(expr)
	if err != nil {
		return err
	}
	if re.MatchString("") {
		return fmt.Errorf("%q matches where there is nothing", expr)
	}
	r.conditions = append(r.conditions, condition{of, re})
	return nil
}
