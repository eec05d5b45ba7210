package netlab

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
)

// TestRunOnALAN audits cameras on a LAN with everything there is, at the ordinary pace, and judges the run by what a capture
// saw of it: nothing left for anybody outside, and no camera was ever sent more than its share.
func TestRunOnALAN(t *testing.T) {
	t.Parallel() // a small LAN, apart from the others
	if !apart(t) {
		return
	}
	const user, password = "viewer", "Netlab-0421"
	open(t, Config{Scanner: wide(), Hosts: []*Host{
		{Name: "door", MAC: "02:77:00:01:00:01", Addrs: []string{"10.77.0.21/8"}, Serve: []Service{shopCamera(lab.EmitsAttributes, user, password)}},
		{Name: "back", MAC: "02:77:00:01:00:02", Addrs: []string{"10.77.0.22/8"}, Serve: []Service{shopCamera(lab.DigestOnly, user, password)}},
		{Name: "liar", MAC: "02:77:00:01:00:03", Addrs: []string{"10.77.0.23/8"}, Serve: []Service{shopCamera(misled, "", "")}},
		{Name: "victim", MAC: "02:77:00:01:00:04", Addrs: []string{"10.78.0.66/8"}, Serve: []Service{Listen(80, 554)}},
	}})
	capture := record(t)
	rec := &guardtest.Recorder{}
	authority := guardtest.Authority("10.77.0.16/28")
	site := &audit.SiteFile{Authority: authority, Inventory: []audit.InventoryEntry{
		{ID: "CAM-01", Address: "10.77.0.21", Credentials: "env:DOOR"}, {ID: "CAM-02", Address: "10.77.0.22", Credentials: "env:BACK"}}}
	g, err := guard.New(guard.Config{Authority: authority, Permit: audit.PermitSample, Dial: rec.Dial, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Create(filepath.Join(t.TempDir(), "bundle"), evidence.Options{Clock: time.Now, RunID: "netlab"})
	if err != nil {
		t.Fatal(err)
	}
	got := scan.Run(t.Context(), scan.Options{Site: site, Guard: g, Modules: all.Modules(), Methods: discover.Methods(), Evidence: bundle, Scrub: bundle.Scrub,
		Sample: probe.Sample{Events: 4 * time.Second, Metadata: 4 * time.Second},
		Login:  func(string) (string, string, error) { return user, password, nil }})
	if !got.Complete {
		t.Errorf("the run was not complete: %s", got.Why.EN)
	}
	live := map[string]int{}
	for _, o := range got.Observations {
		if o.Class == audit.ClassLive {
			live[o.Endpoint.String()]++
		}
	}
	t.Logf("%d observations, live: %v", len(got.Observations), live)
	for _, c := range got.Coverage {
		t.Logf("coverage %s %s: %s: %s", c.Target, c.Module, c.Status, c.Detail.EN)
	}
	if len(live) == 0 {
		t.Error("no camera was seen at work: this run was too short to prove anything")
	}
	if !slices.ContainsFunc(g.Denials(), func(d guard.Denial) bool { return strings.Contains(d.Target, "10.78.0.66") }) {
		t.Errorf("no denial names the address the liar points at: %+v", g.Denials())
	}
	packs, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	r, err := scan.Assemble(scan.Record{Site: *site, Observations: got.Observations, Coverage: got.Coverage, Run: audit.Run{Permit: audit.PermitSample, Complete: true}}, all.Modules(), packs)
	if err != nil {
		t.Fatal(err)
	}
	// Every camera also answers from a link-local address, which the perimeter leaves out: it is still one camera.
	if len(r.Devices) != 3 {
		t.Errorf("%d devices, want 3", len(r.Devices))
	}
	for _, d := range r.Devices {
		t.Logf("device %s %s %v %v: analyse %s", d.ID, d.Kind, d.Addresses, d.Sources, d.Face[audit.Analyse].Level)
		if at := strings.Join(d.Addresses, " "); strings.Contains(at, "10.77.0.21") != (d.Face[audit.Analyse].Level == audit.Active) {
			t.Errorf("%s: analyse is %s", at, d.Face[audit.Analyse].Level)
		}
	}
	judge(t, capture, authority.Perimeter)
	if out := rec.Outside(authority.Perimeter...); len(out) > 0 {
		t.Errorf("dialled outside: %v", out)
	}
}

func misled(name string) lab.Spec { return lab.ForeignXAddr(name, "10.78.0.66:80") }

// shopCamera runs a device of the simulated shop and passes connections on to it: the shop itself stands on loopback only, of
// the auditing machine. What it announces therefore names a loopback address with the right port, as cameras behind address
// translation do; WS-Discovery is answered with the real one.
func shopCamera(device func(name string) lab.Spec, user, password string) Service {
	return func(h *Host) (func() []string, error) {
		spec := device(h.Name)
		spec.MAC, spec.Serial = h.MAC, "NETLAB-"+h.Name // every shop numbers its devices from one
		if user != "" {
			spec.Login.User, spec.Login.Password = user, password
		}
		var shop *lab.Shop
		err := outside(func() (err error) {
			shop, err = lab.Open(context.Background(), lab.Config{Devices: []lab.Spec{spec}, OneAddress: true})
			return err
		})
		if err != nil {
			return nil, err
		}
		stop := func() []string {
			shop.Close()
			return shop.Violations()
		}
		for _, ap := range shop.Endpoints() {
			ln, err := net.Listen("tcp4", net.JoinHostPort(h.Addr().String(), fmt.Sprint(ap.Port())))
			if err != nil {
				return stop, err
			}
			go Accept(ln, func(c net.Conn) { pass(c, ap.String()) })
		}
		d, _ := shop.Device(h.Name)
		xaddr := fmt.Sprintf("http://%s/onvif/device_service", net.JoinHostPort(h.Addr().String(), fmt.Sprint(d.Addr.Port())))
		stopWSD, err := WSDiscovery(Discoverable{XAddrs: xaddr, Instant: true})(h)
		return func() []string { stopWSD(); return stop() }, err
	}
}

// outside calls do in the namespace of the process: a goroutine of its own runs on another thread than the one a service is
// started on.
func outside(do func() error) error {
	ended := make(chan error)
	go func() { ended <- do() }()
	return <-ended
}

func pass(c net.Conn, to string) {
	d, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer d.Close()
	go func() {
		_, _ = io.Copy(d, c)
		d.Close()
	}()
	_, _ = io.Copy(c, d)
}
