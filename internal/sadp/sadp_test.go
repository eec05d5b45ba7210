package sadp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const answer = `<?xml version="1.0" encoding="UTF-8"?>
<ProbeMatch><Uuid>0A1B2C3D-0000-4000-8000-0A1B2C3D4E5F</Uuid><Types>inquiry</Types><DeviceType>46888</DeviceType>
<DeviceDescription>DS-LAB-4F</DeviceDescription><DeviceSN>DS-LAB-4F20240101AAWRL00000001</DeviceSN><CommandPort>8000</CommandPort>
<HttpPort>80</HttpPort><MAC>02-77-00-00-00-01</MAC><IPv4Address>192.0.2.64</IPv4Address><IPv4SubnetMask>255.255.255.0</IPv4SubnetMask>
<IPv4Gateway>192.0.2.1</IPv4Gateway><IPv6Address>::</IPv6Address><DHCP>false</DHCP><AnalogChannelNum>1</AnalogChannelNum>
<DigitalChannelNum>0</DigitalChannelNum><SoftwareVersion>V5.7.3build 220112</SoftwareVersion><BootTime>2026-01-01 00:00:00</BootTime>
<Activated>true</Activated><HCPlatformEnable>true</HCPlatformEnable></ProbeMatch>`

func want() Device {
	a := netip.MustParseAddr
	return Device{UUID: "0A1B2C3D-0000-4000-8000-0A1B2C3D4E5F", Types: "inquiry", Model: "DS-LAB-4F", Serial: "DS-LAB-4F20240101AAWRL00000001",
		MAC: "02:77:00:00:00:01", IPv4: a("192.0.2.64"), Mask: a("255.255.255.0"), Gateway: a("192.0.2.1"), HTTPPort: 80, CommandPort: 8000,
		AnalogChannels: 1, Firmware: "V5.7.3build 220112", Activated: Yes, Cloud: Yes}
}

func change(f func(*Device)) Device {
	d := want()
	f(&d)
	return d
}

func gbk(s string) string {
	b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestParse(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(answer, old, new, 1) }
	for _, tt := range []struct {
		name, data string
		want       Device
	}{
		{"as the maker writes it", answer, want()},
		{"padded with zeros", answer + "\x00\x00\x00", want()},
		{"other case, a namespace", strings.NewReplacer("<ProbeMatch>", `<x:probematch xmlns:x="urn:x">`, "</ProbeMatch>", "</x:probematch>", "MAC>", "Mac>").Replace(answer), want()},
		{"cut short", answer[:strings.Index(answer, "<BootTime>")], change(func(d *Device) { d.Activated, d.Cloud = NotSaid, NotSaid })},
		{"a recorder", replace("<DigitalChannelNum>0", "<DigitalChannelNum>16"), change(func(d *Device) { d.DigitalChannels = 16 })},
		{"a name in GBK", gbk(replace("DS-LAB-4F<", "大厅球机<")), change(func(d *Device) { d.Model = "大厅球机" })},
		{"a name in UTF-8", replace("DS-LAB-4F<", "大厅球机<"), change(func(d *Device) { d.Model = "大厅球机" })},
		{"hostile text", replace("DS-LAB-4F<", "DS\x1b[2J"+strings.Repeat("A", 300)+"<"), change(func(d *Device) { d.Model = "DS[2J" + strings.Repeat("A", 194) + "…" })},
		{"numbers out of range", replace("<HttpPort>80", "<HttpPort>99999"), change(func(d *Device) { d.HTTPPort = 0 })},
		{"not activated", replace("<Activated>true", "<Activated>false"), change(func(d *Device) { d.Activated = No })},
		{"a model alone", `<ProbeMatch><DeviceDescription>X</DeviceDescription></ProbeMatch>`, Device{Model: "X"}},
	} {
		got, err := Parse([]byte(tt.data))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if d := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"our own question":  {string(NewInquiry("0A1B2C3D-0000-4000-8000-0A1B2C3D4E5F")), ErrQuestion},
		"another's command": {`<Probe><Types>update</Types></Probe>`, ErrQuestion},
		"nothing":           {"", ErrMalformed},
		"no XML":            {"M-SEARCH * HTTP/1.1\r\n\r\n", ErrMalformed},
		"another root":      {"<Envelope/>", ErrMalformed},
		"nothing in it":     {"<ProbeMatch><Uuid>1</Uuid></ProbeMatch>", ErrMalformed},
		"a document type":   {"<!DOCTYPE x><ProbeMatch><MAC>02-77-00-00-00-01</MAC></ProbeMatch>", ErrMalformed},
		"too deep":          {strings.Repeat("<ProbeMatch>", 100), ErrMalformed},
		"too long":          {answer + strings.Repeat(" ", maxDatagram), ErrMalformed},
	} {
		if d, err := Parse([]byte(tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(answer))
	f.Add(NewInquiry("x"))
	f.Add([]byte(`<ProbeMatch><MAC>02-77`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err == nil && d.Model == "" && d.Serial == "" && d.MAC == "" && !d.IPv4.IsValid() {
			t.Error("an answer that says nothing")
		}
		if strings.ContainsAny(d.Model+d.Serial+d.Firmware, "\x1b\n\x00") {
			t.Errorf("unclean: %+v", d)
		}
	})
}
