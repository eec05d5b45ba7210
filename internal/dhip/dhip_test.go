package dhip

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const body = `{"mac":"02:77:00:00:00:02","method":"client.notifyDevInfo","params":{"deviceInfo":{"AlarmInputChannels":0,` +
	`"DeviceClass":"NVR","DeviceType":"NVR-LAB-16","HttpPort":80,"Port":37777,"IPv4Address":{"DefaultGateway":"192.0.2.1","DhcpEnable":true,"IPAddress":"192.0.2.65","SubnetMask":"255.255.255.0"},` +
	`"IPv6Address":{"IPAddress":"2001:db8::65/112","LinkLocalAddress":"fe80::1/64"},"MachineName":"NVR","Vendor":"General","SerialNo":"LAB0000002","Version":"4.001.0000000.3.R","VideoInputChannels":0,"RemoteVideoInputChannels":16}}}`

func packet(body string) []byte {
	b := NewSearch(true)[:header]
	binary.LittleEndian.PutUint32(b[16:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[24:], uint32(len(body)))
	return append(b[:header:header], body...)
}

func same(t *testing.T, name string, want, got Device) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

func TestNewSearch(t *testing.T) {
	b := NewSearch(true)
	if string(b[:8]) != " \x00\x00\x00DHIP" || int(b[16]) != len(b)-header || b[16] != b[24] || !strings.HasSuffix(string(b), `"uni":1}}`+"\n") {
		t.Errorf("%q", b)
	}
	if b := NewSearchV1(); len(b) != 32 || b[0] != 0xa3 || b[16] != 2 {
		t.Errorf("%q", b)
	}
}

func TestParse(t *testing.T) {
	want := func(change func(*Device)) Device {
		d := Device{Class: "NVR", Model: "NVR-LAB-16", Serial: "LAB0000002", MAC: "02:77:00:00:00:02", IPv4: netip.MustParseAddr("192.0.2.65"),
			IPv6: netip.MustParseAddr("2001:db8::65"), HTTPPort: 80, Port: 37777, Name: "NVR", Vendor: "General", Firmware: "4.001.0000000.3.R", RemoteInputs: 16}
		if change != nil {
			change(&d)
		}
		return d
	}
	replace := func(old, new string) string { return strings.Replace(body, old, new, 1) }
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(replace(`"MachineName":"NVR"`, `"MachineName":"收银台"`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		data []byte
		want Device
	}{
		{"as the maker writes it", packet(body), want(nil)},
		{"padded with zeros", packet(body + "\n\x00\x00"), want(nil)},
		{"without a header", []byte(body), want(nil)},
		{"numbers as text", packet(replace(`"HttpPort":80`, `"HttpPort":"80"`)), want(nil)},
		{"a name in GBK", packet(gbk), want(func(d *Device) { d.Name = "收银台" })},
		{"a name in UTF-8", packet(replace(`"MachineName":"NVR"`, `"MachineName":"收银台"`)), want(func(d *Device) { d.Name = "收银台" })},
		{"a maker instead of a label", packet(replace(`"Vendor":"General"`, `"Manufacturer":"Private"`)), want(func(d *Device) { d.Vendor = "Private" })},
		{"members of other kinds", packet(replace(`"Version":"4.001.0000000.3.R"`, `"Version":{"x":1}`)), want(func(d *Device) { d.Firmware = "" })},
		{"hostile text", packet(replace("NVR-LAB-16", `\u001b[2Jx`)), want(func(d *Device) { d.Model = "x" })},
		{"out of range", packet(replace(`"RemoteVideoInputChannels":16`, `"RemoteVideoInputChannels":-1`)), want(func(d *Device) { d.RemoteInputs = 0 })},
	} {
		got, err := Parse(tt.data)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		same(t, tt.name, tt.want, got)
	}
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"our own question":   {string(NewSearch(true)), ErrQuestion},
		"somebody's command": {string(packet(`{"method":"DHDiscover.setConfig","params":{}}`)), ErrQuestion},
		"nothing":            {"", ErrMalformed},
		"a header alone":     {string(packet("")), ErrMalformed},
		"no object":          {string(packet("[1]")), ErrMalformed},
		"no device":          {string(packet(`{"method":"client.notifyDevInfo","params":{}}`)), ErrMalformed},
		"cut short":          {string(packet(body[:100])), ErrMalformed},
		"too long":           {body + strings.Repeat(" ", maxDatagram), ErrMalformed},
	} {
		if d, err := Parse([]byte(tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

// answerV1 lays an answer out as the older broadcast does.
func answerV1(model, second, third string) []byte {
	b := make([]byte, v1MAC)
	b[0], b[v1Section2Len] = 0xb3, byte(len(second))
	binary.LittleEndian.PutUint32(b[4:], 0x58)
	binary.LittleEndian.PutUint32(b[16:], 2)
	binary.LittleEndian.PutUint16(b[v1Section3Len:], uint16(len(third)))
	copy(b[v1Type:v1Type+v1TypeLen], model)
	copy(b[v1Addr:], "\xc0\x00\x02\x42\xff\xff\xff\x00\xc0\x00\x02\x01")
	return append(append(b, second...), third...)
}

func TestParseV1(t *testing.T) {
	const lines = "Name:PZC\r\nDevice:IPC-LAB-1\r\nIPv6Addr:2001:db8::66/64;gateway:2001:db8::1\r\n\r\nSerialNo:LAB0000003"
	full := Device{Model: "IPC-LAB-1", Name: "PZC", Serial: "LAB0000003", MAC: "02:77:00:00:00:03", IPv4: netip.MustParseAddr("192.0.2.66"), IPv6: netip.MustParseAddr("2001:db8::66")}
	for _, tt := range []struct {
		name string
		data []byte
		want Device
	}{
		{"whole", answerV1("IPC", "02:77:00:00:00:03", lines), full},
		{"padded", append(answerV1("IPC", "02:77:00:00:00:03", lines), 0, 0, 0), full},
		{"model behind the address", answerV1("IPC", "02:77:00:00:00:03IPC-LAB-2", ""), Device{Model: "IPC-LAB-2", MAC: "02:77:00:00:00:03", IPv4: full.IPv4}},
		{"the fixed section alone", answerV1("IPC", "", ""), Device{Model: "IPC", IPv4: full.IPv4}},
		{"lengths that lie", answerV1("IPC", strings.Repeat("x", 200), "")[:v1MAC+4], Device{Model: "IPC", IPv4: full.IPv4}},
	} {
		got, err := ParseV1(tt.data)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		same(t, tt.name, tt.want, got)
	}
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"our own question": {NewSearchV1(), ErrQuestion},
		"nothing":          {nil, ErrMalformed},
		"short":            {[]byte("\xb3\x00"), ErrMalformed},
		"another protocol": {make([]byte, 200), ErrMalformed},
		"nobody":           {append([]byte{0xb3}, make([]byte, 200)...), ErrMalformed},
	} {
		if d, err := ParseV1(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(packet(body))
	f.Add(NewSearch(false))
	f.Add([]byte("DHIP"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, _ := Parse(b); strings.ContainsAny(d.Model+d.Serial+d.Name+d.Vendor, "\x1b\n\x00") {
			t.Errorf("unclean: %+v", d)
		}
	})
}

func FuzzParseV1(f *testing.F) {
	f.Add(answerV1("IPC", "02:77:00:00:00:03", "SerialNo:1"))
	f.Add(NewSearchV1())
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, _ := ParseV1(b); strings.ContainsAny(d.Model+d.Serial+d.Name, "\x1b\n\x00") {
			t.Errorf("unclean: %+v", d)
		}
	})
}
