package site

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

// told renders facts one a line: "inventory or subject, name = value (class)".
func told(t *testing.T, f *audit.SiteFile) []string {
	t.Helper()
	specs := map[string]audit.FactSpec{}
	for _, s := range Facts() {
		specs[s.Name] = s
	}
	var out []string
	for i, o := range Observations(f) {
		o.Seq = i
		o.SetID()
		if o.Module != Module || o.Status != audit.Declared || o.ID == "" {
			t.Errorf("%s: module %q, status %s", o.Kind, o.Module, o.Status)
		}
		facts, err := Derive(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range facts {
			s, ok := specs[x.Name]
			if !ok {
				t.Errorf("%s is not declared", x.Name)
			}
			if got := typeOf(x.Value.V); got != s.Type {
				t.Errorf("%s is a %s, declared as %s", x.Name, got, s.Type)
			}
			who := InventoryID(o)
			if x.Subject.Kind == audit.SubjectSite {
				who = x.Subject.String()
			}
			out = append(out, fmt.Sprintf("%s %s = %v (%s)", who, x.Name, x.Value.V, x.Class))
		}
	}
	return out
}

func typeOf(v any) audit.Type {
	switch v.(type) {
	case bool:
		return audit.Bool
	case int64:
		return audit.Int
	case string:
		return audit.String
	case []string:
		return audit.List
	}
	return ""
}

func TestFacts(t *testing.T) {
	got := told(t, parseFile(t, "testdata/valid-full.yaml"))
	want := `site:SH-0421 site.venue = mall (declaration)
site:SH-0421 site.venue.public = true (declaration)
site:SH-0421 site.jurisdiction = [CN CN-31] (declaration)
site:SH-0421 site.processor.kind = company (declaration)
site:SH-0421 site.minors = false (declaration)
site:SH-0421 site.survey.complete = true (inspection)
site:SH-0421 site.survey.entrances = 2 (inspection)
site:SH-0421 site.survey.zones = 4 (inspection)
site:SH-0421 site.survey.online = 2 (inspection)
site:SH-0421 site.survey.cameras = 2 (inspection)
site:SH-0421 site.server_side.attested = true (declaration)
site:SH-0421 site.server_side.analyses = false (declaration)
site:SH-0421 site.server_side.stores = false (declaration)
CAM-01 device.zones = [Z1] (declaration)
CAM-01 device.zone.kinds = [entrance] (declaration)
CAM-01 device.zone.public = true (declaration)
CAM-01 device.zone.prohibited = false (declaration)
CAM-01 device.passive = true (declaration)
CAM-01 device.declared_purposes = [public_security] (declaration)
CAM-02 device.zones = [Z1 Z2] (declaration)
CAM-02 device.zone.kinds = [entrance sales_floor] (declaration)
CAM-02 device.zone.public = true (declaration)
CAM-02 device.zone.prohibited = false (declaration)
CAM-02 device.passive = true (declaration)
TERM-01 device.zones = [Z3] (declaration)
TERM-01 device.zone.kinds = [gate] (declaration)
TERM-01 device.zone.public = true (declaration)
TERM-01 device.zone.prohibited = false (declaration)
TERM-01 device.passive = false (declaration)
CAM-02 device.declared_purposes = [footfall_stats] (declaration)
CAM-02 declared.runs = [analyse] (declaration)
CAM-02 declared.attributes = [age gender] (declaration)
CAM-01 declared.runs = [identify] (inspection)`
	if diff := cmp.Diff(strings.Split(want, "\n"), got); diff != "" {
		t.Error(diff)
	}
}

// TestFactsNobodyStated: what is not written is not a fact, least of all a false one.
func TestFactsNobodyStated(t *testing.T) {
	yes, no := true, false
	zones := []audit.Zone{{ID: "D", Kind: "front_desk", Public: true}, {ID: "G", Kind: "gate"}, {ID: "E", Kind: "entrance"}, {ID: "X", Kind: "roof"}}
	for _, c := range []struct {
		name    string
		file    audit.SiteFile
		has     []string
		without []string
	}{
		{"nothing at all", audit.SiteFile{Site: audit.Site{ID: "S"}},
			[]string{"site:S site.processor.kind = company (declaration)"},
			[]string{FactVenue, FactVenuePublic, FactJurisdiction, FactSurveyComplete, FactServerAttested, FactServerAnalyses}},
		{"a survey nobody stands for", audit.SiteFile{Site: audit.Site{ID: "S"}, Survey: &audit.Survey{Complete: true, Walked: audit.Walked{Zones: []string{"E"}}}},
			[]string{"site:S site.survey.complete = false (inspection)"}, nil},
		{"an attestation by nobody", audit.SiteFile{Site: audit.Site{ID: "S"}, ServerSide: &audit.ServerSide{Attested: true}},
			[]string{"site:S site.server_side.attested = false (declaration)"}, []string{FactServerAnalyses}},
		{"a residential compound may or may not be public", audit.SiteFile{Site: audit.Site{ID: "S", Venue: "residential"}}, nil, []string{FactVenuePublic}},
		{"a camera without zone", audit.SiteFile{Site: audit.Site{ID: "S"}, Inventory: []audit.InventoryEntry{{ID: "C"}}},
			nil, []string{FactZones, FactPassive, FactZonePublic, FactZoneProhibited, FactDeclaredPurposes}},
		{"a zone of an unknown kind", audit.SiteFile{Zones: zones, Inventory: []audit.InventoryEntry{{ID: "C", Zone: "X"}}}, []string{"C device.zones = [X] (declaration)"}, []string{FactPassive}},
		{"a gate and an unknown kind", audit.SiteFile{Zones: zones, Inventory: []audit.InventoryEntry{{ID: "C", Zones: []string{"G", "X"}}}}, nil, []string{FactPassive}},
		{"a gate and an entrance", audit.SiteFile{Zones: zones, Inventory: []audit.InventoryEntry{{ID: "C", Zones: []string{"E", "G"}}}}, []string{"C device.passive = true (declaration)"}, nil},
		{"a front desk", audit.SiteFile{Zones: zones, Inventory: []audit.InventoryEntry{{ID: "C", Zone: "D"}}}, nil, []string{FactPassive}},
		{"a front desk where it is said", audit.SiteFile{Zones: zones, Inventory: []audit.InventoryEntry{{ID: "C", Zone: "D", Passive: &no}, {ID: "B", Zone: "G", Passive: &yes}}},
			[]string{"C device.passive = false (declaration)", "B device.passive = true (declaration)"}, nil},
		{"a denial", audit.SiteFile{Inventory: []audit.InventoryEntry{{ID: "C"}}, Declarations: []audit.Declaration{{ID: "D", By: "operator", Cameras: []string{"*"}, Functions: []audit.Function{audit.Analyse}}}},
			nil, []string{FactDeclaredRuns, FactDeclaredAttrs}},
	} {
		got := told(t, &c.file)
		for _, w := range c.has {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no %q in %q", c.name, w, got)
			}
		}
		for _, name := range c.without {
			if slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, " "+name+" = ") }) {
				t.Errorf("%s: states %s: %q", c.name, name, got)
			}
		}
	}
}

func TestDeriveRefuses(t *testing.T) {
	for _, o := range []audit.Observation{{Module: "onvif", Kind: KindSite}, {Module: Module, Kind: "other"}, {Module: Module, Kind: KindSurvey, Data: []byte(`{"complete":"yes"}`)}} {
		if _, err := Derive(o); err == nil {
			t.Errorf("no error for %+v", o)
		}
	}
}

// TestObservationsHoldNoNames: people and their words stay in the site file.
func TestObservationsHoldNoNames(t *testing.T) {
	for _, o := range Observations(parseFile(t, "testdata/valid-full.yaml")) {
		for _, w := range []string{"张某", "李某", "MINGSHI_LOGIN", "后台统计", "某某云", "crm.example.net"} {
			if strings.Contains(string(o.Data), w) {
				t.Errorf("%s holds %s: %s", o.Kind, w, o.Data)
			}
		}
	}
}
