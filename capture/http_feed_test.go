package capture

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// said is what one side of a conversation sent, or a gap in it: of n bytes, or of unknown length where n is negative.
type said struct {
	up  bool
	b   string
	gap int64
}

func c2s(b string) said { return said{up: true, b: b} }
func s2c(b string) said { return said{b: b} }

// feeder is a framer in an engine of its own.
type feeder struct {
	e     *Engine
	c     *conn
	flows []string
}

func newFeeder(mk func(*conn) framer, mid bool) *feeder {
	f := &feeder{}
	f.e = New(Options{Buffer: 4 << 20, Sink: func(w *Flow) { f.flows = append(f.flows, show(w)) }})
	k := key{lo: netip.MustParseAddr("192.0.2.10").As16(), hi: netip.MustParseAddr("192.0.2.20").As16(), loPort: 50000, hiPort: 80, proto: protoTCP}
	f.c = &conn{e: f.e, key: k, mid: mid, at: time.Unix(1_000_000, 0), frame: 1}
	f.c.framer = mk(f.c)
	return f
}

// segment feeds one segment. Between two that change sides some time passes.
func (f *feeder) segment(up bool, b string) {
	f.c.at = f.c.at.Add(5 * time.Millisecond)
	f.c.frame++
	buf := []byte(b)
	f.c.framer.data(f.c, up == (f.c.client == lo), buf)
	for i := range buf {
		buf[i] = 0xAA // it is not kept
	}
}

func (f *feeder) lose(up bool, n int64) {
	up = up == (f.c.client == lo)
	f.c.framer.hole(f.c, up, max(0, n))
}

// end ends the conversation; everything that was reserved has to be back.
func (f *feeder) end(t fataler) []string {
	t.Helper()
	f.c.framer.end(f.c)
	if f.e.buffered != 0 {
		t.Fatalf("%d bytes are still reserved", f.e.buffered)
	}
	return f.flows
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func feed(t fataler, mk func(*conn) framer, mid bool, in []said, cut func(string) []string) []string {
	t.Helper()
	f := newFeeder(mk, mid)
	for _, s := range in {
		if s.gap != 0 {
			f.lose(s.up, s.gap)
			continue
		}
		for _, b := range cut(s.b) {
			f.segment(s.up, b)
		}
	}
	return f.end(t)
}

func uncut(s string) []string { return []string{s} }

func bytewise(s string) []string { return strings.Split(s, "") }

// pieces cuts anyhow, after a seed.
func pieces(seed uint64) func(string) []string {
	r := rand.New(rand.NewPCG(seed, 0))
	return func(s string) []string {
		var out []string
		for s != "" {
			n := min(len(s), 1+r.IntN([]int{1, 4, 64, 1460}[r.IntN(4)]))
			out, s = append(out, s[:n]), s[n:]
		}
		return out
	}
}

// show writes a flow as a line: who sent it, what it is, its body, what is missing.
func show(f *Flow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", map[bool]string{true: "> ", false: "< "}[f.FromHost])
	switch f.Proto {
	case ProtoPart:
		fmt.Fprintf(&b, "part")
		if f.Request != nil {
			fmt.Fprintf(&b, " [%s %s]", f.Request.Method, f.Request.Target)
		}
		if f.Answer != nil {
			fmt.Fprintf(&b, " [%d]", f.Answer.Status)
		}
		b.WriteString(" " + showPart(f.Part))
	case ProtoMetadata:
		fmt.Fprintf(&b, "metadata %q [%s]", short(f.Payload), f.Track)
	default:
		m := f.Answer
		if m == nil {
			m = f.Request
			fmt.Fprintf(&b, "%s %s", m.Method, m.Target)
		} else {
			fmt.Fprintf(&b, "%d", m.Status)
			if f.Request != nil {
				fmt.Fprintf(&b, " to %s %s", f.Request.Method, f.Request.Target)
				if f.Request.Body != nil || f.Request.Size != -1 {
					b.WriteString(" HAS A BODY")
				}
			}
		}
		fmt.Fprintf(&b, " %d", m.Size)
		if m.Body != nil {
			fmt.Fprintf(&b, " %q", short(m.Body))
		}
		for i := range m.Parts {
			b.WriteString(" " + showPart(&m.Parts[i]))
		}
	}
	if f.Cut != 0 {
		b.WriteString(" cut " + showCut(f.Cut))
	}
	return b.String()
}

func showPart(p *Part) string {
	s := fmt.Sprintf("(%s %s %d", p.Name, p.Header.Get("Content-Type"), p.Size)
	if p.Body != nil {
		s += fmt.Sprintf(" %q", short(p.Body))
	}
	if p.Cut != 0 {
		s += " cut " + showCut(p.Cut)
	}
	return s + ")"
}

func showCut(c Cut) string {
	var out []string
	for i, n := range []string{"hole", "snapped", "limit", "start", "end"} {
		if c.Has(1 << i) {
			out = append(out, n)
		}
	}
	return strings.Join(out, "+")
}

func short(b []byte) string {
	if len(b) > 120 {
		return fmt.Sprintf("%s…%d", b[:20], len(b))
	}
	return string(b)
}

// conversation is a case of a table: what both sides say, and the flows.
type conversation struct {
	name string
	mid  bool // its beginning was not seen: it is only known where a segment begins like a message
	in   []said
	want []string
}

// check feeds a conversation whole, byte by byte and cut anyhow.
func (v conversation) check(t *testing.T, mk func(*conn) framer) {
	t.Run(v.name, func(t *testing.T) {
		if diff := cmp.Diff(v.want, feed(t, mk, v.mid, v.in, uncut)); diff != "" {
			t.Fatalf("whole (-want +got):\n%s", diff)
		}
		if v.mid || v.gaps() || strings.HasPrefix(v.name, "astray: ") { // where a segment begins counts there
			return
		}
		if diff := cmp.Diff(v.want, feed(t, mk, v.mid, v.in, bytewise)); diff != "" {
			t.Fatalf("byte by byte (-want +got):\n%s", diff)
		}
		rapid.Check(t, func(r *rapid.T) {
			if diff := cmp.Diff(v.want, feed(r, mk, v.mid, v.in, pieces(rapid.Uint64().Draw(r, "seed")))); diff != "" {
				r.Fatalf("in pieces (-want +got):\n%s", diff)
			}
		})
	})
}

func (v conversation) gaps() bool {
	for _, s := range v.in {
		if s.gap != 0 {
			return true
		}
	}
	return false
}

// checkHoles leaves bytes out everywhere: every flow that is not cut has to be one of the whole conversation.
func (v conversation) checkHoles(t *testing.T, mk func(*conn) framer) {
	if strings.HasPrefix(v.name, "otherwise: ") || strings.HasPrefix(v.name, "astray: ") { // what says so is not seen then
		return
	}
	whole := map[string]bool{}
	for _, f := range feed(t, mk, v.mid, v.in, uncut) {
		whole[f] = true
		if _, after, ok := strings.Cut(f, " to "); ok { // whose request was not seen
			words := strings.SplitN(after, " ", 3)
			whole[strings.Replace(f, " to "+words[0]+" "+words[1], "", 1)] = true
		}
		if i := strings.LastIndex(f, " ["); strings.Contains(f, "metadata") { // whose session was not seen
			whole[f[:i]+" []"] = true
		}
		if strings.Contains(f, "part [") { // whose heads were not seen
			if _, after, ok := strings.Cut(f, "] ["); ok {
				whole[f[:2]+"part ["+after] = true
			}
			whole[f[:2]+"part "+f[strings.LastIndex(f[:strings.Index(f, "(")], "]")+2:]+" cut hole"] = true
		}
	}
	for i, s := range v.in {
		for from := 0; from < len(s.b); from += 1 + len(s.b)/60 {
			for _, n := range []int{1, 40} {
				to := min(len(s.b), from+n)
				for _, gap := range []int64{-1, int64(to - from)} {
					in := append([]said{}, v.in[:i]...)
					in = append(in, said{up: s.up, b: s.b[:from]}, said{up: s.up, gap: gap}, said{up: s.up, b: s.b[to:]})
					in = append(in, v.in[i+1:]...)
					for _, f := range feed(t, mk, v.mid, in, uncut) {
						if !whole[f] && !strings.Contains(f, " cut ") {
							t.Fatalf("%s: %d bytes missing at %d of %d (%d):\n got %s\nof %v", v.name, to-from, from, i, gap, f, whole)
						}
					}
				}
			}
		}
	}
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// jpeg is a made-up picture: its first bytes, and line ends and dashes in it.
func jpeg(n int) string {
	return "\xff\xd8\xff\xe0\x00\x10JFIF\x00" + strings.Repeat("\r\n--\n-\x01\xd9x", n/9)[:n-11]
}
