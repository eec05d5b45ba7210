package discover

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/makers"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// protocol is a protocol over UDP in which everybody on a link is asked one question. Each method that has one describes it
// here, and the asking, the listening and the bounds are the same for all.
type protocol struct {
	name      string // the method's
	scheme    string // of the evidence's URI: "udp", "soap.udp"
	port      uint16 // questions go to
	group4    netip.Addr
	group6    netip.Addr // where it is spoken over IPv6
	broadcast bool       // questions also go to the broadcast addresses

	answers uint16 // a port that answers go to beside the questioner's, 0: none
	hears   bool   // answers may go to group4

	longest time.Duration // a device may take to answer
	rounds  int           // questions are asked anew, at most; 0: as often as the window allows
	firmly  bool          // every round is repeated, not only the first

	standard bool // a standard says how long answers take, and to repeat the question

	service bool // XAddrs are what a client connects to: the target's port is theirs

	ask  func(u *guard.UDP) []question     // the questions of a round
	read func(b []byte) ([]sighted, error) // what a datagram says
	idle error                             // read's error for somebody's question, which is no news
}

// question is a datagram, with what an answer to it says where the protocol has such a thing, and its port where that is
// another than the protocol's.
type question struct {
	id   string
	data []byte
	port uint16
}

// sighted is what an answer says of one device. The target has no address yet, but may have a port.
type sighted struct {
	answers string     // the id of the question; empty where answers do not say
	claims  netip.Addr // the address the device says it has
	target  audit.Target
}

// The guidance for such protocols is one packet every 3 to 5 seconds, three at most. The Windows firewall, however, lets
// answers to a group or to broadcast in for 3 s after the last packet from the same port, so who listens longer must ask again
// before that.
const round = 2500 * time.Millisecond

// A question is repeated once after a moment, unchanged, since a datagram may be lost: SOAP over UDP, section 3.4, and UPnP
// Device Architecture, section 1.3.2, have it so, and a device that heard both answers one of them or both alike. It counts as
// the same question.
func repeatAfter(quick bool) time.Duration {
	if quick {
		return 50*time.Millisecond + rand.N(50*time.Millisecond)
	}
	return 250*time.Millisecond + rand.N(250*time.Millisecond)
}

const (
	perSource   = 64                      // different answers taken from one source
	rawLimit    = 2000                    // datagrams of one source that are looked at
	sourceLimit = 4096                    // sources taken notice of per interface: a network has no more
	quickMost   = 1700 * time.Millisecond // for the asking and the listening together
	vendorWait  = 700 * time.Millisecond  // none of the makers' protocols names a delay; their devices answer at once
	slowest     = time.Second             // the longest delay any protocol allows: SSDP's
	vendorTurns = 2                       // with the repeat of the first, three packets
)

// method makes the method of a protocol.
func (p protocol) method(key string) Method {
	return Method{
		Name:  p.name,
		Doc:   msg.Text("discover." + key + ".doc"),
		Asks:  msg.Text("discover." + key + ".asks"),
		Needs: audit.PermitDiscover,
		Group: Announced,
		Cost:  p.cost,
		Run: func(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
			env = env.withDefaults()
			return eachInterface(env, p.name, p.group6.IsValid(), func(ifi guard.Interface, v6 bool) audit.Coverage {
				return newInquiry(env, p, ifi, v6, found).run(ctx)
			})
		},
	}
}

// cost counts what is sent on each interface.
func (p protocol) cost(env Env) []Cost {
	env = env.withDefaults()
	var out []Cost
	for _, j := range jobs(env, p.group6.IsValid()) {
		to := p.destinations(j.v6, env.Guard.Broadcasts(j.ifi))
		c := Cost{Target: j.ifi.Name}
		if len(to) == 0 {
			c.Why = msg.Text("discover.inquiry.nobroadcast")
			out = append(out, c)
			continue
		}
		var names []string
		for _, a := range to {
			names = append(names, netip.AddrPortFrom(a, p.port).String())
		}
		turns, packets := p.turns(env), p.perTurn(to)
		c.To = strings.Join(names, ", ")
		for turn := range turns {
			c.Packets += packets
			if p.repeated(env.Quick, turn) {
				c.Packets += packets
			}
		}
		c.Lasts = env.Window
		if env.Quick {
			c.Lasts = min(quickMost, repeatMost+p.longest*3/2)
		}
		out = append(out, c)
	}
	return out
}

const repeatMost = 100 * time.Millisecond // in quick mode

// turns is how often questions are asked anew.
func (p protocol) turns(env Env) int {
	if env.Quick {
		return 1
	}
	n := 1
	for left := env.Window; left > round+500*time.Millisecond && (p.rounds == 0 || n < p.rounds); left -= round {
		n++
	}
	return n
}

// perTurn is how many packets one turn sends: to the group, and to one of the broadcast addresses.
func (p protocol) perTurn(to []netip.Addr) int {
	n := 0
	if slices.ContainsFunc(to, netip.Addr.IsMulticast) {
		n++
	}
	if slices.ContainsFunc(to, func(a netip.Addr) bool { return !a.IsMulticast() }) {
		n++
	}
	return n * len(p.ask(nil))
}

// destinations lists where questions go in a family.
func (p protocol) destinations(v6 bool, broadcasts []netip.Addr) []netip.Addr {
	var out []netip.Addr
	switch {
	case v6 && p.group6.IsValid():
		return []netip.Addr{p.group6}
	case !v6 && p.group4.IsValid():
		out = append(out, p.group4)
	}
	if p.broadcast && !v6 {
		out = append(out, broadcasts...)
	}
	return out
}

// inquiry is the asking and listening on one interface in one family.
type inquiry struct {
	protocol
	env   Env
	ifi   guard.Interface
	v6    bool
	found func(audit.Target)
	to    []netip.Addr // where questions go; those of the protocol where it is nil
	deaf  error

	mu      sync.Mutex
	asked   map[string][]byte // by id, the datagram that was sent; the last one under ""
	sent    int
	sendErr error

	// Of the receiving goroutine alone.
	sources map[netip.Addr]*source
	seed    maphash.Seed
	devices, foreign,
	malformed, unrelated, dropped int
}

type source struct {
	datagrams int
	seen      map[uint64]bool
}

func newInquiry(env Env, p protocol, ifi guard.Interface, v6 bool, found func(audit.Target)) *inquiry {
	return &inquiry{protocol: p, env: env, ifi: ifi, v6: v6, found: found, asked: map[string][]byte{}, sources: map[netip.Addr]*source{}, seed: maphash.MakeSeed()}
}

func (i *inquiry) run(ctx context.Context) audit.Coverage {
	o := guard.UDPOptions{V6: i.v6, Port: i.answers, Broadcast: i.broadcast}
	if i.hears {
		o.Groups = []netip.Addr{i.group4}
	}
	u, err := i.env.Guard.OpenUDP(i.ifi, o)
	if err != nil {
		return i.failed(err)
	}
	defer u.Close()
	i.deaf = u.Deaf()
	if i.to == nil {
		i.to = i.destinations(i.v6, u.Broadcasts())
	}
	if len(i.to) == 0 {
		return audit.Coverage{Status: audit.Skipped, Detail: msg.Text("discover.inquiry.nobroadcast")}
	}
	window := i.env.Window
	if i.env.Quick {
		window = quickMost
	}
	listening, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		switch {
		case !i.askAll(listening, u):
			cancel() // nothing could be sent, so nothing will come
		case i.env.Quick && sleep(listening, i.longest*3/2):
			cancel()
		}
	})
	for {
		p, err := u.Receive(listening)
		if err != nil {
			break
		}
		i.take(p)
	}
	cancel()
	wg.Wait()
	return i.coverage(ctx)
}

func (i *inquiry) failed(err error) audit.Coverage {
	status := audit.Failed
	if guard.IsDenied(err) {
		status = audit.DeniedByUs
	}
	return audit.Coverage{Status: status, Detail: msg.Text("discover.inquiry.failed", family(i.v6), reason(err))}
}

func (i *inquiry) coverage(ctx context.Context) audit.Coverage {
	detail := msg.Text("discover.inquiry.done", family(i.v6), i.sent, i.devices)
	for _, extra := range []struct {
		id string
		n  int
	}{{"foreign", i.foreign}, {"malformed", i.malformed}, {"unrelated", i.unrelated}, {"dropped", i.dropped}} {
		if extra.n > 0 {
			detail = join(detail, msg.Text("discover.inquiry."+extra.id, extra.n))
		}
	}
	if i.deaf != nil {
		detail = join(detail, msg.Text("discover.inquiry.deaf", i.answers, reason(i.deaf)))
	}
	switch {
	case i.sent == 0 && i.sendErr != nil:
		return i.failed(i.sendErr)
	case ctx.Err() != nil:
		return audit.Coverage{Status: audit.Stopped, Detail: join(detail, msg.Text("discover.stopped"))}
	case i.sendErr != nil:
		return audit.Coverage{Status: audit.Partial, Detail: join(detail, msg.Text("discover.inquiry.partly", reason(i.sendErr)))}
	case i.deaf != nil:
		return audit.Coverage{Status: audit.Partial, Detail: detail}
	case i.devices == 0:
		return audit.Coverage{Status: audit.NotObserved, Detail: detail}
	}
	return audit.Coverage{Status: audit.Tried, Detail: detail}
}

// askAll asks in turns, and reports whether anything left.
func (i *inquiry) askAll(ctx context.Context, u *guard.UDP) bool {
	turns, try := i.turns(i.env), 0
	if i.env.Quick && !sleep(ctx, (slowest-i.longest)/5) { // all share the link's pace: who may take longest is asked first
		return false
	}
	for turn := range turns {
		start := time.Now()
		qs := i.ask(u)
		i.send(ctx, u, qs, try)
		try++
		if i.repeated(i.env.Quick, turn) {
			if !sleep(ctx, repeatAfter(i.env.Quick)) {
				return i.anySent()
			}
			i.send(ctx, u, qs, try)
			try++
		}
		if !i.anySent() {
			return false
		}
		if turn+1 < turns && !sleep(ctx, round-time.Since(start)) {
			return true
		}
	}
	return true
}

// repeated reports whether the questions of a turn are sent twice. In a quick run the makers' own are not: the pace is the same
// for all, and what they would find the sweep finds too.
func (p protocol) repeated(quick bool, turn int) bool {
	if quick && !p.standard {
		return false
	}
	return turn == 0 || p.firmly
}

// send sends questions to the group, and to the broadcast addresses in turn: some devices listen to 255.255.255.255 alone, and
// some to that of their network.
func (i *inquiry) send(ctx context.Context, u *guard.UDP, qs []question, try int) {
	var to, broadcasts []netip.Addr
	for _, a := range i.to {
		if a.IsMulticast() {
			to = append(to, a)
		} else {
			broadcasts = append(broadcasts, a)
		}
	}
	if len(broadcasts) > 0 {
		to = append(to, broadcasts[try%len(broadcasts)])
	}
	for _, q := range qs {
		i.mu.Lock()
		i.asked[q.id], i.asked[""] = q.data, q.data
		i.mu.Unlock()
		port := q.port
		if port == 0 {
			port = i.port
		}
		for _, a := range to {
			err := u.Send(ctx, q.data, netip.AddrPortFrom(a, port))
			i.mu.Lock()
			if err == nil {
				i.sent++
			} else if ctx.Err() == nil {
				i.sendErr = err
			}
			i.mu.Unlock()
		}
	}
}

func (i *inquiry) anySent() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.sent > 0
}

// take looks at one datagram. Whatever a source sends costs it its own share only.
func (i *inquiry) take(p guard.Packet) {
	from := zoned(p.From.Addr(), i.ifi)
	s := i.sources[from]
	if s == nil {
		if len(i.sources) >= sourceLimit {
			i.dropped++
			return
		}
		s = &source{seen: map[uint64]bool{}}
		i.sources[from] = s
	}
	if s.datagrams++; s.datagrams > rawLimit || len(s.seen) >= perSource {
		i.dropped++
		return
	}
	all, err := i.read(p.Data)
	if i.idle != nil && errors.Is(err, i.idle) {
		return // somebody else's question, or our own come back
	}
	if err != nil {
		i.malformed++
		if len(p.Data) > 0 && i.fresh(s, string(p.Data)) {
			i.record(p, nil, clean.Text(err.Error(), 200))
		}
	}
	var ids []string
	for _, x := range all {
		i.mu.Lock()
		question, ours := i.asked[x.answers]
		i.mu.Unlock()
		if !ours && x.answers != "" {
			i.unrelated++
			if i.fresh(s, "no answer to "+x.answers) {
				i.record(p, nil, "no answer to a question of ours")
			}
			return
		}
		if len(s.seen) >= perSource {
			i.dropped++
			return
		}
		if !i.fresh(s, fmt.Sprint(x.claims, x.target)) {
			continue
		}
		if ids == nil {
			ids = i.record(p, question, "")
		}
		i.report(p, from, x, ids)
	}
}

// fresh reports whether a source says something for the first time.
func (i *inquiry) fresh(s *source, what string) bool {
	h := maphash.String(i.seed, what)
	if s.seen[h] || len(s.seen) >= perSource {
		return false
	}
	s.seen[h] = true
	return true
}

func (i *inquiry) record(p guard.Packet, question []byte, note string) []string {
	uri := i.scheme + "://" + p.From.String()
	if len(i.to) > 0 {
		uri = i.scheme + "://" + netip.AddrPortFrom(i.to[0], i.port).String()
	}
	return i.env.record(evidence.Exchange{Protocol: i.name, URI: uri, Endpoint: p.From, At: p.At, Request: question, Response: p.Data, Note: note})
}

// claimedBy names the source of an answer in which a device says that it has another address than that.
const claimedBy = "claimed-by"

// report hands a target on. A device that says it has another address than the one it answered from is at that one: a
// recorder answers for the cameras of its own network, and a camera without a lease has the address it left the factory
// with. Where either is outside the perimeter, nobody contacts it.
func (i *inquiry) report(p guard.Packet, from netip.Addr, x sighted, ids []string) {
	t := x.target
	at := from
	if x.claims.IsValid() && x.claims != from.WithZone("") {
		at = x.claims
		t.Extra = map[string][]string{claimedBy: {from.String()}}
	}
	t.Method, t.Interface, t.At, t.Evidence = i.name, i.ifi.Name, p.At, ids
	t.Addr = netip.AddrPortFrom(at, x.target.Addr.Port())
	if i.service {
		t.Addr = candidate(at, t.XAddrs)
		i.env.Neighbours.answered(from)
	}
	t.Foreign = !i.env.Guard.Inside(from) || !i.env.Guard.Inside(at)
	if i.devices++; t.Foreign {
		i.foreign++
	}
	for _, xaddr := range t.XAddrs {
		i.elsewhere(from, xaddr, t.Foreign)
	}
	i.found(t)
}

// elsewhere records that a service address leads out of the perimeter. A foreign source that names foreign addresses is one
// thing that was not contacted, not many.
func (i *inquiry) elsewhere(from netip.Addr, x string, foreign bool) {
	if a, _, ok := xaddr(x); ok && a.IsValid() && !foreign && !i.env.Guard.Inside(a) {
		i.env.Guard.Deny("xaddr", x, msg.Text("discover.inquiry.xaddr", from.String()))
	}
}

// port is a target that so far only has a port.
func port(n uint16) netip.AddrPort { return netip.AddrPortFrom(netip.Addr{}, n) }

// broadcasting is a maker's protocol that only goes by broadcast. Whoever answers it is a camera unless it says otherwise; who
// made it is inferred from the protocol.
func broadcasting(name, vendor string, to, answers uint16, ask func() []byte, parse func([]byte) (makers.Device, error)) protocol {
	return protocol{
		name:      name,
		scheme:    "udp",
		port:      to,
		broadcast: true,
		answers:   answers,
		longest:   vendorWait,
		rounds:    vendorTurns,
		idle:      makers.ErrQuestion,
		ask:       func(*guard.UDP) []question { return []question{{data: ask()}} },
		read: func(b []byte) ([]sighted, error) {
			d, err := parse(b)
			if err != nil {
				return nil, err
			}
			return []sighted{{claims: d.IPv4, target: audit.Target{Addr: port(d.HTTPPort), Identity: d.Identity(vendor, name)}}}, nil
		},
	}
}
