package scan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestCameraMakers: Uniview, Hanwha and Axis in a whole audit. Each device is known by what it shows of itself, and asked by its
// own module with the one login.
func TestCameraMakers(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Seed: 22, Devices: []lab.Spec{
		lab.UniviewFaceOn("unv-on"), lab.UniviewFaceOff("unv-off"), lab.UniviewTerminal("unv-gate"), lab.UniviewRecorder("unv-nvr"),
		lab.HanwhaFaceOn("han-on"), lab.HanwhaFaceOff("han-off"), lab.AxisFaceApp("axis-app"), lab.AxisPlain("axis-plain"),
	}})
	var entries []audit.InventoryEntry
	for _, d := range shop.Devices() {
		entries = append(entries, listed(d))
	}
	r, tp := audited(t, audit.PermitLogin, nil, entries, shop)
	got := map[string]string{}
	for _, d := range r.Devices {
		if d.Inventory == "" {
			continue
		}
		levels := string(d.Kind)
		for _, f := range audit.Functions() {
			levels += " " + d.Face[f].Level.String()
		}
		got[d.Inventory] = levels
	}
	if d := cmp.Diff(map[string]string{ // detect, capture, analyse, verify, identify
		"unv-on":     "camera configured capable unknown unknown unknown",
		"unv-off":    "camera capable unknown unknown unknown unknown",
		"unv-gate":   "terminal configured unknown capable capable capable",
		"unv-nvr":    "recorder configured unknown unknown unknown configured",
		"han-on":     "camera configured configured unknown unknown unknown",
		"han-off":    "camera capable capable unknown unknown unknown",
		"axis-app":   "camera configured capable capable unknown configured",
		"axis-plain": "camera unknown unknown unknown absent absent",
	}, got); d != "" {
		t.Error(d)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, x := range tp.x {
		text += x.URI + string(x.Request) + string(x.Response) + x.Note
	}
	for _, s := range []string{"员工库", "Lab staff", "Lab-behind-the-recorder"} {
		if strings.Contains(text, s) {
			t.Errorf("%q is stored", s)
		}
	}
}
