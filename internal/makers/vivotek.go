package makers

import (
	"encoding/binary"

	"github.com/mingshi-audit/mingshi/internal/mac"
)

// VivotekPort is where Vivotek's cameras listen; they answer to the questioner.
const VivotekPort = 10000

const vivotekMagic = 0x4a5d8f1c

// NewVivotek returns the question of a session, which the answer repeats.
func NewVivotek(session byte) []byte {
	return binary.BigEndian.AppendUint32([]byte{session}, vivotekMagic)
}

// ParseVivotek reads an answer: the question, then a type, a length and a value each. Type 4 is one byte and has no length.
func ParseVivotek(b []byte) (Device, error) {
	const header = 5
	switch {
	case len(b) < header || len(b) > maxDatagram || binary.BigEndian.Uint32(b[1:]) != vivotekMagic:
		return Device{}, malformed("vivotek", "no answer")
	case len(b) == header:
		return Device{}, question("vivotek")
	}
	var d Device
	for b = b[header:]; len(b) >= 2; {
		kind, n := b[0], int(b[1])
		if kind == 4 {
			n = 0
		}
		if kind == 0 || len(b) < 2+n {
			break
		}
		value := b[2 : 2+n]
		b = b[2+n:]
		switch {
		case kind == 1:
			d.Name = text(value)
		case kind == 2 && n == 6:
			d.MAC = mac.Bytes(value)
		case kind == 3 && n == 4:
			d.IPv4 = host(value)
		case kind == 6 && n == 2:
			d.HTTPPort = binary.BigEndian.Uint16(value)
		case kind == 9:
			d.Model = text(value)
		}
	}
	return d.checked("vivotek")
}
