package netlab

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
)

const (
	near24 = "10.77.0.0/24"
	near22 = "10.77.0.0/22"
)

// everyone fails the test when a host is not known. It says at most ten, of how many.
func everyone(t *testing.T, hosts []*Host, devices []audit.Device) {
	t.Helper()
	if lost := unknown(hosts, devices); len(lost) > 0 {
		t.Errorf("%d of %d are not known: %s", len(lost), len(hosts), strings.Join(lost[:min(10, len(lost))], "; "))
	}
}

// withoutOverflow fails the test when the neighbour table overflows meanwhile: then packets were lost that nobody sees.
func withoutOverflow(t *testing.T) {
	t.Helper()
	if alone, err := Alone(time.Minute); err != nil || !alone {
		t.Logf("another large network is on this machine, and shares its neighbour table: %v", err)
	}
	if n, err := Settle(900, 20*time.Second); err != nil || n > 100 {
		t.Logf("the machine's neighbour table has %d entries of others, %v", n, err)
	}
	lost, err := Dropped()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if now, err := Dropped(); err != nil || now != lost {
			t.Logf("the machine itself dropped %d frames meanwhile, of this network or another: %v", now-lost, err)
		}
	})
	before, err := Overflows()
	if err != nil {
		t.Logf("whether the neighbour table overflows cannot be seen here: %v", err)
		return
	}
	t.Cleanup(func() {
		if after, err := Overflows(); err != nil || after != before {
			t.Errorf("the neighbour table overflowed %d times, %v", after-before, err)
		}
	})
}

// TestAllOf253: a /24 without a free address. Three runs; each finds everybody, says who each is, and keeps the pace.
func TestAllOf253(t *testing.T) {
	if !apart(t) {
		return
	}
	withoutOverflow(t)
	hosts := Cameras(netip.MustParsePrefix(near24), 253)
	began := time.Now()
	l := open(t, Config{Hosts: hosts})
	t.Logf("built in %v", time.Since(began).Round(time.Millisecond))
	capture := record(t)
	for range 3 {
		if err := l.ForgetNeighbours(); err != nil {
			t.Fatal(err)
		}
		sent, _ := l.Sent()
		everyone(t, hosts, mustHunt(t, near24))
		now, _ := l.Sent()
		t.Logf("%d frames", now-sent)
	}
	judge(t, capture, []netip.Prefix{netip.MustParsePrefix(near24)})
}

// TestAnswersInHand: every answer to multicast is taken in, however they crowd, and nobody waits longer for them than half as
// long again as a device may take.
func TestAnswersInHand(t *testing.T) {
	if !apart(t) {
		return
	}
	hosts := Cameras(netip.MustParsePrefix(near24), 253)
	open(t, Config{Hosts: hosts})
	capture := record(t)
	g, err := guard.New(guard.Config{Authority: guardtest.Authority(near24), Permit: audit.PermitDiscover})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	heard := map[netip.Addr]time.Time{}
	began := time.Now()
	_, err = discover.WSDiscovery().Run(t.Context(), discover.Env{Guard: g, Quick: true}, func(x audit.Target) {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := heard[x.Addr.Addr()]; !ok {
			heard[x.Addr.Addr()] = time.Now()
		}
	})
	ended := time.Now()
	if err != nil || len(heard) != len(hosts) {
		t.Errorf("%d of %d answers, %v", len(heard), len(hosts), err)
	}
	time.Sleep(300 * time.Millisecond) // the capture's reader
	var first, last time.Time
	for _, d := range capture.Departures() {
		if d.What == "udp 3702" {
			if first.IsZero() {
				first = d.At
			}
			last = d.At
		}
	}
	var latest time.Time
	for _, at := range heard {
		if at.After(latest) {
			latest = at
		}
	}
	t.Logf("the first question after %v, the last %v later, the last device heard of %v after the first question, the end %v after the last one",
		first.Sub(began), last.Sub(first), latest.Sub(first), ended.Sub(last))
	const patience = MaxDelay*3/2 + 300*time.Millisecond // and a little for a busy machine
	if latest.Sub(first) > last.Sub(first)+patience || ended.Sub(last) > patience {
		t.Error("that is too long")
	}
}

// TestAllOf253WithLoss: one frame of twenty is lost in either direction, questions for addresses and multicast among them.
func TestAllOf253WithLoss(t *testing.T) {
	if !apart(t) {
		return
	}
	withoutOverflow(t)
	hosts := Cameras(netip.MustParsePrefix(near24), 253)
	open(t, Config{Hosts: hosts, Wire: Wire{Loss: 0.05, Seed: uint64(time.Now().UnixNano())}})
	everyone(t, hosts, mustHunt(t, near24))
}

// TestMostlyDead22: 64 cameras among 1022 addresses, the rest of which nobody has. Asking for all of them at once would
// overflow the neighbour table.
func TestMostlyDead22(t *testing.T) {
	if !apart(t) {
		return
	}
	withoutOverflow(t)
	hosts := Cameras(netip.MustParsePrefix(near22), 64)
	open(t, Config{Scanner: []string{Scanner + "/22"}, Hosts: hosts})
	capture := record(t)
	everyone(t, hosts, mustHunt(t, near22))
	judge(t, capture, []netip.Prefix{netip.MustParsePrefix(near22)})
}

// TestSlowWire: every frame takes its time, and not every one the same.
func TestSlowWire(t *testing.T) {
	if !apart(t) {
		return
	}
	hosts := Cameras(netip.MustParsePrefix(near24), 64)
	open(t, Config{Hosts: hosts, Wire: Wire{Delay: 40 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.01}})
	everyone(t, hosts, mustHunt(t, near24))
}

// TestDeafCameras: the switch passes no multicast to half of the cameras. They are found at their own addresses.
func TestDeafCameras(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	hosts := Cameras(netip.MustParsePrefix(near24), 32)
	for i := range hosts {
		hosts[i].Deaf = i%2 == 0
	}
	open(t, Config{Hosts: hosts})
	everyone(t, hosts, mustHunt(t, near24))
}

// TestIsolatedCameras: the network keeps half of the cameras apart from the auditing machine. They cannot be found; the others
// are, and nobody waits for those who cannot answer.
func TestIsolatedCameras(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	hosts := Cameras(netip.MustParsePrefix(near24), 32)
	for i := range hosts {
		hosts[i].Isolated = i%2 == 0
	}
	open(t, Config{Hosts: hosts})
	devices := mustHunt(t, near24)
	lost := unknown(hosts, devices)
	if len(lost) != 16 || len(devices) != 16 {
		t.Errorf("%d of 32 are not known, %d devices: %v", len(lost), len(devices), lost)
	}
}

// TestBehindARouter: the cameras stand on another network, behind a router that passes no multicast and says nothing of the
// addresses that nobody has.
func TestBehindARouter(t *testing.T) {
	if !apart(t) {
		return
	}
	hosts := Cameras(Far(), 64)
	open(t, Config{Hosts: hosts})
	capture := record(t)
	everyone(t, hosts, mustHunt(t, Far().String()))
	judge(t, capture, []netip.Prefix{Far(), netip.MustParsePrefix(Router + "/32")}) // the router is asked for by ARP
	for a, kinds := range capture.ByKind() {
		if a.IsMulticast() && kinds["udp 3702"] > 0 {
			t.Logf("asked %s on a link that the perimeter does not touch: %v", a, kinds)
		}
	}
}

// TestOthersAreNoCameras: what else stands on a shop's network is not taken for a camera.
func TestOthersAreNoCameras(t *testing.T) {
	t.Parallel()
	programs(t, "peers", "avahi-daemon", "wsdd", "miniupnpd", "minissdpd")
	if !apart(t) {
		return
	}
	others := []*Host{
		{Name: "till", Addrs: []string{"10.77.0.21/24"}, Serve: []Service{Wsdd("TILL")}},
		{Name: "gateway", Addrs: []string{"10.77.0.22/24"}, Serve: []Service{Miniupnpd(t.TempDir())}},
		{Name: "registry", Addrs: []string{"10.77.0.23/24"}, Serve: []Service{Minissdpd(t.TempDir())}},
		{Name: "printer", Addrs: []string{"10.77.0.24/24"}, Serve: []Service{Printer(), Avahi(t.TempDir(), "_ipp._tcp 631 ty=Kyocera", "_http._tcp 80")}},
	}
	camera := Cameras(netip.MustParsePrefix(near24), 1)
	open(t, Config{Hosts: append(slices.Clone(others), camera...)})
	time.Sleep(2 * time.Second) // avahi probes for its names before it answers
	devices := mustHunt(t, near24)
	everyone(t, camera, devices)
	for _, d := range devices {
		t.Logf("%v: %s, %q %q, by %v, services %v", d.Addresses, d.Kind, d.Vendor, d.Model, d.Sources, d.Services)
		if d.Kind == audit.KindCamera && unknown(camera, []audit.Device{d}) != nil {
			t.Errorf("%v is taken for a camera", d.Addresses)
		}
	}
	for _, h := range others {
		t.Logf("%s: %s", h.Name, unknown([]*Host{h}, devices))
	}
}

// TestWithoutRoot: somebody who may not open raw sockets finds the same cameras.
func TestWithoutRoot(t *testing.T) {
	if !apart(t) {
		return
	}
	withoutOverflow(t)
	hosts := Cameras(netip.MustParsePrefix(near22), 64)
	open(t, Config{Scanner: []string{Scanner + "/22"}, Hosts: hosts})
	capture := record(t)
	began := time.Now()
	devices := huntAs(t, 65534, near22)
	t.Logf("%d devices in %v", len(devices), time.Since(began).Round(time.Millisecond))
	everyone(t, hosts, devices)
	judge(t, capture, []netip.Prefix{netip.MustParsePrefix(near22)})
}

// huntAs runs hunt in a process of another user, who must be able to read the program.
func huntAs(t *testing.T, uid uint32, perimeter ...string) (devices []audit.Device) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mingshi-netlab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "hunt")
	if err := copyProgram(exe); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), exe)
	c.Env = append(os.Environ(), huntEnv+"="+strings.Join(perimeter, " "))
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, os.Stderr
	if err := c.Run(); err != nil {
		t.Fatalf("as user %d: %v", uid, err)
	}
	if err := json.Unmarshal(out.Bytes(), &devices); err != nil {
		t.Fatal(err)
	}
	return devices
}

func copyProgram(to string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		return err
	}
	return f.Close()
}
