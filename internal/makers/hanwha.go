package makers

import "github.com/mingshi-audit/mingshi/internal/mac"

// Ports of Hanwha's search (before it: Samsung Techwin's): devices listen on the first and answer to the second.
const (
	HanwhaPort   = 7701
	HanwhaAnswer = 7711
)

const (
	hanwhaLen      = 262
	hanwhaQuestion = 0x01
	hanwhaReply    = 0x0b
)

// NewHanwha returns the question.
func NewHanwha() []byte {
	b := make([]byte, hanwhaLen)
	b[0] = hanwhaQuestion
	return b
}

// ParseHanwha reads an answer, which has the question's layout.
func ParseHanwha(b []byte) (Device, error) {
	switch {
	case len(b) > 0 && b[0] == hanwhaQuestion:
		return Device{}, question("hanwha")
	case len(b) < 0x77 || len(b) > maxDatagram || b[0] != hanwhaReply:
		return Device{}, malformed("hanwha", "no answer")
	}
	return Device{MAC: mac.Parse(field(b, 0x13, 18)), IPv4: parseHost(field(b, 0x25, 16)), Model: field(b, 0x6d, 10)}.checked("hanwha")
}
