package lab

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// VAPIX is Axis's interface of a device, as its firmware answers it. Everything but what is open wants a login, by digest.
type VAPIX struct {
	Type string // ProdType; default "Network Camera"
	Old  bool   // firmware without the open question: it answers 404 to it, behind a login
	Apps []ACAP // installed
}

// ACAP is an application on a camera of Axis.
type ACAP struct{ Name, Title, Vendor, Status, License string }

// axisMethod is what a body asks for.
func axisMethod(body []byte) string {
	var m struct{ Method string }
	if json.Unmarshal(body, &m) != nil {
		return "?"
	}
	return clip(m.Method, 40)
}

func (d *device) serveVAPIX(w http.ResponseWriter, r *http.Request, body []byte) {
	v := d.spec.VAPIX
	switch {
	case r.URL.Path == "/axis-cgi/basicdeviceinfo.cgi" && !v.Old && r.Method == http.MethodPost && axisMethod(body) == "getAllUnrestrictedProperties":
		typ := v.Type
		if typ == "" {
			typ = "Network Camera"
		}
		w.Header().Set("Content-Type", "application/json")
		b, err := json.Marshal(map[string]any{"apiVersion": "1.3", "data": map[string]any{"propertyList": map[string]any{"Brand": "AXIS", "ProdFullName": "AXIS " + d.spec.Model,
			"ProdNbr": d.spec.Model, "ProdShortName": "AXIS " + d.spec.Model, "ProdType": typ, "SerialNumber": strings.ToUpper(strings.ReplaceAll(d.spec.MAC, ":", "")),
			"Version": d.spec.Firmware, "WebURL": "http://www.axis.com"}}})
		if err == nil {
			w.Write(b) //nolint:errcheck // the client hangs up
		}
	case r.URL.Path == "/axis-cgi/applications/list.cgi" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<reply result="ok">`+"\n")
		for _, a := range v.Apps {
			fmt.Fprint(w, " <application")
			for _, x := range [][2]string{{"Name", a.Name}, {"NiceName", a.Title}, {"Vendor", a.Vendor}, {"Version", "1.0"}, {"License", a.License}, {"Status", a.Status},
				{"ConfigurationPage", "local/" + a.Name + "/config.html"}} {
				var b strings.Builder
				xml.EscapeText(&b, []byte(x[1])) //nolint:errcheck // a builder takes everything
				fmt.Fprintf(w, " %s=\"%s\"", x[0], b.String())
			}
			fmt.Fprint(w, " />\n")
		}
		fmt.Fprint(w, "</reply>\n")
	default:
		http.NotFound(w, r)
	}
}

const axisMaker = "Axis Communications"

func axis(name, model string, v *VAPIX) Spec {
	h := fnv.New32a()
	h.Write([]byte(name)) //nolint:errcheck // a hash does not fail
	hw := fmt.Sprintf("02771ab0%04x", uint16(h.Sum32()))
	return Spec{Name: name, Kind: audit.KindCamera, Maker: "AXIS-like", Model: model, Firmware: "11.0.0-lab", Page: Page{Title: "AXIS"}, MAC: mac.Parse(hw),
		Login: Login{Auth: AuthDigestMD5, Realm: "AXIS_" + strings.ToUpper(hw), Attempts: 5}, VAPIX: v}
}

// AxisFaceApp is a camera on which an application for face recognition runs.
func AxisFaceApp(name string) Spec {
	return axis(name, "LAB-P1", &VAPIX{Apps: []ACAP{
		{Name: "vmd", Title: "AXIS Video Motion Detection", Vendor: axisMaker, Status: "Running", License: "None"},
		{Name: "faceRecognition", Title: "Face Recognition", Vendor: "Lab Vision Ltd", Status: "Running", License: "Valid"}}})
}

// AxisPlain is a camera with Axis's own applications only.
func AxisPlain(name string) Spec {
	return axis(name, "LAB-P0", &VAPIX{Apps: []ACAP{
		{Name: "vmd", Title: "AXIS Video Motion Detection", Vendor: axisMaker, Status: "Running", License: "None"},
		{Name: "objectanalytics", Title: "AXIS Object Analytics", Vendor: axisMaker, Status: "Running", License: "None"}}})
}
