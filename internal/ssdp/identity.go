package ssdp

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Identity goes by what the answer names itself, which is a hint.
func (m Message) Identity() audit.Identity {
	id := audit.Identity{Services: []string{"upnp"}, Weak: true}
	all := strings.ToLower(m.Target + " " + m.USN + " " + m.Server)
	says := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(all, p) {
				return true
			}
		}
		return false
	}
	switch {
	case m.axis():
		id.Vendor = "Axis"
	case says("networkcamera", "digitalsecuritycamera"):
		id.Kind = audit.KindCamera
	case says("internetgatewaydevice", "wlanaccesspoint", "mediarenderer", "mediaserver", "printer", "dial-multiscreen", "roku", "sonos", "hue", "chromecast", "webos"):
		id.Kind = audit.KindOther
	}
	return id
}

// axis reports whether the answer is of one of Axis's devices.
func (m Message) axis() bool {
	return strings.Contains(strings.ToLower(m.Target+" "+m.USN), "axis-com:") || strings.Contains(strings.ToLower(m.Server), "axis ")
}
