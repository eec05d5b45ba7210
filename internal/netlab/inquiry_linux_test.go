package netlab

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// inquiry says whether a datagram to the port does no more than ask who is there. It is written from the protocols'
// descriptions and not from the program: it is what the program is judged by.
func inquiry(port string, b []byte) bool {
	has := func(s string) bool { return bytes.Contains(b, []byte(s)) }
	switch port {
	case "udp 3702": // WS-Discovery
		return has("ws/2005/04/discovery/Probe") || has("ws-dd/ns/discovery/2009/01/Probe")
	case "udp 5353": // mDNS: a query
		return len(b) >= 12 && b[2]&0x80 == 0 && binary.BigEndian.Uint16(b[4:]) > 0
	case "udp 1900": // SSDP
		return bytes.HasPrefix(b, []byte("M-SEARCH * HTTP/1.1\r\n"))
	case "udp 37020": // SADP
		return has("<Types>inquiry</Types>") || has("<Types>inquiry_v32</Types>")
	case "udp 37810": // DHIP
		return len(b) > 32 && string(b[4:8]) == "DHIP" && has(`"method":"DHDiscover.search"`)
	case "udp 5050": // DVRIP
		return bytes.HasPrefix(b, []byte{0xa3, 1, 0, 1}) && len(b) == 32
	case "udp 34569": // Xiongmai: message 1530 without a body
		return len(b) == 20 && b[0] == 0xff && binary.LittleEndian.Uint16(b[14:]) == 1530
	case "udp 20002", "udp 20004": // TDP
		return bytes.Equal(b, []byte{2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x46, 0x3c, 0xb5, 0xd3})
	case "udp 7701": // Hanwha: message 1, else nothing
		return len(b) > 1 && b[0] == 1 && len(bytes.Trim(b[1:], "\x00")) == 0
	case "udp 1757": // Bosch
		return len(b) == 12 && bytes.HasPrefix(b, []byte{0x99, 0x39, 0xa4, 0x27})
	case "udp 2380": // Sony
		return has("\x02ENQ:allinfo")
	case "udp 10670": // i-PRO
		return len(b) == 52
	case "udp 10000": // Vivotek
		return len(b) == 5 && bytes.Equal(b[1:], []byte{0x4a, 0x5d, 0x8f, 0x1c})
	}
	return false
}

// offList returns the datagrams that are no inquiry, and the TCP streams that begin with none. A longer request is judged by
// its first segment.
func offList(all []Departure) (out []string) {
	for _, d := range all {
		switch {
		case strings.HasPrefix(d.What, "udp") && !inquiry(d.What, d.Data):
			out = append(out, fmt.Sprintf("%s %s %.60q", d.To, d.What, d.Data))
		case strings.HasPrefix(d.What, "tcp") && !spoken(d.Data):
			out = append(out, fmt.Sprintf("%s %s %.60q", d.To, d.What, d.Data))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// spoken says whether what a TCP segment begins with changes nothing: nothing at all, a reading request, TLS, or the body of
// a request that was judged at its head.
func spoken(b []byte) bool {
	method, _, found := bytes.Cut(b, []byte(" "))
	if !found || len(method) > 16 || !bytes.Equal(method, bytes.ToUpper(method)) || bytes.ContainsAny(method, "<\x00\x16") {
		return true
	}
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "POST": // what is posted is judged by who gets it
		return true
	}
	return false
}
