package discover

import (
	"strings"

	"github.com/google/uuid"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/sadp"
)

// SADP asks for devices of Hikvision and of its many labels. They may answer to the group.
func SADP() Method { return hikvision().method("sadp") }

func hikvision() protocol {
	return protocol{
		name:      "sadp",
		scheme:    "udp",
		port:      sadp.Port,
		group4:    sadp.Group(),
		broadcast: true,
		answers:   sadp.Port,
		hears:     true,
		longest:   vendorWait,
		rounds:    vendorTurns,
		idle:      sadp.ErrQuestion,
		ask: func(*guard.UDP) []question {
			return []question{{data: sadp.NewInquiry(strings.ToUpper(uuid.NewString()))}}
		},
		read: readSADP,
	}
}

func readSADP(b []byte) ([]sighted, error) {
	d, err := sadp.Parse(b)
	if err != nil {
		return nil, err
	}
	id := audit.Identity{MACs: macs(d.MAC), Serial: d.Serial, Vendor: "Hikvision", Model: d.Model, Firmware: d.Firmware, Kind: hikvisionKind(d),
		Channels: d.DigitalChannels, Services: []string{"sadp"}, Weak: true}
	return []sighted{{claims: d.IPv4, target: audit.Target{Addr: port(d.HTTPPort), Identity: id}}}, nil
}

// hikvisionKind goes by the channels of a recorder, then by the maker's model numbers, which labels often keep.
func hikvisionKind(d sadp.Device) audit.Kind {
	model := strings.TrimPrefix(strings.ToUpper(d.Model), "I") // iDS- is DS- with more analytics
	switch {
	case d.DigitalChannels > 0, hasAnyPrefix(model, "DS-7", "DS-8", "DS-9"):
		return audit.KindRecorder
	case hasAnyPrefix(model, "DS-K"):
		return audit.KindTerminal
	case hasAnyPrefix(model, "DS-2"):
		return audit.KindCamera
	}
	return ""
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
