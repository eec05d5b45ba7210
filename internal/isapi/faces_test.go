package isapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestNames(t *testing.T) {
	n, err := loadNames(namesFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Flags) == 0 || len(n.Events) == 0 || len(n.Modes) != 27 || len(n.Engines) == 0 || len(n.Passes) != 16 || len(n.attribute) == 0 {
		t.Errorf("%d flags, %d events, %d modes", len(n.Flags), len(n.Events), len(n.Modes))
	}
	for _, bad := range []string{"", "schema: x", "schema: mingshi.isapi-names/v1\nsource: s\ndate: \"2026-13-01\"", "schema: mingshi.isapi-names/v1\nsource: s\ndate: \"2026-11-22\"\nflags: [{name: a, functions: [see]}]"} {
		if _, err := loadNames([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestFlags: a flag counts wherever it stands and in whatever namespace; what says false shows nothing.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		body   string
		yes    []string
		no     []string
		events []string
		bad    bool
	}{
		{body: `<DeviceCap ` + hik + `><SmartCap xmlns="urn:other"><isSupportFaceDetect>true</isSupportFaceDetect></SmartCap><EventCap><isSupportFaceSnap opt="true,false">false</isSupportFaceSnap></EventCap></DeviceCap>`,
			yes: []string{"isSupportFaceDetect"}, no: []string{"isSupportFaceSnap"}},
		{body: `<DeviceCap ` + std + `><isSupportFaceContrast/><isSupportHumanRecognition>true</isSupportHumanRecognition></DeviceCap>`},
		{body: `<DeviceCap><ChannelEventCap><eventType opt="VMD,FACEDETECTION, faceSnap"/></ChannelEventCap></DeviceCap>`, events: []string{"faceSnap", "facedetection"}},
		{body: `<DeviceCap><RacmCap><isSupportFaceDetecttionAlarmByTimeZone>true</isSupportFaceDetecttionAlarmByTimeZone><eventRecordSearch><eventType opt="all,faceSnap,alarmResult"/></eventRecordSearch></RacmCap></DeviceCap>`,
			yes: []string{"isSupportFaceDetecttionAlarmByTimeZone"}},
		{body: `<DeviceCap><ChannelEventCap><eventType opt="VMD,temperature"/><shieldEventType opt="rules, faceSnap, humanRecognition"/></ChannelEventCap></DeviceCap>`},
		{body: `<SmartCap><isSupportFaceDetect>true</isSupportFaceDetect></SmartCap>`, bad: true},
		{body: `<DeviceCap><isSupportFaceDetect>true</isSupportFaceDetect>`, bad: true},
		{body: `<html><isSupportFaceDetect>true</isSupportFaceDetect></html>`, bad: true},
	} {
		f, err := ReadFlags([]byte(c.body), "DeviceCap")
		if (err != nil) != c.bad || !slices.Equal(f.Yes, c.yes) || !slices.Equal(f.No, c.no) || !slices.Equal(f.Events, c.events) {
			t.Errorf("%s: %+v %v", c.body, f, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		object, body string
		want         []Setting
		bad          bool
	}{
		{"FaceDetect", `<FaceDetect ` + hik + `><enabled>true</enabled><highlightsenabled>false</highlightsenabled></FaceDetect>`, []Setting{{On: yes()}}, false},
		{"FaceDetect", "\n<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\r\n<FaceDetect version=\"1.0\"><id>1</id><enabled opt=\"true,false\"> true </enabled></FaceDetect>\r\n\x00\x00", []Setting{{On: yes()}}, false},
		{"FaceDetect", `<FaceDetect version="1.0" xmlns="http://www.std-cgi.com/ver10/XMLSchema"><enabled opt="true,false"></enabled></FaceDetect>`, []Setting{{}}, false},
		{"FaceContrast", `<FaceContrastList><FaceContrast><id>1</id><enable>false</enable><QuickContrast><enabled>true</enabled></QuickContrast></FaceContrast></FaceContrastList>`, []Setting{{"1", no()}}, false},
		{"FaceDetect", `<x:FaceDetect xmlns:x="urn:x"><x:Enabled>0</x:Enabled></x:FaceDetect>`, []Setting{{On: no()}}, false},
		{"FaceRule", `<FaceRule><enable>1</enable></FaceRule>`, []Setting{{On: yes()}}, false},
		{"FaceRule", `<FaceRule><enable>true</enable><enabled>false</enabled></FaceRule>`, []Setting{{}}, false},
		{"FaceRule", `<FaceRule><Region><enabled>true</enabled></Region></FaceRule>`, []Setting{{}}, false},
		{"FaceRule", `<FaceRule><enabled>perhaps</enabled></FaceRule>`, []Setting{{}}, false},
		{"FaceContrast", `<FaceContrastList><FaceContrast><id>1</id><enable>false</enable></FaceContrast><FaceContrast><id>2</id><enable>true</enable></FaceContrast></FaceContrastList>`, []Setting{{"1", no()}, {"2", yes()}}, false},
		{"FaceContrast", `<FaceContrastList/>`, nil, false},
		{"FaceDetect", `<EventTrigger><eventType>facedetection</eventType><enabled>true</enabled></EventTrigger>`, nil, true},
		{"FaceDetect", `<FaceDetect><enabled>true</enabled>`, nil, true},
		{"FaceDetect", `<!DOCTYPE html><html></html>`, nil, true},
	} {
		got, err := ReadSettings([]byte(c.body), c.object)
		if d := cmp.Diff(c.want, got); d != "" || (err != nil) != c.bad {
			t.Errorf("%s: %v %s", c.body, err, d)
		}
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		what, body string
		want       []Host
	}{
		{"http-events", `<HttpHostNotificationList ` + hik + `><HttpHostNotification><id>1</id><url>/api?token=secret</url><protocolType>HTTP</protocolType><ipAddress>192.0.2.9</ipAddress><portNo>8123</portNo><userName>lab</userName>
<SubscribeEvent><EventList><Event><type>faceCapture</type></Event><Event><type>VMD</type></Event></EventList></SubscribeEvent></HttpHostNotification>
<HttpHostNotification><url>/</url><protocolType>HTTP</protocolType><ipAddress>0.0.0.0</ipAddress><portNo>80</portNo></HttpHostNotification></HttpHostNotificationList>`,
			[]Host{{"http-events", "http://192.0.2.9:8123", []string{"faceCapture"}}}},
		{"http-events", `<HttpHostNotification><url>https://push.example/hook?k=1</url><protocolType>HTTPS</protocolType></HttpHostNotification>`, []Host{{What: "http-events", URL: "https://push.example"}}},
		{"http-events", `<HttpHostNotificationList version="1.0" xmlns="urn:psialliance-org"><HttpHostNotification version="1.0"><id>1</id><url>/api/hikvision</url><protocolType>HTTPS</protocolType><addressingFormatType>ipaddress</addressingFormatType><ipAddress>192.0.2.9</ipAddress><portNo>8123</portNo><Extensions xmlns="urn:x"><intervalBetweenEvents>0</intervalBetweenEvents></Extensions></HttpHostNotification></HttpHostNotificationList>`,
			[]Host{{What: "http-events", URL: "https://192.0.2.9:8123"}}},
		{"isup", `<Ehome><enabled>false</enabled><ipAddress>192.0.2.9</ipAddress></Ehome>`, nil},
		{"isup", `<Ehome><enabled>true</enabled><ipv6Address>2001:db8::9</ipv6Address><ipAddress>0.0.0.0</ipAddress><portNo>7660</portNo></Ehome>`, []Host{{What: "isup", URL: "isup://[2001:db8::9]:7660"}}},
		{"cloud", `<EZVIZ><enabled>true</enabled></EZVIZ>`, []Host{{What: "cloud"}}},
		{"sip", `<SIPServerList><SIPServer><id>1</id><Standard><enabled>true</enabled><proxy>192.0.2.5</proxy><proxyPort>5060</proxyPort><password>x</password></Standard></SIPServer></SIPServerList>`, []Host{{What: "sip", URL: "sip://192.0.2.5:5060"}}},
	} {
		got, err := ReadHosts([]byte(c.body), c.what)
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", c.body, err, d)
		}
	}
}

// TestModes: a face alone is looked up among everybody; with a card or a number it is compared with one person.
func TestModes(t *testing.T) {
	for mode, want := range map[string][]audit.Function{
		"cardOrFaceOrFp": {audit.Identify}, "face": {audit.Identify}, "faceOrfaceandCard": {audit.Identify, audit.Verify}, "fpOrface": {audit.Identify},
		"faceAndCard": {audit.Verify}, "employeeNoAndFace": {audit.Verify}, "faceAndFp": nil, "card": nil, "cardOrPw": nil, "": nil, "password": nil, "cardOrFpOrPw": nil,
	} {
		if got := ModeShows(mode); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", mode, got, want)
		}
	}
	got, err := ReadReaders([]byte(`{"AcsWorkStatus":{"cardReaderVerifyMode":[25, 3, "faceAndCard", 99]}}`))
	if err != nil || !slices.Equal(got, []string{"cardOrFace", "card", "faceAndCard", ""}) {
		t.Errorf("%q %v", got, err)
	}
}

// TestPasses: every mode of an event at a door is one that readers have, and an engine's task shows what it is for.
func TestPasses(t *testing.T) {
	for _, p := range known().Passes {
		if p.Mode != "" && !slices.Contains(slices.Collect(maps.Values(known().Modes)), p.Mode) {
			t.Errorf("%d: no mode %s", p.Event, p.Mode)
		}
	}
	for task, want := range map[string][]audit.Function{"facesnap": {audit.Detect, audit.Capture}, "FaceContrast": {audit.Detect, audit.Identify}, "smart": nil, "close": nil, "": nil} {
		if got := EngineShows(task); !slices.Equal(got, want) {
			t.Errorf("%s: %v", task, got)
		}
	}
}

func TestCounts(t *testing.T) {
	lib := `<FDLibBaseCfgList ` + hik + `><FDLibBaseCfg><FDID>1</FDID><name>VIP</name></FDLibBaseCfg><FDLibBaseCfg><name>staff</name></FDLibBaseCfg></FDLibBaseCfgList>`
	if n, err := CountLibraries([]byte(lib)); n != 2 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if n, err := CountLibraries(Skeleton([]byte(lib))); n != 2 || err != nil {
		t.Errorf("of the skeleton: %d %v", n, err)
	}
	if n, err := ReadPersonCount([]byte(`{"UserInfoCount":{"userNumber":38}}`)); n != 38 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	for _, bad := range []string{"", "[]", "{}", `{"UserInfoCount":{}}`, `{"UserInfoCount":{"userNumber":-1}}`, "<html/>"} {
		if _, err := ReadPersonCount([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
		if _, err := ReadFaceMode([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	if r, ok := ReadRefusal([]byte(`{"statusCode":4,"statusString":"Invalid Operation","subStatusCode":"notSupport"}`)); !ok || !r.NotSupported() {
		t.Errorf("%+v %v", r, ok)
	}
}

// TestSkeleton: names stay, persons go.
func TestSkeleton(t *testing.T) {
	for in, want := range map[string]string{
		`{"eventType":"alarmResult","faces":[{"name":"Zhang","score":{"value":52},"ok":true,"none":null,"张三":1}]}`: `{"eventType":"alarmResult","faces":[{"name":"*","score":{"value":"*"},"ok":"*","none":null,"_":"*"}]}`,
		`<a x="Zhang"><eventType>VMD</eventType><name><![CDATA[Zhang]]></name><n/></a>`:                            `<a><eventType>VMD</eventType><name>*</name><n></n></a>`,
		`<userCheck><lockStatus>lock</lockStatus></userCheck>`:                                                     `<userCheck><lockStatus>lock</lockStatus></userCheck>`,
		`<a><name>Zhang`:                       "(unreadable, dropped)",
		`{"name":"Zhang"`:                      "(unreadable, dropped)",
		`Zhang`:                                "(unreadable, dropped)",
		`{"eventType":"Zhang San <x>","a":{}}`: `{"eventType":"*","a":{}}`,
		"":                                     "",
	} {
		if got := string(Skeleton([]byte(in))); got != want {
			t.Errorf("%s:\n%s, want\n%s", in, got, want)
		}
	}
}

func TestWithoutKeys(t *testing.T) {
	for in, want := range map[string]string{
		"<url>/a?k=secret</url><x>?</x>":           "<url>/a?</url><x>?</x>",
		"<url>http://u:secret@h/a</url>":           "<url>http://h/a</url>",
		"<h:url>https://h:1/a/b?x=1&amp;y</h:url>": "<h:url>https://h:1/a/b?</h:url>",
		"<url>/api</url>":                          "<url>/api</url>",
	} {
		if got := string(WithoutKeys([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func part(kind, body string) string {
	return "--boundary\r\nContent-Type: " + kind + "\r\nContent-Length: 7\r\n\r\n" + body + "\r\n"
}

const (
	capture = `{"channelID":1,"eventType":"faceCapture","eventState":"active","faceCapture":[{"targetAttrs":{"pId":"%s"},"faces":[{"faceId":7,"faceRect":{"x":1},"age":{"ageGroup":"secret-middle"},"gender":{"value":"secret-female"},"URL":"/secret"}]}]}`
	match   = `{"channelID":1,"eventType":"alarmResult","eventState":"active","alarmResult":[{"modelData":"secret","errorMsg":"ok","targetAttrs":{"pId":"%s"},"faces":[{"faceRect":{"x":1},"identify":[{"maxsimilarity":0.9,"candidate":[{"FDLibName":"secret","human_id":"secret","reserve_field":{"name":"secret","gender":"male","faces":[{"age":"30"}]}}]}]}]}]}`
	nobody  = `{"channelID":1,"eventType":"alarmResult","eventState":"active","alarmResult":[{"modelData":"secret","errorCode":1073750078,"errorMsg":"contrastFailed","targetAttrs":{"pId":"%s"},"faces":[{"faceRect":{"x":1},"identify":[]}]}]}`
	beat    = `<EventNotificationAlert><eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>`
)

func xmlAlarm(kind, state, inside string) string {
	return `<EventNotificationAlert ` + std + `><channelID>2</channelID><eventType>` + kind + `</eventType><eventState>` + state + `</eventState>` + inside + `</EventNotificationAlert>`
}

func passage(sub int, mode, more string) string {
	return fmt.Sprintf(`{"eventType":"AccessControllerEvent","eventState":"active","AccessControllerEvent":{"majorEventType":5,"subEventType":%d,"employeeNoString":"secret","name":"secret","currentVerifyMode":%q,"FaceRect":{"x":1}%s}}`, sub, mode, more)
}

// TestAlerts: which alarms show which functions, whatever the pieces they come in.
func TestAlerts(t *testing.T) {
	detect, box := []audit.Function{audit.Detect}, []audit.Function{audit.Capture, audit.Detect}
	for _, c := range []struct {
		name   string
		parts  []string
		alarms []Alarm
		beats  int
		images int
	}{
		{"a capture with attributes, the same one twice", []string{fmt.Sprintf(capture, "1"), fmt.Sprintf(capture, "1"), fmt.Sprintf(capture, "2")},
			[]Alarm{{Channel: "1", Type: "faceCapture", Count: 2, Functions: []audit.Function{audit.Analyse, audit.Capture, audit.Detect}, Attributes: []string{"age", "gender"}}}, 0, 0},
		{"a match: what the library says of the person is no attribute of a face", []string{fmt.Sprintf(match, "1")},
			[]Alarm{{Channel: "1", Type: "alarmResult", Count: 1, Functions: []audit.Function{audit.Detect, audit.Identify}, Person: true, Template: true}}, 0, 0},
		{"a comparison that found nobody is a comparison", []string{fmt.Sprintf(nobody, "1")},
			[]Alarm{{Channel: "1", Type: "alarmResult", Count: 1, Functions: []audit.Function{audit.Detect, audit.Identify}, Failed: true, Template: true}}, 0, 0},
		{"an empty comparison", []string{`{"eventType":"alarmResult","eventState":"active","alarmResult":[]}`}, []Alarm{{Type: "alarmResult", Count: 1}}, 0, 0},
		{"signs of life", []string{beat, xmlAlarm("facedetection", "inactive", ""), xmlAlarm("heartBeat", "active", "")}, nil, 3, 0},
		{"detection", []string{xmlAlarm("facedetection", "active", "<DetectionRegionList/>")}, []Alarm{{Channel: "2", Type: "facedetection", Count: 1, Functions: detect}}, 0, 0},
		{"a snapshot of a face", []string{xmlAlarm("faceSnap", "active", "")}, []Alarm{{Channel: "2", Type: "faceSnap", Count: 1, Functions: box}}, 0, 0},
		{"motion", []string{xmlAlarm("VMD", "active", "<targetType>human</targetType>")}, []Alarm{{Channel: "2", Type: "VMD", Count: 1}}, 0, 0},
		{"a body with its attributes", []string{`{"eventType":"humanRecognition","eventState":"active","humanRecognition":[{"human":{"age":{"ageGroup":"x"},"gender":"x"}}]}`}, []Alarm{{Type: "humanRecognition", Count: 1}}, 0, 0},
		{"several targets, no face", []string{`{"eventType":"mixedTargetDetection","eventState":"active","vehicle":{"gender":"x"},"FaceCaptureInfo":{}}`}, []Alarm{{Type: "mixedTargetDetection", Count: 1}}, 0, 0},
		{"several targets, a face", []string{`{"eventType":"mixedTargetDetection","eventState":"active","FaceCaptureInfo":{"glass":"x"}}`},
			[]Alarm{{Type: "mixedTargetDetection", Count: 1, Functions: []audit.Function{audit.Analyse, audit.Capture, audit.Detect}, Attributes: []string{"accessory"}}}, 0, 0},
		{"a face among everybody", []string{passage(75, "cardOrFaceOrFp", "")}, []Alarm{{Type: "AccessControllerEvent", Count: 1, Functions: []audit.Function{audit.Detect, audit.Identify}, Modes: []string{"cardOrFaceOrFp"}, Person: true}}, 0, 0},
		{"no mask is also written where nobody looked", []string{passage(75, "faceAndCard", `,"mask":"no"`)}, []Alarm{{Type: "AccessControllerEvent", Count: 1, Functions: []audit.Function{audit.Detect, audit.Verify}, Modes: []string{"faceAndCard"}, Person: true}}, 0, 0},
		{"a pass that was refused, in an envelope", []string{`{"EventNotificationAlert":` + passage(8, "cardOrFaceOrFp", `,"mask":"no"`) + `}`}, []Alarm{{Type: "AccessControllerEvent", Count: 1}}, 0, 0},
		{"a face among everybody, in an envelope", []string{`{"EventNotificationAlert":` + passage(75, "face", "") + `}`}, []Alarm{{Type: "AccessControllerEvent", Count: 1, Functions: []audit.Function{audit.Detect, audit.Identify}, Modes: []string{"face"}, Person: true}}, 0, 0},
		{"attributes that were not read", []string{`{"eventType":"faceCapture","faceCapture":[{"targetAttrs":{"pId":"bg"},"faces":[{"faceRect":{"x":1},"age":{"range":5,"value":0,"ageGroup":"unknown"},"gender":{"value":"unknown","confidence":90},"glass":{"value":""},"mask":{"value":"no"},"pId":"f"}]}]}`},
			[]Alarm{{Type: "faceCapture", Count: 1, Functions: []audit.Function{audit.Analyse, audit.Capture, audit.Detect}, Attributes: []string{"accessory"}}}, 0, 0},
		{"a capture without attributes, as cameras send it", []string{`{"channelID":1,"eventType":"faceCapture","eventState":"active","channelName":"secret","faceCapture":[{"targetAttrs":{"deviceName":"secret","contentID":"backgroundImage","pId":"bg"},"faces":[{"faceId":7,"faceRect":{"x":0.3},"contentID":"faceImage","pId":"f","faceScore":65,"captureEndMark":false,"FacePictureRect":{"x":0.2}}],"uid":"secret"}]}`},
			[]Alarm{{Channel: "1", Type: "faceCapture", Count: 1, Functions: box}}, 0, 0},
		{"a match with a number for each picture is one detection", []string{`{"channelID":1,"eventType":"alarmResult","eventState":"active","alarmResult":[{"errorMsg":"ok","targetAttrs":{"rect":{"x":1},"pId":"bg"},"faces":[{"faceRect":{"x":1},"score":{"value":52},"identify":[{"candidate":[{"human_data":[{"pId":"lib"}],"human_id":"100","reserve_field":{"gender":"unknown"},"FDLibName":"secret"}]}],"pId":"f"}]}]}`},
			[]Alarm{{Channel: "1", Type: "alarmResult", Count: 1, Functions: []audit.Function{audit.Detect, audit.Identify}, Person: true}}, 0, 0},
		{"a warm face", []string{xmlAlarm("faceThermometry", "active", "")}, []Alarm{{Channel: "2", Type: "faceThermometry", Count: 1, Functions: detect}}, 0, 0},
		{"a face beside a card", []string{passage(75, "faceAndCard", `,"mask":"yes"`)}, []Alarm{{Type: "AccessControllerEvent", Count: 1, Functions: []audit.Function{audit.Analyse, audit.Detect, audit.Verify}, Attributes: []string{"accessory"}, Modes: []string{"faceAndCard"}, Person: true}}, 0, 0},
		{"a card, a door", []string{passage(1, "cardOrFaceOrFp", ""), passage(21, "face", "")}, []Alarm{{Type: "AccessControllerEvent", Count: 2}}, 0, 0},
		{"a face that was not accepted was compared", []string{passage(76, "cardOrFaceOrFp", "")}, []Alarm{{Type: "AccessControllerEvent", Count: 1, Functions: []audit.Function{audit.Detect, audit.Identify}, Modes: []string{"cardOrFaceOrFp"}, Failed: true, Person: true}}, 0, 0},
		{"a face and a card, as the event itself says", []string{passage(60, "faceOrFpOrCardOrPw", ""), passage(61, "", "")}, []Alarm{{Type: "AccessControllerEvent", Count: 2, Functions: []audit.Function{audit.Detect, audit.Verify}, Modes: []string{"faceAndCard"}, Failed: true, Person: true}}, 0, 0},
		{"a face and a fingerprint: nobody says which names the person", []string{passage(54, "faceAndFp", "")}, []Alarm{{Type: "AccessControllerEvent", Count: 1, Functions: []audit.Function{audit.Detect}, Modes: []string{"faceAndFp"}, Person: true}}, 0, 0},
		{"too slow, a fingerprint, an operation", []string{passage(62, "faceAndCard", ""), passage(38, "fp", ""), strings.Replace(passage(75, "face", ""), `"majorEventType":5`, `"majorEventType":3`, 1)}, []Alarm{{Type: "AccessControllerEvent", Count: 3}}, 0, 0},
		{"a passage from before", []string{passage(75, "face", `,"currentEvent":false`)}, nil, 0, 0},
		{"a capture from before, sent again", []string{strings.Replace(fmt.Sprintf(capture, "1"), `{"channelID":1`, `{"isDataRetransmission":true,"channelID":1`, 1)}, nil, 0, 0},
		{"a capture sent at once", []string{strings.Replace(xmlAlarm("faceSnap", "active", ""), "<channelID>", "<isDataRetransmission>false</isDataRetransmission><channelID>", 1)}, []Alarm{{Channel: "2", Type: "faceSnap", Count: 1, Functions: box}}, 0, 0},
		{"pictures and rubbish", []string{"IMAGE", "\x00\xff", "{", `{"a":1}`, "<EventNotificationAlert><eventType>faceSnap</eventType>"}, nil, 0, 1},
	} {
		for _, size := range []int{1, 7, 4096} {
			var b strings.Builder
			for _, p := range c.parts {
				kind := "application/json"
				if p == "IMAGE" {
					kind, p = "image/jpeg", "\xff\xd8\r\n--bound\r\n\r\nsecret\xff\xd9"
				}
				b.WriteString(part(kind, p))
			}
			var a Alerts
			for s := []byte(b.String()); len(s) > 0; {
				n := min(size, len(s))
				if a.Take(s[:n]) {
					t.Errorf("%s: had enough", c.name)
				}
				s = s[n:]
			}
			if !a.Close() {
				t.Errorf("%s: no stream", c.name)
			}
			if d := cmp.Diff(c.alarms, a.Tally.Alarms); d != "" || a.Tally.Beats != c.beats || a.Tally.Images != c.images {
				t.Errorf("%s in pieces of %d: %+v %s", c.name, size, a.Tally, d)
			}
			if r := string(a.Record()); strings.Contains(r, "secret") || len(c.parts) > 0 && r == "" {
				t.Errorf("%s: recorded %s", c.name, r)
			}
		}
	}
}

// TestAlertsWithoutParts: some firmware sends alarms before the first separator, or one document and nothing else.
func TestAlertsWithoutParts(t *testing.T) {
	one := fmt.Sprintf(match, "1")
	active := xmlAlarm("facedetection", "active", "")
	for name, c := range map[string]struct {
		stream string
		types  []string
	}{
		"one document":                         {strings.Replace(one, `"modelData":"secret"`, `"modelData":"`+strings.Repeat("secret", 4000)+`"`, 1), []string{"alarmResult"}},
		"several documents":                    {one + "\r\n" + passage(75, "face", ""), []string{"alarmResult", "AccessControllerEvent"}},
		"XML, one after the other":             {`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n" + active + "\r\n" + beat + "\n" + xmlAlarm("VMD", "active", ""), []string{"facedetection", "VMD"}},
		"before the first separator":           {active + "\r\n--MIME_boundary\r\nContent-Type: application/json\r\n\r\n" + one + "\r\n--MIME_boundary--\r\n", []string{"facedetection", "alarmResult"}},
		"a separator with brackets":            {"\r\n--<frontier>\r\nContent-Type: application/json; charset=\"UTF-8\"\r\nContent-Length: 999999\r\n\r\n" + one + "\r\n--<frontier>\r\n", []string{"alarmResult"}},
		"named parts, no separator at the end": {"--boundary\r\nContent-Disposition: form-data; name=\"faceCapture\"; filename=\"f.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8secret\r\n--boundary\r\nContent-Disposition: form-data; name=\"alarmResult\"\r\n\r\n" + one, []string{"alarmResult"}},
		"a document cut short":                 {one[:len(one)-5], nil},
		"another document":                     {`{"ResponseStatus":{"subStatusCode":"notSupport"}}`, nil},
	} {
		for _, size := range []int{1, 5, 1 << 20} {
			var a Alerts
			for s := []byte(c.stream); len(s) > 0; {
				n := min(size, len(s))
				a.Take(s[:n])
				s = s[n:]
			}
			var types []string
			ok := a.Close()
			for _, x := range a.Tally.Alarms {
				types = append(types, x.Type)
			}
			if !slices.Equal(types, c.types) || ok != (c.types != nil) {
				t.Errorf("%s in pieces of %d: %v %q", name, size, ok, types)
			}
			if strings.Contains(string(a.Record()), "secret") {
				t.Errorf("%s: recorded %s", name, a.Record())
			}
		}
	}
}

func TestAlertsOfOtherThings(t *testing.T) {
	for _, s := range []string{"<html><body>" + strings.Repeat("hello\n", 3000), strings.Repeat("x", 1<<20), "not found\n"} {
		var a Alerts
		a.Take([]byte(s))
		if a.Close() || len(a.Tally.Alarms) > 0 || len(a.pending) > 64<<10 {
			t.Errorf("%.20q is a stream of alarms", s)
		}
	}
	var a Alerts
	if !a.Close() {
		t.Error("nothing came, and that is held against the device")
	}
	a = Alerts{}
	a.Take([]byte("--b\r\nContent-Type: text/xml\r\n\r\n" + strings.Repeat("y", 1<<20) + "\r\n--b\r\n\r\n" + xmlAlarm("faceSnap", "active", "") + "\r\n--b--\r\n"))
	if len(a.part) > maxPart || a.Tally.Dropped != 1 || len(a.Tally.Alarms) != 1 {
		t.Errorf("a part that is too long: %+v", a.Tally)
	}
}

func FuzzAlerts(f *testing.F) {
	for _, s := range []string{part("application/json", fmt.Sprintf(capture, "1")), part("application/xml", beat), part("application/json", fmt.Sprintf(match, "2")), "--", "--b\n\n--b--\n--b", ""} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		var a Alerts
		for len(b) > 0 {
			n := min(max(size, 1), len(b))
			a.Take(b[:n])
			b = b[n:]
		}
		a.Close()
		if len(a.Tally.Alarms) > maxKinds || len(a.Record()) > maxRecord+(1<<10) {
			t.Error("over the bounds")
		}
	})
}

func FuzzSkeleton(f *testing.F) {
	for _, s := range []string{fmt.Sprintf(match, "1"), beat, "[[[[", `{"a":[1,2,{"b":null}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) { Skeleton(b) })
}
