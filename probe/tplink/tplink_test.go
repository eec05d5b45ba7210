package tplink

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	wire "github.com/mingshi-audit/mingshi/internal/tplink"
	"github.com/mingshi-audit/mingshi/probe"
)

func TestRecognised(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Seed: 8, Devices: []lab.Spec{{Name: "vigi", VIGI: &lab.VIGI{}}}})
	d, _ := shop.Device("vigi")
	at := netip.AddrPortFrom(d.Addr.Addr(), wire.Port)
	if at.Addr() == netip.MustParseAddr("127.0.0.1") {
		t.Skip("this system has one loopback address, and the port may be somebody's")
	}
	login := probe.NewLogin("admin", "Lab-pa55word")
	got := probetest.Run{Module: Module(), At: at, Login: login}.Do(t)
	o := got.Observations[0]
	if !slices.Equal(got.Kinds(), []string{"doAuth ok"}) || o.Identity.Vendor != "TP-Link" || o.Identity.Kind != audit.KindCamera || !o.Identity.Weak || o.Auth != "none" {
		t.Errorf("%q %+v", got.Kinds(), o.Identity)
	}
	if _, _, ok := login.Try(); !ok {
		t.Error("the login was used")
	}
	if text := got.Text(t); !strings.Contains(text, `"nonce":null`) || !strings.Contains(text, "TP-LINK IP-Camera") {
		t.Error(text)
	}
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, Module(), probetest.Bounds{Port: wire.Port, Requests: 4})
}

func TestWants(t *testing.T) {
	for _, c := range []struct {
		at, vendor string
		want       bool
	}{
		{"192.0.2.1:20443", "", true},
		{"192.0.2.1:443", "", false},
		{"192.0.2.1:443", "TP-LINK", true},
		{"192.0.2.1:554", "TP-LINK", false},
	} {
		if got := Module().Wants(audit.Target{Method: "tcp-connect", Addr: netip.MustParseAddrPort(c.at), Identity: audit.Identity{Vendor: c.vendor}}); got != c.want {
			t.Errorf("%s %s: %v", c.at, c.vendor, got)
		}
	}
	if Module().Wants(audit.Target{Addr: netip.MustParseAddrPort("192.0.2.1:20443"), Foreign: true}) {
		t.Error("outside the perimeter")
	}
}
