package knowledge

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Call is what a readable request to a face service asks for.
type Call struct {
	Whose      string
	Host       string           // suffix of the hosts it is known on; empty: any, its path is the service's own
	Path       string           // "*" stands for any one part, "..." at the end for any parts; empty: the action decides
	Action     string           // what the request names as its action; empty: the path decides
	Does       []audit.Function // what the service's documents say it does; none: faces are handed over to be kept
	Attributes string           // the parameter that asks for attributes of the face
	Source     string
}

// Name names the call for a person: its path as listed, or its action.
func (c Call) Name() string {
	if c.Path == "" {
		return c.Action
	}
	return c.Path
}

// Call returns what is known of a request by the host it names, its path without query, and the action it names, if any.
func (s *Set) Call(host, path, action string) (Call, bool) {
	h, known := s.Host(host)
	for _, c := range s.calls {
		if c.Host != "" && (!known || h.Suffix != c.Host) || c.Action != "" && c.Action != action || c.Path != "" && !walks(c.Path, path) {
			continue
		}
		return c, true
	}
	return Call{}, false
}

// MayCall reports whether a request to a host with a path may be one that is known: where it is not, nothing else of the request
// needs to be looked at.
func (s *Set) MayCall(host, path string) bool {
	if h, known := s.Host(host); known && s.called[h.Suffix] {
		return true
	}
	first := firstPart(path)
	for _, part := range s.anywhere {
		if part == "*" || strings.EqualFold(part, first) {
			return true
		}
	}
	return false
}

func firstPart(path string) string {
	part, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return part
}

// walks reports whether a path is as the pattern says. Case and a slash at the end do not matter.
func walks(pattern, path string) bool {
	path = strings.TrimSuffix(path, "/")
	for pattern != "" {
		p, restP, moreP := strings.Cut(pattern, "/")
		n, restN, moreN := strings.Cut(path, "/")
		switch {
		case p == "...":
			return path != ""
		case p != "*" && !strings.EqualFold(p, n), p == "*" && n == "", moreP != moreN:
			return false
		}
		pattern, path = restP, restN
	}
	return path == ""
}

// call is one entry of the file.
type call struct {
	Whose      string           `yaml:"whose"`
	Host       string           `yaml:"host"`
	Path       string           `yaml:"path"`
	Action     string           `yaml:"action"`
	Does       []audit.Function `yaml:"does"`
	Attributes string           `yaml:"attributes"`
	Source     string           `yaml:"source"`
	Date       string           `yaml:"date"`
}

func (s *Set) loadCalls(list []call) error {
	seen := map[string]bool{}
	s.called, s.anywhere = map[string]bool{}, nil
	for _, y := range list {
		err := sourced(y.Source, y.Date)
		key := y.Host + " " + y.Path + " " + y.Action
		switch _, listed := s.hosts[y.Host]; {
		case err != nil:
		case seen[key]:
			err = errors.New("listed twice")
		case y.Whose == "":
			err = errors.New("nobody's")
		case y.Host != "" && !listed:
			err = errors.New("a host that is not listed")
		case y.Path == "" && (y.Action == "" || y.Host == ""):
			err = errors.New("neither a path nor an action on a host")
		case y.Path != "" && (!strings.HasPrefix(y.Path, "/") || strings.ContainsAny(y.Path, "?# ")):
			err = errors.New("no path")
		case slices.ContainsFunc(y.Does, func(f audit.Function) bool { return !slices.Contains(audit.Functions(), f) }):
			err = fmt.Errorf("functions %v", y.Does)
		}
		if err != nil {
			return fmt.Errorf("call %q: %w", key, err)
		}
		seen[key] = true
		if y.Host != "" {
			s.called[y.Host] = true
		} else if part := firstPart(y.Path); !slices.Contains(s.anywhere, part) {
			s.anywhere = append(s.anywhere, part)
		}
		s.calls = append(s.calls, Call{Whose: y.Whose, Host: y.Host, Path: y.Path, Action: y.Action, Does: y.Does, Attributes: y.Attributes, Source: y.Source + ", " + y.Date})
	}
	return nil
}
