package scan

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Names of the facts scan states of what was found and what was not.
const (
	factListed    = "device.listed"          // bool: the device is in the inventory
	factFound     = "device.found"           // bool: it answered in this run or was overheard, or a recorder receives it
	factAbsentees = "site.inventory.missing" // list of inventory ids
	factUnlisted  = "site.devices.unlisted"  // list of device ids
	factMissing   = "site.cameras.missing"   // int: how many cameras were not found, at least
)

func presenceSpecs() []audit.FactSpec {
	rows := []struct {
		name  string
		typ   audit.Type
		merge audit.Merge
	}{
		{factListed, audit.Bool, audit.MergeAgree}, {factFound, audit.Bool, audit.MergeAgree},
		{factAbsentees, audit.List, audit.MergeUnion}, {factUnlisted, audit.List, audit.MergeUnion},
		{factMissing, audit.Int, audit.MergeMax},
	}
	out := make([]audit.FactSpec, len(rows))
	for i, r := range rows {
		out[i] = audit.FactSpec{Name: r.name, Type: r.typ, Merge: r.merge, Doc: msg.Text("scan.fact." + r.name), Ask: msg.Text("scan.ask." + r.name)}
	}
	return out
}

// presence is what the observations say of whether each device is there.
type presence struct {
	device   map[string]string          // device by locus
	answered map[string]bool            // by device: something of its own came back
	by       map[string]map[string]bool // by device: the discovery methods that met it
	macs     map[string]map[string]bool // by device: hardware addresses it showed, not those somebody listed
	because  map[string][]string        // by device: the observations that show it is there
	received map[string]bool            // by device: a recorder has it as a channel and does not say that nothing comes from it
}

// presenceOf reads who is there. What was overheard shows that a device was there when the capture was made: in a run that did nothing
// but listen, and for what was heard on an interface in the run itself, that is presence; a file beside a run that looked says nothing
// of now.
func presenceOf(rec Record, devices []audit.Device, observations []audit.Observation, device map[string]string) presence {
	live := liveIDs(rec.Captures)
	p := presence{received: receivedOf(devices, observations), device: device, answered: map[string]bool{}, by: map[string]map[string]bool{}, macs: map[string]map[string]bool{}, because: map[string][]string{}}
	for _, o := range observations {
		id := device[o.Locus]
		if id == "" || o.Module == siteModule || !cameBack(o.Status) {
			continue
		}
		if overheard(o) && rec.Run.Permit >= audit.PermitDiscover && !heardLive(o, live) {
			continue
		}
		p.answered[id] = true
		if o.Identity != nil || o.Kind == sightingKind {
			p.because[id] = append(p.because[id], o.ID)
		}
		if o.Kind == sightingKind && !overheard(o) {
			into(p.by, id, o.Module)
		}
		if o.Identity != nil {
			for _, m := range o.Identity.MACs {
				into(p.macs, id, normalMAC(m))
			}
		}
	}
	return p
}

func into(m map[string]map[string]bool, key, v string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][v] = true
}

// cameBack reports whether an exchange that ended so shows that somebody is there.
func cameBack(s audit.Status) bool {
	switch s {
	case audit.Declared, audit.Interrupted, audit.Denied, audit.Unreachable, audit.Timeout:
		return false
	}
	return true
}

// camera reports whether a device counts for the estimate: something that makes or keeps pictures, inside the perimeter, that
// answered itself. A channel that only its recorder speaks of could be met by neither way.
func (p presence) camera(d audit.Device) bool { return records(d) && !d.Foreign && p.answered[d.ID] }

// visible reports whether a person on site could have counted a device that was found. What a recorder receives counts, on
// whatever network it is.
func (p presence) visible(d audit.Device) bool {
	return (d.Kind == audit.KindCamera || d.Kind == audit.KindTerminal) && (!d.Foreign || d.Via != "") && p.found(d)
}

// nameless reports whether nothing is known of a recorder's channel that would tell it from a camera met elsewhere.
func (p presence) nameless(d audit.Device) bool {
	return d.Via != "" && !p.answered[d.ID] && d.Serial == "" && len(d.MACs) == 0 && len(d.Addresses) == 0
}

// found reports whether a device was met, or a recorder receives it.
func (p presence) found(d audit.Device) bool { return p.answered[d.ID] || p.received[d.ID] }

// receivedOf returns the devices behind recorders, without those of which the recorder says that nothing comes.
func receivedOf(devices []audit.Device, observations []audit.Observation) map[string]bool {
	recorders := map[string]audit.Device{}
	for _, d := range devices {
		recorders[d.ID] = d
	}
	out := map[string]bool{}
	for _, d := range devices {
		if d.Via == "" {
			continue
		}
		on, off := false, false
		for _, o := range observations {
			if !slices.Contains(recorders[d.Via].Loci, o.Locus) {
				continue
			}
			for _, ch := range o.Behind {
				mine := slices.Contains(strings.Split(d.Channel, numberSep), ch.ID) && ch.Online != nil
				on, off = on || mine && *ch.Online, off || mine && !*ch.Online
			}
		}
		out[d.ID] = on || !off
	}
	return out
}

func records(d audit.Device) bool {
	return d.Kind == audit.KindCamera || d.Kind == audit.KindRecorder || d.Kind == audit.KindTerminal
}

// replaced reports whether something with another hardware address answers where the inventory has an entry.
func (p presence) replaced(e audit.InventoryEntry, id string) bool {
	mac := normalMAC(e.MAC)
	return mac != "" && len(p.macs[id]) > 0 && !p.macs[id][mac]
}

// looked reports whether the run went through everything it was to search. Until then nothing is said to be missing.
func looked(run audit.Run) bool { return run.Permit >= audit.PermitDiscover && run.Complete }

// missingEntries lists the ids of the inventory's entries that were looked for and not found, sorted. An entry is looked for
// where its address is inside the perimeter, or where it has no address and a hardware address or serial number to know it by.
func missingEntries(rec Record, devices []audit.Device, p presence) []string {
	if !looked(rec.Run) {
		return nil
	}
	places := newLoci(rec.Site.Inventory)
	found := map[string]bool{}
	for _, d := range devices {
		found[d.ID] = p.found(d)
	}
	var out []string
	for _, e := range rec.Site.Inventory {
		id := p.device[places.ofEntry(e)]
		if soughtAfter(e, rec.Site.Authority.Perimeter) && (!found[id] || p.replaced(e, id)) {
			out = append(out, e.ID)
		}
	}
	return unique(out)
}

func soughtAfter(e audit.InventoryEntry, perimeter []netip.Prefix) bool {
	a, err := ParseAddress(e.Address)
	if err != nil {
		return normalMAC(e.MAC) != "" || normalSerial(e.Serial) != ""
	}
	return slices.ContainsFunc(perimeter, func(p netip.Prefix) bool { return p.Contains(a.Addr()) })
}

// presenceFacts states what was found and what was not: of each device whether it is listed and whether it was found, and of
// the site what is missing, what nobody listed, and how many cameras were not found at least.
func presenceFacts(rec Record, observations []audit.Observation, devices []audit.Device, p presence, recall *audit.Recall) []audit.Fact {
	s := stater{site: rec.Site.Site.ID, declared: declarations(observations), seen: p.because}
	missing := missingEntries(rec, devices, p)
	var unlisted []string
	for _, d := range devices {
		listed, known := p.listed(d, rec.Site.Inventory, missing)
		if known {
			s.device(d, factListed, listed)
		}
		if known && !listed && (records(d) || d.Kind == audit.KindServer) {
			unlisted = append(unlisted, d.ID)
		}
		switch {
		case p.found(d):
			s.device(d, factFound, true)
		case slices.Contains(missing, d.Inventory):
			s.device(d, factFound, false)
		}
	}
	if !looked(rec.Run) {
		return s.facts
	}
	if len(rec.Site.Inventory) > 0 {
		s.of(factAbsentees, missing, missing...)
		s.of(factUnlisted, unlisted)
	}
	if recall != nil && tells(rec, recall) {
		s.of(factMissing, recall.Missing, missing...)
	}
	return s.facts
}

// tells reports whether anything says how many cameras there should be. Where nothing does, that none is missing is not known.
func tells(rec Record, r *audit.Recall) bool {
	counted := rec.Site.Survey != nil && len(rec.Site.Survey.Cameras) > 0
	return r.Usable || counted || slices.ContainsFunc(rec.Site.Inventory, func(e audit.InventoryEntry) bool {
		return soughtAfter(e, rec.Site.Authority.Perimeter)
	})
}

// listed reports whether a device is in the inventory, and whether that can be told: not without an inventory, nor of what
// stands outside the perimeter, nor of a channel nothing is known of but its number, nor where something else answers at a
// listed address.
func (p presence) listed(d audit.Device, inventory []audit.InventoryEntry, missing []string) (listed, known bool) {
	switch {
	case len(inventory) == 0:
		return false, false
	case d.Inventory != "":
		return true, !p.answered[d.ID] || !slices.Contains(missing, d.Inventory)
	case d.Foreign, d.Via != "" && !p.answered[d.ID] && len(d.MACs) == 0 && d.Serial == "" && !addressed(d):
		return false, false
	}
	return false, p.found(d)
}

// addressed reports whether any place a device is known at is an address.
func addressed(d audit.Device) bool {
	return slices.ContainsFunc(slices.Concat(d.Loci, d.Addresses), func(s string) bool { return addressOf(s) != "" })
}

// declarations maps what the site file declares to the observations of it: inventory ids, and "" for the survey or else the
// site.
func declarations(observations []audit.Observation) map[string][]string {
	out := map[string][]string{}
	for _, kind := range []string{"survey", "site"} {
		for _, o := range observations {
			if o.Module == siteModule && o.Kind == kind && len(out[""]) == 0 {
				out[""] = []string{o.ID}
			}
		}
	}
	for _, o := range observations {
		if id := inventoryOf(o); o.Module == siteModule && o.Kind == "inventory" && id != "" {
			out[id] = append(out[id], o.ID)
		}
	}
	return out
}

// stater collects facts with what they rest on.
type stater struct {
	site     string
	declared map[string][]string // see declarations
	seen     map[string][]string // by device
	facts    []audit.Fact
}

func (s *stater) device(d audit.Device, name string, v bool) {
	f := audit.NewFact(name, "", v)
	because := slices.Clone(s.seen[d.ID])
	if d.Inventory != "" {
		because = append(because, s.declared[d.Inventory]...)
	}
	f.Subject, f.Because, f.Class = audit.Subject{Kind: audit.SubjectDevice, ID: d.ID}, unique(because), audit.ClassInventory
	s.facts = append(s.facts, f)
}

// of states a fact of the site. It rests on what the site file says; every sighting there is would add nothing a reader could use.
func (s *stater) of(name string, v any, entries ...string) {
	because := slices.Clone(s.declared[""])
	for _, e := range entries {
		because = append(because, s.declared[e]...)
	}
	f := audit.NewFact(name, "", v)
	f.Subject, f.Because, f.Class = audit.Subject{Kind: audit.SubjectSite, ID: s.site}, unique(because), audit.ClassInventory
	s.facts = append(s.facts, f)
}
