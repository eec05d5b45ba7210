package scan

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

// FaceOf reads the ladder of every function from the folded facts of one device. A rung counts only when it is known: an
// instance that is known to be switched off shows that the device could, and nothing more; "absent" needs a fact that says
// so.
func FaceOf(facts map[string]audit.Folded) map[audit.Function]audit.FaceState {
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
		case isFalse(configured):
			take(audit.Capable, configured)
		case isFalse(capable):
			take(audit.Absent, capable)
		}
		for _, r := range []audit.Folded{capable, configured, active} {
			if len(r.Dispute) > 0 {
				s.Dispute = unique(append(s.Dispute, r.Dispute...))
				s.Note = msg.Text("scan.face.dispute", msg.Word(string(f)))
			}
		}
		if s.Level == audit.Capable && isFalse(configured) {
			s.Note = msg.Text("scan.face.off")
			s.Because = unique(append(s.Because, configured.Because...))
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
func outboundOf(facts map[string]audit.Folded, inside func(netip.Addr) bool) []audit.Outbound {
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
		}
		a, err := netip.ParseAddr(host)
		out = append(out, audit.Outbound{Host: address, What: what, Inside: err == nil && inside(a),
			Face: isTrue(facts[probe.FactOutboundFace]), Because: slices.Clone(hosts.Because)})
	}
	return out
}
