package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

// mixed is a capture with every kind of conversation.
func mixed(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := (capturetest.Mix{Bytes: size, Conversations: 300, Seed: 9, OneIn: 20}).Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// flows reads a capture and writes down everything every flow says.
func flows(t *testing.T, file []byte, apart bool) (list []string, stats capture.Stats) {
	t.Helper()
	r, err := capture.OpenStream("x", bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	message := func(m *capture.Message) string {
		if m == nil {
			return "-"
		}
		c := *m
		s := fmt.Sprintf("%s %s %d %q %q %d %d", c.Method, c.Target, c.Status, c.Header, c.Body, c.Size, c.Cut)
		for _, p := range c.Parts {
			s += fmt.Sprintf(" [%q %s %q %d %d]", p.Header, p.Name, p.Body, p.Size, p.Cut)
		}
		return s
	}
	e := capture.New(capture.Options{Apart: apart, Sink: func(f *capture.Flow) {
		s := fmt.Sprint(f.Proto, f.Transport, f.Client, f.Server, f.FromHost, f.At, f.Until, f.Frames, f.VLAN, f.Cut, f.Topic, f.Track) + fmt.Sprintf("%q", f.Payload) + message(f.Request) + message(f.Answer)
		if f.Part != nil {
			s += fmt.Sprintf("%+v", *f.Part)
		}
		if f.Hello != nil {
			s += fmt.Sprintf("%+v", *f.Hello)
		}
		if f.Totals != nil {
			s += fmt.Sprintf("%+v", *f.Totals)
		}
		list = append(list, s)
	}})
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e.Packet(&p)
	}
	e.Close()
	return list, e.Stats()
}

// TestApart: what another goroutine is given is what the engine's own would have been given, and in the same order.
func TestApart(t *testing.T) {
	file := mixed(t, 8<<20)
	here, a := flows(t, file, false)
	there, b := flows(t, file, true)
	if a != b {
		t.Errorf("%+v\n%+v", a, b)
	}
	if !slices.Equal(here, there) {
		for i := range min(len(here), len(there)) {
			if here[i] != there[i] {
				t.Fatalf("%d of %d and %d\n%.600s\n%.600s", i, len(here), len(there), here[i], there[i])
			}
		}
		t.Fatalf("%d and %d flows", len(here), len(there))
	}
	if len(here) < 1000 || !slices.ContainsFunc(here, func(s string) bool { return strings.Contains(s, "faceCapture") }) {
		t.Errorf("%d flows", len(here))
	}
}

// TestApartBreaks: where the sink breaks, the engine does, and one that is discarded leaves nobody behind.
func TestApartBreaks(t *testing.T) {
	file := mixed(t, 2<<20)
	r, err := capture.OpenStream("x", bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	given, broken := 0, false
	func() {
		e := capture.New(capture.Options{Apart: true, Sink: func(*capture.Flow) {
			if given++; given == 300 {
				panic("at the three hundredth")
			}
		}})
		defer func() {
			v := recover()
			broken = v != nil && strings.Contains(fmt.Sprint(v), "three hundredth")
			e.Discard()
		}()
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			e.Packet(&p)
		}
		e.Close()
		t.Error("nothing broke")
	}()
	if !broken || given < 300 {
		t.Errorf("broken %v after %d flows", broken, given)
	}
}

// TestFlush: what was found is handed on when somebody asks for it, however little it is, and whoever asks.
func TestFlush(t *testing.T) {
	given := 0
	e := capture.New(capture.Options{Apart: true, Sink: func(*capture.Flow) { given++ }})
	r, err := capture.OpenStream("x", bytes.NewReader(mixed(t, 100<<10)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		p, err := r.Next()
		if err != nil {
			break
		}
		e.Packet(&p)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Flush()
	}()
	<-done
	before := given
	e.Close()
	e.Flush()
	if before == 0 || given <= before {
		t.Errorf("%d flows before the end, %d after it", before, given)
	}
}
