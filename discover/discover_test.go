package discover

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grandcat/zeroconf"
	"golang.org/x/net/ipv4"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
)

// targets collects what a method finds.
type targets struct {
	mu  sync.Mutex
	all []audit.Target
}

func (t *targets) found(x audit.Target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, x)
}

func (t *targets) addrs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, x := range t.all {
		out = append(out, x.Addr.String())
	}
	slices.Sort(out)
	return out
}

// tape is evidence kept in memory.
type tape struct {
	mu  sync.Mutex
	all []evidence.Exchange
}

func (t *tape) Record(x evidence.Exchange) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, x)
	return fmt.Sprintf("urn:uuid:%d", len(t.all))
}

func statuses(cs []audit.Coverage) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Target+" "+string(c.Status))
	}
	return out
}

func TestMethodsAreDescribed(t *testing.T) {
	names := map[string]bool{}
	for _, m := range Methods() {
		if m.Name == "" || names[m.Name] || m.Doc.ZH == "" || m.Doc.EN == "" || m.Needs == audit.PermitNone || m.Run == nil || m.Cost == nil ||
			(m.Asks.ZH == "") != (m.Asks.EN == "") || m.Asks.ZH == "" && m.Name != "inventory" {
			t.Errorf("%+v", m)
		}
		names[m.Name] = true
	}
}

func TestInventory(t *testing.T) {
	g, rec := guardtest.New(t, "192.0.2.0/24", "2001:db8::/64")
	site := &audit.SiteFile{Inventory: []audit.InventoryEntry{
		{ID: "A", Address: "192.0.2.21:8081", MAC: "00-40-8C-12-34-56", Serial: "S1", Name: "门口"},
		{ID: "B", Address: "::ffff:192.0.2.22"},
		{ID: "C", Address: "[2001:db8::5]:80"},
		{ID: "D", Address: "198.51.100.1"},
		{ID: "E", Address: "camera.example"},
		{ID: "F", MAC: "00:40:8c:00:00:01"},
	}}
	var got targets
	cov, err := Inventory().Run(t.Context(), Env{Guard: g, Site: site}, got.found)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"192.0.2.21:8081", "192.0.2.22:0", "[2001:db8::5]:80"}, got.addrs()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(audit.Identity{MACs: []string{"00:40:8c:12:34:56"}, Serial: "S1", Name: "门口"}, got.all[0].Identity); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"198.51.100.1 denied", "E failed", "F skipped", "site tried"}, statuses(cov)); d != "" {
		t.Error(d)
	}
	if len(rec.Dialled()) > 0 || len(g.Denials()) != 1 {
		t.Errorf("dialled %v, denials %v", rec.Dialled(), g.Denials())
	}
}

// responder answers WS-Discovery probes on loopback with what answer returns for each.
func responder(t *testing.T, answer func(relatesTo string) [][]byte) {
	t.Helper()
	l, err := net.ListenPacket("udp4", "239.255.255.250:3702")
	if err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	ifi, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skipf("no interface lo: %v", err)
	}
	if err := ipv4.NewPacketConn(l).JoinGroup(ifi, &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250)}); err != nil {
		t.Skipf("no multicast on loopback here: %v", err)
	}
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			m, err := wsdiscovery.Parse(b[:n])
			if err != nil || m.Kind != wsdiscovery.Probe {
				continue
			}
			for _, a := range answer(m.MessageID) {
				l.WriteTo(a, from) //nolint:errcheck // the test notices
			}
		}
	}()
}

func probeMatch(relatesTo string, m wsdiscovery.Match) []byte {
	return wsdiscovery.Marshal(wsdiscovery.Message{Kind: wsdiscovery.ProbeMatches, MessageID: "urn:uuid:answer", RelatesTo: relatesTo, Matches: []wsdiscovery.Match{m}})
}

// ours drops what other tests' devices on this machine's loopback interface answered.
func (t *targets) ours() {
	t.all = slices.DeleteFunc(t.all, func(x audit.Target) bool { return !netip.MustParsePrefix("127.0.0.0/24").Contains(x.Addr.Addr()) })
}

func TestWSDiscovery(t *testing.T) {
	var probes sync.Map
	responder(t, func(id string) [][]byte {
		n, _ := probes.LoadOrStore(id, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		return [][]byte{
			probeMatch(id, wsdiscovery.Match{EPR: "urn:uuid:cam", Types: []wsdiscovery.QName{wsdiscovery.NetworkVideoTransmitter()},
				Scopes: []string{"onvif://www.onvif.org/name/IPC-BO", "onvif://www.onvif.org/hardware/E1", "onvif://www.onvif.org/mac/00:40:8c:00:00:01"},
				XAddrs: []string{"http://198.51.100.7:9/onvif/device_service", "http://127.0.0.1:8081/onvif/device_service"}}),
			nil, []byte("not XML"), []byte("<a/>"), // hostile answers beside a good one
			probeMatch("urn:uuid:somebody-else", wsdiscovery.Match{EPR: "urn:uuid:spoof"}),
			probeMatch(id, wsdiscovery.Match{XAddrs: []string{"abc"}}),
		}
	})
	g, rec := guardtest.New(t, "127.0.0.0/24")
	var got targets
	ev := &tape{}
	cov, err := WSDiscovery().Run(t.Context(), Env{Guard: g, Evidence: ev, Window: 3200 * time.Millisecond}, got.found)
	if err != nil {
		t.Fatal(err)
	}
	got.ours()
	if len(got.all) != 2 {
		t.Fatalf("found %+v", got.all)
	}
	want := audit.Target{
		Method: "ws-discovery", Addr: netip.MustParseAddrPort("127.0.0.1:8081"), Interface: "lo",
		Identity: audit.Identity{EPR: "urn:uuid:cam", Name: "IPC-BO", Hardware: "E1", MACs: []string{"00:40:8c:00:00:01"}},
		Types:    []string{"{http://www.onvif.org/ver10/network/wsdl}NetworkVideoTransmitter"},
		Scopes:   []string{"onvif://www.onvif.org/name/IPC-BO", "onvif://www.onvif.org/hardware/E1", "onvif://www.onvif.org/mac/00:40:8c:00:00:01"},
		XAddrs:   []string{"http://198.51.100.7:9/onvif/device_service", "http://127.0.0.1:8081/onvif/device_service"},
	}
	one := got.all[slices.IndexFunc(got.all, func(x audit.Target) bool { return x.Identity.EPR != "" })]
	if len(one.Evidence) != 1 || one.At.IsZero() {
		t.Errorf("no evidence or time: %+v", one)
	}
	one.At, one.Evidence = time.Time{}, nil
	if d := cmp.Diff(want, one, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Error(d)
	}
	n := 0
	probes.Range(func(_, v any) bool {
		if v.(*atomic.Int64).Load() == 2 {
			n++
		}
		return true
	})
	if n < 6 { // three types in two rounds, each twice; other tests on this machine may ask as well
		t.Errorf("%d probes were sent twice", n)
	}
	if cov[0].Status != audit.Tried || !strings.Contains(cov[0].Detail.EN, "12 inquiries sent") || !strings.Contains(cov[0].Detail.EN, "no answer to our inquiry") {
		t.Errorf("%+v", cov[0])
	}
	if len(rec.Dialled()) > 0 {
		t.Errorf("dialled %v", rec.Dialled())
	}
	if d := g.Denials(); len(d) != 1 || d[0].What != "xaddr" {
		t.Errorf("denials %+v", d)
	}
	for _, x := range ev.all {
		if x.Protocol != "ws-discovery" || len(x.Response) == 0 {
			t.Errorf("evidence %+v", x)
		}
	}
}

// A source that floods costs its own share only: 64 different answers, and the good one of another source still counts.
func TestWSDiscoveryFlood(t *testing.T) {
	responder(t, func(id string) [][]byte {
		var out [][]byte
		for i := range 300 {
			out = append(out, probeMatch(id, wsdiscovery.Match{EPR: fmt.Sprintf("urn:uuid:%s-%d", id, i)}))
		}
		return out
	})
	g, _ := guardtest.New(t, "127.0.0.0/24")
	var got targets
	cov, err := WSDiscovery().Run(t.Context(), Env{Guard: g, Window: time.Second}, got.found)
	if err != nil {
		t.Fatal(err)
	}
	got.ours()
	if len(got.all) > perSource {
		t.Errorf("%d targets", len(got.all))
	}
	if !strings.Contains(cov[0].Detail.EN, "sent too many") {
		t.Errorf("%+v", cov[0])
	}
}

func TestTakeForeignAndManySources(t *testing.T) {
	g, _ := guardtest.New(t, "127.0.0.0/24")
	var got targets
	i := newInquiry(Env{Guard: g}.withDefaults(), wsDiscovery(), guard.Interface{Name: "lan0"}, false, got.found)
	i.asked["urn:uuid:q"] = []byte("q")
	same := probeMatch("urn:uuid:q", wsdiscovery.Match{EPR: "urn:uuid:same", XAddrs: []string{"https://192.0.2.9:8443/x"}})
	for _, from := range []string{"192.0.2.9:3702", "192.0.2.9:3702", "192.0.2.10:3702", "[fe80::9]:3702"} {
		i.take(guard.Packet{From: netip.MustParseAddrPort(from), Data: same})
	}
	if d := cmp.Diff([]string{"192.0.2.10:8443", "192.0.2.9:8443", "[fe80::9%lan0]:8443"}, got.addrs()); d != "" {
		t.Error(d)
	}
	for _, x := range got.all {
		if !x.Foreign {
			t.Errorf("%s is not foreign", x.Addr)
		}
	}
	a := netip.MustParseAddr("10.0.0.0")
	for range 3 * sourceLimit {
		a = a.Next()
		i.take(guard.Packet{From: netip.AddrPortFrom(a, 1), Data: same})
	}
	if len(i.sources) > sourceLimit || i.dropped == 0 {
		t.Errorf("%d sources, %d dropped", len(i.sources), i.dropped)
	}
}

func TestCandidate(t *testing.T) {
	for _, tt := range []struct {
		from   string
		xaddrs []string
		want   string
	}{
		{"192.0.2.1", nil, "192.0.2.1:0"},
		{"192.0.2.1", []string{"http://192.0.2.1/onvif/device_service"}, "192.0.2.1:80"},
		{"192.0.2.1", []string{"https://192.0.2.1/onvif/device_service"}, "192.0.2.1:443"},
		{"192.0.2.1", []string{"http://198.51.100.1:99/x", "http://192.0.2.1:2020/x"}, "192.0.2.1:2020"},
		{"192.0.2.1", []string{"http://169.254.1.1:8000/x"}, "192.0.2.1:8000"},
		{"192.0.2.1", []string{"abc", "//", "http://", "ftp://192.0.2.1:21/", "http://192.0.2.1:99999/", "http://cam.example:81/x"}, "192.0.2.1:81"},
		{"192.0.2.1", []string{"http://[::ffff:192.0.2.1]:82/"}, "192.0.2.1:82"},
		{"fe80::1%lan0", []string{"http://192.0.2.1:80/x", "http://[fe80::1]:83/x"}, "[fe80::1%lan0]:83"},
		{"192.0.2.1", []string{"http://user:pw@192.0.2.1:84/x"}, "192.0.2.1:84"},
	} {
		if got := candidate(netip.MustParseAddr(tt.from), tt.xaddrs).String(); got != tt.want {
			t.Errorf("%s %v: %s, want %s", tt.from, tt.xaddrs, got, tt.want)
		}
	}
}

func FuzzXAddr(f *testing.F) {
	for _, s := range []string{"http://192.0.2.1/x", "abc", "http://[fe80::1%25lan0]:80/", "https://a:b@c:1/", "//", "http://[::1"} {
		f.Add(s)
	}
	from := netip.MustParseAddr("192.0.2.1")
	f.Fuzz(func(t *testing.T, s string) {
		if got := candidate(from, []string{s}); got.Addr() != from {
			t.Errorf("%q leads to %s", s, got)
		}
	})
}

func TestMDNS(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skipf("no interface lo: %v", err)
	}
	s, err := zeroconf.RegisterProxy("AXIS P3245 - 00408C123456", "_axis-video._tcp", "local.", 80, "axis-00408c123456",
		[]string{"127.0.0.21", "192.0.2.7"}, []string{"macaddress=00408C123456", "x"}, []net.Interface{*lo})
	if err != nil {
		t.Skipf("multicast DNS does not work on loopback here: %v", err)
	}
	defer s.Shutdown()
	g, rec := guardtest.New(t, "127.0.0.0/24")
	var got targets
	ev := &tape{}
	cov, err := MDNS().Run(t.Context(), Env{Guard: g, Evidence: ev, Window: 3 * time.Second}, got.found)
	if err != nil {
		t.Fatal(err)
	}
	got.all = slices.DeleteFunc(got.all, func(x audit.Target) bool { return x.Identity.MDNS != "axis-00408c123456.local" })
	if d := cmp.Diff([]string{"127.0.0.21:80", "192.0.2.7:80"}, got.addrs()); d != "" {
		t.Fatal(d)
	}
	for _, x := range got.all {
		if x.Foreign != (x.Addr.Addr() == netip.MustParseAddr("192.0.2.7")) {
			t.Errorf("%s: foreign is %v", x.Addr, x.Foreign)
		}
		want := audit.Identity{MACs: []string{"00:40:8c:12:34:56"}, MDNS: "axis-00408c123456.local", Name: "AXIS P3245 - 00408C123456",
			Kind: audit.KindCamera, Vendor: "Axis", Model: "P3245", Weak: true}
		if d := cmp.Diff(want, x.Identity); d != "" {
			t.Error(d)
		}
		if x.TXT["macaddress"] != "00408C123456" || x.Types[0] != "_axis-video._tcp" || len(x.Evidence) != 1 {
			t.Errorf("%+v", x)
		}
	}
	if cov[0].Target != "lo" || cov[0].Status != audit.Tried {
		t.Errorf("%+v", cov[0])
	}
	if len(rec.Dialled()) > 0 {
		t.Errorf("dialled %v", rec.Dialled())
	}
}

// listen opens a port on a loopback address; accept takes and holds connections.
func listen(t *testing.T, addr string) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("cannot listen on %s: %v", addr, err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

func TestTCPConnect(t *testing.T) {
	p1 := listen(t, "127.0.9.20:0")
	listen(t, fmt.Sprintf("127.0.9.21:%d", p1))
	p2 := listen(t, "127.0.9.21:0")
	g, rec := guardtest.New(t, "127.0.9.0/26", "127.0.9.16/28", "127.1.0.0/16", "2001:db8::/64")
	var got targets
	cov, err := TCPConnect().Run(t.Context(), Env{Guard: g, Ports: []uint16{p1, p2}}, got.found)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{fmt.Sprintf("127.0.9.20:%d", p1), fmt.Sprintf("127.0.9.21:%d", p1), fmt.Sprintf("127.0.9.21:%d", p2)}
	slices.Sort(want)
	if d := cmp.Diff(want, got.addrs()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"127.0.9.0/26 tried", "127.1.0.0/16 skipped", "2001:db8::/64 skipped"}, statuses(cov)); d != "" {
		t.Error(d)
	}
	if !strings.Contains(cov[0].Detail.EN, "62 addresses, 2 ports each: 2 with an open port, 60 present with none open") {
		t.Errorf("%+v", cov[0])
	}
	if n := len(rec.Dialled()); n != 62*2 {
		t.Errorf("dialled %d times", n)
	}
	if out := rec.Outside(netip.MustParsePrefix("127.0.9.0/26")); len(out) > 0 {
		t.Errorf("dialled outside: %v", out)
	}
	if len(g.Denials()) > 0 {
		t.Errorf("denials %+v", g.Denials())
	}
}

// silence is a network on which nothing answers.
func silence(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
}

func TestTCPConnectStops(t *testing.T) {
	rec := &guardtest.Recorder{Next: silence}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("10.9.0.0/16"), Permit: audit.PermitDiscover, Dial: rec.Dial})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	cov, err := TCPConnect().Run(ctx, Env{Guard: g}, func(x audit.Target) { t.Errorf("found %+v", x) })
	if err != nil || len(cov) != 1 || cov[0].Status != audit.Stopped || time.Since(start) > 2*time.Second {
		t.Errorf("%+v, %v after %s", cov, err, time.Since(start))
	}
	if n := len(rec.Dialled()); n > routedOpen {
		t.Errorf("%d connects at once", n)
	}
}

func TestTCPConnectLimits(t *testing.T) {
	refuse := func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("nobody should be dialled")
	}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("10.0.0.0/15", "10.9.9.8/30", "10.9.9.9/32"), Permit: audit.PermitDiscover, Dial: refuse})
	if err != nil {
		t.Fatal(err)
	}
	cov, err := TCPConnect().Run(t.Context(), Env{Guard: g}, func(audit.Target) {})
	if err != nil {
		t.Fatal(err)
	}
	// The large prefix is left out, the small one is swept; what fails here is ours, and said to be.
	if d := cmp.Diff([]string{"10.0.0.0/15 skipped", "10.9.9.8/30 partial"}, statuses(cov)); d != "" {
		t.Error(d)
	}
}

// The memory a sweep needs does not depend on the number of addresses.
func TestTCPConnectMemory(t *testing.T) {
	refused := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errRefused}
	}
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("10.9.0.0/20"), Permit: audit.PermitDiscover, Dial: refused})
	if err != nil {
		t.Fatal(err)
	}
	sweep := func(prefix string) audit.Coverage {
		l := &link{stretch: stretch{prefix: netip.MustParsePrefix(prefix), way: routed}}
		s := newSweep(Env{Guard: g, Ports: []uint16{80}, Quick: true}.withDefaults(), l, func(audit.Target) {})
		s.turn = &turns{per: 1 << 20}
		s.distant(t.Context())
		s.wg.Wait()
		s.settle(t.Context())
		return s.coverage(t.Context())
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	sweep("10.9.0.0/22")
	before := heap()
	c := sweep("10.9.0.0/20")
	if after := heap(); after > before+2<<20 {
		t.Errorf("%d bytes before, %d after 4094 addresses", before, after)
	}
	if c.Status != audit.Tried || !strings.Contains(c.Detail.EN, "4094 addresses") {
		t.Errorf("%+v", c)
	}
}
