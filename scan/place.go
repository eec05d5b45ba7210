package scan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/site"
)

// place is one locus under probe.
type place struct {
	locus  string
	addr   netip.Addr
	device *guard.Device
	done   probe.Done

	// Under the runner's lock.
	pending  []audit.Target
	queued   bool // anything ever was
	running  bool
	login    *probe.Login
	loginWhy audit.Text

	// Of the worker alone.
	asked   map[string]bool // module and endpoint
	spent   time.Duration
	with    *probe.Login
	withWhy audit.Text // why it is nil
}

// queue gives the target to its place's worker and starts one if none runs. A device that answers from two addresses of
// different families under one endpoint reference is asked at the first.
func (r *runner) queue(ctx context.Context, locus string, t audit.Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.found[locus]
	if p == nil {
		a := t.Addr.Addr().Unmap()
		p = &place{locus: locus, addr: a, device: r.o.Guard.Device(a), asked: map[string]bool{}}
		r.found[locus] = p
		r.o.Progress.Device(locus, msg.Text("scan.device.found"))
		r.journal("device-found", map[string]any{"locus": locus, "method": t.Method})
	}
	if epr := t.Identity.EPR; epr != "" {
		first := r.byEPR[epr]
		if first == nil {
			r.byEPR[epr] = p
		} else if first != p && first.addr.Is4() != p.addr.Is4() && !p.queued {
			r.coverage = append(r.coverage, audit.Coverage{Target: locus, Module: t.Method, Status: audit.Skipped, Detail: msg.Text("scan.skipped.alias", first.locus)})
			return
		}
	}
	if p.login == nil {
		p.login, p.loginWhy = r.loginFor(p, t)
	}
	p.done.Learn(&t.Identity)
	p.pending, p.queued = append(p.pending, t), true
	if !p.running {
		p.running = true
		r.workers.Go(func() { r.work(ctx, p) })
	}
}

// loginFor returns the one login of a device, shared by every address that carries its endpoint reference and that the
// inventory does not list as a device of its own. Called with the lock.
func (r *runner) loginFor(p *place, t audit.Target) (*probe.Login, audit.Text) {
	if r.o.Guard.Permit() < audit.PermitLogin {
		return nil, msg.Text("scan.login.permit")
	}
	key := p.locus
	if t.Identity.EPR != "" && r.entries[p.locus].Address == "" {
		key = t.Identity.EPR
	}
	if l := r.logins[key]; l != nil {
		return l, audit.Text{}
	}
	ref := site.LoginRef(r.o.Site, r.entries[p.locus].ID)
	if ref == "" || r.o.Login == nil {
		return nil, msg.Text("scan.login.none")
	}
	user, password, err := r.o.Login(ref)
	if err != nil {
		return nil, msg.Text("scan.login.reference", clean.Text(err.Error(), 200))
	}
	l := probe.NewLogin(user, password)
	r.logins[key] = l
	return l, audit.Text{}
}

// work probes one place until nothing is pending.
func (r *runner) work(ctx context.Context, p *place) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
	}
	for {
		r.mu.Lock()
		if len(p.pending) == 0 {
			p.running = false
			r.mu.Unlock()
			r.o.Progress.Device(p.locus, audit.Text{})
			return
		}
		t := p.pending[0]
		p.pending = p.pending[1:]
		p.with, p.withWhy = p.login, p.loginWhy
		r.mu.Unlock()
		for _, m := range r.o.Modules {
			r.ask(ctx, p, m, t)
		}
		p.device.CloseIdle()
	}
}

// ask runs one module on one endpoint of a device, at most once.
func (r *runner) ask(ctx context.Context, p *place, m probe.Module, t audit.Target) {
	if m.Probe == nil {
		return // it only listens
	}
	if t = p.done.Inform(t); r.o.Data != nil {
		t = probe.By(t, r.o.Data.Fingerprints)
	}
	if !m.Wants(t) {
		return
	}
	where := endpointText(t.Addr)
	key := m.Name + " " + where
	if p.asked[key] {
		return
	}
	skip := func(status audit.CoverageStatus, why audit.Text) {
		r.cover(audit.Coverage{Target: where, Module: m.Name, Status: status, Detail: why})
	}
	switch {
	case m.Needs > r.o.Guard.Permit():
		p.asked[key] = true
		skip(audit.Skipped, msg.Text("scan.skipped.permit", r.o.Guard.Permit().String(), m.Needs.String()))
		return
	case ctx.Err() != nil:
		p.asked[key] = true
		skip(audit.Stopped, msg.Text("scan.skipped.stop"))
		return
	case p.spent >= r.o.Budget:
		p.asked[key] = true
		skip(audit.Skipped, msg.Text("scan.budget"))
		return
	}
	p.asked[key] = true
	if m.Web != 0 && p.done.Silent(probe.Endpoint(t, m.Web).Port()) {
		skip(audit.NoAnswer, msg.Text("scan.silent"))
		return
	}
	r.o.Progress.Device(p.locus, msg.Text("scan.device.asking", m.Name))
	r.journal("probe-started", map[string]any{"locus": p.locus, "module": m.Name, "endpoint": where})

	began := time.Now()
	got, err := r.probe(ctx, p, m, t)
	p.spent += time.Since(began)

	for i := range got {
		got[i].Locus = p.locus
		p.done.Learn(got[i].Identity)
		r.keep(got[i])
		r.behind(ctx, got[i])
	}
	r.journal("probe-ended", map[string]any{"locus": p.locus, "module": m.Name, "endpoint": where, "observations": len(got)})
	switch {
	case err != nil:
		r.cover(r.failure(where, m.Name, err))
	case len(got) > 0:
		c := coverageOf(where, m.Name, got)
		if c.Status == audit.RefusedBy && p.with == nil && !p.withWhy.IsZero() {
			c.Detail = audit.Text{ZH: c.Detail.ZH + "。" + p.withWhy.ZH, EN: c.Detail.EN + ". " + p.withWhy.EN}
		}
		r.cover(c)
	}
}

// probe calls the module in a cell of its own. It returns when the module does, or when the module does not end within the
// device's budget and the grace after it.
func (r *runner) probe(ctx context.Context, p *place, m probe.Module, t audit.Target) ([]audit.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.Budget-p.spent)
	defer cancel()
	env := probe.Env{Device: p.device, Guard: r.o.Guard, Login: p.with, Evidence: r.o.Evidence, Clock: r.o.Clock, Data: r.o.Data, Sample: r.o.Sample, Brief: r.o.Brief,
		Done: &p.done, Progress: func(t audit.Text) { r.o.Progress.Device(p.locus, t) }}
	type result struct {
		observations []audit.Observation
		err          error
	}
	ended := make(chan result, 1)
	go func() {
		var res result
		res.err = isolated(func() (err error) {
			res.observations, err = m.Probe(ctx, env, t)
			return err
		})
		ended <- res
	}()
	select {
	case res := <-ended:
		return res.observations, res.err
	case <-ctx.Done():
	}
	select {
	case res := <-ended:
		return res.observations, res.err
	case <-time.After(r.o.Grace):
		return nil, errHung
	}
}

var errHung = errors.New("scan: module did not end")

// panicError is a panic of a module, caught.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// isolated calls f and turns a panic into an error.
func isolated(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return f()
}
