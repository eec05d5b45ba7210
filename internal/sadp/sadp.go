// Package sadp is Hikvision's search protocol, over UDP 37020: the inquiry, and what devices of that maker and of its many
// labels answer. The protocol also activates devices and changes their addresses and passwords; nothing here can say so. It
// knows nothing of sockets or of what an answer is worth.
package sadp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Port is where devices listen. They answer to the questioner, to the group, or to the broadcast address.
const Port = 37020

// Group is the multicast group, which SADP shares with WS-Discovery and SSDP.
func Group() netip.Addr { return netip.AddrFrom4([4]byte{239, 255, 255, 250}) }

// Errors of Parse; errors.Is finds them.
var (
	ErrMalformed = errors.New("malformed SADP message")
	ErrQuestion  = errors.New("an SADP question")
)

const (
	maxDatagram = 64 << 10
	maxText     = 200
)

// Device is what an answer says. Everything may be missing; text is cleaned and cut.
type Device struct {
	UUID            string // of the inquiry that is answered
	Types           string // what is answered: "inquiry", "inquiry_v32", "hello" …
	Model           string // DeviceDescription
	Serial          string // DeviceSN: model, date, series and number in one
	MAC             string // lower case with colons
	IPv4            netip.Addr
	Mask, Gateway   netip.Addr
	IPv6            netip.Addr
	DHCP            bool
	HTTPPort        uint16
	CommandPort     uint16 // of the maker's own protocol
	AnalogChannels  int
	DigitalChannels int    // of a recorder; 0 for a camera
	Firmware        string // SoftwareVersion
	Activated       Answer
	Cloud           Answer // HCPlatformEnable: it talks to the maker's cloud
	OEM             string
}

// Answer is yes, no, or nothing said.
type Answer int

// The answers.
const (
	NotSaid Answer = iota
	No
	Yes
)

// NewInquiry returns the question. uuid is in upper case with dashes, as the maker's own tool writes it.
func NewInquiry(uuid string) []byte {
	return []byte(`<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>` + uuid + `</Uuid><Types>inquiry</Types></Probe>`)
}

// Parse reads one datagram. Elements are told apart by their names alone, in any case and any namespace; names that are no
// UTF-8 are read as GB 18030. The error wraps ErrQuestion for the question of somebody, and ErrMalformed for everything that
// is no SADP.
func Parse(b []byte) (Device, error) {
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: maxDatagram, MaxDepth: 16, MaxElements: 1024, Charset: "gb18030"})
	if err != nil {
		return Device{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, root := range doc.Roots {
		switch strings.ToLower(root.Name.Local) {
		case "probe":
			return Device{}, ErrQuestion
		case "probematch":
			d := device(root)
			if d.Model == "" && d.Serial == "" && d.MAC == "" && !d.IPv4.IsValid() {
				return Device{}, fmt.Errorf("%w: an answer without a device", ErrMalformed)
			}
			return d, nil
		}
	}
	return Device{}, fmt.Errorf("%w: neither question nor answer", ErrMalformed)
}

func device(n *xmltree.Node) Device {
	f := fields{}
	for _, k := range n.Kids {
		if name := strings.ToLower(k.Name.Local); f[name] == "" {
			f[name] = k.Text
		}
	}
	return Device{
		UUID:            f.text("uuid"),
		Types:           f.text("types"),
		Model:           f.text("devicedescription"),
		Serial:          f.text("devicesn"),
		MAC:             mac.Parse(f["mac"]),
		IPv4:            f.addr("ipv4address"),
		Mask:            f.addr("ipv4subnetmask"),
		Gateway:         f.addr("ipv4gateway"),
		IPv6:            f.addr("ipv6address"),
		DHCP:            f.answer("dhcp") == Yes,
		HTTPPort:        uint16(f.number("httpport", 65535)),
		CommandPort:     uint16(f.number("commandport", 65535)),
		AnalogChannels:  f.number("analogchannelnum", 4096),
		DigitalChannels: f.number("digitalchannelnum", 4096),
		Firmware:        f.text("softwareversion"),
		Activated:       f.answer("activated"),
		Cloud:           f.answer("hcplatformenable"),
		OEM:             f.text("oeminfo"),
	}
}

// fields are the elements of an answer by their names in lower case.
type fields map[string]string

func (f fields) text(k string) string { return clean.Text(f[k], maxText) }

// addr is an address that may be one host's.
func (f fields) addr(k string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSpace(f[k]))
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// number is a number up to limit, 0 where there is none.
func (f fields) number(k string, limit int) int {
	n, err := strconv.Atoi(strings.TrimSpace(f[k]))
	if err != nil || n < 0 || n > limit {
		return 0
	}
	return n
}

func (f fields) answer(k string) Answer {
	switch strings.ToLower(strings.TrimSpace(f[k])) {
	case "true", "1":
		return Yes
	case "false", "0":
		return No
	}
	return NotSaid
}
