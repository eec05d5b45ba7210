package rules

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// recipients returns the hosts outside the perimeter that get results, and whether they get results about faces. Where it is known
// which receivers get those, the others are none; that all of those are inside says nothing of what goes outside.
func (m *matcher) recipients(f facts) (hosts []string, sends notice.Truth, roots []string) {
	all := f.list(factHosts)
	hosts = m.outside(all)
	switch face := f.truth(factHostsFace); {
	case len(hosts) > 0 && face == notice.Yes:
		get := f.list(factFaceHosts)
		switch {
		case get == nil && len(hosts) < len(m.names(all)):
			return hosts, notice.Unknown, []string{factFaceHosts} // it may be the one inside
		case get == nil:
			return hosts, notice.Yes, nil
		}
		if some := m.outside(get); len(some) > 0 {
			return some, notice.Yes, nil
		}
	case all != nil && len(hosts) == 0, face == notice.No:
		return nil, notice.No, nil
	case all == nil:
		return nil, notice.Unknown, []string{factHosts}
	}
	return hosts, notice.Unknown, []string{factHostsFace}
}

// either reports whether faces go to some of several receivers and nobody said to which: then only what holds for all of them
// holds for the one.
func (m *matcher) either(f facts) bool {
	return f.list(factFaceHosts) == nil && len(f.list(factHosts)) > 1
}

// provision states to whom outside the perimeter faces go, and in what capacity each of them receives. That is for the site file's
// register to say and for nobody here to conclude from a name: one host that no entry covers leaves it unknown.
func (m *matcher) provision(d audit.Device, f facts) {
	const name, entrusted, other, others, unnamed = "outbound.recipients", "recipient.entrusted", "recipient.other", "recipient.others", "recipient.unnamed"
	hosts, sends, roots := m.recipients(f)
	switch sends {
	case notice.Yes:
		f.know(name, hosts, factHosts, factHostsFace)
	case notice.No:
		f.know(name, []string{}, factHosts, factHostsFace)
	default:
		f.lack(name, roots...)
	}
	var apart []string // hosts of other processors
	var open, firm, said []string
	if sends == notice.Yes {
		for _, h := range hosts {
			s := m.standing(h, d, f)
			open, firm, said = append(open, s.roots...), append(firm, s.firm...), append(said, s.said...)
			if s.capacity == audit.OtherProcessor {
				apart = append(apart, h)
			}
		}
	}
	switch {
	case sends != notice.Yes:
		open = []string{entrusted, other}
	case len(open) == 0 && m.either(f) && len(apart) > 0 && len(apart) < len(hosts):
		open = []string{factFaceHosts}
	}
	if len(open) > 0 {
		for _, n := range []string{others, unnamed, other, entrusted} {
			at := open
			if n == entrusted && sends == notice.Yes && len(apart) == 0 {
				at = slices.DeleteFunc(slices.Clone(open), func(r string) bool { return r == other })
			}
			f.lack(n, at...)
		}
		return
	}
	state := func(name string, v any, from ...string) {
		f.know(name, v, from...)
		s := f[name]
		s.Because = sorted(append(s.Because, m.register()...))
		if len(firm) > 0 {
			s.Classes = append(s.Classes, audit.ClassInspection)
		}
		if len(said) > 0 {
			s.Classes = append(s.Classes, audit.ClassDeclaration)
		}
		slices.Sort(s.Classes)
		s.Classes = slices.Compact(s.Classes)
		f[name] = s
	}
	state(entrusted, len(apart) == 0, name)
	state(other, len(apart) > 0, name)
	state(others, sorted(slices.Clone(apart)), name)
	switch gap := f.list("gap.recipient"); {
	case len(apart) == 0:
		state(unnamed, []string{}, name)
	case gap == nil:
		f.lack(unnamed, orSelf(f["gap.recipient"].roots, "gap.recipient")...)
	default:
		state(unnamed, slices.DeleteFunc(slices.Clone(apart), func(h string) bool { return !slices.Contains(gap, h) }), name, "gap.recipient")
	}
}

func orSelf(roots []string, itself string) []string {
	if len(roots) == 0 {
		return []string{itself}
	}
	return roots
}

// standing is in what capacity one host receives, or what would tell.
type standing struct {
	capacity   string   // empty: not known
	roots      []string // why not
	firm, said []string // entries of who saw the papers, and of who only says so
}

// standing looks a host up in the register. Entries that do not hold at the time of observation, or are about other cameras, say
// nothing. An operator who says that somebody else decides says it against himself, and that counts; that somebody is entrusted
// needs the contract. Where two entries differ, neither counts.
func (m *matcher) standing(host string, d audit.Device, f facts) (s standing) {
	var claims []string
	for _, r := range m.of(host, d) {
		if r.DeclaredBy == "inspector" {
			s.firm = append(s.firm, r.ID)
		} else {
			s.said = append(s.said, r.ID)
		}
		if r.Capacity == audit.Entrusted {
			s.roots = append(s.roots, m.uncovered(r, f)...)
		}
		claims = append(claims, r.Capacity)
	}
	claims = sorted(claims)
	switch {
	case len(claims) != 1: // nobody says, or they say different things
		s.roots = []string{"recipient.entrusted", "recipient.other"}
	case len(s.roots) == 0:
		s.capacity = claims[0]
	}
	return s
}

// of returns the entries that hold for a host that gets results of a device at the time of observation.
func (m *matcher) of(host string, d audit.Device) []audit.Recipient {
	var out []audit.Recipient
	for _, r := range m.in.Site.Recipients {
		about := slices.Contains(r.Cameras, "*") || d.Inventory != "" && slices.Contains(r.Cameras, d.Inventory)
		then := !r.Since.IsZero() && !m.from.Before(r.Since.T) && (r.Until.IsZero() || !m.to.After(r.Until.End()))
		if about && then && slices.ContainsFunc(r.Hosts, func(p string) bool { return covers(p, host) }) {
			out = append(out, r)
		}
	}
	return out
}

// covers reports whether a host is the one written, or is within the domain written as "*.example.com".
func covers(pattern, host string) bool {
	pattern, host = strings.TrimSuffix(strings.ToLower(pattern), "."), strings.TrimSuffix(strings.ToLower(host), ".")
	if domain, ok := strings.CutPrefix(pattern, "*."); ok {
		return host == domain || strings.HasSuffix(host, "."+domain)
	}
	a, err := netip.ParseAddr(pattern)
	b, err2 := netip.ParseAddr(host)
	if err == nil && err2 == nil {
		return a.Unmap() == b.Unmap()
	}
	return pattern != "" && pattern == host
}

// uncovered names what keeps an entry from showing that a contract entrusts the transfer: that it was seen or its digest is on
// record, was signed by then, and that what the device is for is among the purposes agreed (PIPL 21).
func (m *matcher) uncovered(r audit.Recipient, f facts) []string {
	k := r.Contract
	shown := k != nil && !k.Signed.IsZero() && !m.from.Before(k.Signed.T) && len(k.Purposes) > 0 &&
		(r.DeclaredBy == "inspector" || k.Document != nil && k.Document.SHA256 != "")
	purposes := f.list(factPurposes)
	switch {
	case !shown:
		return []string{"recipient.entrusted"}
	case purposes == nil:
		return []string{factPurposes}
	case !contains(k.Purposes, purposes):
		return []string{"recipient.entrusted"}
	}
	return nil
}

// holders says whose the hosts are that get results of a device, where the register says so and with one voice.
func (m *matcher) holders(hosts []string, d audit.Device) map[string]notice.Holder {
	out := map[string]notice.Holder{}
	for _, h := range hosts {
		rs := m.of(h, d)
		if len(rs) == 0 || slices.ContainsFunc(rs, func(r audit.Recipient) bool { return r.Name != rs[0].Name }) {
			continue
		}
		seen := slices.ContainsFunc(rs, func(r audit.Recipient) bool {
			return r.DeclaredBy == "inspector" || r.Contract != nil && r.Contract.Document != nil && r.Contract.Document.SHA256 != ""
		})
		out[h] = notice.Holder{Name: rs[0].Name, Seen: seen}
	}
	return out
}
