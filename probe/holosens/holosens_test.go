package holosens

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

const sink = "https://sink:pa55word@192.0.2.77:9443/meta?key=k3y"

func run(t *testing.T, h lab.HoloSens, r probetest.Run) probetest.Result {
	t.Helper()
	shop := labtest.Open(t, lab.Config{Seed: 7, Devices: []lab.Spec{{Name: "sdc", Maker: "HUAWEI", Model: "LAB-X2221", Login: lab.Login{Auth: lab.AuthDigestMD5, Attempts: 2}, HoloSens: &h}}})
	d, _ := shop.Device("sdc")
	if r.Login == nil {
		r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
	}
	r.Module, r.At, r.Vendor = Module(), d.Addr, "HUAWEI"
	got := r.Do(t)
	text := got.Text(t)
	for _, s := range []string{d.Spec.Login.Password, "黑名单", "staff", "Lab-at-the-receiver", "pa55word", "k3y"} {
		if strings.Contains(text, s) {
			t.Errorf("%q is stored", s)
		}
	}
	return got
}

func kinds(ss ...string) (out []string) {
	for i, p := range []string{"/SDCAPI/V1.0/MiscIaas/System", "/SDCAPI/V1.0/Rest/DeviceID", "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/Libs", "/SDCAPI/V2.0/Metadata/Subscription"}[:len(ss)] {
		out = append(out, "GET "+p+" "+ss[i])
	}
	return out
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		h     lab.HoloSens
		run   probetest.Run
		kinds []string
		facts []string
	}{
		{"one library armed, one not, and a receiver", lab.HoloSens{Libraries: []lab.FaceLibrary{{Name: "黑名单", Armed: true}, {Name: "staff"}}, Receivers: []string{sink}}, probetest.Run{},
			kinds("ok", "ok", "ok", "ok"), []string{"face.identify.capable libraries = true", "face.identify.capable library 1 = true", "face.identify.capable library 2 = true",
				"face.identify.configured library 1 = true", "face.identify.configured library 2 = false", "outbound.hosts = [metadata https://192.0.2.77:9443]"}},
		{"a library that merely exists", lab.HoloSens{Libraries: []lab.FaceLibrary{{Name: "staff"}}}, probetest.Run{},
			kinds("ok", "ok", "ok", "ok"), []string{"face.identify.capable libraries = true", "face.identify.capable library 1 = true", "face.identify.configured library 1 = false"}},
		{"no library is no statement about what is on", lab.HoloSens{}, probetest.Run{}, kinds("ok", "ok", "ok", "ok"), []string{"face.identify.capable libraries = true"}},
		{"no such application", lab.HoloSens{NoFace: true}, probetest.Run{}, kinds("ok", "ok", "not-supported", "ok"), nil},
		{"no permit to log in", lab.HoloSens{}, probetest.Run{Permit: audit.PermitQuery}, kinds("auth-required"), nil},
		{"refused once", lab.HoloSens{}, probetest.Run{Login: probe.NewLogin("viewer", "wrong")}, kinds("refused"), nil},
		{"a brief look", lab.HoloSens{}, probetest.Run{Brief: true}, kinds("ok"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, c.h, c.run)
			if d := cmp.Diff(c.kinds, got.Kinds()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.facts, got.Facts, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
			if o := got.Observations[0]; o.Status == audit.OK && (o.Identity.Model != "LAB-X2221" || o.Identity.Vendor != "HUAWEI" || o.Identity.Weak) {
				t.Errorf("%+v", o.Identity)
			}
		})
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, Module(), probetest.Bounds{Vendor: "Huawei", Requests: 4})
}

// TestDerive: a library that is off says nothing while another was not read, or nobody was logged in.
func TestDerive(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		name string
		auth string
		l    Lists
		want int
	}{
		{"another was not listed", "digest", Lists{Count: 1, Each: []Library{{"a", &no}}}, 2},
		{"another was not said", "digest", Lists{Count: 2, Counted: true, Each: []Library{{"a", &no}, {"b", nil}}}, 3},
		{"nobody was logged in", "none", Lists{Count: 1, Counted: true, Each: []Library{{"a", &no}}}, 2},
		{"all were said", "digest", Lists{Count: 1, Counted: true, Each: []Library{{"a", &no}}}, 3},
		{"armed, and another was not listed", "digest", Lists{Count: 1, Each: []Library{{"a", &yes}}}, 3},
	} {
		b, err := json.Marshal(Data{Libraries: &c.l})
		if err != nil {
			t.Fatal(err)
		}
		fs, err := Derive(audit.Observation{Status: audit.OK, Auth: c.auth, Data: b})
		if err != nil || len(fs) != c.want {
			t.Errorf("%s: %v %v", c.name, fs, err)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add([]byte(`{"libraries":{"count":1,"counted":true,"each":[{"key":"library 1","armed":true}]},"receivers":["a:1"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs, _ := Derive(audit.Observation{Status: audit.OK, Auth: "digest", Data: b})
		for _, x := range fs {
			if !slices.ContainsFunc(Module().Facts, func(s audit.FactSpec) bool { return s.Name == x.Name }) {
				t.Error(x.Name)
			}
		}
	})
}
