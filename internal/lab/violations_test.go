package lab_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestViolations makes every kind of mistake once and expects each to be told.
func TestViolations(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c"), lab.EmitsAttributes("f"), lab.WSSEOnly("w")}, Limits: lab.Limits{Requests: 5}})
	c := newClient(t, shop, "c")
	c.post(c.r.XAddr, `<CreateProfile `+trt+`><Name>x</Name></CreateProfile>`)
	c.post(c.r.XAddr, `<GetUsers `+tds+`/>`)
	c.post(c.r.XAddr, `<CreatePullPointSubscription `+tev+`/>`)
	c.post("http://"+c.r.Addr.String()+"/login", "")
	for _, path := range []string{"/", "/snapshot.jpg"} {
		res, err := c.http.Get("http://" + c.r.Addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.r.Addr.String()+"/", nil)
	req.SetBasicAuth("viewer", "secret")
	if res, err := c.http.Do(req); err == nil {
		res.Body.Close()
	}
	var held []net.Conn
	for range 3 {
		x, err := net.Dial("tcp", c.r.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, x)
	}
	defer func() {
		for _, x := range held {
			x.Close()
		}
	}()
	strange, err := net.Dial("tcp", c.r.RTSP.String())
	if err != nil {
		t.Fatal(err)
	}
	strange.Write([]byte("SSH-2.0-x\r\n"))
	w := newClient(t, shop, "w")
	w.password = "no"
	w.login(w.r.XAddr, information)
	w.login(w.r.XAddr, information)
	time.Sleep(500 * time.Millisecond)
	strange.Close()
	shop.Close()

	got := strings.Join(shop.Violations(), "\n")
	wants(t, got, "c: asked trt:CreateProfile", "c: asked tds:GetUsers", "c: asked GET /snapshot.jpg", "c: asked POST /login", "pull point 90264411 was never released",
		"password in the clear (HTTP Basic)", "connections at the same time", "opened with \"SSH-2.0-x", "w: refused login number 2", "more than 5 requests in a second")
	if strings.Contains(got, "asked GET / ") || strings.Contains(got, "f: ") {
		t.Errorf("an allowed request is held against the client:\n%s", got)
	}
}

func TestSetupOfPicturesIsAViolation(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}})
	r, _ := shop.Device("c")
	x, err := net.Dial("tcp", r.RTSP.String())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	io.WriteString(x, "SETUP rtsp://"+r.RTSP.String()+"/live/1/main/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n")
	x.SetReadDeadline(time.Now().Add(2 * time.Second))
	b := make([]byte, 100)
	n, _ := x.Read(b)
	wants(t, string(b[:n]), "200 OK")
	wants(t, strings.Join(shop.Violations(), "\n"), "SETUP-of-a-picture-track")
}

func TestAllow(t *testing.T) {
	shop := labtest.Open(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}, Allow: []string{"trt:GetVideoSources"}})
	c := newClient(t, shop, "c")
	_, answer := c.post(c.r.XAddr, `<GetVideoSources `+trt+`/>`)
	wants(t, answer, "VideoSource_1")
}

// TestTooManyAtOnce: three requests at a time, and two that wait on one pull point.
func TestTooManyAtOnce(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{lab.OpenCamera("c")}, Limits: lab.Limits{Connections: 10}})
	c := newClient(t, shop, "c")
	c.http.Transport = &http.Transport{}
	quiet := `<CreatePullPointSubscription ` + tev + `><Filter><TopicExpression xmlns="http://docs.oasis-open.org/wsn/b-2">tns1:Nothing//.</TopicExpression></Filter></CreatePullPointSubscription>`
	_, answer := c.post(c.r.XAddr, quiet)
	at := between(answer, "<wsa5:Address>", "</wsa5:Address>")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { c.post(at, `<PullMessages `+tev+`><Timeout>PT1S</Timeout></PullMessages>`) })
	}
	_, answer = c.post(c.r.XAddr, quiet)
	other := between(answer, "<wsa5:Address>", "</wsa5:Address>")
	for range 2 {
		wg.Go(func() { c.post(other, `<PullMessages `+tev+`><Timeout>PT1S</Timeout></PullMessages>`) })
	}
	wg.Wait()
	wants(t, strings.Join(shop.Violations(), "\n"), "two PullMessages at once", "requests in flight at once")
}

// TestVendorViolations: the ports that makers' devices are searched at also take commands, and every one is told.
func TestVendorViolations(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Multicast: true, Provoked: true, Devices: []lab.Spec{{Name: "maker", Vendor: lab.Vendor{SADP: true, DHIP: true, DVRIP: true, Hanwha: true, Sony: true, Xiongmai: true}}}})
	if notes := shop.Notes(); len(notes) > 0 {
		t.Skipf("no such shop here: %v", notes)
	}
	r, _ := shop.Device("maker")
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 99, 0, 1)})
	if err != nil {
		t.Skip(err) // no other loopback address here
	}
	defer c.Close()
	if err := ipv4.NewPacketConn(c).SetMulticastInterface(loopback(t)); err != nil {
		t.Skip(err)
	}
	own := r.Addr.Addr().String()
	for to, data := range map[string]string{
		"239.255.255.250:37020": `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>U</Uuid><Types>activate</Types></Probe>`,
		"239.255.255.251:37810": `{"method":"DHDiscover.setConfig"}`,
		own + ":5050":           "\xa0",
		own + ":7701":           "\x06" + strings.Repeat("\x00", 261),
		own + ":2380":           "\x02SETIP:192.0.2.1\xff\x03",
		own + ":34569":          "\xff" + strings.Repeat("\x00", 13) + "\xfc\x05\x00\x00\x00\x00",
	} {
		if _, err := c.WriteToUDPAddrPort([]byte(data), netip.MustParseAddrPort(to)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"SADP", "DHIP", "DVRIP", "Hanwha", "Sony", "Xiongmai"}
	for range 100 {
		if len(shop.Violations()) >= len(want) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, w := range want {
		wants(t, strings.Join(shop.Violations(), "\n"), "maker: a datagram to the "+w+" port that is no inquiry")
	}
}

func loopback(t *testing.T) *net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return &i
		}
	}
	t.Skip("no loopback interface")
	return nil
}
