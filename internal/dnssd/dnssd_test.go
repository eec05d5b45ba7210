package dnssd

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/mingshi-audit/mingshi/audit"
)

func packed(t testing.TB, m dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func header(name string, kind uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

// announcement is what a camera sends when it is switched on.
func announcement(ttl uint32) dns.Msg {
	const instance = `AXIS\ P3245-V\ -\ 00005E005301._axis-video._tcp.local.`
	return dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Answer: []dns.RR{
		&dns.TXT{Hdr: header(instance, dns.TypeTXT, ttl), Txt: []string{"macaddress=00005E005301"}},
		&dns.PTR{Hdr: header("_axis-video._tcp.local.", dns.TypePTR, ttl), Ptr: instance},
		&dns.PTR{Hdr: header("_airplay._tcp.local.", dns.TypePTR, ttl), Ptr: "Somebody's._airplay._tcp.local."},
	}, Extra: []dns.RR{
		&dns.SRV{Hdr: header(instance, dns.TypeSRV, ttl), Target: "axis-00005e005301.local.", Port: 80},
		&dns.A{Hdr: header("axis-00005e005301.local.", dns.TypeA, ttl), A: net.IPv4(192, 0, 2, 21)},
	}}
}

func TestRead(t *testing.T) {
	got, err := Read(packed(t, announcement(120)))
	want := []Service{{Type: "_axis-video._tcp", Instance: "AXIS P3245-V - 00005E005301", Host: "axis-00005e005301.local", Port: 80,
		TXT: map[string]string{"macaddress": "00005E005301"}, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.21")}}}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" || err != nil {
		t.Fatal(d, err)
	}
	id := Identity(got[0].Type, got[0].Host, got[0].Instance, got[0].TXT)
	if id.Kind != audit.KindCamera || id.Model != "P3245-V" || id.MDNS != "axis-00005e005301.local" || id.MACs[0] != "00:00:5e:00:53:01" || !id.Weak {
		t.Errorf("%+v", id)
	}
	if got, err := Read(packed(t, announcement(0))); err != nil || len(got) > 0 {
		t.Errorf("a farewell announces %+v, %v", got, err)
	}
	q := announcement(120)
	q.Response = false // the known answers of a question are another's
	if got, err := Read(packed(t, q)); !errors.Is(err, ErrQuestion) || got != nil {
		t.Errorf("a question announces %+v, %v", got, err)
	}
	whole := packed(t, announcement(120))
	for n := range whole {
		if got, err := Read(whole[:n]); !errors.Is(err, ErrMalformed) || got != nil {
			t.Errorf("%d bytes of %d: %+v, %v", n, len(whole), got, err)
		}
	}
	for _, b := range []string{"", "\x00", "GET / HTTP/1.1\r\n\r\n"} {
		if got, err := Read([]byte(b)); !errors.Is(err, ErrMalformed) || got != nil {
			t.Errorf("%q: %+v, %v", b, got, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(packed(f, announcement(120)))
	f.Add(packed(f, announcement(0)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b)
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrQuestion) || len(got) > maxServices {
			t.Fatalf("%d services, %v", len(got), err)
		}
		for _, s := range got {
			Identity(s.Type, s.Host, s.Instance, s.TXT)
		}
	})
}

func TestUnescapeAndTXT(t *testing.T) {
	for in, want := range map[string]string{
		`AXIS\ P3245\032-\032x`: "AXIS P3245 - x", `a\.b`: "a.b", `a\\b`: `a\b`, `\228\189\160`: "你", `a\`: `a\`, `\999`: "999", "plain": "plain", `\25`: "25",
	} {
		if got := Unescape(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	got := TXT([]string{"MacAddress=1", "macaddress=2", "flag", "=x", "k=a=b\x1b[2J"})
	if d := cmp.Diff(map[string]string{"macaddress": "1", "flag": "", "k": "a=b"}, got); d != "" {
		t.Error(d)
	}
}

func FuzzUnescape(f *testing.F) {
	f.Add(`AXIS\ P3245\032-\032x`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, s string) {
		if len(Unescape(s)) > len(s) {
			t.Errorf("%q grew", s)
		}
	})
}

func TestAxisInstance(t *testing.T) {
	if model, hw := axisInstance("AXIS P3245-V - 00005E005301"); model != "P3245-V" || hw != "00:00:5e:00:53:01" {
		t.Error(model, hw)
	}
	if model, hw := axisInstance("Hall - 12"); model != "" || hw != "" {
		t.Error(model, hw)
	}
}
