package rules

import (
	"slices"

	"github.com/mingshi-audit/mingshi/rules/notice"
)

// notice states the facts of one notice as a subject of its own. devices are those it may cover.
func (m *matcher) notice(r notice.Reading, devices map[string]facts) facts {
	f := facts{}
	for name, s := range m.site {
		f[name] = s
	}
	m.elements(f, r.Hits)
	m.recorded(f, "notice.states", r.Makes())
	sole, roots := notice.No, []string{}
	var from []string
	for _, id := range sortedKeys(devices) {
		d := devices[id]
		if !m.only(r, d.list(factZones)) {
			continue
		}
		switch d.truth("device.processing") {
		case notice.Yes:
			sole = notice.Yes
			f["device.processing"] = d["device.processing"]
			from = []string{"device.processing"}
		case notice.Unknown:
			roots = append(roots, d["device.processing"].roots...)
		}
	}
	if sole == notice.No && len(roots) > 0 {
		sole = notice.Unknown
	}
	f.settle("notice.sole", sole, from, roots)
	return f
}

// only reports whether a notice is the only one present on site that speaks of one of these zones.
func (m *matcher) only(r notice.Reading, zones []string) bool {
	for _, z := range zones {
		var ids []string
		for _, n := range m.notices {
			if n.Physical && n.Status == "present" && (slices.Contains(n.Zones(), z) || slices.Contains(n.Zones(), "*")) {
				ids = append(ids, n.ID)
			}
		}
		if len(ids) == 1 && ids[0] == r.ID {
			return true
		}
	}
	return false
}

// elements states what a text says, or several together.
func (m *matcher) elements(f facts, hits []notice.Hit) {
	r := notice.Result{Hits: hits}
	m.recorded(f, "notice.absent", r.With(notice.Absent))
	m.recorded(f, "notice.unclear", r.With(notice.Unclear))
	for _, h := range hits {
		switch h.State {
		case notice.Present:
			m.recorded(f, saysFact(h.Element), true)
		case notice.Absent:
			m.recorded(f, saysFact(h.Element), false)
		default:
			f.lack(saysFact(h.Element))
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return sorted(out)
}
