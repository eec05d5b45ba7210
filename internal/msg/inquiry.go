package msg

import "github.com/mingshi-audit/mingshi/audit"

// inquiryMessages are the sentences of the discovery methods that ask a whole network one question. Arguments carry explicit
// indexes (%[1]s), so that each language has its own order.
var inquiryMessages = map[string]audit.Text{
	"discover.inquiry.done":        {ZH: "%[1]s：发送 %[2]d 个询问包，收到 %[3]d 个不同的应答", EN: "%[1]s: %[2]d inquiries sent, %[3]d different answers"},
	"discover.inquiry.failed":      {ZH: "%[1]s：无法向本网段询问：%[2]s", EN: "%[1]s: could not ask this network: %[2]s"},
	"discover.inquiry.partly":      {ZH: "部分询问包未能发出：%[1]s", EN: "some inquiries could not be sent: %[1]s"},
	"discover.inquiry.foreign":     {ZH: "其中 %[1]d 个的来源或自报地址在网络范围之外，已记录，未联系", EN: "%[1]d of them from outside the perimeter or claiming an address there, recorded and not contacted"},
	"discover.inquiry.malformed":   {ZH: "%[1]d 个数据包无法识别", EN: "%[1]d datagrams could not be read"},
	"discover.inquiry.unrelated":   {ZH: "%[1]d 个数据包不是对本次询问的应答", EN: "%[1]d datagrams were no answer to our inquiry"},
	"discover.inquiry.dropped":     {ZH: "%[1]d 个数据包因同一来源过多而未读取", EN: "%[1]d datagrams were not read, as their source sent too many"},
	"discover.inquiry.xaddr":       {ZH: "%[1]s 声明的服务地址指向网络范围之外；已记录，不联系", EN: "%[1]s announces a service address outside the perimeter; recorded, not contacted"},
	"discover.inquiry.deaf":        {ZH: "未能监听 UDP 端口 %[1]d，发往该端口的应答收不到：%[2]s", EN: "could not listen on UDP port %[1]d, so answers to it were not heard: %[2]s"},
	"discover.inquiry.nobroadcast": {ZH: "该网络接口没有可用的广播地址，未询问", EN: "this interface has no broadcast address to use; nothing was asked"},

	"discover.wsdiscovery.doc":  {ZH: "以 WS-Discovery 组播查找 ONVIF 设备（IPv4 与 IPv6）", EN: "asks for ONVIF devices by WS-Discovery multicast (IPv4 and IPv6)"},
	"discover.wsdiscovery.asks": {ZH: "向 239.255.255.250 和 ff02::c 的 UDP 3702 发 WS-Discovery Probe（三种类型）", EN: "WS-Discovery Probes for three types, to 239.255.255.250 and ff02::c, UDP 3702"},

	"discover.unicast.doc":    {ZH: "对组播到达不了的地址，逐一以 WS-Discovery 询问", EN: "asks single addresses by WS-Discovery where multicast does not pass"},
	"discover.unicast.asks":   {ZH: "每个地址一个 WS-Discovery Probe（UDP 3702）；本网段内只问确有主机的地址", EN: "one WS-Discovery Probe to each address, UDP 3702; on networks of our own only where somebody is"},
	"discover.unicast.done":   {ZH: "逐一询问 %[1]d 个地址，收到 %[2]d 个不同的应答", EN: "%[1]d addresses asked one by one, %[2]d different answers"},
	"discover.unicast.failed": {ZH: "%[1]d 个地址未能询问：%[2]s", EN: "%[1]d addresses could not be asked: %[2]s"},
	"discover.unicast.local":  {ZH: "本机回环网段，组播已可到达", EN: "this machine's own loopback, which multicast reaches"},
	"discover.unicast.ipv6":   {ZH: "经路由器到达的 IPv6 网段不逐一询问", EN: "an IPv6 prefix behind a router is not asked one by one"},
	"discover.unicast.big":    {ZH: "经路由器到达且超过 %[1]d 个地址的网段，不逐一询问", EN: "a prefix behind a router with more than %[1]d addresses is not asked one by one"},

	"discover.mdns.asks": {ZH: "向 224.0.0.251 和 ff02::fb 的 UDP 5353 询问摄像机等的服务类型（DNS PTR 查询）", EN: "DNS queries for the service types of cameras, to 224.0.0.251 and ff02::fb, UDP 5353"},

	"discover.ssdp.doc":      {ZH: "以 SSDP（UPnP）查找设备", EN: "asks for UPnP devices by SSDP"},
	"discover.ssdp.asks":     {ZH: "向 239.255.255.250 的 UDP 1900 发 M-SEARCH；不读取设备描述", EN: "M-SEARCH to 239.255.255.250, UDP 1900; no description is read"},
	"discover.sadp.doc":      {ZH: "以 SADP 查找海康威视及其贴牌设备", EN: "asks for devices of Hikvision and its labels by SADP"},
	"discover.sadp.asks":     {ZH: "向 239.255.255.250 和广播地址的 UDP 37020 发 SADP inquiry", EN: "SADP inquiry to 239.255.255.250 and broadcast, UDP 37020"},
	"discover.dhip.doc":      {ZH: "以 DHDiscover 查找大华及其贴牌设备", EN: "asks for devices of Dahua and its labels by DHDiscover"},
	"discover.dhip.asks":     {ZH: "向 239.255.255.251 和广播地址的 UDP 37810 发 DHDiscover.search", EN: "DHDiscover.search to 239.255.255.251 and broadcast, UDP 37810"},
	"discover.dvrip.doc":     {ZH: "以早期广播协议查找大华设备", EN: "asks for older devices of Dahua by their first broadcast protocol"},
	"discover.dvrip.asks":    {ZH: "向广播地址的 UDP 5050 发 32 字节的查询", EN: "a query of 32 bytes to broadcast, UDP 5050"},
	"discover.hanwha.doc":    {ZH: "查找韩华（原三星）摄像机", EN: "asks for cameras of Hanwha (formerly Samsung)"},
	"discover.hanwha.asks":   {ZH: "向广播地址的 UDP 7701 发查询，在 7711 收应答", EN: "a query to broadcast, UDP 7701; answers come to 7711"},
	"discover.bosch.doc":     {ZH: "查找博世摄像机", EN: "asks for cameras of Bosch"},
	"discover.bosch.asks":    {ZH: "向广播地址的 UDP 1757 发查询，在 1758 收应答", EN: "a query to broadcast, UDP 1757; answers come to 1758"},
	"discover.sony.doc":      {ZH: "查找索尼摄像机", EN: "asks for cameras of Sony"},
	"discover.sony.asks":     {ZH: "向广播地址的 UDP 2380 发 ENQ:allinfo", EN: "ENQ:allinfo to broadcast, UDP 2380"},
	"discover.ipro.doc":      {ZH: "查找 i-PRO（原松下）摄像机", EN: "asks for cameras of i-PRO (formerly Panasonic)"},
	"discover.ipro.asks":     {ZH: "向广播地址的 UDP 10670 发查询，在 10669 收应答", EN: "a query to broadcast, UDP 10670; answers come to 10669"},
	"discover.vivotek.doc":   {ZH: "查找晶睿（Vivotek）摄像机", EN: "asks for cameras of Vivotek"},
	"discover.vivotek.asks":  {ZH: "向广播地址的 UDP 10000 发查询", EN: "a query to broadcast, UDP 10000"},
	"discover.tplink.doc":    {ZH: "以 TDP 查找普联（TP-Link）设备", EN: "asks for devices of TP-Link by TDP"},
	"discover.tplink.asks":   {ZH: "向广播地址的 UDP 20002、20004 发 16 字节的 TDP 查询", EN: "a TDP query of 16 bytes to broadcast, UDP 20002 and 20004"},
	"discover.xiongmai.doc":  {ZH: "查找雄迈及其贴牌设备", EN: "asks for devices of Xiongmai and its labels"},
	"discover.xiongmai.asks": {ZH: "向广播地址的 UDP 34569 发 20 字节的查询", EN: "a query of 20 bytes to broadcast, UDP 34569"},

	"probe.viid.doc":      {ZH: "GA/T 1400 视图库：以标准中唯一不涉及任何人的请求（取系统时间）识别平台；在抓包中辨认上传的人脸、订阅与布控告警（不保存任何人的信息）", EN: "GA/T 1400: recognises a platform by the one request of the standard that concerns nobody, for the time; in captures, recognises faces that are sent, subscriptions and hits of watch lists (nothing of a person is kept)"},
	"probe.viid.progress": {ZH: "询问 %[1]s 是否为视图库平台", EN: "asking %[1]s whether it is a GA/T 1400 platform"},

	"probe.upnp.doc":      {ZH: "读取设备通过 SSDP 公布的 UPnP 描述（厂商、型号）", EN: "reads the UPnP description a device publishes over SSDP (maker, model)"},
	"probe.upnp.progress": {ZH: "读取 %[1]s 的 UPnP 描述", EN: "reading the UPnP description at %[1]s"},
}
