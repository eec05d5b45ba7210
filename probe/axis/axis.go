// Package axis asks devices of Axis over VAPIX: who they are, and which applications run on them. Axis's firmware recognises no
// faces; who wants that installs an application, of which the device knows no more than its name and whether it runs. What the
// application is set to is behind an interface of its own and is not asked. It asks where something already points to that
// maker; a listed device that shows no maker is asked for its list of applications, and more only where it has one. It reads only.
package axis

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/vapix"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "axis"

// Kinds of this module's observations.
const (
	kindDevice = "POST " + wire.BasicInfo + " getAllUnrestrictedProperties"
	kindApps   = "GET " + wire.Applications
)

// makers are those whose firmware has the interface, as package fingerprint spells them.
var makers = []string{"Axis"}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:   moduleName,
		Doc:    msg.Text("probe.axis.doc"),
		Needs:  audit.PermitQuery,
		Web:    80,
		Facts:  probe.FaceFacts(),
		Asks:   asks(),
		Wants:  wants,
		Probe:  ask,
		Derive: Derive,
	}
}

func asks() []probe.Question {
	return []probe.Question{
		{Request: kindDevice, Kind: kindDevice, Needs: audit.PermitQuery},
		{Request: kindApps, Kind: kindApps, Needs: audit.PermitLogin, Login: true, Decides: []audit.Function{audit.Verify, audit.Identify}},
	}
}

func wants(t audit.Target) bool {
	return probe.WebInterface(t) && (probe.MadeBy(t, makers...) || probe.Unclaimed(t))
}

// Data is what an observation of this module holds.
type Data struct {
	Realm string `json:"realm,omitempty"` // of the challenge
	Code  int    `json:"code,omitempty"`  // of an error, in the device's words
	Said  string `json:"said,omitempty"`
	Type  string `json:"type,omitempty"` // ProdType

	Apps  []wire.Application `json:"apps,omitempty"`
	Whole bool               `json:"whole,omitempty"` // the list of applications is complete
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	if !env.Done.First(moduleName, at.Port()) {
		return nil, nil
	}
	env.Progress(msg.Text("probe.axis.progress", at.String()))
	a := &probe.Asker{Env: env, At: at, Secure: probe.Secure(at.Port())}
	defer a.Close()
	var out []audit.Observation
	there := false
	if probe.MadeBy(t, makers...) {
		out, there = device(ctx, a)
		if there && !env.Brief && a.Stopped() == "" {
			list, _ := applications(ctx, a)
			out = append(out, list)
		}
	} else if !env.Brief {
		out, there = unmarked(ctx, a)
	}
	if there {
		env.Done.Found(moduleName)
	}
	return out, nil
}

// unmarked asks a device of unknown make for the list of applications, which is a GET that nobody but this maker answers, and
// who it is only after that.
func unmarked(ctx context.Context, a *probe.Asker) (out []audit.Observation, there bool) {
	list, listed := applications(ctx, a)
	out = append(out, list)
	if listed && a.Stopped() == "" {
		who, _ := device(ctx, a)
		out = append(out, who...)
	}
	return out, listed
}

// device asks who the device is. there reports that something of this maker may be at the port: firmware before AXIS OS 8.40 has
// no such question, and answers with an error to it or wants a login.
func device(ctx context.Context, a *probe.Asker) (out []audit.Observation, there bool) {
	post := func() *probe.Reply { return a.Post(ctx, wire.BasicInfo, wire.JSON, wire.Properties()) }
	r := post()
	if a.Follow(r) {
		out = append(out, finish(r.Observation(moduleName, kindDevice, audit.ClassInventory, a.At), Data{}))
		r = post()
	}
	o, d := r.Observation(moduleName, kindDevice, audit.ClassInventory, a.At), Data{Realm: r.Realm}
	switch r.Status {
	case audit.OK:
		there = identify(&o, &d, r.Body)
	case audit.NotSupported, audit.BadArgument, audit.AuthRequired:
		there = r.Code < 300 || r.Code > 399
	case audit.Inconclusive:
		there = r.Code >= 500
	}
	return append(out, finish(o, d)), there
}

// identify reads who the device says it is.
func identify(o *audit.Observation, d *Data, body []byte) bool {
	who, err := wire.ReadDevice(body)
	var no *wire.Refusal
	switch {
	case errors.As(err, &no):
		o.Status, d.Code, d.Said = audit.NotSupported, no.Code, no.Message
		return true
	case err != nil:
		o.Status, o.Detail = audit.Malformed, err.Error()
		return false
	}
	id := o.Identity
	if id == nil {
		id = &audit.Identity{}
		o.Identity = id
	}
	id.Vendor, id.Model, id.Serial, id.Firmware, id.Kind, id.Weak = who.Brand, who.Model, who.Serial, who.Firmware, kind(who.Type), false
	if who.MAC != "" {
		id.MACs = []string{who.MAC}
	}
	id.Services = []string{"vapix"}
	d.Type = who.Type
	return true
}

// kind reads ProdType: "Network Camera", "Dome Camera", "Door Controller", "Network Video Recorder" …
func kind(typ string) audit.Kind {
	t := strings.ToLower(typ)
	switch {
	case strings.Contains(t, "recorder"):
		return audit.KindRecorder
	case strings.Contains(t, "door"), strings.Contains(t, "intercom"):
		return audit.KindTerminal
	case strings.Contains(t, "camera"):
		return audit.KindCamera
	}
	return ""
}

// applications asks what is installed. listed reports that the device answered with such a list.
func applications(ctx context.Context, a *probe.Asker) (o audit.Observation, listed bool) {
	r := a.Ask(ctx, wire.Applications)
	o = r.Observation(moduleName, kindApps, audit.ClassConfig, a.At)
	d := Data{Realm: r.Realm}
	if r.Status == audit.OK {
		var err error
		if d.Apps, d.Whole, err = wire.ReadApplications(r.Body); err != nil {
			o.Status, o.Detail = audit.Malformed, err.Error()
		} else {
			listed = true
			hint(&o)
		}
	}
	return finish(o, d), listed
}

// hint says whose device has such a list, for one that says it nowhere else.
func hint(o *audit.Observation) {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	o.Identity.Vendor, o.Identity.Services, o.Identity.Weak = makers[0], []string{"vapix"}, true
}

// finish ends an observation.
func finish(o audit.Observation, d Data) audit.Observation {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	return o
}
