package faceserver

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const secret = "s3cret/p@ss"

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func TestHost(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://user:pass@192.0.2.1:554/live?x=1":  "rtsp://192.0.2.1:554",
		"rtsp://192.0.2.1/live":                    "rtsp://192.0.2.1",
		"RTSP://*:*@cam.example:554/s":             "rtsp://cam.example:554",
		"ffmpeg:rtsp://u:p@192.0.2.1/a#video=h264": "rtsp://192.0.2.1",
		"http://[2001:db8::1]:80/x":                "http://[2001:db8::1]:80",
		"rtsp://u:p@ss@192.0.2.1/live":             "rtsp://192.0.2.1",
		"192.0.2.9":                                "192.0.2.9",
		"broker":                                   "broker",
		"192.0.2.9:1883":                           "192.0.2.9:1883",
		"rtsp://u:p/w@192.0.2.1/live":              "", // a password with a slash: the host cannot be told
		"rtsp://u:p@a/b@192.0.2.1/live":            "",
		"rtsp://host/path@secret":                  "",
		"user:pass@192.0.2.1":                      "",
		"rtsp://{FRIGATE_USER}:{FRIGATE_PASS}@/x":  "",
		"rtsp://u:p?w@192.0.2.1":                   "",
		"rtsp://a b/":                              "",
		"://x":                                     "",
		"exec:ffmpeg -i secret":                    "",
		"":                                         "",
	} {
		if got := Host(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for in, want := range map[string]string{"0.16.2-4d58206": "0.16.2-4d58206", "0.17.0-beta1\n": "0.17.0-beta1", `"2.6.5"`: "2.6.5",
		"<html>": "", "": "", "OK": "", "192.0.2.1": "192.0.2.1", "1.2.3 <script>": "", strings.Repeat("1", 80): ""} {
		if got := Version([]byte(in)); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

const frigateConfig = `{"version":"0.16-0","cameras":{
 "door":{"enabled":true,"face_recognition":{"enabled":true,"min_area":750},"ffmpeg":{"inputs":[{"path":"rtsp://u:` + secret + `x@192.0.2.7/a"},{"path":"rtsp://u:pw1@192.0.2.7:554/b"}]}},
 "yard":{"enabled":true,"face_recognition":{"enabled":false},"ffmpeg":{"inputs":[{"path":"rtsp://127.0.0.1:8554/yard"}]}},
 "odd":"rtsp://u:pw2@192.0.2.8/"},
 "go2rtc":{"streams":{"yard":["rtsp://admin:pw3@192.0.2.9/c","ffmpeg:yard#audio=opus"]}},
 "face_recognition":{"enabled":true,"save_attempts":200,"model_size":"small"},
 "mqtt":{"enabled":true,"host":"192.0.2.10","port":1883,"password":"pw4"},"detectors":{"cpu":{"type":"pw5"}},
 "environment_vars":{"FRIGATE_RTSP_PASSWORD":"pw6"},"semantic_search":{"triggers":{"Zhang San":{"data":"Zhang San"}}}}`

func TestFrigate(t *testing.T) {
	kept := KeepFrigateConfig([]byte(frigateConfig))
	for _, s := range []string{"pw1", "pw2", "pw3", "pw4", "pw5", "pw6", "s3cret", "Zhang", "admin"} {
		if strings.Contains(string(kept), s) {
			t.Errorf("%s is kept in %s", s, kept)
		}
	}
	got, err := ReadFrigate(kept)
	if err != nil {
		t.Fatal(err)
	}
	want := Frigate{Knows: true, On: yes(), Saves: 200, Broker: "192.0.2.10:1883", Cameras: []Camera{
		{Name: "door", On: yes(), Faces: yes(), Hosts: []string{"rtsp://192.0.2.7:554"}},
		{Name: "yard", On: yes(), Faces: no(), Hosts: []string{"rtsp://192.0.2.9"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, c := range []struct{ name, in string }{
		{"nothing", ``}, {"a page", `<html>`}, {"a list", `[]`}, {"another configuration", `{"cameras":[],"mqtt":{}}`}, {"cameras of somebody else", `{"cameras":{}}`},
		{"two documents", `{"cameras":{},"mqtt":{}} {}`}, {"broken off", `{"cameras":{},"mqtt":{}`},
	} {
		if f, err := ReadFrigate(KeepFrigateConfig([]byte(c.in))); err == nil {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	old, err := ReadFrigate(KeepFrigateConfig([]byte(`{"cameras":{"a":{}},"mqtt":{"enabled":false,"host":"192.0.2.1"}}`)))
	if err != nil || old.Knows || old.On != nil || old.Broker != "" || len(old.Cameras) != 1 {
		t.Errorf("an old version: %+v %v", old, err)
	}
}

func TestFrigateStats(t *testing.T) {
	speed := 11.5
	for _, c := range []struct {
		in   string
		want FrigateRun
		ok   bool
	}{
		{`{"cameras":{"a":{"pid":1}},"embeddings":{"face_recognition_speed":11.5,"face_recognition":0.0}}`, FrigateRun{Speed: &speed}, true},
		{`{"cameras":{},"embeddings":{"face_recognition_speed":11.5,"face_recognition":1.5,"cmdline":"x"}}`, FrigateRun{Speed: &speed, Rate: 1.5}, true},
		{`{"cameras":{},"embeddings":{"image_embedding_speed":20}}`, FrigateRun{}, true},
		{`{"cameras":{},"embeddings":{"face_recognition":9}}`, FrigateRun{}, true}, // not as the program writes it
		{`{"embeddings":{"face_recognition_speed":11.5}}`, FrigateRun{}, false},
	} {
		got, err := ReadFrigateStats(KeepFrigateStats([]byte(c.in)))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.in, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.in, d)
		}
	}
}

func TestServices(t *testing.T) {
	ms, err := ReadModules(KeepModules([]byte(`{"success":true,"statuses":[{"moduleId":"FaceProcessing","status":"Started","processed":3,"statusData":{"Zhang San":1}}]}`)))
	if err != nil || len(ms) != 1 || ms[0] != (ServerModule{"FaceProcessing", "Started", 3}) {
		t.Errorf("%+v %v", ms, err)
	}
	if v := ReadPing(KeepPing([]byte(`{"success":true,"message":"2.6.5","hostname":"x"}`))); v != "2.6.5" {
		t.Errorf("version %q", v)
	}
	p, err := ReadStatus(KeepStatus([]byte(`{"status":"OK","build_version":"1.2.0","calculator_version":"c","available_plugins":{"age":"a","calculator":"c","detector":"d"}}`)))
	if d := cmp.Diff(Plugins{Build: "1.2.0", Plugins: []string{"age", "calculator", "detector"}}, p); err != nil || d != "" {
		t.Error(d, err)
	}
	m, err := ReadInfo(KeepInfo([]byte(`{"version":"0.9.5.0","models":{"det_name":"scrfd","rec_name":null,"ga_name":"genderage_v1","mask_detector":"None","triton_uri":"x"},"defaults":{"extract_ga":false}}`)))
	if m != (Models{Version: "0.9.5.0", Detect: true, GenderAge: true}) || err != nil {
		t.Errorf("%+v %v", m, err)
	}
	d, err := ReadDoubleTake(KeepDoubleTake([]byte(`{"version":"1.13.1","storage":{"path":"/.storage"},"detectors":{"compreface":{"url":"http://192.0.2.5:8000","key":"pw1"},"rekognition":{"aws_region":"eu-west-1","aws_secret_access_key":"pw2"}},
		"frigate":{"url":"http://192.0.2.6:5000"},"mqtt":{"host":"192.0.2.7","password":"pw3"}}`)))
	want := DoubleTake{Version: "1.13.1", Frigate: "http://192.0.2.6:5000", Broker: "192.0.2.7", Detectors: []Detector{{"compreface", "http://192.0.2.5:8000"}, {"rekognition", "https://rekognition.eu-west-1.amazonaws.com"}}}
	if diff := cmp.Diff(want, d); err != nil || diff != "" || !d.Wired() {
		t.Error(diff, err)
	}
	idle, err := ReadDoubleTake(KeepDoubleTake([]byte(`{"storage":{},"detectors":{"compreface":{"url":"http://192.0.2.5:8000"}},"cameras":{"a":{"snapshot":{}}},"mqtt":{"host":"192.0.2.7"}}`)))
	if err != nil || idle.Wired() {
		t.Errorf("nothing brings it pictures: %+v %v", idle, err)
	}
	if on, ok := ReadAuth(KeepAuth([]byte(`{"enabled":false,"onboarding_complete":true}`))); on || !ok {
		t.Error("Viseron's logins")
	}
}

const viseronConfig = `# password: pw0
ffmpeg:
  camera:
    door:
      name: "Front door"
      host: 192.0.2.7
      password: pw1
    yard:
      host: "192.0.2.8" # pw2
      note: |
        host: pw3
        face_recognition:
compreface:
  api_key: pw4
  face_recognition:
    save_unknown_faces: true
    labels:
      - Zhang San
    cameras:
      door:
#dlib:
#  face_recognition:
#    cameras:
#      yard:
webserver:
`

func TestViseron(t *testing.T) {
	kept := KeepViseronConfig([]byte(viseronConfig))
	for _, s := range []string{"pw", "Zhang", "Front"} {
		if strings.Contains(string(kept), s) {
			t.Errorf("%s is kept in:\n%s", s, kept)
		}
	}
	got, err := ReadViseron(kept)
	want := Viseron{Recognisers: []string{"compreface"}, Cameras: []Camera{{Name: "door", Faces: yes(), Hosts: []string{"192.0.2.7"}}, {Name: "yard", Hosts: []string{"192.0.2.8"}}}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(d, err)
	}
	for _, in := range []string{"", "<html>\n<body>\n", "face_recognition:\n  cameras:\n    a:\n", `{"error":"no"}`} {
		if v, err := ReadViseron(KeepViseronConfig([]byte(in))); err == nil {
			t.Errorf("%q: %+v", in, v)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, p := range Paths() {
		for _, never := range []string{"faces", "match", "storage", "subjects", "list/installed", "health", "register", "represent", "recogni"} {
			if strings.Contains(string(p), never) {
				t.Errorf("%s is asked for", p)
			}
		}
	}
}

// FuzzReaders: what is kept of any document is text the readers take, and is kept again as it is.
func FuzzReaders(f *testing.F) {
	for _, s := range []string{frigateConfig, viseronConfig, `{"statuses":[{"moduleId":"a"},7]}`, `{"available_plugins":{"a":"b"},"calculator_version":1}`, `{"models":{"det_name":{}},"defaults":{}}`, `[[[`, `{"cameras":{"(withheld)":1}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, keep := range []Keep{KeepFrigateConfig, KeepFrigateStats, KeepModules, KeepPing, KeepStatus, KeepInfo, KeepDoubleTake, KeepAuth} {
			kept := keep(b)
			if kept != nil && !json.Valid(kept) {
				t.Fatalf("%q became %q", b, kept)
			}
			ReadFrigate(kept)      //nolint:errcheck // it must not panic
			ReadFrigateStats(kept) //nolint:errcheck // likewise
			ReadModules(kept)      //nolint:errcheck // likewise
			ReadStatus(kept)       //nolint:errcheck // likewise
			ReadInfo(kept)         //nolint:errcheck // likewise
			ReadDoubleTake(kept)   //nolint:errcheck // likewise
			ReadAuth(kept)
			ReadPing(kept)
		}
		kept := KeepViseronConfig(b)
		if again := KeepViseronConfig(kept); string(again) != string(kept) {
			t.Errorf("%q is kept as %q", kept, again)
		}
		ReadViseron(kept) //nolint:errcheck // it must not panic
		if h := Host(string(b)); strings.ContainsAny(h, "@?# \n") {
			t.Errorf("host %q", h)
		}
	})
}
