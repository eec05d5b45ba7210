package rules

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

//go:embed packs
var builtin embed.FS

// Bounds of a pack.
const (
	maxFile  = 256 << 10
	maxFiles = 500
)

// Builtin returns the packs that are part of the program, sorted by id.
func Builtin() ([]*Pack, error) {
	entries, err := fs.ReadDir(builtin, "packs")
	if err != nil {
		return nil, fmt.Errorf("rules: listing the builtin packs: %w", err)
	}
	var out []*Pack
	for _, e := range entries {
		p, err := Load(builtin, "packs/"+e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Load reads the pack in a directory: pack.yaml, one file for each rule in rules/, and the cases in tests/. It is strict: an
// unknown field, a duplicate key, an alias, a missing language, an unknown placeholder, an expression that does not
// type-check or whose cost is not bounded is an error that names the file and, where YAML knows it, line and column. It
// evaluates nothing: see Pack.Test.
func Load(fsys fs.FS, dir string) (*Pack, error) {
	p, err := load(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("rules: loading pack %s: %w", dir, err)
	}
	return p, nil
}

func load(fsys fs.FS, dir string) (*Pack, error) {
	p := &Pack{files: map[string][]byte{}}
	if err := p.read(fsys, dir); err != nil {
		return nil, err
	}
	if err := p.decode("pack.yaml", &p.meta); err != nil {
		return nil, err
	}
	if err := p.head(); err != nil {
		return nil, fmt.Errorf("pack.yaml: %w", err)
	}
	if err := p.shared(); err != nil {
		return nil, fmt.Errorf("pack.yaml: %w", err)
	}
	listed := map[string]bool{"pack.yaml": true}
	for _, id := range p.meta.Rules {
		name := "rules/" + id + ".yaml"
		if listed[name] {
			return nil, fmt.Errorf("pack.yaml: rule %s is listed twice", id)
		}
		listed[name] = true
		r := &rule{}
		if err := p.decode(name, &r.ruleFile); err != nil {
			return nil, err
		}
		if err := p.rule(r, id); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p.rules = append(p.rules, r)
	}
	for _, name := range p.names() {
		switch {
		case listed[name]:
		case strings.HasPrefix(name, "tests/"):
			var t testFile
			if err := p.decode(name, &t); err != nil {
				return nil, err
			}
			t.file = name
			if err := p.checkTests(t); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			p.tests = append(p.tests, t)
		default:
			return nil, fmt.Errorf("%s: not listed in pack.yaml", name)
		}
	}
	h := sha256.New()
	for _, name := range p.names() {
		fmt.Fprintf(h, "%s\x00%d\x00", name, len(p.files[name]))
		h.Write(p.files[name])
	}
	p.digest = hex.EncodeToString(h.Sum(nil))
	return p, nil
}

func (p *Pack) names() []string {
	var out []string
	for n := range p.files {
		out = append(out, n)
	}
	return sorted(out)
}

// read takes in pack.yaml and the YAML files of rules/ and tests/; anything else there is an error.
func (p *Pack) read(fsys fs.FS, dir string) error {
	return fs.WalkDir(fsys, path.Clean(dir), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, path.Clean(dir)), "/")
		if rel != "pack.yaml" && !(path.Ext(rel) == ".yaml" && (path.Dir(rel) == "rules" || path.Dir(rel) == "tests")) {
			return fmt.Errorf("%s: a pack holds pack.yaml, rules/*.yaml and tests/*.yaml only", rel)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxFile || len(p.files) >= maxFiles {
			return fmt.Errorf("%s: too large", rel)
		}
		p.files[rel], err = fs.ReadFile(fsys, name)
		return err
	})
}

var (
	packID    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$`)
	ruleID    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$`)
	version   = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	condName  = regexp.MustCompile(`^[a-z][a-z0-9_]{1,39}$`)
	statuses  = []string{"verified", "secondary", "memory"}
	burdens   = []string{"claimant", "processor", "mixed", "none"}
	scopes    = []string{audit.SubjectSite, audit.SubjectDevice, audit.SubjectNotice, audit.SubjectExemption}
	outcomes  = []audit.Outcome{audit.Suspected, audit.Conforms, audit.Undetermined, audit.NotApplicable}
	errNoText = errors.New("both zh and en must have a text")
)

// head checks what the pack says of itself.
func (p *Pack) head() (err error) {
	m := p.meta
	switch {
	case m.Kind != "RulePack":
		return fmt.Errorf("kind is %q, want RulePack", m.Kind)
	case !packID.MatchString(m.ID):
		return fmt.Errorf("id %q: want letters, digits, dots and hyphens", m.ID)
	case !version.MatchString(m.Version):
		return fmt.Errorf("version %q: want three numbers", m.Version)
	case len(m.Rules) == 0:
		return errors.New("a pack needs rules")
	case len(m.Jurisdiction) == 0:
		return errors.New("jurisdiction is missing")
	case !slices.Contains(statuses, m.TextStatus) || m.Source == "":
		return fmt.Errorf("text_status must be one of %s, with a source", strings.Join(statuses, ", "))
	}
	for f, b := range m.Burden {
		if b != "claimant" && b != "processor" {
			return fmt.Errorf("burden %s: %q is neither claimant nor processor", f, b)
		}
	}
	for what, t := range map[string]audit.Text{"title": m.Title, "issuer": m.Issuer, "legal_force": m.LegalForce} {
		if !both(t) {
			return fmt.Errorf("%s: %w", what, errNoText)
		}
	}
	p.from, p.to, err = period(m.From, m.To)
	return err
}

// period reads effective dates: from the start of a day to the end of another, UTC+8.
func period(from, to string) (a, b time.Time, err error) {
	if from != "" {
		m, err := audit.ParseMoment(from)
		if err != nil || !m.Day {
			return a, b, fmt.Errorf("effective_from %q is not a day", from)
		}
		a = m.T
	}
	if to != "" {
		m, err := audit.ParseMoment(to)
		if err != nil || !m.Day || m.T.Before(a) {
			return a, b, fmt.Errorf("effective_to %q is not a day after effective_from", to)
		}
		b = m.End()
	}
	return a, b, nil
}

func both(t audit.Text) bool { return strings.TrimSpace(t.ZH) != "" && strings.TrimSpace(t.EN) != "" }

// shared compiles what all rules of the pack share.
func (p *Pack) shared() error {
	facts := map[string]audit.Type{}
	for _, s := range Specs() {
		facts[s.Name] = s.Type
	}
	for name, t := range p.meta.Uses {
		if _, ok := facts[name]; ok {
			return fmt.Errorf("uses: %s is stated by the rules themselves", name)
		}
		facts[name] = t
	}
	var names []string
	for _, d := range p.meta.Define {
		if !condName.MatchString(d.Name) {
			return fmt.Errorf("define: %q is no name for a condition", d.Name)
		}
		names = append(names, d.Name)
	}
	var err error
	if p.env, err = newEnvironment(facts, names); err != nil {
		return fmt.Errorf("uses and define: %w", err)
	}
	for i, g := range p.meta.Gates {
		c, err := p.condition(fmt.Sprintf("gates[%d]", i), conditionFile{If: g.If, Text: g.Text})
		if err != nil {
			return err
		}
		if !both(g.Else) {
			return fmt.Errorf("gates[%d]: else: %w", i, errNoText)
		}
		p.gates = append(p.gates, gate{condition: c, reason: g.Else})
	}
	for _, d := range p.meta.Define {
		c, err := p.condition("define "+d.Name, conditionFile{If: d.If, Text: d.Text})
		if err != nil {
			return err
		}
		c.name = d.Name
		delete(p.env.open, d.Name)
		p.defines = append(p.defines, &c)
	}
	return nil
}

// condition compiles an expression that has to say in words what it asks.
func (p *Pack) condition(name string, f conditionFile) (condition, error) {
	if strings.TrimSpace(f.If) == "" {
		return condition{}, fmt.Errorf("%s: the condition is missing", name)
	}
	if !both(f.Text) {
		return condition{}, fmt.Errorf("%s: text: %w", name, errNoText)
	}
	x, err := p.env.compile(f.If)
	if err != nil {
		return condition{}, fmt.Errorf("%s: %w", name, err)
	}
	return condition{name: name, text: f.Text, expression: x}, nil
}
