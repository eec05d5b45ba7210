package site

import (
	"strings"
	"unicode"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

// validator checks what a file says once every value is in its place. It normalises as it goes.
type validator struct {
	*decoder
	f       *audit.SiteFile
	zones   map[string]bool
	cameras map[string]bool
}

func (v *validator) all() {
	if v.stopped {
		return
	}
	switch v.f.Schema {
	case SchemaName:
	case "":
		if v.wrote("schema") {
			break
		}
		v.problem("schema", "site.schema_missing", SchemaName)
	default:
		v.problem("schema", "site.schema", clean.Text(v.f.Schema, 60), SchemaName)
	}
	v.zones = v.ids("zones", len(v.f.Zones), func(i int) string { return v.f.Zones[i].ID })
	v.cameras = v.ids("inventory", len(v.f.Inventory), func(i int) string { return v.f.Inventory[i].ID })
	v.site()
	v.authority()
	v.logins()
	v.inventory()
	v.areas()
	v.survey()
	v.notices()
	v.gates()
	v.consents()
	v.exemptions()
	v.recipients()
	v.declarations()
	v.serverSide()
}

// ids checks the ids of a list and returns them, or nil where the list could not be read: then no reference is a mistake.
func (v *validator) ids(path string, n int, id func(int) string) map[string]bool {
	if v.wrote(path) && n == 0 {
		return nil
	}
	out := map[string]bool{}
	for i := range n {
		p := index(path, i) + ".id"
		s := id(i)
		if s == "" && v.wrote(p) {
			continue
		}
		v.id(s, p)
		if s != "" && out[s] {
			v.problem(p, "site.id_twice", clean.Text(s, 60))
		}
		out[s] = true
	}
	delete(out, "")
	return out
}

func (v *validator) site() {
	s := &v.f.Site
	if s.ID != "" || !v.wrote("site.id") {
		v.id(s.ID, "site.id")
	}
	var tokens []string
	for _, k := range Venues() {
		tokens = append(tokens, k.Token)
	}
	if s.Venue != "" || !v.wrote("site.venue") {
		v.required(s.Venue, "site.venue", tokens)
	}
	for i, j := range s.Jurisdiction {
		if j != "" && !regionShape.MatchString(j) {
			v.problem(index("site.jurisdiction", i), "site.region", clean.Text(j, 40))
		}
	}
	v.closed(s.Processor.Kind, "site.processor.kind", processorKinds())
}

// authority: what is missing here keeps every packet from being sent, so nothing of it is optional.
func (v *validator) authority() {
	a := &v.f.Authority
	if !v.wrote("authority") {
		v.problem("authority", "site.authority_missing")
		return
	}
	if a.Basis != "" || !v.wrote("authority.basis") {
		v.required(a.Basis, "authority.basis", bases())
	}
	if a.GrantedBy.Name == "" && !v.wrote("authority.granted_by.name") {
		v.problem("authority.granted_by.name", "site.missing_grantor")
	}
	v.document(a.Document, "authority.document")
	v.people(a.Inspectors, "authority.inspectors")
	v.period(a.Valid, "authority.valid", true)
	if len(a.Perimeter) == 0 && !v.unread("authority.perimeter") {
		v.problem("authority.perimeter", "site.perimeter_empty")
	}
	if a.Permit == audit.PermitNone && !v.wrote("authority.permit") {
		v.problem("authority.permit", "site.missing_word", permitNames())
	}
	v.duration(a.Retention, "authority.retention")
	for i, h := range a.Hours {
		p := index("authority.hours", i)
		for j := range h.Days {
			v.closed(h.Days[j], index(join(p, "days"), j), weekdays())
		}
		v.span(h.From, h.To, join(p, "from"), join(p, "to"))
	}
}

func permitNames() string {
	var words []string
	for _, p := range audit.Permits() {
		words = append(words, p.String())
	}
	return strings.Join(words, ", ")
}

// span checks two times of a day. Where the second is before the first, the hours run past midnight.
func (v *validator) span(from, to, fromPath, toPath string) {
	ok := true
	for _, x := range []struct{ s, path string }{{from, fromPath}, {to, toPath}} {
		switch {
		case x.s == "" && !v.wrote(x.path):
			v.problem(x.path, "site.missing")
			ok = false
		case !hoursShape.MatchString(x.s):
			v.problem(x.path, "site.hours", clean.Text(x.s, 40))
			ok = false
		}
	}
	if ok && (from == to || from == "24:00") {
		v.problem(toPath, "site.hours_order", from, to)
	}
}

func (v *validator) people(ps []audit.Person, path string) {
	for i, p := range ps {
		if at := index(path, i) + ".name"; p.Name == "" && !v.wrote(at) {
			v.problem(at, "site.missing")
		}
	}
}

// logins checks that every login is a reference. What stands there is never repeated: it may be the password itself.
func (v *validator) logins() {
	for name, ref := range v.f.Credentials {
		p := join("credentials", name)
		if !loginName.MatchString(name) {
			v.record(v.keys[p], "credentials", "site.login_name")
		}
		if !isReference(ref) {
			v.problem(p, "site.login_inline")
		}
	}
	for i, e := range v.f.Inventory {
		_, named := v.f.Credentials[e.Credentials]
		if e.Credentials == "" || named || isReference(e.Credentials) {
			continue
		}
		v.problem(index("inventory", i)+".credentials", "site.login_unknown")
	}
}

// isReference reports "env:NAME" and "file:PATH".
func isReference(s string) bool {
	return envShape.MatchString(s) || strings.HasPrefix(s, "file:") && len(s) > len("file:") && !strings.ContainsAny(s, "\n\x00")
}

func (v *validator) inventory() {
	for i := range v.f.Inventory {
		e, p := &v.f.Inventory[i], index("inventory", i)
		if e.Address != "" {
			e.Address = v.address(e.Address, p+".address")
		}
		if e.MAC != "" {
			e.MAC = v.mac(e.MAC, p+".mac")
		}
		if e.Zone != "" {
			v.zone(e.Zone, p+".zone")
		}
		v.zoneList(e.Zones, p+".zones")
	}
}

func (v *validator) zone(id, path string) {
	if id != "" && v.zones != nil && !v.zones[id] {
		v.unknownRef(path, id, v.zones, "site.zone_near", "site.zone_unknown")
	}
}

func (v *validator) zoneList(ids []string, path string) {
	for i, id := range ids {
		v.zone(id, index(path, i))
	}
}

// cameraList checks ids of inventory entries; "*" means every camera.
func (v *validator) cameraList(ids []string, path string) {
	for i, id := range ids {
		if id != "" && id != "*" && v.cameras != nil && !v.cameras[id] {
			v.unknownRef(index(path, i), id, v.cameras, "site.camera_near", "site.camera_unknown")
		}
	}
}

// unknownRef reports an id nobody listed. Ids that differ in a number only are different things, not slips of the pen.
func (v *validator) unknownRef(path, id string, ids map[string]bool, near, unknown string) {
	var all []string
	for x := range ids {
		if len(ids) > 500 {
			break // comparing everything with everything costs more than a hint is worth
		}
		if strings.Map(notDigit, x) != strings.Map(notDigit, id) {
			all = append(all, x)
		}
	}
	if n := nearest(id, all); n != "" {
		v.problem(path, near, clean.Text(id, 60), n)
		return
	}
	v.problem(path, unknown, clean.Text(id, 60))
}

func notDigit(r rune) rune {
	if unicode.IsDigit(r) {
		return -1
	}
	return r
}

// areas checks zones. Whether a zone is public decides whether the law applies, so that it is never assumed for a kind of
// zone nobody knows.
func (v *validator) areas() {
	for i := range v.f.Zones {
		z, p := &v.f.Zones[i], index("zones", i)
		if z.Kind == "" && !v.wrote(p+".kind") {
			v.problem(p+".kind", "site.missing")
		}
		k, _ := zoneKind(z.Kind)
		if !v.wrote(p + ".public") {
			switch k.Public {
			case Yes:
				z.Public = true
			case Unsettled:
				v.problem(p+".public", "site.zone_public")
			}
		}
		if !v.wrote(p + ".prohibited") {
			z.Prohibited = k.Prohibited
		}
	}
}
