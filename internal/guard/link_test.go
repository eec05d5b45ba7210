package guard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestARP(t *testing.T) {
	me, you := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{0, 0x40, 0x8c, 1, 2, 3}
	a, b := netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.7")
	ask := arpRequest(me, a, b)
	if len(ask) != arpLen || ask[0] != 0xff || netip.AddrFrom4([4]byte(ask[38:])) != b {
		t.Fatalf("% x", ask)
	}
	answer := func(edit func([]byte)) []byte {
		f := arpRequest(you, b, a)
		copy(f, me)
		f[21] = 2
		edit(f)
		return f
	}
	for name, c := range map[string]struct {
		frame []byte
		ok    bool
	}{
		"an answer":               {answer(func([]byte) {}), true},
		"a question tells too":    {arpRequest(you, b, a), true},
		"padded to 60 bytes":      {append(answer(func([]byte) {}), make([]byte, 18)...), true},
		"cut":                     {answer(func([]byte) {})[:41], false},
		"a probe has no sender":   {arpRequest(you, netip.IPv4Unspecified(), b), false},
		"another Ethernet's":      {answer(func(f []byte) { f[6] ^= 4 }), false},
		"of a group":              {answer(func(f []byte) { f[6], f[22] = 1, 1 }), false},
		"reverse":                 {answer(func(f []byte) { f[21] = 4 }), false},
		"of another protocol":     {answer(func(f []byte) { f[16] = 0x86 }), false},
		"with longer addresses":   {answer(func(f []byte) { f[18] = 8 }), false},
		"of no Ethernet hardware": {answer(func(f []byte) { f[15] = 6 }), false},
	} {
		got, ok := parseARP(c.frame)
		if ok != c.ok || ok && (got.Addr != b || got.MAC != "00:40:8c:01:02:03") {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func FuzzParseARP(f *testing.F) {
	f.Add(arpRequest(net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.7")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := parseARP(b); ok && (!a.Addr.Is4() || len(a.MAC) != 17) {
			t.Errorf("%+v", a)
		}
	})
}

// TestNothingBesideAReplacedDialler: whoever replaces the dialler sees everything that leaves.
func TestNothingBesideAReplacedDialler(t *testing.T) {
	lan := Interface{Index: 99, Name: "lan0", Addrs: []netip.Prefix{netip.MustParsePrefix("198.51.100.2/24")}}
	g := must(t, Config{Authority: authority("198.51.100.0/24"), Permit: audit.PermitDiscover,
		Dial:       func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nowhere") },
		Interfaces: func() ([]Interface, error) { return []Interface{lan}, nil }})
	if _, err := g.OpenLink(lan, func(LinkAnswer) {}); !errors.Is(err, ErrNoRight) {
		t.Errorf("ARP: %v", err)
	}
	if _, err := g.OpenPing(Interface{}, false, func(netip.Addr) {}); !errors.Is(err, ErrNoRight) {
		t.Errorf("ping: %v", err)
	}
	if _, err := g.OpenUDP(lan, UDPOptions{}); !errors.Is(err, ErrNoRight) {
		t.Errorf("datagrams: %v", err)
	}
	if g.NeighbourRoom() != 0 {
		t.Error("the neighbour table can be used")
	}
}
