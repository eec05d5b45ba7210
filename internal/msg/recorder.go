package msg

import "github.com/mingshi-audit/mingshi/audit"

// recorderMessages are the sentences about recorders and the cameras behind them. Arguments carry explicit indexes (%[1]s), so
// that each language has its own order.
var recorderMessages = map[string]audit.Text{
	"probe.isapi.doc":      {ZH: "海康威视 ISAPI：设备身份、录像机所接的摄像机、人脸功能的能力与开关、结果发往何处，以及经许可观察到的报警", EN: "Hikvision ISAPI: who the device is, which cameras are behind a recorder, what it could do and does with faces, where results go, and alarms where watching is allowed"},
	"probe.isapi.progress": {ZH: "读取 %[1]s 的 ISAPI", EN: "asking %[1]s over ISAPI"},
	"probe.isapi.watching": {ZH: "ISAPI：观察报警事件流", EN: "ISAPI: watching the stream of alarms"},
	"probe.dahua.doc":      {ZH: "大华 CGI：设备身份、录像机所接的摄像机，以及人脸功能的能力、配置、实时事件与外发去向", EN: "Dahua CGI: who the device is, which cameras are behind a recorder, what it does with faces and where results go"},
	"probe.dahua.events":   {ZH: "监看 %[1]s 的大华事件", EN: "watching the events of %[1]s over Dahua's CGI"},
	"probe.dahua.progress": {ZH: "读取 %[1]s 的大华 CGI 接口", EN: "asking %[1]s over Dahua's CGI"},

	"scan.channel.outside":  {ZH: "只有录像机（%[1]s）知道，录像机所说的地址在检查范围以外：未联系，人脸功能未知", EN: "known only from the recorder %[1]s, at an address outside the perimeter: not asked, and what it does with faces is unknown"},
	"scan.channel.unnamed":  {ZH: "只有录像机（%[1]s）知道，录像机没有给出地址：无法直接询问，人脸功能未知", EN: "known only from the recorder %[1]s, which names no address: it could not be asked, and what it does with faces is unknown"},
	"scan.channel.silent":   {ZH: "只有录像机（%[1]s）知道，在录像机所说的地址没有应答：人脸功能未知", EN: "known only from the recorder %[1]s; nothing answered where the recorder says it is, and what it does with faces is unknown"},
	"scan.channel.unasked":  {ZH: "只有录像机（%[1]s）知道，录像机所说的地址在范围内，但本次没有询问：人脸功能未知", EN: "known only from the recorder %[1]s, at an address inside the perimeter that was not asked in this run; what it does with faces is unknown"},
	"scan.channel.listed":   {ZH: "录像机列出 %[1]d 个通道：%[2]d 个确有摄像机，%[3]d 个接口未接设备，%[4]d 个是否接有摄像机不能确定", EN: "channels the recorder lists: %[1]d; with a camera: %[2]d; sockets with nothing on them: %[3]d; not known whether there is a camera: %[4]d"},
	"scan.channel.unlisted": {ZH: "录像机没有说明接有哪些摄像机：其后的摄像机未知", EN: "the recorder did not say what is behind it; the cameras there are unknown"},
	"scan.channel.several":  {ZH: "录像机经 %[1]s 与 %[2]s 给出的通道清单编号不同，不能相互对应，按前者登记", EN: "the recorder's lists by %[1]s and %[2]s number the channels differently and cannot be matched; the first is used"},
}
