package netlab

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/net/bpf"
)

// Departure is one packet the auditing machine sent.
type Departure struct {
	At   time.Time
	To   netip.Addr
	What string // "tcp 80", "udp 3702", "arp", "icmp6"
	N    int    // packets of 1448 bytes it stands for: the kernel may hand out several segments as one
	Data []byte // what it carries, as far as it was captured
}

// Recording is everything that left the auditing machine since Record.
type Recording struct {
	broadcast []netip.Addr // of the link

	mu  sync.Mutex
	all []Departure
}

// Record captures what leaves eth0 from now on. It goes on as long as the process lives: closing the capture would not wake
// its reader.
func Record() (*Recording, error) {
	eth, err := net.InterfaceByName("eth0")
	if err != nil {
		return nil, fmt.Errorf("netlab: recording: %w", err)
	}
	h, err := pcapgo.NewEthernetHandle(eth.Name)
	if err != nil {
		return nil, fmt.Errorf("netlab: recording: %w", err)
	}
	if err := h.SetCaptureLength(2048); err != nil {
		return nil, fmt.Errorf("netlab: recording: %w", err)
	}
	ours, err := bpf.Assemble([]bpf.Instruction{ // what others send must not crowd it out
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(binary.BigEndian.Uint16(eth.HardwareAddr)), SkipTrue: 3},
		bpf.LoadAbsolute{Off: 8, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(eth.HardwareAddr[2:]), SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return nil, fmt.Errorf("netlab: recording: %w", err)
	}
	if err := h.SetBPF(ours); err != nil {
		return nil, fmt.Errorf("netlab: recording: %w", err)
	}
	r := &Recording{}
	if r.broadcast, err = broadcasts(eth); err != nil {
		return nil, fmt.Errorf("netlab: recording: %w", err)
	}
	go func() {
		for {
			b, ci, err := h.ReadPacketData()
			if err != nil {
				return
			}
			if d, ok := departure(b, ci); ok {
				r.mu.Lock()
				r.all = append(r.all, d)
				r.mu.Unlock()
			}
		}
	}()
	return r, nil
}

// broadcasts returns the addresses that mean everybody on the link of an interface.
func broadcasts(eth *net.Interface) ([]netip.Addr, error) {
	out := []netip.Addr{netip.AddrFrom4([4]byte{255, 255, 255, 255})}
	addrs, err := eth.Addrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			last := binary.BigEndian.Uint32(n.IP.To4()) | ^binary.BigEndian.Uint32(n.Mask)
			out = append(out, netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, last))))
		}
	}
	return out, nil
}

func departure(b []byte, ci gopacket.CaptureInfo) (Departure, bool) {
	p := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	eth, ok := p.LinkLayer().(*layers.Ethernet)
	if !ok {
		return Departure{}, false
	}
	d := Departure{At: ci.Timestamp, N: max(1, (ci.Length-54+1447)/1448)}
	switch l := p.NetworkLayer().(type) {
	case *layers.IPv4:
		d.To, _ = netip.AddrFromSlice(l.DstIP)
		d.What = strings.ToLower(l.Protocol.String())
	case *layers.IPv6:
		d.To, _ = netip.AddrFromSlice(l.DstIP)
		d.What = strings.ToLower(l.NextHeader.String())
	default:
		if arp, ok := p.Layer(layers.LayerTypeARP).(*layers.ARP); ok {
			if arp.Operation == layers.ARPReply {
				return Departure{}, false // a neighbour asked who we are
			}
			d.To, _ = netip.AddrFromSlice(arp.DstProtAddress)
		}
		d.What, d.N = strings.ToLower(eth.EthernetType.String()), 1
	}
	switch l := p.TransportLayer().(type) {
	case *layers.TCP:
		d.What, d.Data = fmt.Sprint("tcp ", uint16(l.DstPort)), l.Payload
	case *layers.UDP:
		d.What, d.Data = fmt.Sprint("udp ", uint16(l.DstPort)), l.Payload
	}
	return d, true
}

// Departures returns what was recorded so far, in order.
func (r *Recording) Departures() []Departure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// ByKind counts what was sent to each destination.
func (r *Recording) ByKind() map[netip.Addr]map[string]int {
	out := map[netip.Addr]map[string]int{}
	for _, d := range r.Departures() {
		if out[d.To] == nil {
			out[d.To] = map[string]int{}
		}
		out[d.To][d.What] += d.N
	}
	return out
}

// Stray lists every destination that is neither inside the perimeter nor a group or broadcast address of the link. The
// kernel's own neighbour discovery and group membership are not the program's: of an address outside they would still be a
// sign that somebody wanted to send there, so ARP counts.
func (r *Recording) Stray(perimeter []netip.Prefix) []string {
	var out []string
	for a, kinds := range r.ByKind() {
		inside := slices.ContainsFunc(perimeter, func(p netip.Prefix) bool { return p.Contains(a) })
		group := a.IsLinkLocalMulticast() || netip.MustParsePrefix("239.255.255.0/24").Contains(a) || slices.Contains(r.broadcast, a)
		neighbour := len(kinds) == 1 && kinds["icmpv6"] > 0 // answers to the neighbours' own solicitations
		if !inside && !group && !neighbour {
			out = append(out, fmt.Sprint(a, " ", kinds))
		}
	}
	slices.Sort(out)
	return out
}

// Everybody stands for all hosts of the link in Excess: what multicast and broadcast send to each of them.
func Everybody() netip.Addr { return netip.IPv6LinkLocalAllNodes() }

// Excess is by how many packets the busiest moment of a destination went beyond a bucket of perSecond and burst: a measure
// over every interval there is, so that no choice of window hides a burst. The kernel's own are left out, and what goes to a
// group or to everybody counts under Everybody.
func (r *Recording) Excess(perSecond, burst float64) map[netip.Addr]float64 {
	level := map[netip.Addr]float64{}
	last := map[netip.Addr]time.Time{}
	worst := map[netip.Addr]float64{}
	for _, d := range r.Departures() {
		if d.To.IsMulticast() || slices.Contains(r.broadcast, d.To) {
			d.To = Everybody()
		}
		if !strings.HasPrefix(d.What, "tcp") && !strings.HasPrefix(d.What, "udp") {
			continue
		}
		if at, ok := last[d.To]; ok {
			level[d.To] = max(0, level[d.To]-d.At.Sub(at).Seconds()*perSecond)
		}
		last[d.To] = d.At
		level[d.To] += float64(d.N)
		worst[d.To] = max(worst[d.To], level[d.To]-burst)
	}
	return worst
}
