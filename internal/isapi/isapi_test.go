package isapi

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	hik  = `xmlns="http://www.hikvision.com/ver20/XMLSchema"`
	std  = `xmlns="http://www.isapi.org/ver20/XMLSchema"`
	head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
)

const recorder = head + `<DeviceInfo version="2.0" ` + hik + `>
<deviceName>前台录像机</deviceName><deviceID>48443030-3030-3030-3030-027700000001</deviceID><model>LAB-7604N</model>
<serialNumber>LAB-7604N0420260101CCWR000000017WCVU</serialNumber><macAddress>02:77:1a:b0:00:11</macAddress>
<firmwareVersion>V4.31.0</firmwareVersion><firmwareReleasedDate>build 260101</firmwareReleasedDate><deviceType>NVR</deviceType>
<unknown><nested>x</nested></unknown></DeviceInfo>`

const channels = head + `<InputProxyChannelList version="1.0" ` + std + ` size="3">
<InputProxyChannel version="1.0"><id>1</id><name>大门</name><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol>
<addressingFormatType>ipaddress</addressingFormatType><ipAddress>192.0.2.31</ipAddress><managePortNo>8000</managePortNo><srcInputPort>1</srcInputPort>
<userName>admin</userName><password>hunter2</password><model>LAB-2CD</model><serialNumber>LAB-2CD0001</serialNumber><firmwareVersion>V5.7.1</firmwareVersion>
</sourceInputPortDescriptor><enableAnr>false</enableAnr></InputProxyChannel>
<InputProxyChannel><id>2</id><name/><sourceInputPortDescriptor><proxyProtocol>ONVIF</proxyProtocol><ipAddress>0.0.0.0</ipAddress><hostName>cam.example</hostName>
<managePortNo>99999</managePortNo></sourceInputPortDescriptor></InputProxyChannel>
<InputProxyChannel><id>3</id><name>Camera 03</name></InputProxyChannel>
<InputProxyChannel><name>without a number</name></InputProxyChannel></InputProxyChannelList>`

const states = `<InputProxyChannelStatusList ` + hik + `><InputProxyChannelStatus><id>1</id><online>true</online><chanDetectResult>connect</chanDetectResult>
</InputProxyChannelStatus><InputProxyChannelStatus><id>2</id><online>false</online><chanDetectResult>userOrPasswordError</chanDetectResult></InputProxyChannelStatus>
<InputProxyChannelStatus><id>3</id></InputProxyChannelStatus></InputProxyChannelStatusList>`

const inputs = `<VideoInputChannelList version="1.0" ` + hik + `><VideoInputChannel><id>1</id><inputPort>1</inputPort><videoInputEnabled>true</videoInputEnabled>
<name>Camera 01</name><videoFormat>PAL</videoFormat><resDesc>NO VIDEO</resDesc></VideoInputChannel><VideoInputChannel><id>2</id><name>收银台</name>
<resDesc> 1280*720(HD720P)P25</resDesc></VideoInputChannel><VideoInputChannel><id>3</id></VideoInputChannel></VideoInputChannelList>`

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func TestRead(t *testing.T) {
	d, err := ReadDevice([]byte(recorder))
	if err != nil {
		t.Fatal(err)
	}
	if x := cmp.Diff(Device{Name: "前台录像机", Model: "LAB-7604N", Serial: "LAB-7604N0420260101CCWR000000017WCVU", MAC: "02:77:1a:b0:00:11",
		Firmware: "V4.31.0 build 260101", Type: "NVR"}, d); x != "" {
		t.Error(x)
	}
	cs, err := ReadChannels([]byte(channels))
	if err != nil {
		t.Fatal(err)
	}
	if x := cmp.Diff([]Channel{
		{ID: "1", Name: "大门", Protocol: "HIKVISION", Addr: netip.MustParseAddr("192.0.2.31"), Port: 8000, Model: "LAB-2CD", Serial: "LAB-2CD0001", Firmware: "V5.7.1"},
		{ID: "2", Protocol: "ONVIF", Host: "cam.example"},
		{ID: "3", Name: "Camera 03"},
	}, cs, cmpopts.EquateComparable(netip.Addr{})); x != "" {
		t.Error(x)
	}
	ss, err := ReadStates([]byte(states))
	if err != nil {
		t.Fatal(err)
	}
	if x := cmp.Diff([]State{{"1", yes(), "connect"}, {"2", no(), "userOrPasswordError"}, {ID: "3"}}, ss); x != "" {
		t.Error(x)
	}
	is, err := ReadInputs([]byte(inputs))
	if err != nil {
		t.Fatal(err)
	}
	if x := cmp.Diff([]Input{{"1", "Camera 01", yes(), no()}, {"2", "收银台", nil, yes()}, {ID: "3"}}, is); x != "" {
		t.Error(x)
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{states, "<html><body>login</body></html>", `<DeviceInfoX/>`} {
		if _, err := ReadDevice([]byte(body)); !errors.Is(err, ErrOther) {
			t.Errorf("%.30q: %v, want another document", body, err)
		}
	}
	for _, body := range []string{"", "not xml", `<!DOCTYPE a [<!ENTITY b "c">]><DeviceInfo/>`, strings.Repeat("<a>", 100)} {
		if _, err := ReadDevice([]byte(body)); err == nil {
			t.Errorf("%.30q was read", body)
		}
	}
}

func TestRecorder(t *testing.T) {
	for typ, want := range map[string][2]bool{"NVR": {true, false}, "hybirdNVR": {true, true}, "DVR": {true, true}, "IPCamera": {}, "IPDome": {}, "ACS": {}, "": {}} {
		r, a := Device{Type: typ}.Recorder()
		if got := [2]bool{r, a}; got != want {
			t.Errorf("%q: %v, want %v", typ, got, want)
		}
	}
}

func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		body           string
		ok, no, locked bool
	}{
		{`<ResponseStatus ` + hik + `><requestURL>/ISAPI/x</requestURL><statusCode>4</statusCode><statusString>Invalid Operation</statusString><subStatusCode>notSupport</subStatusCode></ResponseStatus>`, true, true, false},
		{`<ResponseStatus><subStatusCode>lowPrivilege</subStatusCode></ResponseStatus>`, true, false, false},
		{`<userCheck ` + std + `><statusValue>401</statusValue><lockStatus>unlock</lockStatus><unlockTime>0</unlockTime><retryLoginTime>4</retryLoginTime></userCheck>`, true, false, false},
		{`<userCheck><statusValue>401</statusValue><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime></userCheck>`, true, false, true},
		{`<userCheck><retryLoginTime>0</retryLoginTime></userCheck>`, true, false, true},
		{`<userCheck><statusString>lockedIpFailed</statusString></userCheck>`, true, false, true},
		{`<html>locked</html>`, false, false, false},
	} {
		r, ok := ReadRefusal([]byte(c.body))
		if ok != c.ok || r.NotSupported() != c.no || r.Locked != c.locked || Locked([]byte(c.body)) != c.locked {
			t.Errorf("%s: %+v %v", c.body, r, ok)
		}
	}
}

// TestPathsOnlyRead: nothing that writes, shows pictures or lists persons is among the questions.
func TestPathsOnlyRead(t *testing.T) {
	var all []Path
	for _, f := range Forms() {
		all = append(all, f.Of(7))
	}
	for _, p := range append(all, Paths()...) {
		path, query, _ := strings.Cut(string(p), "?")
		if !strings.HasPrefix(path, "/ISAPI/") || query != "" && query != "format=json" || !Listed(p) {
			t.Errorf("%s", p)
		}
		for _, word := range []string{"picture", "FDSearch", "FaceDataRecord", "UserInfo/Search", "CaptureFaceData", "AcsEvent", "faceScore", "triggers", "activate", "reboot", "Security", "auth"} {
			if strings.Contains(strings.ToLower(path), strings.ToLower(word)) {
				t.Errorf("%s asks for %s", p, word)
			}
		}
	}
	for _, p := range []Path{"/ISAPI/Smart/FaceDetect/0", "/ISAPI/Smart/FaceDetect/1x", "/ISAPI/Intelligent/FDLib/1/picture", ""} {
		if Listed(p) {
			t.Errorf("%s is on the list", p)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{recorder, channels, states, inputs, "", "<a", `<userCheck><lockStatus>lock`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ReadDevice(b); err == nil {
			d.Recorder()
		}
		cs, _ := ReadChannels(b)
		ss, _ := ReadStates(b)
		is, _ := ReadInputs(b)
		if len(cs) > maxChannels || len(ss) > maxChannels || len(is) > maxChannels {
			t.Error("more channels than the bound")
		}
		Locked(b)
		ReadFlags(b, "DeviceCap") //nolint:errcheck // it must not panic
		ReadResource(b)           //nolint:errcheck
		ReadFaceMode(b)           //nolint:errcheck
		CountLibraries(b)         //nolint:errcheck
		ReadPersonCount(b)        //nolint:errcheck
		if x, _ := ReadReaders(b); len(x) > maxNames {
			t.Error("more readers than the bound")
		}
		for _, object := range []string{"FaceDetect", "FaceRule", "FaceContrast"} {
			if x, _ := ReadSettings(b, object); len(x) > maxChannels {
				t.Error("more settings than the bound")
			}
		}
		for _, what := range []string{"http-events", "isup", "cloud", "sip"} {
			if x, _ := ReadHosts(b, what); len(x) > maxNames {
				t.Error("more hosts than the bound")
			}
		}
	})
}
