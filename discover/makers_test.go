package discover

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/ipv4"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/guard/policy"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// makersShop is three devices that answer in their makers' own words.
func makersShop() []lab.Spec {
	return []lab.Spec{
		{Name: "hik", Kind: audit.KindCamera, Model: "DS-2LAB", Serial: "DS-2LAB20260101AAWR0001", Vendor: lab.Vendor{SADP: true, SSDP: true}},
		{Name: "nvr", Kind: audit.KindRecorder, Model: "NVR-LAB", Serial: "LAB0002", Channels: 8, Vendor: lab.Vendor{DHIP: true, ToGroup: true}},
		{Name: "stray", Kind: audit.KindCamera, Model: "DS-2NEW", Serial: "DS-2NEW20260101AAWR0003", Vendor: lab.Vendor{SADP: true, ToGroup: true, Address: "192.168.1.64"}},
		{Name: "old", Kind: audit.KindCamera, Model: "IPC-OLD", Serial: "LAB0004", Vendor: lab.Vendor{DVRIP: true}},
		{Name: "sony", Kind: audit.KindCamera, Model: "SNC-LAB", Serial: "0005", Vendor: lab.Vendor{Sony: true}},
		{Name: "hanwha", Kind: audit.KindCamera, Model: "XNV-LAB", Vendor: lab.Vendor{Hanwha: true}},
		{Name: "xm", Kind: audit.KindRecorder, Channels: 4, Serial: "0a1b", Vendor: lab.Vendor{Xiongmai: true}},
	}
}

func openMakers(t *testing.T) (*lab.Shop, *guard.Guard) {
	t.Helper()
	shop := labtest.Open(t, lab.Config{Devices: makersShop(), Multicast: true})
	if notes := shop.Notes(); len(notes) > 0 {
		t.Skipf("no such shop here: %v", notes)
	}
	var perimeter []string
	for _, p := range shop.Perimeter() {
		perimeter = append(perimeter, p.String())
	}
	g, _ := guardtest.New(t, perimeter...)
	return shop, g
}

func running(t *testing.T, shop *lab.Shop, name string) lab.Running {
	t.Helper()
	r, ok := shop.Device(name)
	if !ok {
		t.Fatalf("no device %s", name)
	}
	return r
}

// one returns the target with a serial number, which is that of one device of one shop alone.
func (t *targets) one(tt *testing.T, match func(audit.Target) bool) audit.Target {
	tt.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.all, match)
	if i < 0 {
		tt.Fatalf("not among %+v", t.all)
	}
	return t.all[i]
}

func standing(a netip.Addr) func(audit.Target) bool {
	return func(x audit.Target) bool { return x.Addr.Addr() == a }
}

// TestMakersOverGroups asks a shop on loopback, where groups work and broadcast does not.
func TestMakersOverGroups(t *testing.T) {
	shop, g := openMakers(t)
	hik, nvr, stray := running(t, shop, "hik"), running(t, shop, "nvr"), running(t, shop, "stray")
	ev := &tape{}
	found := map[string]*targets{}
	var wg sync.WaitGroup
	for _, m := range []Method{SADP(), DHIP(), SSDP()} {
		got := &targets{}
		found[m.Name] = got
		wg.Go(func() {
			start := time.Now()
			cov, err := m.Run(t.Context(), Env{Guard: g, Evidence: ev, Quick: true}, got.found)
			if err != nil || len(cov) != 1 || cov[0].Status != audit.Tried {
				t.Errorf("%s: %+v, %v", m.Name, cov, err)
			}
			if d := time.Since(start); d > quickMost+500*time.Millisecond { // the machine may be busy
				t.Errorf("%s took %s", m.Name, d)
			}
		})
	}
	wg.Wait()

	x := found["sadp"].one(t, standing(hik.Addr.Addr()))
	want := audit.Identity{MACs: []string{hik.Spec.MAC}, Serial: hik.Spec.Serial, Vendor: "Hikvision", Model: "DS-2LAB", Firmware: hik.Spec.Firmware,
		Kind: audit.KindCamera, Services: []string{"sadp"}, Weak: true}
	if d := cmp.Diff(want, x.Identity); d != "" || x.Addr != hik.Addr || x.Foreign || len(x.Evidence) != 1 || x.Interface == "" {
		t.Errorf("%+v: %s", x, d)
	}
	x = found["sadp"].one(t, func(x audit.Target) bool { return x.Identity.Serial == stray.Spec.Serial })
	if !x.Foreign || x.Addr.Addr() != netip.MustParseAddr("192.168.1.64") || x.Extra[claimedBy] == nil {
		t.Errorf("a camera with the address of its factory: %+v", x)
	}
	x = found["dhip"].one(t, standing(nvr.Addr.Addr()))
	if x.Identity.Kind != audit.KindRecorder || x.Identity.Channels != 8 || x.Identity.Model != "NVR-LAB" || x.Identity.Vendor != "Dahua" {
		t.Errorf("%+v", x)
	}
	x = found["ssdp"].one(t, standing(hik.Addr.Addr()))
	if len(x.XAddrs) != 1 || !strings.HasSuffix(x.XAddrs[0], "/desc.xml") || !x.Identity.Weak {
		t.Errorf("%+v", x)
	}
	for _, r := range shop.Requests() {
		if !strings.HasPrefix(r.What, "Inquiry ") {
			t.Errorf("a device was asked %s", r.What)
		}
	}
}

// TestMakersByAddress asks those that go by broadcast elsewhere at their own addresses.
func TestMakersByAddress(t *testing.T) {
	shop, g := openMakers(t)
	ifis, err := g.Interfaces()
	if err != nil || len(ifis) != 1 {
		t.Fatalf("%v, %v", ifis, err)
	}
	var wg sync.WaitGroup
	for name, p := range map[string]protocol{"old": dahuaV1(), "sony": sony(), "hanwha": hanwha(), "xm": xiongmai()} {
		r := running(t, shop, name)
		wg.Go(func() {
			var got targets
			i := newInquiry(Env{Guard: g, Quick: true}.withDefaults(), p, ifis[0], false, got.found)
			i.to = []netip.Addr{r.Addr.Addr()}
			// The shop's devices hold some of the ports for themselves, and are heard without them.
			cov := i.run(t.Context())
			if cov.Status != audit.Tried && cov.Status != audit.Partial || len(got.all) != 1 {
				t.Errorf("%s: %+v, %+v", name, cov, got.all)
				return
			}
			x := got.all[0]
			if x.Addr.Addr() != r.Addr.Addr() || len(x.Identity.MACs) != 1 || x.Identity.MACs[0] != r.Spec.MAC || x.Foreign {
				t.Errorf("%s: %+v", name, x)
			}
			if r.Spec.Model != "" && x.Identity.Model != r.Spec.Model || x.Identity.Kind != r.Spec.Kind && name != "old" {
				t.Errorf("%s: %+v", name, x.Identity)
			}
		})
	}
	wg.Wait()
}

// Loopback has no broadcast: a method that knows nothing else says so, and sends nothing.
func TestNoBroadcastOnLoopback(t *testing.T) {
	g, _ := guardtest.New(t, "127.0.0.0/24")
	for _, m := range []Method{Hanwha(), Bosch(), Sony(), IPRO(), Vivotek(), TPLink(), Xiongmai(), DVRIP()} {
		cov, err := m.Run(t.Context(), Env{Guard: g}, func(audit.Target) {})
		if err != nil || len(cov) != 1 || cov[0].Status != audit.Skipped || !strings.Contains(cov[0].Detail.EN, "broadcast") {
			t.Errorf("%s: %+v, %v", m.Name, cov, err)
		}
		for _, c := range m.Cost(Env{Guard: g}) {
			if c.Packets != 0 || c.Why.IsZero() {
				t.Errorf("%s: cost %+v", m.Name, c)
			}
		}
	}
}

// hearer hears all that one address sends to the groups of discovery.
type hearer struct {
	mu    sync.Mutex
	heard map[uint16][][]byte // by port
}

func hear(t *testing.T, from netip.Addr) *hearer {
	t.Helper()
	h := &hearer{heard: map[uint16][][]byte{}}
	ifi, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skipf("no interface lo: %v", err)
	}
	for _, group := range []string{"239.255.255.250:3702", "224.0.0.251:5353", "239.255.255.250:1900", "239.255.255.250:37020", "239.255.255.251:37810"} {
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(group))
		c, err := net.ListenMulticastUDP("udp4", ifi, to)
		if err != nil {
			t.Skipf("no multicast on loopback here: %v", err)
		}
		t.Cleanup(func() { c.Close() })
		if err := ipv4.NewPacketConn(c).SetMulticastLoopback(true); err != nil {
			t.Skip(err)
		}
		go func() {
			b := make([]byte, 64<<10)
			for {
				n, who, err := c.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				if who.Addr().Unmap() == from {
					h.mu.Lock()
					h.heard[uint16(to.Port)] = append(h.heard[uint16(to.Port)], slices.Clone(b[:n]))
					h.mu.Unlock()
				}
			}
		}()
	}
	return h
}

// TestInquiriesOnly runs every method from an address of its own and looks at every datagram it sent to a group: each is an
// inquiry, and there are no more of them than the method said before.
func TestInquiriesOnly(t *testing.T) {
	const self = "127.93.7.1"
	for _, quick := range []bool{true, false} {
		lo, err := net.InterfaceByName("lo")
		if err != nil {
			t.Skipf("no interface lo: %v", err)
		}
		g, err := guard.New(guard.Config{Authority: guardtest.Authority("127.93.7.0/30"), Permit: audit.PermitDiscover, PacketsPerSecond: 2000,
			Interfaces: func() ([]guard.Interface, error) {
				return []guard.Interface{{Index: lo.Index, Name: "lo", Addrs: []netip.Prefix{netip.MustParsePrefix(self + "/8")}}}, nil
			},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: errRefused}
			}})
		if err != nil {
			t.Fatal(err)
		}
		env := Env{Guard: g, Quick: quick, Window: 3200 * time.Millisecond}
		h := hear(t, netip.MustParseAddr(self))
		var wg sync.WaitGroup
		for _, m := range Methods() {
			if m.Name == "neighbours" || m.Name == "tcp-connect" {
				continue
			}
			wg.Go(func() {
				if _, err := m.Run(t.Context(), env, func(audit.Target) {}); err != nil {
					t.Errorf("%s: %v", m.Name, err)
				}
			})
		}
		wg.Wait()
		h.mu.Lock()
		for port, all := range h.heard {
			for _, b := range all {
				if err := policy.Datagram(netip.AddrPortFrom(netip.MustParseAddr(self), port), b); err != nil {
					t.Errorf("to port %d: %v: %q", port, err, b)
				}
			}
		}
		for name, port := range map[string]uint16{"ws-discovery": 3702, "ssdp": 1900, "sadp": 37020, "dhip": 37810} {
			i := slices.IndexFunc(Methods(), func(m Method) bool { return m.Name == name })
			cost := Methods()[i].Cost(env)
			if len(cost) != 1 || cost[0].Packets != len(h.heard[port]) {
				t.Errorf("%s (quick %v) sent %d packets and says %+v", name, quick, len(h.heard[port]), cost)
			}
		}
		if len(h.heard[5353]) == 0 {
			t.Error("nobody asked over mDNS")
		}
		h.mu.Unlock()
		for _, d := range g.Denials() {
			if d.What == "udp" {
				t.Errorf("a method wanted to send what it may not: %+v", d)
			}
		}
	}
}

// TestUnicast asks single addresses and takes their answers.
func TestUnicast(t *testing.T) {
	l, err := net.ListenPacket("udp4", "127.0.0.6:3702")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			id := between(string(b[:n]), "MessageID>", "<")
			l.WriteTo([]byte(strings.Replace(unicastAnswer, "ID", id, 1)), from) //nolint:errcheck // the test notices
		}
	}()
	g, _ := guardtest.New(t, "127.0.0.4/30")
	var got targets
	p := newPersonal(Env{Guard: g, Quick: true}.withDefaults(), &turns{per: 1000}, got.found)
	lk := &link{stretch: stretch{prefix: netip.MustParsePrefix("127.0.0.4/30"), way: routed}}
	cov := p.run(t.Context(), lk)
	if cov.Status != audit.Tried && cov.Status != audit.Partial {
		t.Errorf("%+v", cov)
	}
	if x := got.one(t, standing(netip.MustParseAddr("127.0.0.6"))); x.Method != "ws-discovery-unicast" || x.Addr.Port() != 8080 || x.Identity.EPR != "urn:uuid:cam" {
		t.Errorf("%+v", x)
	}
}

const unicastAnswer = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header><w:RelatesTo>ID</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:cam</w:Address></w:EndpointReference><d:XAddrs>http://127.0.0.6:8080/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`

func between(s, a, b string) string {
	_, s, _ = strings.Cut(s, a)
	s, _, _ = strings.Cut(s, b)
	return s
}

func TestUnasked(t *testing.T) {
	for _, tt := range []struct {
		prefix string
		way    way
		asked  bool
	}{
		{"10.9.0.0/22", routed, true},
		{"10.9.0.0/21", routed, false},
		{"10.9.0.0/16", onLink, true},
		{"127.0.0.0/24", local, false},
		{"2001:db8::/120", routed, false},
		{"2001:db8::/64", onLink, true},
	} {
		if why := unasked(stretch{prefix: netip.MustParsePrefix(tt.prefix), way: tt.way}); why.IsZero() != tt.asked {
			t.Errorf("%s: %v", tt.prefix, why)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		parse func([]byte) ([]sighted, error)
		data  string
		kind  audit.Kind
	}{
		{readSADP, `<ProbeMatch><DeviceDescription>DS-K1T671M</DeviceDescription></ProbeMatch>`, audit.KindTerminal},
		{readSADP, `<ProbeMatch><DeviceDescription>iDS-7608NXI-I2</DeviceDescription></ProbeMatch>`, audit.KindRecorder},
		{readSADP, `<ProbeMatch><DeviceDescription>iDS-2CD7A46</DeviceDescription></ProbeMatch>`, audit.KindCamera},
		{readSADP, `<ProbeMatch><DeviceDescription>X</DeviceDescription><DigitalChannelNum>4</DigitalChannelNum></ProbeMatch>`, audit.KindRecorder},
		{readSADP, `<ProbeMatch><DeviceDescription>X</DeviceDescription></ProbeMatch>`, ""},
		{dahua().read, `{"method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceClass":"BSC","DeviceType":"SS 3530 MF FACE W"}}}`, audit.KindTerminal},
		{dahua().read, `{"method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceType":"DHI-NVR5464"}}}`, audit.KindRecorder},
		{dahua().read, `{"method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceClass":"VTO","DeviceType":"X"}}}`, audit.KindTerminal},
		{tplink().read, "\x02\x00\x00\x01" + strings.Repeat("\x00", 12) + `{"result":{"device_type":"SMART.TAPOPLUG","device_model":"P"}}`, audit.KindOther},
		{readSSDP, "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n", audit.KindOther},
		{readSSDP, "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:NetworkCamera:1\r\n\r\n", audit.KindCamera},
	} {
		got, err := tt.parse([]byte(tt.data))
		if err != nil || len(got) != 1 || got[0].target.Identity.Kind != tt.kind {
			t.Errorf("%s: %+v, %v", tt.data, got, err)
		}
	}
}
