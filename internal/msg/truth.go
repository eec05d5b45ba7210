package msg

import "github.com/mingshi-audit/mingshi/audit"

// truthMessages are the sentences about how sure a statement is: where sources disagree, how hard was looked, what rests on a
// model's name alone, whose host a receiver is.
var truthMessages = map[string]audit.Text{
	"scan.face.dispute":      {ZH: "来源对%[1]s的说法相互矛盾，不作认定。肯定：%[2]s；否定：%[3]s", EN: "sources contradict each other about %[1]s; it is left open. Yes: %[2]s. No: %[3]s"},
	"scan.face.dispute.more": {ZH: "%[1]s等共 %[2]d 项", EN: "%[1]s and others, %[2]d in all"},
	"scan.face.inferred":     {ZH: "仅由型号推断，设备自身没有说明；是否具备、是否启用均须另行查证", EN: "inferred from the model alone; the device said nothing of it: whether it can, and whether it is on, is still to be established"},

	"scan.face.off.partial":  {ZH: "读到的规则或模块均为关闭，但能够判定的设置没有全部（登录后）读到，不能据此认定未启用", EN: "every rule or module that was read is switched off, but not all that would decide was read with a login: this does not show that it is off"},
	"scan.face.none.partial": {ZH: "读到的列表中没有，但负责配置该功能的接口没有（登录后）完整读到，不能据此认定没有", EN: "what was read lists none, but the interface that would configure it was not read in full with a login: this does not show that there is none"},

	"scan.looked.permit":  {ZH: "本次权限为“%[1]s”，须有“%[2]s”才能询问", EN: "this run's permit is %[1]s; asking needs %[2]s"},
	"scan.looked.login":   {ZH: "须登录才能询问，本次没有可用的账号", EN: "needs a login, and none was to be had"},
	"scan.looked.refused": {ZH: "须登录才能询问，设备没有接受所用账号", EN: "needs a login, and the device did not accept the one it was shown"},
	"scan.looked.moot":    {ZH: "依此前的回答无须询问", EN: "earlier answers gave no reason to ask"},

	"rule.disputed.sides": {ZH: "对“%[1]s”的观察相互矛盾：%[2]s为肯定，%[3]s为否定。", EN: " Observations disagree about “%[1]s”: %[2]s says yes, %[3]s says no."},
	"rule.disputed.side":  {ZH: "%[1]s（%[2]s）", EN: "%[1]s (%[2]s)"},

	"report.h.looked":        {ZH: "人脸功能查到什么程度", EN: "How far face functions were looked into"},
	"report.looked.answered": {ZH: "已回答", EN: "answered"},
	"report.looked.refused":  {ZH: "被拒绝", EN: "refused"},
	"report.looked.failed":   {ZH: "未得结果", EN: "no usable answer"},
	"report.looked.skipped":  {ZH: "未询问", EN: "not asked"},
	"report.looked.login":    {ZH: "已登录", EN: "with a login"},
	"report.looked.unknown":  {ZH: "本工具不掌握向该厂商设备询问此项功能的办法：没有查看，不等于没有", EN: "this program does not know how to ask this maker's device about it: not looked at, which is not the same as not there"},
	"report.looked.nothing":  {ZH: "没有从该设备得到任何回答（没有应答，或者无法直接询问）", EN: "nothing was learnt from the device itself: it did not answer, or could not be asked"},
	"report.looked.line":     {ZH: "%[1]s %[2]d", EN: "%[1]s %[2]d"},
	"report.looked.legend":   {ZH: "计数为能够判定该功能是否启用的问题；逐项问题和原因见 explain 和网页报告。没有办法询问，不等于没有该功能。", EN: "Counted are the questions that could decide whether a function is on; each of them, with the reason, is in explain and in the web page. What the program has no question for was not looked at, which is not the same as not there."},
	"report.looked.blind":    {ZH: "不掌握该厂商的询问办法", EN: "no question known for this maker"},
	"report.looked.and":      {ZH: "；", EN: "; "},

	"report.l.inferred_model": {ZH: "（由型号推断）", EN: " (inferred from the model)"},
	"report.meta.data":        {ZH: "数据文件", EN: "Data file"},
	"report.meta.replaced":    {ZH: "用户替换", EN: "the user's own"},

	"outbound.means.face-api":        {ZH: "该主机主要提供人脸接口：应查明发往该处的是什么；内容未见到，仅凭主机名不能说明已发送人脸", EN: "the host serves face functions and little else: find out what is sent there; what it holds was not seen, and the name alone does not say that faces were sent"},
	"outbound.means.cloud-ai":        {ZH: "该主机提供多种智能服务，人脸只是其中之一：仅凭主机名不能说明用途", EN: "the host serves many functions of which faces are one: the name alone does not say what for"},
	"outbound.means.device-cloud":    {ZH: "设备厂商的云平台：可远程观看和推送事件，不能说明其中有人脸", EN: "the maker's own cloud: remote viewing and events; it does not say that faces are among them"},
	"outbound.means.store-analytics": {ZH: "客流或门店分析服务商：是否涉及人脸须看其功能和合同", EN: "a service that counts or analyses customers: whether faces are used is for its functions and contract to show"},
	"outbound.hearsay":               {ZH: "%[1]s（主机归属仅据一般了解，待核）", EN: "%[1]s (whose host it is rests on general knowledge; to be checked)"},

	"cli.flag.data":    {ZH: "用该文件夹中的数据文件（指纹、型号、云主机等）替换内置的同名文件", EN: "data files (fingerprints, models, hosts) of this folder replace the built-in ones of the same name"},
	"cli.bad.data":     {ZH: "数据文件夹 %[1]s 无法使用：%[2]s", EN: "the data folder %[1]s cannot be used: %[2]s"},
	"cli.data.unknown": {ZH: "文件 %[1]s 不是已知的数据文件；可以替换的有：%[2]s", EN: "%[1]s is no data file this program knows; these can be replaced: %[2]s"},
}
