package guard

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestRoute: an address of the perimeter that the system would reach through an interface the authority does not name is not
// contacted.
func TestRoute(t *testing.T) {
	shop, other := netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("198.51.100.5")
	for _, c := range []struct {
		name  string
		named []string
		from  netip.Addr
		err   error
		want  bool
	}{
		{"no interface is named", nil, other, nil, true},
		{"through the named one", []string{"eth1"}, shop, nil, true},
		{"through another one", []string{"eth1"}, other, nil, false},
		{"from an address no interface has", []string{"eth1"}, netip.MustParseAddr("203.0.113.1"), nil, false},
		{"no route at all", []string{"eth1"}, netip.Addr{}, errors.New("network is unreachable"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now()
			g, err := New(Config{Permit: audit.PermitQuery, Authority: audit.Authority{Basis: "self_audit", Permit: audit.PermitQuery, Interfaces: c.named,
				Perimeter: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
				Valid:     audit.Period{From: audit.Moment{T: now.Add(-time.Hour)}, To: audit.Moment{T: now.Add(time.Hour)}}},
				Interfaces: func() ([]Interface, error) {
					return []Interface{{1, "eth1", []netip.Prefix{netip.MustParsePrefix("192.0.2.5/24")}}, {2, "tun0", []netip.Prefix{netip.MustParsePrefix("198.51.100.5/24")}}}, nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			g.route = func(netip.Addr) (netip.Addr, error) { return c.from, c.err }
			err = g.Check("dial", netip.MustParseAddr("192.0.2.77"), audit.PermitQuery)
			if (err == nil) != c.want {
				t.Errorf("%v", err)
			}
		})
	}
	if from, err := systemRoute(netip.MustParseAddr("127.0.0.1")); err != nil || !from.IsLoopback() {
		t.Errorf("the way to 127.0.0.1 begins at %v (%v)", from, err)
	}
}
