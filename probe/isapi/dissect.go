package isapi

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	heardAlarm = probe.Heard + "alarm"        // about faces, on its way to a receiver
	heardBeat  = probe.Heard + "sign of life" // anything else in the maker's form
)

// hears lists what of a capture may be ISAPI.
func hears() []capture.Proto { return []capture.Proto{capture.ProtoHTTP, capture.ProtoPart} }

// Dissect reads alarms on their way to a receiver, and answers that others got to the questions this module would ask. Of a
// setting only what is on is stated: nobody knows what else was answered, to whom, and unseen.
func Dissect(h probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if told, ok := probe.Reports(f); ok {
		return reports(h, told), nil
	}
	if f.Proto == capture.ProtoHTTP && f.Answer != nil && f.Request != nil && f.Answer.Status == http.StatusOK && f.Request.Method == http.MethodGet {
		return answer(f)
	}
	return nil, nil
}

// reports turns alarms into observations of who sent them.
func reports(h probe.Hearing, told probe.Overheard) (out []audit.Observation) {
	for _, text := range told.Texts {
		r, ok := wire.ReadReport(text.Body)
		if !ok {
			continue
		}
		if o, ok := report(h, told, r); ok {
			out = append(out, o)
		}
	}
	return out
}

// report says what one alarm shows. That of another device shows where its sender sends face results, and nothing the sender does
// itself.
func report(h probe.Hearing, told probe.Overheard, r wire.Report) (audit.Observation, bool) {
	faces, relayed := !r.Idle && len(r.Functions) > 0, relays(h, told, r)
	o := audit.Observation{Module: moduleName, Kind: heardAlarm, Class: audit.ClassLive, Endpoint: told.From, Status: audit.OK}
	d := Data{Relayed: relayed}
	if faces && told.Push {
		d.Hosts = []Host{{What: "http-events", URL: "http://" + told.To.String(), Events: []string{r.Type}}}
	}
	switch {
	case relayed && d.Hosts == nil:
		return o, false
	case relayed:
		o.Class = audit.ClassOutbound
	case faces:
		d.Tally = &wire.Tally{Alarms: []wire.Alarm{r.Alarm}}
	default:
		o.Kind, o.Class = heardBeat, audit.ClassInventory
	}
	if !relayed {
		o.Identity = &audit.Identity{Vendor: makers[0], Weak: true, Services: []string{moduleName}}
		if r.MAC != "" && (slices.Contains(r.Addrs, told.From.Addr()) || r.MAC == told.MAC) {
			o.Identity.MACs = []string{r.MAC}
		}
	}
	var err error
	o.Data, err = json.Marshal(d)
	return o, err == nil
}

// relays reports an alarm of another device of the site than the one that sends it: a platform or a recorder may hand on what a
// camera found. A device that names its own address, or the hardware address its frames come from, speaks of itself. An address
// outside the perimeter is one the device does not have here, behind a router or from the factory. What names nobody is the sender's,
// unless it says that it hands on what others told it.
func relays(h probe.Hearing, told probe.Overheard, r wire.Report) bool {
	switch {
	case r.MAC != "" && r.MAC == told.MAC, slices.Contains(r.Addrs, told.From.Addr()):
		return false
	case told.Via:
		return true
	}
	return slices.ContainsFunc(r.Addrs, func(a netip.Addr) bool { return !a.IsLoopback() && h.Inside != nil && h.Inside(a) })
}

// formOf finds the question to a channel in a path.
var formOf = regexp.MustCompile(`^/ISAPI/(Smart/FaceDetect|Intelligent/channels|System/Video/inputs/channels)/(\d{1,3})(/faceRule|/faceContrast|/VCAResource)?$`)

// answer reads an answer that somebody with a login got.
func answer(f *capture.Flow) ([]audit.Observation, error) {
	path, _, _ := strings.Cut(f.Request.Target, "?")
	if !strings.HasPrefix(path, "/ISAPI/") || len(f.Answer.Body) == 0 || f.Answer.Cut != 0 || f.Cut != 0 {
		return nil, nil
	}
	o := audit.Observation{Module: moduleName, Endpoint: f.Server.Addr, Status: audit.OK}
	var d Data
	var err error
	m := formOf.FindStringSubmatch(path)
	switch {
	case path == string(wire.DeviceInfo):
		o.Kind, o.Class = probe.Heard+get(wire.DeviceInfo), audit.ClassInventory
		var who wire.Device
		if who, err = wire.ReadDevice(f.Answer.Body); err == nil {
			o.Identity = identityOf(who)
			d.Type = who.Type
		}
	case m == nil:
		return nil, nil
	default:
		o.Class, d.Channel = audit.ClassConfig, m[2]
		switch m[1] + m[3] {
		case "Smart/FaceDetect":
			o.Kind, err = probe.Heard+form(wire.FaceDetect), d.switched(f.Answer.Body, "FaceDetect")
		case "Intelligent/channels/faceRule":
			o.Kind, err = probe.Heard+form(wire.FaceRule), d.switched(f.Answer.Body, "FaceRule")
		case "Intelligent/channels/faceContrast":
			o.Kind, err = probe.Heard+form(wire.FaceContrast), d.switched(f.Answer.Body, "FaceContrast")
		case "System/Video/inputs/channels/VCAResource":
			o.Kind, o.Class = probe.Heard+form(wire.Resource), audit.ClassCapability
			d.Engine, err = wire.ReadResource(f.Answer.Body)
		default:
			return nil, nil
		}
		if err == nil && len(d.Settings) == 0 && d.Engine == "" {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	o.Data, err = json.Marshal(d)
	return []audit.Observation{o}, err
}

// switched reads a setting; what is off is left out.
func (d *Data) switched(body []byte, object string) error {
	set, err := wire.ReadSettings(body, object)
	for _, x := range set {
		if x.On != nil && *x.On {
			d.Settings = append(d.Settings, Setting{ID: x.ID, On: x.On})
		}
	}
	return err
}

func identityOf(who wire.Device) *audit.Identity {
	id := &audit.Identity{Vendor: vendor(who), Model: who.Model, Serial: who.Serial, Firmware: who.Firmware, Name: who.Name, Kind: kind(who), Services: []string{moduleName}}
	if who.MAC != "" {
		id.MACs = []string{who.MAC}
	}
	return id
}
