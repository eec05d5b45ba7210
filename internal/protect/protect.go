// Package protect words the questions of UniFi Protect's own interface and reads the one document that answers them, the
// bootstrap: who the console is, and for each camera what smart detection it could do and is set to. The document also holds
// accounts, persons' names and keys; nothing of that is read. It knows nothing of sockets or audits.
package protect

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/jsonkeep"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

const (
	maxText    = 128
	maxCameras = 256
	maxTypes   = 32
)

// The paths. Bootstrap is asked by GET; the other two begin and end the session by POST and change no setting.
const (
	Bootstrap = "/proxy/protect/api/bootstrap"
	LoginAt   = "/api/auth/login"
	LogoutAt  = "/api/auth/logout"
)

// SignIn is the body of the login. The password is in it as it is.
func SignIn(user, password string) []byte {
	b, err := json.Marshal(struct {
		User     string `json:"username"`
		Password string `json:"password"`
		Remember bool   `json:"rememberMe"`
	}{user, password, false})
	if err != nil {
		panic("protect: " + err.Error()) // a programming error: two texts
	}
	return b
}

// Session reads what a login's answer hands out: the headers for what follows. It is nil where there is no session.
func Session(h http.Header) http.Header {
	var cookies []string
	r := http.Response{Header: h}
	for _, c := range r.Cookies() {
		if n := strings.ToUpper(c.Name); (n == "TOKEN" || n == "UOS_TOKEN") && c.Value != "" && len(c.Value) <= 8<<10 {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	if len(cookies) == 0 {
		return nil
	}
	out := http.Header{"Cookie": {strings.Join(cookies[:1], "; ")}}
	if t := h.Get("X-Csrf-Token"); t != "" && len(t) <= 512 {
		out["X-Csrf-Token"] = []string{t}
	}
	return out
}

// Console is what the bootstrap says.
type Console struct {
	Model, Firmware, MAC string
	Recognises           *bool // nvr.smartDetection.faceRecognition; nil where it is not said
	Detects              *bool // nvr.smartDetection.enable, the switch above it; nil where it is not said
	Cameras              []Camera
}

// Camera is one camera of a console.
type Camera struct {
	ID      string
	Model   string
	MAC     string
	Addr    netip.Addr
	Online  *bool
	Could   []string // featureFlags.smartDetectTypes; nil where it is not said
	Set     []string // smartDetectSettings.objectTypes; nil where it is not said
	CouldOK bool     // the first list was there
	SetOK   bool     // the second list was there
}

// ErrOther says that a body is not a bootstrap.
var ErrOther = errors.New("protect: not a bootstrap")

// ReadBootstrap reads the document, 256 cameras at most. It fails where nvr or cameras is missing.
func ReadBootstrap(b []byte) (Console, error) {
	var v struct {
		NVR *struct {
			Type    string `json:"type"`
			Market  string `json:"marketName"`
			Version string `json:"version"`
			MAC     string `json:"mac"`
			Smart   *struct {
				Enable *bool `json:"enable"`
				Face   *bool `json:"faceRecognition"`
			} `json:"smartDetection"`
		} `json:"nvr"`
		Cameras *[]struct {
			ID       string  `json:"id"`
			Type     string  `json:"type"`
			Market   string  `json:"marketName"`
			MAC      string  `json:"mac"`
			Host     *string `json:"host"`
			Online   *bool   `json:"isConnected"`
			Features struct {
				Types *[]string `json:"smartDetectTypes"`
			} `json:"featureFlags"`
			Settings struct {
				Types *[]string `json:"objectTypes"`
			} `json:"smartDetectSettings"`
		} `json:"cameras"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Console{}, fmt.Errorf("%w: %w", ErrOther, err)
	}
	if v.NVR == nil || v.Cameras == nil {
		return Console{}, ErrOther
	}
	c := Console{Model: first(v.NVR.Market, v.NVR.Type), Firmware: clean.Text(v.NVR.Version, maxText), MAC: mac.Parse(v.NVR.MAC)}
	if v.NVR.Smart != nil {
		c.Detects, c.Recognises = v.NVR.Smart.Enable, v.NVR.Smart.Face
	}
	for _, x := range (*v.Cameras)[:min(len(*v.Cameras), maxCameras)] {
		cam := Camera{ID: clean.Text(x.ID, 64), Model: first(x.Market, x.Type), MAC: mac.Parse(x.MAC), Online: x.Online}
		if x.Host != nil {
			cam.Addr, _ = netip.ParseAddr(*x.Host) // a name, or nothing, leaves it empty
		}
		cam.Could, cam.CouldOK = types(x.Features.Types)
		cam.Set, cam.SetOK = types(x.Settings.Types)
		c.Cameras = append(c.Cameras, cam)
	}
	return c, nil
}

func first(a, b string) string {
	if a = clean.Text(a, maxText); a != "" {
		return a
	}
	return clean.Text(b, maxText)
}

func types(l *[]string) ([]string, bool) {
	if l == nil {
		return nil, false
	}
	var out []string
	for _, s := range (*l)[:min(len(*l), maxTypes)] {
		out = append(out, clean.Text(s, 32))
	}
	return out, true
}

// Face reports whether faces are in a list of smart detection types.
func Face(types []string) bool { return slices.Contains(types, "face") }

// Show is what may be recorded of a bootstrap: the values that decide, and every name.
func Show(b []byte) []byte {
	return jsonkeep.Only(b, "type", "version", "marketName", "smartDetectTypes", "objectTypes", "faceRecognition", "enable", "isConnected", "modelKey")
}
