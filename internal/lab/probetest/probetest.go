// Package probetest runs a probe module in tests: against a device of the lab, and against peers that are no such device. It
// belongs to tests alone.
package probetest

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
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

// Tape keeps what was recorded.
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

func (t *Tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// Run is how a module is run.
type Run struct {
	Module probe.Module
	Permit audit.Permit // default sample
	Login  *probe.Login
	Maker  string // known of the target
	Brief  bool
	Events time.Duration // default 200 ms
	Done   *probe.Done   // default a new one
	For    time.Duration // how long the run lasts; default a minute
}

// At runs the module at an address of this machine. The module must want such a target at port 80.
func (r Run) At(t testing.TB, at netip.AddrPort) ([]audit.Observation, *Tape) {
	t.Helper()
	permit := r.Permit
	if permit == 0 {
		permit = audit.PermitSample
	}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.0.0.0/8"), Permit: permit, PacketsPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	tape, done := &Tape{}, r.Done
	if done == nil {
		done = &probe.Done{}
	}
	events := r.Events
	if events == 0 {
		events = 200 * time.Millisecond
	}
	env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: tape, Clock: time.Now, Done: done, Progress: func(audit.Text) {}, Login: r.Login,
		Brief: r.Brief, Sample: probe.Sample{Events: events}}
	target := audit.Target{Method: "inventory", Addr: at, Identity: audit.Identity{Vendor: r.Maker}}
	usual := target // the system may have given the peer a port that is another protocol's
	usual.Addr = netip.AddrPortFrom(at.Addr(), 80)
	if !r.Module.Wants(usual) {
		t.Fatalf("%s does not want %s of %s", r.Module.Name, at, r.Maker)
	}
	length := r.For
	if length == 0 {
		length = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	os, err := r.Module.Probe(ctx, env, target)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range os {
		if !slices.ContainsFunc(r.Module.Asks, func(q probe.Question) bool { return q.Kind == o.Kind }) {
			t.Errorf("an observation of kind %q, which the module does not say it asks", o.Kind)
		}
	}
	return os, tape
}

// Device runs the module at a device of the lab, with its login unless another is given.
func (r Run) Device(t testing.TB, spec lab.Spec) ([]audit.Observation, *Tape) {
	t.Helper()
	shop := labtest.Open(t, lab.Config{Seed: 4, Devices: []lab.Spec{spec}})
	d, _ := shop.Device(spec.Name)
	if r.Login == nil {
		r.Login = probe.NewLogin(d.Spec.Login.User, d.Spec.Login.Password)
	}
	return r.At(t, d.Addr)
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
