package sadp

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Identity is what an answer says of who answers. Maker and kind follow from the protocol and the model's name: labels of the
// maker speak it too.
func (d Device) Identity() audit.Identity {
	id := audit.Identity{Serial: d.Serial, Vendor: "Hikvision", Model: d.Model, Firmware: d.Firmware, Kind: d.kind(), Channels: d.DigitalChannels,
		Services: []string{"sadp"}, Weak: true}
	if d.MAC != "" {
		id.MACs = []string{d.MAC}
	}
	return id
}

// kind goes by the channels of a recorder, then by the maker's model numbers, which labels often keep.
func (d Device) kind() audit.Kind {
	model := strings.TrimPrefix(strings.ToUpper(d.Model), "I") // iDS- is DS- with more analytics
	begins := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(model, p) {
				return true
			}
		}
		return false
	}
	switch {
	case d.DigitalChannels > 0, begins("DS-7", "DS-8", "DS-9"):
		return audit.KindRecorder
	case begins("DS-K"):
		return audit.KindTerminal
	case begins("DS-2"):
		return audit.KindCamera
	}
	return ""
}
