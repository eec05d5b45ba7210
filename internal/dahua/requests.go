package dahua

// Request is a question: the path and query of a GET request. Only those below are ever sent; other actions of the same
// programs write, reboot or hand out lists of persons.
type Request string

// The questions.
const (
	SystemInfo      Request = "/cgi-bin/magicBox.cgi?action=getSystemInfo"
	DeviceType      Request = "/cgi-bin/magicBox.cgi?action=getDeviceType"  // the model
	DeviceClass     Request = "/cgi-bin/magicBox.cgi?action=getDeviceClass" // what sort of device
	SoftwareVersion Request = "/cgi-bin/magicBox.cgi?action=getSoftwareVersion"
	Vendor          Request = "/cgi-bin/magicBox.cgi?action=getVendor"
	MachineName     Request = "/cgi-bin/magicBox.cgi?action=getMachineName"
	SerialNo        Request = "/cgi-bin/magicBox.cgi?action=getSerialNo"
	RemoteDevices   Request = "/cgi-bin/configManager.cgi?action=getConfig&name=RemoteDevice" // cameras a recorder fetches over the network
	ChannelTitles   Request = "/cgi-bin/configManager.cgi?action=getConfig&name=ChannelTitle"
	VideoLoss       Request = "/cgi-bin/eventManager.cgi?action=getEventIndexes&code=VideoLoss" // channels without a picture now
)

// Requests lists every question this program may ask.
func Requests() []Request {
	return []Request{SystemInfo, DeviceType, DeviceClass, SoftwareVersion, Vendor, MachineName, SerialNo, RemoteDevices, ChannelTitles, VideoLoss}
}
