package lab_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/site"
)

func TestDemoShop(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Multicast: true})
	for _, n := range shop.Notes() {
		t.Log(n.EN)
	}
	devices := shop.Devices()
	if len(devices) < 13 {
		t.Errorf("%d devices", len(devices))
	}
	addresses := map[netip.Addr]bool{}
	for _, r := range devices {
		if !r.Addr.Addr().IsLoopback() {
			t.Errorf("%s is not on loopback", r.Addr)
		}
		addresses[r.Addr.Addr()] = true
		if r.Credential != "" {
			if user, password, ok := shop.Credential(r.Credential); !ok || user == "" || password == "" {
				t.Errorf("%s has no account", r.Credential)
			}
		}
	}
	if len(shop.Perimeter()) != len(addresses) {
		t.Errorf("perimeter %v", shop.Perimeter())
	}
	if _, _, ok := shop.Credential("env:NOBODY"); ok {
		t.Error("an account nobody has")
	}
	if _, _, ok := shop.Credential(""); ok {
		t.Error("an account for the empty reference")
	}
	for _, e := range shop.Endpoints() {
		x, err := net.DialTimeout("tcp", e.String(), time.Second)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		x.Close()
	}
}

func TestSiteFile(t *testing.T) {
	shop := labtest.Open(t, lab.Config{})
	f, err := site.Parse(shop.SiteYAML(), "demo.yaml")
	if err != nil {
		t.Fatalf("%v in\n%s", err, shop.SiteYAML())
	}
	if !slices.Equal(f.Authority.Perimeter, shop.Perimeter()) || f.Authority.Permit != audit.PermitSample {
		t.Errorf("authority %+v", f.Authority)
	}
	logins := 0
	for _, e := range f.Inventory {
		r, ok := shop.Device(e.ID)
		if !ok || e.Address != r.Addr.String() {
			t.Errorf("inventory entry %+v", e)
		}
		if e.Credentials != "" {
			logins++
			if _, _, ok := shop.Credential(e.Credentials); !ok {
				t.Errorf("%s: no account %s", e.ID, e.Credentials)
			}
		}
		if _, password, _ := shop.Credential(r.Credential); password != "" && strings.Contains(string(shop.SiteYAML()), password) {
			t.Errorf("the site file holds the password of %s", e.ID)
		}
	}
	if len(f.Inventory) < 13 || len(f.Inventory) >= len(shop.Devices()) || logins < 10 {
		t.Errorf("%d of %d devices in the inventory, %d logins", len(f.Inventory), len(shop.Devices()), logins)
	}
	if !f.Survey.Complete || len(f.Notices) != 1 || f.Notices[0].Text != "内有监控" {
		t.Errorf("survey %+v, notices %+v", f.Survey, f.Notices)
	}
}

func TestSubstitute(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.WSSEOnly("cam-01")}})
	r := shop.Devices()[0]
	got := string(shop.Substitute([]byte("{{cam-01}} {{cam-01.ip}} {{cam-01.credentials}} [{{perimeter}}] {{cam-02}}")))
	want := r.Addr.String() + " " + r.Addr.Addr().String() + " env:MINGSHI_LAB_CAM_01 [" + r.Addr.Addr().String() + "/32] {{cam-02}}"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if e := shop.Environment(); len(e) != 1 || !strings.HasPrefix(e[0], "MINGSHI_LAB_CAM_01=viewer:Lab-cam-01-") {
		t.Errorf("environment %q", e)
	}
}

func TestScenarios(t *testing.T) {
	for _, id := range []string{"S01", "S02", "S03", "S04", "S05", "S06", "S07"} {
		s := lab.Scenario(id)
		if len(s) == 0 || s[0].Name != "cam-01" {
			t.Errorf("%s: %v", id, s)
		}
	}
	if s := lab.Scenario("S99"); s == nil || len(s) != 0 {
		t.Errorf("S99: %v, want no devices rather than the default", s)
	}
}

func TestTwoShopsDoNotShareAddresses(t *testing.T) {
	one := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}})
	two := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}})
	if len(one.Notes()) == 0 && slices.Equal(one.Perimeter(), two.Perimeter()) {
		t.Errorf("both stand in %v", one.Perimeter())
	}
}

func TestOneAddress(t *testing.T) {
	shop := labtest.Open(t, lab.Config{OneAddress: true})
	if p := shop.Perimeter(); len(p) != 1 || p[0].String() != "127.0.0.1/32" {
		t.Errorf("perimeter %v", p)
	}
	if len(shop.Notes()) == 0 {
		t.Error("nothing is said about it")
	}
	for _, r := range shop.Devices() {
		if r.Spec.ONVIF && r.Spec.Quirks.HTTP == lab.Normal {
			c := newClient(t, shop, r.Name)
			if status, answer := c.post(r.XAddr, dateAndTime); status != 200 {
				t.Errorf("%s: %d %s", r.Name, status, answer)
			}
		}
	}
	if _, err := site.Parse(shop.SiteYAML(), "demo.yaml"); err != nil {
		t.Error(err)
	}
}

func TestTwoDevicesOfOneName(t *testing.T) {
	if s, err := lab.Open(t.Context(), lab.Config{Devices: []lab.Spec{lab.OpenCamera("c"), lab.OpenCamera("c")}}); err == nil {
		s.Close()
		t.Error("opened")
	}
}

// TestSameSeedSameShop: what is made up follows from the seed.
func TestSameSeedSameShop(t *testing.T) {
	identity := func(seed int64) string {
		s := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.WSSEOnly("c")}, Seed: seed})
		r := s.Devices()[0]
		_, password, _ := s.Credential(r.Credential)
		return r.EPR + " " + password
	}
	if a, b := identity(1), identity(1); a != b {
		t.Errorf("%s, then %s", a, b)
	}
	if a, b := identity(1), identity(2); a == b {
		t.Errorf("%s for two seeds", a)
	}
}
