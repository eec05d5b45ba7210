package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Protect is UniFi Protect on a console. Its document wants a session, which a login with the password opens.
type Protect struct {
	Recognises bool // the console recognises faces
	Cameras    []ProtectCamera
}

// ProtectCamera is one camera of a console.
type ProtectCamera struct {
	Model, Address string
	Could, Set     []string // types of smart detection
}

// protectPerson and protectKey are in the document and nobody may keep them.
const (
	protectPerson = "Lab Person 某人"
	protectKey    = "lab-access-key"
)

func (d *device) serveProtect(w http.ResponseWriter, r *http.Request, body []byte) {
	what := r.Method + " " + clip(r.URL.RequestURI(), 80)
	token := ""
	if c, err := r.Cookie("TOKEN"); err == nil {
		token = c.Value
	}
	if r.URL.Path == "/api/auth/login" {
		var in struct{ Username, Password string }
		if r.Method != http.MethodPost || json.Unmarshal(body, &in) != nil {
			d.violated("a login in a form of its own")
		}
		token = d.checkPassword(r, what, in.Username, in.Password)
		if token == "" {
			code := http.StatusForbidden
			if d.guards.locked() {
				code = http.StatusTooManyRequests
			}
			http.Error(w, `{"code":"AUTHENTICATION_FAILED"}`, code)
			return
		}
		w.Header().Set("Set-Cookie", "TOKEN="+token+"; Path=/; Secure; HttpOnly")
		w.Header().Set("X-Csrf-Token", token[:8])
		d.writeJSON(w, map[string]any{"unique_id": d.uuid, "full_name": protectPerson})
		return
	}
	login := LoginNone
	if d.makers.has(token) {
		login = LoginOK
	}
	d.saw(what, login)
	switch {
	case login == LoginNone && d.spec.Login.Auth != AuthNone:
		http.Error(w, `{"error":"Unauthorized"}`, http.StatusUnauthorized)
	case r.URL.Path == "/api/auth/logout":
		d.makers.end(token)
		d.writeJSON(w, map[string]any{})
	case r.URL.Path == "/proxy/protect/api/bootstrap":
		d.writeJSON(w, d.bootstrap())
	default:
		http.NotFound(w, r)
	}
}

func (d *device) bootstrap() map[string]any {
	type object = map[string]any
	cameras := []object{}
	for i, c := range d.spec.Protect.Cameras {
		cameras = append(cameras, object{"id": fmt.Sprintf("c%023d", i+1), "name": protectPerson, "type": c.Model, "marketName": c.Model, "mac": fmt.Sprintf("02771AB0%02X%02X", d.n, i+1),
			"host": c.Address, "isConnected": true, "rtspAlias": protectKey, "featureFlags": object{"smartDetectTypes": c.Could}, "smartDetectSettings": object{"objectTypes": c.Set}})
	}
	return object{"accessKey": protectKey, "users": []object{{"name": protectPerson, "email": "lab@example.com"}}, "cameras": cameras,
		"nvr": object{"name": d.spec.Label, "type": d.spec.Model, "marketName": d.spec.Model, "version": d.spec.Firmware, "mac": strings.ReplaceAll(d.spec.MAC, ":", ""), "ssoToken": protectKey,
			"smartDetection": object{"enable": true, "faceRecognition": d.spec.Protect.Recognises}}}
}
