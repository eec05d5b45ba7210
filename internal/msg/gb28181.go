package msg

import "github.com/mingshi-audit/mingshi/audit"

var gb28181Messages = map[string]audit.Text{
	"probe.gb28181.doc": {ZH: "GB/T 28181：从设备与视频平台之间的 SIP 信令中辨认设备、平台和通道；只监听，不发送任何数据包。接入平台不等于采集人脸", EN: "GB/T 28181: recognises devices, the video platform they report to and its channels from their SIP messages; listens only and sends nothing. Reporting to a platform says nothing of faces"},
}
