package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	asks    = 1000 // ARP requests a second
	passes  = 2
	wait    = 400 * time.Millisecond // for the answers to a pass
	workers = 256
	patient = time.Second // with a connection and with an answer
)

func main() {
	ports := flag.String("ports", "80,554", "TCP ports to try, the same on every host")
	flag.Parse()
	within, err := netip.ParsePrefix(flag.Arg(0))
	if err == nil {
		err = sweep(within, strings.Split(*ports, ","))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// sweep prints every address that has an open port, and what the device there says it is.
func sweep(within netip.Prefix, ports []string) error {
	live, err := resolve(within)
	if err != nil {
		return err
	}
	type job struct {
		addr netip.Addr
		port string
	}
	jobs := make(chan job)
	said := map[netip.Addr]string{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for j := range jobs {
				if open, what := try(j.addr, j.port); open {
					mu.Lock()
					said[j.addr] += what
					mu.Unlock()
				}
			}
		})
	}
	for _, p := range ports {
		for _, a := range live {
			jobs <- job{a, p}
		}
	}
	close(jobs)
	all.Wait()
	for a, what := range said {
		fmt.Println(a, what)
	}
	return nil
}

// try connects, and asks what is asked on the port.
func try(addr netip.Addr, port string) (open bool, what string) {
	at := net.JoinHostPort(addr.String(), port)
	c, err := net.DialTimeout("tcp4", at, patient)
	if err != nil {
		return false, ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patient)) // a connection always takes one
	switch port {
	case "80":
		return true, information(c, at)
	case "554":
		fmt.Fprintf(c, "OPTIONS rtsp://%s/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", at)
		b := make([]byte, 512)
		n, _ := c.Read(b)
		if bytes.HasPrefix(b[:n], []byte("RTSP/1.0 200")) {
			return true, "rtsp "
		}
	}
	return true, ""
}

// information asks ONVIF for maker and model over the connection.
func information(c net.Conn, at string) string {
	const body = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`
	fmt.Fprintf(c, "POST /onvif/device_service HTTP/1.1\r\nHost: %s\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", at, len(body), body)
	b, _ := io.ReadAll(io.LimitReader(c, 1<<16))
	var out []string
	for _, m := range regexp.MustCompile(`<tds:(?:Manufacturer|Model)>([^<]*)<`).FindAllSubmatch(b, 2) {
		out = append(out, string(m[1]))
	}
	return strings.Join(out, " ") + " "
}

// resolve returns the addresses of the link that answer ARP.
func resolve(within netip.Prefix) ([]netip.Addr, error) {
	eth, err := net.InterfaceByName("eth0")
	if err != nil {
		return nil, err
	}
	own, err := ownAddress(eth)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 2<<20); err != nil {
		return nil, err
	}
	const arp = unix.ETH_P_ARP>>8 | unix.ETH_P_ARP&255<<8 // in network order
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: arp, Ifindex: eth.Index}); err != nil {
		return nil, err
	}
	tick := unix.NsecToTimeval(int64(20 * time.Millisecond))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tick); err != nil {
		return nil, err
	}
	var answers answers
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { answers.read(fd, stop) })
	err = ask(fd, eth, own, within, &answers)
	close(stop)
	reader.Wait()
	return answers.all(), err
}

func ownAddress(eth *net.Interface) (netip.Addr, error) {
	addrs, err := eth.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no address", eth.Name)
}

// ask sends the requests of every pass to whoever has not answered, and waits.
func ask(fd int, eth *net.Interface, own netip.Addr, within netip.Prefix, answers *answers) error {
	frame := slices.Concat(bytes.Repeat([]byte{0xff}, 6), eth.HardwareAddr, []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1}, eth.HardwareAddr, own.AsSlice(), make([]byte, 10))
	for range passes {
		began, n := time.Now(), 0
		for a := within.Masked().Addr().Next(); within.Contains(a.Next()); a = a.Next() {
			if a == own || answers.has(a) {
				continue
			}
			copy(frame[38:], a.AsSlice())
			if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: eth.Index}); err != nil {
				return err
			}
			n++
			if ahead := time.Duration(n)*time.Second/asks - time.Since(began); ahead > time.Millisecond {
				time.Sleep(ahead)
			}
		}
		time.Sleep(wait)
	}
	return nil
}

// answers are who answered.
type answers struct {
	mu   sync.Mutex
	live []netip.Addr
}

func (l *answers) has(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.live, a)
}

func (l *answers) all() []netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.live)
}

func (l *answers) read(fd int, stop chan struct{}) {
	b := make([]byte, 2048)
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, err := unix.Read(fd, b)
		if err != nil || n < 42 || binary.BigEndian.Uint16(b[20:]) != 2 {
			continue
		}
		a := netip.AddrFrom4([4]byte(b[28:32]))
		l.mu.Lock()
		if !slices.Contains(l.live, a) {
			l.live = append(l.live, a)
		}
		l.mu.Unlock()
	}
}
