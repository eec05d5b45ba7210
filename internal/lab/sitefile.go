package lab

import (
	"fmt"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// SiteYAML returns the site file of this shop: a survey that is complete and signed, one sign, and the devices its operator
// knows of. The perimeter is exactly the loopback addresses in use; credentials are references that Credential resolves.
func (s *Shop) SiteYAML() []byte {
	now := s.opened.In(audit.CST())
	day := func(days int) string { return now.AddDate(0, 0, days).Format("2006-01-02") }
	at := func(before time.Duration) string { return now.Add(-before).Format(time.RFC3339) }
	var perimeter []string
	for _, p := range s.Perimeter() {
		perimeter = append(perimeter, p.String())
	}
	var inventory strings.Builder
	for _, r := range s.Devices() {
		if !r.Spec.Place.Inventoried {
			continue
		}
		fmt.Fprintf(&inventory, "  - {id: %s, address: \"%s\", zone: %s, name: %q", r.Name, r.Addr, r.Spec.Place.Zone, r.Spec.Label)
		if r.Credential != "" && !r.Spec.Place.NoLogin {
			fmt.Fprintf(&inventory, ", credentials: \"%s\"", r.Credential)
		}
		inventory.WriteString("}\n")
	}
	list := inventory.String()
	if list == "" {
		list = "  []\n"
	}
	return fmt.Appendf(nil, siteText, day(-1), day(1), strings.Join(perimeter, ", "), list, at(50*time.Minute), at(10*time.Minute), at(12*time.Minute), at(45*time.Minute))
}

// siteText takes: valid from, valid to, perimeter, inventory, survey from, survey to, online check at, gate test at.
const siteText = `# 模拟门店的检查登记表 · site file of a simulated shop. Nobody and nothing in it is real.
schema: mingshi.site/v1
site:
  id: DEMO-0001
  name: 某某服饰 示范店 (模拟)
  venue: shop
  jurisdiction: [CN, CN-31]
  processor: {name: 某某服饰有限公司 (模拟), contact: 400-000-0000}

# 谁授权、授权到哪里、到什么程度。范围之外一个数据包也不会发出。
# Who allowed what. Nothing outside the perimeter is ever contacted.
authority:
  basis: self_audit
  granted_by: {name: 示例负责人, title: 店长}
  contact: 示例负责人 400-000-0000
  valid: {from: %[1]s, to: %[2]s}
  perimeter: [%[3]s]
  permit: sample

# 经营者说有哪些设备。名单之外的设备由程序自行发现。
# The devices the operator knows of. Others have to be found.
inventory:
%[4]s
zones:
  - {id: Z1, name: 正门入口, kind: entrance, public: true}
  - {id: Z2, name: 卖场, kind: sales_floor, public: true}
  - {id: Z3, name: 收银台, kind: checkout, public: true}
  - {id: Z4, name: 仓库, kind: warehouse, public: false}
  - {id: Z5, name: 员工通道闸机, kind: gate, public: false}
  - {id: Z6, name: 后勤通道, kind: staff, public: false}

# 现场巡查：走遍了全部入口与区域，并查了网上。没有完整且署名的巡查，“没有告知”就不能认定。
# The survey. Without a complete and signed one, "no notice" cannot be established.
survey:
  complete: true
  walked: {entrances: [Z1, Z5], zones: [Z1, Z2, Z3, Z4, Z5, Z6]}
  at: {from: %[5]s, to: %[6]s}
  by:
    - {name: 示例检查员甲, cert: DEMO-001}
    - {name: 示例检查员乙, cert: DEMO-002}
  online_checked:
    - {url: "https://shop.example/privacy", at: %[7]s, found: false}
    - {app: 会员小程序, at: %[7]s, found: false}

notices:
  - id: N-001
    kind: posted_sign
    status: present
    declared_by: inspector
    location: {zone: Z1, position: 门右侧立柱, height_m: 1.6, before_capture: true, distance_to_camera_m: 2.5}
    conspicuous: {size_mm: [297, 210], min_char_mm: 40, lit: true, unobstructed: true}
    covers: {zones: [Z1, Z2, Z3], cameras: ["*"], hours: always}
    language: [zh-CN]
    text: 内有监控
    methods: [video_recording]
    posted_on: 2024-05-20

gates:
  - {id: G1, zone: Z5, face: true, others: [card], issued_on_request: true, test: {at: %[8]s, method: card, ok: true, by: 示例检查员甲}}
`

// Substitute fills a site file written for devices whose addresses are not known beforehand: {{cam-01}} becomes the address
// and port of that device, {{cam-01.ip}} its address, {{cam-01.credentials}} the reference of its account, and {{perimeter}}
// the list of addresses in use. A name the shop does not have stays as it is.
func (s *Shop) Substitute(text []byte) []byte {
	var perimeter []string
	for _, p := range s.Perimeter() {
		perimeter = append(perimeter, p.String())
	}
	pairs := []string{"{{perimeter}}", strings.Join(perimeter, ", ")}
	for _, r := range s.Devices() {
		pairs = append(pairs,
			"{{"+r.Name+"}}", r.Addr.String(),
			"{{"+r.Name+".ip}}", r.Addr.Addr().String(),
			"{{"+r.Name+".credentials}}", r.Credential,
			"{{"+r.Name+".rtsp}}", r.RTSP.String())
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
}
