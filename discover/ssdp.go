package discover

import (
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/ssdp"
)

// SSDP asks for everything that speaks UPnP. Where the description of a device is goes into XAddrs; nobody reads it here. Routers
// and televisions answer too: they are targets like others, and known for what they are not where they say so.
func SSDP() Method { return upnp().method("ssdp") }

func upnp() protocol {
	const wait = 1 // seconds a device may take
	return protocol{
		name:     "ssdp",
		scheme:   "udp",
		port:     ssdp.Port,
		group4:   ssdp.Group(),
		longest:  wait * time.Second,
		standard: true,
		rounds:   vendorTurns,
		idle:     ssdp.ErrQuestion,
		ask:      func(*guard.UDP) []question { return []question{{data: ssdp.NewSearch(ssdp.RootDevice, wait)}} },
		read:     readSSDP,
	}
}

func readSSDP(b []byte) ([]sighted, error) {
	m, err := ssdp.Parse(b)
	if err != nil || m.Gone {
		return nil, err
	}
	t := audit.Target{Identity: m.Identity(), Types: nonEmpty(m.Target)}
	if m.Location != "" {
		t.XAddrs = []string{m.Location}
	}
	return []sighted{{target: t}}, nil
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
