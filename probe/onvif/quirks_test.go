package onvif

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
	"github.com/mingshi-audit/mingshi/probe"
)

// TestQuirks: departures from the specification cost nothing, and hostile answers cost their own conversation only.
func TestQuirks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		quirks lab.Quirks
		active bool // the live events were seen all the same
		denied string
	}{
		{"subscription address empty", lab.Quirks{EmptyAddress: true, PullPath: "/onvif/event_service"}, true, ""},
		{"subscription address a URN", lab.Quirks{URNAddress: true, PullPath: "/onvif/event_service"}, true, ""},
		{"subscription address elsewhere", lab.Quirks{PullPath: "/onvif/Pull"}, true, ""},
		{"filter refused", lab.Quirks{NoFilter: true}, true, ""},
		{"subscription for a year", lab.Quirks{YearLong: true}, true, ""},
		{"no GetServices", lab.Quirks{NoGetServices: true}, true, ""},
		{"no Media2", lab.Quirks{NoMedia2: true}, true, ""},
		{"addresses of another host", lab.Quirks{Elsewhere: "198.51.100.9:80"}, false, "198.51.100.9"},
		{"redirect", lab.Quirks{HTTP: lab.Redirect, Elsewhere: "198.51.100.9:80"}, false, "198.51.100.9"},
		{"garbage", lab.Quirks{HTTP: lab.Garbage}, false, ""},
		{"silent", lab.Quirks{HTTP: lab.Silent}, false, ""},
		{"endless", lab.Quirks{HTTP: lab.Endless}, false, ""},
		{"deep", lab.Quirks{HTTP: lab.Deep}, false, ""},
		{"entities", lab.Quirks{HTTP: lab.Bomb}, false, ""},
		{"trickle", lab.Quirks{HTTP: lab.Trickle}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := lab.EmitsRecognitionPlain("a")
			spec.Quirks = tt.quirks
			shop := labtest.Open(t, lab.Config{Limits: lab.Limits{Requests: 1000}, Devices: []lab.Spec{spec}})
			d, _ := shop.Device("a")
			user, password, _ := shop.Credential(d.Credential)
			target := targetOf(d)
			began := time.Now()
			obs, g := ask(t, t.Context(), audit.PermitSample, target, probe.NewLogin(user, password), probe.Sample{Events: time.Second, Metadata: 500 * time.Millisecond})
			if took := time.Since(began); took > 25*time.Second {
				t.Errorf("took %s", took)
			}
			if got := levels(t, obs)[audit.Detect] == audit.Active; tt.active && !got {
				t.Errorf("live events: %v", got)
				for _, o := range obs {
					t.Logf("%-34s %-14s %-7s %s", o.Kind, o.Status, o.Auth, o.Detail)
				}
			}
			if tt.denied != "" {
				found := false
				for _, x := range g.Denials() {
					found = found || strings.Contains(x.Target, tt.denied)
				}
				if !found {
					t.Errorf("the foreign address is not on record: %+v", g.Denials())
				}
			}
			asked := func(what string) bool {
				return slices.ContainsFunc(shop.Requests(), func(r lab.Request) bool { return r.What == what })
			}
			if asked("tev:CreatePullPointSubscription") && slices.ContainsFunc(obs, func(o audit.Observation) bool {
				return o.Kind == "tev:CreatePullPointSubscription" && o.Status == audit.OK
			}) && !asked("wsnt:Unsubscribe") {
				t.Error("the pull point was kept")
			}
		})
	}
}

// TestScarce leaves a device with two pull points alone unless allowed.
func TestScarce(t *testing.T) {
	t.Parallel()
	shop := labtest.Open(t, lab.Config{Limits: lab.Limits{Requests: 1000}, Devices: []lab.Spec{lab.FaceDetectEvents("a")}})
	d, _ := shop.Device("a")
	user, password, _ := shop.Credential(d.Credential)
	obs, _ := ask(t, t.Context(), audit.PermitSample, targetOf(d), probe.NewLogin(user, password), probe.Sample{Events: time.Second})
	for _, r := range shop.Requests() {
		if r.What == "tev:CreatePullPointSubscription" {
			t.Error("subscribed")
		}
	}
	if !slices.ContainsFunc(obs, func(o audit.Observation) bool { return o.Kind == "tev:PullMessages" && o.Status == audit.Spared }) {
		t.Error("nothing says that it was skipped")
	}
}

// TestNotONVIF asks a web server once and lets it be, and spends no login on it.
func TestNotONVIF(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"page":      func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html><body>hello</body></html>")) },
		"not found": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"login page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="x", nonce="y", qop="auth"`)
			w.WriteHeader(401)
		},
		"empty": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if r.Header.Get("Authorization") != "" {
					t.Error("a login was sent")
				}
				h(w, r)
			}))
			defer srv.Close()
			login := probe.NewLogin("u", "p")
			obs, _ := ask(t, t.Context(), audit.PermitSample, audit.Target{Method: "tcp-connect", Addr: netip.MustParseAddrPort(srv.Listener.Addr().String())}, login, probe.Sample{})
			if calls != 1 || len(obs) != 1 || obs[0].Status == audit.OK {
				t.Errorf("%d calls, %+v", calls, obs)
			}
			if _, _, fresh := login.Try(); !fresh {
				t.Error("the login was spent")
			}
		})
	}
}
