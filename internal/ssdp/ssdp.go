// Package ssdp is the search of UPnP (UPnP Device Architecture 2.0, section 1): the question, the answers and announcements,
// and the description of a device that an answer points to. It knows nothing of sockets or of what an answer is
// worth.
package ssdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// Port is where devices listen.
const Port = 1900

// Group is the multicast group of IPv4.
func Group() netip.Addr { return netip.AddrFrom4([4]byte{239, 255, 255, 250}) }

// Targets of a search.
const (
	RootDevice = "upnp:rootdevice"                     // every device once
	AxisBasic  = "urn:axis-com:service:BasicService:1" // Axis cameras
)

// Errors of Parse; errors.Is finds them.
var (
	ErrMalformed = errors.New("malformed SSDP message")
	ErrQuestion  = errors.New("an SSDP question")
)

const (
	maxDatagram = 8 << 10
	maxHeaders  = 64
	maxText     = 255
)

// Message is an answer or an announcement. Everything may be missing; text is cleaned and cut.
type Message struct {
	Announced bool   // a NOTIFY nobody asked for
	Gone      bool   // … that says farewell
	Target    string // ST or NT: what it is
	USN       string
	UUID      string // of the USN, without "uuid:"
	Location  string // where the description is
	Server    string // system, UPnP version and product
}

// NewSearch returns the question for a target. Devices wait a random time of up to wait seconds before they answer.
func NewSearch(target string, wait int) []byte {
	return []byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: " + strconv.Itoa(wait) + "\r\nST: " + target + "\r\n\r\n")
}

// Parse reads one datagram. Header names have any case and any order; lines may end in a line feed alone. The error wraps
// ErrQuestion for somebody's search, and ErrMalformed for everything that is no SSDP.
func Parse(b []byte) (Message, error) {
	if len(b) > maxDatagram {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	lines := strings.Split(strings.Trim(string(b), "\x00\r\n"), "\n")
	first := strings.ToUpper(strings.TrimSpace(lines[0]))
	var m Message
	switch {
	case strings.HasPrefix(first, "M-SEARCH "):
		return Message{}, ErrQuestion
	case strings.HasPrefix(first, "NOTIFY "):
		m.Announced = true
	case !strings.HasPrefix(first, "HTTP/1.") || !strings.Contains(first, " 200"):
		return Message{}, fmt.Errorf("%w: neither answer nor announcement", ErrMalformed)
	}
	for _, line := range lines[1:min(len(lines), maxHeaders)] {
		k, v, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		m.set(strings.ToUpper(strings.TrimSpace(k)), clean.Text(v, maxText))
	}
	if m.USN == "" && m.Location == "" && m.Target == "" {
		return Message{}, fmt.Errorf("%w: it says nothing", ErrMalformed)
	}
	return m, nil
}

func (m *Message) set(k, v string) {
	switch k {
	case "ST", "NT":
		m.Target = v
	case "NTS":
		m.Gone = strings.EqualFold(v, "ssdp:byebye")
	case "USN":
		m.USN = v
		if rest, ok := strings.CutPrefix(strings.ToLower(v), "uuid:"); ok {
			m.UUID, _, _ = strings.Cut(rest, "::")
		}
	case "LOCATION":
		m.Location = v
	case "SERVER":
		m.Server = v
	}
}
