package msg

import "github.com/mingshi-audit/mingshi/audit"

// discoverMessages are the sentences of what discovery methods say of their work. Arguments carry explicit indexes (%[1]s),
// so that each language has its own order.
var discoverMessages = map[string]audit.Text{
	"discover.stopped":     {ZH: "运行中断，未完成", EN: "the run was stopped before it was done"},
	"discover.nointerface": {ZH: "本机没有连接在授权网络范围内的网络接口", EN: "this machine has no interface in a network of the perimeter"},

	"discover.inventory.doc":       {ZH: "读取现场文件列出的设备；不发送任何数据", EN: "reads the devices the site file lists; sends nothing"},
	"discover.inventory.noaddress": {ZH: "清单条目 %[1]s 没有地址，只能按 MAC 地址或序列号对应", EN: "inventory entry %[1]s has no address; it can only be matched by MAC or serial number"},
	"discover.inventory.bad":       {ZH: "清单条目 %[1]s 的地址“%[2]s”不是 IP 地址：写成 192.0.2.21 或 192.0.2.21:8081；不查询域名", EN: "inventory entry %[1]s: %[2]q is no IP address: write 192.0.2.21 or 192.0.2.21:8081; names are not looked up"},
	"discover.inventory.outside":   {ZH: "清单条目 %[1]s（%[2]s）不在授权的网络范围内，未联系", EN: "inventory entry %[1]s (%[2]s) lies outside the perimeter and was not contacted"},
	"discover.inventory.done":      {ZH: "清单共 %[1]d 项，其中 %[2]d 项有范围内的地址", EN: "%[1]d inventory entries, %[2]d with an address inside the perimeter"},

	"discover.wsdiscovery.doc":       {ZH: "以 WS-Discovery 组播询问 ONVIF 设备（IPv4 与 IPv6）", EN: "asks for ONVIF devices by WS-Discovery multicast (IPv4 and IPv6)"},
	"discover.wsdiscovery.done":      {ZH: "%[1]s：发送 %[2]d 个询问包，收到 %[3]d 个不同的应答", EN: "%[1]s: %[2]d inquiries sent, %[3]d different answers"},
	"discover.wsdiscovery.failed":    {ZH: "%[1]s：无法组播询问：%[2]s", EN: "%[1]s: could not ask by multicast: %[2]s"},
	"discover.wsdiscovery.foreign":   {ZH: "其中 %[1]d 个来自网络范围之外，已记录，未联系", EN: "%[1]d of them from outside the perimeter, recorded and not contacted"},
	"discover.wsdiscovery.malformed": {ZH: "%[1]d 个数据包无法识别", EN: "%[1]d datagrams could not be read"},
	"discover.wsdiscovery.unrelated": {ZH: "%[1]d 个数据包不是对本次询问的应答", EN: "%[1]d datagrams were no answer to our inquiry"},
	"discover.wsdiscovery.dropped":   {ZH: "%[1]d 个数据包因同一来源过多而未读取", EN: "%[1]d datagrams were not read, as their source sent too many"},
	"discover.wsdiscovery.xaddr":     {ZH: "%[1]s 声明的服务地址指向网络范围之外；已记录，不联系", EN: "%[1]s announces a service address outside the perimeter; recorded, not contacted"},

	"discover.mdns.doc":     {ZH: "以 mDNS 浏览摄像机和录像机的服务类型", EN: "browses mDNS for the service types of cameras and recorders"},
	"discover.mdns.done":    {ZH: "%[1]s：浏览 %[2]d 种服务类型，发现 %[3]d 个地址", EN: "%[1]s: browsed %[2]d service types, %[3]d addresses announced"},
	"discover.mdns.foreign": {ZH: "其中 %[1]d 条指向网络范围之外，已记录，未联系", EN: "%[1]d entries point outside the perimeter, recorded and not contacted"},
	"discover.mdns.failed":  {ZH: "%[1]d 种服务类型无法浏览：%[2]s", EN: "%[1]d service types could not be browsed: %[2]s"},
	"discover.mdns.direct":  {ZH: "未能另以自有端口直接询问：%[1]s", EN: "could not also ask from a port of its own: %[1]s"},

	"discover.tcp.doc":      {ZH: "对网络范围内的地址逐一尝试摄像机常用端口的 TCP 连接，连通即断开", EN: "connects to the usual camera ports of every address of the perimeter and closes at once"},
	"discover.tcp.done":     {ZH: "扫描 %[1]d 个地址的 %[2]d 个端口：%[3]d 个有开放端口，%[4]d 个在线但均未开放，%[5]d 个无响应，%[6]d 个在链路层不存在；跳过 %[7]d 个（本机、网络或广播地址）", EN: "%[1]d addresses, %[2]d ports each: %[3]d with an open port, %[4]d present with none open, %[5]d silent, %[6]d absent on the link; %[7]d skipped (own, network or broadcast address)"},
	"discover.tcp.progress": {ZH: "%[1]s：已扫描 %[2]d/%[3]d 个地址，%[4]d 个有开放端口", EN: "%[1]s: %[2]d of %[3]d addresses, %[4]d with an open port"},
	"discover.tcp.failed":   {ZH: "%[1]d 个地址因本机故障未能扫描：%[2]s", EN: "%[1]d addresses could not be tried, as this machine failed: %[2]s"},
	"discover.tcp.denied":   {ZH: "%[1]d 个地址被拒绝：%[2]s", EN: "%[1]d addresses were refused: %[2]s"},
	"discover.tcp.loopback": {ZH: "回环网段超过 %[1]d 个地址，不扫描", EN: "a loopback prefix of more than %[1]d addresses is not swept"},
	"discover.tcp.ipv6":     {ZH: "IPv6 网段过大，不逐一扫描；请在清单中列出设备地址", EN: "an IPv6 prefix this large is not swept; list the devices' addresses in the inventory"},
	"discover.tcp.big":      {ZH: "网络范围合计超过 %[1]d 个地址，本网段不扫描；请在清单中列出设备地址，或缩小网段", EN: "the perimeter exceeds %[1]d addresses and this prefix is not swept; list the devices in the inventory or name smaller prefixes"},
}
