// Package dahua asks devices of Dahua's firmware, white labels included, over its CGI programs: who they are, which cameras are
// behind a recorder, what they could do with faces, which rules are switched on, which libraries are armed, where results go
// and, where the permit allows it, what they report while watched. It asks only where something already points to that maker,
// reads only, and needs a login for anything but the name of the place that wants one. What names mean is package
// internal/dahua's; here is the order of the questions, and the facts.
package dahua

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "dahua"

// makers are those whose firmware has these programs, as package fingerprint spells them.
var makers = []string{"Dahua", "Amcrest", "Lorex", "Imou", "Intelbras", "BCS", "EmpireTech"}

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  moduleName,
		Doc:   msg.Text("probe.dahua.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Facts: probe.FaceFacts(),
		Asks:  asks(),
		Wants: wants,
		Probe: ask,
		Hears: hears(),

		Dissect: Dissect,

		Derive: Derive,
	}
}

func wants(t audit.Target) bool {
	return probe.WebInterface(t) && (t.Method == "dhip" || probe.MadeBy(t, makers...) || probe.Unclaimed(t))
}

// Data is what an observation of this module holds.
type Data struct {
	Realm    string `json:"realm,omitempty"` // of the challenge
	Class    string `json:"class,omitempty"` // "NVR", "IPC", "VTO" …
	Channels int    `json:"channels,omitempty"`
	Unused   int    `json:"unused,omitempty"` // entries that are switched off
	Whole    bool   `json:"-"`                // every line of the answer was read

	Channel  int            `json:"channel,omitempty"` // that was asked about, from one
	Caps     *wire.Listing  `json:"caps,omitempty"`
	Scenes   []wire.Scene   `json:"scenes,omitempty"`
	Rules    []wire.Rule    `json:"rules,omitempty"` // those of faces
	AllRules int            `json:"all_rules,omitempty"`
	Handlers []wire.Handler `json:"handlers,omitempty"`
	Groups   *wire.Groups   `json:"groups,omitempty"`   // libraries there are
	Deployed *wire.Groups   `json:"deployed,omitempty"` // libraries a channel is compared with
	Compare  *wire.Compare  `json:"compare,omitempty"`
	Uploads  []wire.Upload  `json:"uploads,omitempty"`
	Code     string         `json:"code,omitempty"`    // of the event that goes on …
	Running  []int          `json:"running,omitempty"` // … at these channels, from zero
	Live     *wire.Tally    `json:"live,omitempty"`
	Idle     []int          `json:"idle,omitempty"` // channels whose rules for faces are all off
	None     *Conclusion    `json:"none,omitempty"` // the device has nothing for faces
}

// session is one conversation with one device.
type session struct {
	env    probe.Env
	asker  *probe.Asker
	out    []audit.Observation
	class  string
	model  string
	serial string
	remote map[int]bool // indexes of cameras fetched over the network; nil where that is not known
	used   []int        // channels that a camera is at, from one, ascending
	loaded []wire.Scene // engines for faces
	seen   bool         // faces were at work while we looked
	ruled  *Data        // the table of rules; nil before it was asked for
	whole  bool         // that table was read with the login, and in full
}

func ask(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	switch {
	case env.Brief && env.Login == nil: // the maker is known, and nothing more is said without a login
		return nil, nil
	case !env.Done.First(moduleName, at.Port()):
		return nil, nil
	}
	env.Progress(msg.Text("probe.dahua.progress", at.String()))
	s := &session{env: env, asker: &probe.Asker{Env: env, At: at, Secure: probe.Secure(at.Port()), Locked: wire.Locked, Withhold: wire.Withhold}}
	defer s.asker.Close()
	if !s.who(ctx) {
		return s.out, nil
	}
	if s.recorder() {
		s.channels(ctx)
	}
	if !env.Brief {
		s.faces(ctx)
	}
	return s.out, nil
}

// put asks one question and returns what was read of the answer. "Error" is how the programs say that they do not know it.
func (s *session) put(ctx context.Context, q wire.Request) (wire.Values, *audit.Observation, *Data) {
	r := s.asker.Ask(ctx, string(q))
	o := r.Observation(moduleName, kindOf(q), audit.ClassInventory, s.asker.At)
	if r.Code > 0 {
		s.env.Done.Found(moduleName)
	}
	switch {
	case r.Status == audit.BadArgument: // HTTP 400 with "Error", "Bad Request!"
		o.Status = audit.NotSupported
	case r.Status == audit.OK && strings.HasPrefix(strings.TrimSpace(string(r.Body)), "Error"):
		o.Status, o.Detail = audit.NotSupported, "Error"
	}
	d := &Data{Realm: r.Realm}
	if id := s.fingerprint(r.Realm); id != nil && o.Status != audit.OK {
		o.Identity = id
	}
	v := wire.Read(r.Body)
	if text := bytes.TrimSpace(r.Body); o.Status == audit.OK && len(text) > 0 && (text[0] == '<' || len(v) == 0) {
		o.Status, o.Detail = audit.Malformed, "not the answer of such a program"
	}
	if o.Status != audit.OK {
		return nil, &o, d
	}
	d.Whole = wire.Whole(r.Body)
	return v, &o, d
}

// fingerprint reads the serial number that the realm of a challenge spells out.
func (s *session) fingerprint(realm string) *audit.Identity {
	db, err := s.env.Fingerprints()
	if err != nil || realm == "" {
		return nil
	}
	m, ok := fingerprint.Best(db.HTTP(fingerprint.HTTPFacts{Realm: realm}))
	if !ok {
		return nil
	}
	return &audit.Identity{Vendor: db.Canonical(m.Vendor), Serial: m.Serial, Kind: m.Kind, Weak: true}
}

// keep ends an observation.
func (s *session) keep(o *audit.Observation, d *Data) {
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	s.out = append(s.out, *o)
}

// who asks who the device is. It reports whether it answered at all.
func (s *session) who(ctx context.Context) bool {
	answered := false
	for _, x := range []struct {
		q    wire.Request
		read func(wire.Values, *audit.Identity, *Data)
	}{
		{wire.DeviceType, func(v wire.Values, id *audit.Identity, _ *Data) { id.Model = v.Text("type"); s.model = id.Model }},
		{wire.DeviceClass, func(v wire.Values, id *audit.Identity, d *Data) {
			s.class = v.Text("class")
			d.Class = s.class
		}},
		{wire.SystemInfo, func(v wire.Values, id *audit.Identity, _ *Data) {
			id.Serial, id.Hardware = v.Text("serialNumber"), v.Text("updateSerial")
			s.serial, s.model = id.Serial, cmp.Or(s.model, id.Hardware)
		}},
		{wire.SerialNo, func(v wire.Values, id *audit.Identity, _ *Data) { id.Serial = v.Text("sn") }},
		{wire.SoftwareVersion, func(v wire.Values, id *audit.Identity, _ *Data) { id.Firmware = v.Text("version") }},
		{wire.Vendor, func(v wire.Values, id *audit.Identity, _ *Data) { id.Vendor = vendor(v.Text("vendor")) }},
		{wire.MachineName, func(v wire.Values, id *audit.Identity, _ *Data) { id.Name = v.Text("name") }},
	} {
		if x.q == wire.SerialNo && s.serial != "" || !s.goesOn(answered) {
			continue
		}
		v, o, d := s.put(ctx, x.q)
		if v != nil {
			answered = true
			id := &audit.Identity{Services: []string{moduleName}}
			x.read(v, id, d)
			id.Kind = kind(s.class, s.model)
			if o.Identity != nil {
				id.TLSKey = o.Identity.TLSKey
			}
			o.Identity = id
		}
		if x.q == wire.Vendor && answered && (v == nil || o.Identity.Vendor == "") {
			weak := s.unnamed()
			if o.Identity != nil {
				weak.TLSKey = o.Identity.TLSKey
			}
			o.Identity = weak
		}
		s.keep(o, d)
	}
	if !answered && len(s.out) == 3 && s.out[2].Status == audit.NotSupported && s.asker.Stopped() == "" && !s.env.Brief {
		answered = s.rules(ctx) // white labels that leave the programs of identity out
		if last := &s.out[len(s.out)-1]; answered && last.Identity == nil {
			last.Identity = s.unnamed()
		}
	}
	return answered
}

// unnamed is who made a device that answers like this and puts no name on itself, or that of nobody. It is a hint: relabelled
// devices do the same.
func (s *session) unnamed() *audit.Identity {
	id := &audit.Identity{Vendor: makers[0], Weak: true}
	if strings.HasPrefix(s.serial, "AMC") {
		id.Vendor = "Amcrest"
	}
	return id
}

// vendor drops the words the firmware has for a device that nobody put a name on.
func vendor(s string) string {
	if strings.EqualFold(s, "General") || strings.EqualFold(s, "Private") {
		return ""
	}
	return s
}

// goesOn reports whether another question is worth asking: the first may always be, the next ones only of a device that did
// not want a login we do not have.
func (s *session) goesOn(answered bool) bool {
	if len(s.out) == 0 || answered {
		return s.asker.Stopped() == ""
	}
	last := s.out[len(s.out)-1].Status
	return s.asker.Stopped() == "" && last == audit.NotSupported && len(s.out) < 3
}

func (s *session) recorder() bool { return kind(s.class, s.model) == audit.KindRecorder }

// kind reads the device's class, and its model where it has none: words that one of their parts begins with.
func kind(class, model string) audit.Kind {
	in := func(text string, words ...string) bool {
		parts := strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
		return slices.ContainsFunc(parts, func(p string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(p, w) })
		})
	}
	for _, text := range []string{class, model} {
		switch {
		case in(text, "NVR", "XVR", "DVR", "HVR", "HCVR", "EVS", "IVSS", "NVD", "INVD", "MHDX", "IMHDX"):
			return audit.KindRecorder
		case in(text, "VTO", "ASI", "ASC", "ASA", "FACE"):
			return audit.KindTerminal
		case in(text, "IPC", "SD", "TPC", "ITC", "IPM", "IP2M", "IP3M", "IP4M", "IP5M", "IP8M", "VIP"): // the last ones Amcrest's and Intelbras's
			return audit.KindCamera
		}
	}
	return ""
}

// channels asks which cameras are behind a recorder: those it fetches over the network, what it calls its channels, and which
// of them have no picture now.
func (s *session) channels(ctx context.Context) {
	s.list(ctx, wire.RemoteDevices, func(v wire.Values, d *Data) (out []audit.Channel) {
		s.remote = map[int]bool{}
		for _, x := range wire.ReadRemoteDevices(v) {
			if x.Enabled != nil && !*x.Enabled {
				d.Unused++
				continue
			}
			s.remote[x.Index] = true
			c := audit.Channel{ID: id(x.Index), Name: x.Name, MAC: x.MAC, Model: x.Type, Firmware: x.Version, Serial: x.Serial}
			if v := fingerprint.Canonical(x.Vendor); slices.Contains(makers, v) {
				c.Vendor = v // other values name a protocol: "Private", "Onvif"
			}
			if x.Addr.IsValid() {
				c.Addr = netip.AddrPortFrom(x.Addr, x.HTTPPort)
			}
			out = append(out, c)
		}
		return out
	})
	// A recorder for network cameras alone titles every channel it could have; one with sockets has a camera where no network
	// device is configured, or nothing.
	wired := !strings.Contains(strings.ToUpper(s.class+s.model), "NVR")
	exists := func(i int) bool { return s.remote == nil || s.remote[i] || wired }
	s.list(ctx, wire.ChannelTitles, func(v wire.Values, d *Data) (out []audit.Channel) {
		for _, x := range wire.ReadTitles(v) {
			if !exists(x.Index) {
				d.Unused++
				continue
			}
			s.used = append(s.used, x.Index+1)
			out = append(out, audit.Channel{ID: id(x.Index), Name: x.Name})
		}
		return out
	})
	s.list(ctx, wire.VideoLoss, func(v wire.Values, _ *Data) (out []audit.Channel) {
		for _, i := range wire.ReadIndexes(v) {
			if exists(i) {
				off := false
				out = append(out, audit.Channel{ID: id(i), Online: &off})
			}
		}
		return out
	})
}

// at lists channels that a camera is at: those with a title, or else those that fetch one.
func (s *session) at() []int {
	if len(s.used) > 0 {
		return s.used
	}
	var out []int
	for _, i := range slices.Sorted(maps.Keys(s.remote)) {
		out = append(out, i+1)
	}
	return out
}

// id is how a recorder's own screen numbers a channel: from one.
func id(index int) string { return strconv.Itoa(index + 1) }

func (s *session) list(ctx context.Context, q wire.Request, read func(wire.Values, *Data) []audit.Channel) {
	if s.asker.Stopped() != "" {
		return
	}
	v, o, d := s.put(ctx, q)
	if v != nil {
		o.Behind = read(v, d)
		d.Channels = len(o.Behind) + d.Unused
	}
	s.keep(o, d)
}
