package dahua

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/probe"
)

// receiver is what the table of a question stands for.
func receiver(kind string) string {
	switch kind {
	case kindOf(wire.PictureUpload):
		return "http-pictures"
	case kindOf(wire.EventUpload), heardEvent:
		return "http-events"
	case kindOf(wire.GAT1400):
		return "gat1400"
	case kindOf(wire.GAVI):
		return "gavi"
	case kindOf(wire.GB28181):
		return "gb28181"
	}
	return "cloud"
}

// Derive states the facts of one observation. An engine that is loaded, a library that is there and a list of what the device
// could do are capable; a rule whose own switch is on, and a library that is deployed where no rule for faces is off, are
// configured; events are active. A switch that is off counts only where a login read it.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("dahua: data of %s: %w", o.Kind, err)
	}
	f := facts{probe.Facts{Login: o.Auth != "" && o.Auth != "none"}}
	f.capable(d)
	f.configured(d)
	f.outbound(receiver(o.Kind), d.Uploads)
	for _, i := range d.Running {
		f.Say(audit.Active, fmt.Sprintf("channel %d event %s", i+1, d.Code), true, wire.EventFunctions(d.Code)...)
	}
	if d.Live != nil {
		f.live(*d.Live, probe.Messages(o, d.Live.Events()))
		if o.Seen == nil {
			f.Watched(o, "")
		}
	}
	if d.None != nil && f.Login {
		f.Add(probe.FactEnumerated, moduleName, true, "")
		f.Say(audit.Capable, moduleName, false, audit.Functions()...)
	}
	return f.Sorted(), nil
}

// facts collects statements.
type facts struct{ probe.Facts }

func (f *facts) capable(d Data) {
	if d.Caps != nil {
		at := "events"
		if d.Channel > 0 {
			at = fmt.Sprintf("channel %d could", d.Channel)
		}
		for _, c := range d.Caps.Classes {
			f.Say(audit.Capable, at+" "+c, true, wire.ClassFunctions(c)...)
		}
	}
	for _, x := range d.Scenes {
		f.Say(audit.Capable, fmt.Sprintf("channel %d scene %s", x.Channel, x.Type), true, wire.ClassFunctions(x.Type)...)
	}
	if d.Groups != nil && d.Groups.Count > 0 {
		f.Say(audit.Capable, "libraries", true, audit.Identify)
	}
}

func (f *facts) configured(d Data) {
	for _, r := range d.Rules {
		key := fmt.Sprintf("channel %d rule %d", r.Channel, r.Index)
		does, could := r.Functions()
		f.Switched(key, r.Enabled, does...)
		for _, fn := range could {
			if !slices.Contains(does, fn) {
				f.Say(audit.Capable, key, true, fn)
			}
		}
	}
	for _, h := range d.Handlers {
		on := h.Enabled
		if on == nil {
			on = new(bool)
			*on = true // the firmware has no other switch: an entry is a library that is armed
		}
		key := fmt.Sprintf("channel %d library %d", h.Channel, h.Index)
		if slices.Contains(d.Idle, h.Channel) {
			f.Say(audit.Capable, key, true, audit.Identify)
			continue
		}
		f.Switched(key, on, audit.Identify)
	}
	if d.Deployed != nil && d.Deployed.Count > 0 {
		key := fmt.Sprintf("channel %d libraries", d.Channel)
		f.Say(audit.Capable, key, true, audit.Identify)
		if !slices.Contains(d.Idle, d.Channel) {
			f.Say(audit.Configured, key, true, audit.Identify)
		}
	}
	if d.Compare != nil && d.Compare.Entries > 0 {
		f.Say(audit.Capable, "card comparison", true, audit.Verify)
		for i, on := range d.Compare.On {
			f.Switched(fmt.Sprintf("card comparison %d", i), &on, audit.Verify)
		}
	}
}

func (f *facts) outbound(what string, us []wire.Upload) {
	for _, u := range us {
		address := u.Host
		if u.Port > 0 {
			address = joined(u.Host, u.Port)
		}
		scheme := ""
		if what == "http-pictures" || what == "http-events" {
			scheme = "http://"
			if u.Secure {
				scheme = "https://"
			}
		}
		f.Add(probe.FactOutboundHosts, "", []string{what + " " + scheme + address}, "")
		if len(u.Face) > 0 {
			f.Add(probe.FactOutboundFace, what+" "+address, true, "")
		}
	}
}

// live: what was seen while watching.
func (f *facts) live(t wire.Tally, messages int) {
	var names []string
	for _, code := range slices.Sorted(maps.Keys(t.Codes)) {
		x := t.Codes[code]
		if x == nil || len(x.Means) == 0 {
			continue
		}
		key := "event " + code
		for _, fn := range audit.Functions() {
			if slices.Contains(x.Means, fn) {
				f.Say(audit.Active, key, true, fn)
			}
		}
		names = append(names, x.Attributes...)
		if x.Pictures > 0 {
			f.Add(probe.FactCrops, key, true, "")
		}
		if x.Persons > 0 {
			f.Add(probe.FactIdentity, key, true, "")
		}
	}
	if len(names) > 0 {
		f.Add(probe.FactAttributesActive, "", names, "")
	}
	f.Add(probe.FactLiveMessages, "", messages, "")
}

func joined(host string, port uint16) string {
	if slices.Contains([]byte(host), ':') {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}
