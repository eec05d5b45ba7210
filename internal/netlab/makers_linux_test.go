package netlab

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/guard/policy"
)

// ear is a host that takes every datagram of discovery and answers some.
type ear struct {
	mu    sync.Mutex
	heard []heardAt
}

type heardAt struct {
	to   netip.AddrPort
	data []byte
}

// makerAnswer is what the host says on a port, and to which port of the questioner; 0: the one it asked from.
type makerAnswer struct {
	group string
	back  int
	data  func(h *Host) string
}

// toAll marks an answer that goes to everybody.
const toAll = -1

func makersAnswers() map[uint16]makerAnswer {
	mac := func(n byte) string { return fmt.Sprintf("\x02\x77\x00\x00\x00%c", n) }
	quad := func(h *Host) string { return string(h.Addr().AsSlice()) }
	return map[uint16]makerAnswer{
		3702: {group: "239.255.255.250"}, 5353: {group: "224.0.0.251"}, 1900: {group: "239.255.255.250"},
		37020: {"239.255.255.250", toAll, func(h *Host) string {
			return "<ProbeMatch><DeviceDescription>DS-2LAB</DeviceDescription><MAC>02-77-00-00-00-01</MAC><IPv4Address>192.168.1.64</IPv4Address></ProbeMatch>"
		}},
		37810: {"239.255.255.251", 0, func(h *Host) string {
			return `{"mac":"02:77:00:00:00:02","method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceType":"IPC-LAB","IPv4Address":{"IPAddress":"` + h.Addr().String() + `"}}}}`
		}},
		5050: {"", 5050, func(h *Host) string {
			b := make([]byte, 0x78)
			b[0], b[2] = 0xb3, 17
			copy(b[0x28:], "IPC-OLD")
			copy(b[0x38:], quad(h))
			return string(b) + "02:77:00:00:00:03"
		}},
		7701: {"", 7711, func(h *Host) string {
			b := make([]byte, 262)
			b[0] = 0x0b
			copy(b[0x13:], "02:77:00:00:00:04")
			copy(b[0x25:], h.Addr().String())
			copy(b[0x6d:], "XNV-LAB")
			return string(b)
		}},
		1757: {"", 1758, func(h *Host) string {
			return "\x99\x39\xa4\x27\x00\x00\x00\x01" + mac(5) + "\x00\x00" + quad(h) + strings.Repeat("\x00", 12)
		}},
		2380: {"", 0, func(h *Host) string {
			return "\x02MAC:02-77-00-00-00-06\xffMODEL:SNC-LAB\xffIPADR:" + h.Addr().String() + "\xff\x03"
		}},
		10670: {"", 10669, func(h *Host) string {
			return "\x00\x01\x00\x10\x00\x0d" + mac(7) + strings.Repeat("\x00", 36) + "\x00\x20\x00\x04" + quad(h) + "\x00\xa8\x00\x06WV-LAB\xff\xff\x00\x00"
		}},
		10000: {"", 0, func(h *Host) string {
			return "\x01\x4a\x5d\x8f\x1c\x02\x06" + mac(8) + "\x03\x04" + quad(h) + "\x09\x06IP-LAB"
		}},
		20002: {group: ""},
		20004: {"", 0, func(h *Host) string {
			return "\x02\x00\x00\x01" + strings.Repeat("\x00", 12) + `{"result":{"device_type":"SMART.IPCAMERA","device_model":"C-LAB","mac":"02-77-00-00-00-09","ip":"` + h.Addr().String() + `"}}`
		}},
		34569: {"", toAll, func(h *Host) string {
			b := "\xff\x01" + strings.Repeat("\x00", 12) + "\xfb\x05\x00\x00\x00\x00"
			q := h.Addr().As4()
			return b + fmt.Sprintf(`{"NetWork.NetCommon":{"HostIP":"0x%02X%02X%02X%02X","MAC":"02:77:00:00:00:0a","SN":"0a"}}`, q[3], q[2], q[1], q[0])
		}},
	}
}

// serve is the host's service.
func (e *ear) serve(h *Host) (func() []string, error) {
	var open []net.PacketConn
	stop := func() []string {
		for _, c := range open {
			c.Close()
		}
		return nil
	}
	for port, a := range makersAnswers() {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{Port: int(port)})
		if err != nil {
			return stop, err
		}
		open = append(open, c)
		p := ipv4.NewPacketConn(c)
		if err := p.SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true); err != nil {
			return stop, err
		}
		if a.group != "" {
			ifi, err := net.InterfaceByName("eth0")
			if err != nil {
				return stop, err
			}
			if err := p.JoinGroup(ifi, &net.UDPAddr{IP: net.ParseIP(a.group)}); err != nil {
				return stop, err
			}
		}
		go e.listen(h, p, port, a)
	}
	return stop, nil
}

func (e *ear) listen(h *Host, p *ipv4.PacketConn, port uint16, a makerAnswer) {
	b := make([]byte, 64<<10)
	for {
		n, cm, from, err := p.ReadFrom(b)
		if err != nil {
			return
		}
		who, _ := from.(*net.UDPAddr)
		if who.AddrPort().Addr().Unmap() == h.Addr() {
			continue // its own broadcast
		}
		dst, _ := netip.AddrFromSlice(cm.Dst)
		e.mu.Lock()
		e.heard = append(e.heard, heardAt{netip.AddrPortFrom(dst.Unmap(), port), slices.Clone(b[:n])})
		e.mu.Unlock()
		if a.data == nil {
			continue
		}
		to := *who
		switch {
		case a.back == toAll && a.group != "":
			to = net.UDPAddr{IP: net.ParseIP(a.group), Port: int(port)}
		case a.back == toAll:
			to = net.UDPAddr{IP: net.IPv4bcast, Port: int(port)}
		case a.back > 0:
			to.Port = a.back
		}
		_, _ = p.WriteTo([]byte(a.data(h)), &ipv4.ControlMessage{IfIndex: cm.IfIndex}, &to)
	}
}

// TestMakersOnALAN asks a host that speaks every maker's protocol on a network that has broadcast: each method finds it, and
// everything the host heard is an inquiry, at no more than the pace of one device for all methods together.
func TestMakersOnALAN(t *testing.T) {
	if !apart(t) {
		return
	}
	e := &ear{}
	host := &Host{Name: "all", Addrs: []string{"10.77.0.11/24"}, Serve: []Service{e.serve}, NoIPv6: true}
	lan, err := Open(Config{Hosts: []*Host{host}})
	if err != nil {
		t.Fatal(err)
	}
	defer lan.Close()
	rec, err := Record()
	if err != nil {
		t.Fatal(err)
	}
	authority := guardtest.Authority("10.77.0.0/24")
	g, err := guard.New(guard.Config{Authority: authority, Permit: audit.PermitDiscover})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	found := map[string]audit.Target{}
	began := time.Now()
	var wg sync.WaitGroup
	for _, m := range discover.Methods() {
		if m.Name == "neighbours" || m.Name == "tcp-connect" || m.Name == "ws-discovery-unicast" {
			continue
		}
		wg.Go(func() {
			start := time.Now()
			cov, err := m.Run(t.Context(), discover.Env{Guard: g, Quick: true}, func(x audit.Target) {
				mu.Lock()
				defer mu.Unlock()
				found[m.Name] = x
			})
			if err != nil {
				t.Errorf("%s: %v", m.Name, err)
			}
			for _, c := range cov {
				t.Logf("%s %s %s: %s (%s)", m.Name, c.Target, c.Status, c.Detail.EN, time.Since(start).Round(time.Millisecond))
			}
		})
	}
	wg.Wait()
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("quick discovery took %s", d)
	}
	for n, name := range []string{"sadp", "dhip", "dvrip", "hanwha", "bosch", "sony", "ipro", "vivotek", "tplink", "xiongmai"} {
		x, ok := found[name]
		want := fmt.Sprintf("02:77:00:00:00:%02x", n+1)
		if !ok || !slices.Contains(x.Identity.MACs, want) {
			t.Errorf("%s found %+v", name, x)
			continue
		}
		if name == "sadp" {
			if !x.Foreign || x.Addr.Addr() != netip.MustParseAddr("192.168.1.64") {
				t.Errorf("a camera with the address of its factory: %+v", x)
			}
		} else if x.Addr.Addr() != host.Addr() || x.Foreign {
			t.Errorf("%s: %+v", name, x)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	ports := map[uint16]bool{}
	to := map[netip.Addr]bool{}
	for _, x := range e.heard {
		ports[x.to.Port()], to[x.to.Addr()] = true, true
		if err := policy.Datagram(x.to, x.data); err != nil {
			t.Errorf("to %s: %v: %q", x.to, err, x.data)
		}
	}
	if len(ports) != len(makersAnswers()) {
		t.Errorf("asked at ports %v", ports)
	}
	for _, a := range []string{"255.255.255.255", "239.255.255.250", "239.255.255.251", "224.0.0.251"} {
		if !to[netip.MustParseAddr(a)] {
			t.Errorf("nothing was sent to %s", a)
		}
	}
	time.Sleep(300 * time.Millisecond) // the capture's reader
	t.Logf("%d datagrams heard", len(e.heard))
	for _, s := range rec.Stray(authority.Perimeter) {
		t.Logf("beside the perimeter: %s", s)
	}
	for a, over := range rec.Excess(40, 8) {
		t.Logf("%s: %+.1f packets beyond the pace", a, over)
		if a == Everybody() && over > 6 {
			t.Errorf("everybody was sent %.1f packets more than 40 a second and 8 at once", over)
		}
	}
}
