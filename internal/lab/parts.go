package lab

// Building blocks of analytics descriptions, as the specification or a firmware writes them.

const (
	topicRecognition = "tns1:RuleEngine/Recognition/Face"
	topicObject      = "tns1:RuleEngine/ObjectDetection/Object"
	topicMotion      = "tns1:RuleEngine/CellMotionDetector/Motion"
	topicFaceDetect  = "tns1:RuleEngine/MyRuleDetector/FaceDetect"
)

func videoAndRule() []Param {
	return []Param{{"VideoSource", "tt:ReferenceToken"}, {"Rule", "xs:string"}}
}

// recognitionRule describes tt:FaceRecognition as Annex "Recognition rule engines" of the Analytics specification does.
func recognitionRule() Described {
	return Described{Name: "tt:FaceRecognition", Max: 2,
		Params: []Param{{"IncludeImage", "xs:boolean"}, {"Threshold", "xs:float"}, {"Armed", "xs:boolean"}},
		Messages: []Message{{Source: videoAndRule(), Topic: topicRecognition, Data: []Param{{"Likelihood", "xs:float"},
			{"ObjectId", "xs:string"}, {"Label", "xs:string"}, {"ImageUri", "xs:anyURI"}, {"EnrollmentID", "xs:string"}, {"RefImageUri", "xs:anyURI"}}}}}
}

func objectRule() Described {
	return Described{Name: "tt:ObjectDetection", Max: 4,
		Params:   []Param{{"ClassFilter", "tt:StringList"}, {"ConfidenceLevel", "xs:float"}, {"DwellTime", "xs:duration"}},
		Messages: []Message{{Property: true, Source: videoAndRule(), Topic: topicObject, Data: []Param{{"ClassTypes", "tt:StringList"}}}}}
}

func motionRule() Described {
	return Described{Name: "tt:CellMotionDetector", Fixed: true, Max: 1,
		Params:   []Param{{"MinCount", "xs:integer"}, {"AlarmOnDelay", "xs:integer"}},
		Messages: []Message{{Property: true, Source: videoAndRule(), Topic: topicMotion, Data: []Param{{"IsMotion", "xs:boolean"}}}}}
}

func lineRule() Described {
	return Described{Name: "tt:LineDetector", Max: 4,
		Params:   []Param{{"Segments", "tt:Polyline"}, {"Direction", "tt:Direction"}},
		Messages: []Message{{Source: videoAndRule(), Topic: "tns1:RuleEngine/LineDetector/Crossed", Data: []Param{{"ObjectId", "xs:integer"}}}}}
}

func motionConfigured() Configured {
	return Configured{Name: "MyMotionDetectorRule", Type: "tt:CellMotionDetector", Params: []Param{{"MinCount", "5"}, {"AlarmOnDelay", "1000"}}}
}

func motionEngine() Configured {
	return Configured{Name: "MyCellMotionModule", Type: "tt:CellMotionEngine", Params: []Param{{"Sensitivity", "60"}}}
}

func motionModule() Described {
	return Described{Name: "tt:CellMotionEngine", Fixed: true, Max: 1, Params: []Param{{"Sensitivity", "xs:integer"}}}
}

func motionTopic() Topic {
	return Topic{Path: topicMotion, Property: true, Source: videoAndRule(), Data: []Param{{"IsMotion", "xs:boolean"}}}
}

func motionEvent(operation, state string) Event {
	return Event{Topic: topicMotion, Operation: operation, Source: []Param{{"VideoSource", "VideoSource_1"}, {"Rule", "MyMotionDetectorRule"}},
		Data: []Param{{"IsMotion", state}}}
}

func recognitionTopic() Topic {
	return Topic{Path: topicRecognition, Source: videoAndRule(), Data: recognitionRule().Messages[0].Data}
}

// demographics are the children of HumanFace that state age, gender and expression.
func demographics(age, gender, expression string) []Param {
	out := []Param{{"Age", age}, {"Gender", gender}}
	if expression != "" {
		out = append(out, Param{"Expression", expression})
	}
	return out
}

func ageRange(from, to string) string {
	return "<tt:Min>" + from + "</tt:Min><tt:Max>" + to + "</tt:Max>"
}

// peopleWithFaces are frames with a person and, hanging on the person, a face with attributes.
func peopleWithFaces(ns AttributeNS, expression bool) []Frame {
	e1, e2 := "Smile", "Natural"
	if !expression {
		e1, e2 = "", ""
	}
	face := func(id int, attributes []Param) Frame {
		return Frame{Objects: []Object{
			{ID: id, Class: "Human"},
			{ID: id + 1, Parent: id, Class: "HumanFace", NS: ns, Attributes: attributes},
		}}
	}
	return []Frame{
		{}, // the first document of real cameras holds nothing
		face(12, demographics(ageRange("25", "35"), "Female", e1)),
		face(14, demographics(ageRange("40", "50"), "Male", e2)),
		{},
	}
}
