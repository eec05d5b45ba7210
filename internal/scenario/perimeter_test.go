package scenario

import (
	"fmt"
	"net/netip"
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
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/scan"
	"github.com/mingshi-audit/mingshi/site"
)

// Where the lying devices point: a documentation address, and a loopback address outside the perimeter, where a packet that
// left would really arrive.
const (
	mirrorPoints = "192.0.2.99:80"
	liarPoints   = "127.99.99.99:8554"
)

// TestPerimeterHolds audits the whole demonstration shop, and devices that send visitors elsewhere, with every method and
// module there is, and looks at every address that was dialled: with the list of the only endpoints that may be reached, and
// with nothing but the perimeter to hold the run.
func TestPerimeterHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole run is no short test")
	}
	for _, listed := range []bool{true, false} {
		t.Run(fmt.Sprintf("only listed endpoints %v", listed), func(t *testing.T) {
			t.Parallel()
			// The liar's service addresses name a port that on the liar itself speaks RTSP; asking there is its own fault.
			shop := labtest.Open(t, lab.Config{Multicast: true, Allow: []string{"POST /onvif/services", "POST /onvif/device_service"}, Devices: append(lab.DemoShop(),
				lab.Redirector("mirror-01", mirrorPoints), lab.ForeignXAddr("liar-01", liarPoints))})
			g, rec := roam(t, shop, listed)

			endpoints := shop.Endpoints()
			dialled := map[string]bool{}
			for _, s := range rec.Dialled() {
				dialled[s] = true
				ap, err := netip.ParseAddrPort(s)
				switch {
				case err != nil:
					t.Errorf("dialled %q, which is no address", s)
				case !slices.ContainsFunc(shop.Perimeter(), func(p netip.Prefix) bool { return p.Contains(ap.Addr()) }):
					t.Errorf("dialled %s, which is outside the perimeter", s)
				case listed && !slices.Contains(endpoints, ap):
					t.Errorf("dialled %s, which is not on the list", s)
				case !slices.Contains(endpoints, ap) && !slices.Contains(discover.CameraPorts(), ap.Port()):
					t.Errorf("dialled %s, a port nobody named", s)
				}
			}
			for _, d := range shop.Devices() {
				if !dialled[d.Addr.String()] {
					t.Errorf("%s at %s was never asked: this run proves nothing about it", d.Name, d.Addr)
				}
			}
			for _, foreign := range []string{mirrorPoints, liarPoints} {
				host, _, _ := strings.Cut(foreign, ":")
				if !slices.ContainsFunc(g.Denials(), func(d guard.Denial) bool { return strings.Contains(d.Target, host) }) {
					t.Errorf("no denial names %s: %+v", host, g.Denials())
				}
			}
		})
	}
}

// roam runs a whole audit of a shop.
func roam(t *testing.T, shop *lab.Shop, listed bool) (*guard.Guard, *guardtest.Recorder) {
	t.Helper()
	file, err := site.Parse(shop.SiteYAML(), "site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rec := &guardtest.Recorder{}
	cfg := guard.Config{Authority: file.Authority, Permit: audit.PermitSample, Dial: rec.Dial}
	if listed {
		cfg.Only = shop.Endpoints()
	}
	g, err := guard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Create(filepath.Join(t.TempDir(), "bundle"), evidence.Options{Clock: time.Now, RunID: "perimeter"})
	if err != nil {
		t.Fatal(err)
	}
	got := scan.Run(t.Context(), scan.Options{Site: file, Guard: g, Modules: all.Modules(), Methods: discover.Methods(), Evidence: bundle, Scrub: bundle.Scrub,
		Sample: probe.Sample{Events: time.Second, Metadata: time.Second}, Window: 2 * time.Second,
		Login: func(ref string) (string, string, error) {
			if user, password, ok := shop.Credential(ref); ok {
				return user, password, nil
			}
			return "", "", fmt.Errorf("no login %q", ref)
		}})
	if !got.Complete {
		t.Errorf("the run was not complete: %s", got.Why.EN)
	}
	return g, rec
}
