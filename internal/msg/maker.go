package msg

import "github.com/mingshi-audit/mingshi/audit"

// makerMessages are what modules of makers' own interfaces say of an exchange. Arguments carry explicit indexes (%[1]s), so that
// each language has its own order.
var makerMessages = map[string]audit.Text{
	"probe.uniview.doc":      {ZH: "宇视 LAPI：设备身份、录像机所接摄像机、人脸引擎与人脸检测规则是否启用、人脸比对布控任务；在抓包中辨认设备推送的人脸与比对结果", EN: "Uniview LAPI: who the device is, which cameras are behind a recorder, whether the face engine and face rules are on, and orders to compare faces; in captures, faces and comparisons that devices push"},
	"probe.uniview.progress": {ZH: "读取 %[1]s 的 LAPI", EN: "asking %[1]s over LAPI"},
	"probe.hanwha.doc":       {ZH: "韩华 SUNAPI：设备身份、人脸检测与人脸抓拍上传是否启用，以及经许可观察到的人脸事件", EN: "Hanwha SUNAPI: who the device is, whether face detection and the sending of face crops are on, and face events where watching is allowed"},
	"probe.hanwha.progress":  {ZH: "读取 %[1]s 的 SUNAPI", EN: "asking %[1]s over SUNAPI"},
	"probe.hanwha.watching":  {ZH: "SUNAPI：观察事件状态", EN: "SUNAPI: watching the state of events"},
	"probe.axis.doc":         {ZH: "安讯士 VAPIX：设备身份，以及机内安装的人脸应用（ACAP）及其运行状态", EN: "Axis VAPIX: who the device is, and which face applications (ACAP) are installed on it and running"},
	"probe.axis.progress":    {ZH: "读取 %[1]s 的 VAPIX", EN: "asking %[1]s over VAPIX"},
}
