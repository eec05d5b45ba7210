package knowledge

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mingshi-audit/mingshi/audit"
)

func loaded(t testing.TB) *Set {
	t.Helper()
	s, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestModels: series are matched whole, and what is sold beside them without faces is not.
func TestModels(t *testing.T) {
	s := loaded(t)
	for _, c := range []struct {
		vendor, model string
		want          audit.Function // the furthest; "" is none
	}{
		{"HIKVISION", "DS-K1T344MX", audit.Identify}, {"Hikvision", "DS-K1T343MWX", audit.Identify}, {"Hikvision", "ds-k1t331w", audit.Identify},
		{"Hikvision", "DS-K1T607TMFW", audit.Identify}, {"Hangzhou Hikvision Digital Technology Co., Ltd.", "DS-K1T604MF", audit.Identify},
		{"Hikvision", "iDS-2CD7A46G2-IZHSY", audit.Identify}, {"Hikvision", "iDS-2CD7A46G0-IZHSYR", audit.Identify}, {"Hikvision", "IDS-2CD71C5G0-IZS", audit.Capture},
		{"Dahua", "ASI7214Y-V3", audit.Identify}, {"Dahua", "DHI-ASI7214Y-V3", audit.Identify}, {"Dahua", "ASI6213J-FT", audit.Identify}, {"Dahua", "ASI7223X-A-T1", audit.Identify},
		{"Intelbras", "SS 3540 MF FACE EX", audit.Identify}, {"Dahua", "SS 3530 MF FACE W", audit.Identify},
		{"UNV", "OET-213H-NB", audit.Identify}, {"Sunmi", "FM020", audit.Identify},
		// false friends: fingerprint and card terminals, recorders that only claim, other lines, parts of names, other makers
		{"Hikvision", "DS-K1T804BF", ""}, {"Hikvision", "DS-K1T803MF", ""}, {"Hikvision", "DS-K1T8003MF", ""}, {"Hikvision", "DS-K1T501SF", ""}, {"Hikvision", "DS-K1T105E", ""},
		{"Hikvision", "DS-7608NXI-I2/8P/S", ""}, {"Hikvision", "DS-7616NI-Q2", ""}, {"Hikvision", "iDS-7616NXI-I2/16P/X", ""}, {"Hikvision", "iDS-7204HUHI-M1/FA", ""},
		{"Hikvision", "DS-2CD2443G0-IW", ""}, {"Hikvision", "DS-2CD2532F-IWS", ""}, {"Hikvision", "DS-2CD7A46G0-IZS", ""}, {"Hikvision", "iDS-2CD7A46", ""},
		{"Hikvision", "XDS-K1T344MX", ""}, {"Hikvision", "DS-K1T3440000.", ""}, {"Hikvision", "DS-K1T344MX\nDS", ""},
		{"Dahua", "ASI2212H", ""}, {"Dahua", "ASI1212D", ""}, {"Dahua", "IPC-HDW5442T-ZE", ""}, {"Dahua", "ASC2204C", ""}, {"Dahua", "SURFACE 3530", ""},
		{"Intelbras", "SS 3430 BIO", ""}, {"Sunmi", "FM010", ""}, {"Sunmi", "FM0201", ""}, {"Uniview", "IPC3614SR3", ""},
		{"Acme", "DS-K1T344MX", ""}, {"", "DS-K1T344MX", ""}, {"Hikvision", "", ""},
	} {
		m, ok := s.Model(c.vendor, c.model)
		if ok != (c.want != "") || ok && (m.Functions[len(m.Functions)-1] != c.want || m.Source == "" || m.Note.IsZero()) {
			t.Errorf("%q %q: %v %+v", c.vendor, c.model, ok, m)
		}
	}
}

func TestHosts(t *testing.T) {
	s := loaded(t)
	for name, want := range map[string]string{
		"api-cn.faceplusplus.com": "Megvii Face++", "API-CN.FACEPLUSPLUS.COM.": "Megvii Face++", "apiieu.hik-connect.com": "Hikvision",
		"dev.eu.ezvizlife.com": "EZVIZ (Hikvision group)", "cloudapi.ovopark.com": "万店掌 Ovopark", "website.huidian.api.ulucu.com": "悠络客 Ulucu",
		"www.easy4ipcloud.com": "Dahua", "store.sunmi.com": "商米 Sunmi",
		"myhik-connect.com": "", "hik-connect.com.example.org": "", "sunmi.com": "", "faceplusplus.com": "", "com": "", "": "", "192.0.2.1": "", ".": "",
	} {
		h, ok := s.Host(name)
		if ok != (want != "") || h.Whose != want || ok && (h.Means().ZH == "" || h.Source == "") {
			t.Errorf("%q: %v %+v", name, ok, h)
		}
	}
	if h, _ := s.Host("ys7.com"); !h.Hearsay || !strings.Contains(h.Means().EN, "general knowledge") {
		t.Error("what nobody saw is not marked")
	}
}

// TestFilesAreSourced: every file says where it is from and as of when.
func TestFilesAreSourced(t *testing.T) {
	s := loaded(t)
	var names []string
	for _, r := range s.Refs() {
		names = append(names, r.Name)
		if r.Schema == "" || r.Date == "" || len(r.SHA256) != 64 || r.Replaced || len(s.File(r.Name)) == 0 {
			t.Errorf("%+v", r)
		}
	}
	if want := []string{"hosts.yaml", "models.yaml", "oui.yaml", "rtsp.yaml", "vendors.yaml", "web.yaml"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v: name a new file in the documentation", names, want)
	}
}

// TestReplace: a user's file stands in place of the built-in one of that name, and no other file is taken.
func TestReplace(t *testing.T) {
	const about = "source: s\ndate: 2026-01-02\n"
	model := "schema: mingshi.models/v1\n" + about + "models: [{vendor: Hikvision, pattern: 'ACME-1', functions: [verify], source: s, date: 2026-01-02}]\n"
	s, err := Load(fstest.MapFS{"models.yaml": {Data: []byte(model)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Model("Hikvision", "acme-1"); !ok {
		t.Error("the user's model is not known")
	}
	if _, ok := s.Model("Hikvision", "DS-K1T344MX"); ok {
		t.Error("the built-in file was not replaced")
	}
	for _, r := range s.Refs() {
		if r.Replaced != (r.Name == "models.yaml") {
			t.Errorf("%+v", r)
		}
	}
	var unknown *UnknownError
	if _, err := Load(fstest.MapFS{"model.yaml": {Data: []byte(model)}}); !errors.As(err, &unknown) || unknown.Name != "model.yaml" || len(unknown.Known) != 6 {
		t.Errorf("an unknown file: %v", err)
	}
	if _, err := Load(fstest.MapFS{"models.yaml/x": {Data: []byte(model)}}); !errors.As(err, &unknown) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Load(os.DirFS("/nonexistent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	same, err := Load(fstest.MapFS{"models.yaml": {Data: loaded(t).File("models.yaml")}})
	if err != nil || same.Refs()[1].Replaced {
		t.Errorf("the same file is no replacement: %v", err)
	}
}

// TestStrict: one mistake a file, and what is said of it.
func TestStrict(t *testing.T) {
	const about = "source: s\ndate: 2026-01-02\n"
	model := func(s string) string { return "schema: mingshi.models/v1\n" + about + "models:\n  - " + s + "\n" }
	host := func(s string) string { return "schema: mingshi.hosts/v1\n" + about + "hosts:\n  - " + s + "\n" }
	for _, c := range []struct{ file, text, want string }{
		{"models", "", "models.yaml"},
		{"models", "schema: mingshi.models/v2\n" + about, "schema"},
		{"models", "schema: mingshi.models/v1\nsource: s\ndate: soon\n", "date"},
		{"models", model(`{vendor: Dahua, pattern: 'ASI7', functions: [verify], source: s, date: 2026-01-02, colour: red}`), "unknown field"},
		{"models", model(`{vendor: Dahua, pattern: 'ASI7', functions: [verify], date: 2026-01-02}`), "no source"},
		{"models", model(`{vendor: Dahua, pattern: 'ASI7', functions: [verify], source: s}`), "date"},
		{"models", model(`{vendor: Dahua, pattern: 'ASI7', functions: [], source: s, date: 2026-01-02}`), "no function"},
		{"models", model(`{vendor: Dahua, pattern: 'ASI7', functions: [see], source: s, date: 2026-01-02}`), "functions [see]"},
		{"models", model(`{vendor: DAHUA, pattern: 'ASI7', functions: [verify], source: s, date: 2026-01-02}`), "spelled"},
		{"models", model(`{vendor: Dahua, pattern: '.*FACE.*', functions: [verify], source: s, date: 2026-01-02}`), "of its own"},
		{"models", model(`{vendor: Dahua, pattern: 'ASI7(', functions: [verify], source: s, date: 2026-01-02}`), "missing closing"},
		{"models", model(`{vendor: Dahua, pattern: ASI7, functions: [verify], source: s, date: 2026-01-02}`) + `  - {vendor: Dahua, pattern: ASI7, functions: [verify], source: s, date: 2026-01-02}`, "twice"},
		{"hosts", host(`{suffix: example.org, whose: A, purpose: face-api, date: 2026-01-02}`), "no source"},
		{"hosts", host(`{suffix: "*.example.org", whose: A, purpose: face-api, source: s, date: 2026-01-02}`), "not a name"},
		{"hosts", host(`{suffix: org, whose: A, purpose: face-api, source: s, date: 2026-01-02}`), "not a name"},
		{"hosts", host(`{suffix: example.org, purpose: face-api, source: s, date: 2026-01-02}`), "nobody"},
		{"hosts", host(`{suffix: example.org, whose: A, purpose: fun, source: s, date: 2026-01-02}`), "purpose"},
		{"hosts", host(`{suffix: example.org, whose: A, purpose: face-api, source: s, date: 2026-01-02}`) + `  - {suffix: example.org, whose: B, purpose: face-api, source: s, date: 2026-01-02}`, "twice"},
		{"oui", "schema: mingshi.oui/v1\n" + about + "entries: [{prefixes: \"00BC99\"}]\n", "no vendor"},
	} {
		if _, err := Load(fstest.MapFS{c.file + ".yaml": {Data: []byte(c.text)}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q\n%s", c.file, err, c.want, c.text)
		}
	}
}

func FuzzLookups(f *testing.F) {
	s := loaded(f)
	f.Add("Hikvision", "DS-K1T344MX")
	f.Add("", "api-cn.faceplusplus.com")
	f.Fuzz(func(t *testing.T, vendor, x string) {
		if m, ok := s.Model(vendor, x); ok && len(m.Functions) == 0 {
			t.Error("a model without functions")
		}
		s.Host(x)
	})
}
