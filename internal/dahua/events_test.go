package dahua

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

func part(text string) string {
	return fmt.Sprintf("--myboundary\r\nContent-Type: text/plain\r\nContent-Length:%d\r\n\r\n%s\r\n\r\n", len(text), text)
}

// What devices send, in their wording: a detection without attributes, a detection whose attributes are written and not filled
// in, a detection with attributes, a recorder's comparison with a match, one without, a terminal's door.
const (
	plainFace = `Code=FaceDetection;action=Start;index=0;data={
   "CfgRuleId" : 1,
   "Class" : "FaceDetection",
   "Faces" : [ { "BoundingBox" : [ 4416, 1208, 5200, 2624 ], "ObjectID" : 94, "ObjectType" : "HumanFace" } ],
   "Name" : "FaceDetection",
   "Object" : { "Action" : "Appear", "Confidence" : 19, "ObjectID" : 94, "ObjectType" : "HumanFace" }
}`
	blankFace = `Code=FaceDetection;action=Start;index=0;data={ "Object" : { "ObjectType" : "HumanFace", "Sex" : "Unknown", "Age" : 0, "Emotion" : "Unknown", "Feature" : [],
   "Glass" : 0, "Mask" : 1, "Beard" : 1, "Eye" : 1, "Mouth" : 1, "Hat" : 0, "Attractive" : 0 } }`
	fullFace = `Code=FaceDetection;action=Start;index=3;data={ "Object" : { "ObjectType" : "HumanFace", "Sex" : "Man", "Age" : 41, "Emotion" : "Happy", "Feature" : [ "Happy" ],
   "Glass" : 4, "Mask" : 2, "Image" : { "Length" : 60615, "Offset" : 76076 } }, "SceneImage" : { "Length" : 1 } }`
	match = `Code=FaceRecognition;action=Start;index=10;data={
   "Candidates" : [ { "Person" : { "UID" : "4711", "GroupID" : "10003", "GroupName" : "Stammkunden", "Name" : "Wang \"}{\" Wu", "Sex" : "Man", "Age" : 50 }, "Similarity" : 91 } ],
   "Object" : { "ObjectType" : "HumanFace", "Glass" : 0 } }`
	noMatch = `Code=FaceRecognition;action=Start;index=10;data={ "Candidates" : [], "Object" : { "ObjectType" : "HumanFace" } }`
	body    = `Code=HumanTrait;action=Start;index=0;data={ "HumanAttributes" : { "Sex" : "Man", "Age" : 30 }, "FaceAttributes" : { "Sex" : "Man" }, "Faces" : [ {} ] }`
	door    = `Code=_DoorFace_;action=Pulse;index=0;data={ "Alive" : 100, "Door" : 0, "OpenDoorMethod" : 3, "Similarity" : 98, "SnapPath" : "\/var\/tmp\/p.jpg", "UserID" : "1" }`
	unknown = `Code=_DoorFace_;action=Pulse;index=0;data={ "UserID" : "FFFFFF" }`
)

func read(text string, piece int) *Stream {
	s := &Stream{}
	for b := []byte(text); len(b) > 0; {
		n := min(piece, len(b))
		s.Feed(b[:n])
		b = b[n:]
	}
	s.End()
	return s
}

func TestStream(t *testing.T) {
	const D, C, A, V, I = audit.Detect, audit.Capture, audit.Analyse, audit.Verify, audit.Identify
	type codes = map[string]*Seen
	fns := func(f ...audit.Function) []audit.Function { return f }
	for _, c := range []struct {
		name, text string
		want       codes
	}{
		{"a face", part(plainFace), codes{"FaceDetection": {Began: 1, Means: fns(D, C), Channels: []int{1}}}},
		{"every key of the structure, none filled in", part(blankFace), codes{"FaceDetection": {Began: 1, Means: fns(D, C), Channels: []int{1}}}},
		{"attributes", part(fullFace), codes{"FaceDetection": {Began: 1, Means: fns(D, C, A), Attributes: []string{"accessory", "age", "emotion", "features", "gender"}, Pictures: 1, Channels: []int{4}}}},
		{"a match; what the library knows of the person was not read from the face", part(match), codes{"FaceRecognition": {Began: 1, Means: fns(D, I), Persons: 1, Channels: []int{11}}}},
		{"no match is a comparison too", part(noMatch), codes{"FaceRecognition": {Began: 1, Means: fns(D, I), Channels: []int{11}}}},
		{"against an identity card", part(`Code=FaceComparision;action=Pulse;index=0;data={ "Similarity" : 3 }`), codes{"FaceComparision": {Began: 1, Means: fns(D, V), Channels: []int{1}}}},
		{"a template", part(`Code=FaceFeatureAbstract;action=Pulse;index=0;data={ "FeatureData" : "AAAA" }`), codes{"FaceFeatureAbstract": {Began: 1, Means: fns(D, A), Templates: 1, Channels: []int{1}}}},
		{"a body is no face, whatever else is in it", part(body), codes{"HumanTrait": {Began: 1, Channels: []int{1}}}},
		{"a face among bodies", part(`Code=HumanTrait;action=Start;index=0;data={ "Class" : "PortraitDetect", "Objects" : [ { "ObjectType" : "Human", "Sex" : "Man" }, { "ObjectType" : "HumanFace", "BelongID" : 7 } ] }`),
			codes{"HumanTrait": {Began: 1, Means: fns(D), Channels: []int{1}}}},
		{"a face among bodies, with what was read from it", part(`Code=HumanTrait;action=Start;index=0;data={ "Object" : { "ObjectType" : "HumanFace", "Emotion" : "Happy", "Image" : { "Length" : 9 } } }`),
			codes{"HumanTrait": {Began: 1, Means: fns(D, C, A), Attributes: []string{"emotion"}, Pictures: 1, Channels: []int{1}}}},
		{"bodies alone", part(`Code=HumanTrait;action=Start;index=0;data={ "Class" : "PortraitDetect", "Name" : "HumanFace", "Objects" : [ { "ObjectType" : "Human", "Sex" : "Man", "Image" : { "Length" : 9 } } ] }`),
			codes{"HumanTrait": {Began: 1, Channels: []int{1}}}},
		{"a face in a vehicle's event", part(`Code=TrafficJunction;action=Pulse;index=0;data={ "Object" : { "ObjectType" : "HumanFace" } }`), codes{"TrafficJunction": {Began: 1, Channels: []int{1}}}},
		{"other letters", part(`code=FaceDetection;Action=START;Index=3`), codes{"FaceDetection": {Began: 1, Means: fns(D, C), Channels: []int{4}}}},
		{"somebody at a door", part(door), codes{"_DoorFace_": {Began: 1, Means: fns(D, I), Persons: 1, Channels: []int{1}}}},
		{"somebody unknown at a door", part(unknown), codes{"_DoorFace_": {Began: 1, Means: fns(D, I), Channels: []int{1}}}},
		{"a door by face", part(`Code=AccessControl;action=Pulse;index=0;data={ "Method" : 15, "UserID" : "" }`), codes{"AccessControl": {Began: 1, Means: fns(D, I), Channels: []int{1}}}},
		{"a door by card", part(`Code=AccessControl;action=Pulse;index=0;data={ "Method" : 1, "CardNo" : "7A087D0F" }`), codes{"AccessControl": {Began: 1, Channels: []int{1}}}},
		{"the end of something that began before", part(`Code=FaceDetection;action=Stop;index=0`), codes{"FaceDetection": {Ended: 1}}},
		{"an action nobody knows", part(`Code=FaceDetection;action=Config;index=0`), codes{"FaceDetection": {}}},
		{"no data, no index", part("Code=FaceDetection;action=Pulse"), codes{"FaceDetection": {Began: 1, Means: fns(D, C), Channels: nil}}},
		{"without boundaries and lengths", plainFace + "\n" + plainFace, codes{"FaceDetection": {Began: 2, Means: fns(D, C), Channels: []int{1}}}},
		{"a length that lies", strings.Replace(part(plainFace), "Content-Length:", "Content-Length:9", 1) + part(door),
			codes{"FaceDetection": {Began: 1, Means: fns(D, C), Channels: []int{1}}, "_DoorFace_": {Began: 1, Means: fns(D, I), Persons: 1, Channels: []int{1}}}},
		{"data that breaks off", part(`Code=FaceDetection;action=Start;index=0;data={ "Object" : { "Sex" : "Man`) + part(door),
			codes{"FaceDetection": {Began: 1, Unread: 1, Means: fns(D, C), Channels: []int{1}}, "_DoorFace_": {Began: 1, Means: fns(D, I), Persons: 1, Channels: []int{1}}}},
		{"data that is none", part(`Code=FaceDetection;action=Start;index=0;data={ oops }`), codes{"FaceDetection": {Began: 1, Unread: 1, Means: fns(D, C), Channels: []int{1}}}},
		{"nested without end", part(`Code=FaceDetection;action=Start;index=0;data=` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), codes{"FaceDetection": {Began: 1, Unread: 1, Means: fns(D, C), Channels: []int{1}}}},
		{"an event in a text", part(`Code=VideoMotion;action=Start;index=0;data={ "Name" : "Code=FaceDetection;action=Start;index=0" }`), codes{"VideoMotion": {Began: 1, Channels: []int{1}}}},
		{"a word in a page", "<html>Code=FaceDetection;action=Start</html>", nil},
		{"heartbeats", part("Heartbeat") + part("Heartbeat"), nil},
	} {
		for _, piece := range []int{1, 7, 64, 1 << 20} {
			s := read(c.text, piece)
			if d := cmp.Diff(c.want, s.Tally.Codes); d != "" {
				t.Errorf("%s, in pieces of %d:\n%s", c.name, piece, d)
			}
		}
	}
	if s := read(part("Heartbeat")+part("Heartbeat"), 1<<20); s.Tally.Heartbeats != 2 || s.Tally.Events() != 0 {
		t.Errorf("%+v", s.Tally)
	}
}

// TestRecord: the record of a stream keeps the names of keys, and nothing that stood behind them.
func TestRecord(t *testing.T) {
	s := read(part("Heartbeat")+part(fullFace)+part(match)+part(door)+part(`Code=AccessControl;action=Pulse;index=0;data={ "CardName" : "Wang", "Method" : 15, "Class" : "Wang", "Wang Wu" : 1, "ErrorCode" : 4711 }`)+
		part(`Code=FaceDetection;action=Start;index=0;data={ "Person" : { "Class" : "Wang" `)+"\xff\xd8\xff Wang\r\n", 50)
	got := string(s.Record())
	for _, secret := range []string{"Wang", "4711", "10003", "Stammkunden", "Man", "41", "Happy", "91", "98", "p.jpg", "60615", "\xff"} {
		if strings.Contains(got, secret) {
			t.Errorf("holds %q:\n%s", secret, got)
		}
	}
	for _, key := range []string{"Code=FaceRecognition;action=Start;index=10", `"Candidates"`, `"Person"`, `"Similarity"`, `"Sex":"*"`, `"ObjectType":"HumanFace"`, `"Method":"15"`, "could not be read", "were not kept"} {
		if !strings.Contains(got, key) {
			t.Errorf("lacks %q:\n%s", key, got)
		}
	}
}

// TestStreamBounds: neither size nor slicing makes a stream costly.
func TestStreamBounds(t *testing.T) {
	start := time.Now()
	s := &Stream{}
	open := []byte("\nCode=FaceDetection;action=Start;index=0;data={\"a\":\"")
	s.Feed(open)
	for range 600_000 { // never ends
		s.Feed([]byte("x"))
	}
	if len(s.buf) > maxEvent+maxEvent/2 {
		t.Errorf("%d bytes are held", len(s.buf))
	}
	for range maxEvents + 10 {
		s.Feed([]byte("\r\n" + door))
	}
	if !s.Full() || len(s.Record()) > maxTape+1024 {
		t.Errorf("%v, %d bytes of record", s.Full(), len(s.Record()))
	}
	many := &Stream{}
	for i := range 1000 {
		many.Feed(fmt.Appendf(nil, "\nCode=X%d;action=Start;index=0\n", i))
	}
	if many.End(); len(many.Tally.Codes) > maxCodes {
		t.Errorf("%d codes", len(many.Tally.Codes))
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzStream(f *testing.F) {
	for _, s := range []string{part(plainFace), part(match) + part(door), part("Heartbeat"), body, "Code=;action=", "\nCode=A;action=b;data=]", "\nCode=FaceDetection;action=Start;index=0;data={\"Candidates\":[1]}"} {
		f.Add([]byte(s), uint8(5))
	}
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		s := read(string(b), max(int(piece), 1))
		whole := read(string(b), len(b)+1)
		if len(b) < maxEvent/2 && cmp.Diff(s.Tally.Codes, whole.Tally.Codes) != "" {
			t.Errorf("pieces matter: %s", cmp.Diff(s.Tally.Codes, whole.Tally.Codes))
		}
		if s.Tally.Stray < -1 || s.Tally.Stray > len(b) || len(s.Tally.Codes) > maxCodes {
			t.Errorf("%+v", s.Tally)
		}
		for _, x := range s.Tally.Codes {
			if !slices.IsSorted(x.Attributes) || len(x.Channels) > maxChannels {
				t.Errorf("%+v", x)
			}
		}
		if n := len(s.Record()); n > maxTape+1024 {
			t.Errorf("%d bytes of record", n)
		}
	})
}
