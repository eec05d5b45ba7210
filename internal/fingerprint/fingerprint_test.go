package fingerprint

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
)

func loaded(t testing.TB) *DB {
	t.Helper()
	db, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestMAC(t *testing.T) {
	db := loaded(t)
	for _, c := range []struct {
		in, vendor string
		kind       audit.Kind
	}{
		{"e8:a0:ed:11:22:33", "Hikvision", ""}, // as in a push of a real device
		{"08-3B-C1-00-00-01", "Hikvision", ""},
		{"a4d5.c200.0001", "Hikvision", ""},
		{"E4246C000001", "Dahua", ""}, // some public lists give it to Hikvision
		{"00:40:8c:12:34:56", "Axis", ""},
		{"0c:a6:4c:00:00:00", "EZVIZ", audit.KindCamera},
		{"60:15:92:6a:bc:de", "Megvii", ""}, // 28 bits
		{"60:15:92:7a:bc:de", "", ""},       // the neighbour's block
		{"34:46:63:2f:ff:ff", "Amcrest", ""},
		{"34:46:63:30:00:00", "", ""},
		{"8c:1f:64:73:4f:ff", "ZKTeco", audit.KindTerminal}, // 36 bits
		{"8c:1f:64:73:50:00", "", ""},
		{"b8:27:eb:00:00:00", "", ""}, // a Raspberry Pi
		{"02:bc:99:00:00:00", "", ""}, // locally administered
		{"01:00:5e:00:00:01", "", ""}, // multicast
		{"", "", ""}, {"hello", "", ""}, {"e8:a0:ed", "", ""}, {"e8:a0:ed:11:22:33:44:55", "", ""}, {"e8:a0:ed:11:22:3g", "", ""},
	} {
		m, ok := db.MAC(c.in)
		if ok != (c.vendor != "") || m.Vendor != c.vendor || m.Kind != c.kind || ok && (m.Strength != Weak || m.Source == "") {
			t.Errorf("%q: %+v %v", c.in, m, ok)
		}
	}
}

func TestPrefixCounts(t *testing.T) {
	got := map[string]int{}
	for _, p := range loaded(t).prefixes {
		got[p.vendor]++
	}
	for vendor, want := range map[string]int{"Hikvision": 83, "EZVIZ": 13, "Dahua": 32, "Uniview": 4, "Tiandy": 2, "Axis": 4, "Hanwha": 3,
		"Bosch": 3, "Reolink": 1, "Sunmi": 3, "CloudWalk": 2, "i-PRO": 4, "Grandstream": 4} {
		if got[vendor] != want {
			t.Errorf("%s has %d prefixes, want %d", vendor, got[vendor], want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"HIKVISION": "Hikvision", "hikvision": "Hikvision", " Hikvision Digital Technology Co., Ltd. ": "Hikvision",
		"Hangzhou Hikvision Digital Technology Co.,Ltd.": "Hikvision", "海康威视": "Hikvision",
		"AXIS": "Axis", "Axis Communications AB": "Axis", "Dahua": "Dahua", "Zhejiang Dahua Technology Co., Ltd.": "Dahua",
		"Bosch": "Bosch", "Bosch Security Systems": "Bosch", "BOSCH SICHERHEITSSYSTEME GmbH": "Bosch",
		"REOLINK": "Reolink", "Reolink Innovation Limited": "Reolink", "Hanwha Techwin": "Hanwha", "Samsung Techwin": "Hanwha",
		"i-PRO": "i-PRO", "UNV": "Uniview", "TP-LINK": "TP-Link", "tp link technologies co., ltd": "TP-Link", "face++": "Megvii",
		"": "", "  ": "", "Co., Ltd.": "Co., Ltd.", "Acme Ltd": "Acme Ltd",
		// part of a name is another company
		"Opelcomm": "Opelcomm", "Pelcombe": "Pelcombe", "Hi-Profile": "Hi-Profile", "Vidisco": "Vidisco", "Unidis": "Unidis", "Vidisys": "Vidisys",
		"Flirtey": "Flirtey", "Anbaichuan Electric": "Anbaichuan Electric", "Jorex Lorex India": "Jorex Lorex India",
		"Shanghai Dahua Scale Factory": "Shanghai Dahua Scale Factory", "Gwinner": "Gwinner", "Winners Electronics": "Winners Electronics",
		"Axis Bank": "Axis Bank", "Bosch Rexroth": "Bosch Rexroth",
	} {
		if got := Canonical(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A maker has one name in all files.
func TestVendorsAreCanonical(t *testing.T) {
	db := loaded(t)
	check := func(v string) {
		if c := db.Canonical(v); !strings.EqualFold(c, v) && c != "Hanwha" && c != "Imou" {
			t.Errorf("%q should be written %q", v, c)
		} else if strings.EqualFold(c, v) && c != v {
			t.Errorf("%q should be written %q", v, c)
		}
	}
	for _, p := range db.prefixes {
		check(p.vendor)
	}
	for _, r := range append(db.web, db.rtsp...) {
		check(r.m.Vendor)
	}
}

func TestHTTP(t *testing.T) {
	db := loaded(t)
	for _, c := range []struct {
		name string
		in   HTTPFacts
		want Match
		ok   bool
	}{
		{"nothing", HTTPFacts{}, Match{}, false},
		{"nginx", HTTPFacts{Server: "nginx"}, Match{}, false},
		{"Hikvision", HTTPFacts{Server: "App-webs/"}, Match{Vendor: "Hikvision", Strength: Medium}, true},
		{"Hikvision recorder", HTTPFacts{Server: "DNVRS-Webs"}, Match{Vendor: "Hikvision", Kind: audit.KindRecorder, Strength: Strong}, true},
		{"Hikvision certificate", HTTPFacts{Subject: "CN=www.hikvision.com,OU=DVRNVR,O=HIKVISION"}, Match{Vendor: "Hikvision", Strength: Strong}, true},
		{"webs alone", HTTPFacts{Server: "Webs"}, Match{Vendor: "Hikvision", Strength: Weak}, true},
		{"Dahua", HTTPFacts{Title: "WEB SERVICE", Headers: http.Header{"P3p": {"CP=CAO PSA OUR"}}}, Match{Vendor: "Dahua", Strength: Weak}, true},
		{"Axis certificate", HTTPFacts{Subject: "CN=axis-accc8e123456,O=Axis Communications AB"},
			Match{Vendor: "Axis", Strength: Strong, MAC: "ac:cc:8e:12:34:56"}, true},
		{"Axis realm", HTTPFacts{Realm: "AXIS_ACCC8E123456"}, Match{Vendor: "Axis", Strength: Strong, MAC: "ac:cc:8e:12:34:56"}, true},
		{"another axis", HTTPFacts{Title: "Praxis Dr. Axis"}, Match{}, false},
		{"Bosch", HTTPFacts{Server: "VCS-VideoJet-Webserver", Realm: "Use 'live' as User Name and the password"}, Match{Vendor: "Bosch", Strength: Strong}, true},
		{"TP-Link", HTTPFacts{Realm: "TP-LINK IP-Camera"}, Match{Vendor: "TP-Link", Kind: audit.KindCamera, Strength: Strong}, true},
		{"ZKTeco", HTTPFacts{Server: "ZK Web Server"}, Match{Vendor: "ZKTeco", Kind: audit.KindTerminal, Strength: Strong}, true},
		{"Frigate", HTTPFacts{Server: "nginx", Title: "Frigate"}, Match{Vendor: "Frigate", Kind: audit.KindServer, Strength: Strong}, true},
		{"a frigate", HTTPFacts{Title: "HMS Victory is no Frigate"}, Match{}, false},
		{"CodeProject.AI", HTTPFacts{Title: "CodeProject.AI Server Dashboard"}, Match{Vendor: "CodeProject", Kind: audit.KindServer, Strength: Strong}, true},
		{"deepface", HTTPFacts{Body: "<h1>Welcome to DeepFace API v0.0.93!</h1>"}, Match{Vendor: "deepface", Kind: audit.KindServer, Strength: Strong}, true},
		{"two makers, one strong", HTTPFacts{Server: "Webs", Title: "Frigate"}, Match{Vendor: "Frigate", Kind: audit.KindServer, Strength: Strong}, true},
		{"two makers", HTTPFacts{Server: "uc-httpd 1.0", Realm: "hikvision"}, Match{}, false},
		{"telephone", HTTPFacts{Server: "snom embedded"}, Match{Vendor: "snom", Kind: audit.KindOther, Strength: Strong}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Best(db.HTTP(c.in))
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(Match{}, "Source", "What")); diff != "" || ok != c.ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
			if ok && got.Source == "" {
				t.Error("no source")
			}
		})
	}
}

func TestRTSP(t *testing.T) {
	db := loaded(t)
	for _, c := range []struct {
		server, realm string
		want          Match
		ok            bool
	}{
		{"", "Hikvision", Match{Vendor: "Hikvision", Strength: Medium}, true},
		{"Dahua Rtsp Server", "Login to 4A0B1C2PAG00001", Match{Vendor: "Dahua", Strength: Strong, Serial: "4A0B1C2PAG00001"}, true},
		{"", "Login to ND01234567890123", Match{}, false}, // another family of firmware
		{"", "Login to ND0123456789012", Match{}, false},
		{"", "device", Match{Vendor: "Dahua", Strength: Weak}, true},
		{"Hipcam RealServer/V1.0", "", Match{Vendor: "Hipcam", Kind: audit.KindCamera, Strength: Medium}, true},
		{"AvigilonOnvifNvt/2.1", "", Match{Vendor: "Avigilon", Strength: Strong}, true},
		{"GStreamer RTSP server", "", Match{}, false},
		{"go2rtc/1.9", "", Match{Vendor: "go2rtc", Kind: audit.KindServer, Strength: Strong}, true},
		{"", "", Match{}, false},
	} {
		got, ok := Best(db.RTSP(c.server, c.realm))
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(Match{}, "Source", "What")); diff != "" || ok != c.ok {
			t.Errorf("%q %q: %v (-want +got):\n%s", c.server, c.realm, ok, diff)
		}
	}
}

// One mistake a file, and what is said of it.
func TestLoadStrict(t *testing.T) {
	const head = "source: s\ndate: 2026-01-02\n"
	rule := func(s string) string { return "schema: mingshi.fingerprint/v1\n" + head + "rules:\n  - " + s + "\n" }
	oui := func(s string) string { return "schema: mingshi.oui/v1\n" + head + "entries:\n  - " + s + "\n" }
	for _, c := range []struct{ file, text, want string }{
		{"web", rule("{vendor: A, strength: strong, title: '^x', colour: red}"), "unknown field"},
		{"web", rule("{vendor: A, strength: strong, title: '('}"), "missing closing )"},
		{"web", rule("{vendor: A, strength: strong, title: 'x*'}"), "matches where there is nothing"},
		{"web", rule("{vendor: A, strength: strong}"), "no condition"},
		{"web", rule("{strength: strong, title: x}"), "no vendor"},
		{"web", rule("{vendor: A, title: x}"), `strength ""`},
		{"web", rule("{vendor: A, strength: strong, kind: toaster, title: x}"), `kind "toaster"`},
		{"web", "schema: mingshi.fingerprint/v2\n" + head, "schema"},
		{"web", "schema: mingshi.fingerprint/v1\ndate: 2026-01-02\n", "no source"},
		{"web", "schema: mingshi.fingerprint/v1\nsource: s\ndate: yesterday\n", "date"},
		{"rtsp", "", "reading data/rtsp.yaml"},
		{"oui", oui(`{vendor: A, prefixes: "00BC9"}`), "not 6, 7 or 9 digits"},
		{"oui", oui(`{vendor: A, prefixes: "00bc99"}`), "not 6, 7 or 9 digits"},
		{"oui", oui(`{vendor: A, prefixes: "02BC99"}`), "of a global address"},
		{"oui", oui(`{vendor: A, prefixes: "00BC99 00BC99"}`), `both "A" and "A"`},
		{"oui", oui(`{prefixes: "00BC99"}`), "no vendor"},
		{"oui", oui(`{vendor: A, kind: x, prefixes: "00BC99"}`), `kind "x"`},
		{"vendors", "schema: mingshi.vendors/v1\n" + head + "vendors: [{name: A, aliases: [c]}, {name: B, aliases: [C Ltd]}]", `of both "A" and "B"`},
		{"vendors", "schema: mingshi.vendors/v1\n" + head + "vendors: [{name: '--'}]", "an empty name"},
	} {
		files := fstest.MapFS{}
		entries, err := fs.ReadDir(data, "data")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := fs.ReadFile(data, "data/"+e.Name())
			if err != nil {
				t.Fatal(err)
			}
			files["data/"+e.Name()] = &fstest.MapFile{Data: b}
		}
		files["data/"+c.file+".yaml"] = &fstest.MapFile{Data: []byte(c.text)}
		if _, err := load(files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q\n%s", c.file, err, c.want, c.text)
		}
	}
}

func FuzzMatch(f *testing.F) {
	db := loaded(f)
	for _, s := range []string{"", "App-webs/", "AXIS_ACCC8E123456", "Login to 4A0B1C2PAG00001", "e8:a0:ed:11:22:33", "海康威视", "Co., Ltd."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		db.MAC(s)
		Best(db.HTTP(HTTPFacts{Server: s, Realm: s, Title: s, Body: s, Subject: s, Issuer: s}))
		Best(db.RTSP(s, s))
		if c := db.Canonical(s); db.Canonical(c) != c {
			t.Errorf("%q: %q is not its own name", s, c)
		}
	})
}
