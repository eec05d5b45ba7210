package probe

import (
	"maps"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
)

// extraData marks a target whose makers were worked out from the run's own data.
const extraData = "known-data"

// Fingerprints returns the run's fingerprints: those of Data, or the built-in ones where it has none.
func (e Env) Fingerprints() (*fingerprint.DB, error) {
	if e.Data != nil {
		return e.Data.Fingerprints, nil
	}
	return fingerprint.Load()
}

// By returns the target with its makers as the run's data know them: those of its hardware addresses, and every name in the one
// spelling makers are compared by. What is built in is not consulted for it again.
func By(t audit.Target, db *fingerprint.DB) audit.Target {
	extra := maps.Clone(t.Extra)
	if extra == nil {
		extra = map[string][]string{}
	}
	var makers []string
	add := func(vendor string) {
		if vendor = db.Canonical(vendor); vendor != "" && !slices.Contains(makers, vendor) {
			makers = append(makers, vendor)
		}
	}
	for _, v := range append(slices.Clone(t.Extra[extraMaker]), t.Identity.Vendor) {
		add(v)
	}
	for _, mac := range slices.Concat(t.Identity.MACs, t.Extra[extraMAC], t.Extra["neighbour-mac"]) {
		if m, ok := db.MAC(mac); ok {
			add(m.Vendor)
		}
	}
	extra[extraMaker], extra[extraData] = makers, []string{}
	t.Extra = extra
	return t
}
