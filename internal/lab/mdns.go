package lab

import (
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

// onMDNS answers PTR questions for the services devices announce, as described in RFC 6762 and RFC 6763: to the group, and
// straight back to a legacy questioner, who asks from another port than 5353.
func (s *Shop) onMDNS(p *ipv4.PacketConn, b []byte, from *net.UDPAddr) {
	var parser dnsmessage.Parser
	h, err := parser.Start(b)
	if err != nil || h.Response {
		return
	}
	questions, err := parser.AllQuestions()
	if err != nil {
		return
	}
	for _, q := range questions {
		if q.Type != dnsmessage.TypePTR && q.Type != dnsmessage.TypeALL {
			continue
		}
		for _, d := range s.devices {
			for _, r := range d.spec.MDNS {
				if !strings.EqualFold(q.Name.String(), r.Service+".local.") {
					continue
				}
				d.saw("mDNS "+r.Service, LoginNone)
				msg, err := d.serviceRecord(h.ID, r, from.Port != 5353, q)
				if err != nil {
					continue
				}
				if from.Port != 5353 {
					p.WriteTo(msg, nil, from)
				} else {
					p.WriteTo(msg, nil, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353})
				}
			}
		}
	}
}

func (d *device) serviceRecord(id uint16, r Record, legacy bool, q dnsmessage.Question) ([]byte, error) {
	label := strings.NewReplacer(".", "_", " ", "_").Replace(d.spec.Name)
	service, err := dnsmessage.NewName(r.Service + ".local.")
	if err != nil {
		return nil, err
	}
	instance, err := dnsmessage.NewName(label + "." + r.Service + ".local.")
	if err != nil {
		return nil, err
	}
	host, err := dnsmessage.NewName(label + ".local.")
	if err != nil {
		return nil, err
	}
	txt := r.TXT
	if len(txt) == 0 {
		txt = []string{"txtvers=1"}
	}
	head := func(n dnsmessage.Name) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: 120}
	}
	m := dnsmessage.Message{
		Header:  dnsmessage.Header{Response: true, Authoritative: true},
		Answers: []dnsmessage.Resource{{Header: head(service), Body: &dnsmessage.PTRResource{PTR: instance}}},
		Additionals: []dnsmessage.Resource{
			{Header: head(instance), Body: &dnsmessage.SRVResource{Port: d.http.Port(), Target: host}},
			{Header: head(instance), Body: &dnsmessage.TXTResource{TXT: txt}},
			{Header: head(host), Body: &dnsmessage.AResource{A: d.http.Addr().As4()}},
		},
	}
	if legacy {
		m.ID, m.Questions = id, []dnsmessage.Question{q}
	}
	return m.Pack()
}
