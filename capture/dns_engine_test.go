package capture_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

// words says in a line each what an engine hands on.
func words(c *capturetest.Capture) (out []string) {
	e := capture.New(capture.Options{Sink: func(f *capture.Flow) {
		s := fmt.Sprintf("%s %v", f.Proto, f.FromHost)
		switch {
		case f.Hello != nil:
			s += " " + f.Hello.Name
		case f.Topic != "":
			s += fmt.Sprintf(" %s %s", f.Topic, f.Payload)
		case f.Totals != nil:
			s = fmt.Sprintf("%s %s by %s %v", f.Proto, f.Totals.Name, f.Totals.NameBy, f.Totals.Encrypted)
		}
		if f.Cut != 0 {
			s += fmt.Sprintf(" cut %d", f.Cut)
		}
		out = append(out, s)
	}})
	c.Play(e)
	e.Close()
	return out
}

// TestEncrypted: through a whole engine, whom a device talks to is told once for each conversation, though packets come twice.
func TestEncrypted(t *testing.T) {
	const device, resolver, cloud = "192.0.2.21:40000", "192.0.2.1:53", "203.0.113.5:443"
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("p2p.cam.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("p2p.cam.example."), Class: dnsmessage.ClassINET},
			Body: &dnsmessage.AResource{A: [4]byte{203, 0, 113, 5}}}}}
	resolved, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	hexed, err := os.ReadFile("testdata/rfc9001-a2.hex")
	if err != nil {
		t.Fatal(err)
	}
	initial, err := hex.DecodeString(strings.Join(strings.Fields(string(hexed)), ""))
	if err != nil {
		t.Fatal(err)
	}
	publish := func(topic, payload string) []byte {
		return append([]byte{0x30, byte(2 + len(topic) + len(payload)), 0, byte(len(topic))}, topic+payload...)
	}
	connect := append([]byte{0x10, 13, 0, 4}, "MQTT\x04\x00\x00\x00\x00\x01x"...)
	data := append([]byte{23, 3, 3, 3, 232}, make([]byte, 1000)...)
	for _, c := range []struct {
		name  string
		build func(*capturetest.Capture)
		want  []string
	}{
		{"TLS", func(c *capturetest.Capture) {
			c.Connect(device, cloud).Up(capturetest.ClientHello("api.cam.example")).Up(data).Down(data).Close()
		}, []string{"tls true api.cam.example", "end api.cam.example by tls true"}},
		{"TLS that had begun", func(c *capturetest.Capture) { c.Join(device, cloud).Up(data).Down(data).Up(data) }, []string{"end  by  true"}},
		{"a name that was resolved", func(c *capturetest.Capture) {
			c.UDP(resolver, "192.0.2.21:5000", resolved)
			c.Join(device, cloud).Up(data).Down(data)
		}, []string{"dns true", "end  by  false", "end p2p.cam.example by dns true"}},
		{"by another device", func(c *capturetest.Capture) {
			c.UDP(resolver, "192.0.2.22:5000", resolved)
			c.Join(device, cloud).Up(data).Down(data)
		}, []string{"dns true", "end  by  false", "end  by  true"}},
		{"QUIC", func(c *capturetest.Capture) { c.UDP(device, cloud, initial) }, []string{"quic true example.com", "end example.com by quic true"}},
		{"MQTT", func(c *capturetest.Capture) {
			c.Connect(device, "192.0.2.5:1884").Up(connect).Down([]byte{0x20, 2, 0, 0}).Up(publish("a/b", "1")).Close()
		}, []string{"mqtt true", "mqtt true a/b 1", "end  by  false"}},
		{"MQTT that had begun", func(c *capturetest.Capture) {
			c.Join(device, "192.0.2.5:1883").Up(publish("a/b", "1")).Down(publish("c", "2"))
		}, []string{"mqtt true a/b 1", "mqtt false c 2", "end  by  false"}},
		{"DNS over TCP", func(c *capturetest.Capture) {
			c.Connect(device, resolver).Down(append([]byte{0, byte(len(resolved))}, resolved...)).Close()
			c.Join(device, cloud).Up(data).Down(data)
		}, []string{"dns false", "end  by  false", "end p2p.cam.example by dns true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := capturetest.New()
			c.build(x)
			x.Repeat(0.5, 7)
			got, want := words(x), slices.Clone(c.want)
			slices.Sort(got)
			slices.Sort(want)
			if c.name == "a name that was resolved" || c.name == "by another device" || c.name == "QUIC" {
				got = slices.Compact(got) // a datagram that came twice was sent twice
			}
			if !slices.Equal(got, want) {
				t.Errorf("\n%s\n\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
