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

	"discover.mdns.doc":     {ZH: "以 mDNS 浏览摄像机和录像机的服务类型", EN: "browses mDNS for the service types of cameras and recorders"},
	"discover.mdns.done":    {ZH: "%[1]s：浏览 %[2]d 种服务类型，发现 %[3]d 个地址", EN: "%[1]s: browsed %[2]d service types, %[3]d addresses announced"},
	"discover.mdns.foreign": {ZH: "其中 %[1]d 条指向网络范围之外，已记录，未联系", EN: "%[1]d entries point outside the perimeter, recorded and not contacted"},
	"discover.mdns.failed":  {ZH: "%[1]d 种服务类型无法浏览：%[2]s", EN: "%[1]d service types could not be browsed: %[2]s"},
	"discover.mdns.direct":  {ZH: "未能另以自有端口直接询问：%[1]s", EN: "could not also ask from a port of its own: %[1]s"},

	"discover.tcp.doc":    {ZH: "对网络范围内的地址逐一尝试摄像机常用端口的 TCP 连接，连通即断开", EN: "connects to the usual camera ports of every address of the perimeter and closes at once"},
	"discover.tcp.done":   {ZH: "扫描 %[1]d 个地址的 %[2]d 个端口：%[3]d 个有开放端口，%[4]d 个在线但均未开放，%[5]d 个无响应，%[6]d 个在本网段内无人应答；跳过 %[7]d 个（本机、网络或广播地址）", EN: "%[1]d addresses, %[2]d ports each: %[3]d with an open port, %[4]d present with none open, %[5]d silent, %[6]d nobody on the link answered for; %[7]d skipped (own, network or broadcast address)"},
	"discover.tcp.asks":   {ZH: "TCP 连接；经路由器的地址先以 ping 和 5 个端口探询", EN: "TCP connections; behind a router first a ping and 5 ports"},
	"discover.tcp.routed": {ZH: "经路由器到达：先以 ping 和 %[1]d 个端口探询，有任何应答才试其余端口；对两者都不应答的设备不会被发现", EN: "behind a router: asked by ping and at %[1]d ports first, and at the others after any answer; a device that answers neither is not found"},

	"discover.neighbours.doc":     {ZH: "在本机所在的网段逐一询问谁在使用每个地址（ARP、IPv6 邻居）", EN: "asks in this machine's own networks who uses each address (ARP, IPv6 neighbours)"},
	"discover.neighbours.asks":    {ZH: "ARP 请求；无此权限时向每个地址发一个 WS-Discovery 数据包并读取系统邻居表；IPv6 为 ff02::1 的 ICMP 回显", EN: "ARP requests; without that right one WS-Discovery datagram to each address, and the system's neighbour table; in IPv6 an ICMP echo to ff02::1"},
	"discover.neighbours.arp":     {ZH: "在 %[3]s 上发送 %[1]d 个 ARP 请求，%[2]d 个地址有人应答", EN: "%[1]d ARP requests on %[3]s, %[2]d addresses answered"},
	"discover.neighbours.table":   {ZH: "在 %[3]s 上发送 %[1]d 个数据包后读取系统邻居表，%[2]d 个地址有人应答", EN: "%[1]d datagrams on %[3]s, then the system's neighbour table: %[2]d addresses answered"},
	"discover.neighbours.blind":   {ZH: "%[3]s 上无法查询邻居（已发送 %[1]d，应答 %[2]d），改为逐一连接", EN: "neighbours cannot be asked for on %[3]s (%[1]d sent, %[2]d answered); every address is connected to instead"},
	"discover.neighbours.loss":    {ZH: "约 %[1]d%% 的询问未获应答，已加问", EN: "about %[1]d%% of the questions went unanswered, more were asked"},
	"discover.neighbours.dropped": {ZH: "系统丢弃了 %[1]d 个应答", EN: "the system dropped %[1]d answers"},
	"discover.tcp.failed":         {ZH: "%[1]d 个地址因本机故障未能扫描：%[2]s", EN: "%[1]d addresses could not be tried, as this machine failed: %[2]s"},
	"discover.noroute":            {ZH: "本机没有通往该网段的路由，什么也没有发出；请核对本机是否接在该网络上、授权网段是否写对", EN: "this machine knows no way to that network, and nothing was sent; check that it is connected there and that the perimeter is the right one"},
	"discover.unicast.nowhere":    {ZH: "%[1]d 个地址没有可用的路由，未询问", EN: "there is no way that may be used to %[1]d addresses, which were not asked"},
	"discover.tcp.denied":         {ZH: "%[1]d 个地址被拒绝：%[2]s", EN: "%[1]d addresses were refused: %[2]s"},
	"discover.tcp.loopback":       {ZH: "回环网段超过 %[1]d 个地址，不扫描", EN: "a loopback prefix of more than %[1]d addresses is not swept"},
	"discover.tcp.ipv6":           {ZH: "IPv6 网段过大，不逐一扫描；请在清单中列出设备地址", EN: "an IPv6 prefix this large is not swept; list the devices' addresses in the inventory"},
	"discover.tcp.big":            {ZH: "网络范围合计超过 %[1]d 个地址，本网段不扫描；请在清单中列出设备地址，或缩小网段", EN: "the perimeter exceeds %[1]d addresses and this prefix is not swept; list the devices in the inventory or name smaller prefixes"},
}
