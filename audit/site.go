package audit

import (
	"net/netip"
	"strings"
)

// File names a file beside the site file, with the digest it must have.
type File struct {
	File   string `json:"file" yaml:"file"`
	SHA256 string `json:"sha256,omitempty" yaml:"sha256,omitempty"`
}

// SiteFile is a whole site file, schema "mingshi.site/v1".
type SiteFile struct {
	Schema       string            `json:"schema" yaml:"schema"`
	Site         Site              `json:"site" yaml:"site"`
	Authority    Authority         `json:"authority" yaml:"authority"`
	Credentials  map[string]string `json:"credentials,omitempty" yaml:"credentials,omitempty"` // name → env:VAR or file:PATH
	Inventory    []InventoryEntry  `json:"inventory,omitempty" yaml:"inventory,omitempty"`
	Zones        []Zone            `json:"zones,omitempty" yaml:"zones,omitempty"`
	Survey       *Survey           `json:"survey,omitempty" yaml:"survey,omitempty"`
	Notices      []Notice          `json:"notices,omitempty" yaml:"notices,omitempty"`
	Gates        []Gate            `json:"gates,omitempty" yaml:"gates,omitempty"`
	Consents     []Consent         `json:"consents,omitempty" yaml:"consents,omitempty"`
	Exemptions   []Exemption       `json:"exemptions,omitempty" yaml:"exemptions,omitempty"`
	Recipients   []Recipient       `json:"recipients,omitempty" yaml:"recipients,omitempty"`
	Declarations []Declaration     `json:"declarations,omitempty" yaml:"declarations,omitempty"`
	ServerSide   *ServerSide       `json:"server_side,omitempty" yaml:"server_side,omitempty"`
}

// Site is the premises.
type Site struct {
	ID           string    `json:"id" yaml:"id"`
	Name         string    `json:"name" yaml:"name"`
	Venue        string    `json:"venue" yaml:"venue"`
	Jurisdiction []string  `json:"jurisdiction" yaml:"jurisdiction"`
	Address      string    `json:"address,omitempty" yaml:"address,omitempty"`
	Minors       bool      `json:"minors,omitempty" yaml:"minors,omitempty"` // a venue children are expected in
	Processor    Processor `json:"processor,omitzero" yaml:"processor,omitempty"`
}

// Processor is who decides about the processing.
type Processor struct {
	Name    string `json:"name,omitempty" yaml:"name,omitempty"`
	USCC    string `json:"uscc,omitempty" yaml:"uscc,omitempty"` // 统一社会信用代码
	Contact string `json:"contact,omitempty" yaml:"contact,omitempty"`
	Rep     string `json:"rep,omitempty" yaml:"rep,omitempty"`
	Kind    string `json:"kind,omitempty" yaml:"kind,omitempty"` // company (default), property_manager, association, state_organ, household
}

// Person is a signatory or witness.
type Person struct {
	Name    string `json:"name" yaml:"name"`
	Title   string `json:"title,omitempty" yaml:"title,omitempty"`
	Cert    string `json:"cert,omitempty" yaml:"cert,omitempty"`
	Unit    string `json:"unit,omitempty" yaml:"unit,omitempty"`
	Contact string `json:"contact,omitempty" yaml:"contact,omitempty"`
	USCC    string `json:"uscc,omitempty" yaml:"uscc,omitempty"` // of the unit, 统一社会信用代码
}

// Authority is who allowed what, where and when. No authority, no packet.
type Authority struct {
	Basis      string         `json:"basis" yaml:"basis"` // statutory_inspection, owner_consent, court_order, self_audit
	GrantedBy  Person         `json:"granted_by" yaml:"granted_by"`
	Document   *File          `json:"document,omitempty" yaml:"document,omitempty"`
	DocumentNo string         `json:"document_no,omitempty" yaml:"document_no,omitempty"`
	Inspectors []Person       `json:"inspectors,omitempty" yaml:"inspectors,omitempty"`
	Contact    string         `json:"contact,omitempty" yaml:"contact,omitempty"` // who to call to stop the audit
	Valid      Period         `json:"valid" yaml:"valid"`
	Hours      []Hours        `json:"hours,omitempty" yaml:"hours,omitempty"`
	Perimeter  []netip.Prefix `json:"perimeter" yaml:"perimeter"`
	Public     []netip.Prefix `json:"public,omitempty" yaml:"public,omitempty"`         // public addresses expressly allowed
	Interfaces []string       `json:"interfaces,omitempty" yaml:"interfaces,omitempty"` // empty: those inside the perimeter
	SSIDs      []string       `json:"ssids,omitempty" yaml:"ssids,omitempty"`           // wireless networks that may be joined; on record only
	Permit     Permit         `json:"permit" yaml:"permit"`
	// ScarcePullPoints allows an event subscription on devices that offer two pull points or fewer, where a recorder may
	// need both.
	ScarcePullPoints bool   `json:"scarce_pull_points,omitempty" yaml:"scarce_pull_points,omitempty"`
	Retention        string `json:"retention,omitempty" yaml:"retention,omitempty"` // how long the bundle is kept, ISO 8601
}

// Period is from one moment to another, both included.
type Period struct {
	From Moment `json:"from" yaml:"from"`
	To   Moment `json:"to" yaml:"to"`
}

// Hours are hours of the day, UTC+8, in which the authority allows traffic. No entry allows every hour.
type Hours struct {
	Days []string `json:"days,omitempty" yaml:"days,omitempty"` // mon … sun; empty means every day
	From string   `json:"from" yaml:"from"`                     // "09:00"
	To   string   `json:"to" yaml:"to"`                         // "18:30"
}

// InventoryEntry is a camera or server the operator says exists.
type InventoryEntry struct {
	ID          string   `json:"id" yaml:"id"`
	Address     string   `json:"address,omitempty" yaml:"address,omitempty"` // "192.0.2.21" or "192.0.2.21:8081"
	MAC         string   `json:"mac,omitempty" yaml:"mac,omitempty"`
	Serial      string   `json:"serial,omitempty" yaml:"serial,omitempty"`
	Zone        string   `json:"zone,omitempty" yaml:"zone,omitempty"`
	Zones       []string `json:"zones,omitempty" yaml:"zones,omitempty"`
	Name        string   `json:"name,omitempty" yaml:"name,omitempty"`
	Credentials string   `json:"credentials,omitempty" yaml:"credentials,omitempty"` // env:VAR, file:PATH or a name from credentials
	Purposes    []string `json:"purposes,omitempty" yaml:"purposes,omitempty"`       // what the operator says it is for
	// Passive says that people are filmed without doing anything: false for a gate or kiosk they walk up to. Unset follows
	// the kind of zone.
	Passive *bool  `json:"passive,omitempty" yaml:"passive,omitempty"`
	Note    string `json:"note,omitempty" yaml:"note,omitempty"`
}

// AllZones returns every zone of an inventory entry, sorted.
func (e InventoryEntry) AllZones() []string {
	out := append([]string(nil), e.Zones...)
	if e.Zone != "" {
		out = append(out, e.Zone)
	}
	n, _ := Normal(out)
	l, _ := n.([]string)
	return l
}

// SplitMethod takes a method as a site file writes it apart: "attribute_analysis{age,gender}" is attribute_analysis of age
// and gender. A method without braces has no attributes.
func SplitMethod(s string) (name string, attributes []string) {
	name, rest, ok := strings.Cut(s, "{")
	if !ok {
		return strings.TrimSpace(s), nil
	}
	for a := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(rest), "}"), ",") {
		if a = strings.TrimSpace(a); a != "" {
			attributes = append(attributes, a)
		}
	}
	return strings.TrimSpace(name), attributes
}
