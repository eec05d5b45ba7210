package discover

import (
	"github.com/mingshi-audit/mingshi/internal/dhip"
	"github.com/mingshi-audit/mingshi/internal/guard"
)

// DVRIP asks for devices of Dahua from before DHDiscover, by broadcast.
func DVRIP() Method { return dahuaV1().method("dvrip") }

func dahuaV1() protocol {
	return protocol{
		name:      "dvrip",
		scheme:    "udp",
		port:      dhip.PortV1,
		broadcast: true,
		answers:   dhip.PortV1,
		longest:   vendorWait,
		rounds:    vendorTurns,
		idle:      dhip.ErrQuestion,
		ask:       func(*guard.UDP) []question { return []question{{data: dhip.NewSearchV1()}} },
		read: func(b []byte) ([]sighted, error) {
			d, err := dhip.ParseV1(b)
			if err != nil {
				return nil, err
			}
			return []sighted{dahuaSighted(d, "dvrip")}, nil
		},
	}
}
