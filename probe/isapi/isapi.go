// Package isapi asks devices of Hikvision's firmware, white labels included, over ISAPI: who they are, which cameras are
// behind a recorder, what they do with faces and where they send what they find. It asks only where something already points
// to that maker, reads only, and needs a login for anything but the name of the place that wants one. What the device could do
// is capable; a function's own switch that is on is configured; alarms seen while watching are active. Linkage (triggers,
// arming schedules) and libraries that merely exist show nothing of that, and triggers are not even asked for.
package isapi

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "isapi"

// makers are those whose firmware speaks ISAPI, as package fingerprint spells them. Other labels show themselves by the
// maker's web server.
var makers = []string{"Hikvision", "HiLook", "HiWatch"}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.isapi.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: probe.FaceFacts(),
		Asks:  questions(),

		Wants:   wants,
		Probe:   ask,
		Hears:   hears(),
		Dissect: Dissect,
		Derive:  Derive,
	}
}

func wants(t audit.Target) bool {
	return probe.WebInterface(t) && (t.Method == "sadp" || probe.MadeBy(t, makers...) || probe.Unclaimed(t))
}

// session is one conversation with one device.
type session struct {
	env   probe.Env
	asker *probe.Asker
	notes []*note
	faces faces // what was learned of faces so far
}

// note is an observation in the making.
type note struct {
	audit.Observation
	data Data
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	switch {
	case env.Brief && env.Login == nil: // the maker is known, and nothing more is said without a login
		return nil, nil
	case !env.Done.First(moduleName, at.Port()):
		return nil, nil
	}
	env.Progress(msg.Text("probe.isapi.progress", at.String()))
	s := &session{env: env, asker: &probe.Asker{Env: env, At: at, Secure: probe.Secure(at.Port()), Locked: wire.Locked}}
	defer s.asker.Close()
	who, ok := s.device(ctx)
	recorder, analog := who.Recorder()
	if recorder {
		s.channels(ctx, analog)
	}
	if ok && !env.Brief {
		s.settle(ctx, who)
	}
	return s.done(), nil
}

// done ends the observations.
func (s *session) done() []audit.Observation {
	var out []audit.Observation
	for _, n := range s.notes {
		if b, err := json.Marshal(n.data); err == nil && string(b) != "{}" {
			n.Data = b
		}
		out = append(out, n.Observation)
	}
	return out
}

// put asks one question and begins its observation, of that class. The maker's own words for a refusal count.
func (s *session) put(ctx context.Context, p wire.Path, class audit.Class) (*probe.Reply, *note) {
	return s.putAs(ctx, p, get(p), class)
}

func (s *session) putAs(ctx context.Context, p wire.Path, kind string, class audit.Class) (*probe.Reply, *note) {
	r := s.asker.Ask(ctx, string(p))
	return r, s.begin(r, kind, class)
}

// begin begins the observation of a reply.
func (s *session) begin(r *probe.Reply, kind string, class audit.Class) *note {
	n := &note{Observation: r.Observation(moduleName, kind, class, s.asker.At), data: Data{Realm: r.Realm}}
	no, ok := wire.ReadRefusal(r.Body)
	if !ok {
		return n
	}
	n.data.Reason = no.Sub
	switch r.Status {
	case audit.OK: // some firmware refuses with a success of HTTP
		n.Status, n.Detail = audit.Inconclusive, no.Sub
		if strings.EqualFold(no.Sub, "lowPrivilege") {
			n.Status = audit.Refused
		}
	case audit.Refused, audit.BadArgument:
	default:
		return n
	}
	if no.NotSupported() {
		n.Status = audit.NotSupported
	}
	return n
}

// keep ends an observation.
func (s *session) keep(n *note) { s.notes = append(s.notes, n) }

// misread marks an answer that is not the document asked for.
func misread(o *note, err error) {
	o.Status, o.Detail = audit.Malformed, err.Error()
}

// device asks who the device is. ok is false where it did not say.
func (s *session) device(ctx context.Context) (who wire.Device, ok bool) {
	r, n := s.put(ctx, wire.DeviceInfo, audit.ClassInventory)
	if s.asker.Follow(r) {
		s.keep(n)
		r, n = s.put(ctx, wire.DeviceInfo, audit.ClassInventory)
	}
	defer func() { s.keep(n) }()
	if r.Code > 0 {
		s.env.Done.Found(moduleName)
	}
	if n.Status != audit.OK {
		if _, isapi := wire.ReadRefusal(r.Body); isapi { // it refuses in the maker's own document
			identity(n).Vendor, identity(n).Weak = makers[0], true
		}
		return wire.Device{}, false
	}
	who, err := wire.ReadDevice(r.Body)
	if err != nil {
		misread(n, err)
		return wire.Device{}, false
	}
	id := identity(n)
	id.Vendor, id.Model, id.Serial, id.Firmware, id.Name, id.Kind, id.Weak = vendor(who), who.Model, who.Serial, who.Firmware, who.Name, kind(who), false
	if who.MAC != "" {
		id.MACs = []string{who.MAC}
	}
	id.Services = []string{moduleName}
	n.data.Type = who.Type
	return who, true
}

func identity(o *note) *audit.Identity {
	if o.Identity == nil {
		o.Identity = &audit.Identity{}
	}
	return o.Identity
}

// vendor is who made the device: whom it names; where it names nobody, the maker whose interface this is and whose firmware
// therefore runs there, whatever label is on the device.
func vendor(d wire.Device) string {
	if d.Maker == "" {
		return makers[0]
	}
	return fingerprint.Canonical(d.Maker)
}

// kind reads deviceType: "NVR", "DVR", "hybirdNVR", "IPCamera", "IPDome", "IPZoom", "ACS", "VIS", "FaceRecognitionTerminal" …;
// where there is none, the maker's series of everything at doors.
func kind(d wire.Device) audit.Kind {
	t := strings.ToLower(d.Type)
	recorder, _ := d.Recorder()
	switch {
	case recorder:
		return audit.KindRecorder
	case t == "vis", strings.Contains(t, "acs"), strings.Contains(t, "accesscontrol"), strings.Contains(t, "terminal"), strings.Contains(t, "intercom"), strings.Contains(t, "doorstation"):
		return audit.KindTerminal
	case strings.HasPrefix(t, "ip"):
		return audit.KindCamera
	case t == "" && strings.HasPrefix(strings.ToUpper(d.Model), "DS-K"):
		return audit.KindTerminal
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
			if strings.EqualFold(c.Protocol, makers[0]) { // the maker's own; other values name other protocols
				x.Vendor = makers[0]
			}
			if c.Addr.IsValid() {
				x.Addr = netip.AddrPortFrom(c.Addr, c.Port)
			}
			out = append(out, x)
			s.faces.channel(c.ID)
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
		s.count(listed)
		return
	}
	wired := s.list(ctx, wire.VideoInputs, func(b []byte, d *Data) ([]audit.Channel, error) {
		is, err := wire.ReadInputs(b)
		var out []audit.Channel
		for _, i := range is {
			if i.Enabled != nil && !*i.Enabled {
				d.Unused++
				continue
			}
			out = append(out, audit.Channel{ID: "A" + i.ID, Name: i.Name, Online: i.Signal})
			s.faces.channel(i.ID)
		}
		d.Channels = len(is)
		return out, err
	})
	s.count(max(listed, 0) + max(wired, 0))
}

// count states how many channels a recorder has, on the last of the lists it has them from.
func (s *session) count(channels int) {
	for _, n := range slices.Backward(s.notes) {
		if len(n.Behind) > 0 {
			identity(n).Channels = channels
			return
		}
	}
}

// list asks for one list of channels and returns how many it has, -1 where there is no such list.
func (s *session) list(ctx context.Context, p wire.Path, read func([]byte, *Data) ([]audit.Channel, error)) int {
	if s.asker.Stopped() != "" {
		return -1
	}
	r, o := s.put(ctx, p, audit.ClassInventory)
	n := -1
	if o.Status == audit.OK {
		behind, err := read(r.Body, &o.data)
		if err != nil {
			misread(o, err)
		} else {
			o.Behind, n = behind, len(behind)
		}
	}
	s.keep(o)
	return n
}
