package dahua

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

// pushed are texts that may be events, and what they show.
var pushed = []struct {
	name, text string
	cut        bool
	ok, own    bool
	shows      []audit.Function
}{
	{"an event", `Code=FaceDetection;action=Start;index=0;data={"Image":{"Length":7}}`, false, true, true, []audit.Function{audit.Detect, audit.Capture}},
	{"its end", `Code=FaceDetection;action=Stop;index=0;data={}`, false, true, true, nil},
	{"motion", "Code=VideoMotion;action=Start;index=0", false, true, true, nil},
	{"a heartbeat", "Heartbeat", false, false, false, nil},
	{"behind other text", "x Code=FaceDetection;action=Start;index=0", false, false, false, nil},
	{"in a text of somebody's", "name=x\nCode=FaceDetection;action=Start;index=0", false, false, false, nil},
	{"cut in the data", `Code=FaceRecognition;action=Start;index=12;data={"Candi`, true, true, true, []audit.Function{audit.Detect, audit.Identify}},
	{"cut in the head", `Code=FaceRecognition;action=Start;index=1`, true, false, false, nil},
	{"alone", `{"Code":"FaceDetection","Action":"Start","Index":0,"Data":{}}`, false, true, false, []audit.Function{audit.Detect, audit.Capture}},
	{"in a list", `{"Events":[{"Code":"VideoMotion","Action":"Start"},{"Code":"FaceRecognition","Action":"Pulse","Data":{"Candidates":[]}}]}`, false, true, false, []audit.Function{audit.Detect, audit.Identify}},
	{"on one level", `{"Code":"FaceDetection","Object":{"Sex":"Man"}}`, false, true, false, []audit.Function{audit.Detect, audit.Capture, audit.Analyse}},
	{"a door and a face", `{"Code":"AccessControl","Action":"Pulse","Data":{"Method":15}}`, false, true, false, []audit.Function{audit.Detect, audit.Identify}},
	{"a door and a card", `{"Code":"AccessControl","Action":"Pulse","Data":{"Method":1}}`, false, false, false, nil},
	{"cut", `{"Code":"FaceDetection","Action":"Start"`, true, false, false, nil},
	{"somebody else's", `{"Code":"X1","Action":"Start"}`, false, false, false, nil},
	{"a list of nothing", `{"Events":[]}`, false, false, false, nil},
	{"nothing", "", false, false, false, nil},
	{"in lines, with a picture", "Events[0].Action=Pulse\r\nEvents[0].Code=FaceRecognition\r\nEvents[0].Candidates[0].Person.Name=x\r\nEvents[0].Face.Age=31\r\n", false, true, true, []audit.Function{audit.Detect, audit.Analyse, audit.Identify}},
	{"in lines, a door and a face", "Events[0].Code=AccessControl\r\nEvents[0].Method=15\r\nEvents[0].UserID=7", false, true, true, []audit.Function{audit.Detect, audit.Identify}},
	{"in lines, a door and a card", "Events[0].Code=AccessControl\r\nEvents[0].Method=1\r\nEvents[0].UserID=7", false, true, true, nil},
	{"in lines, a face with somebody known", "Events[0].Code=FaceDetection\r\nEvents[0].Candidates[0].Similarity=90\r\n", false, true, true, []audit.Function{audit.Detect, audit.Capture, audit.Identify}},
	{"in lines, its end", "Events[0].EventBaseInfo.Code=FaceDetection\r\nEvents[0].EventBaseInfo.Action=Stop\r\n", false, true, true, nil},
	{"in lines, a plate", "Events[0].Code=TrafficJunction\r\nEvents[0].Object.ObjectType=HumanFace\r\n", false, true, true, nil},
	{"in lines, cut before it says that it began", "Events[0].Code=FaceDetection\r\nEvents[0].Face.Age=3", true, false, false, nil},
	{"in lines, cut", "Events[0].Code=FaceDetection\r\nEvents[0].Action=Start\r\nEvents[0].Face.Age=3", true, true, true, []audit.Function{audit.Detect, audit.Capture}},
	{"in lines, of nothing", "Events[0].x\r\nEvents[0]=1\r\nEvents[99].Code=FaceDetection\r\nEvents[0].Code=a b", false, false, false, nil},
	{"in lines, against each other", "Events[0].a[0]=1\nEvents[0].a.b=1\nEvents[0].a[0].b=1\nEvents[0].a[3].b=1\nEvents[0].c=1\nEvents[0].c.d=1\nEvents[0].c[1]=1\nEvents[0].Code=FaceDetection\n", false, true, true, []audit.Function{audit.Detect, audit.Capture}},
	{"a list of what there could be", "events[0]=VideoMotion\r\nevents[1]=FaceDetection\r\n", false, false, false, nil},
	{"somebody known, alone", `Code=FaceDetection;action=Start;index=0;data={"Candidate":{"ID":"104"},"FaceData":{"Mask":"No"}}`, false, true, true, []audit.Function{audit.Detect, audit.Capture, audit.Identify}},
	{"nobody known, alone", `Code=FaceDetection;action=Start;index=0;data={"Candidate":{},"FaceData":{"Mask":"No"}}`, false, true, true, []audit.Function{audit.Detect, audit.Capture}},
}

func TestReadReport(t *testing.T) {
	for _, x := range pushed {
		got, own, ok := ReadReport([]byte(x.text), x.cut)
		plain := got.Plain()
		if ok != x.ok || own != x.own || !slices.Equal(plain.Proves(), x.shows) {
			t.Errorf("%s: %v %v %v", x.name, ok, own, plain.Proves())
		}
	}
}

// TestReportHeads: many events in one text, of which the last is half a head.
func TestReportHeads(t *testing.T) {
	const one = "Code=FaceDetection;action=Start;index=12;data={}\r\n"
	for n := range len(one) {
		got, _, _ := ReadReport([]byte(one+strings.Replace(one, "12", "23", 1)[:n]), true)
		if s := got.Codes["FaceDetection"]; s == nil || !slices.Equal(s.Channels, []int{13}) && !slices.Equal(s.Channels, []int{13, 24}) {
			t.Errorf("%d: %+v", n, s)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	for _, x := range pushed {
		f.Add([]byte(x.text), x.cut)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		got, _, ok := ReadReport(b, cut)
		again, _, _ := ReadReport(b, cut)
		plain := got.Plain()
		if !reflect.DeepEqual(plain, again.Plain()) || !ok && len(plain.Codes) > 0 {
			t.Errorf("%v %+v", ok, plain)
		}
		for code, s := range plain.Codes {
			if len(s.Means) == 0 || s.Began > 1 || s.Ended > 0 || s.Pictures > 1 {
				t.Errorf("%s: %+v", code, s)
			}
			for _, a := range s.Attributes {
				if !slices.ContainsFunc(known().Attributes, func(x attribute) bool { return x.Attribute == a }) {
					t.Error(a)
				}
			}
		}
	})
}
