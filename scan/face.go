package scan

import (
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

// outboundOf reads the configured receivers: "what scheme://host:port".
func outboundOf(facts map[string]audit.Folded, inside func(netip.Addr) bool, data *knowledge.Set) []audit.Outbound {
	out := []audit.Outbound{}
	hosts := facts[probe.FactOutboundHosts]
	list, _ := hosts.Value.V.([]string)
	for _, h := range list {
		what, address, ok := strings.Cut(h, " ")
		if !ok {
			what, address = "", h
		}
		host := address
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			host = u.Hostname()
		} else if name, _, err := net.SplitHostPort(address); err == nil {
			host = name
		}
		a, err := netip.ParseAddr(host)
		o := audit.Outbound{Host: address, What: what, Inside: err == nil && inside(a),
			Face: isTrue(facts[probe.FactOutboundFace]), Because: slices.Clone(hosts.Because)}
		if known, ok := data.Host(host); ok {
			o.Whose, o.Means = known.Whose, known.Means()
		}
		out = append(out, o)
	}
	return out
}
