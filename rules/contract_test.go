package rules

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// verdicts are words the tool must never use for what it found: courts and authorities decide.
var (
	verdictsZH = []string{"违法", "侵权成立", "构成侵权", "应处罚", "应当处罚", "应予处罚", "违规", "非法", "不存在公示", "没有张贴", "认定为"}
	verdictsEN = regexp.MustCompile(`(?i)\b(illegal\w*|unlawful\w*|violat\w*|covert\w*|guilty|punish\w*|infring(?:es|ed|ing)|breached|auditor|read-only)\b`)
)

// disclaimers are the sentences in which such words say that others decide.
var disclaimers = []string{"是否构成侵权或者违法，由人民法院或者有权机关依法认定"}

func checkWording(t *testing.T, where string, text audit.Text) {
	t.Helper()
	zh := text.ZH
	for _, d := range disclaimers {
		zh = strings.ReplaceAll(zh, d, "")
	}
	for _, w := range verdictsZH {
		if strings.Contains(zh, w) {
			t.Errorf("%s says %q: %s", where, w, text.ZH)
		}
	}
	if w := verdictsEN.FindString(text.EN); w != "" {
		t.Errorf("%s says %q: %s", where, w, text.EN)
	}
	if strings.ContainsAny(text.ZH+text.EN, "{}%") {
		t.Errorf("%s has an unfilled placeholder: %s / %s", where, text.ZH, text.EN)
	}
}

// TestWording holds the wording contract for every text of the packs and every message they produced in any of the cases
// and scenes of these tests.
func TestWording(t *testing.T) {
	for _, p := range builtinPacks(t) {
		for _, r := range p.rules {
			for _, x := range []audit.Text{r.Title, r.Provision, r.Quote, r.Remediation, r.None, r.Applies.Else, r.Applies.Text, r.Suspected.Text, r.Conforms.Text} {
				checkWording(t, r.id, audit.Text{ZH: placeholder.ReplaceAllString(x.ZH, ""), EN: placeholder.ReplaceAllString(x.EN, "")})
			}
			for _, f := range r.Facts {
				checkWording(t, r.id, audit.Text{ZH: placeholder.ReplaceAllString(f.ZH, ""), EN: placeholder.ReplaceAllString(f.EN, "")})
			}
		}
		for _, d := range p.defines {
			checkWording(t, d.name, d.text)
		}
	}
	for _, id := range msg.IDs() {
		if strings.HasPrefix(id, "rule.") {
			x := msg.Text(id)
			strip := regexp.MustCompile(`%\[\d\][sd]`)
			checkWording(t, id, audit.Text{ZH: strip.ReplaceAllString(x.ZH, ""), EN: strip.ReplaceAllString(x.EN, "")})
		}
	}
	seen := map[audit.Outcome]int{}
	for _, in := range scenes() {
		j := judge(t, in)
		for _, f := range j.Findings {
			checkWording(t, f.Rule, f.Message)
			checkWording(t, f.Rule, f.Remediation)
			seen[f.Outcome]++
			if f.Message.ZH == "" || f.Message.EN == "" {
				t.Errorf("%s on %s has no message", f.Rule, f.Subject)
			}
			if f.Outcome == audit.Undetermined && len(f.Missing) == 0 {
				t.Errorf("%s on %s is undetermined and nothing is missing", f.Rule, f.Subject)
			}
			if f.Outcome == audit.Suspected && (!strings.Contains(f.Message.ZH, "认定") || !strings.Contains(f.Message.EN, "court or competent authority")) {
				t.Errorf("%s does not say who decides: %s", f.Rule, f.Message.ZH)
			}
			if len(f.Requests) != len(f.Missing) || f.Fingerprint == "" || f.Severity.Rank() < 0 || f.Confidence == "" {
				t.Errorf("%s on %s is incomplete: %+v", f.Rule, f.Subject, f)
			}
			if !slices.IsSorted(f.Missing) || !slices.IsSorted(f.Because) || !slices.IsSorted(f.Gaps) || !slices.IsSorted(f.Zones) {
				t.Errorf("%s on %s has unsorted lists", f.Rule, f.Subject)
			}
		}
	}
	for _, o := range outcomes {
		if seen[o] == 0 {
			t.Errorf("no scene came to %s", o)
		}
	}
}

// scenes are inputs of some variety, for tests that hold for any.
func scenes() []Input {
	var out []Input
	add := func(build func(*Input)) {
		in := shop()
		build(&in)
		out = append(out, in)
	}
	add(func(*Input) {})
	add(analysing)
	add(func(in *Input) { analysing(in); post(in, audit.Notice{Text: "内有监控"}) })
	add(func(in *Input) { analysing(in); post(in, audit.Notice{Text: goodText}) })
	add(func(in *Input) { analysing(in); post(in, audit.Notice{Kind: "web_rules", Text: goodText}) })
	add(func(in *Input) {
		analysing(in)
		post(in, audit.Notice{ID: "N-2", Text: goodText, TextPartial: true})
		post(in, audit.Notice{ID: "N-1", Text: "本店不采集人脸信息"})
		in.Site.Exemptions = []audit.Exemption{{Item: "5(2)"}, {Item: "第五条第（四）项", Zones: []string{"Z1"}}}
		in.Devices = append(in.Devices, audit.Device{ID: "dev-2", Kind: audit.KindRecorder}, audit.Device{ID: "dev-3", Kind: audit.KindOther})
	})
	add(func(in *Input) {
		analysing(in)
		say(in, cam, "o-out", audit.ClassOutbound, "outbound.hosts", []string{"mqtt-events mqtt://192.0.2.9:1883", "push https://crm.example"}, "outbound.face", true)
		post(in, audit.Notice{Text: goodText, Purposes: []string{"public_security"}, Methods: []string{"video_recording"}, Scope: audit.NoticeScope{Recipients: []string{"某某科技有限公司"}}})
		no := false
		in.Site.Consents = []audit.Consent{{Separate: &no}}
	})
	add(func(in *Input) {
		for _, f := range audit.Functions() {
			say(in, cam, "o-conf", audit.ClassConfig, audit.FactName(f, audit.Configured), false)
		}
		say(in, shopSite, "o-server", audit.ClassDeclaration, "site.server_side.attested", true, "site.server_side.analyses", false)
	})
	add(func(in *Input) { analysing(in); drop(in, "site.jurisdiction", "site.processor.kind", "device.zones") })
	return out
}

// TestSameBytes: the order of facts, devices, notices and packs makes no difference, nor does judging what was judged.
func TestSameBytes(t *testing.T) {
	for i, in := range scenes() {
		j := judge(t, in)
		first, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		turned := in
		turned.Facts, turned.Devices, turned.Observations = slices.Clone(in.Facts), slices.Clone(in.Devices), slices.Clone(in.Observations)
		slices.Reverse(turned.Facts)
		slices.Reverse(turned.Devices)
		slices.Reverse(turned.Observations)
		turned.Site.Notices = slices.Clone(in.Site.Notices)
		slices.Reverse(turned.Site.Notices)
		turned.Facts = append(turned.Facts, j.Facts...)
		turned.Specs = append(slices.Clone(in.Specs), j.Specs...)
		again, err := json.Marshal(judge(t, turned))
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(again) {
			t.Errorf("scene %d: another order gives other bytes", i)
		}
		if !slices.IsSortedFunc(j.Findings, audit.CompareFindings) || !slices.IsSortedFunc(j.Facts, audit.CompareFacts) {
			t.Errorf("scene %d: not sorted", i)
		}
	}
}

// TestStated: every fact the judgement states is declared, has the declared type, and folds.
func TestStated(t *testing.T) {
	for i, in := range scenes() {
		j := judge(t, in)
		if _, err := audit.Fold(append(slices.Clone(in.Facts), j.Facts...), specMap(in.Specs, j.Specs)); err != nil {
			t.Errorf("scene %d: %v", i, err)
		}
		for _, f := range j.Facts {
			if spec := specMap(j.Specs)[f.Name]; !fits(spec.Type, f.Value.V) {
				t.Errorf("scene %d: %s holds %T, declared %s", i, f.Name, f.Value.V, spec.Type)
			}
		}
	}
}

func TestJudgeRefuses(t *testing.T) {
	in := shop()
	say(&in, cam, "o", audit.ClassLive, "nobody.declared.this", true)
	if _, err := Judge(builtinPacks(t), in); err == nil || !strings.Contains(err.Error(), "nobody.declared.this") {
		t.Errorf("an undeclared fact: %v", err)
	}
	in = shop()
	for i := range in.Specs {
		if in.Specs[i].Name == "device.zones" {
			in.Specs[i].Type = audit.String
		}
	}
	if _, err := Judge(builtinPacks(t), in); err == nil || !strings.Contains(err.Error(), "device.zones") {
		t.Errorf("a fact of another type: %v", err)
	}
}
