package zk

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/zk"
	"github.com/mingshi-audit/mingshi/probe"
)

const heardUpload = probe.Heard + "upload"

// Heard is what an overheard upload of a terminal shows.
type Heard struct {
	To        string `json:"to"`
	Table     string `json:"table,omitempty"`
	Faces     bool   `json:"faces,omitempty"`     // records of passing by face
	Templates bool   `json:"templates,omitempty"` // faces of enrolled persons
}

// Dissect reads what terminals upload to their server.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if f.Answer != nil || f.Request == nil {
		return nil, nil
	}
	u, ok := wire.ReadUpload(f.Request.Target, f.Request.Body)
	if !ok {
		return nil, nil
	}
	o := audit.Observation{Module: moduleName, Kind: heardUpload, Class: audit.ClassInventory, Endpoint: probe.Client(f), Status: audit.OK,
		Identity: &audit.Identity{Vendor: maker, Weak: true, Kind: audit.KindTerminal, Serial: u.Serial, Services: []string{"adms"}}}
	if u.Faces > 0 {
		o.Class = audit.ClassLive
	}
	data, err := json.Marshal(Heard{To: f.Server.Addr.String(), Table: u.Table, Faces: u.Faces > 0, Templates: u.Templates > 0})
	o.Data = data
	return []audit.Observation{o}, err
}

// Derive states the facts of an overheard upload. A record of passing by face alone shows that somebody was looked up by it; enrolled
// faces show what the terminal could do, and that templates leave it.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if o.Kind != heardUpload || len(o.Data) == 0 {
		return nil, nil
	}
	var x Heard
	if err := json.Unmarshal(o.Data, &x); err != nil {
		return nil, fmt.Errorf("zk: data of %s: %w", o.Kind, err)
	}
	var out []audit.Fact
	add := func(name, key string, v any, class audit.Class) {
		f := audit.NewFact(name, key, v)
		f.Class = class
		out = append(out, f)
	}
	add(probe.FactOutboundHosts, "", []string{"adms http://" + x.To}, audit.ClassOutbound)
	key := "upload " + x.Table
	if x.Faces || x.Templates {
		add(probe.FactOutboundFace, "http://"+x.To, true, audit.ClassOutbound)
		add(audit.FactName(audit.Identify, audit.Capable), key, true, "")
	}
	if x.Faces {
		for _, fn := range []audit.Function{audit.Detect, audit.Identify} {
			add(audit.FactName(fn, audit.Active), key, true, "")
		}
		add(probe.FactLiveMessages, "", probe.Messages(o, 0), "")
	}
	slices.SortFunc(out, audit.CompareFacts)
	return out, nil
}
