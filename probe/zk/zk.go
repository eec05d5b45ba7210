// Package zk recognises ZKTeco's attendance and access terminals by their port, without sending anything: their protocol
// answers only to a command that opens a session. It connects, listens for half a second and leaves. An open port proves no
// terminal by itself; only beside a banner or an address of the maker's, or a message in the protocol's form, is it called
// one. Whether such a terminal verifies or identifies faces stays unknown then: what shows it is the
// traffic to its server, which is read where a capture has it.
package zk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/zk"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	moduleName = "zk"
	maker      = "ZKTeco"
	kind       = "TCP 4370"

	dialTime   = 3 * time.Second
	listenTime = 500 * time.Millisecond
	listenMost = 64
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.zk.doc"),
		Needs: audit.PermitQuery,
		Facts: probe.FaceFacts(), // of what is overheard; that there is a terminal proves nothing about faces
		Asks:  []probe.Question{{Request: "TCP 4370, connect only", Kind: kind, Needs: audit.PermitQuery}},
		Wants: wants,
		Probe: look,
		Hears: []capture.Proto{capture.ProtoHTTP, capture.ProtoTCP},

		Dissect: Dissect,
		Derive:  Derive,
	}
}

func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	return t.Addr.Port() == wire.Port || (t.Addr.Port() == 0 || probe.WebInterface(t)) && probe.MadeBy(t, maker)
}

// Data is what an observation of this module holds.
type Data struct {
	Open  bool `json:"open"`
	Said  int  `json:"said,omitempty"` // bytes that came by themselves, 64 at most are read
	Magic bool `json:"magic,omitempty"`
}

func look(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := netip.AddrPortFrom(t.Addr.Addr(), wire.Port)
	if !env.Done.Once(moduleName) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.zk.progress", at.Addr().String()))
	o := audit.Observation{Module: moduleName, Kind: kind, Class: audit.ClassInventory, Endpoint: at, At: env.Clock(), Auth: "none"}
	d, err := connect(ctx, env)
	switch {
	case d.Open && d.Said > 0 && !d.Magic:
		o.Status, o.Detail = audit.Malformed, "something else listens there"
	case d.Open:
		o.Status = audit.OK
		if d.Magic || probe.MadeBy(t, maker) {
			o.Identity = &audit.Identity{Vendor: maker, Kind: audit.KindTerminal, Weak: true}
		}
	case guard.IsDenied(err):
		o.Status = audit.Denied
	case ctx.Err() != nil:
		o.Status = audit.Interrupted
	case timedOut(err):
		o.Status = audit.Timeout
	default:
		o.Status = audit.Unreachable
	}
	if err != nil && !d.Open {
		o.Detail = clean.Text(err.Error(), 160)
	}
	if b, err := json.Marshal(d); err == nil {
		o.Data = b
	}
	note := "connected, nothing sent"
	if !d.Open {
		note = "no connection: " + o.Detail
	}
	if id := env.Evidence.Record(evidence.Exchange{Protocol: "tcp", URI: "tcp://" + at.String(), Endpoint: at, At: o.At, Note: note}); id != "" {
		o.Evidence = []string{id}
	}
	return []audit.Observation{o}, nil
}

// connect opens the port and reads what comes unasked.
func connect(ctx context.Context, env probe.Env) (d Data, err error) {
	dctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	c, err := env.Device.Dial(dctx, audit.PermitQuery, wire.Port, listenMost)
	if err != nil {
		return d, err
	}
	defer c.Close()
	d.Open = true
	c.SetReadDeadline(time.Now().Add(listenTime))
	b := make([]byte, listenMost)
	n, err := io.ReadAtLeast(c, b, 4)
	d.Said, d.Magic = n, wire.Magic(b[:n])
	return d, err
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
