package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// SUNAPI is Hanwha's interface of a device, as its firmware answers it. Everything but the state of the password wants a login,
// by digest.
type SUNAPI struct {
	Type     string   // DeviceType: "NWC", "NVR"
	Channels int      // default 1
	Faces    []Switch // the detector of faces, by channel; nil: it has none
	Objects  []Detector
	Shots    [][]string // of which objects crops are sent, by channel; nil: it has no such question
	Event    Switch     // whether a face event goes on; Missing: events know no faces
	Text     bool       // answers in lines instead of JSON
}

// Detector is a detector of objects of one channel.
type Detector struct {
	On    bool
	Types []string // "Person", "Face" …
}

func (d *device) serveSUNAPI(w http.ResponseWriter, r *http.Request, _ []byte) {
	s, q := d.spec.SUNAPI, r.URL.Query()
	var list []any
	name := ""
	switch strings.TrimPrefix(r.URL.Path, "/") + " " + q.Get("msubmenu") {
	case "init-cgi/pw_init.cgi statuscheck":
		d.sunapi(w, map[string]any{"Initialized": true, "Language": "English", "MaxChannel": max(s.Channels, 1), "SpecialType": "none", "NewPasswordPolicy": true,
			"MaxPasswordLength": 64, "Manufacturer": "Hanwha Vision"})
		return
	case "stw-cgi/system.cgi deviceinfo":
		d.sunapi(w, map[string]any{"Model": d.spec.Model, "SerialNumber": d.spec.Serial, "FirmwareVersion": d.spec.Firmware, "DeviceType": s.Type,
			"ConnectedMACAddress": d.spec.MAC, "CGIVersion": "2.6.1", "DeviceName": d.spec.Label})
		return
	case "stw-cgi/attributes.cgi/attributes ":
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><capabilities><attributes><group name="System"><category name="Limit"><attribute name="MaxChannel" type="int" value="1"/></category></group>`+
			`<group name="Eventsource"><category name="Support"><attribute name="FaceDetection" type="bool" value="%v"/></category></group></attributes></capabilities>`, s.Faces != nil)
		return
	case "stw-cgi/eventsources.cgi facedetection":
		for i, x := range s.Faces {
			name = "FaceDetection"
			list = append(list, map[string]any{"Channel": i, "Enable": x == On, "Sensitivity": 80,
				"DetectionAreas": []any{map[string]any{"DetectionArea": 1, "Enable": true}}})
		}
	case "stw-cgi/eventsources.cgi objectdetection":
		for i, x := range s.Objects {
			name = "ObjectDetection"
			list = append(list, map[string]any{"Channel": i, "Enable": x.On, "ObjectTypes": x.Types, "Sensitivity": 80})
		}
	case "stw-cgi/eventsources.cgi metaimagetransfer":
		for i, x := range s.Shots {
			name = "MetaImageTransfer"
			list = append(list, map[string]any{"Channel": i, "ObjectTypes": x})
		}
	case "stw-cgi/eventstatus.cgi eventstatus":
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "Channel.0.MotionDetection=True\r\nChannel.0.Tampering=False\r\n")
		if s.Event != Missing {
			fmt.Fprintf(w, "Channel.0.FaceDetection=%s\r\n", map[bool]string{true: "True", false: "False"}[s.Event == On])
		}
		return
	}
	if list == nil {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "NG\r\nError Code: 604\r\nError Details: Submenu Not Found\r\n")
		return
	}
	d.sunapi(w, map[string]any{name: list})
}

// sunapi writes an answer in the form the device prefers.
func (d *device) sunapi(w http.ResponseWriter, m map[string]any) {
	if !d.spec.SUNAPI.Text {
		w.Header().Set("Content-Type", "application/json")
		if b, err := json.Marshal(m); err == nil {
			w.Write(b) //nolint:errcheck // the client hangs up
		}
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	for k, v := range m {
		list, ok := v.([]any)
		if !ok {
			fmt.Fprintf(w, "%s=%s\r\n", k, sunapiText(v))
			continue
		}
		for _, e := range list {
			m, _ := e.(map[string]any)
			for _, key := range []string{"Enable", "ObjectTypes"} {
				if x, ok := m[key]; ok {
					fmt.Fprintf(w, "Channel.%v.%s=%s\r\n", m["Channel"], key, sunapiText(x))
				}
			}
		}
	}
}

func sunapiText(v any) string {
	switch t := v.(type) {
	case bool:
		return map[bool]string{true: "True", false: "False"}[t]
	case []string:
		return strings.Join(t, ",")
	}
	return fmt.Sprint(v)
}

func hanwha(name, model string, s *SUNAPI) Spec {
	return Spec{Name: name, Kind: audit.KindCamera, Maker: "Hanwha-like", Model: model, Firmware: "2.21.01_20260101_LAB", Page: Page{Title: "Hanwha Vision"},
		Login: Login{Auth: AuthDigestMD5, Realm: "iPolis_" + name, Attempts: 5}, SUNAPI: s}
}

// HanwhaFaceOn is a camera that looks for faces, sends crops of them, and sees one.
func HanwhaFaceOn(name string) Spec {
	return hanwha(name, "LAB-XNV-1", &SUNAPI{Type: "NWC", Faces: []Switch{On}, Objects: []Detector{{On: true, Types: []string{"Person", "Face"}}},
		Shots: [][]string{{"Face"}}, Event: On})
}

// HanwhaFaceOff is a camera that could, whose detectors are off though the list of what crops to send names faces.
func HanwhaFaceOff(name string) Spec {
	return hanwha(name, "LAB-XNV-0", &SUNAPI{Type: "NWC", Faces: []Switch{Off}, Objects: []Detector{{Types: []string{"Person", "Face"}}}, Shots: [][]string{{"Person", "Face"}}, Event: Off, Text: true})
}
