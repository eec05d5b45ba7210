package dahua

import (
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
	heardCamera   = "192.0.2.22:40000"
	heardCameraAt = "192.0.2.22:80"
	heardReceiver = "192.0.2.5:8080"
	heardViewer   = "192.0.2.40:50000"

	faceData   = `{"Class":"FaceDetection","CfgRuleId":1,"Image":{"Length":%d,"Offset":0},"Object":{"ObjectType":"HumanFace","Sex":"secret-man","Age":31,"Glass":0,"Mask":1,"Emotion":"","ObjectID":%d},"UTC":%d}`
	knownData  = `{"Candidates":[{"Person":{"UID":"secret-uid","Name":"张三","GroupName":"secret-group","CertificateNumber":"secret-card"},"Similarity":97}],"Class":"FaceRecognition","Face":{"Sex":"Man","Age":31},"Object":{"ObjectType":"HumanFace"}}`
	nobodyData = `{"Candidates":[],"Class":"FaceRecognition","Object":{"ObjectType":"HumanFace"}}`
	bodyData   = `{"Class":"ObjectDetect","HumanAttributes":{"Sex":"Man","Age":40},"Object":{"ObjectType":"Human"}}`
	bothData   = `{"Class":"ObjectDetect","Object":{"ObjectType":"Human","Sex":"Man"},"Objects":[{"ObjectType":"HumanFace","Age":40}]}`
	doorData   = `{"CardNo":"secret-card","UserID":"secret-user","Method":%d,"Status":1,"Name":"张三"}`
)

func event(code, action string, index int, data string) string {
	return fmt.Sprintf("Code=%s;action=%s;index=%d;data=%s", code, action, index, data)
}

// attached is the stream of events somebody reads.
func attached(c *capturetest.Capture, from bool, events ...string) {
	conn := c.Join(heardViewer, heardCameraAt)
	if from {
		conn = c.Connect(heardViewer, heardCameraAt)
		conn.Up([]byte("GET /cgi-bin/eventManager.cgi?action=attach&codes=[All]&heartbeat=5 HTTP/1.1\r\nHost: 192.0.2.22\r\n\r\n"))
		conn.Down([]byte("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=myboundary\r\n\r\n"))
	} else {
		conn.Down([]byte("\"Sex\":\"Man\"}\r\n\r\n"))
	}
	for _, e := range append(events, "Heartbeat") {
		conn.Down([]byte("--myboundary\r\nContent-Type: text/plain\r\nContent-Length:" + fmt.Sprint(len(e)+2) + "\r\n\r\n" + e + "\r\n\r\n"))
	}
	conn.Down([]byte("--myboundary\r\n"))
	conn.Close()
}

func act(key string, fns ...audit.Function) (out []string) {
	for _, fn := range fns {
		out = append(out, "192.0.2.22 face."+string(fn)+".active ["+key+"] = true")
	}
	return out
}

type heardCase struct {
	name  string
	build func(c *capturetest.Capture)
	kinds []string
	facts []string
}

func heardCases() []heardCase {
	push := func(body string) func(*capturetest.Capture) {
		return func(c *capturetest.Capture) {
			probetest.Exchanges(c, heardCamera, heardReceiver, probetest.Post("/events", "application/json", body), probetest.Answer(200, "text/plain", "OK"))
		}
	}
	stream := func(from bool, events ...string) func(*capturetest.Capture) {
		return func(c *capturetest.Capture) { attached(c, from, events...) }
	}
	table := func(status int, body string) func(*capturetest.Capture) {
		return func(c *capturetest.Capture) {
			probetest.Exchanges(c, heardViewer, heardCameraAt, []byte("GET /cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule HTTP/1.1\r\nHost: x\r\n\r\n"), probetest.Answer(status, "text/plain;charset=utf-8", body))
		}
	}
	one, beat := []string{"192.0.2.22 event"}, []string{"192.0.2.22 sign of life"}
	const messages = "192.0.2.22 face.live.messages = 1"
	sent := []string{"192.0.2.22 outbound.face [http-events 192.0.2.5:8080] = true", "192.0.2.22 outbound.hosts = [http-events http://192.0.2.5:8080]"}
	face := slices.Concat(act("event FaceDetection", audit.Detect, audit.Capture, audit.Analyse),
		[]string{messages, "192.0.2.22 face.crops [event FaceDetection] = true", "192.0.2.22 face.attributes.active = [age gender]"})
	aFace := fmt.Sprintf(faceData, 20412, 7, 1)
	known := slices.Concat(act("event FaceRecognition", audit.Detect, audit.Analyse, audit.Identify), []string{messages, "192.0.2.22 face.identity [event FaceRecognition] = true", "192.0.2.22 face.attributes.active = [age gender]"})
	return []heardCase{
		{"a face, in the stream", stream(true, event("FaceDetection", "Start", 0, aFace)), one, face},
		{"a face, in the middle of the stream", stream(false, event("FaceDetection", "Start", 0, aFace)), one, face},
		{"a face in lines", stream(true, "Code=FaceDetection;action=Start;index=0;data="+strings.ReplaceAll(strings.ReplaceAll(aFace, ",", ",\n   "), ":", " : ")), one, face},
		{"a face that is over", stream(true, event("FaceDetection", "Stop", 0, aFace)), beat, nil},
		{"somebody is known", stream(true, event("FaceRecognition", "Pulse", 1, knownData)), one, known},
		{"nobody is known", stream(true, event("FaceRecognition", "Pulse", 1, nobodyData)), one, slices.Concat(act("event FaceRecognition", audit.Detect, audit.Identify), []string{messages})},
		{"a body", stream(true, event("HumanTrait", "Start", 0, bodyData)), beat, nil},
		{"a body and a face", stream(true, event("HumanTrait", "Start", 0, bothData)), one,
			slices.Concat(act("event HumanTrait", audit.Detect, audit.Analyse), []string{messages, "192.0.2.22 face.attributes.active = [age]"})},
		{"motion", stream(true, "Code=VideoMotion;action=Start;index=0"), beat, nil},
		{"nothing", stream(true), nil, nil},
		{"a face is pushed", push(`{"Action":"Start","Code":"FaceDetection","Index":0,"Data":` + aFace + `}`), one, slices.Concat(face, sent)},
		{"a face is pushed, in a list", push(`{"Channel":0,"Time":"2026-11-02 10:00:00","Events":[{"Code":"FaceDetection","Action":"Pulse","Index":0,"Data":` + aFace + `}]}`), one, slices.Concat(face, sent)},
		{"a face is pushed, all on one level", push(`{"Code":"FaceDetection","Object":{"ObjectType":"HumanFace","Age":31,"Sex":"Man"},"Image":{"Length":20412}}`), one, slices.Concat(face, sent)},
		{"a face is pushed in parts that need not end", func(c *capturetest.Capture) {
			body := "--myboundary\r\nContent-Type: application/json\r\n\r\n" + `{"Events":[{"Code":"FaceDetection","Action":"Pulse","Index":0,"Data":` + aFace + `}]}` + "\r\n--myboundary\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0\r\n--myboundary--\r\n"
			probetest.Exchanges(c, heardCamera, heardReceiver, probetest.Post("/events", "multipart/x-mixed-replace; boundary=myboundary", body), probetest.Answer(200, "text/plain", "OK"))
		}, one, slices.Concat(face, sent)},
		{"somebody known is pushed", push(`{"Action":"Pulse","Code":"FaceRecognition","Index":0,"Data":` + knownData + `}`), one, slices.Concat(known, sent)},
		{"a face at the door", push(`{"Action":"Pulse","Code":"AccessControl","Index":0,"Data":` + fmt.Sprintf(doorData, 15) + `}`), one,
			slices.Concat(act("event AccessControl", audit.Detect, audit.Identify), []string{messages, "192.0.2.22 face.identity [event AccessControl] = true"}, sent)},
		{"a face, brought by a program", func(c *capturetest.Capture) {
			b := probetest.Post("/events", "application/json", `{"Action":"Start","Code":"FaceDetection","Index":0,"Data":`+aFace+`}`)
			b = []byte(strings.Replace(string(b), "\r\n", "\r\nUser-Agent: node-red\r\n", 1))
			probetest.Exchanges(c, heardCamera, heardReceiver, b, probetest.Answer(200, "text/plain", "OK"))
		}, one, sent},
		{"a face with its picture, in lines", stream(true, "Events[0].Code=FaceRecognition\r\nEvents[0].Candidates[0].Person.Name=张三\r\nEvents[0].Candidates[0].Person.UID=secret-uid\r\nEvents[0].Face.Age=31\r\nEvents[0].Face.Sex=Man\r\n"), one, known},
		{"motion with its picture, in lines", stream(true, "Events[0].EventBaseInfo.Code=VideoMotion\r\nEvents[0].EventBaseInfo.Action=Start\r\n"), beat, nil},
		{"a card at the door", push(`{"Action":"Pulse","Code":"AccessControl","Index":0,"Data":` + fmt.Sprintf(doorData, 1) + `}`), nil, nil},
		{"a body is pushed", push(`{"Action":"Start","Code":"HumanTrait","Index":0,"Data":` + bodyData + `}`), nil, nil},
		{"motion is pushed", push(`{"Action":"Start","Code":"VideoMotion","Index":0}`), nil, nil},
		{"somebody else's codes", push(`{"Code":"E1001","Action":"Start"}`), nil, nil},
		{"rules", table(200, "table.VideoAnalyseRule[0][0].Class=FaceDetection\r\ntable.VideoAnalyseRule[0][0].Enable=true\r\ntable.VideoAnalyseRule[0][0].Name=secret\r\ntable.VideoAnalyseRule[1][0].Class=FaceRecognition\r\ntable.VideoAnalyseRule[1][0].Enable=false\r\n"+
			"table.VideoAnalyseRule[2][0].Class=Normal\r\ntable.VideoAnalyseRule[2][0].Type=CrossLineDetection\r\ntable.VideoAnalyseRule[2][0].Enable=true\r\n"), []string{"192.0.2.22 VideoAnalyseRule"},
			[]string{"192.0.2.22 face.capture.capable [channel 1 rule 0] = true", "192.0.2.22 face.capture.configured [channel 1 rule 0] = true", "192.0.2.22 face.detect.capable [channel 1 rule 0] = true", "192.0.2.22 face.detect.configured [channel 1 rule 0] = true"}},
		{"rules that are off", table(200, "table.VideoAnalyseRule[0][0].Class=FaceDetection\r\ntable.VideoAnalyseRule[0][0].Enable=false\r\n"), nil, nil},
		{"a refusal", table(401, "table.VideoAnalyseRule[0][0].Class=FaceDetection\r\ntable.VideoAnalyseRule[0][0].Enable=true\r\n"), nil, nil},
	}
}

// secrets are what stands for a person in the captures of this file.
var secrets = []string{"secret", "张三", "97", "31"}

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

// TestHeardAgain: any number of pushes that show the same are one observation.
func TestHeardAgain(t *testing.T) {
	const n = 10_000
	c := capturetest.New()
	conn := c.Connect(heardCamera, heardReceiver).Acks(false)
	for i := range n {
		conn.Up(probetest.Post("/", "application/json", `{"Action":"Start","Code":"FaceDetection","Index":0,"Data":`+fmt.Sprintf(faceData, 20000+i, i, i)+`}`))
	}
	conn.Close()
	h := probetest.Hear(t, Module(), c)
	if len(h.Observations) != 1 || h.Observations[0].Seen.Count != n || !slices.Contains(h.Facts, "192.0.2.22 face.live.messages = "+fmt.Sprint(n)) {
		t.Errorf("%d observations: %v", len(h.Observations), h.Facts)
	}
}

// TestHeardCut: what is missing of a capture never makes it show more.
func TestHeardCut(t *testing.T) {
	long := strings.Replace(fmt.Sprintf(faceData, 20412, 7, 1), `"UTC"`, `"Feature":["`+strings.Repeat("x", 3000)+`"],"UTC"`, 1)
	probetest.Cuts(t, Module(), func() *capturetest.Capture {
		c := capturetest.New()
		attached(c, true, event("VideoMotion", "Start", 12, "{}"), event("FaceDetection", "Start", 12, long), event("HumanTrait", "Start", 12, bodyData), event("FaceRecognition", "Stop", 12, knownData))
		probetest.Exchanges(c, heardCamera, heardReceiver, probetest.Post("/", "application/json", `{"Action":"Start","Code":"FaceDetection","Index":0,"Data":`+long+`}`), probetest.Answer(200, "text/plain", "OK"))
		return c
	})
}

// TestHeardHalfHead: a head that is cut names neither another channel nor another action.
func TestHeardHalfHead(t *testing.T) {
	whole := event("FaceRecognition", "Start", 12, nobodyData)
	for n := range len(whole) {
		c := capturetest.New()
		conn := c.Connect(heardViewer, heardCameraAt)
		conn.Up([]byte("GET /cgi-bin/eventManager.cgi?action=attach&codes=[All] HTTP/1.1\r\nHost: x\r\n\r\n"))
		conn.Down([]byte("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\n" + whole[:n]))
		conn.Skip(false, 900).Down([]byte("x"))
		h := probetest.Hear(t, Module(), c)
		if s := h.String(); strings.Contains(s, "channels") && !strings.Contains(s, "[13]") || n < strings.Index(whole, "data=") && len(h.Observations) > 0 {
			t.Errorf("%q: %s", whole[:n], s)
		}
	}
}

func FuzzDissect(f *testing.F) {
	aFace := fmt.Sprintf(faceData, 20412, 7, 1)
	probetest.FuzzHear(f, Module(),
		probetest.Conversation{Up: probetest.Post("/", "application/json", `{"Action":"Start","Code":"FaceDetection","Index":0,"Data":`+aFace+`}`)},
		probetest.Conversation{Up: probetest.Post("/", "application/json", `{"Events":[{"Action":"Pulse","Code":"FaceRecognition","Data":`+knownData+`},{"Code":"AccessControl","Data":`+fmt.Sprintf(doorData, 15)+`}]}`)},
		probetest.Conversation{Up: []byte("GET /cgi-bin/eventManager.cgi?action=attach HTTP/1.1\r\n\r\n"), Down: []byte("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n" +
			event("FaceDetection", "Start", 0, aFace) + "\r\n--b\r\n\r\n" + event("HumanTrait", "Start", 1, bothData) + "\r\n--b\r\n\r\nHeartbeat\r\n--b\r\n")},
		probetest.Conversation{Up: []byte("GET /cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule HTTP/1.1\r\n\r\n"), Down: probetest.Answer(200, "text/plain", "table.VideoAnalyseRule[0][0].Class=FaceDetection\r\ntable.VideoAnalyseRule[0][0].Enable=true\r\n")})
}
