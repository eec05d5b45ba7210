package scan

import (
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
)

// TestUnseen: "no answer" is said of what was asked and did not answer, of nothing else.
func TestUnseen(t *testing.T) {
	const cam = "192.0.2.21"
	for _, c := range []struct {
		name string
		seen []audit.Status
		want audit.CoverageStatus // "" for no entry of its own
	}{
		{"asked, no connection", []audit.Status{audit.Unreachable}, audit.NoAnswer},
		{"asked twice, answered once", []audit.Status{audit.Timeout, audit.OK}, ""},
		{"wanted a login", []audit.Status{audit.AuthRequired}, ""},
		{"refused by the guard", []audit.Status{audit.Denied}, ""},
		{"refused by the guard on one port, silent on another", []audit.Status{audit.Denied, audit.Timeout}, audit.NoAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, _ := guardtest.New(t, "192.0.2.0/24")
			r := newRunner(Options{Site: &audit.SiteFile{Inventory: []audit.InventoryEntry{{ID: "CAM-01", Address: cam}}}, Guard: g})
			for _, s := range c.seen {
				r.keep(audit.Observation{Module: "onvif", Kind: "k", Locus: cam, Status: s})
			}
			r.unseen(t.Context())
			var got audit.CoverageStatus
			for _, x := range r.coverage {
				got = x.Status
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestScrubbed: secrets are taken out of what a device said, and only there.
func TestScrubbed(t *testing.T) {
	hide := func(b []byte) []byte {
		out := append([]byte(nil), b...)
		for i := 0; i+6 <= len(out); i++ {
			if string(out[i:i+6]) == "hunter" {
				copy(out[i:], "******")
			}
		}
		return out
	}
	o := scrubbed(audit.Observation{Module: "hunter", Detail: "bad login hunter", Identity: &audit.Identity{Name: "hunter"}, Data: []byte(`{"said":"hunter"}`)}, hide)
	if o.Module != "hunter" || o.Detail != "bad login ******" || o.Identity.Name != "******" || string(o.Data) != `{"said":"******"}` {
		t.Errorf("%+v %s", o, o.Data)
	}
}
