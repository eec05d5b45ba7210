package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Config says which shop to open.
type Config struct {
	Devices   []Spec           // default DemoShop()
	Clock     func() time.Time // default time.Now
	Multicast bool             // answer WS-Discovery and mDNS on the loopback interface
	Seed      int64            // passwords, identifiers and garbage follow from it
	Limits    Limits
	// OneAddress puts every device on 127.0.0.1 with ports of its own, as on systems that have no other loopback address.
	OneAddress bool
	// Provoked takes notice of datagrams from 127.99.0.1, from where tests provoke a shop: multicast on the loopback interface
	// reaches every other shop of this machine, and they must not mind.
	Provoked bool
	Allow    []string // requests beyond the list that are no breach: "trt:GetVideoSources", "GET /x", "*"
}

// Limits are how much of a client's attention a device puts up with.
type Limits struct {
	Connections int // at the same time; default 2
	Requests    int // within one second; default 20
	Refusals    int // refused logins; default 1
}

// Shop is a running shop.
type Shop struct {
	cfg     Config
	ledger  *ledger
	devices []*device
	notes   []audit.Text
	opened  time.Time

	ctx    context.Context
	cancel context.CancelFunc
	closer []io.Closer
	wg     sync.WaitGroup
	once   sync.Once
}

// Running is one device of a running shop.
type Running struct {
	Spec       Spec // with every default filled in
	Name       string
	Addr       netip.AddrPort // HTTP and ONVIF
	RTSP       netip.AddrPort // zero where it has no RTSP server
	XAddr      string         // URL of the device service, empty where it does not speak ONVIF
	EPR        string         // WS-Discovery endpoint reference
	Credential string         // reference for the site file, empty where the device is open
}

// Open starts every device. It fails when the loopback interface cannot be listened on or two devices share a name; that
// discovery cannot be answered is a note. The shop closes when the context ends or Close is called.
func Open(ctx context.Context, cfg Config) (*Shop, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Devices == nil {
		cfg.Devices = DemoShop()
	}
	if len(cfg.Devices) > 200 {
		return nil, fmt.Errorf("lab: opening the shop: %d devices, at most 200", len(cfg.Devices))
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Shop{cfg: cfg, opened: cfg.Clock(), ledger: newLedger(cfg)}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := s.start(); err != nil {
		s.Close()
		return nil, fmt.Errorf("lab: opening the shop: %w", err)
	}
	context.AfterFunc(s.ctx, func() { s.Close() })
	return s, nil
}

func (l Limits) withDefaults() Limits {
	if l.Connections == 0 {
		l.Connections = 2
	}
	if l.Requests == 0 {
		l.Requests = 20
	}
	if l.Refusals == 0 {
		l.Refusals = 1
	}
	return l
}

func (s *Shop) start() error {
	var street street
	if !s.cfg.OneAddress {
		var lock net.Listener
		if street, lock = takeStreet(); lock != nil {
			s.closer = append(s.closer, lock)
		}
	}
	if !street.separate {
		s.note("lab.one_address")
	}
	seen := map[string]bool{}
	for i, spec := range s.cfg.Devices {
		d := newDevice(s, spec, i+1)
		if seen[d.spec.Name] {
			return fmt.Errorf("two devices are called %q", d.spec.Name)
		}
		seen[d.spec.Name] = true
		if err := d.start(street.host(i + 1)); err != nil {
			return fmt.Errorf("device %s: %w", d.spec.Name, err)
		}
		s.devices = append(s.devices, d)
	}
	if s.cfg.Multicast {
		s.answerDiscovery()
	}
	return nil
}

// Devices lists the devices in the order of the configuration.
func (s *Shop) Devices() []Running {
	out := make([]Running, len(s.devices))
	for i, d := range s.devices {
		out[i] = d.running()
	}
	return out
}

// Device returns the device of that name; ok is false when there is none.
func (s *Shop) Device(name string) (r Running, ok bool) {
	for _, d := range s.devices {
		if d.spec.Name == name {
			return d.running(), true
		}
	}
	return Running{}, false
}

// Endpoints lists every TCP endpoint that listens, sorted.
func (s *Shop) Endpoints() []netip.AddrPort {
	var out []netip.AddrPort
	for _, d := range s.devices {
		out = append(out, d.http)
		if d.rtsp.IsValid() {
			out = append(out, d.rtsp)
		}
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return out
}

// Perimeter lists exactly the addresses in use, sorted.
func (s *Shop) Perimeter() []netip.Prefix {
	set := map[netip.Prefix]bool{}
	for _, d := range s.devices {
		set[netip.PrefixFrom(d.http.Addr(), d.http.Addr().BitLen())] = true
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
}

// Notes says what could not be simulated here, for a person.
func (s *Shop) Notes() []audit.Text { return slices.Clone(s.notes) }

func (s *Shop) note(id string, args ...any) { s.notes = append(s.notes, msg.Text(id, args...)) }

// Credential returns the account behind a reference ("env:MINGSHI_LAB_CAM_01") that the site file of this shop uses. The
// demonstration asks here where an audit would ask the environment.
func (s *Shop) Credential(ref string) (user, password string, ok bool) {
	for _, d := range s.devices {
		if r := d.running(); r.Credential != "" && r.Credential == ref {
			return d.spec.Login.User, d.spec.Login.Password, true
		}
	}
	return "", "", false
}

// Environment returns the same accounts as NAME=user:password, for a child process.
func (s *Shop) Environment() []string {
	var out []string
	for _, d := range s.devices {
		if name, ok := strings.CutPrefix(d.running().Credential, "env:"); ok {
			out = append(out, name+"="+d.spec.Login.User+":"+d.spec.Login.Password)
		}
	}
	return out
}

// Violations lists what devices saw that they should not have seen: requests that are not on the list of reading
// requests, more than one refused login, too many connections or requests, passwords in the clear; after Close also pull
// points nobody released. It is empty for a client that behaves.
func (s *Shop) Violations() []string { return s.ledger.violations() }

// Requests lists what every device was asked, in order.
func (s *Shop) Requests() []Request { return s.ledger.all() }

// Close stops every device and waits until nothing of the shop runs.
func (s *Shop) Close() error {
	var errs []error
	s.once.Do(func() {
		s.cancel()
		for _, d := range s.devices {
			d.close()
		}
		for _, c := range s.closer {
			if err := c.Close(); err != nil {
				errs = append(errs, err)
			}
		}
		s.wg.Wait()
	})
	return errors.Join(errs...)
}
