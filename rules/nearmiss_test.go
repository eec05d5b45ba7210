package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// twoZones lets the camera look into the entrance and the sales floor; a complete survey walked both.
func twoZones(in *Input) {
	analysing(in)
	drop(in, "device.zones")
	say(in, cam, "o-inv", audit.ClassDeclaration, "device.zones", []string{"Z1", "Z2"})
	in.Site.Survey.Walked.Zones = []string{"Z1", "Z2"}
}

// at posts a good notice in these zones only.
func at(in *Input, id, text string, zones ...string) {
	post(in, audit.Notice{ID: id, Text: text})
	n := &in.Site.Notices[len(in.Site.Notices)-1]
	n.Location.Zone, n.Covers.Zones = zones[0], zones
}

func enumeratedNone(in *Input) {
	for _, f := range audit.Functions() {
		say(in, cam, "o-conf", audit.ClassConfig, audit.FactName(f, audit.Configured), false)
	}
}

func ptr[T any](v T) *T { return &v }

// TestNearMisses are scenes one step away from those of the catalogue, decided from the text of the provisions.
func TestNearMisses(t *testing.T) {
	const s, u, c, n = audit.Suspected, audit.Undetermined, audit.Conforms, audit.NotApplicable
	full := func(form bool, purpose string) audit.Consent {
		x := audit.Consent{Purpose: purpose, Separate: ptr(true), Bundled: ptr(false), Conditional: ptr(false)}
		if form {
			x.Form = &audit.File{File: "f.pdf", SHA256: "00"}
		}
		return x
	}
	gate := func(in *Input) {
		drop(in, "device.passive")
		say(in, cam, "o-inv", audit.ClassDeclaration, "device.passive", false)
		say(in, cam, "o-live", audit.ClassLive, "face.verify.active", true)
		say(in, cam, "o-conf", audit.ClassConfig, "face.analyse.configured", false, "face.identify.configured", false)
		post(in, audit.Notice{Text: goodText})
	}
	cases := []struct {
		name  string
		build func(in *Input)
		want  map[string]audit.Outcome
		says  []string // in some message
		never []string // in no message
	}{
		{"two zones, a notice in one", func(in *Input) { twoZones(in); at(in, "N-001", goodText, "Z1") },
			map[string]audit.Outcome{"2.2": s, "COVERT": n}, []string{"N-001（只覆盖部分区域）"}, nil},
		{"two zones, a sign about video in one", func(in *Input) { twoZones(in); at(in, "N-001", "内有监控", "Z1") },
			map[string]audit.Outcome{"2.2": s, "COVERT": s}, []string{"N-001（只覆盖部分区域）"}, nil},
		{"two zones, a notice in each", func(in *Input) { twoZones(in); at(in, "N-001", goodText, "Z1"); at(in, "N-002", goodText, "Z2") },
			map[string]audit.Outcome{"2.2": c, "COVERT": c}, nil, []string{"区域：Z"}},
		{"two zones, a good notice in one and a sign about video in the other", func(in *Input) {
			twoZones(in)
			at(in, "N-001", goodText, "Z1")
			at(in, "N-002", "内有监控", "Z2")
		}, map[string]audit.Outcome{"2.2": s}, []string{"N-001 + N-002"}, nil},
		{"two signs that say it together", func(in *Input) {
			analysing(in)
			at(in, "N-001", "本店使用人脸识别技术，处理目的：客流统计。", "Z1")
			at(in, "N-002", "处理方式：抓拍并分析人脸年龄、性别、表情；范围：正门区域。完整处理规则请扫描二维码。", "Z1")
		}, map[string]audit.Outcome{"2.2": c, "COVERT": c}, []string{"N-001 + N-002"}, nil},
		{"what a sign lacks the operator says another has", func(in *Input) {
			analysing(in)
			at(in, "N-001", "本店使用人脸识别技术采集信息，范围：正门区域。完整处理规则请扫描二维码。", "Z1")
			at(in, "N-002", goodText, "Z1")
			in.Site.Notices[1].DeclaredBy = "operator"
		}, map[string]audit.Outcome{"2.2": u}, nil, nil},
		{"obscured", func(in *Input) {
			analysing(in)
			at(in, "N-001", goodText, "Z1")
			in.Site.Notices[0].Status = "obscured"
		},
			map[string]audit.Outcome{"2.2": s, "COVERT": s}, []string{"N-001（被遮挡）"}, nil},
		{"illegible", func(in *Input) { analysing(in); at(in, "N-001", "", "Z1"); in.Site.Notices[0].Status = "illegible" },
			map[string]audit.Outcome{"2.2": s}, []string{"N-001（无法辨认）"}, nil},
		{"posted the day after", func(in *Input) {
			analysing(in)
			at(in, "N-001", goodText, "Z1")
			in.Site.Notices[0].PostedOn, _ = audit.ParseMoment("2022-03-11")
		}, map[string]audit.Outcome{"2.2": s}, []string{"观察时不在张贴期间"}, nil},
		{"removed the week before", func(in *Input) {
			analysing(in)
			at(in, "N-001", goodText, "Z1")
			in.Site.Notices[0].RemovedOn, _ = audit.ParseMoment("2022-03-03")
		}, map[string]audit.Outcome{"2.2": s}, []string{"观察时不在张贴期间"}, nil},
		{"the operator's word for a notice", func(in *Input) {
			analysing(in)
			at(in, "N-001", goodText, "Z1")
			in.Site.Notices[0].DeclaredBy = "operator"
		}, map[string]audit.Outcome{"2.2": u, "COVERT": u}, nil, nil},
		{"half of the text", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "本店使用人脸识别技术", TextPartial: true})
		},
			map[string]audit.Outcome{"2.2": u, "2.2-T": u}, nil, nil},
		{"one language", func(in *Input) { analysing(in); post(in, audit.Notice{Text: goodText, Language: []string{"zh-CN"}}) },
			map[string]audit.Outcome{"2.2": c}, nil, nil},
		{"everything but the rules", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "本店使用人脸识别技术。处理目的：客流统计。处理方式：抓拍并分析年龄、性别、表情。范围：正门区域。"})
		}, map[string]audit.Outcome{"2.2": s}, []string{"处理规则的查阅途径"}, []string{"未见处理目的"}},
		{"a denial", func(in *Input) { analysing(in); post(in, audit.Notice{Text: "本店不采集人脸信息。"}) },
			map[string]audit.Outcome{"2.4": s, "2.2": s, "COVERT": s}, []string{"称不处理人脸信息", "本店不采集人脸信息"}, []string{"未提到人脸"}},
		{"a purpose in words of its own", func(in *Input) {
			analysing(in)
			say(in, cam, "o-inv", audit.ClassDeclaration, "device.declared_purposes", []string{"repeat_visitor"})
			post(in, audit.Notice{Text: "本店使用人脸识别技术，用于维护场所安全以及会员到店积分。处理方式：抓拍并分析年龄、性别、表情。范围：正门区域。规则请扫描二维码。",
				Methods: []string{"attribute_analysis", "identification_1_n"}, Scope: audit.NoticeScope{Data: []string{"image", "age", "gender", "expression"}}})
		}, map[string]audit.Outcome{"2.4": u, "2.2": c}, nil, nil},
		{"a sign that speaks of moods where expressions are read", func(in *Input) {
			analysing(in)
			post(in, audit.Notice{Text: "本店分析人脸年龄、性别、情绪", Methods: []string{"attribute_analysis", "identification_1_n"}, Scope: audit.NoticeScope{Data: []string{"age", "gender", "emotion"}}})
		}, map[string]audit.Outcome{"2.4": u}, nil, nil},
		{"a survey of last month", func(in *Input) {
			analysing(in)
			in.Site.Survey.At = audit.Period{From: audit.Moment{T: noon.AddDate(0, -1, 0)}, To: audit.Moment{T: noon.AddDate(0, -1, 0)}}
		}, map[string]audit.Outcome{"2.2": u, "COVERT": u, "2.1": u}, nil, nil},
		{"a survey of the same week", func(in *Input) {
			analysing(in)
			in.Site.Survey.At = audit.Period{From: audit.Moment{T: noon.AddDate(0, 0, 3)}, To: audit.Moment{T: noon.AddDate(0, 0, 3)}}
		}, map[string]audit.Outcome{"2.2": s, "COVERT": s}, nil, nil},
		{"nobody looked online", func(in *Input) { analysing(in); drop(in, "site.survey.online") },
			map[string]audit.Outcome{"2.2": s, "COVERT": u}, []string{"线上渠道未检索"}, []string{"检索0处"}},
		{"everything but the rules, and nobody looked online", func(in *Input) {
			analysing(in)
			drop(in, "site.survey.online")
			post(in, audit.Notice{Text: "本店使用人脸识别技术。处理目的：客流统计。处理方式：抓拍并分析年龄、性别、表情。范围：正门区域。"})
		}, map[string]audit.Outcome{"2.2": u}, nil, nil},
		{"camera without a zone", func(in *Input) { analysing(in); drop(in, "device.zones", "device.passive", "device.zone.public") },
			map[string]audit.Outcome{"2.2": u, "COVERT": u, "2.1": u}, nil, nil},
		{"before the first day, judged by the law of today", func(in *Input) {
			analysing(in)
			old := time.Date(2021, 3, 15, 4, 0, 0, 0, time.UTC)
			in.Window, in.AsOf = audit.Window{From: old, To: old}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		}, map[string]audit.Outcome{"COVERT": n, "2.1": n, "2.2": n, "2.4": n, "0.1": n}, nil, []string{"2026"}},
		{"Hong Kong", func(in *Input) {
			analysing(in)
			drop(in, "site.jurisdiction")
			say(in, shopSite, "o-site", audit.ClassDeclaration, "site.jurisdiction", []string{"CN-HK"})
		}, map[string]audit.Outcome{"COVERT": n, "2.1": n, "2.2": n}, nil, nil},
		{"no jurisdiction", func(in *Input) { analysing(in); drop(in, "site.jurisdiction") },
			map[string]audit.Outcome{"COVERT": u, "2.1": u, "2.2": u}, nil, nil},
		{"a server that analyses, whose pictures nobody said", func(in *Input) {
			enumeratedNone(in)
			say(in, shopSite, "o-server", audit.ClassDeclaration, "site.server_side.attested", true, "site.server_side.analyses", true)
		}, map[string]audit.Outcome{"2.1": u, "2.2": u, "COVERT": u}, []string{"ask for declared.runs"}, nil},
		{"a clean server side and a camera at work", func(in *Input) {
			analysing(in)
			say(in, shopSite, "o-server", audit.ClassDeclaration, "site.server_side.attested", true, "site.server_side.analyses", false)
		}, map[string]audit.Outcome{"2.2": s, "COVERT": s}, nil, nil},
		{"a device nobody could name that emits results", func(in *Input) { analysing(in); in.Devices[0].Kind = audit.KindOther },
			map[string]audit.Outcome{"2.2": s, "COVERT": s}, nil, nil},
		{"a recorder in the stock room that analyses", func(in *Input) {
			analysing(in)
			drop(in, "device.zone.public", "device.passive")
			say(in, cam, "o-inv", audit.ClassDeclaration, "device.zone.public", false, "device.passive", true)
			in.Devices[0].Kind = audit.KindRecorder
		}, map[string]audit.Outcome{"2.2": u, "COVERT": u}, []string{"zone alone says where it stands"}, nil},
		{"a recorder whose cameras' zones are listed", func(in *Input) {
			analysing(in)
			in.Devices[0].Kind = audit.KindRecorder
			in.Site.Inventory = []audit.InventoryEntry{{ID: "CAM-01", Zones: []string{"Z1"}}}
		}, map[string]audit.Outcome{"2.2": s, "COVERT": s}, nil, nil},
		{"stock room", func(in *Input) {
			analysing(in)
			drop(in, "device.zone.public", "device.passive")
			say(in, cam, "o-inv", audit.ClassDeclaration, "device.zone.public", false, "device.passive", true)
		}, map[string]audit.Outcome{"2.2": s, "2.1": s, "COVERT": n}, nil, []string{"公共场所图像采集设备"}},
		{"a home", func(in *Input) {
			analysing(in)
			drop(in, "site.venue.public", "device.zone.public")
			say(in, shopSite, "o-site", audit.ClassDeclaration, "site.venue.public", false)
			say(in, cam, "o-inv", audit.ClassDeclaration, "device.zone.public", false)
		}, map[string]audit.Outcome{"2.1": n, "COVERT": n, "2.2": s}, nil, nil},
		{"never reached", func(*Input) {}, map[string]audit.Outcome{"2.1": u, "2.2": u, "COVERT": u}, nil, []string{"未见启用"}},
		{"capture alone", func(in *Input) {
			say(in, cam, "o-live", audit.ClassLive, "face.capture.active", true, "face.live.messages", 1, "face.live.seconds", 60)
		}, map[string]audit.Outcome{"2.2": s, "2.1": u, "COVERT": u}, []string{"1 face message in 60 s"}, []string{"1 face messages", "1 messages"}},
		{"a gate with separate consent", func(in *Input) { gate(in); in.Site.Consents = []audit.Consent{full(true, "")} },
			map[string]audit.Outcome{"2.2": c, "COVERT": n}, nil, []string{"登记的同意方式不是单独同意"}},
		{"consent for one of two purposes", func(in *Input) {
			gate(in)
			say(in, cam, "o-inv", audit.ClassDeclaration, "device.declared_purposes", []string{"access_control", "marketing"})
			in.Site.Consents = []audit.Consent{full(true, "access_control")}
		}, map[string]audit.Outcome{"2.1": u}, nil, []string{"材料均已见到"}},
		{"consent for one purpose, bundled for the other", func(in *Input) {
			gate(in)
			say(in, cam, "o-inv", audit.ClassDeclaration, "device.declared_purposes", []string{"access_control", "marketing"})
			bundled := full(true, "marketing")
			bundled.Bundled = ptr(true)
			in.Site.Consents = []audit.Consent{full(true, "access_control"), bundled}
		}, map[string]audit.Outcome{"2.1": u}, nil, []string{"材料均已见到"}},
		{"consent without the form", func(in *Input) { gate(in); in.Site.Consents = []audit.Consent{full(false, "")} },
			map[string]audit.Outcome{"2.1": u}, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := shop()
			c.build(&in)
			j := judge(t, in)
			var all strings.Builder
			for _, f := range j.Findings {
				all.WriteString(f.Message.ZH + f.Message.EN + "\n")
			}
			for rule, want := range c.want {
				if f := find(t, j, rule); f.Outcome != want {
					t.Errorf("%s: %s, want %s (missing %v)\n%s\n%s", rule, f.Outcome, want, f.Missing, f.Message.ZH, f.Message.EN)
				}
			}
			for _, w := range c.says {
				if !strings.Contains(all.String(), w) {
					t.Errorf("nothing says %q:\n%s", w, all.String())
				}
			}
			for _, w := range c.never {
				if strings.Contains(all.String(), w) {
					t.Errorf("something says %q:\n%s", w, all.String())
				}
			}
			if slices.ContainsFunc(j.Findings, func(f audit.Finding) bool { return f.Outcome == audit.Suspected && len(f.Because) == 0 }) {
				t.Error("suspected on nothing")
			}
		})
	}
}
