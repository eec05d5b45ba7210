package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Outcome is a rule's result for one subject. The zero value is the cautious one.
type Outcome string

// The outcomes.
const (
	Undetermined  Outcome = "undetermined"
	Suspected     Outcome = "suspected"
	Conforms      Outcome = "conforms"
	NotApplicable Outcome = "not-applicable"
)

// Severity orders findings for a reader and for --fail-on.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

var severities = []Severity{Info, Low, Medium, High, Critical}

// Rank returns 0 for info up to 4 for critical, and -1 for anything else.
func (s Severity) Rank() int { return slices.Index(severities, s) }

// Confidence says how broad the evidence is: high for two or more independent classes, medium for one live class or an
// inspector's own observation, low for anything less.
type Confidence string

// The confidences.
const (
	ConfidenceHigh   Confidence = "high"
	ConfidenceMedium Confidence = "medium"
	ConfidenceLow    Confidence = "low"
)

// Request is a document or step to ask for, because a fact is missing.
type Request struct {
	Fact   string `json:"fact"`
	Burden string `json:"burden"` // claimant or processor
	Ask    Text   `json:"ask"`
}

// Finding is a rule's outcome for one subject, with everything a reader needs to check it.
type Finding struct {
	Rule        string     `json:"rule"` // "SPC-2021-15/2.2"
	Pack        string     `json:"pack"` // "SPC-2021-15@1.0.0"
	Provision   Text       `json:"provision"`
	Title       Text       `json:"title"`
	Subject     Subject    `json:"subject"`
	Zones       []string   `json:"zones"`
	Outcome     Outcome    `json:"outcome"`
	Severity    Severity   `json:"severity"`
	Confidence  Confidence `json:"confidence"`
	Burden      string     `json:"burden"`
	Because     []string   `json:"because"` // observations
	Dispute     []string   `json:"dispute,omitempty"`
	Missing     []string   `json:"missing"` // facts nobody established, exactly the unknowns the condition ended on
	Requests    []Request  `json:"requests"`
	Gaps        []string   `json:"gaps,omitempty"` // elements or differences found, in the rule's vocabulary
	Exemption   string     `json:"exemption"`      // none_claimed, claimed_unsupported, claimed_supported, contradicted
	Message     Text       `json:"message"`
	Facts       Text       `json:"facts,omitzero"` // of a suspected or undetermined finding, what was seen, without the sentence around it
	Remediation Text       `json:"remediation"`
	Fingerprint string     `json:"fingerprint"`
}

// SetFingerprint computes the finding's stable identity from rule, site, subject, zones and gaps; never from an address.
func (f *Finding) SetFingerprint(site string) {
	h := sha256.Sum256([]byte(strings.Join([]string{f.Rule, site, f.Subject.String(), strings.Join(f.Zones, ","), strings.Join(f.Gaps, ",")}, "\x00")))
	f.Fingerprint = hex.EncodeToString(h[:])
}

// CompareFindings is the total order of findings in a report: by rule, then subject.
func CompareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Rule, b.Rule), a.Subject.Compare(b.Subject), cmp.Compare(a.Fingerprint, b.Fingerprint))
}
