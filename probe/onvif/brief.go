package onvif

import (
	"context"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/soap"
)

// brief asks who made the device and which services it has, without a login: two questions over one connection.
func (s *session) brief(ctx context.Context) (speaks bool, next *candidate) {
	ctx, cancel := context.WithTimeout(ctx, s.pace.stage1)
	defer cancel()
	s.stage = 1
	a, n := s.ask(ctx, onvif.GetDeviceInformation(), call{required: true})
	for again := 0; again < 2 && s.unheard(a) && sleep(ctx, s.pace.retry); again++ {
		s.timeouts, s.stop = 0, ""
		a, n = s.ask(ctx, onvif.GetDeviceInformation(), call{required: true})
	}
	if moved, next := s.elsewhere(a, n); moved {
		return false, next
	}
	known := s.base.announced || s.target.Inventory != ""
	switch {
	case a.HTTP == 0 || s.stop != "":
		return false, nil
	case !a.Envelope && !(a.HTTP == 401 && known) && a.HTTP < 500:
		if n != nil && n.Status == audit.OK {
			n.Status = audit.NotSupported
		}
		return false, nil
	case usable(a, n):
		s.information(a, n)
	}
	s.offers(ctx)
	if !s.spoke && !known {
		return false, nil
	}
	s.conclude()
	return s.spoke, nil
}

// unheard reports whether a first question may have been lost on the way: nothing came back from a device that said it is here,
// the connection broke, or there was no way to a port that had just been open.
func (s *session) unheard(a *soap.Answer) bool {
	if a.HTTP != 0 {
		return false
	}
	switch a.Verdict {
	case soap.Transient:
		return true
	case soap.TimedOut:
		return s.base.announced
	case soap.Unreachable:
		return s.base.announced || s.target.Method == "tcp-connect"
	}
	return false
}
