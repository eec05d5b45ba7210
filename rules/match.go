package rules

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// matcher works out the facts this package states: processing (facts.go of the ladder), notices, gaps, consents, exemptions.
type matcher struct {
	in       Input
	site     facts
	notices  []notice.Reading
	from, to time.Time // the conduct that was observed
}

// device adds to the facts of a device what follows from them, from the site's facts and from the site file. It returns the
// notice that fits best, if there is one.
func (m *matcher) device(d audit.Device, f facts) *notice.Reading {
	for name, s := range m.site { // the site's facts are looked up behind the subject's own
		if _, ok := f[name]; !ok {
			f[name] = s
		}
	}
	m.watches(d, f)
	m.modes(f)
	m.place(f)
	fit := m.match(d, f)
	m.consent(f)
	m.exemption(f)
	m.provision(d, f)
	m.technology(d, f)
	m.transfer(d, f)
	return fit
}

// watches states which zones a device works on the pictures of. A camera's are its zones. A recorder or server stands in a back
// room and works on the pictures of others: only where the inventory lists zones (not the one zone it stands in) are they
// told, and until then neither the notices nor the public of that room say anything about it.
func (m *matcher) watches(d audit.Device, f facts) {
	zones, known := f[factZones]
	switch {
	case !known || !zones.Known:
		f.lack(factWatches, factZones)
		return
	case d.Kind != audit.KindRecorder && d.Kind != audit.KindServer,
		slices.ContainsFunc(m.in.Site.Inventory, func(e audit.InventoryEntry) bool { return e.ID == d.Inventory && len(e.Zones) > 0 }):
		f.know(factWatches, f.list(factZones), factZones)
		return
	}
	f.lack(factWatches)
	for _, of := range []string{factPassive, factZonePublic} {
		f.lack(of, factWatches)
	}
}

// modes states which functions run. A function runs when results were seen or somebody admitted or saw it; it does not only
// where it is known not to be configured, or the device not to be capable of it, and somebody attests that nothing behind
// the device analyses faces. Nothing seen is unknown.
func (m *matcher) modes(f facts) {
	behind, behindRoots := serverSide(f)
	var yes, roots []string
	all := true
	for _, fn := range audit.Functions() {
		name := modeFact(fn)
		active, configured, capable := audit.FactName(fn, audit.Active), audit.FactName(fn, audit.Configured), audit.FactName(fn, audit.Capable)
		switch {
		case f.truth(active) == notice.Yes && slices.Contains(f.list(factRuns), string(fn)):
			f.know(name, true, active, factRuns)
		case f.truth(active) == notice.Yes:
			f.know(name, true, active)
		case slices.Contains(f.list(factRuns), string(fn)):
			f.know(name, true, factRuns)
		case f.truth(configured) == notice.No && behind == notice.No && len(f[active].Dispute) == 0:
			f.know(name, false, configured, factAttested, factServerFaces)
		case f.truth(capable) == notice.No && behind == notice.No && len(f[active].Dispute) == 0 && f.truth(configured) != notice.Yes:
			f.know(name, false, capable, factAttested, factServerFaces)
		default:
			need := []string{active}
			if f.truth(configured) == notice.Unknown && f.truth(capable) != notice.No {
				need = append(need, configured)
			}
			if len(f[capable].Dispute) > 0 { // to settle it would settle what follows from it
				need = append(need, capable)
			}
			f.lack(name, append(need, behindRoots...)...)
			f[name] = withDeps(f[name], active, configured, capable, factRuns, factAttested, factServerFaces)
		}
		switch f.truth(name) {
		case notice.Yes:
			yes = append(yes, name)
		case notice.Unknown:
			roots, all = append(roots, f[name].roots...), false
		}
	}
	switch {
	case len(yes) > 0:
		f.know("device.processing", true, yes...)
	case all:
		var from []string
		for _, fn := range audit.Functions() {
			from = append(from, modeFact(fn))
		}
		f.know("device.processing", false, from...)
	default:
		f.lack("device.processing", roots...)
	}
	m.attributes(f)
}

func withDeps(s state, deps ...string) state {
	s.deps = sorted(append(slices.Clone(s.deps), deps...))
	return s
}

// serverSide is whether anything behind the devices may work on faces: No only where that is attested.
func serverSide(f facts) (notice.Truth, []string) {
	attested, analyses := f.truth(factAttested), f.truth(factServerFaces)
	switch {
	case attested == notice.Yes && analyses == notice.No:
		return notice.No, nil
	case analyses == notice.Yes:
		return notice.Yes, []string{factRuns} // whose pictures they are is for the operator to say
	}
	var roots []string
	if attested != notice.Yes {
		roots = append(roots, factAttested)
	}
	if analyses == notice.Unknown {
		roots = append(roots, factServerFaces)
	}
	return notice.Unknown, roots
}

func (m *matcher) attributes(f facts) {
	seen, told := f.list(factAttributes), f.list(factDeclaredAttr)
	switch {
	case seen != nil && told != nil:
		f.know("device.attributes", append(slices.Clone(seen), told...), factAttributes, factDeclaredAttr)
	case seen != nil:
		f.know("device.attributes", seen, factAttributes)
	case told != nil:
		f.know("device.attributes", told, factDeclaredAttr)
	case f.truth(modeFact(audit.Analyse)) == notice.No:
		f.know("device.attributes", []string{}, modeFact(audit.Analyse))
	default:
		f.lack("device.attributes", factAttributes)
	}
}

// place: Art. 2(1) lists kinds of premises; a zone open to the public within others is a public place as well.
func (m *matcher) place(f facts) {
	venue, zone := f.truth(factVenuePublic), f.truth(factZonePublic)
	switch {
	case venue == notice.Yes:
		f.know("device.public_place", true, factVenuePublic)
	case zone == notice.Yes:
		f.know("device.public_place", true, factZonePublic)
	case venue == notice.No && zone == notice.No:
		f.know("device.public_place", false, factVenuePublic, factZonePublic)
	case venue == notice.No:
		f.lack("device.public_place", factZonePublic)
	case zone == notice.No:
		f.lack("device.public_place", factVenuePublic)
	default:
		f.lack("device.public_place", factVenuePublic, factZonePublic)
	}
}

// outside returns the hosts of receivers that are not inside the perimeter.
func (m *matcher) outside(receivers []string) []string {
	var hosts []string
	for _, h := range receivers {
		if name := hostOf(h); name != "" && !m.inside(name) {
			hosts = append(hosts, name)
		}
	}
	return sorted(hosts)
}

// hostOf reads the host of a receiver as modules write it: "what scheme://host:port", "host:port" or "host".
func hostOf(s string) string {
	if i := strings.LastIndexByte(s, ' '); i >= 0 {
		s = s[i+1:]
	}
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		return strings.ToLower(u.Hostname())
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String()
	}
	if host, _, ok := strings.Cut(s, ":"); ok && strings.Count(s, ":") == 1 {
		s = host
	}
	return strings.ToLower(s)
}

// inside reports whether a host is within the perimeter. A name is not: nobody here resolves it.
func (m *matcher) inside(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return a.IsMulticast() || slices.ContainsFunc(m.in.Site.Authority.Perimeter, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// consent: a separate consent clears a device only where people can give it before they are captured, and only if there is
// one for every purpose declared; a form that is bundled, conditional or not separate is not the consent the provision asks
// for, and one such form leaves open what another has obtained.
func (m *matcher) consent(f facts) {
	const name = "consent.separate"
	refused := false
	given := map[string]bool{} // by purpose; "" stands for whatever the device is for
	roots := []string{name}
	for _, c := range m.in.Site.Consents {
		about, root := concerns(c, f)
		if about == notice.No {
			continue
		}
		set := func(b *bool, v bool) bool { return b != nil && *b == v }
		bad := set(c.Separate, false) || set(c.Bundled, true) || set(c.Conditional, true)
		good := set(c.Separate, true) && set(c.Bundled, false) && set(c.Conditional, false) && c.Form != nil && c.Form.SHA256 != ""
		switch {
		case about == notice.Unknown:
			roots = append(roots, root)
		case bad:
			refused = true
		case good && c.Purpose == "unknown":
			given[""] = true
		case good:
			given[c.Purpose] = true
		}
	}
	full := given[""] || len(given) > 0 && !slices.ContainsFunc(f.list(factPurposes), func(p string) bool { return !given[p] })
	switch {
	case full && !refused && f.truth(factPassive) == notice.No:
		f.know(name, true, factPassive)
	case refused && len(given) == 0 && len(roots) == 1:
		f.know(name, false)
		s := f[name]
		s.Because, s.Classes = m.register(), []audit.Class{audit.ClassInspection}
		f[name] = s
	case full && f.truth(factPassive) == notice.Unknown:
		f.lack(name, append(roots, factPassive)...)
	default:
		f.lack(name, roots...)
	}
}

// concerns is whether a recorded consent is about a device: by zone, and by purpose where both sides name one.
func concerns(c audit.Consent, f facts) (notice.Truth, string) {
	if zones := f.list(factZones); len(c.Zones) > 0 {
		if zones == nil {
			return notice.Unknown, factZones
		}
		if !contains(c.Zones, zones) {
			return notice.No, ""
		}
	}
	if c.Purpose == "" || c.Purpose == "unknown" {
		return notice.Yes, ""
	}
	declared := f.list(factPurposes)
	switch {
	case declared == nil:
		return notice.Unknown, factPurposes
	case slices.Contains(declared, c.Purpose):
		return notice.Yes, ""
	}
	return notice.No, ""
}

// contains reports whether a holds all of b, and b is not empty.
func contains(a, b []string) bool {
	return len(b) > 0 && !slices.ContainsFunc(b, func(x string) bool { return !slices.Contains(a, x) })
}

// register returns the observations that stand for the site file's register of notices, consents and exemptions: the
// survey's where there is one, else the site's.
func (m *matcher) register() []string {
	var site, survey []string
	for _, o := range m.in.Observations {
		if o.Module == "site" {
			switch o.Kind {
			case "survey":
				survey = append(survey, o.ID)
			case "site":
				site = append(site, o.ID)
			}
		}
	}
	if len(survey) > 0 {
		return sorted(survey)
	}
	return sorted(site)
}
