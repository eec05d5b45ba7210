package announce

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// arp reads the sender's half of an ARP packet (RFC 826), asked or answered: who it says it is. The target's half is a question. A
// probe (RFC 5227) has no sender's address yet, and what comes from another frame's address than it claims is somebody else's word.
func (l *listener) arp() error {
	b := l.f.Payload
	if len(b) < 28 || binary.BigEndian.Uint16(b) != 1 || binary.BigEndian.Uint16(b[2:]) != 0x0800 || b[4] != 6 || b[5] != 4 {
		return fmt.Errorf("ARP: %w", errMalformed)
	}
	if op := binary.BigEndian.Uint16(b[6:]); op != 1 && op != 2 {
		return nil // reverse and inverse ARP
	}
	hw := b[8:14]
	frame := l.f.Client.MAC
	if hw[0]&1 != 0 || frame != [6]byte{} && !bytes.Equal(hw, frame[:]) {
		return nil
	}
	l.bare("arp", netip.AddrFrom4([4]byte(b[14:18])), mac.Bytes(hw), audit.Identity{})
	return nil
}

// Options of DHCP (RFC 2132).
const (
	optHostName  = 12
	optRequested = 50
	optType      = 53
	optClass     = 60
	optEnd       = 255

	dhcpRequest = 3
	dhcpFixed   = 240 // bytes before the options
)

// dhcp reads a client's request, which is the message that says both who it is and what address it means to have: the one it has,
// or the one it was offered. A server's word about a client says nothing of what the client is.
func (l *listener) dhcp(b []byte) error {
	if len(b) < dhcpFixed || !bytes.Equal(b[236:240], []byte{99, 130, 83, 99}) {
		return fmt.Errorf("DHCP: %w", errMalformed)
	}
	if b[0] != 1 || b[1] != 1 || b[2] != 6 || b[28]&1 != 0 {
		return nil
	}
	at := netip.AddrFrom4([4]byte(b[12:16])) // ciaddr
	var host, class string
	what := byte(0)
	for o := b[dhcpFixed:]; len(o) > 0 && o[0] != optEnd; {
		if o[0] == 0 {
			o = o[1:]
			continue
		}
		if len(o) < 2 || len(o) < 2+int(o[1]) {
			return fmt.Errorf("DHCP: an option beyond the end: %w", errMalformed)
		}
		v := o[2 : 2+int(o[1])]
		switch {
		case o[0] == optHostName:
			host = clean.Text(string(v), maxText)
		case o[0] == optClass:
			class = clean.Text(string(v), maxText)
		case o[0] == optType && len(v) == 1:
			what = v[0]
		case o[0] == optRequested && len(v) == 4 && at.IsUnspecified():
			at = netip.AddrFrom4([4]byte(v))
		}
		o = o[2+len(v):]
	}
	if what != dhcpRequest {
		return nil
	}
	id := audit.Identity{Name: host}
	if v := l.classVendor(class); v != "" {
		id.Vendor, id.Kind, id.Weak = v, classKind(class), true
	}
	l.bare("dhcp", at, mac.Bytes(b[28:34]), id)
	return nil
}

// cameraMakers are the makers whose name alone, as a vendor class, says what a device is: they make little else.
var cameraMakers = []string{"Hikvision", "EZVIZ", "Dahua", "Imou", "Uniview", "Tiandy", "Axis", "Hanwha", "Reolink", "Amcrest", "Lorex", "Vivotek", "Avigilon", "Pelco",
	"Mobotix", "Arecont", "Milesight", "Verkada"}

// classVendor returns the maker a vendor class begins with ("AXIS,Network Camera,Q1765"), where that is one of cameras.
func (l *listener) classVendor(class string) string {
	first := strings.FieldsFunc(class, func(r rune) bool { return strings.ContainsRune(",;:/-_ .", r) })
	if len(first) == 0 {
		return ""
	}
	if v := l.db.Canonical(strings.ToLower(first[0])); slices.Contains(cameraMakers, v) {
		return v
	}
	return ""
}

// classKind goes by the class's own word for the kind.
func classKind(class string) audit.Kind {
	switch c := strings.ToUpper(class); {
	case strings.Contains(c, "NVR"), strings.Contains(c, "DVR"), strings.Contains(c, "RECORDER"):
		return audit.KindRecorder
	case strings.Contains(c, "IPC"), strings.Contains(c, "CAMERA"):
		return audit.KindCamera
	}
	return ""
}
