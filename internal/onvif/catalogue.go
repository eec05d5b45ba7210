package onvif

import "strings"

// CatalogueVersion dates the vocabulary below; a judgement can name the one it used.
const CatalogueVersion = "2026-11-01"

// sort of an entry: what it shows when it is met.
type sort string

const (
	detection   sort = "detection"   // a face is found
	recognition sort = "recognition" // a person is recognised, if the message can carry who
	attributes  sort = "attributes"  // what a face looks like
	carrier     sort = "carrier"     // carries any object; only its classes tell
	credential  sort = "credential"  // a face opened a door
	nearMiss    sort = "near-miss"   // looks like it and is not
)

// entry is one known topic or type, by its path without prefixes.
type entry struct {
	path   string // a topic path, or the local name of a rule or module type
	sort   sort
	vendor string
	source string // spec: the standard · real: bytes of a device · list: a vendor's or integrator's list · weak: third-party clients only
}

// catalogue lists topics and types known from the specifications and from devices. What is not in it is read by its words.
var catalogue = []entry{
	{"RuleEngine/Recognition/Face", recognition, "", "spec, analytics 26.06, recognition rule engines; with item IsFDAlarm seen for plain detection"},
	{"FaceRecognition", recognition, "", "spec, analytics 26.06: rule type, EnrollmentID mandatory"},
	{"RuleEngine/Recognition/LicensePlate", nearMiss, "", "spec"},
	{"LicensePlateRecognition", nearMiss, "", "spec"},
	{"RuleEngine/ObjectDetection/Object", carrier, "", "spec"},
	{"ObjectDetection", carrier, "", "spec"},
	{"RuleEngine/ObjectTrack/Aggregation", carrier, "", "spec"},
	{"ObjectTrackAggregation", carrier, "", "spec"},
	{"LineDetector", carrier, "", "spec"},
	{"FieldDetector", carrier, "", "spec"},
	{"LoiteringDetector", carrier, "", "spec"},
	{"LineCounting", carrier, "", "spec"},
	{"OccupancyCounting", carrier, "", "spec"},
	{"RuleEngine/CountAggregation/Counter", carrier, "", "spec"},
	{"RuleEngine/Radiometry/BodyTemperatureAlarm", nearMiss, "", "spec: temperature, not a face"},
	{"BodyTemperatureAlarm", nearMiss, "", "spec"},
	{"AccessControl/AccessGranted/Identifier", credential, "", "spec, access control: IdentifierType pt:Face"},

	{"RuleEngine/MyRuleDetector/FaceDetect", detection, "Reolink", "real: pull point capture"},
	{"FaceDetectorEngine", detection, "Uniview and OEM", "real: three devices"},
	{"FaceDetector", detection, "Uniview and OEM", "real: three devices"},
	{"VideoSource/FaceDetection", detection, "Hanwha", "list: vendor web viewer"},
	{"OpenApp/WiseAI/ObjectDetection", carrier, "Hanwha", "real: logs"},
	{"OpenApp/WiseAI/LineCrossing", carrier, "Hanwha", "real: logs"},
	{"OpenApp/WiseAI/IvaArea", carrier, "Hanwha", "real: logs"},
	{"CameraApplicationPlatform/facedetector/CameraProfile1", detection, "Axis", "list: reported on a device"},
	{"CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1", carrier, "Axis", "real"},
	{"RuleEngine/FaceAnalysis/FaceDetector", attributes, "Honeywell", "list: vendor"},
	{"RuleEngine/FaceRecognitionDetector/ObjectIsRecognized", recognition, "Milestone driver", "list: vendor"},
	{"RuleEngine/FaceDetector/FaceDetected", detection, "", "weak"},
	{"RuleEngine/FaceDetector/FaceDetect", detection, "", "weak"},
	{"RuleEngine/FaceDetector/Face", detection, "", "weak"},
	{"RuleEngine/ObjectDetector/Face", detection, "", "weak"},
	{"VideoAnalytics/FaceDetection", detection, "", "weak"},
	{"VideoAnalytics/FaceDetection/Alarm", detection, "", "weak"},

	{"UserAlarm/IVA/HumanShapeDetect", nearMiss, "Dahua and OEM", "real: body"},
	{"RuleEngine/PeopleDetector/People", nearMiss, "TP-Link", "real: body"},
	{"RuleEngine/TPSmartEventDetector/TPSmartEvent", nearMiss, "TP-Link", "real"},
	{"RuleEngine/CellMotionDetector/People", nearMiss, "TP-Link", "real: body"},
	{"RuleEngine/CellMotionDetector/TpSmartEvent", nearMiss, "TP-Link", "real"},
	{"RuleEngine/MyRuleDetector/PeopleDetect", nearMiss, "Reolink", "real: body"},
	{"RuleEngine/MyRuleDetector/VehicleDetect", nearMiss, "Reolink", "real"},
	{"RuleEngine/MyRuleDetector/DogCatDetect", nearMiss, "Reolink", "real"},
	{"RuleEngine/MyRuleDetector/Visitor", nearMiss, "Reolink", "real: door bell"},
	{"RuleEngine/MyRuleDetector/Package", nearMiss, "Reolink", "real"},
	{"IVA/ObjectInField/Detect_any_object", nearMiss, "Bosch", "real"},
	{"Viproc", nearMiss, "Bosch", "real: video content analysis of objects"},
	{"RuleEngine/ObjectCrosses", nearMiss, "Avigilon", "real"},
	{"RuleEngine/FieldDetector/ObjectsInside", nearMiss, "", "real"},
	{"RuleEngine/LineDetector/Crossed", nearMiss, "", "real"},
	{"RuleEngine/CellMotionDetector/Motion", nearMiss, "", "real"},
	{"CellMotionEngine", nearMiss, "", "real"},
	{"CellMotionDetector", nearMiss, "", "real"},
	{"TamperDetection", nearMiss, "", "real"},
	{"VideoSource/MotionAlarm", nearMiss, "", "real"},
}

// standardRules are rule types of the specification. Such a rule exists because somebody created it, so its presence without
// Armed=false is "switched on" — unless the device declares it fixed.
var standardRules = map[string]bool{"FaceRecognition": true, "ObjectDetection": true, "ObjectTrackAggregation": true, "LineDetector": true,
	"FieldDetector": true, "LoiteringDetector": true, "LineCounting": true, "OccupancyCounting": true}

// find returns the catalogue's entry for a path or type.
func find(path string) (entry, bool) {
	for _, e := range catalogue {
		if e.path == path {
			return e, true
		}
	}
	return entry{}, false
}

// elsewhere lists makers whose face functions are configured outside ONVIF, as lower-case words of the manufacturer's name,
// with the reason. For them a complete ONVIF enumeration without a face shows nothing.
var elsewhere = []struct{ word, reason string }{
	{"hikvision", "faces are configured and reported through ISAPI"},
	{"hilook", "rebranded Hikvision"}, {"hiwatch", "rebranded Hikvision"}, {"ezviz", "Hikvision brand"},
	{"annke", "rebranded Hikvision"}, {"abus", "rebranded Hikvision"}, {"safire", "rebranded Hikvision"}, {"lts", "rebranded Hikvision"},
	{"nelly", "rebranded Hikvision"}, {"trendnet", "rebranded Hikvision or Dahua"}, {"honeywell", "rebranded Dahua or Hikvision lines; own topics"},
	{"dahua", "faces are configured and reported through the CGI and DHIP interfaces"}, {"imou", "Dahua brand"}, {"lechange", "Dahua brand"},
	{"amcrest", "rebranded Dahua"}, {"lorex", "rebranded Dahua"}, {"empiretech", "rebranded Dahua"}, {"q-see", "rebranded Dahua"},
	{"icrealtime", "rebranded Dahua"}, {"flir", "rebranded Dahua lines"}, {"intelbras", "rebranded Dahua"}, {"kbvision", "rebranded Dahua"},
	{"uniview", "face libraries live behind LAPI"}, {"unv", "Uniview"}, {"uniarch", "Uniview brand"}, {"sunba", "rebranded Uniview"},
	{"hanwha", "applications (Wise AI) are configured through SUNAPI"}, {"samsung", "Hanwha"}, {"techwin", "Hanwha"}, {"wisenet", "Hanwha"},
	{"axis", "ACAP applications are configured through VAPIX"}, {"bosch", "video content analysis is configured through RCP+ and applications"},
	{"reolink", "a face topic can be live that no list shows"},
	{"tp-link", "smart events are configured through a private interface"}, {"tplink", "TP-Link"}, {"tapo", "TP-Link"}, {"vigi", "TP-Link"}, {"mercury", "TP-Link"},
	{"huawei", "faces are configured through the HoloSens SDC interface and GA/T 1400"}, {"holosens", "Huawei"}, {"tiandy", "private interface"}, {"kedacom", "private interface and GA/T 1400"},
	{"yushi", "Uniview"}, {"zte", "private interface"}, {"cloudwalk", "private interface"}, {"sensetime", "private interface"}, {"megvii", "private interface"},
	{"yitu", "private interface"}, {"deepglint", "private interface"}, {"avigilon", "face functions live in its video management"}, {"mobotix", "applications outside ONVIF"},
	{"i-pro", "applications outside ONVIF"}, {"panasonic", "applications outside ONVIF"}, {"milesight", "private interface"}, {"vivotek", "applications outside ONVIF"},
	{"tvt", "private interface"}, {"xiongmai", "private interface"}, {"jovision", "private interface"},
}

// ConfiguredElsewhere reports whether the maker is known to configure face functions outside ONVIF, and why. A maker that
// does not say who it is counts as one.
func ConfiguredElsewhere(manufacturer string) (reason string, yes bool) {
	ws := words(manufacturer)
	if len(ws) == 0 {
		return "maker not stated", true
	}
	joined := strings.Join(ws, "")
	for _, e := range elsewhere {
		want := strings.Join(words(e.word), "")
		for i := range ws {
			if ws[i] == want {
				return e.reason, true
			}
		}
		if len(want) > 4 && strings.Contains(joined, want) {
			return e.reason, true
		}
	}
	return "", false
}
