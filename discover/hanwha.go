package discover

import "github.com/mingshi-audit/mingshi/internal/makers"

// Hanwha asks for cameras of Hanwha Vision, formerly Samsung Techwin, by broadcast. They answer to a port of their own.
func Hanwha() Method { return hanwha().method("hanwha") }

func hanwha() protocol {
	return broadcasting("hanwha", "Hanwha", makers.HanwhaPort, makers.HanwhaAnswer, makers.NewHanwha, makers.ParseHanwha)
}
