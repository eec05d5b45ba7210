// Package viid reads what passes between devices, platforms and servers over GA/T 1400 (公安视频图像信息应用系统), the interface by
// which Chinese surveillance platforms pass faces, persons and vehicles on: which sort of message it is, who sends it for whom,
// and which members of a face are filled in. Values of persons are looked at for being there and dropped.
package viid

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
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
	Notifications What = "notifications" // what a subscriber asked for
	Subscription  What = "subscription"  // somebody wants to be sent what is found
	Hits          What = "hits"          // somebody of a watch list was seen
	Other         What = "other"
)

// WhatIs returns the sort of a request by its path, empty where it is none of this standard.
func WhatIs(target string) What {
	path := target
	if u, err := url.Parse(target); err == nil {
		path = u.Path
	}
	path = strings.TrimSuffix(path, "/")
	if len(path) < len(Prefix) || !strings.EqualFold(path[:len(Prefix)], Prefix) {
		return ""
	}
	switch strings.ToLower(path[len(Prefix):]) {
	case "system/register", "system/keepalive", "system/unregister":
		return Register
	case "faces":
		return Faces
	case "subscribenotifications":
		return Notifications
	case "subscribes":
		return Subscription
	case "dispositionnotifications":
		return Hits
	}
	return Other
}

// Message is what one request shows: names and whether something is there, nothing of a person.
type Message struct {
	Devices    []string // numbers of the devices that found something, as the objects name them
	Faces      int      // faces found automatically
	Pictures   bool     // with a picture of a face, or where one is stored
	Attributes []string // that are filled in, as package audit names them
	Compared   bool     // a degree of likeness is filled in: it was compared with a library
	Person     bool     // a person's name or number is filled in
	Template   bool     // it carries a template
	Wanted     []string // of a subscription: codes of what is wanted; "12" is faces
	Receiver   string   // of a subscription: host and port results are to be sent to
}

const maxText = 64

// faceLists hold faces; the standard's names and those that implementations write.
var faceLists = []string{"FaceListObject", "FaceObjectList", "FaceList", "FaceObject"}

// attributes are the members of a face that were read from it, by what package audit calls them, with the values that say
// nothing (GB/T 2261.1 has 0 for an unknown sex and 9 for an unstated one; members of style have 0 or 99 for none, from memory).
var attributes = map[string]string{
	"GenderCode": audit.AttrGender, "AgeUpLimit": audit.AttrAge, "AgeLowerLimit": audit.AttrAge, "SkinColor": audit.AttrComplexion, "EthicCode": audit.AttrComplexion,
	"HairStyle": audit.AttrFeatures, "HairColor": audit.AttrFeatures, "FaceStyle": audit.AttrFeatures, "FacialFeature": audit.AttrFeatures, "EyebrowStyle": audit.AttrFeatures,
	"NoseStyle": audit.AttrFeatures, "MustacheStyle": audit.AttrFeatures, "LipStyle": audit.AttrFeatures, "WrinklePouch": audit.AttrFeatures,
	"AcneStain": audit.AttrFeatures, "FreckleBirthmark": audit.AttrFeatures, "ScarDimple": audit.AttrFeatures,
	"GlassStyle": audit.AttrAccessory, "GlassColor": audit.AttrAccessory, "CapStyle": audit.AttrAccessory, "CapColor": audit.AttrAccessory, "RespiratorColor": audit.AttrAccessory,
	"Emotion": audit.AttrEmotion, "Attitude": audit.AttrPose,
}

var nothing = []string{"", "0", "00", "9", "99", "null", "unknown"}

// Read reads a message. It fails for what is no JSON object, or not whole.
func Read(b []byte) (Message, error) {
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		return Message{}, fmt.Errorf("viid: reading a message: %w", err)
	}
	r := reader{}
	r.walk("", v, false, 0)
	slices.Sort(r.m.Devices)
	r.m.Devices = slices.Compact(r.m.Devices)
	slices.Sort(r.m.Attributes)
	r.m.Attributes = slices.Compact(r.m.Attributes)
	return r.m, nil
}

type reader struct {
	m     Message
	nodes int
}

func (r *reader) walk(name string, v any, face bool, depth int) {
	if r.nodes++; depth > 24 || r.nodes > 40_000 {
		return
	}
	switch t := v.(type) {
	case []any:
		for _, x := range t {
			r.walk(name, x, face, depth+1)
		}
	case map[string]any:
		if slices.Contains(faceLists, name) || face {
			if _, is := t["FaceID"]; is {
				r.face(t)
				return
			}
			face = true
		}
		if strings.Contains(name, "Subscribe") {
			r.subscription(t)
		}
		for k, x := range t {
			r.walk(k, x, face || slices.Contains(faceLists, k), depth+1)
		}
	}
}

// face reads one face. What somebody entered by hand (InfoKind 2) was found by nobody's camera.
func (r *reader) face(m map[string]any) {
	if text(m["InfoKind"]) == "2" {
		return
	}
	r.m.Faces++
	if id := Number(text(m["DeviceID"])); id != "" && len(r.m.Devices) < 64 {
		r.m.Devices = append(r.m.Devices, id)
	}
	for k, v := range m {
		if a := attributes[k]; a != "" && !slices.Contains(nothing, strings.ToLower(text(v))) {
			r.m.Attributes = append(r.m.Attributes, a)
		}
	}
	r.m.Compared = r.m.Compared || !slices.Contains(nothing, strings.TrimRight(strings.TrimRight(text(m["Similaritydegree"]), "0"), "."))
	r.m.Person = r.m.Person || text(m["Name"]) != "" || text(m["IDNumber"]) != ""
	r.m.Template = r.m.Template || m["FeatureInfo"] != nil && text(m["FeatureInfo"]) != "" || holds(m["FeatureInfo"]) || holds(m["FeatureObject"]) || holds(m["FeatureList"])
	r.pictures(m["SubImageList"], 0)
}

func holds(v any) bool {
	switch t := v.(type) {
	case []any:
		return len(t) > 0
	case map[string]any:
		return len(t) > 0
	}
	return false
}

// faceImage is the type of a picture that shows a face alone.
const faceImage = "11"

func (r *reader) pictures(v any, depth int) {
	switch t := v.(type) {
	case []any:
		for _, x := range t[:min(len(t), 64)] {
			r.pictures(x, depth+1)
		}
	case map[string]any:
		if text(t["Type"]) == faceImage && (text(t["Data"]) != "" || text(t["StoragePath"]) != "") {
			r.m.Pictures = true
		}
		if depth < 4 {
			r.pictures(t["SubImageInfoObject"], depth+1)
		}
	}
}

func (r *reader) subscription(m map[string]any) {
	for _, code := range strings.FieldsFunc(text(m["SubscribeDetail"]), func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		if len(r.m.Wanted) < 32 && len(code) <= 4 && strings.Trim(code, "0123456789") == "" && !slices.Contains(r.m.Wanted, code) {
			r.m.Wanted = append(r.m.Wanted, code)
		}
	}
	slices.Sort(r.m.Wanted)
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
		return strings.TrimSuffix(fmt.Sprintf("%.4f", t), ".0000")
	case bool:
		return fmt.Sprint(t)
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
	case "120", "200", "215", "503", "502": // platforms and servers
		return audit.KindServer
	}
	return ""
}
