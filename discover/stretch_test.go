package discover

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
)

func eth(name string, addrs ...string) guard.Interface {
	ifi := guard.Interface{Index: 1, Name: name}
	for _, a := range addrs {
		ifi.Addrs = append(ifi.Addrs, netip.MustParsePrefix(a))
	}
	return ifi
}

func TestCut(t *testing.T) {
	name := map[way]string{routed: "routed", onLink: "on-link", local: "local"}
	for _, c := range []struct {
		prefix string
		ifis   []guard.Interface
		want   []string
	}{
		{"10.0.0.0/22", nil, []string{"10.0.0.0/22 routed"}},
		{"10.0.0.0/24", []guard.Interface{eth("lan0", "10.0.0.2/22")}, []string{"10.0.0.0/24 on-link lan0"}},
		{"10.0.0.0/22", []guard.Interface{eth("lan0", "10.0.1.2/24")}, []string{"10.0.0.0/24 routed", "10.0.1.0/24 on-link lan0", "10.0.2.0/23 routed"}},
		{"10.0.0.0/23", []guard.Interface{eth("lan0", "10.0.0.2/24"), eth("lan1", "10.0.1.2/24")}, []string{"10.0.0.0/24 on-link lan0", "10.0.1.0/24 on-link lan1"}},
		{"10.0.0.0/24", []guard.Interface{eth("tun0", "10.0.0.2/32")}, []string{"10.0.0.0/24 routed"}},
		{"127.0.0.0/24", []guard.Interface{eth("lo", "127.0.0.1/8")}, []string{"127.0.0.0/24 local"}},
		{"2001:db8::/120", []guard.Interface{eth("lan0", "10.0.0.2/24", "2001:db8::2/64")}, []string{"2001:db8::/120 on-link lan0"}},
	} {
		var got []string
		for _, s := range cut(netip.MustParsePrefix(c.prefix), c.ifis) {
			x := fmt.Sprintf("%s %s", s.prefix, name[s.way])
			if s.way == onLink {
				x += " " + s.ifi.Name
			}
			got = append(got, x)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.prefix, d)
		}
	}
}

// TestCutLosesNothing: however a perimeter and the interfaces lie, every address is in exactly one stretch.
func TestCutLosesNothing(t *testing.T) {
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := netip.AddrFrom4([4]byte{10, 0, byte(rapid.IntRange(0, 7).Draw(t, "c")), byte(rapid.IntRange(0, 255).Draw(t, "d"))})
		return netip.PrefixFrom(a, rapid.IntRange(21, 30).Draw(t, "bits"))
	})
	rapid.Check(t, func(t *rapid.T) {
		p := prefix.Draw(t, "perimeter").Masked()
		var ifis []guard.Interface
		for i, own := range rapid.SliceOfN(prefix, 0, 4).Draw(t, "own") {
			ifis = append(ifis, guard.Interface{Index: i + 1, Name: fmt.Sprint("lan", i), Addrs: []netip.Prefix{own}})
		}
		total := 0
		ss := cut(p, ifis)
		for i, s := range ss {
			total += hosts(s.prefix)
			if !p.Contains(s.prefix.Addr()) || s.prefix.Bits() < p.Bits() {
				t.Fatalf("%s lies outside %s", s.prefix, p)
			}
			for _, o := range ss[:i] {
				if o.prefix.Overlaps(s.prefix) {
					t.Fatalf("%s and %s overlap", o.prefix, s.prefix)
				}
			}
			for _, ifi := range ifis {
				if s.way == routed && ifi.Addrs[0].Masked().Overlaps(s.prefix) {
					t.Fatalf("%s is called routed, and is in %s", s.prefix, ifi.Addrs[0])
				}
			}
		}
		if total != hosts(p) {
			t.Fatalf("%d addresses of %d", total, hosts(p))
		}
	})
}

// TestOutcomes: the runs of all outcomes together are the prefix, whatever was said in whatever order.
func TestOutcomes(t *testing.T) {
	o := newOutcomes(netip.MustParsePrefix("10.0.0.248/29"))
	o.set(netip.MustParseAddr("10.0.0.249"), audit.ReachedOpen)
	o.set(netip.MustParseAddr("10.0.0.250"), audit.ReachedOpen)
	o.set(netip.MustParseAddr("10.0.0.253"), audit.ReachedOpen)
	o.set(netip.MustParseAddr("10.0.0.252"), audit.ReachedMute)
	o.set(netip.MustParseAddr("10.9.9.9"), audit.ReachedMute) // of another prefix
	o.rest(audit.ReachedAbsent)
	want := []audit.AddressOutcome{
		{Outcome: audit.ReachedOpen, Count: 3, Ranges: []string{"10.0.0.249-10.0.0.250", "10.0.0.253"}},
		{Outcome: audit.ReachedMute, Count: 1, Ranges: []string{"10.0.0.252"}},
		{Outcome: audit.ReachedAbsent, Count: 4, Ranges: []string{"10.0.0.248", "10.0.0.251", "10.0.0.254-10.0.0.255"}},
	}
	if d := cmp.Diff(want, o.list()); d != "" {
		t.Error(d)
	}
	six := newOutcomes(netip.MustParsePrefix("2001:db8::/126"))
	six.set(netip.MustParseAddr("2001:db8::3"), audit.ReachedOpen)
	if got := six.list(); len(got) != 2 || !slices.Equal(got[0].Ranges, []string{"2001:db8::3"}) || !slices.Equal(got[1].Ranges, []string{"2001:db8::-2001:db8::2"}) {
		t.Errorf("%+v", got)
	}
}

// A network this machine knows no way to was not asked: nobody there may be called silent.
func TestNoWay(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		t.Error("something was dialled")
		return nil, errRefused
	}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("10.9.0.0/29"), Permit: audit.PermitDiscover, Dial: dial, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	if !g.Unroutable(netip.MustParseAddr("10.9.0.1")) {
		t.Skip("needs a machine, or a network namespace, without a way to 10.9.0.0/29")
	}
	env := Env{Guard: g, Ports: []uint16{80}, Quick: true}
	for _, m := range []Method{TCPConnect(), Unicast()} {
		cov, err := m.Run(t.Context(), env, func(x audit.Target) { t.Errorf("found %v", x) })
		if err != nil || len(cov) != 1 || cov[0].Status != audit.Failed {
			t.Fatalf("%s: %+v %v", m.Name, cov, err)
		}
		for _, a := range cov[0].Addresses {
			if a.Outcome != audit.ReachedFailed {
				t.Errorf("%s: %+v", m.Name, a)
			}
		}
		if c := m.Cost(env); len(c) != 1 || c[0].Why.IsZero() || c[0].Packets != 0 {
			t.Errorf("%s: %+v", m.Name, c)
		}
	}
}
