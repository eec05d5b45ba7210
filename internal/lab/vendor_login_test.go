package lab_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/icholy/digest"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestVendorInterfaces: the makers' interfaces want a digest login, answer what is on the list, and complain about the rest.
func TestVendorInterfaces(t *testing.T) {
	camera := lab.Proxied{Name: "大门", Protocol: "ONVIF", Address: "192.0.2.31", Port: 80, Model: "LAB-1", Serial: "LAB1"}
	shop := labtest.Watch(t, lab.Config{Seed: 3, Devices: []lab.Spec{
		{Name: "hik", Model: "LAB-7604N", Login: lab.Login{Auth: lab.AuthDigestMD5}, ISAPI: &lab.ISAPI{Type: "NVR", Proxied: []lab.Proxied{camera}}},
		{Name: "dh", Model: "LAB-NVR", Login: lab.Login{Auth: lab.AuthDigestMD5, Attempts: 1}, CGI: &lab.CGI{Class: "NVR", Remote: []lab.Proxied{camera}}},
	}})
	ask := func(name, method, path, password string) (int, string) {
		t.Helper()
		d, _ := shop.Device(name)
		req, err := http.NewRequest(method, "http://"+d.Addr.String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{}
		if password != "" {
			c.Transport = &digest.Transport{Username: d.Spec.Login.User, Password: password}
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	hik, _ := shop.Device("hik")
	dh, _ := shop.Device("dh")
	for _, c := range []struct {
		name, path, password string
		code                 int
		holds                string
	}{
		{"hik", "/ISAPI/System/deviceInfo", "", 401, "<lockStatus>unlock"},
		{"hik", "/ISAPI/System/deviceInfo", hik.Spec.Login.Password, 200, "<deviceType>NVR"},
		{"hik", "/ISAPI/ContentMgmt/InputProxy/channels", hik.Spec.Login.Password, 200, "<ipAddress>192.0.2.31"},
		{"hik", "/ISAPI/ContentMgmt/InputProxy/channels/status", hik.Spec.Login.Password, 200, "<online>true"},
		{"hik", "/ISAPI/System/Video/inputs/channels", hik.Spec.Login.Password, 403, "notSupport"},
		{"dh", "/cgi-bin/magicBox.cgi?action=getDeviceClass", dh.Spec.Login.Password, 200, "class=NVR"},
		{"dh", "/cgi-bin/configManager.cgi?action=getConfig&name=RemoteDevice", dh.Spec.Login.Password, 200, "INFO_0.Address=192.0.2.31"},
		{"dh", "/cgi-bin/configManager.cgi?action=getConfig&name=ChannelTitle", dh.Spec.Login.Password, 400, "Error"},
	} {
		if code, body := ask(c.name, http.MethodGet, c.path, c.password); code != c.code || !strings.Contains(body, c.holds) {
			t.Errorf("%s: %d %s", c.path, code, body)
		}
	}
	if v := shop.Violations(); len(v) > 0 {
		t.Fatalf("%v", v)
	}
	if code, body := ask("dh", http.MethodGet, "/cgi-bin/magicBox.cgi?action=getVendor", "wrong"); code != 401 || !strings.Contains(body, "locked") {
		t.Errorf("after a wrong password: %d %s", code, body)
	}
	if code, _ := ask("dh", http.MethodGet, "/cgi-bin/magicBox.cgi?action=getVendor", dh.Spec.Login.Password); code != 401 {
		t.Error("a locked account was let in")
	}
	for _, c := range [][3]string{
		{"hik", http.MethodPut, "/ISAPI/System/deviceInfo"}, {"hik", http.MethodGet, "/ISAPI/Intelligent/FDLib/FDSearch"}, {"hik", http.MethodGet, "/ISAPI/System/deviceInfo?auth=YWRtaW46MTEK"},
		{"dh", http.MethodGet, "/cgi-bin/magicBox.cgi?action=reboot"}, {"dh", http.MethodGet, "/cgi-bin/configManager.cgi?action=setConfig&a=b"},
	} {
		before := len(shop.Violations())
		ask(c[0], c[1], c[2], "")
		if len(shop.Violations()) == before {
			t.Errorf("%s complains of nothing", fmt.Sprint(c))
		}
	}
}
