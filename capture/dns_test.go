package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var (
	dnsClient = netip.MustParseAddr("192.0.2.7")
	dnsServer = netip.MustParseAddr("198.51.100.9")
)

// dnsAnswer makes an answer: its records are "name A address", "name AAAA address" and "name CNAME name".
func dnsAnswer(t testing.TB, code dnsmessage.RCode, question string, records ...[3]string) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true, RecursionAvailable: true, RCode: code},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(question), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	for _, r := range records {
		h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(r[0]), Class: dnsmessage.ClassINET, TTL: 60}
		var body dnsmessage.ResourceBody
		switch r[1] {
		case "A":
			body = &dnsmessage.AResource{A: netip.MustParseAddr(r[2]).As4()}
		case "AAAA":
			body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(r[2]).As16()}
		case "CNAME":
			body = &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(r[2])}
		default:
			body = &dnsmessage.TXTResource{TXT: []string{r[2]}}
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: body})
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dnsQuery(t testing.TB, name string) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dnsTable(t testing.TB) []struct {
	name string
	b    []byte
	want string
} {
	return []struct {
		name string
		b    []byte
		want string
	}{
		{"an address", dnsAnswer(t, 0, "API.cam.example.", [3]string{"api.cam.example.", "A", "203.0.113.5"}), "api.cam.example=203.0.113.5"},
		{"over aliases", dnsAnswer(t, 0, "a.example.", [3]string{"a.example.", "CNAME", "b.cdn.example."}, [3]string{"B.cdn.example.", "CNAME", "c.cdn.example."}, [3]string{"c.cdn.example.", "A", "203.0.113.5"},
			[3]string{"c.cdn.example.", "AAAA", "2001:db8::5"}), "a.example=203.0.113.5 a.example=2001:db8::5"},
		{"what was not asked for", dnsAnswer(t, 0, "a.example.", [3]string{"a.example.", "A", "203.0.113.5"}, [3]string{"bank.example.", "A", "203.0.113.6"}, [3]string{"a.example.", "TXT", "x"}, [3]string{"a.example.", "A", "203.0.113.7"}),
			"a.example=203.0.113.5 a.example=203.0.113.7"},
		{"there is no such name", dnsAnswer(t, dnsmessage.RCodeNameError, "a.example.", [3]string{"a.example.", "A", "203.0.113.5"}), ""},
		{"a blocked name", dnsAnswer(t, 0, "a.example.", [3]string{"a.example.", "A", "0.0.0.0"}), "a.example=0.0.0.0"},
		{"a name that is none", dnsAnswer(t, 0, "a b.example.", [3]string{"a b.example.", "A", "203.0.113.5"}), ""},
		{"a question", dnsQuery(t, "a.example."), ""},
		{"cut", dnsAnswer(t, 0, "a.example.", [3]string{"a.example.", "A", "203.0.113.5"}, [3]string{"a.example.", "A", "203.0.113.6"})[:50], "a.example=203.0.113.5"},
	}
}

func TestDNSAddresses(t *testing.T) {
	for _, c := range dnsTable(t) {
		var got string
		dnsAddresses(c.b, func(name string, a netip.Addr) { got += fmt.Sprintf(" %s=%s", name, a) })
		if got != c.want && got != " "+c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestDNS: over UDP and over TCP, split at every byte, messages are handed on whole, and who asked has learned a name.
func TestDNS(t *testing.T) {
	q, a := dnsQuery(t, "api.cam.example."), dnsAnswer(t, 0, "api.cam.example.", [3]string{"api.cam.example.", "A", "203.0.113.5"})
	address := netip.MustParseAddr("203.0.113.5")
	check := func(t *testing.T, s *stand) {
		t.Helper()
		if len(s.flows) != 2 || !s.flows[0].FromHost || s.flows[1].FromHost || string(s.flows[0].Payload) != string(q) || string(s.flows[1].Payload) != string(a) {
			t.Errorf("%+v", s.flows)
		}
		if got := s.e.nameOf(dnsClient, address); got != "api.cam.example" {
			t.Errorf("%q", got)
		}
		if got := s.e.nameOf(dnsServer, address); got != "" {
			t.Errorf("the server asked: %q", got)
		}
	}
	t.Run("UDP", func(t *testing.T) {
		s := newStand(protoUDP, portDNS)
		if !udpDNS(s.c, true, q) || !udpDNS(s.c, false, a) || udpDNS(s.c, true, []byte("GET / HTTP/1.1\r\n")) || udpDNS(s.c, true, nil) {
			t.Error("not recognised")
		}
		check(t, s)
	})
	t.Run("UDP, one side", func(t *testing.T) {
		s := newStand(protoUDP, portDNS)
		s.c.client = hi // whoever was seen first
		udpDNS(s.c, true, a)
		if got := s.e.nameOf(dnsClient, address); got != "api.cam.example" {
			t.Errorf("%q", got)
		}
	})
	framed := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	for _, size := range []int{1, 2, 3, 13, 1460} {
		t.Run(fmt.Sprint("TCP by ", size), func(t *testing.T) {
			s := newStand(protoTCP, portDNS)
			if r, v := recogniseAt(&s.c.key, framed(q)); v != yes || r.proto != ProtoDNS {
				t.Fatal("not recognised")
			}
			f := newDNS(s.c)
			for part := range slices.Chunk(framed(q), size) {
				f.data(s.c, true, part)
			}
			for part := range slices.Chunk(framed(a), size) {
				f.data(s.c, false, part)
			}
			f.end(s.c)
			check(t, s)
			if s.e.buffered != 0 {
				t.Errorf("%d bytes are still reserved", s.e.buffered)
			}
		})
	}
	t.Run("TCP with a gap", func(t *testing.T) {
		s := newStand(protoTCP, portDNS)
		f := newDNS(s.c)
		long := slices.Concat(a, make([]byte, 2000))
		f.data(s.c, false, framed(long)[:500])
		f.hole(s.c, false, 0)
		f.data(s.c, false, make([]byte, 300))
		f.data(s.c, false, slices.Concat(framed(a), framed(q)))
		f.end(s.c)
		if len(s.flows) != 3 || !s.flows[0].Cut.Has(CutHole) || s.flows[1].Cut|s.flows[2].Cut != 0 || s.e.buffered != 0 {
			t.Errorf("%+v", s.flows)
		}
	})
}

// TestNames: names are per client, the last one counts, the oldest goes, and none is older than an hour.
func TestNames(t *testing.T) {
	var n names
	at := time.Unix(1_700_000_000, 0)
	other := netip.MustParseAddr("192.0.2.8")
	n.put(dnsClient, dnsServer, "old.example", at)
	n.put(dnsClient, dnsServer, "a.example", at.Add(time.Minute))
	n.put(other, dnsServer, "b.example", at)
	n.put(dnsClient, netip.MustParseAddr("0.0.0.0"), "blocked.example", at)
	for _, c := range []struct {
		client netip.Addr
		server string
		after  time.Duration
		want   string
	}{
		{dnsClient, "198.51.100.9", time.Hour, "a.example"}, {dnsClient, "198.51.100.9", time.Hour + 2*time.Minute, ""}, {other, "198.51.100.9", 0, "b.example"},
		{other, "198.51.100.10", 0, ""}, {dnsClient, "0.0.0.0", 0, ""}, {dnsClient, "::ffff:198.51.100.9", 0, "a.example"},
	} {
		if got := n.find(c.client, netip.MustParseAddr(c.server), at.Add(c.after)); got != c.want {
			t.Errorf("%s for %s after %s: %q", c.server, c.client, c.after, got)
		}
	}
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * namesMost {
		n.put(dnsClient, address(i), fmt.Sprintf("n%d.example", i), at)
		if i%2 == 0 {
			n.put(other, dnsServer, "b.example", at) // in use
		}
	}
	if len(n.index) != namesMost || len(n.entries) != namesMost {
		t.Fatalf("%d of %d", len(n.index), len(n.entries))
	}
	if n.find(other, dnsServer, at) != "b.example" || n.find(dnsClient, dnsServer, at) != "" || n.find(dnsClient, address(0), at) != "" || n.find(dnsClient, address(3*namesMost-1), at) == "" {
		t.Error("another one than the oldest went")
	}
	seen := 0
	for i := n.next[0]; i >= 0; i = n.entries[i].older {
		seen++
	}
	if seen != namesMost {
		t.Errorf("%d in order", seen)
	}
}

func FuzzDNS(f *testing.F) {
	for i, c := range dnsTable(f) {
		f.Add(append(binary.BigEndian.AppendUint16(nil, uint16(len(c.b))), c.b...), uint16(i*3), uint16(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, size, gap uint16) {
		fuzzFramer(t, b, size, gap, sniffDNS, newDNS)
		s := newStand(protoUDP, portDNS)
		udpDNS(s.c, true, b)
		udpDNS(s.c, false, b)
	})
}

// BenchmarkDNS is what an answer costs.
func BenchmarkDNS(b *testing.B) {
	s := newStand(protoUDP, portDNS)
	s.e.o.Sink = func(*Flow) {}
	a := dnsAnswer(b, 0, "a.example.", [3]string{"a.example.", "CNAME", "b.cdn.example."}, [3]string{"b.cdn.example.", "A", "203.0.113.5"}, [3]string{"b.cdn.example.", "A", "203.0.113.6"})
	b.SetBytes(int64(len(a)))
	for b.Loop() {
		udpDNS(s.c, false, a)
	}
}
