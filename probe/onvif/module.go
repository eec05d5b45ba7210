// Package onvif asks a device over ONVIF who it is, what it could do with faces, what of that is configured and, where the
// permit allows it, what it emits while watched. It reads only; the allow-list stands in package soap. What the answers mean
// about faces is package internal/onvif's; here is the order of the questions, the one login, and the facts.
package onvif

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "onvif"

// Module returns the ONVIF module.
func Module() probe.Module {
	return probe.Module{
		Name:   moduleName,
		Doc:    msg.Text("probe.onvif.doc"),
		Needs:  audit.PermitQuery,
		Facts:  probe.FaceFacts(),
		Asks:   asks(),
		Wants:  wants,
		Probe:  run,
		Derive: Derive,

		Hears:   []capture.Proto{capture.ProtoHTTP, capture.ProtoMetadata},
		Dissect: Dissect,

		Elsewhere: elsewhere,
	}
}

// found is the mark in Env.Done that this device was asked over ONVIF: it is not asked again through another port.
const found = moduleName + ":found"

// spoken is the mark in Env.Done that this device answered something over ONVIF, if only by asking for a login. A server that
// knows no operation at all, and says so as SOAP does, has not.
const spoken = moduleName + ":answered"

// versed reports whether anything but "no such thing" came back.
func versed(os []audit.Observation) bool {
	return slices.ContainsFunc(os, func(o audit.Observation) bool {
		switch o.Status {
		case audit.OK, audit.Empty, audit.AuthRequired, audit.Refused, audit.Locked, audit.BadArgument, audit.Exhausted:
			return true
		}
		return false
	})
}

// run asks the candidate endpoints one after another until one speaks ONVIF, then goes through the stages there.
func run(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	if env.Brief {
		return probing(ctx, env, t, briefPace)
	}
	return probing(ctx, env, t, defaultPace)
}

// pace is how fast and how long a device is asked.
type pace struct {
	gap    time.Duration // between two calls
	call   time.Duration // for one call
	retry  time.Duration // before the one repetition of the first question
	stage1 time.Duration
	stage2 time.Duration
}

var defaultPace = pace{gap: 150 * time.Millisecond, call: 5 * time.Second, retry: 2 * time.Second, stage1: 20 * time.Second, stage2: 60 * time.Second}

// briefPace is for the two or three questions of a brief run, which the guard's pace spaces out.
var briefPace = pace{call: 2 * time.Second, retry: 100 * time.Millisecond, stage1: 8 * time.Second}

func probing(ctx context.Context, env probe.Env, t audit.Target, p pace) ([]audit.Observation, error) {
	if env.Guard.Permit() < audit.PermitQuery || env.Done.Has(found) {
		return nil, nil
	}
	var out []audit.Observation
	tried := map[string]bool{}
	queue := candidates(t, func(named string) { env.Guard.Deny("xaddr", named, msg.Text("probe.onvif.foreign")) })
	for len(queue) > 0 && ctx.Err() == nil {
		c := queue[0]
		queue = queue[1:]
		if tried[c.String()] || !env.Done.Once(moduleName+":"+c.String()) {
			continue
		}
		tried[c.String()] = true
		s := newSession(env, t, c, p)
		speaks, next := s.converse(ctx)
		out = append(out, s.observations()...)
		s.close()
		if speaks {
			env.Done.Once(found)
			if versed(out) {
				env.Done.Once(spoken)
			}
			break
		}
		if next != nil && !tried[next.String()] && len(tried) < 12 {
			queue = append([]candidate{*next}, queue...)
		}
	}
	return out, nil
}

// client returns the guard's client for a permit, with the header timeout one call needs.
func client(env probe.Env, need audit.Permit, header time.Duration, legacy bool) *http.Client {
	return env.Device.HTTP(guard.HTTPOptions{Need: need, MaxBody: 2 << 20, Timeout: header, LegacyTLS: legacy, Shared: env.Brief})
}
