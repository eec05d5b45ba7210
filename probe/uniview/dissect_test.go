package uniview

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
	heardTerminal = "192.0.2.23:40000"
	heardServer   = "192.0.2.5:8090"
	verified      = "/LAPI/V1.0/System/Event/Notification/PersonVerification"
	notified      = "/LAPI/V1.0/PACS/Controller/Event/Notifications"
	structured    = "/LAPI/V1.0/System/Event/Notification/Structure"
)

// passage is what a terminal pushes when somebody passes; its form is the public one of its interface.
func passage(faces, cards, matches string) string {
	return fmt.Sprintf(`{"Reference":"192.0.2.5:8090/Subscription/Subscribers/1000","Seq":9,"DeviceCode":"secret-device","Timestamp":1793600000,"NotificationType":0,"FaceInfoNum":1,"FaceInfoList":[%s],`+
		`"CardInfoNum":0,"CardInfoList":[%s],"GateInfoNum":0,"GateInfoList":[],"LibMatInfoNum":1,"LibMatInfoList":[%s]}`, faces, cards, matches)
}

func face(mask int, size int) string {
	return fmt.Sprintf(`{"ID":9,"Timestamp":1793600000,"CapSrc":1,"FeatureNum":0,"FeatureList":[],"Temperature":36.4,"MaskFlag":%d,"PanoImage":{"Name":"secret.jpg","Size":134884,"Data":"/9j/4AAQ"},`+
		`"FaceImage":{"Name":"secret.jpg","Size":%d,"Data":"/9j/4AAQ"},"FaceArea":{"LeftTopX":2555,"LeftTopY":5390,"RightBottomX":4620,"RightBottomY":6531}}`, mask, size)
}

func match(status, person int) string {
	return fmt.Sprintf(`{"ID":9,"LibID":3,"LibType":3,"MatchStatus":%d,"MatchPersonID":%d,"MatchFaceID":1,"MatchPersonInfo":{"PersonCode":"secret-code","PersonName":"张三","Gender":1,"CardID":"secret-card","IdentityNo":"secret-number"}}`, status, person)
}

const aCard = `{"ID":9,"CapSrc":2,"CardType":1,"CardID":"secret-card","CardStatus":1}`

// structure is what a camera pushes for what it sees.
func structure(faces, persons string) string {
	return `{"Reference":"","TimeStamp":1793600000,"Seq":3,"SrcID":1,"SrcName":"secret-camera","NotificationType":0,"DeviceID":"x","RelatedID":"y","StructureInfo":{"ObjInfo":{"FaceNum":1,"FaceInfoList":[` + faces +
		`],"PersonNum":1,"PersonInfoList":[` + persons + `],"NonMotorVehicleNum":0,"NonMotorVehicleInfoList":null,"VehicleNum":0,"VehicleInfoList":null},"ImageNum":2,"ImageInfoList":[{"Index":1,"Type":1,"Format":0,"Size":90000,"Data":"/9j/4AAQ"},{"Index":2,"Type":2,"Size":9000,"Data":"/9j/4AAQ"}]}}`
}

const (
	aPerson     = `{"PersonID":1,"Position":"0,0;10000,10000","SmallPicAttachIndex":2,"LargePicAttachIndex":1,"Feature":"","AttributeInfo":{"Gender":1,"AgeRange":3,"HairLength":2,"CoatColor":4}}`
	aFacePlain  = `{"FaceID":1,"FaceDoforPersonID":1,"Position":"10,10;20,20","Confidence":90,"SmallPicAttachIndex":0,"LargePicAttachIndex":1,"FeatureVersion":"","Feature":"","AttributeInfo":{"Gender":0,"AgeRange":255,"GlassFlag":0,"GlassesStyle":0}}`
	aFaceFilled = `{"FaceID":1,"Position":"10,10;20,20","SmallPicAttachIndex":2,"LargePicAttachIndex":1,"Feature":"c2VjcmV0","AttributeInfo":{"Gender":2,"AgeRange":3,"GlassFlag":1,"GlassesStyle":0}}`
)

func act(fns ...audit.Function) (out []string) {
	for _, fn := range fns {
		out = append(out, "192.0.2.23 face."+string(fn)+".active [push] = true", "192.0.2.23 face."+string(fn)+".capable [push] = true")
	}
	return append(out, "192.0.2.23 face.live.messages = 1", "192.0.2.23 outbound.face [http://192.0.2.5:8090] = true", "192.0.2.23 outbound.hosts = [http-events http://192.0.2.5:8090]")
}

func TestHeard(t *testing.T) {
	const (
		crops     = "192.0.2.23 face.crops [push] = true"
		person    = "192.0.2.23 face.identity [push] = true"
		accessory = "192.0.2.23 face.attributes.active = [accessory]"
	)
	one, beat := []string{"192.0.2.23 push"}, []string{"192.0.2.23 sign of life"}
	for _, x := range []struct {
		name, path, body string
		kinds            []string
		facts            []string
	}{
		{"somebody is known by his face", verified, passage(face(0, 12884), "", match(1, 111)), one, append(act(audit.Detect, audit.Capture, audit.Identify), crops, person)},
		{"over the older path", notified, passage(face(0, 12884), "", match(1, 111)), one, append(act(audit.Detect, audit.Capture, audit.Identify), crops, person)},
		{"nobody is known", verified, passage(face(0, 0), "", match(2, 0)), one, act(audit.Detect, audit.Identify)},
		{"with a mask", verified, passage(face(2, 0), "", match(1, 111)), one, append(act(audit.Detect, audit.Analyse, audit.Identify), person, accessory)},
		{"without a mask, which was looked for", verified, passage(face(1, 0), "", match(1, 111)), one, append(act(audit.Detect, audit.Analyse, audit.Identify), person, accessory)},
		{"a face beside a card", verified, passage(face(0, 0), aCard, match(1, 111)), one, append(act(audit.Detect, audit.Verify), person)},
		{"a card alone", verified, passage("", aCard, match(1, 111)), beat, nil},
		{"a password alone", verified, passage("", "", match(1, 111)), beat, nil},
		{"a face opened the door, and no picture of it is sent", verified, passage("", "", match(7, 111)), one, append(act(audit.Detect, audit.Identify), person)},
		{"a face that was not compared", verified, passage(face(0, 12884), "", match(0, 0)), one, append(act(audit.Detect, audit.Capture), crops)},
		{"a face that is none alive", verified, passage(face(0, 12884), "", match(6, 0)), one, append(act(audit.Detect, audit.Capture), crops)},
		{"an enrolment", verified, passage(face(0, 12884), "", match(21, 111)), one, append(act(audit.Detect, audit.Capture), crops)},
		{"nothing", verified, passage("", "", ""), beat, nil},
		{"from before", verified, strings.Replace(passage(face(0, 12884), "", match(1, 111)), `"NotificationType":0`, `"NotificationType":1`, 1), beat, nil},
		{"a sign of life", "/LAPI/V1.0/PACS/Controller/HeartReportInfo", `{"RefId":"x","Time":"2026-11-02 10:00:00","NextTime":"","DeviceCode":"secret-device"}`, beat, nil},
		{"a face in a scene", structured, structure(aFaceFilled, aPerson), one,
			append(act(audit.Detect, audit.Capture, audit.Analyse), crops, "192.0.2.23 face.attributes.active = [accessory age gender]")},
		{"a face without anything", structured, structure(aFacePlain, aPerson), one, act(audit.Detect)},
		{"a body", structured, structure("", aPerson), beat, nil},
		{"an alarm", "/LAPI/V1.0/System/Event/Notification/Alarm", `{"Reference":"","AlarmInfo":{"AlarmType":"MotionAlarmOn","AlarmSrcType":8,"AlarmSrcID":1},"RelatedObjects":{}}`, beat, nil},
		{"a question to a terminal", "/LAPI/V1.0/PACS/Controller/PassRecord", passage(face(0, 12884), "", match(1, 111)), nil, nil},
		{"an order to a terminal", "/LAPI/V1.0/PACS/Controller/RemoteOpened", `{}`, nil, nil},
		{"another path", "/LAPI/V1.0/PeopleLibraries/3/People", passage(face(0, 12884), "", match(1, 111)), nil, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := capturetest.New()
			probetest.Exchanges(c, heardTerminal, heardServer, probetest.Post(x.path, "application/json", x.body), probetest.Answer(200, "application/json", `{"Response":{"StatusCode":0}}`))
			h := probetest.Hear(t, Module(), c)
			if d := cmp.Diff(x.kinds, h.Kinds()); d != "" {
				t.Error(d)
			}
			h.Shows(t, x.facts, []string{"secret", "张三", "36.4", "9j", "c2Vj"})
		})
	}
}

// TestHeardForm: the newer interface brings its text in parts.
func TestHeardForm(t *testing.T) {
	text := passage(face(0, 12884), "", match(1, 111))
	body := "--b\r\nContent-Disposition: form-data; name=\"event\"\r\nContent-Type: application/json\r\n\r\n" + text + "\r\n--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0secret\r\n--b--\r\n"
	c := capturetest.New()
	probetest.Exchanges(c, heardTerminal, heardServer, probetest.Post("http://192.0.2.5:8090/LAPI/V1.1/System/Event/Notification?x=1", "multipart/form-data; boundary=b", body), probetest.Answer(200, "application/json", "{}"))
	h := probetest.Hear(t, Module(), c)
	if want := append(act(audit.Detect, audit.Capture, audit.Identify), "192.0.2.23 face.crops [push] = true", "192.0.2.23 face.identity [push] = true"); len(h.Observations) != 1 || len(h.Facts) != len(want) {
		t.Errorf("%v", h.Facts)
	}
}

// TestHeardAgain: any number of pushes that show the same are one observation.
func TestHeardAgain(t *testing.T) {
	const n = 10_000
	c := capturetest.New()
	conn := c.Connect(heardTerminal, heardServer).Acks(false)
	for i := range n {
		conn.Up(probetest.Post(verified, "application/json", passage(face(0, 12000+i), "", match(1, 100+i))))
	}
	conn.Close()
	h := probetest.Hear(t, Module(), c)
	if len(h.Observations) != 1 || h.Observations[0].Seen.Count != n || !slices.Contains(h.Facts, "192.0.2.23 face.live.messages = "+fmt.Sprint(n)) {
		t.Errorf("%d observations: %v", len(h.Observations), h.Facts)
	}
}

// TestHeardCut: what is missing of a capture never makes it show more.
func TestHeardCut(t *testing.T) {
	probetest.Cuts(t, Module(), func() *capturetest.Capture {
		c := capturetest.New()
		ok := probetest.Answer(200, "application/json", `{"Response":{"StatusCode":0}}`)
		probetest.Exchanges(c, heardTerminal, heardServer, probetest.Post(verified, "application/json", passage(face(0, 12884), "", match(1, 111))), ok,
			probetest.Post(structured, "application/json", strings.Replace(structure(aFaceFilled, aPerson), "/9j/4AAQ", strings.Repeat("/9j/4AAQ", 600), 1)), ok)
		return c
	})
}

func FuzzDissect(f *testing.F) {
	probetest.FuzzHear(f, Module(),
		probetest.Conversation{Up: probetest.Post(verified, "application/json", passage(face(2, 12884), aCard, match(1, 111)))},
		probetest.Conversation{Up: probetest.Post(notified, "application/json", passage("", "", match(7, 111)))},
		probetest.Conversation{Up: probetest.Post(structured, "application/json", structure(aFaceFilled, aPerson))},
		probetest.Conversation{Up: probetest.Post("/LAPI/V1.0/PACS/Controller/HeartReportInfo", "application/json", `{}`)})
}
