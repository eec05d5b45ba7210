package guard

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Denial is one refusal of the guard, or one bundle of equal refusals.
type Denial struct {
	At     time.Time // the first of them
	Target string    // address or interface
	What   string    // dial, http, udp, redirect, xaddr, browse, interface …
	Reason audit.Text
	Count  int
}

// DeniedError is returned for everything the guard refused; errors.As finds it.
type DeniedError struct{ Denial Denial }

func (e *DeniedError) Error() string {
	return "guard: " + e.Denial.What + " " + e.Denial.Target + ": " + e.Denial.Reason.EN
}

// maxDenials bounds the list: a device can name as many foreign hosts as it likes.
const maxDenials = 1000

type denialKey struct{ what, target, reason string }

type denials struct {
	mu   sync.Mutex
	by   map[denialKey]*Denial
	more Denial // everything past maxDenials
}

// Deny records a refusal that a caller decided on: an XAddr or redirect to another host that is not followed. The target
// may be a device's own text; it is cleaned and cut.
func (g *Guard) Deny(what, target string, reason audit.Text) {
	g.denials.add(g.clock(), clean.Text(what, 40), clean.Text(target, 200), reason)
}

// Denials returns every refusal so far, equal ones counted together, sorted by what, target and reason. After 1000
// different ones the rest is counted in a last entry whose target is "…".
func (g *Guard) Denials() []Denial {
	g.denials.mu.Lock()
	defer g.denials.mu.Unlock()
	out := make([]Denial, 0, len(g.denials.by)+1)
	for _, d := range g.denials.by {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Denial) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Reason.EN, b.Reason.EN))
	})
	if g.denials.more.Count > 0 {
		out = append(out, g.denials.more)
	}
	return out
}

func (g *Guard) refuse(what, target string, reason audit.Text) error {
	return &DeniedError{g.denials.add(g.clock(), what, target, reason)}
}

func (d *denials) add(at time.Time, what, target string, reason audit.Text) Denial {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := denialKey{what, target, reason.EN}
	if old, ok := d.by[k]; ok {
		old.Count++
		return *old
	}
	one := Denial{At: at, Target: target, What: what, Reason: reason, Count: 1}
	if len(d.by) >= maxDenials {
		if d.more.Count == 0 {
			d.more = Denial{At: at, Target: "…", What: "more", Reason: msg.Text("guard.denied.more")}
		}
		d.more.Count++
		return one
	}
	if d.by == nil {
		d.by = map[denialKey]*Denial{}
	}
	kept := one
	d.by[k] = &kept
	return one
}
