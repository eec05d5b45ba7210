package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/scan"
)

// street opens a shop and writes a site file for it: its devices and the last addresses of its street are the perimeter, and
// the inventory lists the first device and one that is not there.
func street(t *testing.T, permit string, devices ...lab.Spec) (shop *lab.Shop, siteFile string) {
	t.Helper()
	// A seed and addresses of its own: devices of another test's shop, which answer the same multicast, must not say that they
	// are these.
	now := time.Now().UnixNano()
	for i := range devices {
		devices[i].MAC = fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", byte(now>>32), byte(now>>24), byte(now>>16), byte(now>>8), i)
	}
	shop = labtest.Open(t, lab.Config{Multicast: true, Devices: devices, Seed: now})
	var perimeter []string
	for _, p := range append(shop.Perimeter(), netip.PrefixFrom(beside(shop, 248), 29)) {
		perimeter = append(perimeter, p.String())
	}
	siteFile = filepath.Join(t.TempDir(), "site.yaml")
	writeFile(t, siteFile, siteYAML(strings.Join(perimeter, ", "), permit, "env:LAB_LOGIN",
		[]string{shop.Devices()[0].Addr.String(), beside(shop, 252).String()}))
	return shop, siteFile
}

// beside is an address of the shop's street that no device has.
func beside(shop *lab.Shop, host byte) netip.Addr {
	a := shop.Devices()[0].Addr.Addr().As4()
	a[3] = host
	return netip.AddrFrom4(a)
}

// ofStreet drops devices of other shops, which answer a multicast on this machine too.
func ofStreet(shop *lab.Shop, ds []foundDevice) []foundDevice {
	here := netip.PrefixFrom(shop.Devices()[0].Addr.Addr(), 24).Masked()
	return slices.DeleteFunc(slices.Clone(ds), func(d foundDevice) bool { return !here.Contains(d.address()) })
}

func TestDiscover(t *testing.T) {
	shop, site := street(t, "sample", lab.OpenCamera("open"), lab.Recorder("recorder"), lab.Escapes("escapes"), lab.WSSEOnly("locked"))
	dir := t.TempDir()
	t.Chdir(dir)
	r := mingshi(t.Context(), map[string]string{"LAB_LOGIN": "viewer:hunter2"}, "discover", "--site", site, "--for", "1s", "--json")
	if r.code != exitDone {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	var got discovered
	dec := json.NewDecoder(strings.NewReader(r.out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if got.Schema != "mingshi.discover/v1" || got.Site.ID != "T-1" || !got.Complete || got.Window.From.IsZero() || got.Window.To.Before(got.Window.From) || len(got.Coverage) == 0 {
		t.Errorf("%+v", got)
	}
	ours := ofStreet(shop, got.Devices)
	if !slices.IsSortedFunc(got.Devices, compareFound) || len(ours) != 5 {
		t.Fatalf("%d devices: %+v", len(ours), ours)
	}
	open, recorder, absent := ours[0], ours[1], ours[4]
	if spec := shop.Devices()[0].Spec; open.Vendor != spec.Maker || open.Model != spec.Model || open.Firmware != spec.Firmware || open.Inventory != "CAM-01" || !open.Found ||
		open.Kind != audit.KindCamera || !slices.Contains(open.Sources, "ws-discovery") || open.FirstSeen == "" || !slices.Contains(open.protocols(), "onvif") {
		t.Errorf("the open camera is %+v", open)
	}
	if recorder.Model != shop.Devices()[1].Spec.Model || recorder.Inventory != "" || !recorder.Found {
		t.Errorf("the recorder is %+v", recorder)
	}
	if absent.Found || absent.Inventory != "CAM-02" || absent.FirstSeen != "" {
		t.Errorf("the camera nobody heard is %+v", absent)
	}
	for _, q := range shop.Requests() {
		if q.Login != lab.LoginNone && q.Login != "" || sampled(q.What) {
			t.Errorf("%s was asked %s (login %s)", q.Device, q.What, q.Login)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
	for _, want := range []string{"ws-discovery", "tcp-connect", "onvif", absent.Addresses[0], "devices found"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("the summary does not speak of %q:\n%s", want, r.err)
		}
	}
}

func TestDiscoverTable(t *testing.T) {
	_, site := street(t, "query", lab.OpenCamera("open"), lab.Escapes("escapes"))
	for lang, want := range map[string][]string{
		"zh": {"厂商", "摄像机", "CAM-02（未找到）", "未列入"},
		"en": {"maker", "camera", "CAM-02 (not found)", "not listed"},
	} {
		r := mingshi(t.Context(), nil, "discover", "--site", site, "--for", "700ms", "--lang", lang)
		if r.code != exitDone {
			t.Errorf("%s: exit %d\n%s", lang, r.code, r.err)
		}
		for _, w := range want {
			if !strings.Contains(r.out, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, r.out)
			}
		}
		for _, bad := range []string{"\x1b", "\u202e", "\u009b", "\r"} {
			if strings.Contains(r.out+r.err, bad) {
				t.Errorf("%s: the terminal was sent %q", lang, bad)
			}
		}
		if chinese := strings.ContainsFunc(r.err, func(c rune) bool { return unicode.Is(unicode.Han, c) }); chinese != (lang == "zh") {
			t.Errorf("%s: %s", lang, r.err)
		}
	}
}

// TestDiscoverPorts: --ports are the sweep's, all of them and no others.
func TestDiscoverPorts(t *testing.T) {
	shop, site := street(t, "query", lab.OpenCamera("open"))
	port := serve(t, beside(shop, 250), 0)
	r := mingshi(t.Context(), nil, "discover", "--site", site, "--for", "300ms", "--json", "--permit", "discover", "--ports", fmt.Sprint(port))
	var got discovered
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitDone {
		t.Fatalf("exit %d %v\n%s", r.code, err, r.err)
	}
	want := netip.AddrPortFrom(beside(shop, 250), port).String()
	if !slices.ContainsFunc(got.Devices, func(d foundDevice) bool { return d.Found && slices.Equal(d.Addresses, []string{want}) }) {
		t.Errorf("no %s in %+v", want, ofStreet(shop, got.Devices))
	}
	for _, q := range shop.Requests() {
		if !strings.HasPrefix(q.What, "WS-Discovery") && !strings.HasPrefix(q.What, "mDNS") {
			t.Errorf("permit discover sent %+v", q)
		}
	}
}

// TestDiscoverInterrupted: an interrupt ends in good order, and the result is what was found until then.
func TestDiscoverInterrupted(t *testing.T) {
	_, site := street(t, "query", lab.OpenCamera("open"))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(400*time.Millisecond, cancel)
	r := mingshi(ctx, nil, "discover", "--site", site, "--for", "1m", "--json")
	var got discovered
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitIncomplete || got.Complete || got.Why.IsZero() || !strings.Contains(r.err, got.Why.EN) {
		t.Errorf("exit %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	if r := mingshi(t.Context(), nil, "discover", "--site", site, "--permit", "listen"); r.code != exitIncomplete {
		t.Errorf("listening alone: exit %d %s", r.code, r.err)
	}
}

// TestDiscoverList: the list needs no site, sends nothing, and with a site says what each method costs there.
func TestDiscoverList(t *testing.T) {
	shop, site := street(t, "query", lab.OpenCamera("open"))
	for _, args := range [][]string{{}, {"--site", site}} {
		var lines []methodLine
		r := mingshi(t.Context(), nil, append([]string{"discover", "--list", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(r.out), &lines); err != nil || r.code != exitDone || len(lines) != len(discover.Methods()) {
			t.Fatalf("%v: exit %d, %d methods, %v\n%s", args, r.code, len(lines), err, r.err)
		}
		for i, m := range discover.Methods() {
			l := lines[i]
			if l.Name != m.Name || l.Needs != m.Needs || l.Does != m.Doc || l.Asks != m.Asks || l.Costs == nil {
				t.Errorf("%+v", l)
			}
			if known := len(args) > 0 && m.Cost != nil; known != l.Known || !known && len(l.Costs) > 0 {
				t.Errorf("%v: %s costs %v (known: %v)", args, m.Name, l.Costs, l.Known)
			}
		}
		for _, lang := range []string{"zh", "en"} {
			r := mingshi(t.Context(), nil, append([]string{"discover", "--list", "--lang", lang}, args...)...)
			if r.code != exitDone || !strings.Contains(r.out, "ws-discovery") || strings.Contains(r.out, "方式") != (lang == "zh") {
				t.Errorf("%v: exit %d\n%s%s", args, r.code, r.out, r.err)
			}
		}
	}
	if n := len(shop.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestDeviceTableFits: whatever the devices are called, no line is longer than the terminal.
func TestDeviceTableFits(t *testing.T) {
	long := strings.Repeat("海康威视 Ultra ", 20)
	ds := []foundDevice{
		{ID: "d-1", Kind: audit.KindRecorder, Vendor: long, Model: strings.Repeat("X", 300), Firmware: "V5.7.3\x1b[31m", Addresses: []string{"192.0.2.7:80", "192.0.2.7:554", "[2001:db8::7]:80"},
			MACs: []string{"02:00:00:00:00:07"}, Sources: []string{"inventory", "ws-discovery", "tcp-connect"}, Services: []string{"onvif", "http://www.onvif.org/ver10/media/wsdl", "rtsp"}, Inventory: "NVR", Found: true},
		{ID: "d-2", Kind: audit.KindCamera, Via: "d-1", Channel: "3", Found: true, Foreign: true, Addresses: []string{"198.51.100.9"}, Gone: "2026-11-01T10:00:00Z", Inferred: true},
		{ID: "d-3", Kind: audit.KindCamera, Inventory: "CAM-99"},
	}
	for _, lang := range []string{"zh", "en"} {
		a := &app{lang: lang}
		for _, width := range []int{0, 80, 100, 149, 150, 220} {
			out := a.deviceTable(ds, width)
			for line := range strings.SplitSeq(out, "\n") {
				if n := text.StringWidth(line); width > 0 && n > width {
					t.Errorf("%s, %d columns: a line has %d:\n%s", lang, width, n, out)
					break
				}
			}
			if strings.Contains(out, "\x1b") {
				t.Errorf("an escape sequence of a device:\n%s", out)
			}
			if width == 0 && (strings.Count(out, "\n") != 6 || !strings.Contains(out, "192.0.2.7:80,554 [2001:db8::7]:80") || !strings.Contains(out, "onvif, rtsp ")) {
				t.Errorf("%s:\n%s", lang, out)
			}
		}
	}
}

// serve answers HTTP at an address until the test ends; port 0 chooses one.
func serve(t *testing.T, at netip.Addr, port uint16) uint16 {
	t.Helper()
	port, stop := open(t, at, port)
	t.Cleanup(stop)
	return port
}

func open(t *testing.T, at netip.Addr, port uint16) (uint16, func()) {
	t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(at, port).String())
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(l) }()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(n), func() { _ = s.Close() }
}

// stream is a stdout that can be read while it is written to.
type stream struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until a line of the stream has every word.
func (s *stream) await(t *testing.T, words ...string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for line := range strings.SplitSeq(s.String(), "\n") {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
				return
			}
		}
	}
	t.Fatalf("never said %q:\n%s", words, s.String())
}

// TestWatch: a device that appears later is told, one that went is told after two rounds, and an interrupt ends with all of it.
func TestWatch(t *testing.T) {
	shop, siteFile := street(t, "query", lab.OpenCamera("open"))
	there, late := shop.Devices()[0].Addr.Addr().String(), beside(shop, 250)
	file, _, err := readSite(siteFile)
	if err != nil {
		t.Fatal(err)
	}
	file.Inventory = file.Inventory[:1] // one that is not there would be asked again every round
	port, stop := open(t, late, 0)
	stop() // the port is free, and stays so for as long as this takes
	var out stream
	a := &app{streams: streams{err: &stream{}, env: os.LookupEnv}, lang: "zh", result: &output{w: &out}}
	a.out = a.result
	g, err := a.guardOf(plan{file: file, permit: audit.PermitDiscover, clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	l := look{file: file, guard: g, again: func() error { return nil }, ports: []uint16{port}, window: 300 * time.Millisecond, clock: time.Now}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.watch(ctx, l, true, 20*time.Millisecond) }()
	out.await(t, `"found"`, there)
	_, stop = open(t, late, port)
	out.await(t, `"found"`, late.String())
	stop()
	out.await(t, `"gone"`, late.String())
	before := strings.Count(out.String(), "\n")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("%v", err)
	}
	end := strings.Join(strings.SplitAfter(out.String(), "\n")[before:], "")
	if !strings.Contains(end, there) || !strings.Contains(end, late.String()) || !strings.Contains(end, `"gone":"20`) {
		t.Errorf("the last word is\n%s", end)
	}
	eachEvent(t, out.String())
}

// TestChangeLines is how changes are told in words.
func TestChangeLines(t *testing.T) {
	d := foundDevice{ID: "d-1", Kind: audit.KindCamera, Vendor: "Lanting\x1b[31m", Model: "LT-1", Inventory: "CAM-01", Addresses: []string{"192.0.2.7:80"}}
	for lang, want := range map[string][]string{
		"zh": {"发现 192.0.2.7  摄像机 Lanting LT-1 CAM-01", "变化 192.0.2.7  摄像机 Lanting LT-1 CAM-01：地址, 固件", "消失 192.0.2.7"},
		"en": {"found 192.0.2.7  camera Lanting LT-1 CAM-01", "changed 192.0.2.7  camera Lanting LT-1 CAM-01: address, firmware", "gone 192.0.2.7"},
	} {
		a := &app{lang: lang}
		for i, c := range []change{{Event: "found"}, {Event: "changed", Fields: []string{"address", "firmware"}}, {Event: "gone"}} {
			c.Device = d
			if got := a.changeLine(c); !strings.Contains(got, want[i]) || strings.Contains(got, "\x1b") {
				t.Errorf("%q, want %q", got, want[i])
			}
		}
	}
}

// eachEvent holds that every line is an event, and the last the end.
func eachEvent(t *testing.T, out string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, line := range lines {
		var e struct {
			Event  string
			Device foundDevice
			Result *discovered
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if last := i == len(lines)-1; last != (e.Event == "end") || last != (e.Result != nil) || !last && e.Device.ID == "" {
			t.Errorf("line %d of %d: %s", i+1, len(lines), line)
		}
	}
}

// TestWatchInterrupted: the command itself, stopped in its first round.
func TestWatchInterrupted(t *testing.T) {
	_, site := street(t, "query", lab.OpenCamera("open"))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(1500*time.Millisecond, cancel)
	r := mingshi(ctx, nil, "discover", "--site", site, "--for", "500ms", "--watch")
	if r.code != exitDone || !strings.Contains(r.out, "maker") || !strings.Contains(r.out, "CAM-01") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := mingshi(t.Context(), nil, "discover", "--site", site, "--watch", "--permit", "listen"); r.code != exitIncomplete {
		t.Errorf("a watch that may not ask: exit %d %s", r.code, r.err)
	}
}

// TestWatchEndsWithTheHours: a watch goes on no longer than the authority allows it.
func TestWatchEndsWithTheHours(t *testing.T) {
	_, siteFile := street(t, "discover", lab.OpenCamera("open"))
	file, _, err := readSite(siteFile)
	if err != nil {
		t.Fatal(err)
	}
	var out stream
	a := &app{streams: streams{err: &stream{}, env: os.LookupEnv}, lang: "en", result: &output{w: &out}}
	a.out = a.result
	p := plan{file: file, permit: audit.PermitDiscover, clock: time.Now}
	g, err := a.guardOf(p)
	if err != nil {
		t.Fatal(err)
	}
	p.clock = func() time.Time { return time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC) }
	l := look{file: file, guard: g, window: 200 * time.Millisecond, clock: time.Now, again: func() error {
		_, err := a.guardOf(p)
		return err
	}}
	var e *exitError
	if err := a.watch(t.Context(), l, false, time.Millisecond); !errors.As(err, &e) || e.code != exitIncomplete || !strings.Contains(e.text.EN, "2099") || !strings.Contains(out.String(), "CAM-01") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestResultIsAFunction: in whatever order the same things were seen, the bytes are the same.
func TestResultIsAFunction(t *testing.T) {
	file := &audit.SiteFile{Site: audit.Site{ID: "S"}, Authority: guardtest.Authority("192.0.2.0/24"), Inventory: []audit.InventoryEntry{{ID: "C", Address: "192.0.2.3"}}}
	g, _ := guardtest.New(t, "192.0.2.0/24")
	l := look{file: file, guard: g}
	seen := scan.Gathered{Complete: true}
	for i := range 40 {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i%20 + 1)}), uint16(80+i))
		seen.Observations = append(seen.Observations, audit.Observation{Module: "tcp-connect", Kind: "sighting", Locus: addr.Addr().String(), Endpoint: addr,
			At: time.Date(2026, 11, 1, 10, 0, i, 0, time.UTC), Status: audit.OK, Identity: &audit.Identity{Model: fmt.Sprint("M", i%3)}})
		seen.Coverage = append(seen.Coverage, audit.Coverage{Target: addr.String(), Module: fmt.Sprint("m", i%4), Status: audit.Tried})
	}
	first := resultOf(l, seen, audit.Window{})
	slices.Reverse(seen.Observations)
	slices.Reverse(seen.Coverage)
	if second := resultOf(l, seen, audit.Window{}); !equalJSON(t, first, second) || len(first.Devices) != 20 {
		t.Errorf("%+v\n%+v", first, second)
	}
}

// TestRoll is who is there, over rounds that lose answers, learn more, and see a device replaced.
func TestRoll(t *testing.T) {
	at := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	const a, b = "192.0.2.7", "192.0.2.9"
	see := func(module, addr string, port uint16, id audit.Identity) audit.Observation {
		kind := "sighting"
		if module == "onvif" {
			kind = "GetDeviceInformation"
		}
		return audit.Observation{Module: module, Kind: kind, Locus: addr, Endpoint: netip.AddrPortFrom(netip.MustParseAddr(addr), port), At: at, Status: audit.OK, Identity: &id}
	}
	who := audit.Identity{Vendor: "Lanting", Model: "LT-1", Firmware: "1.0"}
	newer := who
	newer.Firmware = "1.1"
	multicast := see("ws-discovery", a, 80, audit.Identity{EPR: "urn:uuid:1"})
	r := &roll{site: &audit.SiteFile{}, places: map[string]*sighting{}}
	for _, step := range []struct {
		name  string
		whole bool
		round []audit.Observation
		want  []string // events with their address and fields
	}{
		{"a device that says who it is", true, []audit.Observation{multicast, see("onvif", a, 80, who)}, []string{"found " + a}},
		{"answers lost, the device still there", true, []audit.Observation{see("tcp-connect", a, 80, audit.Identity{})}, nil},
		{"an endpoint more", true, []audit.Observation{multicast, see("tcp-connect", a, 554, audit.Identity{})}, []string{"changed " + a + " address"}},
		{"nothing heard, but the round was cut short", false, nil, nil},
		{"nothing heard once", true, nil, nil},
		{"heard again", true, []audit.Observation{multicast}, nil},
		{"new firmware, and another device", true, []audit.Observation{multicast, see("onvif", a, 80, newer), see("tcp-connect", b, 80, audit.Identity{})}, []string{"changed " + a + " firmware", "found " + b}},
		{"one silent", true, []audit.Observation{multicast}, nil},
		{"one silent again", true, []audit.Observation{multicast}, []string{"gone " + b}},
		{"back", true, []audit.Observation{multicast, see("tcp-connect", b, 80, audit.Identity{})}, []string{"found " + b}},
		{"another device at the same address", true, []audit.Observation{see("ws-discovery", a, 80, audit.Identity{EPR: "urn:uuid:2"}), see("tcp-connect", b, 80, audit.Identity{})}, []string{"found " + a, "gone " + a}},
		{"which stays", true, []audit.Observation{see("ws-discovery", a, 80, audit.Identity{EPR: "urn:uuid:2"}), see("tcp-connect", b, 80, audit.Identity{})}, nil},
	} {
		at = at.Add(10 * time.Second)
		var got []string
		for _, c := range r.take(scan.Gathered{Observations: step.round}, at, step.whole) {
			got = append(got, strings.TrimSpace(c.Event+" "+c.Device.address().String()+" "+strings.Join(c.Fields, " ")))
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
	r.places[b].asked = at.Add(-time.Minute)
	for addr, want := range map[string]bool{a: true, b: false} {
		m := r.strangers([]probe.Module{{Wants: func(audit.Target) bool { return true }}}, at)[0]
		if got := m.Wants(audit.Target{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 80)}); got != want {
			t.Errorf("%s is asked again: %v", addr, got)
		}
	}
	if all := r.all(); len(all) != 3 || len(r.present) != 2 {
		t.Errorf("in the end %+v", all)
	}
}
