package scan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Identify merges every sighting into devices. It is pure and does not depend on the order of the observations. Sightings
// are merged by MAC, endpoint reference, mDNS name, serial number and TLS key, in this order of strength, never by address
// alone: a locus is one device to begin with, and two loci become one only when they share a key and no hardware address,
// endpoint reference or serial number says that they differ. A shared MAC settles the matter. What a recorder has behind it is
// added, as the device it is or as one of its own. The second result maps every locus to its device.
func Identify(observations []audit.Observation, inventory []audit.InventoryEntry) ([]audit.Device, map[string]string) {
	places := newLoci(inventory)
	sorted := slices.Clone(observations)
	slices.SortFunc(sorted, compareObservations)

	groups := map[string]*cluster{}
	at := func(locus string) *cluster {
		if groups[locus] == nil {
			groups[locus] = newCluster(locus)
		}
		return groups[locus]
	}
	for _, e := range inventory {
		c := at(places.ofEntry(e))
		c.entries = append(c.entries, e)
		c.learn(audit.Identity{MACs: nonEmpty(normalMAC(e.MAC)), Serial: e.Serial})
	}
	for _, o := range sorted {
		if o.Locus == "" || o.Module == siteModule {
			continue
		}
		c := at(o.Locus)
		c.seen = append(c.seen, o)
		if o.Identity != nil {
			c.learn(*o.Identity)
		}
	}

	merge(groups)
	attach(groups, places)

	var devices []audit.Device
	device := map[string]string{}
	names := nameAll(distinct(groups))
	for _, c := range distinct(groups) {
		d := c.device()
		d.ID = names[c]
		if d.Kind == "" { // nothing there, and nobody says there should be
			continue
		}
		if len(c.via) > 0 {
			d.Via, d.Channel = names[c.via[0].recorder], strings.Join(c.numbers(), numberSep)
		}
		devices = append(devices, d)
		for _, l := range c.loci {
			device[l] = d.ID
		}
	}
	slices.SortFunc(devices, func(a, b audit.Device) int {
		return cmp.Or(cmp.Compare(b2i(a.Inventory == ""), b2i(b.Inventory == "")), cmp.Compare(a.Inventory, b.Inventory), cmp.Compare(a.ID, b.ID))
	})
	return devices, device
}

// nameAll gives every device its identifier. Devices that say the same of themselves and are known to be several are told apart
// by where they are.
func nameAll(all []*cluster) map[*cluster]string {
	claimed := map[string]int{}
	for _, c := range all {
		claimed[c.id()]++
	}
	names := map[*cluster]string{}
	for _, c := range all {
		names[c] = c.id()
		if claimed[names[c]] > 1 {
			names[c] = deviceID("several", names[c], c.where())
		}
	}
	return names
}

// compareObservations is the total order of observations in a report.
func compareObservations(a, b audit.Observation) int {
	return cmp.Or(cmp.Compare(a.Locus, b.Locus), cmp.Compare(a.Module, b.Module), a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Endpoint.String(), b.Endpoint.String()), cmp.Compare(string(a.Data), string(b.Data)))
}

// cluster is what is known of the loci merged so far.
type cluster struct {
	loci    []string
	keys    [keyKinds]map[string]bool
	entries []audit.InventoryEntry
	seen    []audit.Observation
	via     []behind // the recorders' channels that it is
	told    bool     // only recorders say that it is there
}

func newCluster(locus string) *cluster {
	c := &cluster{loci: []string{locus}}
	for i := range c.keys {
		c.keys[i] = map[string]bool{}
	}
	return c
}

func (c *cluster) learn(id audit.Identity) {
	for _, m := range id.MACs {
		if m = normalMAC(m); m != "" {
			c.keys[byMAC][m] = true
		}
	}
	for kind, v := range map[keyKind]string{byEPR: strings.ToLower(strings.TrimSpace(id.EPR)), byMDNS: strings.ToLower(id.MDNS),
		bySerial: normalSerial(id.Serial), byTLS: id.TLSKey} {
		if v != "" {
			c.keys[kind][v] = true
		}
	}
}

// merge unites clusters that share a key, kind by kind and key by key in sorted order, so that the result is a function of the
// set of sightings.
func merge(groups map[string]*cluster) {
	for kind := keyKind(0); kind < keyKinds; kind++ {
		holders := map[string][]string{}
		for _, locus := range slices.Sorted(maps.Keys(groups)) {
			for k := range groups[locus].keys[kind] {
				holders[k] = append(holders[k], locus)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(holders)) {
			ls := holders[k]
			for i := range ls {
				for j := i + 1; j < len(ls); j++ {
					a, b := groups[ls[i]], groups[ls[j]]
					if a != b && mayMerge(kind, a, b) {
						unite(groups, a, b)
					}
				}
			}
		}
	}
}

// mayMerge reports whether a shared key of the kind is enough. Cheap cameras leave the factory with one endpoint reference or
// one certificate for all: where anything hard says that two devices differ, they stay two. A TLS key alone only joins ports of
// one address.
// Two addresses the operator lists as two devices are two, whatever they say of themselves.
func mayMerge(kind keyKind, a, b *cluster) bool {
	if a.addressed() && b.addressed() {
		return false
	}
	if kind == byMAC {
		return true
	}
	for _, hard := range []keyKind{byMAC, byEPR, bySerial} {
		if hard != kind && len(a.keys[hard]) > 0 && len(b.keys[hard]) > 0 && !overlap(a.keys[hard], b.keys[hard]) {
			return false
		}
	}
	return kind != byTLS || shareAddress(a.loci, b.loci)
}

// addressed reports whether the inventory lists something at the cluster's address.
func (c *cluster) addressed() bool {
	return slices.ContainsFunc(c.entries, func(e audit.InventoryEntry) bool { return e.Address != "" })
}

func unite(groups map[string]*cluster, a, b *cluster) {
	a.loci = append(a.loci, b.loci...)
	slices.Sort(a.loci)
	a.entries = append(a.entries, b.entries...)
	a.seen = append(a.seen, b.seen...)
	for i := range a.keys {
		maps.Copy(a.keys[i], b.keys[i])
	}
	for _, l := range b.loci {
		groups[l] = a
	}
}

func distinct(groups map[string]*cluster) []*cluster {
	var out []*cluster
	for _, l := range slices.Sorted(maps.Keys(groups)) {
		if c := groups[l]; c.loci[0] == l {
			out = append(out, c)
		}
	}
	return out
}
