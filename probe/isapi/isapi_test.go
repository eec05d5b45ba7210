package isapi

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
)

// asked runs the module against a device that answers every path by the function, and returns what it was asked.
func asked(t *testing.T, answer func(path string) (code int, body string)) ([]audit.Observation, []string) {
	t.Helper()
	os, paths := probetest.Run{Module: Module(), Vendor: "Hikvision"}.Scripted(t, func(w http.ResponseWriter, r *http.Request) {
		code, body := answer(r.URL.Path)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	})
	for _, p := range paths {
		if path, get := strings.CutPrefix(p, "GET "); !get || !wire.Listed(wire.Path(path)) {
			t.Errorf("asked %s, which is not on the list", p)
		}
	}
	return os, paths
}

func TestAnswers(t *testing.T) {
	info := func(typ string) string {
		return `<DeviceInfo xmlns="urn:any"><model>LAB</model><deviceType>` + typ + `</deviceType></DeviceInfo>`
	}
	no := `<ResponseStatus><statusCode>4</statusCode><subStatusCode>notSupport</subStatusCode></ResponseStatus>`
	for _, c := range []struct {
		name   string
		answer func(path string) (int, string)
		want   []audit.Status
		kind   audit.Kind
	}{
		{"a camera has no channels", func(string) (int, string) { return 200, info("IPCamera") }, []audit.Status{audit.OK}, audit.KindCamera},
		{"a terminal", func(string) (int, string) { return 200, info("ACS") }, []audit.Status{audit.OK}, audit.KindTerminal},
		{"something else lives there", func(string) (int, string) { return 200, "<html><body>hello</body></html>" }, []audit.Status{audit.Malformed}, ""},
		{"a page that is not there", func(string) (int, string) { return 404, "" }, []audit.Status{audit.NotSupported}, ""},
		{"refused in the maker's words", func(string) (int, string) { return 403, no }, []audit.Status{audit.NotSupported}, ""},
		{"a document type", func(string) (int, string) { return 200, `<!DOCTYPE a [<!ENTITY b "c">]><DeviceInfo>&b;</DeviceInfo>` }, []audit.Status{audit.Malformed}, ""},
		{"a network recorder without lists is asked for sockets too", func(p string) (int, string) {
			if strings.HasSuffix(p, "deviceInfo") {
				return 200, info("NVR")
			}
			return 403, no
		}, []audit.Status{audit.OK, audit.NotSupported, audit.NotSupported}, audit.KindRecorder},
		{"an empty recorder is not asked whether it gets anything", func(p string) (int, string) {
			if strings.HasSuffix(p, "deviceInfo") {
				return 200, info("NVR")
			}
			return 200, `<InputProxyChannelList/>`
		}, []audit.Status{audit.OK, audit.OK}, audit.KindRecorder},
		{"lists that are something else", func(p string) (int, string) {
			if strings.HasSuffix(p, "deviceInfo") {
				return 200, info("hybirdNVR")
			}
			return 200, "<x>"
		}, []audit.Status{audit.OK, audit.Malformed, audit.Malformed}, audit.KindRecorder},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			os, paths := asked(t, c.answer)
			var got []audit.Status
			for _, o := range os {
				got = append(got, o.Status)
			}
			if c.want[0] == audit.OK { // what it does with faces is asked then; that is not tested here
				i := slices.IndexFunc(os, func(o audit.Observation) bool { return o.Class != audit.ClassInventory || o.Kind == "enumeration" })
				got, paths = got[:i], paths[:i]
			}
			if !slices.Equal(got, c.want) || len(paths) != len(c.want) {
				t.Errorf("%v to %q, want %v", got, paths, c.want)
			}
			var kind audit.Kind
			if id := os[0].Identity; id != nil {
				kind = id.Kind
			}
			if kind != c.kind {
				t.Errorf("kind %q, want %q", kind, c.kind)
			}
		})
	}
}

// TestWho: who made the device and what it is, from what firmware of different years writes of itself.
func TestWho(t *testing.T) {
	for inside, want := range map[string]audit.Identity{
		`<model>DS-2CD2443G0-IW</model><systemContact>Hikvision.China</systemContact><deviceType>IPCamera</deviceType>`: {Vendor: "Hikvision", Model: "DS-2CD2443G0-IW", Kind: audit.KindCamera},
		`<manufacturer></manufacturer><model>DS-2TD1228-2/QA</model><deviceType>IPCamera</deviceType>`:                  {Vendor: "Hikvision", Model: "DS-2TD1228-2/QA", Kind: audit.KindCamera},
		`<manufacturer>hikvision</manufacturer><model>iDS-7204</model><deviceType>DVR</deviceType>`:                     {Vendor: "Hikvision", Model: "iDS-7204", Kind: audit.KindRecorder},
		`<manufacturer> Lanting </manufacturer><model>LT-1</model><deviceType>IPDome</deviceType>`:                      {Vendor: "Lanting", Model: "LT-1", Kind: audit.KindCamera},
		`<model>DS-KV9503-WBE1</model><deviceType>VIS</deviceType>`:                                                     {Vendor: "Hikvision", Model: "DS-KV9503-WBE1", Kind: audit.KindTerminal},
		`<model>DS-KV6113-WPE1(C)</model>`: {Vendor: "Hikvision", Model: "DS-KV6113-WPE1(C)", Kind: audit.KindTerminal},
		`<model>LAB</model>`:               {Vendor: "Hikvision", Model: "LAB"},
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			os, _ := asked(t, func(p string) (int, string) {
				if strings.HasSuffix(p, "deviceInfo") {
					return 200, `<?xml version="1.0" encoding="utf-8"?><DeviceInfo version="1.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">` + inside + `</DeviceInfo>`
				}
				return 404, "<html><body>404</body></html>"
			})
			if id := os[0].Identity; id == nil || id.Vendor != want.Vendor || id.Model != want.Model || id.Kind != want.Kind || id.Weak {
				t.Errorf("%s: %+v", inside, id)
			}
		})
	}
}

// TestRefusedWithSuccess: a refusal is one whatever HTTP calls it, and in XML and JSON alike.
func TestRefusedWithSuccess(t *testing.T) {
	for body, want := range map[string]audit.Status{
		`<ResponseStatus version="2.0" xmlns="http://www.std-cgi.com/ver20/XMLSchema"><statusCode>4</statusCode><subStatusCode>notSupport</subStatusCode></ResponseStatus>`: audit.NotSupported,
		`<ResponseStatus><subStatusCode>methodNotAllowed</subStatusCode></ResponseStatus>`:                                                                                  audit.NotSupported,
		`<ResponseStatus><subStatusCode>lowPrivilege</subStatusCode></ResponseStatus>`:                                                                                      audit.Refused,
		`<ResponseStatus><subStatusCode>deviceBusy</subStatusCode></ResponseStatus>`:                                                                                        audit.Inconclusive,
		`{"statusCode":4,"statusString":"Invalid Operation","subStatusCode":"notSupport","errorCode":1073741825}`:                                                           audit.NotSupported,
		`{"ResponseStatus":{"statusCode":4,"statusString":"Invalid Operation","subStatusCode":"notSupport"}}`:                                                               audit.NotSupported,
		`<html><body>welcome</body></html>`: audit.Malformed,
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			os, _ := asked(t, func(p string) (int, string) {
				if strings.HasSuffix(p, "deviceInfo") {
					return 200, `<DeviceInfo><model>LAB</model><deviceType>IPCamera</deviceType></DeviceInfo>`
				}
				return 200, body
			})
			for _, o := range os[1:] {
				if o.Status != want && o.Kind != "enumeration" && o.Class != audit.ClassLive {
					t.Errorf("%s: %s to %s", body, o.Status, o.Kind)
				}
			}
		})
	}
}

// TestHybrid: a recorder's channels are those it fetches and those wired to it together, sockets that are switched off left out.
func TestHybrid(t *testing.T) {
	for _, c := range []struct {
		kind, proxied string
		inputs, want  int
	}{
		{"DVR", `<InputProxyChannelList size="2"/>`, 4, 4},
		{"hybirdNVR", `<InputProxyChannelList><InputProxyChannel><id>9</id></InputProxyChannel></InputProxyChannelList>`, 8, 9},
		{"NVR", `<InputProxyChannelList><InputProxyChannel><id>1</id></InputProxyChannel><InputProxyChannel><id>2</id></InputProxyChannel></InputProxyChannelList>`, 3, 2},
	} {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			os, _ := asked(t, func(p string) (int, string) {
				switch p {
				case "/ISAPI/System/deviceInfo":
					return 200, `<DeviceInfo><model>LAB</model><deviceType>` + c.kind + `</deviceType></DeviceInfo>`
				case "/ISAPI/ContentMgmt/InputProxy/channels":
					return 200, c.proxied
				case "/ISAPI/System/Video/inputs/channels":
					var b strings.Builder
					for i := range c.inputs + 1 {
						fmt.Fprintf(&b, `<VideoInputChannel><id>%d</id><videoInputEnabled>%t</videoInputEnabled><name>Camera</name><resDesc>NO VIDEO</resDesc></VideoInputChannel>`, i+1, i < c.inputs)
					}
					return 200, `<VideoInputChannelList>` + b.String() + `</VideoInputChannelList>`
				}
				return 403, ""
			})
			channels := 0
			for _, o := range os {
				if o.Identity != nil {
					channels = max(channels, o.Identity.Channels)
				}
			}
			if channels != c.want {
				t.Errorf("%d channels, want %d", channels, c.want)
			}
		})
	}
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct {
		target audit.Target
		want   bool
	}{
		{audit.Target{Method: "tcp-connect", Addr: at}, false},
		{audit.Target{Method: "sadp", Addr: at}, true},
		{audit.Target{Method: "tcp-connect", Addr: at, Identity: audit.Identity{Vendor: "HIKVISION"}}, true},
		{audit.Target{Method: "tcp-connect", Addr: netip.AddrPortFrom(at.Addr(), 8000), Identity: audit.Identity{Vendor: "HIKVISION"}}, false},
		{audit.Target{Method: "sadp", Addr: at, Foreign: true}, false},
	} {
		if got := Module().Wants(c.target); got != c.want {
			t.Errorf("%+v: %v", c.target, got)
		}
	}
}
