package lab

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// street is the range of loopback addresses a shop stands in: 127.77.n.0/24, so that several shops on one machine do not
// answer for each other.
type street struct {
	n        byte
	separate bool // every device has its own address
}

// takeStreet finds a free street. The lock is a listener on its last address, nil where no lock can be had.
func takeStreet() (street, net.Listener) {
	for n := range 250 {
		lock, err := net.Listen("tcp4", fmt.Sprintf("127.77.%d.254:3702", n))
		if err == nil {
			return street{n: byte(n), separate: true}, lock
		}
		if !inUse(err) {
			return street{}, nil // this system has 127.0.0.1 only, as macOS
		}
	}
	return street{separate: true}, nil
}

// inUse tells a taken address from one the system does not have. The texts are those of Unix and of Windows (WSAEADDRINUSE,
// WSAEACCES).
func inUse(err error) bool {
	t := err.Error()
	return strings.Contains(t, "in use") || strings.Contains(t, "Only one usage") || strings.Contains(t, "forbidden")
}

// oneAddress is where every device stands on a system that has no other loopback address.
var oneAddress = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func (s street) host(i int) netip.Addr {
	if !s.separate {
		return oneAddress
	}
	return netip.AddrFrom4([4]byte{127, 77, s.n, byte(i)})
}

// meter counts the connections of one device across its servers. A connection the client has closed and the server has not
// yet noticed is not held against the client: only an excess that lasts is reported.
type meter struct {
	mu     sync.Mutex
	limit  int
	open   int
	report func(n int)
}

const grace = 300 * time.Millisecond

func (m *meter) add() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open++
	if m.open > m.limit {
		time.AfterFunc(grace, func() {
			m.mu.Lock()
			n := m.open
			m.mu.Unlock()
			if n > m.limit {
				m.report(n)
			}
		})
	}
}

func (m *meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
}

// listener counts and sniffs what it accepts.
type listener struct {
	net.Listener
	meter *meter
	first func(line string) // called once per connection that says anything, with its first line or 128 bytes
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.meter.add()
	return &counted{Conn: c, l: l}, nil
}

type counted struct {
	net.Conn
	l      *listener
	closed sync.Once

	mu   sync.Mutex
	head []byte
	told bool
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.sniff(b[:n], err != nil)
	return n, err
}

func (c *counted) sniff(b []byte, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		return
	}
	c.head = append(c.head, b...)
	line, _, whole := bytes.Cut(c.head, []byte("\n"))
	if whole || len(c.head) >= 128 || last && len(c.head) > 0 {
		c.told = true
		c.l.first(string(line[:min(len(line), 128)]))
		c.head = nil
	}
}

func (c *counted) Close() error {
	c.closed.Do(func() {
		c.sniff(nil, true)
		c.l.meter.done()
	})
	return c.Conn.Close()
}
