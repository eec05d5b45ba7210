package knowledge

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Purpose is what a host is for.
type Purpose string

// The purposes.
const (
	FaceAPI        Purpose = "face-api"        // serves face functions and little else
	CloudAI        Purpose = "cloud-ai"        // serves many functions of which faces are one
	DeviceCloud    Purpose = "device-cloud"    // the maker's own cloud
	StoreAnalytics Purpose = "store-analytics" // counts or knows customers of shops
)

var purposes = []Purpose{FaceAPI, CloudAI, DeviceCloud, StoreAnalytics}

// Host is what is known of a host name.
type Host struct {
	Suffix  string
	Whose   string
	Purpose Purpose
	Hearsay bool // nobody here saw it in a document or in use
	Source  string
}

// Means says what it proves that results go to the host, and what not.
func (h Host) Means() audit.Text {
	t := msg.Text("outbound.means." + string(h.Purpose))
	if h.Hearsay {
		t = msg.Text("outbound.hearsay", t)
	}
	return t
}

// Host returns what is known of a host name, by the longest suffix that ends it at a dot.
func (s *Set) Host(name string) (Host, bool) {
	name = strings.TrimSuffix(name, ".")
	if !s.ends[strings.ToLower(end(name))] { // nearly all of what passes
		return Host{}, false
	}
	for name = strings.ToLower(name); name != ""; {
		if h, ok := s.hosts[name]; ok {
			return h, true
		}
		for _, h := range s.wild {
			if labelled(h.Suffix, name) {
				return h, true
			}
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return Host{}, false
}

// end is the last two labels of a name.
func end(name string) string {
	if last := strings.LastIndexByte(name, '.'); last >= 0 {
		return name[strings.LastIndexByte(name[:last], '.')+1:]
	}
	return name
}

// labelled reports whether a name is as the pattern says, in which a label "*" stands for any one label.
func labelled(pattern, name string) bool {
	for {
		p, restP, moreP := strings.Cut(pattern, ".")
		n, restN, moreN := strings.Cut(name, ".")
		if p != n && (p != "*" || n == "") || moreP != moreN {
			return false
		}
		if !moreP {
			return true
		}
		pattern, name = restP, restN
	}
}

func (s *Set) loadHosts(b []byte) error {
	var f struct {
		About header `yaml:",inline"`
		Hosts []struct {
			Suffix  string  `yaml:"suffix"`
			Whose   string  `yaml:"whose"`
			Purpose Purpose `yaml:"purpose"`
			Hearsay bool    `yaml:"hearsay"`
			Source  string  `yaml:"source"`
			Date    string  `yaml:"date"`
		} `yaml:"hosts"`
		Calls []call `yaml:"calls"`
	}
	if err := decode(b, &f); err != nil {
		return err
	}
	if err := f.About.check("mingshi.hosts/v1"); err != nil {
		return err
	}
	s.hosts, s.ends = map[string]Host{}, map[string]bool{}
	for _, y := range f.Hosts {
		err := sourced(y.Source, y.Date)
		switch _, twice := s.hosts[y.Suffix]; {
		case err != nil:
		case twice:
			err = errors.New("listed twice")
		case y.Suffix != strings.ToLower(y.Suffix) || strings.Trim(y.Suffix, ".*") != y.Suffix || strings.Count(strings.ReplaceAll(y.Suffix, ".*", ""), ".") == 0 || strings.ContainsAny(strings.ReplaceAll(y.Suffix, ".*.", "."), "*/: "):
			err = errors.New("not a name of two parts or more, in lower case")
		case y.Whose == "":
			err = errors.New("nobody's")
		case !slices.Contains(purposes, y.Purpose):
			err = fmt.Errorf("purpose %q", y.Purpose)
		}
		if err != nil {
			return fmt.Errorf("host %q: %w", y.Suffix, err)
		}
		h := Host{Suffix: y.Suffix, Whose: y.Whose, Purpose: y.Purpose, Hearsay: y.Hearsay, Source: y.Source + ", " + y.Date}
		s.hosts[y.Suffix], s.ends[end(y.Suffix)] = h, true
		if strings.Contains(y.Suffix, "*") {
			s.wild = append(s.wild, h)
		}
	}
	return s.loadCalls(f.Calls)
}
