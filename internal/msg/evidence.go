package msg

import "github.com/mingshi-audit/mingshi/audit"

// evidenceMessages are the sentences of writing, reading and verifying bundles. Arguments carry explicit indexes (%[1]s), so
// that each language has its own order.
var evidenceMessages = map[string]audit.Text{
	"evidence.create.notempty": {
		ZH: "文件夹 %[1]s 已有内容，证据包不会与旧文件混在一起：请用 -o 指定新的或空的文件夹，或先将其移走",
		EN: "%[1]s is not empty, and a bundle is never mixed with older files: name a new or empty folder with -o, or move this one away",
	},
	"evidence.open.notbundle":     {ZH: "不是证据包文件夹（没有 bagit.txt）", EN: "it is not the folder of a bundle (there is no bagit.txt)"},
	"evidence.create.inside":      {ZH: "%[1]s 在证据包 %[2]s 之内，写入会改动那份证据：请用 -o 指定别的位置", EN: "%[1]s lies inside the bundle %[2]s, and writing there would change that evidence: name another place with -o"},
	"evidence.verify.missing":     {ZH: "清单列有此文件，但文件不存在", EN: "is listed in a manifest but is not there"},
	"evidence.verify.changed":     {ZH: "内容与 %[1]s 所载摘要不符", EN: "its content does not match the digest in %[1]s"},
	"evidence.verify.unlisted":    {ZH: "%[1]s 未列出此文件", EN: "is not listed in %[1]s"},
	"evidence.verify.required":    {ZH: "证据包必须有此文件，但文件不存在：审计可能未正常结束", EN: "every bundle has this file, but it is not there: the audit may not have ended properly"},
	"evidence.verify.line":        {ZH: "第 %[1]d 行不是“摘要、两个空格、文件名”的形式", EN: "line %[1]d is not a digest, two blanks and a file name"},
	"evidence.verify.name":        {ZH: "文件名不允许：%[1]s", EN: "the file name is not allowed: %[1]s"},
	"evidence.verify.listed":      {ZH: "第 %[1]d 行列出的文件名不允许：%[2]s", EN: "line %[1]d lists a file name that is not allowed: %[2]s"},
	"evidence.verify.twice":       {ZH: "第 %[1]d 行重复列出 %[2]s", EN: "line %[1]d lists %[2]s again"},
	"evidence.verify.twins":       {ZH: "与 %[1]s 只有大小写不同", EN: "differs from %[1]s only in case"},
	"evidence.verify.order":       {ZH: "第 %[1]d 行未按文件名排序", EN: "line %[1]d is not in the order of file names"},
	"evidence.verify.contradicts": {ZH: "所载 %[1]s 的摘要与另一份清单及文件不符：被改动的是本清单", EN: "its digest of %[1]s does not fit, although the other manifest's does: this manifest was changed"},
	"evidence.verify.onlyhere":    {ZH: "列有 %[1]s，而同类的另一份清单没有", EN: "lists %[1]s, which its sister manifest does not"},
	"evidence.verify.irregular":   {ZH: "不是普通文件（链接或特殊文件），未读取", EN: "is not a regular file (a link or a special file) and was not read"},
	"evidence.verify.unreadable":  {ZH: "无法读取：%[1]s", EN: "cannot be read: %[1]s"},
	"evidence.verify.declaration": {ZH: "不是 BagIt 1.0 声明", EN: "is not a declaration of BagIt 1.0"},
	"evidence.verify.oxum":        {ZH: "所载数据量（%[1]s）与实际（%[2]s）不符", EN: "states a payload of %[1]s, but it is %[2]s"},
	"evidence.verify.format":      {ZH: "格式不对：%[1]s", EN: "is not in its format: %[1]s"},
	"evidence.verify.digest":      {ZH: "所载 %[1]s 的摘要与该文件不符", EN: "its digest of %[1]s does not match that file"},
	"evidence.verify.journal":     {ZH: "第 %[1]d 行起不可信：%[2]s", EN: "cannot be trusted from line %[1]d on: %[2]s"},
	"evidence.verify.head":        {ZH: "日志末行与 manifest.json 所载不符", EN: "its last line is not the one manifest.json names"},
	"evidence.verify.record":      {ZH: "第 %[1]d 条记录：%[2]s", EN: "record %[1]d: %[2]s"},
	"evidence.verify.blob":        {ZH: "内容与文件名所示摘要不符", EN: "its content does not match the digest that is its name"},
	"evidence.verify.limit":       {ZH: "超过读取上限（%[1]d），未继续核对", EN: "is beyond the limit of what is read (%[1]d); checking stopped"},
}
