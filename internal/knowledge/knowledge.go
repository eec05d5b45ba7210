// Package knowledge is what the program knows of makers, models and hosts before it asks anything: dated files with their
// sources, which a user may replace. What belongs here is data; what a protocol's words mean belongs to the protocol's package.
package knowledge

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
)

//go:embed data/*.yaml
var own embed.FS

// Set is the data of one run. It is not changed once loaded, and safe for concurrent use.
type Set struct {
	Fingerprints *fingerprint.DB

	models   []Model
	hosts    map[string]Host
	ends     map[string]bool // last two labels of the hosts
	wild     []Host          // those whose suffix has a label that stands for any
	calls    []Call
	called   map[string]bool // hosts that calls are known on
	anywhere []string        // first parts of the paths of calls that are known by their path alone
	files    map[string][]byte
	refs     []audit.DataRef
}

// Builtin returns what is built in, read once.
func Builtin() (*Set, error) { return builtin() }

var builtin = sync.OnceValues(func() (*Set, error) { return Load(nil) })

// UnknownError is a file that replaces nothing.
type UnknownError struct {
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("knowledge: %s is no data file; known are %s", e.Name, strings.Join(e.Known, ", "))
}

// Load returns what is built in, with the files of a folder in place of those of the same name; nil replaces nothing. It fails
// on a file that replaces nothing, and on one that is not read in full: an unknown key or word, a pattern that does not compile,
// an entry without source or date, one listed twice.
func Load(replaced fs.FS) (*Set, error) {
	files, err := embedded()
	if err != nil {
		return nil, err
	}
	theirs := map[string]bool{}
	if replaced != nil {
		entries, err := fs.ReadDir(replaced, ".")
		if err != nil {
			return nil, fmt.Errorf("knowledge: reading the folder: %w", err)
		}
		known := slices.Sorted(maps.Keys(files))
		for _, e := range entries {
			if _, ok := files[e.Name()]; !ok || e.IsDir() {
				return nil, &UnknownError{Name: e.Name(), Known: known}
			}
			b, err := fs.ReadFile(replaced, e.Name())
			if err != nil {
				return nil, fmt.Errorf("knowledge: reading %s: %w", e.Name(), err)
			}
			files[e.Name()], theirs[e.Name()] = b, !bytes.Equal(files[e.Name()], b)
		}
	}
	return parse(files, theirs)
}

// embedded returns the built-in files by name.
func embedded() (map[string][]byte, error) {
	files := fingerprint.Files()
	entries, err := fs.ReadDir(own, "data")
	if err != nil {
		return nil, fmt.Errorf("knowledge: %w", err)
	}
	for _, e := range entries {
		if files[e.Name()], err = fs.ReadFile(own, "data/"+e.Name()); err != nil {
			return nil, fmt.Errorf("knowledge: %w", err)
		}
	}
	return files, nil
}

func parse(files map[string][]byte, theirs map[string]bool) (*Set, error) {
	s := &Set{files: files}
	var err error
	if s.Fingerprints, err = fingerprint.Parse(files); err != nil {
		return nil, err
	}
	for name, load := range map[string]func([]byte) error{"models.yaml": s.loadModels, "hosts.yaml": s.loadHosts} {
		if err := load(files[name]); err != nil {
			return nil, fmt.Errorf("knowledge: %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var h header
		if err := yaml.Unmarshal(files[name], &h); err != nil {
			return nil, fmt.Errorf("knowledge: %s: %w", name, err)
		}
		sum := sha256.Sum256(files[name])
		s.refs = append(s.refs, audit.DataRef{Name: name, Schema: h.Schema, Date: h.Date, SHA256: hex.EncodeToString(sum[:]), Replaced: theirs[name]})
	}
	return s, nil
}

// Refs names the files of the set, sorted by name.
func (s *Set) Refs() []audit.DataRef { return slices.Clone(s.refs) }

// File returns the bytes of one of the set's files; nil for any other name.
func (s *Set) File(name string) []byte { return bytes.Clone(s.files[name]) }

// header is what every data file begins with.
type header struct {
	Schema string `yaml:"schema"`
	Source string `yaml:"source"`
	Date   string `yaml:"date"`
}

// note is a remark in both languages.
type note struct {
	ZH string `yaml:"zh"`
	EN string `yaml:"en"`
}

func (h header) check(schema string) error {
	if h.Schema != schema {
		return fmt.Errorf("schema %q, want %q", h.Schema, schema)
	}
	return sourced(h.Source, h.Date)
}

func sourced(source, date string) error {
	if strings.TrimSpace(source) == "" {
		return errors.New("no source")
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("date: %w", err)
	}
	return nil
}

func decode(b []byte, into any) error {
	return yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(into)
}
