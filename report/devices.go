package report

import (
	"cmp"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Device is one device as a reader meets it: who it is, and how far each function is proved.
type Device struct {
	No        int
	Label     string // inventory id or id, unique within the report
	Kind      audit.Text
	Maker     string     // vendor and model
	Cells     []Cell     // one per function, in report order
	Note      audit.Text // what sets it apart: outside the perimeter, behind a recorder, not found
	Zones     []string
	Outbound  []Outbound
	Depth     []Depth // one per function, in report order
	Suspected int     // suspected findings about it
	Open      int     // undetermined findings about it
	audit.Device
}

// Cell is one function of one device.
type Cell struct {
	Function   audit.Function
	Level      audit.Level
	Attributes audit.Text
	Why        audit.Text
	Exhibits   []int
	Dispute    []int
	Inferred   bool // rests on what is known of the model alone

	because, dispute []string
}

// Outbound is one place results go to.
type Outbound struct {
	audit.Outbound
	Exhibits []int
}

func (v *View) indexDevices() {
	v.device, v.found = map[string]int{}, map[string]bool{}
	for _, f := range v.Report.Facts {
		if found, ok := f.Value.V.(bool); ok && f.Subject.Kind == audit.SubjectDevice && f.Name == "device.found" {
			v.found[f.Subject.ID] = found
		}
	}
	seen := map[string]bool{}
	for i, d := range v.Report.Devices {
		label := cmp.Or(d.Inventory, d.ID)
		if seen[label] {
			label = d.ID
		}
		seen[label] = true
		v.device[d.ID] = i + 1
		v.Devices = append(v.Devices, Device{No: i + 1, Label: label, Device: d})
	}
}

func (v *View) describeDevices() {
	for i := range v.Devices {
		d := &v.Devices[i]
		d.Kind = msg.Word(string(d.Device.Kind))
		d.Maker = spaced(d.Vendor, d.Model)
		if strings.EqualFold(d.Vendor, d.Model) { // software that is called as its makers are
			d.Maker = d.Vendor
		}
		d.Zones = v.zones(d.Device.Zones)
		d.Note = v.apart(d.Device)
		for _, f := range audit.Functions() {
			s := d.Face[f]
			c := Cell{Function: f, Level: s.Level, Attributes: msg.Words(s.Attributes), Why: s.Note,
				Exhibits: v.numbers(s.Because), Dispute: v.numbers(s.Dispute), Inferred: s.Inferred, because: s.Because, dispute: s.Dispute}
			if c.Why.IsZero() {
				c.Why = why(s)
			}
			d.Cells = append(d.Cells, c)
		}
		d.Depth = depths(d.Looked)
		for _, o := range d.Device.Outbound {
			d.Outbound = append(d.Outbound, Outbound{o, v.numbers(o.Because)})
		}
	}
	for _, f := range v.Report.Findings {
		n := v.number(f.Subject)
		if n == 0 {
			continue
		}
		switch outcome(f) {
		case audit.Suspected:
			v.Devices[n-1].Suspected++
		case audit.Undetermined:
			v.Devices[n-1].Open++
		}
	}
}

// apart says what sets a device apart from those that were met and asked.
func (v *View) apart(d audit.Device) audit.Text {
	var out []audit.Text
	if d.Via != "" {
		via := d.Via
		if n := v.device[via]; n > 0 {
			via = v.Devices[n-1].Label
		}
		out = append(out, msg.Text("report.l.via_channel", via, d.Channel))
	}
	if d.Foreign {
		out = append(out, msg.Text("report.l.foreign"))
	}
	if found, known := v.found[d.ID]; known && !found {
		out = append(out, msg.Text("report.complete.not_found"))
	}
	return join(out)
}

// why says what a level does and does not mean, where the device's own note says nothing.
func why(s audit.FaceState) audit.Text {
	if len(s.Dispute) > 0 {
		return msg.Text("report.why.dispute")
	}
	switch s.Level {
	case audit.Absent, audit.Capable, audit.Configured, audit.Active:
		return msg.Text("report.why." + s.Level.String())
	}
	return msg.Text("report.why.unknown")
}
