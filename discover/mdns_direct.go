package discover

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/grandcat/zeroconf"
	"github.com/miekg/dns"

	"github.com/mingshi-audit/mingshi/internal/dnssd"
	"github.com/mingshi-audit/mingshi/internal/guard"
)

// The library forgets everything between two packets, so it drops a service whose address came in another one. Responders
// may leave out what they multicast within the last second (RFC 6762, section 6); with avahi 0.8, _rtsp was lost over IPv6
// beside _axis-video. So the same questions are also asked from a port of our own, which brings answers to us alone and
// whole (section 6.7), and what is still missing of a service is asked for by name.

const (
	directNames   = 4096 // instances, and hosts, that are remembered
	directFollow  = 256  // questions for what was missing
	directPackets = 20_000
	directAddrs   = 8 // of one host
)

// heard is a packet as it came, and what it answers.
type heard struct {
	question, answer []byte
	from             netip.AddrPort
	at               time.Time
}

// direct asks for every service type over a socket of our own until the context ends.
func (b *browsing) direct(ctx context.Context, v6 bool) error {
	u, err := b.env.Guard.OpenUDP(b.ifi, guard.UDPOptions{V6: v6})
	if err != nil {
		return err
	}
	defer u.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := &questioner{u: u, to: mdnsGroup(v6), more: make(chan dns.Question, directFollow), round: mdnsWindow(b.env) / time.Duration(mdnsTurns(b.env)), sent: map[uint16][]byte{}}
	done := make(chan error, 1)
	go func() {
		err := q.run(ctx, mdnsBatches(b.env), mdnsTurns(b.env))
		if err != nil {
			cancel()
		}
		done <- err
	}()
	dir := newDirectory()
	for range directPackets {
		p, err := u.Receive(ctx)
		if err != nil {
			break
		}
		entries, missing := dir.add(p.Data)
		for _, m := range missing {
			select {
			case q.more <- m:
			default:
			}
		}
		for _, e := range entries {
			b.take(e.service, e.entry, &heard{question: q.question(p.Data), answer: p.Data, from: p.From, at: p.At})
		}
	}
	cancel()
	return <-done
}

func mdnsGroup(v6 bool) netip.AddrPort {
	if v6 {
		return netip.MustParseAddrPort("[ff02::fb]:5353")
	}
	return netip.MustParseAddrPort("224.0.0.251:5353")
}

// questioner sends the questions of one socket.
type questioner struct {
	u     *guard.UDP
	to    netip.AddrPort
	more  chan dns.Question
	round time.Duration

	mu   sync.Mutex
	id   uint16
	sent map[uint16][]byte
}

// run asks in rounds. The error is that of a round in which nothing could be sent.
func (q *questioner) run(ctx context.Context, batches [][]string, turns int) error {
	for range turns {
		next := time.NewTimer(q.round)
		defer next.Stop()
		for _, services := range batches {
			var what []dns.Question
			for _, s := range services {
				what = append(what, dns.Question{Name: s + ".local.", Qtype: dns.TypePTR, Qclass: dns.ClassINET})
			}
			err := q.ask(ctx, what...)
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
		for waiting := true; waiting; {
			select {
			case m := <-q.more:
				if err := q.ask(ctx, m); err != nil && ctx.Err() == nil {
					return err
				}
			case <-next.C:
				waiting = false
			case <-ctx.Done():
				return nil
			}
		}
	}
	<-ctx.Done()
	return nil
}

func (q *questioner) ask(ctx context.Context, what ...dns.Question) error {
	q.mu.Lock()
	q.id++
	m := dns.Msg{MsgHdr: dns.MsgHdr{Id: q.id}, Question: what}
	b, err := m.Pack()
	if err == nil {
		q.sent[q.id] = b
	}
	q.mu.Unlock()
	if err != nil {
		return nil // a name a device made up that cannot be written; nobody can answer it
	}
	return q.u.Send(ctx, b, q.to)
}

// question is what a packet answers, if it says so.
func (q *questioner) question(answer []byte) []byte {
	if len(answer) < 2 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sent[uint16(answer[0])<<8|uint16(answer[1])]
}

// directory remembers DNS-SD records across packets. Names do not depend on case.
type directory struct {
	services  map[string]string // in lower case, with domain → as listed
	instances map[string]*instance
	hosts     map[string][]netip.Addr
	asked     map[string]int
	follow    int
}

type instance struct {
	service, name string // name as written, with domain
	srv           *dns.SRV
	txt           []string
	told          int // addresses its host had when it was reported last
}

// listing is an entry that can be reported.
type listing struct {
	service string
	entry   *zeroconf.ServiceEntry
}

func newDirectory() *directory {
	d := &directory{services: map[string]string{}, instances: map[string]*instance{}, hosts: map[string][]netip.Addr{}, asked: map[string]int{}}
	for _, s := range dnssd.Types() {
		d.services[strings.ToLower(s)+".local."] = s
	}
	return d
}

// add reads one packet. It returns the entries that became complete or gained an address by it, and what has to be asked to
// complete others. Malformed packets and questions give neither.
func (d *directory) add(b []byte) (entries []listing, missing []dns.Question) {
	m, err := dnssd.Unpack(b)
	if err != nil || !m.Response {
		return nil, nil
	}
	var rest []dns.RR
	for _, rrs := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range rrs {
			if p, ok := rr.(*dns.PTR); ok {
				d.point(p)
			} else {
				rest = append(rest, rr)
			}
		}
	}
	for _, rr := range rest {
		d.describe(rr)
	}
	for _, i := range d.instances {
		if i.srv == nil {
			missing = d.want(missing, i.name, dns.TypeSRV)
			continue
		}
		addrs := d.hosts[strings.ToLower(i.srv.Target)]
		if len(addrs) == 0 {
			missing = d.want(d.want(missing, i.srv.Target, dns.TypeA), i.srv.Target, dns.TypeAAAA)
			continue
		}
		if len(addrs) > i.told {
			i.told = len(addrs)
			entries = append(entries, i.listing(addrs))
		}
	}
	return entries, missing
}

func (d *directory) point(p *dns.PTR) {
	service, ok := d.services[strings.ToLower(p.Hdr.Name)]
	key := strings.ToLower(p.Ptr)
	if !ok || d.instances[key] != nil || len(d.instances) >= directNames || !strings.HasSuffix(key, "."+strings.ToLower(p.Hdr.Name)) {
		return
	}
	d.instances[key] = &instance{service: service, name: p.Ptr}
}

func (d *directory) describe(rr dns.RR) {
	switch r := rr.(type) {
	case *dns.SRV:
		if i := d.instances[strings.ToLower(r.Hdr.Name)]; i != nil && i.srv == nil {
			i.srv = r
		}
	case *dns.TXT:
		if i := d.instances[strings.ToLower(r.Hdr.Name)]; i != nil && i.txt == nil {
			i.txt = r.Txt
		}
	case *dns.A:
		d.address(r.Hdr.Name, r.A)
	case *dns.AAAA:
		d.address(r.Hdr.Name, r.AAAA)
	}
}

func (d *directory) address(name string, ip net.IP) {
	a, ok := netip.AddrFromSlice(ip)
	key := strings.ToLower(name)
	known := d.hosts[key]
	if !ok || len(known) >= directAddrs || known == nil && len(d.hosts) >= directNames {
		return
	}
	a = a.Unmap()
	for _, k := range known {
		if k == a {
			return
		}
	}
	d.hosts[key] = append(known, a)
}

// want asks for a record that is missing, twice at the most: once in every round.
func (d *directory) want(qs []dns.Question, name string, kind uint16) []dns.Question {
	if d.follow >= directFollow {
		return qs
	}
	key := fmt.Sprint(kind, strings.ToLower(name))
	if d.asked[key] >= mdnsRounds {
		return qs
	}
	d.asked[key]++
	d.follow++
	return append(qs, dns.Question{Name: name, Qtype: kind, Qclass: dns.ClassINET})
}

func (i *instance) listing(addrs []netip.Addr) listing {
	e := zeroconf.NewServiceEntry(i.name[:len(i.name)-len(i.service)-len("..local.")], i.service, "local.")
	e.HostName, e.Port, e.Text = i.srv.Target, int(i.srv.Port), i.txt
	for _, a := range addrs {
		if a.Is4() {
			e.AddrIPv4 = append(e.AddrIPv4, a.AsSlice())
		} else {
			e.AddrIPv6 = append(e.AddrIPv6, a.AsSlice())
		}
	}
	return listing{service: i.service, entry: e}
}
