package upnp

import (
	"net/netip"
	"testing"
	"time"

	"net/http"
	"net/http/httptest"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
	"github.com/mingshi-audit/mingshi/probe"
)

type nothing struct{}

func (nothing) Record(evidence.Exchange) string { return "" }

func TestDescription(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/rootDesc.xml":
			w.Write([]byte(`<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType><manufacturer>HIKVISION</manufacturer><modelName>DS-2CD2143G2</modelName><serialNumber>SN-77</serialNumber></device></root>`))
		case "/page":
			w.Write([]byte("<html>welcome</html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	g, _ := guardtest.New(t, "127.0.0.0/8")
	env := func() probe.Env {
		return probe.Env{Device: g.Device(at.Addr()), Guard: g, Evidence: nothing{}, Clock: time.Now, Done: &probe.Done{}, Progress: func(audit.Text) {}}
	}
	target := func(location string) audit.Target {
		return audit.Target{Method: "ssdp", Addr: netip.AddrPortFrom(at.Addr(), 0), XAddrs: []string{location}}
	}
	os, err := Module().Probe(t.Context(), env(), target(srv.URL+"/rootDesc.xml"))
	if err != nil || len(os) != 1 || os[0].Status != audit.OK || os[0].Identity == nil {
		t.Fatalf("%+v, %v", os, err)
	}
	if id := os[0].Identity; id.Vendor != "Hikvision" || id.Model != "DS-2CD2143G2" || id.Serial != "SN-77" || !id.Weak || id.Kind != "" {
		t.Errorf("%+v", id)
	}
	if os, _ := Module().Probe(t.Context(), env(), target(srv.URL+"/page")); len(os) != 1 || os[0].Status != audit.Malformed || os[0].Identity != nil {
		t.Errorf("a page: %+v", os)
	}
	for _, elsewhere := range []string{"http://127.0.0.2:80/rootDesc.xml", "https://" + at.String() + "/x", "http://camera.local/x", "ftp://x", "", "http://" + at.String()} {
		if Module().Wants(target(elsewhere)) {
			t.Errorf("%q is wanted", elsewhere)
		}
	}
	if asked != 2 {
		t.Errorf("%d requests", asked)
	}
}
