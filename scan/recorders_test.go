package scan_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/scan"
)

const outside = "203.0.113.7" // no test may contact it

// tape keeps what was recorded.
type tape struct {
	mu sync.Mutex
	x  []evidence.Exchange
}

func (t *tape) Record(x evidence.Exchange) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.x = append(t.x, x)
	return fmt.Sprintf("urn:%d", len(t.x))
}

// audited runs an audit of the shops: the entries are what the inventory lists, everything else must be found.
func audited(t *testing.T, permit audit.Permit, extra []string, inventory []audit.InventoryEntry, shops ...*lab.Shop) (audit.Report, *tape) {
	t.Helper()
	perimeter := slices.Clone(extra)
	for _, s := range shops {
		for _, p := range s.Perimeter() {
			perimeter = append(perimeter, p.String())
		}
	}
	file := &audit.SiteFile{Site: audit.Site{ID: "T-1"}, Authority: guardtest.Authority(perimeter...), Inventory: inventory}
	dialled := &guardtest.Recorder{}
	g, err := guard.New(guard.Config{Authority: file.Authority, Permit: permit, Dial: dialled.Dial})
	if err != nil {
		t.Fatal(err)
	}
	tp := &tape{}
	got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: []discover.Method{discover.Inventory()}, Evidence: tp,
		Login: func(ref string) (string, string, error) {
			for _, s := range shops {
				if u, p, ok := s.Credential(ref); ok {
					return u, p, nil
				}
			}
			return "", "", fmt.Errorf("no login %s", ref)
		}})
	if out := dialled.Outside(g.Perimeter()...); len(out) > 0 {
		t.Errorf("dialled %v, outside the perimeter", out)
	}
	r, err := scan.Assemble(scan.Record{Site: *file, Observations: got.Observations, Coverage: got.Coverage, Run: audit.Run{Permit: permit, Complete: got.Complete}}, all.Modules(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(b); strings.Contains(s, "Lab-behind-the-recorder") {
		t.Error("the recorder's password at its cameras is in the report")
	}
	again, err := scan.Assemble(scan.Record{Site: *file, Observations: r.Observations, Coverage: r.Coverage, Run: r.Run}, all.Modules(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r.Coverage, again.Coverage) + cmp.Diff(r.Devices, again.Devices, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Errorf("judged again, it is another report: %s", d)
	}
	return r, tp
}

func listed(d lab.Running) audit.InventoryEntry {
	return audit.InventoryEntry{ID: d.Name, Address: d.Addr.String(), Credentials: d.Credential}
}

func running(t *testing.T, s *lab.Shop, name string) lab.Running {
	t.Helper()
	d, ok := s.Device(name)
	if !ok {
		t.Fatalf("no device %s", name)
	}
	return d
}

// rows writes the devices behind a recorder, by channel.
func rows(r audit.Report) []string {
	var out []string
	for _, d := range r.Devices {
		if d.Via == "" {
			continue
		}
		level := "unknown"
		for _, f := range audit.Functions() {
			if d.Face[f].Level != audit.Unknown {
				level = "known"
			}
		}
		s := fmt.Sprintf("%s %s %q model=%s serial=%s %s", d.Channel, d.Kind, d.Name, d.Model, d.Serial, strings.Join(d.Sources, "+"))
		if d.Foreign {
			s += " foreign"
		}
		if d.Inferred {
			s += " inferred"
		}
		for _, c := range r.Coverage {
			if c.Target == d.ID && c.Module == "recorder" {
				s += " " + string(c.Status) + " " + level
			}
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func device(t *testing.T, r audit.Report, inventory string) audit.Device {
	t.Helper()
	for _, d := range r.Devices {
		if d.Inventory == inventory {
			return d
		}
	}
	t.Fatalf("no device %s", inventory)
	return audit.Device{}
}

// cameras opens a shop of two open cameras and returns an address next to them where nothing is.
func cameras(t *testing.T) (*lab.Shop, lab.Running, lab.Running, netip.Addr) {
	t.Helper()
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("listed"), lab.OpenCamera("hidden")}, Seed: 7})
	a, b := running(t, shop, "listed"), running(t, shop, "hidden")
	if a.Addr.Addr() == b.Addr.Addr() {
		t.Skip("this system has one loopback address only")
	}
	dead := a.Addr.Addr().As4()
	dead[3] = 200
	return shop, a, b, netip.AddrFrom4(dead)
}

func hikRecorder(proxied []lab.Proxied) lab.Spec {
	return lab.Spec{Name: "nvr", Label: "前台录像机", Kind: audit.KindRecorder, Maker: "Hikvision-like", Model: "LAB-7604N", Serial: "LAB-7604N0420260101CCWR000000017WCVU",
		Login: lab.Login{Auth: lab.AuthDigestMD5, Realm: "LAB-7604N"}, Page: lab.Page{Server: "App-webs/"}, ISAPI: &lab.ISAPI{Type: "NVR", Proxied: proxied}}
}

// TestBehindISAPI: the cameras of a recorder are found, asked where they may be, and listed where they may not.
func TestBehindISAPI(t *testing.T) {
	t.Parallel()
	shop, a, b, dead := cameras(t)
	recorder := labtest.Open(t, lab.Config{Seed: 8, Devices: []lab.Spec{hikRecorder([]lab.Proxied{
		{Name: "大门", Protocol: "ONVIF", Address: a.Addr.Addr().String(), Port: int(a.Addr.Port()), Model: "LAB-A", Serial: a.Spec.Serial},
		{Name: "收银台", Protocol: "ONVIF", Address: b.Addr.Addr().String(), Port: int(b.Addr.Port())},
		{Name: "仓库", Protocol: "HIKVISION", Address: outside, Port: 8000, Model: "LAB-2CD"},
		{Name: "Camera 04", Protocol: "HIKVISION", Address: dead.String(), Port: 8000, Offline: true},
	})}})
	nvr := running(t, recorder, "nvr")
	r, _ := audited(t, audit.PermitLogin, []string{dead.String() + "/32"}, []audit.InventoryEntry{listed(a), listed(nvr)}, shop, recorder)

	if d := cmp.Diff([]string{
		fmt.Sprintf(`1 camera %q model=%s serial=%s inventory+recorder`, a.Spec.Label, a.Spec.Model, a.Spec.Serial),
		fmt.Sprintf(`2 camera %q model=%s serial=%s recorder`, b.Spec.Label, b.Spec.Model, b.Spec.Serial),
		`3 camera "仓库" model=LAB-2CD serial= recorder foreign inferred denied unknown`,
		`4 camera "Camera 04" model= serial= recorder inferred unreachable unknown`,
	}, rows(r)); d != "" {
		t.Error(d)
	}
	got := device(t, r, "nvr")
	if got.Kind != audit.KindRecorder || got.Model != "LAB-7604N" || got.Serial != nvr.Spec.Serial || !slices.Contains(got.MACs, nvr.Spec.MAC) || got.Channels != 4 || got.Name != "前台录像机" {
		t.Errorf("%+v", got)
	}
	for _, d := range r.Devices {
		if d.Via != "" && d.Via != got.ID {
			t.Errorf("%s is behind %s, want %s", d.ID, d.Via, got.ID)
		}
	}
	asked := 0
	for _, q := range append(recorder.Requests(), shop.Requests()...) {
		if strings.Contains(q.What, "/cgi-bin/") || q.Device != "nvr" && strings.Contains(q.What, "/ISAPI/") {
			t.Errorf("%s was asked %s", q.Device, q.What)
		}
		if (strings.HasSuffix(q.What, "/deviceInfo") || strings.Contains(q.What, "/InputProxy/")) && q.Login == lab.LoginOK {
			asked++
		}
	}
	if asked < 3 {
		t.Errorf("%d questions with the login about who is there, want 3", asked)
	}
}

// TestBehindWithoutLogin: one question, and that it was refused.
func TestBehindWithoutLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		permit audit.Permit
		spec   func(*lab.Spec)
		want   []string // logins of the requests to ISAPI
		status audit.CoverageStatus
	}{
		"no permit to log in":  {audit.PermitQuery, func(*lab.Spec) {}, []string{lab.LoginNone}, audit.RefusedBy},
		"refused":              {audit.PermitLogin, func(s *lab.Spec) { s.Login.Refuse = true }, []string{lab.LoginNone, lab.LoginRefused}, audit.RefusedBy},
		"refused, then locked": {audit.PermitLogin, func(s *lab.Spec) { s.Login.Refuse, s.Login.Attempts = true, 1 }, []string{lab.LoginNone, lab.LoginRefused}, audit.RefusedBy},
		"refused over ONVIF":   {audit.PermitLogin, func(s *lab.Spec) { s.ONVIF, s.Login.Refuse = true, true }, []string{lab.LoginNone}, audit.RefusedBy},
	} {
		t.Run(name, func(t *testing.T) {
			spec := hikRecorder([]lab.Proxied{{Name: "大门", Address: outside, Port: 8000}})
			c.spec(&spec)
			shop := labtest.Open(t, lab.Config{Seed: 9, Devices: []lab.Spec{spec}})
			r, _ := audited(t, c.permit, nil, []audit.InventoryEntry{listed(running(t, shop, "nvr"))}, shop)
			var got []string
			for _, q := range shop.Requests() {
				if strings.Contains(q.What, "/ISAPI/") {
					got = append(got, q.Login)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if len(rows(r)) > 0 {
				t.Errorf("%v", rows(r))
			}
			if !slices.ContainsFunc(r.Coverage, func(x audit.Coverage) bool { return x.Module == "isapi" && x.Status == c.status }) {
				t.Errorf("%+v", r.Coverage)
			}
			if d := device(t, r, "nvr"); d.Vendor != "Hikvision" && !spec.ONVIF {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestLoginIsShared: what ONVIF was let in with serves ISAPI too, and ISAPI says more of what is behind.
func TestLoginIsShared(t *testing.T) {
	t.Parallel()
	spec := hikRecorder([]lab.Proxied{{Name: "大门", Address: outside, Port: 8000}})
	spec.ONVIF, spec.Channels, spec.Recording, spec.Login.Realm = true, 8, true, ""
	spec.ISAPI.Type, spec.ISAPI.Inputs = "hybirdNVR", []lab.Socket{{Name: "Camera 01"}, {Name: "后门", Signal: true}, {Name: "Camera 03"}}
	shop := labtest.Open(t, lab.Config{Seed: 10, Devices: []lab.Spec{spec}})
	r, _ := audited(t, audit.PermitLogin, nil, []audit.InventoryEntry{listed(running(t, shop, "nvr"))}, shop)
	if d := cmp.Diff([]string{`1 camera "大门" model= serial= recorder foreign inferred denied unknown`, `A2 camera "后门" model= serial= recorder inferred skipped unknown`}, rows(r)); d != "" {
		t.Error(d)
	}
	for _, want := range []string{"lists: 4; with a camera: 2; sockets with nothing on them: 2", "by isapi and onvif"} {
		if !slices.ContainsFunc(r.Coverage, func(x audit.Coverage) bool { return x.Module == "recorder" && strings.Contains(x.Detail.EN, want) }) {
			t.Errorf("the coverage does not say %q", want)
		}
	}
	for _, q := range shop.Requests() {
		if q.Login == lab.LoginRefused {
			t.Errorf("%s: a login was refused", q.What)
		}
	}
}

// TestBehindONVIF: a recorder that speaks ONVIF only names its sources and nothing more.
func TestBehindONVIF(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Seed: 11, Devices: []lab.Spec{lab.Recorder("nvr"), lab.OpenCamera("camera")}})
	nvr := running(t, shop, "nvr")
	r, _ := audited(t, audit.PermitLogin, nil, []audit.InventoryEntry{listed(nvr), listed(running(t, shop, "camera"))}, shop)
	got := rows(r)
	if len(got) != nvr.Spec.Channels {
		t.Errorf("%d devices behind the recorder, want %d: %v", len(got), nvr.Spec.Channels, got)
	}
	for _, s := range got {
		if !strings.HasSuffix(s, ` camera "" model= serial= recorder inferred skipped unknown`) {
			t.Error(s)
		}
	}
}

func dahuaRecorder(class string) lab.Spec {
	return lab.Spec{Name: "nvr", Label: "后台录像机", Kind: audit.KindRecorder, Maker: "Dahua-like", Model: "LAB-" + class + "2104", Serial: "7K0LAB1PAZ00017", Firmware: "4.001.0000000.1,build:2026-01-01",
		Login: lab.Login{Auth: lab.AuthDigestMD5, Realm: "Login to 7K0LAB1PAZ00017"}, Page: lab.Page{Title: "WEB SERVICE"}, CGI: &lab.CGI{Class: class}}
}

func TestBehindDahua(t *testing.T) {
	t.Parallel()
	shop, a, b, _ := cameras(t)
	spec := dahuaRecorder("NVR")
	spec.CGI.Remote = []lab.Proxied{
		{Name: "大门", Protocol: "Onvif", Address: outside, Port: 80, MAC: a.Spec.MAC, Serial: a.Spec.Serial},
		{Name: "", Protocol: "Dahua2", Address: "192.168.0.0", Port: 80, MAC: "ff:ff:ff:ff:ff:ff", Disabled: true},
		{Name: "收银台", Protocol: "Onvif", Address: b.Addr.Addr().String(), Port: int(b.Addr.Port())},
	}
	spec.CGI.Titles, spec.CGI.Lost = []string{"东门", "通道2", "IPC", "通道4"}, []int{1, 3}
	recorder := labtest.Open(t, lab.Config{Seed: 12, Devices: []lab.Spec{spec}})
	r, tp := audited(t, audit.PermitLogin, nil, []audit.InventoryEntry{listed(a), listed(running(t, recorder, "nvr"))}, shop, recorder)
	if d := cmp.Diff([]string{
		fmt.Sprintf(`1 camera %q model=%s serial=%s inventory+recorder`, a.Spec.Label, a.Spec.Model, a.Spec.Serial),
		fmt.Sprintf(`3 camera %q model=%s serial=%s recorder`, b.Spec.Label, b.Spec.Model, b.Spec.Serial),
	}, rows(r)); d != "" {
		t.Error(d)
	}
	got := device(t, r, "nvr")
	if got.Kind != audit.KindRecorder || got.Model != "LAB-NVR2104" || got.Serial != spec.Serial || got.Firmware != spec.Firmware || got.Vendor != "Dahua" || got.Name != "后台录像机" {
		t.Errorf("%+v", got)
	}
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for _, x := range tp.x {
		if strings.Contains(x.URI, "/cgi-bin/") && strings.Contains(string(x.Response), "Lab-behind-the-recorder") {
			t.Errorf("%s: the record holds a password", x.URI)
		}
	}
}

// TestSocketsDahua: of a recorder's own sockets, those without a picture and without a name are no devices.
func TestSocketsDahua(t *testing.T) {
	t.Parallel()
	spec := dahuaRecorder("XVR")
	spec.CGI.Titles, spec.CGI.Lost = []string{"Channel1", "仓库", "Channel3", "Channel4"}, []int{0, 1, 3}
	shop := labtest.Open(t, lab.Config{Seed: 13, Devices: []lab.Spec{spec}})
	r, _ := audited(t, audit.PermitLogin, nil, []audit.InventoryEntry{listed(running(t, shop, "nvr"))}, shop)
	if d := cmp.Diff([]string{`2 camera "仓库" model= serial= recorder inferred skipped unknown`, `3 camera "Channel3" model= serial= recorder inferred skipped unknown`}, rows(r)); d != "" {
		t.Error(d)
	}
}

// TestBrief: a quick look asks a recorder nothing that says nothing without a login, and what is behind it with one.
func TestBrief(t *testing.T) {
	t.Parallel()
	for permit, want := range map[audit.Permit]int{audit.PermitQuery: 0, audit.PermitLogin: 1} {
		recorder := labtest.Open(t, lab.Config{Seed: 14, Devices: []lab.Spec{hikRecorder([]lab.Proxied{{Name: "大门", Address: outside, Port: 8000}})}})
		nvr := running(t, recorder, "nvr")
		file := &audit.SiteFile{Site: audit.Site{ID: "T-1"}, Authority: guardtest.Authority(nvr.Addr.Addr().String() + "/32"), Inventory: []audit.InventoryEntry{listed(nvr)}}
		g, err := guard.New(guard.Config{Authority: file.Authority, Permit: permit})
		if err != nil {
			t.Fatal(err)
		}
		got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: []discover.Method{discover.Inventory()}, Evidence: &tape{}, Brief: true,
			Login: func(ref string) (string, string, error) {
				u, p, _ := recorder.Credential(ref)
				return u, p, nil
			}})
		if n := strings.Count(fmt.Sprint(recorder.Requests()), "/ISAPI/"); (n > 0) != (want > 0) {
			t.Errorf("%s: %d questions over ISAPI", permit, n)
		}
		devices, _ := scan.Identify(got.Observations, file.Inventory)
		if len(devices) != 1+want {
			t.Errorf("%s: %+v", permit, devices)
		}
	}
}
