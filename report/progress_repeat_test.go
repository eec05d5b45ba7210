package report_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/report"
)

// TestProgressDoesNotRepeatItself: a device with several endpoints is asked many things, and is done, more than once. A log
// tells once that it was looked at.
func TestProgressDoesNotRepeatItself(t *testing.T) {
	var b bytes.Buffer
	p := report.NewProgress(&b, false, false, "en")
	for range 3 {
		p.Device("192.0.2.21", tx("登录查询", "asking"))
		p.Device("192.0.2.21", audit.Text{})
	}
	p.Device("192.0.2.22", tx("登录查询", "asking"))
	p.Done()
	want := "device 192.0.2.21: looked at\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}
