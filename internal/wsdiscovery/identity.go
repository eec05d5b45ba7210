package wsdiscovery

import "github.com/mingshi-audit/mingshi/audit"

// Identity is what a match says of who it is.
func (m Match) Identity() audit.Identity {
	sc := ParseScopes(m.Scopes)
	id := audit.Identity{EPR: m.EPR, Serial: sc.Serial, Name: sc.Name, Hardware: sc.Hardware, Location: sc.Location}
	if sc.MAC != "" {
		id.MACs = []string{sc.MAC}
	}
	return id
}
