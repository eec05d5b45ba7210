package rtsp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
)

type tape struct{ x []evidence.Exchange }

func (t *tape) Record(x evidence.Exchange) string {
	t.x = append(t.x, x)
	return fmt.Sprintf("urn:%d", len(t.x))
}

// camera answers requests by method with what a test wrote; %d is the CSeq.
type camera struct {
	answers map[string]string
	mu      sync.Mutex
	heads   []string
}

func (c *camera) listen(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func (c *camera) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		var head strings.Builder
		for !strings.HasSuffix(head.String(), "\r\n\r\n") {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
		}
		c.mu.Lock()
		c.heads = append(c.heads, head.String())
		n := len(c.heads)
		c.mu.Unlock()
		method, _, _ := strings.Cut(head.String(), " ")
		if strings.Contains(head.String(), "Authorization:") {
			method += "+"
		}
		io.WriteString(conn, strings.ReplaceAll(c.answers[method], "%d", fmt.Sprint(n))) //nolint:errcheck // the client sees it
	}
}

func (c *camera) asked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, h := range c.heads {
		m, _, _ := strings.Cut(h, " ")
		out = append(out, m)
	}
	return out
}

func env(t *testing.T) (probe.Env, *tape, *guard.Guard) {
	t.Helper()
	g, _ := guardtest.New(t, "127.0.0.0/8")
	tp := &tape{}
	return probe.Env{Device: g.Device(netip.MustParseAddr("127.0.0.1")), Guard: g, Evidence: tp, Clock: time.Now,
		Done: &probe.Done{}, Progress: func(audit.Text) {}}, tp, g
}

const (
	ok   = "RTSP/1.0 200 OK\r\nCSeq: %d\r\n"
	sdp  = "v=0\r\ns=\x1b[2JMedia\u202e\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"
	need = "RTSP/1.0 401 Unauthorized\r\nCSeq: %d\r\n"
)

func described() string {
	return fmt.Sprintf("RTSP/1.0 200 OK\r\nCSeq: %%d\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(sdp), sdp)
}

func TestLook(t *testing.T) {
	tracks := []Track{{Media: "video", Codecs: []string{"H265"}}, {Media: "application", Codecs: []string{"vnd.onvif.metadata"}, Metadata: true}}
	for _, c := range []struct {
		name    string
		answers map[string]string
		status  audit.Status
		want    Data
		id      *audit.Identity
		asked   string
	}{
		{"open", map[string]string{"OPTIONS": ok + "Public: OPTIONS, DESCRIBE, PLAY\r\nServer: Hipcam RealServer/V1.0\r\n\r\n", "DESCRIBE": described()}, audit.OK,
			Data{Code: 200, Server: "Hipcam RealServer/V1.0", Methods: []string{"DESCRIBE", "OPTIONS", "PLAY"}, Name: "Media", Tracks: tracks, Metadata: true},
			&audit.Identity{Vendor: "Hipcam", Kind: audit.KindCamera, Weak: true}, "OPTIONS DESCRIBE"},
		{"Hikvision", map[string]string{"OPTIONS": ok + "\r\n", "DESCRIBE": need + "WWW-Authenticate: Digest realm=\"Hikvision\", nonce=\"1\"\r\nWWW-Authenticate: Basic realm=\"/\"\r\n\r\n"},
			audit.AuthRequired, Data{Code: 401, Realm: "Hikvision", Auth: []string{"Digest", "Basic"}}, &audit.Identity{Vendor: "Hikvision", Weak: true}, "OPTIONS DESCRIBE"},
		{"Dahua", map[string]string{"OPTIONS": ok + "Server: Dahua Rtsp Server\r\n\r\n", "DESCRIBE": need + "WWW-Authenticate: Digest realm=\"Login to 4A0B1C2PAG00001\", nonce=\"1\"\r\n\r\n"},
			audit.AuthRequired, Data{Code: 401, Server: "Dahua Rtsp Server", Realm: "Login to 4A0B1C2PAG00001", Auth: []string{"Digest"}},
			&audit.Identity{Vendor: "Dahua", Serial: "4A0B1C2PAG00001", Weak: true}, "OPTIONS DESCRIBE"},
		{"no stream at the root", map[string]string{"OPTIONS": ok + "Server: GStreamer RTSP server\r\n\r\n", "DESCRIBE": "RTSP/1.0 404 Not Found\r\nCSeq: %d\r\n\r\n"}, audit.NotSupported,
			Data{Code: 404, Server: "GStreamer RTSP server"}, nil, "OPTIONS DESCRIBE"},
		{"redirect", map[string]string{"OPTIONS": ok + "\r\n", "DESCRIBE": "RTSP/1.0 302 Found\r\nCSeq: %d\r\nLocation: rtsp://203.0.113.9/\r\n\r\n"}, audit.Inconclusive,
			Data{Code: 302, Location: "rtsp://203.0.113.9/"}, nil, "OPTIONS DESCRIBE"},
		{"busy", map[string]string{"OPTIONS": ok + "\r\n", "DESCRIBE": "RTSP/1.0 503 Busy\r\nCSeq: %d\r\n\r\n"}, audit.Exhausted, Data{Code: 503}, nil, "OPTIONS DESCRIBE"},
		{"SSH", map[string]string{"OPTIONS": "SSH-2.0-x\r\n"}, audit.Malformed, Data{}, nil, "OPTIONS"},
		{"endless", map[string]string{"OPTIONS": ok + "\r\n", "DESCRIBE": ok + strings.Repeat("X: y\r\n", 1<<16)}, audit.Malformed, Data{}, nil, "OPTIONS DESCRIBE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cam := &camera{answers: c.answers}
			at := cam.listen(t)
			e, tp, _ := env(t)
			e.Login = probe.NewLogin("viewer", "hunter2")
			os, err := Module().Probe(t.Context(), e, audit.Target{Method: "mdns", Types: []string{"_rtsp._tcp"}, Addr: at})
			if err != nil || len(os) != 1 {
				t.Fatalf("%v, %d observations", err, len(os))
			}
			var d Data
			if err := json.Unmarshal(os[0].Data, &d); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, d, cmpopts.IgnoreFields(Data{}, "Guesses"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.id, os[0].Identity); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if got := strings.Join(cam.asked(), " "); got != c.asked || os[0].Status != c.status || os[0].Auth != "none" {
				t.Errorf("%s, auth %s, asked %s: %s", os[0].Status, os[0].Auth, got, os[0].Detail)
			}
			if len(os[0].Evidence) != len(tp.x) || len(tp.x) != len(cam.asked()) || tp.x[0].Protocol != "rtsp" {
				t.Errorf("evidence %v of %d records", os[0].Evidence, len(tp.x))
			}
			if _, _, fresh := e.Login.Try(); !fresh {
				t.Error("the login was used up")
			}
			if again, err := Module().Probe(t.Context(), e, audit.Target{Addr: at}); len(again) != 0 || err != nil {
				t.Errorf("asked twice: %v, %v", again, err)
			}
		})
	}
}

// Credentials another module found accepted are used; the device's refusal of them is an observation and nothing more.
func TestLookLogin(t *testing.T) {
	for want, answer := range map[audit.Status]string{audit.OK: described(), audit.Refused: need + "\r\n"} {
		cam := &camera{answers: map[string]string{"OPTIONS": ok + "\r\n", "DESCRIBE": need + "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n\r\n", "DESCRIBE+": answer}}
		at := cam.listen(t)
		e, tp, _ := env(t)
		e.Login = probe.NewLogin("viewer", "hunter2")
		e.Login.Try()
		e.Login.Accepted()
		os, err := Module().Probe(t.Context(), e, audit.Target{Addr: at})
		if err != nil || len(os) != 1 || os[0].Status != want || len(cam.asked()) != 3 {
			t.Errorf("%+v, %v, asked %v", os, err, cam.asked())
		}
		if auth := os[0].Auth; (auth == "digest") != (want == audit.OK) {
			t.Errorf("auth %s", auth)
		}
		for _, x := range tp.x {
			if strings.Contains(string(x.Request), "viewer") {
				t.Errorf("recorded %s", x.Request)
			}
		}
	}
}

func TestLookNoDevice(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	e, _, g := env(t)
	if os, err := Module().Probe(t.Context(), e, audit.Target{Addr: at}); err != nil || os[0].Status != audit.Unreachable {
		t.Errorf("%+v, %v", os, err)
	}
	e.Device = g.Device(netip.MustParseAddr("192.0.2.1"))
	if os, err := Module().Probe(t.Context(), e, audit.Target{Addr: netip.MustParseAddrPort("192.0.2.1:554")}); err != nil || os[0].Status != audit.Denied {
		t.Errorf("%+v, %v", os, err)
	}
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort
	for _, c := range []struct {
		t    audit.Target
		want bool
	}{
		{audit.Target{Addr: at("192.0.2.1:554")}, true},
		{audit.Target{Addr: at("192.0.2.1:10554")}, true},
		{audit.Target{Addr: at("192.0.2.1:80")}, false},
		{audit.Target{Addr: at("192.0.2.1:0")}, false},
		{audit.Target{Addr: at("192.0.2.1:6000"), Types: []string{"_rtsp._tcp.local."}}, true},
		{audit.Target{Addr: at("192.0.2.1:554"), Foreign: true}, false},
		{audit.Target{Types: []string{"_rtsp._tcp"}}, false},
	} {
		if got := Module().Wants(c.t); got != c.want {
			t.Errorf("%+v: %v", c.t, got)
		}
	}
}

func TestModule(t *testing.T) {
	m := Module()
	if m.Name != name || m.Doc.ZH == "" || m.Doc.EN == "" || m.Needs != audit.PermitQuery || m.Facts == nil || len(m.Facts) != 0 {
		t.Errorf("%+v", m)
	}
}
