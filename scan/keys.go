package scan

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// keyKind is a kind of identifying statement, strongest first.
type keyKind int

const (
	byMAC keyKind = iota
	byEPR
	byMDNS
	bySerial
	byTLS
	keyKinds
)

// normalMAC returns twelve lower-case hexadecimal digits with colons, or nothing for what is no hardware address of one device.
func normalMAC(s string) string {
	hexes := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'f':
			return r
		case r >= 'A' && r <= 'F':
			return r + 'a' - 'A'
		case r == ':', r == '-', r == '.', r == ' ':
			return -1
		}
		return 'x'
	}, s)
	if len(hexes) != 12 || strings.Contains(hexes, "x") || strings.Trim(hexes, "0") == "" || strings.Trim(hexes, "f") == "" {
		return ""
	}
	var b strings.Builder
	for i := 0; i < 12; i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(hexes[i : i+2])
	}
	return b.String()
}

// normalSerial returns a serial number fit for comparing, or nothing for placeholders that many devices share.
func normalSerial(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) < 5 || strings.Trim(s, s[:1]) == "" || slices.Contains([]string{"unknown", "none", "default", "123456", "1234567", "12345678", "123456789", "0123456789"}, s) {
		return ""
	}
	return s
}

func overlap(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

func shareAddress(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if addressOf(x) != "" && addressOf(x) == addressOf(y) {
				return true
			}
		}
	}
	return false
}

func addressOf(locus string) string {
	if ap, err := netip.ParseAddrPort(locus); err == nil {
		return ap.Addr().String()
	}
	if a, err := netip.ParseAddr(locus); err == nil {
		return a.String()
	}
	return ""
}

func unique(l []string) []string {
	n, _ := audit.Normal(l)
	out, _ := n.([]string)
	if out == nil {
		out = []string{}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
