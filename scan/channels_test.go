package scan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
)

func listing(locus, module, kind string, behind ...audit.Channel) audit.Observation {
	o := sighting(locus, module, kind, audit.Identity{Kind: audit.KindRecorder, Serial: "REC-" + locus, Vendor: "Lanting"})
	o.Behind = behind
	return o
}

func at(s string) netip.AddrPort {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 0)
	}
	return netip.MustParseAddrPort(s)
}

func online(b bool) *bool { return &b }

// line is a device as the tables below write it.
func line(d audit.Device, names map[string]string) string {
	s := strings.Join([]string{string(d.Kind), d.Name, strings.Join(d.Addresses, " "), strings.Join(d.Sources, "+")}, "|")
	if d.Via != "" {
		s += "|" + names[d.Via] + "#" + d.Channel
	}
	if d.Foreign {
		s += "|foreign"
	}
	return s
}

func TestChannels(t *testing.T) {
	const nvr, cam, other = "192.0.2.10", "192.0.2.21", "192.0.2.22"
	found := func(locus string, id audit.Identity) audit.Observation {
		return sighting(locus, "onvif", "tds:GetScopes", id)
	}
	dead := func(locus string) audit.Observation {
		o := found(locus, audit.Identity{})
		o.Status, o.Identity = audit.Unreachable, nil
		return o
	}
	for _, c := range []struct {
		name      string
		seen      []audit.Observation
		inventory []audit.InventoryEntry
		want      []string // without the recorder
	}{
		{name: "tokens only: nothing is known of them, so they are listed",
			seen: []audit.Observation{listing(nvr, "onvif", "trt:GetProfiles", audit.Channel{ID: "VS_1"}, audit.Channel{ID: "VS_2"})},
			want: []string{"camera|||recorder|R#VS_1", "camera|||recorder|R#VS_2"}},
		{name: "sockets with nothing on them are no devices; what somebody named is",
			seen: []audit.Observation{listing(nvr, "isapi", "inputs", audit.Channel{ID: "A1", Name: "Camera 01", Online: online(false)},
				audit.Channel{ID: "A2", Name: "收银台", Online: online(false)}, audit.Channel{ID: "A3", Name: "Camera 03", Online: online(true)}, audit.Channel{ID: "A4", Online: online(false)})},
			want: []string{"camera|Camera 03||recorder|R#A3", "camera|收银台||recorder|R#A2"}},
		{name: "two answers of one protocol are one list",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Name: "门", Addr: at("203.0.113.5")}), listing(nvr, "isapi", "status", audit.Channel{ID: "1", Online: online(false)})},
			want: []string{"camera|门|203.0.113.5|recorder|R#1|foreign"}},
		{name: "two protocols count in their own way: the one that says more is taken",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at("203.0.113.5")}), listing(nvr, "onvif", "profiles", audit.Channel{ID: "a"}, audit.Channel{ID: "b"})},
			want: []string{"camera||203.0.113.5|recorder|R#1|foreign"}},
		{name: "found by its hardware address, whatever the address",
			seen: []audit.Observation{listing(nvr, "dahua", "remote", audit.Channel{ID: "1", MAC: "02-00-00-00-00-21", Addr: at("192.0.2.99")}),
				found(cam, audit.Identity{MACs: []string{"02:00:00:00:00:21"}})},
			want: []string{"camera||192.0.2.21:80|recorder|R#1"}},
		{name: "found by its serial number",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Serial: "lab-00021"}), found(cam, audit.Identity{Serial: "LAB-00021"})},
			want: []string{"camera||192.0.2.21:80|recorder|R#1"}},
		{name: "found at its address",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Name: "recorder's word", Addr: at(cam + ":8000")}), found(cam, audit.Identity{Name: "own word"})},
			want: []string{"camera|own word|192.0.2.21:80|recorder|R#1"}},
		{name: "another camera stands at its address now",
			seen: []audit.Observation{listing(nvr, "dahua", "remote", audit.Channel{ID: "1", MAC: "02:00:00:00:00:01", Addr: at(cam)}), found(cam, audit.Identity{MACs: []string{"02:00:00:00:00:21"}})},
			want: []string{"camera||192.0.2.21:80|", "camera||192.0.2.21|recorder|R#1"}},
		{name: "asked at its address, and silent",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Name: "门", Addr: at(cam)}), dead(cam)},
			want: []string{"camera|门|192.0.2.21|recorder|R#1"}},
		{name: "in the inventory without an address",
			seen:      []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "7", Serial: "LAB-00021"})},
			inventory: []audit.InventoryEntry{{ID: "CAM-01", Serial: "LAB-00021", Name: "门"}},
			want:      []string{"camera|门|inventory:CAM-01|inventory+recorder|R#7"}},
		{name: "the recorder's own address and hardware are no camera's",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at(nvr), Serial: "REC-" + nvr})},
			want: []string{"camera|||recorder|R#1"}},
		{name: "several sensors at one address are one camera",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at("203.0.113.5")}, audit.Channel{ID: "2", Addr: at("203.0.113.5")})},
			want: []string{"camera||203.0.113.5|recorder|R#1, 2|foreign"}},
		{name: "one serial number at two addresses is nobody's",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Name: "花园", Addr: at("203.0.113.5"), Serial: "LAB-00021"},
				audit.Channel{ID: "2", Name: "门", Addr: at("203.0.113.6"), Serial: "LAB-00021"}), found(cam, audit.Identity{Serial: "LAB-00021"})},
			want: []string{"camera||192.0.2.21:80|", "camera|花园|203.0.113.5|recorder|R#1|foreign", "camera|门|203.0.113.6|recorder|R#2|foreign"}},
		{name: "one serial number at one address is one camera with several sensors",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at("203.0.113.5"), Serial: "LAB-00021"}, audit.Channel{ID: "2", Addr: at("203.0.113.5"), Serial: "LAB-00021"})},
			want: []string{"camera||203.0.113.5|recorder|R#1, 2|foreign"}},
		{name: "two recorders with a network of their own each: one address, two cameras",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at("192.168.254.2")}), listing(other, "isapi", "channels", audit.Channel{ID: "1", Addr: at("192.168.254.2")})},
			want: []string{"camera||192.168.254.2|recorder|R#1|foreign", "camera||192.168.254.2|recorder|R2#1|foreign"}},
		{name: "two recorders with one camera",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", MAC: "02:00:00:00:00:21"}), listing(other, "isapi", "channels", audit.Channel{ID: "4", MAC: "02:00:00:00:00:21"})},
			want: []string{"camera|||recorder|R#1"}},
		{name: "two recorders with one serial number at two addresses",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at("203.0.113.5"), Serial: "LAB-00021"}), listing(other, "isapi", "channels", audit.Channel{ID: "4", Addr: at("203.0.113.6"), Serial: "LAB-00021"}),
				listing(other, "isapi", "channels", audit.Channel{ID: "5", Addr: at("203.0.113.5"), Serial: "LAB-00022"})},
			want: []string{"camera||203.0.113.5|recorder|R#1|foreign", "camera||203.0.113.5|recorder|R2#5|foreign", "camera||203.0.113.6|recorder|R2#4|foreign"}},
		{name: "recorders that have each other",
			seen: []audit.Observation{listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at(other)}), listing(other, "isapi", "channels", audit.Channel{ID: "1", Addr: at(nvr)})}},
		{name: "a camera with several sensors has no channels",
			seen: []audit.Observation{{Module: "onvif", Kind: "trt:GetProfiles", Locus: cam, Endpoint: at(cam + ":80"), At: noon, Status: audit.OK,
				Identity: &audit.Identity{Kind: audit.KindCamera}, Behind: []audit.Channel{{ID: "a"}, {ID: "b"}}}},
			want: []string{"camera||192.0.2.21:80|"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			devices, device := Identify(c.seen, c.inventory)
			MarkForeign(devices, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
			names := map[string]string{device[nvr]: "R", device[other]: "R2"}
			var got []string
			for _, d := range devices {
				if d.Kind != audit.KindRecorder {
					got = append(got, line(d, names))
				}
				if d.Via != "" && !d.Inferred && d.Addresses == nil {
					t.Errorf("%+v", d)
				}
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if x := cmp.Diff(c.want, got); x != "" {
				t.Error(x)
			}
		})
	}
}

func TestForeign(t *testing.T) {
	elsewhere := func(module string, foreign bool) audit.Observation {
		o := sighting("198.51.100.7", module, sightingKind, audit.Identity{})
		o.Data = fmt.Appendf(nil, `{"method":%q,"foreign":%v}`, module, foreign)
		return o
	}
	for _, c := range []struct {
		seen []audit.Observation
		want bool
	}{
		{[]audit.Observation{elsewhere("sadp", true)}, true},
		{[]audit.Observation{elsewhere("sadp", true), elsewhere("mdns", false)}, false},
		{[]audit.Observation{elsewhere("sadp", true), sighting("198.51.100.7", "onvif", "k", audit.Identity{})}, false},
	} {
		got, _ := Identify(c.seen, nil)
		if len(got) != 1 || got[0].Foreign != c.want {
			t.Errorf("%+v, want foreign %v", got, c.want)
		}
	}
}

// TestChannelIdentifiers: a channel keeps its name while everything around it changes.
func TestChannelIdentifiers(t *testing.T) {
	id := func(seen ...audit.Observation) string {
		ds, _ := Identify(seen, nil)
		for _, d := range ds {
			if d.Via != "" {
				return d.ID
			}
		}
		t.Fatal("no channel")
		return ""
	}
	mac := audit.Channel{ID: "1", MAC: "02:00:00:00:00:21"}
	moved := mac
	moved.ID = "9"
	if id(listing("192.0.2.10", "dahua", "k", mac)) != id(listing("192.0.2.10", "dahua", "k", moved)) {
		t.Error("a camera with a hardware address has another name on another channel")
	}
	direct, _ := Identify([]audit.Observation{sighting("192.0.2.21", "onvif", "k", audit.Identity{MACs: []string{mac.MAC}})}, nil)
	if id(listing("192.0.2.10", "dahua", "k", mac)) != direct[0].ID {
		t.Error("a camera has another name when it is only its recorder that knows it")
	}
	bare := audit.Channel{ID: "1", Name: "a"}
	renamed := audit.Channel{ID: "1", Name: "b"}
	if id(listing("192.0.2.10", "onvif", "k", bare)) != id(listing("192.0.2.10", "onvif", "k", renamed, audit.Channel{ID: "0"})) {
		// the first device with Via may be the other channel
		ds, _ := Identify([]audit.Observation{listing("192.0.2.10", "onvif", "k", renamed, audit.Channel{ID: "0"})}, nil)
		if !slices.ContainsFunc(ds, func(d audit.Device) bool { return d.ID == id(listing("192.0.2.10", "onvif", "k", bare)) }) {
			t.Error("a channel has another name when the one beside it changes")
		}
	}
}

// TestChannelsKeepWhatWasFound: whatever recorders say, in whatever order, no two devices that were found become one, no channel
// is lost, and every device of a recorder names a recorder that is there.
func TestChannelsKeepWhatWasFound(t *testing.T) {
	macs := rapid.SampledFrom([]string{"", "", "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03", "ff:ff:ff:ff:ff:ff"})
	serials := rapid.SampledFrom([]string{"", "", "LAB-00001", "LAB-00002", "REC-192.0.2.8"})
	places := []string{"192.0.2.1", "192.0.2.2", "192.0.2.8", "192.0.2.9", "203.0.113.5"}
	rapid.Check(t, func(t *rapid.T) {
		var found []audit.Observation
		for _, l := range rapid.SliceOfDistinct(rapid.SampledFrom(places[:2]), rapid.ID).Draw(t, "cameras") {
			id := audit.Identity{Serial: serials.Draw(t, "serial")}
			if m := macs.Draw(t, "mac"); m != "" {
				id.MACs = []string{m}
			}
			found = append(found, sighting(l, "onvif", "k", id))
		}
		told := slices.Clone(found)
		n := 0
		for i := range rapid.IntRange(1, 4).Draw(t, "lists") {
			var behind []audit.Channel
			for range rapid.IntRange(0, 4).Draw(t, "channels") {
				n++
				ch := audit.Channel{ID: fmt.Sprint(n), Name: rapid.SampledFrom([]string{"", "门", "Camera 1"}).Draw(t, "name"), MAC: macs.Draw(t, "mac"), Serial: serials.Draw(t, "serial")}
				if rapid.Bool().Draw(t, "placed") {
					ch.Addr = at(rapid.SampledFrom(places).Draw(t, "addr"))
				}
				if rapid.Bool().Draw(t, "stated") {
					ch.Online = online(rapid.Bool().Draw(t, "online"))
				}
				behind = append(behind, ch)
			}
			o := listing(rapid.SampledFrom(places[2:4]).Draw(t, "recorder"), rapid.SampledFrom([]string{"isapi", "dahua"}).Draw(t, "module"), "k", behind...)
			o.At = o.At.Add(time.Duration(i) * time.Second)
			told = append(told, o)
		}
		before, was := Identify(found, nil)
		a, is := Identify(told, nil)
		b, again := Identify(rapid.Permutation(told).Draw(t, "order"), nil)
		if d := cmp.Diff(a, b) + cmp.Diff(is, again); d != "" {
			t.Fatal(d)
		}
		for _, x := range found {
			for _, y := range found {
				if was[x.Locus] != was[y.Locus] && is[x.Locus] == is[y.Locus] {
					t.Fatalf("%s and %s became one", x.Locus, y.Locus)
				}
			}
		}
		if len(a) < len(before) {
			t.Fatalf("%d devices, %d without recorders", len(a), len(before))
		}
		kinds := map[string]audit.Kind{}
		for _, d := range a {
			if kinds[d.ID] != "" {
				t.Fatalf("two devices are called %s", d.ID)
			}
			kinds[d.ID] = d.Kind
		}
		for _, d := range a {
			if d.Via != "" && (kinds[d.Via] != audit.KindRecorder || d.Channel == "" || !slices.Contains(d.Sources, recorderSource)) {
				t.Fatalf("%+v", d)
			}
			if slices.Contains(d.Sources, recorderSource) != (d.Via != "") {
				t.Fatalf("%+v", d)
			}
			if d.Addresses == nil || d.Loci == nil {
				t.Fatalf("%+v", d)
			}
		}
		c := channelCoverage(a, told, nil)
		if x := cmp.Diff(c, channelCoverage(a, told, c)); x != "" {
			t.Fatalf("said twice: %s", x)
		}
	})
}

func TestChannelCoverage(t *testing.T) {
	const nvr, cam = "192.0.2.10", "192.0.2.21"
	silent := sighting(cam, "onvif", "k", audit.Identity{})
	silent.Status, silent.Identity = audit.Unreachable, nil
	seen := []audit.Observation{silent,
		listing(nvr, "isapi", "channels", audit.Channel{ID: "1", Addr: at(cam)}, audit.Channel{ID: "2", Addr: at("203.0.113.5")}, audit.Channel{ID: "3", Addr: at("192.0.2.99")}),
		listing(nvr, "isapi", "inputs", audit.Channel{ID: "A1", Name: "门"}, audit.Channel{ID: "A2", Online: online(false)})}
	devices, _ := Identify(seen, nil)
	MarkForeign(devices, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
	got := map[audit.CoverageStatus]int{}
	for _, c := range channelCoverage(devices, seen, nil) {
		got[c.Status]++
		if c.Module != recorderSource || c.Detail.ZH == "" || c.Target == "" {
			t.Errorf("%+v", c)
		}
		if c.Status == audit.Tried && !strings.Contains(c.Detail.EN, "lists: 5; with a camera: 3; sockets with nothing on them: 1; not known whether there is a camera: 1") {
			t.Errorf("%+v", c)
		}
	}
	if x := cmp.Diff(map[audit.CoverageStatus]int{audit.Tried: 1, audit.NoAnswer: 1, audit.DeniedByUs: 1, audit.Skipped: 2}, got); x != "" {
		t.Error(x)
	}
	mute := []audit.Observation{listing(nvr, "isapi", "deviceInfo")}
	devices, _ = Identify(mute, nil)
	if got := channelCoverage(devices, mute, nil); len(got) != 1 || got[0].Status != audit.Partial {
		t.Errorf("%+v", got)
	}
}
