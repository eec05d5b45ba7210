package site

import (
	"encoding/json"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Module is the module name of every observation made of a site file.
const Module = "site"

// Kinds of observations.
const (
	KindSite        = "site"        // the premises; one
	KindSurvey      = "survey"      // where notices were looked for; at most one
	KindServerSide  = "server-side" // what stands behind the cameras; at most one
	KindInventory   = "inventory"   // one per inventory entry
	KindDeclaration = "declaration" // one per declaration and inventory entry it is about
)

// Names of the facts a site file states. Those of the first block are about the site, the others about a device.
const (
	FactVenue            = "site.venue"                // string: kind of premises
	FactVenuePublic      = "site.venue.public"         // bool: business premises or public place
	FactJurisdiction     = "site.jurisdiction"         // list: regions whose law applies
	FactProcessorKind    = "site.processor.kind"       // string
	FactMinors           = "site.minors"               // bool: children are expected there
	FactSurveyComplete   = "site.survey.complete"      // bool
	FactSurveyEntrances  = "site.survey.entrances"     // int
	FactSurveyZones      = "site.survey.zones"         // int
	FactSurveyOnline     = "site.survey.online"        // int
	FactSurveyCameras    = "site.survey.cameras"       // int
	FactServerAttested   = "site.server_side.attested" // bool
	FactServerAnalyses   = "site.server_side.analyses" // bool
	FactServerStores     = "site.server_side.stores"   // bool
	FactZones            = "device.zones"              // list
	FactZoneKinds        = "device.zone.kinds"         // list
	FactZonePublic       = "device.zone.public"        // bool: at least one zone is open to customers or the public
	FactZoneProhibited   = "device.zone.prohibited"    // bool: a zone where image devices may not be
	FactPassive          = "device.passive"            // bool
	FactDeclaredPurposes = "device.declared_purposes"  // list
	FactDeclaredRuns     = "declared.runs"             // list of functions
	FactDeclaredAttrs    = "declared.attributes"       // list
)

// Facts declares every fact a site file may state.
func Facts() []audit.FactSpec {
	rows := []struct {
		name  string
		typ   audit.Type
		merge audit.Merge
	}{
		{FactVenue, audit.String, audit.MergeAgree}, {FactVenuePublic, audit.Bool, audit.MergeAgree},
		{FactJurisdiction, audit.List, audit.MergeAgree}, {FactProcessorKind, audit.String, audit.MergeAgree},
		{FactMinors, audit.Bool, audit.MergeAgree},
		{FactSurveyComplete, audit.Bool, audit.MergeAgree}, {FactSurveyEntrances, audit.Int, audit.MergeMax},
		{FactSurveyZones, audit.Int, audit.MergeMax}, {FactSurveyOnline, audit.Int, audit.MergeMax},
		{FactSurveyCameras, audit.Int, audit.MergeMax},
		{FactServerAttested, audit.Bool, audit.MergeAgree}, {FactServerAnalyses, audit.Bool, audit.MergeAgree},
		{FactServerStores, audit.Bool, audit.MergeAgree},
		{FactZones, audit.List, audit.MergeUnion}, {FactZoneKinds, audit.List, audit.MergeUnion},
		{FactZonePublic, audit.Bool, audit.MergeAny}, {FactZoneProhibited, audit.Bool, audit.MergeAny},
		{FactPassive, audit.Bool, audit.MergeAny},
		{FactDeclaredPurposes, audit.List, audit.MergeUnion}, {FactDeclaredRuns, audit.List, audit.MergeUnion},
		{FactDeclaredAttrs, audit.List, audit.MergeUnion},
	}
	out := make([]audit.FactSpec, len(rows))
	for i, r := range rows {
		out[i] = audit.FactSpec{Name: r.name, Type: r.typ, Merge: r.merge, Doc: msg.Text("site.fact." + r.name), Ask: msg.Text("site.ask." + r.name)}
	}
	return out
}

// siteData and the types below are what observations carry. Each names its subject, so that nothing else is needed to
// derive facts: the site's id, or the id of an inventory entry.
type siteData struct {
	Site         string   `json:"site"`
	Venue        string   `json:"venue"`
	Public       *bool    `json:"public,omitempty"`
	Jurisdiction []string `json:"jurisdiction"`
	Processor    string   `json:"processor"`
	Minors       bool     `json:"minors"`
}

type surveyData struct {
	Site      string `json:"site"`
	Complete  bool   `json:"complete"`
	Entrances int    `json:"entrances"`
	Zones     int    `json:"zones"`
	Online    int    `json:"online"`
	By        int    `json:"by"`                // how many people stand for it
	Cameras   *int   `json:"cameras,omitempty"` // counted by eye in all zones; nil: not counted
}

type serverData struct {
	Site     string   `json:"site"`
	Attested bool     `json:"attested"`
	Analyses *bool    `json:"analyses,omitempty"`
	Stores   *bool    `json:"stores,omitempty"`
	Servers  []string `json:"servers"`
}

type inventoryData struct {
	Inventory  string   `json:"inventory"`
	Address    string   `json:"address,omitempty"`
	MAC        string   `json:"mac,omitempty"`
	Serial     string   `json:"serial,omitempty"`
	Zones      []string `json:"zones"`
	Kinds      []string `json:"kinds"`
	Public     *bool    `json:"public,omitempty"`
	Prohibited bool     `json:"prohibited,omitempty"`
	Passive    *bool    `json:"passive,omitempty"`
	Purposes   []string `json:"purposes"`
}

type declarationData struct {
	Inventory   string   `json:"inventory"`
	Declaration string   `json:"declaration"`
	By          string   `json:"by"`
	Runs        bool     `json:"runs"`
	Functions   []string `json:"functions"`
	Attributes  []string `json:"attributes"`
	Purposes    []string `json:"purposes"`
}

// Observations returns what the file declares, in a fixed order. ID, Locus and Seq are left to the caller. The observations
// hold no names of persons and no text of declarations: those stay in the site file, which is kept beside the report.
func Observations(f *audit.SiteFile) []audit.Observation {
	var out []audit.Observation
	add := func(kind string, class audit.Class, at audit.Period, data any) {
		b, err := json.Marshal(data)
		if err != nil {
			panic("site: " + err.Error()) // plain structures of strings, numbers and booleans
		}
		o := audit.Observation{Module: Module, Kind: kind, Class: class, Status: audit.Declared, Data: b, At: at.From.T}
		if !at.To.IsZero() {
			o.Until = at.To.End()
		}
		out = append(out, o)
	}
	s := f.Site
	site := siteData{Site: s.ID, Venue: s.Venue, Jurisdiction: list(s.Jurisdiction), Processor: s.Processor.Kind, Minors: s.Minors}
	if site.Processor == "" {
		site.Processor = "company"
	}
	if v, ok := venue(s.Venue); ok {
		site.Public = v.Public.bool()
	}
	add(KindSite, audit.ClassDeclaration, audit.Period{}, site)

	if y := f.Survey; y != nil {
		signed := len(y.By) > 0 && !y.At.From.IsZero()
		entrances, zones := list(y.Walked.Entrances), list(y.Walked.Zones)
		add(KindSurvey, audit.ClassInspection, y.At, surveyData{Site: s.ID, Complete: y.Complete && signed && len(entrances)+len(zones) > 0,
			Entrances: len(entrances), Zones: len(zones), Online: len(y.OnlineChecked), By: len(y.By), Cameras: countOf(y.Cameras)})
	}
	if y := f.ServerSide; y != nil {
		add(KindServerSide, audit.ClassDeclaration, audit.Period{From: y.At},
			serverData{Site: s.ID, Attested: y.Attested && y.By.Name != "", Analyses: y.Analyses, Stores: y.Stores, Servers: list(y.Servers)})
	}
	for _, e := range f.Inventory {
		add(KindInventory, audit.ClassDeclaration, audit.Period{}, inventoryOf(f, e))
	}
	for _, c := range f.Declarations {
		class := audit.ClassDeclaration
		if c.By == "inspector" {
			class = audit.ClassInspection
		}
		for _, e := range f.Inventory {
			if about(c, e) {
				add(KindDeclaration, class, audit.Period{From: c.At}, declarationData{Inventory: e.ID, Declaration: c.ID, By: c.By, Runs: c.Runs,
					Functions: list(functionNames(c.Functions)), Attributes: list(c.Attributes), Purposes: list(c.Purposes)})
			}
		}
	}
	return out
}

// countOf adds up what was counted, or returns nil where nobody counted.
func countOf(zones []audit.CameraCount) *int {
	if len(zones) == 0 {
		return nil
	}
	n := 0
	for _, z := range zones {
		n += z.Count
	}
	return &n
}

// about reports whether a declaration speaks of an inventory entry, by its id or by one of its zones.
func about(c audit.Declaration, e audit.InventoryEntry) bool {
	if slices.Contains(c.Cameras, e.ID) || slices.Contains(c.Cameras, "*") {
		return true
	}
	return slices.ContainsFunc(e.AllZones(), func(z string) bool { return slices.Contains(c.Zones, z) })
}

// inventoryOf works out what an entry's zones say of it. A camera that looks into several zones is passive if one of them
// is: people pass there without doing anything.
func inventoryOf(f *audit.SiteFile, e audit.InventoryEntry) inventoryData {
	d := inventoryData{Inventory: e.ID, Address: e.Address, MAC: e.MAC, Serial: e.Serial, Zones: e.AllZones(), Purposes: list(e.Purposes)}
	passive, public, seen := No, false, false
	for _, z := range f.Zones {
		if !slices.Contains(d.Zones, z.ID) {
			continue
		}
		seen = true
		public = public || z.Public
		d.Prohibited = d.Prohibited || z.Prohibited
		d.Kinds = append(d.Kinds, z.Kind)
		switch k, _ := zoneKind(z.Kind); {
		case k.Passive == Yes:
			passive = Yes
		case k.Passive == Unsettled && passive == No:
			passive = Unsettled
		}
	}
	d.Kinds = list(d.Kinds)
	if seen {
		d.Public, d.Passive = &public, passive.bool()
	}
	if e.Passive != nil {
		d.Passive = e.Passive
	}
	return d
}

func (a Answer) bool() *bool {
	b := a == Yes
	if a == Unsettled {
		return nil
	}
	return &b
}

func functionNames(fs []audit.Function) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = string(f)
	}
	return out
}

func list(s []string) []string {
	n, _ := audit.Normal(s)
	l, _ := n.([]string)
	if l == nil {
		l = []string{}
	}
	return l
}
