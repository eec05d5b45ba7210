package rules

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// Facts about where information about faces is kept and whether it leaves over the Internet.
const (
	factIdentifies = "technology.identifies"
	factResearch   = "technology.research"
	factInternet   = "transfer.internet"
	factWithin     = "transfer.within"
	factOnDevice   = "storage.on_device"
	factRead       = "outbound.read"
)

// technology states whether what runs serves to identify individual persons, as Order 19 (Art. 19(3)) defines face recognition:
// verification or identification, or a terminal set to do either. Attributes alone may be outside that definition, and whether
// they are is not for this program to settle. Research and training of algorithms (Art. 2) count only where that is all a device
// is said to be for; the operator's word alone leaves it open.
func (m *matcher) technology(d audit.Device, f facts) {
	verify, identify, analyse := modeFact(audit.Verify), modeFact(audit.Identify), modeFact(audit.Analyse)
	set := func(fn audit.Function) bool {
		return d.Kind == audit.KindTerminal && f.truth(audit.FactName(fn, audit.Configured)) == notice.Yes
	}
	var roots []string
	for _, name := range []string{verify, identify, analyse} {
		if f.truth(name) == notice.Unknown {
			roots = append(roots, f[name].roots...)
		}
	}
	switch {
	case f.truth(verify) == notice.Yes:
		f.know(factIdentifies, true, verify)
	case f.truth(identify) == notice.Yes:
		f.know(factIdentifies, true, identify)
	case set(audit.Verify):
		f.know(factIdentifies, true, audit.FactName(audit.Verify, audit.Configured))
	case set(audit.Identify):
		f.know(factIdentifies, true, audit.FactName(audit.Identify, audit.Configured))
	case f.truth(analyse) == notice.Yes:
		f.lack(factIdentifies, append(roots, factIdentifies)...)
	case len(roots) > 0:
		f.lack(factIdentifies, roots...)
	default:
		f.know(factIdentifies, false, verify, identify, analyse)
	}
	switch {
	case !contains([]string{"research"}, f.list(factPurposes)):
		f.know(factResearch, false, factPurposes)
	case slices.Contains(f[factPurposes].Classes, audit.ClassInspection):
		f.know(factResearch, true, factPurposes)
	default:
		f.lack(factResearch)
	}
}

// transfer states which hosts on the Internet get results about faces, which within the premises or a private network do, and
// whether it is attested that nothing is kept outside the device. That nothing leaves is stated only where the receivers were read
// with a login or are known to be none of the kind, and the device was heard to talk to no cloud; never from silence.
func (m *matcher) transfer(d audit.Device, f facts) {
	if m.read(d) {
		f.know(factRead, true)
		s := f[factRead]
		s.Because, s.Classes = m.outboundOf(d), []audit.Class{audit.ClassOutbound}
		f[factRead] = s
	} else {
		f.lack(factRead)
	}
	hosts, sends, roots := m.recipients(f)
	var far, unsure []string
	for _, h := range hosts {
		switch reach(h) {
		case notice.Yes:
			far = append(far, h)
		case notice.Unknown:
			unsure = append(unsure, h)
		}
	}
	deps := []string{factHosts, factHostsFace, factFaceHosts}
	cloud := len(f.list(factSeen)) > 0
	switch {
	case sends == notice.Yes && len(far) > 0 && m.either(f) && len(far) < len(m.names(f.list(factHosts))):
		f.lack(factInternet, factFaceHosts)
	case sends == notice.Yes && len(far) > 0:
		f.know(factInternet, far, deps...)
	case sends == notice.Yes && len(unsure) > 0:
		f.lack(factInternet)
	case sends == notice.Unknown && (f.list(factHosts) != nil || f.truth(factRead) != notice.Yes):
		f.lack(factInternet, roots...)
	case cloud:
		f.lack(factInternet, factHostsFace)
	default:
		f.know(factInternet, []string{}, append(deps, factRead)...)
	}
	within := m.within(f)
	if within != nil {
		f.know(factWithin, within, deps...)
	} else {
		f.lack(factWithin, roots...)
	}
	m.storage(f, len(within) > 0)
	f.lack("consent.transfer")
}

// within lists the hosts inside the perimeter or in a private network that get results about faces, or may be among those that do.
func (m *matcher) within(f facts) []string {
	get := f.list(factFaceHosts)
	if get == nil {
		get = f.list(factHosts)
	}
	switch {
	case f.truth(factHostsFace) == notice.No:
		return []string{}
	case get == nil || f.truth(factHostsFace) != notice.Yes:
		return nil
	}
	out := slices.DeleteFunc(m.names(get), func(h string) bool { return !m.inside(h) && reach(h) == notice.Yes })
	if out == nil {
		out = []string{}
	}
	return out
}

// storage: whether a server in the same premises is "within the device" (Order 19 Art. 8) is not settled; where one gets or keeps
// faces, that stays open whatever is attested.
func (m *matcher) storage(f facts, server bool) {
	attested, kept := f.truth(factAttested), f.truth(factServerStores)
	var roots []string
	if attested != notice.Yes {
		roots = append(roots, factAttested)
	}
	if kept == notice.Unknown {
		roots = append(roots, factServerStores)
	}
	switch {
	case server || kept == notice.Yes:
		f.lack(factOnDevice)
	case len(roots) > 0:
		f.lack(factOnDevice, roots...)
	default:
		f.know(factOnDevice, true, factAttested, factServerStores)
	}
}

// read reports whether a login read where the device sends its results: everything asked of that was answered, and everything that
// its maker's interface says of captures, verification or identification as well.
func (m *matcher) read(d audit.Device) bool {
	full := slices.ContainsFunc(d.Looked, func(l audit.Looked) bool { return l.Function != audit.Detect && l.InFull() })
	return full && len(m.outboundOf(d)) > 0
}

// outboundOf returns the observations in which a device answered, to a login, where it sends results; none where it left one such
// question unanswered.
func (m *matcher) outboundOf(d audit.Device) []string {
	var out []string
	for _, o := range m.in.Observations {
		if o.Class != audit.ClassOutbound || o.Seen != nil || o.Locus == "" || !slices.Contains(d.Loci, o.Locus) {
			continue
		}
		switch {
		case o.Status == audit.NotSupported:
		case o.Status != audit.OK:
			return nil
		case o.Auth != "" && o.Auth != "none":
			out = append(out, o.ID)
		}
	}
	return sorted(out)
}

// names returns the hosts of receivers.
func (m *matcher) names(receivers []string) []string {
	var out []string
	for _, r := range receivers {
		if h := hostOf(r); h != "" {
			out = append(out, h)
		}
	}
	return sorted(out)
}

// reach reports whether a host is on the Internet: an address that is not private is, and so is a name that can be delegated. A
// name without a dot, or under a domain that networks use for themselves, may lead anywhere.
func reach(host string) notice.Truth {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		shared := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
		if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || shared.Contains(a) {
			return notice.No
		}
		return notice.Yes
	}
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == host || slices.Contains([]string{"local", "lan", "internal", "intranet", "home", "corp", "localdomain", "localhost", "arpa", "private"}, last) {
		return notice.Unknown
	}
	return notice.Yes
}
