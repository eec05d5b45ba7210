package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
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
	address, log := replay(t, dir, tools, auth)
	out := filepath.Join(t.TempDir(), "bundle")
	name := filepath.Join(t.TempDir(), "site.yaml")
	if err := os.WriteFile(name, []byte(siteYAML("127.0.0.1/32", "sample", "env:LOGIN", []string{address})), 0o600); err != nil {
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
	for _, q := range log() {
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

type request struct{ What, Auth string }

// replay starts a recording on a loopback socket and returns its address and a way to read what it was asked.
func replay(t *testing.T, dir, tools, auth string) (address string, requests func() []request) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log.jsonl")
	cmd := exec.Command("python3", filepath.Join(tools, "replay.py"), dir, "--listen", "127.0.0.1:0", "--auth", auth, "--user", "kestrel", "--password", "Zq7-viewer-pass", "--log", log)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("python3 cannot serve the recording: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line := make(chan string, 1)
	go func() {
		s := bufio.NewScanner(stdout)
		if s.Scan() {
			line <- s.Text()
		}
	}()
	select {
	case address = <-line:
	case <-time.After(20 * time.Second):
		t.Fatal("the recording's server did not start")
	}
	return address, func() (out []request) {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			var q request
			if err := json.Unmarshal([]byte(l), &q); err != nil {
				t.Fatal(err)
			}
			out = append(out, q)
		}
		return out
	}
}
