package msg

import "github.com/mingshi-audit/mingshi/audit"

// guardMessages are the sentences of refusals of the guard. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var guardMessages = map[string]audit.Text{
	// The authority does not allow it: nothing was sent.
	"guard.authority.basis":     {ZH: "授权依据“%[1]s”无效：在 authority.basis 填写 statutory_inspection、owner_consent、court_order 或 self_audit", EN: "the authority has no valid basis (%[1]q): set authority.basis to statutory_inspection, owner_consent, court_order or self_audit"},
	"guard.authority.permit":    {ZH: "要求的权限“%[1]s”超出授权的“%[2]s”：降低 --permit，或取得授权后修改 authority.permit", EN: "permit %[1]q exceeds the authority's %[2]q: lower --permit, or obtain the authority and change authority.permit"},
	"guard.authority.undated":   {ZH: "授权没有完整的有效期：填写 authority.valid.from 和 authority.valid.to", EN: "the authority has no complete period of validity: set authority.valid.from and authority.valid.to"},
	"guard.authority.hours":     {ZH: "authority.hours 无法识别（%[1]s）：起止时间写成 09:00 和 18:30，星期写成 mon 至 sun", EN: "authority.hours cannot be read (%[1]s): write from and to like 09:00 and 18:30, days as mon to sun"},
	"guard.authority.perimeter": {ZH: "授权没有划定网络范围：在 authority.perimeter 列出允许检查的网段", EN: "the authority has no perimeter: list the prefixes that may be audited under authority.perimeter"},
	"guard.authority.prefix":    {ZH: "authority.%[1]s 中有一项不是网段：写成 192.0.2.0/24", EN: "authority.%[1]s has an entry that is no prefix: write it like 192.0.2.0/24"},
	"guard.authority.multicast": {ZH: "网络范围 %[1]s 是组播地址：只列出设备自己的地址", EN: "perimeter %[1]s is multicast: list only the devices' own addresses"},
	"guard.authority.public":    {ZH: "网络范围 %[1]s 含有未明示允许的公网地址：确属被检查方的，在 authority.public 中写明该网段；否则从 authority.perimeter 中删去", EN: "perimeter %[1]s contains public addresses that are not expressly allowed: if they are the operator's, name them under authority.public; otherwise remove them from authority.perimeter"},

	// A single packet, connection or request was refused.
	"guard.denied.address":     {ZH: "不是有效的地址", EN: "not a valid address"},
	"guard.denied.host":        {ZH: "不是主机地址（网络、广播、组播或未指定地址）", EN: "not the address of a host (network, broadcast, multicast or unspecified)"},
	"guard.denied.outside":     {ZH: "不在授权的网络范围内", EN: "outside the authority's perimeter"},
	"guard.denied.route":       {ZH: "系统会经由授权未列出的网络接口前往该地址；请断开其他网络，或核对授权的接口", EN: "the system would reach it through an interface the authority does not name; disconnect other networks, or check the authority's interfaces"},
	"guard.denied.permit":      {ZH: "需要权限“%[1]s”，本次运行为“%[2]s”", EN: "needs permit %[1]q, this run has %[2]q"},
	"guard.denied.valid":       {ZH: "不在授权有效期内（%[1]s 至 %[2]s）：须先取得新的授权并写入场所文件", EN: "outside the authority's validity (%[1]s to %[2]s): a new authority is needed, and has to be in the site file"},
	"guard.denied.hours":       {ZH: "不在授权的时段内（%[1]s，UTC+8）", EN: "outside the authority's hours (%[1]s, UTC+8)"},
	"guard.denied.only":        {ZH: "不是本次运行允许的端点", EN: "not one of the endpoints this run may contact"},
	"guard.denied.pinned":      {ZH: "地址指向另一台主机；连接仍只发往 %[1]s", EN: "the URL names another host; the connection went to %[1]s only"},
	"guard.denied.redirect":    {ZH: "%[1]s 要求转到另一台主机；已记录，未跟随", EN: "%[1]s redirects to another host; recorded, not followed"},
	"guard.denied.userinfo":    {ZH: "地址中带有账号；不使用设备给出的账号", EN: "the URL carries credentials; credentials a device hands out are not used"},
	"guard.denied.interface":   {ZH: "该网络接口不在授权范围内", EN: "the interface is not covered by the authority"},
	"guard.denied.nointerface": {ZH: "授权列出的网络接口不存在或未启用", EN: "the authority names this interface, but it does not exist or is down"},
	"guard.denied.down":        {ZH: "本机没有该网络接口，或者它没有启用", EN: "there is no such interface on this machine, or it is down"},
	"guard.denied.elsewhere":   {ZH: "该接口所在的网络不在授权范围内；确属镜像端口的，在 authority.interfaces 中写明该接口", EN: "the interface belongs to a network outside the perimeter; if it is a mirror port, name it under authority.interfaces"},
	"guard.denied.more":        {ZH: "另有更多被拒绝的对象，仅计数", EN: "more refusals, only counted"},

	// A packet or a request that nobody may send, whatever the authority says.
	"guard.policy.port":      {ZH: "UDP 端口 %[1]d 不在可询问的端口之列", EN: "UDP port %[1]d is not one that is asked anything"},
	"guard.policy.inquiry":   {ZH: "发往 UDP 端口 %[1]d 的数据包不是该协议的询问包", EN: "the datagram to UDP port %[1]d is not that protocol's inquiry"},
	"guard.policy.method":    {ZH: "不使用 HTTP 方法 %[1]s：可能改动设备", EN: "HTTP method %[1]s is not used: it may change the device"},
	"guard.policy.body":      {ZH: "%[1]s 请求不带正文", EN: "a %[1]s request carries no body"},
	"guard.policy.post":      {ZH: "该 POST 请求（%[1]s）不在只查询、不改动的请求之列", EN: "this POST request (%[1]s) is not among those that only query"},
	"guard.policy.writes":    {ZH: "“%[1]s”会改动设备，不发送", EN: "%[1]q would change the device and is not sent"},
	"guard.policy.personal":  {ZH: "“%[1]s”会取得人脸或人员资料，举证不需要，不发送", EN: "%[1]q hands out faces or persons, which no proof needs, and is not sent"},
	"guard.policy.forbidden": {ZH: "请求中含有“%[1]s”，任何情况下不发送", EN: "a request with %[1]q is never sent"},
	"guard.policy.bypass":    {ZH: "请求以参数 auth 绕过登录，任何情况下不发送", EN: "a request with the parameter auth bypasses the login and is never sent"},
	"guard.policy.clear":     {ZH: "“%[1]s”的登录含明文密码，仅在 TLS 加密连接内发送", EN: "the login at %[1]q shows the password and is sent within TLS only"},
	"guard.policy.inference": {ZH: "该端口的 /health 会触发一次人脸推理，不发送", EN: "/health on this port runs a face inference and is not sent"},
}
