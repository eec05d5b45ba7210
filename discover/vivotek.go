package discover

import (
	"math/rand/v2"

	"github.com/mingshi-audit/mingshi/internal/makers"
)

// Vivotek asks for cameras of Vivotek by broadcast.
func Vivotek() Method { return vivotek().method("vivotek") }

func vivotek() protocol {
	question := func() []byte { return makers.NewVivotek(byte(rand.Uint32())) }
	return broadcasting("vivotek", "Vivotek", makers.VivotekPort, 0, question, makers.ParseVivotek)
}
