package probetest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/probe"
)

// Heard is what a module made of a capture.
type Heard struct {
	Observations []audit.Observation // those that show the same are one, in the order of their first flow; Seen is set
	Facts        []string            // "address name [key] = value", sorted, without repeats
	Broken       int                 // flows it returned an error for
}

// Hear plays a capture to a module that knows of 192.0.2.0/24 as the perimeter. It holds what every dissector owes: kinds and
// facts that it may state, nothing that says no, observations that can be read back, and the same result from the same flow again.
func Hear(t testing.TB, m probe.Module, c *capturetest.Capture) Heard {
	t.Helper()
	var h Heard
	at := map[string]int{}
	flows := 0
	hearing := probe.Hearing{Inside: netip.MustParsePrefix("192.0.2.0/24").Contains}
	e := capture.New(capture.Options{Sink: func(f *capture.Flow) {
		if !slices.Contains(m.Hears, f.Proto) {
			return
		}
		os, err := m.Dissect(hearing, f)
		if err != nil {
			h.Broken++
		}
		for _, o := range os {
			b := text(t, o)
			i, ok := at[b]
			if !ok {
				i, at[b] = len(h.Observations), len(h.Observations)
				o.Seen, o.At, o.Until = &audit.Seen{}, f.At, f.Until
				h.Observations = append(h.Observations, o)
			}
			h.Observations[i].Seen.Count++
			h.Observations[i].Until = f.Until
		}
		if flows++; flows <= 100 {
			again, _ := m.Dissect(hearing, f)
			if text(t, again) != text(t, os) {
				t.Errorf("heard again, it is another thing: %s and %s", text(t, os), text(t, again))
			}
		}
	}})
	c.Play(e)
	e.Close()
	for _, o := range h.Observations {
		h.Facts = append(h.Facts, h.derive(t, m, o)...)
	}
	slices.Sort(h.Facts)
	h.Facts = slices.Compact(h.Facts)
	return h
}

func (h Heard) derive(t testing.TB, m probe.Module, o audit.Observation) (out []string) {
	t.Helper()
	if o.Module != m.Name || !strings.HasPrefix(o.Kind, probe.Heard) || o.Status != audit.OK || o.Class == "" || !o.Endpoint.IsValid() {
		t.Errorf("an incomplete observation: %+v", o)
	}
	b, err := json.Marshal(o)
	var read audit.Observation
	if err != nil || json.Unmarshal(b, &read) != nil {
		t.Errorf("%+v cannot be read back: %v", o, err)
	}
	facts, err := m.Derive(read)
	if err != nil {
		t.Errorf("%s: %v", b, err)
	}
	for _, f := range facts {
		if !slices.ContainsFunc(m.Facts, func(s audit.FactSpec) bool { return s.Name == f.Name }) {
			t.Errorf("%s states %s, which is none of its facts", m.Name, f.Name)
		}
		if f.Value.V == false || f.Name == probe.FactEnumerated {
			t.Errorf("%s %s = %v from what was overheard", f.Name, f.Key, f.Value.V)
		}
		key := ""
		if f.Key != "" {
			key = " [" + f.Key + "]"
		}
		out = append(out, fmt.Sprintf("%s %s%s = %v", o.Endpoint.Addr(), f.Name, key, f.Value.V))
	}
	return out
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// String is everything that is kept.
func (h Heard) String() string {
	b, err := json.Marshal(h.Observations)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Names lists the facts by name alone, without the address.
func (h Heard) Names() []string {
	var out []string
	for _, f := range h.Facts {
		out = append(out, strings.Fields(f)[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Kinds lists the kinds of the observations with their address, in order.
func (h Heard) Kinds() []string {
	var out []string
	for _, o := range h.Observations {
		out = append(out, o.Endpoint.Addr().String()+" "+strings.TrimPrefix(o.Kind, probe.Heard))
	}
	return out
}

// Shows fails the test where the facts are others, or where one of the secrets was kept.
func (h Heard) Shows(t testing.TB, facts, secrets []string) {
	t.Helper()
	if d := cmp.Diff(slices.Sorted(slices.Values(facts)), h.Facts); d != "" {
		t.Error(d)
	}
	for _, s := range secrets {
		if strings.Contains(h.String(), s) {
			t.Errorf("%s is kept: %s", s, h)
		}
	}
}

// Post is a request that brings a text.
func Post(target, media, body string, more ...string) []byte {
	return []byte("POST " + target + " HTTP/1.1\r\nHost: 192.0.2.5\r\nContent-Type: " + media + "\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n" + strings.Join(append(more, ""), "\r\n") + "\r\n" + body)
}

// Answer is an answer with a text.
func Answer(status int, media, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, media, len(body), body)
}

// Exchanges adds one conversation: what each side says in turn, the client first.
func Exchanges(c *capturetest.Capture, client, server string, said ...[]byte) {
	conn := c.Connect(client, server)
	for i, b := range said {
		if i%2 == 0 {
			conn.Up(b)
		} else {
			conn.Down(b)
		}
	}
	conn.Close()
	c.Now = c.Now.Add(time.Second)
}

// Cuts holds that a capture of which parts are missing never shows more than the whole: for snap lengths, for ends at every n-th
// packet, and for losses, every fact is one of those the whole showed.
func Cuts(t *testing.T, m probe.Module, build func() *capturetest.Capture) {
	t.Helper()
	whole := Hear(t, m, build())
	if len(whole.Facts) == 0 {
		t.Error("the whole shows nothing")
	}
	check := func(how string, c *capturetest.Capture) {
		for _, f := range Hear(t, m, c).Facts {
			if strings.Contains(f, probe.FactLiveMessages) {
				continue
			}
			if !slices.Contains(whole.Facts, f) && !partOf(whole.Facts, f) {
				t.Errorf("%s: %s", how, f)
			}
		}
	}
	for _, n := range []int{64, 96, 128, 200, 256, 400, 600, 800, 1000, 1200, 1400} {
		c := build()
		c.Snap(n)
		check(fmt.Sprintf("cut to %d bytes", n), c)
	}
	for seed := range uint64(60) {
		c := build()
		c.Lose(0.05+float64(seed%5)*0.1, seed)
		check(fmt.Sprintf("losses %d", seed), c)
		c = build()
		c.Shuffle(3, seed)
		c.Lose(0.1, seed)
		check(fmt.Sprintf("losses out of order %d", seed), c)
	}
	for n := range build().Len() {
		check(fmt.Sprintf("the first %d packets", n), first(build(), n))
	}
}

// partOf reports a fact that lists some of what a fact of the whole lists: "192.0.2.25 face.attributes.active = [gender]".
func partOf(whole []string, f string) bool {
	name, list, ok := strings.Cut(f, " = [")
	if !ok {
		return false
	}
	words := strings.Fields(strings.TrimSuffix(list, "]"))
	return slices.ContainsFunc(whole, func(w string) bool {
		all, ok := strings.CutPrefix(w, name+" = [")
		return ok && !slices.ContainsFunc(words, func(word string) bool { return !slices.Contains(strings.Fields(strings.TrimSuffix(all, "]")), word) })
	})
}

func first(c *capturetest.Capture, n int) *capturetest.Capture {
	out := capturetest.New()
	for frame := range c.Frames() {
		if out.Len() < n {
			out.Add(frame)
		}
	}
	return out
}

// Conversation is what two sides say, for fuzzing.
type Conversation struct{ Up, Down []byte }

// FuzzHear holds what Hear holds for whatever two sides of a conversation say.
func FuzzHear(f *testing.F, m probe.Module, seeds ...Conversation) {
	for _, s := range seeds {
		f.Add(s.Up, s.Down, false)
		f.Add(s.Up, s.Down, true)
	}
	f.Fuzz(func(t *testing.T, up, down []byte, late bool) {
		c := capturetest.New()
		conn := c.Join("192.0.2.21:40000", "192.0.2.5:80")
		if !late {
			conn = c.Connect("192.0.2.21:40000", "192.0.2.5:80")
		}
		conn.Up(up[:min(len(up), 64<<10)]).Down(down[:min(len(down), 64<<10)])
		conn.Close()
		Hear(t, m, c)
	})
}
