package sunapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	initJSON   = `{"Initialized": true,"Language": "English","MaxChannel": 4,"SpecialType": "none","Manufacturer": "Hanwha Vision"}`
	initText   = "Initialized=True\r\nLanguage=English\r\nMaxChannel=1\r\nPublicKey=-----BEGIN\r\n"
	deviceNVR  = "{\r\n Model=LAB-4011\r\n FirmwareVersion=v2.10\r\n DeviceType=NVR\r\n ConnectedMACAddress=00:09:18:30:97:01\r\n DeviceName=x\r\n}\r\n"
	faceJSON   = `{"FaceDetection":[{"Channel":0,"Enable":true,"Sensitivity":80,"DetectionAreas":[{"DetectionArea":1,"Enable":false}]},{"Channel":1,"Enable":false}]}`
	faceText   = "Channel.0.FaceDetection.Enable=True\r\nChannel.0.FaceDetection.DetectionArea.1.Enable=False\r\nChannel.1.Enable=False\r\n"
	objectJSON = `{"ObjectDetection":[{"Channel":0,"Enable":true,"ObjectTypes":["Person","Face"]},{"Channel":2,"Enable":true,"ObjectTypes":["Person"]}]}`
	shotsText  = "Channel.0.ObjectTypes=Person, Face\r\n"
	eventText  = "Timestamp=2026-11-01T10:00:00Z\r\nChannel.0.MotionDetection=True\r\nChannel.0.FaceDetection=False\r\nChannel.1.ObjectDetection.Face=True\r\nChannel.0.VideoAnalytics.Passing=False\r\n"
	eventJSON  = `{"ChannelEvent":[{"Channel":0,"MotionDetection":false,"FaceDetection":true,"ObjectDetection":{"Face":false,"Person":true}}]}`
	refused    = "NG\r\nError Code: 604\r\nError Details: Submenu Not Found\r\n"
	refusedJS  = `{"Response":"Fail","Error":{"Code":608,"Details":"Feature Not Implemented"}}`
	attributes = `<?xml version="1.0"?><capabilities><attributes><group name="Eventsource"><category name="Support"><attribute name="FaceDetection" type="bool" value="%"/></category></group></attributes></capabilities>`
)

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func TestRead(t *testing.T) {
	for _, c := range []struct {
		body, name string
		want       []Source
	}{
		{faceJSON, "FaceDetection", []Source{{0, yes(), nil}, {1, no(), nil}}},
		{faceText, "FaceDetection", []Source{{0, yes(), nil}, {1, no(), nil}}},
		{objectJSON, "ObjectDetection", []Source{{0, yes(), yes()}, {2, yes(), no()}}},
		{shotsText, "MetaImageTransfer", []Source{{0, nil, yes()}}},
		{faceJSON, "ObjectDetection", nil},
		{`{"FaceDetection":[{"Enable":true}]}`, "FaceDetection", nil},
		{`{"FaceDetection":[{"Channel":99999,"Enable":true},{"Channel":0.5,"Enable":true},{"Channel":"0","Enable":true}]}`, "FaceDetection", nil},
		{"FaceDetection=True\r\n", "FaceDetection", nil},
	} {
		v, err := Read([]byte(c.body))
		if err != nil {
			if c.want != nil {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		got, err := ReadSources(v, c.name)
		if d := cmp.Diff(c.want, got); d != "" || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v %s", c.body, err, d)
		}
	}
	for _, c := range []struct {
		body string
		want []State
	}{{eventText, []State{{0, "FaceDetection", false}, {1, "ObjectDetection.Face", true}}}, {eventJSON, []State{{0, "FaceDetection", true}, {0, "ObjectDetection.Face", false}}},
		{"Channel.0.MotionDetection=True\r\n", nil}} {
		v, err := Read([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadStates(v)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.body, err, d)
		}
	}
	for _, s := range []string{"", "<html>a=b</html>", "{}", "\xff\xd8", strings.Repeat("x", maxBody+1), "NG"} {
		if v, err := Read([]byte(s)); err == nil {
			t.Errorf("%.20q: %v", s, v)
		}
	}
	for s, code := range map[string]int{refused: 604, refusedJS: 608} {
		_, err := Read([]byte(s))
		var no *Refusal
		if !errors.As(err, &no) || no.Code != code || !no.NotSupported() {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestReadDevice(t *testing.T) {
	for s, want := range map[string]Init{initJSON: {"Hanwha Vision", yes(), 4}, initText: {"", yes(), 1}} {
		v, err := Read([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadInit(v)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", s, err, d)
		}
	}
	v, err := Read([]byte(deviceNVR))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadDevice(v)
	if d := cmp.Diff(Device{Model: "LAB-4011", Firmware: "v2.10", Type: "NVR", MAC: "00:09:18:30:97:01", Name: "x"}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if _, err := ReadDevice(Values{"DeviceType": "NWC"}); err == nil {
		t.Error("a device without a model")
	}
	for value, want := range map[string]bool{"True": true, "False": false, "maybe": false} {
		if faces, err := ReadAttributes([]byte(strings.Replace(attributes, "%", value, 1))); err != nil || faces != want {
			t.Errorf("%s: %v %v", value, faces, err)
		}
	}
	for _, s := range []string{"", "<html/>", `<!DOCTYPE a [<!ENTITY b "c">]><attribute name="FaceDetection" value="True"/>`} {
		if _, err := ReadAttributes([]byte(s)); err == nil {
			t.Errorf("%s", s)
		}
	}
}

func TestStates(t *testing.T) {
	out := string(States([]byte(eventText + "Channel.0.FaceRecognition.Name=Somebody\r\nChannel.0.Age=34\r\n")))
	if strings.Contains(out, "Somebody") || strings.Contains(out, "34") || !strings.Contains(out, "Channel.0.FaceRecognition.Name=*") || !strings.Contains(out, "Channel.1.ObjectDetection.Face=True") {
		t.Error(out)
	}
	if out := string(States([]byte("<html>Somebody"))); strings.Contains(out, "Somebody") {
		t.Error(out)
	}
	for s, want := range map[string]bool{"Account Blocked": true, "the account is locked": true, "Unauthorized": false, "unlock account": false} {
		if Locked([]byte(s)) != want {
			t.Errorf("%q", s)
		}
	}
}

// TestRequestsOnlyRead: every question is a view or a check.
func TestRequestsOnlyRead(t *testing.T) {
	for _, r := range Requests() {
		_, query, asks := strings.Cut(string(r), "?")
		if asks && !strings.HasSuffix(query, "&action=view") && !strings.HasSuffix(query, "&action=check") || strings.Count(query, "action=") > 1 || !asks && r != Attributes {
			t.Errorf("%s", r)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{initJSON, initText, deviceNVR, faceJSON, faceText, objectJSON, shotsText, eventText, eventJSON, refused, refusedJS, attributes, "", "{", "NG\n:"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ReadAttributes(b) //nolint:errcheck // must not panic
		Locked(b)
		States(b)
		v, err := Read(b)
		if err != nil {
			return
		}
		if len(v) > maxValues {
			t.Error("more values than the bound")
		}
		ReadInit(v)   //nolint:errcheck // likewise
		ReadDevice(v) //nolint:errcheck // likewise
		for _, name := range []string{"FaceDetection", "MetaImageTransfer"} {
			if ss, err := ReadSources(v, name); err == nil && len(ss) > maxChannel {
				t.Error("more channels than the bound")
			}
		}
		ReadStates(v) //nolint:errcheck // likewise
	})
}
