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
	return []sighted{{claims: d.IPv4, target: audit.Target{Addr: port(d.HTTPPort), Identity: d.Identity()}}}, nil
}
