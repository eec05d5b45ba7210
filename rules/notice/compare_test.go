package notice

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

var seen = time.Date(2026, 3, 10, 3, 0, 0, 0, time.UTC)

// sign is a notice an inspector recorded in zone Z1, before capture.
func sign(id, text string, change ...func(*audit.Notice)) Reading {
	yes := true
	n := audit.Notice{ID: id, Kind: "posted_sign", Status: "present", DeclaredBy: "inspector", Text: text,
		Location: audit.NoticeLocation{Zone: "Z1", BeforeCapture: &yes}, Covers: audit.Covers{Zones: []string{"Z1"}, Cameras: []string{"*"}, Hours: "always"}}
	for _, f := range change {
		f(&n)
	}
	return Read(n)
}

func day(s string) audit.Moment { m, _ := audit.ParseMoment(s); return m }

// analysing is a camera in Z1 that analyses age and gender and of which everything else is known not to run.
func analysing() Processing {
	return Processing{Inventory: "CAM-01", Zones: []string{"Z1"}, Attributes: []string{"age", "gender"}, Purposes: []string{"footfall_stats"}, Sends: No, Seen: seen,
		Methods: map[string]Truth{FaceDetection: Yes, FaceCapture: No, AttributeAnalysis: Yes, Verification: No, Identification: No, VideoRecording: Yes, UploadInternet: No}}
}

var complete = Survey{Complete: Yes, Walked: []string{"Z1", "Z2"}}

func TestCompareState(t *testing.T) {
	no := false
	cases := []struct {
		name    string
		notices []Reading
		survey  Survey
		change  func(*Processing)
		state   string
		why     string
		firm    bool
	}{
		{"nothing, complete survey", nil, complete, nil, None, "", false},
		{"nothing, no survey", nil, Survey{}, nil, "", "survey", false},
		{"nothing, incomplete survey", nil, Survey{Complete: No, Walked: []string{"Z1"}}, nil, "", "survey", false},
		{"nothing, zone not walked", nil, Survey{Complete: Yes, Walked: []string{"Z2"}}, nil, "", "walked", false},
		{"zone of the device unknown", []Reading{sign("N", fullNotice)}, complete, func(p *Processing) { p.Zones = nil }, "", "zones", false},
		{"covering", []Reading{sign("N", fullNotice)}, complete, nil, Covering, "", true},
		{"covering, whatever the survey", []Reading{sign("N", fullNotice)}, Survey{}, nil, Covering, "", true},
		{"removed", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Status = "removed" })}, complete, nil, None, "", false},
		{"obscured", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Status = "obscured" })}, complete, nil, None, "", false},
		{"after capture", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Location.BeforeCapture = &no })}, complete, nil, None, "", false},
		{"before or after not recorded", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Location.BeforeCapture = nil })}, complete, nil, Covering, "", false},
		{"the operator's word", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.DeclaredBy = "operator" })}, complete, nil, Covering, "", false},
		{"posted later", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.PostedOn = day("2026-03-11") })}, complete, nil, None, "", false},
		{"posted that day", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.PostedOn = day("2026-03-10") })}, complete, nil, Covering, "", true},
		{"removed that day", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.RemovedOn = day("2026-03-10") })}, complete, nil, None, "", false},
		{"removed the day after", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.RemovedOn = day("2026-03-11") })}, complete, nil, Covering, "", true},
		{"another zone", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Covers.Zones = []string{"Z2"} })}, complete, nil, None, "", false},
		{"one of two zones", []Reading{sign("N", fullNotice)}, complete, func(p *Processing) { p.Zones = []string{"Z1", "Z2"} }, None, "", false},
		{"every zone", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Covers.Zones = []string{"*"} })}, complete, nil, Covering, "", true},
		{"another camera", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Covers.Cameras = []string{"CAM-09"} })}, complete, nil, None, "", false},
		{"where it hangs stands for what it covers", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Covers.Zones = nil })}, complete, nil, Covering, "", true},
		{"nobody recorded where it hangs", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Covers.Zones, n.Location.Zone = nil, "" })}, complete, nil, "", "coverage", false},
		{"only by day", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Covers.Hours = "09:00-18:00" })}, complete, nil, Covering, "", false},
		{"rules on the web", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Kind = "web_rules" })}, complete, nil, Offsite, "", false},
		{"a privacy page without faces", []Reading{sign("N", "隐私政策：我们收集您的手机号。", func(n *audit.Notice) { n.Kind = "web_rules" })}, complete, nil, None, "", false},
		{"rules found online", nil, Survey{Complete: Yes, Walked: []string{"Z1"}, Online: true}, nil, Offsite, "", false},
		{"rules online, no survey", []Reading{sign("N", fullNotice, func(n *audit.Notice) { n.Kind = "app_rules" })}, Survey{}, nil, "", "survey", false},
	}
	for _, c := range cases {
		p := analysing()
		if c.change != nil {
			c.change(&p)
		}
		m := Compare(p, c.notices, c.survey)
		if m.State != c.state || m.Why != c.why || m.Firm != c.firm {
			t.Errorf("%s: %q %q firm %v, want %q %q %v", c.name, m.State, m.Why, m.Firm, c.state, c.why, c.firm)
		}
	}
}

func TestCompareGaps(t *testing.T) {
	stated := func(methods, data, purposes, recipients []string) Reading {
		return sign("N", "", func(n *audit.Notice) {
			n.Methods, n.Scope.Data, n.Purposes, n.Scope.Recipients = methods, data, purposes, recipients
		})
	}
	none := []string{}
	cases := []struct {
		name   string
		notice Reading
		change func(*Processing)
		want   Gaps
	}{
		{"all of it stated", stated([]string{AttributeAnalysis}, []string{"image", "age", "gender"}, []string{"footfall_stats"}, nil), nil,
			Gaps{none, none, none, none, none, none}},
		{"video only", stated([]string{VideoRecording}, []string{"image"}, []string{"footfall_stats"}, nil), nil,
			Gaps{[]string{AttributeAnalysis, FaceDetection}, []string{"age", "gender"}, none, none, none, none}},
		{"identification states detection but no analysis", stated([]string{Identification}, nil, nil, nil), nil,
			Gaps{[]string{AttributeAnalysis}, []string{"age", "gender"}, none, none, none, none}},
		{"analysis without a list of data", stated([]string{AttributeAnalysis}, nil, nil, nil), nil, Gaps{none, none, none, none, none, none}},
		{"whether it identifies is not known", stated([]string{AttributeAnalysis}, nil, nil, nil), func(p *Processing) { p.Methods[Identification] = Unknown },
			Gaps{nil, none, none, none, none, none}},
		{"a gap is a gap whatever else is not known", stated([]string{VideoRecording}, nil, nil, nil), func(p *Processing) { p.Methods[Identification] = Unknown },
			Gaps{[]string{AttributeAnalysis, FaceDetection}, []string{"age", "gender"}, none, none, none, none}},
		{"another purpose", stated([]string{AttributeAnalysis}, nil, []string{"public_security"}, nil), nil, Gaps{none, none, none, none, []string{"footfall_stats"}, none}},
		{"no purpose declared", stated([]string{AttributeAnalysis}, nil, []string{"public_security"}, nil), func(p *Processing) { p.Purposes = nil }, Gaps{none, none, none, none, nil, none}},
		{"a hint", stated([]string{AttributeAnalysis}, nil, []string{"footfall_stats"}, nil), func(p *Processing) { p.Hints = []string{"marketing"} },
			Gaps{none, none, none, none, none, []string{"marketing"}}},
		{"sent to nobody named", stated([]string{AttributeAnalysis}, nil, nil, nil), func(p *Processing) {
			p.Sends, p.Recipients, p.Methods[UploadInternet] = Yes, []string{"saas.example"}, Yes
		}, Gaps{[]string{UploadInternet}, none, none, []string{"saas.example"}, none, none}},
		{"sent to the one named", stated([]string{AttributeAnalysis}, nil, nil, []string{"saas.example"}), func(p *Processing) {
			p.Sends, p.Recipients, p.Methods[UploadInternet] = Yes, []string{"api.saas.example"}, Yes
		}, Gaps{none, none, none, none, none, none}},
		{"sent to a host, a company named", stated([]string{AttributeAnalysis}, nil, nil, []string{"某某科技有限公司"}), func(p *Processing) {
			p.Sends, p.Recipients, p.Methods[UploadInternet] = Yes, []string{"saas.example"}, Yes
		}, Gaps{none, none, none, nil, none, none}},
		{"nobody knows whether it sends", stated([]string{AttributeAnalysis}, nil, nil, nil), func(p *Processing) { p.Sends, p.Methods[UploadInternet] = Unknown, Unknown },
			Gaps{nil, none, none, nil, none, none}},
	}
	for _, c := range cases {
		p := analysing()
		if c.change != nil {
			c.change(&p)
		}
		m := Compare(p, []Reading{c.notice}, complete)
		if m.Fit == nil {
			t.Errorf("%s: nothing to compare with", c.name)
			continue
		}
		if d := cmp.Diff(c.want, m.Gaps); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestCompareBest: what is said and what behaviour is held against are chosen separately.
func TestCompareBest(t *testing.T) {
	video := sign("N-1", "内有监控")
	full := sign("N-2", fullNotice)
	m := Compare(analysing(), []Reading{video, full}, complete)
	if m.Best.ID != "N-2" || m.Fit.ID != "N-2" || !slices.Equal(m.Others, []string{"N-1"}) {
		t.Errorf("best %s, fit %s, others %v", m.Best.ID, m.Fit.ID, m.Others)
	}
	web := sign("N-3", fullNotice, func(n *audit.Notice) { n.Kind = "web_rules" })
	m = Compare(analysing(), []Reading{video, web}, complete)
	if m.Best.ID != "N-1" || m.Fit.ID != "N-3" || len(m.Public) != 1 {
		t.Errorf("best %s, fit %s, public %d", m.Best.ID, m.Fit.ID, len(m.Public))
	}
	if m = Compare(analysing(), []Reading{sign("N-4", "小心台阶")}, complete); m.State != Covering || m.Fit != nil {
		t.Errorf("a sign that states nothing is compared with: %+v", m.Fit)
	}
}

func TestClosure(t *testing.T) {
	if got := Closure([]string{Identification}); !slices.Contains(got, FaceDetection) || slices.Contains(got, AttributeAnalysis) {
		t.Errorf("identification states %v", got)
	}
	if got := Closure([]string{VideoRecording}); !slices.Equal(got, []string{VideoRecording}) {
		t.Errorf("recording states %v", got)
	}
}
