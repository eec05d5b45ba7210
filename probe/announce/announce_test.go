package announce

import (
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/dhip"
	"github.com/mingshi-audit/mingshi/internal/dnssd"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/makers"
	"github.com/mingshi-audit/mingshi/internal/sadp"
	"github.com/mingshi-audit/mingshi/internal/ssdp"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
	"github.com/mingshi-audit/mingshi/probe"
)

var (
	camera = netip.MustParseAddr("192.0.2.21")
	phone  = [6]byte{0x02, 0, 0, 0, 0, 0x77}
)

// made is a hardware address of a maker of cameras.
func made(t testing.TB) [6]byte {
	t.Helper()
	db, err := fingerprint.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"00:40:8c", "ac:cc:8e", "b8:a4:4f"} { // Axis
		if _, ok := db.MAC(prefix + ":00:00:01"); ok {
			hw, err := net.ParseMAC(prefix + ":00:00:01")
			if err != nil {
				t.Fatal(err)
			}
			return [6]byte(hw)
		}
	}
	t.Fatal("no maker's prefix is known")
	return [6]byte{}
}

func hearing(listed ...string) probe.Hearing {
	p := netip.MustParsePrefix("192.0.2.0/24")
	return probe.Hearing{Inside: p.Contains, Listed: func(a netip.Addr, _ string) bool { return slices.Contains(listed, a.String()) }}
}

func arp(hw [6]byte, op byte, from, to netip.Addr) *capture.Flow {
	b := []byte{0, 1, 8, 0, 6, 4, 0, op}
	b = append(append(b, hw[:]...), from.AsSlice()...)
	b = append(append(b, make([]byte, 6)...), to.AsSlice()...)
	return &capture.Flow{Proto: capture.ProtoARP, Client: capture.Party{MAC: hw}, FromHost: true, Payload: b}
}

func datagram(from netip.Addr, port, to uint16, b []byte) *capture.Flow {
	return &capture.Flow{Proto: capture.ProtoUDP, Transport: "udp", FromHost: true, Payload: b,
		Client: capture.Party{Addr: netip.AddrPortFrom(from, port)}, Server: capture.Party{Addr: netip.AddrPortFrom(netip.MustParseAddr("239.255.255.250"), to)}}
}

func dhcp(hw [6]byte, op, what byte, ciaddr string, options ...string) *capture.Flow {
	b := make([]byte, 240)
	b[0], b[1], b[2] = op, 1, 6
	copy(b[12:], netip.MustParseAddr(ciaddr).AsSlice())
	copy(b[28:], hw[:])
	copy(b[236:], []byte{99, 130, 83, 99, 53, 1, what})
	b = append(b, 53, 1, what)
	for _, o := range options {
		b = append(b, o[0], byte(len(o)-1))
		b = append(b, o[1:]...)
	}
	return datagram(netip.IPv4Unspecified(), 68, 67, append(b, 255))
}

func mdns(t testing.TB, service, instance, host, addr string, txt ...string) []byte {
	t.Helper()
	h := func(name string, kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 120}
	}
	full := instance + "." + service + ".local."
	m := dns.Msg{MsgHdr: dns.MsgHdr{Response: true}, Answer: []dns.RR{&dns.PTR{Hdr: h(service+".local.", dns.TypePTR), Ptr: full},
		&dns.SRV{Hdr: h(full, dns.TypeSRV), Target: host + ".local.", Port: 554}, &dns.A{Hdr: h(host+".local.", dns.TypeA), A: net.ParseIP(addr)}}}
	if len(txt) > 0 {
		m.Answer = append(m.Answer, &dns.TXT{Hdr: h(full, dns.TypeTXT), Txt: txt})
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func match(epr string, xaddrs ...string) wsdiscovery.Match {
	return wsdiscovery.Match{EPR: epr, Types: []wsdiscovery.QName{wsdiscovery.NetworkVideoTransmitter()}, XAddrs: xaddrs,
		Scopes: []string{"onvif://www.onvif.org/hardware/LT-F510", "onvif://www.onvif.org/MAC/02-00-00-00-00-21"}}
}

func ws(kind wsdiscovery.Kind, ms ...wsdiscovery.Match) *capture.Flow {
	return datagram(camera, 3702, 3702, wsdiscovery.Marshal(wsdiscovery.Message{Kind: kind, MessageID: "urn:uuid:1", Matches: ms}))
}

const (
	sadpAnswer = `<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>13A888A9</Uuid><Types>inquiry</Types><DeviceDescription>DS-2LAB</DeviceDescription><DeviceSN>DS-2LAB20260101AAWR0001</DeviceSN><HttpPort>80</HttpPort><MAC>02-00-00-00-00-22</MAC><IPv4Address>192.0.2.21</IPv4Address></ProbeMatch>`
	dhipAnswer = `{"mac":"02:00:00:00:00:23","method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceClass":"NVR","DeviceType":"NVR-LAB","SerialNo":"LAB0002","HttpPort":80,"IPv4Address":{"IPAddress":"192.0.2.99"},"RemoteVideoInputChannels":8}}}`
	notify     = "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:axis-com:service:BasicService:1\r\nNTS: ssdp:alive\r\nUSN: uuid:1::urn:axis-com:service:BasicService:1\r\nLOCATION: http://192.0.2.21:49152/rootdesc1.xml\r\n\r\n"
	television = "NOTIFY * HTTP/1.1\r\nNT: urn:dial-multiscreen-org:service:dial:1\r\nNTS: ssdp:alive\r\nUSN: uuid:2\r\nLOCATION: http://192.0.2.77/\r\n\r\n"
)

func cases(t testing.TB) []struct {
	name string
	f    *capture.Flow
	want string // "method address kind vendor", separated by " | " where there are several
} {
	t.Helper()
	hw := made(t)
	return []struct {
		name string
		f    *capture.Flow
		want string
	}{
		{"ARP of a camera's maker", arp(hw, 1, camera, netip.MustParseAddr("192.0.2.1")), "heard-arp 192.0.2.21  Axis"},
		{"gratuitous", arp(hw, 2, camera, camera), "heard-arp 192.0.2.21  Axis"},
		{"a phone's ARP", arp(phone, 1, netip.MustParseAddr("192.0.2.77"), camera), ""},
		{"a listed one's", arp(phone, 1, netip.MustParseAddr("192.0.2.30"), camera), "heard-arp 192.0.2.30  "},
		{"a probe for an address", arp(hw, 1, netip.IPv4Unspecified(), camera), ""},
		{"outside", arp(hw, 1, netip.MustParseAddr("198.51.100.3"), camera), ""},
		{"a request to renew", dhcp(hw, 1, 3, "192.0.2.21", "\x0caxis-cam", "\x3cAXIS,Network Camera,P3245-V"), "heard-dhcp 192.0.2.21 camera Axis"},
		{"a request for what was offered", dhcp(hw, 1, 3, "0.0.0.0", "\x32\xc0\x00\x02\x15"), "heard-dhcp 192.0.2.21  Axis"},
		{"by the vendor class alone", dhcp(phone, 1, 3, "192.0.2.21", "\x3cHikvision IPC"), "heard-dhcp 192.0.2.21 camera Hikvision"},
		{"a phone's", dhcp(phone, 1, 3, "192.0.2.77", "\x0cZhang-Sans-iPhone", "\x3candroid-dhcp-14"), ""},
		{"a phone of a maker of cameras", dhcp(phone, 1, 3, "192.0.2.77", "\x3cHUAWEI:android:ELS"), ""},
		{"a listed one of nobody", dhcp(phone, 1, 3, "192.0.2.30", "\x0cZhang-Sans-iPad"), "heard-dhcp 192.0.2.30  "},
		{"looking for a server", dhcp(hw, 1, 1, "0.0.0.0", "\x32\xc0\x00\x02\x15"), ""},
		{"a server's word", dhcp(hw, 2, 5, "192.0.2.21"), ""},
		{"mDNS", datagram(camera, 5353, 5353, mdns(t, "_axis-video._tcp", "AXIS\\ P3245-V\\ -\\ 00005E005301", "axis-1", "192.0.2.21")), "heard-mdns 192.0.2.21 camera Axis"},
		{"repeated by a reflector", datagram(camera, 5353, 5353, mdns(t, "_axis-video._tcp", "X", "axis-1", "192.0.2.99")), ""},
		{"a telephone's mDNS", datagram(camera, 5353, 5353, mdns(t, "_airplay._tcp", "Zhang\\ San", "zhangs", "192.0.2.21")), ""},
		{"a HomeKit camera", datagram(camera, 5353, 5353, mdns(t, "_hap._tcp", "Door", "door", "192.0.2.21", "ci=18")), "heard-mdns 192.0.2.21 camera "},
		{"a HomeKit lamp", datagram(camera, 5353, 5353, mdns(t, "_hap._tcp", "Lamp", "lamp", "192.0.2.21", "ci=5")), ""},
		{"Hello", ws(wsdiscovery.Hello, match("urn:uuid:a", "http://192.0.2.21/onvif/device_service")), "heard-ws-discovery 192.0.2.21 camera "},
		{"an answer with another address", ws(wsdiscovery.ProbeMatches, match("urn:uuid:a", "http://169.254.1.1/onvif/device_service")), "heard-ws-discovery 192.0.2.21 camera "},
		{"an answer for others", ws(wsdiscovery.ProbeMatches, match("urn:uuid:a", "http://192.0.2.31/x"), match("urn:uuid:b", "http://192.0.2.21/x")), "heard-ws-discovery 192.0.2.21 camera "},
		{"Bye", ws(wsdiscovery.Bye, match("urn:uuid:a")), ""},
		{"Probe", datagram(camera, 50000, 3702, wsdiscovery.NewProbe("urn:uuid:1", wsdiscovery.ProbeTypes()[0])), ""},
		{"a printer's Hello", ws(wsdiscovery.Hello, wsdiscovery.Match{EPR: "urn:uuid:p", Types: []wsdiscovery.QName{{Space: "http://schemas.microsoft.com/windows/2006/08/wdp/print", Local: "PrintDeviceType"}}}), ""},
		{"SSDP", datagram(camera, 1900, 1900, []byte(notify)), "heard-ssdp 192.0.2.21  Axis"},
		{"a television's", datagram(camera, 1900, 1900, []byte(television)), ""},
		{"an SSDP question", datagram(camera, 50000, 1900, ssdp.NewSearch(ssdp.RootDevice, 1)), ""},
		{"SADP", datagram(camera, 37020, 37020, []byte(sadpAnswer)), "heard-sadp 192.0.2.21 camera Hikvision"},
		{"an SADP question", datagram(camera, 37020, 37020, sadp.NewInquiry("A")), ""},
		{"DHIP with another address", datagram(camera, 37810, 37810, []byte(dhipAnswer)), "heard-dhip 192.0.2.21 recorder Dahua"},
		{"a DHIP question", datagram(camera, 37810, 37810, dhip.NewSearch(true)), ""},
		{"a TDP question", datagram(camera, 40000, makers.TDPPort, makers.NewTDP()), ""},
		{"another port", datagram(camera, 40000, 8800, []byte("DHGET /x HTTP/1.1\r\n")), ""},
	}
}

func TestDissect(t *testing.T) {
	for _, c := range cases(t) {
		got, err := Dissect(hearing("192.0.2.30"), c.f)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var said []string
		for _, o := range got {
			var x audit.Target
			if err := json.Unmarshal(o.Data, &x); err != nil || o.Module != name || o.Kind != kind || o.Endpoint.Port() != 0 || x.Addr.Addr() != o.Endpoint.Addr() || x.Method == "" || !x.Sighting || o.Identity == nil {
				t.Errorf("%s: %+v, %v", c.name, o, err)
			}
			said = append(said, strings.Join([]string{x.Method, o.Endpoint.Addr().String(), string(o.Identity.Kind), o.Identity.Vendor}, " "))
			if b, err := json.Marshal(o); err != nil || strings.Contains(string(b), "Zhang") {
				t.Errorf("%s: a person's name is kept: %s", c.name, b)
			}
		}
		if d := cmp.Diff(c.want, strings.Join(said, " | ")); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		again, err := Dissect(hearing("192.0.2.30"), c.f)
		if d := cmp.Diff(got, again, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" || err != nil {
			t.Errorf("%s: not the same twice: %s, %v", c.name, d, err)
		}
	}
}

// TestProxyARP: an ARP packet whose frame comes from somebody else is somebody else's word.
func TestProxyARP(t *testing.T) {
	f := arp(made(t), 2, camera, camera)
	f.Client.MAC = phone
	if got, err := Dissect(hearing(), f); err != nil || len(got) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestCutsGiveLess: what is cut anywhere never says more than what is whole.
func TestCutsGiveLess(t *testing.T) {
	for _, c := range cases(t) {
		whole := c.f.Payload
		full, err := Dissect(hearing(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(whole) {
			f := *c.f
			f.Payload = whole[:n]
			got, _ := Dissect(hearing(), &f)
			if len(got) > len(full) {
				t.Fatalf("%s: %d bytes say more: %+v", c.name, n, got)
			}
		}
	}
}

func FuzzDissect(f *testing.F) {
	for _, c := range cases(f) {
		port := c.f.Server.Addr.Port()
		if c.f.Proto == capture.ProtoARP {
			port = 0
		}
		f.Add(port, c.f.Payload)
	}
	f.Add(uint16(dnssd.Port), []byte{})
	f.Fuzz(func(t *testing.T, port uint16, b []byte) {
		x := datagram(camera, 40000, port, b)
		if port == 0 {
			x.Proto = capture.ProtoARP
		}
		out, _ := Dissect(hearing("192.0.2.30"), x)
		for _, o := range out {
			if !netip.MustParsePrefix("192.0.2.0/24").Contains(o.Endpoint.Addr()) {
				t.Errorf("about %s", o.Endpoint)
			}
		}
		if len(out) > 64 {
			t.Errorf("%d sightings of one datagram", len(out))
		}
	})
}
