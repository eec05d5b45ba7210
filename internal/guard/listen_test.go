package guard

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestListen: what may be listened on, and when.
func TestListen(t *testing.T) {
	lo := Interface{Index: 1, Name: "lo", Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}
	elsewhere := Interface{Index: 1, Name: "lo", Addrs: []netip.Prefix{netip.MustParsePrefix("10.9.9.2/24")}}
	bare := Interface{Index: 1, Name: "lo", Addrs: []netip.Prefix{netip.MustParsePrefix("fe80::7/64")}}
	for _, c := range []struct {
		name   string
		ifi    Interface
		named  []string // by the authority
		asked  []string // by the run
		listen string
		edit   func(*Config)
		why    string // empty: allowed
	}{
		{"on a network of the perimeter", lo, nil, nil, "lo", nil, ""},
		{"named", elsewhere, []string{"lo"}, []string{"lo"}, "lo", nil, ""},
		{"without an address of a network", bare, nil, nil, "lo", nil, ""},
		{"on another network", elsewhere, nil, nil, "lo", nil, "mirror port"},
		{"on another network, which the run names and the authority does not", elsewhere, nil, []string{"lo"}, "lo", nil, "mirror port"},
		{"the run names what the authority does not", lo, []string{"eth7"}, []string{"lo"}, "lo", nil, "not covered"},
		{"another is named", lo, []string{"eth7"}, nil, "lo", nil, "not covered"},
		{"not there", lo, nil, nil, "nic7", nil, "no such interface"},
		{"out of hours", lo, nil, nil, "lo", func(c *Config) { c.Clock = hoursPass(noon) }, "hours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := authority("127.0.0.0/8")
			a.Interfaces, a.Permit = c.named, audit.PermitListen
			cfg := Config{Authority: a, Named: c.asked, Permit: audit.PermitListen, Clock: func() time.Time { return noon }, Interfaces: func() ([]Interface, error) { return []Interface{c.ifi}, nil }}
			if c.edit != nil {
				cfg.Authority.Hours = []audit.Hours{{From: "11:00", To: "12:30"}}
				c.edit(&cfg)
			}
			g, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = g.Listen(c.listen)
			var d *DeniedError
			switch {
			case c.why == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.why != "" && (!errors.As(err, &d) || !strings.Contains(d.Denial.Reason.EN, c.why) || len(g.Denials()) != 1):
				t.Errorf("%v, denials %v", err, g.Denials())
			}
		})
	}
}

// hoursPass is a clock that is within the hours once, and past them from then on.
func hoursPass(start time.Time) func() time.Time {
	calls := 0
	return func() time.Time {
		if calls++; calls > 1 {
			return start.Add(time.Hour)
		}
		return start
	}
}

// TestListenedInterfaceNeedsNoAddress: a mirror port the authority names is no denial for having no address.
func TestListenedInterfaceNeedsNoAddress(t *testing.T) {
	a := authority("127.0.0.0/8")
	a.Interfaces = []string{"lo"}
	for _, listens := range []bool{true, false} {
		g, err := New(Config{Authority: a, Permit: audit.PermitListen, Clock: func() time.Time { return noon }, Interfaces: func() ([]Interface, error) { return nil, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if listens {
			if err := g.Listen("lo"); err != nil {
				t.Fatal(err)
			}
		}
		there, err := g.Interfaces()
		if err != nil || len(there) != 0 || len(g.Denials()) == 0 != listens {
			t.Errorf("listens %v: %v %v %v", listens, there, err, g.Denials())
		}
	}
}
