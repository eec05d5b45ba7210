package scan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestSmallMakers: makers of whose interfaces little is known, in a whole audit: each device is met by what it shows of itself,
// asked once by its own module, and nothing of a person, an account or a session is stored.
func TestSmallMakers(t *testing.T) {
	digest := lab.Login{Auth: lab.AuthDigestMD5}
	shop := labtest.Open(t, lab.Config{Seed: 21, Devices: []lab.Spec{
		{Name: "sdc", Kind: audit.KindCamera, Maker: "HUAWEI", Model: "LAB-X2221", ONVIF: true, Login: digest,
			HoloSens: &lab.HoloSens{Libraries: []lab.FaceLibrary{{Name: "某某名单", Armed: true}, {Name: "staff"}}, Receivers: []string{"http://192.0.2.88:9000/p"}}},
		{Name: "reo", Maker: "Reolink", Model: "LAB-810A", TLS: true, Page: lab.Page{Title: "Reolink"}, Login: digest,
			Reolink: &lab.Reolink{Type: "IPC", Channels: []lab.ReolinkChannel{{Face: true, Sees: true}}}},
		{Name: "reoplain", Maker: "Reolink", Model: "LAB-811A", Page: lab.Page{Title: "Reolink"}, Login: digest,
			Reolink: &lab.Reolink{Type: "IPC", Channels: []lab.ReolinkChannel{{Face: true, Sees: true}}}},
		{Name: "console", Maker: "Ubiquiti", Model: "LAB-UNVR", TLS: true, Page: lab.Page{Title: "UniFi OS"}, Login: digest,
			Protect: &lab.Protect{Recognises: true, Cameras: []lab.ProtectCamera{{Model: "UVC LAB", Could: []string{"face"}, Set: []string{"face"}}}}},
		{Name: "door", Maker: "ZKTeco", Page: lab.Page{Server: "ZK Web Server", Title: "ZKWeb"}, ZK: true},
	}})
	var entries []audit.InventoryEntry
	for _, d := range shop.Devices() {
		entries = append(entries, listed(d))
	}
	r, tp := audited(t, audit.PermitSample, nil, entries, shop)
	want := map[string]map[audit.Function]audit.Level{
		"sdc": {audit.Identify: audit.Configured}, "reo": {audit.Detect: audit.Active}, "reoplain": {},
		"console": {audit.Detect: audit.Configured, audit.Identify: audit.Configured}, "door": {},
	}
	for _, d := range r.Devices {
		levels, ok := want[d.Inventory]
		if !ok {
			continue
		}
		delete(want, d.Inventory)
		for _, f := range audit.Functions() {
			if d.Inventory == "sdc" && f != audit.Identify {
				continue // its ONVIF side has more to say
			}
			if got := d.Face[f].Level; got != levels[f] {
				t.Errorf("%s: %s is %s, want %s (%v)", d.Inventory, f, got, levels[f], d.Face[f].Note)
			}
		}
		switch {
		case d.Inventory == "door" && (d.Kind != audit.KindTerminal || d.Vendor != "ZKTeco"), d.Inventory == "sdc" && len(d.Outbound) != 1, d.Inventory == "console" && d.Kind != audit.KindRecorder:
			t.Errorf("%s: %s %s %v", d.Inventory, d.Vendor, d.Kind, d.Outbound)
		}
	}
	for id := range want {
		t.Errorf("%s is missing", id)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, x := range tp.x {
		text += x.URI + string(x.Request) + string(x.Response) + x.Note
	}
	for _, s := range []string{"某某名单", "staff", "Lab-at-the-receiver", "Lab Person", "某人", "lab-access-key", "lab@example.com", "TOKEN="} {
		if strings.Contains(text, s) {
			t.Errorf("%q is stored", s)
		}
	}
	for _, d := range shop.Devices() {
		if d.Spec.Login.Password != "" && strings.Contains(text, d.Spec.Login.Password) {
			t.Errorf("the password of %s is stored", d.Name)
		}
	}
}
