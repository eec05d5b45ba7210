package lab_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/scan"
	"github.com/mingshi-audit/mingshi/site"
)

// TestServers audits every server of this package with every module, and reads what a report would say of each.
func TestServers(t *testing.T) {
	const on, could, off, runs = "configured", "capable", "unknown", "active"
	want := map[string]struct {
		kind             audit.Kind
		model            string
		detect, identify string
		capture, analyse string
	}{
		"frigate-on":   {audit.KindServer, "Frigate", runs, runs, on, off},
		"frigate-off":  {audit.KindServer, "Frigate", could, could, off, off},
		"frigate-old":  {audit.KindServer, "Frigate", off, off, off, off},
		"frigate-tls":  {audit.KindServer, "Frigate", off, off, off, off},
		"codeproject":  {audit.KindServer, "CodeProject.AI", on, on, off, off},
		"codeproject2": {audit.KindServer, "CodeProject.AI", could, could, off, off},
		"compreface":   {audit.KindServer, "CompreFace", could, could, off, could},
		"deepface":     {audit.KindServer, "deepface", could, off, off, could},
		"viid-open":    {audit.KindServer, "", off, off, off, off},
		"viid-closed":  {audit.KindServer, "", off, off, off, off},
		"portal":       {audit.KindCamera, "", off, off, off, off}, // the inventory's word
	}
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.FrigateRecognising("frigate-on"), lab.FrigateOff("frigate-off"), lab.FrigateOld("frigate-old"),
		lab.FrigateClosed("frigate-tls"), lab.CodeProject("codeproject", "Started"), lab.CodeProject("codeproject2", "Stopped"), lab.CompreFace("compreface"),
		lab.DeepFace("deepface"), lab.VIIDServer("viid-open"), lab.VIIDServerClosed("viid-closed"), lab.Anything("portal")}})
	if shop.Devices()[0].Addr.Addr() == shop.Devices()[1].Addr.Addr() {
		t.Skip("the servers have one address here, and would be one device")
	}
	file, err := site.Parse(shop.SiteYAML(), "site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range shop.Devices() {
		file.Inventory = append(file.Inventory, audit.InventoryEntry{ID: d.Name, Address: d.Addr.String()})
	}
	g, err := guard.New(guard.Config{Authority: file.Authority, Permit: audit.PermitSample, Only: shop.Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bundle")
	bundle, err := evidence.Create(dir, evidence.Options{Clock: time.Now, RunID: "servers"})
	if err != nil {
		t.Fatal(err)
	}
	got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: []discover.Method{discover.Inventory()}, Evidence: bundle, Scrub: bundle.Scrub,
		Sample: probe.Sample{Events: time.Second, Metadata: time.Second},
		Login:  func(string) (string, string, error) { return "operator", "Lab-never-sent", nil }})
	report, err := scan.Assemble(scan.Record{Site: *file, Observations: got.Observations, Coverage: got.Coverage, Tool: audit.Tool{Name: "mingshi"}, Run: audit.Run{ID: "servers"}}, all.Modules(), nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, d := range report.Devices {
		w, ok := want[d.Inventory]
		if !ok {
			continue
		}
		seen++
		if d.Kind != w.kind || d.Model != w.model {
			t.Errorf("%s: %s %q", d.Inventory, d.Kind, d.Model)
		}
		for f, level := range map[audit.Function]string{audit.Detect: w.detect, audit.Identify: w.identify, audit.Capture: w.capture, audit.Analyse: w.analyse} {
			if d.Face[f].Level.String() != level {
				t.Errorf("%s: %s is %s, want %s", d.Inventory, f, d.Face[f].Level, level)
			}
		}
		if len(d.Outbound) > 0 != (d.Inventory == "frigate-on") {
			t.Errorf("%s: outbound %+v", d.Inventory, d.Outbound)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d servers", seen, len(want))
	}
	if v := shop.Violations(); len(v) > 0 {
		t.Error(strings.Join(v, "\n"))
	}
	records := 0
	kept := fmt.Sprintf("%+v", report.Observations)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if z, zerr := gzip.NewReader(bytes.NewReader(b)); zerr == nil {
			b, _ = io.ReadAll(z) // as much as is written
			records += bytes.Count(b, []byte("/api/config"))
		}
		kept += string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if records == 0 {
		t.Error("no record of a configuration: nothing is proved of what is kept")
	}
	for _, s := range []string{lab.LabPerson, "Lab-behind", "Lab-never-sent"} {
		if strings.Contains(kept, s) {
			t.Errorf("%s was kept", s)
		}
	}
}
