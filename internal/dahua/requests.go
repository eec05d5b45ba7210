package dahua

import (
	"fmt"
	"slices"
)

// Request is a question: the path and query of a GET request. Only those below are ever sent; other actions of the same
// programs write, reboot or hand out lists of persons.
type Request string

// The questions that name no channel.
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

	Rules       Request = "/cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule"            // what is analysed, with a switch each
	Scenes      Request = "/cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseGlobal"          // which engine is loaded
	Armed       Request = "/cgi-bin/configManager.cgi?action=getConfig&name=FaceRecognitionEventHandler" // libraries that faces are compared with
	CardCompare Request = "/cgi-bin/configManager.cgi?action=getConfig&name=CitizenPictureCompareRule"   // face against identity card
	EventCaps   Request = "/cgi-bin/eventManager.cgi?action=getCaps"
	Libraries   Request = "/cgi-bin/faceRecognitionServer.cgi?action=findGroup" // how many, of what size

	DetectingNow   Request = "/cgi-bin/eventManager.cgi?action=getEventIndexes&code=FaceDetection"
	RecognisingNow Request = "/cgi-bin/eventManager.cgi?action=getEventIndexes&code=FaceRecognition"

	PictureUpload Request = "/cgi-bin/configManager.cgi?action=getConfig&name=PictureHttpUpload"
	EventUpload   Request = "/cgi-bin/configManager.cgi?action=getConfig&name=EventHttpUpload"
	GAT1400       Request = "/cgi-bin/configManager.cgi?action=getConfig&name=VSP_GAT1400"
	GAVI          Request = "/cgi-bin/configManager.cgi?action=getConfig&name=VSP_GAVI"
	GB28181       Request = "/cgi-bin/configManager.cgi?action=getConfig&name=VSP_GB28181"
	Cloud         Request = "/cgi-bin/configManager.cgi?action=getConfig&name=T2UServer"

	// Attach and AttachDoor are answered for as long as the connection lasts; a door terminal tells of faces by codes of its own.
	Attach     Request = "/cgi-bin/eventManager.cgi?action=attach&codes=[FaceDetection,FaceRecognition,FaceComparision,HumanTrait,FaceAnalysis]&heartbeat=5"
	AttachDoor Request = "/cgi-bin/eventManager.cgi?action=attach&codes=[FaceDetection,FaceRecognition,FaceComparision,FaceFeatureAbstract,FaceAnalysis,_DoorFace_,AccessControl]&heartbeat=5"
)

// Caps asks what the analysis of a channel, from one, could do.
func Caps(channel int) Request {
	return Request(fmt.Sprintf("/cgi-bin/devVideoAnalyse.cgi?action=getcaps&channel=%d", channel))
}

// Deployed asks which libraries the faces of a channel, from one, are compared with.
func Deployed(channel int) Request {
	return Request(fmt.Sprintf("/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=%d", channel))
}

// MaxAsked is how many channels of a recorder are asked for one by one.
const MaxAsked = 16

// Requests lists every question this program may ask that names no channel.
func Requests() []Request {
	return []Request{SystemInfo, DeviceType, DeviceClass, SoftwareVersion, Vendor, MachineName, SerialNo, RemoteDevices, ChannelTitles, VideoLoss,
		Rules, Scenes, Armed, CardCompare, EventCaps, Libraries, DetectingNow, RecognisingNow,
		PictureUpload, EventUpload, GAT1400, GAVI, GB28181, Cloud, Attach, AttachDoor}
}

// Allowed reports whether a question is one of those this program may ask.
func Allowed(r Request) bool {
	if slices.Contains(Requests(), r) {
		return true
	}
	for c := 1; c <= MaxAsked; c++ {
		if r == Caps(c) || r == Deployed(c) {
			return true
		}
	}
	return false
}
