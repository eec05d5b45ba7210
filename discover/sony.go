package discover

import "github.com/mingshi-audit/mingshi/internal/makers"

// Sony asks for cameras of Sony by broadcast.
func Sony() Method { return sony().method("sony") }

func sony() protocol {
	return broadcasting("sony", "Sony", makers.SonyPort, 0, makers.NewSony, makers.ParseSony)
}
