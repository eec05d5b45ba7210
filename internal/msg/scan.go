package msg

import "github.com/mingshi-audit/mingshi/audit"

// scanMessages are the sentences of the progress and the coverage of a scan. Arguments carry explicit indexes (%[1]s), so that
// each language has its own order.
var scanMessages = map[string]audit.Text{
	"scan.fact.device.kind":   {ZH: "设备种类", EN: "what sort of device it is"},
	"scan.ask.device.kind":    {ZH: "现场辨认该设备", EN: "look at the device on site"},
	"scan.fact.device.vendor": {ZH: "设备厂商", EN: "who made the device"},
	"scan.ask.device.vendor":  {ZH: "查看设备铭牌", EN: "read the device's label"},
	"scan.fact.device.model":  {ZH: "设备型号", EN: "the device's model"},
	"scan.ask.device.model":   {ZH: "查看设备铭牌", EN: "read the device's label"},

	"scan.fact.device.listed":          {ZH: "设备在设备清单（inventory）之内", EN: "the device is in the inventory"},
	"scan.ask.device.listed":           {ZH: "请被检查方提供完整的设备清单并与实物核对，填写 inventory", EN: "have the operator give a complete list of devices, compare it with what hangs there and fill in inventory"},
	"scan.fact.device.found":           {ZH: "设备在本次检查中应答或者被听到，或者录像机正在接收它的画面", EN: "the device answered or was heard in this run, or a recorder receives it"},
	"scan.ask.device.found":            {ZH: "到现场查看该设备是否通电、联网，地址有无变更，再检查一次", EN: "see on site whether the device has power, a network and the address it is listed with, and look again"},
	"scan.fact.site.inventory.missing": {ZH: "清单所列而没有找到的设备", EN: "devices of the inventory that were not found"},
	"scan.ask.site.inventory.missing":  {ZH: "以“discover”以上的权限完整检查一次，并对照设备清单", EN: "complete a run with permit \"discover\" or more, with the inventory filled in"},
	"scan.fact.site.devices.unlisted":  {ZH: "找到而清单没有列出的设备", EN: "devices that were found and are not in the inventory"},
	"scan.ask.site.devices.unlisted":   {ZH: "以“discover”以上的权限完整检查一次，并对照设备清单", EN: "complete a run with permit \"discover\" or more, with the inventory filled in"},
	"scan.fact.site.cameras.missing":   {ZH: "没有找到的摄像机至少有几台（依推算、现场清点和设备清单，取其大者）", EN: "how many cameras were not found, at least (by the estimate, the count on site or the inventory, whichever is most)"},
	"scan.ask.site.cameras.missing":    {ZH: "逐区清点摄像机，查明没有找到的各台在哪里、接在哪个网络，再检查一次", EN: "count the cameras zone by zone, find out where those not found are and which network they are on, and look again"},

	// how complete the list of cameras is
	"scan.recall.usable":     {ZH: "推算假定两种方式各自独立地找到设备，是估计而不是清点。", EN: "The estimate assumes that the two ways find devices independently of each other; it is an estimate and no count."},
	"scan.recall.incomplete": {ZH: "检查没有完成，不作推算。", EN: "The run was not completed; nothing is estimated."},
	"scan.recall.none":       {ZH: "没有找到摄像机，无从推算。", EN: "No camera was found; nothing can be estimated."},
	"scan.recall.one-way":    {ZH: "两种方式中只有一种（或者都没有）找到摄像机，无从推算。", EN: "No more than one of the two ways found cameras; nothing can be estimated."},
	"scan.recall.few":        {ZH: "两种方式都找到的只有 %[1]d 台，重合太少，不足以推算还有多少没有找到。", EN: "Found by both ways: only %[1]d, too few to estimate how many others there are."},
	"scan.recall.blind":      {ZH: "关机、断网或者在隔离网段的摄像机，哪种方式都看不到，也不在推算之内；只有现场清点才能发现。", EN: "A camera that is switched off, unplugged or on an isolated network is missed by both ways and is in no estimate; only a count on site can show it."},

	"scan.face.off": {ZH: "规则或模块存在，但读到的状态为关闭或未配置", EN: "the device could, but what was read says switched off or not configured"},

	"scan.denied":           {ZH: "未发送（%[1]s，%[3]d 次）：%[2]s", EN: "not sent (%[1]s, %[3]d times): %[2]s"},
	"scan.foreign":          {ZH: "在范围以外的地址应答：仅记录，未联系", EN: "answered from an address outside the perimeter: recorded, not contacted"},
	"scan.skipped.permit":   {ZH: "本次权限为“%[1]s”，该模块需要“%[2]s”", EN: "this run's permit is %[1]s; the module needs %[2]s"},
	"scan.skipped.alias":    {ZH: "与 %[1]s 是同一设备的另一地址，未重复询问", EN: "another address of the device at %[1]s; not asked again"},
	"scan.skipped.stop":     {ZH: "检查在询问前结束", EN: "the run ended before it was asked"},
	"scan.failed.panic":     {ZH: "模块出错并被隔离：%[1]s", EN: "the module failed and was isolated: %[1]s"},
	"scan.failed.hang":      {ZH: "模块在时限内没有结束，已放弃", EN: "the module did not end in time and was abandoned"},
	"scan.failed.error":     {ZH: "模块无法运行：%[1]s", EN: "the module could not run: %[1]s"},
	"scan.budget":           {ZH: "超过单台设备的总时限，其余询问未进行", EN: "the time for one device was used up; the rest was not asked"},
	"scan.silent":           {ZH: "该端口对先前两种不同的询问都毫无应答，未再询问", EN: "the port had answered nothing to two different questions before; it was not asked again"},
	"scan.login.reference":  {ZH: "未能取得该设备的账号：%[1]s", EN: "the login for this device could not be obtained: %[1]s"},
	"scan.login.none":       {ZH: "未提供该设备的账号，只进行了无需登录的询问", EN: "no login was given for this device; only questions that need none were asked"},
	"scan.login.permit":     {ZH: "本次权限不含登录，账号未使用", EN: "this run's permit does not include login; the login was not used"},
	"scan.inventory.unseen": {ZH: "清单所列设备未找到或无应答", EN: "listed in the inventory, not found or no answer"},

	"scan.step.discover": {ZH: "查找设备：%[1]s", EN: "looking for devices: %[1]s"},
	"scan.step.judge":    {ZH: "正在对照规则", EN: "applying the rules"},
	"scan.step.stopping": {ZH: "正在停止：释放设备上的订阅并保存已取得的记录", EN: "stopping: releasing subscriptions and saving what was gathered"},
	"scan.device.found":  {ZH: "已发现", EN: "found"},
	"scan.device.asking": {ZH: "正在询问（%[1]s）", EN: "asking (%[1]s)"},
	"scan.why.interrupt": {ZH: "检查被中止；报告只含中止前取得的内容", EN: "the run was interrupted; the report holds what was gathered until then"},
	"scan.why.unreached": {ZH: "范围内没有任何设备应答；请核对本机是否接在该网络上、授权网段是否写对", EN: "nothing in the perimeter answered; check that this machine is connected to that network and that the perimeter is the right one"},
	"scan.why.listen":    {ZH: "权限“listen”不发送任何数据，因此没有查看任何设备；要监听请写 --iface 或者 --pcap，要查找和询问设备请把 --permit 提高到场所文件所授权的级别", EN: "the permit \"listen\" sends nothing, so that no device was looked at; to listen give --iface or --pcap, or raise --permit, as far as the site file allows, to find and ask devices"},
	"scan.why.discovery": {ZH: "没有一种查找方式能够运行", EN: "no discovery method could run"},
}
