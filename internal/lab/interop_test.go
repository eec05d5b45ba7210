package lab_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

// TestIndependentClient lets the npm package "onvif" 0.8.1 talk to the cameras: a client that shares nothing with the lab or
// with the program. MINGSHI_NODE_MODULES names the folder it is installed in; with MINGSHI_REQUIRE=onvif its absence fails.
func TestIndependentClient(t *testing.T) {
	modules := os.Getenv("MINGSHI_NODE_MODULES")
	node, err := exec.LookPath("node")
	if _, statErr := os.Stat(filepath.Join(modules, "onvif")); err != nil || modules == "" || statErr != nil {
		if slices.Contains(strings.Split(os.Getenv("MINGSHI_REQUIRE"), ","), "onvif") {
			t.Fatalf("node (%v) with the package onvif in MINGSHI_NODE_MODULES (%q, %v) is required", err, modules, statErr)
		}
		t.Skip("needs node and MINGSHI_NODE_MODULES, a node_modules folder with the package onvif@0.8.1")
	}
	gsoap := lab.EmitsAttributes("digest-gsoap")
	gsoap.Login.Auth = lab.AuthDigestMD5 // this client crashes on a second challenge, and knows MD5 only
	shop := labtest.Watch(t, lab.Config{Devices: []lab.Spec{
		lab.OpenCamera("open"), lab.EmitsRecognitionIdentity("wsse"), lab.NoFace("digest"), gsoap, lab.EmitsAttributesQinghe("prefixes"),
		lab.ConfiguredOn("no-media2"), lab.ClockOff("clock"), lab.Recorder("recorder"),
	}})
	type device struct {
		Name     string `json:"name"`
		Host     string `json:"host"`
		Port     uint16 `json:"port"`
		Path     string `json:"path"`
		User     string `json:"user"`
		Password string `json:"password"`
		WSSE     bool   `json:"wsse"`
		Pulls    int    `json:"pulls"` // the client waits a minute for an event, so only for those that come
	}
	var ask []device
	for _, r := range shop.Devices() {
		user, password, _ := shop.Credential(r.Credential)
		a := r.Spec.Login.Auth
		ask = append(ask, device{r.Name, r.Addr.Addr().String(), r.Addr.Port(), "/onvif/device_service", user, password, a == lab.AuthWSSE || a == lab.AuthAny,
			min(len(r.Spec.Events.Initial), 1) + min(len(r.Spec.Events.Emit), 1)})
	}
	in, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "interop/onvif.mjs", modules)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var got []struct {
		Name, Error, Manufacturer, Model, Stream string
		Profiles, Scopes                         int
		Media2                                   bool
		Analytics, TopicSet, Topics              []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(got) != len(ask) {
		t.Fatalf("%d answers for %d devices: %s", len(got), len(ask), out)
	}
	for i, r := range shop.Devices() {
		g := got[i]
		if g.Error != "" {
			t.Errorf("%s: %s", r.Name, g.Error)
			for _, q := range shop.Requests() {
				if q.Device == r.Name {
					t.Log(q.What, q.Login)
				}
			}
			continue
		}
		if g.Manufacturer != r.Spec.Maker || g.Model != r.Spec.Model {
			t.Errorf("%s: understood as %s %s", r.Name, g.Manufacturer, g.Model)
		}
		want := 2
		if r.Spec.Channels > 1 {
			want = r.Spec.Channels
		}
		if g.Profiles != want || g.Scopes == 0 || g.Media2 == r.Spec.Quirks.NoMedia2 {
			t.Errorf("%s: %d profiles, %d scopes, media2 %t", r.Name, g.Profiles, g.Scopes, g.Media2)
		}
		if !strings.HasPrefix(g.Stream, "rtsp://"+r.RTSP.String()+"/live/") {
			t.Errorf("%s: stream %s", r.Name, g.Stream)
		}
		if r.Spec.Analytics.Service && (!slices.Contains(g.Analytics, "analyticsEngineConfiguration") || !slices.Contains(g.TopicSet, "ruleEngine")) {
			t.Errorf("%s: analytics %v, topics %v", r.Name, g.Analytics, g.TopicSet)
		}
		if r.Spec.Analytics.Service && len(g.Topics) == 0 {
			t.Errorf("%s: no event", r.Name)
		}
		if r.Name == "wsse" && !slices.Contains(g.Topics, "tns1:RuleEngine/Recognition/Face") {
			t.Errorf("%s: events %v", r.Name, g.Topics)
		}
	}
	shop.Close()
	for _, v := range shop.Violations() {
		if strings.Contains(v, "never released") {
			t.Error(v)
		}
	}
}
