package site

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

var hostShape = regexp.MustCompile(`^[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,62})(\.[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,62}))*$`)

// recipients: who somebody is and in what capacity he receives decides whether a transfer is in order, so that nothing of it is
// optional but what nobody may have seen: the contract.
func (v *validator) recipients() {
	v.ids("recipients", len(v.f.Recipients), func(i int) string { return v.f.Recipients[i].ID })
	for i := range v.f.Recipients {
		r, p := &v.f.Recipients[i], index("recipients", i)
		if r.DeclaredBy != "" || !v.wrote(p+".declared_by") {
			v.required(r.DeclaredBy, p+".declared_by", declarers())
		}
		if r.Capacity != "" || !v.wrote(p+".capacity") {
			v.required(r.Capacity, p+".capacity", capacities())
		}
		if strings.TrimSpace(r.Name) == "" && !v.unread(p+".name") {
			v.problem(p+".name", "site.recipient_name")
		}
		if len(r.Hosts) == 0 && !v.unread(p+".hosts") {
			v.problem(p+".hosts", "site.recipient_hosts")
		}
		for j := range r.Hosts {
			r.Hosts[j] = v.host(r.Hosts[j], index(p+".hosts", j))
		}
		if len(r.Cameras) == 0 && !v.unread(p+".cameras") {
			v.problem(p+".cameras", "site.recipient_cameras")
		}
		v.cameraList(r.Cameras, p+".cameras")
		switch {
		case r.Since.IsZero() && !v.wrote(p+".since"):
			v.problem(p+".since", "site.recipient_since")
		case !r.Until.IsZero() && !r.Since.IsZero() && r.Until.End().Before(r.Since.T):
			v.problem(p+".until", "site.order", r.Since.String(), r.Until.String())
		}
		if r.Contract != nil {
			v.document(r.Contract.Document, p+".contract.document")
		}
	}
}

// host reads who is meant by a host: an address, a name, or "*." before a domain, for the domain and everything below it. It is
// returned as the rest of the program compares it.
func (d *decoder) host(s, path string) string {
	s = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ".")
	name, below := strings.CutPrefix(s, "*.")
	a, err := netip.ParseAddr(s)
	_, portErr := netip.ParseAddrPort(s)
	switch {
	case s == "":
		return s // an empty item is reported where it is read
	case strings.Contains(s, "{{"):
		d.problem(path, "site.placeholder", clean.Text(s, 60))
	case err == nil && (a.Zone() != "" || a.IsUnspecified() || a.IsMulticast()):
		d.problem(path, "site.host_none", clean.Text(s, 60))
	case err == nil:
		return a.Unmap().String()
	case strings.Contains(s, "://"):
		d.problem(path, "site.host_url")
	case strings.Contains(s, "/"):
		d.problem(path, "site.host_prefix", clean.Text(s, 60))
	case portErr == nil || strings.Count(s, ":") == 1:
		d.problem(path, "site.host_port", clean.Text(s, 60))
	case len(s) > 253 || !hostShape.MatchString(name) || allDigits(name[strings.LastIndexByte(name, '.')+1:]): // 192.0.2.300 is no name
		d.problem(path, "site.host", clean.Text(s, 60))
	case below && wholeRegistry(name):
		d.problem(path, "site.host_wide", clean.Text(s, 60))
	default:
		return s
	}
	return ""
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// wholeRegistry reports a domain under which anybody may have a name: com, com.cn.
func wholeRegistry(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// recipients: what is only said proves no contract, and a contract that was not produced covers nothing.
func (c *checker) recipients() {
	for i, r := range c.f.Recipients {
		path := index("recipients", i)
		say := func(w Weight, at, id string) { c.say(w, path+at, []string{ruleOthers}, id, clean.Text(r.ID, 60)) }
		k := r.Contract
		switch {
		case r.Capacity != audit.Entrusted:
		case k == nil:
			say(Blocks, ".contract", "site.check.contract")
		case r.DeclaredBy != "inspector" && (k.Document == nil || k.Document.SHA256 == ""):
			say(Blocks, ".contract.document", "site.check.contract_seen")
		}
		if k != nil && r.Capacity == audit.Entrusted {
			if k.Signed.IsZero() {
				say(Blocks, ".contract.signed", "site.check.contract_signed")
			}
			if len(k.Purposes) == 0 {
				say(Blocks, ".contract.purposes", "site.check.contract_purposes")
			}
		}
		if r.Contact == "" && r.Capacity == audit.OtherProcessor {
			say(Weakens, ".contact", "site.check.recipient_contact")
		}
	}
	c.twoCapacities()
	if s := c.f.ServerSide; s != nil && s.Attested && s.Stores == nil {
		c.say(Hint, "server_side.stores_faces", []string{ruleStored}, "site.check.stores")
	}
}

// twoCapacities finds hosts that two entries give to different people or capacities: of those nothing follows.
func (c *checker) twoCapacities() {
	type claim struct{ id, capacity string }
	first := map[string]claim{}
	for i, r := range c.f.Recipients {
		for _, h := range slices.Compact(slices.Sorted(slices.Values(r.Hosts))) {
			for _, cam := range r.Cameras {
				key := h + " " + cam
				switch was, ok := first[key]; {
				case !ok:
					first[key] = claim{r.ID, r.Capacity}
				case was.capacity != r.Capacity:
					c.say(Blocks, index("recipients", i)+".capacity", []string{ruleOthers}, "site.check.two_capacities", clean.Text(h, 80), clean.Text(was.id, 60), clean.Text(r.ID, 60))
				}
			}
		}
	}
}
