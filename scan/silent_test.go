package scan_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestSilentPort: what answers nothing is asked by two modules and by no third, and the coverage says why; a device whose ONVIF
// hangs and whose web server answers late, but answers, is asked everything.
func TestSilentPort(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Seed: 24, Devices: []lab.Spec{lab.SilentDevice("silent")}})
	var mu sync.Mutex
	var paths []string
	over := make(chan struct{})
	late := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.Path)
		mu.Unlock()
		wait := 300 * time.Millisecond
		if strings.HasPrefix(r.URL.Path, "/onvif") {
			wait = time.Minute
		}
		select {
		case <-time.After(wait):
		case <-over:
		}
		http.NotFound(w, r)
	}))
	var err error
	if late.Listener, err = net.Listen("tcp4", "127.9.9.9:0"); err != nil {
		t.Skip("one loopback address only")
	}
	late.Start()
	t.Cleanup(func() { close(over); late.Close() })
	at := late.Listener.Addr().String()

	began := time.Now()
	r, _ := audited(t, audit.PermitQuery, []string{"127.9.9.9/32"}, []audit.InventoryEntry{listed(running(t, shop, "silent")), {ID: "late", Address: at}}, shop)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	dead := running(t, shop, "silent").Addr.String()
	var spared []string
	for _, c := range r.Coverage {
		if c.Target == dead && strings.Contains(c.Detail.EN, "two different questions") {
			if c.Status != audit.NoAnswer {
				t.Errorf("%s: %s", c.Module, c.Status)
			}
			spared = append(spared, c.Module)
		}
	}
	for _, m := range []string{"isapi", "dahua", "uniview", "hanwha", "axis", "holosens"} {
		if !slices.Contains(spared, m) {
			t.Errorf("the coverage does not say why %s asked the silent port nothing: %v", m, spared)
		}
	}
	for _, o := range r.Observations {
		if o.Endpoint.String() == dead && slices.Contains(spared, o.Module) {
			t.Errorf("%s asked the silent port %s", o.Module, o.Kind)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, p := range []string{"/", "/ISAPI/System/deviceInfo", "/LAPI/V1.0/System/DeviceBasicInfo"} {
		if !slices.Contains(paths, p) {
			t.Errorf("the slow device was not asked %s: %v", p, paths)
		}
	}
}
