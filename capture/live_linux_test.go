package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"
)

const liveEnv = "MINGSHI_CAPTURE_ALONE" // this process has network interfaces of its own

// ownNetwork runs the test again in a process that has a network namespace of its own, and reports whether this is that process.
func ownNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(liveEnv) != "" {
		ip(t, "link set lo up")
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("listening wants root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip to make interfaces with")
	}
	ended := make(chan error)
	var out bytes.Buffer
	go func() {
		runtime.LockOSThread() // the child is to end with the thread that started it
		c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), liveEnv+"=1")
		c.Stdout, c.Stderr = &out, &out
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		ended <- c.Run()
	}()
	err := <-ended
	if errors.Is(err, unix.EPERM) {
		t.Skip("no right to make a network namespace")
	}
	t.Logf("in a namespace: %v\n%s", err, out.Bytes())
	switch {
	case err != nil:
		t.Fail()
	case bytes.Contains(out.Bytes(), []byte("--- SKIP")):
		t.SkipNow()
	}
	return false
}

func ip(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", "ip "+line).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}

// pair makes two interfaces that are connected, without addresses.
func pair(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0); err != nil {
		t.Log(err) // there will be a little more to hear
	}
	ip(t, "link add near address 02:00:00:00:00:01 type veth peer name far address 02:00:00:00:00:02")
	ip(t, "link set near up")
	ip(t, "link set far up")
}

// sender returns a function that sends frames by an interface.
func sender(t *testing.T, name string) func(b []byte) {
	t.Helper()
	face, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	to := &unix.SockaddrLinklayer{Ifindex: face.Index, Protocol: 0x0008}
	return func(b []byte) {
		if err := unix.Sendto(fd, b, 0, to); err != nil {
			t.Errorf("sending %d bytes: %v", len(b), err)
		}
	}
}

func listen(t *testing.T, name string) *Interface {
	t.Helper()
	i, err := OpenInterface(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// heard returns the payloads of what comes to UDP port 5061 within a while.
func heard(t *testing.T, i *Interface, while time.Duration) (out []string, last decoder) {
	t.Helper()
	time.AfterFunc(while, func() { i.Close() })
	var d decoder
	for n := 1; ; n++ {
		p, err := i.Next()
		if errors.Is(err, io.EOF) {
			return out, last
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Number != n || p.Length < len(p.Data) || time.Since(p.At) > time.Minute || time.Since(p.At) < 0 {
			t.Errorf("frame %d: %d, %d of %d bytes, %v", n, p.Number, len(p.Data), p.Length, p.At)
		}
		if d.decode(&p); d.kind == kindUDP && d.dstPort == 5061 {
			out = append(out, string(d.payload))
			last = d
		}
	}
}

// TestListen: what comes and what leaves is heard once each, whoever it is for; tags are put back; Close ends it soon.
func TestListen(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	pair(t)
	near := listen(t, "near")
	if out, err := exec.Command("ip", "-d", "link", "show", "near").Output(); err != nil || !bytes.Contains(out, []byte("promiscuity 1")) {
		t.Errorf("not promiscuous: %v %s", err, out)
	}
	hear := func() ([]string, decoder) { return heard(t, near, 300*time.Millisecond) }
	frame := func(body string, tags ...byte) []byte {
		b := build(t, testEther(layers.EthernetTypeIPv4), testIP4(17), testUDP(), gopacket.Payload(body)) // to 02:00:00:00:00:02 and from 01
		return append(append(bytes.Clone(b[:12]), tags...), b[12:]...)
	}
	come, leave := sender(t, "far"), sender(t, "near")
	come(frame("of others")) // promiscuous: it is not for this address
	leave(frame("own"))
	come(frame("tagged", 0x81, 0, 0, 9))
	got, last := hear()
	if fmt.Sprint(got) != "[of others own tagged]" || last.vlan != 9 {
		t.Errorf("%q, VLAN %d", got, last.vlan)
	}
	if received, dropped := near.Losses(); received != 3 || dropped != 0 {
		t.Errorf("%d received, %d dropped; want 3 and 0", received, dropped)
	}
	began := time.Now()
	quiet := listen(t, "near")
	time.AfterFunc(50*time.Millisecond, func() { quiet.Close() })
	if _, err := quiet.Next(); !errors.Is(err, io.EOF) || time.Since(began) > 350*time.Millisecond {
		t.Errorf("Next said %v after %v", err, time.Since(began))
	}
	if _, err := quiet.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// TestListenLoopback: what a machine says to itself is heard once, segments of 64 KiB whole.
func TestListenLoopback(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	lo := listen(t, "lo")
	from, err := net.Dial("udp4", "127.0.0.1:5061")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := net.ListenPacket("udp4", "127.0.0.1:5061")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for i := range 5 {
		fmt.Fprint(from, i)
	}
	big := bytes.Repeat([]byte("x"), 60000)
	if _, err := from.Write(big); err != nil {
		t.Fatal(err)
	}
	if got, last := heard(t, lo, 300*time.Millisecond); len(got) != 6 || fmt.Sprint(got[:5]) != "[0 1 2 3 4]" || got[5] != string(big) || last.snapped {
		t.Errorf("%.40q", got)
	}
}

// TestListenRaw: an interface without a link layer.
func TestListenRaw(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	if exec.Command("sh", "-c", "ip tuntap add dev t0 mode tun && ip addr add 192.0.2.1/24 dev t0 && ip link set t0 up").Run() != nil {
		t.Skip("no tun interface")
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR, 0) // somebody has to be behind it
	if err != nil {
		t.Skip(err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("t0")
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		t.Skip(err)
	}
	raw := listen(t, "t0")
	to, err := net.Dial("udp4", "192.0.2.9:5061")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	fmt.Fprint(to, "hello")
	if got, last := heard(t, raw, 300*time.Millisecond); fmt.Sprint(got) != "[hello]" || last.source().Addr().String() != "192.0.2.1" {
		t.Errorf("%q from %v", got, last.source())
	}
}

// TestListenRefused: why not is told apart.
func TestListenRefused(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	pair(t)
	ip(t, "link set far down")
	if _, err := OpenInterface("none"); !errors.Is(err, ErrNoInterface) {
		t.Errorf("no interface: %v", err)
	}
	if _, err := OpenInterface("far"); !errors.Is(err, ErrDown) {
		t.Errorf("an interface that is down: %v", err)
	}
	near := listen(t, "near")
	ended := make(chan error)
	go func() {
		for {
			if _, err := near.Next(); err != nil {
				ended <- err
				return
			}
		}
	}()
	ip(t, "link set near down")
	ip(t, "link set near up")
	select {
	case err := <-ended:
		t.Fatalf("an interface that went down and came back: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	ip(t, "link del near")
	select {
	case err := <-ended:
		if !errors.Is(err, ErrNoInterface) {
			t.Errorf("an interface that was removed: %v", err)
		}
	case <-time.After(2 * time.Second):
		t.Error("an interface that was removed is still listened on")
	}
	var none [2]unix.CapUserData
	runtime.LockOSThread() // the rights are the thread's, which ends with the test
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
		t.Skip(err)
	}
	if _, err := OpenInterface("lo"); !errors.Is(err, ErrNoRight) {
		t.Errorf("without the right: %v", err)
	}
}

// TestListenLosses: what the kernel drops since nobody takes it is counted, over several questions.
func TestListenLosses(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	pair(t)
	near := listen(t, "near")
	fd, err := descriptor(near.h)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<10); err != nil {
		t.Fatal(err)
	}
	send := sender(t, "far")
	frame := build(t, testEther(layers.EthernetTypeIPv4), testIP4(17), testUDP(), gopacket.Payload(make([]byte, 1200)))
	const frames = 3000
	for i := range frames {
		send(frame)
		if i == frames/2 {
			near.Losses()
		}
	}
	got, _ := heard(t, near, 500*time.Millisecond)
	received, dropped := near.Losses()
	t.Logf("%d of %d frames were heard; the kernel says %d received, %d dropped", len(got), frames, received, dropped)
	if received != frames || dropped == 0 || int64(len(got)) != received-dropped {
		t.Errorf("%d heard, %d received, %d dropped", len(got), received, dropped)
	}
}

// TestListenSpeed: the share of frames that is seen when they come as fast as this machine can send them. It depends on what else the
// machine does, so only that every frame is accounted for is demanded.
func TestListenSpeed(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	pair(t)
	near := listen(t, "near")
	send := sender(t, "far")
	frame := build(t, testEther(layers.EthernetTypeIPv4), testIP4(17), testUDP(), gopacket.Payload(make([]byte, 1200)))
	const frames = 200_000
	took := make(chan time.Duration)
	go func() {
		began := time.Now()
		for i := range frames {
			binary.BigEndian.PutUint32(frame[42:], uint32(i))
			send(frame)
		}
		took <- time.Since(began)
		time.Sleep(500 * time.Millisecond)
		near.Close()
	}()
	ended := make(chan int)
	go func() {
		var d decoder
		n := 0
		for {
			p, err := near.Next()
			if err != nil {
				ended <- n
				return
			}
			if d.decode(&p); d.kind == kindUDP {
				n++
			}
		}
	}()
	sent, seen := <-took, <-ended
	received, dropped := near.Losses()
	t.Logf("%d frames in %v (%.0f a second): %.2f %% seen, %d dropped", frames, sent, frames/sent.Seconds(), 100*float64(seen)/frames, dropped)
	if received != frames || int64(seen) != received-dropped {
		t.Errorf("%d seen, %d received, %d dropped", seen, received, dropped)
	}
}
