package isapi

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

// reports are texts that may be an alarm, and whether they are one.
var reports = []struct {
	name, text string
	ok, idle   bool
	functions  []audit.Function
}{
	{"a capture", capture, true, false, []audit.Function{audit.Analyse, audit.Capture, audit.Detect}},
	{"a match", match, true, false, []audit.Function{audit.Detect, audit.Identify}},
	{"nobody", nobody, true, false, []audit.Function{audit.Detect, audit.Identify}},
	{"a passage", passage(75, "face", ""), true, false, []audit.Function{audit.Detect, audit.Identify}},
	{"in an envelope", `{"EventNotificationAlert":` + passage(75, "face", "") + `}`, true, false, []audit.Function{audit.Detect, audit.Identify}},
	{"in XML", xmlAlarm("facedetection", "active", ""), true, false, []audit.Function{audit.Detect}},
	{"in XML, with a name in another encoding", strings.Replace(xmlAlarm("facedetection", "active", ""), "</eventType>", "</eventType><channelName>\xd5\xc5\xc8\xfd</channelName>", 1), true, false, []audit.Function{audit.Detect}},
	{"an identity card", identityCard(105), true, false, []audit.Function{audit.Detect, audit.Verify}},
	{"an identity card of somebody else", identityCard(112), true, false, []audit.Function{audit.Detect, audit.Verify}},
	{"an identity card that was read", identityCard(1), true, false, nil},
	{"a temperature", `{"ipAddress":"192.0.2.21","dateTime":"x","eventType":"FaceTemperatureMeasurementEvent","eventState":"active","FaceTemperatureMeasurementEvent":{"currTemperature":36.6,"mask":"unknown"}}`, true, false, []audit.Function{audit.Detect}},
	{"over", xmlAlarm("facedetection", "inactive", ""), true, true, nil},
	{"a sign of life", xmlAlarm("videoloss", "inactive", ""), true, true, nil},
	{"motion", xmlAlarm("VMD", "active", ""), true, false, nil},
	{"from before", strings.Replace(capture, `"eventState"`, `"isDataRetransmission":true,"eventState"`, 1), true, true, nil},
	{"two in one", capture + capture, false, false, nil},
	{"half of one", capture[:len(capture)/2], false, false, nil},
	{"somebody else's event", `{"eventType":"facedetection","user":"x"}`, false, false, nil},
	{"somebody else's, with a date", `{"eventType":"faceCapture","dateTime":"2026-11-02"}`, false, false, nil},
	{"nothing", "", false, false, nil},
	{"a page", "<html></html>", false, false, nil},
	{"a list", "[1]", false, false, nil},
	{"a null", `{"EventNotificationAlert":null}`, false, false, nil},
}

func identityCard(sub int) string {
	return fmt.Sprintf(`{"ipAddress":"192.0.2.21","dateTime":"x","eventType":"IDCardInfoEvent","eventState":"active","IDCardInfoEvent":{"majorEventType":5,"subEventType":%d,"IDCardInfo":{"name":"x","IDCardNo":"1"}}}`, sub)
}

func TestReadReport(t *testing.T) {
	for _, x := range reports {
		r, ok := ReadReport([]byte(x.text))
		if ok != x.ok || ok && (r.Idle != x.idle || !slices.Equal(r.Functions, x.functions)) {
			t.Errorf("%s: %v %+v", x.name, ok, r)
		}
	}
}

// TestReportChannel: what is no number of a channel is none.
func TestReportChannel(t *testing.T) {
	for in, want := range map[string]string{"1": "1", `"12"`: "12", `"Zhang San"`: "", "123456": "", "null": "", "-1": ""} {
		r, ok := ReadReport([]byte(strings.Replace(capture, `"channelID":1`, `"channelID":`+in, 1)))
		if !ok || r.Channel != want {
			t.Errorf("%s: %v %q", in, ok, r.Channel)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	for _, x := range reports {
		f.Add([]byte(x.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := ReadReport(b)
		again, _ := ReadReport(b)
		switch {
		case !reflect.DeepEqual(r, again):
			t.Errorf("%+v and %+v", r, again)
		case !ok && !reflect.DeepEqual(r, Report{}):
			t.Errorf("not read, and %+v", r)
		case r.Count != 0 || strings.Trim(r.Channel, "0123456789") != "":
			t.Errorf("%+v", r)
		}
		for _, fn := range r.Functions {
			if !slices.Contains(audit.Functions(), fn) {
				t.Error(fn)
			}
		}
	})
}
