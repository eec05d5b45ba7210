package uniview

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/lapi"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	heardPush = probe.Heard + "push"
	heardBeat = probe.Heard + "sign of life"
)

// Heard is what an overheard push shows.
type Heard struct {
	To         string   `json:"to,omitempty"`
	Pictures   bool     `json:"pictures,omitempty"`
	Attributes []string `json:"attributes,omitempty"`
	Compared   bool     `json:"compared,omitempty"`
	Card       bool     `json:"card,omitempty"`
	Person     bool     `json:"person,omitempty"`
	Failed     bool     `json:"failed,omitempty"`
	Template   bool     `json:"template,omitempty"`
}

// Dissect reads what devices push to their platform.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if f.Answer != nil || f.Request == nil || f.Request.Method != http.MethodPost || !wire.Pushed(pathOf(f.Request.Target)) {
		return nil, nil
	}
	who := audit.Observation{Module: moduleName, Kind: heardBeat, Class: audit.ClassInventory, Endpoint: probe.Client(f), Status: audit.OK,
		Identity: &audit.Identity{Vendor: makers[0], Weak: true, Services: []string{moduleName}}}
	var out []audit.Observation
	told, _ := probe.Reports(f)
	for _, text := range told.Texts {
		read := wire.ReadReport
		if text.Cut {
			read = wire.ReadReportCut
		}
		r, err := read(text.Body)
		if err != nil || r.Past || r.Faces == 0 && !r.Compared {
			continue // a part beside the report, or nothing that a camera saw just now
		}
		data, err := json.Marshal(Heard{To: told.To.String(), Pictures: r.Pictures, Attributes: r.Attributes, Compared: r.Compared, Card: r.Card, Person: r.Person, Failed: r.Failed, Template: r.Template})
		if err != nil {
			return nil, fmt.Errorf("uniview: %w", err)
		}
		o := who
		o.Kind, o.Class, o.Data = heardPush, audit.ClassLive, data
		out = append(out, o)
	}
	if len(out) == 0 {
		out = append(out, who)
	}
	return out, nil
}

// pathOf is the path of a target, which may be a whole URL.
func pathOf(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		target = "/" + path
	}
	path, _, _ := strings.Cut(target, "?")
	return path
}

// deriveHeard states the facts of an overheard push: a face that was found; with its picture, one that was kept; a comparison, of one
// person where a card was shown and otherwise with everybody in the library.
func (f *facts) deriveHeard(o audit.Observation) error {
	var x Heard
	if err := json.Unmarshal(o.Data, &x); err != nil {
		return fmt.Errorf("uniview: data of %s: %w", o.Kind, err)
	}
	fns := []audit.Function{audit.Detect}
	if x.Pictures {
		fns = append(fns, audit.Capture)
	}
	if len(x.Attributes) > 0 {
		fns = append(fns, audit.Analyse)
	}
	switch {
	case x.Compared && x.Card:
		fns = append(fns, audit.Verify)
	case x.Compared:
		fns = append(fns, audit.Identify)
	}
	const key = "push"
	f.Say(audit.Capable, key, true, fns...)
	f.Say(audit.Active, key, true, fns...)
	if len(x.Attributes) > 0 {
		f.Add(probe.FactAttributesActive, "", x.Attributes, "")
	}
	if x.Pictures {
		f.Add(probe.FactCrops, key, true, "")
	}
	if x.Person {
		f.Add(probe.FactIdentity, key, true, "")
	}
	f.Add(probe.FactLiveMessages, "", probe.Messages(o, 0), "")
	if _, err := netip.ParseAddrPort(x.To); err == nil {
		f.Add(probe.FactOutboundHosts, "", []string{"http-events http://" + x.To}, audit.ClassOutbound)
		f.Add(probe.FactOutboundFace, "http://"+x.To, true, audit.ClassOutbound)
	}
	return nil
}
