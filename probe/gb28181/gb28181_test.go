package gb28181

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/gb28181"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	camera   = "34020000001320000001"
	recorder = "34020000001180000001"
	platform = "34020000002000000001"
	upper    = "34000000002000000001"
)

// flow is a request from who to whom, the first of which began the conversation unless late.
func flow(method, from, to, media, body string, late bool) *capture.Flow {
	f := &capture.Flow{Proto: capture.ProtoSIP, Transport: "udp", FromHost: !late,
		Client: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.21:5060")}, Server: capture.Party{Addr: netip.MustParseAddrPort("198.51.100.2:15060")},
		Request: &capture.Message{Method: method, Target: "sip:" + to + "@3402000000", Body: []byte(body), Header: capture.Header{
			{Name: "From", Value: "<sip:" + from + "@3402000000>;tag=1"}, {Name: "To", Value: "<sip:" + to + "@3402000000>"}, {Name: "Content-Type", Value: media}}}}
	if late {
		f.Client, f.Server = f.Server, f.Client
	}
	return f
}

// other lets the other side send it.
func other(f *capture.Flow) *capture.Flow { f.FromHost = !f.FromHost; return f }

func granted(f *capture.Flow, status int) *capture.Flow {
	f.FromHost, f.Answer = !f.FromHost, &capture.Message{Status: status}
	return f
}

const manscdp = "Application/MANSCDP+xml"

func xml(form, command, id, rest string) string {
	return fmt.Sprintf("<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<%s>\r\n<CmdType>%s</CmdType><SN>17</SN><DeviceID>%s</DeviceID>%s</%s>\r\n", form, command, id, rest, form)
}

func gbk(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func catalogue(t testing.TB) string {
	return gbk(t, xml("Response", "Catalog", recorder, `<SumNum>3</SumNum><DeviceList Num="3">
<Item><DeviceID>34020000001310000001</DeviceID><Name>南门入口</Name><Manufacturer>Hikvision</Manufacturer><Model>DS-2CD</Model><Owner>o</Owner><Status>ON</Status><IPAddress>192.0.2.31</IPAddress>
<Info><PTZType>3</PTZType><FunctionType>01/02</FunctionType></Info></Item>
<Item><DeviceID>34020000001310000002</DeviceID><Name>仓库</Name><Manufacturer>Hikvision</Manufacturer><Status>OFF</Status><Info><FunctionType>99</FunctionType></Info></Item>
<Item><DeviceID>34020000002150000001</DeviceID><Name>组</Name></Item></DeviceList>`))
}

func TestDissect(t *testing.T) {
	to := []string{"outbound.hosts =[video-platform sip://198.51.100.2:15060]"}
	const whose = "|" + heardPlatform + " 198.51.100.2:15060 server"
	for _, c := range []struct {
		name string
		flow *capture.Flow
		kind string
		want []string
	}{
		{"a camera registers", flow("REGISTER", camera, platform, "", "", false), heardRegister + " 192.0.2.21:0 camera" + whose, to},
		{"and the platform takes it", granted(flow("REGISTER", camera, platform, "", "", false), 200), heardRegister + " 192.0.2.21:0 camera" + whose, to},
		{"and wants a login", granted(flow("REGISTER", camera, platform, "", "", false), 401), "", nil},
		{"a telephone registers", flow("REGISTER", "1001", "1002", "", "", false), "", nil},
		{"a recorder is alive", flow("MESSAGE", recorder, platform, manscdp, xml("Notify", "Keepalive", recorder, "<Status>OK</Status>"), false), heardMessage + " Keepalive 192.0.2.21:0 recorder" + whose, to},
		{"in a conversation the platform began", flow("MESSAGE", recorder, platform, manscdp, xml("Notify", "Keepalive", recorder, "<Status>OK</Status>"), true), heardMessage + " Keepalive 192.0.2.21:0 recorder" + whose, to},
		{"a catalogue", flow("MESSAGE", recorder, platform, manscdp+"; charset=\"GB2312\"", catalogue(t), false), heardMessage + " Catalog 192.0.2.21:0 recorder" + whose, append([]string{
			"face.capture.capable channel 34020000001310000001=true", "face.detect.capable channel 34020000001310000001=true"}, to...)},
		{"the platform asks for one", other(flow("MESSAGE", platform, recorder, manscdp, xml("Query", "Catalog", recorder, ""), false)), "", nil},
		{"a platform below another", flow("REGISTER", platform, upper, "", "", false), heardRegister + " 192.0.2.21:0 server" + whose, to},
		{"video is asked for", other(flow("INVITE", platform, "34020000001310000001", "APPLICATION/SDP", "v=0\r\ns=Play\r\n", false)), heardInvite + " 192.0.2.21:0 " + whose, to},
		{"a telephone rings", flow("INVITE", "1001", "1002", "application/sdp", "v=0", false), "", nil},
		{"an alarm, with what it says", flow("MESSAGE", camera, platform, manscdp, xml("Notify", "Alarm", camera, "<AlarmDescription>x</AlarmDescription>"), false), "", nil},
		{"who it is", flow("MESSAGE", camera, platform, manscdp, xml("Response", "DeviceInfo", camera, "<Manufacturer>Dahua</Manufacturer><Model>IPC-HF</Model><Firmware>V2</Firmware>"), false), heardMessage + " DeviceInfo 192.0.2.21:0 camera" + whose, to},
		{"a message that is text", flow("MESSAGE", camera, platform, "text/plain", "hello", false), "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			os, err := Dissect(probe.Hearing{}, c.flow)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, o := range os {
				kinds = append(kinds, fmt.Sprintf("%s %s %s", o.Kind, o.Endpoint, o.Identity.Kind))
			}
			if strings.Join(kinds, "|") != c.kind {
				t.Fatalf("%q\n%q", strings.Join(kinds, "|"), c.kind)
			}
			got := probetest.States(t, Module(), os)
			if slices.Sort(c.want); !slices.Equal(got, c.want) {
				t.Errorf("\n%s\n\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestCatalogue: the cameras of a catalogue are behind who told it, in whatever encoding their names are.
func TestCatalogue(t *testing.T) {
	os, err := Dissect(probe.Hearing{}, flow("MESSAGE", recorder, platform, manscdp, catalogue(t), false))
	if err != nil || len(os) != 2 {
		t.Fatal(os, err)
	}
	b := os[0].Behind
	if len(b) != 2 || b[0].Name != "南门入口" || b[0].Vendor != "Hikvision" || b[0].Addr.Addr().String() != "192.0.2.31" || b[1].Name != "仓库" {
		t.Errorf("%+v", b)
	}
	var d Data
	if err := json.Unmarshal(os[0].Data, &d); err != nil || d.ID != recorder || d.Platform != "198.51.100.2:15060" || len(d.Channels) != 1 {
		t.Errorf("%+v %v", d, err)
	}
	if os[0].Class != audit.ClassCapability {
		t.Error(os[0].Class)
	}
	if _, err := Dissect(probe.Hearing{}, flow("MESSAGE", recorder, platform, manscdp, "no XML", false)); err == nil {
		t.Error("what is not the protocol is no error")
	}
}

func FuzzDissect(f *testing.F) {
	f.Add("MESSAGE", camera, manscdp, catalogue(f))
	f.Add("MESSAGE", recorder, manscdp, xml("Notify", "Keepalive", recorder, "<Status>OK</Status>"))
	f.Add("REGISTER", platform, "", "")
	f.Add("INVITE", platform, "application/sdp", "v=0")
	f.Fuzz(func(t *testing.T, method, from, media, body string) {
		for _, late := range []bool{false, true} {
			os, err := Dissect(probe.Hearing{}, flow(method, from, platform, media, body, late))
			if err != nil && len(os) > 0 {
				t.Error("an error and observations")
			}
			for _, o := range os {
				if _, err := Derive(o); err != nil {
					t.Error(err)
				}
				if o.Kind != heardPlatform && wire.User("sip:"+from+"@x") == "" {
					t.Errorf("%q is a device", from)
				}
			}
		}
	})
}
