package lab_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestHostile: what hurts does hurt, in a bounded way on our side.
func TestHostile(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.GarbageDevice("garbage"), lab.SilentDevice("silent"), lab.Redirector("redirect", "198.51.100.7:80"),
		lab.EndlessBody("endless"), lab.DeepXML("deep"), lab.Doctype("bomb"), lab.SlowTrickle("trickle"), lab.Rebooter("reboot"), lab.ForeignXAddr("foreign", "198.51.100.7:80")}})
	ask := func(name string, timeout time.Duration) (int, string) {
		c := newClient(t, shop, name)
		c.http.Timeout = timeout
		return c.post("http://"+c.r.Addr.String()+"/onvif/device_service", dateAndTime)
	}
	if status, answer := ask("garbage", time.Second); status != 0 || !strings.Contains(answer, "malformed HTTP") && !strings.Contains(answer, "EOF") {
		t.Errorf("garbage: %d %s", status, answer)
	}
	for _, name := range []string{"silent", "trickle"} {
		if _, answer := ask(name, 300*time.Millisecond); !strings.Contains(answer, "Timeout") && !strings.Contains(answer, "deadline") {
			t.Errorf("%s: %s", name, answer)
		}
	}
	if status, answer := ask("endless", 5*time.Second); status != 200 || len(answer) != 4<<20 {
		t.Errorf("endless: %d, %d bytes", status, len(answer))
	}
	if _, answer := ask("deep", time.Second); strings.Count(answer, "<a>") != 100_000 {
		t.Errorf("deep: %d elements", strings.Count(answer, "<a>"))
	}
	if _, answer := ask("bomb", time.Second); !strings.Contains(answer, "<!DOCTYPE") {
		t.Errorf("bomb: %s", answer)
	}
	if status, _ := ask("redirect", time.Second); status != http.StatusFound {
		t.Errorf("redirect: %d", status)
	}
	c := newClient(t, shop, "foreign")
	_, answer := c.post("http://"+c.r.Addr.String()+"/onvif/device_service", `<GetServices `+tds+`/>`)
	wants(t, answer, "http://198.51.100.7:80/onvif/")
	if strings.Contains(answer, c.r.Addr.String()) {
		t.Error("a foreign address was to be named everywhere")
	}
	dropped := 0
	for range 15 {
		if status, _ := ask("reboot", time.Second); status == 0 {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("the rebooter never dropped a connection")
	}
}

func TestEscapesReachTheClient(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.Escapes("c")}})
	c := newClient(t, shop, "c")
	_, answer := c.post("http://"+c.r.Addr.String()+"/onvif/device_service", information)
	wants(t, answer, "\u009b31m", "\u202E", "&lt;script&gt;")
}

func TestLargeDocumentsArriveWhole(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.LargeMetadata("c")}})
	c := newClient(t, shop, "c")
	docs := c.documents("rtsp://"+c.r.RTSP.String()+"/live/1/main", 2*time.Second)
	if len(docs) == 0 || len(docs[0]) < 5<<20 {
		t.Errorf("%d documents", len(docs))
	}
}
