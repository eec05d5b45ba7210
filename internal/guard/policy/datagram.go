package policy

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Datagram returns nil for a datagram that may be sent to a port: the inquiry of the protocol that lives there, and nothing
// else of that protocol. Every other port is refused, UDP 7788 (Uniview's maintenance service, which does not survive
// unexpected bytes) and 5060 (SIP, where asking means registering) among them. The error is a *Refusal.
func Datagram(to netip.AddrPort, b []byte) error {
	inquiry, ok := inquiries[to.Port()]
	switch {
	case !ok:
		return refuse("port", to.Port())
	case !inquiry(b):
		return refuse("inquiry", to.Port())
	}
	return nil
}

// inquiries lists, by destination port, what an inquiry looks like.
var inquiries = map[uint16]func([]byte) bool{
	3702:  wsDiscovery,
	5353:  dnsQuestion,
	1900:  search,
	37020: sadp.Match,
	37810: dhip,
	5050:  exactly("a3010001 00000000 00000000 00000000 02000000 00000000 00000000 00000000"),
	7701:  hanwha,
	1757:  bosch,
	2380:  exactly("02 454e513a616c6c696e666f ff03"), // ENQ:allinfo
	10670: ipro,
	10000: vivotek,
	20002: exactly("02000001 00000000 00000000 463cb5d3"),
	20004: exactly("02000001 00000000 00000000 463cb5d3"),
	34569: exactly("ff000000 00000000 00000000 0000 fa05 00000000"), // message 1530
}

func exactly(digits string) func([]byte) bool {
	want := unhex(digits)
	return func(b []byte) bool { return bytes.Equal(b, want) }
}

// unhex reads the hexadecimal digits of the lists above.
func unhex(s string) []byte {
	var out []byte
	half, high := false, byte(0)
	for _, c := range []byte(s) {
		n := byte(strings.IndexByte("0123456789abcdef", c))
		switch {
		case c == ' ':
		case !half:
			half, high = true, n<<4
		default:
			half, out = false, append(out, high|n)
		}
	}
	return out
}

// sadp is Hikvision's inquiry. The same port and envelope also activate devices and change their addresses and passwords, so
// the whole packet is spelled out.
var sadp = regexp.MustCompile(`^<\?xml version="1\.0" encoding="utf-8"\?><Probe><Uuid>[0-9A-F-]{36}</Uuid><Types>inquiry(_v32)?</Types></Probe>$`)

// dhip is Dahua's DHDiscover.search behind its header. DHDiscover.setConfig, DevInit and PasswdFind share port and header, so
// the body is spelled out too.
func dhip(b []byte) bool {
	const header = 32
	if len(b) < header {
		return false
	}
	head, body := b[:header], b[header:]
	n := binary.LittleEndian.Uint32(head[16:])
	want := make([]byte, header)
	want[0] = header
	copy(want[4:], "DHIP")
	binary.LittleEndian.PutUint32(want[16:], n)
	binary.LittleEndian.PutUint32(want[24:], n)
	return bytes.Equal(head, want) && int64(n) == int64(len(body)) && dhipBody.Match(body)
}

var dhipBody = regexp.MustCompile(`^\{"method":"DHDiscover\.search","params":\{"mac":"","uni":[01]\}\}\n?$`)

// hanwha is 262 bytes of which only the first, the packet's type, is set.
func hanwha(b []byte) bool {
	return len(b) == 262 && b[0] == 1 && !slices.ContainsFunc(b[1:], func(c byte) bool { return c != 0 })
}

// bosch is twelve bytes around a transaction number.
func bosch(b []byte) bool {
	return len(b) == 12 && bytes.Equal(b[:4], unhex("9939a427")) && bytes.Equal(b[8:], unhex("ff0006de"))
}

// ipro is i-PRO's 52 bytes: the asker's addresses and the checksum may be anything.
func ipro(b []byte) bool {
	return len(b) == 52 && bytes.Equal(b[:12], unhex("00010000 000d0000 00000000")) &&
		bytes.Equal(b[22:50], unhex("00012011 1e11231f 1e191300 00020000 00000000 00000000 0000ffff"))
}

// vivotek is a session number and the protocol's mark. Foscam's and other makers' inquiries on the same port are not sent.
func vivotek(b []byte) bool { return len(b) == 5 && bytes.Equal(b[1:], unhex("4a5d8f1c")) }

// search is an SSDP search (UPnP Device Architecture 2.0, section 1.3.2): the request line, the header that makes it one, and
// no body.
func search(b []byte) bool {
	head, body, ok := strings.Cut(string(b), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if !ok || body != "" || lines[0] != "M-SEARCH * HTTP/1.1" || len(lines) > 8 || strings.ContainsAny(strings.Join(lines, ""), "\r\n\x00") {
		return false
	}
	return slices.ContainsFunc(lines[1:], func(l string) bool { return strings.EqualFold(l, `MAN: "ssdp:discover"`) })
}

// dnsQuestion is a DNS query with questions alone: an answer, or a record in the authority section, would be a claim to a name
// (RFC 6762, section 8.2). An additional record may only be EDNS, which has no room here.
func dnsQuestion(b []byte) bool {
	if len(b) < 12+5 || b[2]&0xfc != 0 { // QR, opcode and AA
		return false
	}
	count := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	if count(4) == 0 || count(6) != 0 || count(8) != 0 || count(10) != 0 {
		return false
	}
	rest := b[12:]
	for range count(4) {
		var ok bool
		if rest, ok = question(rest); !ok {
			return false
		}
	}
	return len(rest) == 0
}

// question cuts one question off: labels, or a pointer to an earlier name, then type and class.
func question(b []byte) (rest []byte, ok bool) {
	for len(b) > 0 {
		n := int(b[0])
		switch {
		case n == 0 && len(b) >= 5:
			return b[5:], true
		case n&0xc0 == 0xc0 && len(b) >= 6:
			return b[6:], true
		case n == 0 || n > 63 || len(b) < n+1:
			return nil, false
		}
		b = b[n+1:]
	}
	return nil, false
}

// wsDiscovery is an envelope whose body is one Probe or one Resolve. Hello and Bye are claims of a device.
func wsDiscovery(b []byte) bool {
	op, ok := soapOperation(b)
	return ok && (op.Local == "Probe" || op.Local == "Resolve") && strings.Contains(op.Space, "discovery")
}

// soapOperation returns the name of the one element in the body of an envelope. It refuses what a device's parser could read
// otherwise: several bodies, several elements, a document type, anything after the envelope.
func soapOperation(b []byte) (op xml.Name, ok bool) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("not UTF-8") }
	var path []xml.Name
	roots, bodies, found := 0, 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return op, roots == 1 && bodies == 1 && found == 1
		}
		if err != nil {
			return xml.Name{}, false
		}
		switch t := tok.(type) {
		case xml.Directive:
			return xml.Name{}, false
		case xml.StartElement:
			switch len(path) {
			case 0:
				roots++
				if t.Name.Local != "Envelope" {
					return xml.Name{}, false
				}
			case 1:
				if t.Name.Local == "Body" {
					bodies++
				}
			case 2:
				if path[1].Local == "Body" {
					found++
					op = t.Name
				}
			}
			path = append(path, t.Name)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}
