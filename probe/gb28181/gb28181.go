// Package gb28181 recognises devices that report to a video platform as GB/T 28181 has it, from the SIP messages between the
// two. It asks nothing: only the platform a device is registered to gets answers. That a platform gets a device's video says
// where pictures go, and nothing of faces; only a channel that its operator declares to be a face checkpoint could take some.
package gb28181

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	wire "github.com/mingshi-audit/mingshi/internal/gb28181"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const moduleName = "gb28181"

// Kinds of what is overheard.
const (
	heardRegister = probe.Heard + "REGISTER"
	heardMessage  = probe.Heard + "MESSAGE" // with the command behind it: "heard MESSAGE Keepalive"
	heardInvite   = probe.Heard + "INVITE"  // the platform asked for video
	heardPlatform = probe.Heard + "platform"
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:    moduleName,
		Doc:     msg.Text("probe.gb28181.doc"),
		Needs:   audit.PermitListen,
		Facts:   probe.FaceFactsNamed(audit.FactName(audit.Detect, audit.Capable), audit.FactName(audit.Capture, audit.Capable), probe.FactOutboundHosts),
		Wants:   func(audit.Target) bool { return false },
		Hears:   []capture.Proto{capture.ProtoSIP},
		Dissect: Dissect,
		Derive:  Derive,
	}
}

// Data is what an observation of this module holds.
type Data struct {
	ID       string    `json:"id,omitempty"`       // the device's number of 20 digits
	Platform string    `json:"platform,omitempty"` // where it reports to: address and port
	Taken    bool      `json:"taken,omitempty"`    // the platform took the registration
	Channels []Channel `json:"channels,omitempty"` // of a catalogue
}

// Channel is an entry of a catalogue that says what it is for.
type Channel struct {
	ID       string   `json:"id"`
	Purposes []string `json:"purposes"`
}

// Dissect reads one message. Whoever registers, says it is alive or tells its catalogue is a device; whoever it tells is its
// platform, which may in turn be the device of another.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if f.Request == nil || f.Cut.Has(capture.CutSnapped) {
		return nil, nil
	}
	switch r := f.Request; {
	case f.Answer != nil:
		return answered(f), nil
	case r.Method == "REGISTER":
		return registers(f, false), nil
	case r.Method == "INVITE":
		return invited(f), nil
	case (r.Method == "MESSAGE" || r.Method == "NOTIFY") && r.Cut == 0 && f.Cut&^capture.CutStart == 0 && strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "manscdp"):
		return told(f)
	}
	return nil, nil
}

// ends are who sent a request and to whom. A device is an address: which port it speaks from says nothing.
func ends(f *capture.Flow, sentByClient bool) (from, to netip.AddrPort) {
	if sentByClient {
		return f.Client.Addr, f.Server.Addr
	}
	return f.Server.Addr, f.Client.Addr
}

// reports begins the observation that a device reports to a platform, and that of the platform.
func reports(kind, id string, from, to netip.AddrPort, platform string, d Data) []audit.Observation {
	d.ID, d.Platform = id, to.String()
	o := audit.Observation{Module: moduleName, Kind: kind, Class: audit.ClassOutbound, Endpoint: netip.AddrPortFrom(from.Addr(), 0), Status: audit.OK,
		Identity: &audit.Identity{Kind: kindOf(id), Services: []string{moduleName}, Weak: true}}
	p := audit.Observation{Module: moduleName, Kind: heardPlatform, Class: audit.ClassInventory, Endpoint: to, Status: audit.OK,
		Identity: &audit.Identity{Kind: audit.KindServer, Services: []string{moduleName}, Weak: true}}
	return []audit.Observation{finish(o, d), finish(p, Data{ID: platform})}
}

func kindOf(id string) audit.Kind {
	switch wire.TypeOf(id) {
	case wire.TypeCamera:
		return audit.KindCamera
	case wire.TypeRecorder:
		return audit.KindRecorder
	case wire.TypePlatform:
		return audit.KindServer
	}
	return ""
}

func finish(o audit.Observation, d Data) audit.Observation {
	if b, err := json.Marshal(d); err == nil {
		o.Data = b
	}
	return o
}

// registers: a device registers under its number. Telephones do too, under others.
func registers(f *capture.Flow, taken bool) []audit.Observation {
	id := wire.User(f.Request.Header.Get("From"))
	if id == "" {
		return nil
	}
	from, to := ends(f, f.FromHost != taken) // an answer comes the other way
	return reports(heardRegister, id, from, to, wire.User(f.Request.Target), Data{Taken: taken})
}

// answered: what was asked for was granted.
func answered(f *capture.Flow) []audit.Observation {
	if f.Request.Method == "REGISTER" && f.Answer.Status == http.StatusOK {
		return registers(f, true)
	}
	return nil
}

// invited: a platform asks a device for the video of a channel.
func invited(f *capture.Flow) []audit.Observation {
	from, to := ends(f, f.FromHost)
	channel, platform := wire.User(f.Request.Target), wire.User(f.Request.Header.Get("From"))
	if channel == "" || platform == "" || wire.TypeOf(platform) != wire.TypePlatform {
		return nil
	}
	all := reports(heardInvite, "", to, from, platform, Data{})
	all[0].Identity.Kind = "" // the number is its channel's
	return all
}

// told: a device tells something of itself.
func told(f *capture.Flow) ([]audit.Observation, error) {
	m, err := wire.Read(f.Request.Body, charset(f.Request.Header.Get("Content-Type")))
	if err != nil {
		return nil, err
	}
	if m.Form != "Notify" && m.Form != "Response" {
		return nil, nil // the platform asks
	}
	id := wire.User(f.Request.Header.Get("From"))
	if id == "" {
		return nil, nil
	}
	if !slices.Contains([]string{"Keepalive", "Catalog", "DeviceInfo"}, m.Command) {
		return nil, nil
	}
	from, to := ends(f, f.FromHost)
	var d Data
	for _, i := range m.Items {
		if slices.Contains(i.Purposes, wire.FaceCheckpoint) {
			d.Channels = append(d.Channels, Channel{ID: i.ID, Purposes: i.Purposes})
		}
	}
	out := reports(heardMessage+" "+m.Command, id, from, to, wire.User(f.Request.Target), d)
	if len(d.Channels) > 0 {
		out[0].Class = audit.ClassCapability
	}
	if m.Command == "DeviceInfo" && m.Device == id {
		out[0].Identity.Vendor, out[0].Identity.Model = fingerprint.Canonical(clean.Text(m.Manufacturer, 60)), clean.Text(m.Model, 60)
		out[0].Identity.Firmware = clean.Text(m.Firmware, 60)
	}
	if wire.TypeOf(id) != wire.TypeCamera {
		out[0].Behind = behind(m.Items)
	}
	return out, nil
}

// behind lists the cameras of a catalogue.
func behind(items []wire.Item) (out []audit.Channel) {
	for _, i := range items {
		if wire.TypeOf(i.ID) != wire.TypeCamera {
			continue
		}
		c := audit.Channel{ID: i.ID, Name: clean.Text(i.Name, 60), Vendor: fingerprint.Canonical(clean.Text(i.Manufacturer, 60)), Model: clean.Text(i.Model, 60)}
		if a, err := netip.ParseAddr(strings.TrimSpace(i.Address)); err == nil && !a.IsUnspecified() {
			c.Addr = netip.AddrPortFrom(a.Unmap().WithZone(""), 0)
		}
		out = append(out, c)
	}
	return out
}

// charset is what a media type says of its encoding.
func charset(media string) string {
	_, v, ok := strings.Cut(strings.ToLower(media), "charset=")
	if !ok {
		return ""
	}
	v, _, _ = strings.Cut(v, ";")
	return strings.Trim(strings.TrimSpace(v), `"`)
}

// Derive states where a device's video may go. A channel that is declared a face checkpoint could take faces: the word is its
// operator's, and nothing shows that it does.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("gb28181: data of %s: %w", o.Kind, err)
	}
	f := probe.Facts{ByLevel: true}
	if d.Platform != "" {
		f.Add(probe.FactOutboundHosts, "", []string{"video-platform sip://" + d.Platform}, audit.ClassOutbound)
	}
	for _, c := range d.Channels {
		if slices.Contains(c.Purposes, wire.FaceCheckpoint) {
			f.Say(audit.Capable, "channel "+c.ID, true, audit.Detect, audit.Capture)
		}
	}
	return f.Sorted(), nil
}
