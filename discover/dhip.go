package discover

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/dhip"
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
	return sighted{claims: d.IPv4, target: audit.Target{Addr: port(d.HTTPPort), Identity: d.Identity(service)}}
}
