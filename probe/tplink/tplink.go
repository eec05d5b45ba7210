// Package tplink recognises TP-Link's VIGI cameras by the first step of their OpenAPI, which hands out a challenge and is no
// attempt at a login. What the OpenAPI would say of faces after a login is published nowhere, and in what is known of the
// maker's Tapo cameras there is no face function at all; so nothing is asked further and nothing is stated: unknown.
package tplink

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/tplink"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	moduleName = "tplink"
	maker      = "TP-Link"
	kind       = "doAuth"
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.tplink.doc"),
		Needs: audit.PermitQuery,
		Facts: []audit.FactSpec{}, // that there is such a camera proves nothing about faces
		Asks:  []probe.Question{{Request: `POST / {"method":"doAuth","params":null} (20443/tcp, TLS)`, Kind: kind, Needs: audit.PermitQuery}},
		Wants: wants,
		Probe: ask,
	}
}

// wants: the port is the maker's own; elsewhere something must already point to the maker.
func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	return t.Addr.Port() == wire.Port || probe.WebInterface(t) && probe.MadeBy(t, maker)
}

// Data is what an observation of this module holds.
type Data struct {
	Realm     string `json:"realm,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`
	Code      int    `json:"code,omitempty"`
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := netip.AddrPortFrom(t.Addr.Addr(), wire.Port)
	if env.Brief && t.Addr.Port() != wire.Port || !env.Done.Once(moduleName) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.tplink.progress", at.String()))
	c := &probe.Caller{Env: env, At: at, Secure: true, Show: wire.Show}
	defer c.Close()
	a := c.Call(ctx, probe.Call{Method: http.MethodPost, Path: "/", Type: "application/json", Body: wire.First()})
	o := a.Observation(moduleName, kind, audit.ClassInventory, at)
	if a.Code == 0 {
		return []audit.Observation{o}, nil
	}
	ch, err := wire.ReadChallenge(a.Body) // whatever the code of HTTP is
	if err != nil {
		if o.Status == audit.OK {
			o.Status, o.Detail = audit.Malformed, wire.ErrOther.Error()
		}
		return []audit.Observation{o}, nil
	}
	o.Status, o.Detail = audit.OK, ""
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	o.Identity.Vendor, o.Identity.Kind, o.Identity.Services, o.Identity.Weak = maker, audit.KindCamera, []string{moduleName}, true
	if b, err := json.Marshal(Data{ch.Realm, ch.Algorithm, ch.Code}); err == nil {
		o.Data = b
	}
	return []audit.Observation{o}, nil
}
