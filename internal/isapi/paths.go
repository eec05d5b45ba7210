package isapi

// Path is a question: the path of a GET request. Only those below are ever sent; everything else of ISAPI writes, reads
// pictures or reads lists of persons.
type Path string

// The questions.
const (
	DeviceInfo    Path = "/ISAPI/System/deviceInfo"
	ProxyChannels Path = "/ISAPI/ContentMgmt/InputProxy/channels"        // cameras a recorder fetches over the network
	ProxyStatus   Path = "/ISAPI/ContentMgmt/InputProxy/channels/status" // whether it gets them
	VideoInputs   Path = "/ISAPI/System/Video/inputs/channels"           // analog sockets
)

// Paths lists every question this program may ask.
func Paths() []Path { return []Path{DeviceInfo, ProxyChannels, ProxyStatus, VideoInputs} }
