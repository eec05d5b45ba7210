package msg

import "github.com/mingshi-audit/mingshi/audit"

// Modules for makers of whose interfaces less is known.
var makers2Messages = map[string]audit.Text{
	"probe.holosens.doc":      {ZH: "华为 HoloSens SDC：设备身份、人脸库数量与是否布防、元数据外发对象", EN: "Huawei HoloSens SDC: who the device is, how many face libraries it has and whether they are armed, where its metadata goes"},
	"probe.holosens.progress": {ZH: "读取 %[1]s 的 SDCAPI", EN: "asking %[1]s over SDCAPI"},
	"probe.reolink.doc":       {ZH: "Reolink：设备身份，各通道能否及是否正在检测人脸；登录须明文提交密码，仅在 TLS 加密连接内进行", EN: "Reolink: who the device is, whether each channel can detect faces and does; its login shows the password and is sent within TLS only"},
	"probe.reolink.progress":  {ZH: "读取 %[1]s 的 Reolink 接口", EN: "asking %[1]s over Reolink's interface"},
	"probe.tplink.doc":        {ZH: "TP-Link VIGI OpenAPI：仅识别设备；人脸功能的接口未公开", EN: "TP-Link VIGI OpenAPI: recognised only; how it would say anything about faces is not published"},
	"probe.tplink.progress":   {ZH: "向 %[1]s 请求 OpenAPI 质询", EN: "asking %[1]s for the OpenAPI's challenge"},
	"probe.protect.doc":       {ZH: "UniFi Protect：各摄像机能否及是否设为检测人脸，控制台是否开启人脸识别；登录须明文提交密码，仅在 TLS 加密连接内进行", EN: "UniFi Protect: whether each camera can detect faces and is set to, and whether the console recognises them; its login shows the password and is sent within TLS only"},
	"probe.protect.progress":  {ZH: "读取 %[1]s 的 UniFi Protect", EN: "asking %[1]s over UniFi Protect"},
	"probe.zk.doc":            {ZH: "中控（ZKTeco）终端：只作识别，询问其协议须先建立会话，故不发送任何内容；在抓包中辨认终端向服务器上传的刷脸记录与人脸模板（不保存任何人的信息）", EN: "ZKTeco terminals: recognised only, since their protocol answers nothing before a session is opened, so nothing is sent; in captures, recognises records of passing by face and face templates on their way to the server (nothing of a person is kept)"},
	"probe.zk.progress":       {ZH: "查看 %[1]s 的 4370 端口", EN: "looking at port 4370 of %[1]s"},
}
