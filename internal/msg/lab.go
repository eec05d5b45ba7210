package msg

import "github.com/mingshi-audit/mingshi/audit"

// labMessages are the sentences of the simulated shop. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var labMessages = map[string]audit.Text{
	"lab.one_address":  {ZH: "本系统只能使用 127.0.0.1：各模拟设备共用一个地址、使用不同端口", EN: "this system has 127.0.0.1 only: the simulated devices share one address and differ in their ports"},
	"lab.no_loopback":  {ZH: "未找到回环接口：模拟门店不应答设备发现", EN: "there is no loopback interface: the simulated shop does not answer discovery"},
	"lab.no_discovery": {ZH: "模拟门店不应答 %[1]s：%[2]s", EN: "the simulated shop does not answer %[1]s: %[2]s"},
}
