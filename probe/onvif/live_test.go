package onvif

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
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

// testPace does not wait between questions; the lab's devices are told to bear it.
var testPace = pace{gap: time.Millisecond, call: 2 * time.Second, retry: 100 * time.Millisecond, stage1: 15 * time.Second, stage2: 30 * time.Second}

// ask probes one device with everything a permit allows.
func ask(t *testing.T, ctx context.Context, permit audit.Permit, target audit.Target, login *probe.Login, sample probe.Sample) ([]audit.Observation, *guard.Guard) {
	t.Helper()
	return askAt(t, ctx, permit, target, login, sample, testPace)
}

// askAt is ask at another pace.
func askAt(t *testing.T, ctx context.Context, permit audit.Permit, target audit.Target, login *probe.Login, sample probe.Sample, p pace) ([]audit.Observation, *guard.Guard) {
	t.Helper()
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: permit, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	env := probe.Env{Device: g.Device(target.Addr.Addr()), Guard: g, Login: login, Evidence: &transcript{}, Clock: time.Now, Sample: sample,
		Done: &probe.Done{}, Progress: func(audit.Text) {}}
	obs, err := probing(ctx, env, target, p)
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
	whatever   = audit.Level(-1) // not what the case is about
)

func made(s lab.Spec, maker string) lab.Spec {
	s.Maker = maker
	return s
}

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
		{"attributes", lab.EmitsAttributes("a"), ladder{audit.Detect: active, audit.Analyse: active, audit.Capture: whatever, audit.Verify: absent, audit.Identify: absent}},
		{"attributes, other firmware", lab.EmitsAttributesQinghe("a"), ladder{audit.Detect: active, audit.Analyse: active, audit.Capture: active}},
		{"identity", lab.EmitsRecognitionIdentity("a"), ladder{audit.Detect: active, audit.Identify: active, audit.Capture: capable, audit.Verify: absent, audit.Analyse: absent}},
		{"recognition topic for detection", lab.EmitsRecognitionPlain("a"), ladder{audit.Detect: active, audit.Identify: configured, audit.Capture: capable, audit.Verify: absent, audit.Analyse: absent}},
		{"unlisted face topic", lab.FaceDetectEvents("a"), ladder{audit.Detect: active}},
		{"no face", lab.NoFace("a"), none},
		{"ws-security", lab.WSSEOnly("a"), none},
		{"digest sha-256", lab.DigestOnly("a"), none},
		{"open", lab.OpenCamera("a"), ladder{}},
		{"clock eight years off", made(lab.ClockOff("a"), "Lanting"), none},
		{"clock eight years off, a maker that configures faces elsewhere", made(lab.ClockOff("a"), "Dahua"), ladder{}},
		{"terminal", lab.FaceTerminal("a"), ladder{audit.Detect: configured, audit.Verify: configured}},
		{"recorder", lab.Recorder("a"), ladder{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Limits: lab.Limits{Requests: 1000}, Devices: []lab.Spec{tt.spec}})
			d, _ := shop.Device("a")
			var login *probe.Login
			if user, password, ok := shop.Credential(d.Credential); ok {
				login = probe.NewLogin(user, password)
			}
			obs, _ := ask(t, t.Context(), audit.PermitSample, targetOf(d), login, probe.Sample{Events: 1500 * time.Millisecond, Metadata: time.Second, Scarce: true})
			got := levels(t, obs)
			for _, f := range audit.Functions() {
				if got[f] != tt.want[f] && tt.want[f] != whatever {
					t.Errorf("%s is %s, want %s", f, got[f], tt.want[f])
				}
			}
			if testing.Verbose() {
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

// TestOneLogin counts what a device sees of a login that does not work.
func TestOneLogin(t *testing.T) {
	with := func(f func(*lab.Login)) lab.Spec {
		s := lab.NoFace("a")
		f(&s.Login)
		return s
	}
	for _, tt := range []struct {
		name     string
		spec     lab.Spec
		wrong    bool // the operator's password is wrong
		refusals int
		status   audit.Status // of the last GetDeviceInformation
		spent    bool
	}{
		{"digest, wrong", with(func(l *lab.Login) { l.Auth = lab.AuthDigestMD5 }), true, 1, audit.Refused, true},
		{"sha-256, wrong", with(func(l *lab.Login) { l.Auth = lab.AuthDigestSHA256 }), true, 1, audit.Refused, true},
		{"both algorithms, wrong", with(func(l *lab.Login) { l.Auth = lab.AuthDigestBoth }), true, 1, audit.Refused, true},
		{"ws-security, wrong", with(func(l *lab.Login) { l.Auth = lab.AuthWSSE }), true, 1, audit.Refused, true},
		{"any, wrong", with(func(l *lab.Login) { l.Auth = lab.AuthAny }), true, 1, audit.Refused, true},
		{"refuses everything", with(func(l *lab.Login) { l.Auth, l.Refuse, l.PreAuth = lab.AuthWSSE, true, true }), false, 1, audit.Refused, true},
		{"refuses everything, digest", with(func(l *lab.Login) { l.Auth, l.Refuse, l.PreAuth = lab.AuthDigestMD5, true, true }), false, 1, audit.Refused, true},
		{"counts down", with(func(l *lab.Login) { l.Auth, l.Attempts = lab.AuthWSSE, 3 }), true, 1, audit.Locked, true},
		{"login wanted for everything", with(func(l *lab.Login) { l.Auth, l.PreAuth = lab.AuthWSSE, true }), false, 0, audit.OK, false},
		{"login wanted for everything, digest", with(func(l *lab.Login) { l.Auth, l.PreAuth = lab.AuthDigestMD5, true }), false, 0, audit.OK, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Limits: lab.Limits{Requests: 1000}, Devices: []lab.Spec{tt.spec}})
			d, _ := shop.Device("a")
			user, password, _ := shop.Credential(d.Credential)
			if tt.wrong {
				password += "x"
			}
			login := probe.NewLogin(user, password)
			obs, _ := ask(t, t.Context(), audit.PermitLogin, targetOf(d), login, probe.Sample{})
			refused, last, after := 0, audit.Inconclusive, 0
			for _, r := range shop.Requests() {
				if refused > 0 {
					after++
				}
				if r.Login == "refused" {
					refused++
				}
			}
			for _, o := range obs {
				if o.Kind == "tds:GetDeviceInformation" {
					last = o.Status
				}
			}
			if refused != tt.refusals || last != tt.status || after != 0 {
				t.Errorf("%d refusals, %d requests after, %s", refused, after, last)
				for _, r := range shop.Requests() {
					t.Log(r.What, r.Login)
				}
				for _, o := range obs {
					t.Logf("%-34s %-14s %-7s %s", o.Kind, o.Status, o.Auth, o.Detail)
				}
			}
			if _, spent := login.Spent(); spent != tt.spent {
				t.Errorf("spent %v", spent)
			}
			for f, l := range levels(t, obs) {
				if tt.spent && l != audit.Unknown {
					t.Errorf("%s is %s after a refusal", f, l)
				}
			}
		})
	}
}

// TestPermits sends no more than each permit allows.
func TestPermits(t *testing.T) {
	for permit, banned := range map[audit.Permit][]string{
		audit.PermitDiscover: {"*"},
		audit.PermitQuery:    {"tds:GetScopes", "tan:GetRules", "tev:CreatePullPointSubscription", "RTSP DESCRIBE"},
		audit.PermitLogin:    {"tev:CreatePullPointSubscription", "RTSP DESCRIBE", "trt:GetStreamUri"},
	} {
		t.Run(permit.String(), func(t *testing.T) {
			t.Parallel()
			shop := labtest.Open(t, lab.Config{Limits: lab.Limits{Requests: 1000}, Devices: []lab.Spec{lab.EmitsRecognitionIdentity("a")}})
			d, _ := shop.Device("a")
			user, password, _ := shop.Credential(d.Credential)
			ask(t, t.Context(), permit, targetOf(d), probe.NewLogin(user, password), probe.Sample{})
			for _, r := range shop.Requests() {
				for _, b := range banned {
					if b == "*" || strings.HasPrefix(r.What, b) || permit < audit.PermitLogin && r.Login != "none" {
						t.Errorf("sent %s (%s)", r.What, r.Login)
					}
				}
			}
		})
	}
}

// TestReleased ends the run in the middle of a watch: the pull point is given back all the same.
func TestReleased(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Limits: lab.Limits{Requests: 1000}, Devices: []lab.Spec{lab.EmitsRecognitionPlain("a")}})
	d, _ := shop.Device("a")
	user, password, _ := shop.Credential(d.Credential)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan []audit.Observation)
	go func() {
		obs, _ := ask(t, ctx, audit.PermitSample, targetOf(d), probe.NewLogin(user, password), probe.Sample{Events: time.Minute})
		done <- obs
	}()
	seen := func(what string) bool {
		return slices.ContainsFunc(shop.Requests(), func(r lab.Request) bool { return r.What == what && r.Login == "ok" })
	}
	for range 400 {
		if seen("tev:PullMessages") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	obs := <-done
	if !seen("wsnt:Unsubscribe") {
		t.Error("the pull point was kept")
	}
	if o := obs[len(obs)-1]; o.Kind != "enumeration" {
		t.Errorf("ended with %s", o.Kind)
	}
}
