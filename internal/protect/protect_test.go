package protect

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const bootstrap = `{"authUserId":"u1","accessKey":"k3y","users":[{"name":"Zhang San","email":"zs@example.com","type":"face"}],
"nvr":{"mac":"0277 1AB00031","name":"shop","type":"UNVR","version":"7.0.1","marketName":"LAB NVR","ssoToken":"t0ken","smartDetection":{"enable":true,"faceRecognition":true,"licensePlateRecognition":false}},
"cameras":[{"id":"c1","mac":"02771AB00032","name":"门口","type":"UVC LAB","host":"192.0.2.41","isConnected":true,"rtspAlias":"abc","featureFlags":{"smartDetectTypes":["person","face"],"hasSpeaker":true},
"smartDetectSettings":{"objectTypes":["person","face"],"autoTrackingObjectTypes":[]}},
{"id":"c2","type":"UVC OLD","host":"cam.example","featureFlags":{"smartDetectTypes":[]},"smartDetectSettings":{}},{"id":"c3","host":null}],"recognition":{"groups":[{"matchedName":"Li Si"}]}}`

func yes() *bool { v := true; return &v }

func TestReadBootstrap(t *testing.T) {
	c, err := ReadBootstrap([]byte(strings.Replace(bootstrap, "0277 1AB00031", "02771AB00031", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := Console{Model: "LAB NVR", Firmware: "7.0.1", MAC: "02:77:1a:b0:00:31", Recognises: yes(), Detects: yes(), Cameras: []Camera{
		{ID: "c1", Model: "UVC LAB", MAC: "02:77:1a:b0:00:32", Addr: netip.MustParseAddr("192.0.2.41"), Online: yes(), Could: []string{"person", "face"}, Set: []string{"person", "face"}, CouldOK: true, SetOK: true},
		{ID: "c2", Model: "UVC OLD", CouldOK: true}, {ID: "c3"}}}
	if d := cmp.Diff(want, c, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
	for _, s := range []string{"", "<html>", "{}", `{"nvr":{}}`, `{"cameras":[]}`, `{"nvr":{"smartDetection":{"faceRecognition":"yes"}},"cameras":[]}`, `[]`, "null"} {
		if _, err := ReadBootstrap([]byte(s)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestShow(t *testing.T) {
	got := string(Show([]byte(bootstrap)))
	for _, s := range []string{"Zhang", "Li Si", "k3y", "t0ken", "example", "门口", "abc", "192.0.2.41"} {
		if strings.Contains(got, s) {
			t.Errorf("%s is recorded", s)
		}
	}
	for _, s := range []string{`"faceRecognition":true`, `"objectTypes":["person","face"]`, `"matchedName":null`} {
		if !strings.Contains(got, s) {
			t.Errorf("%s is not recorded", s)
		}
	}
}

func TestSession(t *testing.T) {
	h := http.Header{"Set-Cookie": {"TOKEN=abc.def; path=/; secure", "other=1"}, "X-Csrf-Token": {"c5rf"}}
	if d := cmp.Diff(http.Header{"Cookie": {"TOKEN=abc.def"}, "X-Csrf-Token": {"c5rf"}}, Session(h)); d != "" {
		t.Error(d)
	}
	if Session(http.Header{"Set-Cookie": {"session=1"}}) != nil || Session(nil) != nil {
		t.Error("a session out of nothing")
	}
	if got := string(SignIn(`a"b`, "p")); got != `{"username":"a\"b","password":"p","rememberMe":false}` {
		t.Error(got)
	}
}

func FuzzReadBootstrap(f *testing.F) {
	for _, s := range []string{bootstrap, "", `{"nvr":{},"cameras":[{},{}]}`, "[[["} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ReadBootstrap(b); err == nil && len(c.Cameras) > maxCameras {
			t.Error("more cameras than the bound")
		}
		Show(b)
	})
}
