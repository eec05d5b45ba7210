package scan

import (
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/probe"
)

// TestHigherRungWins: where one interface lists no face function and another shows one switched on, nothing is called absent.
func TestHigherRungWins(t *testing.T) {
	specs := map[string]audit.FactSpec{}
	for _, s := range probe.FaceFacts() {
		specs[s.Name] = s
	}
	subject := audit.Subject{Kind: audit.SubjectDevice, ID: "d"}
	say := func(l audit.Level, key string, v bool, by string) audit.Fact {
		f := audit.NewFact(audit.FactName(audit.Identify, l), key, v)
		f.Subject, f.Because = subject, []string{by}
		return f
	}
	for _, c := range []struct {
		name  string
		facts []audit.Fact
		want  audit.Level
	}{
		{"nothing said", nil, audit.Unknown},
		{"the list holds none", []audit.Fact{say(audit.Capable, "onvif", false, "o1")}, audit.Absent},
		{"the list holds none, another interface has it on", []audit.Fact{say(audit.Capable, "onvif", false, "o1"), say(audit.Configured, "isapi", true, "o2")}, audit.Configured},
		{"an instance is off", []audit.Fact{say(audit.Configured, "MyFace", false, "o1")}, audit.Capable},
		{"two interfaces contradict each other about one instance", []audit.Fact{say(audit.Capable, "MyFace", true, "o1"), say(audit.Configured, "MyFace", false, "o1"), say(audit.Configured, "MyFace", true, "o2")}, audit.Capable},
		{"it was seen running", []audit.Fact{say(audit.Capable, "onvif", false, "o1"), say(audit.Configured, "MyFace", false, "o1"), say(audit.Active, "", true, "o2")}, audit.Active},
	} {
		folded, err := audit.Fold(append(c.facts, implied(c.facts)...), specs)
		if err != nil {
			t.Fatal(err)
		}
		got := FaceOf(folded[subject])[audit.Identify]
		if got.Level != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Level, c.want)
		}
		if cannot := folded[subject][audit.FactName(audit.Identify, audit.Capable)]; c.want > audit.Absent && isFalse(cannot) {
			t.Errorf("%s: the device is said not to be capable", c.name)
		}
	}
}
