package msg

import "github.com/mingshi-audit/mingshi/audit"

// probeMessages are the sentences of what modules say of an exchange. Arguments carry explicit indexes (%[1]s), so that each
// language has its own order.
var probeMessages = map[string]audit.Text{
	"probe.fact.capable":    {ZH: "设备具备%[1]s能力", EN: "the device is capable of %[1]s"},
	"probe.fact.configured": {ZH: "设备已配置并启用%[1]s", EN: "%[1]s is configured and switched on"},
	"probe.fact.active":     {ZH: "观察期间设备输出了%[1]s结果", EN: "the device emitted results of %[1]s while it was watched"},
	"probe.ask.capable":     {ZH: "登录设备读取其支持的规则与模块，或取得厂商说明，查明是否具备%[1]s能力", EN: "log in and read the supported rules and modules, or obtain the maker's statement, on whether it is capable of %[1]s"},
	"probe.ask.configured":  {ZH: "登录设备读取规则与模块配置，或请被检查方当场打开配置界面，查明%[1]s是否启用", EN: "log in and read the configured rules and modules, or have the operator open the settings, to see whether %[1]s is switched on"},
	"probe.ask.active":      {ZH: "在营业时段以“sample”权限观察事件和元数据，或取得被检查方书面说明，查明是否正在进行%[1]s", EN: "watch events and metadata under permit \"sample\" during opening hours, or obtain the operator's written statement, on whether %[1]s is running"},

	"probe.fact.face.attributes.active":  {ZH: "实时结果中出现的人脸属性名称", EN: "names of face attributes seen in live results"},
	"probe.ask.face.attributes.active":   {ZH: "在营业时段观察元数据，记录输出的属性名称", EN: "watch the metadata during opening hours and record which attributes are emitted"},
	"probe.fact.face.attributes.capable": {ZH: "设备声明可输出的人脸属性名称", EN: "names of face attributes the device declares it can state"},
	"probe.ask.face.attributes.capable":  {ZH: "登录设备读取其声明的元数据样例", EN: "log in and read the device's sample metadata"},
	"probe.fact.face.live.messages":      {ZH: "含人脸内容的实时消息数（不是人数）", EN: "number of live messages with face content (not of persons)"},
	"probe.ask.face.live.messages":       {ZH: "在营业时段观察事件和元数据", EN: "watch events and metadata during opening hours"},
	"probe.fact.face.live.seconds":       {ZH: "观察时长（秒）", EN: "seconds watched"},
	"probe.ask.face.live.seconds":        {ZH: "以“sample”权限观察设备", EN: "watch the device under permit \"sample\""},
	"probe.fact.face.crops":              {ZH: "实时结果带有或指向人脸截图", EN: "live results carry or refer to face crops"},
	"probe.ask.face.crops":               {ZH: "请被检查方说明人脸截图的生成与保存", EN: "ask the operator whether face crops are made and kept"},
	"probe.fact.face.identity":           {ZH: "实时结果带有人员标识", EN: "live results carry an identifier of a person"},
	"probe.ask.face.identity":            {ZH: "请被检查方说明是否使用人脸库、名单或人员编号", EN: "ask the operator whether face libraries, lists or person identifiers are used"},
	"probe.fact.face.enumerated":         {ZH: "登录后完整读取了用于配置人脸功能的接口", EN: "the interface that would configure face functions answered a logged-in enumeration in full"},
	"probe.ask.face.enumerated":          {ZH: "提供只读账号，登录后读取全部规则与模块", EN: "provide a viewer account and read all rules and modules logged in"},
	"probe.fact.outbound.hosts":          {ZH: "设备配置的结果接收方", EN: "receivers of results configured on the device"},
	"probe.ask.outbound.hosts":           {ZH: "读取设备的上传、推送与云平台配置", EN: "read the device's upload, push and cloud settings"},
	"probe.fact.outbound.face":           {ZH: "人脸结果被配置为发送给接收方", EN: "a configured receiver gets face results"},
	"probe.ask.outbound.face":            {ZH: "核对接收方订阅的主题是否包含人脸", EN: "check whether the receivers' topics include faces"},

	"probe.web.doc":       {ZH: "网页首页、服务器标识与 TLS 证书", EN: "front page, server banner and TLS certificate"},
	"probe.web.progress":  {ZH: "读取 %[1]s 的首页", EN: "reading the front page of %[1]s"},
	"probe.rtsp.doc":      {ZH: "RTSP 视频服务的标识与码流清单（不取画面）", EN: "RTSP server banner and list of tracks (no pictures are fetched)"},
	"probe.rtsp.progress": {ZH: "询问 %[1]s 的 RTSP 服务", EN: "asking the RTSP server of %[1]s"},

	"probe.onvif.doc":      {ZH: "ONVIF：设备身份、支持的与已配置的人脸规则，以及经许可观察到的输出", EN: "ONVIF: who the device is, what it could do with faces, what is configured, and what it emits where watching is allowed"},
	"probe.onvif.reading":  {ZH: "ONVIF：读取配置", EN: "ONVIF: reading the configuration"},
	"probe.onvif.events":   {ZH: "ONVIF：观察事件", EN: "ONVIF: watching events"},
	"probe.onvif.metadata": {ZH: "ONVIF：观察元数据", EN: "ONVIF: watching metadata"},
	"probe.onvif.foreign":  {ZH: "设备给出的地址指向其他主机：仅记录，未联系该主机", EN: "the device named an address of another host: recorded, that host was not contacted"},
}
