package netlab

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// echo answers every datagram to port 7.
func echo(*Host) (func() []string, error) {
	c, err := net.ListenPacket("udp4", ":7")
	if err != nil {
		return nil, err
	}
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
	return func() []string { c.Close(); return nil }, nil
}

// roundTrips sends n datagrams and returns how many came back, and the shortest time one took.
func roundTrips(t *testing.T, to netip.Addr, n int) (back int, shortest time.Duration) {
	t.Helper()
	c, err := net.Dial("udp4", net.JoinHostPort(to.String(), "7"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := make([]time.Time, n)
	shortest = time.Hour
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 16)
		for back < n {
			if k, err := c.Read(b); err != nil || k != 2 {
				return
			}
			back++
			shortest = min(shortest, time.Since(sent[int(b[0])<<8|int(b[1])]))
		}
	}()
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	for i := range n {
		sent[i] = time.Now()
		if _, err := c.Write([]byte{byte(i >> 8), byte(i)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Microsecond)
	}
	<-done
	return back, shortest
}

// TestTheWire: it loses and delays what it is told to, each way.
func TestTheWire(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	hosts := []*Host{{Name: "echo", Addrs: []string{"10.77.0.9/24"}, NoIPv6: true, Serve: []Service{echo}}}
	open(t, Config{Hosts: hosts, Wire: Wire{Loss: 0.1, Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Seed: 1}})
	roundTrips(t, hosts[0].Addr(), 10) // the neighbour is resolved, or all of them are lost
	back, shortest := roundTrips(t, hosts[0].Addr(), 1000)
	t.Logf("%d of 1000 came back, the first after %v", back, shortest)
	if back < 760 || back > 860 { // 810 of 1000 are expected, with a deviation of 12
		t.Errorf("%d of 1000 came back, want about 810", back)
	}
	if shortest < 30*time.Millisecond || shortest > 60*time.Millisecond {
		t.Errorf("the fastest took %v, want a little more than 30 ms", shortest)
	}
}

// TestTheRouter: it passes what is sent to a host and says nothing of who is not there.
func TestTheRouter(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	hosts := Cameras(Far(), 2)
	open(t, Config{Hosts: hosts})
	for _, h := range hosts {
		c, err := net.DialTimeout("tcp", h.Addr().String()+":80", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	_, err := net.DialTimeout("tcp", "10.78.3.77:80", 1500*time.Millisecond)
	var silence net.Error
	if !errors.As(err, &silence) || !silence.Timeout() {
		t.Errorf("a dead address: %v, want silence", err)
	}
}

// TestTheFarmComplains: a camera holds against its visitor what is no inquiry.
func TestTheFarmComplains(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	hosts := Cameras(netip.MustParsePrefix("10.77.0.0/24"), 1)
	l, err := Open(Config{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	for port, request := range map[string]string{
		"80":   "PUT /ISAPI/System/reboot HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"554":  "SETUP rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"8000": "\x00\x00\x00\x10 surprise",
	} {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(hosts[0].Addr().String(), port), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(request))
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, _ = c.Read(make([]byte, 100))
		c.Close()
	}
	time.Sleep(100 * time.Millisecond) // the camera's own goroutines
	got := strings.Join(l.Close(), "\n")
	for _, want := range []string{"PUT /ISAPI/System/reboot", `RTSP "SETUP"`, "surprise"} {
		if !strings.Contains(got, want) {
			t.Errorf("no complaint about %q among:\n%s", want, got)
		}
	}
}

// TestTheCapture: it sees every packet, a burst, a stranger and what is no inquiry. What never fails proves nothing.
func TestTheCapture(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	open(t, Config{Hosts: []*Host{{Name: "echo", Addrs: []string{"10.77.0.9/24"}, NoIPv6: true, Serve: []Service{echo}}}})
	r := record(t)
	roundTrips(t, netip.MustParseAddr("10.77.0.9"), 100)
	time.Sleep(200 * time.Millisecond)
	if n := r.ByKind()[netip.MustParseAddr("10.77.0.9")]["udp 7"]; n != 100 {
		t.Errorf("%d of 100 were captured", n)
	}
	over := r.Excess(40, 8)[netip.MustParseAddr("10.77.0.9")]
	if over < 50 { // 100 in a twentieth of a second
		t.Errorf("a burst of 100 counts as %.1f beyond the pace", over)
	}
	if len(r.Stray([]netip.Prefix{netip.MustParsePrefix("10.78.0.0/24")})) == 0 || len(offList(r.Departures())) == 0 {
		t.Error("what was sent outside, and was no inquiry, was not noticed")
	}
}
