package msg

import "github.com/mingshi-audit/mingshi/audit"

// vocabulary holds the words for the closed vocabularies of the program and of the site file, under "word.<term>".
var vocabulary = map[string]audit.Text{
	// functions
	"word.detect":   {ZH: "人脸检测", EN: "face detection"},
	"word.capture":  {ZH: "人脸抓拍", EN: "face capture"},
	"word.analyse":  {ZH: "人脸分析", EN: "face analysis"},
	"word.verify":   {ZH: "人脸验证", EN: "face verification"},
	"word.identify": {ZH: "人脸辨识", EN: "face identification"},
	// levels
	"word.unknown":    {ZH: "未查明", EN: "unknown"},
	"word.absent":     {ZH: "经登录核查未见", EN: "none found on authenticated enumeration"},
	"word.capable":    {ZH: "具备能力", EN: "capable"},
	"word.configured": {ZH: "已配置启用", EN: "configured"},
	"word.active":     {ZH: "正在输出", EN: "active"},
	// attributes
	"word.age":         {ZH: "年龄", EN: "age"},
	"word.gender":      {ZH: "性别", EN: "gender"},
	"word.expression":  {ZH: "表情", EN: "expression"},
	"word.emotion":     {ZH: "情绪", EN: "emotion"},
	"word.complexion":  {ZH: "肤色", EN: "complexion"},
	"word.temperature": {ZH: "体温", EN: "temperature"},
	"word.accessory":   {ZH: "佩戴物", EN: "accessories"},
	"word.features":    {ZH: "面部特征", EN: "facial features"},
	"word.pose":        {ZH: "头部姿态", EN: "pose"},
	// outcomes
	"word.suspected":      {ZH: "涉嫌不符", EN: "suspected"},
	"word.conforms":       {ZH: "未发现不符", EN: "conforms"},
	"word.undetermined":   {ZH: "证据不足", EN: "undetermined"},
	"word.not-applicable": {ZH: "不适用", EN: "not applicable"},
	// severities
	"word.critical": {ZH: "特别严重", EN: "critical"},
	"word.high":     {ZH: "严重", EN: "high"},
	"word.medium":   {ZH: "中等", EN: "medium"},
	"word.low":      {ZH: "轻微", EN: "low"},
	"word.info":     {ZH: "提示", EN: "info"},
	// device kinds
	"word.camera":   {ZH: "摄像机", EN: "camera"},
	"word.recorder": {ZH: "录像机", EN: "recorder"},
	"word.terminal": {ZH: "门禁考勤终端", EN: "terminal"},
	"word.server":   {ZH: "服务器", EN: "server"},
	"word.other":    {ZH: "其他设备", EN: "other"},
	// who bears the burden
	"word.claimant":  {ZH: "主张权利的一方", EN: "claimant"},
	"word.processor": {ZH: "信息处理者", EN: "processor"},
	"word.mixed":     {ZH: "双方分担", EN: "shared"},
}
