package fingerprint

import "strings"

// MAC returns the maker a hardware address was assigned to, by the longest prefix. It is false for addresses that nobody
// assigned (locally administered, multicast), for makers that are not in the data and for text that is no address.
func (db *DB) MAC(mac string) (Match, bool) {
	d := digits(mac)
	if len(d) != 12 || !strings.ContainsRune("048C", rune(d[1])) {
		return Match{}, false
	}
	for _, n := range []int{9, 7, 6} {
		if p, ok := db.prefixes[d[:n]]; ok {
			return Match{Vendor: p.vendor, Kind: p.kind, What: p.what, Source: p.source, Strength: Weak}, true
		}
	}
	return Match{}, false
}

// digits returns the upper-case hexadecimal digits of an address written with colons, hyphens, dots or nothing between, and
// "" for any other text.
func digits(mac string) string {
	if len(mac) > 23 {
		return ""
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(mac) {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'F':
			b.WriteRune(r)
		case r == ':', r == '-', r == '.':
		default:
			return ""
		}
	}
	return b.String()
}

// colons writes twelve digits the way audit.Identity wants addresses.
func colons(mac string) string {
	d := strings.ToLower(digits(mac))
	if len(d) != 12 {
		return ""
	}
	var parts []string
	for i := 0; i < 12; i += 2 {
		parts = append(parts, d[i:i+2])
	}
	return strings.Join(parts, ":")
}
