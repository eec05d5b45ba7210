package scan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

func address(i int) string { return fmt.Sprintf("192.0.2.%d", 10+i) }

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestPresenceFacts(t *testing.T) {
	full := audit.Run{Permit: audit.PermitSample, Complete: true}
	inside := audit.Authority{Perimeter: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	listed := []audit.InventoryEntry{{ID: "CAM-01", Address: address(1)}, {ID: "CAM-02", Address: address(2) + ":8081"},
		{ID: "CAM-03", MAC: "02:00:00:00:00:03"}, {ID: "CAM-04"}, {ID: "CAM-05", Address: "198.51.100.5"}}
	met := cameraAt(address(1), "tcp-connect")
	gone := sighting(address(2), "onvif", "tds:GetServices", audit.Identity{})
	gone.Status = audit.Timeout
	swapped := sighting(address(2), "sadp", sightingKind, audit.Identity{Kind: audit.KindCamera, MACs: []string{"02:00:00:00:00:99"}})
	for _, c := range []struct {
		name string
		rec  Record
		want string
	}{
		{"one met, one silent, one nowhere, one nobody could know, one outside",
			Record{Run: full, Site: audit.SiteFile{Authority: inside, Inventory: listed}, Observations: append(slices.Clone(met), gone)},
			`CAM-01 found=true listed=true
CAM-02 found=false listed=true
CAM-03 found=false listed=true
CAM-04 listed=true
CAM-05 listed=true
site inventory.missing=[CAM-02 CAM-03] devices.unlisted=0 cameras.missing=2`},
		{"stopped: nothing is said to be missing", Record{Run: audit.Run{Permit: audit.PermitSample}, Site: audit.SiteFile{Authority: inside, Inventory: listed[:2]}, Observations: append(slices.Clone(met), gone)},
			`CAM-01 found=true listed=true
CAM-02 listed=true
site`},
		{"nothing was asked", Record{Run: audit.Run{Permit: audit.PermitListen, Complete: true}, Site: audit.SiteFile{Authority: inside, Inventory: listed[:1]}},
			`CAM-01 listed=true
site`},
		{"no inventory: nothing is known to be listed or not", Record{Run: full, Observations: met},
			`- found=true
site`},
		{"no inventory, and somebody counted", Record{Run: full, Site: audit.SiteFile{Survey: &audit.Survey{Cameras: []audit.CameraCount{{Zone: "Z1", Count: 1}}}}, Observations: met},
			`- found=true
site cameras.missing=0`},
		{"found and not listed", Record{Run: full, Site: audit.SiteFile{Authority: inside, Inventory: listed[:1]}, Observations: slices.Concat(met, cameraAt(address(7), "mdns"))},
			`CAM-01 found=true listed=true
- found=true listed=false
site inventory.missing=[] devices.unlisted=1 cameras.missing=0`},
		{"a printer nobody listed is nobody's business", Record{Run: full, Site: audit.SiteFile{Authority: inside, Inventory: listed[:1]},
			Observations: append(slices.Clone(met), sighting(address(7), "mdns", sightingKind, audit.Identity{Kind: audit.KindOther}))},
			`CAM-01 found=true listed=true
- found=true listed=false
site inventory.missing=[] devices.unlisted=0 cameras.missing=0`},
		{"another device answers at the listed address", Record{Run: full, Site: audit.SiteFile{Authority: inside,
			Inventory: []audit.InventoryEntry{{ID: "CAM-02", Address: address(2), MAC: "02:00:00:00:00:02"}}}, Observations: []audit.Observation{swapped}},
			`CAM-02 found=true
site inventory.missing=[CAM-02] devices.unlisted=0 cameras.missing=1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, facts := recallFrom(c.rec, ways())
			devices, _ := Identify(c.rec.Observations, c.rec.Site.Inventory)
			var out []string
			for _, d := range devices {
				who := d.Inventory
				if who == "" {
					who = "-"
				}
				out = append(out, who+said(facts, audit.Subject{Kind: audit.SubjectDevice, ID: d.ID}))
			}
			out = append(out, "site"+said(facts, audit.Subject{Kind: audit.SubjectSite}))
			if d := cmp.Diff(c.want, strings.Join(out, "\n")); d != "" {
				t.Error(d)
			}
			specs := map[string]audit.FactSpec{}
			for _, s := range presenceSpecs() {
				specs[s.Name] = s
			}
			if _, err := audit.Fold(facts, specs); err != nil {
				t.Error(err)
			}
		})
	}
}

// said renders the facts about a subject, device ids as how many there are.
func said(facts []audit.Fact, about audit.Subject) string {
	order := []string{factFound, factListed, factAbsentees, factUnlisted, factMissing}
	var out string
	for _, name := range order {
		for _, f := range facts {
			if f.Subject != about || f.Name != name {
				continue
			}
			v := fmt.Sprint(f.Value.V)
			if l, ok := f.Value.V.([]string); ok && name == factUnlisted {
				v = fmt.Sprint(len(l))
			}
			_, short, _ := strings.Cut(name, ".")
			out += " " + short + "=" + v
		}
	}
	return out
}

// TestPresenceOfOthers: a foreign device is nobody's unlisted camera, and a channel is known by its recorder, unless the recorder
// says that nothing comes from it.
func TestPresenceOfOthers(t *testing.T) {
	devices := []audit.Device{
		{ID: "foreign", Kind: audit.KindCamera, Foreign: true, Loci: []string{"203.0.113.9"}},
		{ID: "nvr", Kind: audit.KindRecorder, Inventory: "NVR-01", Loci: []string{address(1)}},
		{ID: "wired", Kind: audit.KindCamera, Via: "nvr", Channel: "1"},
		{ID: "behind", Kind: audit.KindCamera, Via: "nvr", Channel: "2", MACs: []string{"02:00:00:00:00:09"}},
		{ID: "dark", Kind: audit.KindCamera, Via: "nvr", Channel: "3", Inventory: "CAM-03", Loci: []string{address(3)}},
	}
	off, nvr := false, sighting(address(1), "onvif", "trt:GetVideoSources", audit.Identity{})
	nvr.Behind = []audit.Channel{{ID: "1"}, {ID: "2"}, {ID: "3", Online: &off}}
	met := sighting("203.0.113.9", "ws-discovery", sightingKind, audit.Identity{})
	p := presenceOf(Record{}, devices, []audit.Observation{nvr, met}, map[string]string{address(1): "nvr", "203.0.113.9": "foreign", address(3): "dark"})
	rec := Record{Run: audit.Run{Permit: audit.PermitQuery, Complete: true}, Site: audit.SiteFile{
		Authority: audit.Authority{Perimeter: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, Inventory: []audit.InventoryEntry{{ID: "NVR-01", Address: address(1)}, {ID: "CAM-03", Address: address(3)}}}}
	r := recallOf(rec, devices, p, ways())
	if r.Found != 1 {
		t.Errorf("found %d, want the recorder alone", r.Found)
	}
	facts := presenceFacts(rec, nil, devices, p, r)
	for id, want := range map[string]string{"foreign": " found=true", "nvr": " found=true listed=true", "wired": " found=true", "behind": " found=true listed=false", "dark": " found=false listed=true"} {
		if got := said(facts, audit.Subject{Kind: audit.SubjectDevice, ID: id}); got != want {
			t.Errorf("%s:%s, want%s", id, got, want)
		}
	}
	if got := said(facts, audit.Subject{Kind: audit.SubjectSite}); got != " inventory.missing=[CAM-03] devices.unlisted=1 cameras.missing=1" {
		t.Errorf("site:%s", got)
	}
}
