package lab_test

import (
	"net/http"
	"testing"

	"github.com/icholy/digest"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestHikvisionComplains: the devices answer what may be asked, and complain of everything beside it.
func TestHikvisionComplains(t *testing.T) {
	specs := []lab.Spec{lab.HikFaceCapture("capture"), lab.HikCapable("capable"), lab.HikContrast("contrast"), lab.HikTerminal("terminal"), lab.HikThermal("thermal"),
		lab.HikRecorder("recorder", lab.Proxied{Address: "192.0.2.9", Port: 80})}
	shop := labtest.Watch(t, lab.Config{Seed: 5, Devices: specs})
	ask := func(name, method, path string) int {
		t.Helper()
		d, _ := shop.Device(name)
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+d.Addr.String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Transport: &digest.Transport{Username: d.Spec.Login.User, Password: d.Spec.Login.Password}}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		name, path string
		code       int
	}{
		{"capture", "/ISAPI/Intelligent/channels/1/faceRule", 200}, {"capture", "/ISAPI/Intelligent/channels/2/faceRule", 403}, {"capture", "/ISAPI/Intelligent/channels/1/faceContrast", 403},
		{"capable", "/ISAPI/System/Video/inputs/channels/1/VCAResource", 200}, {"contrast", "/ISAPI/Intelligent/FDLib", 200}, {"contrast", "/ISAPI/Event/notification/alertStream", 200},
		{"terminal", "/ISAPI/AccessControl/FaceRecognizeMode?format=json", 200}, {"thermal", "/ISAPI/Smart/FaceDetect/2", 403}, {"recorder", "/ISAPI/Smart/FaceDetect/1", 200},
	} {
		if code := ask(c.name, http.MethodGet, c.path); code != c.code {
			t.Errorf("%s: %d", c.path, code)
		}
	}
	if v := shop.Violations(); len(v) > 0 {
		t.Fatalf("%v", v)
	}
	for _, c := range [][3]string{
		{"terminal", http.MethodPut, "/ISAPI/AccessControl/FaceRecognizeMode?format=json"}, {"terminal", http.MethodGet, "/ISAPI/AccessControl/CaptureFaceData/capabilities"},
		{"capture", http.MethodPut, "/ISAPI/System/Video/inputs/channels/1/VCAResource"}, {"capture", http.MethodGet, "/ISAPI/Event/triggers"},
		{"contrast", http.MethodGet, "/ISAPI/Intelligent/FDLib/1/picture"}, {"contrast", http.MethodGet, "/ISAPI/Intelligent/channels/1/faceContrast/faceScore"},
	} {
		before := len(shop.Violations())
		ask(c[0], c[1], c[2])
		if len(shop.Violations()) == before {
			t.Errorf("%v: no complaint", c)
		}
	}
}
