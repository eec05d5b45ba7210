package scan

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
)

// TestEstimate holds the estimator to figures worked out by hand: the textbook's 10 marked, 15 caught, 5 of them marked gives
// 28.3 with a variance of 34.9; the exact upper end for lists that agree is the largest N with 1/C(N,n) of at least 2.5 %.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		name         string
		of           lists
		n, low, high float64
		usable       bool
	}{
		{"textbook", lists{10, 15, 5, 20}, 28.3, 22, 73, false}, // 5 are too few, and 73 is more than 25
		{"ten times as many", lists{100, 150, 50, 200}, 298, 261, 363, true},
		{"both found all of seven", lists{7, 7, 7, 7}, 7, 7, 9, true},
		{"both found all of four", lists{4, 4, 4, 4}, 4, 4, 7, true},
		{"both found all of three", lists{3, 3, 3, 3}, 3, 3, 7, false},
		{"both found the one", lists{1, 1, 1, 1}, 1, 1, 39, false},
		{"one list within the other", lists{200, 253, 200, 253}, 253, 253, 255, true},
		{"something only the operator knew of", lists{10, 10, 10, 12}, 12, 12, 12, true},
	} {
		n, low, high := c.of.estimate()
		if n != c.n || low != c.low || high != c.high || c.of.usable() != c.usable {
			t.Errorf("%s: %v (%v to %v), usable %v; want %v (%v to %v), %v", c.name, n, low, high, c.of.usable(), c.n, c.low, c.high, c.usable)
		}
	}
	if (lists{announced: 5, swept: 5, found: 10}).usable() {
		t.Error("an estimate without overlap is shown")
	}
}

// TestEstimateHolds: whatever the lists, the figures are numbers in order, never below what was found, and less overlap never
// means fewer cameras.
func TestEstimateHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := lists{announced: rapid.IntRange(1, 5000).Draw(t, "announced"), swept: rapid.IntRange(1, 5000).Draw(t, "swept")}
		o.both = rapid.IntRange(1, min(o.announced, o.swept)).Draw(t, "both")
		o.found = o.announced + o.swept - o.both + rapid.IntRange(0, 20).Draw(t, "listed only")
		n, low, high := o.estimate()
		for _, x := range []float64{n, low, high} {
			if math.IsNaN(x) || math.IsInf(x, 0) || x < float64(o.found) {
				t.Fatalf("%+v: %v (%v to %v)", o, n, low, high)
			}
		}
		if low > n || n > high {
			t.Fatalf("%+v: %v is not between %v and %v", o, n, low, high)
		}
		if o.both > 1 {
			less := o
			less.both--
			less.found++
			if m, _, _ := less.estimate(); m < n {
				t.Fatalf("%+v: %v, with less overlap %v", o, n, m)
			}
			if o.most() > less.most() {
				t.Fatalf("%+v: at most %v, with less overlap %v", o, o.most(), less.most())
			}
			if less.usable() && !o.usable() {
				t.Fatalf("%+v: more overlap made it useless", o)
			}
		}
	})
}

// TestIntervalCovers looks many times at populations of known size with two ways that miss independently: the interval of the
// estimates that are shown holds the truth as often as it says, and the estimate is right on average.
func TestIntervalCovers(t *testing.T) {
	for _, c := range []struct {
		n    int
		a, b float64
	}{{5, 0.95, 0.95}, {12, 0.9, 0.8}, {50, 0.6, 0.7}, {253, 0.9, 0.95}, {253, 0.3, 0.98}} {
		random := rand.New(rand.NewPCG(1, uint64(c.n)))
		const times = 3000
		shown, held, sum := 0, 0, 0.0
		for range times {
			var o lists
			for range c.n {
				x, y := random.Float64() < c.a, random.Float64() < c.b
				o.announced, o.swept, o.both, o.found = o.announced+b2i(x), o.swept+b2i(y), o.both+b2i(x && y), o.found+b2i(x || y)
			}
			if !o.usable() {
				continue
			}
			n, low, high := o.estimate()
			shown, sum = shown+1, sum+n
			held += b2i(low <= float64(c.n) && float64(c.n) <= high)
		}
		mean, share := sum/float64(shown), float64(held)/float64(shown)
		t.Logf("%d cameras, seen with %.2f and %.2f: shown %.3f, mean %.1f, held %.3f", c.n, c.a, c.b, float64(shown)/times, mean, share)
		if share < 0.93 || math.Abs(mean-float64(c.n)) > 0.03*float64(c.n) {
			t.Errorf("%d cameras, seen with %.2f and %.2f: mean %.1f, held %.3f", c.n, c.a, c.b, mean, share)
		}
	}
}

// ways are the methods of the tests below. "older" is a method this program does not know.
func ways() map[string]discover.Group {
	return groupsOf([]discover.Method{{Name: "inventory", Group: discover.Listed}, {Name: "ws-discovery", Group: discover.Announced},
		{Name: "mdns", Group: discover.Announced}, {Name: "tcp-connect", Group: discover.Swept}})
}

// recallFrom looks at sightings as scan would.
func recallFrom(rec Record, groups map[string]discover.Group) (*audit.Recall, []audit.Fact) {
	devices, device := Identify(rec.Observations, rec.Site.Inventory)
	p := presenceOf(rec, devices, rec.Observations, device)
	r := recallOf(rec, devices, p, groups)
	return r, presenceFacts(rec, rec.Observations, devices, p, r)
}

// cameraAt is a camera met at an address by these methods.
func cameraAt(address string, methods ...string) []audit.Observation {
	out := []audit.Observation{sighting(address, "onvif", "tds:GetDeviceInformation", audit.Identity{Kind: audit.KindCamera})}
	for _, m := range methods {
		out = append(out, sighting(address, m, sightingKind, audit.Identity{}))
	}
	return out
}

func TestRecall(t *testing.T) {
	full := audit.Run{Permit: audit.PermitSample, Complete: true}
	var eight []audit.Observation
	for i := range 8 {
		eight = append(eight, cameraAt(address(i), "ws-discovery", "mdns", "tcp-connect")...)
	}
	poor := slices.Concat(cameraAt(address(1), "ws-discovery"), cameraAt(address(2), "ws-discovery"), cameraAt(address(3), "ws-discovery", "tcp-connect"),
		cameraAt(address(4), "tcp-connect"), cameraAt(address(5), "tcp-connect"))
	uneven := slices.Clone(eight)
	for i := 8; i < 12; i++ {
		uneven = append(uneven, cameraAt(address(i), "ws-discovery")...)
		uneven = append(uneven, cameraAt(address(i+10), "tcp-connect")...)
	}
	counted := &audit.Survey{Cameras: []audit.CameraCount{{Zone: "Z1", Count: 5}}}
	for _, c := range []struct {
		name string
		rec  Record
		want *audit.Recall // without lists and note
		note string
	}{
		{"nothing sent", Record{Run: audit.Run{Permit: audit.PermitListen, Complete: true}, Observations: eight}, nil, ""},
		{"all found both ways", Record{Run: full, Observations: eight},
			&audit.Recall{Found: 8, Announced: 8, Swept: 8, Both: 8, Estimate: 8, Low: 8, High: 9, Usable: true}, "assumes"},
		{"each way missed some", Record{Run: full, Observations: uneven},
			&audit.Recall{Found: 16, Announced: 12, Swept: 12, Both: 8, Estimate: 17.8, Low: 16, High: 29, Usable: true, Missing: 2}, "assumes"},
		{"stopped", Record{Run: audit.Run{Permit: audit.PermitSample}, Observations: eight}, &audit.Recall{Found: 8, Announced: 8, Swept: 8, Both: 8}, "not completed"},
		{"hardly any found twice", Record{Run: full, Observations: poor}, &audit.Recall{Found: 5, Announced: 3, Swept: 3, Both: 1}, "only 1"},
		{"one way only", Record{Run: full, Observations: cameraAt(address(1), "tcp-connect")}, &audit.Recall{Found: 1, Swept: 1}, "No more than one"},
		{"a method nobody knows any more", Record{Run: full, Observations: cameraAt(address(1), "older")}, &audit.Recall{Found: 1}, "No more than one"},
		{"nothing there", Record{Run: full}, &audit.Recall{}, "No camera"},
		{"five counted, three found", Record{Run: full, Site: audit.SiteFile{Survey: counted}, Observations: slices.Concat(cameraAt(address(1), "tcp-connect"), cameraAt(address(2), "tcp-connect"), cameraAt(address(3), "tcp-connect"))},
			&audit.Recall{Found: 3, Swept: 3, Missing: 2}, "No more than one"},
		{"a printer is no camera", Record{Run: full, Observations: []audit.Observation{sighting(address(1), "tcp-connect", sightingKind, audit.Identity{Kind: audit.KindOther})}}, &audit.Recall{}, "No camera"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := recallFrom(c.rec, ways())
			if got == nil || c.want == nil {
				if got != c.want {
					t.Fatalf("%+v", got)
				}
				return
			}
			for _, lang := range []string{"zh", "en"} {
				if got.Note.In(lang) == "" {
					t.Errorf("no note in %s", lang)
				}
			}
			if !contains(got.Note.EN, c.note) || !contains(got.Note.EN, "switched off") {
				t.Errorf("note: %s", got.Note.EN)
			}
			found := 0
			for _, l := range got.Lists {
				found += l.Found
			}
			if got.Found > 0 && found < got.Found {
				t.Errorf("lists %+v", got.Lists)
			}
			got.Lists, got.Note = nil, audit.Text{}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestUncounted: what is found in one zone does not stand for what was counted in another; what has no zone may be anywhere.
func TestUncounted(t *testing.T) {
	count := func(ns ...int) []audit.CameraCount {
		out := []audit.CameraCount{}
		for i, n := range ns {
			out = append(out, audit.CameraCount{Zone: string(rune('A' + i)), Count: n})
		}
		return out
	}
	cam := func(zones ...string) audit.Device { return audit.Device{ID: "d", Kind: audit.KindCamera, Zones: zones} }
	recorder := audit.Device{ID: "d", Kind: audit.KindRecorder}
	foreign := audit.Device{ID: "d", Kind: audit.KindCamera, Foreign: true}
	channel := audit.Device{ID: "ch", Kind: audit.KindCamera, Via: "d"}
	ownNet := audit.Device{ID: "ch", Kind: audit.KindCamera, Via: "d", Foreign: true}
	unmet := audit.Device{ID: "gone", Kind: audit.KindCamera, Zones: []string{"A"}}
	p := presence{answered: map[string]bool{"d": true}, received: map[string]bool{"ch": true}}
	for name, c := range map[string]struct {
		counted []audit.CameraCount
		found   []audit.Device
		want    int
	}{
		"nobody counted":                          {nil, []audit.Device{cam("A")}, 0},
		"all found":                               {count(2), []audit.Device{cam("A"), cam("A")}, 0},
		"more found than counted":                 {count(1), []audit.Device{cam("A"), cam("A")}, 0},
		"one zone over, the other short":          {count(1, 2), []audit.Device{cam("A"), cam("A"), cam("A")}, 2},
		"no zone may be any zone":                 {count(1, 2), []audit.Device{cam(), cam(), cam("A")}, 0},
		"between two zones":                       {count(1, 1), []audit.Device{cam("A", "B")}, 1},
		"a recorder hangs on no wall":             {count(1), []audit.Device{recorder}, 1},
		"a foreign device was not looked at":      {count(1), []audit.Device{foreign}, 1},
		"a channel of a recorder is on a wall":    {count(1), []audit.Device{recorder, channel}, 0},
		"a channel on the recorder's own network": {count(1), []audit.Device{recorder, ownNet}, 0},
		"listed and not found":                    {count(1), []audit.Device{unmet}, 1},
	} {
		if got := uncounted(&audit.Survey{Cameras: c.counted}, c.found, p); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if uncounted(nil, nil, p) != 0 {
		t.Error("no survey counts something")
	}
}
