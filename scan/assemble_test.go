package scan

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/rules"
)

// claim is what an observation of the test's modules holds: facts, by name and key.
type claim struct {
	Fact  string `json:"fact"`
	Key   string `json:"key"`
	Value bool   `json:"value"`
}

// speaker is a module that states what its observations hold.
func speaker(name string, asks ...probe.Question) probe.Module {
	return probe.Module{Name: name, Facts: probe.FaceFacts(), Asks: asks, Derive: func(o audit.Observation) ([]audit.Fact, error) {
		var all []claim
		if len(o.Data) > 0 {
			if err := json.Unmarshal(o.Data, &all); err != nil {
				return nil, err
			}
		}
		var out []audit.Fact
		for _, x := range all {
			out = append(out, audit.NewFact(x.Fact, x.Key, x.Value))
		}
		return out, nil
	}}
}

var device1 = netip.MustParseAddrPort("192.0.2.21:80")

// saying is an answered question of a module, with a login, and what it states.
func saying(module, kind string, facts ...claim) audit.Observation {
	b, err := json.Marshal(facts)
	if err != nil {
		panic(err)
	}
	return audit.Observation{Module: module, Kind: kind, Class: audit.ClassConfig, Endpoint: device1, Locus: "192.0.2.21", At: noon, Auth: "digest",
		Status: audit.OK, Data: b, Identity: &audit.Identity{Vendor: "Acme", Kind: audit.KindCamera, Channels: 1}}
}

func fact(f audit.Function, l audit.Level, key string, v bool) claim {
	return claim{audit.FactName(f, l), key, v}
}

func decides(kind string) probe.Question {
	return probe.Question{Request: "GET " + kind, Kind: kind, Needs: audit.PermitQuery, Login: true, Decides: audit.Functions()}
}

// judged prepares a record and returns its one device.
func judged(t testing.TB, permit audit.Permit, coverage []audit.Coverage, modules []probe.Module, obs ...audit.Observation) (audit.Device, rules.Input) {
	t.Helper()
	in, err := Input(Record{Observations: obs, Coverage: coverage, Run: audit.Run{Permit: permit}}, modules)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Devices) != 1 {
		t.Fatalf("%d devices", len(in.Devices))
	}
	return in.Devices[0], in
}

// TestConflicts: which disagreements leave a function open, and which are none.
func TestConflicts(t *testing.T) {
	modules := []probe.Module{speaker("isapi", decides("a")), speaker("onvif", decides("b"))}
	const id = audit.Identify
	for _, c := range []struct {
		name    string
		isapi   []claim
		onvif   []claim
		want    audit.Level
		dispute bool
	}{
		{"nothing claim", nil, nil, audit.Unknown, false},
		{"one cannot, the other is silent", nil, []claim{fact(id, audit.Capable, "onvif", false)}, audit.Absent, false},
		{"both cannot", []claim{fact(id, audit.Capable, "isapi", false)}, []claim{fact(id, audit.Capable, "onvif", false)}, audit.Absent, false},
		{"one cannot, the other lists it", []claim{fact(id, audit.Capable, "isapi", false)}, []claim{fact(id, audit.Capable, "type FaceDetector", true)}, audit.Unknown, true},
		{"one cannot, the other has it on", []claim{fact(id, audit.Configured, "channel 1", true)}, []claim{fact(id, audit.Capable, "onvif", false)}, audit.Unknown, true},
		{"one cannot, the other was seen doing it", []claim{fact(id, audit.Active, "alertStream", true)}, []claim{fact(id, audit.Capable, "onvif", false)}, audit.Active, true},
		{"a channel off, a rule on: two instances", []claim{fact(id, audit.Configured, "channel 1", false)}, []claim{fact(id, audit.Configured, "rule MyFace", true)}, audit.Configured, false},
		{"a channel on, no rule of ours", []claim{fact(id, audit.Configured, "channel 1", true)}, []claim{fact(id, audit.Configured, "onvif", false)}, audit.Capable, true},
		{"the only channel off, the device as a whole on", []claim{fact(id, audit.Configured, "channel 1", false)}, []claim{fact(id, audit.Configured, "", true)}, audit.Capable, true},
		{"one instance, on and off", []claim{fact(id, audit.Configured, "channel 1", true)}, []claim{fact(id, audit.Configured, "channel 1", false)}, audit.Capable, true},
		{"on outweighs silence about the rungs below", []claim{fact(id, audit.Configured, "channel 1", true)}, nil, audit.Configured, false},
		{"an instance cannot: nothing of the others", []claim{fact(id, audit.Capable, "rule 2", false)}, nil, audit.Unknown, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			obs := []audit.Observation{saying("isapi", "a", c.isapi...), saying("onvif", "b", c.onvif...)}
			d, in := judged(t, audit.PermitSample, nil, modules, obs...)
			got := d.Face[id]
			if got.Level != c.want || (len(got.Dispute) > 0) != c.dispute {
				t.Errorf("%s, dispute %v; want %s, %v", got.Level, got.Dispute, c.want, c.dispute)
			}
			if c.dispute {
				for _, o := range in.Observations {
					if !slices.Contains(got.Dispute, o.ID) || !strings.Contains(got.Note.EN, o.Module+" "+o.Kind) || !strings.Contains(got.Note.ZH, o.ID) {
						t.Errorf("%s is not named: %v %q", o.Module, got.Dispute, got.Note.EN)
					}
				}
			}
			slices.Reverse(obs)
			if again, _ := judged(t, audit.PermitSample, nil, modules, obs...); cmp.Diff(d, again) != "" {
				t.Error("the order of the observations matters:", cmp.Diff(d, again))
			}
		})
	}
}

// TestTwoSpeakersInAnyOrder: whatever two interfaces say, in whatever order, the ladder is the same; it never says absent where
// somebody affirms, and never configured where somebody denies the whole.
func TestTwoSpeakersInAnyOrder(t *testing.T) {
	modules := []probe.Module{speaker("isapi", decides("a")), speaker("onvif", decides("b"))}
	rapid.Check(t, func(rt *rapid.T) {
		var obs []audit.Observation
		var affirmed, denied, seen bool
		for i := range rapid.IntRange(1, 5).Draw(rt, "n") {
			m := rapid.SampledFrom([]string{"isapi", "onvif"}).Draw(rt, "module")
			level := rapid.SampledFrom([]audit.Level{audit.Capable, audit.Configured, audit.Active}).Draw(rt, "level")
			key := rapid.SampledFrom([]string{"", m, "channel 1", "channel 2", "rule"}).Draw(rt, "key")
			v := level == audit.Active || rapid.Bool().Draw(rt, "value")
			affirmed, seen = affirmed || v, seen || level == audit.Active
			denied = denied || !v && (key == "" || key == m)
			o := saying(m, map[string]string{"isapi": "a", "onvif": "b"}[m], fact(audit.Detect, level, key, v))
			o.At = noon.Add(time.Duration(i) * time.Second)
			obs = append(obs, o)
		}
		one, _ := judged(t, audit.PermitSample, nil, modules, obs...)
		two, _ := judged(t, audit.PermitSample, nil, modules, rapid.Permutation(obs).Draw(rt, "order")...)
		if d := cmp.Diff(one.Face, two.Face); d != "" {
			rt.Fatal(d)
		}
		got := one.Face[audit.Detect]
		switch {
		case affirmed && got.Level == audit.Absent:
			rt.Fatalf("absent, although somebody affirms it: %+v", got)
		case seen && got.Level != audit.Active:
			rt.Fatalf("it was seen, and is %s", got.Level)
		case denied && !seen && got.Level == audit.Configured:
			rt.Fatalf("configured, although the whole is denied: %+v", got)
		}
	})
}

// TestDepth: what became of each question that could decide a function, and that absent is never claim of what was not read.
func TestDepth(t *testing.T) {
	cannot := fact(audit.Detect, audit.Capable, "onvif", false)
	list := saying("onvif", "b", cannot)
	answer := func(kind string, s audit.Status, auth string) audit.Observation {
		o := saying("isapi", kind)
		o.Status, o.Auth = s, auth
		return o
	}
	watch := probe.Question{Request: "GET stream", Kind: "GET stream", Needs: audit.PermitSample, Login: true, Decides: audit.Functions()}
	channel := probe.Question{Request: "GET /x/{channel}", Kind: "GET /x/{channel}", Needs: audit.PermitQuery, Login: true, Decides: []audit.Function{audit.Detect}}
	name := probe.Question{Request: "GET name", Kind: "GET name", Needs: audit.PermitQuery}
	onvif, isapi := speaker("onvif", decides("b")), speaker("isapi", name, channel, watch)
	for _, c := range []struct {
		name     string
		permit   audit.Permit
		coverage []audit.Coverage
		obs      []audit.Observation
		want     string // module:list of each question
		level    audit.Level
		unknown  bool
	}{
		{"read with a login", audit.PermitSample, nil, []audit.Observation{list}, "onvif:asked+", audit.Absent, false},
		{"read without one", audit.PermitSample, nil, []audit.Observation{func() audit.Observation { o := list; o.Auth = "none"; return o }()}, "onvif:asked", audit.Unknown, false},
		{"the maker's interface refused", audit.PermitLogin, nil, []audit.Observation{list, answer("GET name", audit.OK, "none"), answer("GET /x/1", audit.Refused, "digest")},
			"onvif:asked+ isapi:refused isapi:skipped", audit.Unknown, false},
		{"a challenge that was answered is no refusal", audit.PermitSample, nil, []audit.Observation{list, answer("GET /x/1", audit.AuthRequired, "none"), answer("GET /x/1", audit.OK, "digest"), answer("GET stream", audit.Empty, "digest")},
			"onvif:asked+ isapi:asked+ isapi:asked+", audit.Absent, false},
		{"a login that was taken by a device that then has no such thing", audit.PermitSample, nil, []audit.Observation{list, answer("GET name", audit.AuthRequired, "none"), answer("GET name", audit.NotSupported, "digest")},
			"onvif:asked+ isapi:moot isapi:moot", audit.Absent, false},
		{"a login that was refused before it came to that", audit.PermitSample, nil, []audit.Observation{list, answer("GET name", audit.AuthRequired, "none"), answer("GET name", audit.NotSupported, "none"), answer("GET stream", audit.Refused, "digest")},
			"onvif:asked+ isapi:refused isapi:skipped", audit.Unknown, false},
		{"one channel of two refused", audit.PermitSample, nil, []audit.Observation{list, answer("GET /x/1", audit.OK, "digest"), answer("GET /x/2", audit.Refused, "digest")},
			"onvif:asked+ isapi:asked+ isapi:refused isapi:moot", audit.Unknown, false},
		{"lost on the way", audit.PermitSample, nil, []audit.Observation{list, answer("GET /x/1", audit.Timeout, "digest"), answer("GET name", audit.OK, "none")},
			"onvif:asked+ isapi:failed isapi:skipped", audit.Unknown, false},
		{"no login at hand", audit.PermitSample, nil, []audit.Observation{list, answer("GET name", audit.OK, "none")}, "onvif:asked+ isapi:skipped isapi:skipped", audit.Unknown, false},
		{"watching is no want", audit.PermitLogin, nil, []audit.Observation{list, answer("GET /x/1", audit.OK, "digest")}, "onvif:asked+ isapi:asked+ isapi:skipped", audit.Absent, false},
		{"kept from asking", audit.PermitQuery, []audit.Coverage{{Target: "192.0.2.21:80", Module: "isapi", Status: audit.Skipped, Detail: audit.Text{EN: "budget"}}}, []audit.Observation{list},
			"onvif:asked+ isapi:skipped isapi:skipped", audit.Unknown, false},
		{"another device was kept from being asked", audit.PermitQuery, []audit.Coverage{{Target: "192.0.2.210:80", Module: "isapi", Status: audit.Skipped}}, []audit.Observation{list},
			"onvif:asked+", audit.Absent, false},
		{"it does not speak the maker's interface", audit.PermitSample, nil, []audit.Observation{list, answer("GET name", audit.NotSupported, "none")}, "onvif:asked+", audit.Absent, false},
		{"nobody knows how to ask", audit.PermitSample, nil, []audit.Observation{answer("GET other", audit.NotSupported, "none")}, "", audit.Unknown, true},
		{"nothing answered", audit.PermitSample, nil, []audit.Observation{answer("GET name", audit.Timeout, "none")}, "", audit.Unknown, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := judged(t, c.permit, c.coverage, []probe.Module{onvif, isapi}, c.obs...)
			l := d.Looked[slices.IndexFunc(d.Looked, func(l audit.Looked) bool { return l.Function == audit.Detect })]
			var got []string
			for _, m := range []string{"onvif", "isapi"} {
				for _, x := range []struct {
					name string
					list []audit.Question
				}{{"asked", l.Asked}, {"refused", l.Refused}, {"failed", l.Failed}, {"skipped", l.Skipped}} {
					for _, q := range x.list {
						if q.Module != m {
							continue
						}
						s := m + ":" + x.name
						switch {
						case q.Moot:
							s = m + ":moot"
						case q.Login:
							s += "+"
						}
						if x.name != "asked" && q.Why.IsZero() && s != "isapi:skipped" {
							t.Errorf("%s %s without a reason", s, q.Request)
						}
						got = append(got, s)
					}
				}
			}
			if s := strings.Join(got, " "); s != c.want || l.Unknown != c.unknown {
				t.Errorf("%q, unknown %v; want %q, %v", s, l.Unknown, c.want, c.unknown)
			}
			if f := d.Face[audit.Detect]; f.Level != c.level {
				t.Errorf("%s, want %s", f.Level, c.level)
			}
		})
	}
}

// TestRefusedForAll: a login that one module was refused is no login that was not to be had for another.
func TestRefusedForAll(t *testing.T) {
	onvif, isapi := speaker("onvif", decides("b")), speaker("isapi", decides("a"))
	shown, open := saying("onvif", "b"), saying("isapi", "who")
	shown.Status, open.Status, open.Auth = audit.Refused, audit.AuthRequired, "none"
	for _, c := range []struct {
		seen []audit.Observation
		want string
	}{{[]audit.Observation{shown, open}, "scan.looked.refused"}, {[]audit.Observation{open}, "scan.looked.login"}} {
		d, _ := judged(t, audit.PermitLogin, nil, []probe.Module{onvif, isapi}, c.seen...)
		for _, q := range d.Looked[0].Skipped {
			if q.Module == "isapi" && q.Why != msg.Text(c.want) {
				t.Errorf("%s, want %s", q.Why.EN, msg.Text(c.want).EN)
			}
		}
		if len(d.Looked[0].Skipped) == 0 {
			t.Errorf("%s: nothing was skipped", c.want)
		}
	}
}

// TestElsewhere: the list of an interface through which the maker does not configure faces clears nothing.
func TestElsewhere(t *testing.T) {
	m := speaker("onvif", decides("b"))
	m.Elsewhere = func(vendor string) bool { return vendor == "Acme" }
	isapi := speaker("isapi", decides("a"))
	both, _ := judged(t, audit.PermitSample, nil, []probe.Module{m, isapi}, saying("onvif", "b", fact(audit.Detect, audit.Configured, "onvif", false)),
		saying("isapi", "a", fact(audit.Detect, audit.Configured, "channel 1", true)))
	if f := both.Face[audit.Detect]; f.Level != audit.Configured || len(f.Dispute) > 0 {
		t.Errorf("no rule of its own contradicts what the maker's interface has on: %+v", f)
	}
	d, _ := judged(t, audit.PermitSample, nil, []probe.Module{m}, saying("onvif", "b", fact(audit.Detect, audit.Capable, "onvif", false)))
	if l := d.Looked[0]; !l.Unknown || len(l.Asked) != 1 || l.InFull() || d.Face[audit.Detect].Level != audit.Unknown {
		t.Errorf("%+v, %s", l, d.Face[audit.Detect].Level)
	}
}

// TestRulesSeeDoubt: what was not read in full clears nothing in the facts that rules see either.
func TestRulesSeeDoubt(t *testing.T) {
	isapi := speaker("isapi", decides("GET /{channel}"))
	off := saying("isapi", "GET /1", fact(audit.Detect, audit.Configured, "channel 1", false))
	refused := saying("isapi", "GET /2")
	refused.Status = audit.Refused
	for want, obs := range map[bool][]audit.Observation{true: {off}, false: {off, refused}} {
		_, in := judged(t, audit.PermitSample, nil, []probe.Module{isapi}, obs...)
		specs := map[string]audit.FactSpec{}
		for _, s := range in.Specs {
			specs[s.Name] = s
		}
		folded, err := audit.Fold(in.Facts, specs)
		if err != nil {
			t.Fatal(err)
		}
		got := folded[audit.Subject{Kind: audit.SubjectDevice, ID: in.Devices[0].ID}][audit.FactName(audit.Detect, audit.Configured)]
		if got.Known != want {
			t.Errorf("with %d answers it is known: %v", len(obs), got.Known)
		}
	}
}

// TestModels: a model's name shows at most that a device could, marked as inferred; it overrules nothing a device says, and it
// clears nothing.
func TestModels(t *testing.T) {
	onvif := speaker("onvif", decides("b"))
	terminal := func(facts ...claim) audit.Observation {
		o := saying("onvif", "b", facts...)
		o.Identity = &audit.Identity{Vendor: "HIKVISION", Model: "DS-K1T344MX", Kind: audit.KindTerminal, Channels: 1}
		return o
	}
	for _, c := range []struct {
		name     string
		facts    []claim
		want     audit.Level
		inferred bool
	}{
		{"nothing said", nil, audit.Capable, true},
		{"the device says so", []claim{fact(audit.Verify, audit.Capable, "reader", true)}, audit.Capable, false},
		{"the device says no, and everything was read", []claim{fact(audit.Verify, audit.Capable, "onvif", false)}, audit.Absent, false},
		{"it is on", []claim{fact(audit.Verify, audit.Configured, "channel 1", true)}, audit.Configured, false},
	} {
		d, _ := judged(t, audit.PermitSample, nil, []probe.Module{onvif}, terminal(c.facts...))
		got := d.Face[audit.Verify]
		if got.Level != c.want || got.Inferred != c.inferred || len(got.Dispute) > 0 || c.inferred && (got.Note.IsZero() || len(got.Because) == 0) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if a := d.Face[audit.Analyse]; a.Level != audit.Unknown {
			t.Errorf("%s: analyse is %s", c.name, a.Level)
		}
	}
	other := terminal()
	other.Identity.Model = "DS-K1T804BF"
	if d, _ := judged(t, audit.PermitSample, nil, []probe.Module{onvif}, other); d.Face[audit.Verify].Level != audit.Unknown {
		t.Error("a fingerprint terminal is taken for a face terminal")
	}
}

// TestOutboundIsNamed: whose host a receiver is, and whether it is inside.
func TestOutboundIsNamed(t *testing.T) {
	data, err := dataOf(Record{})
	if err != nil {
		t.Fatal(err)
	}
	inside := netip.MustParsePrefix("192.0.2.0/24")
	for in, want := range map[string]audit.Outbound{
		"mqtt-events mqtts://broker.api-cn.faceplusplus.com:8883": {What: "mqtt-events", Host: "mqtts://broker.api-cn.faceplusplus.com:8883", Whose: "Megvii Face++"},
		"http-host apiieu.hik-connect.com:443":                    {What: "http-host", Host: "apiieu.hik-connect.com:443", Whose: "Hikvision"},
		"http-host http://192.0.2.9:8080":                         {What: "http-host", Host: "http://192.0.2.9:8080", Inside: true},
		"ftp 192.0.2.9:21":                                        {What: "ftp", Host: "192.0.2.9:21", Inside: true},
		"ftp example.org":                                         {What: "ftp", Host: "example.org"},
	} {
		facts := map[string]audit.Folded{probe.FactOutboundHosts: {Known: true, Value: audit.Value{V: []string{in}}}}
		got := outboundOf(facts, func(a netip.Addr) bool { return inside.Contains(a) }, data)
		if len(got) != 1 || (want.Whose != "") != !got[0].Means.IsZero() {
			t.Fatalf("%s: %+v", in, got)
		}
		got[0].Means = audit.Text{}
		if d := cmp.Diff(want, got[0]); d != "" {
			t.Errorf("%s: %s", in, d)
		}
	}
}
