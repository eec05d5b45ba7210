package netlab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
)

// The pace one host may see, and what a capture may count beyond it: a retransmission, and the acknowledgements of a
// connection that ends, which leave before they can be asked to wait.
const (
	pace  = 40
	burst = 8
	slack = 6

	groups = 4 // multicast groups that are asked at the same time, each with a burst of its own
)

// wide are addresses of the auditing machine wide enough that packets to addresses outside the perimeter would really leave.
func wide() []string { return []string{Scanner + "/8", "fd77::2/8"} }

func shopfloor(dir string) []*Host {
	at := func(xaddrs string) Service { return WSDiscovery(Discoverable{XAddrs: xaddrs, Instant: true}) }
	return []*Host{
		{Name: "b8a44f000001", MAC: "02:77:00:01:00:01", Addrs: []string{"10.77.0.11/8", "fd77::11/8"}, Serve: []Service{Listen(80, 554),
			Avahi(dir, "_axis-video._tcp 80 macaddress=B8A44F000001", "_rtsp._tcp 554 path=axis-media/media.amp", "_http._tcp 80")}},
		{Name: "honest", MAC: "02:77:00:01:00:02", Addrs: []string{"10.77.0.12/8", "fd77::12/8"},
			Serve: []Service{Listen(80, 554), at("http://10.77.0.12/onvif/device_service http://[fd77::12]/onvif/device_service")}},
		{Name: "liar", MAC: "02:77:00:01:00:03", Addrs: []string{"10.77.0.13/8", "fd77::13/8"},
			Serve: []Service{Listen(8080), at("http://10.78.0.66:8080/onvif/device_service")}},
		{Name: "stranger", MAC: "02:77:00:01:00:04", Addrs: []string{"10.78.0.14/8", "fd78::14/8"},
			Serve: []Service{Listen(80, 554), at("http://10.78.0.14/onvif/device_service")}},
		{Name: "deaf", MAC: "02:77:00:01:00:05", Addrs: []string{"10.77.0.15/8", "fd77::15/8"}, Deaf: true,
			Serve: []Service{Listen(80, 554, 37777), at("http://10.77.0.15/onvif/device_service")}},
		{Name: "victim", MAC: "02:77:00:01:00:06", Addrs: []string{"10.78.0.66/8"}, Serve: []Service{Listen(80, 8080)}}, // whom the liar points at
	}
}

// TestDiscoveryOnALAN runs every discovery method against independent peers: what is there is found, what multicast cannot
// reach is found at its own address, and nothing outside the perimeter hears of it.
func TestDiscoveryOnALAN(t *testing.T) {
	t.Parallel() // a small LAN, apart from the others
	programs(t, "avahi", "avahi-daemon")
	if !apart(t) {
		return
	}
	open(t, Config{Scanner: wide(), Hosts: shopfloor(t.TempDir())})
	time.Sleep(2 * time.Second) // avahi probes for its names before it answers (RFC 6762, section 8.1)
	capture := record(t)

	rec := &guardtest.Recorder{}
	authority := guardtest.Authority("10.77.0.0/26", "fd77::10/124")
	g, err := guard.New(guard.Config{Authority: authority, Permit: audit.PermitDiscover, Dial: rec.Dial, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	found := map[string]audit.Target{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for _, m := range discover.Methods() { // all at once, as a run does it
		all.Go(func() {
			cov, err := m.Run(ctx, discover.Env{Guard: g}, func(x audit.Target) {
				mu.Lock()
				defer mu.Unlock()
				found[m.Name+" "+x.Addr.String()] = x
				t.Logf("%s %s foreign=%v %v %+v", m.Name, x.Addr, x.Foreign, x.Types, x.Identity)
			})
			if err != nil {
				t.Errorf("%s: %v", m.Name, err)
			}
			for _, c := range cov {
				t.Logf("coverage %s %s: %s: %s", c.Module, c.Target, c.Status, c.Detail.EN)
			}
		})
	}
	all.Wait()
	want := []string{
		"mdns 10.77.0.11:80", "mdns 10.77.0.11:554", "mdns [fd77::11]:80", "mdns [fd77::11]:554",
		"ws-discovery 10.77.0.12:80", "ws-discovery [fd77::12]:80", "ws-discovery 10.77.0.13:8080", "ws-discovery 10.78.0.14:80", "ws-discovery [fd78::14]:80",
		"tcp-connect 10.77.0.11:80", "tcp-connect 10.77.0.11:554", "tcp-connect 10.77.0.12:80", "tcp-connect 10.77.0.12:554", "tcp-connect 10.77.0.13:8080",
		"tcp-connect 10.77.0.15:80", "tcp-connect 10.77.0.15:554", "tcp-connect 10.77.0.15:37777",
		"tcp-connect [fd77::11]:80", "tcp-connect [fd77::12]:80", "tcp-connect [fd77::13]:8080",
	}
	for _, w := range want {
		if _, ok := found[w]; !ok {
			t.Errorf("not found: %s", w)
		}
	}
	for k, x := range found {
		a := x.Addr.Addr()
		if inside := slices.ContainsFunc(authority.Perimeter, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) }); x.Foreign == inside {
			t.Errorf("%s: foreign is %v", k, x.Foreign)
		}
		if strings.HasPrefix(k, "ws-discovery 10.77.0.15") {
			t.Errorf("multicast reached the host it cannot reach: the LAN is not what this test takes it for")
		}
	}
	if x := found["mdns 10.77.0.11:80"]; x.Identity.Vendor != "Axis" || !slices.Contains(x.Identity.MACs, "b8:a4:4f:00:00:01") {
		t.Errorf("the Axis camera's identity is %+v", x.Identity)
	}
	if x := found["tcp-connect 10.77.0.15:0"]; x.Method != "neighbours" || !x.Sighting || !slices.Equal(x.Identity.MACs, []string{"02:77:00:01:00:05"}) {
		t.Errorf("the link layer gave %+v", x)
	}
	if !slices.ContainsFunc(g.Denials(), func(d guard.Denial) bool { return d.What == "xaddr" && strings.Contains(d.Target, "10.78.0.66") }) {
		t.Errorf("the XAddr of another host is not among the denials: %+v", g.Denials())
	}
	judge(t, capture, authority.Perimeter)
	if out := rec.Outside(authority.Perimeter...); len(out) > 0 {
		t.Errorf("dialled outside: %v", out)
	}
}

// judge checks what the capture saw against what was allowed.
func judge(t *testing.T, capture *Recording, perimeter []netip.Prefix) {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // the capture's reader
	all := capture.Departures()
	if len(all) < 20 {
		t.Fatalf("the capture has %d packets: it did not work", len(all))
	}
	for _, s := range capture.Stray(perimeter) {
		t.Errorf("sent outside the perimeter: %s", s)
	}
	kinds := capture.ByKind()
	worst, at := 0.0, netip.Addr{}
	for a, over := range capture.Excess(pace, burst) {
		limit := float64(slack)
		if a == Everybody() {
			limit = groups * burst
			t.Logf("everybody: at most %+.1f packets beyond the pace", over)
		} else if over > worst {
			worst, at = over, a
		}
		if over > limit {
			t.Errorf("%s was sent %.1f packets more than %d a second and %d at once: %v", a, over, pace, burst, kinds[a])
			if a != Everybody() {
				t.Log(sequence(all, a))
			}
		}
	}
	t.Logf("no host was sent more than %s: at most %+.1f packets beyond the pace: %v", at, worst, kinds[at])
	for a, k := range kinds {
		if a.IsMulticast() {
			t.Logf("%s: %v", a, k)
		}
	}
	for _, s := range offList(all) {
		t.Errorf("sent, and on no list of inquiries: %s", s)
	}
}

// sequence is when the first of the packets to an address left, one "+milliseconds what bytes" each.
func sequence(all []Departure, to netip.Addr) string {
	var out []string
	var began time.Time
	for _, d := range all {
		if d.To != to || len(out) == 120 {
			continue
		}
		if began.IsZero() {
			began = d.At
		}
		out = append(out, fmt.Sprintf("+%d %s %d", d.At.Sub(began).Milliseconds(), d.What, len(d.Data)))
	}
	return strings.Join(out, "; ")
}
