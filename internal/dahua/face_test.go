package dahua

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestNames(t *testing.T) {
	n, err := load()
	if err != nil || len(n.Date) != len("2026-11-22") || len(n.Attributes) == 0 || len(n.DoorFace.Means) == 0 {
		t.Errorf("%+v %v", n, err)
	}
	for _, bad := range []string{"unknown: 1", "classes: [{name: x, means: [detect]}]", "classes: [{name: x, means: [guess], source: y}]", "events: [{name: x, source: y}]"} {
		if _, err := readNames([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	if ClassFunctions("CrossLineDetection") != nil || EventFunctions("HumanTrait") != nil || ClassFunctions("") != nil {
		t.Error("something else means faces")
	}
}

// TestRules: the trap is a rule with a class and no type, and one whose engine works on faces and which does not.
func TestRules(t *testing.T) {
	type fns = []audit.Function
	const D, C, V, I = audit.Detect, audit.Capture, audit.Verify, audit.Identify
	for _, c := range []struct {
		name, table string
		want        []Rule
		all         int
		does, could fns
	}{
		{"class only, off", "table.VideoAnalyseRule[0][0].Class=FaceDetection\ntable.VideoAnalyseRule[0][0].Enable=false\n", []Rule{{Channel: 1, Class: "FaceDetection", Enabled: no()}}, 1, fns{D, C}, nil},
		{"class only, on", "table.VideoAnalyseRule[2][1].Enable=true\r\ntable.VideoAnalyseRule[2][1].Class=FaceDetection\r\n", []Rule{{Channel: 3, Index: 1, Class: "FaceDetection", Enabled: yes()}}, 1, fns{D, C}, nil},
		{"type only", "table.VideoAnalyseRule[0][0].Type=FaceRecognition\ntable.VideoAnalyseRule[0][0].Config.FeatureEnable=true\n", []Rule{{Channel: 1, Type: "FaceRecognition", Feature: yes()}}, 1, fns{D, I}, nil},
		{"both", "table.VideoAnalyseRule[0][0].Type=FaceDetection\ntable.VideoAnalyseRule[0][0].Class=FaceRecognition\ntable.VideoAnalyseRule[0][0].Enable=1\n",
			[]Rule{{Channel: 1, Class: "FaceRecognition", Type: "FaceDetection", Enabled: yes()}}, 1, fns{D, C}, fns{D, I}},
		{"sic", "table.VideoAnalyseRule[0][0].Class=FaceComparision\ntable.VideoAnalyseRule[0][0].Enable=True\n", []Rule{{Channel: 1, Class: "FaceComparision", Enabled: yes()}}, 1, fns{D, V}, nil},
		{"a line, drawn while the engine for faces is loaded", "table.VideoAnalyseRule[0][0].Type=CrossLineDetection\ntable.VideoAnalyseRule[0][0].Class=FaceDetection\ntable.VideoAnalyseRule[0][0].Enable=true\n",
			[]Rule{{Channel: 1, Class: "FaceDetection", Type: "CrossLineDetection", Enabled: yes()}}, 1, nil, fns{D, C}},
		{"a switch without a class, as doorbells have it for motion", "table.VideoAnalyseRule[0][0].Enable=true\n", nil, 1, nil, nil},
		{"bodies", "table.VideoAnalyseRule[0][0].Class=PortraitDetect\ntable.VideoAnalyseRule[0][0].Type=HumanTrait\ntable.VideoAnalyseRule[0][0].Enable=true\n", nil, 1, nil, nil},
		{"its name says so", "table.VideoAnalyseRule[0][0].Name=FaceDetection\ntable.VideoAnalyseRule[0][0].Type=CrossLineDetection\ntable.VideoAnalyseRule[0][0].Enable=true\n", nil, 1, nil, nil},
		{"another table", "table.SmartMotionDetect[0].Enable=true\n", nil, 0, nil, nil},
	} {
		got, all := ReadRules(Read([]byte(c.table)))
		if d := cmp.Diff(c.want, got); d != "" || all != c.all {
			t.Errorf("%s: %d\n%s", c.name, all, d)
			continue
		}
		if len(got) == 1 {
			does, could := got[0].Functions()
			if d := cmp.Diff([]fns{c.does, c.could}, []fns{does, could}); d != "" {
				t.Errorf("%s:\n%s", c.name, d)
			}
		}
	}
}

func TestTables(t *testing.T) {
	scenes, n := ReadScenes(Read([]byte("table.VideoAnalyseGlobal[0].Scene.Type=Normal\ntable.VideoAnalyseGlobal[1].Scene.Type=FaceRecognition\ntable.VideoAnalyseGlobal[1].Scene.TypeList[0]=FaceAnalysis\n")))
	if d := cmp.Diff([]Scene{{2, "FaceAnalysis"}, {2, "FaceRecognition"}}, scenes); d != "" || n != 2 {
		t.Errorf("%d %s", n, d)
	}
	for text, want := range map[string]Listing{
		"caps.SupportedScene[0]=FaceDetection\ncaps.FaceAnalysis.Rules.FaceAnalysis.MaxCount=1\n": {[]string{"FaceAnalysis", "FaceDetection"}, true},
		"caps.SupportedScenes[0]=Normal\n":                   {nil, true},
		"caps.FaceDetection.Support=false\n":                 {},
		"caps.EventList[3]=\"FaceRecognition\"\n":            {[]string{"FaceRecognition"}, false},
		"caps.Description=has FaceDetection\ncaps.Face=1\n":  {},
		"caps.Normal.Rules.FaceComparision.MaxNumber=4\r\n":  {[]string{"FaceComparision"}, false},
		"caps.Normal.Rules.HumanTrait=1\ncaps.PeopleFace=1.": {},
	} {
		if d := cmp.Diff(want, ReadCaps(Read([]byte(text)))); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
	handlers := ReadHandlers(Read([]byte("table.FaceRecognitionEventHandler[0][0].GroupID=\ntable.FaceRecognitionEventHandler[0][0].EventEnableMask=3\n" +
		"table.FaceRecognitionEventHandler[1][0].GroupID=10001\ntable.FaceRecognitionEventHandler[1][1].GroupName=x\ntable.FaceRecognitionEventHandler[1][1].Enable=false\n")))
	if d := cmp.Diff([]Handler{{Channel: 2}, {Channel: 2, Index: 1, Enabled: no()}}, handlers); d != "" {
		t.Error(d)
	}
	for text, want := range map[string]Groups{
		"GroupList[0].groupID=1\nGroupList[0].groupSize=30\nGroupList[1].groupID=2\nGroupList[1].groupSize=0\n": {2, []int{30, 0}},
		"groupID[0]=10000\ngroupID[1]=10003\nsimil" + "ary[0]=80\n":                                             {2, nil},
		"groupID[0]=\nsimil" + "ary[0]=80\n":                                                                    {},
		"GroupList[0].groupID=****\n":                                                                           {1, nil},
		"":                                                                                                      {},
	} {
		if d := cmp.Diff(want, ReadGroups(Read([]byte(text)))); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
	for text, want := range map[string]Compare{
		"table.CitizenPictureCompareRule.Threshold=45\n":                                                    {1, nil},
		"table.CitizenPictureCompareRule[0].Enable=true\ntable.CitizenPictureCompareRule[0].Threshold=45\n": {1, []bool{true}},
		"table.Other.Threshold=45\n":                                                                        {},
	} {
		if d := cmp.Diff(want, ReadCompare(Read([]byte(text)))); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestUploads(t *testing.T) {
	const p = "table.PictureHttpUpload"
	for _, c := range []struct {
		name, text string
		want       []Upload
	}{
		{"on, with what it is sent", p + ".Enable=true\n" + p + ".UploadServerList[0].Address=192.0.2.9\n" + p + ".UploadServerList[0].Port=7000\n" + p + ".UploadServerList[0].EventType[0]=FaceDetection\n" +
			p + ".UploadServerList[0].EventType[1]=CrossLineDetection\n", []Upload{{"192.0.2.9", 7000, false, []string{"FaceDetection"}}}},
		{"off", p + ".Enable=false\n" + p + ".UploadServerList[0].Address=192.0.2.9\n", nil},
		{"the server is off", p + ".Enable=true\n" + p + ".UploadServerList[0].Enable=false\n" + p + ".UploadServerList[0].Address=192.0.2.9\n", nil},
		{"no switch", p + ".UploadServerList[0].Address=192.0.2.9\n", nil},
		{"nowhere", p + ".Enable=true\n" + p + ".UploadServerList[0].Address=0.0.0.0\n" + p + ".UploadServerList[1].Address=\n", nil},
		{"an address with a login and a path", p + ".Enable=true\n" + p + ".UploadServerList[0].Address=http://u:p@h.example:81/x?y=z\n", []Upload{{"h.example", 0, false, nil}}},
		{"cloud", "table.T2UServer.Enable=true\ntable.T2UServer.Domain=www.easy4ipcloud.com\ntable.T2UServer.Port=8800\n", []Upload{{"www.easy4ipcloud.com", 8800, false, nil}}},
		{"GA/T 1400", "table.VSP_GAT1400[0].Enable=true\ntable.VSP_GAT1400[0].ServerIP=198.51.100.4\ntable.VSP_GAT1400[0].ServerPort=14000\ntable.VSP_GAT1400[1].Enable=false\ntable.VSP_GAT1400[1].ServerIP=198.51.100.5\n",
			[]Upload{{"198.51.100.4", 14000, false, nil}}},
		{"no host", "table.T2UServer.Enable=true\ntable.T2UServer.Domain=a b<c>\n", nil},
	} {
		if d := cmp.Diff(c.want, ReadUploads(Read([]byte(c.text)))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestWithholdPersons: what a recorder says of its libraries does not reach the record; that there are some does.
func TestWithholdPersons(t *testing.T) {
	in := "GroupList[0].groupID=10003\r\nGroupList[0].groupName=VIP\r\nGroupList[0].groupDetail=Wang\r\nGroupList[0].groupSize=30\r\nGroupList[0].similarity[0]=87\r\n" +
		"simil" + "ary[0]=81\r\ntable.FaceRecognitionEventHandler[0][0].GroupName=VIP\r\ntable.FaceRecognitionEventHandler[1][0].GroupID=\r\ntable.FaceRecognitionEventHandler[2][0].GroupID=0\r\n" +
		"table.PictureHttpUpload.UploadServerList[0].Address=http://me:word@h/\r\ntable.PictureHttpUpload.UploadServerList[0].Uploadpath=/in?key=word\r\n"
	out := string(Withhold([]byte(in)))
	for _, s := range []string{"10003", "VIP", "Wang", "87", "81", "word", "me:"} {
		if strings.Contains(out, s) {
			t.Errorf("holds %q: %s", s, out)
		}
	}
	for _, s := range []string{"groupSize=30", "[2][0].GroupID=0\r", "[1][0].GroupID=\r", "@h/", "groupID=*****"} {
		if !strings.Contains(out, s) {
			t.Errorf("lost %q: %s", s, out)
		}
	}
	if len(out) != len(in) {
		t.Error("withholding changed the length")
	}
}

func TestWhole(t *testing.T) {
	for s, want := range map[string]bool{"a=b\n": true, "": false, "Error\n": false, "a=" + strings.Repeat("x", maxLine) + "\n": false, strings.Repeat("a=b\n", maxLines+1): false} {
		if Whole([]byte(s)) != want {
			t.Errorf("%.20q: %v", s, !want)
		}
	}
}

func FuzzTables(f *testing.F) {
	for _, s := range []string{"table.VideoAnalyseRule[0][0].Class=FaceDetection", "caps.SupportedScene[0]=FaceDetection", "table.PictureHttpUpload.UploadServerList[0].Address=[::1]:80", "GroupList[0].groupID=1", "table.CitizenPictureCompareRule[0].Enable=1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := Read(b)
		rules, _ := ReadRules(v)
		scenes, _ := ReadScenes(v)
		if len(rules) > maxRules || len(scenes) > maxRules || len(ReadHandlers(v)) > maxRules || len(ReadGroups(v).Sizes) > maxRules || len(ReadUploads(v)) > maxUploads {
			t.Error("more than the bound")
		}
		ReadCaps(v)
		ReadCompare(v)
		for _, u := range ReadUploads(v) {
			if strings.ContainsAny(u.Host, " /@\r\n<>?") {
				t.Errorf("host %q", u.Host)
			}
		}
	})
}
