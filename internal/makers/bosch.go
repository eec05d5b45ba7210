package makers

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Ports of Bosch's search: devices listen on the first and answer to the second.
const (
	BoschPort   = 1757
	BoschAnswer = 1758
)

const (
	boschMagic   = 0x9939a427
	boschRequest = 0xff0006de
)

// NewBosch returns the question with a transaction number.
func NewBosch(transaction uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, boschMagic)
	b = binary.BigEndian.AppendUint32(b, transaction)
	return binary.BigEndian.AppendUint32(b, boschRequest)
}

// ParseBosch reads an answer: 32 bytes of the older firmware, or XML.
func ParseBosch(b []byte) (Device, error) {
	switch {
	case len(b) == 12 && binary.BigEndian.Uint32(b) == boschMagic:
		return Device{}, question("bosch")
	case len(b) >= 32 && binary.BigEndian.Uint32(b) == boschMagic:
		return Device{MAC: mac.Bytes(b[8:14]), IPv4: host(b[16:20])}.checked("bosch")
	case bytes.Contains(b[:min(len(b), 512)], []byte("<")):
		return boschXML(b)
	}
	return Device{}, malformed("bosch", "neither form")
}

func boschXML(b []byte) (Device, error) {
	if i := bytes.IndexByte(b, '<'); i > 0 {
		b = b[i:] // some answers have the binary head before it
	}
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: maxDatagram, MaxDepth: 16, MaxElements: 1024, Charset: "gb18030"})
	if err != nil {
		return Device{}, malformed("bosch", err.Error())
	}
	f := map[string]string{}
	for _, root := range doc.Roots {
		root.Walk(func(n *xmltree.Node) bool {
			if k := strings.ToLower(n.Name.Local); f[k] == "" {
				f[k] = n.Text
			}
			return true
		})
	}
	d := Device{
		Model:  clean.Text(f["friendlyname"], maxText),
		Name:   clean.Text(f["unitname"], maxText),
		Serial: clean.Text(f["serialnumber"], maxText),
		MAC:    mac.Parse(f["physaddress"]),
		IPv4:   parseHost(f["unitipaddress"]),
		Class:  clean.Text(f["devicetype"], maxText),
	}
	if n, err := strconv.ParseUint(f["httpport"], 10, 16); err == nil {
		d.HTTPPort = uint16(n)
	}
	return d.checked("bosch")
}
