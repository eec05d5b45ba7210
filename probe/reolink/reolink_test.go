package reolink

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
)

// run opens a shop with one device and asks it.
func run(t *testing.T, spec lab.Spec, r probetest.Run) (probetest.Result, *lab.Shop) {
	t.Helper()
	spec.Name, spec.Maker, spec.Model = "reo", "Reolink", "LAB-810A"
	spec.Login.Auth = lab.AuthDigestMD5
	shop := labtest.Open(t, lab.Config{Seed: 5, Devices: []lab.Spec{spec}})
	d, _ := shop.Device("reo")
	if r.Login == nil {
		r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
	}
	r.Module, r.At, r.Vendor = Module(), d.Addr, "Reolink"
	got := r.Do(t)
	if text := got.Text(t); strings.Contains(text, d.Spec.Login.Password) || strings.Contains(text, `"userName":"viewer"`) {
		t.Error("the login is recorded")
	}
	return got, shop
}

func TestStates(t *testing.T) {
	const who = "GetDevInfo auth-required"
	in := []string{who, "Login ok", "GetDevInfo ok", "GetAbility ok", "GetAiState ok"}
	for _, c := range []struct {
		name     string
		channels []lab.ReolinkChannel
		permit   audit.Permit
		kinds    []string
		facts    []string
	}{
		{"could, not watched", []lab.ReolinkChannel{{Face: true, Sees: true}}, audit.PermitLogin, append(slices.Clone(in), "Logout ok"),
			[]string{"face.detect.capable channel 0 = true", "face.detect.capable channel 0 = true"}},
		{"seen while watched", []lab.ReolinkChannel{{Face: true, Sees: true}, {}}, audit.PermitSample, append(slices.Clone(in), kindWatch+" ok", "Logout ok"),
			[]string{"face.detect.active channel 0 = true", "face.detect.capable channel 0 = true", "face.detect.capable channel 0 = true", "face.detect.capable channel 0 = true",
				"face.detect.capable channel 1 = false", "face.live.messages = 1"}},
		{"watched, nothing seen", []lab.ReolinkChannel{{Face: true}}, audit.PermitSample, append(slices.Clone(in), kindWatch+" empty", "Logout ok"),
			[]string{"face.detect.capable channel 0 = true", "face.detect.capable channel 0 = true", "face.live.messages = 0"}},
		{"every channel says that it cannot", []lab.ReolinkChannel{{}, {}}, audit.PermitSample, append(slices.Clone(in), "Logout ok"),
			[]string{"face.detect.capable channel 0 = false", "face.detect.capable channel 1 = false"}},
		{"one channel says nothing", []lab.ReolinkChannel{{}, {Mute: true}}, audit.PermitSample, append(slices.Clone(in), "Logout ok"), nil},
		{"one channel refuses", []lab.ReolinkChannel{{}, {Empty: true}}, audit.PermitSample, append(slices.Clone(in), "Logout ok"), nil},
		{"the first refuses, the second could", []lab.ReolinkChannel{{Empty: true}, {Face: true}}, audit.PermitLogin, append(slices.Clone(in), "Logout ok"),
			[]string{"face.detect.capable channel 1 = true", "face.detect.capable channel 1 = true"}},
		{"no permit to log in", []lab.ReolinkChannel{{Face: true}}, audit.PermitQuery, []string{who}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, shop := run(t, lab.Spec{TLS: true, Reolink: &lab.Reolink{Type: "IPC", Channels: c.channels}}, probetest.Run{Permit: c.permit, Sample: probe.Sample{Events: time.Second}})
			kinds := got.Kinds()
			if len(kinds) > 0 && strings.HasPrefix(kinds[0], "GetDevInfo not-supported") || strings.HasPrefix(kinds[0], "GetDevInfo bad-argument") {
				kinds = kinds[1:] // the port wanted TLS
			}
			if d := cmp.Diff(c.kinds, kinds); d != "" {
				t.Error(d)
			}
			watched := slices.ContainsFunc(got.Facts, func(s string) bool { return strings.HasPrefix(s, "face.live.seconds = ") })
			if watched != slices.ContainsFunc(c.kinds, func(s string) bool { return strings.HasPrefix(s, kindWatch) }) {
				t.Error("how long was watched is wrong")
			}
			got.Facts = slices.DeleteFunc(got.Facts, func(s string) bool { return strings.HasPrefix(s, "face.live.seconds = ") })
			if d := cmp.Diff(c.facts, got.Facts, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
			for _, f := range got.Facts {
				if strings.Contains(f, "configured") || strings.Contains(f, "identify") {
					t.Errorf("states %s", f)
				}
			}
			in, out := 0, 0
			for _, r := range shop.Requests() {
				in += strings.Count(r.What, "cmd=Login")
				out += strings.Count(r.What, "cmd=Logout")
			}
			if in != out || in > 1 {
				t.Errorf("%d logins, %d logouts", in, out)
			}
		})
	}
}

// TestPlain: where there is no TLS the password stays here, and the device is recognised all the same.
func TestPlain(t *testing.T) {
	got, shop := run(t, lab.Spec{Reolink: &lab.Reolink{Type: "IPC", Channels: []lab.ReolinkChannel{{Face: true}}}}, probetest.Run{})
	if len(got.Facts) > 0 {
		t.Errorf("states %q", got.Facts)
	}
	if o := got.Observations[0]; o.Identity == nil || o.Identity.Vendor != "Reolink" || !o.Identity.Weak {
		t.Errorf("%+v", o.Identity)
	}
	if last := got.Observations[len(got.Observations)-1]; last.Kind != "Login" || last.Status != audit.Denied || !strings.Contains(last.Detail, "TLS") {
		t.Errorf("%+v", last)
	}
	for _, r := range shop.Requests() {
		if strings.Contains(r.What, "Login") {
			t.Error(r.What)
		}
	}
}

func TestRefusedOnce(t *testing.T) {
	login := probe.NewLogin("viewer", "wrong")
	got, _ := run(t, lab.Spec{TLS: true, Reolink: &lab.Reolink{Type: "NVR"}}, probetest.Run{Login: login})
	if last := got.Observations[len(got.Observations)-1]; last.Kind != "Login" || last.Status != audit.Refused || len(got.Facts) > 0 {
		t.Errorf("%+v %q", last, got.Facts)
	}
	if _, spent := login.Spent(); !spent {
		t.Error("the login is not spent")
	}
}

func TestBrief(t *testing.T) {
	got, _ := run(t, lab.Spec{TLS: true, Reolink: &lab.Reolink{Type: "IPC"}}, probetest.Run{Brief: true})
	for _, o := range got.Observations {
		if o.Kind != "GetDevInfo" {
			t.Error(o.Kind)
		}
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, Module(), probetest.Bounds{Vendor: "Reolink", Requests: 4})
}

// TestDerive: nothing is stated from what came without a session, and capability from no other question than its own.
func TestDerive(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		name, auth, kind string
		d                Data
		want             int
	}{
		{"without a session", "none", "GetAiState", Data{Whole: true, Faces: []Face{{0, &yes, true}}}, 0},
		{"not whole", probe.SessionAuth, "GetAiState", Data{Faces: []Face{{0, &no, false}}}, 0},
		{"abilities deny nothing", probe.SessionAuth, "GetAbility", Data{Whole: true, Faces: []Face{{0, &no, false}}}, 0},
		{"seen by the single question", probe.SessionAuth, "GetAiState", Data{Faces: []Face{{0, nil, true}}}, 0},
		{"whole", probe.SessionAuth, "GetAiState", Data{Whole: true, Faces: []Face{{0, &no, false}}}, 1},
	} {
		b, err := json.Marshal(c.d)
		if err != nil {
			t.Fatal(err)
		}
		fs, err := Derive(audit.Observation{Kind: c.kind, Auth: c.auth, Data: b})
		if err != nil || len(fs) != c.want {
			t.Errorf("%s: %v %v", c.name, fs, err)
		}
	}
}

func FuzzDerive(f *testing.F) {
	f.Add("GetAiState", []byte(`{"whole":true,"faces":[{"channel":0,"supported":false}]}`))
	f.Add(kindWatch, []byte(`{"looks":1,"faces":[{"channel":0,"seen":true}]}`))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		fs, _ := Derive(audit.Observation{Kind: kind, Auth: probe.SessionAuth, Data: b})
		for _, x := range fs {
			if !slices.ContainsFunc(Module().Facts, func(s audit.FactSpec) bool { return s.Name == x.Name }) {
				t.Error(x.Name)
			}
		}
	})
}
