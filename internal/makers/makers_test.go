package makers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parsers lists every protocol of the package.
func parsers() map[string]func([]byte) (Device, error) {
	return map[string]func([]byte) (Device, error){"hanwha": ParseHanwha, "bosch": ParseBosch, "sony": ParseSony, "i-pro": ParseIPRO,
		"vivotek": ParseVivotek, "tdp": ParseTDP, "xiongmai": ParseXiongmai}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func hanwha(mac, ip, model string) []byte {
	b := make([]byte, hanwhaLen)
	b[0] = hanwhaReply
	copy(b[0x13:], mac)
	copy(b[0x25:], ip)
	copy(b[0x6d:], model)
	copy(b[0x85:], "http://"+ip+"/index.htm")
	return b
}

func bosch() []byte {
	b := append(NewBosch(7)[:8], 2, 0x77, 0, 0, 0, 4, 0, 0, 192, 0, 2, 67, 255, 255, 255, 0, 192, 0, 2, 1)
	return append(b, 0, 0, 0, 0)
}

const boschDoc = `<?xml version="1.0"?><root xmlns="OEMExt00:device-1-0"><device><friendlyName>FLEXIDOME LAB</friendlyName><unitName>Hall</unitName>
<unitIPAddress>192.0.2.67</unitIPAddress><physAddress>02-77-00-00-00-04</physAddress><serialNumber>0400</serialNumber><deviceType>VideoIP</deviceType><HTTPPort>80</HTTPPort></device></root>`

// ipro lays an answer out with its tags beginning at an offset.
func ipro(at int) []byte {
	b := make([]byte, at)
	copy(b, "\x00\x01\x00\x40\x00\x0d\x02\x77\x00\x00\x00\x05")
	for _, tag := range []struct {
		n uint16
		v string
	}{{iproAddr, "\xc0\x00\x02\x44"}, {0x21, "\xff\xff\xff\x00"}, {0x22, "\xc0\x00\x02\x01"}, {iproHTTPPort, "\x00\x50"}, {iproFullName, "Entrance\x00\x00"}, {iproModel, "WV-LAB\x00\x00"}} {
		b = binary.BigEndian.AppendUint16(b, tag.n)
		b = binary.BigEndian.AppendUint16(b, uint16(len(tag.v)))
		b = append(b, tag.v...)
	}
	return append(b, 0xff, 0xff, 0x12, 0x34)
}

func vivotek() []byte {
	return append(NewVivotek(9), "\x01\x04Hall\x02\x06\x02\x77\x00\x00\x00\x06\x03\x04\xc0\x00\x02\x45\x04\x01\x06\x02\x00\x50\x09\x06IP-LAB"...)
}

func tdp(body string) []byte { return append(NewTDP()[:tdpHeader:tdpHeader], body...) }

func xiongmai(body string) []byte {
	b := NewXiongmai()
	b[1] = 1
	binary.LittleEndian.PutUint16(b[14:], xiongmaiReply)
	binary.LittleEndian.PutUint32(b[16:], uint32(len(body)))
	return append(b, body...)
}

const (
	tdpDoc      = `{"result":{"device_type":"SMART.IPCAMERA","device_model":"C-LAB","ip":"192.0.2.70","mac":"02-77-00-00-00-07","mgt_encrypt_schm":{}},"error_code":0}`
	xiongmaiDoc = `{"NetWork.NetCommon":{"HostName":"LocalHost","HostIP":"0x470200C0","MAC":"02:77:00:00:00:08","SN":"0a1b2c3d","TCPPort":34567,"HttpPort":80,"ChannelNum":4,"DeviceType":1,"Version":"V4.02.LAB"},"Ret":100,"SessionID":"0x00000000"}`
)

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		maker, name string
		data        []byte
		want        Device
	}{
		{"hanwha", "whole", hanwha("02:77:00:00:00:03", "192.0.2.66", "SND-LAB"), Device{Model: "SND-LAB", MAC: "02:77:00:00:00:03", IPv4: addr("192.0.2.66")}},
		{"hanwha", "a model that fills its field", hanwha("02:77:00:00:00:03", "192.0.2.66", "XNV-LAB-12"), Device{Model: "XNV-LAB-12", MAC: "02:77:00:00:00:03", IPv4: addr("192.0.2.66")}},
		{"hanwha", "longer than it was", append(hanwha("02:77:00:00:00:03", "x", "m"), make([]byte, 100)...), Device{Model: "m", MAC: "02:77:00:00:00:03"}},
		{"bosch", "binary", bosch(), Device{MAC: "02:77:00:00:00:04", IPv4: addr("192.0.2.67")}},
		{"bosch", "XML", []byte(boschDoc), Device{Model: "FLEXIDOME LAB", Name: "Hall", Serial: "0400", MAC: "02:77:00:00:00:04", IPv4: addr("192.0.2.67"), HTTPPort: 80, Class: "VideoIP"}},
		{"bosch", "XML with zeros behind", []byte(boschDoc + "\x00\x00"), Device{Model: "FLEXIDOME LAB", Name: "Hall", Serial: "0400", MAC: "02:77:00:00:00:04", IPv4: addr("192.0.2.67"), HTTPPort: 80, Class: "VideoIP"}},
		{"sony", "whole", []byte("\x02MAC:02-77-00-00-00-05\xffMODEL:SNC-LAB\xffSERIAL:0005\xffIPADR:192.0.2.69\xffWEBPORT:80\xffSOFTVERSION:1.2\xff\x03"),
			Device{Model: "SNC-LAB", Serial: "0005", MAC: "02:77:00:00:00:05", IPv4: addr("192.0.2.69"), HTTPPort: 80, Firmware: "1.2"}},
		{"sony", "an address with colons, no end", []byte("\x02mac:02:77:00:00:00:05"), Device{MAC: "02:77:00:00:00:05"}},
		{"i-pro", "tags behind the header", ipro(48), Device{Model: "WV-LAB", Name: "Entrance", MAC: "02:77:00:00:00:05", IPv4: addr("192.0.2.68"), HTTPPort: 80}},
		{"i-pro", "tags further on", ipro(53), Device{Model: "WV-LAB", Name: "Entrance", MAC: "02:77:00:00:00:05", IPv4: addr("192.0.2.68"), HTTPPort: 80}},
		{"vivotek", "whole", vivotek(), Device{Model: "IP-LAB", Name: "Hall", MAC: "02:77:00:00:00:06", IPv4: addr("192.0.2.69"), HTTPPort: 80}},
		{"vivotek", "cut short", vivotek()[:20], Device{Name: "Hall", MAC: "02:77:00:00:00:06"}},
		{"tdp", "whole", tdp(tdpDoc), Device{Model: "C-LAB", MAC: "02:77:00:00:00:07", IPv4: addr("192.0.2.70"), Class: "SMART.IPCAMERA"}},
		{"xiongmai", "whole", xiongmai(xiongmaiDoc), Device{Name: "LocalHost", Serial: "0a1b2c3d", MAC: "02:77:00:00:00:08", IPv4: addr("192.0.2.71"), HTTPPort: 80, Firmware: "V4.02.LAB", Channels: 4}},
		{"xiongmai", "padded", xiongmai(xiongmaiDoc + "\n\x00"), Device{Name: "LocalHost", Serial: "0a1b2c3d", MAC: "02:77:00:00:00:08", IPv4: addr("192.0.2.71"), HTTPPort: 80, Firmware: "V4.02.LAB", Channels: 4}},
	} {
		got, err := parsers()[tt.maker](tt.data)
		if err != nil {
			t.Errorf("%s, %s: %v", tt.maker, tt.name, err)
		}
		if d := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Errorf("%s, %s: %s", tt.maker, tt.name, d)
		}
	}
}

func TestNoAnswers(t *testing.T) {
	questions := map[string][]byte{"hanwha": NewHanwha(), "bosch": NewBosch(1), "sony": NewSony(), "i-pro": NewIPRO([6]byte{2, 0x77}, addr("192.0.2.1")),
		"vivotek": NewVivotek(1), "tdp": NewTDP(), "xiongmai": NewXiongmai()}
	for maker, parse := range parsers() {
		if d, err := parse(questions[maker]); !errors.Is(err, ErrQuestion) {
			t.Errorf("%s takes its own question for %+v, %v", maker, d, err)
		}
		for name, data := range map[string][]byte{"nothing": nil, "a byte": {0}, "zeros": make([]byte, 300), "another protocol": []byte("HTTP/1.1 200 OK\r\n\r\n"),
			"too long": bytes.Repeat([]byte{0xb}, maxDatagram+1)} {
			if d, err := parse(data); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s takes %s for %+v, %v", maker, name, d, err)
			}
		}
	}
	for maker, data := range map[string][]byte{"hanwha": hanwha("", "", ""), "sony": []byte("\x02X:y\xff\x03"), "vivotek": append(NewVivotek(1), 7, 1, 1), "tdp": tdp("{}"),
		"xiongmai": xiongmai("{}"), "bosch": []byte("<root><device/></root>")} {
		if d, err := parsers()[maker](data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: nobody is %+v, %v", maker, d, err)
		}
	}
}

// The question of i-PRO ends in a checksum: of a packet that the maker's own tool sends it is the sum of all bytes and one.
func TestIPROChecksum(t *testing.T) {
	own := strings.Repeat("\x00", 26) + "\x20\x11\x1e\x11\x23\x1f\x1e\x19\x13"
	if got := iproSum([]byte(own)); got != 1+0x20+0x11+0x1e+0x11+0x23+0x1f+0x1e+0x19+0x13 {
		t.Errorf("%x", got)
	}
	if b := NewIPRO([6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, addr("255.255.255.255")); len(b) != 52 || binary.BigEndian.Uint16(b[50:]) != iproSum(b[:50]) {
		t.Errorf("%x", b)
	}
}

func FuzzParsers(f *testing.F) {
	for _, b := range [][]byte{hanwha("02:77:00:00:00:03", "192.0.2.66", "m"), bosch(), []byte(boschDoc), ipro(48), vivotek(), tdp(tdpDoc), xiongmai(xiongmaiDoc), NewSony()} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for maker, parse := range parsers() {
			d, err := parse(b)
			if err == nil && d.nobody() {
				t.Errorf("%s: an answer of nobody", maker)
			}
			if strings.ContainsAny(d.Model+d.Name+d.Serial+d.Firmware+d.Class, "\x1b\n\x00") {
				t.Errorf("%s: unclean: %+v", maker, d)
			}
		}
	})
}
