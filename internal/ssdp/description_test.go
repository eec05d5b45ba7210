package ssdp

import (
	"errors"
	"testing"
)

const described = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major></specVersion><URLBase>http://192.0.2.7:80</URLBase>
<device><deviceType>urn:schemas-upnp-org:device:EmbeddedNetDevice:1</deviceType><friendlyName>LANTING LT-F510 - 192.0.2.7</friendlyName><manufacturer>Lanting</manufacturer>
<modelName>LT-F510</modelName><modelNumber>LT-F510</modelNumber><serialNumber>LT0001</serialNumber><UDN>uuid:4d696e69-444c-164e-9d41-0000deadbeef</UDN></device></root>`

func TestParseDescription(t *testing.T) {
	d, err := ParseDescription([]byte(described))
	if err != nil || d.Manufacturer != "Lanting" || d.Model != "LT-F510" || d.Serial != "LT0001" || d.Name != "LANTING LT-F510 - 192.0.2.7" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, s := range []string{"", "<html><body>device</body></html>", "<root/>", "<root><device", `{"root":{}}`} {
		if d, err := ParseDescription([]byte(s)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %+v, %v", s, d, err)
		}
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(described))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDescription(b)
		if err == nil && len(d.Manufacturer) > 4*maxText {
			t.Errorf("%d bytes", len(d.Manufacturer))
		}
	})
}
