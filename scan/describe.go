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
	inside, outside := false, false
	for _, o := range c.seen {
		if overheard(o) {
			sources = append(sources, captureModule)
		}
		if o.Kind == sightingKind {
			t := targetOf(o)
			if !overheard(o) {
				sources = append(sources, o.Module)
			}
			announced = announced || announcesVideo(t)
			inside, outside = inside || !t.Foreign, outside || t.Foreign
		}
		if o.Module == "rtsp" && (o.Status == audit.AuthRequired || o.Status == audit.Refused) {
			services = append(services, o.Module) // who asks for a login in RTSP speaks it
		}
		if o.Status == audit.OK && o.Kind != sightingKind && serves(o) {
			services = append(services, o.Module)
			answered = true
			video = video || o.Module == "onvif" || o.Module == "rtsp"
		}
		if o.Endpoint.IsValid() && o.Endpoint.Port() != 0 && (o.Status == audit.OK || o.Status == audit.AuthRequired || o.Status == audit.Refused) {
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
	d.Foreign = outside && !inside && !answered

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
	c.fill(&d, answered)
	return d
}

// serves reports whether an observation is of something the device offers: it answered, or was overheard as the one that answers.
func serves(o audit.Observation) bool { return !overheard(o) || o.Endpoint.Port() != 0 }

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
	case len(c.entries) > 0 || announced || len(c.via) > 0:
		return audit.KindCamera, true
	case answered || len(c.seen) > 0:
		return audit.KindOther, true
	}
	return "", true
}

// announcesVideo reports whether a sighting carries the WS-Discovery type of ONVIF's network video transmitters. Recorders carry
// it too, so it suggests a camera and proves none.
func announcesVideo(t audit.Target) bool {
	return slices.ContainsFunc(t.Types, func(s string) bool { return strings.HasSuffix(s, "NetworkVideoTransmitter") })
}

// targetOf reads what a discovery method reported; nothing where it cannot be read.
func targetOf(o audit.Observation) (t audit.Target) {
	if json.Unmarshal(o.Data, &t) != nil {
		return audit.Target{}
	}
	return t
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
// operator's inventory, then by its recorder's and its channel there, and last by where it is, which says nothing across runs.
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
	if c.told && len(c.via) > 0 {
		return deviceID("channel", c.via[0].recorder.id(), c.via[0].ID)
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

const devicePrefix = "d-" // begins the identifier of every device

func deviceID(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return devicePrefix + hex.EncodeToString(h[:6])
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
