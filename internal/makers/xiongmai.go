package makers

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/mac"
)

// XiongmaiPort is where devices of Xiongmai and its many labels listen; they answer to the questioner, or to everybody on
// this port.
const XiongmaiPort = 34569

const (
	xiongmaiHeader   = 20
	xiongmaiQuestion = 1530
	xiongmaiReply    = 1531
)

// NewXiongmai returns the question.
func NewXiongmai() []byte {
	b := make([]byte, xiongmaiHeader)
	b[0] = 0xff
	binary.LittleEndian.PutUint16(b[14:], xiongmaiQuestion)
	return b
}

// ParseXiongmai reads an answer: a header, then JSON that may end in a line feed and zeros.
func ParseXiongmai(b []byte) (Device, error) {
	if len(b) < xiongmaiHeader || len(b) > maxDatagram || b[0] != 0xff {
		return Device{}, malformed("xiongmai", "no answer")
	}
	switch binary.LittleEndian.Uint16(b[14:]) {
	case xiongmaiQuestion:
		return Device{}, question("xiongmai")
	case xiongmaiReply:
	default:
		return Device{}, malformed("xiongmai", "another message")
	}
	var m struct {
		Net map[string]json.RawMessage `json:"NetWork.NetCommon"`
	}
	if err := json.NewDecoder(bytes.NewReader(b[xiongmaiHeader:])).Decode(&m); err != nil {
		return Device{}, malformed("xiongmai", err.Error())
	}
	get := func(k string) string {
		var s string
		if json.Unmarshal(m.Net[k], &s) == nil {
			return text([]byte(s))
		}
		var n json.Number
		if json.Unmarshal(m.Net[k], &n) == nil {
			return text([]byte(n))
		}
		return ""
	}
	d := Device{Name: get("HostName"), Serial: get("SN"), MAC: mac.Parse(get("MAC")), IPv4: xiongmaiAddr(get("HostIP")), Firmware: get("Version")}
	if n, err := strconv.ParseUint(get("HttpPort"), 10, 16); err == nil {
		d.HTTPPort = uint16(n)
	}
	if n, err := strconv.Atoi(get("ChannelNum")); err == nil && n >= 0 && n <= 4096 {
		d.Channels = n
	}
	return d.checked("xiongmai")
}

// xiongmaiAddr reads "0x4002A8C0", whose last byte is the address's first.
func xiongmaiAddr(s string) netip.Addr {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(s), "0x"), 16, 32)
	if err != nil {
		return netip.Addr{}
	}
	return host(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}
