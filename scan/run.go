package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/site"
)

// Options is everything a run may touch.
type Options struct {
	Site     *audit.SiteFile
	Guard    *guard.Guard
	Modules  []probe.Module
	Methods  []discover.Method
	Evidence evidence.Recorder

	// Login resolves a credential reference ("env:VAR") to a user and a password. Nil: no logins.
	Login func(ref string) (user, password string, err error)

	// Optional, with their defaults.
	Sample   probe.Sample                              // 30 s of events, 20 s of metadata
	Ports    []uint16                                  // ports the sweep connects to; discover's own list
	Window   time.Duration                             // how long discovery listens; 6 s
	Parallel int                                       // devices probed at once; 16
	Budget   time.Duration                             // for one device, all modules; 5 min
	Grace    time.Duration                             // to release what a device holds after the run ends; 8 s
	Clock    func() time.Time                          // time.Now
	Scrub    func([]byte) []byte                       // removes secrets from what is about to be stored
	Journal  func(event string, fields map[string]any) // what happened when
	Progress Progress                                  // silent
}

// Progress hears how a run goes. Its methods may be called concurrently and must not block.
type Progress interface {
	Step(audit.Text)
	Device(id string, state audit.Text) // a zero state: everything known of it has been asked
}

// Gathered is what a run brought back. It is valid, if smaller, when the run was interrupted.
type Gathered struct {
	Observations []audit.Observation
	Coverage     []audit.Coverage
	Complete     bool
	Why          audit.Text // why it is not complete
	Interfaces   []string
}

// Run finds the devices of a site and asks them what the permit allows. Devices are probed while discovery still runs; one
// device's failure, hang or panic costs its own coverage entry and nothing else. When the context ends, Run stops asking,
// lets modules release what they hold, and returns what was gathered.
func Run(ctx context.Context, o Options) Gathered {
	r := newRunner(o)
	r.journal("run-started", map[string]any{"permit": r.o.Guard.Permit().String()})
	stopping := context.AfterFunc(ctx, func() { r.o.Progress.Step(msg.Text("scan.step.stopping")) })
	defer stopping()
	r.declare()
	r.discoverAll(ctx)
	r.workers.Wait()
	r.unseen(ctx)
	return r.gathered(ctx)
}

type runner struct {
	o       Options
	places  loci
	entries map[string]audit.InventoryEntry // by locus

	workers sync.WaitGroup
	slots   chan struct{} // bounds the devices probed at once

	mu           sync.Mutex
	observations []audit.Observation
	coverage     []audit.Coverage
	found        map[string]*place       // by locus
	byEPR        map[string]*place       // the first place an endpoint reference was seen at
	logins       map[string]*probe.Login // by endpoint reference or locus
	methodsRan   int
}

// place is one locus under probe.
type place struct {
	locus    string
	addr     netip.Addr
	pending  []audit.Target
	asked    map[string]bool // module and endpoint
	running  bool
	spent    time.Duration
	done     probe.Done
	login    *probe.Login
	loginWhy audit.Text
}

func newRunner(o Options) *runner {
	o.Parallel = orDefault(o.Parallel, 16)
	o.Budget = orDefault(o.Budget, 5*time.Minute)
	o.Grace = orDefault(o.Grace, 8*time.Second)
	o.Window = orDefault(o.Window, 6*time.Second)
	o.Sample.Events = orDefault(o.Sample.Events, 30*time.Second)
	o.Sample.Metadata = orDefault(o.Sample.Metadata, 20*time.Second)
	o.Sample.Scarce = o.Sample.Scarce || o.Site.Authority.ScarcePullPoints
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Progress == nil {
		o.Progress = silent{}
	}
	r := &runner{o: o, places: newLoci(o.Site.Inventory), entries: map[string]audit.InventoryEntry{}, slots: make(chan struct{}, o.Parallel),
		found: map[string]*place{}, byEPR: map[string]*place{}, logins: map[string]*probe.Login{}}
	for _, e := range o.Site.Inventory {
		r.entries[r.places.ofEntry(e)] = e
	}
	return r
}

// declare turns the site file into observations, so that what is declared takes the same path as what is seen.
func (r *runner) declare() {
	for _, x := range site.Observations(r.o.Site) {
		if id := inventoryOf(x); id != "" {
			for _, e := range r.o.Site.Inventory {
				if e.ID == id {
					x.Locus = r.places.ofEntry(e)
				}
			}
		}
		r.keep(x)
	}
}

// discoverAll runs every method the permit allows at the same time, and returns when all have ended.
func (r *runner) discoverAll(ctx context.Context) {
	var wg sync.WaitGroup
	for _, m := range r.o.Methods {
		if m.Needs > r.o.Guard.Permit() {
			r.cover(audit.Coverage{Target: "site", Module: m.Name, Status: audit.Skipped,
				Detail: msg.Text("scan.skipped.permit", r.o.Guard.Permit().String(), m.Needs.String())})
			continue
		}
		wg.Go(func() { r.discoverBy(ctx, m) })
	}
	wg.Wait()
}

func (r *runner) discoverBy(ctx context.Context, m discover.Method) {
	r.o.Progress.Step(msg.Text("scan.step.discover", m.Doc))
	env := discover.Env{Guard: r.o.Guard, Site: r.o.Site, Evidence: r.o.Evidence, Clock: r.o.Clock, Ports: r.o.Ports, Window: r.o.Window, Progress: r.o.Progress.Step}
	var found []audit.Coverage
	err := isolated(func() (err error) {
		found, err = m.Run(ctx, env, func(t audit.Target) { r.target(ctx, t) })
		return err
	})
	r.cover(found...)
	if err != nil {
		r.cover(r.failure("site", m.Name, err))
		return
	}
	r.mu.Lock()
	r.methodsRan++
	r.mu.Unlock()
}

// target takes what a discovery method found: it is recorded as a sighting, and probed if it may be.
func (r *runner) target(ctx context.Context, t audit.Target) {
	locus := r.places.of(t.Addr)
	verbatim := t
	verbatim.At = time.Time{} // the observation has it
	data, err := json.Marshal(verbatim)
	if err != nil {
		data = nil
	}
	status := audit.OK
	if t.Method == "inventory" {
		status = audit.Declared
	}
	id := t.Identity
	r.keep(audit.Observation{Module: t.Method, Kind: sightingKind, Class: audit.ClassInventory, Endpoint: t.Addr, Locus: locus, At: t.At, Status: status,
		Identity: &id, Data: data, Evidence: t.Evidence})
	switch {
	case t.Foreign || !r.o.Guard.Inside(t.Addr.Addr()):
		r.cover(audit.Coverage{Target: locus, Module: t.Method, Status: audit.DeniedByUs, Detail: msg.Text("scan.foreign")})
		return
	case r.o.Guard.Permit() < audit.PermitQuery:
		return
	}
	r.queue(ctx, locus, t)
}

// queue gives the target to its place's worker and starts one if none runs. A device that answers from two addresses of
// different families under one endpoint reference is asked at the first.
func (r *runner) queue(ctx context.Context, locus string, t audit.Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.found[locus]
	if p == nil {
		p = &place{locus: locus, addr: t.Addr.Addr().Unmap(), asked: map[string]bool{}}
		r.found[locus] = p
		r.o.Progress.Device(locus, msg.Text("scan.device.found"))
		r.journal("device-found", map[string]any{"locus": locus, "method": t.Method})
	}
	if epr := t.Identity.EPR; epr != "" {
		first := r.byEPR[epr]
		if first == nil {
			r.byEPR[epr] = p
		} else if first != p && first.addr.Is4() != p.addr.Is4() && len(p.asked) == 0 && len(p.pending) == 0 {
			r.coverage = append(r.coverage, audit.Coverage{Target: locus, Module: t.Method, Status: audit.Skipped, Detail: msg.Text("scan.skipped.alias", first.locus)})
			return
		}
	}
	if p.login == nil {
		p.login, p.loginWhy = r.loginFor(p, t)
	}
	p.pending = append(p.pending, t)
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
		r.mu.Unlock()
		for _, m := range r.o.Modules {
			r.ask(ctx, p, m, t)
		}
	}
}

// ask runs one module on one endpoint of a device, at most once.
func (r *runner) ask(ctx context.Context, p *place, m probe.Module, t audit.Target) {
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
	r.o.Progress.Device(p.locus, msg.Text("scan.device.asking", m.Name))
	r.journal("probe-started", map[string]any{"locus": p.locus, "module": m.Name, "endpoint": where})

	began := time.Now()
	got, err := r.probe(ctx, p, m, t)
	p.spent += time.Since(began)

	for i := range got {
		got[i].Locus = p.locus
		r.keep(got[i])
	}
	r.journal("probe-ended", map[string]any{"locus": p.locus, "module": m.Name, "endpoint": where, "observations": len(got)})
	switch {
	case err != nil:
		r.cover(r.failure(where, m.Name, err))
	case len(got) > 0:
		c := coverageOf(where, m.Name, got)
		if c.Status == audit.RefusedBy && p.login == nil && !p.loginWhy.IsZero() {
			c.Detail = audit.Text{ZH: c.Detail.ZH + "。" + p.loginWhy.ZH, EN: c.Detail.EN + ". " + p.loginWhy.EN}
		}
		r.cover(c)
	}
}

// probe calls the module in a cell of its own. It returns when the module does, or when the module does not end within the
// device's budget and the grace after it.
func (r *runner) probe(ctx context.Context, p *place, m probe.Module, t audit.Target) ([]audit.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.Budget-p.spent)
	defer cancel()
	env := probe.Env{Device: r.o.Guard.Device(p.addr), Guard: r.o.Guard, Login: p.login, Evidence: r.o.Evidence, Clock: r.o.Clock, Sample: r.o.Sample,
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

// unseen adds a coverage entry for every inventory entry with an address inside the perimeter that never answered. "No answer"
// is said only of what was asked: a permit that sends nothing, and a run that was stopped before, say so instead.
func (r *runner) unseen(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked, answered := map[string]bool{}, map[string]bool{}
	for _, o := range r.observations {
		switch o.Status {
		case audit.Declared, audit.Denied, audit.Interrupted:
		case audit.Unreachable, audit.Timeout:
			asked[o.Locus] = true
		default:
			answered[o.Locus] = true
		}
	}
	for _, e := range r.o.Site.Inventory {
		l := r.places.ofEntry(e)
		if e.Address == "" || answered[l] || outside(r.o.Guard, e.Address) {
			continue
		}
		c := audit.Coverage{Target: e.Address, Module: "inventory", Status: audit.NoAnswer, Detail: msg.Text("scan.inventory.unseen")}
		switch {
		case r.o.Guard.Permit() < audit.PermitDiscover:
			c.Status, c.Detail = audit.Skipped, msg.Text("scan.skipped.permit", r.o.Guard.Permit().String(), audit.PermitDiscover.String())
		case ctx.Err() != nil && !asked[l]:
			c.Status, c.Detail = audit.Stopped, msg.Text("scan.skipped.stop")
		}
		r.coverage = append(r.coverage, c)
	}
}

// outside reports an address of the inventory that may not be asked; the denial is in the coverage already.
func outside(g *guard.Guard, address string) bool {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return !g.Inside(ap.Addr())
	}
	a, err := netip.ParseAddr(address)
	return err == nil && !g.Inside(a)
}

func (r *runner) gathered(ctx context.Context) Gathered {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := Gathered{Observations: r.observations, Coverage: append(r.coverage, denials(r.o.Guard.Denials())...), Complete: true, Interfaces: []string{}}
	if ifs, err := r.o.Guard.Interfaces(); err == nil {
		for _, i := range ifs {
			g.Interfaces = append(g.Interfaces, i.Name)
		}
	}
	heard := slices.ContainsFunc(g.Observations, func(o audit.Observation) bool {
		if o.Endpoint.IsValid() && !r.o.Guard.Inside(o.Endpoint.Addr()) {
			return false // a neighbour's device that answered a multicast says nothing of the site
		}
		return o.Status != audit.Declared && o.Status != audit.Unreachable && o.Status != audit.Timeout && o.Status != audit.Denied && o.Status != audit.Interrupted
	})
	switch {
	case ctx.Err() != nil:
		g.Complete, g.Why = false, msg.Text("scan.why.interrupt")
	case r.methodsRan == 0:
		g.Complete, g.Why = false, msg.Text("scan.why.discovery")
	case r.o.Guard.Permit() < audit.PermitDiscover:
		g.Complete, g.Why = false, msg.Text("scan.why.listen")
	case !heard:
		g.Complete, g.Why = false, msg.Text("scan.why.unreached")
	}
	r.journal("run-ended", map[string]any{"complete": g.Complete, "observations": len(g.Observations)})
	return g
}

// keep stores an observation, with what a device said in it freed of secrets.
func (r *runner) keep(o audit.Observation) {
	o.At, o.Until = o.At.UTC().Truncate(time.Millisecond), o.Until.UTC().Truncate(time.Millisecond)
	o = scrubbed(o, r.o.Scrub)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observations = append(r.observations, o)
}

// scrubbed frees the device's own words of secrets. The program's words around them stay as they are, even where a user name
// is one of them: judging depends on these, and they hold nothing of a device.
func scrubbed(o audit.Observation, scrub func([]byte) []byte) audit.Observation {
	if scrub == nil || o.Module == siteModule {
		return o
	}
	said := struct {
		Detail   string
		Identity *audit.Identity
		Data     json.RawMessage `json:",omitempty"`
	}{o.Detail, o.Identity, o.Data}
	b, err := json.Marshal(said)
	if err != nil {
		o.Detail, o.Data = "", nil // what cannot be searched is not kept
		return o
	}
	said.Identity, said.Data = nil, nil
	if err := json.Unmarshal(scrub(b), &said); err != nil {
		o.Detail, o.Data, o.Identity = "", nil, nil
		return o
	}
	o.Detail, o.Identity, o.Data = said.Detail, said.Identity, said.Data
	return o
}

func (r *runner) cover(cs ...audit.Coverage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coverage = append(r.coverage, cs...)
}

func (r *runner) failure(target, module string, err error) audit.Coverage {
	c := audit.Coverage{Target: target, Module: module, Status: audit.Failed, Detail: msg.Text("scan.failed.error", clean.Text(err.Error(), 300))}
	var p *panicError
	var d *guard.DeniedError
	switch {
	case errors.Is(err, errHung):
		c.Detail = msg.Text("scan.failed.hang")
	case errors.As(err, &p):
		c.Detail = msg.Text("scan.failed.panic", clean.Text(p.Error(), 300))
		r.journal("module-panic", map[string]any{"module": module, "target": target, "stack": clean.Text(string(p.stack), 2000)})
	case errors.As(err, &d):
		c.Status, c.Detail = audit.DeniedByUs, d.Denial.Reason
	case errors.Is(err, context.Canceled):
		c.Status, c.Detail = audit.Stopped, msg.Text("scan.skipped.stop")
	}
	return c
}

func (r *runner) journal(event string, fields map[string]any) {
	if r.o.Journal != nil {
		r.o.Journal(event, fields)
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

type silent struct{}

func (silent) Step(audit.Text)           {}
func (silent) Device(string, audit.Text) {}

func orDefault[T ~int | ~int64](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}
