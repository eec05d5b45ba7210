package scan

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

// FaceOf reads the ladder of every function from the folded facts of one device. A rung counts only when it is known: an
// instance that is known to be switched off shows that the device could, and nothing more; "absent" needs a fact that says
// so of the device as a whole. Where what is said contradicts itself, the note names both sides; named names an observation.
func FaceOf(facts map[string]audit.Folded, named func(id string) string) map[audit.Function]audit.FaceState {
	out := map[audit.Function]audit.FaceState{}
	for _, f := range audit.Functions() {
		capable, configured, active := facts[audit.FactName(f, audit.Capable)], facts[audit.FactName(f, audit.Configured)], facts[audit.FactName(f, audit.Active)]
		s := audit.FaceState{Attributes: []string{}, Because: []string{}}
		take := func(l audit.Level, by audit.Folded) {
			s.Level, s.Because = l, slices.Clone(by.Because)
		}
		switch {
		case isTrue(active):
			take(audit.Active, active)
		case isTrue(configured):
			take(audit.Configured, configured)
		case isTrue(capable):
			take(audit.Capable, capable)
			s.Inferred = capable.Inferred
		case isFalse(configured) && len(capable.Dispute) == 0:
			take(audit.Capable, configured)
		case isFalse(capable) && capable.Scope != audit.OfInstance && len(configured.Dispute)+len(active.Dispute) == 0:
			take(audit.Absent, capable)
		}
		var conflicts []audit.Folded
		for _, r := range []audit.Folded{capable, configured, active} {
			if len(r.Dispute) > 0 {
				s.Dispute = unique(append(s.Dispute, r.Dispute...))
				conflicts = append(conflicts, r)
			}
		}
		switch {
		case len(conflicts) > 0:
			s.Note = disputed(f, conflicts, named)
		case s.Level == audit.Capable && isFalse(configured):
			s.Note = msg.Text("scan.face.off")
			s.Because = unique(append(s.Because, configured.Because...))
		case s.Level == audit.Capable && configured.Partial:
			s.Note = msg.Text("scan.face.off.partial")
			s.Because = unique(append(s.Because, configured.Because...))
		case s.Level == audit.Unknown && (configured.Partial || capable.Partial):
			s.Note = msg.Text("scan.face.none.partial")
			s.Because = unique(append(slices.Clone(configured.Because), capable.Because...))
		case s.Inferred:
			s.Note = msg.Text("scan.face.inferred")
		}
		if f == audit.Analyse {
			name := probe.FactAttributesCapable
			if s.Level == audit.Active {
				name = probe.FactAttributesActive
			}
			if l, ok := facts[name].Value.V.([]string); ok && facts[name].Known && s.Level > audit.Absent {
				s.Attributes = l
			}
		}
		out[f] = s
	}
	return out
}

func isTrue(f audit.Folded) bool  { b, ok := f.Value.V.(bool); return f.Known && ok && b }
func isFalse(f audit.Folded) bool { b, ok := f.Value.V.(bool); return f.Known && ok && !b }

// outboundOf reads the configured receivers, "what scheme://host:port", and what was heard of the traffic with listed hosts.
func outboundOf(facts map[string]audit.Folded, inside func(netip.Addr) bool, data *knowledge.Set) []audit.Outbound {
	out := []audit.Outbound{}
	hosts := facts[probe.FactOutboundHosts]
	list, _ := hosts.Value.V.([]string)
	faces, named := facts[probe.FactOutboundFaces].Value.V.([]string)
	for _, h := range list {
		what, address, ok := strings.Cut(h, " ")
		if !ok {
			what, address = "", h
		}
		host := hostOf(address)
		a, err := netip.ParseAddr(host)
		o := audit.Outbound{Host: address, What: what, Inside: err == nil && inside(a),
			Face: isTrue(facts[probe.FactOutboundFace]) && (slices.Contains(faces, h) || !named), Because: slices.Clone(hosts.Because)}
		if known, ok := data.Host(host); ok {
			o.Whose, o.Means = known.Whose, known.Means()
		}
		out = append(out, o)
	}
	return append(out, heardOf(facts, data)...)
}

// hostOf reads the host of an address.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Hostname()
	}
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

// heardOf reads what was heard of the traffic with listed hosts: "level host", of which the strongest counts for each. It never
// says that faces were sent.
func heardOf(facts map[string]audit.Folded, data *knowledge.Set) []audit.Outbound {
	seen := facts[probe.FactOutboundSeen]
	list, _ := seen.Value.V.([]string)
	level := map[string]int{}
	for _, s := range list {
		l, host, _ := strings.Cut(s, " ")
		if n := slices.Index(probe.EgressLevels(), l); n >= 0 {
			level[host] = max(level[host], n+1)
		}
	}
	var out []audit.Outbound
	for _, host := range slices.Sorted(maps.Keys(level)) {
		l := probe.EgressLevels()[level[host]-1]
		o := audit.Outbound{Host: host, What: "heard-" + l, Because: slices.Clone(seen.Because)}
		o.Means = msg.Text("outbound.seen." + l)
		if known, ok := data.Host(host); ok {
			o.Whose, o.Means = known.Whose, msg.Text("outbound.seen.means", o.Means, known.Means())
		}
		out = append(out, o)
	}
	return out
}
