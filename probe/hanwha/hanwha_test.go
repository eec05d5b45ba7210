package hanwha_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
	wire "github.com/mingshi-audit/mingshi/internal/sunapi"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/hanwha"
)

func run() probetest.Run { return probetest.Run{Module: hanwha.Module(), Vendor: "Hanwha Vision"} }

func TestDevices(t *testing.T) {
	text := lab.HanwhaFaceOn("text")
	text.SUNAPI.Text = true
	bodies := lab.HanwhaFaceOff("bodies") // looks for persons and has no detector of faces
	bodies.SUNAPI.Faces, bodies.SUNAPI.Event = nil, lab.Missing
	bodies.SUNAPI.Objects, bodies.SUNAPI.Shots = []lab.Detector{{On: true, Types: []string{"Person", "Vehicle"}}}, [][]string{{"Person"}}
	for _, c := range []struct {
		spec lab.Spec
		want []string
	}{
		{lab.HanwhaFaceOn("on"), []string{"capture capable", "capture configured", "detect active", "detect capable", "detect configured"}},
		{text, []string{"capture capable", "capture configured", "detect active", "detect capable", "detect configured"}},
		{lab.HanwhaFaceOff("off"), []string{"capture capable", "capture not configured", "detect capable", "detect not configured"}},
		{bodies, nil},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			t.Parallel()
			os, _ := run().Device(t, c.spec)
			if d := cmp.Diff(c.want, probetest.Known(t, hanwha.Module(), os)); d != "" {
				t.Error(d)
			}
			if os[0].Identity == nil || os[0].Identity.Vendor != "Hanwha Vision" || os[1].Identity == nil || os[1].Identity.Model != c.spec.Model || os[1].Identity.Kind != audit.KindCamera {
				t.Errorf("%+v %+v", os[0].Identity, os[1].Identity)
			}
		})
	}
}

func TestPermits(t *testing.T) {
	for _, c := range []struct {
		name string
		run  probetest.Run
		want []audit.Status
	}{
		{"without a login", probetest.Run{Permit: audit.PermitQuery}, []audit.Status{audit.OK, audit.AuthRequired}},
		{"brief", probetest.Run{Brief: true}, []audit.Status{audit.OK, audit.OK}},
		{"no watching", probetest.Run{Permit: audit.PermitLogin}, []audit.Status{audit.OK, audit.OK, audit.OK, audit.OK, audit.OK, audit.OK}},
		{"the wrong login", probetest.Run{Login: probe.NewLogin("viewer", "wrong")}, []audit.Status{audit.OK, audit.Refused}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := c.run
			r.Module, r.Vendor = hanwha.Module(), "Hanwha Vision"
			os, _ := r.Device(t, lab.HanwhaFaceOn("camera"))
			var got []audit.Status
			for _, o := range os {
				got = append(got, o.Status)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestBlocked: 490 is how a blocked account is told. Nothing is asked after it.
func TestBlocked(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if strings.HasPrefix(r.URL.Path, "/init-cgi/") {
			fmt.Fprint(w, `{"Initialized":true}`)
			return
		}
		w.WriteHeader(490)
	}))
	defer srv.Close()
	login := probe.NewLogin("u", "p")
	r := run()
	r.Login = login
	os, _ := r.On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
	if _, spent := login.Spent(); asked != 2 || len(os) != 2 || os[1].Status != audit.Locked || !spent {
		t.Errorf("%d requests, %+v", asked, os)
	}
}

// answers runs the module against a device that is open and answers by the function.
func answers(t *testing.T, answer func(q wire.Request) string) ([]audit.Observation, *probetest.Tape) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := wire.Request(r.URL.RequestURI())
		if r.Method != http.MethodGet || !slices.Contains(wire.Requests(), q) {
			t.Errorf("asked %s %s, which is not on the list", r.Method, q)
		}
		body := answer(q)
		switch {
		case body != "":
		case q == wire.DeviceInfo:
			body = `{"Model":"LAB","DeviceType":"NVR"}`
		default:
			body = "NG\r\nError Code: 604\r\nError Details: Submenu Not Found\r\n"
		}
		fmt.Fprint(w, body)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	defer srv.Close()
	return run().On(t, netip.MustParseAddrPort(srv.Listener.Addr().String()))
}

func TestTraps(t *testing.T) {
	var all sync.WaitGroup // most of the time is spent waiting
	for _, c := range []struct {
		name    string
		answers map[wire.Request]string
		want    []string
	}{
		{"a channel that is on among those that are off", map[wire.Request]string{wire.FaceSource: `{"FaceDetection":[{"Channel":0,"Enable":false},{"Channel":3,"Enable":true}]}`},
			[]string{"detect capable", "detect configured"}},
		{"off, and nobody logged in to hear it", map[wire.Request]string{wire.FaceSource: `{"FaceDetection":[{"Channel":0,"Enable":false}]}`}, []string{"detect capable"}},
		{"an area that is on below a detector that says nothing", map[wire.Request]string{wire.FaceSource: `{"FaceDetection":[{"Channel":0,"DetectionAreas":[{"Channel":0,"Enable":true}]}]}`}, nil},
		{"crops of a channel nobody knows of", map[wire.Request]string{wire.BestShots: `{"MetaImageTransfer":[{"Channel":0,"ObjectTypes":["Face"]}]}`},
			[]string{"capture capable", "capture configured", "detect capable", "detect configured"}},
		{"crops of faces from a detector that looks for persons", map[wire.Request]string{wire.BestShots: `{"MetaImageTransfer":[{"Channel":0,"ObjectTypes":["Face"]}]}`,
			wire.ObjectSource: `{"ObjectDetection":[{"Channel":0,"Enable":true,"ObjectTypes":["Person"]}]}`}, []string{"capture capable"}},
		{"faces among objects that are not looked for", map[wire.Request]string{wire.ObjectSource: `{"ObjectDetection":[{"Channel":0,"Enable":true,"ObjectTypes":["FaceMask","Person"]}]}`}, nil},
		{"could", map[wire.Request]string{wire.Attributes: `<a><attribute name="FaceDetection" value="True"/></a>`}, []string{"detect capable"}},
		{"could not", map[wire.Request]string{wire.Attributes: `<a><attribute name="FaceDetection" value="False"/></a>`}, nil},
		{"an event of something else", map[wire.Request]string{wire.EventStatus: "Channel.0.MotionDetection=True\r\nChannel.0.FaceDetectionX=True\r\n"}, nil},
		{"an event of a face", map[wire.Request]string{wire.EventStatus: "Channel.2.ObjectDetection.Face=True\r\n"}, []string{"detect active"}},
	} {
		all.Go(func() {
			os, _ := answers(t, func(q wire.Request) string { return c.answers[q] })
			if d := cmp.Diff(c.want, probetest.Known(t, hanwha.Module(), os)); d != "" {
				t.Errorf("%s: %s", c.name, d)
			}
		})
	}
	all.Wait()
	t.Run("what an event says of a person is not kept", func(t *testing.T) {
		os, tape := answers(t, func(q wire.Request) string {
			if q == wire.EventStatus {
				return "Channel.0.FaceDetection=True\r\nChannel.0.FaceRecognition.Name=Shen Mengzhou\r\n"
			}
			return ""
		})
		if s := tape.String() + fmt.Sprintf("%+v %s", os, os[len(os)-1].Data); strings.Contains(s, "Mengzhou") || !strings.Contains(s, "FaceDetection=True") {
			t.Error(s)
		}
	})
}

func TestHostile(t *testing.T) {
	probetest.Hostile(t, hanwha.Module(), probetest.Bounds{Vendor: "Hanwha", Requests: 4})
}

func TestWants(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct {
		target audit.Target
		want   bool
	}{
		{audit.Target{Method: "tcp-connect", Addr: at}, false},
		{audit.Target{Method: "hanwha", Addr: at}, true},
		{audit.Target{Method: "tcp-connect", Addr: at, Identity: audit.Identity{Vendor: "Samsung Techwin"}}, true},
		{audit.Target{Method: "hanwha", Addr: at, Foreign: true}, false},
	} {
		if got := hanwha.Module().Wants(c.target); got != c.want {
			t.Errorf("%+v: %v", c.target, got)
		}
	}
}
