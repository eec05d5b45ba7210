package report_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// The samples are reports as scan would write them: a shop with a camera of every level, an audit that was stopped, and a
// network whose devices call themselves things that hurt.

func samples() map[string]audit.Report {
	return map[string]audit.Report{"shop": shop(), "interrupted": interrupted(), "hostile": hostile(), "zero": {}, "heard": heard()}
}

func clock(min int) time.Time {
	return time.Date(2026, 11, 20, 10, 30+min, 0, 0, audit.CST())
}

func tx(zh, en string) audit.Text { return audit.Text{ZH: zh, EN: en} }

func base() audit.Report {
	day := func(s string) audit.Moment { m, _ := audit.ParseMoment(s); return m }
	return audit.Report{
		Schema: audit.ReportSchema,
		Site: audit.Site{ID: "SH-0421", Name: "某某商场一层店", Venue: "mall", Jurisdiction: []string{"CN-31", "CN"}, Address: "上海市某区某路 100 号",
			Processor: audit.Processor{Name: "某某商业有限公司", USCC: "91310000XXXXXXXX0X", Contact: "400-000-0000"}},
		Authority: audit.Authority{Basis: "self_audit", GrantedBy: audit.Person{Name: "陈某", Title: "合规总监"}, DocumentNo: "内审〔2026〕7号",
			Inspectors: []audit.Person{{Name: "李某", Unit: "合规部"}, {Name: "王某", Unit: "信息部"}},
			Valid:      audit.Period{From: day("2026-11-01"), To: day("2026-12-31")},
			Perimeter:  []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Permit: audit.PermitSample},
		Tool:   audit.Tool{Name: "mingshi", Version: "0.1.0", Go: "go1.26.0", OS: "linux/amd64"},
		Run:    audit.Run{ID: "20261120-103000-SH-0421", Permit: audit.PermitSample, Complete: true, Interfaces: []string{"eth1"}},
		Window: audit.Window{From: clock(0), To: clock(14)},
		AsOf:   clock(14),
		Packs: []audit.PackRef{{ID: "SPC-2021-15", Version: "1.0.0", Title: tx("法释〔2021〕15号", "Fa Shi [2021] No. 15"), SHA256: strings.Repeat("ab", 32)},
			{ID: "CN-PIPL", Version: "1.0.0", Title: tx("个人信息保护法", "Personal Information Protection Law"), SHA256: strings.Repeat("cd", 32)}},
		Zones: []audit.Zone{{ID: "Z1", Name: "一层主入口", Kind: "entrance", Public: true}, {ID: "Z2", Name: "服装区", Kind: "sales_floor", Public: true},
			{ID: "Z3", Name: "收银台", Kind: "checkout", Public: true}, {ID: "Z4", Name: "员工通道", Kind: "access"}},
		Rules:     ruleTexts(),
		FactSpecs: factSpecs(),
	}
}

func factSpecs() []audit.FactSpec {
	return []audit.FactSpec{
		{Name: "device.processing", Type: audit.Bool, Merge: audit.MergeAgree, Doc: tx("该设备的画面被用于处理人脸信息", "faces in its picture are processed"),
			Ask: tx("请被检查方书面说明该设备及其后端是否处理人脸信息，并当场打开后台配置界面", "have the operator state in writing whether this device or what stands behind it processes faces, and open the back-end settings")},
		{Name: "consent.separate", Type: audit.Bool, Merge: audit.MergeAgree, Doc: tx("就人脸信息取得了单独同意", "separate consent to face processing was obtained"),
			Ask: tx("单独同意的告知文本样本与同意记录的数量统计（不要姓名）", "a specimen of the separate consent text and counts of consents (no names)")},
		{Name: "site.server_side.attested", Type: audit.Bool, Merge: audit.MergeAgree, Doc: tx("后端清单已经签字确认", "the server side is attested"),
			Ask: tx("请被检查方签字确认后端清单", "have the operator attest the server side")},
		{Name: "face.analyse.active", Type: audit.Bool, Merge: audit.MergeAny, Doc: tx("观察期间设备输出了人脸分析结果", "the device emitted results of face analysis while it was watched"),
			Ask: tx("在营业时段以“sample”权限观察事件和元数据", "watch events and metadata under permit \"sample\" during opening hours")},
	}
}

func ruleTexts() []audit.RuleText {
	spc := func(id string, title, prov, quote audit.Text, sev audit.Severity, burden, status string) audit.RuleText {
		return audit.RuleText{ID: id, Title: title, Provision: prov, Quote: quote, LegalForce: tx("司法解释", "judicial interpretation"), From: "2021-08-01",
			Severity: sev, Burden: burden, TextStatus: status, Source: "最高人民法院公布文本", References: []string{"民法典 1035", "个人信息保护法 17"},
			Applies: `site.venue != ""`, SuspectedIf: `device.processing && device.passive && notice.state == "none"`, ConformsIf: `notice.state == "covering"`,
			Remediation: tx("立即停用属性分析输出；删除已收集数据；依法重新告知并取得单独同意。", "Stop attribute output now, delete collected data, start again only with notice and separate consent.")}
	}
	q22 := tx("（二）未公开处理人脸信息的规则或者未明示处理的目的、方式、范围；", "(2) failing to make public the rules for processing face information, or failing to state expressly the purpose, manner and scope of the processing;")
	return []audit.RuleText{
		spc("SPC-2021-15/COVERT", tx("无告知“无感式”人脸分析", "Face analysis of passers-by without a posted notice"),
			tx("法释〔2021〕15号第二条第（一）（二）项", "Fa Shi [2021] No. 15, Art. 2(1)(2)"),
			tx("（一）在宾馆、商场、银行、车站、机场、体育场馆、娱乐场所等经营场所、公共场所违反法律、行政法规的规定使用人脸识别技术进行人脸验证、辨识或者分析；（二）未公开处理人脸信息的规则或者未明示处理的目的、方式、范围；",
				"(1) using facial recognition technology for face verification, identification or analysis in hotels, shopping malls, banks, stations, airports, stadiums, entertainment venues and other business premises or public places, in violation of laws or administrative regulations; (2) failing to make public the rules for processing face information, or failing to state expressly the purpose, manner and scope of the processing;"),
			audit.Critical, "mixed", "verified"),
		spc("SPC-2021-15/2.2", tx("未公开规则或未明示目的、方式、范围", "Rules not public, or purpose, manner and scope not stated"),
			tx("法释〔2021〕15号第二条第（二）项", "Fa Shi [2021] No. 15, Art. 2(2)"), q22, audit.High, "processor", "verified"),
		spc("SPC-2021-15/2.3", tx("未取得单独同意", "No separate consent"), tx("法释〔2021〕15号第二条第（三）项", "Fa Shi [2021] No. 15, Art. 2(3)"),
			tx("（三）基于个人同意处理人脸信息的，未征得自然人或者其监护人的单独同意，或者未按照法律、行政法规的规定征得自然人或者其监护人的书面同意；",
				"(3) where face information is processed on the basis of individual consent, failing to obtain the separate consent of the natural person or guardian, or failing to obtain written consent as laws or administrative regulations require;"),
			audit.High, "processor", "verified"),
		spc("SPC-2021-15/10.1", tx("物业人脸唯一验证", "Face as the sole way in"), tx("法释〔2021〕15号第十条第一款", "Fa Shi [2021] No. 15, Art. 10(1)"),
			tx("物业服务企业或者其他建筑物管理人以人脸识别作为业主或者物业使用人出入物业服务区域的唯一验证方式……", "Where a property manager makes face recognition the only way for owners or users to enter …"),
			audit.High, "claimant", "verified"),
		spc("CN-PIPL/26", tx("公共场所图像采集设备的提示标识", "Signs at image devices in public places"), tx("个人信息保护法第二十六条", "PIPL Art. 26"),
			tx("在公共场所安装图像采集、个人身份识别设备，应当为维护公共安全所必需，遵守国家有关规定，并设置显著的提示标识。",
				"Image collection and personal identification devices in public places shall be necessary for public security, comply with state provisions, and be marked with conspicuous signs."),
			audit.High, "processor", "secondary"),
	}
}

type cam struct {
	kind   audit.Kind
	vendor string
	model  string
	zone   string
	levels [5]audit.Level // detect, capture, analyse, verify, identify
	attrs  []string
}

func shop() audit.Report {
	r := base()
	r.Run.Simulated = true
	const u, n, c, f, a = audit.Unknown, audit.Absent, audit.Capable, audit.Configured, audit.Active
	cams := []cam{
		{audit.KindCamera, "EXAMPLE", "IPC-F200", "Z1", [5]audit.Level{a, a, a, n, n}, []string{"age", "expression", "gender"}},
		{audit.KindCamera, "EXAMPLE", "IPC-F200", "Z2", [5]audit.Level{a, f, a, u, u}, []string{"age", "gender"}},
		{audit.KindCamera, "EXAMPLE", "IPC-B100", "Z2", [5]audit.Level{n, n, n, n, n}, nil},
		{audit.KindCamera, "EXAMPLE", "IPC-B100", "Z2", [5]audit.Level{n, n, n, n, n}, nil},
		{audit.KindCamera, "ACME Vision", "AV-7 Dome", "Z2", [5]audit.Level{c, c, c, u, u}, []string{"age"}},
		{audit.KindCamera, "ACME Vision", "AV-7 Dome", "Z3", [5]audit.Level{f, f, f, u, u}, []string{"age", "gender"}},
		{audit.KindCamera, "ACME Vision", "AV-2", "Z3", [5]audit.Level{u, u, u, u, u}, nil},
		{audit.KindCamera, "", "", "Z2", [5]audit.Level{u, u, u, u, u}, nil},
		{audit.KindCamera, "Nordlicht", "N-1 Bullet", "Z2", [5]audit.Level{n, n, n, n, n}, nil},
		{audit.KindTerminal, "EXAMPLE", "FT-300", "Z4", [5]audit.Level{c, c, u, f, u}, nil},
		{audit.KindRecorder, "EXAMPLE", "NVR-16", "", [5]audit.Level{c, c, c, c, c}, nil},
		{audit.KindServer, "Customer Insight", "CI-Box", "", [5]audit.Level{a, a, a, u, a}, []string{"age", "gender"}},
		{audit.KindOther, "PrintCo", "LaserJet", "", [5]audit.Level{u, u, u, u, u}, nil},
	}
	for i, x := range cams {
		addDevice(&r, i+1, x)
	}
	r.Devices[0].Outbound = []audit.Outbound{{Host: "192.0.2.60:1883", Inside: true, What: "mqtt-events", Face: true, Because: []string{obsID(1, "live")}},
		{Host: "insight.example.com:443", What: "http-push", Face: true, Because: []string{obsID(1, "config")}}}
	survey := audit.Observation{ID: "o-5e0000000001", Module: "site", Kind: "survey", Class: audit.ClassInspection, At: clock(-60), Status: audit.Declared,
		Detail: "2 个出入口、3 个区域、2 处线上渠道"}
	r.Observations = append(r.Observations, survey)
	r.Facts = append(r.Facts, audit.Fact{Subject: audit.Subject{Kind: audit.SubjectSite, ID: r.Site.ID}, Name: "site.survey.complete",
		Value: audit.Value{V: true}, Because: []string{survey.ID}, Class: audit.ClassInspection})
	shopFindings(&r, survey.ID)
	shopCoverage(&r)
	shopRecall(&r)
	return r
}

// shopRecall adds what was found how: a camera that was not found, two that nobody listed, a channel of the recorder, a device
// of another network on the same wire, and an estimate.
func shopRecall(r *audit.Report) {
	site := func(name string, v any) {
		f := audit.NewFact(name, "", v)
		f.Subject, f.Because, f.Class = audit.Subject{Kind: audit.SubjectSite, ID: r.Site.ID}, []string{}, audit.ClassInventory
		r.Facts = append(r.Facts, f)
	}
	for i := range r.Devices {
		found := audit.NewFact("device.found", "", i != 7)
		found.Subject, found.Because, found.Class = audit.Subject{Kind: audit.SubjectDevice, ID: devID(i + 1)}, []string{}, audit.ClassInventory
		r.Facts = append(r.Facts, found)
	}
	behind := audit.NewFact("device.found", "", true)
	behind.Subject, behind.Because, behind.Class = audit.Subject{Kind: audit.SubjectDevice, ID: devID(14)}, []string{}, audit.ClassInventory
	r.Facts = append(r.Facts, behind)
	for i, d := range []audit.Device{{Kind: audit.KindCamera, Name: "通道 3", Via: devID(11), Channel: "3"},
		{Kind: audit.KindCamera, Vendor: "EXAMPLE", Model: "IPC-N1", Foreign: true, Addresses: []string{"198.51.100.64:80"}, Sources: []string{"sadp"}}} {
		d.ID, d.Face, d.Outbound = devID(14+i), map[audit.Function]audit.FaceState{}, []audit.Outbound{}
		r.Devices = append(r.Devices, d)
	}
	site("site.inventory.missing", []string{"CAM-08"})
	site("site.devices.unlisted", []string{devID(10), devID(12)})
	site("site.survey.cameras", 12)
	site("site.cameras.missing", 2)
	r.Recall = &audit.Recall{Found: 10, Announced: 9, Swept: 9, Both: 8, Estimate: 10.1, Low: 10, High: 13, Usable: true, Missing: 2,
		Lists: []audit.RecallList{{Method: "tcp-connect", Found: 9}, {Method: "mdns", Found: 4}, {Method: "ws-discovery", Found: 8}},
		Note:  tx("推算假定两种方式各自独立地找到设备。", "The estimate assumes that the two ways find devices independently.")}
	many := []string{}
	for i := 40; i < 250; i += 3 {
		many = append(many, fmt.Sprintf("192.0.2.%d-192.0.2.%d", i, i+1))
	}
	r.Coverage = append(r.Coverage, audit.Coverage{Target: "192.0.2.0/24", Module: "tcp-connect", Status: audit.Tried, Addresses: []audit.AddressOutcome{
		{Outcome: audit.ReachedOwn, Count: 3, Ranges: []string{"192.0.2.0", "192.0.2.9", "192.0.2.255"}},
		{Outcome: audit.ReachedAbsent, Count: 2 * len(many), Ranges: many},
		{Outcome: audit.ReachedMute, Count: 1, Ranges: []string{"192.0.2.28"}},
		{Outcome: audit.ReachedOpen, Count: 12, Ranges: []string{"192.0.2.21-192.0.2.27", "192.0.2.29-192.0.2.33"}}}})
}

func obsID(dev int, what string) string {
	return fmt.Sprintf("o-%02d%010x", dev, int(what[0])<<16|int(what[1])<<8|int(what[2]))
}

func devID(i int) string { return fmt.Sprintf("D-%02d", i) }

func addDevice(r *audit.Report, i int, x cam) {
	locus := fmt.Sprintf("192.0.2.%d:80", 20+i)
	d := audit.Device{ID: devID(i), Kind: x.kind, Vendor: x.vendor, Model: x.model, Firmware: "1.4.2", Serial: fmt.Sprintf("SIM%06d", i),
		Addresses: []string{locus}, MACs: []string{fmt.Sprintf("02:00:5e:00:53:%02x", i)}, Sources: []string{"ws-discovery", "inventory"},
		Services: []string{"onvif"}, Loci: []string{locus}, Face: map[audit.Function]audit.FaceState{},
		FirstSeen: clock(0).Format(time.RFC3339), LastSeen: clock(14).Format(time.RFC3339)}
	d.Looked = looked(i, x.vendor)
	if x.zone != "" {
		d.Zones = []string{x.zone}
	}
	if x.kind == audit.KindCamera {
		d.Inventory = fmt.Sprintf("CAM-%02d", i)
	}
	if x.vendor == "" {
		d.Inferred, d.Firmware, d.Serial = true, "", ""
	}
	obs := func(what string, class audit.Class, module, kind string, status audit.Status, min int) string {
		o := audit.Observation{ID: obsID(i, what), Module: module, Kind: kind, Class: class, Endpoint: netip.MustParseAddrPort(locus), Locus: locus,
			At: clock(min), Auth: "digest", Status: status, Evidence: []string{"urn:uuid:00000000-0000-4000-8000-" + fmt.Sprintf("%012d", i*10+min)}}
		if what == "live" {
			o.Until = clock(min + 2)
			o.Data = json.RawMessage(`{"messages": 37, "elements": {"Age": 37, "Gender": 37}}`)
		}
		r.Observations = append(r.Observations, o)
		return o.ID
	}
	obs("inv", audit.ClassInventory, "onvif", "GetDeviceInformation", audit.OK, 1)
	config := obs("config", audit.ClassConfig, "onvif", "GetAnalyticsModules", audit.OK, 2)
	for k, f := range audit.Functions() {
		s := audit.FaceState{Level: x.levels[k]}
		switch s.Level {
		case audit.Active:
			s.Because = []string{obsID(i, "live"), config}
		case audit.Absent, audit.Capable, audit.Configured:
			s.Because = []string{config}
		}
		if f == audit.Analyse {
			s.Attributes = x.attrs
		}
		d.Face[f] = s
	}
	if x.levels[0] == audit.Active {
		obs("live", audit.ClassLive, "onvif", "PullMessages", audit.OK, 4)
	}
	r.Devices = append(r.Devices, d)
}

func finding(r *audit.Report, rule string, dev int, o audit.Outcome, sev audit.Severity, message audit.Text) *audit.Finding {
	f := audit.Finding{Rule: rule, Pack: rule[:strings.Index(rule, "/")] + "@1.0.0", Outcome: o, Severity: sev, Confidence: audit.ConfidenceLow,
		Exemption: "none_claimed", Message: message, Subject: audit.Subject{Kind: audit.SubjectSite, ID: r.Site.ID}}
	if dev > 0 {
		f.Subject = audit.Subject{Kind: audit.SubjectDevice, ID: devID(dev)}
		f.Zones = r.Devices[dev-1].Zones
	}
	for _, t := range r.Rules {
		if t.ID == rule {
			f.Title, f.Provision, f.Burden, f.Remediation = t.Title, t.Provision, t.Burden, t.Remediation
		}
	}
	f.SetFingerprint(r.Site.ID)
	r.Findings = append(r.Findings, f)
	return &r.Findings[len(r.Findings)-1]
}

func shopFindings(r *audit.Report, survey string) {
	for _, i := range []int{1, 2} {
		attrs := tx("年龄、性别", "age, gender")
		if i == 1 {
			attrs = tx("年龄、性别、表情", "age, gender, expression")
		}
		f := finding(r, "SPC-2021-15/COVERT", i, audit.Suspected, audit.Critical, tx(
			fmt.Sprintf("CAM-%02d 在消费者无需配合的情况下输出%s等人脸分析数据（37 条消息，120 秒）；已巡查的 2 个出入口、3 个区域和 2 处线上渠道未见告知人脸信息处理的标识。", i, attrs.ZH),
			fmt.Sprintf("CAM-%02d emits face-analysis data (%s; 37 messages in 120 s) without any action by customers; the survey of 2 entrances, 3 zones and 2 online places found no sign that tells of face processing.", i, attrs.EN)))
		f.Because, f.Confidence = []string{obsID(i, "live"), obsID(i, "config"), survey}, audit.ConfidenceHigh
		g := finding(r, "SPC-2021-15/2.2", i, audit.Suspected, audit.High, tx("已巡查 2 个出入口、3 个区域并检索 2 处线上渠道，未见覆盖该设备的人脸信息处理告知。",
			"The survey of 2 entrances, 3 zones and 2 online places found no notice of face processing that covers this device."))
		g.Because, g.Confidence = []string{obsID(i, "live"), survey}, audit.ConfidenceHigh
		g.Gaps = []string{"notice"}
		h := finding(r, "SPC-2021-15/2.3", i, audit.Suspected, audit.High, tx("采集方式为进入即采集，未提供单独同意材料。", "Capture occurs on entry; no record of separate consent was shown."))
		h.Because, h.Confidence, h.Missing = []string{obsID(i, "live")}, audit.ConfidenceMedium, []string{"consent.separate"}
	}
	for _, i := range []int{5, 6, 7, 8, 10, 11, 12} {
		f := finding(r, "SPC-2021-15/COVERT", i, audit.Undetermined, audit.Critical, tx("现有证据不足以判断该设备是否在处理人脸信息。", "The evidence does not show whether this device processes faces."))
		f.Missing = []string{"device.processing", "site.server_side.attested"}
		f.Requests = []audit.Request{{Fact: "device.processing", Burden: "claimant", Ask: r.FactSpecs[0].Ask}, {Fact: "site.server_side.attested", Burden: "processor", Ask: r.FactSpecs[2].Ask}}
		f.Because = []string{obsID(i, "config")}
	}
	d := finding(r, "CN-PIPL/26", 12, audit.Undetermined, audit.High, tx("两条记录相互矛盾：配置显示未启用，观察期间却有输出。", "Two records contradict each other: the configuration says off, yet results were seen."))
	d.Dispute, d.Missing = []string{obsID(12, "live"), obsID(12, "config")}, []string{"face.analyse.active"}
	for _, i := range []int{3, 4, 9} {
		f := finding(r, "CN-PIPL/26", i, audit.Conforms, audit.High, tx("在观察时段和授权范围内，未发现与该条不一致的情形；本结论不排除观察范围以外的处理活动。",
			"No inconsistency found within the window and scope; processing outside them is not excluded."))
		f.Because = []string{survey}
	}
	finding(r, "SPC-2021-15/10.1", 0, audit.NotApplicable, audit.High, tx("被检查方不是物业服务企业或者其他建筑物管理人。", "The operator is not a property manager."))
}

func shopCoverage(r *audit.Report) {
	cover := func(target, module string, s audit.CoverageStatus, d audit.Text) {
		r.Coverage = append(r.Coverage, audit.Coverage{Target: target, Module: module, Status: s, Detail: d})
	}
	cover("eth1", "ws-discovery", audit.Tried, tx("12 个应答", "12 answers"))
	cover("eth1", "mdns", audit.NotObserved, tx("10 秒内没有应答", "no answer in 10 s"))
	for i := 1; i <= 13; i++ {
		switch i {
		case 7:
			cover(devID(i), "onvif", audit.RefusedBy, tx("设备拒绝所给账号，未再尝试", "the device refused the account given; not tried again"))
		case 8:
			cover(devID(i), "onvif", audit.NoAnswer, tx("连接超时", "connection timed out"))
		case 13:
			cover(devID(i), "onvif", audit.Skipped, tx("不是摄像机", "not a camera"))
		default:
			cover(devID(i), "onvif", audit.Tried, tx("", ""))
		}
		if i < 13 {
			cover(devID(i), "rtsp", audit.Tried, tx("", ""))
		}
	}
	cover("203.0.113.9:80", "onvif", audit.DeniedByUs, tx("设备给出的地址在授权范围之外，只记录不访问", "the device named an address outside the perimeter; recorded, not followed"))
}

func interrupted() audit.Report {
	r := base()
	r.Run = audit.Run{ID: "20261120-103000-SH-0421", Permit: audit.PermitQuery, Complete: false, Why: tx("操作人员中断了检查", "the operator stopped the run")}
	r.Window = audit.Window{From: clock(0), To: clock(1)}
	r.Rules, r.FactSpecs = nil, nil
	r.Coverage = []audit.Coverage{{Target: "eth1", Module: "ws-discovery", Status: audit.Stopped, Detail: tx("检查在完成前被中断", "the run ended first")}}
	return r
}

// hostile is a report whose every free string was chosen to break a sink.
func hostile() audit.Report {
	r := base()
	evil := "<script>alert(1)</script>\x1b[31m\x1b]0;title\x07\u202egnp.exe\u2066\u200b{{.}}\"'`&amp;=cmd|' /C calc'!A0\x00\r\n\tend"
	long := strings.Repeat("很长的名字LongName", 800)
	addDevice(&r, 1, cam{audit.KindCamera, evil, long, "Z1", [5]audit.Level{audit.Active, 9, -1, audit.Capable, audit.Configured}, []string{evil, "age"}})
	d := &r.Devices[0]
	d.Name, d.Serial, d.Firmware, d.Kind = evil, long, evil, audit.Kind(evil)
	d.Outbound = []audit.Outbound{{Host: "javascript:alert(1)//" + evil, What: evil}}
	d.Inventory = evil
	d.Sources = []string{evil, "</style><style>*{display:none}"}
	r.Site.Name, r.Site.Venue = evil, evil
	r.Zones[0].Name = evil
	r.Observations[0].Detail, r.Observations[0].Kind, r.Observations[0].Auth = evil, evil, evil
	r.Observations[0].Evidence = []string{evil, "javascript:alert(2)"}
	f := finding(&r, "SPC-2021-15/COVERT", 1, audit.Suspected, audit.Severity("\x1b[2J<b>"), tx(evil, evil+long))
	f.Because, f.Missing, f.Burden, f.Exemption, f.Gaps = []string{r.Observations[0].ID, evil}, []string{evil}, evil, evil, []string{evil}
	g := finding(&r, "SPC-2021-15/2.2", 1, audit.Outcome(evil), audit.High, tx(evil, ""))
	g.Requests = []audit.Request{{Fact: evil, Burden: evil, Ask: tx(evil, evil)}}
	r.Coverage = []audit.Coverage{{Target: evil, Module: evil, Status: audit.CoverageStatus(evil), Detail: tx(evil, evil)},
		{Target: long, Module: long, Status: audit.NoAnswer, Detail: tx(long, long)}}
	r.Coverage[0].Addresses = []audit.AddressOutcome{{Outcome: audit.Reached(evil), Count: -1, Ranges: []string{evil, long}}}
	r.Recall = &audit.Recall{Found: -1, Estimate: 1e300, Usable: true, Lists: []audit.RecallList{{Method: evil, Found: 1}}, Note: tx(evil, long)}
	d.Via, d.Channel = evil, evil
	r.Rules[0].Source, r.Rules[0].References = "javascript:alert(3)", []string{evil}
	return r
}

// looked is how hard a sample device was looked at: read in full, refused in part, or with no way to ask.
func looked(i int, vendor string) []audit.Looked {
	var out []audit.Looked
	for _, f := range audit.Functions() {
		l := audit.Looked{Function: f, Asked: []audit.Question{{Module: "onvif", Request: "tan:GetRules", Login: true}}}
		switch i % 4 {
		case 1:
			l.Refused = []audit.Question{{Module: "isapi", Request: "GET /ISAPI/Smart/FaceDetect/1", Why: tx("拒绝访问", "refused")}}
			l.Skipped = []audit.Question{{Module: "isapi", Request: "GET /ISAPI/Event/notification/alertStream", Watch: true, Why: tx("本次权限为“login”，须有“sample”才能询问", "this run's permit is login; asking needs sample")},
				{Module: "isapi", Request: "GET /ISAPI/Intelligent/channels/1/faceRule", Moot: true}}
		case 2:
			l.Unknown = vendor != ""
		case 3:
			if f == audit.Identify {
				l.Failed = []audit.Question{{Module: "onvif", Request: "ans:GetAppsInfo", Why: tx("超时", "timed out")}}
			}
		}
		out = append(out, l)
	}
	return out
}
