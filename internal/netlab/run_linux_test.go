package netlab

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
)

// TestRunOnALAN audits cameras on a LAN with everything there is, at the ordinary pace, and judges the run by what a capture
// saw of it: nothing left for anybody outside, and no camera was ever sent more than its share.
func TestRunOnALAN(t *testing.T) {
	if !apart(t) {
		return
	}
	const login = "viewer:Netlab-0421"
	build(t, []host{
		{Name: "door", MAC: "02:77:00:01:00:01", Addrs: []string{"10.77.0.21/8"}, Camera: "attributes", Login: login},
		{Name: "back", MAC: "02:77:00:01:00:02", Addrs: []string{"10.77.0.22/8"}, Camera: "digest", Login: login},
		{Name: "liar", MAC: "02:77:00:01:00:03", Addrs: []string{"10.77.0.23/8"}, Camera: "foreign"},
		{Name: "victim", MAC: "02:77:00:01:00:04", Addrs: []string{"10.78.0.66/8"}, Ports: []uint16{80, 554}},
	})
	capture := record(t)
	rec := &guardtest.Recorder{}
	authority := guardtest.Authority("10.77.0.16/28")
	site := &audit.SiteFile{Authority: authority, Inventory: []audit.InventoryEntry{
		{ID: "CAM-01", Address: "10.77.0.21", Credentials: "env:DOOR"}, {ID: "CAM-02", Address: "10.77.0.22", Credentials: "env:BACK"}}}
	g, err := guard.New(guard.Config{Authority: authority, Permit: audit.PermitSample, Dial: rec.Dial})
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Create(filepath.Join(t.TempDir(), "bundle"), evidence.Options{Clock: time.Now, RunID: "netlab"})
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(login, ":")
	got := scan.Run(t.Context(), scan.Options{Site: site, Guard: g, Modules: all.Modules(), Methods: discover.Methods(), Evidence: bundle, Scrub: bundle.Scrub,
		Sample: probe.Sample{Events: 4 * time.Second, Metadata: 4 * time.Second},
		Login:  func(string) (string, string, error) { return user, password, nil }})
	if !got.Complete {
		t.Errorf("the run was not complete: %s", got.Why.EN)
	}
	live := map[string]int{}
	for _, o := range got.Observations {
		if o.Class == audit.ClassLive {
			live[o.Endpoint.String()]++
		}
	}
	t.Logf("%d observations, live: %v", len(got.Observations), live)
	for _, c := range got.Coverage {
		t.Logf("coverage %s %s: %s: %s", c.Target, c.Module, c.Status, c.Detail.EN)
	}
	if len(live) == 0 {
		t.Error("no camera was seen at work: this run was too short to prove anything")
	}
	if !slices.ContainsFunc(g.Denials(), func(d guard.Denial) bool { return strings.Contains(d.Target, "10.78.0.66") }) {
		t.Errorf("no denial names the address the liar points at: %+v", g.Denials())
	}
	packs, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	r, err := scan.Assemble(scan.Record{Site: *site, Observations: got.Observations, Coverage: got.Coverage, Run: audit.Run{Permit: audit.PermitSample, Complete: true}}, all.Modules(), packs)
	if err != nil {
		t.Fatal(err)
	}
	// Every camera also answers from a link-local address, which the perimeter leaves out: it is still one camera.
	if len(r.Devices) != 3 {
		t.Errorf("%d devices, want 3", len(r.Devices))
	}
	for _, d := range r.Devices {
		t.Logf("device %s %s %v %v: analyse %s", d.ID, d.Kind, d.Addresses, d.Sources, d.Face[audit.Analyse].Level)
		if at := strings.Join(d.Addresses, " "); strings.Contains(at, "10.77.0.21") != (d.Face[audit.Analyse].Level == audit.Active) {
			t.Errorf("%s: analyse is %s", at, d.Face[audit.Analyse].Level)
		}
	}
	judge(t, capture, authority.Perimeter)
	if out := rec.Outside(authority.Perimeter...); len(out) > 0 {
		t.Errorf("dialled outside: %v", out)
	}
}
