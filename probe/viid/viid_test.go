package viid

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/onvif"
	"github.com/mingshi-audit/mingshi/probe/web"
)

const answer = `{"SystemTimeObject":{"VIIDServerID":"31000000005030000001","TimeMode":"1","LocalTime":"20261101120000","TimeZone":"Asia/Shanghai"}}`

func TestWants(t *testing.T) {
	for at, want := range map[string]bool{"192.0.2.1:14000": true, "192.0.2.1:9999": true, "192.0.2.1:80": false, "192.0.2.1:0": false} {
		if got := wants(audit.Target{Addr: netip.MustParseAddrPort(at)}); got != want {
			t.Errorf("%s: %v", at, got)
		}
		if wants(audit.Target{Addr: netip.MustParseAddrPort(at), Foreign: true}) {
			t.Errorf("%s outside the perimeter", at)
		}
	}
}

// TestBare: where everything is, only a port is asked that says nothing of itself.
func TestBare(t *testing.T) {
	done := &probe.Done{}
	done.Show(80, probe.Page{Code: 404})
	done.Show(8080, probe.Page{Code: 200, Titled: true})
	done.Show(8081, probe.Page{Code: 404})
	done.Show(8443, probe.Page{Code: 401, Makers: []string{"Hikvision"}})
	done.Show(82, probe.Page{Code: 404, Titled: true})
	done.Show(88, probe.Page{Code: 404, Titled: true, Makers: []string{"Hikvision"}})
	for _, c := range []struct {
		method string
		port   uint16
		want   bool
	}{{"tcp-connect", 80, true}, {"tcp-connect", 8080, false}, {"tcp-connect", 8081, false}, {"inventory", 8081, true}, {"inventory", 8443, false}, {"inventory", 443, false},
		{"inventory", 82, true}, {"tcp-connect", 82, false}, {"inventory", 88, false}} {
		target := audit.Target{Method: c.method, Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), c.port)}
		if got := wants(done.Inform(target)); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestShop: the servers of the shop, found at their own port and at any other.
func TestShop(t *testing.T) {
	for _, one := range []bool{false, true} {
		shop, err := lab.Open(t.Context(), lab.Config{OneAddress: one, Devices: []lab.Spec{lab.VIIDServer("open"), lab.VIIDServerClosed("closed"), lab.Anything("portal"), lab.FrigateRecognising("frigate"), lab.NoFace("camera")}})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range shop.Devices() {
			g, _ := guardtest.New(t, "127.0.0.0/8")
			env := probe.Env{Device: g.Device(d.Addr.Addr()), Guard: g, Evidence: noEvidence{}, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {}}
			target := audit.Target{Method: "inventory", Addr: d.Addr}
			if _, err := web.Module().Probe(t.Context(), env, target); err != nil {
				t.Fatal(err)
			}
			var id audit.Identity
			asked := wants(env.Done.Inform(target))
			if asked {
				os, err := ask(t.Context(), env, env.Done.Inform(target))
				if err != nil || len(os) != 1 {
					t.Fatal(os, err)
				}
				if os[0].Identity != nil {
					id = *os[0].Identity
				}
			}
			want := map[string]audit.Identity{"open": {Kind: audit.KindServer, Serial: "31000000005030000001", Services: []string{name}}, "closed": {Kind: audit.KindServer, Weak: true}}[d.Name]
			if diff := cmp.Diff(want, id); diff != "" {
				t.Errorf("%s at %s, asked %v: %s", d.Name, d.Addr, asked, diff)
			}
		}
		if v := shop.Violations(); len(v) > 0 {
			t.Error(v)
		}
		shop.Close()
	}
}

type noEvidence struct{}

func (noEvidence) Record(evidence.Exchange) string { return "urn:uuid:1" }

func TestAsk(t *testing.T) {
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		status audit.Status
		kind   audit.Kind
		serial string
		weak   bool
	}{
		{"it tells the time", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }, audit.OK, audit.KindServer, "31000000005030000001", false},
		{"it wants a login", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="platform", qop="auth", nonce="n"`)
			w.WriteHeader(http.StatusUnauthorized)
		}, audit.AuthRequired, audit.KindServer, "", true},
		{"another server", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, audit.Malformed, "", "", false},
		{"no such path", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, 0, "", "", false},
	} {
		asked := []string{}
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method+" "+r.URL.Path+r.Header.Get("Authorization"))
			tt.handle(w, r)
		}))
		at := s.Listener.Addr().(*net.TCPAddr).AddrPort()
		g, _ := guardtest.New(t, "127.0.0.0/24")
		env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: noEvidence{}, Clock: time.Now, Progress: func(audit.Text) {}}
		got, err := ask(t.Context(), env, audit.Target{Addr: at})
		s.Close()
		if err != nil || len(got) != 1 || len(asked) != 1 || asked[0] != "GET "+timePath {
			t.Errorf("%s: %+v, %v, asked %v", tt.name, got, err, asked)
			continue
		}
		o := got[0]
		if tt.status != 0 && o.Status != tt.status {
			t.Errorf("%s: %s", tt.name, o.Status)
		}
		var id audit.Identity
		if o.Identity != nil {
			id = *o.Identity
		}
		if id.Kind != tt.kind || id.Serial != tt.serial || id.Weak != tt.weak || id.Vendor != "" {
			t.Errorf("%s: %+v", tt.name, id)
		}
	}
}

// TestListed: a server listed at everybody's port is known by its time, whatever the web server in front of it says of a page it has
// not and however it turns ONVIF down; what speaks ONVIF as a camera does is not asked.
func TestListed(t *testing.T) {
	const fault = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>ter:ActionNotSupported</s:Value></s:Subcode></s:Code><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`
	const clock = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><tds:GetSystemDateAndTimeResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`
	for _, c := range []struct {
		name, soap, page string
		soapCode, code   int
		want             audit.Kind
	}{
		{"nothing there", "", "", 404, 404, audit.KindServer},
		{"an empty page", "", "", 404, 200, audit.KindServer},
		{"an error with a title", "", "<html><head><title>404 Not Found</title></head><body>nginx</body></html>", 404, 404, audit.KindServer},
		{"every operation is unknown", fault, "<title>404 Not Found</title>", 500, 404, audit.KindServer},
		{"a camera without a page", clock, "<title>404 Not Found</title>", 200, 404, ""},
		{"a page", "", "<title>portal</title>", 404, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == timePath:
					io.WriteString(w, answer)
				case r.Method == http.MethodPost:
					w.Header().Set("Content-Type", "application/soap+xml")
					w.WriteHeader(c.soapCode)
					io.WriteString(w, c.soap)
				default:
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(c.code)
					io.WriteString(w, c.page)
				}
			}))
			defer s.Close()
			at := s.Listener.Addr().(*net.TCPAddr).AddrPort()
			g, _ := guardtest.New(t, "127.0.0.0/24")
			env := probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: noEvidence{}, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {}}
			var kind audit.Kind
			for _, m := range []probe.Module{onvif.Module(), web.Module(), Module()} {
				target := env.Done.Inform(audit.Target{Method: "inventory", Inventory: "x", Addr: at})
				if !m.Wants(target) {
					continue
				}
				os, err := m.Probe(t.Context(), env, target)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range os {
					if m.Name == name && o.Identity != nil {
						kind = o.Identity.Kind
					}
				}
			}
			if kind != c.want {
				t.Errorf("taken for %q, want %q", kind, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(answer))
	f.Add([]byte(`{"SystemTime":{"LocalTime":"x"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := parse(b)
		if d.Server != "" && (len(d.Server) != 20 || !ok) {
			t.Errorf("%+v", d)
		}
		if _, err := json.Marshal(d); err != nil {
			t.Error(err)
		}
	})
}
