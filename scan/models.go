package scan

import (
	"fmt"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
)

// modelKey is the key of facts that rest on a model's name.
const modelKey = "model"

// dataOf returns what was known when a record was gathered.
func dataOf(rec Record) (*knowledge.Set, error) {
	if rec.Data != nil {
		return rec.Data, nil
	}
	data, err := knowledge.Builtin()
	if err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	return data, nil
}

// modelFacts states what devices could do by the name of their model, marked as inferred: it counts only where no interface says
// anything of it. It rests on what says which model it is.
func modelFacts(devices []audit.Device, facts []audit.Fact, data *knowledge.Set) []audit.Fact {
	named := map[string]audit.Fact{}
	for _, f := range facts {
		if f.Name == factModel && f.Subject.Kind == audit.SubjectDevice {
			named[f.Subject.ID] = f
		}
	}
	var out []audit.Fact
	for _, d := range devices {
		m, ok := data.Model(d.Vendor, d.Model)
		by := named[d.ID]
		if !ok || by.Name == "" {
			continue
		}
		for _, fn := range m.Functions {
			f := audit.NewFact(audit.FactName(fn, audit.Capable), modelKey, true)
			f.Subject, f.Because, f.Class, f.Inferred = by.Subject, by.Because, audit.ClassInventory, true
			out = append(out, f)
		}
	}
	return out
}
