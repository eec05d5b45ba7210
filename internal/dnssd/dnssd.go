// Package dnssd is DNS-Based Service Discovery over multicast DNS (RFC 6763, RFC 6762) as cameras, recorders and the servers they
// are used with speak it: the service types worth knowing, what one message announces, and who that says it is. It knows nothing
// of sockets or of what an answer is worth: any host on a link may announce any address.
package dnssd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Port is where multicast DNS is spoken.
const Port = 5353

// Errors of Read; errors.Is finds them.
var (
	ErrMalformed = errors.New("malformed DNS message")
	ErrQuestion  = errors.New("a DNS question")
)

const (
	maxServices = 32
	maxAddrs    = 8
	maxTXT      = 64
)

// Types are the DNS-SD service types of cameras, recorders and the servers they are used with, the telling ones first.
func Types() []string {
	return []string{
		"_axis-video._tcp", "_axis-nvr._tcp", "_onvif._tcp", "_rtsp._tcp", "_psia._tcp",
		"_CGI._tcp", // Hikvision, beside _psia
		"_camera._tcp", "_nvr._tcp",
		"_arec._tcp", // Arecont
		"_hap._tcp",  // HomeKit; TXT ci=17 is a camera
		"_home-assistant._tcp", "_scrypted._tcp", "_mqtt._tcp",
	}
}

// Service is one instance that a message announces, of one of Types. What the message leaves out is empty; text is cleaned and
// cut.
type Service struct {
	Type     string // as Types writes it
	Instance string
	Host     string // lower case, without the last dot
	Port     uint16
	TXT      map[string]string
	Addrs    []netip.Addr // of Host
}

// Read reads the instances one message announces. A farewell (time to live 0) announces nothing. The error wraps ErrQuestion for
// the question of somebody, which says nothing of a service, and ErrMalformed for what is no DNS.
func Read(b []byte) ([]Service, error) {
	m, err := Unpack(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !m.Response {
		return nil, ErrQuestion
	}
	// The library takes a message that ends after any record for a whole one.
	for i, n := range []int{len(m.Question), len(m.Answer), len(m.Ns), len(m.Extra)} {
		if n != int(binary.BigEndian.Uint16(b[4+2*i:])) {
			return nil, fmt.Errorf("%w: cut", ErrMalformed)
		}
	}
	r := reader{instances: map[string]*Service{}, addrs: map[string][]netip.Addr{}}
	all := slices.Concat(m.Answer, m.Ns, m.Extra)
	for _, rr := range all { // names first: the records of an instance may come before it
		if rr.Header().Ttl > 0 {
			r.name(rr)
		}
	}
	for _, rr := range all {
		if rr.Header().Ttl > 0 {
			r.describe(rr)
		}
	}
	var out []Service
	for _, key := range r.order {
		s := *r.instances[key]
		s.Addrs = r.addrs[s.Host]
		out = append(out, s)
	}
	return out, nil
}

type reader struct {
	instances map[string]*Service // by name in lower case, with domain
	order     []string
	addrs     map[string][]netip.Addr // by host, as Service.Host writes it
}

func (r *reader) name(rr dns.RR) {
	full := ""
	switch x := rr.(type) {
	case *dns.PTR:
		if _, ok := serviceType(x.Hdr.Name); ok {
			full = x.Ptr
		}
	case *dns.SRV:
		full = x.Hdr.Name
	}
	key := strings.ToLower(full)
	if full == "" || r.instances[key] != nil || len(r.order) >= maxServices {
		return
	}
	for _, t := range Types() {
		tail := "." + t + ".local."
		if len(full) > len(tail) && strings.EqualFold(full[len(full)-len(tail):], tail) {
			r.instances[key] = &Service{Type: t, Instance: clean.Text(Unescape(full[:len(full)-len(tail)]), 100)}
			r.order = append(r.order, key)
			return
		}
	}
}

func (r *reader) describe(rr dns.RR) {
	switch x := rr.(type) {
	case *dns.SRV:
		if s := r.instances[strings.ToLower(x.Hdr.Name)]; s != nil && s.Host == "" {
			s.Host, s.Port = Host(x.Target), x.Port
		}
	case *dns.TXT:
		if s := r.instances[strings.ToLower(x.Hdr.Name)]; s != nil && s.TXT == nil {
			s.TXT = TXT(x.Txt)
		}
	case *dns.A:
		r.address(x.Hdr.Name, x.A)
	case *dns.AAAA:
		r.address(x.Hdr.Name, x.AAAA)
	}
}

func (r *reader) address(name string, ip []byte) {
	a, ok := netip.AddrFromSlice(ip)
	if key := Host(name); ok && len(r.addrs[key]) < maxAddrs && len(r.addrs) <= maxServices {
		r.addrs[key] = append(r.addrs[key], a.Unmap())
	}
}

// serviceType returns the type a name with its domain stands for.
func serviceType(name string) (string, bool) {
	for _, t := range Types() {
		if strings.EqualFold(name, t+".local.") {
			return t, true
		}
	}
	return "", false
}

// Unpack reads a message. It survives what the library does not.
func Unpack(b []byte) (m dns.Msg, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("dnssd: reading a DNS message: %v", p)
		}
	}()
	err = m.Unpack(b)
	return m, err
}

// Host returns a host name fit to be compared and shown.
func Host(name string) string {
	return clean.Text(strings.ToLower(strings.TrimSuffix(Unescape(name), ".")), 255)
}

// Identity says who an instance is. The host name is preferred to the instance name: it is the same for all services of one
// device. Kind and vendor rest on the service type, so they are weak.
func Identity(service, host, instance string, txt map[string]string) audit.Identity {
	id := audit.Identity{MDNS: host, Name: instance}
	if host == "" {
		id.MDNS = instance
	}
	for _, k := range []string{"macaddress", "mac"} {
		if m := mac.Parse(txt[k]); m != "" {
			id.MACs = []string{m}
			break
		}
	}
	switch {
	case axisKind(service) != "":
		id.Kind, id.Vendor, id.Weak = axisKind(service), "Axis", true
		model, hw := axisInstance(instance)
		id.Model = model
		if len(id.MACs) == 0 && hw != "" {
			id.MACs = []string{hw}
		}
	case service == "_home-assistant._tcp", service == "_scrypted._tcp":
		id.Kind, id.Weak = audit.KindServer, true
	case service == "_nvr._tcp":
		id.Kind, id.Weak = audit.KindRecorder, true
	case service == "_hap._tcp" && (txt["ci"] == "17" || txt["ci"] == "18"):
		id.Kind, id.Weak = audit.KindCamera, true // 17 camera, 18 video doorbell
	}
	return id
}

// axisKind names the kind behind a service type of Axis; it is empty for all others.
func axisKind(service string) audit.Kind {
	switch service {
	case "_axis-video._tcp":
		return audit.KindCamera
	case "_axis-nvr._tcp":
		return audit.KindRecorder
	}
	return ""
}

// axisInstance reads the model and the hardware address from "AXIS P3245-V - 00408C123456", the name a device announces unless
// somebody gave it another.
func axisInstance(name string) (model, hw string) {
	i := strings.LastIndex(name, " - ")
	if i < 0 || !strings.HasPrefix(strings.ToUpper(name[:i]), "AXIS ") {
		return "", ""
	}
	if hw = mac.Parse(name[i+len(" - "):]); hw == "" {
		return "", ""
	}
	return strings.TrimSpace(name[len("AXIS "):i]), hw
}

// TXT reads "key=value" strings (RFC 6763, section 6): keys do not depend on case, the first of equal keys stands.
func TXT(text []string) map[string]string {
	out := map[string]string{}
	for _, s := range text[:min(len(text), maxTXT)] {
		k, v, _ := strings.Cut(Unescape(s), "=")
		k = clean.Text(strings.ToLower(k), 64)
		if _, ok := out[k]; !ok && k != "" {
			out[k] = clean.Text(v, 255)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Unescape undoes the presentation format of DNS names (RFC 1035, section 5.1): "\032" and "\ " are spaces.
func Unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if i+3 < len(s) && digit(s[i+1]) && digit(s[i+2]) && digit(s[i+3]) {
			if n := int(s[i+1]-'0')*100 + int(s[i+2]-'0')*10 + int(s[i+3]-'0'); n < 256 {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		i++
		b.WriteByte(s[i])
	}
	return b.String()
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
