package lab_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestDahuaFaces: the devices with face functions hand out events by digest, and complain about what reads of persons or writes.
func TestDahuaFaces(t *testing.T) {
	shop := labtest.Watch(t, lab.Config{Seed: 5, Devices: []lab.Spec{lab.DahuaFaceRuleOff("off"), lab.DahuaFaceRuleOn("on"), lab.DahuaFaceRecorder("nvr"), lab.DahuaTerminal("door"), lab.DahuaPlain("plain")}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for name, want := range map[string]string{"on": "Code=FaceDetection;action=Start", "nvr": "Code=FaceRecognition;", "door": "Code=_DoorFace_;", "off": "Code=HumanTrait;", "plain": "Code=VideoMotion;"} {
		d, _ := shop.Device(name)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.Addr.String()+"/cgi-bin/eventManager.cgi?action=attach&codes=[All]&heartbeat=5", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: &digest.Transport{Username: d.Spec.Login.User, Password: d.Spec.Login.Password}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for lines := bufio.NewScanner(resp.Body); !found && lines.Scan(); {
			found = strings.HasPrefix(lines.Text(), want)
		}
		if resp.Body.Close(); !found {
			t.Errorf("%s: no %s", name, want)
		}
	}
	if v := shop.Violations(); len(v) > 0 {
		t.Fatalf("%v", v)
	}
	d, _ := shop.Device("nvr")
	for _, path := range []string{"/cgi-bin/faceRecognitionServer.cgi?action=startFind&condition.GroupID[0]=1", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=1&action=deleteGroup",
		"/cgi-bin/configManager.cgi?action=setConfig&VideoAnalyseRule[0][0].Enable=true", "/cgi-bin/eventManager.cgi?action=attachFileProc&codes=[All]"} {
		before := len(shop.Violations())
		resp, err := http.Get("http://" + d.Addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); len(shop.Violations()) == before {
			t.Errorf("%s is no violation", path)
		}
	}
}
