package dahua_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/dahua"
)

// looked asks a device of a shop as far as the permit goes, and returns what it said and what was recorded.
func looked(t *testing.T, spec lab.Spec, permit audit.Permit) ([]audit.Observation, string) {
	t.Helper()
	if spec.CGI != nil {
		spec.CGI.Every = 100 * time.Millisecond
	}
	shop := labtest.Open(t, lab.Config{Seed: 21, Devices: []lab.Spec{spec}})
	d, _ := shop.Device(spec.Name)
	g, err := guard.New(guard.Config{Authority: guardtest.Authority(d.Addr.Addr().String() + "/32"), Permit: permit, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	tp := &probetest.Tape{}
	env := probe.Env{Device: g.Device(d.Addr.Addr()), Guard: g, Evidence: tp, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {},
		Login: probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password), Sample: probe.Sample{Events: 600 * time.Millisecond}}
	os, err := dahua.Module().Probe(t.Context(), env, audit.Target{Method: "dhip", Addr: d.Addr})
	if err != nil {
		t.Fatal(err)
	}
	return os, tp.String()
}

// folded derives and folds the facts, and lists those that are known: "face.detect.configured=true", sorted.
func folded(t *testing.T, os []audit.Observation) []string {
	t.Helper()
	m := dahua.Module()
	specs := map[string]audit.FactSpec{}
	for _, s := range m.Facts {
		specs[s.Name] = s
	}
	var facts []audit.Fact
	for i, o := range os {
		fs, err := m.Derive(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			f.Because = []string{fmt.Sprint(i)}
			facts = append(facts, f)
		}
	}
	by, err := audit.Fold(facts, specs)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, names := range by {
		for n, f := range names {
			switch {
			case n == probe.FactLiveSeconds || n == probe.FactLiveMessages:
			case f.Known:
				out = append(out, fmt.Sprintf("%s=%v", n, f.Value.V))
			default:
				out = append(out, n+" disputed")
			}
		}
	}
	slices.Sort(out)
	return out
}

func name(f audit.Function, l audit.Level, value bool) string {
	return fmt.Sprintf("%s=%v", audit.FactName(f, l), value)
}

func changed(s lab.Spec, f func(*lab.CGI)) lab.Spec {
	f(s.CGI)
	return s
}

// TestDevices: what each device shows, by the permit. An engine, a library and a list of what could be are capable; a table that
// was not answered, or not in full, leaves everything unknown.
func TestDevices(t *testing.T) {
	t.Parallel()
	const D, C, A, V, I = audit.Detect, audit.Capture, audit.Analyse, audit.Verify, audit.Identify
	yes := func(l audit.Level, fs ...audit.Function) (out []string) {
		for _, f := range fs {
			out = append(out, name(f, l, true))
		}
		return out
	}
	no := func(l audit.Level, fs ...audit.Function) (out []string) {
		for _, f := range fs {
			out = append(out, name(f, l, false))
		}
		return out
	}
	cloud := probe.FactOutboundHosts + "=[cloud www.easy4ipcloud.com:8800]"
	for _, c := range []struct {
		spec   lab.Spec
		permit audit.Permit
		kind   audit.Kind
		want   []string
	}{
		{lab.DahuaFaceRuleOff("off"), audit.PermitSample, audit.KindCamera, slices.Concat(yes(audit.Capable, D, C), no(audit.Configured, D, C), []string{cloud})},
		{lab.DahuaFaceRuleOn("on-l"), audit.PermitLogin, audit.KindCamera, slices.Concat(yes(audit.Capable, D, C), yes(audit.Configured, D, C),
			[]string{probe.FactOutboundHosts + "=[cloud www.easy4ipcloud.com:8800 http-pictures https://203.0.113.40:8443]", probe.FactOutboundFace + "=true"})},
		{lab.DahuaFaceRuleOn("on-s"), audit.PermitSample, audit.KindCamera, slices.Concat(yes(audit.Capable, D, C), yes(audit.Configured, D, C), yes(audit.Active, D, C, A),
			[]string{probe.FactAttributesActive + "=[accessory age emotion gender]", probe.FactCrops + "=true",
				probe.FactOutboundHosts + "=[cloud www.easy4ipcloud.com:8800 http-pictures https://203.0.113.40:8443]", probe.FactOutboundFace + "=true"})},
		{lab.DahuaFaceRecorder("nvr-l"), audit.PermitLogin, audit.KindRecorder, slices.Concat(yes(audit.Capable, D, C, I), no(audit.Configured, C), yes(audit.Configured, D, I))},
		{lab.DahuaFaceRecorder("nvr-s"), audit.PermitSample, audit.KindRecorder, slices.Concat(yes(audit.Capable, D, C, I), no(audit.Configured, C), yes(audit.Configured, D, I),
			yes(audit.Active, D, I), []string{probe.FactIdentity + "=true"})},
		{lab.DahuaTerminal("door-l"), audit.PermitLogin, audit.KindTerminal, slices.Concat(yes(audit.Capable, D, V, I), no(audit.Configured, V))},
		{lab.DahuaTerminal("door-s"), audit.PermitSample, audit.KindTerminal, slices.Concat(yes(audit.Capable, D, V, I), no(audit.Configured, V), yes(audit.Active, D, I), []string{probe.FactIdentity + "=true"})},
		{lab.DahuaPlain("plain"), audit.PermitSample, audit.KindCamera, slices.Concat(no(audit.Capable, D, C, A, V, I), []string{probe.FactEnumerated + "=true"})},
		{lab.DahuaPlain("plain-q"), audit.PermitQuery, "", nil},
		{changed(lab.DahuaPlain("silent-caps"), func(c *lab.CGI) { c.Caps = nil }), audit.PermitLogin, audit.KindCamera, nil},
		{changed(lab.DahuaPlain("silent-rules"), func(c *lab.CGI) { delete(c.Tables, "VideoAnalyseRule") }), audit.PermitLogin, audit.KindCamera, nil},
		{changed(lab.DahuaPlain("long-rules"), func(c *lab.CGI) {
			c.Tables["VideoAnalyseRule"] = append(c.Tables["VideoAnalyseRule"], "[0][0].Name="+strings.Repeat("x", 4000))
		}), audit.PermitLogin, audit.KindCamera, nil},
		{changed(lab.DahuaPlain("card"), func(c *lab.CGI) { c.Tables["CitizenPictureCompareRule"] = []string{"[0].Enable=true"} }), audit.PermitLogin, audit.KindCamera,
			slices.Concat(yes(audit.Capable, V), yes(audit.Configured, V))},
		{changed(lab.DahuaPlain("scene"), func(c *lab.CGI) { c.Tables["VideoAnalyseGlobal"] = []string{"[0].Scene.Type=FaceRecognition"} }), audit.PermitLogin, audit.KindCamera,
			yes(audit.Capable, D, I)},
		{changed(lab.DahuaPlain("library"), func(c *lab.CGI) { c.Library = []string{"GroupList[0].groupID=1", "GroupList[0].groupSize=0"} }), audit.PermitLogin, audit.KindCamera,
			yes(audit.Capable, I)},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			t.Parallel()
			os, record := looked(t, c.spec, c.permit)
			slices.Sort(c.want)
			if d := cmp.Diff(c.want, folded(t, os)); d != "" {
				t.Errorf("%s\n%s", d, listed(os))
			}
			var kind audit.Kind
			for _, o := range os {
				if o.Identity != nil && o.Identity.Kind != "" {
					kind = o.Identity.Kind
				}
			}
			if kind != c.kind {
				t.Errorf("kind %q, want %q", kind, c.kind)
			}
			b, err := json.Marshal(os)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{lab.DahuaLibrary, lab.DahuaPerson, `"90017"`, `"10003"`, "1101011988", "1988-03", "Woman", "Smile", "Lab-behind-the-recorder", "partsnap", `"30017"`, `"Similarity":9`} {
				if strings.Contains(string(b), secret) {
					t.Errorf("the observations hold %q", secret)
				}
				if strings.Contains(record, secret) {
					t.Errorf("the record holds %q", secret)
				}
			}
			if c.permit == audit.PermitSample && c.spec.Kind == audit.KindRecorder && !strings.Contains(record, `"Candidates":[{`) {
				t.Error("the record has lost the names of keys")
			}
		})
	}
}

func listed(os []audit.Observation) string {
	var b strings.Builder
	for _, o := range os {
		fmt.Fprintf(&b, "%s %s %s %s %s\n", o.Kind, o.Status, o.Auth, o.Detail, o.Data)
	}
	return b.String()
}

func FuzzDerive(f *testing.F) {
	for _, s := range []string{`{"rules":[{"channel":1,"class":"FaceDetection","enabled":true}]}`, `{"live":{"codes":{"A":null,"FaceDetection":{"began":1,"means":["detect","x"]}}}}`,
		`{"compare":{"entries":1,"on":[true,false]},"uploads":[{"host":"h","port":1}],"running":[0],"code":"FaceDetection"}`, `{"none":{"rules":1}}`, `[]`} {
		f.Add([]byte(s), true)
	}
	m := dahua.Module()
	known := map[string]bool{}
	for _, s := range m.Facts {
		known[s.Name] = true
	}
	f.Fuzz(func(t *testing.T, b []byte, login bool) {
		auth := "none"
		if login {
			auth = "digest"
		}
		fs, err := m.Derive(audit.Observation{Kind: "getConfig PictureHttpUpload", Auth: auth, Data: b})
		if err != nil {
			return
		}
		for _, x := range fs {
			if !known[x.Name] {
				t.Errorf("%s is not declared", x.Name)
			}
			if x.Value.V == false && !login {
				t.Errorf("%s %s is denied without a login", x.Name, x.Key)
			}
		}
	})
}
