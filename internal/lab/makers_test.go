package lab_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestMakersComplain: each of these interfaces says when it is asked what nobody may ask, or shown a password in the clear.
func TestMakersComplain(t *testing.T) {
	digest := lab.Login{Auth: lab.AuthDigestMD5}
	shop := labtest.Watch(t, lab.Config{Seed: 4, Limits: lab.Limits{Refusals: 100}, Devices: []lab.Spec{
		{Name: "sdc", Login: digest, HoloSens: &lab.HoloSens{}}, {Name: "reo", Login: digest, Reolink: &lab.Reolink{}}, {Name: "reotls", TLS: true, Login: digest, Reolink: &lab.Reolink{}},
		{Name: "console", TLS: true, Login: digest, Protect: &lab.Protect{}}, {Name: "vigi", VIGI: &lab.VIGI{}}, {Name: "door", ZK: true},
	}})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	defer client.CloseIdleConnections()
	ask := func(method, url, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // only its end is waited for
		return resp.StatusCode
	}
	const in = `[{"cmd":"Login","action":0,"param":{"User":{"userName":"x","password":"y"}}}]`
	at := func(name string) string { d, _ := shop.Device(name); return d.Addr.String() }
	host := func(name, port string) string {
		d, _ := shop.Device(name)
		return net.JoinHostPort(d.Addr.Addr().String(), port)
	}
	for _, c := range []struct {
		method, url, body string
		breach            bool
	}{
		{"GET", "http://" + at("sdc") + "/SDCAPI/V2.0/Metadata/Subscription", "", false},
		{"POST", "http://" + at("sdc") + "/SDCAPI/V2.0/Metadata/Subscription", "{}", true},
		{"GET", "http://" + at("sdc") + "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/FaceRecord", "", true},
		{"POST", "http://" + at("reo") + "/cgi-bin/api.cgi?cmd=GetDevInfo", `[{"cmd":"GetDevInfo"}]`, false},
		{"POST", "http://" + at("reo") + "/cgi-bin/api.cgi?cmd=GetDevInfo", `[{"cmd":"Reboot"}]`, true},
		{"POST", "http://" + at("reo") + "/cgi-bin/api.cgi?cmd=Login", in, true},
		{"POST", "https://" + at("reotls") + "/cgi-bin/api.cgi?cmd=Login", in, false},
		{"POST", "https://" + at("reotls") + "/cgi-bin/api.cgi?cmd=Reboot", `[{"cmd":"Reboot"}]`, true},
		{"GET", "https://" + at("console") + "/proxy/protect/api/bootstrap", "", false},
		{"PATCH", "https://" + at("console") + "/proxy/protect/api/nvr", "{}", true},
		{"POST", "https://" + host("vigi", "20443") + "/", `{"method":"doAuth","params":null}`, false},
		{"POST", "https://" + host("vigi", "20443") + "/", `{"method":"doAuth","params":{"nonce":"1","response":"2"}}`, true},
	} {
		if strings.Contains(c.url, "127.0.0.1:20443") {
			continue // one loopback address: the port may be somebody's
		}
		before := len(shop.Violations())
		ask(c.method, c.url, c.body)
		if got := len(shop.Violations()) > before; got != c.breach {
			t.Errorf("%s %s %s: complains %v", c.method, c.url, c.body, got)
		}
	}
}
