package discover

import (
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/makers"
)

// IPRO asks for cameras of i-PRO, formerly Panasonic, by broadcast. They answer to a port of their own.
func IPRO() Method { return ipro().method("ipro") }

func ipro() protocol {
	p := broadcasting("ipro", "i-PRO", makers.IPROPort, makers.IPROAnswer, nil, makers.ParseIPRO)
	p.ask = func(u *guard.UDP) []question {
		everybody := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} // an asker that is not told by its hardware address
		if u == nil {
			return []question{{}}
		}
		return []question{{data: makers.NewIPRO(everybody, u.Local().Addr())}}
	}
	return p
}
