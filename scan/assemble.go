package scan

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/site"
)

// Names scan gives to observations that no probe module made.
const (
	siteModule   = "site"     // what the site file declares
	sightingKind = "sighting" // what a discovery method reported
)

// Names of the facts scan states of every device.
const (
	factKind   = "device.kind"
	factVendor = "device.vendor"
	factModel  = "device.model"
)

// Record is everything that was gathered: the input of a judgement, live or years later.
type Record struct {
	Site         audit.SiteFile
	Observations []audit.Observation
	Coverage     []audit.Coverage
	Captures     []audit.Recording
	Tool         audit.Tool
	Run          audit.Run
	Data         *knowledge.Set // what was known of models and hosts; nil: what is built in
	AsOf         time.Time      // zero: judge at the time of observation
}

// Input prepares a record for judging: it merges sightings into devices and derives every fact. It is pure. It fails on an
// observation whose module is not among modules (an older bundle needs the module that made it) and on a module that breaks
// its contract.
func Input(rec Record, modules []probe.Module) (rules.Input, error) {
	in, _, err := prepare(rec, modules)
	return in, err
}

// prepare is Input, with how complete the list of cameras is.
func prepare(rec Record, modules []probe.Module) (rules.Input, *audit.Recall, error) {
	data, err := dataOf(rec)
	if err != nil {
		return rules.Input{}, nil, err
	}
	observations := slices.Clone(rec.Observations)
	number(observations)
	devices, device := Identify(observations, rec.Site.Inventory)
	MarkForeign(devices, rec.Site.Authority.Perimeter)

	facts, err := derive(observations, modules, device, devices)
	if err != nil {
		return rules.Input{}, nil, err
	}
	there := presenceOf(rec, devices, observations, device)
	for id, by := range listings(devices, observations) {
		there.because[id] = append(there.because[id], by...)
	}
	recall := recallOf(rec, devices, there, groupsOf(discover.Methods()))
	settleSole(facts, devices)
	facts = append(facts, implied(facts)...)
	facts = append(facts, receivers(facts)...)
	look(devices, observations, device, rec, modules)
	doubt(facts, devices)
	facts = append(facts, deviceFacts(devices, observations)...)
	facts = append(facts, serverFacts(rec.Site.Site.ID, devices, facts)...)
	facts = append(facts, modelFacts(devices, facts, data)...)
	facts = append(facts, presenceFacts(rec, observations, devices, there, recall)...)
	specs := Specs(modules)
	if err := describe(devices, facts, specs, rec.Site.Authority, namer(observations), data); err != nil {
		return rules.Input{}, nil, err
	}
	slices.SortFunc(facts, audit.CompareFacts)
	return rules.Input{Site: rec.Site, Devices: devices, Facts: facts, Specs: specs, Observations: observations, Window: windowOf(observations), AsOf: rec.AsOf}, recall, nil
}

// Assemble judges a record by the packs and returns the report. It is pure: equal records and packs give equal reports. It
// fails where Input does, and on a pack whose condition cannot be evaluated.
func Assemble(rec Record, modules []probe.Module, packs []*rules.Pack) (audit.Report, error) {
	in, recall, err := prepare(rec, modules)
	if err != nil {
		return audit.Report{}, err
	}
	var j rules.Judgement
	err = isolated(func() (err error) { // a defect in judging must not cost the evidence
		j, err = rules.Judge(packs, in)
		return err
	})
	if err != nil {
		return audit.Report{}, fmt.Errorf("scan: judging: %w", err)
	}
	facts := append(slices.Clone(in.Facts), j.Facts...)
	slices.SortFunc(facts, audit.CompareFacts)
	data, err := dataOf(rec)
	if err != nil {
		return audit.Report{}, err
	}
	coverage := channelCoverage(in.Devices, in.Observations, rec.Coverage)
	slices.SortFunc(coverage, compareCoverage)
	asOf := rec.AsOf
	if asOf.IsZero() {
		asOf = in.Window.To
	}
	return audit.Report{Schema: audit.ReportSchema, Site: rec.Site.Site, Authority: rec.Site.Authority, Tool: rec.Tool, Run: rec.Run,
		Window: in.Window, AsOf: asOf, Packs: orEmpty(j.Packs), Data: data.Refs(), Zones: orEmpty(rec.Site.Zones), Devices: orEmpty(in.Devices), Findings: orEmpty(j.Findings),
		Coverage: orEmpty(coverage), Recall: recall, Captures: rec.Captures, Observations: orEmpty(in.Observations), Facts: orEmpty(facts),
		FactSpecs: orEmpty(uniqueSpecs(slices.Concat(in.Specs, j.Specs))), Rules: orEmpty(j.Rules)}, nil
}

// Specs lists every fact the modules, the site file and scan may state.
func Specs(modules []probe.Module) []audit.FactSpec {
	specs := slices.Concat(site.Facts(), presenceSpecs())
	for _, m := range modules {
		specs = append(specs, m.Facts...)
	}
	specs = append(specs, audit.FactSpec{Name: probe.FactOutboundFaces, Type: audit.List, Merge: audit.MergeUnion,
		Doc: msg.Text("scan.fact." + probe.FactOutboundFaces), Ask: msg.Text("scan.ask." + probe.FactOutboundFaces)})
	specs = append(specs, audit.FactSpec{Name: probe.FactHeardMessages, Type: audit.Int, Merge: audit.MergeSum,
		Doc: msg.Text("scan.fact." + probe.FactHeardMessages), Ask: msg.Text("scan.ask." + probe.FactHeardMessages)})
	for _, n := range []string{factKind, factVendor, factModel} {
		specs = append(specs, audit.FactSpec{Name: n, Type: audit.String, Merge: audit.MergeAgree, Doc: msg.Text("scan.fact." + n), Ask: msg.Text("scan.ask." + n)})
	}
	return uniqueSpecs(specs)
}

// number gives every observation its place and its identifier.
func number(observations []audit.Observation) {
	slices.SortFunc(observations, compareObservations)
	count := map[string]int{}
	for i := range observations {
		o := &observations[i]
		k := fmt.Sprintf("%s\x00%s\x00%s\x00%s", o.Module, o.Kind, o.Locus, o.Endpoint)
		o.Seq = count[k]
		count[k]++
		o.SetID()
	}
}

// derive asks every module what its observations state, and says whom each fact is about and what it rests on.
func derive(observations []audit.Observation, modules []probe.Module, device map[string]string, devices []audit.Device) ([]audit.Fact, error) {
	by := map[string]func(audit.Observation) ([]audit.Fact, error){siteModule: site.Derive}
	elsewhere := map[string]func(string) bool{}
	for _, m := range modules {
		by[m.Name], elsewhere[m.Name] = m.Derive, m.Elsewhere
	}
	vendor := map[string]string{}
	for _, d := range devices {
		vendor[d.ID] = d.Vendor
	}
	var out []audit.Fact
	of := ladder()
	for _, o := range observations {
		f, known := by[o.Module]
		if o.Kind == sightingKind || known && f == nil {
			continue
		}
		if !known {
			return nil, fmt.Errorf("scan: observation %s was made by module %q, which this program does not have", o.ID, o.Module)
		}
		facts, err := f(o)
		if err != nil {
			return nil, fmt.Errorf("scan: deriving facts from %s (%s %s): %w", o.ID, o.Module, o.Kind, err)
		}
		for _, x := range facts {
			if overheard(o) {
				if !tellsOverheard(x) {
					continue
				}
				if x.Name == probe.FactLiveMessages {
					x.Name = probe.FactHeardMessages
				}
			}
			if x.Subject.Kind == "" {
				id := device[o.Locus]
				if id == "" {
					continue // the site file speaks of a device that nothing else knows
				}
				x.Subject = audit.Subject{Kind: audit.SubjectDevice, ID: id}
			}
			x.Because = unique(append(slices.Clone(o.Basis), o.ID))
			if f := elsewhere[o.Module]; x.Value.V == true || f == nil || !f(vendor[x.Subject.ID]) {
				x.Scope = scopeOf(x.Name, x.Key, o.Module, of)
			}
			if x.Class == "" {
				x.Class = o.Class
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// tellsOverheard reports whether a fact may rest on what was overheard. Nobody knows whether an answer to somebody else was complete,
// or what else was said: it shows what is, and never what is not. Nobody watched for a time either: what passed is counted apart, so
// that it is never set beside the seconds of a look, since some devices send one message again and again until it is taken.
func tellsOverheard(f audit.Fact) bool {
	return f.Value.V != false && f.Name != probe.FactEnumerated && f.Name != probe.FactLiveSeconds
}

// deviceFacts states what identification found, so that rules can use it.
func deviceFacts(devices []audit.Device, observations []audit.Observation) []audit.Fact {
	where := map[string][]string{}
	for _, o := range observations {
		if o.Identity != nil || o.Kind == sightingKind {
			where[o.Locus] = append(where[o.Locus], o.ID)
		}
	}
	var out []audit.Fact
	listed := listings(devices, observations)
	for _, d := range devices {
		because := listed[d.ID]
		for _, l := range d.Loci {
			because = append(because, where[l]...)
		}
		for name, v := range map[string]string{factKind: string(d.Kind), factVendor: d.Vendor, factModel: d.Model} {
			if v == "" {
				continue
			}
			f := audit.NewFact(name, "", v)
			f.Subject, f.Because, f.Class = audit.Subject{Kind: audit.SubjectDevice, ID: d.ID}, unique(because), audit.ClassInventory
			out = append(out, f)
		}
	}
	return out
}

// describe fills in what the facts say of every device: the ladder of each function, and where results go.
func describe(devices []audit.Device, facts []audit.Fact, specs []audit.FactSpec, authority audit.Authority, named func(string) string, data *knowledge.Set) error {
	byName := map[string]audit.FactSpec{}
	for _, s := range specs {
		byName[s.Name] = s
	}
	folded, err := audit.Fold(facts, byName)
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	inside := func(a netip.Addr) bool {
		return slices.ContainsFunc(authority.Perimeter, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
	}
	for i := range devices {
		f := folded[audit.Subject{Kind: audit.SubjectDevice, ID: devices[i].ID}]
		devices[i].Face = FaceOf(f, named)
		devices[i].Outbound = outboundOf(f, inside, data)
	}
	return nil
}

// windowOf returns the time from the first to the last exchange.
func windowOf(observations []audit.Observation) audit.Window {
	var w audit.Window
	for _, o := range observations {
		if o.Status == audit.Declared || o.At.IsZero() {
			continue
		}
		if w.From.IsZero() || o.At.Before(w.From) {
			w.From = o.At
		}
		for _, t := range []time.Time{o.At, o.Until} {
			if t.After(w.To) {
				w.To = t
			}
		}
	}
	return audit.Window{From: w.From.UTC(), To: w.To.UTC()}
}

// inventoryOf reads which inventory entry an observation of the site file speaks of.
func inventoryOf(o audit.Observation) string {
	var d struct {
		Inventory string `json:"inventory"`
	}
	if json.Unmarshal(o.Data, &d) != nil {
		return ""
	}
	return d.Inventory
}

func uniqueSpecs(specs []audit.FactSpec) []audit.FactSpec {
	seen := map[string]bool{}
	out := specs[:0:0]
	for _, s := range specs {
		if !seen[s.Name] {
			seen[s.Name] = true
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b audit.FactSpec) int { return compareStrings(a.Name, b.Name) })
	return out
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
