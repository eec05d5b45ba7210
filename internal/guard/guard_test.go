package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// noon is Wednesday, 11 November 2026, 12:00 in China.
var noon = time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)

func moment(s string) audit.Moment {
	m, err := audit.ParseMoment(s)
	if err != nil {
		panic(err)
	}
	return m
}

func authority(perimeter ...string) audit.Authority {
	a := audit.Authority{
		Basis:  "self_audit",
		Valid:  audit.Period{From: moment("2026-11-01"), To: moment("2026-11-30")},
		Permit: audit.PermitSample,
	}
	for _, p := range perimeter {
		a.Perimeter = append(a.Perimeter, netip.MustParsePrefix(p))
	}
	return a
}

func config(change func(*Config)) Config {
	c := Config{
		Authority:  authority("192.0.2.0/24"),
		Permit:     audit.PermitSample,
		Clock:      func() time.Time { return noon },
		Interfaces: func() ([]Interface, error) { return nil, nil },
		Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
			return nil, fmt.Errorf("a test dialled %s", addr)
		},
	}
	if change != nil {
		change(&c)
	}
	return c
}

func must(t *testing.T, c Config) *Guard {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNewRefusal(t *testing.T) {
	perimeter := func(ps ...string) func(*Config) {
		return func(c *Config) { c.Authority.Perimeter = authority(ps...).Perimeter }
	}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string // part of the English reason; empty: allowed
	}{
		{"as given", nil, ""},
		{"no authority at all", func(c *Config) { c.Authority = audit.Authority{} }, "authority.basis"},
		{"unknown basis", func(c *Config) { c.Authority.Basis = "curiosity" }, "authority.basis"},
		{"permit above the authority's", func(c *Config) { c.Authority.Permit = audit.PermitQuery }, "lower --permit"},
		{"permit as the authority's", func(c *Config) { c.Authority.Permit, c.Permit = audit.PermitQuery, audit.PermitQuery }, ""},
		{"no perimeter", perimeter(), "authority.perimeter"},
		{"zero prefix", func(c *Config) { c.Authority.Perimeter = []netip.Prefix{{}} }, "no prefix"},
		{"no end of validity", func(c *Config) { c.Authority.Valid.To = audit.Moment{} }, "authority.valid"},
		{"expired", func(c *Config) { c.Authority.Valid.To = moment("2026-11-10") }, "validity"},
		{"last day counts whole", func(c *Config) { c.Authority.Valid.To = moment("2026-11-11") }, ""},
		{"not yet", func(c *Config) { c.Authority.Valid.From = moment("2026-11-12") }, "validity"},
		{"ends at an hour", func(c *Config) { c.Authority.Valid.To = moment("2026-11-11T11:59:00+08:00") }, "validity"},
		{"within hours", func(c *Config) { c.Authority.Hours = []audit.Hours{{From: "09:00", To: "18:30"}} }, ""},
		{"hours are over", func(c *Config) { c.Authority.Hours = []audit.Hours{{From: "09:00", To: "12:00"}} }, "hours"},
		{"another day", func(c *Config) {
			c.Authority.Hours = []audit.Hours{{Days: []string{"sat", "sun"}, From: "09:00", To: "18:30"}}
		}, "hours"},
		{"over midnight, in", func(c *Config) {
			c.Authority.Hours = []audit.Hours{{Days: []string{"tue"}, From: "22:00", To: "12:01"}}
		}, ""},
		{"over midnight, the wrong day", func(c *Config) {
			c.Authority.Hours = []audit.Hours{{Days: []string{"wed"}, From: "22:00", To: "12:01"}}
		}, "hours"},
		{"hours that are none", func(c *Config) { c.Authority.Hours = []audit.Hours{{From: "9", To: "18"}} }, "cannot be read"},
		{"a day that is none", func(c *Config) {
			c.Authority.Hours = []audit.Hours{{Days: []string{"someday"}, From: "09:00", To: "18:00"}}
		}, "cannot be read"},
		{"public address", perimeter("8.8.8.0/24"), "authority.public"},
		{"everything", perimeter("0.0.0.0/0"), "authority.public"},
		{"everything in IPv6", perimeter("::/0"), "authority.public"},
		{"private and a little more", perimeter("192.168.0.0/15"), "authority.public"},
		{"public IPv6", perimeter("2400:3200::/32"), "authority.public"},
		{"public in an IPv4-mapped prefix", perimeter("::ffff:8.8.8.0/120"), "authority.public"},
		{"public, named", func(c *Config) {
			perimeter("8.8.8.0/25")(c)
			c.Authority.Public = []netip.Prefix{netip.MustParsePrefix("8.8.8.0/24")}
		}, ""},
		{"public, named in two halves", func(c *Config) {
			perimeter("8.8.8.0/24")(c)
			c.Authority.Public = []netip.Prefix{netip.MustParsePrefix("8.8.8.0/25"), netip.MustParsePrefix("8.8.8.128/25")}
		}, ""},
		{"public, half named", func(c *Config) {
			perimeter("8.8.8.0/24")(c)
			c.Authority.Public = []netip.Prefix{netip.MustParsePrefix("8.8.8.0/25")}
		}, "authority.public"},
		{"multicast", perimeter("239.255.255.0/24"), "multicast"},
		{"loopback", perimeter("127.0.0.0/8", "::1/128"), ""},
		{"private", perimeter("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10", "100.64.0.0/10", "198.18.0.0/15"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(config(tt.change))
			var ae *AuthorityError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && !errors.As(err, &ae):
				t.Errorf("got %v, want an AuthorityError about %q", err, tt.want)
			case tt.want != "" && (!strings.Contains(ae.Reason.EN, tt.want) || ae.Reason.ZH == "" || strings.Contains(ae.Reason.EN+ae.Reason.ZH, "%!")):
				t.Errorf("reason %+v does not speak of %q", ae.Reason, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	c := config(func(c *Config) {
		c.Permit = audit.PermitQuery
		c.Authority.Perimeter = authority("192.0.2.0/25", "192.0.2.64/26", "198.51.100.7/32", "fe80::/10", "2001:db8::/64", "10.9.0.0/31").Perimeter
		c.Interfaces = func() ([]Interface, error) {
			return []Interface{{Index: 2, Name: "lan0", Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/28")}}}, nil
		}
	})
	g := must(t, c)
	for _, tt := range []struct {
		addr string
		need audit.Permit
		want string
	}{
		{"192.0.2.1", audit.PermitQuery, ""},
		{"192.0.2.126", audit.PermitQuery, ""},
		{"::ffff:192.0.2.1", audit.PermitQuery, ""},
		{"::ffff:192.0.2.200", audit.PermitQuery, "perimeter"},
		{"192.0.2.128", audit.PermitQuery, "perimeter"},
		{"198.51.100.7", audit.PermitQuery, ""},
		{"198.51.100.8", audit.PermitQuery, "perimeter"},
		{"10.9.0.0", audit.PermitQuery, ""}, // both ends of a /31 are hosts
		{"10.9.0.1", audit.PermitQuery, ""},
		{"8.8.8.8", audit.PermitQuery, "perimeter"},
		{"192.0.2.0", audit.PermitQuery, "host"},
		{"192.0.2.127", audit.PermitQuery, "host"},
		{"192.0.2.64", audit.PermitQuery, ""},     // an end of one prefix, a host of the other
		{"192.0.2.15", audit.PermitQuery, "host"}, // broadcast of the network we are in
		{"0.0.0.0", audit.PermitQuery, "host"},
		{"255.255.255.255", audit.PermitQuery, "perimeter"},
		{"239.255.255.250", audit.PermitQuery, "host"},
		{"ff02::c", audit.PermitQuery, "host"},
		{"::", audit.PermitQuery, "host"},
		{"fe80::1%lan0", audit.PermitQuery, ""},
		{"2001:db8::5", audit.PermitDiscover, ""},
		{"2001:db8:0:1::5", audit.PermitDiscover, "perimeter"},
		{"192.0.2.1", audit.PermitLogin, "permit"},
		{"192.0.2.1", audit.PermitSample, "permit"},
	} {
		err := g.Check("dial", netip.MustParseAddr(tt.addr), tt.need)
		var d *DeniedError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.addr, err)
		case tt.want != "" && (!errors.As(err, &d) || !strings.Contains(d.Denial.Reason.EN, tt.want)):
			t.Errorf("%s: got %v, want a denial about %q", tt.addr, err, tt.want)
		}
	}
	if err := g.Check("dial", netip.Addr{}, audit.PermitDiscover); err == nil {
		t.Error("the zero address passed")
	}
}

// The window and the hours hold for every packet, not only for the first.
func TestTimeRunsOut(t *testing.T) {
	now := noon
	g := must(t, config(func(c *Config) {
		c.Clock = func() time.Time { return now }
		c.Authority.Hours = []audit.Hours{{From: "09:00", To: "13:00"}}
	}))
	a := netip.MustParseAddr("192.0.2.9")
	if err := g.Check("dial", a, audit.PermitQuery); err != nil {
		t.Fatal(err)
	}
	now = noon.Add(time.Hour)
	if err := g.Check("dial", a, audit.PermitQuery); !IsDenied(err) {
		t.Errorf("after the hours: %v", err)
	}
	now = noon.AddDate(0, 0, 1)
	if err := g.Check("dial", a, audit.PermitQuery); err != nil {
		t.Errorf("next day: %v", err)
	}
	now = noon.AddDate(0, 1, 0)
	if err := g.Check("dial", a, audit.PermitQuery); !IsDenied(err) {
		t.Errorf("after the validity: %v", err)
	}
}

func TestOnly(t *testing.T) {
	g := must(t, config(func(c *Config) { c.Only = []netip.AddrPort{netip.MustParseAddrPort("[::ffff:192.0.2.5]:8080")} }))
	_, err := g.Device(netip.MustParseAddr("192.0.2.5")).Dial(t.Context(), audit.PermitQuery, 80, 0)
	if !IsDenied(err) {
		t.Errorf("port 80: %v", err)
	}
	_, err = g.Device(netip.MustParseAddr("192.0.2.5")).Dial(t.Context(), audit.PermitQuery, 8080, 0)
	if err == nil || IsDenied(err) {
		t.Errorf("port 8080: %v", err)
	}
}

func TestDenialsAreBundledAndBounded(t *testing.T) {
	g := must(t, config(nil))
	for range 3 {
		g.Check("dial", netip.MustParseAddr("203.0.113.1"), audit.PermitQuery) //nolint:errcheck // the denial is looked at below
	}
	g.Deny("xaddr", "evil\x1b[31m\u202e.example\n", audit.Text{ZH: "x", EN: "x"})
	got := g.Denials()
	if len(got) != 2 || got[0].Count != 3 || got[0].Target != "203.0.113.1" || !got[0].At.Equal(noon) {
		t.Errorf("got %+v", got)
	}
	if got[1].Target != "evil.example" {
		t.Errorf("target %q was not cleaned", got[1].Target)
	}
	for i := range 5000 {
		g.Deny("xaddr", fmt.Sprint(i), audit.Text{EN: "x"})
	}
	got = g.Denials()
	if n := len(got); n != maxDenials+1 || got[n-1].Count != 5000-(maxDenials-2) {
		t.Errorf("%d entries, last %+v", n, got[n-1])
	}
}

func TestInterfaces(t *testing.T) {
	all := []Interface{
		{1, "lo", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}},
		{2, "lan0", []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24"), netip.MustParsePrefix("fe80::7/64")}},
		{3, "wan0", []netip.Prefix{netip.MustParsePrefix("203.0.113.7/24"), netip.MustParsePrefix("fe80::8/64")}},
	}
	for _, tt := range []struct {
		name      string
		perimeter []string
		named     []string
		want      string
		denied    int
	}{
		{"own network", []string{"192.0.2.0/24"}, nil, "lan0", 0},
		{"part of it, without us", []string{"192.0.2.128/25"}, nil, "lan0", 0},
		{"wider", []string{"192.0.0.0/8"}, nil, "lan0", 0},
		{"elsewhere", []string{"198.51.100.0/24"}, nil, "", 0},
		{"loopback", []string{"127.7.0.0/24"}, nil, "lo", 0},
		{"loopback in IPv6", []string{"::1/128"}, nil, "lo", 0},
		{"named", []string{"192.0.2.0/24"}, []string{"wan0"}, "wan0", 0},
		{"named, not there", []string{"192.0.2.0/24"}, []string{"lan0", "lan9"}, "lan0", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := must(t, config(func(c *Config) {
				c.Authority = authority(tt.perimeter...)
				if tt.name == "wider" {
					c.Authority.Public = []netip.Prefix{netip.MustParsePrefix("192.0.0.0/8")}
				}
				c.Authority.Interfaces = tt.named
				c.Interfaces = func() ([]Interface, error) { return all, nil }
			}))
			got, err := g.Interfaces()
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, i := range got {
				names = append(names, i.Name)
			}
			if strings.Join(names, " ") != tt.want || len(g.Denials()) != tt.denied {
				t.Errorf("got %v and denials %v", names, g.Denials())
			}
		})
	}
}

func FuzzCovered(f *testing.F) {
	f.Add("10.0.0.0/8", "10.1.2.3")
	f.Add("192.168.0.0/15", "192.169.0.1")
	f.Add("2001:db8::/31", "2001:db9::1")
	f.Fuzz(func(t *testing.T, prefix, addr string) {
		p, err1 := netip.ParsePrefix(prefix)
		a, err2 := netip.ParseAddr(addr)
		if err1 != nil || err2 != nil {
			return
		}
		p, a = normalPrefix(p), normal(a).WithZone("")
		if covered(p, notPublic()) && p.Contains(a) && isPublic(a) {
			t.Errorf("%s is covered but holds public %s", p, a)
		}
	})
}
