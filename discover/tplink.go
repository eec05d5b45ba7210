package discover

import (
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/makers"
)

// TPLink asks for devices of TP-Link by broadcast, on the two ports its older and newer ones listen on. Plugs and bulbs answer
// too, and say what they are.
func TPLink() Method { return tplink().method("tplink") }

func tplink() protocol {
	p := broadcasting("tplink", "TP-Link", makers.TDPPort, 0, nil, makers.ParseTDP)
	p.ask = func(*guard.UDP) []question {
		return []question{{data: makers.NewTDP()}, {data: makers.NewTDP(), port: makers.TDPPortNew}}
	}
	return p
}
