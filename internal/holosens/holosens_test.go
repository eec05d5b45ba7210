package holosens

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	system = `{"platformType":"Linux","barCode":"BAR1","devType":"LAB-X2221-I","fullDeviceType":"LAB-X2221-I@M2221","manufacturer":"HUAWEI","softVersion":"SDC 11.1.0.SPC1",
"hardVersion":"VER.A","ESN":"LAB0001","eth0Mac":"02:77:1a:b0:00:21","eth1Mac":"02:77:1a:b0:00:21","memInfo":{"ddrMem":2}}`
	ids  = `{"IDs":[{"UUID":"u1","deviceID":"34020000001320000001"}]}`
	libs = `{"StatusCode":0,"FaceLibNum":3,"FaceListsArry":[{"ID":1,"FaceListName":"黑名单-王五","FaceListType":1,"OnControl":1,"Threshold":90,"AlgVersion":"1.2"},
{"ID":2,"FaceListName":"staff","FaceListType":2,"OnControl":0},{"FaceListName":"new","FaceListType":2}]}`
	subs = `{"subscriptions":[{"id":1,"metadataURL":"https://sink:pa55@192.0.2.77:9443/meta?key=1","digUserName":"u","digUserPwd":"s3cret"},{"Topic":"all","ID":1,"address":"192.0.2.78","port":37000}]}`
)

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func TestRead(t *testing.T) {
	for _, b := range [][]byte{[]byte(system), Withhold([]byte(system))} {
		d, err := ReadSystem(b)
		if err != nil {
			t.Fatal(err)
		}
		if x := cmp.Diff(Device{Vendor: "HUAWEI", Model: "LAB-X2221-I", Serial: "LAB0001", Firmware: "SDC 11.1.0.SPC1", Hardware: "VER.A", MACs: []string{"02:77:1a:b0:00:21"}}, d); x != "" {
			t.Error(x)
		}
	}
	if n, err := ReadChannels(Withhold([]byte(ids))); err != nil || n != 1 {
		t.Error(n, err)
	}
	for _, b := range [][]byte{[]byte(libs), Withhold([]byte(libs))} {
		l, err := ReadLibraries(b)
		if err != nil {
			t.Fatal(err)
		}
		if x := cmp.Diff(Lists{Counted: true, Libraries: []Library{{1, yes()}, {2, no()}, {ID: -1}}}, l); x != "" {
			t.Error(x)
		}
	}
	rs, err := ReadReceivers(Withhold([]byte(subs)))
	if x := cmp.Diff([]string{"192.0.2.78:37000", "https://192.0.2.77:9443"}, rs); err != nil || x != "" {
		t.Error(err, x)
	}
}

func TestLibraries(t *testing.T) {
	for _, c := range []struct {
		in      string
		n       int
		counted bool
		ok      bool
	}{
		{`{"FaceLibNum":0,"FaceListsArry":[]}`, 0, true, true},
		{`{"FaceLibNum":0}`, 0, true, true},
		{`{"FaceLibNum":2,"FaceListsArry":[{"OnControl":0}]}`, 1, false, true},
		{`{"FaceListsArry":[{"OnControl":1}]}`, 1, false, true},
		{`{"FaceLibNum":2}`, 0, false, false},
		{`{"StatusCode":4,"StatusString":"not supported","FaceListsArry":[]}`, 0, false, false},
		{`{"ResponseStatus":{"StatusCode":1}}`, 0, false, false},
		{`{}`, 0, false, false},
		{`[]`, 0, false, false},
		{`<html>`, 0, false, false},
	} {
		l, err := ReadLibraries([]byte(c.in))
		if (err == nil) != c.ok || len(l.Libraries) != c.n || l.Counted != c.counted {
			t.Errorf("%s: %+v, %v", c.in, l, err)
		}
		if err != nil && !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", c.in, err)
		}
	}
}

func TestWithhold(t *testing.T) {
	got := string(Withhold([]byte(libs))) + string(Withhold([]byte(subs)))
	for _, s := range []string{"王五", "staff", "s3cret", "pa55", "key=1", "Threshold\":90"} {
		if strings.Contains(got, s) {
			t.Errorf("%s is recorded", s)
		}
	}
}

func TestPathsOnlyRead(t *testing.T) {
	for _, p := range Paths() {
		if !strings.HasPrefix(string(p), "/SDCAPI/V") || strings.ContainsAny(string(p), "?#") || strings.Contains(string(p), "FaceRecord") {
			t.Errorf("%s", p)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{system, ids, libs, subs, "", `{"a":[[[[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ReadSystem(b)   //nolint:errcheck // it may fail; it may not panic
		ReadChannels(b) //nolint:errcheck // likewise
		if l, err := ReadLibraries(b); err == nil && len(l.Libraries) > maxList {
			t.Error("more libraries than the bound")
		}
		if rs, err := ReadReceivers(b); err == nil && len(rs) > maxReceivers*2 {
			t.Error("more receivers than the bound")
		}
		Withhold(b)
	})
}
