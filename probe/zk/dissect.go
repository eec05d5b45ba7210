package zk

import (
	"encoding/json"
	"fmt"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	wire "github.com/mingshi-audit/mingshi/internal/zk"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	heardUpload = probe.Heard + "upload"
	heardAnswer = probe.Heard + "answer"
)

// Heard is what an overheard upload of a terminal shows.
type Heard struct {
	To        string           `json:"to"`
	Table     string           `json:"table,omitempty"`
	Functions []audit.Function `json:"functions,omitempty"` // that records of passing show
	Person    bool             `json:"person,omitempty"`    // one of these records names somebody
	Templates bool             `json:"templates,omitempty"` // faces of enrolled persons
	Faces     bool             `json:"faces,omitempty"`     // the terminal says that it has the function
}

// Dissect reads what terminals upload to their server, and that one answers a program in the maker's binary protocol.
func Dissect(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	if f.Proto == capture.ProtoTCP {
		return answers(f), nil
	}
	if f.Answer != nil || f.Request == nil {
		return nil, nil
	}
	u, ok := wire.ReadUpload(f.Request.Target, f.Request.Body, f.Request.Cut != 0)
	if !ok {
		return nil, nil
	}
	o := audit.Observation{Module: moduleName, Kind: heardUpload, Class: audit.ClassInventory, Endpoint: probe.Client(f), Status: audit.OK,
		Identity: &audit.Identity{Vendor: maker, Weak: true, Kind: audit.KindTerminal, Serial: u.Serial, Services: []string{"adms"}}}
	if len(u.Functions) > 0 {
		o.Class = audit.ClassLive
	}
	data, err := json.Marshal(Heard{To: f.Server.Addr.String(), Table: u.Table, Functions: u.Functions, Person: u.Person, Templates: u.Templates, Faces: u.Faces})
	o.Data = data
	return []audit.Observation{o}, err
}

// answers says that a terminal is there: what passes in this protocol is not read.
func answers(f *capture.Flow) []audit.Observation {
	if f.Server.Addr.Port() != wire.Port || f.FromHost || !wire.Magic(f.Payload) {
		return nil
	}
	return []audit.Observation{{Module: moduleName, Kind: heardAnswer, Class: audit.ClassInventory, Endpoint: f.Server.Addr, Status: audit.OK,
		Identity: &audit.Identity{Vendor: maker, Weak: true, Kind: audit.KindTerminal}}}
}

// Derive states the facts of an overheard upload. A record of passing by face alone shows that somebody was looked up by it; one by
// face and card, that he was compared with the card's holder. Enrolled faces show what the terminal could do, and that templates or
// pictures of them leave it.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if o.Kind != heardUpload || len(o.Data) == 0 {
		return nil, nil
	}
	var x Heard
	if err := json.Unmarshal(o.Data, &x); err != nil {
		return nil, fmt.Errorf("zk: data of %s: %w", o.Kind, err)
	}
	var f probe.Facts
	f.Add(probe.FactOutboundHosts, "", []string{"adms http://" + x.To}, audit.ClassOutbound)
	key := "upload " + x.Table
	if x.Templates || x.Faces {
		f.Add(audit.FactName(audit.Identify, audit.Capable), key, true, audit.ClassCapability)
	}
	if x.Templates || len(x.Functions) > 0 {
		f.Add(probe.FactOutboundFace, "http://"+x.To, true, audit.ClassOutbound)
	}
	f.Say(audit.Capable, key, true, x.Functions...)
	f.Say(audit.Active, key, true, x.Functions...)
	if x.Person {
		f.Add(probe.FactIdentity, key, true, "")
	}
	if len(x.Functions) > 0 {
		f.Add(probe.FactLiveMessages, "", probe.Messages(o, 0), "")
	}
	return f.Sorted(), nil
}
