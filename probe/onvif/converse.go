package onvif

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/soap"
)

// converse goes through the stages. speaks is false where the endpoint is not ONVIF; next is then where it redirects to on
// the same device, if it does.
func (s *session) converse(ctx context.Context) (speaks bool, next *candidate) {
	s.run = ctx
	if s.env.Brief {
		return s.brief(ctx)
	}
	one, cancel := context.WithTimeout(ctx, s.pace.stage1)
	speaks, next = s.introduce(one)
	cancel()
	if !speaks {
		return false, next
	}
	s.env.Progress(msg.Text("probe.onvif.reading"))
	two, cancel := context.WithTimeout(ctx, s.pace.stage2)
	open := s.open(two)
	if open {
		s.stage = 2
		if len(s.services) == 0 && s.account { // some makers want a login even for what the specification leaves open
			s.offers(two)
			s.capabilities(two)
			s.endpoint(two)
		}
		s.configuration(two)
	}
	s.late = s.late || two.Err() != nil && ctx.Err() == nil
	cancel()
	if open && s.env.Guard.Permit() >= audit.PermitSample {
		s.watchEvents(ctx)
		s.watchMetadata(ctx)
	}
	if open {
		three, cancel := context.WithTimeout(ctx, s.pace.stage1)
		s.brokers(three)
		cancel()
	}
	s.conclude()
	return s.spoke, nil
}

// introduce is stage 1: questions without any login, so that a device that checks headers everywhere is not provoked. It
// reports whether ONVIF lives there.
func (s *session) introduce(ctx context.Context) (speaks bool, next *candidate) {
	s.stage = 1
	a, n := s.ask(ctx, onvif.GetSystemDateAndTime(), call{required: true})
	if (a.Verdict == soap.TimedOut || a.Verdict == soap.Transient && a.HTTP == 0) && s.base.announced && sleep(ctx, s.pace.retry) {
		a, n = s.ask(ctx, onvif.GetSystemDateAndTime(), call{required: true}) // it said that it is here: it may be busy
	}
	if moved, next := s.elsewhere(a, n); moved {
		return false, next
	}
	if a.HTTP == 0 || s.stop != "" {
		return false, nil
	}
	if !a.Envelope && !(a.HTTP == 401 && (s.base.announced || s.target.Inventory != "")) && a.HTTP < 500 {
		if n != nil && n.Status == audit.OK {
			n.Status = audit.NotSupported
		}
		return false, nil
	}
	if usable(a, n) {
		if t, ok := onvif.ReadDateTime(a.Body); ok {
			s.clock(t, a, n)
		}
	}
	if !s.clocked && !a.Date.IsZero() {
		if off := a.Date.Sub(a.At); off.Abs() > 5*time.Second {
			s.offset = off
		}
	}

	s.offers(ctx)
	if !s.spoke { // nothing but refusals of a web server: it may be anything
		if !s.base.announced && s.target.Inventory == "" {
			return false, nil
		}
	}
	s.capabilities(ctx)
	s.endpoint(ctx)
	return true, nil
}

// elsewhere reads an answer that sends us to another address or to TLS. moved is true where it does; next is nil where the
// other address is not the device's.
func (s *session) elsewhere(a *soap.Answer, n *note) (moved bool, next *candidate) {
	if a.HTTP >= 300 && a.HTTP < 400 && a.Location != "" {
		if u, foreign, err := soap.Rebase(a.Location, s.ip, "http", "https"); err == nil && !foreign {
			if u.Path == "" || u.Path == "/" {
				u.Path = servicePath
			}
			return true, &candidate{*u, s.base.announced}
		}
		s.deny("redirect", a.Location)
	}
	if a.WantsTLS {
		if n != nil {
			n.Status, n.Detail = audit.NotSupported, "plain text; asked again over TLS"
		}
		u := s.base.url
		u.Scheme, u.Host = "https", netip.AddrPortFrom(s.ip, s.base.port()).String()
		return true, &candidate{u, s.base.announced}
	}
	return false, nil
}

// endpoint asks under which name the device answers discovery.
func (s *session) endpoint(ctx context.Context) {
	if a, n := s.ask(ctx, onvif.GetEndpointReference(), call{}); usable(a, n) {
		if epr := onvif.ReadEndpoint(a.Body); epr != "" {
			n.identity().EPR = epr
		}
	}
}

// offers asks which services there are.
func (s *session) offers(ctx context.Context) {
	a, n := s.ask(ctx, onvif.GetServices(), call{required: true})
	if usable(a, n) {
		s.services = onvif.ReadServices(a.Body)
	}
	if len(s.services) == 0 {
		if a, n = s.ask(ctx, onvif.GetCapabilities(), call{}); usable(a, n) {
			s.services = onvif.ReadLegacyCapabilities(a.Body)
		}
	}
	if n == nil || len(s.services) == 0 {
		return
	}
	for _, v := range s.services {
		kept := v
		switch v.Namespace {
		case onvif.NSAnalytics, onvif.NSEvents, onvif.NSCredential, onvif.NSApps:
		default:
			kept.Capabilities = nil // says nothing about faces, and can be long
		}
		n.data.Services = append(n.data.Services, kept)
		n.identity().Services = append(n.identity().Services, v.Namespace)
	}
}

// clock learns how far the device's clock is from ours. It is measured from the middle of the exchange.
func (s *session) clock(t time.Time, a *soap.Answer, n *note) {
	s.offset, s.clocked = t.Sub(a.At.Add(a.Took/2)), true
	if s.offset.Abs() < 2*time.Second {
		s.offset = 0
	}
	n.data.ClockMinutes = int(s.offset.Round(time.Minute) / time.Minute)
}

// capabilities asks the services for what GetServices left out.
func (s *session) capabilities(ctx context.Context) {
	ask := func(ns string, op onvif.Operation) map[string]string {
		v, ok := s.services.Find(ns)
		if !ok || len(v.Capabilities) > 0 && v.Version != "" { // GetCapabilities, which gives no version, tells only half
			return v.Capabilities
		}
		a, n := s.ask(ctx, op, call{})
		if !usable(a, n) {
			return nil
		}
		n.data.Capabilities = onvif.ReadCapabilities(a.Body)
		for i := range s.services {
			if s.services[i].Namespace == ns {
				s.services[i].Capabilities = n.data.Capabilities
			}
		}
		return n.data.Capabilities
	}
	ask(onvif.NSAnalytics, onvif.GetAnalyticsCapabilities())
	s.eventCaps = ask(onvif.NSEvents, onvif.GetEventCapabilities())
	_, s.pulls = s.eventCaps["MaxPullPoints"]
	if s.services.Has(onvif.NSCredential) {
		if a, n := s.ask(ctx, onvif.GetCredentialCapabilities(), call{}); usable(a, n) {
			n.data.Readers = onvif.FaceReaders(a.Body)
		}
	}
}

// open finds out whether the device answers without a login, and logs in where it does not. It reports whether the
// configuration can be read.
func (s *session) open(ctx context.Context) bool {
	a, n := s.ask(ctx, onvif.GetDeviceInformation(), call{required: true})
	switch {
	case usable(a, n):
		s.information(a, n)
		return true
	case n == nil, s.stop != "":
		return false
	case a.Verdict == soap.AuthRequired:
		b, m := s.login(ctx, onvif.GetDeviceInformation(), call{required: true}, a)
		if b == nil || !s.account {
			return false
		}
		if usable(b, m) {
			s.information(b, m)
		}
		return s.spoke // the login may have been good for a web server that has no ONVIF
	}
	return s.spoke && a.Verdict != soap.TimedOut && a.HTTP != 0
}

// information reads who made the device.
func (s *session) information(a *soap.Answer, n *note) {
	s.who = onvif.ReadInformation(a.Body)
	id := n.identity()
	id.Vendor, id.Model, id.Firmware, id.Serial, id.Hardware = s.who.Manufacturer, s.who.Model, s.who.Firmware, s.who.Serial, s.who.Hardware
}

// kind says what the device shows itself to be. A camera with several sensors has several sources too, so a recorder needs
// more than that: it says so, or it records and plays back more than four.
func (s *session) kind() audit.Kind {
	says := func(words ...string) bool {
		for _, text := range append(slices.Concat(s.scopes.Types, s.target.Types), s.who.Model, s.who.Hardware, s.scopes.Hardware, s.scopes.Name) {
			for _, w := range words {
				if strings.Contains(strings.ToLower(text), w) {
					return true
				}
			}
		}
		return false
	}
	channels := onvif.Sources(s.profiles)
	switch {
	case s.services.Has(onvif.NSAccess, onvif.NSCredential, onvif.NSDoor, onvif.NSBehaviour),
		slices.ContainsFunc(s.scopes.Types, func(t string) bool { return strings.EqualFold(t, "IPC_ACS") }):
		return audit.KindTerminal
	case channels > 1 && says("nvr", "dvr", "xvr", "hvr", "recorder"),
		channels > 4 && s.services.Has(onvif.NSRecording) && s.services.Has(onvif.NSReplay):
		return audit.KindRecorder
	case s.services.Has(onvif.NSEngine) && !s.services.Has(onvif.NSMedia, onvif.NSMedia2):
		return audit.KindServer
	case s.services.Has(onvif.NSMedia, onvif.NSMedia2):
		return audit.KindCamera
	}
	return ""
}
