package scan

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// unseen adds a coverage entry for every inventory entry with an address inside the perimeter that never answered. "No answer"
// is said only of what was asked: a permit that sends nothing, and a run that was stopped before, say so instead.
func (r *runner) unseen(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked, answered, denied := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, o := range r.observations {
		if overheard(o) && !r.heardNow(o) {
			continue // it was heard when the capture was made; that says nothing of now
		}
		switch o.Status {
		case audit.Declared, audit.Interrupted:
		case audit.Denied: // the guard's own entry says why
			denied[o.Locus] = true
		case audit.Unreachable, audit.Timeout:
			asked[o.Locus] = true
		default:
			answered[o.Locus] = true
		}
	}
	for _, e := range r.o.Site.Inventory {
		l := r.places.ofEntry(e)
		if e.Address == "" || answered[l] || denied[l] && !asked[l] || outside(r.o.Guard, e.Address) {
			continue
		}
		c := audit.Coverage{Target: e.Address, Module: "inventory", Status: audit.NoAnswer, Detail: msg.Text("scan.inventory.unseen")}
		switch {
		case r.o.Guard.Permit() < audit.PermitDiscover && len(r.recordings) > 0:
			c.Status, c.Detail = audit.NotObserved, msg.Text("listen.unheard")
		case r.o.Guard.Permit() < audit.PermitDiscover:
			c.Status, c.Detail = audit.Skipped, msg.Text("scan.skipped.permit", r.o.Guard.Permit().String(), audit.PermitDiscover.String())
		case ctx.Err() != nil && !asked[l]:
			c.Status, c.Detail = audit.Stopped, msg.Text("scan.skipped.stop")
		}
		r.coverage = append(r.coverage, c)
	}
}

// heardNow reports whether something overheard counts as met in this run: it was heard on an interface, or nothing but
// listening was to be done.
func (r *runner) heardNow(o audit.Observation) bool {
	return r.o.Guard.Permit() < audit.PermitDiscover || heardLive(o, liveIDs(r.recordings))
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
	g := Gathered{Observations: r.observations, Coverage: append(r.coverage, denials(r.o.Guard.Denials())...), Complete: true, Interfaces: []string{}, Captures: r.recordings}
	listens := r.o.Guard.Permit() < audit.PermitDiscover
	if ifs, err := r.o.Guard.Interfaces(); err == nil && (!listens || len(r.hearings) == 0) {
		for _, i := range ifs {
			g.Interfaces = append(g.Interfaces, i.Name)
		}
	}
	early := len(r.recordings) > 0 // listening may end when somebody says so
	for _, h := range r.hearings {
		if h.c.Live && h.refused == nil && !slices.Contains(g.Interfaces, h.c.Name) {
			g.Interfaces = append(g.Interfaces, h.c.Name)
		}
		early = early && h.c.Live && h.c.Early
	}
	heard := slices.ContainsFunc(g.Observations, func(o audit.Observation) bool {
		if o.Endpoint.IsValid() && !r.o.Guard.Inside(o.Endpoint.Addr()) {
			return false // a neighbour's device that answered a multicast says nothing of the site
		}
		if overheard(o) {
			return false // nobody asked it
		}
		return cameBack(o.Status)
	})
	switch {
	case ctx.Err() != nil && !(listens && early):
		g.Complete, g.Why = false, msg.Text("scan.why.interrupt")
	case listens && readable(r.recordings):
	case listens && len(r.recordings) > 0:
		g.Complete, g.Why = false, msg.Text("listen.why.deaf")
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
		Behind   []audit.Channel `json:",omitempty"`
		Data     json.RawMessage `json:",omitempty"`
	}{o.Detail, o.Identity, o.Behind, o.Data}
	b, err := json.Marshal(said)
	if err != nil {
		o.Detail, o.Behind, o.Data = "", nil, nil // what cannot be searched is not kept
		return o
	}
	said.Identity, said.Behind, said.Data = nil, nil, nil
	if err := json.Unmarshal(scrub(b), &said); err != nil {
		o.Detail, o.Data, o.Identity, o.Behind = "", nil, nil, nil
		return o
	}
	o.Detail, o.Identity, o.Behind, o.Data = said.Detail, said.Identity, said.Behind, said.Data
	return o
}

func (r *runner) cover(cs ...audit.Coverage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coverage = append(r.coverage, cs...)
}

func (r *runner) failure(target, module string, err error) audit.Coverage {
	// An error may quote the device, so it goes the way of everything a device said.
	said := func(s string) string {
		return scrubbed(audit.Observation{Detail: clean.Text(s, 300)}, r.o.Scrub).Detail
	}
	c := audit.Coverage{Target: target, Module: module, Status: audit.Failed, Detail: msg.Text("scan.failed.error", said(err.Error()))}
	var p *panicError
	var d *guard.DeniedError
	switch {
	case errors.Is(err, errHung):
		c.Detail = msg.Text("scan.failed.hang")
	case errors.As(err, &p):
		c.Detail = msg.Text("scan.failed.panic", said(p.Error()))
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
