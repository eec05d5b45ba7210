package ssdp

import (
	"fmt"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Description is what a device says of itself where its answer's LOCATION points (UPnP Device Architecture 2.0, section 2.3).
// Everything may be missing; text is cleaned and cut.
type Description struct {
	Type         string // deviceType
	Name         string // friendlyName
	Manufacturer string
	Model        string // modelName
	Number       string // modelNumber: a model with some makers, a firmware with others
	Serial       string // serialNumber
	UDN          string
}

// ParseDescription reads the description of the root device. It fails with ErrMalformed on what is none.
func ParseDescription(b []byte) (Description, error) {
	doc, err := xmltree.Parse(b, xmltree.Options{})
	if err != nil {
		return Description{}, fmt.Errorf("%w: %v", ErrMalformed, err) //nolint:errorlint // one cause is enough for callers
	}
	root := doc.Root()
	if root == nil || root.Name.Local != "root" || root.Child("device") == nil {
		return Description{}, fmt.Errorf("%w: no description of a device", ErrMalformed)
	}
	d := root.Child("device")
	text := func(local string) string { return clean.Text(d.Value(local), maxText) }
	return Description{Type: text("deviceType"), Name: text("friendlyName"), Manufacturer: text("manufacturer"), Model: text("modelName"),
		Number: text("modelNumber"), Serial: text("serialNumber"), UDN: text("UDN")}, nil
}
