package discover

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
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
	read := p.read
	p.read = func(b []byte) ([]sighted, error) {
		d, err := makers.ParseTDP(b)
		if err != nil {
			return nil, err
		}
		out, err := read(b)
		for i := range out {
			out[i].target.Identity.Kind = tplinkKind(d.Class)
		}
		return out, err
	}
	return p
}

// tplinkKind goes by words like "SMART.IPCAMERA" and "SMART.TAPOPLUG".
func tplinkKind(class string) audit.Kind {
	switch c := strings.ToUpper(class); {
	case strings.Contains(c, "CAMERA"), strings.Contains(c, "DOORBELL"):
		return audit.KindCamera
	case strings.Contains(c, "NVR"):
		return audit.KindRecorder
	case c != "":
		return audit.KindOther
	}
	return ""
}
