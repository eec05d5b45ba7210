package dahua

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/mingshi-audit/mingshi/audit"
)

//go:embed faces.yaml
var facesFile []byte

// names are what the firmware calls things, as faces.yaml has them.
type names struct {
	Date       string      `yaml:"date"`
	Classes    []meaning   `yaml:"classes"`
	Events     []meaning   `yaml:"events"`
	Attributes []attribute `yaml:"attributes"`
	DoorFace   struct {
		Method []string         `yaml:"method"`
		Means  []audit.Function `yaml:"means"`
	} `yaml:"doorFace"`
	Nobody []string `yaml:"nobody"`
}

type meaning struct {
	Name   string           `yaml:"name"`
	Means  []audit.Function `yaml:"means"`
	Source string           `yaml:"source"`
}

type attribute struct {
	Name      string   `yaml:"name"`
	Attribute string   `yaml:"attribute"`
	None      []string `yaml:"none"`
}

var load = sync.OnceValues(func() (*names, error) { return readNames(facesFile) })

// known returns the embedded names; a test loads them, so that they cannot fail in use.
func known() *names {
	n, err := load()
	if err != nil {
		return &names{}
	}
	return n
}

func readNames(b []byte) (*names, error) {
	n := &names{}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(n); err != nil {
		return nil, fmt.Errorf("dahua: names: %w", err)
	}
	for _, m := range slices.Concat(n.Classes, n.Events) {
		if m.Name == "" || m.Source == "" || len(m.Means) == 0 {
			return nil, fmt.Errorf("dahua: names: %q lacks a meaning or a source", m.Name)
		}
		for _, f := range m.Means {
			if !slices.Contains(audit.Functions(), f) {
				return nil, fmt.Errorf("dahua: names: %s: %q is no function", m.Name, f)
			}
		}
	}
	return n, nil
}

// ClassFunctions returns what a rule, a scene or a capability of that name does with faces; nil where it does nothing.
func ClassFunctions(name string) []audit.Function { return find(known().Classes, name) }

// EventFunctions returns what an event of that code means; nil where it says nothing of faces.
func EventFunctions(code string) []audit.Function { return find(known().Events, code) }

func find(ms []meaning, name string) []audit.Function {
	for _, m := range ms {
		if strings.EqualFold(m.Name, name) {
			return m.Means
		}
	}
	return nil
}

// className is a class as the data spell it; "" where it is none of faces.
func className(name string) string {
	for _, m := range known().Classes {
		if strings.EqualFold(m.Name, name) {
			return m.Name
		}
	}
	return ""
}
