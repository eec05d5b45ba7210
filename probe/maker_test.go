package probe

import (
	"net/netip"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestUnclaimed: a listed device is asked by every module where nothing names its maker, and a word for any camera names none.
func TestUnclaimed(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	listed := func(own string, known ...string) audit.Target {
		var d Done
		for _, v := range known {
			d.Learn(&audit.Identity{Vendor: v})
		}
		return d.Inform(audit.Target{Method: "inventory", Addr: at, Identity: audit.Identity{Vendor: own}})
	}
	seen := func(p Page) audit.Target {
		var d Done
		d.Show(80, p)
		return d.Inform(audit.Target{Method: "inventory", Addr: at})
	}
	found, rtsp, foreign := listed(""), listed(""), listed("")
	found.Method, foreign.Foreign = "tcp-connect", true
	rtsp.Addr = netip.MustParseAddrPort("192.0.2.1:554")
	for name, c := range map[string]struct {
		t    audit.Target
		want bool
	}{
		"nothing is known":              {listed(""), true},
		"a maker":                       {listed("", "Bosch"), false},
		"a maker nobody has heard of":   {listed("", "Songyan"), false},
		"a word for any camera":         {listed("", "General"), true},
		"two of them":                   {listed("IPC", "ONVIF", "IP Camera "), true},
		"one of them, and a maker":      {listed("", "General", "Bosch"), false},
		"a page of nobody":              {seen(Page{Titled: true}), true},
		"a page of a maker":             {seen(Page{Makers: []string{"Axis"}}), false},
		"a port that was only found":    {found, false},
		"a port that speaks no HTTP":    {rtsp, false},
		"an address of somebody else's": {foreign, false},
	} {
		if got := Unclaimed(c.t); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
