package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/rules"
)

// says is a made-up module: a datagram to port 37020 shows what its payload names, and "boom" breaks it. What it derives from
// "absent" no capture can show.
func says() probe.Module {
	return probe.Module{Name: "says", Needs: audit.PermitQuery, Facts: probe.FaceFacts(), Hears: []capture.Proto{capture.ProtoUDP},
		Wants: func(audit.Target) bool { return false },
		Dissect: func(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
			text := string(f.Payload)
			switch text {
			case "boom":
				panic("the payload broke it")
			case "wrong":
				return nil, errors.New("not the protocol")
			}
			data, _ := json.Marshal(text)
			return []audit.Observation{{Kind: "heard:" + strings.SplitN(text, " ", 2)[0], Class: audit.ClassLive, Endpoint: netip.AddrPortFrom(f.Client.Addr.Addr(), 0), Status: audit.OK,
				Identity: &audit.Identity{Kind: audit.KindCamera, Vendor: "Lanting"}, Data: data}}, nil
		},
		Derive: func(o audit.Observation) ([]audit.Fact, error) {
			switch o.Kind {
			case "heard:face":
				return []audit.Fact{audit.NewFact(audit.FactName(audit.Analyse, audit.Active), "", true), audit.NewFact(audit.FactName(audit.Detect, audit.Active), "", true)}, nil
			case "heard:absent":
				out := []audit.Fact{audit.NewFact(probe.FactEnumerated, "", true)}
				for _, f := range audit.Functions() {
					out = append(out, audit.NewFact(audit.FactName(f, audit.Capable), "", false), audit.NewFact(audit.FactName(f, audit.Configured), "", false))
				}
				return out, nil
			}
			return nil, nil
		}}
}

// claimsMAC is a made-up module of the name whose claims of hardware addresses are weighed.
func claimsMAC() probe.Module {
	return probe.Module{Name: claims, Hears: []capture.Proto{capture.ProtoARP}, Needs: audit.PermitListen, Wants: func(audit.Target) bool { return false },
		Dissect: func(_ probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
			a, _ := netip.AddrFromSlice(f.Payload[14:18])
			mac := fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", f.Payload[8], f.Payload[9], f.Payload[10], f.Payload[11], f.Payload[12], f.Payload[13])
			return []audit.Observation{{Kind: "heard:arp", Class: audit.ClassInventory, Endpoint: netip.AddrPortFrom(a, 0), Status: audit.OK, Identity: &audit.Identity{MACs: []string{mac}}}}, nil
		},
		Derive: func(audit.Observation) ([]audit.Fact, error) { return nil, nil }}
}

const multicast = "239.255.255.250:37020"

func fileOf(t *testing.T, id string, pcap []byte) Capture {
	t.Helper()
	f, err := capture.OpenFile("-", bytes.NewReader(pcap))
	if err != nil {
		t.Fatal(err)
	}
	return Capture{ID: id, Name: id + ".pcap", Source: f}
}

func listener0(t *testing.T, permit audit.Permit) *guard.Guard {
	t.Helper()
	g, err := guard.New(guard.Config{Authority: guardtest.Authority("192.0.2.0/24", "127.0.0.0/8"), Permit: permit})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func shopFile() *audit.SiteFile {
	return &audit.SiteFile{Site: audit.Site{ID: "SH-1", Name: "店", Venue: "mall", Jurisdiction: []string{"CN"}}, Authority: guardtest.Authority("192.0.2.0/24", "127.0.0.0/8"),
		Inventory: []audit.InventoryEntry{{ID: "CAM-01", Address: "192.0.2.21"}, {ID: "CAM-02", Address: "192.0.2.22"}}}
}

func hear(t *testing.T, o Options, captures ...Capture) Gathered {
	t.Helper()
	if o.Guard == nil {
		o.Guard = listener0(t, audit.PermitListen)
	}
	if o.Site == nil {
		o.Site = shopFile()
	}
	if o.Modules == nil {
		o.Modules = []probe.Module{says(), claimsMAC()}
	}
	o.Captures = captures
	return Run(t.Context(), o)
}

func heardOnly(g Gathered) (out []audit.Observation) {
	for _, o := range g.Observations {
		if overheard(o) {
			out = append(out, o)
		}
	}
	return out
}

func coverageAt(cs []audit.Coverage, target, module string, s audit.CoverageStatus, id string) bool {
	mark := strings.SplitN(msg.Text(id).EN, "%", 2)[0]
	return slices.ContainsFunc(cs, func(c audit.Coverage) bool {
		return c.Target == target && c.Module == module && c.Status == s && (mark != "" && strings.HasPrefix(c.Detail.EN, mark) || mark == "" && c.Detail.EN != "")
	})
}

// TestOverheardIsAddedUp: what shows the same becomes one observation with its first and its last packet.
func TestOverheardIsAddedUp(t *testing.T) {
	c := capturetest.New()
	for range 500 {
		c.UDP("192.0.2.21:5000", multicast, []byte("face age"))
		c.UDP("192.0.2.22:5000", multicast, []byte("face age"))
		c.UDP("198.51.100.7:5000", multicast, []byte("face age"))
	}
	g := hear(t, Options{}, fileOf(t, "c1", c.PCAP()))
	got := heardOnly(g)
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	o := got[0]
	if o.Locus != "192.0.2.21" || o.Module != "says" || o.Seen.Count != 500 || !slices.Equal(o.Evidence, []string{"capture:c1#1", "capture:c1#1498"}) ||
		!o.At.Equal(c.Now.Add(-1500*c.Step)) || !o.Until.Equal(c.Now.Add(-3*c.Step).Truncate(time.Millisecond)) {
		t.Errorf("%+v %+v", o, *o.Seen)
	}
	if !g.Complete {
		t.Errorf("not complete: %s", g.Why.EN)
	}
	if r := g.Captures[0]; r.Totals.Outside != 500 || r.Packets != 1500 || r.Format != "pcap" || len(r.SHA256) != 64 || !r.Whole || !slices.Equal(r.Shows, []string{"says"}) {
		t.Errorf("%+v", r)
	}
	if !coverageAt(g.Coverage, "c1.pcap", captureModule, audit.Tried, "listen.outside") || !coverageAt(g.Coverage, "192.0.2.21", "says", audit.Overheard, "listen.device") {
		t.Errorf("%+v", g.Coverage)
	}
}

// TestOverheardIsBounded: one device cannot fill the report with things it says, and the coverage says that more was said.
func TestOverheardIsBounded(t *testing.T) {
	c := capturetest.New()
	for i := range 200 {
		c.UDP("192.0.2.21:5000", multicast, []byte(fmt.Sprintf("face %d", i)))
	}
	c.UDP("192.0.2.22:5000", multicast, []byte("face 1"))
	g := hear(t, Options{}, fileOf(t, "c1", c.PCAP()))
	if n := len(heardOnly(g)); n != mostDistinct+1 {
		t.Errorf("%d observations", n)
	}
	if !slices.ContainsFunc(g.Coverage, func(c audit.Coverage) bool {
		return c.Status == audit.Partial && c.Detail == msg.Text("listen.distinct", int64(136))
	}) {
		t.Errorf("%+v", g.Coverage)
	}
}

// TestDissectorBreaks: a module that breaks costs what that flow would have shown, and its own coverage.
func TestDissectorBreaks(t *testing.T) {
	c := capturetest.New()
	for _, s := range []string{"face a", "boom", "wrong", "boom", "face a"} {
		c.UDP("192.0.2.21:5000", multicast, []byte(s))
	}
	var mac [6]byte
	copy(mac[:], "\x02abcde")
	c.ARP(mac, netip.MustParseAddr("192.0.2.22"))
	g := hear(t, Options{}, fileOf(t, "c1", c.PCAP()))
	got := heardOnly(g)
	if len(got) != 2 || got[0].Seen.Count != 2 || !g.Complete {
		t.Errorf("%+v", got)
	}
	var failed int
	for _, x := range g.Coverage {
		if x.Status == audit.Failed {
			failed++
			if x.Module != "says" || !strings.Contains(x.Detail.EN, "failed on 2 flows") {
				t.Errorf("%+v", x)
			}
		}
	}
	if failed != 1 || g.Captures[0].Totals.Malformed != 1 {
		t.Errorf("%d failures, %+v", failed, g.Captures[0])
	}
}

// TestProxyARP: a hardware address that claims more addresses than a device has is nobody's; the claims stand.
func TestProxyARPOverheard(t *testing.T) {
	c := capturetest.New()
	router, camera := [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
	for i := range mostClaimed + 1 {
		c.ARP(router, netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)}))
	}
	for i := range mostClaimed {
		c.ARP(camera, netip.AddrFrom4([4]byte{192, 0, 2, byte(50 + i)}))
	}
	g := hear(t, Options{}, fileOf(t, "c1", c.PCAP()))
	macs := map[string]int{}
	for _, o := range heardOnly(g) {
		macs[strings.Join(o.Identity.MACs, " ")]++
	}
	if want := map[string]int{"": mostClaimed + 1, "02:00:00:00:00:02": mostClaimed}; !reflect.DeepEqual(macs, want) {
		t.Errorf("%v", macs)
	}
}

// TestListeningIsDeterministic: captures that are read at the same time give the same result in every run.
func TestListeningIsDeterministic(t *testing.T) {
	var files [][]byte
	for k := range 5 {
		c := capturetest.New()
		for i := range 3000 {
			c.UDP(fmt.Sprintf("192.0.2.%d:5000", 1+(i*7+k)%90), multicast, []byte(fmt.Sprintf("face %d", i%70)))
		}
		files = append(files, c.PCAP())
	}
	site := shopFile()
	run := func() Gathered {
		var cs []Capture
		for i, f := range files {
			cs = append(cs, fileOf(t, fmt.Sprintf("c%d", i+1), f))
		}
		g := hear(t, Options{Site: site}, cs...)
		slices.SortFunc(g.Coverage, compareCoverage)
		return g
	}
	first := run()
	for range 3 {
		again := run()
		for name, same := range map[string]bool{"observations": reflect.DeepEqual(first.Observations, again.Observations), "coverage": reflect.DeepEqual(first.Coverage, again.Coverage),
			"captures": reflect.DeepEqual(first.Captures, again.Captures)} {
			if !same {
				t.Errorf("two runs differ in their %s", name)
			}
		}
	}
	if !slices.ContainsFunc(first.Coverage, func(c audit.Coverage) bool { return c.Detail == msg.Text("listen.twice", "c1.pcap") }) {
		t.Error("nothing says that the captures tell of the same time")
	}
}

// broken is a source that breaks, waits or fails after some packets.
type brokenSource struct {
	after   int
	then    func() error
	n       atomic.Int64
	frame   []byte
	closed  chan struct{}
	waiting bool
}

func (b *brokenSource) Next() (capture.Packet, error) {
	n := int(b.n.Add(1))
	if n > b.after {
		if err := b.then(); err != nil {
			return capture.Packet{}, err
		}
	}
	return capture.Packet{Data: b.frame, Length: len(b.frame), Link: 1, At: time.Date(2026, 11, 2, 2, 0, 0, n, time.UTC), Number: n}, nil
}

func (b *brokenSource) Losses() (int64, int64) { return b.n.Load() + 7, 7 }

func (b *brokenSource) Close() error {
	if b.closed != nil && !b.waiting {
		close(b.closed)
	}
	return nil
}

func oneFrame(payload string) []byte {
	c := capturetest.New()
	c.UDP("192.0.2.21:5000", multicast, []byte(payload))
	return c.PCAP()[24+16:]
}

// TestSourceEnds: however a capture ends, what was read is judged, and the coverage says how it ended.
func TestSourceEnds(t *testing.T) {
	cut := errors.New("the file ends inside it")
	for _, c := range []struct {
		name     string
		after    int
		then     func(n *int) error
		status   audit.CoverageStatus
		id       string
		complete bool
	}{
		{"cut", 5, func(*int) error { return cut }, audit.Partial, "listen.cut", true},
		{"nothing can be read", 0, func(*int) error { return cut }, audit.Failed, "listen.unreadable", false},
		{"empty", 0, func(*int) error { return io.EOF }, audit.NotObserved, "listen.empty", false},
		{"breaks once", 5, func(n *int) error {
			if *n++; *n == 1 {
				panic("a packet broke it")
			} else if *n > 3 {
				return io.EOF
			}
			return nil
		}, audit.Failed, "listen.broken", true},
		{"breaks for ever", 5, func(*int) error { panic("a packet broke it") }, audit.Failed, "listen.broken.end", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			src := &brokenSource{after: c.after, then: func() error { return c.then(&n) }, frame: oneFrame("face a")}
			g := hear(t, Options{}, Capture{ID: "c1", Name: "x.pcap", Source: src})
			if !coverageAt(g.Coverage, "x.pcap", captureModule, c.status, c.id) || g.Complete != c.complete || g.Captures[0].Whole {
				if c.name != "empty" {
					t.Errorf("complete %v, %+v", g.Complete, g.Coverage)
				}
			}
			if got := heardOnly(g); c.after > 0 && (len(got) != 1 || got[0].Seen.Count < c.after) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestStopping: the end of the context ends reading soon, whatever the source does, and what was read is kept.
func TestStopping(t *testing.T) {
	forever := make(chan struct{})
	for _, c := range []struct {
		name     string
		live     bool
		early    bool
		src      func() *brokenSource
		complete bool
		status   audit.CoverageStatus
	}{
		{"a file", false, false, func() *brokenSource { return &brokenSource{after: 1 << 60} }, false, audit.Stopped},
		{"an interface that is to be listened on for its time", true, false, func() *brokenSource {
			s := &brokenSource{after: 3, closed: make(chan struct{})}
			s.then = func() error { <-s.closed; return errors.New("closed") }
			return s
		}, false, audit.Stopped},
		{"an interface that may be left", true, true, func() *brokenSource {
			s := &brokenSource{after: 3, closed: make(chan struct{})}
			s.then = func() error { <-s.closed; return errors.New("closed") }
			return s
		}, true, audit.Tried},
		{"one that never ends", false, false, func() *brokenSource {
			s := &brokenSource{after: 3, waiting: true}
			s.then = func() error { <-forever; return io.EOF }
			return s
		}, false, audit.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			src := c.src()
			src.frame = oneFrame("face a")
			name := "x.pcap"
			if c.live {
				name = "lo"
			}
			time.AfterFunc(300*time.Millisecond, cancel)
			began := time.Now()
			g := Run(ctx, Options{Site: shopFile(), Guard: listener0(t, audit.PermitListen), Modules: []probe.Module{says()},
				Captures: []Capture{{ID: "c1", Name: name, Source: src, Live: c.live, Early: c.early, For: time.Minute * time.Duration(b2i(c.live))}}})
			if took := time.Since(began); took > 3*stopping {
				t.Errorf("it took %v", took)
			}
			if g.Complete != c.complete || len(heardOnly(g)) != 1 || heardOnly(g)[0].Seen.Count < 3 {
				t.Errorf("complete %v (%s), %+v", g.Complete, g.Why.EN, heardOnly(g))
			}
			if !slices.ContainsFunc(g.Coverage, func(x audit.Coverage) bool {
				return x.Target == name && x.Module == captureModule && x.Status == c.status
			}) {
				t.Errorf("%+v", g.Coverage)
			}
		})
	}
	t.Cleanup(func() { close(forever) })
}

// TestListeningLive: an interface is listened on for its time, the losses are the system's, and an interface the authority does not
// cover is not.
func TestListeningLive(t *testing.T) {
	t.Parallel()
	src := &brokenSource{after: 3, closed: make(chan struct{}), frame: oneFrame("face a")}
	src.then = func() error { <-src.closed; return errors.New("closed") }
	other := &brokenSource{frame: oneFrame("face a"), then: func() error { return io.EOF }}
	g := listener0(t, audit.PermitListen)
	got := hear(t, Options{Guard: g}, Capture{ID: "c1", Name: "lo", Source: src, Live: true, For: 400 * time.Millisecond}, Capture{ID: "c2", Name: "nic7", Source: other, Live: true})
	r := got.Captures[0]
	if !got.Complete || !r.Whole || r.Seconds < 0.3 || r.Seconds > 3 || r.Totals.Dropped != 7 || !slices.Equal(got.Interfaces, []string{"lo"}) {
		t.Errorf("complete %v %v, %+v", got.Complete, got.Interfaces, r)
	}
	for _, x := range []struct {
		target string
		status audit.CoverageStatus
		id     string
	}{{"lo", audit.Tried, "listen.live"}, {"lo", audit.Partial, "listen.dropped"}, {"nic7", audit.DeniedByUs, "listen.refused"}} {
		if !coverageAt(got.Coverage, x.target, captureModule, x.status, x.id) {
			t.Errorf("no %s of %s in %+v", x.id, x.target, got.Coverage)
		}
	}
	if other.n.Load() > 0 {
		t.Error("an interface that is not there was read")
	}
}

// TestSilenceIsNoProof: a run that only listens states that something is, and never that something is not.
func TestSilenceIsNoProof(t *testing.T) {
	c := capturetest.New()
	for range 20 {
		c.UDP("192.0.2.21:5000", multicast, []byte("absent"))
		c.UDP("192.0.2.23:5000", multicast, []byte("absent"))
	}
	file := shopFile()
	yes := true
	file.Survey = &audit.Survey{Complete: true, Cameras: []audit.CameraCount{{Zone: "Z1", Count: 9}}}
	file.ServerSide = &audit.ServerSide{Attested: true, Analyses: new(bool)}
	_ = yes
	g := hear(t, Options{Site: file}, fileOf(t, "c1", c.PCAP()))
	packs, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Assemble(Record{Site: *file, Observations: g.Observations, Coverage: g.Coverage, Captures: g.Captures,
		Run: audit.Run{Permit: audit.PermitListen, Complete: g.Complete}}, []probe.Module{says(), claimsMAC()}, packs)
	if err != nil {
		t.Fatal(err)
	}
	if r.Recall != nil {
		t.Errorf("an estimate: %+v", r.Recall)
	}
	for _, f := range r.Facts {
		if f.Value.V == false && strings.HasPrefix(f.Name, "face.") || f.Name == factAbsentees || f.Name == factMissing || f.Name == factFound && f.Value.V == false {
			t.Errorf("stated: %+v", f)
		}
	}
	for _, d := range r.Devices {
		for f, s := range d.Face {
			if s.Level != audit.Unknown {
				t.Errorf("%s: %s is %s", d.ID, f, s.Level)
			}
		}
		for _, l := range d.Looked {
			if l.Unknown || len(l.Asked) > 0 {
				t.Errorf("%s: %+v", d.ID, l)
			}
		}
	}
	for _, f := range r.Findings {
		if f.Outcome == audit.Conforms && f.Severity != audit.Info {
			t.Errorf("conforms: %s %s", f.Rule, f.Message.EN)
		}
	}
	v := report.Build(r)
	if clean, _ := v.Clean(); clean || !strings.Contains(v.Lead.EN, "overheard") {
		t.Errorf("clean %v: %s", clean, v.Lead.EN)
	}
	if !coverageAt(r.Coverage, "192.0.2.22", "inventory", audit.NotObserved, "listen.unheard") {
		t.Errorf("%+v", r.Coverage)
	}
}

// TestCaptureOfAnotherTime: what a file shows is judged at the time it tells of, and shows nothing of who is there now.
func TestCaptureOfAnotherTime(t *testing.T) {
	c := capturetest.New()
	c.Now = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for range 3 {
		c.UDP("192.0.2.21:5000", multicast, []byte("face age"))
	}
	file := shopFile()
	g := hear(t, Options{Site: file}, fileOf(t, "c1", c.PCAP()))
	if !coverageAt(g.Coverage, "c1.pcap", captureModule, audit.Partial, "listen.validity") {
		t.Errorf("nothing says that the packets lie outside the authority's validity: %+v", g.Coverage)
	}
	rec := Record{Site: *file, Observations: g.Observations, Coverage: g.Coverage, Captures: g.Captures, Run: audit.Run{Permit: audit.PermitListen, Complete: true}}
	r, err := Assemble(rec, []probe.Module{says(), claimsMAC()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Window.From.Equal(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)) || r.AsOf.Month() != time.March {
		t.Errorf("judged as of %v, window %v", r.AsOf, r.Window)
	}
	if d := r.Devices[0]; d.Inventory != "CAM-01" || d.Face[audit.Analyse].Level != audit.Active || !slices.Contains(d.Sources, captureModule) {
		t.Errorf("%+v", d)
	}
	rec.Run.Permit = audit.PermitDiscover
	in, err := Input(rec, []probe.Module{says(), claimsMAC()})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, f := range in.Facts {
		if l, ok := f.Value.V.([]string); ok && f.Name == factAbsentees {
			for _, id := range l {
				missing[id] = true
			}
		}
	}
	if !missing["CAM-01"] || !missing["CAM-02"] {
		t.Errorf("missing is %v: an old capture stands for a camera that does not answer", missing)
	}
	rec.Captures[0].Live = true
	in, err = Input(rec, []probe.Module{says(), claimsMAC()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range in.Facts {
		if l, ok := f.Value.V.([]string); ok && f.Name == factAbsentees && slices.Contains(l, "CAM-01") {
			t.Error("a camera that was heard in the run is missing")
		}
	}
}

// TestStations: a capture says whether it shows frames between others.
func TestStations(t *testing.T) {
	frame := func(dst, src byte) *capture.Packet {
		return &capture.Packet{Link: 1, Data: append([]byte{2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src}, make([]byte, 40)...)}
	}
	group := &capture.Packet{Link: 1, Data: append([]byte{255, 255, 255, 255, 255, 255}, make([]byte, 40)...)}
	for name, c := range map[string]struct {
		see  func(s *stations)
		want sight
	}{
		"nothing": {func(*stations) {}, unsure},
		"broadcast": {func(s *stations) {
			for range 30 {
				s.see(group)
			}
		}, onlyGroups},
		"own traffic, and a frame the switch flooded": {func(s *stations) {
			for i := range 100 {
				s.see(frame(1, byte(2+i%5)))
			}
			s.see(frame(8, 9))
		}, onlyOne},
		"a mirror": {func(s *stations) {
			for i := range 10000 {
				s.see(frame(byte(1+i%3), byte(10+i%7)))
			}
		}, several},
		"few": {func(s *stations) { s.see(frame(1, 2)) }, unsure},
	} {
		var s stations
		c.see(&s)
		if got := s.kind(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestNumbers: what is more than nothing is never shown as nothing.
func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{share(0, 5): "0 %", share(1, 100000): "< 0.1 %", share(99999, 100000): "> 99.9 %", share(5, 5): "100 %", share(1, 3): "33.3 %",
		size(999): "999 B", size(1000): "1.0 kB", size(1_234_567): "1.2 MB", size(999_950): "1.0 MB"} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
