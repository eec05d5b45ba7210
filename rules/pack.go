package rules

import (
	"maps"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// Pack is one dated body of law, loaded and compiled. It is immutable and safe for concurrent use.
type Pack struct {
	meta    packFile
	rules   []*rule
	defines []*condition
	gates   []gate
	tests   []testFile
	from    time.Time
	to      time.Time // zero: still in force
	files   map[string][]byte
	digest  string
	env     *environment
}

// ID returns the pack's identifier, such as "SPC-2021-15".
func (p *Pack) ID() string { return p.meta.ID }

// Ref names the pack in a report: id, version, title and the digest of its files.
func (p *Pack) Ref() audit.PackRef {
	return audit.PackRef{ID: p.meta.ID, Version: p.meta.Version, Title: p.meta.Title, SHA256: p.digest}
}

// Meta returns what a reader must know of where the pack's text comes from.
func (p *Pack) Meta() Meta { return p.meta.Meta }

// Files returns the pack's source files by path relative to its directory ("pack.yaml", "rules/2.1.yaml"). Load reads a
// pack back from a file system that holds them. The caller may keep the map, not change the contents.
func (p *Pack) Files() map[string][]byte { return maps.Clone(p.files) }

// Rules returns the text of every rule, in the pack's order.
func (p *Pack) Rules() []audit.RuleText {
	out := make([]audit.RuleText, len(p.rules))
	for i, r := range p.rules {
		out[i] = p.text(r)
	}
	return out
}

// Outcomes returns the outcomes a rule declares that it can have; nil for a rule the pack does not have.
func (p *Pack) Outcomes(rule string) []audit.Outcome {
	for _, r := range p.rules {
		if r.id == rule {
			return append([]audit.Outcome(nil), r.Outcomes...)
		}
	}
	return nil
}

func (p *Pack) text(r *rule) audit.RuleText {
	force := r.LegalForce
	if force.IsZero() {
		force = p.meta.LegalForce
	}
	return audit.RuleText{ID: r.id, Title: r.Title, Provision: r.Provision, Quote: r.Quote, LegalForce: force,
		From: orElse(r.From, p.meta.From), To: orElse(r.To, p.meta.To), Severity: r.Severity, Burden: r.Burden.Default,
		TextStatus: orElse(r.TextStatus, p.meta.TextStatus), Source: orElse(r.Source, p.meta.Source), References: r.References,
		Applies: r.Applies.If, SuspectedIf: r.Suspected.If, ConformsIf: r.Conforms.If, Remediation: r.Remediation}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Meta is what every pack says of itself.
type Meta struct {
	Kind         string     `yaml:"kind"` // "RulePack"
	ID           string     `yaml:"id"`
	Version      string     `yaml:"version"`
	Title        audit.Text `yaml:"title"`
	Issuer       audit.Text `yaml:"issuer"`
	DocNo        string     `yaml:"doc_no"`
	LegalForce   audit.Text `yaml:"legal_force"`
	From         string     `yaml:"effective_from"` // a day, UTC+8
	To           string     `yaml:"effective_to"`   // the last day; empty: in force
	Supersedes   []string   `yaml:"supersedes"`
	Jurisdiction []string   `yaml:"jurisdiction"` // regions, CN or CN-31; applies where the site's list has one or a part of one
	TextStatus   string     `yaml:"text_status"`  // verified, secondary, memory
	Source       string     `yaml:"source"`
	ReviewedBy   string     `yaml:"reviewed_by"` // the lawyer who reviewed it; empty: nobody yet
	ReviewedOn   string     `yaml:"reviewed_on"`
}

// packFile is pack.yaml.
type packFile struct {
	Meta   `yaml:",inline"`
	Uses   map[string]audit.Type `yaml:"uses"`   // facts of modules and the site file the conditions name
	Gates  []gateFile            `yaml:"gates"`  // conditions for the whole pack; the first that is false ends it
	Define []defineFile          `yaml:"define"` // shared conditions, each may use those above it
	Burden map[string]string     `yaml:"burden"` // who has to prove a fact, by its name or the name's first parts
	Rules  []string              `yaml:"rules"`  // the rules in order; each is rules/<id>.yaml
}

type gateFile struct {
	If   string     `yaml:"if"`
	Text audit.Text `yaml:"text"` // what the condition says
	Else audit.Text `yaml:"else"` // why the pack does not apply where it is false
}

type defineFile struct {
	Name string     `yaml:"name"`
	If   string     `yaml:"if"`
	Text audit.Text `yaml:"text"`
}

// conditionFile is a condition of a rule: the expression and what it says.
type conditionFile struct {
	If   string     `yaml:"if"`
	Text audit.Text `yaml:"text"`
	Else audit.Text `yaml:"else"` // applies only: the reason given where it is false
}

// ruleFile is one file of rules/.
type ruleFile struct {
	ID         string         `yaml:"id"`    // within the pack: "2.1"
	Scope      string         `yaml:"scope"` // site, device, notice, exemption
	Phase      string         `yaml:"phase"` // "findings": judged last, on facts about the other findings
	Title      audit.Text     `yaml:"title"`
	Provision  audit.Text     `yaml:"provision"`
	Quote      audit.Text     `yaml:"quote"`
	LegalForce audit.Text     `yaml:"legal_force"`
	From       string         `yaml:"effective_from"`
	To         string         `yaml:"effective_to"`
	TextStatus string         `yaml:"text_status"`
	Source     string         `yaml:"source"`
	Severity   audit.Severity `yaml:"severity"`
	Modifiers  []modifierFile `yaml:"modifiers"`
	Burden     burdenFile     `yaml:"burden"`
	Applies    conditionFile  `yaml:"applies"`
	Suspected  conditionFile  `yaml:"suspected"`
	Conforms   conditionFile  `yaml:"conforms"`
	None       audit.Text     `yaml:"none"`  // why it does not apply where it has no subject
	Facts      []factsFile    `yaml:"facts"` // the facts sentence of a finding, those parts whose condition holds
	Gaps       []gapsFile     `yaml:"gaps"`
	// Messages replaces the usual frame of an outcome's message; {facts} stands for the facts sentence.
	Messages    map[audit.Outcome]audit.Text `yaml:"messages"`
	Remediation audit.Text                   `yaml:"remediation"`
	References  []string                     `yaml:"references"`
	Outcomes    []audit.Outcome              `yaml:"outcomes"` // those it can have; each has a test
}

// modifierFile changes the severity of a finding that is suspected or may turn out to be.
type modifierFile struct {
	If     string         `yaml:"if"`
	Unless string         `yaml:"unless"` // applied where the condition does not hold for certain
	To     audit.Severity `yaml:"to"`
	By     int            `yaml:"by"`
	Text   audit.Text     `yaml:"text"`
}

// burdenFile says who has to prove what.
type burdenFile struct {
	Default string            `yaml:"default"` // claimant, processor, mixed, none
	Facts   map[string]string `yaml:"facts"`   // where it differs from the pack's: by fact or by a fact's first parts
}

type factsFile struct {
	If     string          `yaml:"if"`     // said where it holds for certain; empty: always
	Unless string          `yaml:"unless"` // not said where it holds for certain
	For    []audit.Outcome `yaml:"for"`    // the outcomes it is said for; empty: all
	ZH     string          `yaml:"zh"`
	EN     string          `yaml:"en"`
}

// gapsFile adds to Finding.Gaps: the entries of a list, each with a prefix, or a word where a condition holds.
type gapsFile struct {
	List   string   `yaml:"list"`   // a list fact
	Only   []string `yaml:"only"`   // of its entries
	Prefix string   `yaml:"prefix"` // "method:"
	If     string   `yaml:"if"`
	Word   string   `yaml:"word"`
}

// testFile is one file of tests/.
type testFile struct {
	file  string
	Rule  string         `yaml:"rule"`
	Base  map[string]any `yaml:"base"` // facts every case starts from
	Cases []testCase     `yaml:"cases"`
}

type testCase struct {
	Name     string         `yaml:"name"`
	From     string         `yaml:"from"`    // conduct from; default: At
	At       string         `yaml:"at"`      // time of observation, required
	Given    map[string]any `yaml:"given"`   // null takes a fact of base away
	Want     audit.Outcome  `yaml:"want"`    //
	Missing  []string       `yaml:"missing"` // exactly these where given
	Severity audit.Severity `yaml:"severity"`
	Gaps     []string       `yaml:"gaps"`
	Says     []string       `yaml:"says"`   // words the message has, in either language
	Unsaid   []string       `yaml:"unsaid"` // words it has in neither
}

// condition is a compiled conditionFile or defineFile.
type condition struct {
	name string
	text audit.Text
	*expression
}

type gate struct {
	condition
	reason audit.Text
}

type rule struct {
	ruleFile
	id        string // with the pack: "SPC-2021-15/2.1"
	from, to  time.Time
	applies   condition
	suspected condition
	conforms  condition
	modifiers []condition
	facts     []condition // expression nil: always
	unless    []*expression
	gaps      []condition
}
