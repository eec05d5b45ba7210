package lab

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// HikFaces is what a device of Hikvision's firmware has and does with faces. What is left out it answers with 403 notSupport.
type HikFaces struct {
	Yes, No   []string       // capability flags, by name
	Events    []string       // event types it lists as possible
	Detect    map[int]bool   // by channel: FaceDetect, and whether it is on
	Rule      map[int]bool   // faceRule
	Contrast  map[int]bool   // faceContrast
	Engine    map[int]string // VCAResource: "smart", "facesnap", "close"
	Libraries []string       // names of face libraries, which nobody may keep
	Sensors   int            // of a camera, where it lists them
	Low       []string       // paths the account may not read: 403 lowPrivilege

	Terminal bool   // answers what terminals answer
	Mode     string // of FaceRecognizeMode
	Readers  []int  // cardReaderVerifyMode
	Persons  int

	Hosts []HikHost
	EHome string // host of an ISUP platform
	Cloud string // host of the maker's cloud

	Alarms []HikPart // of the stream of alarms, again and again while somebody watches
}

// HikHost is a receiver of event notifications.
type HikHost struct {
	Protocol, Host string
	Port           int
	Events         []string
}

// HikPart is one part of the stream of alarms.
type HikPart struct{ Type, Body string }

// hikChannel finds the number of a channel in the paths that have one.
var hikChannel = regexp.MustCompile(`^(/ISAPI/(?:Smart/FaceDetect|Intelligent/channels|System/Video/inputs/channels)/)[0-9]{1,3}($|/)`)

// What only a hostile or careless program would keep: the person whose face the simulated devices recognise.
const (
	HikPerson  = "Zhang-Lab-Sanfeng"
	HikLibrary = "Lab-VIP-regulars"
	HikModel   = "TGFiLXRlbXBsYXRlLW9mLWEtZmFjZQ=="
	hikImage   = "\xff\xd8\xff\xe0Lab-picture-of-a-face\xff\xd9"
)

// serveHikFaces answers what has to do with faces. It reports true where it wrote the whole answer itself; otherwise what it
// wrote into body, if anything, is the document.
func (d *device) serveHikFaces(w http.ResponseWriter, r *http.Request, body *strings.Builder) bool {
	f := d.spec.ISAPI.Faces
	path := r.URL.Path
	if slices.Contains(f.Low, path) {
		w.WriteHeader(http.StatusForbidden)
		d.element(body, "ResponseStatus", func() {
			body.WriteString("<statusCode>4</statusCode><statusString>Invalid Operation</statusString><subStatusCode>lowPrivilege</subStatusCode>")
		})
		fmt.Fprint(w, body.String())
		return true
	}
	if m := regexp.MustCompile(`/([0-9]+)(?:/([A-Za-z]+))?$`).FindStringSubmatch(path); m != nil && hikChannel.MatchString(path) {
		n, _ := strconv.Atoi(m[1])
		d.hikChannel(n, strings.TrimPrefix(path, "/ISAPI/"), m[2], body)
		return false
	}
	if f.Terminal && strings.HasPrefix(path, "/ISAPI/AccessControl/") {
		return d.hikTerminal(w, path, body)
	}
	switch path {
	case "/ISAPI/System/capabilities":
		if f.Yes != nil || f.No != nil {
			d.element(body, "DeviceCap", func() { d.hikFlags(body, f) })
		}
	case "/ISAPI/Event/channels/capabilities":
		if f.Events != nil {
			d.element(body, "ChannelEventCapList", func() {
				fmt.Fprintf(body, `<ChannelEventCap><eventType opt="%s"/><channelID>1</channelID></ChannelEventCap>`, strings.Join(f.Events, ","))
			})
		}
	case "/ISAPI/Intelligent/FDLib/capabilities":
		if f.Libraries != nil {
			d.element(body, "FDLibCap", func() { body.WriteString("<faceDataMax>30000</faceDataMax>") })
		}
	case "/ISAPI/Intelligent/FDLib":
		if f.Libraries != nil {
			d.element(body, "FDLibBaseCfgList", func() {
				for i, name := range f.Libraries {
					fmt.Fprintf(body, "<FDLibBaseCfg><id>%d</id><FDID>%d</FDID>", i+1, i+1)
					text(body, "name", name)
					body.WriteString("<faceLibType>blackFD</faceLibType></FDLibBaseCfg>")
				}
			})
		}
	case "/ISAPI/System/Video/inputs/channels":
		if f.Sensors > 0 {
			d.element(body, "VideoInputChannelList", func() {
				for i := range f.Sensors {
					fmt.Fprintf(body, "<VideoInputChannel><id>%d</id><inputPort>%d</inputPort><name>Camera %02d</name><videoFormat>PAL</videoFormat></VideoInputChannel>", i+1, i+1, i+1)
				}
			})
		}
	case "/ISAPI/Event/notification/httpHosts", "/ISAPI/System/Network/Ehome", "/ISAPI/System/Network/EZVIZ":
		d.hikOutbound(path, body)
	case "/ISAPI/Event/notification/alertStream":
		if f.Alarms != nil {
			d.hikAlarms(w, r)
			return true
		}
	}
	return false
}

func (d *device) hikFlags(body *strings.Builder, f HikFaces) {
	flag := func(name, value string) { text(body, name, value) }
	body.WriteString("<SmartCap><isSupportROI>true</isSupportROI>")
	for _, x := range f.Yes {
		flag(x, "true")
	}
	body.WriteString("</SmartCap><EventCap>")
	for _, x := range f.No {
		flag(x, "false")
	}
	body.WriteString("</EventCap>")
}

// hikChannel answers a question to one channel.
func (d *device) hikChannel(n int, path, what string, body *strings.Builder) {
	f := d.spec.ISAPI.Faces
	on, ok := false, false
	switch {
	case strings.HasPrefix(path, "Smart/FaceDetect/"):
		if on, ok = f.Detect[n]; ok {
			d.element(body, "FaceDetect", func() {
				fmt.Fprintf(body, "<id>%d</id><enabled>%t</enabled><sensitivityLevel>3</sensitivityLevel>", n, on)
			})
		}
	case what == "faceRule":
		if on, ok = f.Rule[n]; ok {
			d.element(body, "FaceRule", func() { fmt.Fprintf(body, "<id>%d</id><Enabled>%t</Enabled><pupilDistance>40</pupilDistance>", n, on) })
		}
	case what == "faceContrast":
		if on, ok = f.Contrast[n]; ok {
			d.element(body, "FaceContrastList", func() {
				fmt.Fprintf(body, "<FaceContrast><id>1</id><enable>%t</enable><faceContrastType>faceContrast</faceContrastType><FDLibList><FDLib><FDID>1</FDID><thresholdValue>80</thresholdValue></FDLib></FDLibList></FaceContrast>", on)
			})
		}
	case what == "VCAResource":
		if engine := f.Engine[n]; engine != "" {
			d.element(body, "VCAResource", func() { text(body, "type", engine) })
		}
	}
}

// hikTerminal answers what only terminals are asked.
func (d *device) hikTerminal(w http.ResponseWriter, path string, body *strings.Builder) bool {
	f := d.spec.ISAPI.Faces
	answer := map[string]string{
		"FaceRecognizeMode": fmt.Sprintf(`{"FaceRecognizeMode":{"mode":%q}}`, f.Mode),
		"AcsWorkStatus":     fmt.Sprintf(`{"AcsWorkStatus":{"doorLockStatus":[0],"cardReaderOnlineStatus":[1],"cardReaderVerifyMode":%s,"cardNum":1}}`, strings.ReplaceAll(fmt.Sprint(f.Readers), " ", ",")),
		"Count":             fmt.Sprintf(`{"UserInfoCount":{"userNumber":%d}}`, f.Persons),
	}[path[strings.LastIndexByte(path, '/')+1:]]
	if answer == "" {
		d.element(body, "AccessControl", func() {
			fmt.Fprintf(body, "<isSupportAcsWorkStatus>true</isSupportAcsWorkStatus><isSupportFaceRecognizeMode>%t</isSupportFaceRecognizeMode>", f.Mode != "")
		})
		return false
	}
	if f.Mode == "" && strings.HasSuffix(path, "FaceRecognizeMode") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		answer = `{"statusCode":4,"statusString":"Invalid Operation","subStatusCode":"notSupport","errorCode":1073741825,"errorMsg":"notSupport"}`
	}
	fmt.Fprint(w, answer)
	return true
}

func (d *device) hikOutbound(path string, body *strings.Builder) {
	f := d.spec.ISAPI.Faces
	switch {
	case strings.HasSuffix(path, "httpHosts") && f.Hosts != nil:
		d.element(body, "HttpHostNotificationList", func() {
			for i, h := range append(slices.Clone(f.Hosts), HikHost{Protocol: "HTTP", Host: "0.0.0.0", Port: 80}) {
				fmt.Fprintf(body, "<HttpHostNotification><id>%d</id><url>/events?key=%s</url>", i+1, camerasPassword)
				for _, x := range [][2]string{{"protocolType", h.Protocol}, {"addressingFormatType", "hostname"}, {"hostName", h.Host}, {"portNo", strconv.Itoa(h.Port)}, {"userName", "lab"}} {
					text(body, x[0], x[1])
				}
				body.WriteString("<SubscribeEvent><eventMode>list</eventMode><EventList>")
				for _, e := range h.Events {
					body.WriteString("<Event>")
					text(body, "type", e)
					body.WriteString("</Event>")
				}
				body.WriteString("</EventList></SubscribeEvent></HttpHostNotification>")
			}
		})
	case strings.HasSuffix(path, "Ehome") && f.EHome != "":
		d.element(body, "Ehome", func() {
			fmt.Fprintf(body, "<enabled>true</enabled><addressingFormatType>hostname</addressingFormatType><hostName>%s</hostName><portNo>7660</portNo>", f.EHome)
		})
	case strings.HasSuffix(path, "EZVIZ") && f.Cloud != "":
		d.element(body, "EZVIZ", func() {
			fmt.Fprintf(body, "<enabled>true</enabled><registerStatus>true</registerStatus><serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>%s</hostName></serverAddress>", f.Cloud)
		})
	}
}

// hikAlarms writes the stream of alarms until whoever watches goes away. Lengths are wrong, as some firmware has them.
func (d *device) hikAlarms(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "multipart/mixed; boundary=boundary")
	w.WriteHeader(http.StatusOK)
	flush := func() {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	beat := HikPart{"application/xml", `<EventNotificationAlert version="2.0" xmlns="` + d.nsISAPI() + `"><eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>`}
	for {
		for _, p := range append([]HikPart{beat}, d.spec.ISAPI.Faces.Alarms...) {
			fmt.Fprintf(w, "--boundary\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s\r\n", p.Type, len(p.Body)/2, p.Body)
			flush()
		}
		select {
		case <-r.Context().Done():
			return
		case <-d.shop.ctx.Done():
			return
		case <-time.After(d.spec.Events.Every):
		}
	}
}

// hik is what the devices below have in common.
func hik(name, model, kind string, f HikFaces) Spec {
	s := Spec{Name: name, Maker: "Hikvision", Model: model, Kind: audit.KindCamera, Login: Login{Auth: AuthDigestMD5}, Page: Page{Server: "App-webs/"},
		Vendor: Vendor{SADP: true}, ISAPI: &ISAPI{Type: kind, Faces: f}}
	if kind == "IPCamera" && s.ISAPI.Faces.Sensors == 0 {
		s.ISAPI.Faces.Sensors = 1
	}
	return s
}

// HikFaceCapture is a camera of Hikvision's firmware that captures the faces of passers-by and posts them to a host.
func HikFaceCapture(name string) Spec {
	return hik(name, "LAB-2CD7A26", "IPCamera", HikFaces{Yes: []string{"isSupportFaceSnap"}, No: []string{"isSupportFaceDetect", "isSupportFaceContrast"},
		Detect: map[int]bool{1: false}, Rule: map[int]bool{1: true}, Engine: map[int]string{1: "facesnap"}, Events: []string{"VMD", "faceCapture"},
		Hosts: []HikHost{{"HTTP", "faces.lab-cloud.example", 8090, []string{"faceCapture"}}}, Cloud: "litedev.ezvizlife.example", Alarms: []HikPart{{"application/json", HikCapture("11")}, {"image/jpeg", hikImage}}})
}

// HikCapable is one whose engine is assigned to capturing faces while every switch is off, with a library on board.
func HikCapable(name string) Spec {
	return hik(name, "LAB-2CD5A26", "IPCamera", HikFaces{Yes: []string{"isSupportFaceDetect", "isSupportFaceSnap"}, No: []string{"isSupportMixedTargetDetection"},
		Detect: map[int]bool{1: false}, Rule: map[int]bool{1: false}, Contrast: map[int]bool{1: false}, Engine: map[int]string{1: "facesnap"}, Libraries: []string{HikLibrary},
		Events: []string{"VMD", "facedetection", "faceSnap"}, Alarms: []HikPart{{"application/xml", `<EventNotificationAlert><eventType>VMD</eventType><eventState>active</eventState><channelID>1</channelID></EventNotificationAlert>`}}})
}

// HikContrast is one that compares everybody with two libraries, and sends what it finds.
func HikContrast(name string) Spec {
	return hik(name, "LAB-iDS-2CD7A46", "IPCamera", HikFaces{Yes: []string{"isSupportFaceSnap", "isSupportFaceContrast"}, Detect: map[int]bool{1: false}, Rule: map[int]bool{1: true},
		Contrast: map[int]bool{1: true}, Libraries: []string{HikLibrary, HikPerson}, EHome: "isup.lab-group.example",
		Alarms: []HikPart{{"application/json", HikMatch("21", true)}, {"image/jpeg", hikImage}, {"application/json", HikMatch("22", false)}, {"application/json", HikMatch("22", false)}}})
}

// HikTerminal is a terminal at a staff door: a face, or a card with a face.
func HikTerminal(name string) Spec {
	s := hik(name, "LAB-K1T344", "ACS", HikFaces{Terminal: true, Yes: []string{}, Mode: "normalMode", Readers: []int{22, 3}, Persons: 38,
		Alarms: []HikPart{{"application/json", HikPassage(75, "faceOrfaceandCard", true)}, {"image/jpeg", hikImage}, {"application/json", HikPassage(21, "faceOrfaceandCard", true)}}})
	s.Kind = audit.KindTerminal
	return s
}

// HikThermal is a thermal camera with two sensors that has nothing to do with faces, and says so.
func HikThermal(name string) Spec {
	return hik(name, "LAB-2TD1228", "IPCamera", HikFaces{Sensors: 2, No: []string{"isSupportFaceDetect", "isSupportFaceSnap"}, Yes: []string{}, Engine: map[int]string{1: "close"},
		Events: []string{"VMD", "TMA"}, Alarms: []HikPart{{"application/xml", `<EventNotificationAlert><eventType>TMA</eventType><eventState>active</eventState><channelID>2</channelID></EventNotificationAlert>`}}})
}

// HikRecorder is a recorder that can do everything with faces and does nothing.
func HikRecorder(name string, cameras ...Proxied) Spec {
	s := hik(name, "LAB-7608NX", "NVR", HikFaces{Yes: []string{"isSupportFaceDetect", "isSupportFaceSnap", "isSupportFaceContrast"}, Libraries: []string{}, Events: []string{"facedetection", "faceSnap", "alarmResult"}})
	s.Kind = audit.KindRecorder
	s.ISAPI.Proxied = cameras
	for i := range cameras {
		f := &s.ISAPI.Faces
		if f.Detect == nil {
			f.Detect, f.Contrast = map[int]bool{}, map[int]bool{}
		}
		f.Detect[i+1], f.Contrast[i+1] = false, false
	}
	s.ISAPI.Faces.Rule = maps.Clone(s.ISAPI.Faces.Detect)
	return s
}

// HikCapture is an alarm of a captured face with attributes.
func HikCapture(detection string) string {
	return fmt.Sprintf(`{"ipAddress":"192.0.2.21","channelID":1,"dateTime":"2026-11-22T10:00:00+08:00","activePostCount":1,"eventType":"faceCapture","eventState":"active","channelName":"door",
"faceCapture":[{"targetAttrs":{"deviceName":"cam","deviceChannel":1,"faceTime":"2026-11-22T10:00:00","pId":%q,"bkgUrl":"http://192.0.2.21/bkg"},
"faces":[{"faceId":7,"faceRect":{"height":0.1,"width":0.1,"x":0.2,"y":0.3},"age":{"ageGroup":"Lab-middle-aged"},"gender":{"value":"Lab-female"},"glass":{"value":"no"},"faceExpression":{"value":"Lab-smile"},"faceScore":52,"URL":"http://192.0.2.21/face-%s"}]}]}`, detection, detection)
}

// HikMatch is the result of a comparison: of somebody who is in a library, or of somebody who is not.
func HikMatch(detection string, known bool) string {
	head := fmt.Sprintf(`{"ipAddress":"192.0.2.21","channelID":1,"dateTime":"2026-11-22T10:00:00+08:00","eventType":"alarmResult","eventState":"active","alarmResult":[{"modelData":%q,"targetAttrs":{"pId":%q},`, HikModel, detection)
	face := `"faces":[{"faceId":7,"faceRect":{"height":0.1,"width":0.1,"x":0.2,"y":0.3},"score":{"value":52},"URL":"http://192.0.2.21/face","identify":[`
	if !known {
		return head + `"errorCode":1073750078,"errorMsg":"contrastFailed",` + face + `]}]}]}`
	}
	return head + `"errorCode":1,"errorMsg":"ok",` + face + fmt.Sprintf(`{"maxsimilarity":0.9137,"candidate":[{"similarity":0.9137,"FDLibName":%q,"FDLibThreshold":80,"listType":"blackList","human_id":"4711-lab",`+
		`"reserve_field":{"name":%q,"gender":"male","bornTime":"1990-02-03","certificateNumber":"310101199002030000"},"human_data":[{"face_picurl":"/pic/4711"}]}]}]}]}]}`, HikLibrary, HikPerson)
}

// HikPassage is an event of a terminal's door.
func HikPassage(sub int, mode string, now bool) string {
	return fmt.Sprintf(`{"ipAddress":"192.0.2.22","dateTime":"2026-11-22T10:00:00+08:00","eventType":"AccessControllerEvent","eventState":"active","AccessControllerEvent":{"deviceName":"Access Controller",
"majorEventType":5,"subEventType":%d,"cardReaderNo":1,"employeeNoString":"E-4711-lab","name":%q,"userType":"normal","currentVerifyMode":%q,"currentEvent":%t,"mask":"unknown","FaceRect":{"height":0.3,"width":0.2,"x":0.4,"y":0.4},"serialNo":9}}`, sub, HikPerson, mode, now)
}
