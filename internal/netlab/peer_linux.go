package netlab

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Programs of other people, as they run on a shop's network. Each runs in the host's network namespace and in a mount
// namespace of its own, with what it writes in dir.

// Avahi announces DNS-SD services of the host, each "_rtsp._tcp 554 key=value …".
func Avahi(dir string, services ...string) Service {
	return func(h *Host) (func() []string, error) {
		var s strings.Builder
		fmt.Fprintf(&s, "<?xml version=\"1.0\" standalone='no'?>\n<!DOCTYPE service-group SYSTEM \"avahi-service.dtd\">\n<service-group><name>AXIS M3085-V - %s</name>\n", h.Name)
		for _, svc := range services {
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
		if err := write(dir, map[string]string{"services/axis.service": s.String(), "avahi.conf": conf, "run/.keep": ""}); err != nil {
			return nil, err
		}
		if err := os.MkdirAll("/run/avahi-daemon", 0o755); err != nil {
			return nil, err
		}
		return program("mount --bind '" + dir + "/services' /etc/avahi/services && mount --bind '" + dir + "/run' /run/avahi-daemon && " +
			"exec avahi-daemon -f '" + dir + "/avahi.conf' --no-drop-root --no-chroot --no-rlimits")
	}
}

// Wsdd announces the host as a Windows computer.
func Wsdd(name string) Service {
	return func(*Host) (func() []string, error) { return program("exec wsdd -4 -i eth0 -n " + name) }
}

// Miniupnpd makes the host an Internet gateway that speaks SSDP.
func Miniupnpd(dir string) Service {
	return func(h *Host) (func() []string, error) {
		conf := fmt.Sprintf("ext_ifname=lo\nlistening_ip=eth0\nhttp_port=5000\nenable_upnp=yes\nenable_natpmp=no\nuuid=00000000-0000-4000-8000-00005e005301\nlease_file=%s/leases\nallow 1024-65535 %s 1024-65535\n", dir, h.Addrs[0])
		if err := write(dir, map[string]string{"miniupnpd.conf": conf}); err != nil {
			return nil, err
		}
		return program("exec miniupnpd -d -f '" + dir + "/miniupnpd.conf' -P '" + dir + "/pid'")
	}
}

// Minissdpd remembers what others announce and says so to who asks it.
func Minissdpd(dir string) Service {
	return func(*Host) (func() []string, error) {
		return program("exec minissdpd -d -i eth0 -s '" + dir + "/sock' -p '" + dir + "/pid'")
	}
}

// Printer is a network printer with its web page: WS-Discovery with a printer's types, a page and IPP. It is no program of
// somebody else's, only like one.
func Printer() Service {
	return func(h *Host) (func() []string, error) {
		var open []io.Closer
		stop := func() []string { return closeAll(open) }
		page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "KM-MFP-http/V0.0.1")
			fmt.Fprint(w, "<html><head><title>KM Web Page</title></head><body>Printer</body></html>")
		})
		for _, port := range []int{80, 631, 9100} {
			ln, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
			if err != nil {
				return stop, err
			}
			open = append(open, ln)
			if port == 9100 {
				go Accept(ln, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
				continue
			}
			s := &http.Server{Handler: page, ReadTimeout: time.Minute}
			open = append(open, s)
			go func() { _ = s.Serve(ln) }()
		}
		stopWSD, err := serveWSD(h, Discoverable{Types: "wsdp:Device wprt:PrintDeviceType", Scopes: " ", XAddrs: "http://" + h.Addr().String() + ":80/wsd"}, nil)
		return func() []string { stopWSD(); return stop() }, err
	}
}

func write(dir string, files map[string]string) error {
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// program starts a shell line in the namespace of the calling thread. stop ends it and says if it had ended before.
func program(line string) (stop func() []string, err error) {
	c := exec.Command("/bin/sh", "-c", line)
	c.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	log := &strings.Builder{}
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	return func() []string {
		select {
		case err := <-ended:
			return []string{fmt.Sprintf("it had ended before: %s: %v: %s", line, err, strings.ReplaceAll(log.String(), "\n", " | "))}
		default:
		}
		_ = c.Process.Signal(syscall.SIGTERM) // it may have ended just now
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = c.Process.Kill()
			<-ended
		}
		return nil
	}, nil
}
