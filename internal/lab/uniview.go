package lab

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// ownReading lists what may be asked of the interfaces of Uniview, Hanwha and Axis.
const ownReading = `
GET /LAPI/V1.0/System/DeviceBasicInfo
GET /LAPI/V1.0/System/DeviceInfo
GET /LAPI/V1.0/Smart/Capabilities
GET /LAPI/V1.0/Smart/FaceEnable
GET /LAPI/V1.0/Smart/FaceDetection/Rule
GET /LAPI/V1.0/Smart/Face/Recognition/Monitor
GET /LAPI/V1.0/PeopleLibraries/BasicInfo
GET /LAPI/V1.0/Channels/System/ChannelDetailInfos
GET /LAPI/V1.0/PACS/DeviceInfo
GET /LAPI/V1.0/Smart/FaceTurnstiles/ComparisonCfg
GET /init-cgi/pw_init.cgi?msubmenu=statuscheck&action=view
GET /stw-cgi/system.cgi?msubmenu=deviceinfo&action=view
GET /stw-cgi/attributes.cgi/attributes
GET /stw-cgi/eventsources.cgi?msubmenu=facedetection&action=view
GET /stw-cgi/eventsources.cgi?msubmenu=objectdetection&action=view
GET /stw-cgi/eventsources.cgi?msubmenu=metaimagetransfer&action=view
GET /stw-cgi/eventstatus.cgi?msubmenu=eventstatus&action=check
GET /axis-cgi/applications/list.cgi
POST /axis-cgi/basicdeviceinfo.cgi getAllUnrestrictedProperties
`

// ownRule is the one question with a number in it.
var ownRule = regexp.MustCompile(`^GET /LAPI/V1\.0/Channels/\d{1,3}/Smart/FaceDetection/Rule$`)

// ownInterface answers a request to the interface of Uniview, Hanwha or Axis and reports whether there is one at the path.
func (d *device) ownInterface(w http.ResponseWriter, r *http.Request, body []byte) bool {
	at := func(prefix string) bool { return strings.HasPrefix(r.URL.Path, prefix) }
	var serve func(http.ResponseWriter, *http.Request, []byte)
	var open bool
	what := r.Method + " " + clip(r.URL.RequestURI(), 100)
	switch {
	case d.spec.LAPI != nil && at("/LAPI/"):
		serve, open = d.serveLAPI, d.spec.LAPI.Open && r.URL.Path == "/LAPI/V1.0/System/DeviceBasicInfo"
	case d.spec.SUNAPI != nil && (at("/stw-cgi/") || at("/init-cgi/")):
		serve, open = d.serveSUNAPI, at("/init-cgi/")
	case d.spec.VAPIX != nil && at("/axis-cgi/"):
		serve, open = d.serveVAPIX, at("/axis-cgi/basicdeviceinfo.cgi") && !d.spec.VAPIX.Old
		if r.Method == http.MethodPost {
			what += " " + axisMethod(body)
		}
	default:
		return false
	}
	if d.spec.Page.Server != "" {
		w.Header().Set("Server", d.spec.Page.Server)
	}
	login, locked := LoginNone, false
	if !open {
		login, locked = d.vendorLogin(r)
	}
	d.saw(what, login)
	switch {
	case d.misbehave(w, r):
	case open || login == LoginOK:
		serve(w, r, body)
	default:
		d.turnOwnAway(w, login == LoginStale, locked)
	}
	return true
}

// turnOwnAway answers 401, in the maker's words where it has any.
func (d *device) turnOwnAway(w http.ResponseWriter, stale, locked bool) {
	challenge := fmt.Sprintf(`Digest realm="%s", qop="auth", nonce="%s", opaque="%s"`, d.realm(), d.nonces.fresh(hex.EncodeToString(d.random(16))), hex.EncodeToString(d.random(8)))
	if stale {
		challenge += `, stale="TRUE"`
	}
	code := http.StatusUnauthorized
	switch {
	case d.spec.SUNAPI != nil && locked:
		w.WriteHeader(490)
		fmt.Fprint(w, "Account Blocked")
		return
	case d.spec.LAPI != nil:
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(code)
		text := "Not Authorized"
		if locked {
			text = "User is locked"
		}
		lapi(w, r401, 3, text, nil)
		return
	}
	w.Header().Set("WWW-Authenticate", challenge)
	w.WriteHeader(code)
}

const r401 = "/LAPI/V1.0"

// Switch is a setting of a maker's interface.
type Switch int

// The settings.
const (
	Missing Switch = iota // the device has no such question
	Off
	On
)

func (s Switch) number() int {
	if s == On {
		return 1
	}
	return 0
}

// LAPI is Uniview's interface of a device, as its firmware answers it. Everything but what is open wants a login, by digest.
type LAPI struct {
	Type       int      // DeviceType: 0 a camera, 1 a recorder
	Open       bool     // tells anybody who it is
	Smart      []string // capabilities it lists; nil: it has no list
	FaceEnable Switch
	FaceRule   Switch   // of the device, without a channel
	Rules      []Switch // by channel
	Channels   []Proxied
	Tasks      []Switch // orders to compare; nil: it has no list
	Libraries  []int    // pictures of faces in each library; nil: it has no list
	Door       bool     // controls doors
	Compare    Switch   // of a terminal
	Attributes Switch
}

// libraryName is what libraries and persons of the shop are called, and nobody may keep.
const libraryName = "Lab staff 员工库"

func (d *device) serveLAPI(w http.ResponseWriter, r *http.Request, _ []byte) {
	l, path := d.spec.LAPI, strings.TrimPrefix(r.URL.Path, "/LAPI/V1.0")
	var data any
	switch {
	case path == "/System/DeviceBasicInfo", path == "/System/DeviceInfo":
		data = map[string]any{"Manufacturer": "UNV", "DeviceModel": d.spec.Model, "SerialNumber": d.spec.Serial, "FirmwareVersion": d.spec.Firmware,
			"MAC": d.spec.MAC, "DeviceName": d.spec.Label, "DeviceType": l.Type}
	case path == "/Smart/Capabilities" && l.Smart != nil:
		m := map[string]any{"IntrusionDetection": map[string]any{"AreaNum": 4}}
		for _, s := range l.Smart {
			m[s] = map[string]any{"AreaNum": 1}
		}
		data = m
	case path == "/Smart/FaceEnable" && l.FaceEnable != Missing:
		data = map[string]any{"Enable": l.FaceEnable.number()}
	case path == "/Smart/FaceDetection/Rule" && l.FaceRule != Missing:
		data = faceRule(l.FaceRule)
	case path == "/Smart/Face/Recognition/Monitor" && l.Tasks != nil:
		list := []any{}
		for i, t := range l.Tasks {
			list = append(list, map[string]any{"ID": i + 1, "Name": libraryName, "Enabled": t.number(), "LibIDList": []int{3}})
		}
		data = map[string]any{"Num": len(list), "MonitorList": list}
	case path == "/PeopleLibraries/BasicInfo" && l.Libraries != nil:
		list := []any{}
		for i, n := range l.Libraries {
			list = append(list, map[string]any{"ID": i + 3, "Type": 3, "PersonNum": n, "MemberNum": n, "FaceNum": n, "Name": libraryName, "BelongIndex": ""})
		}
		data = map[string]any{"Num": len(list), "LibList": list}
	case path == "/Channels/System/ChannelDetailInfos" && l.Channels != nil:
		data = d.lapiChannels()
	case path == "/PACS/DeviceInfo" && l.Door:
		data = map[string]any{"DeviceCode": d.spec.Serial, "DoorNum": 1}
	case path == "/Smart/FaceTurnstiles/ComparisonCfg" && l.Compare != Missing:
		m := map[string]any{"CompareEn": l.Compare.number(), "IDFaceThreshold": 60}
		if l.Attributes != Missing {
			m["AttrEn"] = l.Attributes.number()
		}
		data = m
	default:
		var n int
		if _, err := fmt.Sscanf(path, "/Channels/%d/Smart/FaceDetection/Rule", &n); err == nil && n > 0 && n <= len(l.Rules) && l.Rules[n-1] != Missing {
			data = faceRule(l.Rules[n-1])
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if data == nil {
		w.WriteHeader(599)
		lapi(w, r.URL.Path, 4, "Not Supported", nil)
		return
	}
	lapi(w, r.URL.Path, 0, "Succeed", data)
}

// faceRule has areas that are switched on whether or not the rule is.
func faceRule(s Switch) any {
	return map[string]any{"Enabled": s.number(), "Areas": []any{map[string]any{"ID": 1, "Enabled": 1}}}
}

func (d *device) lapiChannels() any {
	list := []any{}
	for i, c := range d.spec.LAPI.Channels {
		status := 1
		if c.Offline {
			status = 0
		}
		list = append(list, map[string]any{"ID": i + 1, "Name": c.Name, "Status": status, "Manufacturer": c.Protocol, "DeviceModel": c.Model,
			"AddressInfo": map[string]any{"Address": c.Address, "Port": c.Port, "MAC": c.MAC, "UserName": "admin", "Password": camerasPassword}})
	}
	return map[string]any{"Nums": len(list), "DetailInfos": list}
}

// lapi writes an envelope. Firmware writes the text "null" where there is no data.
func lapi(w http.ResponseWriter, url string, code int, text string, data any) {
	if data == nil {
		data = "null"
	}
	b, err := json.Marshal(map[string]any{"Response": map[string]any{"ResponseURL": url, "CreatedID": -1, "ResponseCode": code, "SubResponseCode": 0,
		"ResponseString": text, "StatusCode": code, "StatusString": text, "Data": data}})
	if err == nil {
		w.Write(b) //nolint:errcheck // the client hangs up
	}
}

func uniview(name, model string, kind audit.Kind, l *LAPI) Spec {
	return Spec{Name: name, Kind: kind, Maker: "UNIVIEW", Model: model, Firmware: "LAB-B0001.1.0.260101", ONVIF: true, Login: Login{Auth: AuthDigestMD5, Realm: "LAB_" + name, Attempts: 5}, LAPI: l}
}

// UniviewFaceOn is a camera whose face engine and face rule are on.
func UniviewFaceOn(name string) Spec {
	return uniview(name, "IPC-LAB-F1", audit.KindCamera, &LAPI{Open: true, Smart: []string{"FaceDetection", "FaceCapture"}, FaceEnable: On, FaceRule: On})
}

// UniviewFaceOff is a camera that has a face engine, which is off. The areas of its rule are on.
func UniviewFaceOff(name string) Spec {
	return uniview(name, "IPC-LAB-F0", audit.KindCamera, &LAPI{Smart: []string{"FaceDetection"}, FaceEnable: Off, FaceRule: Off})
}

// UniviewTerminal opens a door. Its face engine is on and its comparison with the library off, as devices leave the factory.
func UniviewTerminal(name string) Spec {
	return uniview(name, "OET-LAB-1", audit.KindTerminal, &LAPI{Open: true, FaceEnable: On, Door: true, Compare: Off, Attributes: Off, Libraries: []int{12, 0}})
}

// UniviewRecorder detects faces at the second of its three channels, has one order to compare them, and one that is off.
func UniviewRecorder(name string) Spec {
	camera := func(name, address string) Proxied {
		return Proxied{Name: name, Protocol: "UNV", Address: address, Port: 80, Model: "IPC-LAB", MAC: "02:77:1a:b0:01:01"}
	}
	return uniview(name, "NVR-LAB-8", audit.KindRecorder, &LAPI{Type: 1, Rules: []Switch{Off, On, Off}, Tasks: []Switch{Off, On}, Libraries: []int{30},
		Channels: []Proxied{camera("大门", "192.0.2.211"), camera("收银台", "192.0.2.212"), camera("仓库", "192.0.2.213")}})
}
