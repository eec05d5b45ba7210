package capture

import (
	"context"
	"crypto/aes"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/quic"
)

// rfc9001 is the client's first packet of RFC 9001, appendix A.2.
func rfc9001(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/rfc9001-a2.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestQUICVectors(t *testing.T) {
	s := newStand(protoUDP, 443)
	if !udpQUIC(s.c, true, rfc9001(t)) {
		t.Fatal("not recognised")
	}
	if len(s.flows) != 1 || s.flows[0].Proto != ProtoQUIC || s.flows[0].Hello.Name != "example.com" || s.flows[0].Hello.Version != tls.VersionTLS13 || s.c.named != "example.com" || s.c.namedBy != "quic" {
		t.Errorf("%+v", s.flows)
	}
	// RFC 9369, appendix A.1.
	k := deriveQUIC(&quicVersions[1], []byte("\x83\x94\xc8\xf0\x3e\x51\x57\x08"))
	if got := hex.EncodeToString(k.iv); got != "91f73e2351d8fa91660e909f" {
		t.Errorf("version 2: %s", got)
	}
}

// sealQUIC makes an Initial packet as a client of that version sends it.
func sealQUIC(v *quicVersion, id, keyID []byte, number byte, token string, frames []byte) []byte {
	k := deriveQUIC(v, keyID)
	head := []byte{quicLong | quicFixed | v.initial<<4}
	head = binary.BigEndian.AppendUint32(head, v.number)
	head = append(append(head, byte(len(id))), id...)
	head = append(head, 4, 1, 2, 3, 4)
	head = append(append(head, byte(len(token))), token...)
	n := 1 + len(frames) + 16
	head = append(head, 0x40|byte(n>>8), byte(n), number)
	nonce := slices.Clone(k.iv)
	nonce[11] ^= number
	b := k.body.Seal(slices.Clone(head), nonce, frames, head)
	var mask [aes.BlockSize]byte
	k.head.Encrypt(mask[:], b[len(head)-1+4:][:16])
	b[0] ^= mask[0] & 0x0f
	b[len(head)-1] ^= mask[1]
	return b
}

func cryptoFrame(at int, b []byte) []byte {
	f := []byte{frameCrypto, 0x80, 0, byte(at >> 8), byte(at), 0x40 | byte(len(b)>>8), byte(len(b))}
	return append(f, b...)
}

func padded(n int, parts ...[]byte) []byte {
	b := slices.Concat(parts...)
	return append(b, make([]byte, max(0, n-len(b)))...)
}

// TestQUIC: hellos in one packet and in several, out of order and between other frames, after a Retry and beside other packets.
func TestQUIC(t *testing.T) {
	id := []byte("\x01\x02\x03\x04\x05\x06\x07\x08")
	hello := helloOf(3, 43, "\x02\x03\x04", 16, "\x00\x03\x02h3", 21, strings.Repeat("\x00", 1600), 0, serverName("cam.example"))
	small := helloOf(3, 0, serverName("cam.example"))
	v1, v2 := &quicVersions[0], &quicVersions[1]
	ack := []byte{2, 1, 0, 1, 0, 0, 0} // of an acknowledgement with one range more
	for _, c := range []struct {
		name string
		sent [][]byte
		want string
		cut  Cut
	}{
		{"one packet", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, small)))}, "cam.example", 0},
		{"version 2", [][]byte{sealQUIC(v2, id, id, 0, "", padded(1200, cryptoFrame(0, small)))}, "cam.example", 0},
		{"with a token", [][]byte{sealQUIC(v1, id, id, 0, "token", padded(1200, cryptoFrame(0, small)))}, "cam.example", 0},
		{"two packets", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, hello[:1100]))), sealQUIC(v1, id, id, 1, "", padded(1200, cryptoFrame(1100, hello[1100:])))}, "cam.example", 0},
		{"in the wrong order", [][]byte{sealQUIC(v1, id, id, 1, "", padded(1200, cryptoFrame(1100, hello[1100:]))), sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, hello[:1100])))}, "cam.example", 0},
		{"in many pieces", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(60, small[60:]), []byte{1, 0, 0}, cryptoFrame(10, small[10:50]), cryptoFrame(0, small[:30]), ack, cryptoFrame(40, small[40:60])))}, "cam.example", 0},
		{"sent again", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, hello[:900]))), sealQUIC(v1, id, id, 1, "", padded(1200, cryptoFrame(0, hello[:900]))),
			sealQUIC(v1, id, id, 2, "", padded(1200, cryptoFrame(800, hello[800:])))}, "cam.example", 0},
		{"sent away to another", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, hello[:900]))), sealQUIC(v1, []byte("\x09\x08\x07\x06"), []byte("\x09\x08\x07\x06"), 1, "retry", padded(1200, cryptoFrame(0, small)))}, "cam.example", 0},
		{"answered under another name", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, hello[:1100]))), sealQUIC(v1, []byte("\x09\x08\x07\x06"), id, 1, "", padded(1200, cryptoFrame(1100, hello[1100:])))}, "cam.example", 0},
		{"two in a datagram", [][]byte{slices.Concat(sealQUIC(v1, id, id, 0, "", cryptoFrame(0, small[:40])), sealQUIC(v1, id, id, 1, "", padded(1200, cryptoFrame(40, small[40:]))))}, "cam.example", 0},
		{"never complete", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(0, hello[:900])))}, "", CutEnd},
		{"the beginning is missing", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, cryptoFrame(900, hello[900:])))}, "none", 0},
		{"another key", [][]byte{sealQUIC(v1, id, []byte("other"), 0, "", padded(1200, cryptoFrame(0, small)))}, "none", 0},
		{"closed", [][]byte{sealQUIC(v1, id, id, 0, "", padded(1200, []byte{0x1c, 0, 0, 0}))}, "none", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(protoUDP, 443)
			for _, b := range c.sent {
				if !udpQUIC(s.c, true, b) {
					t.Fatal("not recognised")
				}
			}
			s.c.framer.end(s.c)
			switch {
			case c.want == "none":
				if len(s.flows) != 0 {
					t.Errorf("%+v", s.flows[0].Hello)
				}
			case len(s.flows) != 1 || s.flows[0].Hello.Name != c.want || s.flows[0].Cut != c.cut || !s.flows[0].FromHost:
				t.Errorf("%+v", s.flows)
			}
			if s.e.buffered != 0 {
				t.Errorf("%d bytes are still reserved", s.e.buffered)
			}
		})
	}
}

func TestQUICNot(t *testing.T) {
	good := rfc9001(t)
	change := func(at int, x byte) []byte { b := slices.Clone(good); b[at] = x; return b }
	for name, b := range map[string][]byte{
		"nothing": nil, "short": good[:1199], "another version": change(4, 9), "no fixed bit": change(0, 0x80), "a short header": change(0, 0x40),
		"an id too long": change(5, 21), "a length that lies": change(16, 0x7f), "RTP": append([]byte{0x80, 0x60}, make([]byte, 1300)...), "text": []byte(strings.Repeat("text", 400)),
	} {
		s := newStand(protoUDP, 443)
		if udpQUIC(s.c, true, b) || len(s.flows) != 0 || s.c.framer != nil {
			t.Errorf("%s: taken", name)
		}
	}
	s := newStand(protoUDP, 443)
	if udpQUIC(s.c, false, good) {
		t.Error("the server says hello")
	}
}

// office is a packet connection that keeps what is sent and never receives.
type office struct {
	sent chan []byte
	done chan struct{}
}

func (o *office) ReadFrom([]byte) (int, net.Addr, error) { <-o.done; return 0, nil, net.ErrClosed }
func (o *office) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case o.sent <- slices.Clone(b):
	default:
	}
	return len(b), nil
}
func (o *office) Close() error                     { close(o.done); return nil }
func (o *office) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 50123} }
func (o *office) SetDeadline(time.Time) error      { return nil }
func (o *office) SetReadDeadline(time.Time) error  { return nil }
func (o *office) SetWriteDeadline(time.Time) error { return nil }

// TestQUICClient: what a real client sends first, its hello longer than a datagram, says whom it calls.
func TestQUICClient(t *testing.T) {
	o := &office{sent: make(chan []byte, 16), done: make(chan struct{})}
	e, err := quic.NewEndpoint(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		e.Dial(ctx, "udp", "198.51.100.9:443", &quic.Config{TLSConfig: &tls.Config{ServerName: "live.cam.example", NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13}}) //nolint:errcheck // nobody answers
	}()
	s := newStand(protoUDP, 443)
	for len(s.flows) == 0 {
		select {
		case b := <-o.sent:
			udpQUIC(s.c, true, b)
		case <-ctx.Done():
			t.Fatal("no hello")
		}
	}
	cancel()
	<-gone
	ended, stop := context.WithCancel(t.Context())
	stop()
	e.Close(ended) //nolint:errcheck // nobody answers
	f := s.flows[0]
	if f.Cut != 0 || f.Hello.Name != "live.cam.example" || !slices.Equal(f.Hello.ALPN, []string{"h3"}) || f.Hello.Version != tls.VersionTLS13 {
		t.Errorf("%+v %+v", f, f.Hello)
	}
}

// FuzzQUIC: packets of any content, and their content in any form.
func FuzzQUIC(f *testing.F) {
	id := []byte("\x01\x02\x03\x04\x05\x06\x07\x08")
	small := helloOf(3, 0, serverName("cam.example"))
	f.Add(rfc9001(f), false)
	f.Add(padded(1200, cryptoFrame(40, small[40:]), []byte{2, 1, 0, 1, 0, 0, 0}, cryptoFrame(0, small[:50])), true)
	f.Add(padded(1200, []byte{3, 1, 0, 0xbf, 0xff, 0xff, 0xff, 0, 0, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		s := newStand(protoUDP, 443)
		if seal {
			b = b[:min(len(b), 8000)]
			for i, part := range [][]byte{b[:len(b)/2], b[len(b)/2:], b, b, b} {
				udpQUIC(s.c, true, sealQUIC(&quicVersions[i%2], id, id, byte(i), "", padded(1200, part)))
			}
		}
		for range 6 {
			udpQUIC(s.c, true, b)
			udpQUIC(s.c, false, b)
		}
		if s.c.framer != nil {
			s.c.framer.end(s.c)
		}
		if s.e.buffered != 0 {
			t.Fatalf("%d bytes are still reserved", s.e.buffered)
		}
	})
}

// BenchmarkQUIC is what the first packet of a conversation costs.
func BenchmarkQUIC(b *testing.B) {
	first := rfc9001(b)
	s := newStand(protoUDP, 443)
	s.e.o.Sink = func(*Flow) {}
	b.SetBytes(int64(len(first)))
	for b.Loop() {
		s.c.framer = nil
		udpQUIC(s.c, true, first)
	}
}
