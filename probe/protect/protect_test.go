package protect

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
	"github.com/mingshi-audit/mingshi/probe"
)

func run(t *testing.T, spec lab.Spec, r labtest.Run) (labtest.Result, *lab.Shop) {
	t.Helper()
	spec.Name, spec.Maker, spec.Model = "console", "Ubiquiti", "LAB NVR"
	spec.Login.Auth = lab.AuthDigestMD5
	shop := labtest.Open(t, lab.Config{Seed: 6, Devices: []lab.Spec{spec}})
	d, _ := shop.Device("console")
	if r.Login == nil {
		r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
	}
	r.Module, r.At, r.Vendor = Module(), d.Addr, "Ubiquiti"
	got := r.Do(t)
	text := got.Text(t)
	for _, s := range []string{d.Spec.Login.Password, `"username":"viewer"`, "Lab Person", "某人", "lab-access-key", "lab@example.com", "TOKEN="} {
		if strings.Contains(text, s) {
			t.Errorf("%q is stored", s)
		}
	}
	return got, shop
}

const (
	one = "camera c00000000000000000000001"
	two = "camera c00000000000000000000002"
)

func TestBootstrap(t *testing.T) {
	for _, c := range []struct {
		name  string
		spec  lab.Protect
		facts []string
	}{
		{"one camera detects, one could, recognition is on", lab.Protect{Recognises: true, Cameras: []lab.ProtectCamera{
			{Model: "UVC A", Address: "127.0.0.41", Could: []string{"person", "face"}, Set: []string{"face"}}, {Model: "UVC B", Could: []string{"face"}, Set: []string{"person"}}}},
			[]string{"face.detect.capable " + one + " = true", "face.detect.capable " + two + " = true", "face.detect.configured " + one + " = true", "face.detect.configured " + two + " = false",
				"face.identify.capable console = true", "face.identify.configured console = true"}},
		{"recognition is off", lab.Protect{}, []string{"face.identify.capable console = true", "face.identify.configured console = false"}},
		{"a camera that is set to what it cannot", lab.Protect{Cameras: []lab.ProtectCamera{{Could: []string{"person"}, Set: []string{"face"}}}},
			[]string{"face.identify.capable console = true", "face.identify.configured console = false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, shop := run(t, lab.Spec{TLS: true, Protect: &c.spec}, labtest.Run{})
			if d := cmp.Diff(c.facts, got.Facts); d != "" {
				t.Error(d)
			}
			want := []string{kindBootstrap + " auth-required", kindLogin + " ok", kindBootstrap + " ok", kindLogout + " ok"}
			if k := got.Kinds(); len(k) < 4 || !slices.Equal(k[len(k)-4:], want) {
				t.Errorf("%q", k)
			}
			o := got.Observations[len(got.Observations)-2]
			if o.Identity.Kind != audit.KindRecorder || o.Identity.Model != "LAB NVR" || len(o.Behind) != len(c.spec.Cameras) || o.Auth != probe.SessionAuth {
				t.Errorf("%+v %+v", o.Identity, o.Behind)
			}
			in, out := 0, 0
			for _, r := range shop.Requests() {
				in += strings.Count(r.What, wireLogin)
				out += strings.Count(r.What, "logout")
			}
			if in != 1 || out != 1 {
				t.Errorf("%d logins, %d logouts", in, out)
			}
		})
	}
}

const wireLogin = "/api/auth/login"

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		spec lab.Spec
		run  labtest.Run
		last string
	}{
		{"a wrong password, once", lab.Spec{TLS: true, Protect: &lab.Protect{}}, labtest.Run{Login: probe.NewLogin("viewer", "wrong")}, kindLogin + " refused"},
		{"locked after it", lab.Spec{TLS: true, Protect: &lab.Protect{}, Login: lab.Login{Attempts: 1}}, labtest.Run{Login: probe.NewLogin("viewer", "wrong")}, kindLogin + " locked"},
		{"no TLS", lab.Spec{Protect: &lab.Protect{}}, labtest.Run{}, kindLogin + " denied"},
		{"no permit to log in", lab.Spec{TLS: true, Protect: &lab.Protect{}}, labtest.Run{Permit: audit.PermitQuery}, kindBootstrap + " auth-required"},
		{"a brief look", lab.Spec{TLS: true, Protect: &lab.Protect{}}, labtest.Run{Brief: true}, kindBootstrap + " auth-required"},
		{"no such application: the login stays here", lab.Spec{TLS: true}, labtest.Run{}, kindBootstrap + " not-supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := c.spec
			spec.Name, spec.Maker = "console", "Ubiquiti"
			spec.Login.Auth = lab.AuthDigestMD5
			cfg := lab.Config{Seed: 6, Devices: []lab.Spec{spec}, Allow: []string{"GET /proxy/protect/api/bootstrap"}}
			shop := labtest.Open(t, cfg)
			d, _ := shop.Device("console")
			r := c.run
			if r.Login == nil {
				r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
			}
			r.Module, r.At, r.Vendor = Module(), d.Addr, "Ubiquiti"
			got := r.Do(t)
			if k := got.Kinds(); k[len(k)-1] != c.last || len(got.Facts) > 0 {
				t.Errorf("%q %q", k, got.Facts)
			}
		})
	}
}

func TestHostile(t *testing.T) { labtest.Hostile(t, Module(), "Ubiquiti", 0) }

func TestDerive(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		name string
		d    Data
		want []string
	}{
		{"nothing said", Data{Cameras: []Camera{{Key: "a"}}}, nil},
		{"set, and not said whether it could", Data{Cameras: []Camera{{"a", nil, &yes}}}, []string{"face.detect.configured"}},
		{"not set, and not said whether it could", Data{Cameras: []Camera{{"a", nil, &no}}}, nil},
		{"cannot and is not set", Data{Cameras: []Camera{{"a", &no, &no}}}, nil},
		{"recognition below a switch that is off", Data{Recognises: &yes, Detects: &no}, []string{"face.identify.capable"}},
		{"recognition without the switch above it", Data{Recognises: &yes}, []string{"face.identify.capable", "face.identify.configured"}},
	} {
		b, err := json.Marshal(c.d)
		if err != nil {
			t.Fatal(err)
		}
		fs, err := Derive(audit.Observation{Kind: kindBootstrap, Status: audit.OK, Data: b})
		var got []string
		for _, f := range fs {
			got = append(got, f.Name)
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.name, err, d)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add([]byte(`{"recognises":true,"cameras":[{"key":"a","could":true,"set":true}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs, _ := Derive(audit.Observation{Kind: kindBootstrap, Status: audit.OK, Data: b})
		for _, x := range fs {
			if !slices.ContainsFunc(Module().Facts, func(s audit.FactSpec) bool { return s.Name == x.Name }) {
				t.Error(x.Name)
			}
		}
	})
}
