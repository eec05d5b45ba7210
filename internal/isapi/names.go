package isapi

import (
	"bytes"
	_ "embed" // the names
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/mingshi-audit/mingshi/audit"
)

//go:embed data/names.yaml
var namesFile []byte

// names is what the firmware calls things that have to do with faces.
type names struct {
	Schema string `yaml:"schema"`
	Source string `yaml:"source"`
	Date   string `yaml:"date"`

	Flags      []named             `yaml:"flags"`
	Events     []named             `yaml:"events"`
	Attributes map[string][]string `yaml:"attributes"` // ours → theirs
	Modes      map[int]string      `yaml:"modes"`
	Engines    []named             `yaml:"engines"`
	Passes     []pass              `yaml:"passes"`

	attribute map[string]string // theirs, in lower case → ours
}

// named is one name and what it shows.
type named struct {
	Name      string           `yaml:"name"`
	Functions []audit.Function `yaml:"functions"`
	Named     bool             `yaml:"named"`
}

// pass is a value by which a terminal says that a face was compared.
type pass struct {
	Event  int    `yaml:"event"`
	Mode   string `yaml:"mode"` // as ModeShows takes it; "" for the reader's own
	Failed bool   `yaml:"failed"`
}

// known returns the names. A test holds that they load; if they did not, nothing would be recognised.
func known() *names {
	n, err := loaded()
	if err != nil {
		return &names{}
	}
	return n
}

var loaded = sync.OnceValues(func() (*names, error) { return loadNames(namesFile) })

func loadNames(b []byte) (*names, error) {
	n := &names{attribute: map[string]string{}}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(n); err != nil {
		return nil, fmt.Errorf("isapi: reading the names: %w", err)
	}
	if n.Schema != "mingshi.isapi-names/v1" || n.Source == "" {
		return nil, errors.New("isapi: the names lack their schema or their source")
	}
	if _, err := time.Parse(time.DateOnly, n.Date); err != nil {
		return nil, fmt.Errorf("isapi: date of the names: %w", err)
	}
	for _, x := range slices.Concat(n.Flags, n.Events, n.Engines) {
		for _, f := range x.Functions {
			if !slices.Contains(audit.Functions(), f) {
				return nil, fmt.Errorf("isapi: %s: no function %q", x.Name, f)
			}
		}
	}
	for ours, theirs := range n.Attributes {
		for _, t := range theirs {
			n.attribute[strings.ToLower(t)] = ours
		}
	}
	return n, nil
}

func find(list []named, name string) (named, bool) {
	i := slices.IndexFunc(list, func(x named) bool { return strings.EqualFold(x.Name, name) })
	if i < 0 {
		return named{}, false
	}
	return list[i], true
}

// FlagShows lists what a capability element that says true shows the device could do.
func FlagShows(name string) []audit.Function {
	f, _ := find(known().Flags, name)
	return f.Functions
}

// EventShows lists what a device that can send an event of the type could do. An event that faces are only sometimes in shows
// nothing.
func EventShows(eventType string) []audit.Function {
	e, _ := find(known().Events, eventType)
	if !e.Named {
		return nil
	}
	return e.Functions
}

// EngineShows lists what a device could do one of whose channels has its engine assigned to the task.
func EngineShows(task string) []audit.Function {
	e, _ := find(known().Engines, task)
	return e.Functions
}

// passed finds what an event at a door says of a face; ok is false where it says nothing.
func passed(major, sub string) (p pass, ok bool) {
	n, err := strconv.Atoi(sub)
	i := slices.IndexFunc(known().Passes, func(p pass) bool { return p.Event == n })
	if err != nil || major != "5" || i < 0 {
		return pass{}, false
	}
	return known().Passes[i], true
}

// Mode names how a reader lets people pass, from the name or the number the firmware gives; "" for one that is not known.
func Mode(s string) string {
	s = strings.TrimSpace(s)
	if n, err := strconv.Atoi(s); err == nil {
		return known().Modes[n]
	}
	return s
}

// ModeShows says what a way to pass makes of a face: where the face alone is enough, it is looked up among everybody enrolled;
// where a card or a number says who it must be, it is compared with that one person. A face together with a fingerprint or a
// password shows neither: nobody says which of them names the person.
func ModeShows(mode string) []audit.Function {
	var out []audit.Function
	for _, way := range strings.Split(strings.ToLower(mode), "or") {
		asks := strings.Split(way, "and")
		switch claimed := slices.Contains(asks, "card") || slices.Contains(asks, "employeeno"); {
		case !slices.Contains(asks, "face"):
		case len(asks) == 1:
			out = append(out, audit.Identify)
		case claimed:
			out = append(out, audit.Verify)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
