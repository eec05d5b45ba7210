package discover

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/dhip"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/guard"
)

// DHIP asks for devices of Dahua and of its many labels. An answer is some thirty times as long as the question, so it goes
// to the link alone and never through a router.
func DHIP() Method { return dahua().method("dhip") }

func dahua() protocol {
	return protocol{
		name:      "dhip",
		scheme:    "udp",
		port:      dhip.Port,
		group4:    dhip.Group(),
		broadcast: true,
		answers:   dhip.Port,
		hears:     true,
		longest:   vendorWait,
		rounds:    vendorTurns,
		idle:      dhip.ErrQuestion,
		ask:       func(*guard.UDP) []question { return []question{{data: dhip.NewSearch(true)}} },
		read: func(b []byte) ([]sighted, error) {
			d, err := dhip.Parse(b)
			if err != nil {
				return nil, err
			}
			return []sighted{dahuaSighted(d, "dhip")}, nil
		},
	}
}

func dahuaSighted(d dhip.Device, service string) sighted {
	id := audit.Identity{MACs: macs(d.MAC), Serial: d.Serial, Vendor: dahuaVendor(d.Vendor), Model: d.Model, Firmware: d.Firmware, Name: d.Name,
		Kind: dahuaKind(d), Channels: d.VideoInputs + d.RemoteInputs, Services: []string{service}, Weak: true}
	if id.Kind != audit.KindRecorder {
		id.Channels = d.VideoInputs
	}
	return sighted{claims: d.IPv4, target: audit.Target{Addr: port(d.HTTPPort), Identity: id}}
}

// dahuaVendor is the label, unless it is one that means none.
func dahuaVendor(label string) string {
	switch strings.ToLower(label) {
	case "", "general", "private", "dahua", "oem":
		return "Dahua"
	}
	return fingerprint.Canonical(label)
}

// dahuaKind goes by the maker's word for the class, and by the model where it says nothing else.
func dahuaKind(d dhip.Device) audit.Kind {
	for _, s := range []string{strings.ToUpper(d.Class), strings.TrimPrefix(strings.ToUpper(d.Model), "DHI-")} {
		switch {
		case hasAnyPrefix(s, "NVR", "XVR", "DVR", "HCVR", "HDVR", "MVR", "EVS", "IVSS", "NVS"):
			return audit.KindRecorder
		case hasAnyPrefix(s, "ASI", "ASC", "ASA", "ASR", "BSC", "VTO", "VTH", "VTS"):
			return audit.KindTerminal
		case hasAnyPrefix(s, "IPC", "SD", "TPC", "HAC", "PTZ"):
			return audit.KindCamera
		}
	}
	return ""
}
