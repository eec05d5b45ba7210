package knowledge

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestCalls: a request is known by the service's own path or by the action it names on the service's own host, and by nothing less.
func TestCalls(t *testing.T) {
	s := loaded(t)
	for _, c := range []struct {
		host, path, action string
		want               []audit.Function // nil: not known
	}{
		{"api-cn.faceplusplus.com", "/facepp/v3/detect", "", []audit.Function{audit.Detect}},
		{"192.0.2.9", "/facepp/v3/search", "", []audit.Function{audit.Detect, audit.Identify}},
		{"", "/face-api/v3/face/match", "", []audit.Function{audit.Detect, audit.Verify}},
		{"aip.baidubce.com", "/rest/2.0/face/v3/faceset/user/add", "", []audit.Function{}},
		{"iai.tencentcloudapi.com", "/", "DetectFace", []audit.Function{audit.Detect}},
		{"iai.ap-shanghai.tencentcloudapi.com", "/", "SearchPersons", []audit.Function{audit.Detect, audit.Identify}},
		{"facebody.cn-shanghai.aliyuncs.com", "/", "RecognizeFace", []audit.Function{audit.Detect, audit.Analyse}},
		{"face.cn-north-4.myhuaweicloud.com", "/v2/0123/face-sets/shop/search", "", []audit.Function{audit.Detect, audit.Identify}},
		{"myface.cognitiveservices.azure.com", "/face/v1.0/detect", "", []audit.Function{audit.Detect}},
		{"website.huidian.api.ulucu.com", "/recognition/face/list", "", []audit.Function{audit.Detect}},

		// near misses: another service on the host, another host with the path or the action, a longer and a shorter path
		{"aip.baidubce.com", "/rest/2.0/ocr/v1/general_basic", "", nil},
		{"aip.baidubce.com", "/rest/2.0/image-classify/v1/body_attr", "", nil},
		{"api-cn.faceplusplus.com", "/humanbodypp/v1/detect", "", nil},
		{"api-cn.faceplusplus.com", "/facepp/v3/detect/more", "", nil}, {"api-cn.faceplusplus.com", "/facepp/v3", "", nil},
		{"192.0.2.9", "/", "DetectFace", nil}, {"cvm.tencentcloudapi.com", "/", "DetectFace", nil}, {"iai.tencentcloudapi.com", "/", "GetGroupList", nil},
		{"iai.tencentcloudapi.com.example.org", "/", "DetectFace", nil},
		{"192.0.2.9", "/api/v1/recognition/faces", "", nil}, {"192.0.2.9", "/recognition/face/list", "", nil}, {"www.ulucu.com", "/recognition/faces", "", nil},
		{"192.0.2.9", "/face/v1.0/detect", "", nil}, {"face.cn-north-4.myhuaweicloud.com", "/v2//face-detect", "", nil},
		{"", "", "", nil},
	} {
		got, ok := s.Call(c.host, c.path, c.action)
		if ok != (c.want != nil) || ok && (!slices.Equal(got.Does, c.want) || got.Source == "" || got.Whose == "" || got.Name() == "") {
			t.Errorf("%q %q %q: %v %+v", c.host, c.path, c.action, ok, got)
		}
	}
	for name, want := range map[string]string{
		"face.eu-west-101.myhuaweicloud.com": "Huawei Cloud", "face.*.myhuaweicloud.com": "Huawei Cloud", "a.face.cn-north-4.myhuaweicloud.com": "Huawei Cloud",
		"rekognition.us-east-1.amazonaws.com": "Amazon Rekognition", "s3.us-east-1.amazonaws.com": "", "face..myhuaweicloud.com": "", "face.myhuaweicloud.com": "", "obs.cn-north-4.myhuaweicloud.com": "",
	} {
		if h, ok := s.Host(name); ok != (want != "") || h.Whose != want {
			t.Errorf("%q: %v %+v", name, ok, h)
		}
	}
}

// TestCallsAreChecked: an entry that would accuse anybody is refused.
func TestCallsAreChecked(t *testing.T) {
	const about = "schema: mingshi.hosts/v1\nsource: s\ndate: 2026-01-02\nhosts: [{suffix: a.example, whose: A, purpose: face-api, source: s, date: 2026-01-02}]\ncalls: ["
	for name, entry := range map[string]string{
		"an action anywhere":  "{whose: A, action: DetectFace, does: [detect], source: s, date: 2026-01-02}",
		"neither":             "{whose: A, host: a.example, does: [detect], source: s, date: 2026-01-02}",
		"a host nobody knows": "{whose: A, host: b.example, path: /x, does: [detect], source: s, date: 2026-01-02}",
		"no function":         "{whose: A, path: /x, does: [see], source: s, date: 2026-01-02}",
		"no source":           "{whose: A, path: /x, does: [detect], date: 2026-01-02}",
		"twice":               "{whose: A, path: /x, does: [], source: s, date: 2026-01-02}, {whose: A, path: /x, does: [], source: s, date: 2026-01-02}",
		"a query":             "{whose: A, path: '/x?y', does: [], source: s, date: 2026-01-02}",
	} {
		if _, err := Load(fstest.MapFS{"hosts.yaml": {Data: []byte(about + entry + "]\n")}}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
