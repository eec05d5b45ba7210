package all

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

var update = flag.Bool("update", false, "write the pages of docs/modules again")

const pages = "../../docs/modules"

// TestPages: every module has a page that says what it asks and what it can state, made from the module itself.
func TestPages(t *testing.T) {
	want := map[string][]byte{"README.md": index(Modules())}
	for _, m := range Modules() {
		want[m.Name+".md"] = page(m)
	}
	if *update {
		if err := os.MkdirAll(pages, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range want {
		file := filepath.Join(pages, name)
		if *update {
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s is stale (%v): go test ./probe/all -update", name, err)
		}
	}
	entries, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := want[e.Name()]; ok {
			continue
		}
		if !*update {
			t.Errorf("%s describes no module: go test ./probe/all -update", e.Name())
		} else if err := os.Remove(filepath.Join(pages, e.Name())); err != nil {
			t.Error(err)
		}
	}
}

// TestHears: a module that listens says to what, and every protocol has its words.
func TestHears(t *testing.T) {
	for _, m := range Modules() {
		if (m.Dissect == nil) != (len(m.Hears) == 0) {
			t.Errorf("%s hears %v", m.Name, m.Hears)
		}
		for _, p := range m.Hears {
			if protocols[p].ZH == "" || protocols[p].EN == "" {
				t.Errorf("%s: %s has no words", m.Name, p)
			}
		}
	}
}

// TestAsks: what a module may ask is complete and is told without contradiction.
func TestAsks(t *testing.T) {
	for _, m := range Modules() {
		if m.Probe != nil && len(m.Asks) == 0 {
			t.Errorf("%s asks and does not say what", m.Name)
		}
		least := audit.PermitSample
		decides := map[audit.Function]bool{}
		for _, q := range m.Asks {
			if q.Request == "" || q.Kind == "" || q.Needs == audit.PermitNone {
				t.Errorf("%s: incomplete question %+v", m.Name, q)
			}
			least = min(least, q.Needs)
			for _, f := range q.Decides {
				if !slices.Contains(audit.Functions(), f) {
					t.Errorf("%s: %s decides %q", m.Name, q.Request, f)
				}
				decides[f] = true
			}
		}
		if len(m.Asks) > 0 && least > m.Needs && m.Needs != audit.PermitNone {
			t.Errorf("%s needs %s, and its first question %s", m.Name, m.Needs, least)
		}
		for _, f := range audit.Functions() {
			stated := slices.ContainsFunc(m.Facts, func(s audit.FactSpec) bool {
				return s.Name == audit.FactName(f, audit.Configured) || s.Name == audit.FactName(f, audit.Active)
			})
			if decides[f] && !stated {
				t.Errorf("%s: its questions decide %s, and it has no fact for it", m.Name, f)
			}
		}
	}
}

func index(modules []probe.Module) []byte {
	var b bytes.Buffer
	b.WriteString("# 模块 · Modules\n\n本页及各模块页由程序生成，请勿手工修改。These pages are generated from the program; do not edit them.\n\n| 模块 Module | 说明 | What it is |\n|---|---|---|\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", m.Name, m.Name, cell(m.Doc.ZH), cell(m.Doc.EN))
	}
	return b.Bytes()
}

func page(m probe.Module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n\n", m.Name, m.Doc.ZH, m.Doc.EN)
	fmt.Fprintf(&b, "所需最低权限 / least permit: `%s`\n\n", m.Needs)
	if m.Elsewhere != nil {
		fmt.Fprintf(&b, "有些厂商在自有接口中配置人脸功能；对其设备，本接口的回答可以证明“已启用”，不能证明“没有”。\n\nSome makers configure face functions through an interface of their own. Of their devices, what this one answers can show that a function is on, and never that there is none.\n\n")
	}
	b.WriteString("## 询问什么 / What it asks\n\n")
	if len(m.Asks) == 0 {
		b.WriteString("什么也不问。It asks nothing.\n\n")
	} else {
		b.WriteString("| 请求 Request | 权限 Permit | 登录 Login | 能判定 Decides |\n|---|---|---|---|\n")
		for _, q := range m.Asks {
			login := ""
			if q.Login {
				login = "是 yes"
			}
			var zh, en []string
			for _, f := range q.Decides {
				zh, en = append(zh, msg.Word(string(f)).ZH), append(en, msg.Word(string(f)).EN)
			}
			decides := ""
			if len(zh) > 0 {
				decides = strings.Join(zh, "、") + " · " + strings.Join(en, ", ")
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", cell(q.Request), q.Needs, login, decides)
		}
		b.WriteString("\n“登录”指设备通常要求登录才回答；“能判定”指回答能说明该功能是否启用，而不只是“具备能力”。\n\n" +
			"*Login*: devices usually want one for it. *Decides*: the answer can establish more of the function than that the device could.\n\n")
	}
	heard(&b, m)
	b.WriteString("## 从不发送 / Never sent\n\n" +
		"表中没有的请求一律不发送。不修改任何设置，不读取人脸库中的人员、照片或特征，不猜测口令；每台设备每次检查只用检查人员提供的账号登录一次，被拒绝后不再尝试。\n\n" +
		"A request that is not in the table is not sent. No setting is changed, no person, picture or template is read from a library, no password is guessed; the login the operator gave is tried once per device and run, and never again after a refusal.\n\n")
	b.WriteString("## 能说明哪些事实 / Which facts it can state\n\n")
	if len(m.Facts) == 0 {
		b.WriteString("不说明任何与人脸有关的事实：只辨认设备。None about faces: it only says who the device is.\n")
		return b.Bytes()
	}
	b.WriteString("| 事实 Fact | 含义 | What it says |\n|---|---|---|\n")
	for _, f := range m.Facts {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, cell(f.Doc.ZH), cell(f.Doc.EN))
	}
	return b.Bytes()
}

// heard says what of a capture the module reads.
func heard(b *bytes.Buffer, m probe.Module) {
	if m.Dissect == nil {
		return
	}
	b.WriteString("## 在抓包中读什么 / What it reads in captures\n\n| 协议 Protocol | 内容 | What |\n|---|---|---|\n")
	for _, p := range m.Hears {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", p, protocols[p].ZH, protocols[p].EN)
	}
	b.WriteString("\n监听不发送任何数据。只说明听到的事实：没有听到、听不全或者已加密，都不说明设备没有该功能。姓名、编号、照片、特征和相似度不保存。\n\n" +
		"Listening sends nothing. Only what was heard is stated: that nothing was heard, not all of it, or that it was encrypted, does not say that a device lacks a function. Names, numbers of persons, pictures, templates and likenesses are not kept.\n\n")
}

// protocols says what a module gets of each.
var protocols = map[capture.Proto]audit.Text{
	capture.ProtoARP:      {ZH: "ARP 报文", EN: "ARP packets"},
	capture.ProtoUDP:      {ZH: "发现类协议的 UDP 报文", EN: "datagrams of discovery protocols"},
	capture.ProtoDNS:      {ZH: "DNS 与 mDNS 报文", EN: "DNS and mDNS messages"},
	capture.ProtoHTTP:     {ZH: "未加密的 HTTP 请求与应答", EN: "HTTP requests and answers in clear"},
	capture.ProtoPart:     {ZH: "持续应答（事件流）的各部分", EN: "parts of answers that do not end: streams of events"},
	capture.ProtoRTSP:     {ZH: "RTSP 请求与应答", EN: "RTSP requests and answers"},
	capture.ProtoSIP:      {ZH: "SIP 请求与应答", EN: "SIP requests and answers"},
	capture.ProtoMetadata: {ZH: "RTP 元数据轨的文档", EN: "documents of RTP metadata tracks"},
	capture.ProtoMQTT:     {ZH: "MQTT 发布的消息", EN: "messages published over MQTT"},
	capture.ProtoTLS:      {ZH: "TLS 握手中的服务器名称", EN: "the server's name in TLS handshakes"},
	capture.ProtoQUIC:     {ZH: "QUIC 握手中的服务器名称", EN: "the server's name in QUIC handshakes"},
	capture.ProtoTCP:      {ZH: "未识别的 TCP 会话的开头", EN: "the first bytes of TCP conversations that are none of these"},
	capture.ProtoEnd:      {ZH: "会话的字节数与时长", EN: "how much passed in a conversation, and how long"},
}

// cell is text within a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "\\|")
}
