package scan

import (
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/site"
)

// serverFacts states that something behind the cameras works on faces, where a server was found that is set to, or was seen to. It
// never states the contrary: no server found is not no server, and whose pictures one works on is for the operator to say.
func serverFacts(id string, devices []audit.Device, facts []audit.Fact) []audit.Fact {
	servers := map[string]bool{}
	for _, d := range devices {
		servers[d.ID] = d.Kind == audit.KindServer
	}
	var shows []string
	for _, fn := range audit.Functions() {
		for _, l := range []audit.Level{audit.Configured, audit.Active} {
			shows = append(shows, audit.FactName(fn, l))
		}
	}
	var because []string
	for _, f := range facts {
		if f.Subject.Kind == audit.SubjectDevice && servers[f.Subject.ID] && f.Value.V == true && !f.Partial && slices.Contains(shows, f.Name) {
			because = append(because, f.Because...)
		}
	}
	if len(because) == 0 {
		return nil
	}
	f := audit.NewFact(site.FactServerAnalyses, "", true)
	f.Subject, f.Because, f.Class = audit.Subject{Kind: audit.SubjectSite, ID: id}, unique(because), audit.ClassConfig
	return []audit.Fact{f}
}
