package scan

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
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
	Captures []Capture // what to listen to

	// Login resolves a credential reference ("env:VAR") to a user and a password. Nil: no logins.
	Login func(ref string) (user, password string, err error)

	// Optional, with their defaults.
	Data     *knowledge.Set                            // what is known of makers, models and hosts; what is built in
	Sample   probe.Sample                              // 30 s of events, 20 s of metadata
	Ports    []uint16                                  // ports the sweep connects to; discover's own list
	Window   time.Duration                             // how long discovery listens; 6 s
	Quick    bool                                      // discovery listens no longer than the protocols' own delays ask for
	Brief    bool                                      // devices are asked only who they are, with few packets
	Parallel int                                       // devices probed at once; 64, and 256 in a brief run
	Budget   time.Duration                             // for one device, all modules; 5 min
	Grace    time.Duration                             // to release what a device holds after the run ends; 8 s
	Clock    func() time.Time                          // time.Now
	Scrub    func([]byte) []byte                       // removes secrets from what is about to be stored
	Journal  func(event string, fields map[string]any) // what happened when
	Progress Progress                                  // silent
	Watch    func(now func() Overheard)                // called once when listening has begun; now may be called until Run returns
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
	Captures     []audit.Recording // what was listened to, in the order of the options; digests and formats are the caller's to add
}

// Run finds the devices of a site and asks them what the permit allows. Devices are probed while discovery still runs; one
// device's failure, hang or panic costs its own coverage entry and nothing else. When the context ends, Run stops asking,
// lets modules release what they hold, and returns what was gathered. Captures are read at the same time; what they show takes
// the same path as what devices answer.
func Run(ctx context.Context, o Options) Gathered {
	r := newRunner(o)
	r.journal("run-started", map[string]any{"permit": r.o.Guard.Permit().String()})
	stopping := context.AfterFunc(ctx, func() { r.o.Progress.Step(msg.Text("scan.step.stopping")) })
	defer stopping()
	r.declare()
	listened := r.listen(ctx)
	r.discoverAll(ctx)
	r.workers.Wait()
	listened()
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

	// Of the goroutine that calls Run.
	hearings   []*hearing
	recordings []audit.Recording
}

func newRunner(o Options) *runner {
	if o.Brief {
		o.Parallel = orDefault(o.Parallel, 256) // little is asked of each
	}
	o.Parallel = orDefault(o.Parallel, 64)
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
	neighbours := &discover.Neighbourhood{}
	for _, m := range r.o.Methods {
		if m.Needs > r.o.Guard.Permit() {
			r.cover(audit.Coverage{Target: "site", Module: m.Name, Status: audit.Skipped,
				Detail: msg.Text("scan.skipped.permit", r.o.Guard.Permit().String(), m.Needs.String())})
			continue
		}
		wg.Go(func() { r.discoverBy(ctx, m, neighbours) })
	}
	wg.Wait()
}

func (r *runner) discoverBy(ctx context.Context, m discover.Method, neighbours *discover.Neighbourhood) {
	r.o.Progress.Step(msg.Text("scan.step.discover", m.Doc))
	env := discover.Env{Guard: r.o.Guard, Site: r.o.Site, Evidence: r.o.Evidence, Clock: r.o.Clock, Data: r.o.Data, Ports: r.o.Ports, Window: r.o.Window, Quick: r.o.Quick,
		Keep: r.o.Brief, Neighbours: neighbours, Progress: r.o.Progress.Step}
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
	case r.o.Guard.Permit() < audit.PermitQuery || t.Sighting:
		return
	}
	r.queue(ctx, locus, t)
}

type silent struct{}

func (silent) Step(audit.Text) {}

func (silent) Device(string, audit.Text) {}

func orDefault[T ~int | ~int64](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}
