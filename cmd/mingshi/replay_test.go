package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// readOnly lists what a device may be asked, as the recording's server logs it: namespace and operation, or method and path.
var readOnly = map[string]string{
	"http://www.onvif.org/ver10/device/wsdl":                 "GetSystemDateAndTime GetServices GetCapabilities GetServiceCapabilities GetScopes GetDeviceInformation GetEndpointReference GetHostname",
	"http://www.onvif.org/ver10/media/wsdl":                  "GetServiceCapabilities GetProfiles GetVideoAnalyticsConfigurations GetMetadataConfigurations GetStreamUri",
	"http://www.onvif.org/ver20/media/wsdl":                  "GetServiceCapabilities GetProfiles GetAnalyticsConfigurations GetMetadataConfigurations GetStreamUri",
	"http://www.onvif.org/ver20/analytics/wsdl":              "GetServiceCapabilities GetSupportedRules GetRules GetRuleOptions GetSupportedAnalyticsModules GetAnalyticsModules GetAnalyticsModuleOptions GetSupportedMetadata",
	"http://www.onvif.org/ver10/events/wsdl":                 "GetServiceCapabilities GetEventProperties GetEventBrokers CreatePullPointSubscription PullMessages SetSynchronizationPoint",
	"http://docs.oasis-open.org/wsn/b-2":                     "Renew Unsubscribe",
	"http://www.onvif.org/ver10/appmgmt/wsdl":                "GetServiceCapabilities GetInstalledApps GetAppsInfo",
	"http://www.onvif.org/ver10/credential/wsdl":             "GetServiceCapabilities",
	"http://www.onvif.org/ver10/authenticationbehavior/wsdl": "GetServiceCapabilities GetSecurityLevelList",
	"http://www.onvif.org/ver10/accesscontrol/wsdl":          "GetServiceCapabilities GetAccessPointInfoList",
	"http://www.onvif.org/ver10/analyticsdevice/wsdl":        "GetServiceCapabilities GetAnalyticsEngines GetAnalyticsState",
}

// TestRecordedDevices audits recordings of real devices with every kind of login: right maker, model and firmware, nothing
// configured, active or absent, one login attempt, no request off the list, no secret in the bundle.
func TestRecordedDevices(t *testing.T) {
	fixtures, tools := os.Getenv("MINGSHI_FIXTURES"), os.Getenv("MINGSHI_TOOLS")
	if fixtures == "" || tools == "" {
		t.Skip("MINGSHI_FIXTURES and MINGSHI_TOOLS name no recorded devices and no server for them")
	}
	devices, err := filepath.Glob(filepath.Join(fixtures, "onvif", "*"))
	if err != nil || len(devices) == 0 {
		t.Fatalf("no recordings in %s: %v", fixtures, err)
	}
	for _, dir := range devices {
		for _, auth := range []string{"none", "wsse", "digest"} {
			for _, password := range []string{"Zq7-viewer-pass", "a-wrong-one"} {
				if auth == "none" && password == "a-wrong-one" {
					continue
				}
				t.Run(filepath.Base(dir)+"/"+auth+"/"+password, func(t *testing.T) {
					t.Parallel()
					auditRecording(t, dir, tools, auth, password)
				})
			}
		}
	}
}

func auditRecording(t *testing.T, dir, tools, auth, password string) {
	at, asked := labtest.Recording{Dir: dir, Tool: filepath.Join(tools, "replay.py"), Auth: auth, User: "kestrel", Password: "Zq7-viewer-pass"}.Serve(t)
	out := filepath.Join(t.TempDir(), "bundle")
	name := filepath.Join(t.TempDir(), "site.yaml")
	if err := os.WriteFile(name, []byte(siteYAML("127.0.0.1/32", "sample", "env:LOGIN", []string{at.String()})), 0o600); err != nil {
		t.Fatal(err)
	}
	r := mingshi(t.Context(), map[string]string{"LOGIN": "kestrel:" + password}, "scan", "--site", name, "-o", out, "--discover-for", "1s", "--events-for", "2s", "--metadata-for", "2s")
	if r.code != exitDone {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}

	var meta struct{ Manufacturer, Model, Firmware string }
	data, err := os.ReadFile(filepath.Join(dir, "device.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		t.Fatal(err)
	}
	rep := readReport(t, out)
	var device *audit.Device
	for i, d := range rep.Devices {
		if d.Inventory == "CAM-01" {
			device = &rep.Devices[i]
		}
	}
	if device == nil {
		t.Fatalf("the device is not in the report: %+v", rep.Devices)
	}
	if loggedIn := password != "a-wrong-one"; loggedIn && (device.Vendor != meta.Manufacturer || device.Model != meta.Model || device.Firmware != meta.Firmware) {
		t.Errorf("identified as %q %q %q, want %+v", device.Vendor, device.Model, device.Firmware, meta)
	}
	if device.Kind != audit.KindCamera {
		t.Errorf("kind %s", device.Kind)
	}
	for f, s := range device.Face {
		if s.Level != audit.Unknown {
			t.Errorf("%s is %s because of %v", f, s.Level, s.Because)
		}
	}

	refused := 0
	for _, q := range asked() {
		if q.Auth == "refused" {
			refused++
		}
		ns, op, soap := strings.Cut(q.What, "#")
		switch {
		case soap && !strings.Contains(" "+readOnly[ns]+" ", " "+op+" "):
			t.Errorf("the device was asked %s", q.What)
		case !soap && !strings.HasPrefix(q.What, "GET /") && !strings.HasPrefix(q.What, "POST "):
			t.Errorf("the device was asked %s", q.What)
		}
	}
	wantRefused := 0
	if auth != "none" && password == "a-wrong-one" {
		wantRefused = 1
	}
	if refused != wantRefused {
		t.Errorf("%d refused logins, want %d", refused, wantRefused)
	}
	searchBundle(t, out, []string{password, "kestrel"})
}
