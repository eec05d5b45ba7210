package makers

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/mac"
)

// SonyPort is where Sony's cameras listen; they answer to the questioner.
const SonyPort = 2380

// NewSony returns the question.
func NewSony() []byte { return []byte("\x02ENQ:allinfo\xff\x03") }

// ParseSony reads an answer: fields "KEY:value" between 0x02 and 0x03, each ended by 0xff.
func ParseSony(b []byte) (Device, error) {
	switch {
	case bytes.HasPrefix(b, []byte("\x02ENQ:")):
		return Device{}, question("sony")
	case len(b) < 3 || len(b) > maxDatagram || b[0] != 2:
		return Device{}, malformed("sony", "no answer")
	}
	var d Device
	for f := range bytes.SplitSeq(b[1:], []byte{0xff}) {
		k, v, ok := bytes.Cut(f, []byte(":"))
		if !ok {
			continue
		}
		value := text(v)
		switch strings.ToUpper(string(bytes.TrimSpace(k))) {
		case "MAC":
			d.MAC = mac.Parse(value)
		case "MODEL":
			d.Model = value
		case "SERIAL":
			d.Serial = value
		case "NAME":
			d.Name = value
		case "IPADR":
			d.IPv4 = parseHost(value)
		case "SOFTVERSION":
			d.Firmware = value
		case "WEBPORT":
			if n, err := strconv.ParseUint(value, 10, 16); err == nil {
				d.HTTPPort = uint16(n)
			}
		}
	}
	return d.checked("sony")
}
