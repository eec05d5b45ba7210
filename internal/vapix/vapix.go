// Package vapix reads the answers of Axis's VAPIX: JSON and XML documents to structs. It knows the questions that may be asked
// and nothing of sockets, audits, or of what an application does. What an answer does not say is left empty.
package vapix

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// The questions. The first is a POST that only reads, with Properties as its body, and is answered to anybody; the second is a
// GET for an account of the lowest rank.
const (
	BasicInfo    = "/axis-cgi/basicdeviceinfo.cgi"
	Applications = "/axis-cgi/applications/list.cgi"

	JSON = "application/json" // media type of Properties
)

// Properties is the body of BasicInfo. It asks for what is shown to anybody and needs no login.
func Properties() []byte {
	return []byte(`{"apiVersion":"1.0","method":"getAllUnrestrictedProperties"}`)
}

const (
	maxText = 128
	maxApps = 128 // a device has room for some dozen
)

// ErrOther is returned for a document that is not the one asked for; errors.Is finds it.
var ErrOther = errors.New("another document")

// Device is the answer to BasicInfo.
type Device struct {
	Brand    string // "AXIS"
	Name     string // ProdFullName
	Model    string // ProdNbr
	Type     string // ProdType: "Network Camera" …
	Serial   string // which is the hardware address
	MAC      string
	Firmware string
}

// Refusal is how the JSON interfaces say no.
type Refusal struct {
	Code    int
	Message string
}

func (r *Refusal) Error() string { return fmt.Sprintf("vapix: error %d: %s", r.Code, r.Message) }

// ReadDevice reads the answer to BasicInfo. The error is a *Refusal where the device says no.
func ReadDevice(b []byte) (Device, error) {
	var doc struct {
		Data *struct {
			List map[string]json.RawMessage `json:"propertyList"`
		} `json:"data"`
		Error *struct {
			Code    json.Number `json:"code"`
			Message string      `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return Device{}, fmt.Errorf("vapix: device: %w", errors.Join(ErrOther, err))
	}
	if doc.Error != nil {
		n, err := doc.Error.Code.Int64()
		if err != nil {
			n = 0
		}
		return Device{}, &Refusal{int(n), clean.Text(doc.Error.Message, maxText)}
	}
	if doc.Data == nil || doc.Data.List == nil {
		return Device{}, fmt.Errorf("vapix: device: %w", ErrOther)
	}
	text := func(key string) string {
		var s string
		if json.Unmarshal(doc.Data.List[key], &s) != nil {
			return ""
		}
		return clean.Text(s, maxText)
	}
	d := Device{Brand: text("Brand"), Name: text("ProdFullName"), Model: text("ProdNbr"), Type: text("ProdType"), Serial: text("SerialNumber"), Firmware: text("Version")}
	d.MAC = mac.Parse(d.Serial)
	if d.Model == "" && d.Serial == "" {
		return Device{}, fmt.Errorf("vapix: device: %w", ErrOther)
	}
	return d, nil
}

// Application is one application installed on the device.
type Application struct {
	Name    string `json:"name"`              // of the package
	Title   string `json:"title,omitempty"`   // NiceName
	Vendor  string `json:"vendor,omitempty"`  // as the package says
	Version string `json:"version,omitempty"` //
	Status  string `json:"status,omitempty"`  // "Running", "Stopped", "Idle"
	License string `json:"license,omitempty"` // "Valid", "Invalid", "Missing", "Custom", "None"
}

// ReadApplications reads the answer to Applications. whole reports that the document is well-formed, says that it is a good
// answer and holds nothing but applications that could be read.
func ReadApplications(b []byte) (apps []Application, whole bool, err error) {
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: 1 << 20, MaxDepth: 16, MaxElements: 10_000, MaxAttributes: 64})
	if err != nil {
		return nil, false, fmt.Errorf("vapix: applications: %w", err)
	}
	r := doc.Root()
	if r == nil || r.Name.Local != "reply" || !strings.EqualFold(r.Get("result"), "ok") {
		return nil, false, fmt.Errorf("vapix: applications: %w", ErrOther)
	}
	whole = !doc.Malformed && len(doc.Roots) == 1
	for _, k := range r.Kids {
		text := func(name string) string { return clean.Text(k.Get(name), maxText) }
		a := Application{Name: text("Name"), Title: text("NiceName"), Vendor: text("Vendor"), Version: text("Version"), Status: text("Status"), License: text("License")}
		if k.Name.Local != "application" || a.Name == "" || len(apps) >= maxApps {
			whole = false
			continue
		}
		apps = append(apps, a)
	}
	return apps, whole, nil
}
