package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
)

//go:embed schema.json
var schema []byte

// Schema returns the published JSON Schema (draft 2020-12) of report.json.
func Schema() []byte { return bytes.Clone(schema) }

// JSON returns the bytes of report.json: every list sorted and none null, indented, ending in a newline. Reports that say
// the same in another order give the same bytes, and reading them back and writing them again changes nothing. It fails
// only if an observation's data is not JSON.
func JSON(r audit.Report) ([]byte, error) {
	r = whole(r)
	if r.Schema == "" {
		r.Schema = audit.ReportSchema
	}
	order(&r)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("report: writing JSON: %w", err)
	}
	return b.Bytes(), nil
}

func writeJSON(w io.Writer, v *View, _ Options) error {
	b, err := JSON(v.original)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// order sorts every list whose order says nothing, and gives each device a state for each function: what nobody
// established is unknown, not missing. Hours, zones of a survey and the like keep the order a person wrote them in.
func order(r *audit.Report) {
	slices.Sort(r.Site.Jurisdiction)
	slices.Sort(r.Run.Interfaces)
	slices.SortFunc(r.Packs, func(a, b audit.PackRef) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version), cmp.Compare(a.SHA256, b.SHA256))
	})
	slices.SortFunc(r.Zones, func(a, b audit.Zone) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	for i := range r.Devices {
		orderDevice(&r.Devices[i])
	}
	slices.SortFunc(r.Devices, func(a, b audit.Device) int {
		return cmp.Or(listed(a)-listed(b), cmp.Compare(a.Inventory, b.Inventory), cmp.Compare(a.ID, b.ID), slices.Compare(a.Addresses, b.Addresses), cmp.Compare(a.Serial, b.Serial))
	})
	for i := range r.Findings {
		f := &r.Findings[i]
		sortAll(f.Zones, f.Because, f.Dispute, f.Missing, f.Gaps)
		slices.SortFunc(f.Requests, func(a, b audit.Request) int {
			return cmp.Or(cmp.Compare(a.Fact, b.Fact), cmp.Compare(a.Burden, b.Burden), cmp.Compare(a.Ask.EN, b.Ask.EN))
		})
	}
	slices.SortFunc(r.Findings, func(a, b audit.Finding) int {
		return cmp.Or(audit.CompareFindings(a, b), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Message.EN, b.Message.EN))
	})
	slices.SortFunc(r.Coverage, func(a, b audit.Coverage) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Module, b.Module), cmp.Compare(a.Status, b.Status),
			cmp.Compare(a.Detail.EN, b.Detail.EN), cmp.Compare(a.Detail.ZH, b.Detail.ZH))
	})
	for _, c := range r.Coverage {
		slices.SortStableFunc(c.Addresses, func(a, b audit.AddressOutcome) int {
			return cmp.Or(cmp.Compare(rank(a.Outcome), rank(b.Outcome)), cmp.Compare(a.Outcome, b.Outcome), slices.Compare(a.Ranges, b.Ranges))
		})
	}
	if r.Recall != nil {
		slices.SortFunc(r.Recall.Lists, func(a, b audit.RecallList) int {
			return cmp.Or(cmp.Compare(a.Method, b.Method), cmp.Compare(a.Found, b.Found))
		})
	}
	slices.SortFunc(r.Captures, func(a, b audit.Recording) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	for _, c := range r.Captures {
		slices.Sort(c.Shows)
	}
	slices.SortFunc(r.Observations, func(a, b audit.Observation) int {
		return cmp.Or(cmp.Compare(a.Locus, b.Locus), cmp.Compare(a.Module, b.Module), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Seq, b.Seq), a.Endpoint.Compare(b.Endpoint), a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	for i := range r.Facts {
		slices.Sort(r.Facts[i].Because)
	}
	slices.SortFunc(r.Facts, func(a, b audit.Fact) int { return cmp.Or(audit.CompareFacts(a, b), cmp.Compare(a.Class, b.Class)) })
	slices.SortFunc(r.FactSpecs, func(a, b audit.FactSpec) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Rules, func(a, b audit.RuleText) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.From, b.From))
	})
}

// listed is 0 for a device of the inventory, which a reader knows by name, and 1 for one that was only found.
func listed(d audit.Device) int {
	if d.Inventory != "" {
		return 0
	}
	return 1
}

func orderDevice(d *audit.Device) {
	sortAll(d.Addresses, d.MACs, d.Zones, d.Sources, d.Services, d.Loci)
	for _, f := range audit.Functions() {
		s, ok := d.Face[f]
		if !ok {
			s = audit.FaceState{Attributes: []string{}, Because: []string{}}
		}
		sortAll(s.Attributes, s.Because, s.Dispute)
		d.Face[f] = s
	}
	for _, o := range d.Outbound {
		slices.Sort(o.Because)
	}
	slices.SortFunc(d.Outbound, func(a, b audit.Outbound) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.What, b.What), slices.Compare(a.Because, b.Because))
	})
}

func sortAll(lists ...[]string) {
	for _, l := range lists {
		slices.Sort(l)
	}
}
