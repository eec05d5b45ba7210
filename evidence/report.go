package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/mingshi-audit/mingshi/audit"
)

// AddReport scrubs a report, writes it as data/report.json and returns it as written, which is what renderings are made of.
// It fails when the scrubbed report cannot be read back: a registered secret is a word the format itself needs.
func (b *Bundle) AddReport(r audit.Report) (audit.Report, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false) // it is read by people, and renderings escape for themselves
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return r, fmt.Errorf("evidence: encoding %s: %w", reportName, err)
	}
	raw := b.Scrub(buf.Bytes())
	var out audit.Report
	if err := decodeJSON(reportName, raw, &out); err != nil {
		return r, err
	}
	return out, b.AddFile(reportName, raw)
}
