package dahua_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/scan"
)

// TestAudit: a whole audit finds the devices by themselves, reads every function's level right, and keeps nothing of anybody.
func TestAudit(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Seed: 24, Devices: []lab.Spec{lab.DahuaFaceRuleOff("off"), lab.DahuaFaceRuleOn("on"), lab.DahuaFaceRecorder("nvr"), lab.DahuaTerminal("door"), lab.DahuaPlain("plain")}})
	var perimeter []string
	for _, p := range shop.Perimeter() {
		perimeter = append(perimeter, p.String())
	}
	file := &audit.SiteFile{Site: audit.Site{ID: "T-1"}, Authority: guardtest.Authority(perimeter...)}
	for _, d := range shop.Devices() {
		file.Inventory = append(file.Inventory, audit.InventoryEntry{ID: d.Name, Address: d.Addr.String(), Credentials: d.Credential})
	}
	g, err := guard.New(guard.Config{Authority: file.Authority, Permit: audit.PermitSample})
	if err != nil {
		t.Fatal(err)
	}
	tp := &probetest.Tape{}
	got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: []discover.Method{discover.Inventory()}, Evidence: tp, Sample: probe.Sample{Events: time.Second},
		Login: func(ref string) (string, string, error) {
			if u, p, ok := shop.Credential(ref); ok {
				return u, p, nil
			}
			return "", "", fmt.Errorf("no login %s", ref)
		}})
	r, err := scan.Assemble(scan.Record{Site: *file, Observations: got.Observations, Coverage: got.Coverage, Run: audit.Run{Permit: audit.PermitSample, Complete: got.Complete}}, all.Modules(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"off":   "camera detect=capable capture=capable analyse=unknown verify=unknown identify=unknown",
		"on":    "camera detect=active capture=active analyse=active verify=unknown identify=unknown",
		"nvr":   "recorder detect=active capture=capable analyse=unknown verify=unknown identify=active",
		"door":  "terminal detect=active capture=unknown analyse=unknown verify=capable identify=active",
		"plain": "camera detect=absent capture=absent analyse=absent verify=absent identify=absent",
	}
	for _, d := range r.Devices {
		if d.Inventory == "" {
			continue // the recorder's cameras
		}
		s := string(d.Kind)
		for _, f := range audit.Functions() {
			s += fmt.Sprintf(" %s=%s", f, d.Face[f].Level)
		}
		if s != want[d.Inventory] {
			t.Errorf("%s: %s, want %s", d.Inventory, s, want[d.Inventory])
		}
		delete(want, d.Inventory)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", slices.Sorted(maps.Keys(want)))
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{lab.DahuaLibrary, lab.DahuaPerson, `"90017"`, "110101198803040025", "1988-03", `"Similarity":9`, "partsnap", "Lab-behind-the-recorder"} {
		if strings.Contains(string(b), secret) || strings.Contains(tp.String(), secret) {
			t.Errorf("%q was kept", secret)
		}
	}
}
