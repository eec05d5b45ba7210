package lab

// DemoShop is the shop the demonstration audits. Its story: two cameras at the door estimate age, gender and expression of
// everybody who comes in, a camera at the checkout recognises persons, and the only sign says 内有监控.
func DemoShop() []Spec {
	at := func(s Spec, zone, label string) Spec {
		s.Label = label
		s.Place = Place{Zone: zone, Inventoried: true}
		return s
	}
	found := func(s Spec, label string) Spec {
		s.Label = label
		return s
	}
	shop := []Spec{
		at(EmitsAttributes("cam-01"), "Z1", "正门左侧"),
		at(EmitsAttributesQinghe("cam-02"), "Z1", "正门右侧"),
		at(ConfiguredOn("cam-03"), "Z2", "女装区"),
		at(ConfiguredOff("cam-04"), "Z2", "男装区"),
		at(CapableOnly("cam-05"), "Z2", "童装区"),
		at(FaceDetectEvents("cam-06"), "Z2", "中庭"),
		at(EmitsRecognitionIdentity("cam-07"), "Z3", "一号收银台"),
		at(EmitsRecognitionPlain("cam-08"), "Z3", "二号收银台"),
		at(NoFace("cam-09"), "Z4", "仓库门"),
		at(ClockOff("cam-10"), "Z4", "仓库内"),
		at(DigestOnly("cam-11"), "Z6", "后勤通道"),
		at(FaceTerminal("gate-01"), "Z5", "员工通道闸机"),
		at(Recorder("nvr-01"), "Z4", "录像机"),
		found(OpenCamera("cam-12"), "橱窗"),
		at(GarbageDevice("cam-13"), "Z2", "旧摄像机"),
		at(SilentDevice("cam-14"), "Z6", "故障摄像机"),
		at(HikFaceCapture("cam-15"), "Z2", "鞋区"),
		at(DahuaFaceRuleOff("cam-16"), "Z2", "试衣间外走廊"),
		at(HikRecorder("nvr-02"), "Z4", "二楼录像机"),
		found(FrigateRecognising("srv-01"), "后仓的小主机"),
		found(VIIDServer("srv-02"), "视图库接口"),
		found(Printer("printer-01"), "Office printer"),
		found(Phone("phone-01"), "Somebody's phone"),
	}
	// A small recorder: its channels are cameras nobody can tell apart from here.
	shop[12].Channels = 4
	// One camera the operator has no account for: nothing behind its login is known, and the report must say so.
	shop[10].Place.NoLogin = true
	return shop
}

// Scenario returns the devices of a scenario, "S01" to "S07": stories from court decisions and news reports on face
// recognition in shops. They are called cam-01, cam-02 and so on. Of another id it returns no device.
func Scenario(id string) []Spec {
	switch id {
	case "S01", "S02": // age, gender and mood of everybody at the door; S02 before the provisions took effect
		return []Spec{EmitsAttributes("cam-01")}
	case "S03": // the model can, nothing is configured
		return []Spec{CapableOnly("cam-01")}
	case "S04": // a rule is switched on, nothing was seen
		return []Spec{ConfiguredOn("cam-01")}
	case "S05": // age and gender, under a sign that speaks of monitoring
		return []Spec{agesAndGenders("cam-01")}
	case "S06": // attributes go to a retail service, under a sign that says public security
		s := EmitsAttributes("cam-01")
		s.Events.Brokers = []Broker{{Address: "mqtts://insight.retail-cloud.example:8883", Prefix: "shop0421",
			Publish: "tns1:RuleEngine/ObjectDetection//.", Metadata: "onvif-mj/VideoAnalytics/Profile_1/FaceAttributes"}}
		return []Spec{s}
	case "S07": // a stand at the door states purpose, manner and scope; nobody can show consent
		return []Spec{agesAndGenders("cam-01")}
	}
	return []Spec{}
}

func agesAndGenders(name string) Spec {
	s := EmitsAttributes(name)
	s.Metadata.Frames = peopleWithFaces(InFC, false)
	s.Analytics.Samples = nil
	return s
}
