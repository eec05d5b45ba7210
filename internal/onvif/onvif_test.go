package onvif

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// declarations are what a gSOAP device writes on every envelope: they name faces and mean nothing.
const declarations = ` xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"` +
	` xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tan="http://www.onvif.org/ver20/analytics/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl"` +
	` xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wstop="http://docs.oasis-open.org/wsn/t-1" xmlns:tns1="http://www.onvif.org/ver10/topics"` +
	` xmlns:wsa5="http://www.w3.org/2005/08/addressing" xmlns:ns1="http://www.onvif.org/ver20/analytics/humanface" xmlns:ns2="http://www.onvif.org/ver20/analytics/humanbody" `

// node parses an element with the usual declarations around it.
func node(t testing.TB, s string) *xmltree.Node {
	t.Helper()
	doc, err := xmltree.Parse([]byte("<root"+declarations+">"+s+"</root>"), xmltree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Root().Kids[0]
}

type fns = []audit.Function

const (
	D = audit.Detect
	C = audit.Capture
	A = audit.Analyse
	V = audit.Verify
	I = audit.Identify
)

func TestWords(t *testing.T) {
	for s, want := range map[string]bool{
		"FaceDetect": true, "tt:FaceDetector": true, "MyFaceDetectModule": true, "faceDetection": true, "facedetector": true, "FACE": true,
		"RuleEngine/MyRuleDetector/FaceDetect": true, "HumanFace": true, "IsFace": true, "IsFDAlarm": true, "Facial_Recognition": true, "face-id": true, "人脸检测": true, "facerecognition": true,
		"Interface": false, "SurfaceDetector": false, "interfaceEngine": false,
		"HumanShapeDetect": false, "PeopleDetect": false, "Head": false, "Facebook": false, "Typeface": false, "Facet": false, "FieldDetector": false, "": false,
	} {
		if got := hasFace(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestFunctions(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    Clues
		want fns
	}{
		{"standard rule", Clues{Type: "tt:FaceRecognition"}, fns{D, I}},
		{"standard rule with its items", Clues{Type: "tt:FaceRecognition", Topics: []string{"RuleEngine/Recognition/Face"}, Items: []string{"Likelihood", "EnrollmentID", "Image"}}, fns{D, C, I}},
		{"same topic, an alarm only", Clues{Topics: []string{"RuleEngine/Recognition/Face"}, Items: []string{"IsFDAlarm"}}, fns{D}},
		{"vendor recognition, an alarm only", Clues{Type: "x:FaceRecognizeRule", Items: []string{"IsFDAlarm"}}, fns{D}},
		{"plate", Clues{Type: "tt:LicensePlateRecognition", Topics: []string{"RuleEngine/Recognition/LicensePlate"}}, nil},
		{"Uniview module", Clues{Type: "tt:FaceDetectorEngine", Name: "MyFaceDetectModule"}, fns{D}},
		{"Honeywell", Clues{Topics: []string{"RuleEngine/FaceAnalysis/FaceDetector"}}, fns{D, A}},
		{"uncatalogued attributes", Clues{Type: "lt:FaceAttributeEngine"}, fns{D, A}},
		{"uncatalogued capture", Clues{Type: "FaceCapture"}, fns{D, C}},
		{"uncatalogued verification", Clues{Type: "FaceVerification"}, fns{D, V}},
		{"application topic", Clues{Topics: []string{"AppEvent/Acme/FaceDetection"}}, fns{D}},
		{"Axis application", Clues{Topics: []string{"CameraApplicationPlatform/facedetector/Camera1ProfileANY"}}, fns{D}},
		{"object detection", Clues{Type: "tt:ObjectDetection", Params: []string{"ClassFilter"}}, nil},
		{"object detection of faces", Clues{Type: "tt:ObjectDetection", Classes: []string{"Vehicle", "Face"}}, fns{D}},
		{"object detection with pictures of faces", Clues{Type: "tt:ObjectDetection", Classes: []string{"HumanFace"}, Params: []string{"IncludeImage"}}, fns{D, C}},
		{"people", Clues{Topics: []string{"RuleEngine/PeopleDetector/People"}, Items: []string{"IsPeople"}}, nil},
		{"body", Clues{Topics: []string{"UserAlarm/IVA/HumanShapeDetect"}, Items: []string{"State"}}, nil},
		{"Bosch", Clues{Type: "tt:Viproc", Name: "Viproc"}, nil},
		{"interface", Clues{Type: "NetworkInterfaceRule", Name: "SurfaceModule"}, nil},
	} {
		if got := Functions(tt.c); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

const uniview = `<trt:GetProfilesResponse><trt:Profiles token="p1" fixed="true"><tt:Name>p</tt:Name><tt:VideoSourceConfiguration token="v"><tt:SourceToken>s1</tt:SourceToken></tt:VideoSourceConfiguration>
<tt:VideoAnalyticsConfiguration token="VA1"><tt:Name>va</tt:Name><tt:UseCount>2</tt:UseCount><tt:AnalyticsEngineConfiguration>MODULE</tt:AnalyticsEngineConfiguration>
<tt:RuleEngineConfiguration><tt:Rule Type="tt:FaceDetector" Name="MyFaceDetectRule"><tt:Parameters></tt:Parameters></tt:Rule></tt:RuleEngineConfiguration></tt:VideoAnalyticsConfiguration>
<tt:MetadataConfiguration token="m1"><tt:Analytics>true</tt:Analytics><tt:AnalyticsEngineConfiguration><tt:AnalyticsModule Name="x" Type="tt:FaceDetectorEngine"/></tt:AnalyticsEngineConfiguration></tt:MetadataConfiguration></trt:Profiles></trt:GetProfilesResponse>`

func TestUniviewModule(t *testing.T) {
	for _, tt := range []struct {
		name, module string
		want         Switch
	}{
		{"enabled, type first", `<tt:AnalyticsModule Type="tt:FaceDetectorEngine" Name="MyFaceDetectModule"><tt:Parameters>` + "\r\n" + `<tt:SimpleItem Value="true" Name="Enable"></tt:SimpleItem><tt:SimpleItem Value="true" Name="DynamicModeEnable"/></tt:Parameters></tt:AnalyticsModule>`, On},
		{"disabled, name first", `<tt:AnalyticsModule Name="MyFaceDetectModule" Type="tt:FaceDetectorEngine"><tt:Parameters><tt:SimpleItem Name="DynamicModeEnable" Value="true"/><tt:SimpleItem Name="Enable" Value="false"/></tt:Parameters></tt:AnalyticsModule>`, Off},
		{"no enable", `<tt:AnalyticsModule Name="MyFaceDetectModule" Type="tt:FaceDetectorEngine"><tt:Parameters><tt:SimpleItem Name="Sensitivity" Value="1"/></tt:Parameters></tt:AnalyticsModule>`, Unclear},
		{"no prefix", `<tt:AnalyticsModule Name="MyFaceDetectModule" Type="FaceDetectorEngine"><tt:Parameters><tt:SimpleItem Name="Enable" Value="1"/></tt:Parameters></tt:AnalyticsModule>`, On},
		{"undeclared prefix", `<tt:AnalyticsModule Name="MyFaceDetectModule" Type="xsd:FaceDetectorEngine"><tt:Parameters><tt:SimpleItem Name="enable" Value="FALSE"/></tt:Parameters></tt:AnalyticsModule>`, Off},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cs := ReadConfigurations(node(t, strings.Replace(uniview, "MODULE", tt.module, 1)))
			if len(cs) != 1 || cs[0].Token != "VA1" || !cs[0].Full || len(cs[0].Instances) != 2 {
				t.Fatalf("%+v", cs)
			}
			Settle(cs[0].Instances, nil)
			for _, i := range cs[0].Instances {
				if i.State != tt.want || !slices.Equal(i.Functions(), fns{D}) {
					t.Errorf("%s: %q by %q, %v", i.Key(), i.State, i.By, i.Functions())
				}
			}
		})
	}
}

func TestInstanceState(t *testing.T) {
	for _, tt := range []struct {
		name, rule string
		described  []Description
		want       Switch
		fns        fns
	}{
		{"armed", `<tan:Rule Name="r" Type="tt:FaceRecognition"><tt:Parameters><tt:SimpleItem Name="Armed" Value="true"/></tt:Parameters></tan:Rule>`, nil, On, fns{D, I}},
		{"disarmed", `<tan:Rule Name="r" Type="tt:FaceRecognition"><tt:Parameters><tt:SimpleItem Name="Armed" Value="false"/><tt:SimpleItem Name="IncludeImage" Value="true"/></tt:Parameters></tan:Rule>`, nil, Off, fns{D, C, I}},
		{"created, says nothing", `<tan:Rule Name="r" Type="tt:FaceRecognition"><tt:Parameters/></tan:Rule>`, nil, On, fns{D, I}},
		{"fixed, says nothing", `<tan:Rule Name="r" Type="tt:FaceRecognition"><tt:Parameters/></tan:Rule>`, []Description{{Kind: KindRule, Type: "tt:FaceRecognition", Fixed: true, Items: []string{"EnrollmentID"}}}, Unclear, fns{D, I}},
		{"described as an alarm", `<tan:Rule Name="r" Type="tt:FaceRecognition"><tt:Parameters/></tan:Rule>`, []Description{{Kind: KindRule, Type: "FaceRecognition", Items: []string{"IsFDAlarm"}}}, On, fns{D}},
		{"filter with faces", `<tan:Rule Name="r" Type="tt:ObjectDetection"><tt:Parameters><tt:SimpleItem Name="ClassFilter" Value="Person Face"/></tt:Parameters></tan:Rule>`, nil, On, fns{D}},
		{"filter as an element", `<tan:Rule Name="r" Type="tt:ObjectDetection"><tt:Parameters><tt:ElementItem Name="ClassFilter"><tt:StringList>Person HumanFace</tt:StringList></tt:ElementItem></tt:Parameters></tan:Rule>`, nil, On, fns{D}},
		{"filter without faces", `<tan:Rule Name="Interface and Face east" Type="tt:ObjectDetection"><tt:Parameters><tt:SimpleItem Name="ClassFilter" Value="Person Head"/></tt:Parameters></tan:Rule>`, nil, On, nil},
		{"vendor rule, says nothing", `<tan:Rule Name="r" Type="x:FaceRule"><tt:Parameters/></tan:Rule>`, nil, Unclear, fns{D}},
		{"Bosch, off", `<tan:AnalyticsModule Name="Viproc" Type="tt:Viproc"><tt:Parameters><tt:SimpleItem Name="Mode" Value="Silent VCA"/></tt:Parameters></tan:AnalyticsModule>`, nil, Off, nil},
		{"a mode that says nothing", `<tan:AnalyticsModule Name="m" Type="x:FaceEngine"><tt:Parameters><tt:SimpleItem Name="Mode" Value="Dynamic"/></tt:Parameters></tan:AnalyticsModule>`, nil, Unclear, fns{D}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			is := ReadInstances(node(t, "<tan:GetRulesResponse>"+tt.rule+"</tan:GetRulesResponse>"), "t")
			if len(is) != 1 {
				t.Fatal(is)
			}
			Settle(is, tt.described)
			if is[0].State != tt.want || !slices.Equal(is[0].Functions(), tt.fns) {
				t.Errorf("%q by %q, %v", is[0].State, is[0].By, is[0].Functions())
			}
		})
	}
}

const supportedRules = `<tan:GetSupportedRulesResponse><tan:SupportedRules Limit="8">
<tt:RuleDescription Name="tt:LineDetector" maxInstances="4"><tt:Parameters><tt:SimpleItemDescription Name="Direction" Type="xs:string"/></tt:Parameters></tt:RuleDescription>
<tt:RuleDescription Name="tt:FaceRecognition" fixed="true"><tt:Parameters><tt:SimpleItemDescription Name="IncludeImage" Type="xs:boolean"/></tt:Parameters>
<tt:Messages IsProperty="false"><tt:Source><tt:SimpleItemDescription Name="VideoSource" Type="tt:ReferenceToken"/></tt:Source><tt:Data><tt:SimpleItemDescription Name="EnrollmentID" Type="xs:string"/></tt:Data>
<tt:ParentTopic>tns1:RuleEngine/Recognition/Face</tt:ParentTopic></tt:Messages></tt:RuleDescription></tan:SupportedRules></tan:GetSupportedRulesResponse>`

func TestDescriptions(t *testing.T) {
	got := ReadDescriptions(node(t, supportedRules))
	want := []Description{{Kind: KindRule, Type: "tt:LineDetector", Params: []string{"Direction"}},
		{Kind: KindRule, Type: "tt:FaceRecognition", Fixed: true, Params: []string{"IncludeImage"}, Topics: []string{"RuleEngine/Recognition/Face"}, Items: []string{"EnrollmentID", "VideoSource"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if f := got[0].Functions(); len(f) != 0 {
		t.Errorf("a line is not a face: %v", f)
	}
	if f := got[1].Functions(); !slices.Equal(f, fns{D, C, I}) {
		t.Error(f)
	}
	options := ReadOptions(node(t, `<tan:GetRuleOptionsResponse><tan:RuleOptions RuleType="tt:ObjectDetection" Name="ClassFilter" Type="tt:StringList"><tt:StringList>Person Vehicle Face LicensePlate</tt:StringList></tan:RuleOptions>
<tan:RuleOptions RuleType="tt:LineDetector" Name="Direction"><tt:StringList>Face Any</tt:StringList></tan:RuleOptions></tan:GetRuleOptionsResponse>`))
	if len(options) != 1 || !options[0].FaceClasses() {
		t.Errorf("%+v", options)
	}
}

const happytime = `<tan:AnalyticsModule Type="tt:CellMotionEngine"><tan:SampleFrame UtcTime="2026-01-01T00:00:00Z"><tt:Object ObjectId="1"><tt:Appearance><tt:Class><tt:Type Likelihood="0.8">Human</tt:Type></tt:Class>` +
	`<tt:HumanFace><tt:Gender Likelihood="0.8">Male</tt:Gender><tt:Temperature>36.8</tt:Temperature></tt:HumanFace></tt:Appearance></tt:Object></tan:SampleFrame></tan:AnalyticsModule>`

func TestSamples(t *testing.T) {
	one := ReadSamples(node(t, "<tan:GetSupportedMetadataResponse>"+happytime+"</tan:GetSupportedMetadataResponse>"))
	if len(one) != 1 || !one[0].Faces || one[0].Boilerplate || !slices.Equal(one[0].Attributes, []string{"gender", "temperature"}) {
		t.Errorf("%+v", one)
	}
	two := ReadSamples(node(t, "<tan:GetSupportedMetadataResponse>"+happytime+strings.Replace(happytime, "CellMotion", "Tamper", 1)+"</tan:GetSupportedMetadataResponse>"))
	if len(two) != 2 || !two[0].Boilerplate {
		t.Errorf("%+v", two)
	}
}

// topicSet has the shapes devices use: marked leaf, marked parent, unmarked leaf with a description, a vendor namespace at the
// second level, the same root twice.
const topicSet = `<tev:GetEventPropertiesResponse><wstop:TopicSet xmlns:tnsx="http://vendor.example/topics">
<tns1:RuleEngine wstop:topic="true"><MyRuleDetector wstop:topic="false"><FaceDetect wstop:topic="true"/><PeopleDetect wstop:topic="true"/></MyRuleDetector></tns1:RuleEngine>
<tns1:RuleEngine><Recognition><Face><tt:MessageDescription IsProperty="false"><tt:Data><tt:SimpleItemDescription Name="EnrollmentID" Type="xs:string"/></tt:Data></tt:MessageDescription></Face></Recognition>
<Recognition><LicensePlate wstop:topic="true"/></Recognition></tns1:RuleEngine>
<tns1:VideoSource><tnsx:FaceDetection wstop:topic="1"/><tnsx:InterfaceState wstop:topic="true"/></tns1:VideoSource>
<tnsx:CameraApplicationPlatform><facedetector><CameraProfile1 wstop:topic="true"/></facedetector></tnsx:CameraApplicationPlatform>
<tns1:UserAlarm><IVA><HumanShapeDetect wstop:topic="true"/></IVA></tns1:UserAlarm></wstop:TopicSet></tev:GetEventPropertiesResponse>`

func TestTopics(t *testing.T) {
	all := ReadTopics(node(t, topicSet))
	got := map[string]fns{}
	for _, x := range FaceTopics(all) {
		got[x.Path] = x.Functions()
	}
	want := map[string]fns{"RuleEngine/MyRuleDetector/FaceDetect": {D}, "RuleEngine/Recognition/Face": {D, I}, "VideoSource/FaceDetection": {D},
		"CameraApplicationPlatform/facedetector/CameraProfile1": {D}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(all) != 9 {
		t.Errorf("%d topics", len(all))
	}
	expression, ns := Filter(FaceTopics(all), true)
	if want := "tns1:RuleEngine//.|v1:CameraApplicationPlatform//.|tns1:VideoSource//."; !sameParts(expression, want) || ns["v1"] != "http://vendor.example/topics" {
		t.Errorf("%s %v", expression, ns)
	}
	if e, _ := Filter(nil, false); !strings.Contains(e, "tns1:UserAlarm//.") {
		t.Error(e)
	}
}

func sameParts(a, b string) bool {
	x, y := strings.Split(a, "|"), strings.Split(b, "|")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func notification(topic, attrs, items string) string {
	return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">` + topic + `</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-04-08T14:35:49Z"` + attrs +
		`><tt:Source><tt:SimpleItem Name="Source" Value="000"/></tt:Source><tt:Data>` + items + `</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
}

var messages = []struct {
	name, xml string
	count     int
	proves    fns
	announces fns
}{
	{"initial false", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Initialized"`, `<tt:SimpleItem Name="State" Value="false" />`), 1, nil, fns{D}},
	{"initial true", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Initialized"`, `<tt:SimpleItem Name="State" Value="true"/>`), 1, fns{D}, fns{D}},
	{"changed to true", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="State" Value="true"/>`), 1, fns{D}, fns{D}},
	{"changed to false", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="State" Value="false"/>`), 1, nil, fns{D}},
	{"changed to false under a name of its own", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="IsFaceDetected" Value="false"/>`), 1, nil, fns{D}},
	{"changed to true under a name of its own", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="IsFaceDetected" Value="true"/>`), 1, fns{D}, fns{D}},
	{"no property, and an item that is false", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ``, `<tt:SimpleItem Name="Masked" Value="false"/>`), 1, fns{D}, fns{D}},
	{"deleted", notification("tns1:RuleEngine/MyRuleDetector/FaceDetect", ` PropertyOperation="Deleted"`, `<tt:SimpleItem Name="State" Value="true"/>`), 1, nil, fns{D}},
	{"prefix on every segment, spaces and lines", notification("\n tns1:RuleEngine / x:MyRuleDetector/ x:FaceDetect\n", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="State" Value="1"/>`), 1, fns{D}, fns{D}},
	{"recognition with an alarm only", notification("tns1:RuleEngine/Recognition/Face", "", `<tt:SimpleItem Name="IsFDAlarm" Value="true"/>`), 1, fns{D}, fns{D}},
	{"recognition of a person", notification("tns1:RuleEngine/Recognition/Face", "", `<tt:SimpleItem Name="Likelihood" Value="0.9"/><tt:SimpleItem Name="EnrollmentID" Value="P-SECRET-7"/><tt:SimpleItem Name="ImageUri" Value="http://x/y.jpg"/>`), 1, fns{D, C, I}, fns{D, C, I}},
	{"recognition with an empty identifier", notification("tns1:RuleEngine/Recognition/Face", "", `<tt:SimpleItem Name="EnrollmentID" Value=""/>`), 1, fns{D}, fns{D, I}},
	{"recognition of a plate", notification("tns1:RuleEngine/Recognition/LicensePlate", "", `<tt:SimpleItem Name="EnrollmentID" Value="P-SECRET-7"/>`), 1, nil, nil},
	{"object of class face", notification("tns1:RuleEngine/ObjectDetection/Object", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="ClassTypes" Value="Human Face"/>`), 1, fns{D}, nil},
	{"object of class human", notification("tns1:RuleEngine/ObjectDetection/Object", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="ClassTypes" Value="Human Head"/>`), 1, nil, nil},
	{"object with attributes", notification("tns1:RuleEngine/ObjectTrack/Aggregation", "", `<tt:ElementItem Name="Object"><tt:Object ObjectId="1"><tt:Appearance><tt:Class><tt:Type>HumanFace</tt:Type></tt:Class><tt:HumanFace><ns1:Gender>Female</ns1:Gender></tt:HumanFace></tt:Appearance></tt:Object></tt:ElementItem>`), 1, fns{D, A}, nil},
	{"door opened to a face", notification("tns1:AccessControl/AccessGranted/Identifier", "", `<tt:SimpleItem Name="IdentifierType" Value="pt:Face"/>`), 1, fns{D, V}, nil},
	{"door opened to a card", notification("tns1:AccessControl/AccessGranted/Identifier", "", `<tt:SimpleItem Name="IdentifierType" Value="pt:Card"/>`), 1, nil, nil},
	{"body", notification("tns1:UserAlarm/tns1:IVA/tns1:HumanShapeDetect", ` PropertyOperation="Changed"`, `<tt:SimpleItem Name="State" Value="true"/>`), 1, nil, nil},
	{"Dahua keep-alive", `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"></wsnt:Topic><wsnt:Message></wsnt:Message></wsnt:NotificationMessage>`, 0, nil, nil},
	{"nothing", "", 0, nil, nil},
}

func TestMessages(t *testing.T) {
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			var tally EventTally
			if n := tally.ReadMessages(node(t, "<tev:PullMessagesResponse>"+tt.xml+"</tev:PullMessagesResponse>")); n != tt.count {
				t.Errorf("%d messages", n)
			}
			if got := tally.Proves(); !slices.Equal(got, tt.proves) {
				t.Errorf("proves %v, want %v", got, tt.proves)
			}
			for topic, s := range tally.Topics {
				if got := s.Announces(topic); !slices.Equal(got, tt.announces) {
					t.Errorf("announces %v, want %v", got, tt.announces)
				}
			}
			if strings.Contains(sprint(tally), "SECRET") {
				t.Error("a person's identifier was kept")
			}
		})
	}
}

func face(inner string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:fc="http://www.onvif.org/ver20/analytics/humanface"><tt:VideoAnalytics><tt:Frame UtcTime="2026-01-01T00:00:00Z">` +
		inner + `</tt:Frame></tt:VideoAnalytics></tt:MetadataStream>`
}

var documents = []struct {
	name, xml  string
	faces      int
	attributes []string
	crops, ids int
	extension  bool
}{
	{"empty stream", `<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:fc="http://www.onvif.org/ver20/analytics/humanface"/>`, 0, nil, 0, 0, false},
	{"new class, attributes", face(`<tt:Object ObjectId="12"><tt:Appearance><tt:Class><tt:Type Likelihood="0.9">Human</tt:Type></tt:Class></tt:Appearance></tt:Object><tt:Object ObjectId="13" Parent="12"><tt:Appearance><tt:Class><tt:Type>HumanFace</tt:Type></tt:Class>` +
		`<tt:HumanFace><fc:Age><tt:Min>25</tt:Min><tt:Max>35</tt:Max></fc:Age><fc:Gender>Female</fc:Gender><fc:Expression>Smile</fc:Expression><fc:Accessory><fc:Opticals><fc:Wear>true</fc:Wear></fc:Opticals></fc:Accessory></tt:HumanFace></tt:Appearance></tt:Object>`),
		1, []string{"accessory", "age", "expression", "gender"}, 0, 0, false},
	{"on an object of class human, children in tt, plain age", face(`<tt:Object><tt:Appearance><tt:Class><tt:Type>Human</tt:Type></tt:Class><tt:HumanFace><tt:Age>30</tt:Age><tt:Gender Likelihood="0.8">Male</tt:Gender><tt:Complexion/></tt:HumanFace><tt:Image>AAAA</tt:Image></tt:Appearance></tt:Object>`),
		1, []string{"age", "gender"}, 1, 0, false},
	{"Hanwha, both class forms, head and human beside it", face(`<tt:Object ObjectId="3" Parent="22020"><tt:Appearance><tt:Class><tt:ClassCandidate><tt:Type>Face</tt:Type><tt:Likelihood>0.41</tt:Likelihood></tt:ClassCandidate><tt:Type Likelihood="0.41">Face</tt:Type></tt:Class><tt:ImageRef>http://x/1.jpg</tt:ImageRef></tt:Appearance></tt:Object>` +
		`<tt:Object><tt:Appearance><tt:Class><tt:Type>Head</tt:Type></tt:Class><tt:Image>AAAA</tt:Image></tt:Appearance></tt:Object>`), 1, nil, 1, 0, false},
	{"old extension", face(`<tt:Object><tt:Appearance><tt:Class><tt:ClassCandidate><tt:Type>Other</tt:Type></tt:ClassCandidate><tt:Extension><tt:OtherTypes><tt:Type>HumanFace</tt:Type></tt:OtherTypes></tt:Extension></tt:Class></tt:Appearance></tt:Object>`), 1, nil, 0, 0, false},
	{"vendor emotion", face(`<tt:Object><tt:Appearance><tt:Class><tt:Type>Face</tt:Type></tt:Class><r:Emotion xmlns:r="urn:r" Likelihood="0.7">happy</r:Emotion></tt:Appearance></tt:Object>`), 1, []string{"emotion"}, 0, 0, true},
	{"unknown child of a face", face(`<tt:Object><tt:Appearance><tt:HumanFace><x:Mood xmlns:x="urn:x">sad</x:Mood><x:Other xmlns:x="urn:x">1</x:Other></tt:HumanFace></tt:Appearance></tt:Object>`), 1, []string{"emotion"}, 0, 0, true},
	{"pose only", face(`<tt:Object><tt:Appearance><tt:HumanFace><fc:PoseAngle><fc:PoseAngles Yaw="1"/></fc:PoseAngle></tt:HumanFace></tt:Appearance></tt:Object>`), 1, []string{"pose"}, 0, 0, false},
	{"a body with a smile in its name", face(`<tt:Object><tt:Appearance><tt:Class><tt:Type>Vehicle</tt:Type></tt:Class><tt:LicensePlateInfo><tt:PlateNumber>A1</tt:PlateNumber></tt:LicensePlateInfo></tt:Appearance></tt:Object>`), 0, nil, 0, 0, false},
	{"undeclared prefixes", `<tt:MetaDataStream><tt:VideoAnalytics><tt:Frame><tt:Object><tt:Appearance><tt:HumanFace><fc:Gender>Male</fc:Gender></tt:HumanFace></tt:Appearance></tt:Object></tt:Frame></tt:VideoAnalytics></tt:MetaDataStream>`, 1, []string{"gender"}, 0, 0, false},
	{"broken off", face(`<tt:Object><tt:Appearance><tt:HumanFace><fc:Gender>Male</fc:Gender></tt:HumanFace></tt:Appearance></tt:Object>`)[:345], 1, []string{"gender"}, 0, 0, false},
}

func TestMetadata(t *testing.T) {
	for _, tt := range documents {
		t.Run(tt.name, func(t *testing.T) {
			var tally Tally
			tally.Document([]byte(tt.xml))
			if tally.Faces != tt.faces || tally.Crops != tt.crops || tally.Identity != tt.ids || tally.Extension != tt.extension || !slices.Equal(tally.AttributeNames(), tt.attributes) {
				t.Errorf("%+v", tally)
			}
			for _, secret := range []string{"Female", "happy", "AAAA", "x/1.jpg"} {
				if strings.Contains(sprint(tally), secret) {
					t.Errorf("%s was kept", secret)
				}
			}
		})
	}
}

func sprint(v any) string { return cmp.Diff(nil, v) }

func TestServices(t *testing.T) {
	s := ReadServices(node(t, `<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver20/analytics/wsdl</tds:Namespace><tds:XAddr>http://192.168.2.82/onvif/services</tds:XAddr>
<tds:Capabilities><tan:Capabilities SupportedMetadata="true" RuleSupport="true" ImageSendingType="Embedded"/></tds:Capabilities><tds:Version><tt:Major>20</tt:Major><tt:Minor>12</tt:Minor></tds:Version></tds:Service></tds:GetServicesResponse>`))
	if !s.Has(NSAnalytics) || s[0].Version != "20.12" || s[0].Capabilities["SupportedMetadata"] != "true" || !ImageSending(s) {
		t.Errorf("%+v", s)
	}
	l := ReadLegacyCapabilities(node(t, `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Analytics><tt:XAddr>http://h/a</tt:XAddr><tt:RuleSupport>true</tt:RuleSupport></tt:Analytics><tt:Events><tt:XAddr>http://h/e</tt:XAddr></tt:Events>
<tt:Extension><tt:AnalyticsDevice><tt:XAddr>http://h/d</tt:XAddr></tt:AnalyticsDevice></tt:Extension></tds:Capabilities></tds:GetCapabilitiesResponse>`))
	if len(l) != 3 || !l.Has(NSEngine) || !l.Has(NSEvents) {
		t.Errorf("%+v", l)
	}
}

func TestScopes(t *testing.T) {
	got := SortScopes([]string{"onvif://www.onvif.org/Profile/M", "onvif://www.onvif.org/Profile/Streaming", "onvif://www.onvif.org/type/IPC_ACS", "onvif://www.onvif.org/hardware/OET-213H-NB",
		"onvif://www.onvif.org/name/AXIS%20P3818", "onvif://www.onvif.org/location/", "onvif://www.onvif.org/serial/SN1", "onvif://www.onvif.org/macaddr/0200A1B2C3D4", "odm:name:Camera1", "junk"})
	want := Scopes{Profiles: []string{"M", "Streaming"}, Types: []string{"IPC_ACS"}, Hardware: "OET-213H-NB", Name: "AXIS P3818", Serial: "SN1", MAC: "02:00:a1:b2:c3:d4"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDateTime(t *testing.T) {
	utc := func(y string) string {
		return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>19</tt:Hour><tt:Minute>25</tt:Minute><tt:Second>13</tt:Second></tt:Time><tt:Date><tt:Year>` + y + `</tt:Year><tt:Month>2</tt:Month><tt:Day>28</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`
	}
	if got, ok := ReadDateTime(node(t, utc("2018"))); !ok || !got.Equal(time.Date(2018, 2, 28, 19, 25, 13, 0, time.UTC)) {
		t.Error(got, ok)
	}
	for _, y := range []string{"0", "99999999999999", "x", ""} {
		if _, ok := ReadDateTime(node(t, utc(y))); ok {
			t.Errorf("year %q", y)
		}
	}
}

func TestSubscription(t *testing.T) {
	got := ReadSubscription(node(t, `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>http://192.168.1.200:8000/onvif/PullSubManager?Idx=90264311</wsa5:Address>
<wsa5:ReferenceParameters><x:Id xmlns:x="urn:x">7 &lt; 8</x:Id></wsa5:ReferenceParameters></tev:SubscriptionReference><wsnt:CurrentTime>2017-12-31T16:01:21Z</wsnt:CurrentTime><wsnt:TerminationTime>2018-12-31T16:01:21Z</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`))
	if got.Address != "http://192.168.1.200:8000/onvif/PullSubManager?Idx=90264311" || got.Seconds != 365*86400 || len(got.Parameters) != 1 ||
		!strings.Contains(got.Parameters[0], `wsa5:IsReferenceParameter="true"`) || !strings.Contains(got.Parameters[0], "7 &lt; 8") {
		t.Errorf("%+v", got)
	}
}

func TestAccess(t *testing.T) {
	for s, want := range map[string]int{
		`<tds:R><tds:Capabilities><tds:SupportedIdentifierType>pt:Card</tds:SupportedIdentifierType><tds:SupportedIdentifierType>pt:Face</tds:SupportedIdentifierType></tds:Capabilities></tds:R>`: 1,
		`<tds:R><tds:AccessPointInfo><tds:Capabilities SupportedRecognitionTypes="pt:Card pt:Face"/></tds:AccessPointInfo></tds:R>`:                                                                1,
		`<tds:R><tds:RecognitionMethod RecognitionType="pt:PIN"/></tds:R>`:                                                                                                                         0,
		`<tds:R><tds:SupportedIdentifierType>pt:Interface</tds:SupportedIdentifierType></tds:R>`:                                                                                                   0,
	} {
		if got := FaceReaders(node(t, s)); got != want {
			t.Errorf("%s: %d", s, got)
		}
	}
	apps := ReadApps(node(t, `<tds:R><tds:Info><tds:AppID>acme.demographics</tds:AppID><tds:Name>Shopper insight</tds:Name><tds:Licenses><tds:Name>Age and Gender</tds:Name></tds:Licenses><tds:State>Active</tds:State></tds:Info>
<tds:Info><tds:AppID>surface</tds:AppID><tds:Name>Interface tool, page view</tds:Name><tds:State>Active</tds:State></tds:Info></tds:R>`))
	if len(apps) != 2 || !slices.Equal(apps[0].Functions(), fns{A}) || len(apps[1].Functions()) != 0 {
		t.Errorf("%+v", apps)
	}
	brokers := ReadBrokers(node(t, `<tds:R><tev:EventBroker><tev:Address>mqtts://user:pw@broker.example:8883/x</tev:Address><tev:PublishFilter>tns1:RuleEngine/Recognition/Face</tev:PublishFilter></tev:EventBroker>
<tev:EventBroker><tev:Address>192.0.2.9:1883</tev:Address><tev:PublishFilter>tns1:RuleEngine//.</tev:PublishFilter></tev:EventBroker></tds:R>`))
	if len(brokers) != 2 || brokers[0].Address != "mqtts://broker.example:8883" || !brokers[0].Face || brokers[1].Address != "mqtt://192.0.2.9:1883" || brokers[1].Face {
		t.Errorf("%+v", brokers)
	}
}

func TestElsewhere(t *testing.T) {
	for maker, want := range map[string]bool{"Hikvision": true, "HIKVISION DIGITAL": true, "Dahua Technology": true, "Uniview -like": true, "Axis Communications": true, "AXIS": true, "Bosch": true, "Hanwha Vision": true,
		"TP-Link": true, "REOLINK": true, "Huawei": true, "Tiandy": true, "": true, "Lanting": false, "Qinghe": false, "Taxisoft": false} {
		if _, got := ConfiguredElsewhere(maker); got != want {
			t.Errorf("%q: %v", maker, got)
		}
	}
}

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range catalogue {
		if seen[e.path] || e.source == "" {
			t.Errorf("%s: twice or without a source", e.path)
		}
		seen[e.path] = true
	}
}

func TestBestForMetadata(t *testing.T) {
	p, ok := BestForMetadata([]Profile{{Token: "big", Metadata: "m", Scene: On, Pixels: 100}, {Token: "none", Pixels: 1}, {Token: "small", Metadata: "m", Scene: On, Pixels: 50}})
	if !ok || p.Token != "small" {
		t.Error(p)
	}
}

func TestRequestsMarshal(t *testing.T) {
	for _, o := range []Operation{GetServices(), GetCapabilities(), GetProfiles2(), GetStreamURI("p<1"), GetStreamURI2("p"), GetRuleOptions("t"), GetSupportedMetadata(), GetEventBrokers(),
		CreatePullPoint("a|b", map[string]string{"x": "urn:x"}, ""), PullMessages("PT5S", 32), Unsubscribe(), GetAppsInfo()} {
		b, ok := o.Body.([]byte)
		if !ok {
			var err error
			if b, err = xml.Marshal(o.Body); err != nil {
				t.Fatal(o.Name, err)
			}
		}
		_, local, _ := strings.Cut(o.Name, ":")
		if !strings.HasPrefix(string(b), "<"+o.Name) || !strings.Contains(o.Action, local) || strings.Contains(string(b), "RuleType") {
			t.Errorf("%s: %s %s", o.Name, b, o.Action)
		}
	}
}

func FuzzTopics(f *testing.F) {
	f.Add(topicSet)
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := xmltree.Parse([]byte("<r"+declarations+">"+s+"</r>"), xmltree.Options{}); err == nil {
			Filter(FaceTopics(ReadTopics(d.Root().Child("GetEventPropertiesResponse"))), true)
		}
	})
}

func FuzzMessages(f *testing.F) {
	for _, m := range messages {
		f.Add(m.xml)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := xmltree.Parse([]byte("<r"+declarations+">"+s+"</r>"), xmltree.Options{})
		if err != nil {
			return
		}
		var tally EventTally
		tally.ReadMessages(d.Root())
		if tally.Messages == 0 && len(tally.Proves()) > 0 {
			t.Error("proof without a message")
		}
	})
}

func FuzzMetadata(f *testing.F) {
	for _, d := range documents {
		f.Add([]byte(d.xml))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var tally Tally
		tally.Document(b)
		if tally.Faces > tally.Objects || tally.Crops > tally.Faces {
			t.Errorf("%+v", tally)
		}
	})
}

func FuzzProfiles(f *testing.F) {
	f.Add(uniview)
	f.Add(supportedRules)
	f.Add(happytime)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := xmltree.Parse([]byte("<r"+declarations+">"+s+"</r>"), xmltree.Options{})
		if err != nil || len(d.Root().Kids) == 0 {
			return
		}
		n := d.Root().Kids[0]
		BestForMetadata(ReadProfiles(n))
		var all []Instance
		for _, c := range ReadConfigurations(n) {
			all = append(all, c.Instances...)
		}
		Settle(all, ReadDescriptions(n))
		for _, i := range all {
			i.Functions()
		}
		ReadSamples(n)
		ReadServices(n)
		ReadSubscription(n)
		ReadBrokers(n)
		ReadMetadataConfigurations(n)
	})
}
