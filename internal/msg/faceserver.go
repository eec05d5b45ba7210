package msg

import "github.com/mingshi-audit/mingshi/audit"

// faceServerMessages are the sentences about programs that look for faces in other devices' pictures. Arguments carry explicit
// indexes (%[1]s), so that each language has its own order.
var faceServerMessages = map[string]audit.Text{
	"probe.frigate.doc":         {ZH: "Frigate 录像软件：人脸识别是否启用，用于哪些摄像机，是否正在运行（不登录，不读取人员名单）", EN: "Frigate: whether it recognises faces, in the pictures of which cameras, and whether it is at it (no login; the list of persons is not asked for)"},
	"probe.frigate.progress":    {ZH: "读取 %[1]s 的 Frigate 配置", EN: "reading the Frigate configuration of %[1]s"},
	"probe.faceserver.doc":      {ZH: "人脸分析服务（CodeProject.AI、CompreFace、InsightFace-REST、deepface、Viseron、Double Take）：装有哪些模型，是否启用（不登录，不发送图片）", EN: "face analysis services (CodeProject.AI, CompreFace, InsightFace-REST, deepface, Viseron, Double Take): which models are loaded and whether they are switched on (no login, no picture is sent)"},
	"probe.faceserver.progress": {ZH: "询问 %[1]s 的 %[2]s 服务", EN: "asking %[2]s at %[1]s"},
}
