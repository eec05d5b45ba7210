package msg

import "github.com/mingshi-audit/mingshi/audit"

// egressMessages are the sentences about what was only overheard: who announced themselves, and whom devices talk to outside.
var egressMessages = map[string]audit.Text{
	"probe.announce.doc": {ZH: "被动清点：从 ARP、DHCP、mDNS、WS-Discovery、SSDP 和各厂商的通告中得知有哪些设备；不发送任何数据包", EN: "passive inventory: who is there, from ARP, DHCP, mDNS, WS-Discovery, SSDP and the makers' own announcements; sends nothing"},
	"probe.egress.doc":   {ZH: "对外联络：哪台设备与哪家摄像机云平台或者人脸服务通信，以及能看到什么程度（只查了域名、发起连接、有加密数据往来、请求可读）；只看名单内的主机，不发送任何数据包", EN: "outbound traffic: which device talks to which camera cloud or face service, and how far that shows (name asked for, connection begun, unread data both ways, request read); looks at listed hosts only and sends nothing"},

	"probe.fact.outbound.seen": {ZH: "监听到的与名单内主机的通信，及其程度（域名查询、发起连接、有数据往来但内容未见、请求可读）", EN: "traffic with listed hosts that was overheard, and how far it shows: name asked for, connection begun, unread data both ways, request read"},
	"probe.ask.outbound.seen":  {ZH: "在设备上联端口监听一段时间，或者提供该时段的抓包文件", EN: "listen at the device's uplink for a while, or produce a capture of it"},

	"scan.fact.outbound.face.hosts": {ZH: "接收人脸结果的接收方", EN: "those receivers that get face results"},
	"scan.ask.outbound.face.hosts":  {ZH: "逐一核对各接收方收到的内容是否包含人脸", EN: "check of each receiver whether what it gets includes faces"},

	"rule.fact.outbound.recipients": {ZH: "授权范围以外接收人脸结果的主机", EN: "hosts outside the perimeter that get face results"},
	"rule.ask.outbound.recipients":  {ZH: "读取设备的上传、推送与云平台配置，或者监听其对外通信，查明人脸结果发往何处", EN: "read the device's upload, push and cloud settings, or listen to its outbound traffic, to see where face results go"},
	"rule.fact.recipient.other":     {ZH: "接收方是另一个个人信息处理者", EN: "the recipient is another processor"},
	"rule.ask.recipient.other":      {ZH: "请被检查方说明各接收地址属于谁、自行决定处理目的和方式还是受托处理，填写 recipients", EN: "have the operator say whose the receiving addresses are, and whether the recipient decides purpose and manner itself or processes on instructions; fill in recipients"},
	"rule.fact.recipient.others":    {ZH: "接收方中的其他个人信息处理者", EN: "those recipients that are other processors"},
	"rule.ask.recipient.others":     {ZH: "请被检查方说明各接收地址属于谁、以何种身份接收，填写 recipients", EN: "have the operator say whose the receiving addresses are and in what capacity they receive; fill in recipients"},
	"rule.fact.recipient.unnamed":   {ZH: "公示未列明的其他个人信息处理者", EN: "other processors that no notice names"},
	"rule.ask.recipient.unnamed":    {ZH: "核对公示是否列明这些接收方的名称，填写 notices 的 scope.recipients", EN: "check whether a notice names these recipients; fill in scope.recipients under notices"},
	"rule.fact.recipient.entrusted": {ZH: "有委托处理合同覆盖该传输（个人信息保护法第二十一条）", EN: "a contract of entrusted processing covers the transfer (PIPL 21)"},
	"rule.ask.recipient.entrusted":  {ZH: "请被检查方提供委托处理合同，核对目的、期限、方式、信息种类和保护措施，填写 recipients", EN: "have the operator produce the contract of entrusted processing; check purpose, term, manner, kinds of information and protection; fill in recipients"},

	"rule.fact.technology.identifies": {ZH: "所用技术以人脸信息识别个人身份", EN: "faces are used to identify individual persons"},
	"rule.ask.technology.identifies":  {ZH: "查明系统是否比对身份或者为个人分配持续编号；只读取属性的是否适用，由有权机关判断", EN: "establish whether the system compares identities or gives persons a lasting number; whether attributes alone fall under the provision is for the competent authority"},
	"rule.fact.technology.research":   {ZH: "仅用于技术研发、算法训练", EN: "it serves research or the training of algorithms alone"},
	"rule.ask.technology.research":    {ZH: "请被检查方提供只用于技术研发、算法训练的材料，由检查人员核实并以 declarations 记录", EN: "have the operator produce material that it serves research or the training of algorithms alone; an inspector checks it and records it under declarations"},
	"rule.fact.transfer.internet":     {ZH: "互联网上接收人脸结果的主机", EN: "hosts on the Internet that get face results"},
	"rule.ask.transfer.internet":      {ZH: "查明人脸结果发往的主机是否在互联网上：读取上传、推送与云平台配置，或者监听对外通信", EN: "establish whether the hosts that get face results are on the Internet: read the upload, push and cloud settings, or listen to outbound traffic"},
	"rule.fact.transfer.within":       {ZH: "本地接收人脸结果的主机", EN: "hosts on site that get face results"},
	"rule.ask.transfer.within":        {ZH: "查明本地有哪些服务器接收人脸结果", EN: "establish which servers on site get face results"},
	"rule.fact.storage.on_device":     {ZH: "人脸信息只存储于人脸识别设备内", EN: "information about faces is kept within the face recognition device alone"},
	"rule.ask.storage.on_device":      {ZH: "请被检查方书面确认人脸信息存储在哪里（server_side.stores_faces）；存储于本地服务器是否属于“设备内”，由有权机关判断", EN: "have the operator confirm in writing where face information is kept (server_side.stores_faces); whether a server on site is within the device is for the competent authority"},
	"rule.fact.outbound.read":         {ZH: "已经登录读取设备向何处发送结果的设置", EN: "where the device sends its results was read with a login"},
	"rule.ask.outbound.read":          {ZH: "提供登录，读取设备的上传、推送与云平台配置；只是没有看到，不能说明没有传输", EN: "give a login and read the device's upload, push and cloud settings; that nothing was seen does not show that nothing is sent"},
	"rule.fact.consent.transfer":      {ZH: "单独同意的内容包括向互联网传输", EN: "the separate consent extends to transfer over the Internet"},
	"rule.ask.consent.transfer":       {ZH: "调取同意书，核对是否写明人脸信息存储于设备以外或者通过互联网传输", EN: "obtain the consent form and check whether it states that face information is kept outside the device or sent over the Internet"},

	"outbound.seen.resolved":  {ZH: "只见到域名查询：设备有访问意图，未见连接", EN: "only its name was asked for: intent, no connection was seen"},
	"outbound.seen.attempted": {ZH: "只见到发起连接，未见数据往来", EN: "a connection was begun; no data both ways were seen"},
	"outbound.seen.in-use":    {ZH: "有数据往来，内容未读；流量大小不能说明其中有人脸", EN: "data went both ways, unread; their amount says nothing of faces"},
	"outbound.seen.readable":  {ZH: "以明文传输，请求行可读", EN: "in clear: the requests could be read"},
	"outbound.seen.means":     {ZH: "%[1]s。%[2]s", EN: "%[1]s. %[2]s"},
}
