package netlab

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// departure is one packet this machine sent.
type departure struct {
	at   time.Time
	to   netip.Addr
	what string // "tcp 80", "udp 3702", "arp", "icmp6"
	n    int    // packets of 1448 bytes it stands for: the kernel may hand out several segments as one
}

// recording is everything that left an interface.
type recording struct {
	mu  sync.Mutex
	all []departure
}

// record captures eth0 until the test ends.
func record(t *testing.T) *recording {
	t.Helper()
	ifi, err := net.InterfaceByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	h, err := pcapgo.NewEthernetHandle(ifi.Name)
	if err != nil {
		missing(t, "netns", err.Error())
	}
	if err := h.SetCaptureLength(256); err != nil {
		t.Fatal(err)
	}
	r := &recording{}
	go func() {
		for {
			b, ci, err := h.ReadPacketData()
			if err != nil {
				return
			}
			if d, ok := sent(b, ci, ifi.HardwareAddr.String()); ok {
				r.mu.Lock()
				r.all = append(r.all, d)
				r.mu.Unlock()
			}
		}
	}()
	return r // the handle lives as long as the process: its Close does not wake a reader
}

func sent(b []byte, ci gopacket.CaptureInfo, mac string) (departure, bool) {
	p := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	eth, ok := p.LinkLayer().(*layers.Ethernet)
	if !ok || eth.SrcMAC.String() != mac {
		return departure{}, false
	}
	d := departure{at: ci.Timestamp, n: max(1, (ci.Length-54+1447)/1448)}
	switch l := p.NetworkLayer().(type) {
	case *layers.IPv4:
		d.to, _ = netip.AddrFromSlice(l.DstIP)
		d.what = strings.ToLower(l.Protocol.String())
	case *layers.IPv6:
		d.to, _ = netip.AddrFromSlice(l.DstIP)
		d.what = strings.ToLower(l.NextHeader.String())
	default:
		if arp, ok := p.Layer(layers.LayerTypeARP).(*layers.ARP); ok {
			if arp.Operation == layers.ARPReply {
				return departure{}, false // a neighbour asked who we are
			}
			d.to, _ = netip.AddrFromSlice(arp.DstProtAddress)
		}
		d.what, d.n = strings.ToLower(eth.EthernetType.String()), 1
	}
	switch l := p.TransportLayer().(type) {
	case *layers.TCP:
		d.what = fmt.Sprint("tcp ", uint16(l.DstPort))
	case *layers.UDP:
		d.what = fmt.Sprint("udp ", uint16(l.DstPort))
	}
	return d, true
}

func (r *recording) departures() []departure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// byKind counts what was sent to each destination.
func (r *recording) byKind() map[netip.Addr]map[string]int {
	out := map[netip.Addr]map[string]int{}
	for _, d := range r.departures() {
		if out[d.to] == nil {
			out[d.to] = map[string]int{}
		}
		out[d.to][d.what] += d.n
	}
	return out
}

// stray lists every destination that is neither inside the perimeter nor a multicast group of the link. The kernel's own
// neighbour discovery and group membership are not the program's: of an address outside they would still be a sign that
// somebody wanted to send there, so ARP counts.
func (r *recording) stray(perimeter []netip.Prefix) []string {
	var out []string
	for a, kinds := range r.byKind() {
		inside := slices.ContainsFunc(perimeter, func(p netip.Prefix) bool { return p.Contains(a) })
		group := a.IsLinkLocalMulticast() || a == netip.MustParseAddr("239.255.255.250")
		neighbour := len(kinds) == 1 && kinds["icmpv6"] > 0 // answers to the neighbours' own solicitations
		if !inside && !group && !neighbour {
			out = append(out, fmt.Sprint(a, " ", kinds))
		}
	}
	slices.Sort(out)
	return out
}

// everybody stands for all hosts of the link in excess: what multicast sends to each of them.
var everybody = netip.IPv6LinkLocalAllNodes()

// excess is by how many packets the busiest moment of a destination went beyond a bucket of perSecond and burst: a measure
// over every interval there is, so that no choice of window hides a burst. The kernel's own are left out,
// and multicast counts under everybody.
func (r *recording) excess(perSecond, burst float64) map[netip.Addr]float64 {
	level := map[netip.Addr]float64{}
	last := map[netip.Addr]time.Time{}
	worst := map[netip.Addr]float64{}
	for _, d := range r.departures() {
		if d.to.IsMulticast() {
			d.to = everybody
		}
		if !strings.HasPrefix(d.what, "tcp") && !strings.HasPrefix(d.what, "udp") {
			continue
		}
		if at, ok := last[d.to]; ok {
			level[d.to] = max(0, level[d.to]-d.at.Sub(at).Seconds()*perSecond)
		}
		last[d.to] = d.at
		level[d.to] += float64(d.n)
		worst[d.to] = max(worst[d.to], level[d.to]-burst)
	}
	return worst
}
