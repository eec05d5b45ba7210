package site

import (
	"encoding/json"
	"fmt"

	"github.com/mingshi-audit/mingshi/audit"
)

// Derive states the facts an observation of this module supports. Facts about the site carry their subject; those about a
// device are left without, the caller maps the inventory id (see InventoryID) to the device.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if o.Module != Module {
		return nil, fmt.Errorf("site: deriving facts: an observation of %q", o.Module)
	}
	var out []audit.Fact
	var site, key string
	say := func(name string, v any) {
		f := audit.NewFact(name, key, v)
		f.Class = o.Class
		if o.ID != "" {
			f.Because = []string{o.ID}
		}
		if site != "" {
			f.Subject = audit.Subject{Kind: audit.SubjectSite, ID: site}
		}
		out = append(out, f)
	}
	maybe := func(name string, b *bool) {
		if b != nil {
			say(name, *b)
		}
	}
	some := func(name string, l []string) {
		if len(l) > 0 {
			say(name, l)
		}
	}
	var err error
	switch o.Kind {
	case KindSite:
		var d siteData
		if err = json.Unmarshal(o.Data, &d); err != nil {
			break
		}
		site = d.Site
		if d.Venue != "" {
			say(FactVenue, d.Venue)
		}
		maybe(FactVenuePublic, d.Public)
		some(FactJurisdiction, d.Jurisdiction)
		say(FactProcessorKind, d.Processor)
		say(FactMinors, d.Minors)
	case KindSurvey:
		var d surveyData
		if err = json.Unmarshal(o.Data, &d); err != nil {
			break
		}
		site = d.Site
		say(FactSurveyComplete, d.Complete)
		say(FactSurveyEntrances, d.Entrances)
		say(FactSurveyZones, d.Zones)
		say(FactSurveyOnline, d.Online)
		if d.Cameras != nil {
			say(FactSurveyCameras, *d.Cameras)
		}
	case KindServerSide:
		var d serverData
		if err = json.Unmarshal(o.Data, &d); err != nil {
			break
		}
		site = d.Site
		say(FactServerAttested, d.Attested)
		maybe(FactServerAnalyses, d.Analyses)
		maybe(FactServerStores, d.Stores)
	case KindInventory:
		var d inventoryData
		if err = json.Unmarshal(o.Data, &d); err != nil {
			break
		}
		key = d.Inventory
		some(FactZones, d.Zones)
		some(FactZoneKinds, d.Kinds)
		maybe(FactZonePublic, d.Public)
		if d.Public != nil {
			say(FactZoneProhibited, d.Prohibited)
		}
		maybe(FactPassive, d.Passive)
		some(FactDeclaredPurposes, d.Purposes)
	case KindDeclaration:
		var d declarationData
		if err = json.Unmarshal(o.Data, &d); err != nil {
			break
		}
		key = d.Declaration
		some(FactDeclaredPurposes, d.Purposes)
		if d.Runs { // a denial proves nothing by itself
			some(FactDeclaredRuns, d.Functions)
			some(FactDeclaredAttrs, d.Attributes)
		}
	default:
		err = fmt.Errorf("no kind %q", o.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("site: deriving facts: %w", err)
	}
	return out, nil
}

// InventoryID returns the id of the inventory entry an observation is about, or "" for one about the site.
func InventoryID(o audit.Observation) string {
	var d struct {
		Inventory string `json:"inventory"`
	}
	if json.Unmarshal(o.Data, &d) != nil {
		return ""
	}
	return d.Inventory
}
