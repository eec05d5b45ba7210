package onvif

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"encoding/xml"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/soap"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	replayUser     = "viewer"
	replayPassword = "lens-cap 4"
)

// replay serves a recorded device and returns where, and what ends it and says what it was asked.
func replay(t *testing.T, fixture, auth string) (netip.AddrPort, func() []labtest.Request) {
	t.Helper()
	root := os.Getenv("MINGSHI_FIXTURES")
	if root == "" {
		t.Skip("MINGSHI_FIXTURES does not name the folder of recorded devices")
	}
	tool := filepath.Join(root, "..", "tools", "replay.py")
	if _, err := os.Stat(tool); err != nil {
		t.Skip("the tool that serves recorded devices is not beside MINGSHI_FIXTURES")
	}
	return labtest.Recording{Dir: filepath.Join(root, "onvif", fixture), Tool: tool, Auth: auth, User: replayUser, Password: replayPassword}.Serve(t)
}

// TestRecordedDevices asks devices as they answered in the field. None of them shows a face function over ONVIF, and none of
// them answers enough to say that it has none.
func TestRecordedDevices(t *testing.T) {
	for _, d := range []struct {
		fixture, vendor, model, firmware string
		services                         []string
	}{
		{"axis-p3818-pve-11.9.60", "AXIS", "P3818-PVE", "11.9.60", []string{onvif.NSAnalytics, onvif.NSEvents, onvif.NSMedia2}},
		{"bosch-flexidome-panoramic-5100i-9.00", "Bosch", "FLEXIDOME panoramic 5100i", "9.00.0210", []string{onvif.NSAnalytics, onvif.NSEvents, onvif.NSMedia, onvif.NSMedia2}},
		{"reolink-e1-zoom-3.1.0", "REOLINK", "E1 Zoom", "v3.1.0.2649_23083101", []string{onvif.NSEvents, onvif.NSMedia}},
	} {
		for _, auth := range []string{"none", "wsse", "digest"} {
			for _, right := range []bool{true, false} {
				if auth == "none" && !right {
					continue
				}
				name := d.fixture + "/" + auth
				password := replayPassword
				if !right {
					name, password = name+"/wrong", "wrong"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					at, asked := replay(t, d.fixture, auth)
					login := probe.NewLogin(replayUser, password)
					obs, _ := ask(t, t.Context(), audit.PermitSample, audit.Target{Method: "inventory", Inventory: "CAM", Addr: at}, login,
						probe.Sample{Events: 500 * time.Millisecond, Metadata: 500 * time.Millisecond})
					var id audit.Identity
					var services []string
					for _, o := range obs {
						if o.Identity != nil && o.Kind == "tds:GetDeviceInformation" {
							id = *o.Identity
						}
						if o.Identity != nil {
							services = append(services, o.Identity.Services...)
						}
						if strings.Contains(string(o.Data), replayPassword) || strings.Contains(string(o.Data), "Nonce") {
							t.Errorf("%s holds a secret", o.Kind)
						}
					}
					if right && (id.Vendor != d.vendor || id.Model != d.model || id.Firmware != d.firmware) {
						t.Errorf("identity %+v", id)
					}
					for _, s := range d.services {
						if !slices.Contains(services, s) {
							t.Errorf("service %s is missing", s)
						}
					}
					for f, l := range levels(t, obs) {
						if l == audit.Absent || l > audit.Capable {
							t.Errorf("%s is said to be %s", f, l)
						}
					}
					refused := 0
					for _, e := range asked() {
						ns, op, ok := strings.Cut(e.What, "#")
						if !ok || !soap.Allowed(xml.Name{Space: ns, Local: op}) {
							t.Errorf("asked %v", e.What)
						}
						if e.Auth == "refused" {
							refused++
						}
					}
					if want := map[bool]int{true: 0, false: 1}[right]; refused != want {
						t.Errorf("%d refused logins, want %d", refused, want)
					}
					if t.Failed() || testing.Verbose() {
						for _, o := range obs {
							b, _ := json.Marshal(o.Identity)
							t.Logf("%-34s %-14s %-7s %s %.900s %s", o.Kind, o.Status, o.Auth, o.Detail, o.Data, b)
						}
					}
				})
			}
		}
	}
}
