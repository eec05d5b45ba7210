package probe

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
)

// webPorts are where makers' own web interfaces are found.
var webPorts = []uint16{80, 81, 82, 85, 88, 443, 8080, 8081, 8443, 8888, 8899}

// Secure reports whether a port's number says that a web server speaks TLS there.
func Secure(port uint16) bool { return port == 443 || port == 8443 }

// binaryPorts are ports that a target may name and that speak something else than HTTP on devices with a maker's interface.
var binaryPorts = []uint16{21, 22, 23, 322, 554, 1554, 1935, 3702, 4370, 5353, 5543, 5554, 7070, 8000, 8554, 10554, 34567, 37020, 37777, 37810}

// WebInterface reports whether a maker's web interface may be at the target: at a port usual for it, at one the target names
// as a web service, or at the usual port where it names none.
func WebInterface(t audit.Target) bool {
	p := t.Addr.Port()
	if t.Foreign || !t.Addr.Addr().IsValid() || slices.Contains(binaryPorts, p) {
		return false
	}
	if p == 0 || slices.Contains(webPorts, p) || slices.Contains([]string{"inventory", "ws-discovery", "ws-discovery-unicast"}, t.Method) {
		return true
	}
	return slices.ContainsFunc(t.Types, func(s string) bool {
		return strings.HasPrefix(s, "_http._tcp") || strings.HasPrefix(s, "_https._tcp")
	})
}

// Keys of Target.Extra under which the runner tells modules what others learned of the device.
const (
	extraMaker = "known-maker"
	extraMAC   = "known-mac"
)

// Inform returns the target with what was learned of the device so far, for modules to see whether it is theirs.
func (d *Done) Inform(t audit.Target) audit.Target {
	var makers, macs []string
	for _, id := range d.Known() {
		if id.Vendor != "" && !slices.Contains(makers, id.Vendor) {
			makers = append(makers, id.Vendor)
		}
		macs = append(macs, id.MACs...)
	}
	page, seen := d.Page(t.Addr.Port())
	if len(makers)+len(macs) == 0 && !seen {
		return t
	}
	extra := maps.Clone(t.Extra)
	if extra == nil {
		extra = map[string][]string{}
	}
	extra[extraMaker], extra[extraMAC] = makers, macs
	if seen {
		extra[extraPage] = page.Makers
		if !page.Titled {
			extra[extraBare] = []string{}
		}
		if page.Code == http.StatusNotFound {
			extra[extraNone] = []string{}
		}
	}
	t.Extra = extra
	return t
}

// nameless are what firmware writes in place of a maker's name where whoever sells the device put none: names of kinds of device,
// and of nobody. Seen in ONVIF device information and in the makers' own interfaces.
var nameless = []string{"general", "private", "onvif", "oem", "ipc", "ipcam", "ip camera", "ipcamera", "network camera", "h264", "nvr", "dvr"}

// named reports whether a text names a maker.
func named(vendor string) bool {
	return vendor != "" && !slices.Contains(nameless, strings.ToLower(strings.TrimSpace(vendor)))
}

// Unclaimed reports whether a device the operator lists, or that announced itself as a camera, has so far shown nothing of who made
// it: relabelled devices often say it nowhere but in their maker's own interface. Each module may then put its first question.
func Unclaimed(t audit.Target) bool {
	if !WebInterface(t) || !slices.Contains([]string{"inventory", "ws-discovery", "ws-discovery-unicast", "recorder"}, t.Method) {
		return false
	}
	return !named(t.Identity.Vendor) && !slices.ContainsFunc(t.Extra[extraMaker], named) && len(t.Extra[extraPage]) == 0
}

// MadeBy reports whether anything that was said of the device so far names one of the makers: the target's own words, the
// prefix of a hardware address, or what other modules learned. A prefix may be a router's, so it is a hint and no proof.
func MadeBy(t audit.Target, makers ...string) bool {
	is := func(vendor string) bool {
		return vendor != "" && slices.Contains(makers, fingerprint.Canonical(vendor))
	}
	if slices.ContainsFunc(append(slices.Clone(t.Extra[extraMaker]), t.Identity.Vendor), is) {
		return true
	}
	_, known := t.Extra[extraData]
	if db, err := fingerprint.Load(); err == nil && !known { // a test loads the data
		for _, mac := range slices.Concat(t.Identity.MACs, t.Extra[extraMAC], t.Extra["neighbour-mac"]) {
			if m, ok := db.MAC(mac); ok && is(m.Vendor) {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.Scopes, func(s string) bool {
		s = strings.ToLower(s)
		return slices.ContainsFunc(makers, func(m string) bool { return strings.Contains(s, strings.ToLower(m)) })
	})
}
