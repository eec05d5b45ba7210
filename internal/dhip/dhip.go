// Package dhip is how devices of Dahua and of its many labels are found: DHDiscover over UDP 37810, and the older broadcast
// over UDP 5050. Both ports also carry commands that change a device; nothing here can say those. It knows nothing of
// sockets or of what an answer is worth.
package dhip

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Port is where devices listen to DHDiscover.
const Port = 37810

// Group is its multicast group.
func Group() netip.Addr { return netip.AddrFrom4([4]byte{239, 255, 255, 251}) }

// Errors of Parse and ParseV1; errors.Is finds them.
var (
	ErrMalformed = errors.New("malformed DHIP message")
	ErrQuestion  = errors.New("a DHIP question")
)

const (
	header      = 32
	maxDatagram = 64 << 10
	maxText     = 200
	maxChannels = 4096
)

// Device is what an answer says. Everything may be missing; text is cleaned and cut.
type Device struct {
	Class    string // IPC, NVR, XVR, VTO, ASI …
	Model    string // DeviceType
	Serial   string // SerialNo
	MAC      string // lower case with colons
	IPv4     netip.Addr
	IPv6     netip.Addr
	HTTPPort uint16
	Port     uint16 // of the maker's own protocol, 37777
	Name     string // MachineName
	Vendor   string // Vendor, or Manufacturer: often a label of the maker's
	Firmware string // Version

	VideoInputs  int // wired to it
	RemoteInputs int // cameras of a recorder on the network
}

// NewSearch returns the question. unicast asks for an answer to the questioner alone; some firmware heeds it.
func NewSearch(unicast bool) []byte {
	uni := "0"
	if unicast {
		uni = "1"
	}
	body := `{"method":"DHDiscover.search","params":{"mac":"","uni":` + uni + "}}\n"
	b := make([]byte, header, header+len(body))
	b[0] = header
	copy(b[4:], "DHIP")
	binary.LittleEndian.PutUint32(b[16:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[24:], uint32(len(body)))
	return append(b, body...)
}

// Parse reads one datagram of DHDiscover, with its header or without. Names that are no UTF-8 are read as GB 18030. The error
// wraps ErrQuestion for the question of somebody, and ErrMalformed for everything that is no DHIP.
func Parse(b []byte) (Device, error) {
	if len(b) > maxDatagram {
		return Device{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	body := b
	if len(b) >= header && string(b[4:8]) == "DHIP" {
		body = b[header:]
	}
	var m struct {
		MAC    string `json:"mac"`
		Method string `json:"method"`
		Params struct {
			Info object `json:"deviceInfo"`
		} `json:"params"`
	}
	// What follows the object is padding.
	if err := json.NewDecoder(bytes.NewReader(unicodeText(bytes.TrimLeft(body, " \t\r\n\x00")))).Decode(&m); err != nil {
		return Device{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	switch {
	case strings.HasPrefix(strings.ToLower(m.Method), "dhdiscover."):
		return Device{}, ErrQuestion
	case len(m.Params.Info) == 0:
		return Device{}, fmt.Errorf("%w: no device in it", ErrMalformed)
	}
	d := device(m.Params.Info)
	if d.MAC = mac.Parse(m.MAC); d.MAC == "" {
		d.MAC = mac.Parse(m.Params.Info.text("mac"))
	}
	return d, nil
}

func device(o object) Device {
	d := Device{
		Class:        o.text("DeviceClass"),
		Model:        o.text("DeviceType"),
		Serial:       o.text("SerialNo"),
		IPv4:         o.object("IPv4Address").addr("IPAddress"),
		IPv6:         o.object("IPv6Address").addr("IPAddress"),
		HTTPPort:     uint16(o.number("HttpPort", 65535)),
		Port:         uint16(o.number("Port", 65535)),
		Name:         o.text("MachineName"),
		Vendor:       o.text("Vendor"),
		Firmware:     o.text("Version"),
		VideoInputs:  o.number("VideoInputChannels", maxChannels),
		RemoteInputs: o.number("RemoteVideoInputChannels", maxChannels),
	}
	if d.Vendor == "" {
		d.Vendor = o.text("Manufacturer")
	}
	return d
}

// object is a JSON object whose members may be of any kind: firmware writes the same number as text.
type object map[string]json.RawMessage

func (o object) text(k string) string {
	s, _ := o.scalar(k)
	return clean.Text(s, maxText)
}

// scalar is a text or a number as text.
func (o object) scalar(k string) (string, bool) {
	var s string
	if json.Unmarshal(o[k], &s) == nil {
		return s, true
	}
	var n json.Number
	if json.Unmarshal(o[k], &n) == nil {
		return n.String(), true
	}
	return "", false
}

func (o object) number(k string, limit int) int {
	s, _ := o.scalar(k)
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > limit {
		return 0
	}
	return n
}

func (o object) object(k string) object {
	var inner object
	if json.Unmarshal(o[k], &inner) != nil {
		return nil
	}
	return inner
}

// addr is an address that may be one host's; an IPv6 one comes with its prefix length.
func (o object) addr(k string) netip.Addr {
	s, _ := o.scalar(k)
	s, _, _ = strings.Cut(strings.TrimSpace(s), "/")
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func unicodeText(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	u, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil {
		return b
	}
	return u
}
