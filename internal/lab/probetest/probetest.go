// Package probetest runs a probe module in tests: against a device of the lab, and against peers that are no such device. It
// belongs to tests alone.
package probetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
)

// Tape keeps what modules record, as they hand it over.
type Tape struct {
	mu sync.Mutex
	b  bytes.Buffer
	n  int
}

// Record keeps one exchange.
func (t *Tape) Record(x evidence.Exchange) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	fmt.Fprintf(&t.b, "%s\n%s\n%s\n%s\n", x.URI, x.Request, x.Response, x.Note)
	return fmt.Sprintf("urn:%d", t.n)
}

// String is everything that was recorded.
func (t *Tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// Count is how many exchanges were recorded.
func (t *Tape) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// Run is one run of a module on one device.
type Run struct {
	Module probe.Module
	At     netip.AddrPort
	Vendor string       // known of the target
	Permit audit.Permit // default sample
	Login  *probe.Login
	Brief  bool
	Sample probe.Sample  // default events for 200 ms
	Done   *probe.Done   // default a new one
	For    time.Duration // default a minute
}

// Result is what came of it.
type Result struct {
	Observations []audit.Observation
	Facts        []string // "name key = value", sorted, repeats included
	Tape         *Tape
	Took         time.Duration
}

// Do runs the module once and derives. It holds that the module wants the target, there or where it had the usual port; that
// every kind of an observation is one it lists among its questions; that nothing comes back that cannot be marshalled or derived
// from; and that it does not ask twice.
func (r Run) Do(t testing.TB) Result {
	t.Helper()
	out := r.ask(t)
	for _, o := range out.Observations {
		if !slices.ContainsFunc(r.Module.Asks, func(q probe.Question) bool { return q.Kind == o.Kind }) {
			t.Errorf("an observation of kind %q, which the module does not say it asks", o.Kind)
		}
		if _, err := json.Marshal(o); err != nil {
			t.Error(err)
		}
		for _, f := range derived(t, r.Module, o) {
			out.Facts = append(out.Facts, strings.TrimSpace(f.Name+" "+f.Key)+fmt.Sprintf(" = %v", f.Value.V))
		}
	}
	slices.Sort(out.Facts)
	return out
}

// ask runs the module, and again to see that it does not ask twice. It leaves the facts to the caller.
func (r Run) ask(t testing.TB) Result {
	t.Helper()
	env := r.env(t)
	target := audit.Target{Method: "inventory", Addr: r.At, Identity: audit.Identity{Vendor: r.Vendor}}
	usual := target // the system may have given the peer a port that is another protocol's
	usual.Addr = netip.AddrPortFrom(r.At.Addr(), 80)
	if !r.Module.Wants(target) && (r.Vendor == "" || !r.Module.Wants(usual)) {
		t.Fatalf("%s does not want %s of %q", r.Module.Name, r.At, r.Vendor)
	}
	if r.For == 0 {
		r.For = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), r.For)
	defer cancel()
	began := time.Now()
	os, err := r.Module.Probe(ctx, env, target)
	if err != nil {
		t.Fatal(err)
	}
	out := Result{Observations: os, Took: time.Since(began)}
	out.Tape, _ = env.Evidence.(*Tape)
	if again, err := r.Module.Probe(ctx, env, target); err != nil || len(again) > 0 {
		t.Errorf("asked a second time: %v %v", again, err)
	}
	return out
}

func (r Run) env(t testing.TB) probe.Env {
	t.Helper()
	if r.Permit == 0 {
		r.Permit = audit.PermitSample
	}
	if r.Done == nil {
		r.Done = &probe.Done{}
	}
	if r.Sample.Events == 0 {
		r.Sample.Events = 200 * time.Millisecond
	}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: r.Permit, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	return probe.Env{Device: g.Device(r.At.Addr()), Guard: g, Login: r.Login, Evidence: &Tape{}, Clock: time.Now, Sample: r.Sample, Brief: r.Brief, Done: r.Done,
		Progress: func(audit.Text) {}}
}

func derived(t testing.TB, m probe.Module, o audit.Observation) []audit.Fact {
	t.Helper()
	if m.Derive == nil {
		return nil
	}
	fs, err := m.Derive(o)
	if err != nil {
		t.Errorf("%s: %v", o.Kind, err)
	}
	return fs
}

// On runs the module at an address of this machine.
func (r Run) On(t testing.TB, at netip.AddrPort) ([]audit.Observation, *Tape) {
	t.Helper()
	r.At = at
	got := r.Do(t)
	return got.Observations, got.Tape
}

// Device runs the module at a device of the lab, with its login unless another is given.
func (r Run) Device(t testing.TB, spec lab.Spec) ([]audit.Observation, *Tape) {
	t.Helper()
	shop := labtest.Open(t, lab.Config{Seed: 4, Devices: []lab.Spec{spec}})
	d, _ := shop.Device(spec.Name)
	if r.Login == nil {
		r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
	}
	return r.On(t, d.Addr)
}

// Kinds lists what was asked and how it ended, in order: "GET /x ok".
func (r Result) Kinds() (out []string) {
	for _, o := range r.Observations {
		out = append(out, o.Kind+" "+o.Status.String())
	}
	return out
}

// Text is everything that would be stored of a run.
func (r Result) Text(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(r.Observations)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + r.Tape.String() + strings.Join(r.Facts, "\n")
}

// Known derives and folds the facts of observations and lists what is known of faces: "detect configured", "identify not
// configured", ascending. A fact that is disputed ends in "disputed".
func Known(t testing.TB, m probe.Module, os []audit.Observation) []string {
	t.Helper()
	specs := map[string]audit.FactSpec{}
	for _, s := range m.Facts {
		specs[s.Name] = s
	}
	var facts []audit.Fact
	for i, o := range os {
		for _, f := range derived(t, m, o) {
			f.Because = []string{fmt.Sprint(i)}
			facts = append(facts, f)
		}
	}
	by, err := audit.Fold(facts, specs)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, fn := range audit.Functions() {
		for _, l := range []audit.Level{audit.Capable, audit.Configured, audit.Active} {
			f, stated := by[audit.Subject{}][audit.FactName(fn, l)]
			switch {
			case !stated:
			case !f.Known:
				out = append(out, fmt.Sprintf("%s %s disputed", fn, l))
			case f.Value.V == true:
				out = append(out, fmt.Sprintf("%s %s", fn, l))
			default:
				out = append(out, fmt.Sprintf("%s not %s", fn, l))
			}
		}
	}
	slices.Sort(out)
	return out
}
