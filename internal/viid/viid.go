// Package viid reads what passes between devices, platforms and servers over GA/T 1400 (公安视频图像信息应用系统), the interface by
// which Chinese surveillance platforms pass faces, persons and vehicles on: which sort of message it is, who sends it for whom,
// and which members of a face are filled in. Values of persons are looked at for being there and dropped.
package viid

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/jsonkeep"
)

// Prefix begins the path of every request.
const Prefix = "/VIID/"

// Header carries the sender's number in every request; no other protocol has it.
const Header = "User-Identify"

// What is a sort of message.
type What string

// The sorts, by the path they are sent to.
const (
	Register      What = "register"      // a device makes itself known, or says that it is there
	Faces         What = "faces"         // faces that were found
	Persons       What = "persons"       // persons that were found, whose face may be among the pictures
	Notifications What = "notifications" // what a subscriber asked for
	Subscription  What = "subscription"  // somebody wants to be sent what is found
	Hits          What = "hits"          // somebody of a watch list was seen
	Other         What = "other"
)

// WhatIs returns the sort of a request by its path, empty where it is none of this standard.
func WhatIs(target string) What {
	if !holdsFold(target, "viid") {
		return "" // most of what passes
	}
	path := target
	if u, err := url.Parse(target); err == nil {
		path = u.Path
	}
	path = strings.TrimSuffix(path, "/")
	if len(path) <= len(Prefix) || !strings.EqualFold(path[:len(Prefix)], Prefix) {
		return ""
	}
	switch strings.ToLower(path[len(Prefix):]) {
	case "system/register", "system/keepalive", "system/unregister":
		return Register
	case "faces":
		return Faces
	case "persons":
		return Persons
	case "subscribenotifications":
		return Notifications
	case "subscribes":
		return Subscription
	case "dispositionnotifications":
		return Hits
	}
	return Other
}

// holdsFold reports whether a text holds a word of ASCII letters in lower case, whatever its own case.
func holdsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// Message is what one request shows: names and whether something is there, nothing of a person.
type Message struct {
	Devices    []string // who found something, as the objects name them: compared with the sender, and not kept
	Faces      int      // faces found automatically, and persons found so whose face is among the pictures
	Pictures   bool     // with a picture of a face, or where one is stored
	Attributes []string // that are filled in, as package audit names them
	Compared   bool     // a degree of likeness is filled in: it was compared with a library
	Person     bool     // a person's name or number is filled in
	Template   bool     // it carries a template
	Wanted     []string // of a subscription that is not ended: codes of what is wanted; "12" is faces
	Receiver   string   // of a subscription: host and port results are to be sent to
}

const (
	maxText    = 64
	maxDevices = 64
	maxDeep    = 24
	maxNodes   = 40_000
)

// faceLists hold faces, personLists persons; the standard's names and those that implementations write.
var (
	faceLists   = []string{"FaceListObject", "FaceObjectList", "FaceList", "FaceObject"}
	personLists = []string{"PersonListObject", "PersonObjectList", "PersonList", "PersonObject"}
)

// attributes are the members of a face that were read from it, by what package audit calls them. Names of the standard's
// FaceObject, as three implementations have it; Emotion is a maker's.
var attributes = map[string]string{
	"GenderCode": audit.AttrGender, "AgeUpLimit": audit.AttrAge, "AgeLowerLimit": audit.AttrAge, "SkinColor": audit.AttrComplexion, "EthicCode": audit.AttrComplexion,
	"HairStyle": audit.AttrFeatures, "HairColor": audit.AttrFeatures, "FaceStyle": audit.AttrFeatures, "FacialFeature": audit.AttrFeatures, "EyebrowStyle": audit.AttrFeatures,
	"NoseStyle": audit.AttrFeatures, "MustacheStyle": audit.AttrFeatures, "LipStyle": audit.AttrFeatures, "WrinklePouch": audit.AttrFeatures,
	"AcneStain": audit.AttrFeatures, "FreckleBirthmark": audit.AttrFeatures, "ScarDimple": audit.AttrFeatures,
	"GlassStyle": audit.AttrAccessory, "GlassColor": audit.AttrAccessory, "CapStyle": audit.AttrAccessory, "CapColor": audit.AttrAccessory, "RespiratorColor": audit.AttrAccessory,
	"Emotion": audit.AttrEmotion, "Attitude": audit.AttrPose,
}

// nothing are the values that say nothing: GB/T 2261.1 has 0 for an unknown sex and 9 for an unstated one; a camera's push has "99"
// as the style of glasses of a face without. nobody are those that stand for no name.
var (
	nothing = []string{"", "-1", "0", "00", "9", "97", "98", "99", "null", "none", "unknown", "未知", "无"}
	nobody  = []string{"", "-", "0", "null", "none", "unknown", "未知", "无"}
)

// Read reads a message. It fails for what is no JSON object, or not whole.
func Read(b []byte) (Message, error) {
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		return Message{}, fmt.Errorf("viid: reading a message: %w", err)
	}
	return read(v, false), nil
}

// ReadCut reads what is complete of a message that was cut off: a face with its pictures is long, and a capture that missed one packet of
// it still holds what stands before them. A face counts only where it says that it was found automatically, and by which device.
func ReadCut(b []byte) (Message, error) {
	var v map[string]any
	if err := json.Unmarshal(jsonkeep.Closed(b), &v); err != nil {
		return Message{}, fmt.Errorf("viid: reading a message that was cut: %w", err)
	}
	return read(v, true), nil
}

func read(v map[string]any, cut bool) Message {
	r := reader{cut: cut}
	r.walk("", v, false, 0)
	for _, list := range []*[]string{&r.m.Devices, &r.m.Attributes, &r.m.Wanted} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return r.m
}

type reader struct {
	m     Message
	nodes int
	cut   bool
}

func (r *reader) walk(name string, v any, face bool, depth int) {
	if r.nodes++; depth > maxDeep || r.nodes > maxNodes {
		return
	}
	switch t := v.(type) {
	case []any:
		for _, x := range t {
			r.walk(name, x, face, depth+1)
		}
	case map[string]any:
		face = face || slices.Contains(faceLists, name)
		_, faced := t["FaceID"]
		switch {
		case face && faced:
			r.face(t)
			return
		case slices.Contains(personLists, name) && t["SubImageList"] != nil:
			r.person(t)
			return
		case name == "SubscribeObject":
			r.subscription(t)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(t)) {
			r.walk(k, t[k], face, depth+1)
		}
	}
}

// byHand reports what somebody entered: it was found by nobody's camera.
func byHand(m map[string]any) bool { return text(m["InfoKind"]) == "2" }

// face reads one face.
func (r *reader) face(m map[string]any) {
	if byHand(m) || r.cut && (text(m["InfoKind"]) != "1" || text(m["DeviceID"]) == "") {
		return
	}
	r.m.Pictures = pictured(m["SubImageList"], 0) || r.m.Pictures
	r.found(m)
	for k, a := range attributes {
		if !slices.Contains(nothing, strings.ToLower(text(m[k]))) {
			r.m.Attributes = append(r.m.Attributes, a)
		}
	}
	r.m.Person = r.m.Person || named(m["Name"]) || named(m["IDNumber"])
	for _, k := range []string{"FeatureInfo", "FeatureObject", "FeatureList", "FeatureInfoList"} {
		r.m.Template = r.m.Template || template(m[k], 0)
	}
}

// person reads one person: of the face it shows no more than that a picture of it is there, since everything else may be of body
// and clothes.
func (r *reader) person(m map[string]any) {
	if !byHand(m) && pictured(m["SubImageList"], 0) {
		r.m.Pictures = true
		r.found(m)
	}
}

func (r *reader) found(m map[string]any) {
	r.m.Faces++
	if id := text(m["DeviceID"]); id != "" && len(id) <= maxText && len(r.m.Devices) < maxDevices && !slices.Contains(r.m.Devices, id) {
		r.m.Devices = append(r.m.Devices, id)
	}
	likeness, err := strconv.ParseFloat(text(m["Similaritydegree"]), 64)
	r.m.Compared = r.m.Compared || err == nil && likeness > 0
}

func named(v any) bool { return !slices.Contains(nobody, strings.ToLower(text(v))) }

// template reports data of a template, which stand in a list, in an object beside the maker's name and the algorithm's, or alone.
func template(v any, depth int) bool {
	switch t := v.(type) {
	case string:
		return strings.TrimSpace(t) != ""
	case []any:
		return depth < 4 && slices.ContainsFunc(t[:min(len(t), 64)], func(x any) bool { return template(x, depth+1) })
	case map[string]any:
		for _, k := range []string{"FeatureData", "Feature", "FeatureInfoObject"} {
			if depth < 4 && template(t[k], depth+1) {
				return true
			}
		}
	}
	return false
}

// faceImage is the type of a picture that shows a face alone.
const faceImage = "11"

// pictured reports a picture of a face, itself or where it is stored.
func pictured(v any, depth int) bool {
	switch t := v.(type) {
	case []any:
		return slices.ContainsFunc(t[:min(len(t), 64)], func(x any) bool { return pictured(x, depth+1) })
	case map[string]any:
		if text(t["Type"]) == faceImage && (text(t["Data"]) != "" || text(t["StoragePath"]) != "") {
			return true
		}
		return depth < 4 && pictured(t["SubImageInfoObject"], depth+1)
	}
	return false
}

// subscription reads what somebody wants to be sent, unless it ends one: OperateType 1 cancels, SubscribeStatus 1 and 2 are
// cancelled and expired.
func (r *reader) subscription(m map[string]any) {
	if text(m["OperateType"]) == "1" || slices.Contains([]string{"1", "2"}, text(m["SubscribeStatus"])) {
		return
	}
	for _, code := range strings.FieldsFunc(text(m["SubscribeDetail"]), func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		if len(r.m.Wanted) < 32 && len(code) <= 4 && strings.Trim(code, "0123456789") == "" && !slices.Contains(r.m.Wanted, code) {
			r.m.Wanted = append(r.m.Wanted, code)
		}
	}
	if host := Host(text(m["ReceiveAddr"])); host != "" && r.m.Receiver == "" {
		r.m.Receiver = host
	}
}

// Host returns the host and port of a URL, empty where it has none that is written properly.
func Host(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || len(u.Host) > maxText {
		return ""
	}
	if ap, err := netip.ParseAddrPort(u.Host); err == nil {
		return ap.String()
	}
	for _, c := range u.Host {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == ':' || c == '[' || c == ']') {
			return ""
		}
	}
	return u.Host
}

// text is a text or a number as text, without space around it; empty for anything else.
func text(v any) string {
	switch t := v.(type) {
	case string:
		return strings.TrimSpace(t)
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	}
	return ""
}

// Number is an identifier of the standard, 20 digits, or nothing.
func Number(s string) string {
	s = strings.TrimSpace(s)
	if len(s) != 20 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// KindOf reads what sort of device a number is given to: digits 11 to 13, as GB/T 28181 annex D has them and GA/T 1400.1 takes over.
// Empty for what is none of them.
func KindOf(number string) audit.Kind {
	if Number(number) == "" {
		return ""
	}
	switch number[10:13] {
	case "111", "118": // DVR, NVR
		return audit.KindRecorder
	case "119", "131", "132": // capture device, camera, network camera
		return audit.KindCamera
	case "120", "200", "215", "502", "503": // platforms and servers
		return audit.KindServer
	}
	return ""
}
