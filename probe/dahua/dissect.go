package dahua

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	heardEvent = probe.Heard + "event"        // about faces, on its way to a receiver
	heardBeat  = probe.Heard + "sign of life" // anything else in the maker's form
	heardRules = probe.Heard + "VideoAnalyseRule"
)

func hears() []capture.Proto { return []capture.Proto{capture.ProtoHTTP, capture.ProtoPart} }

// Dissect reads events on their way to a receiver, and the table of rules that somebody with a login read. Of a rule only what is
// on is stated: nobody knows what else was answered, to whom, and unseen.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if told, ok := probe.Reports(f); ok {
		told.Via = told.Via || told.Push && f.Request != nil && len(f.Request.Header) == 0 // who brings it is not known
		return reports(told), nil
	}
	if f.Proto == capture.ProtoHTTP && f.Answer != nil && f.Request != nil && f.Answer.Status == http.StatusOK && f.Request.Method == http.MethodGet {
		return rules(f)
	}
	return nil, nil
}

func reports(told probe.Overheard) (out []audit.Observation) {
	for _, text := range told.Texts {
		t, own, ok := wire.ReadReport(text.Body, text.Cut)
		if !ok {
			continue
		}
		o := audit.Observation{Module: moduleName, Kind: heardBeat, Class: audit.ClassInventory, Endpoint: told.From, Status: audit.OK}
		if own && !told.Via {
			o.Identity = &audit.Identity{Vendor: makers[0], Weak: true, Services: []string{moduleName}}
		}
		var d Data
		if plain := t.Plain(); len(plain.Codes) > 0 {
			o.Kind, o.Class, d.Live = heardEvent, audit.ClassLive, &plain
			if told.Push {
				d.Uploads = []wire.Upload{receiving(told.To, &plain)}
			}
			if told.Via { // it shows where they go, and nothing of the sender
				o.Class, d.Live = audit.ClassOutbound, nil
			}
		} else if told.Via {
			continue
		}
		if b, err := json.Marshal(d); err == nil {
			o.Data = b
			out = append(out, o)
		}
	}
	return out
}

// receiving is the receiver that an event was brought to.
func receiving(to netip.AddrPort, t *wire.Tally) wire.Upload {
	return wire.Upload{Host: to.Addr().String(), Port: to.Port(), Face: slices.Sorted(maps.Keys(t.Codes))}
}

// rules reads the answer to a question for the table of rules.
func rules(f *capture.Flow) ([]audit.Observation, error) {
	if !strings.Contains(f.Request.Target, "/configManager.cgi") || !strings.Contains(f.Request.Target, "name=VideoAnalyseRule") || f.Cut != 0 || f.Answer.Cut != 0 {
		return nil, nil
	}
	var d Data
	all, _ := wire.ReadRules(wire.Read(f.Answer.Body))
	for _, r := range all {
		if r.Enabled != nil && *r.Enabled {
			d.Rules = append(d.Rules, r)
		}
	}
	if len(d.Rules) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(d)
	return []audit.Observation{{Module: moduleName, Kind: heardRules, Class: audit.ClassConfig, Endpoint: f.Server.Addr, Status: audit.OK, Data: b}}, err
}
