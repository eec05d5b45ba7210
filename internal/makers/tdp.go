package makers

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Ports of TP-Link's TDP: older and newer devices listen on one of them and answer to the questioner.
const (
	TDPPort    = 20002
	TDPPortNew = 20004
)

const tdpHeader = 16

// NewTDP returns the question, which asks for nothing secret and hands out no key.
func NewTDP() []byte {
	return []byte("\x02\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x46\x3c\xb5\xd3")
}

// ParseTDP reads an answer: a header, then JSON. Class is TP-Link's word, "SMART.IPCAMERA" for a camera.
func ParseTDP(b []byte) (Device, error) {
	switch {
	case bytes.Equal(b, NewTDP()):
		return Device{}, question("tdp")
	case len(b) <= tdpHeader || len(b) > maxDatagram || b[0] != 2:
		return Device{}, malformed("tdp", "no answer")
	}
	var m struct {
		Result struct {
			Type     string `json:"device_type"`
			Model    string `json:"device_model"`
			Name     string `json:"device_name"`
			IP       string `json:"ip"`
			MAC      string `json:"mac"`
			Firmware string `json:"firmware_version"`
		} `json:"result"`
	}
	if err := json.NewDecoder(bytes.NewReader(b[tdpHeader:])).Decode(&m); err != nil {
		return Device{}, malformed("tdp", err.Error())
	}
	r := m.Result
	return Device{
		Model:    clean.Text(r.Model, maxText),
		Name:     clean.Text(r.Name, maxText),
		MAC:      mac.Parse(r.MAC),
		IPv4:     parseHost(strings.TrimSpace(r.IP)),
		Firmware: clean.Text(r.Firmware, maxText),
		Class:    clean.Text(r.Type, maxText),
	}.checked("tdp")
}
