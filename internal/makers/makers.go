// Package makers is the small search protocols of camera makers, one file each: what they ask everybody on a network, and what
// their devices answer. A protocol belongs here when its question is a few fixed bytes and its answer a few fields. Some of
// them can do more than search; nothing here can say it. The package knows nothing of sockets or of what an answer
// is worth.
package makers

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// Errors of the parsers; errors.Is finds them.
var (
	ErrMalformed = errors.New("malformed answer")
	ErrQuestion  = errors.New("a question")
)

// Device is what an answer says. Everything may be missing; text is cleaned and cut.
type Device struct {
	Model    string
	Name     string
	Serial   string
	MAC      string // lower case with colons
	IPv4     netip.Addr
	HTTPPort uint16
	Firmware string
	Class    string // the maker's own word for what it is
	Channels int    // video sources; 0 where it says nothing
}

// nobody reports an answer that identifies nothing.
func (d Device) nobody() bool {
	return d.Model == "" && d.Serial == "" && d.MAC == "" && d.Name == "" && !d.IPv4.IsValid()
}

// checked is the end of every parser.
func (d Device) checked(maker string) (Device, error) {
	if d.nobody() {
		return Device{}, malformed(maker, "an answer without a device")
	}
	return d, nil
}

func malformed(maker, why string) error {
	return fmt.Errorf("makers: %s: %w: %s", maker, ErrMalformed, why)
}

func question(maker string) error { return fmt.Errorf("makers: %s: %w", maker, ErrQuestion) }

const (
	maxDatagram = 64 << 10
	maxText     = 200
)

// text is a field that ends at its first zero. What is no UTF-8 is read as GB 18030.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	if !utf8.Valid(b) {
		if u, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil {
			b = u
		}
	}
	return clean.Text(string(b), maxText)
}

// field is the text of n bytes at an offset, as far as there are any.
func field(b []byte, at, n int) string {
	if at >= len(b) {
		return ""
	}
	return text(b[at:min(at+n, len(b))])
}

// host is an IPv4 address that may be a host's.
func host(b []byte) netip.Addr {
	a, ok := netip.AddrFromSlice(b)
	if !ok || !a.Is4() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return a
}

func parseHost(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return host(a.Unmap().AsSlice())
}
