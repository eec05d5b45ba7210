package discover

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/makers"
)

// Xiongmai asks for cameras and recorders of Xiongmai and of its many labels by broadcast. They answer to the questioner, or to
// everybody.
func Xiongmai() Method { return xiongmai().method("xiongmai") }

func xiongmai() protocol {
	p := broadcasting("xiongmai", "Xiongmai", makers.XiongmaiPort, makers.XiongmaiPort, makers.NewXiongmai, makers.ParseXiongmai)
	read := p.read
	p.read = func(b []byte) ([]sighted, error) {
		out, err := read(b)
		for i := range out {
			if out[i].target.Identity.Channels > 1 {
				out[i].target.Identity.Kind = audit.KindRecorder
			}
		}
		return out, err
	}
	return p
}
