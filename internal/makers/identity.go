package makers

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Identity is what an answer says of who answers: a camera of that maker, unless a maker's own word says what else it is.
func (d Device) Identity(vendor, service string) audit.Identity {
	id := audit.Identity{Serial: d.Serial, Vendor: vendor, Model: d.Model, Firmware: d.Firmware, Name: d.Name, Kind: audit.KindCamera,
		Channels: d.Channels, Services: []string{service}, Weak: true}
	if d.MAC != "" {
		id.MACs = []string{d.MAC}
	}
	switch service {
	case "xiongmai":
		if d.Channels > 1 {
			id.Kind = audit.KindRecorder
		}
	case "tplink":
		id.Kind = tdpKind(d.Class)
	}
	return id
}

// tdpKind goes by words like "SMART.IPCAMERA" and "SMART.TAPOPLUG". Plugs and bulbs answer too.
func tdpKind(class string) audit.Kind {
	switch c := strings.ToUpper(class); {
	case strings.Contains(c, "CAMERA"), strings.Contains(c, "DOORBELL"):
		return audit.KindCamera
	case strings.Contains(c, "NVR"):
		return audit.KindRecorder
	case c != "":
		return audit.KindOther
	}
	return ""
}
