package dhip

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// PortV1 is where devices listen to the older broadcast. They answer to the questioner's port or to this one.
const PortV1 = 5050

// Offsets of an answer of the older broadcast.
const (
	v1Section2Len = 0x02
	v1Section3Len = 0x14
	v1Type        = 0x28
	v1TypeLen     = 16
	v1Addr        = 0x38
	v1MAC         = 0x78
	v1MACLen      = 17
)

// NewSearchV1 returns the question of the older broadcast.
func NewSearchV1() []byte {
	b := make([]byte, 32)
	copy(b, "\xa3\x01\x00\x01")
	b[16] = 2
	return b
}

// ParseV1 reads one datagram of the older broadcast: a fixed section, the hardware address with the model behind it, and
// lines of "key:value". The error wraps ErrQuestion for the question of somebody, and ErrMalformed for everything else that is
// no answer.
func ParseV1(b []byte) (Device, error) {
	switch {
	case len(b) > 0 && b[0] == 0xa3:
		return Device{}, ErrQuestion
	case len(b) < v1MAC || len(b) > maxDatagram || b[0] != 0xb3:
		return Device{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	d := Device{Model: text(b[v1Type : v1Type+v1TypeLen])}
	if a := netip.AddrFrom4([4]byte(b[v1Addr:])); !a.IsUnspecified() {
		d.IPv4 = a
	}
	rest := b[v1MAC:]
	second := rest[:min(int(b[v1Section2Len]), len(rest))]
	third := rest[len(second):]
	third = third[:min(int(binary.LittleEndian.Uint16(b[v1Section3Len:])), len(third))]
	d.MAC = mac.Parse(text(second[:min(v1MACLen, len(second))]))
	if len(second) > v1MACLen {
		if model := text(second[v1MACLen:]); model != "" {
			d.Model = model // the fixed field has room for 16 letters only
		}
	}
	d.lines(third)
	if d.Model == "" && d.MAC == "" && !d.IPv4.IsValid() {
		return Device{}, fmt.Errorf("%w: an answer without a device", ErrMalformed)
	}
	return d, nil
}

func (d *Device) lines(b []byte) {
	for line := range bytes.SplitSeq(b, []byte("\r\n")) {
		k, v, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch strings.ToLower(string(bytes.TrimSpace(k))) {
		case "name":
			d.Name = text(v)
		case "device":
			if model := text(v); model != "" {
				d.Model = model
			}
		case "serialno":
			d.Serial = text(v)
		case "ipv6addr":
			d.IPv6 = ipv6(text(v))
		}
	}
}

// ipv6 reads "addr/64;gateway:addr".
func ipv6(s string) netip.Addr {
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(s, "/")
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// text is a field that ends at its first zero.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return clean.Text(string(unicodeText(b)), maxText)
}
