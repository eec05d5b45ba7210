package discover

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/mingshi-audit/mingshi/internal/dnssd"
)

// answer packs records written as in a zone file, the way responders send them.
func answer(t testing.TB, records ...string) []byte {
	t.Helper()
	m := dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true}
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r, "PTR") {
			m.Answer = append(m.Answer, rr)
		} else {
			m.Extra = append(m.Extra, rr)
		}
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	axisPTR = `_axis-video._tcp.local. 120 IN PTR AXIS\032M3085-V\.2._axis-video._tcp.local.`
	axisSRV = `AXIS\032M3085-V\.2._axis-video._tcp.local. 120 IN SRV 0 0 80 axis-b8a44f000001.local.`
	axisTXT = `AXIS\032M3085-V\.2._axis-video._tcp.local. 120 IN TXT "macaddress=B8A44F000001"`
	axisA   = `axis-b8a44f000001.local. 120 IN A 192.0.2.11`
	rtspPTR = `_rtsp._tcp.local. 120 IN PTR cam._rtsp._tcp.local.`
	rtspSRV = `cam._rtsp._tcp.local. 120 IN SRV 0 0 554 axis-b8a44f000001.local.`
)

func directoryTable(t testing.TB) []struct {
	name    string
	packets [][]byte
	want    []string // entries, in order of appearance
	missing []string // asked for, of all packets
} {
	return []struct {
		name    string
		packets [][]byte
		want    []string
		missing []string
	}{
		{"one packet has it all", [][]byte{answer(t, axisPTR, axisSRV, axisTXT, axisA)},
			[]string{`AXIS\ M3085-V\.2 80 192.0.2.11 macaddress=B8A44F000001`}, nil},
		{"the address was in the packet before, which the browsing library forgets", [][]byte{answer(t, axisPTR, axisSRV, axisTXT, axisA), answer(t, rtspPTR, rtspSRV)},
			[]string{`AXIS\ M3085-V\.2 80 192.0.2.11 macaddress=B8A44F000001`, "cam 554 192.0.2.11 "}, nil},
		{"the address comes after", [][]byte{answer(t, rtspPTR, rtspSRV), answer(t, axisA)},
			[]string{"cam 554 192.0.2.11 "}, []string{"A axis-b8a44f000001.local.", "AAAA axis-b8a44f000001.local."}},
		{"nothing but a pointer", [][]byte{answer(t, rtspPTR)}, nil, []string{"SRV cam._rtsp._tcp.local."}},
		{"it is asked for twice and no more", [][]byte{answer(t, rtspPTR), answer(t, rtspPTR), answer(t, rtspPTR)}, nil,
			[]string{"SRV cam._rtsp._tcp.local.", "SRV cam._rtsp._tcp.local."}},
		{"names that differ in case", [][]byte{answer(t, strings.ToUpper(rtspPTR), strings.Replace(rtspSRV, "axis", "AXIS", 1), axisA)},
			[]string{"CAM 554 192.0.2.11 "}, nil},
		{"a second address of a known host", [][]byte{answer(t, rtspPTR, rtspSRV, axisA), answer(t, `axis-b8a44f000001.local. 120 IN AAAA 2001:db8::11`)},
			[]string{"cam 554 192.0.2.11 ", "cam 554 192.0.2.11,2001:db8::11 "}, nil},
		{"the same again", [][]byte{answer(t, rtspPTR, rtspSRV, axisA), answer(t, rtspPTR, rtspSRV, axisA)}, []string{"cam 554 192.0.2.11 "}, nil},
		{"a service nobody asked for", [][]byte{answer(t, `_ipp._tcp.local. 120 IN PTR p._ipp._tcp.local.`)}, nil, nil},
		{"a pointer out of its service", [][]byte{answer(t, `_rtsp._tcp.local. 120 IN PTR elsewhere.example.`)}, nil, nil},
		{"a pointer to the service itself", [][]byte{answer(t, `_rtsp._tcp.local. 120 IN PTR _rtsp._tcp.local.`)}, nil, nil},
		{"garbage", [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n"), {}, {0, 1}, answer(t, axisPTR)[:20]}, nil, nil},
	}
}

func TestDirectory(t *testing.T) {
	for _, c := range directoryTable(t) {
		t.Run(c.name, func(t *testing.T) {
			d := newDirectory()
			var got, missing []string
			for _, p := range c.packets {
				entries, qs := d.add(p)
				for _, l := range entries {
					var addrs []string
					for _, ip := range slices.Concat(l.entry.AddrIPv4, l.entry.AddrIPv6) {
						addrs = append(addrs, ip.String())
					}
					got = append(got, fmt.Sprint(l.entry.Instance, " ", l.entry.Port, " ", strings.Join(addrs, ","), " ", strings.Join(l.entry.Text, " ")))
				}
				for _, q := range qs {
					missing = append(missing, dns.TypeToString[q.Qtype]+" "+q.Name)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("entries (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.missing, missing); d != "" {
				t.Errorf("questions (-want +got):\n%s", d)
			}
		})
	}
}

// TestDirectoryIsBounded: one neighbour can announce as much as it likes.
func TestDirectoryIsBounded(t *testing.T) {
	d := newDirectory()
	asked := 0
	for n := range 10_000 {
		_, qs := d.add(answer(t, fmt.Sprintf("_rtsp._tcp.local. 120 IN PTR c%d._rtsp._tcp.local.", n), fmt.Sprintf("h%d.local. 120 IN A 192.0.2.1", n)))
		asked += len(qs)
	}
	for n := range 100 {
		d.address("h1.local.", net.IPv4(192, 0, 2, byte(n)))
	}
	if len(d.instances) > directNames || len(d.hosts) > directNames || asked > directFollow || len(d.hosts["h1.local."]) > directAddrs {
		t.Errorf("%d instances, %d hosts, %d questions, %d addresses of one host", len(d.instances), len(d.hosts), asked, len(d.hosts["h1.local."]))
	}
}

func FuzzDirectory(f *testing.F) {
	for _, c := range directoryTable(f) {
		for _, p := range c.packets {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDirectory()
		for range 2 {
			entries, qs := d.add(b)
			for _, l := range entries {
				if !slices.Contains(dnssd.Types(), l.service) || len(l.entry.AddrIPv4)+len(l.entry.AddrIPv6) == 0 {
					t.Errorf("an entry of %q without an address", l.service)
				}
			}
			if len(qs) > directFollow {
				t.Errorf("%d questions", len(qs))
			}
		}
	})
}
