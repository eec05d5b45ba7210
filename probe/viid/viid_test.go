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

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
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
