package scan

import (
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/site"
)

// TestServerFacts: a server that is set to recognise faces speaks for the site; one that only could, and a camera, do not.
func TestServerFacts(t *testing.T) {
	say := func(device string, l audit.Level, v bool) audit.Fact {
		f := audit.NewFact(audit.FactName(audit.Identify, l), "door", v)
		f.Subject, f.Because = audit.Subject{Kind: audit.SubjectDevice, ID: device}, []string{"o-" + device}
		return f
	}
	devices := []audit.Device{{ID: "server", Kind: audit.KindServer}, {ID: "camera", Kind: audit.KindCamera}}
	for name, c := range map[string]struct {
		fact audit.Fact
		want bool
	}{
		"a server that recognises":     {say("server", audit.Configured, true), true},
		"a server seen at it":          {say("server", audit.Active, true), true},
		"a server that could":          {say("server", audit.Capable, true), false},
		"a server where it is off":     {say("server", audit.Configured, false), false},
		"a camera does its own":        {say("camera", audit.Configured, true), false},
		"nothing known of the devices": {say("other", audit.Active, true), false},
	} {
		got := serverFacts("S", devices, []audit.Fact{c.fact})
		if (len(got) == 1) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
		if c.want && (got[0].Name != site.FactServerAnalyses || got[0].Value.V != true || got[0].Subject.ID != "S" || len(got[0].Because) != 1) {
			t.Errorf("%s: %+v", name, got[0])
		}
	}
}
