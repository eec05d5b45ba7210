package notice

import "regexp"

// cue is what shows an element in a text. The expressions run over the folded text: half width, lower case, simplified
// characters, without spaces between Chinese characters.
type cue struct {
	element Element
	zh, en  *regexp.Regexp
	guard   bool // a denial before or after the cue makes it a statement of the contrary
	source  string
}

// re2 has no look-ahead, so 目的 that is the beginning of 目的地 is excluded by naming what may follow.
var cues = []cue{
	{Face, re(`人脸|面部(?:识别|信息|特征|图像|抓拍|采集|分析|数据|影像|属性|验证)?|刷脸|脸部|面容|人像(?:识别|比对|抓拍|采集|信息)`),
		re(`\bfac(?:e|ial)[ -]?(?:recognition|data|template|image|information|detection|analysis|analytics|scan(?:ning)?|geometry|feature|verification|identification|attribute|capture|processing)s?\b|\bbiometric|\byour face\b|\bfaces? (?:is|are|will be)\b`),
		true, "法释〔2021〕15号 Art. 2(2); PIPL 17(2)"},
	{Purpose, re(`目的(?:[^地]|$)|用于|用作|用以|为了|以便|便于|旨在|为您的(?:人身|财产|安全|生命)|为(?:保障|维护|提升|改善|优化|防范|确保|保护|统计|加强|更好)`),
		re(`\bpurposes?\b|\bin order to\b|\bused? (?:for|to)\b|\bfor (?:the )?(?:security|safety|statistics|marketing|payment|access|attendance|crime)\b`),
		true, "法释〔2021〕15号 Art. 2(2); PIPL 17(2)"},
	{Manner, re(`(?:处理|采集|收集|使用|识别)(?:的)?方式|方式(?:为|是|[:：])|采集|抓拍|比对|识别|分析|人脸检测|人脸验证|刷脸|核验`),
		re(`\bmethods?\b|\bcollect|\bcaptur|\bmatch(?:es|ed|ing)?\b|\banaly[sz]e|\banalysis\b|\brecogni[sz]|\brecognition\b|\bcompar(?:e|es|ed|ing)\b|\bscan(?:s|ned|ning)?\b`),
		true, "法释〔2021〕15号 Art. 2(2); PIPL 17(2)"},
	{Scope, re(`范围|种类|类型(?:为|包括|[:：])|包括[^。;]{0,30}(?:图像|特征|年龄|性别|信息)|(?:收集|采集|处理|抓拍|分析|记录)[^。;,]{0,16}(?:图像|照片|特征值?|年龄|性别|表情|情绪|信息|数据)|区域`),
		re(`\bcategor(?:y|ies)\b|\bscope\b|\bareas?\b|\b(?:collect|captur|process|analy[sz])\w*\b[^.;]{0,40}\b(?:image|feature|template|age|gender|data|information)`),
		true, "法释〔2021〕15号 Art. 2(2); PIPL 17(2)"},
	{Processor, re(`有限(?:责任)?公司|股份公司|集团|个人信息处理者|信息处理者|处理者[:：]|本店|本商场|本公司|本酒店|本超市|物业|我们|我司`),
		re(`\bcontroller\b|\bprocessor\b|\b(?:co\.,? ?)?ltd\b|\binc\b|\bllc\b|\bplc\b|\bgmbh\b|\bwe\b|\bour (?:company|store)\b`), false, "PIPL 17(1)"},
	{Contact, re(`1[3-9]\d{9}|400-?\d{3,4}-?\d{3,4}|800-?\d{3}-?\d{4}|0\d{2,3}-?\d{7,8}|邮箱|电邮|[\w.+-]+@[\w-]+\.\w+|电话|联系方式|热线`),
		re(`\bcontact\b|[\w.+-]+@[\w-]+\.\w+|\btel(?:ephone)?\b|\bhotline\b|\be-?mail\b`), false, "PIPL 17(1)"},
	{Retention, re(`保存期限?|保存时间|存储期限?|存储时间|保留期限?|(?:保存|存储|保留)[^。;]{0,12}\d+ ?(?:日|天|小时|个月|分钟|年)|\d+ ?(?:日|天|小时|个月)[^。;]{0,6}(?:后|内)?(?:自动)?(?:删除|覆盖|销毁)|(?:不|即时|随即)(?:保存|存储|留存|删除)`),
		re(`\bretain|\bretention\b|\b(?:kept|stored|deleted?|erased?)\b[^.;]{0,30}\b\d+ ?(?:days?|hours?|months?)|\b\d+ ?(?:days?|hours?|months?)\b[^.;]{0,20}\b(?:delet|eras)|\bnot (?:stored|retained|kept)\b`),
		false, "PIPL 17(2)"},
	{Rights, re(`查阅|复制权|更正|删除(?:权|您的|其|个人|人脸)|撤回|投诉|行使[^。;]{0,8}权`),
		re(`\byour rights\b|\brights? (?:to|of)\b|\baccess(?: to)? your\b|\berase|\berasure\b|\bwithdraw|\brectif|\bcomplain`), false, "PIPL 17(3)"},
	{Necessity, re(`必要性|必需|必要(?:的|,|。|;|$)|所必须`), re(`\bnecess`), false, "PIPL 30"},
	{Impact, re(`影响|风险`), re(`\bimpact|\brisks?\b|\beffects? on\b`), false, "PIPL 30"},
	{Rules, re(`扫码|扫描(?:下方|右侧|左侧|此)?二维码|二维码|https?://|www\.|服务台(?:查阅|查看|索取|公示|备有|可|提供)|(?:至|到|前往|在)[^。;,]{0,8}服务台|隐私政策|隐私(?:权)?(?:条款|声明)|处理规则|完整规则|详见|全文(?:见|可)`),
		re(`\bscan (?:the )?(?:qr|code)|\bqr code\b|\bprivacy (?:policy|notice|statement)\b|https?://|\bwww\.|\bfull (?:rules|notice|policy)\b`), false, "PIPL 17(4)"},
	{Choice, re(`不同意|可(?:以)?选择|其他(?:验证|通行|支付|识别|入场|入园|进入)?方式|刷卡|拒绝(?:的|采集|使用|提供|人脸)?|人工(?:通道|核验|服务)|可(?:以)?拒绝|替代`),
		re(`\bdecline|\balternative|\bopt[ -]out|\bif you do not (?:agree|consent|wish)|\brefuse|\bstaffed (?:lane|desk)`), false, "Art. 4, 10"},
	{Recipients, re(`提供给|向[^。;,]{0,16}(?:提供|共享|传输|披露)|共享|委托|第三方|接收方`),
		re(`\brecipients?\b|\bshar(?:e|ed|es|ing)\b|\bthird part|\bdisclos`), false, "PIPL 23"},
	{Minors, re(`未成年|十四周岁|14 ?周岁|监护人|儿童|家长`), re(`\bchild|\bguardian|\bminors?\b|\bunder (?:14|fourteen)`), false, "PIPL 31"},
	{Access, re(`老年|残疾|残障|无障碍|语音(?:播报|提示)|盲文|视障`), re(`\baccessib|\bdisab(?:led|ilit)|\belderly\b|\bbraille\b`), false, "Order No. 19 Art. 5"},
}

// word maps a cue to a term of the site file's vocabularies. A denied cue states nothing.
type word struct {
	term   string
	zh, en *regexp.Regexp
}

var methodWords = []word{
	{VideoRecording, re(`录像|监控|视频|摄像|图像采集`), re(`\bcctv\b|\bvideo\b|\bsurveillance\b|\brecording\b|\bcameras?\b`)},
	{FaceDetection, re(`人脸(?:检测|侦测|框)|面部检测`), re(`\bface (?:detection|counting)\b|\bdetects? faces?\b`)},
	{FaceCapture, re(`人脸抓拍|抓拍|(?:采集|收集|拍摄|获取)[^。;,]{0,16}(?:人脸|面部|脸部)|人脸(?:信息)?采集|人脸(?:图像|照片)`),
		re(`\b(?:captur|collect|tak)\w*\b[^.;]{0,24}\bfac(?:e|ial)\b|\bface (?:capture|image)s?\b|\bfacial images?\b`)},
	{AttributeAnalysis, re(`年龄|性别|表情|情绪|心情|属性(?:分析|识别)?|人脸分析|面部分析|特征分析`),
		re(`\bage\b|\bgender\b|\bexpressions?\b|\bemotions?\b|\bmood\b|\battributes?\b|\bdemographic|\bfacial analy|\bface analy`)},
	{Verification, re(`人脸(?:验证|核验|认证)|刷脸(?:支付|登录|核验|验证|付)|人证(?:比对|核验|合一)|1[:：比]1`), re(`\b(?:face|facial) verification\b|\bverify your identity\b|\b1:1\b`)},
	{Identification, re(`人脸识别|面部识别(?:[^特]|$)|人脸比对|人脸辨识|面容识别|1[:：比]n|黑名单|会员识别|熟客|回头客|人像(?:识别|比对)|刷脸(?:[^支登核验付]|$)`),
		re(`\b(?:face|facial) (?:recognition|identification|matching)\b|\bwatch ?list\b|\b1:n\b|\brepeat (?:visitor|customer)s?\b`)},
	{Tracking, re(`轨迹|跟踪|动线|人员编号`), re(`\btrack(?:s|ed|ing)?\b|\bmovement`)},
	{StorageServer, re(`(?:存储|保存)(?:于|在|至)[^。;,]{0,10}(?:服务器|云)`), re(`\bstored? (?:on|in) [^.;]{0,16}(?:server|cloud)`)},
	{StorageLocal, re(`(?:存储|保存)(?:于|在)[^。;,]{0,10}(?:设备|本地)`), re(`\bstored? (?:on the device|locally)`)},
	{UploadInternet, re(`上传|云端|互联网传输|传输至`), re(`\bupload|\bcloud\b|\btransmitted to\b`)},
	{Provision, re(`(?:提供给|共享|提供至)|向[^。;,]{0,16}(?:提供|共享)`), re(`\bshared? with\b|\bprovided? to\b|\bdisclosed? to\b`)},
}

var dataWords = []word{
	{DataImage, re(`图像|影像|画面|录像|照片|监控`), re(`\bimages?\b|\bvideo\b|\bfootage\b|\bphotos?\b`)},
	{DataFace, re(`人脸(?:信息|数据|图像|照片|特征)?|面部(?:信息|数据|图像|特征)?|脸部`), re(`\bfac(?:e|ial)\b`)},
	{DataFeature, re(`特征(?:值|信息|码|向量|模板)|面部识别特征|生物识别`), re(`\btemplates?\b|\bbiometric|\bgeometry\b|\bfeature vector`)},
	{"age", re(`年龄`), re(`\bage\b`)}, {"gender", re(`性别|男女`), re(`\bgender\b|\bsex\b`)},
	{"expression", re(`表情`), re(`\bexpressions?\b`)}, {"emotion", re(`情绪|心情`), re(`\bemotions?\b|\bmood\b`)},
	{"complexion", re(`肤色`), re(`\bcomplexion\b|\bskin\b`)}, {"temperature", re(`体温`), re(`\btemperature\b`)},
	{"accessory", re(`口罩|眼镜|帽|佩戴`), re(`\bmask\b|\bglasses\b|\baccessor`)},
	{"features", re(`五官|发型|胡须`), re(`\bhair|\bbeard\b|\bfacial features\b`)}, {"pose", re(`姿态|朝向|视线`), re(`\bpose\b|\bgaze\b`)},
}

var purposeWords = []word{
	{"public_security", re(`公共安全|安全防范|治安|安防|安全监控|场所安全|(?:维护|保障|确保)[^。;,]{0,12}安全`), re(`\bpublic security\b|\bsecurity\b|\bsafety\b|\bcrime`)},
	{"loss_prevention", re(`防盗|防损|反扒|盗窃`), re(`\bloss prevention\b|\btheft\b|\bshoplift`)},
	{"access_control", re(`门禁|出入(?:管理|验证|核验|口管理)|通行|入园|入场(?:核验|验证)|身份核验|入住`), re(`\baccess control\b|\badmission\b|\bcheck-?in\b`)},
	{"payment", re(`支付|付款|结算方式`), re(`\bpayment\b|\bpay\b`)}, {"attendance", re(`考勤|签到`), re(`\battendance\b`)},
	{"footfall_stats", re(`客流|人流|到店人数|统计`), re(`\bfootfall\b|\bvisitor (?:count|statistic)|\bpeople counting\b|\bstatistic`)},
	{"customer_profiling", re(`画像|顾客(?:特征|属性|分析)|客群|消费者分析`), re(`\bprofil|\bdemographic`)},
	{"marketing", re(`营销|推广|广告|推荐(?:商品|服务)|促销`), re(`\bmarketing\b|\badvertis|\bpromotion`)},
	{"repeat_visitor", re(`熟客|回头客|新老顾客|老客|会员识别`), re(`\brepeat (?:visitor|customer)|\breturning`)},
	{"commission_settlement", re(`佣金|判客|渠道(?:判定|确认)`), re(`\bcommission\b`)},
	{"service_quality", re(`服务质量|(?:提升|改善|优化|改进)[^。;,]{0,8}(?:服务|体验)`), re(`\bservice quality\b|\bimprove (?:our )?(?:service|experience)`)},
	{"epidemic", re(`疫情|防疫|测温`), re(`\bepidemic\b|\bpandemic\b|\bcovid`)}, {"research", re(`科研|研究`), re(`\bresearch\b`)},
}

// denied says that the words before a cue, in its clause, deny it: a negation of collecting or using, or one that stands
// right before the cue. 不同意, 不仅, 不限于, 不会将…提供 are no denials of processing.
var (
	deniedZH = re(`(?:不|未|没有|并未|绝不|从不|尚未|禁止|严禁|杜绝)(?:会|予|再|曾|对[^,。;]{0,8})?(?:采集|收集|抓取|抓拍|使用|启用|开启|安装|处理|进行|涉及|识别|分析|做|具备|具有|包含|含有?|支持|获取|用于|用作|开展)[^,。;!?\n]{0,12}$|(?:没有|未设|不带|不含|无)(?:人脸|面部|脸部|刷脸)[^,。;!?\n]{0,8}$|(?:没有|非|未设|不带|不含|无需|不用|不必|免|禁止|严禁|(?:^|[^有])无|不)$`)
	deniedEN = re(`\b(?:no|not|never|neither|nor|without|don't|doesn't|isn't|aren't|cannot|can't)\b[^.,;!?\n]{0,40}$`)
	// 不会将…提供给他人 denies that anything is handed on, not that it is processed
	deniedPassing = re(`(?:不|未|没有|并未|绝不|从不)(?:会|得|予|再|曾)?(?:将|把|向|对)?[^,。;!?\n]{0,20}$`)
	notOnly       = re(`不(?:仅|限于|少于|超过|只)|\bnot (?:only|limited)`)
	afterZH       = re(`^[^,。;!?\n]{0,8}(?:未启用|未开启|已关闭|已停用|不启用|未使用|尚未启用)`)
	afterEN       = re(`^[^.,;!?\n]{0,24}\b(?:is|are) (?:not (?:in use|used|enabled)|disabled|switched off|turned off)`)
	// a denial under a condition affirms what happens when the condition is met: 未经您同意不会采集人脸信息
	conditional = re(`未经|除非|未取得|未获|\bwithout (?:your |prior |separate |explicit )*consent|\bunless\b`)
)

func re(s string) *regexp.Regexp { return regexp.MustCompile(s) }
