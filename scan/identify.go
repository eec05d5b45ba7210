package scan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// keyKind is a kind of identifying statement, strongest first.
type keyKind int

const (
	byMAC keyKind = iota
	byEPR
	byMDNS
	bySerial
	byTLS
	keyKinds
)

// Identify merges every sighting into devices. It is pure and does not depend on the order of the observations. Sightings
// are merged by MAC, endpoint reference, mDNS name, serial number and TLS key, in this order of strength, never by address
// alone: a locus is one device to begin with, and two loci become one only when they share a key and no hardware address,
// endpoint reference or serial number says that they differ. A shared MAC settles the matter. The second result maps every
// locus to its device.
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

	var devices []audit.Device
	device := map[string]string{}
	claimed := map[string]int{}
	for _, c := range distinct(groups) {
		claimed[c.id()]++
	}
	for _, c := range distinct(groups) {
		d := c.device()
		if claimed[d.ID] > 1 { // devices that say the same of themselves and are known to be several
			d.ID = deviceID("several", d.ID, c.where())
		}
		if d.Kind == "" { // nothing there, and nobody says there should be
			continue
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

// device describes a cluster. Statements of the device itself come before what discovery announced, and both before what was
// inferred from a banner.
func (c *cluster) device() audit.Device {
	slices.SortFunc(c.seen, compareObservations)
	slices.SortFunc(c.entries, func(a, b audit.InventoryEntry) int { return cmp.Compare(a.ID, b.ID) })
	d := audit.Device{ID: c.id(), Loci: c.loci, MACs: slices.Sorted(maps.Keys(c.keys[byMAC])), Outbound: []audit.Outbound{}}
	if d.MACs == nil {
		d.MACs = []string{}
	}
	var zones, sources, addresses, services []string
	for _, e := range c.entries {
		zones = append(zones, e.AllZones()...)
		sources = append(sources, "inventory")
		d.Inventory = cmp.Or(d.Inventory, e.ID)
		d.Name = cmp.Or(d.Name, e.Name)
	}
	var first, last time.Time
	answered, video, announced := false, false, false
	for _, o := range c.seen {
		if o.Kind == sightingKind {
			sources = append(sources, o.Module)
			announced = announced || announcesVideo(o)
		}
		if o.Status == audit.OK && o.Kind != sightingKind {
			services = append(services, o.Module)
			answered = true
			video = video || o.Module == "onvif" || o.Module == "rtsp"
		}
		if o.Endpoint.IsValid() && (o.Status == audit.OK || o.Status == audit.AuthRequired || o.Status == audit.Refused) {
			addresses = append(addresses, endpointText(o.Endpoint))
		}
		if o.Identity != nil {
			services = append(services, o.Identity.Services...)
		}
		if o.Status != audit.Unreachable && !o.At.IsZero() {
			if first.IsZero() || o.At.Before(first) {
				first = o.At
			}
			if o.At.After(last) {
				last = o.At
			}
		}
	}
	if len(addresses) == 0 {
		addresses = c.loci
	}
	d.Zones, d.Sources, d.Addresses, d.Services = unique(zones), unique(sources), unique(addresses), unique(services)
	d.FirstSeen, d.LastSeen = stamp(first), stamp(last)

	ids := c.identities()
	d.Vendor = pick(ids, func(i audit.Identity) string { return i.Vendor })
	d.Model = cmp.Or(pick(ids, func(i audit.Identity) string { return i.Model }), pick(ids, func(i audit.Identity) string { return i.Hardware }))
	d.Firmware = pick(ids, func(i audit.Identity) string { return i.Firmware })
	d.Serial = pick(ids, func(i audit.Identity) string { return i.Serial })
	d.Name = cmp.Or(d.Name, pick(ids, func(i audit.Identity) string { return i.Name }))
	for _, i := range ids {
		d.Channels = max(d.Channels, i.Channels)
	}
	d.Kind, d.Inferred = c.kind(ids, answered, video, announced)
	return d
}

// kind: what the device shows itself to be; then what the operator says; then what its protocols suggest.
func (c *cluster) kind(ids []audit.Identity, answered, video, announced bool) (k audit.Kind, inferred bool) {
	for _, weak := range []bool{false, true} {
		for _, k := range []audit.Kind{audit.KindTerminal, audit.KindRecorder, audit.KindServer, audit.KindCamera, audit.KindOther} {
			for _, i := range ids {
				if i.Kind == k && i.Weak == weak && (!weak || len(c.entries) == 0 || k != audit.KindOther) {
					return k, weak
				}
			}
		}
		if !weak && video {
			return audit.KindCamera, false
		}
	}
	switch {
	case len(c.entries) > 0 || announced:
		return audit.KindCamera, true
	case answered || len(c.seen) > 0:
		return audit.KindOther, true
	}
	return "", true
}

// announcesVideo reports whether a sighting carries the WS-Discovery type of ONVIF's network video transmitters. Recorders carry
// it too, so it suggests a camera and proves none.
func announcesVideo(o audit.Observation) bool {
	var t audit.Target
	return json.Unmarshal(o.Data, &t) == nil && slices.ContainsFunc(t.Types, func(s string) bool { return strings.HasSuffix(s, "NetworkVideoTransmitter") })
}

// identities lists what was said of who it is, most trustworthy first.
func (c *cluster) identities() []audit.Identity {
	type ranked struct {
		rank int
		id   audit.Identity
	}
	var rs []ranked
	for _, o := range c.seen {
		if o.Identity == nil {
			continue
		}
		r := 2
		switch {
		case o.Identity.Weak:
			r = 3
		case strings.HasSuffix(o.Kind, "GetDeviceInformation"):
			r = 0
		case o.Kind != sightingKind:
			r = 1
		}
		rs = append(rs, ranked{r, *o.Identity})
	}
	slices.SortStableFunc(rs, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	out := make([]audit.Identity, len(rs))
	for i, r := range rs {
		out[i] = r.id
	}
	return out
}

// id names the device by its strongest key, so that the same device has the same id in the next run; where it has none, by the
// operator's inventory, and last by where it is, which says nothing across runs.
func (c *cluster) id() string {
	for kind := keyKind(0); kind < keyKinds; kind++ {
		if kind == byTLS {
			continue // factory certificates are shared
		}
		if ks := slices.Sorted(maps.Keys(c.keys[kind])); len(ks) > 0 {
			return deviceID("key", string(rune('0'+kind)), ks[0], c.tiebreak(kind))
		}
	}
	if len(c.entries) > 0 {
		return deviceID("inventory", c.entries[0].ID)
	}
	return deviceID("locus", c.loci[0])
}

// where names the cluster by what nothing else can share: the operator's entry, or the place.
func (c *cluster) where() string {
	if c.addressed() {
		return "inventory " + c.entries[0].ID
	}
	return c.loci[0]
}

// tiebreak keeps apart devices that carry one endpoint reference from the factory but differ in their serial number.
func (c *cluster) tiebreak(kind keyKind) string {
	if kind != byEPR && kind != byMDNS {
		return ""
	}
	return strings.Join(slices.Sorted(maps.Keys(c.keys[bySerial])), ",")
}

func deviceID(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "d-" + hex.EncodeToString(h[:6])
}

func pick(ids []audit.Identity, field func(audit.Identity) string) string {
	for _, i := range ids {
		if v := field(i); v != "" {
			return v
		}
	}
	return ""
}

func endpointText(a netip.AddrPort) string {
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// normalMAC returns twelve lower-case hexadecimal digits with colons, or nothing for what is no hardware address of one device.
func normalMAC(s string) string {
	hexes := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'f':
			return r
		case r >= 'A' && r <= 'F':
			return r + 'a' - 'A'
		case r == ':', r == '-', r == '.', r == ' ':
			return -1
		}
		return 'x'
	}, s)
	if len(hexes) != 12 || strings.Contains(hexes, "x") || strings.Trim(hexes, "0") == "" || strings.Trim(hexes, "f") == "" {
		return ""
	}
	var b strings.Builder
	for i := 0; i < 12; i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(hexes[i : i+2])
	}
	return b.String()
}

// normalSerial returns a serial number fit for comparing, or nothing for placeholders that many devices share.
func normalSerial(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) < 5 || strings.Trim(s, s[:1]) == "" || slices.Contains([]string{"unknown", "none", "default", "123456", "1234567", "12345678", "123456789", "0123456789"}, s) {
		return ""
	}
	return s
}

func overlap(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

func shareAddress(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if addressOf(x) != "" && addressOf(x) == addressOf(y) {
				return true
			}
		}
	}
	return false
}

func addressOf(locus string) string {
	if ap, err := netip.ParseAddrPort(locus); err == nil {
		return ap.Addr().String()
	}
	if a, err := netip.ParseAddr(locus); err == nil {
		return a.String()
	}
	return ""
}

func unique(l []string) []string {
	n, _ := audit.Normal(l)
	out, _ := n.([]string)
	if out == nil {
		out = []string{}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
