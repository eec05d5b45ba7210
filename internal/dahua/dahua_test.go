package dahua

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const remote = "table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Address=192.0.2.41\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.DeviceType=LAB-IPC-1\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Enable=true\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.HttpPort=80\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Mac=02:77:1a:b0:00:41\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Password=hunter2\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.UserName=admin\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.SerialNo=LABIPC00041\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.VideoInputs[0].Name=x\r\n" +
	"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.ProtocolType=Dahua2\r\n" +
	"table.RemoteDevice.System_CONFIG_NETCAMERA_INFO_3.Address=192.168.0.0\r\n" +
	"table.RemoteDevice.System_CONFIG_NETCAMERA_INFO_3.Enable=false\r\n" +
	"table.RemoteDevice.System_CONFIG_NETCAMERA_INFO_3.HttpPort=99999\r\n"

const titles = "table.ChannelTitle[1].Name=通道2\ntable.ChannelTitle[0].Name=大门=东\ntable.ChannelTitle[0].Name=again\n"

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func TestRead(t *testing.T) {
	got := ReadRemoteDevices(Read([]byte(remote)))
	if d := cmp.Diff([]RemoteDevice{
		{Index: 0, Enabled: yes(), Addr: netip.MustParseAddr("192.0.2.41"), HTTPPort: 80, MAC: "02:77:1a:b0:00:41", Serial: "LABIPC00041", Type: "LAB-IPC-1", Protocol: "Dahua2"},
		{Index: 3, Enabled: no()},
	}, got, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Title{{0, "大门=东"}, {1, "通道2"}}, ReadTitles(Read([]byte(titles)))); d != "" {
		t.Error(d)
	}
	if got := ReadIndexes(Read([]byte("channels[0]=2\r\nchannels[1]=0\r\nchannels[2]=x\r\nError\r\n"))); !slices.Equal(got, []int{0, 2}) {
		t.Error(got)
	}
	if got := Read([]byte("serialNumber=LAB1\ndeviceType=31\nappAutoStart\n<html a=b>\n")); len(got) != 2 || got.Text("serialNumber") != "LAB1" {
		t.Error(got)
	}
	if got := Read([]byte(strings.Repeat("a=b\n", 3) + "k=" + strings.Repeat("x", maxLine) + "\n")); len(got) != 1 {
		t.Errorf("%d values", len(got))
	}
}

func TestWithhold(t *testing.T) {
	in := remote + "table.X.PassWord[0]=abc\ntoken=q"
	got := string(Withhold([]byte(in)))
	if len(got) != len(in) || strings.Contains(got, "hunter2") || strings.Contains(got, "admin") || strings.Contains(got, "abc") || strings.Contains(got, "=q") {
		t.Errorf("%s", got)
	}
	if !strings.Contains(got, "LABIPC00041") || !strings.Contains(got, "Password=*******") {
		t.Errorf("%s", got)
	}
}

// TestWithholdForeign: a server that writes its events to whatever it is asked tells of persons in JSON.
func TestWithholdForeign(t *testing.T) {
	const events = "--myboundary\r\nContent-Length: 9\r\n\r\nCode=AccessControl;action=Pulse;index=0;data={\r\n   \"CardName\" : \"Li Si\",\r\n   \"UserID\" : \"90017\"\r\n}\r\n" +
		"Code=FaceRecognition;action=Pulse;index=1;data={\"Name\":\"Li Si\"}\n{\"Name\":\"Li Si\"}\n"
	got := string(Withhold([]byte(events)))
	if len(got) != len(events) || strings.Contains(got, "Li Si") || strings.Contains(got, "90017") || !strings.Contains(got, "Code=FaceRecognition;action=Pulse;index=1;data=*") {
		t.Error(got)
	}
}

func TestLocked(t *testing.T) {
	for s, want := range map[string]bool{"Error: Account Locked, remain 1800 s": true, "Invalid Authority!": false, "unlock": false, "AccountLocked": true, "the clock is blocked": false, "": false} {
		if Locked([]byte(s)) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

// TestRequestsOnlyRead: every question is a get, or one of the two that read by another word.
func TestRequestsOnlyRead(t *testing.T) {
	for _, r := range append(Requests(), Caps(1), Deployed(MaxAsked)) {
		_, query, _ := strings.Cut(string(r), "?")
		action, rest, _ := strings.Cut(strings.TrimPrefix(query, "action="), "&")
		reads := strings.HasPrefix(action, "get") || r == Libraries || r == Attach || r == AttachDoor
		if !strings.HasPrefix(string(r), "/cgi-bin/") || !reads || strings.Contains(rest, "action") || !Allowed(r) {
			t.Errorf("%s", r)
		}
	}
	for _, r := range []Request{Caps(0), Deployed(MaxAsked + 1), Deployed(-1), "/cgi-bin/faceRecognitionServer.cgi?action=startFind", "/cgi-bin/magicBox.cgi?action=reboot", ""} {
		if Allowed(r) {
			t.Errorf("%s may be asked", r)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{remote, titles, "channels[0]=1", "", "=", "a=b=c", "\x00=\xff\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := Read(b)
		if len(ReadRemoteDevices(v)) > maxChannels || len(ReadTitles(v)) > maxChannels || len(ReadIndexes(v)) > maxChannels {
			t.Error("more channels than the bound")
		}
		Locked(b)
		if w := Withhold(b); len(w) != len(b) {
			t.Error("withholding changed the length")
		}
	})
}
