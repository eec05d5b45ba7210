package rules

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
)

// genWorld draws a consistent world in which everything is known: what runs is configured, what is configured is possible,
// and nothing runs where the server side is clean and nothing is configured.
func genWorld(t *rapid.T) Input {
	in := shop()
	drop(&in, "device.passive", "device.zone.public", "site.minors", "site.survey.complete", "site.venue.public", "device.zones")
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	say(&in, shopSite, "o-site", audit.ClassDeclaration, "site.minors", flag("minors"), "site.venue.public", flag("public"),
		"site.server_side.attested", flag("attested"), "site.server_side.analyses", flag("server"))
	if flag("surveyed") {
		say(&in, shopSite, "o-survey", audit.ClassInspection, "site.survey.complete", true)
	}
	zones := []string{"Z1"}
	if flag("two zones") {
		zones = append(zones, "Z2")
	}
	say(&in, cam, "o-inv", audit.ClassDeclaration, "device.passive", flag("passive"), "device.zone.public", flag("zone"), "device.zones", zones,
		"device.declared_purposes", []string{rapid.SampledFrom([]string{"public_security", "footfall_stats"}).Draw(t, "purpose")})
	analyse := false
	for _, f := range audit.Functions() {
		rung := rapid.IntRange(0, 3).Draw(t, string(f))
		analyse = analyse || f == audit.Analyse && rung == 3
		say(&in, cam, "o-"+string(f), audit.ClassConfig, audit.FactName(f, audit.Capable), rung > 0, audit.FactName(f, audit.Configured), rung > 1)
		if rung == 3 {
			say(&in, cam, "o-live", audit.ClassLive, audit.FactName(f, audit.Active), true)
		}
	}
	attributes := []string{}
	if analyse {
		attributes = []string{"age", "gender"}
	}
	say(&in, cam, "o-live", audit.ClassLive, "face.attributes.active", attributes, "face.live.messages", 5, "face.live.seconds", 60)
	hosts := []string{}
	if flag("outbound") {
		hosts = rapid.SampledFrom([][]string{{"push https://crm.example:443"}, {"push https://crm.example:443", "face-call http://saas.example"},
			{"push http://192.0.2.9:80"}, {"push http://192.0.2.9:80", "push https://crm.example:443"}, {"push http://nvr:80", "push https://crm.example:443"}}).Draw(t, "hosts")
	}
	out := flag("faces out")
	say(&in, cam, "o-out", audit.ClassOutbound, "outbound.hosts", hosts, "outbound.face", out)
	if out && len(hosts) > 0 {
		say(&in, cam, "o-out", audit.ClassOutbound, factFaceHosts, hosts[:rapid.IntRange(1, len(hosts)).Draw(t, "of those")])
	}
	for i, h := range []string{"crm.example", "saas.example"} {
		if !flag("registered " + h) {
			continue
		}
		since := audit.Moment{T: noon.AddDate(-1, 0, 0)}
		in.Site.Recipients = append(in.Site.Recipients, audit.Recipient{ID: fmt.Sprintf("R-%d", i), DeclaredBy: rapid.SampledFrom([]string{"inspector", "operator"}).Draw(t, "by"),
			Hosts: []string{h}, Name: "某某云", Cameras: []string{"*"}, Since: since, Capacity: rapid.SampledFrom([]string{audit.Entrusted, audit.OtherProcessor}).Draw(t, "capacity"),
			Contract: &audit.Contract{Signed: since, Purposes: []string{"footfall_stats"}}})
	}
	if flag("in force") {
		in.Window = audit.Window{From: day2026, To: day2026}
	}
	say(&in, shopSite, "o-server", audit.ClassDeclaration, factServerStores, flag("stores"))
	texts := []string{"内有监控", goodText, "本店不采集人脸信息。", "本店使用人脸识别技术维护公共安全。"}
	for i := range rapid.IntRange(0, 2).Draw(t, "notices") {
		kind := rapid.SampledFrom([]string{"posted_sign", "web_rules"}).Draw(t, "kind")
		post(&in, audit.Notice{ID: fmt.Sprintf("N-%d", i), Kind: kind, Text: rapid.SampledFrom(texts).Draw(t, "text"), TextPartial: flag("partial")})
		n := &in.Site.Notices[len(in.Site.Notices)-1]
		if flag("unset") {
			n.Location.BeforeCapture = nil
		}
		if flag("both zones") {
			n.Covers.Zones = []string{"Z1", "Z2"}
		}
	}
	if flag("consent") {
		yes, separate := true, flag("separate")
		no := false
		in.Site.Consents = []audit.Consent{{Separate: &separate, Bundled: &no, Conditional: &no, Form: &audit.File{File: "f", SHA256: "00"}}}
		if flag("bundled") {
			in.Site.Consents[0].Bundled = &yes
		}
	}
	if flag("exempt") {
		in.Site.Exemptions = []audit.Exemption{{Item: "5(2)", Zones: []string{"Z1"}}}
		if flag("supported") {
			in.Site.Exemptions[0].Authority = "某市公安局"
			in.Site.Exemptions[0].Document = &audit.File{File: "d", SHA256: "00"}
			in.Site.Exemptions[0].Period = audit.Period{From: audit.Moment{T: noon.AddDate(-1, 0, 0)}}
		}
	}
	return in
}

func outcomesOf(t *rapid.T, in Input) map[string]audit.Finding {
	packs, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	j, err := Judge(packs, in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]audit.Finding{}
	for _, f := range j.Findings {
		out[f.Rule+" "+f.Subject.String()] = f
	}
	return out
}

// TestIgnorance: with any set of facts hidden, no finding says more than with all of them known. What is decided with less
// knowledge is decided the same with more (Kleene's third value, end to end); so hiding a fact never makes anything
// suspected that was not. Rule 5 is about the material produced for a claim, not about the world, and rule 6 about the other
// findings.
func TestIgnorance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := genWorld(t)
		all := outcomesOf(t, in)
		hidden := map[string]bool{}
		less := in
		less.Facts = slices.DeleteFunc(slices.Clone(in.Facts), func(f audit.Fact) bool {
			h, ok := hidden[f.Name]
			if !ok {
				h = rapid.Bool().Draw(t, "hide "+f.Name)
				hidden[f.Name] = h
			}
			return h
		})
		for key, f := range outcomesOf(t, less) {
			g, ok := all[key]
			if f.Rule == "SPC-2021-15/5" || f.Rule == "SPC-2021-15/6" || !ok {
				continue
			}
			if f.Outcome != audit.Undetermined && f.Outcome != g.Outcome {
				t.Fatalf("%s: %s with less knowledge, %s with more (missing %v)\n%s\n%s", key, f.Outcome, g.Outcome, g.Missing, f.Message.EN, g.Message.EN)
			}
			if f.Outcome == audit.Suspected && g.Outcome != audit.Suspected {
				t.Fatalf("%s: hiding facts made it suspected", key)
			}
		}
	})
}

// TestMissing: what is missing is real: a finding that names missing facts is undetermined, and every name is one a reader
// can look up or a claim to be examined.
func TestMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := genWorld(t)
		in.Facts = slices.DeleteFunc(slices.Clone(in.Facts), func(audit.Fact) bool { return rapid.Bool().Draw(t, "hide") })
		specs := specMap(in.Specs, Specs())
		for key, f := range outcomesOf(t, in) {
			if (f.Outcome == audit.Undetermined) != (len(f.Missing) > 0) {
				t.Fatalf("%s: %s, missing %v", key, f.Outcome, f.Missing)
			}
			for _, m := range f.Missing {
				if _, ok := specs[m]; !ok {
					t.Fatalf("%s: missing %s, which nobody declares", key, m)
				}
			}
		}
	})
}

// TestOrder: the order in which facts arrive makes no difference.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := genWorld(t)
		a := outcomesOf(t, in)
		in.Facts = rapid.Permutation(in.Facts).Draw(t, "order")
		for key, f := range outcomesOf(t, in) {
			if a[key].Outcome != f.Outcome || a[key].Fingerprint != f.Fingerprint || a[key].Message != f.Message {
				t.Fatalf("%s differs", key)
			}
		}
	})
}
