package viid

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

const id = "34020000001190000001"

// messages are bodies, and what they show.
var messages = []struct {
	name, text string
	want       Message
}{
	{"a face", `{"FaceListObject":{"FaceObject":[{"FaceID":"1","InfoKind":1,"DeviceID":"` + id + `","SubImageList":{"SubImageInfoObject":[{"Type":"11","Data":"x"}]}}]}}`, Message{Devices: []string{id}, Faces: 1, Pictures: true}},
	{"numbers", `{"FaceObjectList":{"FaceObject":[{"FaceID":1,"Similaritydegree":0.9,"AgeUpLimit":30,"SubImageList":[{"Type":11,"StoragePath":"x"}]}]}}`, Message{Faces: 1, Pictures: true, Compared: true, Attributes: []string{"age"}}},
	{"by hand", `{"FaceListObject":{"FaceObject":[{"FaceID":"1","InfoKind":"2","Name":"x"}]}}`, Message{}},
	{"no likeness", `{"FaceList":[{"FaceID":"1","Similaritydegree":"0.00","Name":"未知","IDNumber":"0","GenderCode":"9"}]}`, Message{Faces: 1}},
	{"a name", `{"FaceList":[{"FaceID":"1","Name":"x"}]}`, Message{Faces: 1, Person: true}},
	{"templates", `{"FaceObject":{"FaceID":"1","FeatureInfo":{"FeatureInfoObject":[{"Vendor":"v","FeatureData":"x"}]}}}`, Message{Faces: 1, Template: true}},
	{"no template", `{"FaceObject":{"FaceID":"1","FeatureInfo":{"Vendor":"v","FeatureData":""}}}`, Message{Faces: 1}},
	{"a person", `{"PersonListObject":{"PersonObject":[{"PersonID":"1","GenderCode":"1","SubImageList":{"SubImageInfoObject":[{"Type":"11","Data":"x"}]}}]}}`, Message{Faces: 1, Pictures: true}},
	{"a person's body", `{"PersonListObject":{"PersonObject":[{"PersonID":"1","GenderCode":"1","SubImageList":{"SubImageInfoObject":[{"Type":"10","Data":"x"}]}}]}}`, Message{}},
	{"a face elsewhere", `{"FaceID":"1","x":{"FaceID":"2"}}`, Message{}},
	{"wanted", `{"SubscribeListObject":{"SubscribeObject":[{"SubscribeDetail":"12,3;13","ReceiveAddr":"http://192.0.2.7:80/x"}]}}`, Message{Wanted: []string{"12", "13", "3"}, Receiver: "192.0.2.7:80"}},
	{"ended", `{"SubscribeListObject":{"SubscribeObject":[{"SubscribeDetail":"12","OperateType":"1"},{"SubscribeDetail":"12","SubscribeStatus":2}]}}`, Message{}},
}

func TestRead(t *testing.T) {
	for _, x := range messages {
		got, err := Read([]byte(x.text))
		if d := cmp.Diff(x.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", x.name, err, d)
		}
	}
	for _, bad := range []string{"", "[]", "x", messages[0].text[:40]} {
		if _, err := Read([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

var targets = map[string]What{
	"/VIID/Faces": Faces, "/viid/faces/": Faces, "/VIID/Faces?x=1": Faces, "http://192.0.2.5:14000/VIID/Faces": Faces, "/VIID/Persons": Persons, "/VIID/System/Register": Register, "/VIID/System/UnRegister": Register,
	"/VIID/System/Keepalive": Register, "/VIID/Subscribes": Subscription, "/VIID/SubscribeNotifications": Notifications, "/VIID/DispositionNotifications": Hits, "/VIID/System/Time": Other, "/VIID/APEs": Other,
	"/VIID/": "", "/VIID": "", "/": "", "": "", "/x/VIID/Faces": "", "/VIIDFaces": "", "%": "",
}

func TestWhatIs(t *testing.T) {
	for in, want := range targets {
		if got := WhatIs(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]audit.Kind{id: audit.KindCamera, "34020000001320000001": audit.KindCamera, "34020000001180000001": audit.KindRecorder, "34020000005030000001": audit.KindServer, "34020000001340000001": "", "1": "", "": "",
		"3402000000119000000x": ""} {
		if got := KindOf(in); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
	for in, want := range map[string]string{"http://192.0.2.7:80/x": "192.0.2.7:80", "http://[2001:db8::1]:80/": "[2001:db8::1]:80", "http://a.example/": "a.example", "192.0.2.7": "", "http://a b/": "", "http://张/": "", "": "",
		"http://user:word@192.0.2.7:80/x": "192.0.2.7:80"} {
		if got := Host(in); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, x := range messages {
		f.Add([]byte(x.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(b)
		again, _ := Read(b)
		switch {
		case !reflect.DeepEqual(m, again):
			t.Errorf("%+v and %+v", m, again)
		case err != nil && !reflect.DeepEqual(m, Message{}):
			t.Errorf("%v, and %+v", err, m)
		case m.Faces == 0 && (m.Pictures || m.Compared || m.Person || m.Template || len(m.Attributes) > 0), len(m.Receiver) > maxText+8, len(m.Devices) > maxDevices:
			t.Errorf("%+v", m)
		}
		for _, a := range m.Attributes {
			if !slices.Contains(slices.Collect(maps.Values(attributes)), a) {
				t.Error(a)
			}
		}
		for _, w := range m.Wanted {
			if strings.Trim(w, "0123456789") != "" {
				t.Error(w)
			}
		}
	})
}

func FuzzWhatIs(f *testing.F) {
	for in := range targets {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if what := WhatIs(s); what != "" && !strings.Contains(strings.ToUpper(s), "VIID") && !strings.Contains(s, "%") {
			t.Errorf("%q: %s", s, what)
		}
	})
}
