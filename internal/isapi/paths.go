package isapi

import (
	"fmt"
	"slices"
	"strings"
)

// Path is a question: the path of a GET request. Only those below are ever sent; everything else of ISAPI writes, reads
// pictures or reads lists of persons.
type Path string

// The questions to the whole device.
const (
	DeviceInfo    Path = "/ISAPI/System/deviceInfo"
	ProxyChannels Path = "/ISAPI/ContentMgmt/InputProxy/channels"        // cameras a recorder fetches over the network
	ProxyStatus   Path = "/ISAPI/ContentMgmt/InputProxy/channels/status" // whether it gets them
	VideoInputs   Path = "/ISAPI/System/Video/inputs/channels"           // sensors of a camera, analog sockets of a recorder

	DeviceCap   Path = "/ISAPI/System/capabilities"
	SmartCap    Path = "/ISAPI/Smart/capabilities"
	IntelliCap  Path = "/ISAPI/Intelligent/capabilities"
	EventCap    Path = "/ISAPI/Event/channels/capabilities"
	LibraryCap  Path = "/ISAPI/Intelligent/FDLib/capabilities"
	Libraries   Path = "/ISAPI/Intelligent/FDLib" // how many; their names are withheld
	AccessCap   Path = "/ISAPI/AccessControl/capabilities"
	FaceMode    Path = "/ISAPI/AccessControl/FaceRecognizeMode?format=json" // setting it erases the library
	AccessState Path = "/ISAPI/AccessControl/AcsWorkStatus?format=json"
	PersonCount Path = "/ISAPI/AccessControl/UserInfo/Count?format=json"

	HTTPHosts Path = "/ISAPI/Event/notification/httpHosts"
	EHome     Path = "/ISAPI/System/Network/Ehome"
	EZVIZ     Path = "/ISAPI/System/Network/EZVIZ"
	SIP       Path = "/ISAPI/System/Network/SIP"

	AlertStream Path = "/ISAPI/Event/notification/alertStream" // goes on until it is ended
)

// Form is a question to one channel of the device.
type Form string

// The questions to a channel.
const (
	FaceDetect   Form = "/ISAPI/Smart/FaceDetect/{channel}"
	FaceRule     Form = "/ISAPI/Intelligent/channels/{channel}/faceRule"
	FaceContrast Form = "/ISAPI/Intelligent/channels/{channel}/faceContrast"
	Resource     Form = "/ISAPI/System/Video/inputs/channels/{channel}/VCAResource" // to which task the channel's engine is assigned
)

// Of returns the question to a channel, which is between 1 and 512.
func (f Form) Of(channel int) Path {
	return Path(strings.ReplaceAll(string(f), "{channel}", fmt.Sprint(min(max(channel, 1), maxChannels))))
}

// Paths lists every question to the whole device this program may ask.
func Paths() []Path {
	return []Path{DeviceInfo, ProxyChannels, ProxyStatus, VideoInputs, DeviceCap, SmartCap, IntelliCap, EventCap, LibraryCap, Libraries, AccessCap, FaceMode,
		AccessState, PersonCount, HTTPHosts, EHome, EZVIZ, SIP, AlertStream}
}

// Forms lists every question to a channel this program may ask.
func Forms() []Form { return []Form{FaceDetect, FaceRule, FaceContrast, Resource} }

// Listed reports whether a path is among the questions.
func Listed(p Path) bool {
	if slices.Contains(Paths(), p) {
		return true
	}
	for c := 1; c <= maxChannels; c++ {
		if slices.ContainsFunc(Forms(), func(f Form) bool { return f.Of(c) == p }) {
			return true
		}
	}
	return false
}
