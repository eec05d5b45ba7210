package ssdp

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const answer = "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\nLOCATION: http://192.0.2.64:49152/rootDesc.xml\r\nSERVER: Linux/4.9 UPnP/1.0 LAB/1.0\r\n" +
	"ST: upnp:rootdevice\r\nUSN: uuid:0A1B2C3D-0000-4000-8000-027700000001::upnp:rootdevice\r\n\r\n"

func TestParse(t *testing.T) {
	want := Message{Target: "upnp:rootdevice", USN: "uuid:0A1B2C3D-0000-4000-8000-027700000001::upnp:rootdevice", UUID: "0a1b2c3d-0000-4000-8000-027700000001",
		Location: "http://192.0.2.64:49152/rootDesc.xml", Server: "Linux/4.9 UPnP/1.0 LAB/1.0"}
	announced := want
	announced.Announced = true
	gone := announced
	gone.Gone = true
	notify := strings.NewReplacer("HTTP/1.1 200 OK", "NOTIFY * HTTP/1.1", "ST:", "NT:").Replace(answer)
	for _, tt := range []struct {
		name, data string
		want       Message
	}{
		{"answer", answer, want},
		{"line feeds, small letters, zeros", strings.ToLower(strings.ReplaceAll(answer[:17], "\r", "")) + strings.NewReplacer("\r", "", "LOCATION", "Location", "SERVER", "server").Replace(answer[17:]) + "\x00", want},
		{"announcement", notify, announced},
		{"farewell", strings.Replace(notify, "EXT:", "NTS: ssdp:byebye", 1), gone},
		{"no identifier of that form", "HTTP/1.1 200 OK\r\nUSN: something\r\n\r\n", Message{USN: "something"}},
		{"hostile text", "HTTP/1.1 200 OK\r\nST: a\r\nSERVER: \x1b[2Jx\r\n\r\n", Message{Target: "a", Server: "x"}},
	} {
		got, err := Parse([]byte(tt.data))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"our own question": {string(NewSearch(RootDevice, 1)), ErrQuestion},
		"nothing":          {"", ErrMalformed},
		"another status":   {"HTTP/1.1 404 Not Found\r\nST: a\r\n\r\n", ErrMalformed},
		"empty":            {"HTTP/1.1 200 OK\r\n\r\n", ErrMalformed},
		"another protocol": {"<xml/>", ErrMalformed},
		"too long":         {answer + strings.Repeat("X: y\r\n", 4000), ErrMalformed},
	} {
		if m, err := Parse([]byte(tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(answer))
	f.Add(NewSearch(AxisBasic, 1))
	f.Add([]byte("NOTIFY * HTTP/1.1\nNT:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, _ := Parse(b); strings.ContainsAny(m.Target+m.USN+m.Location+m.Server, "\x1b\n\x00") {
			t.Errorf("unclean: %+v", m)
		}
	})
}
