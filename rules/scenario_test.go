package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// want is what one rule has to come to. Empty fields are not looked at.
type want struct {
	rule     string
	outcome  audit.Outcome
	severity audit.Severity
	missing  []string // among others
	gaps     []string // among others
}

// TestScenarios holds the scenarios S01–S07 of the project's legal basis, at the level of rules.
func TestScenarios(t *testing.T) {
	cases := []struct {
		name  string
		build func(in *Input)
		want  []want
	}{
		{"S01 attributes analysed at the entrance, nobody told", analysing, []want{
			{rule: "COVERT", outcome: audit.Suspected, severity: audit.Critical, gaps: []string{"none"}},
			{rule: "2.1", outcome: audit.Suspected, severity: audit.Critical, gaps: []string{"notice"}},
			{rule: "2.2", outcome: audit.Suspected, severity: audit.High, gaps: []string{"none"}},
			{rule: "2.2-T", outcome: audit.NotApplicable},
			{rule: "2.4", outcome: audit.NotApplicable},
			{rule: "5", outcome: audit.NotApplicable},
			{rule: "0.1", outcome: audit.Conforms},
			{rule: "6", outcome: audit.Conforms},
		}},
		{"S02 the same before the first day", func(in *Input) {
			analysing(in)
			in.Window = audit.Window{From: time.Date(2021, 3, 15, 4, 0, 0, 0, time.UTC), To: time.Date(2021, 3, 15, 5, 0, 0, 0, time.UTC)}
		}, []want{{rule: "*", outcome: audit.NotApplicable}}},
		{"S02 by the date of application", func(in *Input) {
			analysing(in)
			in.AsOf = time.Date(2021, 3, 15, 4, 0, 0, 0, time.UTC)
		}, []want{{rule: "*", outcome: audit.NotApplicable}}},
		{"S03 capable, not configured, server side attested", func(in *Input) {
			say(in, cam, "o-cap", audit.ClassCapability, "face.detect.capable", true, "face.analyse.capable", true)
			say(in, cam, "o-conf", audit.ClassConfig, "face.enumerated", true)
			for _, f := range audit.Functions() {
				say(in, cam, "o-conf", audit.ClassConfig, audit.FactName(f, audit.Configured), false)
			}
			say(in, shopSite, "o-server", audit.ClassDeclaration, "site.server_side.attested", true, "site.server_side.analyses", false)
		}, []want{
			{rule: "2.1", outcome: audit.Conforms}, {rule: "2.2", outcome: audit.Conforms}, {rule: "COVERT", outcome: audit.Conforms},
		}},
		{"S03 without the server side", func(in *Input) {
			for _, f := range audit.Functions() {
				say(in, cam, "o-conf", audit.ClassConfig, audit.FactName(f, audit.Configured), false)
			}
		}, []want{
			{rule: "2.1", outcome: audit.Undetermined, missing: []string{"site.server_side.attested"}},
			{rule: "2.2", outcome: audit.Undetermined, missing: []string{"site.server_side.attested"}},
			{rule: "COVERT", outcome: audit.Undetermined},
		}},
		{"S04 configured, nothing seen at night", func(in *Input) {
			say(in, cam, "o-conf", audit.ClassConfig, "face.detect.configured", true, "face.analyse.configured", true)
			say(in, cam, "o-live", audit.ClassLive, "face.live.messages", 0, "face.live.seconds", 600)
		}, []want{
			{rule: "2.1", outcome: audit.Undetermined, severity: audit.Critical, missing: []string{"face.analyse.active", "site.server_side.attested"}},
			{rule: "2.2", outcome: audit.Undetermined}, {rule: "COVERT", outcome: audit.Undetermined, severity: audit.Critical},
		}},
		{"S05 a sign about video only", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "您已进入视频监控区域"})
		}, []want{
			{rule: "2.2", outcome: audit.Suspected, gaps: []string{"N1", "N2", "N3"}},
			{rule: "2.4", outcome: audit.Suspected, gaps: []string{"method:attribute_analysis", "data:age", "data:gender"}},
			{rule: "2.2-T", outcome: audit.Suspected, gaps: []string{"N1", "N2", "N3", "N11"}},
			{rule: "COVERT", outcome: audit.Suspected, gaps: []string{"N1"}},
			{rule: "2.1", outcome: audit.Suspected, severity: audit.Critical},
		}},
		{"S06 stated for public security, attributes to a retail service", func(in *Input) {
			analysing(in)
			say(in, cam, "o-conf", audit.ClassOutbound, "outbound.hosts", []string{"http-events https://saas.retail.example:443"}, "outbound.face", true)
			post(in, audit.Notice{Text: "为维护公共安全，本店公共区域设有视频监控录像。", Purposes: []string{"public_security"}, Methods: []string{"video_recording"}})
			in.Site.Exemptions = []audit.Exemption{{ID: "E1", Item: "5(2)", ClaimedBy: "operator"}}
		}, []want{
			{rule: "2.4", outcome: audit.Suspected, severity: audit.High, gaps: []string{"method:attribute_analysis", "recipient:saas.retail.example"}},
			{rule: "5", outcome: audit.Suspected, severity: audit.Info, gaps: []string{"contradicted"}},
			{rule: "2.2", outcome: audit.Suspected},
		}},
		{"S07 a good notice, consent not shown", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Kind: "counter_card", Text: goodText})
		}, []want{
			{rule: "2.2", outcome: audit.Conforms}, {rule: "2.2-T", outcome: audit.Conforms}, {rule: "COVERT", outcome: audit.Conforms},
			{rule: "2.1", outcome: audit.Undetermined, missing: []string{"consent.separate"}},
			{rule: "6", outcome: audit.Undetermined, missing: []string{"consent.separate"}},
		}},
		{"S10 admitted, nothing on the wire", func(in *Input) {
			say(in, cam, "o-decl", audit.ClassInspection, "declared.runs", []string{"identify"}, "declared.attributes", []string{"gender"})
		}, []want{
			{rule: "COVERT", outcome: audit.Suspected, severity: audit.Critical}, {rule: "2.1", outcome: audit.Suspected}, {rule: "2.2", outcome: audit.Suspected},
		}},
		{"S20 public security with a document", func(in *Input) {
			say(in, cam, "o-live", audit.ClassLive, "face.identify.active", true, "face.live.messages", 9, "face.live.seconds", 60)
			in.Site.Exemptions = []audit.Exemption{{Item: "5(2)", Authority: "某市公安局", Document: &audit.File{File: "a.pdf", SHA256: "00"},
				Period: audit.Period{From: audit.Moment{T: noon.AddDate(-1, 0, 0)}}}}
		}, []want{
			{rule: "2.1", outcome: audit.Undetermined, missing: []string{"exemption"}}, {rule: "5", outcome: audit.Conforms},
		}},
		{"S24 a measure that ended", func(in *Input) {
			analysing(in)
			in.Site.Exemptions = []audit.Exemption{{ID: "E1", Item: "5(1)", Authority: "某区疾控", Document: &audit.File{File: "a.pdf", SHA256: "00"},
				Period: audit.Period{From: audit.Moment{T: noon.AddDate(-2, 0, 0)}, To: audit.Moment{T: noon.AddDate(-1, 0, 0)}}}}
		}, []want{{rule: "5", outcome: audit.Undetermined, missing: []string{"exemption.period"}}, {rule: "2.1", outcome: audit.Suspected}}},
		{"no survey", func(in *Input) {
			analysing(in)
			in.Site.Survey = nil
			drop(in, "site.survey.complete", "site.survey.entrances", "site.survey.zones", "site.survey.online")
		}, []want{
			{rule: "2.2", outcome: audit.Undetermined, missing: []string{"site.survey.complete"}},
			{rule: "COVERT", outcome: audit.Undetermined, missing: []string{"site.survey.complete"}},
		}},
		{"a survey that left the zone out", func(in *Input) {
			analysing(in)
			in.Site.Survey.Walked = audit.Walked{Zones: []string{"Z7"}}
		}, []want{{rule: "2.2", outcome: audit.Undetermined, missing: []string{"notice.state"}}}},
		{"a sign after the capture", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: goodText})
			no := false
			in.Site.Notices[0].Location.BeforeCapture = &no
		}, []want{{rule: "2.2", outcome: audit.Suspected, gaps: []string{"none"}}}},
		{"nobody recorded whether the sign is before the capture", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: goodText})
			in.Site.Notices[0].Location.BeforeCapture = nil
		}, []want{{rule: "2.2", outcome: audit.Undetermined, missing: []string{"notice.confirmed"}}}},
		{"rules on the web only", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Kind: "web_rules", Text: goodText})
		}, []want{{rule: "2.2", outcome: audit.Suspected, severity: audit.Medium, gaps: []string{"offsite_only"}},
			{rule: "COVERT", outcome: audit.Undetermined, missing: []string{"notice.offsite_shown"}}}},
		{"a denial at odds with the camera", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "本店不采集人脸信息。"})
		}, []want{{rule: "2.4", outcome: audit.Suspected, gaps: []string{"method:attribute_analysis"}}}},
		{"detection alone", func(in *Input) {
			say(in, cam, "o-live", audit.ClassLive, "face.detect.active", true, "face.live.messages", 3, "face.live.seconds", 60)
		}, []want{{rule: "2.2", outcome: audit.Suspected, severity: audit.Medium}, {rule: "2.1", outcome: audit.Undetermined},
			{rule: "COVERT", outcome: audit.Undetermined}}},
		{"machine-read text nobody confirmed", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "内有监控", OCR: &audit.OCR{Tool: "tesseract"}})
		}, []want{{rule: "2.2", outcome: audit.Undetermined, missing: []string{"notice.says.face"}}}},
		{"two observations disagree", func(in *Input) {
			analysing(in)
			drop(in, "face.analyse.active", "face.detect.active")
			say(in, cam, "o-a", audit.ClassLive, "face.analyse.active", true)
			say(in, cam, "o-b", audit.ClassLive, "face.analyse.active", false)
		}, []want{{rule: "2.1", outcome: audit.Undetermined, missing: []string{"face.analyse.active"}}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := shop()
			c.build(&in)
			j := judge(t, in)
			for _, w := range c.want {
				for _, f := range j.Findings {
					if w.rule != "*" && f.Rule != "SPC-2021-15/"+w.rule {
						continue
					}
					if f.Outcome != w.outcome || w.severity != "" && f.Severity != w.severity {
						t.Errorf("%s on %s: %s %s, want %s %s\nmissing %v\n%s\n%s", f.Rule, f.Subject, f.Outcome, f.Severity, w.outcome, w.severity, f.Missing, f.Message.ZH, f.Message.EN)
					}
					for _, m := range w.missing {
						if !slices.Contains(f.Missing, m) {
							t.Errorf("%s: missing %v, want %s among them", f.Rule, f.Missing, m)
						}
					}
					for _, g := range w.gaps {
						if !slices.Contains(f.Gaps, g) {
							t.Errorf("%s: gaps %v, want %s among them", f.Rule, f.Gaps, g)
						}
					}
				}
				if w.rule != "*" {
					find(t, j, w.rule)
				}
			}
			if testing.Verbose() {
				for _, f := range j.Findings {
					t.Logf("%s %s %s %s %s because %v missing %v\n  %s\n  %s", f.Rule, f.Subject, f.Outcome, f.Severity, f.Confidence, f.Because, f.Missing, f.Message.ZH, f.Message.EN)
				}
			}
		})
	}
}

// TestDispute: where observations disagree, the finding names both.
func TestDispute(t *testing.T) {
	in := shop()
	say(&in, cam, "o-a", audit.ClassLive, "face.analyse.active", true)
	say(&in, cam, "o-b", audit.ClassConfig, "face.analyse.active", false)
	in.Observations = append(in.Observations, audit.Observation{ID: "o-a", Module: "onvif", Kind: "GetProfiles"})
	f := find(t, judge(t, in), "2.1")
	if f.Outcome != audit.Undetermined || !slices.Equal(f.Dispute, []string{"o-a", "o-b"}) || !strings.Contains(f.Message.EN, "“doc of face.analyse.active”: onvif GetProfiles (o-a) says yes, o-b says no") {
		t.Errorf("%s, dispute %v: %s", f.Outcome, f.Dispute, f.Message.EN)
	}
}

// TestJurisdiction: a region of China is under the law of China; nothing else is.
func TestJurisdiction(t *testing.T) {
	for region, want := range map[string]audit.Outcome{"CN": audit.Suspected, "CN-3301": audit.Suspected, "EU": audit.NotApplicable, "CNX": audit.NotApplicable} {
		in := shop()
		analysing(&in)
		drop(&in, "site.jurisdiction")
		say(&in, shopSite, "o-site", audit.ClassDeclaration, "site.jurisdiction", []string{region})
		if f := find(t, judge(t, in), "2.2"); f.Outcome != want {
			t.Errorf("%s: %s, want %s", region, f.Outcome, want)
		}
	}
}

// TestBoundaries: the first day begins at midnight in China; conduct that straddles it is judged for the later part.
func TestBoundaries(t *testing.T) {
	first := time.Date(2021, 7, 31, 16, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from, to time.Time
		want     audit.Outcome
	}{
		{first.Add(-time.Hour), first.Add(-time.Second), audit.NotApplicable},
		{first.Add(-time.Hour), first, audit.Suspected},
		{first, first.Add(time.Hour), audit.Suspected},
		{time.Time{}, first.Add(-time.Second), audit.NotApplicable},
	} {
		in := shop()
		analysing(&in)
		in.Window = audit.Window{From: c.from, To: c.to}
		if f := find(t, judge(t, in), "2.2"); f.Outcome != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, f.Outcome, c.want)
		}
	}
}
