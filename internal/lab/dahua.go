package lab

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// CGI is Dahua's interface of a device, as its firmware answers it. Everything wants a login, by digest.
type CGI struct {
	Class  string    // "NVR", "XVR", "IPC"
	Remote []Proxied // cameras fetched over the network, by channel; one that is switched off keeps its place
	Titles []string  // of every channel, with or without a camera
	Lost   []int     // channels without a picture, from zero

	Tables   map[string][]string // further tables: by name, the lines behind "table." and the name
	Caps     []string            // lines of what the analysis could do, the same for every channel
	Knows    []string            // codes of events it lists
	Library  []string            // lines of the libraries there are
	Deployed map[int][]string    // lines of the libraries armed at a channel, from one
	Now      map[string][]int    // channels, from zero, that an event of this code goes on at
	Attach   bool                // hands out events; further fields say which
	Events   []string            // "Code=…;action=…;index=…;data={…}", in turn, over and over
	Every    time.Duration       // between them; default 300 ms
}

// cgiReading lists what may be asked of Dahua's interface about faces. Of the last two, any channel.
const cgiReading = `
/cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule
/cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseGlobal
/cgi-bin/configManager.cgi?action=getConfig&name=FaceRecognitionEventHandler
/cgi-bin/configManager.cgi?action=getConfig&name=CitizenPictureCompareRule
/cgi-bin/configManager.cgi?action=getConfig&name=PictureHttpUpload
/cgi-bin/configManager.cgi?action=getConfig&name=EventHttpUpload
/cgi-bin/configManager.cgi?action=getConfig&name=VSP_GAT1400
/cgi-bin/configManager.cgi?action=getConfig&name=VSP_GAVI
/cgi-bin/configManager.cgi?action=getConfig&name=VSP_GB28181
/cgi-bin/configManager.cgi?action=getConfig&name=T2UServer
/cgi-bin/eventManager.cgi?action=getCaps
/cgi-bin/eventManager.cgi?action=getEventIndexes&code=FaceDetection
/cgi-bin/eventManager.cgi?action=getEventIndexes&code=FaceRecognition
/cgi-bin/faceRecognitionServer.cgi?action=findGroup
`

// cgiPrefixes are the questions of which only the beginning is listed.
func cgiPrefixes() []string {
	return []string{"/cgi-bin/devVideoAnalyse.cgi?action=getcaps&channel=", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=", "/cgi-bin/eventManager.cgi?action=attach&codes=["}
}

// cgiReads reports whether a request to Dahua's interface only reads.
func cgiReads(what string) bool {
	method, path, _ := strings.Cut(what, " ")
	return method == http.MethodGet && (strings.Contains(cgiReading, "\n"+path+"\n") || slices.ContainsFunc(cgiPrefixes(), func(p string) bool {
		return strings.HasPrefix(path, p) && strings.Count(path, "action=") == 1
	}))
}

func (d *device) serveCGI(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c := d.spec.CGI
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\r\n", key, value) }
	lines := func(prefix string, ls []string) {
		for _, l := range ls {
			b.WriteString(prefix + l + "\r\n")
		}
	}
	switch _, program, _ := strings.Cut(r.URL.Path, "/cgi-bin/"); program + " " + q.Get("action") + " " + q.Get("name") + q.Get("code") {
	case "magicBox.cgi getSystemInfo ":
		line("appAutoStart", true)
		line("deviceType", 31)
		line("serialNumber", d.spec.Serial)
		line("updateSerial", d.spec.Model)
	case "magicBox.cgi getDeviceType ":
		line("type", d.spec.Model)
	case "magicBox.cgi getDeviceClass ":
		line("class", c.Class)
	case "magicBox.cgi getSoftwareVersion ":
		line("version", d.spec.Firmware)
	case "magicBox.cgi getVendor ":
		line("vendor", "General")
	case "magicBox.cgi getMachineName ":
		line("name", d.spec.Label)
	case "magicBox.cgi getSerialNo ":
		line("sn", d.spec.Serial)
	case "configManager.cgi getConfig RemoteDevice":
		for i, c := range c.Remote {
			for _, x := range [][2]string{{"Address", c.Address}, {"DeviceType", c.Model}, {"Enable", fmt.Sprint(!c.Disabled)}, {"HttpPort", fmt.Sprint(c.Port)}, {"Mac", c.MAC},
				{"Name", c.Name}, {"Password", camerasPassword}, {"Port", "37777"}, {"ProtocolType", c.Protocol}, {"SerialNo", c.Serial}, {"UserName", "admin"}, {"Vendor", "Private"}} {
				line(fmt.Sprintf("table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_%d.%s", i, x[0]), x[1])
			}
		}
	case "configManager.cgi getConfig ChannelTitle":
		for i, t := range c.Titles {
			line(fmt.Sprintf("table.ChannelTitle[%d].Name", i), t)
		}
	case "eventManager.cgi getEventIndexes VideoLoss":
		for i, c := range c.Lost {
			line(fmt.Sprintf("channels[%d]", i), c)
		}
	case "devVideoAnalyse.cgi getcaps ":
		lines("caps.", c.Caps)
	case "eventManager.cgi getCaps ":
		for i, code := range c.Knows {
			line(fmt.Sprintf("caps.EventList[%d]", i), code)
		}
	case "faceRecognitionServer.cgi findGroup ":
		lines("", c.Library)
	case "faceRecognitionServer.cgi getGroup ":
		for channel, ls := range c.Deployed {
			if q.Get("channel") == fmt.Sprint(channel) {
				lines("", ls)
			}
		}
	case "eventManager.cgi attach ":
		if c.Attach {
			d.attach(w, r)
			return
		}
	default:
		switch {
		case q.Get("action") == "getConfig":
			lines("table."+q.Get("name"), c.Tables[q.Get("name")])
		case q.Get("action") == "getEventIndexes":
			for i, at := range c.Now[q.Get("code")] {
				line(fmt.Sprintf("channels[%d]", i), at)
			}
		}
	}
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	if b.Len() == 0 {
		w.WriteHeader(http.StatusBadRequest)
		b.WriteString("Error\r\nBad Request!\r\n")
	}
	fmt.Fprint(w, b.String())
}

// attach hands out events until the client has enough: a heartbeat first, then one event after another. The device of every
// second house number writes no length.
func (d *device) attach(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=myboundary")
	w.WriteHeader(http.StatusOK)
	part := func(text string) {
		length := fmt.Sprintf("Content-Length:%d\r\n", len(text))
		if d.n%2 == 0 {
			length = ""
		}
		fmt.Fprintf(w, "--myboundary\r\nContent-Type: text/plain\r\n%s\r\n%s\r\n\r\n", length, text)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	part("Heartbeat")
	every := d.spec.CGI.Every
	if every <= 0 {
		every = 300 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-r.Context().Done():
			return
		case <-d.shop.ctx.Done():
			return
		case <-tick.C:
		}
		text := "Heartbeat"
		if n := len(d.spec.CGI.Events); n > 0 {
			text = d.spec.CGI.Events[i%n]
		}
		part(text)
	}
}

// Persons of the shop's libraries. Nothing that is kept of an audit may hold a word of them.
const (
	DahuaLibrary = "Lanting-VIP-Liste"
	DahuaPerson  = "Shen Mengzhou"
)

// A face, and a face that was compared, as devices report them.
const (
	dahuaDetection = `Code=FaceDetection;action=Start;index=0;data={
   "CfgRuleId" : 1, "Class" : "FaceDetection", "EventID" : 10360,
   "Faces" : [ { "BoundingBox" : [ 1504, 2336, 1728, 2704 ], "ObjectID" : 94, "ObjectType" : "HumanFace" } ],
   "Name" : "FaceDetection",
   "Object" : { "Action" : "Appear", "BoundingBox" : [ 1504, 2336, 1728, 2704 ], "ObjectID" : 94, "ObjectType" : "HumanFace",
      "Sex" : "Woman", "Age" : 34, "Emotion" : "Smile", "Feature" : [], "Glass" : 1, "Mask" : 1, "Beard" : 0, "Eye" : 1, "Mouth" : 0,
      "Image" : { "Length" : 30017, "Offset" : 0, "Width" : 240, "Height" : 320 } },
   "PTS" : 43126795.0, "RuleID" : 1, "UTC" : 1793500000
}`
	dahuaDetectionEnds = `Code=FaceDetection;action=Stop;index=0;data={ "Class" : "FaceDetection", "CfgRuleId" : 1 }`
	dahuaRecognition   = `Code=FaceRecognition;action=Pulse;index=1;data={
   "Candidates" : [ { "IsHit" : true, "Person" : { "UID" : "90017", "GroupID" : "10003", "GroupName" : "` + DahuaLibrary + `", "Name" : "` + DahuaPerson + `",
      "Sex" : "Woman", "Birthday" : "1988-03-04", "CertificateType" : "IC", "ID" : "110101198803040025" }, "Similarity" : 93 } ],
   "Class" : "FaceRecognition", "Object" : { "ObjectID" : 370, "ObjectType" : "HumanFace", "Age" : 0, "Sex" : "Unknown" }
}`
	dahuaDoor = `Code=_DoorFace_;action=Pulse;index=0;data={
   "Alive" : 100, "Door" : 0, "FeatureId" : 1, "OpenDoorMethod" : 3, "Similarity" : 98, "SnapPath" : "\/var\/tmp\/partsnap7.jpg", "UserID" : "90017", "readID" : 1
}`
	dahuaDoorOpens = `Code=AccessControl;action=Pulse;index=0;data={ "CardName" : "` + DahuaPerson + `", "Door" : 0, "Method" : 15, "Status" : 1, "UserID" : "90017" }`
	dahuaBody      = `Code=HumanTrait;action=Start;index=0;data={ "Class" : "ObjectDetect", "HumanAttributes" : { "Sex" : "Man", "Age" : 30 },
   "FaceAttributes" : { "Sex" : "Man", "Age" : 30 }, "Object" : { "ObjectType" : "Human" } }`
)

func dahua(name, class, model string, kind audit.Kind) Spec {
	return Spec{Name: name, Kind: kind, Maker: "Dahua-like", Model: model, Firmware: "2.840.0000000.1.R,build:2026-01-01", Page: Page{Title: "WEB SERVICE"},
		Login: Login{Auth: AuthDigestMD5, Realm: "Login to 7K0LAB1PAZ" + fmt.Sprintf("%05d", len(name)), Attempts: 5}, CGI: &CGI{Class: class, Attach: true, Tables: map[string][]string{}}}
}

func dahuaCamera(name string) Spec {
	s := dahua(name, "IPC", "DL-IPC-5442", audit.KindCamera)
	s.CGI.Caps = []string{"SupportedScene[0]=Normal", "SupportedScene[1]=FaceDetection", "Normal.Rules.CrossLineDetection.MaxCount=10", "FaceDetection.Rules.FaceDetection.MaxCount=1"}
	s.CGI.Knows = []string{"VideoMotion", "CrossLineDetection", "FaceDetection", "HumanTrait"}
	s.CGI.Tables["T2UServer"] = []string{".Enable=true", ".Domain=www.easy4ipcloud.com", ".Port=8800"}
	return s
}

// DahuaFaceRuleOff could detect faces, has the rule for it, and the rule is off. As some firmware does it, the rule has a class
// and no type; a rule for lines is on.
func DahuaFaceRuleOff(name string) Spec {
	s := dahuaCamera(name)
	s.CGI.Tables["VideoAnalyseGlobal"] = []string{"[0].Scene.Type=Normal"}
	s.CGI.Tables["VideoAnalyseRule"] = []string{"[0][0].Class=FaceDetection", "[0][0].Enable=false", "[0][0].Name=FD-1",
		"[0][1].Class=Normal", "[0][1].Type=CrossLineDetection", "[0][1].Enable=true", "[0][1].ObjectTypes[0]=Human"}
	s.CGI.Events = []string{dahuaBody}
	return s
}

// DahuaFaceRuleOn detects faces, reads age, gender and expression from them, and sends pictures to a server.
func DahuaFaceRuleOn(name string) Spec {
	s := dahuaCamera(name)
	s.CGI.Tables["VideoAnalyseGlobal"] = []string{"[0].Scene.Type=FaceDetection"}
	s.CGI.Tables["VideoAnalyseRule"] = []string{"[0][0].Class=FaceDetection", "[0][0].Type=FaceDetection", "[0][0].Enable=true", "[0][0].Config.FeatureEnable=false"}
	s.CGI.Tables["PictureHttpUpload"] = []string{".Enable=true", ".UploadServerList[0].Address=203.0.113.40", ".UploadServerList[0].Port=8443", ".UploadServerList[0].HttpsEnable=true",
		".UploadServerList[0].EventType[0]=FaceDetection", ".UploadServerList[0].UserName=push", ".UploadServerList[0].Password=" + camerasPassword, ".UploadServerList[0].Uploadpath=/in?key=" + camerasPassword}
	s.CGI.Now = map[string][]int{"FaceDetection": {0}}
	s.CGI.Events = []string{dahuaDetection, "Heartbeat", dahuaDetectionEnds, dahuaBody}
	return s
}

// DahuaFaceRecorder compares the faces of its second channel with a library.
func DahuaFaceRecorder(name string) Spec {
	s := dahua(name, "NVR", "DL-NVR-2104", audit.KindRecorder)
	s.CGI.Remote = []Proxied{{Name: "大门", Protocol: "Dahua2", Address: "192.0.2.201", Port: 80, Model: "DL-IPC-1"}, {Name: "收银台", Protocol: "Onvif", Address: "192.0.2.202", Port: 80, Model: "DL-IPC-2"}}
	s.CGI.Titles = []string{"大门", "收银台", "通道3", "通道4"}
	s.CGI.Caps = []string{"SupportedScene[0]=Normal", "SupportedScene[1]=FaceDetection", "SupportedScene[2]=FaceRecognition"}
	s.CGI.Knows = []string{"VideoMotion", "FaceDetection", "FaceRecognition"}
	s.CGI.Tables["VideoAnalyseGlobal"] = []string{"[0].Scene.Type=", "[1].Scene.Type=FaceRecognition", "[2].Scene.Type=", "[3].Scene.Type="}
	s.CGI.Tables["VideoAnalyseRule"] = []string{"[0][0].Class=FaceDetection", "[0][0].Enable=false", "[1][0].Class=FaceRecognition", "[1][0].Type=FaceRecognition", "[1][0].Enable=true", "[1][0].Config.FeatureEnable=true"}
	s.CGI.Tables["FaceRecognitionEventHandler"] = []string{"[0][0].GroupID=", "[1][0].GroupID=10003", "[1][0].GroupName=" + DahuaLibrary, "[1][0].EventEnableMask=1"}
	s.CGI.Library = []string{"GroupList[0].groupID=10003", "GroupList[0].groupName=" + DahuaLibrary, "GroupList[0].groupDetail=" + DahuaPerson, "GroupList[0].groupSize=30",
		"GroupList[0].channels[0]=1", "GroupList[0].similarity[0]=87", "GroupList[0].groupType=BlackListDB"}
	s.CGI.Deployed = map[int][]string{1: {"GroupList[0].groupID="}, 2: {"GroupList[0].groupID=10003", "GroupList[0].similarity=87"}}
	s.CGI.Events = []string{dahuaRecognition}
	return s
}

// DahuaTerminal opens a door to faces it knows.
func DahuaTerminal(name string) Spec {
	s := dahua(name, "ASI", "DL-ASI-7213", audit.KindTerminal)
	s.CGI.Knows = []string{"AccessControl", "_DoorFace_"}
	s.CGI.Tables["CitizenPictureCompareRule"] = []string{".Enable=false", ".Threshold=45"}
	s.CGI.Events = []string{dahuaDoor, dahuaDoorOpens}
	return s
}

// DahuaPlain has nothing for faces and says so: no scene, no rule and no event of them.
func DahuaPlain(name string) Spec {
	s := dahua(name, "IPC", "DL-IPC-1431", audit.KindCamera)
	s.CGI.Caps = []string{"SupportedScene[0]=Normal", "Normal.Rules.CrossLineDetection.MaxCount=10"}
	s.CGI.Knows = []string{"VideoMotion", "CrossLineDetection"}
	s.CGI.Tables["VideoAnalyseGlobal"] = []string{"[0].Scene.Type=Normal"}
	s.CGI.Tables["VideoAnalyseRule"] = []string{"[0][0].Class=Normal", "[0][0].Type=CrossLineDetection", "[0][0].Enable=true"}
	s.CGI.Events = []string{`Code=VideoMotion;action=Start;index=0`}
	return s
}
