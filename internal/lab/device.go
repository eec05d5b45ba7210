package lab

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// device is one running device.
type device struct {
	shop *Shop
	n    int
	spec Spec
	http netip.AddrPort
	rtsp netip.AddrPort
	uuid string

	meter  *meter
	guards *lockout
	nonces *nonces
	points *points
	stream *rtspServer
	server *http.Server
	makers makers
	wg     sync.WaitGroup

	mu     sync.Mutex
	rnd    *rand.Rand
	flying int // HTTP requests being answered
}

func newDevice(s *Shop, spec Spec, n int) *device {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", s.cfg.Seed, spec.Name)
	d := &device{shop: s, n: n, rnd: rand.New(rand.NewPCG(h.Sum64(), uint64(n)))}
	d.spec = d.filled(spec)
	d.uuid = fmt.Sprintf("%08x-1ab0-4000-8000-0277%08x", uint32(h.Sum64()), uint32(n))
	d.meter = &meter{limit: s.cfg.Limits.Connections, report: func(n int) {
		d.violated(fmt.Sprintf("%d connections at the same time", n))
	}}
	d.guards = &lockout{left: d.spec.Login.Attempts}
	d.nonces = newNonces()
	d.points = newPoints(d)
	return d
}

func (d *device) filled(s Spec) Spec {
	s.Name = cmp.Or(s.Name, fmt.Sprintf("device-%02d", d.n))
	s.Label = cmp.Or(s.Label, s.Name)
	s.Serial = cmp.Or(s.Serial, fmt.Sprintf("LAB-%04d", d.n))
	s.MAC = cmp.Or(s.MAC, fmt.Sprintf("02:77:1a:b0:00:%02x", d.n))
	s.Firmware = cmp.Or(s.Firmware, "1.0.0-lab")
	s.Hardware = cmp.Or(s.Hardware, s.Model)
	s.Login.User = cmp.Or(s.Login.User, "viewer")
	if s.Login.Password == "" && s.Login.Auth != AuthNone {
		s.Login.Password = fmt.Sprintf("Lab-%s-%08x", s.Name, d.rnd.Uint32())
	}
	s.Login.Window = cmp.Or(s.Login.Window, time.Minute)
	s.Analytics.Token = cmp.Or(s.Analytics.Token, "VideoAnalyticsToken")
	s.Events.Max = cmp.Or(s.Events.Max, 10)
	s.Events.After = cmp.Or(s.Events.After, 300*time.Millisecond)
	s.Events.Every = cmp.Or(s.Events.Every, 500*time.Millisecond)
	s.Metadata.Encoding = cmp.Or(s.Metadata.Encoding, PlainMetadata)
	s.Metadata.PayloadType = cmp.Or(s.Metadata.PayloadType, 107)
	s.Metadata.Every = cmp.Or(s.Metadata.Every, 200*time.Millisecond)
	s.Style.Envelope = cmp.Or(s.Style.Envelope, "env")
	s.Quirks.Rate = cmp.Or(s.Quirks.Rate, 8)
	s.Quirks.PullPath = cmp.Or(s.Quirks.PullPath, "/onvif/PullSubManager")
	if s.ONVIF {
		s.Channels = cmp.Or(s.Channels, 1)
		if s.Types == nil {
			s.Types = []string{"dn:NetworkVideoTransmitter", "tds:Device"}
		}
	}
	return s
}

func (d *device) start(host netip.Addr) error {
	ln, err := d.listen(host, d.port(), d.firstHTTP)
	if err != nil {
		return err
	}
	d.http = ln.Addr().(*net.TCPAddr).AddrPort()
	if ln, err = d.startMakers(host, ln); err != nil {
		return err
	}
	d.server = &http.Server{
		Handler:           http.HandlerFunc(d.serve),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return d.shop.ctx },
		ErrorLog:          log.New(discard{}, "", 0),
	}
	d.wg.Go(func() { d.server.Serve(ln) }) // ends with ErrServerClosed
	if !d.spec.RTSP {
		return nil
	}
	rtsp, err := d.listen(host, 8554, d.firstRTSP)
	if err != nil {
		return err
	}
	d.rtsp = rtsp.Addr().(*net.TCPAddr).AddrPort()
	d.stream, err = startRTSP(d, rtsp)
	return err
}

// listen takes the port a camera would have where the device has an address of its own, and any other where that is taken or
// there is one address for all.
func (d *device) listen(host netip.Addr, usual uint16, first func(string)) (net.Listener, error) {
	if host == oneAddress {
		usual = 0
	}
	ln, err := net.Listen("tcp", netip.AddrPortFrom(host, usual).String())
	if err != nil && usual != 0 {
		ln, err = net.Listen("tcp", netip.AddrPortFrom(host, 0).String())
	}
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return &listener{Listener: ln, meter: d.meter, first: first}, nil
}

func (d *device) close() {
	if d.server != nil {
		d.server.Close()
	}
	if d.stream != nil {
		d.stream.close()
	}
	d.makers.close()
	d.wg.Wait()
	d.points.close()
}

func (d *device) running() Running {
	r := Running{Spec: d.spec, Name: d.spec.Name, Addr: d.http, RTSP: d.rtsp}
	if d.spec.ONVIF {
		r.XAddr = d.url(d.path("/onvif/device_service"))
		r.EPR = "urn:uuid:" + d.uuid
	}
	if d.spec.Login.Auth != AuthNone {
		r.Credential = "env:MINGSHI_LAB_" + strings.ToUpper(strings.ReplaceAll(d.spec.Name, "-", "_"))
	}
	return r
}

// now is the time the device believes it is.
func (d *device) now() time.Time { return d.shop.cfg.Clock().Add(d.spec.Clock).UTC() }

// url is an address as the device announces it, which may not be its own.
func (d *device) url(path string) string {
	host := d.http.String()
	if d.spec.Quirks.HTTP == Redirect || d.spec.Quirks.Elsewhere != "" {
		host = cmp.Or(d.spec.Quirks.Elsewhere, host)
	}
	return "http://" + host + path
}

func (d *device) path(p string) string { return cmp.Or(d.spec.Style.OneXAddr, p) }

func (d *device) saw(what, login string) { d.shop.ledger.saw(d.spec.Name, what, login) }
func (d *device) violated(what string)   { d.shop.ledger.violated(d.spec.Name, what) }

// random returns n bytes that follow from the shop's seed.
func (d *device) random(n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.rnd.Uint32())
	}
	return b
}

// firstHTTP looks at what a client opens a web connection with. Requests proper are recorded by the handler.
func (d *device) firstHTTP(s string) {
	switch {
	case strings.HasPrefix(s, "\x16\x03"):
		d.saw("TLS hello", LoginNone)
	case strings.HasPrefix(s, "OPTIONS ") && strings.Contains(s, "RTSP/"):
		d.saw("RTSP OPTIONS on the web port", LoginNone)
	case !startsWithAny(s, "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "):
		d.violated(fmt.Sprintf("a connection to the web port opened with %q", clip(s, 40)))
	}
}

func (d *device) firstRTSP(s string) {
	switch {
	case strings.HasPrefix(s, "\x16\x03"):
		d.saw("TLS hello", LoginNone)
	case startsWithAny(s, "GET ", "HEAD ", "POST "):
		method, rest, _ := strings.Cut(s, " ")
		target, _, _ := strings.Cut(rest, " ")
		d.saw(method+" "+clip(target, 80), LoginNone)
	case !strings.Contains(s, "RTSP/"):
		d.violated(fmt.Sprintf("a connection to the RTSP port opened with %q", clip(s, 40)))
	}
}

func startsWithAny(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
