package reolink

import (
	"context"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/reolink"
	"github.com/mingshi-audit/mingshi/probe"
)

// What is asked within the session.

func (s *session) device(ctx context.Context) (channels int) {
	as, o, d := s.put(ctx, string(wire.DevInfo), wire.DevInfo, probe.Call{Body: wire.Ask(wire.DevInfo)}, audit.ClassInventory)
	if as != nil && o.Status == audit.OK {
		id := identity(o)
		id.Vendor, id.Services = maker, []string{moduleName}
		channels = s.describe(as, o, d)
	}
	s.keep(o, d)
	return channels
}

func (s *session) ability(ctx context.Context) {
	user, _, _ := s.env.Login.Use()
	as, o, d := s.put(ctx, string(wire.Ability), wire.Ability, probe.Call{Body: wire.AskAbility(user), ShownBody: wire.AskAbility(noToken)}, audit.ClassCapability)
	if first, ok := wire.First(as, wire.Ability); ok && o.Status == audit.OK {
		fs, err := wire.ReadAbility(first)
		if err != nil {
			o.Status, o.Detail = audit.Malformed, wire.ErrOther.Error()
		}
		d.Faces = faces(fs)
	}
	s.keep(o, d)
}

func faces(fs []wire.Face) (out []Face) {
	for _, f := range fs {
		if f.Supported != nil {
			out = append(out, Face{Channel: f.Channel, Supported: f.Supported})
		}
	}
	return out
}

// states reads whether each channel can detect faces, all in one question, and watches those that can.
func (s *session) states(ctx context.Context, channels int) {
	n := max(channels, 1) // a camera that did not say has one
	as, o, d := s.put(ctx, string(wire.AIState), wire.AIState, probe.Call{Body: wire.AskStates(n)}, audit.ClassCapability)
	if as != nil {
		fs := wire.ReadStates(as)
		d.Channels, d.Faces = n, faces(fs)
		d.Whole = channels > 0 && covers(d.Faces, n)
		if len(fs) > 0 {
			o.Status, o.Detail, d.Code = audit.OK, "", 0 // a channel without a camera refuses, and another does not
		}
	}
	s.keep(o, d)
	can := false
	for _, f := range d.Faces {
		can = can || *f.Supported
	}
	if can && s.env.Guard.Permit() >= audit.PermitSample {
		s.watch(ctx, n)
	}
}

// covers reports whether each of n channels said whether it can.
func covers(fs []Face, n int) bool {
	said := map[int]bool{}
	for _, f := range fs {
		said[f.Channel] = f.Channel < n
	}
	return len(said) == n
}

// watch reads the state of the moment again and again. It ends early where every channel that can has seen a face.
func (s *session) watch(ctx context.Context, n int) {
	window := s.env.Sample.Events
	if window <= 0 {
		window = watchUsual
	}
	began := s.env.Clock()
	wctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	var last *audit.Observation
	total := &Data{Channels: n}
	seen, now := map[int]bool{}, map[int]bool{}
	can := 0
	var evidence []string
	for {
		as, o, d := s.put(wctx, kindWatch, wire.AIState, probe.Call{Body: wire.AskStates(n)}, audit.ClassLive)
		evidence = append(evidence, o.Evidence...)
		if as == nil {
			if last == nil || wctx.Err() == nil {
				last, total.Code = o, d.Code
			}
			break
		}
		last, can = o, 0
		total.Looks++
		for _, f := range wire.ReadStates(as) {
			if f.Supported == nil || !*f.Supported {
				continue
			}
			can++
			sees := f.Alarm != nil && *f.Alarm
			if sees && !now[f.Channel] {
				total.Seen++
			}
			now[f.Channel], seen[f.Channel] = sees, seen[f.Channel] || sees
		}
		if all(seen, can) || !pause(wctx, watchEvery) {
			break
		}
	}
	for c := range n {
		if seen[c] {
			total.Faces = append(total.Faces, Face{Channel: c, Seen: true})
		}
	}
	switch {
	case total.Looks > 0 && len(total.Faces) == 0:
		last.Status, last.Detail = audit.Empty, ""
	case total.Looks > 0:
		last.Status, last.Detail = audit.OK, ""
	}
	last.At, last.Until, last.Evidence = began, s.env.Clock(), evidence
	s.keep(last, total)
}

func all(seen map[int]bool, n int) bool {
	k := 0
	for _, v := range seen {
		if v {
			k++
		}
	}
	return n > 0 && k == n
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
