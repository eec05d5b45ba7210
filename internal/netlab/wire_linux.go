package netlab

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Wire is what the auditing machine's link does to every frame of every kind, in both directions.
type Wire struct {
	Loss          float64 // share of the frames that is lost, from 0 to 1
	Delay, Jitter time.Duration
	Seed          uint64 // of the chances; the same seed does not make the same run, because the frames differ
}

// relay carries frames between two interfaces of a namespace of its own. The kernel's own means (netem) are not everywhere.
type relay struct {
	ns    netns.NsHandle
	ends  [2]*os.File
	pumps sync.WaitGroup
}

// newRelay connects the auditing machine to the bridge by a wire.
func newRelay(w Wire, b *bridge, self netns.NsHandle) (r *relay, err error) {
	r = &relay{}
	if r.ns, err = newNamespace(); err != nil {
		return nil, err
	}
	if _, err := b.plug(r.ns, "w1", "02:77:00:00:ff:01"); err != nil {
		return r, err
	}
	at, err := netlink.NewHandleAt(r.ns, unix.NETLINK_ROUTE)
	if err != nil {
		return r, fmt.Errorf("netlab: %w", err)
	}
	defer at.Close()
	near := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "w0"}, PeerName: "eth0", PeerHardwareAddr: hardware(scannerMAC), PeerNamespace: netlink.NsFd(int(self))}
	if err := at.LinkAdd(near); err != nil {
		return r, fmt.Errorf("netlab: a wire: %w", err)
	}
	for i, name := range []string{"w0", "w1"} {
		link, err := at.LinkByName(name)
		if err != nil {
			return r, fmt.Errorf("netlab: %w", err)
		}
		err = inside(r.ns, func() error {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0); err != nil {
				return err
			}
			if err := at.LinkSetUp(link); err != nil {
				return err
			}
			r.ends[i], err = openEnd(link.Attrs().Index)
			return err
		})
		if err != nil {
			return r, fmt.Errorf("netlab: the wire's end %s: %w", name, err)
		}
	}
	for i := range r.ends {
		chance := rand.New(rand.NewPCG(w.Seed, uint64(i)))
		r.pumps.Go(func() { pump(w, chance, r.ends[i], r.ends[1-i]) })
	}
	return r, nil
}

// openEnd opens an interface for whole frames. The header in front of each carries on what the kernel left undone, such as a
// checksum.
func openEnd(index int) (*os.File, error) {
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL&255<<8 // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "wire")
	for _, option := range [][2]int{{unix.PACKET_VNET_HDR, 1}, {unix.PACKET_IGNORE_OUTGOING, 1}} {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, option[0], option[1]); err != nil {
			f.Close()
			return nil, err
		}
	}
	for _, buffer := range []int{unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, buffer, 8<<20); err != nil {
			f.Close()
			return nil, err
		}
	}
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}); err != nil {
		f.Close()
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (r *relay) close() {
	for _, f := range r.ends {
		if f != nil {
			f.Close()
		}
	}
	r.pumps.Wait()
	r.ns.Close()
}

// pump carries frames one way until an end is closed.
func pump(w Wire, chance *rand.Rand, from, to *os.File) {
	var late *queue
	if w.Delay > 0 || w.Jitter > 0 {
		late = newQueue(to)
		defer late.close()
	}
	b := make([]byte, 1<<17)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if w.Loss > 0 && chance.Float64() < w.Loss {
			continue
		}
		if late == nil {
			_, _ = to.Write(b[:n]) // a frame that cannot be sent is lost, as on any wire
			continue
		}
		d := w.Delay
		if w.Jitter > 0 {
			d += time.Duration(chance.Int64N(int64(2*w.Jitter))) - w.Jitter
		}
		late.add(time.Now().Add(d), append([]byte(nil), b[:n]...))
	}
}

// queue holds frames back until they are due.
type queue struct {
	mu     sync.Mutex
	frames frames
	n      uint64
	wake   chan struct{}
	ended  chan struct{}
}

func newQueue(to *os.File) *queue {
	q := &queue{wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go q.run(to)
	return q
}

func (q *queue) close() { close(q.ended) }

func (q *queue) add(at time.Time, b []byte) {
	q.mu.Lock()
	q.n++
	heap.Push(&q.frames, frame{at, q.n, b})
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) run(to *os.File) {
	for {
		due, wait := q.next()
		for _, b := range due {
			_, _ = to.Write(b)
		}
		t := time.NewTimer(wait)
		select {
		case <-q.ended:
			t.Stop()
			return
		case <-q.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// next takes the frames that are due and says how long to wait for another.
func (q *queue) next() (due [][]byte, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.frames) > 0 {
		if wait = time.Until(q.frames[0].at); wait > 0 {
			return due, wait
		}
		due = append(due, heap.Pop(&q.frames).(frame).b)
	}
	return due, time.Hour
}

type frame struct {
	at time.Time
	n  uint64 // frames due at the same time keep their order
	b  []byte
}

type frames []frame

func (f frames) Len() int { return len(f) }
func (f frames) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].n < f[j].n
}
func (f frames) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *frames) Push(x any)   { *f = append(*f, x.(frame)) }
func (f *frames) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
