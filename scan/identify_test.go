package scan

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func sighting(locus, module, kind string, id audit.Identity) audit.Observation {
	a, err := netip.ParseAddr(locus)
	if err != nil {
		panic(err)
	}
	return audit.Observation{Module: module, Kind: kind, Locus: locus, Endpoint: netip.AddrPortFrom(a, 80), At: noon, Status: audit.OK, Identity: &id}
}

func TestIdentify(t *testing.T) {
	one, two := "192.0.2.1", "192.0.2.2"
	for _, c := range []struct {
		name      string
		seen      []audit.Observation
		inventory []audit.InventoryEntry
		devices   int
	}{
		{name: "one address, many protocols", devices: 1, seen: []audit.Observation{
			sighting(one, "ws-discovery", sightingKind, audit.Identity{EPR: "urn:uuid:a"}), sighting(one, "mdns", sightingKind, audit.Identity{MDNS: "cam"}),
			sighting(one, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "LAB-00017", Vendor: "Lanting"})}},
		{name: "one endpoint reference at two addresses", devices: 1, seen: []audit.Observation{
			sighting(one, "ws-discovery", sightingKind, audit.Identity{EPR: "urn:uuid:a"}), sighting(two, "ws-discovery", sightingKind, audit.Identity{EPR: "urn:uuid:A"})}},
		{name: "one endpoint reference from the factory, two serial numbers", devices: 2, seen: []audit.Observation{
			sighting(one, "ws-discovery", sightingKind, audit.Identity{EPR: "urn:uuid:a"}), sighting(two, "ws-discovery", sightingKind, audit.Identity{EPR: "urn:uuid:a"}),
			sighting(one, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "LAB-00017"}), sighting(two, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "LAB-00018"})}},
		{name: "one hardware address settles it", devices: 1, seen: []audit.Observation{
			sighting(one, "onvif", "tds:GetScopes", audit.Identity{MACs: []string{"02-00-00-00-00-01"}, EPR: "urn:uuid:a"}), sighting(two, "onvif", "tds:GetScopes", audit.Identity{MACs: []string{"02:00:00:00:00:01"}, EPR: "urn:uuid:b"})}},
		{name: "a placeholder serial number joins nothing", devices: 2, seen: []audit.Observation{
			sighting(one, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "00000000"}), sighting(two, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "00000000"})}},
		{name: "a factory certificate joins nothing across addresses", devices: 2, seen: []audit.Observation{
			sighting(one, "web", "GET /", audit.Identity{TLSKey: "k"}), sighting(two, "web", "GET /", audit.Identity{TLSKey: "k"})}},
		{name: "an inventory entry without address finds its device by serial number", devices: 1,
			inventory: []audit.InventoryEntry{{ID: "CAM-01", Serial: "lab-00017", Zone: "Z1"}},
			seen:      []audit.Observation{sighting(one, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "LAB-00017"})}},
		{name: "an inventory entry that never answered is still a device", devices: 1, inventory: []audit.InventoryEntry{{ID: "CAM-01", Address: "192.0.2.9"}}},
		{name: "two inventory entries stay two, though they say the same of themselves", devices: 2,
			inventory: []audit.InventoryEntry{{ID: "CAM-01", Address: one}, {ID: "CAM-02", Address: two}},
			seen: []audit.Observation{
				sighting(one, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "LAB-00017", MACs: []string{"02:00:00:00:00:01"}, EPR: "urn:uuid:a"}),
				sighting(two, "onvif", "tds:GetDeviceInformation", audit.Identity{Serial: "LAB-00017", MACs: []string{"02:00:00:00:00:01"}, EPR: "urn:uuid:a"})}},
		{name: "ports of one address are two devices where the inventory says so", devices: 2,
			inventory: []audit.InventoryEntry{{ID: "CAM-01", Address: "192.0.2.9:8001"}, {ID: "CAM-02", Address: "192.0.2.9:8002"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, device := Identify(c.seen, c.inventory)
			if len(got) != c.devices {
				t.Errorf("%d devices, want %d: %+v", len(got), c.devices, got)
			}
			ids := map[string]bool{}
			for _, d := range got {
				ids[d.ID] = true
			}
			if len(ids) != len(got) {
				t.Errorf("%d devices have %d names", len(got), len(ids))
			}
			for _, o := range c.seen {
				if device[o.Locus] == "" {
					t.Errorf("locus %s belongs to no device", o.Locus)
				}
			}
		})
	}
}

func TestIdentifyTrustsTheDeviceFirst(t *testing.T) {
	got, _ := Identify([]audit.Observation{
		sighting("192.0.2.1", "web", "GET /", audit.Identity{Vendor: "Guess", Kind: audit.KindOther, Weak: true}),
		sighting("192.0.2.1", "ws-discovery", sightingKind, audit.Identity{Vendor: "Scope", Model: "S-1", Kind: audit.KindCamera}),
		sighting("192.0.2.1", "onvif", "tds:GetDeviceInformation", audit.Identity{Vendor: "Lanting", Firmware: "1.2"}),
	}, nil)
	want := audit.Device{Kind: audit.KindCamera, Vendor: "Lanting", Model: "S-1", Firmware: "1.2"}
	is := audit.Device{Kind: got[0].Kind, Vendor: got[0].Vendor, Model: got[0].Model, Firmware: got[0].Firmware, Inferred: got[0].Inferred}
	if d := cmp.Diff(want, is); d != "" {
		t.Error(d)
	}
}

// TestIdentifyOrder: devices are a function of the set of sightings, not of the order they came in.
func TestIdentifyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var seen []audit.Observation
		for i := range rapid.IntRange(1, 10).Draw(t, "sightings") {
			id := audit.Identity{
				EPR:    rapid.SampledFrom([]string{"", "", "urn:uuid:a", "urn:uuid:b"}).Draw(t, "epr"),
				Serial: rapid.SampledFrom([]string{"", "", "LAB-00001", "LAB-00002"}).Draw(t, "serial"),
				TLSKey: rapid.SampledFrom([]string{"", "", "k"}).Draw(t, "tls"),
				Vendor: rapid.SampledFrom([]string{"", "Lanting", "Qinghe"}).Draw(t, "vendor"),
			}
			if rapid.Bool().Draw(t, "mac?") {
				id.MACs = []string{rapid.SampledFrom([]string{"02:00:00:00:00:01", "02:00:00:00:00:02"}).Draw(t, "mac")}
			}
			o := sighting(rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"}).Draw(t, "locus"), rapid.SampledFrom([]string{"ws-discovery", "onvif", "web"}).Draw(t, "module"), "k", id)
			o.At = o.At.Add(time.Duration(i) * time.Second)
			seen = append(seen, o)
		}
		var inventory []audit.InventoryEntry
		for i, a := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "192.0.2.9"}), rapid.ID).Draw(t, "inventory") {
			inventory = append(inventory, audit.InventoryEntry{ID: string(rune('A' + i)), Address: a})
		}
		a, da := Identify(seen, inventory)
		b, db := Identify(rapid.Permutation(seen).Draw(t, "order"), inventory)
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(da, db); d != "" {
			t.Fatal(d)
		}
		ids := map[string]bool{}
		for _, d := range a {
			if ids[d.ID] {
				t.Fatalf("two devices are called %s", d.ID)
			}
			ids[d.ID] = true
		}
		for _, o := range seen {
			if !ids[da[o.Locus]] {
				t.Fatalf("locus %s belongs to no device", o.Locus)
			}
		}
	})
}

func TestCoverageOf(t *testing.T) {
	o := func(ss ...audit.Status) (out []audit.Observation) {
		for _, s := range ss {
			out = append(out, audit.Observation{Kind: "x", Status: s})
		}
		return out
	}
	for _, c := range []struct {
		seen []audit.Observation
		want audit.CoverageStatus
	}{
		{o(audit.OK, audit.OK, audit.NotSupported), audit.Tried},
		{o(audit.OK, audit.Timeout), audit.Partial},
		{o(audit.OK, audit.Refused), audit.RefusedBy},
		{o(audit.AuthRequired), audit.RefusedBy},
		{o(audit.Unreachable), audit.NoAnswer},
		{o(audit.Malformed), audit.Partial},
		{o(audit.OK, audit.Interrupted), audit.Stopped},
		{o(audit.Empty), audit.NotObserved},
		{nil, audit.Skipped},
	} {
		if got := coverageOf("t", "m", c.seen).Status; got != c.want {
			t.Errorf("%v: %s, want %s", c.seen, got, c.want)
		}
	}
	kinds := func(login audit.Status) []audit.Observation {
		return []audit.Observation{{Kind: "clock", Status: audit.OK}, {Kind: "information", Status: audit.AuthRequired}, {Kind: "information", Status: login}}
	}
	if got := coverageOf("t", "m", kinds(audit.OK)); got.Status != audit.Tried || got.Detail.EN != "answered 2" {
		t.Errorf("a question answered with the login: %s, %s", got.Status, got.Detail.EN)
	}
	if got := coverageOf("t", "m", kinds(audit.AuthRequired)); got.Status != audit.RefusedBy {
		t.Errorf("a question that wanted a login and got none: %s, %s", got.Status, got.Detail.EN)
	}
	beside := append(kinds(audit.AuthRequired), audit.Observation{Kind: "profiles", Status: audit.OK, Auth: "wsse"})
	if got := coverageOf("t", "m", beside); got.Status != audit.Partial {
		t.Errorf("one question wanted a login although others got one: %s, %s", got.Status, got.Detail.EN)
	}
	if !slices.IsSortedFunc([]audit.Coverage{{Target: "a"}, {Target: "b"}}, compareCoverage) {
		t.Error("coverage is not ordered by target")
	}
}
