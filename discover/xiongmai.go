package discover

import "github.com/mingshi-audit/mingshi/internal/makers"

// Xiongmai asks for cameras and recorders of Xiongmai and of its many labels by broadcast. They answer to the questioner, or to
// everybody.
func Xiongmai() Method { return xiongmai().method("xiongmai") }

func xiongmai() protocol {
	return broadcasting("xiongmai", "Xiongmai", makers.XiongmaiPort, makers.XiongmaiPort, makers.NewXiongmai, makers.ParseXiongmai)
}
