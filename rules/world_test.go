package rules

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// specsForTest declares the facts of modules and of the site file as those packages do.
func specsForTest() []audit.FactSpec {
	var out []audit.FactSpec
	add := func(t audit.Type, m audit.Merge, names ...string) {
		for _, n := range names {
			out = append(out, audit.FactSpec{Name: n, Type: t, Merge: m, Doc: same("doc of " + n), Ask: same("ask for " + n)})
		}
	}
	for _, f := range audit.Functions() {
		for _, l := range []audit.Level{audit.Capable, audit.Configured, audit.Active} {
			add(audit.Bool, audit.MergeAny, audit.FactName(f, l))
		}
	}
	add(audit.List, audit.MergeUnion, factAttributes, "face.attributes.capable", factHosts, factFaceHosts, factSeen, factZones, "device.zone.kinds", factPurposes, factRuns, factDeclaredAttr)
	add(audit.Int, audit.MergeSum, factMessages)
	add(audit.Int, audit.MergeMax, factSeconds, "site.survey.entrances", "site.survey.zones", "site.survey.online", factUnfound)
	add(audit.Bool, audit.MergeAny, "face.crops", "face.identity", "face.enumerated", factHostsFace, factPassive, factZonePublic)
	add(audit.Bool, audit.MergeAgree, factVenuePublic, "site.minors", factSurvey, factAttested, factServerFaces, factServerStores)
	add(audit.String, audit.MergeAgree, factVenue, "site.processor.kind", "device.kind", "device.vendor", "device.model")
	add(audit.List, audit.MergeAgree, "site.jurisdiction")
	return out
}

var (
	shopSite = audit.Subject{Kind: audit.SubjectSite, ID: "SH-0421"}
	cam      = audit.Subject{Kind: audit.SubjectDevice, ID: "dev-1"}
	noon     = time.Date(2022, 3, 10, 4, 0, 0, 0, time.UTC)
)

// shop is a mall store with one camera at its entrance, watched on 10 March 2022. Nothing is known of the camera yet; a
// complete survey found no notice.
func shop() Input {
	in := Input{
		Site: audit.SiteFile{
			Schema: "mingshi.site/v1",
			Site: audit.Site{ID: "SH-0421", Name: "某某商场一层店", Venue: "mall", Jurisdiction: []string{"CN", "CN-31"},
				Processor: audit.Processor{Name: "某某商业有限公司"}},
			Authority: audit.Authority{Perimeter: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
			Zones:     []audit.Zone{{ID: "Z1", Name: "正门入口", Kind: "entrance", Public: true}},
			Survey: &audit.Survey{Complete: true, Walked: audit.Walked{Entrances: []string{"Z1"}, Zones: []string{"Z1"}},
				By: []audit.Person{{Name: "李某"}}},
		},
		Devices: []audit.Device{{ID: "dev-1", Kind: audit.KindCamera, Vendor: "Example", Model: "IPC-1", Inventory: "CAM-01", Zones: []string{"Z1"}}},
		Specs:   specsForTest(),
		Observations: []audit.Observation{{ID: "o-site", Module: "site", Kind: "site", Class: audit.ClassDeclaration},
			{ID: "o-survey", Module: "site", Kind: "survey", Class: audit.ClassInspection}},
		Window: audit.Window{From: noon, To: noon.Add(10 * time.Minute)},
	}
	say(&in, shopSite, "o-site", audit.ClassDeclaration, "site.venue", "mall", "site.venue.public", true, "site.jurisdiction", []string{"CN", "CN-31"},
		"site.processor.kind", "company", "site.minors", false)
	say(&in, shopSite, "o-survey", audit.ClassInspection, "site.survey.complete", true, "site.survey.entrances", 1, "site.survey.zones", 1, "site.survey.online", 1, factUnfound, 0)
	say(&in, cam, "o-inv", audit.ClassDeclaration, "device.zones", []string{"Z1"}, "device.passive", true, "device.zone.public", true)
	return in
}

// say adds facts: pairs of a name and a value.
func say(in *Input, s audit.Subject, obs string, c audit.Class, pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		f := audit.NewFact(pairs[i].(string), "", pairs[i+1])
		f.Subject, f.Because, f.Class = s, []string{obs}, c
		in.Facts = append(in.Facts, f)
	}
}

// drop takes every fact of that name away.
func drop(in *Input, names ...string) {
	in.Facts = slices.DeleteFunc(slices.Clone(in.Facts), func(f audit.Fact) bool { return slices.Contains(names, f.Name) })
}

// analysing: age, gender and expression were seen in the metadata stream.
func analysing(in *Input) {
	say(in, cam, "o-live", audit.ClassLive, "face.detect.active", true, "face.analyse.active", true,
		"face.attributes.active", []string{"age", "gender", "expression"}, "face.live.messages", 42, "face.live.seconds", 600)
	say(in, cam, "o-conf", audit.ClassConfig, "face.detect.configured", true, "face.analyse.configured", true)
}

func post(in *Input, n audit.Notice) {
	yes := true
	if n.ID == "" {
		n.ID = "N-001"
	}
	if n.Kind == "" {
		n.Kind = "posted_sign"
	}
	if n.Status == "" {
		n.Status = "present"
	}
	n.DeclaredBy = "inspector"
	n.Location = audit.NoticeLocation{Zone: "Z1", BeforeCapture: &yes}
	n.Covers = audit.Covers{Zones: []string{"Z1"}, Cameras: []string{"*"}, Hours: "always"}
	in.Site.Notices = append(in.Site.Notices, n)
}

const goodText = "人脸信息处理告知：本店（某某商业有限公司，电话400-123-4567）在正门入口使用人脸识别摄像机。处理目的：客流统计与改善服务。" +
	"处理方式：自动抓拍并分析年龄、性别、表情，不作身份识别以外的使用。处理范围：正门入口区域，采集面部图像及上述属性，保存期限7日，到期自动删除。" +
	"完整处理规则请扫描二维码或至服务台查阅。您可以查阅、复制、删除您的信息。"

var loaded = sync.OnceValues(Builtin)

func builtinPacks(t testing.TB) []*Pack {
	t.Helper()
	packs, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

// supreme is the pack of 法释〔2021〕15号.
func supreme(t testing.TB) *Pack {
	t.Helper()
	for _, p := range builtinPacks(t) {
		if p.ID() == "SPC-2021-15" {
			return p
		}
	}
	t.Fatal("no pack SPC-2021-15")
	return nil
}

func judge(t *testing.T, in Input) Judgement {
	t.Helper()
	j, err := Judge(builtinPacks(t), in)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func find(t *testing.T, j Judgement, rule string) audit.Finding {
	t.Helper()
	if !strings.Contains(rule, "/") {
		rule = "SPC-2021-15/" + rule
	}
	for _, f := range j.Findings {
		if f.Rule == rule {
			return f
		}
	}
	t.Fatalf("no finding of rule %s", rule)
	return audit.Finding{}
}
