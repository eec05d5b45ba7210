package lab

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Reolink is that maker's api.cgi of a device. Everything wants a session, which a login with the password opens; where the
// device has no TLS, being shown it is a breach.
type Reolink struct {
	Type     string           // exactType: "IPC", "NVR"
	Channels []ReolinkChannel // default one that cannot detect faces
}

// ReolinkChannel is one channel.
type ReolinkChannel struct {
	Face  bool // can detect faces
	Mute  bool // says nothing of faces
	Sees  bool // a face is always there
	Empty bool // a recorder's channel without a camera, which refuses
}

func (d *device) serveReolink(w http.ResponseWriter, r *http.Request, body []byte) {
	type object = map[string]any
	q := r.URL.Query()
	what := r.Method + " " + r.URL.Path + "?cmd=" + clip(q.Get("cmd"), 60)
	var list []struct {
		Cmd   string `json:"cmd"`
		Param struct {
			Channel int `json:"channel"`
			User    struct {
				Name     string `json:"userName"`
				Password string `json:"password"`
			}
		} `json:"param"`
	}
	if r.Method != http.MethodPost || json.Unmarshal(body, &list) != nil || len(list) == 0 {
		d.saw(what, LoginNone)
		d.violated("was asked something that is no list of commands: " + what)
		return
	}
	for _, c := range list {
		if c.Cmd != q.Get("cmd") {
			d.violated("was asked " + clip(c.Cmd, 40) + " under the name of " + clip(q.Get("cmd"), 40))
		}
	}
	refuse := func(cmd string, code int, why string) object {
		return object{"cmd": cmd, "code": 1, "error": object{"rspCode": code, "detail": why}}
	}
	done := func(cmd string, value object) object { return object{"cmd": cmd, "code": 0, "value": value} }
	out := []object{}
	if first := list[0]; first.Cmd == "Login" {
		token := d.checkPassword(r, what, first.Param.User.Name, first.Param.User.Password)
		if token == "" {
			d.writeJSON(w, []object{refuse("Login", -7, "login failed")})
			return
		}
		d.writeJSON(w, []object{done("Login", object{"Token": object{"leaseTime": 3600, "name": token}})})
		return
	}
	token := q.Get("token")
	in := d.makers.has(token) || d.spec.Login.Auth == AuthNone
	login := LoginNone
	if in {
		login = LoginOK
	}
	d.saw(what, login)
	for _, c := range list {
		switch {
		case !in:
			out = append(out, refuse(c.Cmd, -6, "please login first"))
		case c.Cmd == "Logout":
			d.makers.end(token)
			out = append(out, done(c.Cmd, object{"rspCode": 200}))
		case c.Cmd == "GetDevInfo":
			out = append(out, done(c.Cmd, object{"DevInfo": object{"model": d.spec.Model, "serial": d.spec.Serial, "firmVer": d.spec.Firmware, "hardVer": "LAB", "name": d.spec.Label,
				"exactType": d.spec.Reolink.Type, "type": "IPC", "channelNum": len(d.reolinkChannels())}}))
		case c.Cmd == "GetAbility":
			var chn []object
			for _, x := range d.reolinkChannels() {
				chn = append(chn, object{"supportAi": object{"permit": 6, "ver": 1}, "supportAiFace": object{"permit": 0, "ver": one(x.Face)}})
			}
			out = append(out, done(c.Cmd, object{"Ability": object{"abilityChn": chn}}))
		case c.Cmd == "GetAiState":
			if n := c.Param.Channel; n < 0 || n >= len(d.reolinkChannels()) || d.reolinkChannels()[n].Empty {
				out = append(out, refuse(c.Cmd, -9, "not support"))
				continue
			}
			x := d.reolinkChannels()[c.Param.Channel]
			v := object{"channel": c.Param.Channel, "people": object{"support": 1, "alarm_state": 0}}
			if !x.Mute {
				v["face"] = object{"support": one(x.Face), "alarm_state": one(x.Face && x.Sees)}
			}
			out = append(out, done(c.Cmd, v))
		default:
			out = append(out, refuse(c.Cmd, -9, "not support"))
			if !strings.HasPrefix(c.Cmd, "Get") {
				d.violated("was told to " + clip(c.Cmd, 40))
			}
		}
	}
	d.writeJSON(w, out)
}

func (d *device) reolinkChannels() []ReolinkChannel {
	if len(d.spec.Reolink.Channels) == 0 {
		return []ReolinkChannel{{}}
	}
	return d.spec.Reolink.Channels
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
