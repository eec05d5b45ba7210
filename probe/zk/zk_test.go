package zk

import (
	"net/netip"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	wire "github.com/mingshi-audit/mingshi/internal/zk"
)

// TestNothingIsSent: the lab's terminal complains about the first byte.
func TestNothingIsSent(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Seed: 9, Devices: []lab.Spec{{Name: "door", ZK: true}}})
	d, _ := shop.Device("door")
	at := netip.AddrPortFrom(d.Addr.Addr(), wire.Port)
	if at.Addr() == netip.MustParseAddr("127.0.0.1") {
		t.Skip("this system has one loopback address, and the port may be somebody's")
	}
	for _, c := range []struct {
		vendor string
		kind   audit.Kind
	}{{"", ""}, {"ZKTeco", audit.KindTerminal}} {
		got := probetest.Run{Module: Module(), At: at, Vendor: c.vendor}.Do(t)
		o := got.Observations[0]
		var kind audit.Kind
		if o.Identity != nil {
			kind = o.Identity.Kind
			if !o.Identity.Weak {
				t.Error("a port is a proof")
			}
		}
		if len(got.Observations) != 1 || o.Status != audit.OK || kind != c.kind {
			t.Errorf("%q: %+v", c.vendor, o)
		}
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, Module(), probetest.Bounds{Port: wire.Port, Requests: 4, MayAnswer: true})
}

func TestWants(t *testing.T) {
	for _, c := range []struct {
		at, vendor string
		want       bool
	}{
		{"192.0.2.1:4370", "", true},
		{"192.0.2.1:80", "", false},
		{"192.0.2.1:80", "ZKTeco", true},
		{"192.0.2.1:0", "ZKTeco", true},
		{"192.0.2.1:554", "ZKTeco", false},
	} {
		if got := Module().Wants(audit.Target{Method: "tcp-connect", Addr: netip.MustParseAddrPort(c.at), Identity: audit.Identity{Vendor: c.vendor}}); got != c.want {
			t.Errorf("%s %s: %v", c.at, c.vendor, got)
		}
	}
}
