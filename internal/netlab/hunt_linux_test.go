package netlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/scan"
)

// hunt looks for every device of a perimeter as "mingshi discover" does: quickly, and asking each only who it is.
func hunt(ctx context.Context, perimeter ...string) ([]audit.Device, []audit.Coverage, error) {
	authority := guardtest.Authority(perimeter...)
	g, err := guard.New(guard.Config{Authority: authority, Permit: audit.PermitQuery})
	if err != nil {
		return nil, nil, err
	}
	got := scan.Run(ctx, scan.Options{Site: &audit.SiteFile{Authority: authority}, Guard: g, Modules: all.Modules(), Methods: discover.Methods(),
		Evidence: noEvidence{}, Quick: true, Brief: true})
	devices, _ := scan.Identify(got.Observations, nil)
	return devices, got.Coverage, nil
}

// huntAlone is hunt in a process of its own: the devices go to standard output.
func huntAlone(perimeter []string) error {
	devices, _, err := hunt(context.Background(), perimeter...)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(devices)
}

// mustHunt is hunt within the time a test has.
func mustHunt(t *testing.T, perimeter ...string) []audit.Device {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	began := time.Now()
	devices, coverage, err := hunt(ctx, perimeter...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d devices in %v", len(devices), time.Since(began).Round(time.Millisecond))
	for _, c := range coverage {
		if c.Target == "eth0" || strings.Contains(c.Target, "/") {
			t.Logf("coverage %s %s: %s: %s", c.Module, c.Target, c.Status, c.Detail.EN)
		}
	}
	return devices
}

// unknown returns the hosts that are not among the devices with their maker, their model and a service.
func unknown(hosts []*Host, devices []audit.Device) (out []string) {
	known := map[netip.Addr]bool{}
	for _, d := range devices {
		if d.Vendor != CameraVendor || d.Model != CameraModel || len(d.Services) == 0 {
			continue
		}
		for _, s := range d.Addresses {
			if ap, err := netip.ParseAddrPort(s); err == nil {
				known[ap.Addr()] = true
			} else if a, err := netip.ParseAddr(s); err == nil {
				known[a] = true
			}
		}
	}
	for _, h := range hosts {
		if known[h.Addr()] {
			continue
		}
		why := "not found at all"
		if i := slices.IndexFunc(devices, func(d audit.Device) bool {
			return slices.ContainsFunc(d.Addresses, func(s string) bool { return strings.HasPrefix(s, h.Addr().String()+":") || s == h.Addr().String() })
		}); i >= 0 {
			why = fmt.Sprintf("maker %q, model %q, services %q", devices[i].Vendor, devices[i].Model, devices[i].Services)
		}
		out = append(out, fmt.Sprintf("%s: %s", h.Addr(), why))
	}
	return out
}

type noEvidence struct{}

func (noEvidence) Record(evidence.Exchange) string { return "" }
