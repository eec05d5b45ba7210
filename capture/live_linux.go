package capture

import (
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	liveWait   = 100 * time.Millisecond // the longest a read waits before it looks whether it was closed
	liveBuffer = 32 << 20               // bytes the kernel may hold for us, where it lets us have as many
)

// Interface is a network interface that is listened on, in promiscuous mode: every frame that comes to it, and every one that leaves
// by it. It sends nothing. A frame's VLAN tag, which the kernel takes off, is put back. Cards join segments before we see them, so that
// frames may be longer than the network allows.
type Interface struct {
	name   string
	index  int
	link   layers.LinkType
	h      *pcapgo.EthernetHandle
	number int
	tagged []byte // the last frame that had a VLAN tag
	down   bool   // it was, when it was last heard of

	closed  atomic.Bool
	reading sync.Mutex // held by a read, and to close

	counting          sync.Mutex
	gone              bool // h is closed
	received, dropped int64
}

// OpenInterface begins to listen. Its error wraps ErrNoRight, ErrNoInterface, ErrDown or ErrLink where that is the reason.
func OpenInterface(name string) (*Interface, error) {
	i, err := openInterface(name)
	if err != nil {
		return nil, fmt.Errorf("capture: listening on %s: %w", name, err)
	}
	return i, nil
}

func openInterface(name string) (*Interface, error) {
	face, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoInterface, err)
	}
	if face.Flags&net.FlagUp == 0 {
		return nil, ErrDown
	}
	h, err := pcapgo.NewEthernetHandle(name)
	if err != nil {
		if is(err, unix.EPERM) || is(err, unix.EACCES) {
			return nil, fmt.Errorf("%w: %w", ErrNoRight, err)
		}
		return nil, err
	}
	i := &Interface{name: name, index: face.Index, h: h}
	if err := i.prepare(face.Flags&net.FlagLoopback != 0); err != nil {
		h.Close()
		return nil, err
	}
	return i, nil
}

// prepare sets the socket up.
func (i *Interface) prepare(loopback bool) error {
	fd, err := descriptor(i.h)
	if err != nil {
		return err
	}
	if i.link, err = linkOfSocket(fd); err != nil {
		return err
	}
	if err := i.h.SetCaptureLength(packetMost); err != nil { // it was the MTU, which leaves out the frame's header
		return err
	}
	wait := unix.NsecToTimeval(liveWait.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return err
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, liveBuffer) != nil { // wants CAP_NET_ADMIN
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, liveBuffer) // the kernel gives what the system allows
	}
	if loopback {
		if err := i.incoming(); err != nil {
			return err
		}
	}
	return i.h.SetPromiscuous(true)
}

// incoming lets only frames pass that come in: on a loopback each is seen leaving and coming.
func (i *Interface) incoming() error {
	only, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipTrue: 1},
		bpf.RetConstant{Val: packetMost},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return err
	}
	return i.h.SetBPF(only)
}

// descriptor returns the handle's socket, which pcapgo keeps to itself. Without it a read that waits could not be ended: closing a
// socket wakes nobody.
func descriptor(h *pcapgo.EthernetHandle) (int, error) {
	f := reflect.ValueOf(h).Elem().FieldByName("fd")
	if !f.IsValid() || !f.CanInt() {
		return 0, errors.New("pcapgo has changed: its socket is not where it was")
	}
	return int(f.Int()), nil
}

// linkOfSocket says what frames of an interface begin with.
func linkOfSocket(fd int) (layers.LinkType, error) {
	a, err := unix.Getsockname(fd)
	if err != nil {
		return linkUnknown, err
	}
	l, ok := a.(*unix.SockaddrLinklayer)
	if !ok {
		return linkUnknown, ErrLink
	}
	switch l.Hatype {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return layers.LinkTypeEthernet, nil
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT:
		return layers.LinkTypeRaw, nil
	}
	return linkUnknown, fmt.Errorf("%w: hardware type %d", ErrLink, l.Hatype)
}

// is tells which system error pcapgo, which keeps only its text, is talking about.
func is(err error, e unix.Errno) bool { return strings.HasSuffix(err.Error(), e.Error()) }

// Next waits for the next frame. After Close, which another goroutine may call, it returns io.EOF within 0.2 seconds. An interface
// that goes down is waited for; one that is removed is an error that wraps ErrNoInterface.
func (i *Interface) Next() (Packet, error) {
	i.reading.Lock()
	defer i.reading.Unlock()
	for !i.closed.Load() {
		b, ci, err := i.h.ZeroCopyReadPacketData()
		if err != nil {
			if err := i.judge(err); err != nil {
				return Packet{}, fmt.Errorf("capture: listening on %s: %w", i.name, err)
			}
			continue
		}
		i.down = false
		i.number++
		p := Packet{Data: b, At: ci.Timestamp.UTC(), Length: max(ci.Length, len(b)), Link: i.link, Number: i.number}
		if len(ci.AncillaryData) > 0 {
			if tag, ok := ci.AncillaryData[0].(int); ok {
				i.tag(&p, uint16(tag))
			}
		}
		return p, nil
	}
	return Packet{}, io.EOF
}

// judge says which errors of a read end the capture.
func (i *Interface) judge(err error) error {
	switch {
	case is(err, unix.ENETDOWN):
		i.down = true
	case is(err, unix.EINTR):
		return nil
	case !is(err, unix.EAGAIN):
		return err
	}
	if !i.down {
		return nil
	}
	if _, err := net.InterfaceByIndex(i.index); err != nil {
		return fmt.Errorf("%w: %w", ErrNoInterface, err)
	}
	return nil
}

// tag puts a VLAN tag back where it was. Whether its type was that of 802.1Q or 802.1ad pcapgo does not say.
func (i *Interface) tag(p *Packet, tci uint16) {
	const at = 12 // behind the two addresses
	if len(p.Data) < at || p.Link != layers.LinkTypeEthernet {
		return
	}
	i.tagged = append(i.tagged[:0], p.Data[:at]...)
	i.tagged = append(i.tagged, 0x81, 0x00, byte(tci>>8), byte(tci))
	i.tagged = append(i.tagged, p.Data[at:]...)
	p.Data = i.tagged
	p.Length += 4
}

// Losses returns how many frames came since the interface was opened, and how many of them the kernel dropped since we were too slow. It may
// be called at any time, by any goroutine.
func (i *Interface) Losses() (received, dropped int64) {
	i.counting.Lock()
	defer i.counting.Unlock()
	i.count()
	return i.received, i.dropped
}

// count adds what the kernel counted since it was last asked.
func (i *Interface) count() {
	if i.gone {
		return
	}
	if s, err := i.h.Stats(); err == nil {
		i.received += int64(s.Packets)
		i.dropped += int64(s.Drops)
	}
}

// Close ends listening. It waits for a read that is under way.
func (i *Interface) Close() error {
	if i.closed.Swap(true) {
		return nil
	}
	i.reading.Lock()
	defer i.reading.Unlock()
	i.counting.Lock()
	defer i.counting.Unlock()
	i.count()
	i.gone = true
	i.h.Close()
	return nil
}
