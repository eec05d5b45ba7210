package netlab

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mingshi-audit/mingshi/internal/lab"
)

// host is one host of the LAN.
type host struct {
	Name  string
	MAC   string
	Addrs []string // CIDR
	Ports []uint16 // TCP ports that accept and say nothing
	Deaf  bool     // the bridge floods no multicast to it
	WSD   string   // XAddrs it answers WS-Discovery with, over both families
	Avahi []string // DNS-SD services avahi announces for it: "_rtsp._tcp 554 key=value …"

	// Camera is a device of the simulated shop served at all addresses: "attributes", "digest", "foreign". It answers
	// WS-Discovery with its real port.
	Camera string
	Login  string // user:password of the camera
}

// serve starts everything the host does. end stops it and says what the host holds against its visitors.
func (h *host) serve() (end func() []string, err error) {
	var ends []func() []string
	end = func() (out []string) {
		for _, e := range ends {
			for _, s := range e() {
				out = append(out, h.Name+": "+s)
			}
		}
		return out
	}
	for _, p := range h.Ports {
		ln, err := net.Listen("tcp", fmt.Sprintf(":%d", p))
		if err != nil {
			return end, err
		}
		go accept(ln, func(c net.Conn) { io.Copy(io.Discard, c) })
	}
	xaddrs := h.WSD
	if h.Camera != "" {
		e, xaddr, err := h.camera()
		if err != nil {
			return end, err
		}
		ends = append(ends, e)
		xaddrs = xaddr
	}
	if xaddrs != "" {
		for network, group := range map[string]string{"udp4": "239.255.255.250", "udp6": "ff02::c"} {
			if err := h.answerWSD(network, group, xaddrs); err != nil {
				return end, err
			}
		}
	}
	if len(h.Avahi) > 0 {
		e, err := h.avahi()
		if err != nil {
			return end, err
		}
		ends = append(ends, e)
	}
	return end, nil
}

func accept(ln net.Listener, serve func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

// answerWSD answers every Probe for the device types cameras have, or for none.
func (h *host) answerWSD(network, group, xaddrs string) error {
	ifi, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	c, err := net.ListenMulticastUDP(network, ifi, &net.UDPAddr{IP: net.ParseIP(group), Port: 3702})
	if err != nil {
		return err
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, from, err := c.ReadFromUDP(b)
			if err != nil {
				return
			}
			if a := h.probeMatches(b[:n], xaddrs); a != nil {
				c.WriteToUDP(a, from)
			}
		}
	}()
	return nil
}

func (h *host) probeMatches(b []byte, xaddrs string) []byte {
	var probe struct {
		ID    string  `xml:"Header>MessageID"`
		Types *string `xml:"Body>Probe>Types"`
	}
	if xml.Unmarshal(b, &probe) != nil {
		return nil
	}
	if t := probe.Types; t != nil && *t != "" && !strings.Contains(*t, "NetworkVideoTransmitter") && !strings.Contains(*t, ":Device") {
		return nil
	}
	return fmt.Appendf(nil, `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">`+
		`<s:Header><a:MessageID>urn:uuid:%[1]s-%[2]d</a:MessageID><a:RelatesTo>%[3]s</a:RelatesTo><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>`+
		`<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:netlab-%[1]s</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>`+
		`<d:Scopes>onvif://www.onvif.org/name/%[1]s</d:Scopes><d:XAddrs>%[4]s</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`,
		h.Name, time.Now().UnixNano(), probe.ID, xaddrs)
}

// camera runs a device of the simulated shop and passes connections on to it: the shop itself stands on loopback only. What
// it announces therefore names a loopback address with the right port, as cameras behind address translation do.
func (h *host) camera() (end func() []string, xaddr string, err error) {
	spec := map[string]func(string) lab.Spec{"attributes": lab.EmitsAttributes, "digest": lab.DigestOnly,
		"foreign": func(n string) lab.Spec { return lab.ForeignXAddr(n, "10.78.0.66:80") }}[h.Camera](h.Name)
	spec.MAC, spec.Serial = h.MAC, "NETLAB-"+h.Name // every shop numbers its devices from one
	if user, password, ok := strings.Cut(h.Login, ":"); ok {
		spec.Login.User, spec.Login.Password = user, password
	}
	shop, err := lab.Open(context.Background(), lab.Config{Devices: []lab.Spec{spec}, OneAddress: true})
	if err != nil {
		return nil, "", err
	}
	end = func() []string {
		shop.Close()
		return shop.Violations()
	}
	addr, _, _ := strings.Cut(h.Addrs[0], "/")
	for _, ap := range shop.Endpoints() {
		ln, err := net.Listen("tcp", net.JoinHostPort(addr, fmt.Sprint(ap.Port())))
		if err != nil {
			return end, "", err
		}
		go accept(ln, func(c net.Conn) { pass(c, ap.String()) })
	}
	d, _ := shop.Device(h.Name)
	return end, fmt.Sprintf("http://%s/onvif/device_service", net.JoinHostPort(addr, fmt.Sprint(d.Addr.Port()))), nil
}

func pass(c net.Conn, to string) {
	d, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer d.Close()
	go func() {
		io.Copy(d, c)
		d.Close()
	}()
	io.Copy(c, d)
}

// avahi runs avahi-daemon for the host's services, with folders of its own and without D-Bus.
func (h *host) avahi() (end func() []string, err error) {
	dir, err := os.MkdirTemp("", "mingshi-avahi")
	if err != nil {
		return nil, err
	}
	var s strings.Builder
	fmt.Fprintf(&s, "<?xml version=\"1.0\" standalone='no'?>\n<!DOCTYPE service-group SYSTEM \"avahi-service.dtd\">\n<service-group><name>AXIS M3085-V - %s</name>\n", h.Name)
	for _, svc := range h.Avahi {
		f := strings.Fields(svc)
		fmt.Fprintf(&s, "<service><type>%s</type><port>%s</port>", f[0], f[1])
		for _, txt := range f[2:] {
			fmt.Fprintf(&s, "<txt-record>%s</txt-record>", txt)
		}
		s.WriteString("</service>\n")
	}
	s.WriteString("</service-group>\n")
	conf := "[server]\nhost-name=Axis-" + h.Name + "\nuse-ipv4=yes\nuse-ipv6=yes\nenable-dbus=no\nallow-interfaces=eth0\n" +
		"[wide-area]\nenable-wide-area=no\n[publish]\npublish-workstation=no\npublish-hinfo=no\n[rlimits]\n"
	for name, text := range map[string]string{"services/axis.service": s.String(), "avahi.conf": conf, "run/.keep": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll("/run/avahi-daemon", 0o755); err != nil {
		return nil, err
	}
	for from, to := range map[string]string{"services": "/etc/avahi/services", "run": "/run/avahi-daemon"} {
		if err := syscall.Mount(filepath.Join(dir, from), to, "", syscall.MS_BIND, ""); err != nil {
			return nil, fmt.Errorf("mounting on %s: %w", to, err)
		}
	}
	c := exec.Command("avahi-daemon", "-f", filepath.Join(dir, "avahi.conf"), "--no-drop-root", "--no-chroot", "--no-rlimits")
	log := &strings.Builder{}
	c.Stderr = log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		return nil, err
	}
	end = func() (out []string) {
		c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			out = []string{"avahi-daemon: " + err.Error() + ": " + strings.ReplaceAll(log.String(), "\n", " | ")}
		}
		for _, to := range []string{"/etc/avahi/services", "/run/avahi-daemon"} {
			syscall.Unmount(to, syscall.MNT_DETACH)
		}
		os.RemoveAll(dir)
		return out
	}
	return end, nil
}
