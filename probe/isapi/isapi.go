// Package isapi asks devices of Hikvision's firmware, white labels included, over ISAPI: who they are, and which cameras are
// behind a recorder. It asks only where something already points to that maker, reads only, and needs a login for anything
// but the name of the place that wants one. What the answers mean about faces is not read here.
package isapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "isapi"

// found is the mark in Env.Done that the device was asked over ISAPI: it is not asked again through another port.
const found = moduleName + ":found"

// makers are those whose firmware speaks ISAPI, as package fingerprint spells them. Other labels show themselves by the
// maker's web server.
var makers = []string{"Hikvision", "HiLook", "HiWatch"}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.isapi.doc"),
		Needs: audit.PermitQuery,
		Facts: []audit.FactSpec{}, // who a device is and what is behind it proves nothing about faces
		Wants: wants,
		Probe: ask,
	}
}

func wants(t audit.Target) bool {
	return probe.WebInterface(t) && (t.Method == "sadp" || probe.MadeBy(t, makers...))
}

// Data is what an observation of this module holds.
type Data struct {
	Realm    string `json:"realm,omitempty"` // of the challenge
	Type     string `json:"type,omitempty"`  // deviceType, as the device writes it
	Reason   string `json:"reason,omitempty"`
	Channels int    `json:"channels,omitempty"` // entries of a list of channels
	Unused   int    `json:"unused,omitempty"`   // of these, sockets that are switched off
}

// session is one conversation with one device.
type session struct {
	env   probe.Env
	asker *probe.Asker
	out   []audit.Observation
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	switch {
	case env.Brief && env.Login == nil: // the maker is known, and nothing more is said without a login
		return nil, nil
	case env.Done != nil && (env.Done.Has(found) || !env.Done.Once(fmt.Sprintf("%s:%d", moduleName, at.Port()))):
		return nil, nil
	}
	env.Progress(msg.Text("probe.isapi.progress", at.String()))
	s := &session{env: env, asker: &probe.Asker{Env: env, At: at, Secure: at.Port() == 443 || at.Port() == 8443, Locked: wire.Locked}}
	defer s.asker.Close()
	if recorder, analog := s.device(ctx); recorder {
		s.channels(ctx, analog)
	}
	return s.out, nil
}

// put asks one question and begins its observation. The maker's own words for a refusal count.
func (s *session) put(ctx context.Context, p wire.Path) (*probe.Reply, *audit.Observation, *Data) {
	r := s.asker.Ask(ctx, string(p))
	o := r.Observation(moduleName, "GET "+string(p), audit.ClassInventory, s.asker.At)
	d := &Data{Realm: r.Realm}
	if no, ok := wire.ReadRefusal(r.Body); ok && r.Status != audit.OK {
		d.Reason = no.Sub
		if r.Status == audit.Refused && no.NotSupported() {
			o.Status = audit.NotSupported
		}
	}
	return r, &o, d
}

// keep ends an observation.
func (s *session) keep(o *audit.Observation, d *Data) {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, *o)
}

// misread marks an answer that is not the document asked for.
func misread(o *audit.Observation, err error) {
	o.Status, o.Detail = audit.Malformed, err.Error()
}

// device asks who the device is. It reports whether cameras can be behind it, and whether they can be wired to it.
func (s *session) device(ctx context.Context) (recorder, analog bool) {
	r, o, d := s.put(ctx, wire.DeviceInfo)
	if s.asker.Follow(r) {
		s.keep(o, d)
		r, o, d = s.put(ctx, wire.DeviceInfo)
	}
	if r.Code > 0 && s.env.Done != nil {
		s.env.Done.Once(found)
	}
	if r.Status != audit.OK {
		if _, isapi := wire.ReadRefusal(r.Body); isapi { // it refuses in the maker's own document
			identity(o).Vendor, identity(o).Weak = makers[0], true
		}
		s.keep(o, d)
		return false, false
	}
	who, err := wire.ReadDevice(r.Body)
	if err != nil {
		misread(o, err)
		s.keep(o, d)
		return false, false
	}
	recorder, analog = who.Recorder()
	id := identity(o)
	id.Model, id.Serial, id.Firmware, id.Name, id.Kind, id.Weak = who.Model, who.Serial, who.Firmware, who.Name, kind(who), false
	if who.MAC != "" {
		id.MACs = []string{who.MAC}
	}
	id.Services = []string{moduleName}
	d.Type = who.Type
	s.keep(o, d)
	return recorder, analog
}

func identity(o *audit.Observation) *audit.Identity {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	return o.Identity
}

// kind reads deviceType: "NVR", "DVR", "hybirdNVR", "IPCamera", "IPDome", "IPZoom", "ACS", "FaceRecognitionTerminal" …
func kind(d wire.Device) audit.Kind {
	t := strings.ToLower(d.Type)
	recorder, _ := d.Recorder()
	switch {
	case recorder:
		return audit.KindRecorder
	case strings.Contains(t, "acs"), strings.Contains(t, "terminal"), strings.Contains(t, "intercom"), strings.Contains(t, "doorstation"):
		return audit.KindTerminal
	case strings.HasPrefix(t, "ip"):
		return audit.KindCamera
	}
	return ""
}

// channels asks which cameras are behind a recorder: those it fetches over the network, whether it gets them, and those that
// are wired to it.
func (s *session) channels(ctx context.Context, analog bool) {
	listed := s.list(ctx, wire.ProxyChannels, func(b []byte, d *Data) ([]audit.Channel, error) {
		cs, err := wire.ReadChannels(b)
		var out []audit.Channel
		for _, c := range cs {
			x := audit.Channel{ID: c.ID, Name: c.Name, Model: c.Model, Serial: c.Serial, Firmware: c.Firmware}
			if c.Addr.IsValid() {
				x.Addr = netip.AddrPortFrom(c.Addr, c.Port)
			}
			out = append(out, x)
		}
		d.Channels = len(out)
		return out, err
	})
	if listed > 0 {
		s.list(ctx, wire.ProxyStatus, func(b []byte, d *Data) ([]audit.Channel, error) {
			ss, err := wire.ReadStates(b)
			var out []audit.Channel
			for _, x := range ss {
				out = append(out, audit.Channel{ID: x.ID, Online: x.Online})
			}
			d.Channels = len(out)
			return out, err
		})
	}
	if !analog && listed >= 0 {
		return
	}
	s.list(ctx, wire.VideoInputs, func(b []byte, d *Data) ([]audit.Channel, error) {
		is, err := wire.ReadInputs(b)
		var out []audit.Channel
		for _, i := range is {
			if i.Enabled != nil && !*i.Enabled {
				d.Unused++
				continue
			}
			out = append(out, audit.Channel{ID: "A" + i.ID, Name: i.Name, Online: i.Signal})
		}
		d.Channels = len(is)
		return out, err
	})
}

// list asks for one list of channels and returns how many it has, -1 where there is no such list.
func (s *session) list(ctx context.Context, p wire.Path, read func([]byte, *Data) ([]audit.Channel, error)) int {
	if s.asker.Stopped() != "" {
		return -1
	}
	r, o, d := s.put(ctx, p)
	n := -1
	if r.Status == audit.OK {
		behind, err := read(r.Body, d)
		if err != nil {
			misread(o, err)
		} else {
			o.Behind, n = behind, len(behind)
			identity(o).Channels = len(behind)
		}
	}
	s.keep(o, d)
	return n
}
