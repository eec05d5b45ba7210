package isapi

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
)

const (
	heardCamera   = "192.0.2.21:40000"
	heardCameraAt = "192.0.2.21:80"
	heardPlatform = "192.0.2.5:8123"
	heardViewer   = "192.0.2.40:50000"
)

// alarmJSON is an alarm as a camera writes it.
func alarmJSON(kind, addr, more string) string {
	return fmt.Sprintf(`{"ipAddress":%q,"portNo":80,"protocol":"HTTP","macAddress":"02:00:c0:00:02:15","channelID":1,"dateTime":"2026-11-02T10:00:00+08:00","activePostCount":1,`+
		`"eventType":%q,"eventState":"active","eventDescription":%q,"channelName":"secret-channel",%s}`, addr, kind, kind, more)
}

const (
	aFace     = `"faceCapture":[{"targetAttrs":{"deviceName":"secret-device","pId":"secret-pid-%d"},"faces":[{"faceId":7,"faceRect":{"x":0.31},"age":{"ageGroup":"secret-middle"},"gender":{"value":"secret-female"},"glass":{"value":"unknown"},"pId":"secret-pid2"}]}]`
	aMatch    = `"alarmResult":[{"modelData":"secret-template","errorCode":1,"errorMsg":"ok","targetAttrs":{"pId":"secret-pid"},"faces":[{"faceRect":{"x":0.3},"score":{"value":52},"identify":[{"maxsimilarity":0.917,"candidate":[{"similarity":0.917,"FDLibName":"secret-library","human_id":"secret-person","reserve_field":{"name":"张三","certificateNumber":"secret-number"}}]}]}]}]`
	aStranger = `"alarmResult":[{"modelData":"secret-template","errorCode":1073750078,"errorMsg":"contrastFailed","targetAttrs":{"pId":"secret-pid"},"faces":[{"faceRect":{"x":0.3},"identify":[]}]}]`
	aPass     = `"AccessControllerEvent":{"deviceName":"secret","majorEventType":5,"subEventType":%d,"name":"张三","employeeNoString":"secret-person","cardNo":"secret-card","currentVerifyMode":%q,"FaceRect":{"height":0.3},"mask":"no"}`
)

func alarmXML(kind, state, addr, more string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><ipAddress>` + addr + `</ipAddress><portNo>80</portNo><protocol>HTTP</protocol>` +
		`<macAddress>02:00:c0:00:02:15</macAddress><channelID>1</channelID><dateTime>2026-11-02T10:00:00+08:00</dateTime><activePostCount>1</activePostCount><eventType>` + kind + `</eventType><eventState>` + state +
		`</eventState><eventDescription>x</eventDescription>` + more + `</EventNotificationAlert>`
}

// parted is a push in parts, with a picture behind the text.
func parted(boundary, name, text string) []byte {
	picture := "\xff\xd8\xff\xe0" + strings.Repeat("\x00\x10JFIF\xa7", 4000) + "\xff\xd9"
	body := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\nContent-Type: application/json\r\nContent-Length: " + fmt.Sprint(len(text)) + "\r\n\r\n" + text + "\r\n--" + boundary +
		"\r\nContent-Disposition: form-data; name=\"faceImage\"; filename=\"faceImage.jpg\"\r\nContent-Type: image/jpeg\r\nContent-Length: " + fmt.Sprint(len(picture)) + "\r\n\r\n" + picture + "\r\n--" + boundary + "--\r\n"
	return probetest.Post("/alarms", "multipart/form-data; boundary="+boundary, body)
}

// from is a request that says who makes it, and through one that a proxy makes.
func from(name string, b []byte) []byte {
	return bytes.Replace(b, []byte("\r\n"), []byte("\r\nUser-Agent: "+name+"\r\n"), 1)
}

func through(b []byte) []byte {
	return bytes.Replace(b, []byte("\r\n"), []byte("\r\nX-Forwarded-For: 192.0.2.30\r\n"), 1)
}

func ok() []byte { return probetest.Answer(200, "text/plain", "") }

// streamed is the stream of alarms somebody reads.
func streamed(c *capturetest.Capture, from bool, texts ...string) {
	conn := c.Join(heardViewer, heardCameraAt)
	if from {
		conn = c.Connect(heardViewer, heardCameraAt)
		conn.Up([]byte("GET /ISAPI/Event/notification/alertStream HTTP/1.1\r\nHost: 192.0.2.21\r\nAuthorization: Digest username=\"secret-user\"\r\n\r\n"))
		conn.Down([]byte("HTTP/1.1 200 OK\r\nMIME-Version: 1.0\r\nConnection: close\r\nContent-Type: multipart/mixed; boundary=boundary\r\n\r\n"))
	} else {
		conn.Down([]byte("cut off in the middle\",\"x\":1}\r\n"))
	}
	for _, text := range texts {
		kind := "application/xml; charset=\"UTF-8\""
		if text[0] == '{' {
			kind = "application/json; charset=\"UTF-8\""
		}
		conn.Down([]byte("--boundary\r\nContent-Type: " + kind + "\r\nContent-Length: " + fmt.Sprint(len(text)) + "\r\n\r\n" + text + "\r\n"))
	}
	conn.Down([]byte("--boundary\r\n"))
	conn.Close()
}

func got(c *capturetest.Capture, path string, answer []byte) {
	probetest.Exchanges(c, heardViewer, heardCameraAt, []byte("GET "+path+" HTTP/1.1\r\nHost: 192.0.2.21\r\n\r\n"), answer)
}

// facts of the camera at .21: of functions with a key, then others.
func of(key string, fns ...audit.Function) (out []string) {
	for _, fn := range fns {
		out = append(out, "192.0.2.21 face."+string(fn)+".active ["+key+"] = true", "192.0.2.21 face."+string(fn)+".capable ["+key+"] = true")
	}
	return out
}

const (
	alarmMessages = "192.0.2.21 face.live.messages = "
	alarmTo       = "192.0.2.21 outbound.face [http://192.0.2.5:8123] = true\n192.0.2.21 outbound.hosts = [http-events http://192.0.2.5:8123]"
)

func heardCases() []struct {
	name  string
	build func(c *capturetest.Capture)
	kinds []string
	facts []string
} {
	const self = "192.0.2.21"
	push := func(b []byte) func(*capturetest.Capture) {
		return func(c *capturetest.Capture) { probetest.Exchanges(c, heardCamera, heardPlatform, b, ok()) }
	}
	one := []string{"192.0.2.21 alarm"}
	beat := []string{"192.0.2.21 sign of life"}
	capture := slices.Concat(of("channel 1 alarm faceCapture", audit.Analyse, audit.Capture, audit.Detect),
		[]string{"192.0.2.21 face.attributes.active = [age gender]", "192.0.2.21 face.crops [channel 1 alarm faceCapture] = true", alarmMessages + "1"})
	match := slices.Concat(of("channel 1 alarm alarmResult", audit.Detect, audit.Identify), []string{"192.0.2.21 face.identity [channel 1 alarm alarmResult] = true", alarmMessages + "1"})
	nobody := slices.Concat(of("channel 1 alarm alarmResult", audit.Detect, audit.Identify), []string{alarmMessages + "1"})
	sent := strings.Split(alarmTo, "\n")
	foreign := strings.Replace(alarmJSON("faceCapture", "10.1.1.64", fmt.Sprintf(aFace, 1)), "02:00:c0:00:02:15", "02:00:00:00:00:77", 1)
	aCapture := alarmJSON("faceCapture", self, fmt.Sprintf(aFace, 1))
	return []struct {
		name  string
		build func(c *capturetest.Capture)
		kinds []string
		facts []string
	}{
		{"a face is pushed", push(parted("boundary", "faceCapture", aCapture)), one, slices.Concat(capture, sent)},
		{"a match is pushed", push(parted("boundary", "alarmResult", alarmJSON("alarmResult", self, aMatch))), one, slices.Concat(match, sent)},
		{"nobody is found", push(parted("MIME_boundary", "alarmResult", alarmJSON("alarmResult", self, aStranger))), one, slices.Concat(nobody, sent)},
		{"JSON without parts", push(probetest.Post("/", "application/json", aCapture)), one, slices.Concat(capture, sent)},
		{"XML without parts", push(probetest.Post("/", "application/xml", alarmXML("facedetection", "active", self, ""))), one,
			slices.Concat(of("channel 1 alarm facedetection", audit.Detect), []string{alarmMessages + "1"}, sent)},
		{"a terminal: a face alone", push(parted("MIME_boundary", "AccessControllerEvent", alarmJSON("AccessControllerEvent", self, fmt.Sprintf(aPass, 75, "cardOrFaceOrFp")))), one,
			slices.Concat(of("channel 1 alarm AccessControllerEvent", audit.Detect, audit.Identify), []string{"192.0.2.21 face.identity [channel 1 alarm AccessControllerEvent] = true", alarmMessages + "1"}, sent)},
		{"a terminal: a face and a card", push(parted("MIME_boundary", "AccessControllerEvent", alarmJSON("AccessControllerEvent", self, fmt.Sprintf(aPass, 60, "")))), one,
			slices.Concat(of("channel 1 alarm AccessControllerEvent", audit.Detect, audit.Verify), []string{"192.0.2.21 face.identity [channel 1 alarm AccessControllerEvent] = true", alarmMessages + "1"}, sent)},
		{"a terminal: a card", push(parted("MIME_boundary", "AccessControllerEvent", alarmJSON("AccessControllerEvent", self, fmt.Sprintf(aPass, 1, "cardOrFaceOrFp")))), beat, nil},
		{"a sign of life", push(probetest.Post("/", "application/xml", alarmXML("videoloss", "inactive", self, ""))), beat, nil},
		{"a face that is over", push(probetest.Post("/", "application/xml", alarmXML("facedetection", "inactive", self, ""))), beat, nil},
		{"a face from before", push(probetest.Post("/", "application/json", alarmJSON("faceCapture", self, `"isDataRetransmission":true,`+fmt.Sprintf(aFace, 1)))), beat, nil},
		{"motion alone", push(probetest.Post("/", "application/xml", alarmXML("VMD", "active", self, ""))), beat, nil},
		{"the stream, from its beginning", func(c *capturetest.Capture) {
			streamed(c, true, alarmXML("videoloss", "inactive", self, ""), aCapture, alarmXML("VMD", "active", self, ""))
		}, []string{"192.0.2.21 sign of life", "192.0.2.21 alarm"}, capture},
		{"the stream, from its middle", func(c *capturetest.Capture) {
			streamed(c, false, alarmXML("videoloss", "inactive", self, ""), alarmJSON("alarmResult", self, aMatch))
		}, []string{"192.0.2.21 sign of life", "192.0.2.21 alarm"}, match},
		{"a push that is longer than any, from its middle", func(c *capturetest.Capture) {
			b := parted("boundary", "faceCapture", aCapture)
			conn := c.Join(heardCamera, heardPlatform)
			conn.Up(b[strings.Index(string(b), "--boundary"):])
			conn.Close()
		}, one, capture},
		{"the stream, in named parts, from its middle", func(c *capturetest.Capture) {
			conn := c.Join(heardViewer, heardCameraAt)
			b := parted("boundary", "faceCapture", aCapture)
			conn.Down(b[strings.Index(string(b), "--boundary"):])
			conn.Close()
		}, one, capture},
		{"another of its own addresses", push(probetest.Post("/", "application/json", alarmJSON("faceCapture", "192.0.2.99", fmt.Sprintf(aFace, 1)))), one, slices.Concat(capture, sent)},
		{"another device's alarm is handed on", func(c *capturetest.Capture) {
			probetest.Exchanges(c, "192.0.2.30:40000", heardPlatform, parted("boundary", "faceCapture", aCapture), ok())
		}, []string{"192.0.2.30 alarm"}, []string{"192.0.2.30 outbound.face [http://192.0.2.5:8123] = true", "192.0.2.30 outbound.hosts = [http-events http://192.0.2.5:8123]"}},
		{"another device's motion is handed on", func(c *capturetest.Capture) {
			probetest.Exchanges(c, "192.0.2.30:40000", heardPlatform, probetest.Post("/", "application/xml", alarmXML("VMD", "active", self, "")), ok())
		}, nil, nil},
		{"an address from behind a router is the sender's own", push(parted("boundary", "faceCapture", alarmJSON("faceCapture", "10.1.1.64", fmt.Sprintf(aFace, 1)))), one, slices.Concat(capture, sent)},
		{"an alarm without anybody's address is the sender's", push(probetest.Post("/hook", "application/json", strings.Replace(alarmJSON("faceCapture", "", fmt.Sprintf(aFace, 1)), "02:00:c0:00:02:15", "", 1))), one, slices.Concat(capture, sent)},
		{"an alarm by a program that hands on", push(from("Logstash 8.1", probetest.Post("/hook", "application/json", strings.Replace(aCapture, self, "", 1)))), one, slices.Concat(capture, sent)},
		{"another's alarm by a program that hands on", push(from("Logstash 8.1", probetest.Post("/hook", "application/json", foreign))), one, sent},
		{"another's alarm by a library", push(from("python-requests/2.32", probetest.Post("/hook", "application/json", foreign))), one, slices.Concat(capture, sent)},
		{"another's alarm by a proxy", push(through(probetest.Post("/hook", "application/json", foreign))), one, sent},
		{"an alarm by a device that calls itself a browser", push(from("Mozilla/4.0 (compatible; MSIE 6.0)", probetest.Post("/", "application/json", aCapture))), one, slices.Concat(capture, sent)},
		{"an alarm with an address of another family", push(probetest.Post("/", "application/json", strings.Replace(alarmJSON("faceCapture", "10.1.1.64", fmt.Sprintf(aFace, 1)), "02:00:c0:00:02:15", "02:00:00:00:00:77\",\"ipv6Address\":\"192.0.2.21", 1))), one, slices.Concat(capture, sent)},
		{"motion that a program brings", push(from("Node-RED", probetest.Post("/", "application/xml", strings.Replace(alarmXML("VMD", "active", "10.1.1.64", ""), "02:00:c0:00:02:15", "02:00:00:00:00:77", 1)))), nil, nil},
		{"a temperature at a face", push(parted("MIME_boundary", "FaceTemperatureMeasurementEvent", alarmJSON("FaceTemperatureMeasurementEvent", self,
			`"FaceTemperatureMeasurementEvent":{"deviceName":"secret","currTemperature":36.6,"RegionCoordinates":{"positionX":383},"mask":"unknown","visibleLightURL":"secret"}`))), one,
			slices.Concat(of("channel 1 alarm FaceTemperatureMeasurementEvent", audit.Detect), []string{alarmMessages + "1"}, sent)},
		{"a setting that is on", func(c *capturetest.Capture) {
			got(c, "/ISAPI/Smart/FaceDetect/1", probetest.Answer(200, "application/xml", `<FaceDetect xmlns="http://www.hikvision.com/ver20/XMLSchema"><id>1</id><enabled>true</enabled></FaceDetect>`))
		}, []string{"192.0.2.21 GET /ISAPI/Smart/FaceDetect/{channel}"}, []string{"192.0.2.21 face.detect.capable [channel 1 FaceDetect] = true", "192.0.2.21 face.detect.configured [channel 1 FaceDetect] = true"}},
		{"a setting that is off", func(c *capturetest.Capture) {
			got(c, "/ISAPI/Smart/FaceDetect/1", probetest.Answer(200, "application/xml", `<FaceDetect><id>1</id><enabled>false</enabled></FaceDetect>`))
		}, nil, nil},
		{"libraries one of which is compared with", func(c *capturetest.Capture) {
			got(c, "/ISAPI/Intelligent/channels/2/faceContrast", probetest.Answer(200, "application/xml", `<FaceContrastList><FaceContrast><id>1</id><enable>true</enable></FaceContrast><FaceContrast><id>2</id><enable>false</enable></FaceContrast></FaceContrastList>`))
		}, []string{"192.0.2.21 GET /ISAPI/Intelligent/channels/{channel}/faceContrast"},
			[]string{"192.0.2.21 face.identify.capable [channel 2 faceContrast 1] = true", "192.0.2.21 face.identify.configured [channel 2 faceContrast 1] = true"}},
		{"a refusal", func(c *capturetest.Capture) {
			got(c, "/ISAPI/Smart/FaceDetect/1", probetest.Answer(401, "application/xml", `<FaceDetect><enabled>true</enabled></FaceDetect>`))
		}, nil, nil},
		{"an order to switch it on", func(c *capturetest.Capture) {
			b := probetest.Post("/ISAPI/Smart/FaceDetect/1", "application/xml", `<FaceDetect><id>1</id><enabled>true</enabled></FaceDetect>`)
			probetest.Exchanges(c, heardViewer, heardCameraAt, append([]byte("PUT"), b[4:]...), probetest.Answer(200, "application/xml", `<ResponseStatus><statusCode>1</statusCode></ResponseStatus>`))
		}, nil, nil},
		{"who it is", func(c *capturetest.Capture) {
			got(c, "/ISAPI/System/deviceInfo", probetest.Answer(200, "application/xml", `<DeviceInfo><deviceName>Door</deviceName><model>DS-2CD0000</model><serialNumber>DS-2CD000020260101AAWR000000001</serialNumber><macAddress>02:00:c0:00:02:15</macAddress><deviceType>IPCamera</deviceType></DeviceInfo>`))
		}, []string{"192.0.2.21 GET /ISAPI/System/deviceInfo"}, nil},
		{"an event of somebody else's service", push(probetest.Post("/hook", "application/json", `{"eventType":"facedetection","id":"1","user":"张三"}`)), nil, nil},
		{"an event that only looks a little like one", push(probetest.Post("/hook", "application/json", `{"eventType":"faceCapture","dateTime":"2026-11-02T10:00:00Z"}`)), nil, nil},
		{"a question for passings", func(c *capturetest.Capture) {
			probetest.Exchanges(c, heardViewer, heardCameraAt, probetest.Post("/ISAPI/AccessControl/AcsEvent?format=json", "application/json", `{"AcsEventCond":{"searchID":"1","major":5,"minor":75}}`), ok())
		}, nil, nil},
	}
}

// secrets are what stands for a person in the captures of this file.
var secrets = []string{"secret", "张三", "0.917", "0.31"}

func TestHeard(t *testing.T) {
	for _, x := range heardCases() {
		t.Run(x.name, func(t *testing.T) {
			c := capturetest.New()
			x.build(c)
			h := probetest.Hear(t, Module(), c)
			if d := cmp.Diff(x.kinds, h.Kinds()); d != "" {
				t.Error(d)
			}
			h.Shows(t, x.facts, secrets)
		})
	}
}

// TestHeardAgain: any number of pushes that show the same are one observation, though every one has its own time, number and face.
func TestHeardAgain(t *testing.T) {
	const n = 10_000
	c := capturetest.New()
	conn := c.Connect(heardCamera, heardPlatform).Acks(false)
	for i := range n {
		conn.Up(probetest.Post("/", "application/json", alarmJSON("faceCapture", "192.0.2.21", fmt.Sprintf(aFace, i))))
	}
	conn.Close()
	h := probetest.Hear(t, Module(), c)
	if len(h.Observations) != 1 || h.Observations[0].Seen.Count != n || !slices.Contains(h.Facts, alarmMessages+fmt.Sprint(n)) {
		t.Errorf("%d observations: %v", len(h.Observations), h.Facts)
	}
}

// TestHeardCut: what is missing of a capture never makes it show more.
func TestHeardCut(t *testing.T) {
	probetest.Cuts(t, Module(), func() *capturetest.Capture {
		c := capturetest.New()
		b := alarmJSON("alarmResult", "192.0.2.21", aMatch)
		probetest.Exchanges(c, heardCamera, heardPlatform, parted("boundary", "alarmResult", b), ok(), parted("boundary", "faceCapture", alarmJSON("faceCapture", "192.0.2.21", fmt.Sprintf(aFace, 1))), ok())
		streamed(c, true, alarmXML("videoloss", "inactive", "192.0.2.21", ""), b, alarmXML("VMD", "active", "192.0.2.21", ""))
		got(c, "/ISAPI/Smart/FaceDetect/1", probetest.Answer(200, "application/xml", `<FaceDetect><id>1</id><enabled>true</enabled>`+strings.Repeat("<x>1</x>", 300)+`</FaceDetect>`))
		return c
	})
}

func FuzzDissect(f *testing.F) {
	get := func(path string) []byte { return []byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n") }
	part := "--boundary\r\nContent-Type: application/json\r\n\r\n" + alarmJSON("alarmResult", "192.0.2.5", aMatch) + "\r\n--boundary\r\n"
	probetest.FuzzHear(f, Module(),
		probetest.Conversation{Up: probetest.Post("/", "application/json", alarmJSON("faceCapture", "192.0.2.21", fmt.Sprintf(aFace, 1))), Down: ok()},
		probetest.Conversation{Up: probetest.Post("/", "application/xml", alarmXML("facedetection", "active", "192.0.2.30", "")), Down: ok()},
		probetest.Conversation{Up: parted("b", "AccessControllerEvent", alarmJSON("AccessControllerEvent", "192.0.2.21", fmt.Sprintf(aPass, 75, "face"))), Down: ok()},
		probetest.Conversation{Up: get("/ISAPI/Event/notification/alertStream"), Down: []byte("HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=boundary\r\n\r\n" + part)},
		probetest.Conversation{Down: []byte(part)},
		probetest.Conversation{Up: get("/ISAPI/Intelligent/channels/2/faceContrast"), Down: probetest.Answer(200, "application/xml", `<FaceContrastList><FaceContrast><id>1</id><enable>true</enable></FaceContrast></FaceContrastList>`)},
		probetest.Conversation{Up: get("/ISAPI/System/Video/inputs/channels/1/VCAResource"), Down: probetest.Answer(200, "application/xml", `<VCAResource><type>facesnap</type></VCAResource>`)},
		probetest.Conversation{Up: get("/ISAPI/System/deviceInfo"), Down: probetest.Answer(200, "application/xml", `<DeviceInfo><model>x</model><macAddress>02:00:c0:00:02:15</macAddress></DeviceInfo>`)})
}
