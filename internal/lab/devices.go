package lab

import (
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// camera is what the cameras below share: media, events and an analytics service that knows motion.
func camera(name, maker, model string) Spec {
	return Spec{
		Name: name, Kind: audit.KindCamera, Maker: maker, Model: model, Firmware: "V3.2.1 build 260101",
		ONVIF: true, RTSP: true,
		Analytics: Analytics{
			Service:          true,
			SupportedRules:   []Described{motionRule(), lineRule()},
			Rules:            []Configured{motionConfigured()},
			SupportedModules: []Described{motionModule()},
			Modules:          []Configured{motionEngine()},
		},
		Events: Events{
			Service: true,
			Topics:  []Topic{motionTopic()},
			Initial: []Event{motionEvent("Initialized", "false")},
		},
		Metadata: Metadata{Configured: true, Analytics: true, Track: true, Frames: []Frame{{}}},
	}
}

// CapableOnly declares face recognition and face classes everywhere a firmware can, and has none of it configured.
func CapableOnly(name string) Spec {
	s := camera(name, "Lanting", "LT-M200")
	s.Login.Auth = AuthWSSE
	s.ProfileM = true
	s.Analytics.SupportedRules = append(s.Analytics.SupportedRules, recognitionRule(), objectRule())
	s.Analytics.Options = []Option{{Rule: "tt:ObjectDetection", Name: "ClassFilter", List: "Person Vehicle Face LicensePlate"}}
	s.Analytics.Samples = []Sample{
		{Module: "tt:CellMotionEngine", Frame: Frame{Objects: []Object{{ID: 1}}}},
		{Module: "lt:FaceAttributeEngine", Frame: Frame{Objects: []Object{{ID: 1, Class: "HumanFace", Attributes: demographics(ageRange("0", "99"), "Male", "Natural")}}}},
	}
	s.Events.Topics = append(s.Events.Topics, recognitionTopic())
	return s
}

// unv imitates a firmware line with its own face module in the base schema: the module's Enable decides, the companion rule
// has none.
func unv(name, model, enable string) Spec {
	s := camera(name, "Uniview-like", model)
	s.Login.Auth = AuthAny
	s.Style = Style{Envelope: "SOAP-ENV", NameFirst: true, GSOAP: true, Echo: true, Fault: FaultSOAP11}
	s.Quirks.NoMedia2 = true
	s.Analytics.SupportedRules = append(s.Analytics.SupportedRules, Described{Name: "tt:FaceDetector", Max: 1})
	s.Analytics.Rules = append(s.Analytics.Rules, Configured{Name: "MyFaceDetectRule", Type: "tt:FaceDetector"})
	s.Analytics.SupportedModules = append(s.Analytics.SupportedModules, Described{Name: "tt:FaceDetectorEngine", Max: 1,
		Params: []Param{{"Enable", "xs:boolean"}, {"DynamicModeEnable", "xs:boolean"}}})
	s.Analytics.Modules = append(s.Analytics.Modules, Configured{Name: "MyFaceDetectModule", Type: "tt:FaceDetectorEngine",
		Params: []Param{{"Enable", enable}, {"DynamicModeEnable", "true"}}})
	return s
}

// ConfiguredOff has a face module that is switched off.
func ConfiguredOff(name string) Spec { return unv(name, "UL-2431", "false") }

// ConfiguredOn has the same module switched on, and emits nothing.
func ConfiguredOn(name string) Spec {
	s := unv(name, "UL-2432", "true")
	s.Style.NameFirst = false
	return s
}

// EmitsAttributes streams faces with age, gender and expression in its metadata.
func EmitsAttributes(name string) Spec {
	s := camera(name, "Lanting", "LT-F510")
	s.Login.Auth = AuthDigestBoth
	s.ProfileM = true
	s.Style = Style{Envelope: "SOAP-ENV", GSOAP: true, Fault: FaultGSOAP}
	s.Analytics.SupportedRules = append(s.Analytics.SupportedRules, objectRule())
	s.Analytics.Rules = append(s.Analytics.Rules, Configured{Name: "Faces", Type: "tt:ObjectDetection", Params: []Param{{"ClassFilter", "Face"}, {"Armed", "true"}}})
	s.Analytics.Options = []Option{{Rule: "tt:ObjectDetection", Name: "ClassFilter", List: "Person Face"}}
	s.Analytics.SupportedModules = append(s.Analytics.SupportedModules, Described{Name: "lt:FaceAttributeEngine", Max: 1})
	s.Analytics.Modules = append(s.Analytics.Modules, Configured{Name: "FaceAttributes", Type: "lt:FaceAttributeEngine", Params: []Param{{"Enable", "true"}}})
	s.Analytics.Samples = []Sample{{Module: "lt:FaceAttributeEngine", Frame: Frame{Objects: []Object{{ID: 1, Class: "HumanFace",
		Attributes: demographics(ageRange("0", "99"), "Male", "Natural")}}}}}
	s.Events.Topics = append(s.Events.Topics, Topic{Path: topicObject, Property: true, Source: videoAndRule(), Data: []Param{{"ClassTypes", "tt:StringList"}}})
	s.Events.Emit = []Event{{Topic: topicObject, Operation: "Changed", Source: []Param{{"VideoSource", "VideoSource_1"}, {"Rule", "Faces"}}, Data: []Param{{"ClassTypes", "Face"}}}}
	s.Metadata.Frames = peopleWithFaces(InFC, true)
	return s
}

// EmitsAttributesQinghe does the same by another firmware: other prefixes, the children of HumanFace in the base schema on
// an object of class Human, the track compressed, face crops referred to.
func EmitsAttributesQinghe(name string) Spec {
	s := camera(name, "Qinghe", "QH-VX8")
	s.Login.Auth = AuthWSSE
	s.Style = Style{Envelope: "s", Prefix: map[string]string{"tt": "onvif", "tan": "ns7", "trt": "ns3"}, Indent: true}
	s.Analytics.ImageSending = "RemoteStorage"
	s.Metadata.Encoding = GzipMetadata
	s.Metadata.PayloadType = 98
	s.Metadata.Frames = []Frame{
		{Objects: []Object{{ID: 7, Class: "Human", NS: InTT, Image: true, Attributes: demographics(ageRange("18", "30"), "Female", "Smile")}}},
		{Objects: []Object{{ID: 8, Class: "Human", Form: ClassCandidate, NS: InTT, Attributes: demographics(ageRange("50", "60"), "Male", "Frown")}}},
	}
	return s
}

func recognition(name, model string, data []Param) Spec {
	s := camera(name, "Qinghe", model)
	s.Login.Auth = AuthWSSE
	s.ProfileM = true
	s.Analytics.SupportedRules = append(s.Analytics.SupportedRules, recognitionRule())
	s.Analytics.Rules = append(s.Analytics.Rules, Configured{Name: "FaceRule", Type: "tt:FaceRecognition", Params: []Param{{"Armed", "true"}, {"Threshold", "0.8"}}})
	s.Events.Topics = append(s.Events.Topics, recognitionTopic())
	s.Events.Emit = []Event{{Topic: topicRecognition, Source: []Param{{"VideoSource", "VideoSource_1"}, {"Rule", "FaceRule"}}, Data: data}}
	return s
}

// EmitsRecognitionIdentity sends Recognition/Face events that name the person.
func EmitsRecognitionIdentity(name string) Spec {
	return recognition(name, "QH-ID3", []Param{{"Likelihood", "0.93"}, {"ObjectId", "15"}, {"Label", "Temporary"},
		{"EnrollmentID", "LAB-PERSON-0007"}, {"RefImageUri", "http://crops.invalid/ref/LAB-PERSON-0007.jpg"}})
}

// EmitsRecognitionPlain uses the same topic for detection only: no identity in it.
func EmitsRecognitionPlain(name string) Spec {
	s := recognition(name, "QH-FD1", []Param{{"IsFDAlarm", "true"}})
	s.Login.Auth = AuthDigestMD5
	return s
}

// FaceDetectEvents imitates a consumer firmware: the topic is missing from its topic set, it has two pull points, and types
// without a prefix.
func FaceDetectEvents(name string) Spec {
	s := camera(name, "Reolink-like", "RL-811")
	s.Login.Auth = AuthWSSE
	s.Style = Style{Envelope: "SOAP-ENV", GSOAP: true, Echo: true, Fault: FaultGSOAP}
	s.Analytics.Modules = []Configured{{Name: "MyCellMotionModule", Type: "CellMotionEngine", Params: []Param{{"Sensitivity", "10"}}}}
	s.Events.Max = 2
	face := func(operation, state string) Event {
		return Event{Topic: topicFaceDetect, Operation: operation, Source: []Param{{"Source", "000"}}, Data: []Param{{"State", state}}}
	}
	s.Events.Initial = []Event{face("Initialized", "false")}
	s.Events.Emit = []Event{face("Changed", "true"), face("Changed", "false")}
	s.Metadata = Metadata{Configured: true}
	return s
}

// NoFace answers every question that would show a face function, and has none.
func NoFace(name string) Spec {
	s := camera(name, "Lanting", "LT-B100")
	s.Login.Auth = AuthDigestMD5
	s.ProfileM = true
	s.Analytics.SupportedRules = append(s.Analytics.SupportedRules, objectRule())
	s.Analytics.Options = []Option{{Rule: "tt:ObjectDetection", Name: "ClassFilter", List: "Person Vehicle"}}
	s.Analytics.Samples = []Sample{{Module: "tt:CellMotionEngine", Frame: Frame{Objects: []Object{{ID: 1, Class: "Human"}}}}}
	s.Events.Emit = []Event{motionEvent("Changed", "true"), motionEvent("Changed", "false")}
	return s
}

// WSSEOnly takes WS-Security and nothing else. It, DigestOnly and OpenCamera differ from a camera without faces in how they
// are logged in to.
func WSSEOnly(name string) Spec {
	s := NoFace(name)
	s.Login.Auth = AuthWSSE
	return s
}

// DigestOnly takes HTTP digest with SHA-256 and nothing else.
func DigestOnly(name string) Spec {
	s := NoFace(name)
	s.Login.Auth = AuthDigestSHA256
	return s
}

// OpenCamera asks for no login.
func OpenCamera(name string) Spec {
	s := NoFace(name)
	s.Login.Auth = AuthNone
	s.Style.OneXAddr = "/onvif/services"
	s.Style.Fault = FaultBare
	return s
}

// ClockOff lives eight years in the past and checks the time of a login against that.
func ClockOff(name string) Spec {
	s := WSSEOnly(name)
	s.Maker, s.Model = "Dahua-like", "DL-4443"
	s.Clock = -8 * 365 * 24 * time.Hour
	s.Login.Window = 30 * time.Second
	s.Quirks.YearLong = true
	return s
}

// FaceTerminal is an access terminal: it opens a door to a face.
func FaceTerminal(name string) Spec {
	s := unv(name, "OL-213", "true")
	s.Kind = audit.KindTerminal
	s.Scopes = []string{"onvif://www.onvif.org/type/IPC_ACS", "onvif://www.onvif.org/Profile/C"}
	s.PACS = []string{"pt:Card", "pt:Face"}
	return s
}

// Recorder records sixteen channels and analyses nothing.
func Recorder(name string) Spec {
	return Spec{
		Name: name, Kind: audit.KindRecorder, Maker: "Lanting", Model: "LT-NVR16", Firmware: "V4.0.0",
		ONVIF: true, RTSP: true, Channels: 16, Recording: true,
		Login: Login{Auth: AuthDigestMD5},
		Types: []string{"dn:NetworkVideoTransmitter", "tds:Device"},
		Events: Events{Service: true, Topics: []Topic{{Path: "tns1:RecordingConfig/JobState", Property: true,
			Source: []Param{{"RecordingJobToken", "tt:ReferenceToken"}}, Data: []Param{{"State", "xs:string"}}}}},
		Page: Page{Server: "LT-Webs/1.0", Title: "NVR"},
	}
}

// GarbageDevice answers random bytes.
func GarbageDevice(name string) Spec {
	return Spec{Name: name, Kind: audit.KindOther, Maker: "unknown", Model: "unknown", ONVIF: true, Login: Login{Auth: AuthWSSE}, Quirks: Quirks{HTTP: Garbage}}
}

// SilentDevice accepts connections and never says a word.
func SilentDevice(name string) Spec {
	return Spec{Name: name, Kind: audit.KindOther, Maker: "unknown", Model: "unknown", Quirks: Quirks{HTTP: Silent}}
}

// Printer is found by the same discovery as cameras, and is none.
func Printer(name string) Spec {
	return Spec{
		Name: name, Kind: audit.KindOther, Maker: "Songyan", Model: "SY-LaserJob 12",
		Types: []string{"wsdp:Device", "pri:PrintDeviceType"},
		MDNS:  []Record{{Service: "_ipp._tcp", TXT: []string{"txtvers=1", "ty=SY-LaserJob 12", "rp=ipp/print"}}, {Service: "_http._tcp"}},
		Page:  Page{Server: "SY-HTTPD/2.0", Title: "SY-LaserJob 12 — Printer status"},
	}
}

// Phone is somebody's telephone on the same network.
func Phone(name string) Spec {
	return Spec{
		Name: name, Kind: audit.KindOther, Maker: "Yunque", Model: "Y9",
		MDNS: []Record{{Service: "_http._tcp", TXT: []string{"path=/"}}},
		Page: Page{Title: "Shared photos"},
	}
}
