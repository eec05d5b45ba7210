package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// claims are the exemptions of the site file, each with an id.
func (m *matcher) claims() []audit.Exemption {
	out := slices.Clone(m.in.Site.Exemptions)
	for i := range out {
		if out[i].ID == "" {
			out[i].ID = fmt.Sprintf("E%d", i+1)
		}
	}
	return out
}

// supports says which parts of a claim's support are there: a document with its digest, the provision or authority it
// rests on, a period that covers the observation.
func (m *matcher) supports(e audit.Exemption) (document, authority, period bool) {
	document = e.Document != nil && e.Document.File != "" && e.Document.SHA256 != ""
	authority = strings.TrimSpace(e.Authority) != "" || strings.TrimSpace(e.Provision) != ""
	period = !e.Period.From.IsZero() && !m.from.Before(e.Period.From.T) && (e.Period.To.IsZero() || !m.to.After(e.Period.To.End()))
	return document, authority, period
}

// item reads the item of Art. 5: "5(2)", "2", "第五条第（二）项" give "2".
func item(s string) string {
	s = strings.NewReplacer("一", "1", "二", "2", "三", "3", "四", "4").Replace(strings.ReplaceAll(s, "五条", ""))
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "Art. "), "5(")
	for _, r := range s {
		if r >= '1' && r <= '5' {
			return string(r)
		}
	}
	if strings.Contains(s, "五") {
		return "5"
	}
	return ""
}

// claimFor reports whether a claim is about a device in these zones. Where they are not known, it is: a claim must not be
// passed over because the site file is incomplete.
func claimFor(e audit.Exemption, zones []string) bool {
	return len(e.Zones) == 0 || len(zones) == 0 || slices.Contains(e.Zones, "*") || contains(e.Zones, zones)
}

// marketing purposes are at odds with a claim of public security (PIPL Art. 26).
var marketing = []string{"customer_profiling", "marketing", "repeat_visitor", "footfall_stats", "commission_settlement", "service_quality"}

// atOdds returns the facts of a device that contradict a claim: attributes analysed, a purpose of marketing or a recipient
// in retail under a claim of public security; a consent known not to be separate under a claim of consent.
func (m *matcher) atOdds(e audit.Exemption, f facts) []string {
	var out []string
	switch item(e.Item) {
	case "2":
		if f.truth(modeFact(audit.Analyse)) == notice.Yes {
			out = append(out, modeFact(audit.Analyse))
		}
		if slices.ContainsFunc(f.list(factPurposes), func(p string) bool { return slices.Contains(marketing, p) }) {
			out = append(out, factPurposes)
		}
		if hosts, sends, _ := m.recipients(f); sends == notice.Yes && slices.ContainsFunc(hosts, func(h string) bool { return len(hints(h)) > 0 }) {
			out = append(out, factHosts)
		}
	case "4":
		if f.truth("consent.separate") == notice.No {
			out = append(out, "consent.separate")
		}
	}
	return out
}

// exemption states how the claims for a device stand. One that is supported and not contradicted counts before all others.
func (m *matcher) exemption(f facts) {
	best, rank := NoneClaimed, 0
	var from []string
	order := []string{NoneClaimed, ClaimedUnsupported, Contradicted, ClaimedSupported}
	for _, e := range m.claims() {
		if !claimFor(e, f.list(factZones)) {
			continue
		}
		s, why := ClaimedUnsupported, []string(nil)
		document, authority, period := m.supports(e)
		odds := m.atOdds(e, f)
		switch {
		case len(odds) > 0:
			s, why = Contradicted, odds
		case document && authority && period:
			s = ClaimedSupported
		}
		if r := slices.Index(order, s); r > rank {
			best, rank, from = s, r, why
		}
	}
	m.recorded(f, "exemption.state", best, from...)
	f.lack("exemption")
}

// claim states the facts of one claim as a subject of its own. The parts of its support that are not there are unknown: the
// processor may produce them.
func (m *matcher) claim(e audit.Exemption, devices map[string]facts) facts {
	f := facts{}
	for name, s := range m.site {
		f[name] = s
	}
	if i := item(e.Item); i != "" {
		m.recorded(f, "exemption.item", i)
	} else {
		f.lack("exemption.item")
	}
	document, authority, period := m.supports(e)
	for name, has := range map[string]bool{"exemption.document": document, "exemption.authority": authority, "exemption.period": period} {
		if has {
			m.recorded(f, name, true)
		} else {
			f.lack(name)
		}
	}
	state, odds := ClaimedUnsupported, []string(nil)
	if document && authority && period {
		state = ClaimedSupported
	}
	for _, id := range sortedKeys(devices) {
		d := devices[id]
		if !claimFor(e, d.list(factZones)) {
			continue
		}
		for _, name := range m.atOdds(e, d) {
			state, odds = Contradicted, append(odds, name)
			f[name] = merged(f[name], d[name])
		}
	}
	m.recorded(f, "exemption.state", state, sorted(odds)...)
	return f
}

// merged adds the observations behind a fact of another device.
func merged(a, b state) state {
	b.Because = sorted(append(slices.Clone(b.Because), a.Because...))
	return b
}
