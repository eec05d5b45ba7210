package lab

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
)

// HoloSens is Huawei's interface of a camera. Everything wants a login, by digest.
type HoloSens struct {
	Libraries []FaceLibrary
	NoFace    bool     // has no face application
	Receivers []string // URLs that metadata goes to
}

// FaceLibrary is one list of faces.
type FaceLibrary struct {
	Name  string
	Armed bool
}

// receiversPassword is the camera's own password at its receivers, which the list quotes and nobody may keep.
const receiversPassword = "Lab-at-the-receiver"

func (d *device) serveHoloSens(w http.ResponseWriter, r *http.Request) {
	login, locked := d.vendorLogin(r)
	d.saw(r.Method+" "+clip(r.URL.RequestURI(), 80), login)
	if login != LoginOK {
		stale := ""
		if login == LoginStale {
			stale = `, stale="TRUE"`
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="%s", qop="auth", nonce="%s"%s`, d.realm(), d.nonces.fresh(hex.EncodeToString(d.random(16))), stale))
		code := http.StatusUnauthorized
		if locked {
			code = http.StatusTooManyRequests
		}
		http.Error(w, "Unauthorized", code)
		return
	}
	h := d.spec.HoloSens
	type object = map[string]any
	var v any
	switch r.URL.Path {
	case "/SDCAPI/V1.0/MiscIaas/System":
		v = object{"platformType": "Linux", "devType": d.spec.Model, "fullDeviceType": d.spec.Model + "@LAB", "manufacturer": d.spec.Maker,
			"softVersion": d.spec.Firmware, "hardVersion": "VER.A", "ESN": d.spec.Serial, "eth0Mac": d.spec.MAC}
	case "/SDCAPI/V1.0/Rest/DeviceID":
		v = object{"IDs": []object{{"UUID": d.uuid, "deviceID": "34020000001320000001"}}}
	case "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/Libs":
		if h.NoFace {
			break
		}
		list := []object{}
		for i, l := range h.Libraries {
			armed := 0
			if l.Armed {
				armed = 1
			}
			list = append(list, object{"ID": i + 1, "FaceListName": l.Name, "FaceListType": 2, "OnControl": armed, "Threshold": 90, "AlgVersion": "1.0", "TotalPicNum": 12})
		}
		v = object{"StatusCode": 0, "FaceLibNum": len(list), "FaceListsArry": list}
	case "/SDCAPI/V2.0/Metadata/Subscription":
		list := []object{}
		for i, u := range h.Receivers {
			list = append(list, object{"id": i + 1, "metadataURL": u, "digUserName": "sink", "digUserPwd": receiversPassword})
		}
		v = object{"subscriptions": list}
	}
	d.writeJSON(w, v)
}

// writeJSON writes a document, or 404 where there is none.
func (d *device) writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if v == nil {
		w.WriteHeader(http.StatusNotFound)
		v = map[string]any{"ResponseStatus": map[string]any{"StatusCode": 4, "StatusString": "not supported"}}
	}
	json.NewEncoder(w).Encode(v) //nolint:errcheck // a client that has gone
}
