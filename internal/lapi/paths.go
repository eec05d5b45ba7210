package lapi

import (
	"fmt"
	"regexp"
)

// Path is a question: the path of a GET request. Only those below are ever sent. Everything else of the interface writes, makes
// this machine a receiver of events, or hands out persons and their pictures.
type Path string

// The questions.
const (
	BasicInfo    Path = "/LAPI/V1.0/System/DeviceBasicInfo" // some firmware answers it to anybody
	DeviceInfo   Path = "/LAPI/V1.0/System/DeviceInfo"
	Capabilities Path = "/LAPI/V1.0/Smart/Capabilities"
	FaceEnable   Path = "/LAPI/V1.0/Smart/FaceEnable"
	FaceRule     Path = "/LAPI/V1.0/Smart/FaceDetection/Rule"
	Monitors     Path = "/LAPI/V1.0/Smart/Face/Recognition/Monitor"
	Libraries    Path = "/LAPI/V1.0/PeopleLibraries/BasicInfo" // how many, of what size; nobody is named
	Channels     Path = "/LAPI/V1.0/Channels/System/ChannelDetailInfos"
	Controller   Path = "/LAPI/V1.0/PACS/DeviceInfo" // of door terminals
	Comparison   Path = "/LAPI/V1.0/Smart/FaceTurnstiles/ComparisonCfg"
)

// MaxChannel is the highest channel that is asked about.
const MaxChannel = 256

// ChannelRule is FaceRule of one channel of a recorder, or of the one sensor of a camera that numbers it.
func ChannelRule(channel int) Path {
	return Path(fmt.Sprintf("/LAPI/V1.0/Channels/%d/Smart/FaceDetection/Rule", channel))
}

var channelRule = regexp.MustCompile(`^/LAPI/V1\.0/Channels/\d{1,3}/Smart/FaceDetection/Rule$`)

// Paths lists every question this program may ask, but for ChannelRule, which has a number in it.
func Paths() []Path {
	return []Path{BasicInfo, DeviceInfo, Capabilities, FaceEnable, FaceRule, Monitors, Libraries, Channels, Controller, Comparison}
}

// Listed reports whether a path is a question this program may ask.
func Listed(path string) bool {
	for _, p := range Paths() {
		if string(p) == path {
			return true
		}
	}
	return channelRule.MatchString(path)
}
