package capture

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func mqttPacket(first byte, body ...string) string {
	b := strings.Join(body, "")
	var n []byte
	for x := len(b); ; {
		d := byte(x & 0x7f)
		if x >>= 7; x > 0 {
			n = append(n, d|0x80)
			continue
		}
		return string(append(append([]byte{first}, n...), d)) + b
	}
}

func mqttString(s string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
}

// mqttHello is a CONNECT with user and password.
func mqttHello(name string, level byte, properties string) string {
	return mqttPacket(0x10, mqttString(name), string([]byte{level, 0xc2, 0, 60}), properties, mqttString("client-77"), mqttString("shopuser"), mqttString("shoppass"))
}

const mqttJSON = `{"type":"face","camera":"front","name":null}`

func mqttTable() []struct{ name, up, down, want string } {
	big := `{"x":"` + strings.Repeat("y", 3000) + `"}`
	jpeg := "\xff\xd8\xff\xe0\x00\x10JFIF\x00" + strings.Repeat("\x00picture", 9000)
	v3, v4, v5 := mqttHello("MQIsdp", 3, ""), mqttHello("MQTT", 4, ""), mqttHello("MQTT", 5, "\x05\x11\x00\x00\x00\x0a")
	return []struct{ name, up, down, want string }{
		{"3.1", v3 + mqttPacket(0x30, mqttString("a/b"), mqttJSON), "", "up hello|up a/b " + mqttJSON},
		{"3.1.1, and an answer", v4 + mqttPacket(0x31, mqttString("a/b"), mqttJSON) + mqttPacket(0xc0), mqttPacket(0x20, "\x00\x00") + mqttPacket(0xd0), "up hello|up a/b " + mqttJSON},
		{"to a subscriber", v4 + mqttPacket(0x82, "\x00\x01", mqttString("#"), "\x00"), mqttPacket(0x20, "\x00\x00") + mqttPacket(0x90, "\x00\x01\x00") + mqttPacket(0x30, mqttString("c"), "on"), "up hello|down c on"},
		{"with acknowledgement, sent again", v4 + mqttPacket(0x3a, mqttString("a"), "\x00\x07", "x1"), mqttPacket(0x40, "\x00\x07"), "up hello|up a x1"},
		{"a long one", v4 + mqttPacket(0x30, mqttString("a"), big), "", "up hello|up a " + big},
		{"none at all", v4 + mqttPacket(0x30, mqttString("a")) + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello|up a |up b 1"},
		{"a picture", v4 + mqttPacket(0x30, mqttString("frigate/front/person/snapshot"), jpeg) + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello|up frigate/front/person/snapshot |up b 1"},
		{"bytes behind text", v4 + mqttPacket(0x30, mqttString("a"), strings.Repeat("z", 99)+"\x00\x01") + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello|up a |up b 1"},
		{"5, without properties", v5 + mqttPacket(0x30, mqttString("a"), "\x00", mqttJSON), "", "up hello|up a " + mqttJSON},
		{"5, with all of them", v5 + mqttPacket(0x32, mqttString("a"), "\x00\x09", "\x24\x01\x01\x02\x00\x00\x00\x09\x03\x00\x04text\x08\x00\x01r\x09\x00\x02\x01\x02\x0b\x80\x01\x23\x00\x01\x26\x00\x01k\x00\x01v", mqttJSON),
			"", "up hello|up a " + mqttJSON},
		{"5, a topic by its number", v5 + mqttPacket(0x30, mqttString("a"), "\x03\x23\x00\x05", "1") + mqttPacket(0x30, mqttString(""), "\x03\x23\x00\x05", "2") + mqttPacket(0x30, mqttString("b"), "\x03\x23\x00\x05", "3") +
			mqttPacket(0x30, mqttString(""), "\x03\x23\x00\x05", "4"), "", "up hello|up a 1|up a 2|up b 3|up b 4"},
		{"5, a number of nothing", v5 + mqttPacket(0x30, mqttString(""), "\x03\x23\x00\x06", "1") + mqttPacket(0x30, mqttString("b"), "\x00", "1"), "", "up hello|up b 1"},
		{"5, a number of the other side", v5 + mqttPacket(0x30, mqttString("a"), "\x03\x23\x00\x05", "1"), mqttPacket(0x30, mqttString(""), "\x03\x23\x00\x05", "2"), "up hello|up a 1"},
		{"a topic for many", v4 + mqttPacket(0x30, mqttString("a/#"), "1") + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello|up b 1"},
		{"a topic too long", v4 + mqttPacket(0x30, mqttString(strings.Repeat("t", 1025)), "1") + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello|up b 1"},
		{"a topic longer than its packet", v4 + mqttPacket(0x30, "\x00\x40abc") + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello|up b 1"},
		{"a bridge between brokers", mqttHello("MQTT", 0x84, "") + mqttPacket(0x30, mqttString("a"), "1"), mqttPacket(0x30, mqttString("b"), "2"), "up hello|down b 2"},
		{"no packet", v4 + "\x00\x00" + mqttPacket(0x30, mqttString("b"), "1"), "", "up hello"},
		{"properties that lie", v5 + mqttPacket(0x30, mqttString("a"), "\x05\x23\x00", "1") + mqttPacket(0x30, mqttString("b"), "\x00", "1"), "", "up hello|up b 1"},
	}
}

func (s *stand) told() string {
	var out []string
	for _, f := range s.flows {
		way, what := "down", "hello"
		if f.FromHost {
			way = "up"
		}
		if f.Topic != "" {
			what = f.Topic + " " + string(f.Payload)
		}
		if f.Cut != 0 {
			what += fmt.Sprintf(" cut %d", f.Cut)
		}
		out = append(out, way+" "+what)
	}
	return strings.Join(out, "|")
}

// TestMQTT: every message, split at every byte, comes out once and whole, and no word of CONNECT does.
func TestMQTT(t *testing.T) {
	for _, c := range mqttTable() {
		t.Run(c.name, func(t *testing.T) {
			if v := sniffMQTT([]byte(c.up)); v != yes {
				t.Fatalf("recognised: %d", v)
			}
			for _, size := range []int{1, 2, 3, 7, 61, 1460, 1 << 20} {
				s := newStand(protoTCP, portMQTT)
				f := newMQTT(s.c)
				for part := range slices.Chunk([]byte(c.up), size) {
					f.data(s.c, true, part)
				}
				for part := range slices.Chunk([]byte(c.down), size) {
					f.data(s.c, false, part)
				}
				f.end(s.c)
				if got := s.told(); got != c.want {
					t.Errorf("by %d:\n%.300q\n%.300q", size, got, c.want)
				}
				if s.e.buffered != 0 {
					t.Errorf("by %d: %d bytes are still reserved", size, s.e.buffered)
				}
			}
		})
	}
}

func TestSniffMQTT(t *testing.T) {
	for _, c := range []struct {
		name, b  string
		want     verdict
		middling verdict
	}{
		{"3.1", mqttHello("MQIsdp", 3, ""), yes, yes},
		{"5", mqttHello("MQTT", 5, "\x00"), yes, yes},
		{"a bridge", mqttHello("MQTT", 0x84, ""), yes, yes},
		{"its first byte", "\x10", wait, wait},
		{"its first bytes", mqttHello("MQTT", 4, "")[:6], wait, wait},
		{"level 9", mqttHello("MQTT", 9, ""), no, no},
		{"another name", mqttHello("MQXX", 4, ""), no, no},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", no, no},
		{"a message", mqttPacket(0x30, mqttString("a/b"), "x"), no, yes},
		{"its beginning", mqttPacket(0x30, mqttString("a/b"), strings.Repeat("x", 9000))[:1460], no, yes},
		{"a ping", mqttPacket(0xc0), no, yes},
		{"acknowledgements", mqttPacket(0x40, "\x00\x01") + mqttPacket(0x40, "\x00\x02"), no, yes},
		{"a picture's middle", "\x31\x05\xff\xd8\xff\xe0\x00\x10", no, no},
		{"text", "2026-11-22 16:20", no, no},
	} {
		if got := sniffMQTT([]byte(c.b)); got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
		if got := sniffMQTTMid([]byte(c.b)); got != c.middling {
			t.Errorf("%s, in the middle: %d", c.name, got)
		}
	}
}

// TestMQTTHoles: a message with a gap is told as cut, and what follows it is read from where a packet begins.
func TestMQTTHoles(t *testing.T) {
	v5 := mqttHello("MQTT", 5, "\x00")
	long := mqttPacket(0x30, mqttString("a"), "\x00", `{"x":"`, strings.Repeat("y", 5000), `"}`)
	s := newStand(protoTCP, portMQTT)
	f := newMQTT(s.c)
	f.data(s.c, true, []byte(v5+mqttPacket(0x30, mqttString("old"), "\x03\x23\x00\x01", "1")))
	f.data(s.c, true, []byte(long[:1000]))
	f.hole(s.c, true, 0)
	f.data(s.c, true, []byte(long[2000:3000]))
	f.data(s.c, true, []byte(long[3000:]))                                               // no packet begins here
	f.data(s.c, true, []byte(mqttPacket(0x30, mqttString("b"), "\x00", "2")))            // here one does
	f.data(s.c, true, []byte(mqttPacket(0x30, mqttString(""), "\x03\x23\x00\x01", "3"))) // what it stands for may have changed in the gap
	f.data(s.c, true, []byte(long[:100]))
	f.end(s.c)
	want := "up hello|up old 1|up a " + long[7:1000] + " cut 1|up b 2|up a " + long[7:100] + " cut 16"
	if got := s.told(); got != want || s.e.buffered != 0 {
		t.Errorf("%.200q\n%.200q\n%d reserved", got, want, s.e.buffered)
	}
}

// TestMQTTMiddle: where the beginning was not seen, messages of either version are told apart by what follows their topic.
func TestMQTTMiddle(t *testing.T) {
	for _, c := range []struct{ b, want string }{
		{mqttPacket(0x30, mqttString("a"), mqttJSON), "up a " + mqttJSON},
		{mqttPacket(0x30, mqttString("a"), "\x00", mqttJSON), "up a " + mqttJSON},
		{mqttPacket(0x30, mqttString("a"), "\x05\x02\x00\x00\x00\x09", mqttJSON), "up a " + mqttJSON},
		{mqttPacket(0x32, mqttString("a"), "\x00\x01", "ON"), "up a ON"},
		{mqttPacket(0x32, mqttString("a"), "\x00\x01"), "up a "},
	} {
		for _, size := range []int{1, 1000} {
			s := newStand(protoTCP, portMQTT)
			f := newMQTT(s.c)
			for part := range slices.Chunk([]byte(c.b), size) {
				f.data(s.c, true, part)
			}
			if got := s.told(); got != c.want {
				t.Errorf("%q by %d: %q", c.b, size, got)
			}
		}
	}
}

// TestMQTTBounds: numbers for topics and payloads are kept up to a bound, and given back.
func TestMQTTBounds(t *testing.T) {
	s := newStand(protoTCP, portMQTT)
	f := newMQTT(s.c)
	f.data(s.c, true, []byte(mqttHello("MQTT", 5, "\x00")))
	for i := range 500 {
		f.data(s.c, true, []byte(mqttPacket(0x30, mqttString(strings.Repeat("t", 1000)), "\x03\x23", mqttString("")[:0]+string([]byte{byte(i >> 8), byte(i)}), "1")))
	}
	if most := int64(mqttAliases * (1000 + 64)); s.e.buffered > most {
		t.Errorf("%d bytes", s.e.buffered)
	}
	s.flows = nil
	f.data(s.c, false, []byte(mqttPacket(0x30, mqttString("a"), "\x00", strings.Repeat("x", mqttPayload+10))))
	if len(s.flows) != 1 || len(s.flows[0].Payload) != mqttPayload || !s.flows[0].Cut.Has(CutLimit) {
		t.Errorf("%d flows", len(s.flows))
	}
	f.end(s.c)
	if s.e.buffered != 0 {
		t.Errorf("%d bytes are still reserved", s.e.buffered)
	}
}

func FuzzMQTT(f *testing.F) {
	for i, c := range mqttTable() {
		f.Add([]byte(c.up+c.down), uint16(7*i), uint16(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, size, gap uint16) {
		fuzzFramer(t, b, size, gap, sniffMQTTMid, newMQTT)
		if len(b) > 0 {
			sniffMQTT(b)
		}
	})
}

// BenchmarkMQTT is what messages cost, three short ones and a picture.
func BenchmarkMQTT(b *testing.B) {
	s := newStand(protoTCP, portMQTT)
	s.e.o.Sink = func(*Flow) {}
	f := newMQTT(s.c)
	f.data(s.c, true, []byte(mqttHello("MQTT", 4, "")))
	short := mqttPacket(0x30, mqttString("frigate/tracked_object_update"), mqttJSON)
	stream := []byte(short + short + short + mqttPacket(0x30, mqttString("frigate/door/person/snapshot"), "\xff\xd8\xff\xe0"+strings.Repeat("\x00picture", 10000)))
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		for part := range slices.Chunk(stream, 1460) {
			f.data(s.c, true, part)
		}
	}
}
