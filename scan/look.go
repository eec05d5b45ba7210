package scan

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
)

// Look is what a run found, before any fact or rule: its devices, which of them answered or are a recorder's channel (by id), and
// how complete the list of cameras is; nil where the permit allowed no looking. It is pure.
func Look(rec Record) (devices []audit.Device, found map[string]bool, recall *audit.Recall) {
	devices, device := Identify(rec.Observations, rec.Site.Inventory)
	MarkForeign(devices, rec.Site.Authority.Perimeter)
	p := presenceOf(rec, devices, rec.Observations, device)
	found = map[string]bool{}
	for _, d := range devices {
		found[d.ID] = p.found(d)
	}
	return devices, found, recallOf(rec, devices, p, groupsOf(discover.Methods()))
}
