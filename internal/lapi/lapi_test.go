package lapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	basic = `{"Response":{"ResponseURL":"/LAPI/V1.0/System/DeviceBasicInfo","CreatedID":-1,"ResponseCode":0,"SubResponseCode":0,"ResponseString":"Succeed","StatusCode":0,"StatusString":"Succeed",` +
		`"Data":{"DeviceModel":"IPC-LAB","SerialNumber":"210235LAB","FirmwareVersion":"LAB.1","MAC":"48-EA-63-00-00-01","DeviceType":"0"}}}`
	denied    = `{"Response":{"ResponseCode":3,"SubResponseCode":0,"ResponseString":"Not Authorized","StatusCode":401,"StatusString":"Unauthorized","Data":"null"}}`
	libraries = `{"Response":{"ResponseCode":0,"ResponseString":"Succeed","Data":{"Num":2,"LibList":[{"ID":3,"PersonNum":13,"FaceNum":5,"Name":"默认员工库","BelongIndex":"x\"y"},{"ID":4}]}}}`
	channels  = `{"Response":{"ResponseCode":0,"Data":{"Nums":3,"DetailInfos":[{"ID":2,"Name":"门","Status":0,"DeviceModel":"","AddressInfo":{"Address":"192.0.2.2","Port":80,"MAC":""}},` +
		`{"ID":1,"Name":"Kitchen","Status":1,"Manufacturer":"HIKVISION","DeviceModel":"M","AddressInfo":{"Address":"192.0.2.1","Port":"81","MAC":"f8:4d:fc:58:ef:c2","Password":"hunter2"}},` +
		`{"ID":3,"Name":"IP Camera 3","Status":0,"AddressInfo":{"Address":""}},{"ID":1,"DeviceModel":"again"},{"ID":9999,"DeviceModel":"far"}]}}}`
)

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func data(t *testing.T, s string) json.RawMessage {
	t.Helper()
	a, err := Read([]byte(s))
	if err != nil || !a.OK() {
		t.Fatal(a, err)
	}
	return a.Data
}

func TestRead(t *testing.T) {
	zero := 0
	d, err := ReadDevice(data(t, basic))
	if diff := cmp.Diff(Device{Model: "IPC-LAB", Serial: "210235LAB", Firmware: "LAB.1", MAC: "48:ea:63:00:00:01", Type: &zero}, d); err != nil || diff != "" {
		t.Error(err, diff)
	}
	a, err := Read([]byte(denied))
	if err != nil || a.OK() || !a.Denied() || a.NotSupported() || a.Locked() || a.Data != nil || a.Text != "Not Authorized Unauthorized" {
		t.Errorf("%+v %v", a, err)
	}
	for _, s := range []string{"", "null", "[]", `"x"`, "<html>", `{}`, `{"Response":null}`, `{"Response":{"Data":{}}}`, `{"Response":{"ResponseCode":"x"}}`, strings.Repeat(" ", maxBody+1)} {
		if _, err := Read([]byte(s)); !errors.Is(err, ErrOther) {
			t.Errorf("%.40q: %v", s, err)
		}
	}
	for text, want := range map[string]bool{"User is locked": true, "Unlocked": false, "x": false} {
		if Locked([]byte(`{"Response":{"ResponseCode":5,"ResponseString":"`+text+`"}}`)) != want {
			t.Errorf("%q", text)
		}
	}
}

func TestReadLists(t *testing.T) {
	ls, err := ReadLibraries(data(t, libraries))
	if d := cmp.Diff([]Library{{Persons: 13, Faces: 5}, {}}, ls); err != nil || d != "" {
		t.Error(err, d)
	}
	cs, empty, err := ReadChannels(data(t, channels))
	if d := cmp.Diff([]Channel{
		{ID: 1, Name: "Kitchen", Maker: "HIKVISION", Model: "M", MAC: "f8:4d:fc:58:ef:c2", Addr: netip.MustParseAddrPort("192.0.2.1:81"), Online: yes()},
		{ID: 2, Name: "门", Addr: netip.MustParseAddrPort("192.0.2.2:80"), Online: no()}}, cs, cmpopts.EquateComparable(netip.AddrPort{})); err != nil || d != "" || empty != 1 {
		t.Error(err, empty, d)
	}
	for _, c := range []struct {
		data  string
		want  []Task
		whole bool
		ok    bool
	}{
		{`{"Num":2,"MonitorList":[{"ID":7,"Enabled":1},{"ID":3,"Enabled":0}]}`, []Task{{3, no()}, {7, yes()}}, true, true},
		{`{"Num":3,"MonitorList":[{"Enable":"1"}]}`, []Task{{0, yes()}}, false, true},
		{`{"Num":0}`, nil, true, true},
		{`{"Enabled":1}`, []Task{{0, yes()}}, false, true},
		{`{"a":[{"Enabled":1}],"b":[{"Enabled":1}]}`, nil, false, false},
		{`{"TaskList":[{"Enabled":1}],"MonitorList":[{"Enabled":1}]}`, nil, false, false},
		{`{}`, nil, false, false}, {`[]`, nil, false, false}, {`null`, nil, false, false},
	} {
		got, whole, err := ReadTasks([]byte(c.data))
		if d := cmp.Diff(c.want, got); d != "" || whole != c.whole || (err == nil) != c.ok {
			t.Errorf("%s: %v %v %s", c.data, whole, err, d)
		}
	}
}

func TestWithhold(t *testing.T) {
	out := string(Withhold(Libraries)([]byte(libraries)))
	if len(out) != len(libraries) || strings.Contains(out, "员工") || strings.Contains(out, `x\"y`) || !strings.Contains(out, "Succeed") || !strings.Contains(out, `"FaceNum":5`) || !json.Valid([]byte(out)) {
		t.Error(out)
	}
	if out := string(Withhold(Channels)([]byte(channels))); strings.Contains(out, "hunter2") || !strings.Contains(out, "Kitchen") || !strings.Contains(out, "192.0.2.1") {
		t.Error(out)
	}
	if out := string(Withhold(BasicInfo)([]byte(channels))); strings.Contains(out, "Kitchen") {
		t.Error(out)
	}
	if out := Withhold(BasicInfo)([]byte("\xff\xd8picture")); out != nil {
		t.Errorf("%q", out)
	}
	if out := string(Withhold(Libraries)([]byte(`{"Name":"half a na`))); strings.Contains(out, "half") {
		t.Error(out)
	}
}

// TestPathsOnlyRead: every question is one of the interface, and none hands out persons.
func TestPathsOnlyRead(t *testing.T) {
	for _, p := range append(Paths(), ChannelRule(0), ChannelRule(MaxChannel)) {
		s := strings.ToLower(string(p))
		if !strings.HasPrefix(string(p), "/LAPI/V1.0/") || !Listed(string(p)) || strings.Contains(s, "subscription") || strings.HasSuffix(s, "/people") || strings.Contains(s, "libraryfile") {
			t.Errorf("%s", p)
		}
	}
	for _, p := range []string{"/LAPI/V1.0/Channels/1/Smart/FaceDetection/Rule/x", "/LAPI/V1.0/PeopleLibraries/3/People", "/LAPI/V1.0/System/Event/Subscription", ""} {
		if Listed(p) {
			t.Errorf("%s", p)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{basic, denied, libraries, channels, `{"Response":{"ResponseCode":0,"Data":{"Enable":1,"CompareEn":"0","MonitorList":[{"Enabled":1}]}}}`, "", "{", `"`, `{"a":"\`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range []Path{BasicInfo, Channels} {
			if w := Withhold(p)(b); len(w) > len(b) || w != nil && json.Valid(b) && (bytes.TrimSpace(b)[0] == '{') && !json.Valid(w) {
				t.Errorf("withheld %q of %q", w, b)
			}
		}
		a, err := Read(b)
		if err != nil {
			a.Data = b
		}
		ReadDevice(a.Data)       //nolint:errcheck // must not panic
		ReadSwitches(a.Data)     //nolint:errcheck // likewise
		ReadCapabilities(a.Data) //nolint:errcheck // likewise
		ReadTasks(a.Data)        //nolint:errcheck // likewise
		ReadLibraries(a.Data)    //nolint:errcheck // likewise
		if cs, _, err := ReadChannels(a.Data); err == nil && len(cs) > maxItems {
			t.Error("more channels than the bound")
		}
	})
}
