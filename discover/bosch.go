package discover

import (
	"math/rand/v2"

	"github.com/mingshi-audit/mingshi/internal/makers"
)

// Bosch asks for cameras of Bosch by broadcast. They answer to a port of their own.
func Bosch() Method { return bosch().method("bosch") }

func bosch() protocol {
	question := func() []byte { return makers.NewBosch(rand.Uint32()) }
	return broadcasting("bosch", "Bosch", makers.BoschPort, makers.BoschAnswer, question, makers.ParseBosch)
}
