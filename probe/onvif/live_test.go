package onvif

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
)

// transcript keeps every exchange.
type transcript struct {
	mu  sync.Mutex
	all []evidence.Exchange
}

func (r *transcript) Record(e evidence.Exchange) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
	return "urn:uuid:" + uuid.NewString()
}

// testPace is quick, but no quicker than a device of the lab puts up with.
var testPace = pace{gap: 110 * time.Millisecond, call: 3 * time.Second, stage1: 15 * time.Second, stage2: 30 * time.Second}

// ask probes one device with everything a permit allows.
func ask(t *testing.T, ctx context.Context, permit audit.Permit, target audit.Target, login *probe.Login, sample probe.Sample) ([]audit.Observation, *guard.Guard) {
	t.Helper()
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: permit, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	env := probe.Env{Device: g.Device(target.Addr.Addr()), Guard: g, Login: login, Evidence: &transcript{}, Clock: time.Now, Sample: sample,
		Done: &probe.Done{}, Progress: func(audit.Text) {}}
	obs, err := probing(ctx, env, target, testPace)
	if err != nil {
		t.Fatal(err)
	}
	return obs, g
}

// folded derives and merges the facts of a device's observations.
func folded(t *testing.T, obs []audit.Observation) map[string]audit.Folded {
	t.Helper()
	specs := map[string]audit.FactSpec{}
	for _, s := range Module().Facts {
		specs[s.Name] = s
	}
	var all []audit.Fact
	for _, o := range obs {
		fs, err := Derive(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fs...)
	}
	m, err := audit.Fold(all, specs)
	if err != nil {
		t.Fatal(err)
	}
	return m[audit.Subject{}]
}

// levels sums up the facts: the highest rung of every function that has one.
func levels(t *testing.T, obs []audit.Observation) map[audit.Function]audit.Level {
	t.Helper()
	facts, out := folded(t, obs), map[audit.Function]audit.Level{}
	for _, f := range audit.Functions() {
		for _, l := range []audit.Level{audit.Capable, audit.Configured, audit.Active} {
			v, ok := facts[audit.FactName(f, l)]
			switch {
			case ok && v.Value.V == true:
				out[f] = l
			case ok && v.Value.V == false && l == audit.Capable:
				out[f] = audit.Absent
			}
		}
	}
	return out
}

func targetOf(d lab.Running) audit.Target {
	return audit.Target{Method: "ws-discovery", Addr: netip.AddrPortFrom(d.Addr.Addr(), d.Addr.Port()), XAddrs: []string{d.XAddr}, At: time.Now()}
}

const (
	capable    = audit.Capable
	configured = audit.Configured
	active     = audit.Active
	absent     = audit.Absent
)

type ladder map[audit.Function]audit.Level

// TestLab asks the simulated shop's devices everything and compares what was established with what they are.
func TestLab(t *testing.T) {
	none := ladder{audit.Detect: absent, audit.Capture: absent, audit.Analyse: absent, audit.Verify: absent, audit.Identify: absent}
	for _, tt := range []struct {
		name string
		spec lab.Spec
		want ladder
	}{
		{"capable only", lab.CapableOnly("a"), ladder{audit.Detect: capable, audit.Capture: capable, audit.Analyse: capable, audit.Identify: capable, audit.Verify: absent}},
		{"module off", lab.ConfiguredOff("a"), ladder{audit.Detect: capable}},
		{"module on", lab.ConfiguredOn("a"), ladder{audit.Detect: configured}},
		{"attributes", lab.EmitsAttributes("a"), ladder{audit.Detect: active, audit.Analyse: active, audit.Capture: active, audit.Verify: absent, audit.Identify: absent}},
		{"attributes, other firmware", lab.EmitsAttributesQinghe("a"), ladder{audit.Detect: active, audit.Analyse: active, audit.Capture: active}},
		{"identity", lab.EmitsRecognitionIdentity("a"), ladder{audit.Detect: active, audit.Identify: active, audit.Capture: capable, audit.Verify: absent, audit.Analyse: absent}},
		{"recognition topic for detection", lab.EmitsRecognitionPlain("a"), ladder{audit.Detect: active, audit.Identify: configured, audit.Capture: capable, audit.Verify: absent, audit.Analyse: absent}},
		{"unlisted face topic", lab.FaceDetectEvents("a"), ladder{audit.Detect: active}},
		{"no face", lab.NoFace("a"), none},
		{"ws-security", lab.WSSEOnly("a"), none},
		{"digest sha-256", lab.DigestOnly("a"), none},
		{"open", lab.OpenCamera("a"), ladder{}},
		{"clock eight years off", lab.ClockOff("a"), none},
		{"terminal", lab.FaceTerminal("a"), ladder{audit.Detect: configured, audit.Verify: configured}},
		{"recorder", lab.Recorder("a"), ladder{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{tt.spec}})
			d, _ := shop.Device("a")
			var login *probe.Login
			if user, password, ok := shop.Credential(d.Credential); ok {
				login = probe.NewLogin(user, password)
			}
			obs, _ := ask(t, t.Context(), audit.PermitSample, targetOf(d), login, probe.Sample{Events: 3 * time.Second, Metadata: 2 * time.Second, Scarce: true})
			got := levels(t, obs)
			for _, f := range audit.Functions() {
				if got[f] != tt.want[f] {
					t.Errorf("%s is %s, want %s", f, got[f], tt.want[f])
				}
			}
			if t.Failed() || testing.Verbose() {
				for _, o := range obs {
					b, _ := json.Marshal(o.Identity)
					t.Logf("%-34s %-14s %-7s %s %.600s %s", o.Kind, o.Status, o.Auth, o.Detail, o.Data, b)
				}
				for _, r := range shop.Requests() {
					t.Log(r.What, r.Login)
				}
			}
			kind := audit.Kind("")
			for _, o := range obs {
				if o.Identity != nil && o.Identity.Kind != "" {
					kind = o.Identity.Kind
				}
			}
			if kind != tt.spec.Kind {
				t.Errorf("kind %q, want %q", kind, tt.spec.Kind)
			}
		})
	}
}

var _ = slices.Contains[[]string]
