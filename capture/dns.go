package capture

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	dnsHeader  = 12
	dnsMost    = 16 << 10 // bytes of a message over TCP that are handed on
	dnsAnswers = 64       // records of an answer that are read
	dnsAliases = 16       // names of a chain of aliases that are followed
)

// udpDNS hands on a DNS message and remembers what it says of addresses. It is asked at DNS's own port only.
func udpDNS(c *conn, up bool, payload []byte) (handled bool) {
	if !dnsBegins(payload) {
		return false
	}
	c.e.learn(c, up, payload)
	c.emit(up, Flow{Proto: ProtoDNS, Payload: payload, Cut: c.cut})
	return true
}

// dnsBegins reports whether b has the header of a query or an answer with at least one question and not absurdly many of
// anything.
func dnsBegins(b []byte) bool {
	if len(b) < dnsHeader {
		return false
	}
	if op := b[2] >> 3 & 0xf; op > 6 || b[3]&0x40 != 0 {
		return false
	}
	n := 0
	for i := 4; i < dnsHeader; i += 2 {
		n += int(binary.BigEndian.Uint16(b[i:]))
	}
	return n > 0 && n*5 <= len(b)-dnsHeader+4
}

// learn keeps what an answer says of addresses, for whoever asked.
func (e *Engine) learn(c *conn, up bool, b []byte) {
	if b[2]&0x80 == 0 {
		return
	}
	asker := c.party(c.side(!up)).Addr.Addr()
	dnsAddresses(b, func(name string, a netip.Addr) { e.names.put(asker, a, name, c.at) })
}

// nameOf returns the name that client last resolved to server, at most an hour before the newest packet; empty where none was
// seen. That it was resolved proves nothing of what a connection was for.
func (e *Engine) nameOf(client, server netip.Addr) string {
	return e.names.find(client, server, e.stats.Last)
}

// dnsAddresses calls each with the addresses an answer states for the name that was asked for, over its aliases too. Records
// behind one that cannot be read are not looked at.
func dnsAddresses(b []byte, each func(name string, a netip.Addr)) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || !h.Response || h.RCode != dnsmessage.RCodeSuccess {
		return
	}
	q, err := p.Question()
	if err != nil || q.Class != dnsmessage.ClassINET || p.SkipAllQuestions() != nil {
		return
	}
	name := hostName(q.Name.Data[:q.Name.Length])
	if name == "" {
		return
	}
	same := []dnsmessage.Name{q.Name}
	for range dnsAnswers {
		r, err := p.AnswerHeader()
		if err != nil {
			return
		}
		ours := slices.ContainsFunc(same, func(n dnsmessage.Name) bool { return equalNames(n, r.Name) })
		switch {
		case ours && r.Type == dnsmessage.TypeA:
			a, err := p.AResource()
			if err != nil {
				return
			}
			each(name, netip.AddrFrom4(a.A))
		case ours && r.Type == dnsmessage.TypeAAAA:
			a, err := p.AAAAResource()
			if err != nil {
				return
			}
			each(name, netip.AddrFrom16(a.AAAA).Unmap())
		case ours && r.Type == dnsmessage.TypeCNAME && len(same) < dnsAliases:
			n, err := p.CNAMEResource()
			if err != nil {
				return
			}
			same = append(same, n.CNAME)
		default:
			if p.SkipAnswer() != nil {
				return
			}
		}
	}
}

func equalNames(a, b dnsmessage.Name) bool {
	return a.Length == b.Length && strings.EqualFold(string(a.Data[:a.Length]), string(b.Data[:b.Length]))
}

const (
	namesMost = 16 << 10 // entries
	namesAge  = time.Hour
)

// names remembers which name a client resolved to which address. Beyond its bound, the entry that was learned longest ago
// makes room. The zero value is ready.
type names struct {
	index   map[resolved]int32
	entries []nameEntry
	next    [2]int32 // the newest entry and the oldest, where there are any
}

type resolved struct{ client, server netip.Addr }

type nameEntry struct {
	key          resolved
	name         string
	at           time.Time
	newer, older int32 // -1: none
}

// put notes that client resolved name to server. Times of a capture may go back; then the later one stands.
func (n *names) put(client, server netip.Addr, name string, at time.Time) {
	if server.IsUnspecified() || server.IsLoopback() {
		return // how blockers of advertisements answer
	}
	k := resolved{client.Unmap().WithZone(""), server}
	if n.index == nil {
		n.index = map[resolved]int32{}
	}
	i, known := n.index[k]
	switch {
	case known:
		n.unlink(i)
	case len(n.entries) < namesMost:
		i = int32(len(n.entries))
		n.entries = append(n.entries, nameEntry{})
	default:
		i = n.next[1]
		n.unlink(i)
		delete(n.index, n.entries[i].key)
	}
	n.entries[i] = nameEntry{key: k, name: name, at: at, newer: -1, older: -1}
	n.index[k] = i
	n.link(i)
}

// link makes an entry the newest.
func (n *names) link(i int32) {
	if len(n.index) == 1 {
		n.next = [2]int32{i, i}
		return
	}
	n.entries[i].older = n.next[0]
	n.entries[n.next[0]].newer = i
	n.next[0] = i
}

func (n *names) unlink(i int32) {
	x := &n.entries[i]
	if x.newer >= 0 {
		n.entries[x.newer].older = x.older
	} else {
		n.next[0] = x.older
	}
	if x.older >= 0 {
		n.entries[x.older].newer = x.newer
	} else {
		n.next[1] = x.newer
	}
}

// find returns the name, where it was learned within the hour before at.
func (n *names) find(client, server netip.Addr, at time.Time) string {
	i, ok := n.index[resolved{client.Unmap().WithZone(""), server.Unmap().WithZone("")}]
	if !ok || at.Sub(n.entries[i].at) > namesAge {
		return ""
	}
	return n.entries[i].name
}
