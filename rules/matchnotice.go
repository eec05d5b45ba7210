package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// processing describes a device to the comparison with notices.
func (m *matcher) processing(d audit.Device, f facts) (p notice.Processing, sendRoots []string) {
	p = notice.Processing{Inventory: d.Inventory, Zones: f.list(factWatches), Attributes: f.list("device.attributes"), Purposes: f.list(factPurposes),
		Seen: m.to, Methods: map[string]notice.Truth{}}
	if len(p.Zones) == 0 {
		p.Zones = nil
	}
	for fn, method := range methods {
		p.Methods[method] = f.truth(modeFact(fn))
	}
	if d.Kind == audit.KindCamera {
		p.Methods[notice.VideoRecording] = notice.Yes
	}
	p.Recipients, p.Sends, sendRoots = m.recipients(f)
	p.Methods[notice.UploadInternet] = p.Sends
	p.Holders, p.Either = m.holders(p.Recipients, d), m.either(f)
	for _, h := range p.Recipients {
		p.Hints = append(p.Hints, hints(h)...)
	}
	p.Hints = sorted(p.Hints)
	return p, sendRoots
}

var methods = map[audit.Function]string{audit.Detect: notice.FaceDetection, audit.Capture: notice.FaceCapture,
	audit.Analyse: notice.AttributeAnalysis, audit.Verify: notice.Verification, audit.Identify: notice.Identification}

// hints are purposes the name of a receiving service suggests. A hint only ever makes a question.
func hints(host string) []string {
	var out []string
	for _, h := range []struct{ part, purpose string }{
		{"retail", "customer_profiling"}, {"keliu", "footfall_stats"}, {"footfall", "footfall_stats"}, {"traffic", "footfall_stats"},
		{"count", "footfall_stats"}, {"crm", "marketing"}, {"marketing", "marketing"}, {"member", "repeat_visitor"}, {"vip", "repeat_visitor"},
	} {
		if strings.Contains(host, h.part) {
			out = append(out, h.purpose)
		}
	}
	return out
}

// match relates the device to the notices and states what follows. It returns the notice that fits best.
func (m *matcher) match(d audit.Device, f facts) *notice.Reading {
	p, sendRoots := m.processing(d, f)
	survey := notice.Survey{Complete: f.truth(factSurvey)}
	if s := m.in.Site.Survey; s != nil {
		survey.Walked = append(slices.Clone(s.Walked.Zones), s.Walked.Entrances...)
		survey.Online = slices.ContainsFunc(s.OnlineChecked, func(c audit.OnlineCheck) bool { return c.Found != nil && *c.Found })
	}
	if survey.Complete == notice.Yes && !m.timely() {
		survey.Complete = notice.No // it shows nothing of the day of the observation
	}
	n, known := f["site.survey.online"].Value.V.(int64)
	survey.Offline = !known || n == 0
	if survey.Walks(p.Zones) {
		f.know("survey.covers", true, factSurvey, factZones)
	} else {
		f.lack("survey.covers", surveyRoots(survey, p, zoneRoot(f), "survey.covers")...)
	}
	got := notice.Compare(p, m.notices, survey)
	switch got.State {
	case "":
		f.lack("notice.state", stateRoots(got.Why, zoneRoot(f), survey)...)
	case notice.Covering:
		m.recorded(f, "notice.state", got.State, factZones)
	default:
		f.know("notice.state", got.State, "survey.covers")
	}
	m.best(f, got, survey)
	f.settle("notice.part", got.Part, []string{factZones}, f["notice.state"].roots)
	if len(got.Excluded) > 0 {
		m.recorded(f, "notice.excluded", got.Excluded, factZones)
	} else {
		f.lack("notice.excluded")
	}
	m.gaps(f, got, sendRoots)
	m.sign(f, p)
	return got.Fit
}

// surveyHolds is how far a survey and an observation may lie apart. Nobody knows what hung on a wall weeks later: a survey
// beyond it shows no absence for that day. The figure is ours; no provision has one.
const surveyHolds = 7 * 24 * time.Hour

// timely reports whether the survey was made close to the observation. A survey without a time is not complete in the first
// place (package site), and where nothing was observed nothing is apart.
func (m *matcher) timely() bool {
	s := m.in.Site.Survey
	if s == nil || s.At.From.IsZero() || m.to.IsZero() {
		return true
	}
	end := s.At.From.End()
	if !s.At.To.IsZero() {
		end = s.At.To.End()
	}
	return !s.At.From.T.After(m.to.Add(surveyHolds)) && !end.Before(m.from.Add(-surveyHolds))
}

// zoneRoot names what would tell a device's zones: that they are recorded at all, or which ones it works on.
func zoneRoot(f facts) string {
	if f[factZones].Known {
		return factWatches
	}
	return factZones
}

// surveyRoots names what a survey lacks: that there is one, or that it is complete and reaches the device.
func surveyRoots(s notice.Survey, p notice.Processing, zones, itself string) []string {
	var out []string
	if s.Complete == notice.Unknown {
		out = append(out, factSurvey)
	}
	if p.Zones == nil {
		out = append(out, zones)
	}
	if out == nil {
		out = append(out, itself)
	}
	return out
}

func stateRoots(why, zones string, s notice.Survey) []string {
	switch {
	case why == "zones":
		return []string{zones}
	case why == "survey" && s.Complete == notice.Unknown:
		return []string{factSurvey}
	}
	return []string{"notice.state"}
}

// recorded states a fact that an inspector's register bears out.
func (m *matcher) recorded(f facts, name string, v any, from ...string) {
	f.know(name, v, from...)
	s := f[name]
	s.Because = sorted(append(s.Because, m.register()...))
	s.Classes = append(s.Classes, audit.ClassInspection)
	slices.Sort(s.Classes)
	s.Classes = slices.Compact(s.Classes)
	f[name] = s
}

// best states what the best covering notice says. Without a covering notice the elements are unknown for the same reason
// the notice is, or plainly have no bearer.
func (m *matcher) best(f facts, got notice.Match, survey notice.Survey) {
	var bearer []string // why nothing can be said of the text
	if got.State == "" {
		bearer = f["notice.state"].roots
	}
	if got.Best == nil {
		for _, n := range []string{"notice.best", "notice.confirmed", "notice.absent", "notice.unclear", "notice.denies"} {
			f.lack(n, bearer...)
		}
		for _, e := range notice.Elements() {
			f.lack(saysFact(e), bearer...)
		}
	} else {
		m.elements(f, got.Said)
		m.recorded(f, "notice.best", strings.Join(got.Named, " + "))
		m.recorded(f, "notice.denies", got.Denies)
		if got.Firm {
			m.recorded(f, "notice.confirmed", true)
		} else {
			f.lack("notice.confirmed")
		}
	}
	m.rulesPublic(f, got, survey)
	if got.State == notice.Onsite {
		f.lack("notice.offsite_shown", "notice.rules_public")
	} else {
		f.lack("notice.offsite_shown")
	}
}

// rulesPublic: rules are public where the notice says where to find them or a register of rules has them. That they are not
// needs a complete survey as well, and that somebody looked online.
func (m *matcher) rulesPublic(f facts, got notice.Match, survey notice.Survey) {
	const name = "notice.rules_public"
	online := m.in.Site.Survey != nil && slices.ContainsFunc(m.in.Site.Survey.OnlineChecked, func(c audit.OnlineCheck) bool { return c.Found != nil && *c.Found })
	said := f.truth(saysFact(notice.Rules))
	switch {
	case said == notice.Yes && got.Best != nil, len(got.Public) > 0, online:
		m.recorded(f, name, true)
	case got.Best != nil && said == notice.Unknown:
		f.lack(name, saysFact(notice.Rules))
	case survey.Offline:
		f.lack(name)
	case f.truth("survey.covers") == notice.Yes:
		m.recorded(f, name, false, "survey.covers")
	default:
		f.lack(name, f["survey.covers"].roots...)
	}
}

// gaps states what the notice that fits best leaves unsaid.
func (m *matcher) gaps(f facts, got notice.Match, sendRoots []string) {
	names := []string{"gap.method", "gap.data", "gap.zone", "gap.recipient", "gap.purpose", "gap.purpose_hint"}
	if got.Fit == nil {
		var bearer []string
		if got.State == "" {
			bearer = f["notice.state"].roots
			f.lack("notice.states", bearer...)
		} else {
			m.recorded(f, "notice.states", false)
		}
		for _, n := range names {
			f.lack(n, bearer...)
		}
		return
	}
	m.recorded(f, "notice.states", true)
	g := got.Gaps
	for i, l := range [][]string{g.Method, g.Data, g.Zone, g.Recipient, g.Purpose, g.Hint} {
		if l != nil {
			m.recorded(f, names[i], l, gapFrom(names[i])...)
			continue
		}
		var roots []string
		switch names[i] {
		case "gap.method":
			stated := append(notice.Closure(got.Fit.Stated.Methods), notice.VideoRecording)
			for _, fn := range audit.Functions() {
				if !slices.Contains(stated, methods[fn]) && f.truth(modeFact(fn)) == notice.Unknown {
					roots = append(roots, f[modeFact(fn)].roots...)
				}
			}
			if !slices.Contains(stated, notice.UploadInternet) && len(got.Fit.Scope.Recipients) == 0 {
				roots = append(roots, sendRoots...)
			}
		case "gap.data":
			roots = f["device.attributes"].roots
		case "gap.zone":
			roots = []string{zoneRoot(f)}
		case "gap.recipient":
			roots = sendRoots
			if len(roots) == 0 && m.either(f) {
				roots = []string{factFaceHosts, names[i]}
			}
		case "gap.purpose":
			roots = []string{factPurposes}
		}
		f.lack(names[i], roots...)
	}
}

// gapFrom lists the facts a gap of that kind is worked out from.
func gapFrom(name string) []string {
	switch name {
	case "gap.method":
		out := []string{factHostsFace}
		for _, fn := range audit.Functions() {
			out = append(out, modeFact(fn))
		}
		return out
	case "gap.data":
		return []string{"device.attributes"}
	case "gap.zone":
		return []string{factZones}
	case "gap.recipient", "gap.purpose_hint":
		return []string{factHosts, factHostsFace}
	}
	return []string{factPurposes}
}

// sign: PIPL Art. 26 asks for a conspicuous sign, of whatever text. Before or after capture makes no difference to its
// being there.
func (m *matcher) sign(f facts, p notice.Processing) {
	const name = "notice.sign"
	var signed []string
	for _, n := range m.notices {
		if n.Physical && n.Status == "present" && n.InTime(m.to) && n.DeclaredBy != "operator" {
			signed = append(append(signed, n.Zones()...), starred(n, p.Zones)...)
		}
	}
	if p.Zones != nil && contains(signed, p.Zones) {
		m.recorded(f, name, true)
		return
	}
	if f.truth("survey.covers") == notice.Yes && f.text("notice.state") != notice.Covering {
		m.recorded(f, name, false, "survey.covers")
		return
	}
	roots := f["survey.covers"].roots
	if f.truth("survey.covers") == notice.Yes {
		roots = []string{name}
	}
	f.lack(name, roots...)
}

func starred(n notice.Reading, zones []string) []string {
	if slices.Contains(n.Zones(), "*") {
		return zones
	}
	return nil
}
