package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/mingshi-audit/mingshi/audit"
)

// fromSiteFile reads a scenario's site file and states of it what package site would.
func fromSiteFile(t *testing.T, id string) Input {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "scenarios", id, "site.yaml"))
	if err != nil {
		t.Skipf("no scenario %s: %v", id, err)
	}
	var f audit.SiteFile
	if err := yaml.Unmarshal(regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAll(b, []byte("192.0.2.21")), &f); err != nil {
		t.Fatal(err)
	}
	in := Input{Site: f, Specs: specsForTest(), Devices: []audit.Device{{ID: "dev-1", Kind: audit.KindCamera, Inventory: "CAM-01", Zones: []string{"Z1"}}}}
	site := audit.Subject{Kind: audit.SubjectSite, ID: f.Site.ID}
	say(&in, site, "o-site", audit.ClassDeclaration, "site.venue", f.Site.Venue, "site.venue.public", true, "site.jurisdiction", f.Site.Jurisdiction,
		"site.processor.kind", "company", "site.minors", f.Site.Minors)
	say(&in, site, "o-survey", audit.ClassInspection, "site.survey.complete", f.Survey.Complete, "site.survey.entrances", 1, "site.survey.zones", 2, "site.survey.online", 2, factUnfound, 0)
	if f.ServerSide != nil {
		say(&in, site, "o-server", audit.ClassDeclaration, "site.server_side.attested", f.ServerSide.Attested, "site.server_side.analyses", *f.ServerSide.Analyses)
	}
	say(&in, cam, "o-inv", audit.ClassDeclaration, "device.zones", f.Inventory[0].AllZones(), "device.passive", true, "device.zone.public", true)
	if p := f.Inventory[0].Purposes; len(p) > 0 {
		say(&in, cam, "o-inv", audit.ClassDeclaration, "device.declared_purposes", p)
	}
	in.Window = audit.Window{From: f.Survey.At.From.T, To: f.Survey.At.From.T.Add(10 * time.Minute)}
	return in
}

// TestSiteFiles judges the site files of the scenarios S01–S07 with what the simulated camera of each is seen to do.
func TestSiteFiles(t *testing.T) {
	configured := func(in *Input) {
		say(in, cam, "o-conf", audit.ClassConfig, "face.detect.configured", true, "face.analyse.configured", true)
	}
	off := func(in *Input) {
		for _, f := range audit.Functions() {
			say(in, cam, "o-conf", audit.ClassConfig, audit.FactName(f, audit.Configured), false)
		}
	}
	saas := func(in *Input) {
		analysing(in)
		say(in, cam, "o-out", audit.ClassOutbound, "outbound.hosts", []string{"mqtt-events mqtts://ingest.retail-saas.example:8883"}, "outbound.face", true)
	}
	cases := []struct {
		id    string
		build func(*Input)
		want  string // rule=outcome/severity
	}{
		{"S01", analysing, "COVERT=suspected/critical 2.1=suspected/critical 2.2=suspected/high 2.2-T=not-applicable/info 2.4=not-applicable/info 5=not-applicable/info"},
		{"S02", analysing, "COVERT=not-applicable/info 2.1=not-applicable/info 2.2=not-applicable/info 0.1=not-applicable/info 6=not-applicable/info"},
		{"S03", off, "COVERT=conforms/info 2.1=conforms/info 2.2=conforms/info"},
		{"S04", configured, "COVERT=undetermined/critical 2.1=undetermined/critical 2.2=undetermined"},
		{"S05", analysing, "2.2=suspected/high 2.4=suspected/high 2.2-T=suspected/medium"},
		{"S06", saas, "2.4=suspected/high 5=suspected/info 2.2=suspected/high"},
		{"S07", analysing, "2.2=conforms/info 2.1=undetermined/high 2.2-T=conforms/info COVERT=conforms/info"},
	}
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			in := fromSiteFile(t, c.id)
			c.build(&in)
			j := judge(t, in)
			for w := range strings.FieldsSeq(c.want) {
				rule, want, _ := strings.Cut(w, "=")
				f := find(t, j, rule)
				got := string(f.Outcome) + "/" + string(f.Severity)
				if !strings.HasPrefix(got, want) {
					t.Errorf("%s: %s, want %s: missing %v gaps %v\n%s", rule, got, want, f.Missing, f.Gaps, f.Message.ZH)
				}
			}
			if testing.Verbose() {
				for _, f := range j.Findings {
					t.Logf("%s %s %s %s missing %v gaps %v\n %s", f.Rule, f.Outcome, f.Severity, f.Confidence, f.Missing, f.Gaps, f.Message.ZH)
				}
			}
		})
	}
}
