// Package upnp reads the description a device published over SSDP: one GET on its own address, without a login. It learns who
// made the device; nothing in UPnP speaks of faces.
package upnp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/ssdp"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	name = "upnp"
	kind = "GET description"
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  name,
		Doc:   msg.Text("probe.upnp.doc"),
		Needs: audit.PermitQuery,
		Facts: []audit.FactSpec{},
		Asks:  []probe.Question{{Request: "GET {LOCATION}", Kind: kind, Needs: audit.PermitQuery}},
		Wants: func(t audit.Target) bool { _, _, ok := location(t); return ok },
		Probe: read,
	}
}

// location is where the description is: the path of the LOCATION, at the device's own address. It is not ok where the device
// names another host, which is recorded elsewhere and not followed.
func location(t audit.Target) (at netip.AddrPort, path string, ok bool) {
	if t.Method != "ssdp" || t.Foreign || len(t.XAddrs) == 0 {
		return at, "", false
	}
	u, err := url.Parse(t.XAddrs[0])
	if err != nil || !strings.EqualFold(u.Scheme, "http") || u.Path == "" {
		return at, "", false
	}
	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || host.Unmap() != t.Addr.Addr().Unmap().WithZone("") {
		return at, "", false
	}
	port := uint64(80)
	if p := u.Port(); p != "" {
		if port, err = strconv.ParseUint(p, 10, 16); err != nil || port == 0 {
			return at, "", false
		}
	}
	return netip.AddrPortFrom(t.Addr.Addr(), uint16(port)), u.RequestURI(), true
}

// Data is what an observation of this module holds.
type Data struct {
	Type   string `json:"type,omitempty"`
	Name   string `json:"name,omitempty"`
	Number string `json:"number,omitempty"`
	UDN    string `json:"udn,omitempty"`
}

func read(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at, path, ok := location(t)
	if !ok || !env.Done.Once(name) || env.Brief && env.Done.Identified() {
		return nil, nil
	}
	env.Progress(msg.Text("probe.upnp.progress", at.String()))
	env.Login = nil
	a := &probe.Asker{Env: env, At: at}
	defer a.Close()
	r := a.Ask(ctx, path)
	o := r.Observation(name, kind, audit.ClassInventory, at)
	var d Data
	if r.Status == audit.OK {
		x, err := ssdp.ParseDescription(r.Body)
		if err != nil {
			o.Status, o.Detail = audit.Malformed, "no description of a device"
		} else {
			d = Data{Type: x.Type, Name: x.Name, Number: x.Number, UDN: x.UDN}
			o.Identity = identity(x)
		}
	}
	var err error
	if o.Data, err = json.Marshal(d); err != nil {
		return nil, fmt.Errorf("upnp: %w", err)
	}
	return []audit.Observation{o}, nil
}

// identity is what the description says of who made the device. The kind is a hint: cameras call themselves basic devices.
func identity(d ssdp.Description) *audit.Identity {
	id := &audit.Identity{Vendor: fingerprint.Canonical(d.Manufacturer), Model: d.Model, Serial: d.Serial, Name: d.Name, Services: []string{name}, Weak: true}
	kind := strings.ToLower(d.Type)
	switch {
	case strings.Contains(kind, "networkcamera"), strings.Contains(kind, "digitalsecuritycamera"):
		id.Kind = audit.KindCamera
	case strings.Contains(kind, "gateway"), strings.Contains(kind, "media"), strings.Contains(kind, "printer"), strings.Contains(kind, "wlan"), strings.Contains(kind, "wan"):
		id.Kind = audit.KindOther
	}
	return id
}
