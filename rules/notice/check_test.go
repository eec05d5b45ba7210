package notice

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

const fullNotice = `人脸信息处理告知
本店（上海某某商业有限公司，电话400-123-4567，邮箱privacy@example.com）在正门入口、收银区使用人脸识别摄像机。
一、处理目的：统计客流、改善服务。二、处理方式：自动抓拍人脸图像，在本地设备分析年龄、性别，不与您的身份关联。
三、处理范围：正门入口及收银区；种类包括面部图像、年龄段、性别。四、保存期限：7日，期满自动删除。
五、必要性：统计客流须以入口图像为基础。对您权益的影响：可能推断您的年龄段和性别。
六、您可以查阅、复制、删除您的信息，也可以撤回同意或者投诉。不同意的顾客可走东侧通道，不影响购物。
七、我们不会向任何第三方提供上述信息。不满十四周岁的未成年人由监护人决定。需要语音播报的老年人、残疾人请至服务台。
完整规则请扫描下方二维码。`

// texts are written after what hangs in shops, stations, hotels and housing estates.
var texts = []struct {
	name    string
	text    string
	present []Element
	denies  bool
	methods []string
	purpose []string
}{
	{"inside cameras", "内有监控", nil, false, []string{VideoRecording}, nil},
	{"video area", "您已进入视频监控区域", []Element{Scope}, false, []string{VideoRecording}, nil},
	{"24 hours", "温馨提示：本区域24小时监控录像，请保管好随身物品。", []Element{Scope}, false, []string{VideoRecording}, nil},
	{"police sign", "公共安全视频图像采集区域", []Element{Manner, Scope}, false, []string{VideoRecording}, []string{"public_security"}},
	{"full notice", fullNotice, Elements(), false, []string{AttributeAnalysis, FaceCapture, Identification, VideoRecording},
		[]string{"footfall_stats", "service_quality"}},
	{"denial", "郑重承诺：本店不采集人脸信息，监控录像仅用于安全防范。", []Element{Purpose, Processor}, true, []string{VideoRecording}, []string{"public_security"}},
	{"no such function", "本店摄像机无人脸识别功能。", []Element{Processor}, true, []string{VideoRecording}, nil},
	{"switched off", "本商场人脸识别功能已关闭。", []Element{Processor}, true, nil, nil},
	{"not needed", "入园无需刷脸，请出示门票。", nil, true, nil, []string{"access_control"}},
	{"never", "我们绝不收集、使用您的面部特征。", []Element{Processor}, true, nil, nil},
	{"conditional denial affirms", "未经您单独同意，我们不会采集您的人脸信息。", []Element{Face, Manner, Scope, Processor}, false, []string{FaceCapture}, nil},
	{"no provision is no denial", "本店人脸信息仅供门禁使用，不会将人脸信息提供给第三方。", []Element{Face, Processor, Recipients}, false, nil, []string{"access_control"}},
	{"who does not agree", "如您不同意采集人脸，可选择刷卡或人工通道。", []Element{Face, Manner, Choice}, false, []string{FaceCapture}, nil},
	{"pay by face", "刷脸支付 请正对摄像头", []Element{Face, Manner}, false, []string{Verification, VideoRecording}, []string{"payment"}},
	{"counter card", "刷脸支付服务由某某支付有限公司提供，用于核验您的付款身份，详见《刷脸支付服务协议》及隐私政策。",
		[]Element{Face, Purpose, Manner, Processor, Rules}, false, []string{Verification}, []string{"payment"}},
	{"app clause", "在您使用刷脸登录功能时，我们会收集您的面部识别特征，用于验证您的身份。您可以在“设置-隐私”中撤回授权。我们将委托某某科技有限公司提供技术服务。",
		[]Element{Face, Purpose, Manner, Scope, Processor, Rights, Recipients}, false, []string{FaceCapture, Verification}, nil},
	{"repeat visitors", "本店启用会员识别系统：进店抓拍人脸并与会员库比对，便于为您提供更好服务。", []Element{Face, Purpose, Manner, Processor}, false,
		[]string{FaceCapture, Identification}, []string{"repeat_visitor"}},
	{"traditional characters", "本場所使用人臉識別技術，目的為維護公共安全。", []Element{Face, Purpose, Manner}, false, []string{Identification}, []string{"public_security"}},
	{"full width and broken lines", "人 脸\n识 别 区域，联系电话：０２１－１２３４５６７８", []Element{Face, Manner, Scope, Contact}, false, []string{Identification}, nil},
	{"destination is no purpose", "前往目的地请走东门，人脸识别闸机。", []Element{Face, Manner}, false, []string{Identification}, nil},
	{"English sign", "Facial recognition in use. Faces are scanned for the purpose of crime prevention. Images and templates are deleted after 24 hours. Controller: Example Stores Ltd, privacy@example.com. Scan the QR code for our full privacy policy.",
		[]Element{Face, Purpose, Manner, Processor, Contact, Retention, Rules}, false, []string{Identification}, []string{"public_security"}},
	{"English denial", "CCTV in operation for your safety. We do not use facial recognition.", []Element{Processor}, true, []string{VideoRecording}, []string{"public_security"}},
	{"English without consent", "We do not collect face data without your consent.", []Element{Face, Manner, Scope, Processor}, false, []string{FaceCapture}, nil},
	{"mall decal", "For your safety and security this mall is under video surveillance. www.example.com/privacy", []Element{Rules}, false, []string{VideoRecording}, []string{"public_security"}},
	{"epidemic", "因疫情防控需要，请摘下口罩进行人脸识别测温。", []Element{Face, Manner}, false, []string{Identification}, []string{"epidemic"}},
	{"empty", "", nil, false, nil, nil},
}

func TestCheck(t *testing.T) {
	for _, c := range texts {
		r := Check(c.text, true)
		var want []string
		for _, e := range Elements() {
			if slices.Contains(c.present, e) {
				want = append(want, string(e))
			}
		}
		got := r.With(Present)
		if len(want) == 0 && len(got) == 0 {
			got = nil
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: present (-want +got): %s", c.name, d)
		}
		if r.Denies() != c.denies {
			t.Errorf("%s: denies %v, want %v", c.name, r.Denies(), c.denies)
		}
		slices.Sort(c.methods)
		if d := cmp.Diff(c.methods, nilIfEmpty(r.Stated.Methods)); d != "" {
			t.Errorf("%s: methods: %s", c.name, d)
		}
		if d := cmp.Diff(c.purpose, nilIfEmpty(r.Stated.Purposes)); d != "" {
			t.Errorf("%s: purposes: %s", c.name, d)
		}
		if part := Check(c.text, false); len(part.With(Absent)) > 0 || len(part.With(Present)) != len(r.With(Present)) {
			t.Errorf("%s: a part of a text lacks nothing for certain: %v", c.name, part.With(Absent))
		}
	}
}

func nilIfEmpty(l []string) []string {
	if len(l) == 0 {
		return nil
	}
	return l
}

func TestRead(t *testing.T) {
	yes := true
	base := audit.Notice{ID: "N", Kind: "posted_sign", Status: "present", Location: audit.NoticeLocation{Zone: "Z1", BeforeCapture: &yes}}
	with := func(f func(*audit.Notice)) Reading {
		n := base
		f(&n)
		return Read(n)
	}
	if r := with(func(n *audit.Notice) { n.Text = "人脸识别"; n.OCR = &audit.OCR{Tool: "x"} }); len(r.With(Unclear)) != 15 || r.Firm {
		t.Errorf("machine-read text decides: %v", r.Hits)
	}
	if r := with(func(n *audit.Notice) { n.Text = "人脸识别"; n.OCR = &audit.OCR{Tool: "x", ConfirmedBy: "李某"} }); r.State(Face) != Present {
		t.Errorf("confirmed text does not count")
	}
	if r := with(func(n *audit.Notice) { n.Text = "人脸识别"; n.Rules = &audit.RulesAt{QR: true} }); r.State(Rules) != Present {
		t.Errorf("a recorded QR code is no N11")
	}
	if r := with(func(n *audit.Notice) { n.Methods = []string{VideoRecording} }); r.State(Face) != Unclear || len(r.Inferred) != 0 || !r.Makes() {
		t.Errorf("without a text: %+v", r)
	}
	if r := with(func(n *audit.Notice) { n.Text = "人脸抓拍"; n.Methods = []string{VideoRecording} }); !slices.Equal(r.Stated.Methods, []string{VideoRecording}) || slices.Contains(r.Inferred, "methods") {
		t.Errorf("what the inspector filled in does not stand: %+v", r.Stated)
	}
	if r := with(func(n *audit.Notice) { n.DeclaredBy = "operator" }); r.Firm {
		t.Error("an operator's word is firm")
	}
	if r := with(func(n *audit.Notice) { n.Text = "本店不采集人脸信息" }); !r.Makes() {
		t.Error("a denial is a statement")
	}
}

func TestWanted(t *testing.T) {
	at := func(s string) time.Time { m, _ := audit.ParseMoment(s); return m.T }
	if got := Wanted("PIPL/17", at("2021-10-31")); got != nil {
		t.Errorf("before PIPL: %v", got)
	}
	if got := Wanted("SPC-2021-15/2.2", at("2021-08-01")); !slices.Equal(got, []Element{Face, Purpose, Manner, Scope, Rules}) {
		t.Errorf("on the first day: %v", got)
	}
	if got := Provisions(Necessity, at("2026-01-01")); !slices.Equal(got, []string{"PIPL/30", "NDSR/21", "FRT19/5"}) {
		t.Errorf("provisions that want N9: %v", got)
	}
}

// FuzzCheck: no text makes the checker panic; each element gets one answer; a span is part of the text; a part of a text
// never lacks anything for certain.
func FuzzCheck(f *testing.F) {
	for _, c := range texts {
		f.Add(c.text, true)
	}
	f.Add(strings.Repeat("不", 3000)+"人脸", false)
	f.Add("\xff人\u202e脸\x00识别", true)
	f.Fuzz(func(t *testing.T, text string, full bool) {
		r := Check(text, full)
		if len(r.Hits) != 15 {
			t.Fatalf("%d answers", len(r.Hits))
		}
		for _, h := range r.Hits {
			if h.State == Absent && !full {
				t.Errorf("%s absent from a part", h.Element)
			}
			if h.State == Present && h.Denied || utf8.RuneCountInString(h.Span) > 80 {
				t.Errorf("%+v", h)
			}
			if utf8.ValidString(text) && len(text) < maxText && !strings.Contains(text, h.Span) {
				t.Errorf("%q is not in the text", h.Span)
			}
		}
	})
}
