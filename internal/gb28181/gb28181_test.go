package gb28181

import (
	"slices"
	"strings"
	"testing"
)

func TestTypeOf(t *testing.T) {
	for id, want := range map[string]Type{
		"34020000001320000001": TypeCamera, "34020000001310000001": TypeCamera, "34020000001180000001": TypeRecorder, "34020000001110000001": TypeRecorder,
		"34020000002000000001": TypePlatform, "34020000001340000001": TypeUnknown, "3402000000132000000": TypeUnknown, "3402000000132000000a": TypeUnknown, "": TypeUnknown,
	} {
		if got := TypeOf(id); got != want {
			t.Errorf("%s: %q", id, got)
		}
	}
}

func TestUser(t *testing.T) {
	for address, want := range map[string]string{
		"sip:34020000001320000001@3402000000": "34020000001320000001", "<sip:34020000001320000001@192.0.2.1:5060>;tag=7": "34020000001320000001",
		`"x" <sip:34020000001320000001@a>`: "34020000001320000001", "sip:34020000001320000001": "34020000001320000001", "sip:340200000013200000012@x": "", "sip:1001@x": "", "sip:34020000001320000001{x@y": "", "sip:": "", "": "",
	} {
		if got := User(address); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}

func table() []struct{ name, body, want string } {
	item := func(s string) string {
		return `<?xml version="1.0"?><Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>34020000001180000001</DeviceID><DeviceList Num="1"><Item><DeviceID>34020000001310000001</DeviceID>` + s + `</Item></DeviceList></Response>`
	}
	return []struct{ name, body, want string }{
		{"a face checkpoint", item("<Info><FunctionType>01</FunctionType></Info>"), "01"},
		{"directly in the entry", item("<FunctionType>1</FunctionType>"), "01"},
		{"several", item("<Info><FunctionType>03/01,02</FunctionType></Info>"), "01 02 03"},
		{"twice", item("<FunctionType>99</FunctionType><Info><FunctionType>99</FunctionType></Info>"), "99"},
		{"no number", item("<Info><FunctionType>face</FunctionType></Info>"), ""},
		{"a number of another kind", item("<Info><FunctionType>2001</FunctionType></Info>"), ""},
		{"none", item("<Info><PTZType>1</PTZType></Info>"), ""},
	}
}

func TestRead(t *testing.T) {
	for _, c := range table() {
		m, err := Read([]byte(c.body), "")
		if err != nil || len(m.Items) != 1 {
			t.Errorf("%s: %+v %v", c.name, m, err)
		} else if got := strings.Join(m.Items[0].Purposes, " "); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	for name, body := range map[string]string{"nothing": "", "text": "hello", "another document": "<html><CmdType>Catalog</CmdType></html>", "no device": "<Notify><CmdType>Keepalive</CmdType></Notify>",
		"no command": "<Notify><DeviceID>34020000001180000001</DeviceID></Notify>", "too long": "<Notify>" + strings.Repeat(" ", maxBody) + "</Notify>"} {
		if m, err := Read([]byte(body), ""); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	many := strings.Repeat("<Item><DeviceID>34020000001310000001</DeviceID></Item>", 300)
	m, err := Read([]byte("<Response><CmdType>Catalog</CmdType><DeviceID>34020000001180000001</DeviceID><DeviceList>"+many+"</DeviceList></Response>"), "")
	if err != nil || len(m.Items) != maxItems {
		t.Errorf("%d items, %v", len(m.Items), err)
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range table() {
		f.Add([]byte(c.body), "")
		f.Add([]byte(c.body[:len(c.body)/2]), "gb2312")
	}
	f.Fuzz(func(t *testing.T, b []byte, charset string) {
		m, err := Read(b, charset)
		if err == nil && (ID(m.Device) == "" || len(m.Items) > maxItems) {
			t.Errorf("%+v", m)
		}
		for _, i := range m.Items {
			if ID(i.ID) == "" || !slices.IsSorted(i.Purposes) {
				t.Errorf("%+v", i)
			}
		}
		User(string(b))
	})
}
