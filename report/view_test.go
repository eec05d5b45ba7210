package report_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/report"
)

// clean is the one report that may be called clean: complete, every device conforms, the survey and the server side
// attested, nothing left out.
func clean() audit.Report {
	r := base()
	r.Devices, r.Findings = nil, nil
	addDevice(&r, 1, cam{audit.KindCamera, "EXAMPLE", "IPC-B100", "Z2", [5]audit.Level{1, 1, 1, 1, 1}, nil})
	finding(&r, "CN-PIPL/26", 1, audit.Conforms, audit.High, tx("未发现不一致的情形。", "No inconsistency found."))
	r.Coverage = []audit.Coverage{{Target: devID(1), Module: "onvif", Status: audit.Tried}, {Target: devID(1), Module: "sip", Status: audit.Skipped}}
	for _, f := range []string{"site.survey.complete", "site.server_side.attested"} {
		r.Facts = append(r.Facts, audit.Fact{Subject: audit.Subject{Kind: audit.SubjectSite, ID: r.Site.ID}, Name: f, Value: audit.Value{V: true}})
	}
	r.Facts = append(r.Facts, audit.Fact{Subject: audit.Subject{Kind: audit.SubjectSite, ID: r.Site.ID}, Name: "site.server_side.analyses", Value: audit.Value{V: false}})
	r.Recall = &audit.Recall{Found: 1, Announced: 1, Swept: 1, Both: 1, Usable: true, Estimate: 1, Low: 1, High: 1}
	return r
}

// siteFact adds a fact of the site.
func siteFact(r *audit.Report, name string, v any) {
	f := audit.NewFact(name, "", v)
	f.Subject = audit.Subject{Kind: audit.SubjectSite, ID: r.Site.ID}
	r.Facts = append(r.Facts, f)
}

func TestClean(t *testing.T) {
	ok, sentence := report.Build(clean()).Clean()
	if !ok || !strings.Contains(sentence.ZH, "不排除范围以外") || !strings.Contains(sentence.EN, "not excluded") {
		t.Errorf("%v %v", ok, sentence)
	}
	for name, spoil := range map[string]func(*audit.Report){
		"incomplete": func(r *audit.Report) { r.Run.Complete = false },
		"no device":  func(r *audit.Report) { r.Devices = nil },
		"a device nobody judged": func(r *audit.Report) {
			addDevice(r, 2, cam{audit.KindOther, "", "", "", [5]audit.Level{}, nil})
		},
		"suspected":         func(r *audit.Report) { r.Findings[0].Outcome = audit.Suspected },
		"undetermined":      func(r *audit.Report) { r.Findings[0].Outcome = audit.Undetermined },
		"no outcome":        func(r *audit.Report) { r.Findings[0].Outcome = "" },
		"no finding":        func(r *audit.Report) { r.Findings = nil },
		"not applicable":    func(r *audit.Report) { r.Findings[0].Outcome = audit.NotApplicable },
		"no survey":         func(r *audit.Report) { r.Facts = r.Facts[1:] },
		"survey incomplete": func(r *audit.Report) { r.Facts[0].Value.V = false },
		"survey contradicted": func(r *audit.Report) {
			f := r.Facts[0]
			f.Value.V = false
			r.Facts = append(r.Facts, f)
		},
		"server side not attested":    func(r *audit.Report) { r.Facts = r.Facts[:1] },
		"a fact of another subject":   func(r *audit.Report) { r.Facts[0].Subject.Kind = audit.SubjectDevice },
		"a server that analyses":      func(r *audit.Report) { r.Facts[2].Value.V = true },
		"nobody said whether it does": func(r *audit.Report) { r.Facts = r.Facts[:2] },
		"no coverage":                 func(r *audit.Report) { r.Coverage = nil },
		"no window":                   func(r *audit.Report) { r.Window = audit.Window{} },
		"nothing logged in to":        func(r *audit.Report) { r.Run.Permit = audit.PermitQuery },
		"a prefix not searched": func(r *audit.Report) {
			r.Coverage = append(r.Coverage, audit.Coverage{Target: "2001:db8::/64", Module: "tcp-connect", Status: audit.Skipped})
		},
		"a listed device without an address": func(r *audit.Report) {
			r.Coverage = append(r.Coverage, audit.Coverage{Target: "CAM-09", Module: "inventory", Status: audit.Skipped})
		},
		"a camera the estimate misses":       func(r *audit.Report) { r.Recall.Missing = 1 },
		"an entry that was not found":        func(r *audit.Report) { siteFact(r, "site.inventory.missing", []string{"CAM-09"}) },
		"no estimate and nobody counted":     func(r *audit.Report) { r.Recall.Usable = false },
		"nothing searched, somebody counted": func(r *audit.Report) { r.Recall = nil; siteFact(r, "site.survey.cameras", 1) },
		"a device of another network":        func(r *audit.Report) { r.Devices[0].Foreign = true },
		"unreachable":                        func(r *audit.Report) { r.Coverage[0].Status = audit.NoAnswer },
		"refused":                            func(r *audit.Report) { r.Coverage[0].Status = audit.RefusedBy },
		"partial":                            func(r *audit.Report) { r.Coverage[0].Status = audit.Partial },
		"failed":                             func(r *audit.Report) { r.Coverage[0].Status = audit.Failed },
		"denied":                             func(r *audit.Report) { r.Coverage[0].Status = audit.DeniedByUs },
		"unknown status":                     func(r *audit.Report) { r.Coverage[0].Status = "fine" },
	} {
		r := clean()
		spoil(&r)
		v := report.Build(r)
		if ok, s := v.Clean(); ok || !strings.HasPrefix(s.ZH, "不能") || !strings.HasPrefix(s.EN, "No") {
			t.Errorf("%s: %v %v", name, ok, s)
		}
		if strings.Contains(v.Lead.EN, "Within the authorised scope") {
			t.Errorf("%s: the lead calls it clean: %s", name, v.Lead.EN)
		}
	}
}

// TestCountAssures: where too few cameras were found to estimate anything, a count on site that agrees is enough.
func TestCountAssures(t *testing.T) {
	r := clean()
	r.Recall.Usable = false
	siteFact(&r, "site.survey.cameras", 1)
	if ok, s := report.Build(r).Clean(); !ok {
		t.Error(s)
	}
}

// TestUnfound: what is known to be missing stands above everything else, whatever the findings say.
func TestUnfound(t *testing.T) {
	for name, r := range map[string]audit.Report{"all conforms": clean(), "suspected": shop()} {
		r.Recall = &audit.Recall{Found: 3, Missing: 2}
		v := report.Build(r)
		if !slices.ContainsFunc(v.Banners, func(x audit.Text) bool {
			return strings.Contains(x.ZH, "至少有 2 台摄像机没有找到") && strings.Contains(x.EN, "at least 2 cameras")
		}) {
			t.Errorf("%s: banners %v", name, v.Banners)
		}
		if !slices.ContainsFunc(v.Next, func(x audit.Text) bool { return strings.Contains(x.EN, "Find the cameras") }) {
			t.Errorf("%s: next %v", name, v.Next)
		}
		if v.Counts.Outcome[audit.Suspected] == 0 && !strings.Contains(v.Lead.EN, "at least 2 cameras") {
			t.Errorf("%s: lead %s", name, v.Lead.EN)
		}
	}
}

// TestComplete: the section answers what was found how, what was not, and whose device is whose.
func TestComplete(t *testing.T) {
	c := report.Build(shop()).Complete
	if len(c.Missing) != 1 || c.Missing[0].ID != "CAM-08" || c.Missing[0].Device == 0 {
		t.Errorf("missing %+v", c.Missing)
	}
	if len(c.Unlisted) != 2 || c.Unlisted[0].Label != "D-10" {
		t.Errorf("unlisted %+v", c.Unlisted)
	}
	if len(c.Channels) != 1 || c.Channels[0].Via != "D-11" || c.Channels[0].Recorder == 0 || c.Channels[0].Channel != "3" {
		t.Errorf("channels %+v", c.Channels)
	}
	if len(c.Foreign) != 1 || c.Foreign[0].Where[0] != "198.51.100.64:80" {
		t.Errorf("foreign %+v", c.Foreign)
	}
	for lang, want := range map[string][]string{
		"zh": {"== 探测完整性 ==", "约有 10.1 台，95% 置信区间为 10 至 13 台", "现场肉眼清点 12 台", "CAM-08", "通道 3", "授权范围之外", "本网段内无人应答该地址", "另有 66 个，共 70 个"},
		"en": {"== How complete this list is ==", "about 10.1 could answer in all (95% interval 10 to 13)", "Counted by eye on site: 12.", "not contacted", "nobody on the link answered for it", "and 66 more, 70 in all"},
	} {
		out := strings.Join(strings.Fields(string(render(t, "text", shop(), report.Options{Lang: lang, Width: 140}))), " ")
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
	}
	page := string(render(t, "html", shop(), report.Options{}))
	for _, w := range []string{`id="zh-complete"`, "192.0.2.247-192.0.2.248", "<summary>70 段</summary>"} {
		if !strings.Contains(page, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func TestOrderOfFindings(t *testing.T) {
	v := report.Build(shop())
	var got []string
	for _, g := range v.Groups {
		got = append(got, string(g.Outcome)+" "+g.Rule)
	}
	want := []string{"suspected SPC-2021-15/COVERT", "suspected SPC-2021-15/2.2", "suspected SPC-2021-15/2.3", "undetermined SPC-2021-15/COVERT",
		"undetermined CN-PIPL/26", "conforms CN-PIPL/26", "not-applicable SPC-2021-15/10.1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	r := shop() // the flagship leads even where a modifier has lowered it
	for i := range r.Findings {
		if r.Findings[i].Rule == report.Flagship {
			r.Findings[i].Severity = audit.Low
		}
	}
	if g := report.Build(r).Groups[0]; g.Rule != report.Flagship || g.Severity != audit.Low {
		t.Errorf("first is %s, %s", g.Rule, g.Severity)
	}
}

func TestRequestsAreAskedOnce(t *testing.T) {
	v := report.Build(shop())
	if len(v.Requests) != 4 {
		t.Fatalf("%d requests", len(v.Requests))
	}
	r := v.Requests[0]
	want := []string{"CAM-05", "CAM-06", "CAM-07", "CAM-08", "D-10", "D-11", "D-12"}
	if d := cmp.Diff(want, r.Subjects); d != "" {
		t.Error(d)
	}
	if r.Burden != "claimant" || !slices.Equal(r.Rules, []string{report.Flagship}) {
		t.Errorf("%+v", r)
	}
}

// TestLevelsAreNotFindings: a device that could, or is set to, makes no finding by itself, and the words for the level say
// what it does not show.
func TestLevelsAreNotFindings(t *testing.T) {
	r := base()
	addDevice(&r, 1, cam{audit.KindCamera, "EXAMPLE", "X", "Z1", [5]audit.Level{audit.Capable, audit.Configured, audit.Absent, audit.Unknown, audit.Unknown}, nil})
	v := report.Build(r)
	if len(v.Groups) != 0 || v.Counts.Outcome[audit.Suspected] != 0 {
		t.Errorf("findings: %+v", v.Groups)
	}
	for i, want := range []string{"不等于", "不能说明", "经登录核查未见", "不等于"} {
		if w := v.Devices[0].Cells[i].Why.ZH; !strings.Contains(w, want) {
			t.Errorf("%d: %s", i, w)
		}
	}
}

func TestDisputeIsShown(t *testing.T) {
	r := clean()
	s := r.Devices[0].Face[audit.Analyse]
	s.Level, s.Dispute = audit.Unknown, []string{obsID(1, "config"), obsID(1, "inv")}
	r.Devices[0].Face[audit.Analyse] = s
	c := report.Build(r).Devices[0].Cells[2]
	if len(c.Dispute) != 2 || !strings.Contains(c.Why.EN, "contradicts") {
		t.Errorf("%+v", c)
	}
}

// TestExhibitsAreNumbered: every observation a finding or a level rests on is in the list once, and what the report cites
// without holding it is named.
func TestExhibitsAreNumbered(t *testing.T) {
	r := shop()
	r.Findings[0].Because = append(r.Findings[0].Because, "o-nowhere")
	r.Observations[0].Basis = []string{r.Observations[1].ID}
	v := report.Build(r)
	seen := map[string]bool{}
	for i, e := range v.Exhibits {
		if e.No != i+1 || seen[e.ID] {
			t.Errorf("exhibit %d: %s", e.No, e.ID)
		}
		seen[e.ID] = true
	}
	if v.Others != len(v.Report.Observations)-len(v.Exhibits) || len(v.Exhibits) == 0 {
		t.Errorf("%d exhibits, %d others", len(v.Exhibits), v.Others)
	}
	if it := v.Groups[0].Items[0]; !slices.Equal(it.Unlisted, []string{"o-nowhere"}) {
		t.Errorf("unlisted %v", it.Unlisted)
	}
}

// TestWording holds the sentences of reports to what a record of evidence may say.
func TestWording(t *testing.T) {
	never := regexp.MustCompile(`(?i)\billegal|unlawful|violat|\bcovert|guilty|read-only|auditor|infring|侵权成立|应处罚|属于违法|构成违法`)
	for _, id := range msg.IDs() {
		if !strings.HasPrefix(id, "report.") && !strings.HasPrefix(id, "word.") {
			continue
		}
		text := msg.Text(id)
		if m := never.FindString(text.ZH + text.EN); m != "" {
			t.Errorf("%s says %q", id, m)
		}
		if text.ZH == "" || text.EN == "" {
			t.Errorf("%s lacks a language", id)
		}
	}
}

func TestVocabularyIsWhole(t *testing.T) {
	has := msg.IDs()
	need := func(id string) {
		if !slices.Contains(has, id) {
			t.Errorf("no %s", id)
		}
	}
	for _, s := range report.CoverageStatuses() {
		need("word.coverage." + string(s))
	}
	for _, s := range report.ReachedOutcomes() {
		need("word.reached." + string(s))
	}
	for _, s := range names(audit.Status(0)) {
		need("word.status." + s.(string))
	}
	for _, s := range names(audit.Level(0)) {
		need("word." + s.(string))
		need("report.level." + s.(string))
		need("report.why." + s.(string))
	}
	for _, p := range append(audit.Permits(), audit.PermitNone) {
		need("word.permit." + p.String())
	}
	for _, f := range audit.Functions() {
		need("word." + string(f))
		need("report.function." + string(f))
	}
}

// TestFrame: what several findings of one rule share is said once, and each keeps its own facts and exhibits.
func TestFrame(t *testing.T) {
	r := shop()
	n := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Rule == report.Flagship && f.Outcome == audit.Suspected {
			n++
			f.Facts = tx("事实"+f.Subject.ID, "fact "+f.Subject.ID)
		}
	}
	g := report.Build(r).Groups[0]
	if n < 2 || !g.Flagship || g.Opening.IsZero() || !strings.Contains(g.Closing.ZH, "认定") || !strings.Contains(g.Closing.EN, "court or competent authority") {
		t.Fatalf("%d findings: %+v", n, g.Opening)
	}
	out := strings.Join(strings.Fields(string(render(t, "text", r, report.Options{Lang: "en", Width: 140}))), " ")
	if got := strings.Count(out, "court or competent authority;"); got != 1 {
		t.Errorf("the frame is said %d times", got)
	}
}
