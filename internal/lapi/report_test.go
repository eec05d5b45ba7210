package lapi

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reports are pushes, and what they show.
var reports = []struct {
	name, text string
	want       Report
}{
	{"known", `{"FaceInfoList":[{"MaskFlag":0,"FaceImage":{"Size":7},"FeatureList":[{"Feature":"x"}]}],"LibMatInfoList":[{"MatchStatus":1,"MatchPersonID":1}]}`, Report{Faces: 1, Pictures: true, Compared: true, Person: true, Template: true}},
	{"numbers as text", `{"FaceInfoList":[{"FaceImage":{"Size":"7"}}],"LibMatInfoList":[{"MatchStatus":"1","MatchPersonID":"1"}]}`, Report{Faces: 1, Pictures: true, Compared: true, Person: true}},
	{"nobody", `{"FaceInfoList":[{"MaskFlag":2}],"LibMatInfoList":[{"MatchStatus":2,"MatchPersonID":0}]}`, Report{Faces: 1, Attributes: []string{"accessory"}, Compared: true, Failed: true}},
	{"invalid", `{"FaceInfoList":[{"MaskFlag":0}],"LibMatInfoList":[{"MatchStatus":1,"MatchPersonID":4294967295}]}`, Report{Faces: 1, Compared: true, Failed: true}},
	{"two libraries", `{"FaceInfoList":[{"x":1}],"LibMatInfoList":[{"MatchStatus":2},{"MatchStatus":1,"MatchPersonID":5}]}`, Report{Faces: 1, Compared: true, Person: true}},
	{"no status", `{"FaceInfoList":[{"x":1}],"LibMatInfoList":[{"MatchPersonID":5}]}`, Report{Faces: 1, Compared: true, Person: true}},
	{"no status, nobody", `{"FaceInfoList":[{"x":1}],"LibMatInfoList":[{"LibID":5}]}`, Report{Faces: 1}},
	{"a card", `{"FaceInfoList":[],"CardInfoList":[{"CardType":1}],"LibMatInfoList":[{"MatchStatus":1,"MatchPersonID":5}]}`, Report{Card: true}},
	{"by face", `{"LibMatInfoList":[{"MatchStatus":8}]}`, Report{Compared: true, Failed: true}},
	{"stopped", `{"FaceInfoList":[{"x":1}],"LibMatInfoList":[{"MatchStatus":5,"MatchPersonID":5}]}`, Report{Faces: 1}},
	{"empty entries", `{"FaceInfoList":[{},null,"x"],"LibMatInfoList":[{}]}`, Report{}},
	{"a body", `{"PersonInfoList":[{"AttributeInfo":{"Gender":1}}]}`, Report{}},
	{"past", `{"NotificationType":1,"FaceInfoList":[{"x":1}]}`, Report{Faces: 1, Past: true}},
	{"a picture in a list of them", `{"a":{"FaceInfoList":[{"SmallPicAttachIndex":2,"AttributeInfo":{"Gender":9,"AgeRange":2}}]}}`, Report{Faces: 1, Pictures: true, Attributes: []string{"age"}}},
}

func TestReadReport(t *testing.T) {
	for _, x := range reports {
		got, err := ReadReport([]byte(x.text))
		if d := cmp.Diff(x.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", x.name, err, d)
		}
	}
	for _, bad := range []string{"", "[]", "null x", `{"FaceInfoList":[`, "x"} {
		if _, err := ReadReport([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestPushed(t *testing.T) {
	for path, want := range map[string]bool{
		"/LAPI/V1.0/PACS/Controller/HeartReportInfo": true, "/LAPI/V1.0/PACS/Controller/Event/Notifications": true, "/LAPI/V1.0/System/Event/Notification/Structure": true,
		"/LAPI/V1.1/System/Event/Notification": true, "/LAPI/V1.0/System/Event/Notification": true, "/LAPI/V1.0/System/Event/Notifications": false, "/LAPI/V1.0/System/Event/Subscription": false,
		"/LAPI/V1.0/PACS/Controller/PassRecord": false, "/LAPI/V1.0/PACS/Controller/RemoteOpened": false, "/x/LAPI/V1.1/System/Event/Notification": false, "": false,
	} {
		if Pushed(path) != want {
			t.Error(path)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	for _, x := range reports {
		f.Add([]byte(x.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadReport(b)
		again, _ := ReadReport(b)
		switch {
		case !reflect.DeepEqual(r, again):
			t.Errorf("%+v and %+v", r, again)
		case err != nil && !reflect.DeepEqual(r, Report{}):
			t.Errorf("%v, and %+v", err, r)
		case r.Failed && (r.Person || !r.Compared), r.Person && !r.Compared, r.Pictures && r.Faces == 0:
			t.Errorf("%+v", r)
		}
		for _, a := range r.Attributes {
			if !slices.Contains(slices.Collect(maps.Values(faceAttributes)), a) {
				t.Error(a)
			}
		}
	})
}
