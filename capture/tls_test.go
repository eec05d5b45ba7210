package capture

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// stand is a conversation without an engine's table below it, and what was handed on of it.
type stand struct {
	e     *Engine
	c     *conn
	flows []Flow
}

// newStand returns a conversation between 192.0.2.7 and a server at 198.51.100.9.
func newStand(proto, port uint16) *stand {
	s := &stand{}
	s.e = New(Options{Sink: func(f *Flow) {
		x := *f
		x.Payload = bytes.Clone(f.Payload)
		s.flows = append(s.flows, x)
	}})
	s.c = &conn{e: s.e, client: lo, sure: true, at: time.Unix(1_700_000_000, 0), key: key{lo: netip.MustParseAddr("192.0.2.7").As16(), hi: netip.MustParseAddr("198.51.100.9").As16(),
		loPort: 50123, hiPort: port, proto: proto}}
	s.e.stats.Last = s.c.at
	return s
}

// speech is what one side sent, in the order it was captured.
type speech struct {
	up bool
	b  []byte
}

// dialogue records a whole TLS connection over a pipe: both hellos, and what each side says.
func dialogue(t *testing.T, client, server *tls.Config, up, down string) []speech {
	t.Helper()
	a, b := net.Pipe()
	var mu sync.Mutex
	var out []speech
	rec := func(c net.Conn, isUp bool) net.Conn {
		return newTaped(c, func(b []byte) {
			mu.Lock()
			out = append(out, speech{isUp, bytes.Clone(b)})
			mu.Unlock()
		})
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		s := tls.Server(rec(b, false), server)
		if _, err := io.ReadFull(s, make([]byte, len(up))); err != nil {
			return
		}
		s.Write([]byte(down)) //nolint:errcheck // the client's reading shows it
	})
	c := tls.Client(rec(a, true), client)
	if _, err := c.Write([]byte(up)); err == nil {
		if _, err := io.ReadFull(c, make([]byte, len(down))); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	a.Close()
	mu.Lock()
	defer mu.Unlock()
	return out
}

// taped notes what is written, and does not wait until it was read, as a pipe does.
type taped struct {
	net.Conn
	note func([]byte)
	out  chan []byte
}

func newTaped(c net.Conn, note func([]byte)) *taped {
	t := &taped{c, note, make(chan []byte, 1000)}
	go func() {
		for b := range t.out {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}()
	return t
}

func (t *taped) Write(b []byte) (int, error) {
	t.note(b)
	t.out <- bytes.Clone(b)
	return len(b), nil
}

// certificate makes a certificate of its own for one name.
func certificate(t testing.TB, name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestTLS: real connections of both versions, whole and split at every byte, show who was called, and how much was said.
func TestTLS(t *testing.T) {
	cert := certificate(t, "api.example.org")
	up, down := strings.Repeat("q", 3000), strings.Repeat("a", 40000)
	for _, c := range []struct {
		name           string
		client, server *tls.Config
		version        uint16
	}{
		{"1.3 with a large key share", &tls.Config{}, &tls.Config{}, tls.VersionTLS13},
		{"1.3, its hello repeated", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}}, &tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP384}}, tls.VersionTLS13},
		{"1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, &tls.Config{}, tls.VersionTLS12},
		{"1.2 with blocks", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}}, &tls.Config{}, tls.VersionTLS12},
		{"1.2 by the server's choice", &tls.Config{}, &tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS13},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.client.ServerName, c.client.InsecureSkipVerify, c.client.NextProtos = "API.Example.ORG", true, []string{"h2", "http/1.1"}
			c.server.Certificates, c.server.NextProtos = []tls.Certificate{cert}, []string{"http/1.1"}
			said := dialogue(t, c.client, c.server, up, down)
			for _, size := range []int{1, 2, 3, 4, 5, 6, 7, 100, 1460, 1 << 20} {
				s := newStand(protoTCP, 443)
				f := newTLS(s.c)
				for _, p := range said {
					for part := range slices.Chunk(p.b, size) {
						f.data(s.c, p.up, part)
					}
				}
				f.end(s.c)
				if len(s.flows) != 1 {
					t.Fatalf("size %d: %d flows", size, len(s.flows))
				}
				g := s.flows[0]
				if h := g.Hello; g.Proto != ProtoTLS || !g.FromHost || g.Cut != 0 || h.Name != "api.example.org" || !slices.Equal(h.ALPN, []string{"h2", "http/1.1"}) || h.Version != c.version || h.Encrypted {
					t.Errorf("size %d: %+v %+v", size, g, h)
				}
				if s.c.named != "api.example.org" || s.c.namedBy != "tls" || s.c.proto != ProtoTLS {
					t.Errorf("size %d: named %q by %q, %s", size, s.c.named, s.c.namedBy, s.c.proto)
				}
				// Records have up to 85 bytes of their own, and tickets and the closing alert count too.
				if u, d := s.c.halves[lo].data, s.c.halves[hi].data; u < int64(len(up)) || u > int64(len(up))+400 || d < int64(len(down)) || d > int64(len(down))+1200 {
					t.Errorf("size %d: %d up, %d down", size, u, d)
				}
				if s.e.buffered != 0 {
					t.Errorf("size %d: %d bytes are still reserved", size, s.e.buffered)
				}
			}
		})
	}
}

// TestTLSRefused: a connection that the client gave up over the certificate carried no data.
func TestTLSRefused(t *testing.T) {
	a, b := net.Pipe()
	var said []speech
	var mu sync.Mutex
	note := func(up bool) func([]byte) {
		return func(b []byte) { mu.Lock(); said = append(said, speech{up, bytes.Clone(b)}); mu.Unlock() }
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		s := tls.Server(newTaped(b, note(false)), &tls.Config{Certificates: []tls.Certificate{certificate(t, "other.example")}})
		s.Handshake() //nolint:errcheck // it fails
		b.Close()
	})
	if err := tls.Client(newTaped(a, note(true)), &tls.Config{ServerName: "api.example.org", RootCAs: x509.NewCertPool()}).Handshake(); err == nil {
		t.Fatal("accepted")
	}
	wg.Wait()
	a.Close()
	mu.Lock()
	defer mu.Unlock()
	s := newStand(protoTCP, 443)
	f := newTLS(s.c)
	for _, p := range said {
		f.data(s.c, p.up, p.b)
	}
	if s.c.halves[lo].data != 0 || s.c.halves[hi].data != 0 {
		t.Errorf("%d up, %d down", s.c.halves[lo].data, s.c.halves[hi].data)
	}
}

// record makes a TLS record.
func record(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

// helloOf makes a ClientHello of extensions given as pairs of type and body.
func helloOf(version byte, extensions ...any) []byte {
	var x []byte
	for i := 0; i < len(extensions); i += 2 {
		kind, body := extensions[i].(int), extensions[i+1].(string)
		x = append(x, byte(kind>>8), byte(kind), byte(len(body)>>8), byte(len(body)))
		x = append(x, body...)
	}
	b := slices.Concat([]byte{3, version}, make([]byte, 32), []byte{0, 0, 2, 0x13, 1, 1, 0, byte(len(x) >> 8), byte(len(x))}, x)
	return append([]byte{1, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

func serverName(name string) string {
	n := len(name)
	return string([]byte{byte((n + 3) >> 8), byte(n + 3), 0, byte(n >> 8), byte(n)}) + name
}

func TestReadHello(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want Hello
		ok   bool
	}{
		{"a name", helloOf(3, 0, serverName("cam.example.")), Hello{Name: "cam.example", Version: 0x303}, true},
		{"no extensions", helloOf(1)[:45], Hello{Version: 0x301}, true},
		{"a name that is none", helloOf(3, 0, serverName("a b\x1b[31m")), Hello{Version: 0x303}, true},
		{"a name twice", helloOf(3, 0, serverName("a.example"), 0, serverName("b.example")), Hello{Name: "a.example", Version: 0x303}, true},
		{"values that only test", helloOf(3, 0x0a0a, "", 43, "\x06\x2a\x2a\x03\x04\x03\x03", 16, "\x00\x08\x02\x1a\x1a\x02h2\x01\x00"), Hello{Version: 0x304, ALPN: []string{"h2"}}, true},
		{"encrypted", helloOf(3, 0xfe0d, "\x00\x00\x01", 0, serverName("public.example")), Hello{Name: "public.example", Version: 0x303, Encrypted: true}, true},
		{"encrypted, as a draft had it", helloOf(3, 0xffce, "\x00"), Hello{Version: 0x303, Encrypted: true}, true},
		{"lengths that lie", helloOf(3, 0, "\xff\xff\x00\xff\xffa.example", 16, "\xff\xff\xff"), Hello{Version: 0x303}, true},
		{"cut within a name", helloOf(3, 16, "\x00\x03\x02h2", 0, serverName("a.example"))[:70], Hello{Version: 0x303, ALPN: []string{"h2"}}, true},
		{"a server's", slices.Concat([]byte{2}, helloOf(3)[1:]), Hello{}, false},
		{"another protocol's version", slices.Concat(helloOf(3)[:4], []byte{9, 9}, helloOf(3)[6:]), Hello{}, false},
		{"nothing", nil, Hello{}, false},
	} {
		got, ok := readHello(c.b)
		if ok != c.ok {
			t.Errorf("%s: %v", c.name, ok)
		} else if ok && (got.Name != c.want.Name || got.Version != c.want.Version || got.Encrypted != c.want.Encrypted || !slices.Equal(got.ALPN, c.want.ALPN)) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestSniffTLS(t *testing.T) {
	for _, c := range []struct {
		name string
		b    string
		want verdict
	}{
		{"a client's hello", string(record(22, helloOf(3, 0, serverName("a.example")))), yes},
		{"a server's hello", "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", yes},
		{"version 3.1", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", yes},
		{"one byte", "\x16", wait},
		{"a header", "\x16\x03\x01\x02\x00", wait},
		{"a handshake's middle", "\x16\x03\x03\x00\x46\x10\x00\x00\x42\x41", no},
		{"data", "\x17\x03\x03\x05\xb4\x00\x00", yes},
		{"data and what does not follow it", "\x17\x03\x03\x00\x01xGET /", no},
		{"data and the next", "\x17\x03\x03\x00\x01x\x17\x03\x03\x10\x00yyyy", yes},
		{"too long", "\x17\x03\x03\xff\xff\x00", no},
		{"version 3.9", "\x16\x03\x09\x02\x00\x01", no},
		{"HTTP", "GET / HTTP/1.1\r\n", no},
		{"interleaved RTP", "$\x00\x05\x00abc", no},
		{"Dahua's", "\xa0\x05\x00\x60\x00\x00", no},
		{"MPEG", "\x47\x40\x11\x10", no},
	} {
		if got := sniffTLS([]byte(c.b)); got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}

// TestTLSHoles: bytes after a gap are never taken for the rest of what was before it, and are counted where a record begins.
func TestTLSHoles(t *testing.T) {
	hello := record(22, helloOf(3, 16, "\x00\x03\x02h2", 0, serverName("a.example"), 21, strings.Repeat("\x00", 2000)))
	t.Run("in the hello", func(t *testing.T) {
		s := newStand(protoTCP, 443)
		f := newTLS(s.c)
		f.data(s.c, true, hello[:100])
		f.hole(s.c, true, 0)
		f.data(s.c, true, hello[300:])
		f.end(s.c)
		if len(s.flows) != 1 || !s.flows[0].Cut.Has(CutHole) || s.flows[0].Hello.Name != "a.example" || s.e.buffered != 0 {
			t.Errorf("%+v", s.flows)
		}
	})
	t.Run("before the name", func(t *testing.T) {
		s := newStand(protoTCP, 443)
		f := newTLS(s.c)
		f.data(s.c, true, hello[:60])
		f.end(s.c)
		if len(s.flows) != 1 || !s.flows[0].Cut.Has(CutEnd) || s.flows[0].Hello.Name != "" || s.c.named != "" {
			t.Errorf("%+v", s.flows)
		}
	})
	t.Run("in the data", func(t *testing.T) {
		s := newStand(protoTCP, 443)
		s.c.mid = true
		f := newTLS(s.c)
		data := record(23, make([]byte, 4000))
		f.data(s.c, false, data[:1460])
		f.hole(s.c, false, 0)
		f.data(s.c, false, data[2920:])                      // no record begins here: not counted
		f.data(s.c, false, slices.Concat(data, data[:1460])) // here one does
		f.data(s.c, false, data[1460:])
		if got := s.c.halves[hi].data; got != 1455+8000 || len(s.flows) != 0 {
			t.Errorf("%d bytes, %d flows", got, len(s.flows))
		}
	})
	t.Run("no more TLS", func(t *testing.T) {
		s := newStand(protoTCP, 443)
		s.c.mid = true
		f := newTLS(s.c)
		f.data(s.c, false, slices.Concat(record(23, []byte("abc")), []byte("HTTP/1.1 200 OK\r\n\r\n")))
		f.data(s.c, false, []byte("and so on"))
		if got := s.c.halves[hi].data; got != 3 {
			t.Errorf("%d bytes", got)
		}
	})
	t.Run("no budget", func(t *testing.T) {
		s := newStand(protoTCP, 443)
		s.e.o.Buffer = 100
		f := newTLS(s.c)
		for part := range slices.Chunk(hello, 90) {
			f.data(s.c, true, part)
		}
		if len(s.flows) != 1 || !s.flows[0].Cut.Has(CutLimit) || s.e.buffered != 0 {
			t.Errorf("%+v", s.flows)
		}
	})
	t.Run("a hello without end", func(t *testing.T) {
		s := newStand(protoTCP, 443)
		f := newTLS(s.c)
		f.data(s.c, true, record(22, append([]byte{1, 0x10, 0, 0}, helloOf(3, 0, serverName("a.example"))[4:]...)))
		for range 100 {
			f.data(s.c, true, record(22, make([]byte, 1000)))
			if s.e.buffered > helloMost {
				t.Fatalf("%d bytes kept", s.e.buffered)
			}
		}
		if len(s.flows) != 1 || !s.flows[0].Cut.Has(CutLimit) || s.e.buffered != 0 {
			t.Errorf("%+v", s.flows)
		}
	})
}

// TestTLSAllocates: what follows the hello is passed over without taking memory.
func TestTLSAllocates(t *testing.T) {
	s := newStand(protoTCP, 443)
	s.c.mid = true
	f := newTLS(s.c)
	data := slices.Repeat(record(23, make([]byte, 1000)), 3)[:1460]
	if n := testing.AllocsPerRun(100, func() { f.data(s.c, true, data) }); n > 0 {
		t.Errorf("%v allocations a segment", n)
	}
}

// FuzzTLS: whatever comes, in pieces of whatever size and with gaps, nothing is kept at the end and nothing larger than it may be.
func FuzzTLS(f *testing.F) {
	hello := record(22, helloOf(3, 16, "\x00\x03\x02h2", 0, serverName("a.example"), 0xfe0d, "\x00"))
	f.Add(hello, uint16(7), uint16(3))
	f.Add(slices.Concat(hello, record(20, []byte{1}), record(23, []byte("finished")), record(23, []byte("data"))), uint16(1460), uint16(99))
	f.Add(slices.Concat(record(23, make([]byte, 300)), hello), uint16(50), uint16(2))
	old, err := hex.DecodeString("16030100050100000100")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old, uint16(1), uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, size, gap uint16) {
		fuzzFramer(t, b, size, gap, sniffTLS, newTLS)
	})
}

// fuzzFramer gives a framer both sides of a conversation, in pieces and with a gap.
func fuzzFramer(t *testing.T, b []byte, size, gap uint16, sniff func([]byte) verdict, build func(*conn) framer) {
	if len(b) == 0 {
		return
	}
	sniff(b[:min(len(b), 2048)])
	s := newStand(protoTCP, portDNS)
	s.e.o.Sink = func(f *Flow) {
		if len(f.Payload) > mqttPayload || len(f.Topic) > mqttTopic {
			t.Fatalf("%d bytes about %q", len(f.Payload), f.Topic)
		}
	}
	fr := build(s.c)
	i := 0
	for part := range slices.Chunk(b, int(size)+1) {
		if i++; i == int(gap) {
			fr.hole(s.c, true, 0)
			fr.hole(s.c, false, 0)
			continue
		}
		fr.data(s.c, true, part)
		fr.data(s.c, false, part)
		if most := int64(2*len(b)) + 1<<16; s.e.buffered < 0 || s.e.buffered > most {
			t.Fatalf("%d bytes reserved of %d", s.e.buffered, len(b))
		}
	}
	fr.end(s.c)
	if s.e.buffered != 0 {
		t.Fatalf("%d bytes are still reserved", s.e.buffered)
	}
}

// BenchmarkTLS is what application data costs, a segment at a time.
func BenchmarkTLS(b *testing.B) {
	s := newStand(protoTCP, 443)
	s.c.mid = true
	f := newTLS(s.c)
	stream := slices.Repeat(record(23, make([]byte, 16384)), 64)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		for part := range slices.Chunk(stream, 1460) {
			f.data(s.c, false, part)
		}
	}
}
