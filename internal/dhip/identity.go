package dhip

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
)

// Identity is what an answer says of who answers, over the search protocol named. Maker and kind follow from the protocol and from
// the maker's words: labels of the maker speak it too.
func (d Device) Identity(service string) audit.Identity {
	id := audit.Identity{Serial: d.Serial, Vendor: d.vendor(), Model: d.Model, Firmware: d.Firmware, Name: d.Name,
		Kind: d.kind(), Channels: d.VideoInputs + d.RemoteInputs, Services: []string{service}, Weak: true}
	if d.MAC != "" {
		id.MACs = []string{d.MAC}
	}
	if id.Kind != audit.KindRecorder {
		id.Channels = d.VideoInputs
	}
	return id
}

// vendor is the label, unless it is one that means none.
func (d Device) vendor() string {
	switch strings.ToLower(d.Vendor) {
	case "", "general", "private", "dahua", "oem":
		return "Dahua"
	}
	return fingerprint.Canonical(d.Vendor)
}

// kind goes by the maker's word for the class, and by the model where it says nothing else.
func (d Device) kind() audit.Kind {
	for _, s := range []string{strings.ToUpper(d.Class), strings.TrimPrefix(strings.ToUpper(d.Model), "DHI-")} {
		begins := func(prefixes ...string) bool {
			for _, p := range prefixes {
				if strings.HasPrefix(s, p) {
					return true
				}
			}
			return false
		}
		switch {
		case begins("NVR", "XVR", "DVR", "HCVR", "HDVR", "MVR", "EVS", "IVSS", "NVS"):
			return audit.KindRecorder
		case begins("ASI", "ASC", "ASA", "ASR", "BSC", "VTO", "VTH", "VTS"):
			return audit.KindTerminal
		case begins("IPC", "SD", "TPC", "HAC", "PTZ"):
			return audit.KindCamera
		}
	}
	return ""
}
