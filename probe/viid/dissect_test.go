package viid

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
	heardCamera = "192.0.2.25:40000"
	heardServer = "192.0.2.5:14000"

	cameraID   = "34020000001190000001"
	otherID    = "34020000001320000002"
	platformID = "34020000005030000001"

	media = "application/VIID+JSON; charset=UTF-8"
)

// sub is one picture of an object.
func sub(kind, data, path string) string {
	return fmt.Sprintf(`{"ImageID":"secret-image","EventSort":10,"DeviceID":%q,"StoragePath":%q,"Type":%q,"FileFormat":"Jpeg","ShotTime":"20261102100000","Width":448,"Height":672,"Data":%q}`, cameraID, path, kind, data)
}

// faceObject is a face as a camera writes it.
func faceObject(device, more string, pictures ...string) string {
	return fmt.Sprintf(`{"FaceID":"secret-face","InfoKind":1,"SourceID":"secret-source","DeviceID":%q,"LeftTopX":163,"LeftTopY":88,"RightBtmX":1764,"RightBtmY":989,"FaceAppearTime":"20261102100000","IsDriver":2,"IsForeigner":2,`+
		`"IsSuspectedTerrorist":2,"IsCriminalInvolved":2,"IsDetainees":2,"IsVictim":2,"IsSuspiciousPerson":2,%s"SubImageList":{"SubImageInfoObject":[%s]}}`, device, more, strings.Join(pictures, ","))
}

const (
	unread = `"GenderCode":"0","GlassStyle":"99","Similaritydegree":0,`
	read   = `"GenderCode":"1","AgeUpLimit":28,"AgeLowerLimit":28,"GlassStyle":"1","Similaritydegree":0,`
	known  = `"GenderCode":"0","Name":"张三","IDNumber":"secret-number","Similaritydegree":0.917,"TabID":"secret-library",`
	keyed  = `"FeatureInfo":{"Vendor":"x","AlgorithmVersion":"1","FeatureData":"c2VjcmV0"},`
)

func faceList(faces ...string) string {
	return `{"FaceListObject":{"FaceObject":[` + strings.Join(faces, ",") + `]}}`
}

func person(kind string) string {
	return `{"PersonID":"secret-person","InfoKind":1,"DeviceID":"` + cameraID + `","GenderCode":"1","AgeUpLimit":40,"SubImageList":{"SubImageInfoObject":[` + sub(kind, "c2VjcmV0", "") + `]}}`
}

func notification(inner string) string {
	return `{"SubscribeNotificationListObject":{"SubscribeNotificationObject":[{"NotificationID":"1","SubscribeID":"2","Title":"secret","TriggerTime":"20261102100000","InfoIDs":"x",` + inner + `}]}}`
}

func subscribe(detail, more string) string {
	return `{"SubscribeListObject":{"SubscribeObject":[{"SubscribeID":"1","Title":"secret","SubscribeDetail":"` + detail + `","ResourceURI":"` + cameraID + `","ApplicantName":"张三","ReceiveAddr":"http://192.0.2.7:8120/VIID/SubscribeNotifications",` + more + `"ReportInterval":5}]}}`
}

func hit(inner string) string {
	return `{"DispositionNotificationListObject":{"DispositionNotificationObject":[{"NotificationID":"1","DispositionID":"2","Title":"secret",` + inner + `}]}}`
}

func act(what string, fns ...audit.Function) (out []string) {
	for _, fn := range fns {
		out = append(out, "192.0.2.25 face."+string(fn)+".active [GA/T 1400 "+what+"] = true", "192.0.2.25 face."+string(fn)+".capable [GA/T 1400 "+what+"] = true")
	}
	return append(out, append(sent(), "192.0.2.25 face.live.messages = 1")...)
}

func sent() []string {
	return []string{"192.0.2.25 outbound.face [http://192.0.2.5:14000] = true", "192.0.2.25 outbound.hosts = [gat1400 http://192.0.2.5:14000]"}
}

func accepted() []byte {
	return probetest.Answer(200, media, `{"ResponseStatusListObject":{"ResponseStatusObject":[{"RequestURL":"/VIID/Faces","StatusCode":0,"StatusString":"OK","Id":"secret-face","LocalTime":"20261102100000"}]}}`)
}

func TestHeard(t *testing.T) {
	crops, identity := "192.0.2.25 face.crops [GA/T 1400 faces] = true", "192.0.2.25 face.identity [GA/T 1400 faces] = true"
	scene, crop := sub("14", "c2VjcmV0", ""), sub("11", "c2VjcmV0", "")
	faces := []string{"192.0.2.25 faces", "192.0.2.5 platform"}
	register := []string{"192.0.2.25 register", "192.0.2.5 platform"}
	platform := []string{"192.0.2.5 platform"}
	for _, x := range []struct {
		name, path, body, sender string
		kinds                    []string
		facts                    []string
	}{
		{"register", "/VIID/System/Register", `{"RegisterObject":{"DeviceID":"` + cameraID + `"}}`, cameraID, register, nil},
		{"sign of life", "/VIID/System/Keepalive", `{"KeepaliveObject":{"DeviceID":"` + cameraID + `"}}`, cameraID, register, nil},
		{"a face", "/VIID/Faces", faceList(faceObject(cameraID, unread, scene, crop)), cameraID, faces, append(act("faces", audit.Detect, audit.Capture), crops)},
		{"a face that is stored", "/VIID/Faces", faceList(faceObject(cameraID, unread, scene, sub("11", "", "http://192.0.2.5/secret.jpg"))), cameraID, faces, append(act("faces", audit.Detect, audit.Capture), crops)},
		{"a face without a picture of its own", "/VIID/Faces", faceList(faceObject(cameraID, unread, scene, sub("11", "", ""))), cameraID, faces, act("faces", audit.Detect, audit.Capture)},
		{"attributes", "/VIID/Faces", faceList(faceObject(cameraID, read, scene, crop)), cameraID, faces,
			append(act("faces", audit.Detect, audit.Capture, audit.Analyse), crops, "192.0.2.25 face.attributes.active = [accessory age gender]")},
		{"somebody known", "/VIID/Faces", faceList(faceObject(cameraID, known, crop)), cameraID, faces, append(act("faces", audit.Detect, audit.Capture, audit.Identify), crops, identity)},
		{"a likeness of 9 in 10", "/VIID/Faces", faceList(faceObject(cameraID, `"Similaritydegree":"90",`, scene)), cameraID, faces, act("faces", audit.Detect, audit.Capture, audit.Identify)},
		{"a template", "/VIID/Faces", faceList(faceObject(cameraID, keyed, scene)), cameraID, faces, act("faces", audit.Detect, audit.Capture)},
		{"the other names", "/VIID/Faces", `{"FaceList":[` + faceObject(cameraID, unread, scene) + `]}`, cameraID, faces, act("faces", audit.Detect, audit.Capture)},
		{"a number of another form", "/VIID/Faces", faceList(faceObject("11111", unread, scene)), "11111", faces[:1], act("faces", audit.Detect, audit.Capture)},
		{"entered by hand", "/VIID/Faces", strings.Replace(faceList(faceObject(cameraID, known, crop)), `"InfoKind":1`, `"InfoKind":2`, 1), cameraID, platform, nil},
		{"for another device", "/VIID/Faces", faceList(faceObject(otherID, read, crop)), cameraID, faces, sent()},
		{"for itself and another device", "/VIID/Faces", faceList(faceObject(otherID, unread), faceObject(cameraID, unread)), cameraID, faces, act("faces", audit.Detect, audit.Capture)},
		{"by nobody known", "/VIID/Faces", faceList(faceObject(cameraID, read, crop)), "", faces[:1], sent()},
		{"an empty list", "/VIID/Faces", faceList(), cameraID, platform, nil},
		{"a person with a face", "/VIID/Persons", `{"PersonListObject":{"PersonObject":[` + person("11") + `]}}`, cameraID, []string{"192.0.2.25 persons", "192.0.2.5 platform"},
			append(act("persons", audit.Detect, audit.Capture), "192.0.2.25 face.crops [GA/T 1400 persons] = true")},
		{"a person without", "/VIID/Persons", `{"PersonListObject":{"PersonObject":[` + person("10") + `]}}`, cameraID, platform, nil},
		{"a vehicle", "/VIID/MotorVehicles", `{"MotorVehicleListObject":{"MotorVehicleObject":[{"PlateNo":"secret-plate","SubImageList":{"SubImageInfoObject":[` + sub("01", "c2VjcmV0", "") + `]}}]}}`, cameraID, register, nil},
		{"what was subscribed to", "/VIID/SubscribeNotifications", notification(`"FaceObjectList":{"FaceObject":[` + faceObject(cameraID, read, crop) + `]}`), platformID, []string{"192.0.2.25 notifications", "192.0.2.5 platform"}, sent()},
		{"a device's list that was subscribed to", "/VIID/SubscribeNotifications", notification(`"DeviceList":{"APEObject":[{"ApeID":"x","Password":"secret"}]}`), platformID, platform, nil},
		{"a hit", "/VIID/DispositionNotifications", hit(`"FaceObject":` + faceObject(cameraID, known, crop)), cameraID, []string{"192.0.2.25 hits", "192.0.2.5 platform"},
			append(act("hits", audit.Detect, audit.Capture, audit.Identify), "192.0.2.25 face.crops [GA/T 1400 hits] = true", "192.0.2.25 face.identity [GA/T 1400 hits] = true")},
		{"a hit of a person", "/VIID/DispositionNotifications", hit(`"PersonObject":` + person("11")), cameraID, []string{"192.0.2.25 hits", "192.0.2.5 platform"},
			append(act("hits", audit.Detect, audit.Capture, audit.Identify), "192.0.2.25 face.crops [GA/T 1400 hits] = true")},
		{"a hit of a car", "/VIID/DispositionNotifications", hit(`"MotorVehicleObject":{"PlateNo":"secret-plate"}`), cameraID, platform, nil},
		{"faces are wanted", "/VIID/Subscribes", subscribe("3,12", ""), platformID, []string{"192.0.2.5 subscription", "192.0.2.5 platform"}, []string{"192.0.2.5 outbound.hosts = [gat1400 http://192.0.2.7:8120]"}},
		{"cars are wanted", "/VIID/Subscribes", subscribe("3,13", ""), platformID, platform, nil},
		{"faces are no longer wanted", "/VIID/Subscribes", subscribe("12", `"OperateType":1,`), platformID, platform, nil},
		{"the time", "/VIID/System/Time", "", "", nil, nil},
		{"another standard", "/else/Faces", faceList(faceObject(cameraID, known, crop)), cameraID, nil, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := capturetest.New()
			var head []string
			if x.sender != "" {
				head = append(head, "User-Identify: "+x.sender)
			}
			b := probetest.Post(x.path, media, x.body, head...)
			if x.body == "" {
				b = []byte("GET " + x.path + " HTTP/1.1\r\nHost: x\r\n\r\n")
			}
			probetest.Exchanges(c, heardCamera, heardServer, b, accepted())
			h := probetest.Hear(t, Module(), c)
			if d := cmp.Diff(x.kinds, h.Kinds()); d != "" {
				t.Error(d)
			}
			h.Shows(t, x.facts, []string{"secret", "张三", "0.917", "c2Vj"})
			for _, o := range h.Observations {
				if o.Identity != nil && (o.Identity.Serial != "" || !o.Identity.Weak) {
					t.Errorf("a number given by hand makes two devices one: %+v", o.Identity)
				}
			}
		})
	}
}

// TestHeardPictures: pictures in the text are longer than what is kept of a body.
func TestHeardPictures(t *testing.T) {
	for _, size := range []int{10_000, 100_000, 300_000, 900_000} {
		scene, crop := sub("14", strings.Repeat("/9j/4AAQSkZJRgABAQAAAQABAAD", size/27), ""), sub("11", strings.Repeat("/9j/4AAQSkZJRgAB", size/160), "")
		c := capturetest.New()
		probetest.Exchanges(c, heardCamera, heardServer, probetest.Post("/VIID/Faces", media, faceList(faceObject(cameraID, read, scene, crop)), "User-Identify: "+cameraID), accepted())
		h := probetest.Hear(t, Module(), c)
		want := append(act("faces", audit.Detect, audit.Capture, audit.Analyse), "192.0.2.25 face.crops [GA/T 1400 faces] = true", "192.0.2.25 face.attributes.active = [accessory age gender]")
		slices.Sort(want)
		if d := cmp.Diff(want, h.Facts); d != "" {
			t.Errorf("%d bytes: %s", size, d)
		}
	}
}

// TestHeardAgain: any number of pushes that show the same are one observation.
func TestHeardAgain(t *testing.T) {
	const n = 10_000
	c := capturetest.New()
	conn := c.Connect(heardCamera, heardServer).Acks(false)
	for i := range n {
		conn.Up(probetest.Post("/VIID/Faces", media, strings.Replace(faceList(faceObject(cameraID, read, sub("11", "c2VjcmV0", ""))), "secret-face", fmt.Sprint(i), 1), "User-Identify: "+cameraID))
	}
	conn.Close()
	h := probetest.Hear(t, Module(), c)
	if len(h.Observations) != 1 || h.Observations[0].Seen.Count != n || !slices.Contains(h.Facts, "192.0.2.25 face.live.messages = "+fmt.Sprint(n)) {
		t.Errorf("%d observations: %v", len(h.Observations), h.Facts)
	}
}

// TestHeardCut: what is missing of a capture never makes it show more.
func TestHeardCut(t *testing.T) {
	probetest.Cuts(t, Module(), func() *capturetest.Capture {
		c := capturetest.New()
		body := faceList(faceObject(cameraID, read, sub("11", strings.Repeat("/9j/4AAQ", 900), "")), faceObject(otherID, known, sub("11", strings.Repeat("/9j/4AAQ", 900), "")))
		probetest.Exchanges(c, heardCamera, heardServer, probetest.Post("/VIID/Faces", media, body, "User-Identify: "+cameraID), accepted(),
			probetest.Post("/VIID/Faces", media, faceList(faceObject(otherID, known, sub("11", strings.Repeat("/9j/4AAQ", 300), ""))), "User-Identify: "+cameraID), accepted())
		return c
	})
}

func FuzzDissect(f *testing.F) {
	post := func(path, body string) probetest.Conversation {
		return probetest.Conversation{Up: probetest.Post(path, media, body, "User-Identify: "+cameraID), Down: accepted()}
	}
	probetest.FuzzHear(f, Module(), post("/VIID/Faces", faceList(faceObject(cameraID, read+known, sub("11", "x", "")))), post("/VIID/Persons", `{"PersonListObject":{"PersonObject":[`+person("11")+`]}}`),
		post("/VIID/System/Register", `{"RegisterObject":{"DeviceID":"`+cameraID+`"}}`), post("/VIID/SubscribeNotifications", notification(`"FaceObjectList":{"FaceObject":[`+faceObject(cameraID, keyed)+`]}`)),
		post("/VIID/DispositionNotifications", hit(`"FaceObject":`+faceObject(cameraID, known))), post("/VIID/Subscribes", subscribe("3,12", "")))
}
